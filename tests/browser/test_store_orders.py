"""A merchant at Store Orders in a real browser: filters, pages, and a choice that is closed without a store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.utils import timezone

from orders import plan
from orders.models import Order
from stores.models import Store, SyncPreference
from tests import factories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


class Visit:
    """A logged-in merchant's browser window, and all that it complained of."""

    def __init__(self, context: Any, address: str, user: User) -> None:
        client = Client()
        client.force_login(user)
        session = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": session, "url": address}])
        self.page, self.address = context.new_page(), address
        self.complaints: list[str] = []
        self.page.on("console", lambda each: self.complaints.append(each.text) if each.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def orders(self) -> list[str]:
        """The numbers of the orders on the page."""
        return [text.strip() for text in self.page.locator("table.orders .title").all_inner_texts()]

    def is_too_wide(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


@pytest.fixture
def tea() -> Store:
    """A store with two orders that wait and one whose number is there; the merchant has another store, Coffee."""
    now = timezone.now()
    tea = factories.a_store(name="Tea", time_zone="Europe/Berlin", sync_from=now - timedelta(days=60))
    coffee = factories.a_store(tea.owner, name="Coffee", sync_from=now - timedelta(days=60))
    for place, (store, number, customer) in enumerate(
        ((tea, "#1001", "Ada Lovelace"), (tea, "#1002", "Grace Hopper"), (coffee, "#1003", "Ada Byron"))
    ):
        order = factories.an_order(
            store, number=number, customer_name=customer, placed_at=now - timedelta(days=9 - place), paid_at=now
        )
        shipment = factories.a_shipment(order, local=f"YT26000000000{number[1:]}")
        with transaction.atomic():
            plan.plan([shipment.pk], now)
    return tea


@pytest.fixture(params=[(1280, True), (390, True), (1280, False)], ids=["desk", "phone", "without script"])
def visit(request: pytest.FixtureRequest, chromium: Any, live_server: Any, tea: Store) -> Iterator[Visit]:
    width, has_script = request.param
    context = chromium.new_context(viewport={"width": width, "height": 900}, java_script_enabled=has_script)
    visit = Visit(context, live_server.url, tea.owner)
    visit.page.goto(f"{live_server.url}/orders/")
    yield visit
    context.close()


def test_without_a_store_the_choice_is_closed_and_says_why_until_one_is_chosen(visit: Visit, tea: Store) -> None:
    page = visit.page
    before = list(SyncPreference.objects.values())
    controls = ["Before we hand the parcel over", "After we have handed it over"]
    controls += ["The usual one for each shipping method", "Always the carrier's number"]

    closed = [page.get_by_label(name).is_disabled() for name in controls]
    reason = page.locator("#why-disabled").inner_text()
    button_closed = page.get_by_role("button", name="See what this changes").is_disabled()
    page.get_by_label("Store", exact=True).select_option("Tea")
    page.get_by_role("button", name="Show").click()
    open_now = [page.get_by_label(name).is_enabled() for name in controls]
    page.get_by_label("Before we hand the parcel over").check()
    page.get_by_role("button", name="See what this changes").click()

    assert closed == [True] * 4
    assert button_closed
    assert reason.startswith("Choose a store first: the choice is made for one store")
    assert open_now == [True] * 4
    assert f"/stores/{tea.pk}/sync/?timing=before_dispatch" in page.url
    assert list(SyncPreference.objects.values()) == before
    assert visit.complaints == []


def test_a_merchant_filters_reads_why_and_removes_the_filter(visit: Visit, tea: Store) -> None:
    page = visit.page

    page.get_by_label("Customer begins with").fill("ada")
    page.get_by_role("button", name="Show").click()
    by_name = visit.orders()
    page.get_by_label("Store", exact=True).select_option("Tea")
    page.get_by_label("Store", exact=True).press("Tab")
    page.get_by_role("button", name="Show").click()
    by_both = visit.orders()
    line = page.locator(".parcel p").first.inner_text()
    page.get_by_role("link", name="Remove the filter Store: Tea").click()

    assert by_name == ["#1003", "#1001"]
    assert by_both == ["#1001"]
    assert line.startswith("The number YT260000000001001 is ready, but the parcel is still with us")
    assert visit.orders() == ["#1003", "#1001"]
    assert page.get_by_role("textbox", name="Customer begins with").input_value() == "ada"
    page.get_by_text("More filters").click()
    page.get_by_label("Placed from").fill("2100-01-01")
    page.get_by_role("button", name="Show").click()
    assert page.get_by_role("heading", name="No order fits these filters").is_visible()
    assert not visit.is_too_wide()
    assert visit.complaints == []


def test_a_merchant_goes_to_older_orders_and_back(visit: Visit, tea: Store) -> None:
    Order.objects.bulk_create(
        Order(
            store=tea,
            external_id=f"o{n}",
            number=f"#2{n:03}",
            placed_at=timezone.now() - timedelta(days=20, minutes=n),
            store_updated_at=timezone.now(),
        )
        for n in range(60)
    )
    page = visit.page
    page.get_by_label("Order number begins with").fill("#2")
    page.get_by_role("button", name="Show").click()
    first = visit.orders()
    page.get_by_role("link", name="Older").click()
    second = visit.orders()
    page.get_by_role("link", name="Newer").click()

    assert first == [f"#2{n:03}" for n in range(50)]
    assert second == [f"#2{n:03}" for n in range(50, 60)]
    assert visit.orders() == first
    assert not visit.is_too_wide()
    assert visit.complaints == []


def test_the_file_is_downloaded(visit: Visit, tea: Store) -> None:
    visit.page.goto(f"{visit.address}/orders/?store={tea.pk}")

    with visit.page.expect_download() as download:
        visit.page.get_by_role("link", name="Download what is filtered (CSV)").click()

    lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert [line.split(",")[:2] for line in lines] == [["Store", "Order"], ["Tea", "#1002"], ["Tea", "#1001"]]
