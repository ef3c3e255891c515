"""A merchant in a real browser, with a pretend store: why is my number not there, the choice, and there it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse

from orders import plan
from orders.sync import database_now
from tests import factories
from tests.orders.pushing import a_parcel, an_order_in, push
from tests.storefronts.client import Shop

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

YT1 = "YT2600000000000001"


class Visit:
    """One merchant's browser window, and all that it complained of."""

    def __init__(self, page: Any, address: str) -> None:
        self.page, self.address = page, address
        self.complaints: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def go(self, name: str, *args: Any) -> None:
        self.page.goto(self.address + reverse(name, args=args))

    def log_in(self, email: str) -> None:
        self.go("account_login")
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password", exact=True).fill("password")
        self.page.get_by_role("button", name="Log in").click()

    def headline(self) -> str:
        return str(self.page.locator(".standing .headline").inner_text())


@pytest.fixture(params=[1280, 390], ids=["desk", "phone"])
def visit(request: pytest.FixtureRequest, chromium: Any, live_server: Any) -> Iterator[Visit]:
    context = chromium.new_context(viewport={"width": request.param, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=live_server.url)
    yield Visit(context.new_page(), live_server.url)
    context.close()


def test_a_waiting_parcel_says_why_the_choice_is_changed_and_it_is_in_the_store(visit: Visit, shop: Shop) -> None:
    merchant = factories.a_user("mia@shop.example")
    store = factories.a_store_in(shop, merchant, name="Blue Mug")
    shipment = a_parcel(an_order_in(shop, store), YT1, dispatched=False)
    page = visit.page

    visit.log_in("mia@shop.example")
    visit.go("shipment", shipment.pk)
    before = visit.headline()
    page.get_by_role("link", name="Change the choice").click()
    page.get_by_role("radio", name="Before we hand the parcel over").press("Space")
    page.get_by_role("button", name="Save for Blue Mug").click()
    page.get_by_text("Saved").first.wait_for()
    plan.replan(database_now())
    push(store)
    visit.go("shipment", shipment.pk)
    after = visit.headline()
    page.get_by_role("button", name="Look again").click()
    seen = page.locator(".notice").first.inner_text()

    assert before == (
        f"The number {YT1} is ready, but the parcel is still with us, and the store asked for it after dispatch."
    )
    assert after.startswith(f"It is there: Blue Mug showed {YT1} on ")
    assert seen.startswith("We looked at ")
    assert seen.endswith(f"Blue Mug shows {YT1}.")
    assert shop.book()["orders"][0]["fulfillments"][0]["numbers"] == [YT1]
    assert visit.complaints == []


def test_the_answer_for_a_customer_is_copied(visit: Visit) -> None:
    merchant = factories.a_user("mia@shop.example")
    order = factories.an_order(factories.a_store(merchant, name="Blue Mug"), number="#1001", customer_name="Jane Doe")
    shipment = factories.a_shipment(order, local=YT1)
    page = visit.page

    visit.log_in("mia@shop.example")
    visit.go("shipment", shipment.pk)
    page.get_by_role("button", name="Copy answer").press("Enter")
    page.get_by_role("button", name="Copied").wait_for()

    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.get_by_role("textbox", name="An answer for your customer").input_value()
    assert copied.startswith("Hello Jane,\n\nyour order #1001 is being prepared.")
    assert visit.complaints == []


def test_the_answer_is_there_without_javascript(chromium: Any, live_server: Any) -> None:
    merchant = factories.a_user("mia@shop.example")
    shipment = factories.a_shipment(factories.an_order(factories.a_store(merchant)), local=YT1)
    context = chromium.new_context(java_script_enabled=False)
    visit = Visit(context.new_page(), live_server.url)

    visit.log_in("mia@shop.example")
    visit.go("shipment", shipment.pk)

    assert visit.page.get_by_role("textbox", name="An answer for your customer").input_value().startswith("Hello Jane,")
    assert visit.page.get_by_role("button", name="Copy answer").count() == 0
    context.close()
