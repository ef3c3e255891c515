"""Staff at work in a real browser: the pages act, say what is so, and load nothing but our own files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse

from orders.models import TrackingSync
from stores.accounts.team import make_staff
from tests import factories
from tests.orders.admin_cast import a_planned_shipment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


class Visit:
    """One person's browser window on the staff's pages, and all that it complained of."""

    def __init__(self, page: Any, address: str) -> None:
        self.page, self.address = page, address
        self.complaints: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def go(self, name: str, *args: Any) -> None:
        self.page.goto(self.address + reverse(name, args=args))

    def log_in(self, email: str) -> None:
        self.go("admin:index")
        self.page.get_by_label("E-mail address").fill(email)
        self.page.get_by_label("Password").fill("password")
        self.page.get_by_role("button", name="Log in").click()
        self.page.get_by_role("heading", name="How the numbers stand").wait_for()

    def headline(self) -> str:
        return str(self.page.locator(".standing .headline").inner_text())


@pytest.fixture(params=[1280, 390], ids=["desk", "phone"])
def visit(request: pytest.FixtureRequest, chromium: Any, live_server: Any) -> Iterator[Visit]:
    context = chromium.new_context(viewport={"width": request.param, "height": 900})
    yield Visit(context.new_page(), live_server.url)
    context.close()


def test_staff_mark_a_parcel_as_dispatched_and_see_the_sentence_change(visit: Visit) -> None:
    make_staff("anna@house.example", "password", is_superuser=True)
    shipment = a_planned_shipment(factories.an_order(number="#1001"), local="YT2600000000000001")
    page = visit.page

    visit.log_in("anna@house.example")
    visit.go("admin:orders_trackingsync_changelist")
    page.get_by_role("link", name="#1001 parcel 1").click()
    before = visit.headline()
    page.get_by_role("link", name="Mark as dispatched").click()
    question = page.locator(".question").inner_text()
    page.get_by_role("button", name="Mark as dispatched").click()
    page.get_by_text("1 parcel marked as dispatched.").wait_for()

    assert before.startswith("The number YT2600000000000001 is ready, but the parcel is still with us")
    assert question.startswith("What is listed here was handed to the carrier.")
    assert visit.headline() == "It is next on its way to the store."
    assert "Marked the parcel as dispatched" in page.locator("section[aria-labelledby='timeline-heading']").inner_text()
    assert TrackingSync.objects.get(shipment=shipment).state == "due"
    assert visit.complaints == []


def test_a_list_is_acted_on_by_the_keyboard_alone(visit: Visit) -> None:
    make_staff("anna@house.example", "password", is_superuser=True)
    order = factories.an_order(number="#1001", paid_at=None)
    page = visit.page

    visit.log_in("anna@house.example")
    visit.go("admin:orders_order_changelist")
    page.get_by_role("checkbox", name=re.compile("Select this object")).press("Space")
    page.get_by_label("Action:").select_option("mark_paid")
    page.get_by_role("button", name="Go").press("Enter")
    page.get_by_role("button", name="Mark as paid: 1").press("Enter")
    page.get_by_text("1 order marked as paid.").wait_for()

    order.refresh_from_db()
    assert order.paid_at is not None
    assert visit.complaints == []


def test_no_page_is_wider_than_its_window_or_asks_for_foreign_code(visit: Visit) -> None:
    make_staff("anna@house.example", "password", is_superuser=True)
    shipment = a_planned_shipment(factories.an_order(number="#1001"), local="YT2600000000000001")
    visit.log_in("anna@house.example")

    wide = []
    for name, *args in (
        ("admin:index",),
        ("admin:orders_trackingsync_changelist",),
        ("admin:orders_shipment_changelist",),
        ("admin:orders_shipment_change", shipment.pk),
        ("admin:orders_shipment_act", shipment.pk, "set_number"),
        ("admin:orders_order_changelist",),
        ("admin:orders_order_change", shipment.order_id),
        ("admin:stores_store_changelist",),
        ("admin:stores_store_change", shipment.order.store_id),
        ("admin:orders_carrier_changelist",),
        ("admin:orders_shippingmethod_changelist",),
    ):
        visit.go(name, *args)
        if visit.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            wide.append(name)

    assert wide == []
    assert visit.complaints == []
