"""A merchant writes a mail and sees it with a real order; the customer's old link shows the new number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse

from orders import changes
from orders.models import TrackingNumber, TrackingSync
from stores.models import EmailTemplate, Store
from tests import factories
from tests.browser.test_account import Visit
from tests.factories import NOON
from tests.stores.account_cast import PASSWORD, a_merchant

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=[1280, 390], ids=["desk", "phone"])
def visit(request: pytest.FixtureRequest, chromium: Any, live_server: Any, settings: Any) -> Iterator[Visit]:
    settings.TRACKSYNC_URL = live_server.url
    context = chromium.new_context(viewport={"width": request.param, "height": 900})
    yield Visit(context.new_page(), live_server.url)
    context.close()


def a_store() -> Store:
    return factories.a_store(a_merchant("jane@domain.com", is_verified=True), name="Linden")


def log_in(visit: Visit) -> None:
    visit.go("account_login")
    visit.page.get_by_label("E-mail address").fill("jane@domain.com")
    visit.page.get_by_label("Password", exact=True).fill(PASSWORD)
    visit.press("Log in")
    visit.page.get_by_role("link", name="Account").wait_for()


def show(value: str) -> None:
    """From now on the store shows this number."""
    number = TrackingNumber.objects.get(value=value)
    TrackingSync.objects.filter(shipment_id=number.shipment_id).update(shown=number, wanted=number)


def test_a_mail_is_written_looked_at_with_a_real_order_tested_and_saved(visit: Visit) -> None:
    store, page = a_store(), visit.page
    for number, name in (("#1001", "Ann Lee"), ("#1002", "Joe Doe")):
        factories.a_shipment(factories.an_order(store, number=number, customer_name=name), local=f"YT{number[1:]}")
    log_in(visit)

    visit.go("mail_templates", store.pk)
    page.get_by_role("link", name="Edit: Shipped").click()
    preview = page.frame_locator("iframe[name=preview]")
    preview.get_by_text("Hello", exact=False).first.wait_for()
    page.get_by_label("Subject").fill("News of ")
    page.get_by_role("button", name="order_number", exact=True).click()
    page.get_by_label("Text", exact=True).fill("Dear ")
    page.get_by_role("button", name="customer_name", exact=True).click()
    page.get_by_label("Text", exact=True).press_sequentially("!")
    page.get_by_label("Order for the preview").fill("1001")
    page.get_by_role("button", name="Show the preview").click()
    preview.get_by_text("Dear Ann Lee!").first.wait_for()
    subject = preview.locator(".envelope b").inner_text()
    before = EmailTemplate.objects.count()
    page.get_by_role("button", name="Save for Linden").click()
    page.get_by_text("Saved for Linden. The next mail uses it.").wait_for()

    assert (subject, before) == ("News of #1001", 0)
    assert list(EmailTemplate.objects.values_list("kind", "subject", "body")) == [
        ("shipped", "News of {{ order_number }}", "Dear {{ customer_name }}!")
    ]
    assert (visit.is_too_wide(), visit.complaints) == (False, [])


def test_a_mistake_is_told_at_the_field_and_the_text_is_kept(visit: Visit) -> None:
    store, page = a_store(), visit.page
    log_in(visit)

    visit.go("mail_template", store.pk, "shipped")
    page.get_by_label("Text", exact=True).fill("Hello,\n\n{{ tracking_nmbr }}")
    page.get_by_role("button", name="Save for Linden").click()
    page.get_by_text("Line 3, column 4: There is no variable “tracking_nmbr”.").wait_for()

    assert page.get_by_label("Text", exact=True).input_value() == "Hello,\n\n{{ tracking_nmbr }}"
    assert (visit.is_too_wide(), visit.complaints) == (False, [])


def test_an_old_link_shows_the_new_number_after_a_replacement(visit: Visit) -> None:
    shipment = factories.a_shipment(factories.an_order(a_store(), number="#1001"), local="YT1", dispatched_at=NOON)
    page, link = visit.page, visit.address + reverse("tracking", args=[shipment.token])

    page.goto(link)
    being_prepared = page.get_by_text("Your parcel is being prepared").count()
    show("YT1")
    page.reload()
    first = page.locator(".number").inner_text()
    changes.set_number(shipment.pk, "local", "YT2", factories.a_carrier(), now=NOON)
    show("YT2")
    page.goto(link)

    assert (being_prepared, first, page.locator(".number").inner_text()) == (1, "YT1", "YT2")
    assert (visit.is_too_wide(), visit.complaints) == (False, [])
