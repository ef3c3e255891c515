"""A merchant writes a mail and sees it with a real order; the customer's old link shows the new number.

The last test walks the whole way: the worker's process, a pretend store, and a mail server whose book is believed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from orders import changes
from orders.models import CustomerEmail, TrackingNumber, TrackingSync
from stores.models import EmailTemplate, Store
from tests import factories
from tests.browser.test_account import Visit
from tests.factories import NOON
from tests.orders.background import eventually
from tests.orders.workers import Worker
from tests.storefronts.client import Shop
from tests.storefronts.smtp import PretendSMTP
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


# --- the whole way ---------------------------------------------------------------------------------------------

FIRST, SECOND = "YT2600000000000001", "YT2600000000000002"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, live_server: Any) -> Iterator[PretendSMTP]:
    """A mail server, and whatever process starts from now on is set to it, with links to the running web server."""
    with PretendSMTP() as running:
        monkeypatch.setenv("EMAIL_URL", f"smtp://{running.host}:{running.port}")
        monkeypatch.setenv("TRACKSYNC_URL", live_server.url)
        yield running


@pytest.fixture
def worker(server: PretendSMTP, database_url: str, tmp_path: Path) -> Iterator[Worker]:
    running = Worker(database_url, tmp_path / "worker.log")
    yield running
    running.kill()


@pytest.fixture
def warehouse(manage: Callable[..., Any], tmp_path: Path) -> Callable[..., None]:
    """Sends its file about the one parcel: only what is new, an empty cell changes nothing."""

    def send(store: Store, **cells: str) -> None:
        row = {"store_id": str(store.pk), "order_number": "#1001", "parcel": "1"} | cells
        names = "store_id,order_number,parcel,shipping_method,own_number,local_number,carrier,paid_at,dispatched_at"
        file = tmp_path / "parcels.csv"
        file.write_text(f"{names}\n{','.join(row.get(name, '') for name in names.split(','))}\n")
        done = manage("import_shipments", str(file))
        assert done.returncode == 0, done.stdout + done.stderr

    return send


def shown_by(shop: Shop) -> list[str]:
    """What the store's own book shows of its one order."""
    (order,) = shop.book()["orders"]
    return [number for fulfillment in order["fulfillments"] for number in fulfillment["numbers"]]


def link_in(text: str) -> str:
    (found,) = set(re.findall(r"http://\S+/t/\S+", text))
    return str(found)


@pytest.mark.processes
@pytest.mark.parametrize("visit", [1280], indirect=True, ids=["desk"])
def test_from_the_merchants_words_to_the_customers_inbox_and_an_old_link_that_shows_the_new_number(
    visit: Visit,
    worker: Worker,
    server: PretendSMTP,
    shop: Shop,
    warehouse: Callable[..., None],
    manage: Callable[..., Any],
) -> None:
    page = visit.page
    store = factories.a_store_in(shop, a_merchant("jane@domain.com", is_verified=True), name="Linden")
    an_hour_ago = timezone.now() - timedelta(hours=1)
    shop.add_order(number="#1001", customer="Ann Lee", email="ann@lee.example", placed_at=an_hour_ago)
    assert manage("pull_orders").returncode == 0
    warehouse(
        store,
        shipping_method="YunExpress",
        local_number=FIRST,
        carrier="yunexpress",
        paid_at=an_hour_ago.isoformat(),
    )

    # The merchant's own words, looked at with the real order, and kept.
    log_in(visit)
    visit.go("mail_template", store.pk, "shipped")
    page.get_by_label("Subject").fill("On its way: {{ order_number }}")
    page.get_by_label("Text", exact=True).fill("Dear {{ customer_name }}, it left.\n\n{{ tracking_url }}\n")
    page.get_by_label("Order for the preview").fill("1001")
    page.get_by_role("button", name="Show the preview").click()
    page.frame_locator("iframe[name=preview]").get_by_text("Dear Ann Lee, it left.").first.wait_for()
    page.get_by_role("button", name="Save for Linden").click()
    page.get_by_text("Saved for Linden. The next mail uses it.").wait_for()
    assert (shown_by(shop), server.mails) == ([], [])

    # The parcel leaves: the number is in the store, then the mail in the inbox, and its link works.
    warehouse(store, dispatched_at=timezone.now().isoformat())
    eventually(lambda: server.mails != [], 60)
    (first,) = server.mails
    text = first.message.get_body(("plain",)).get_content()
    assert (shown_by(shop), first.to, first.subject) == ([FIRST], ("ann@lee.example",), "On its way: #1001")
    assert text.startswith("Dear Ann Lee, it left.")
    page.goto(link_in(text))
    assert page.locator(".number").inner_text() == FIRST

    # The carrier replaces the number: the customer hears of it once, and the old link shows the new one.
    warehouse(store, local_number=SECOND, carrier="yunexpress")
    eventually(lambda: len(server.mails) > 1, 60)
    page.goto(link_in(text))
    assert page.locator(".number").inner_text() == SECOND
    assert shown_by(shop) == [SECOND]

    # And nobody is written to twice, however often the bell rings.
    assert manage("sync_tracking").returncode == 0
    eventually(lambda: not CustomerEmail.objects.filter(due_at__isnull=False).exists(), 20)
    assert [(mail.to, mail.subject) for mail in server.mails] == [
        (("ann@lee.example",), "On its way: #1001"),
        (("ann@lee.example",), "A new tracking number for your order #1001"),
    ]
    assert link_in(server.mails[1].message.get_body(("plain",)).get_content()) == link_in(text)
    assert list(CustomerEmail.objects.order_by("pk").values_list("kind", "state")) == [
        ("shipped", "sent"),
        ("number_changed", "sent"),
    ]
    assert (visit.is_too_wide(), visit.complaints) == (False, [])
