"""A merchant and their stores in a real browser: connect one, pause it, leave, and take everything along."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from stores.connectors.codes import Code
from stores.connectors.errors import StoreDisconnected
from stores.models import Store
from stores.trouble import disconnected
from tests import factories
from tests.storefronts.client import PretendShopify, Shop

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

EMAIL = "maker@example.com"


class Visit:
    """One merchant's browser window, and all that it complained of."""

    def __init__(self, page: Any, address: str) -> None:
        self.page, self.address = page, address
        self.complaints: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def go(self, name: str, *args: Any) -> None:
        self.page.goto(self.address + reverse(name, args=args))

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        self.page.get_by_role("link", name=name).first.click()

    def log_in(self) -> None:
        self.go("account_login")
        self.page.get_by_label("E-mail address").fill(EMAIL)
        self.page.get_by_label("Password").fill("password")
        self.press("Log in")
        self.page.get_by_role("link", name="Account").wait_for()

    def type_in(self, shop: Shop, token: str) -> None:
        """The form of a new store, up to its button."""
        self.page.get_by_label("Name of the store").fill("Acme Mugs")
        self.page.get_by_label("Shopify address").fill(shop.base_url)
        self.page.get_by_label("Access token").fill(token)

    def sees(self, text: str) -> None:
        """Wait until the page says so."""
        self.page.get_by_text(text).first.wait_for()

    def is_too_wide(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


@pytest.fixture(params=[1280, 390], ids=["desk", "phone"])
def visit(request: pytest.FixtureRequest, chromium: Any, live_server: Any) -> Iterator[Visit]:
    factories.a_user(EMAIL)
    context = chromium.new_context(viewport={"width": request.param, "height": 900}, accept_downloads=True)
    yield Visit(context.new_page(), live_server.url)
    context.close()


def test_a_store_is_connected_after_a_missing_scope_paused_resumed_and_left(
    visit: Visit, pretend: PretendShopify
) -> None:
    shop = pretend.shop(scopes=["read_orders", "read_locations"], locations=["Berlin", "Lyon"])
    page = visit.page
    visit.log_in()

    # From the empty list to the form; the app lacks a permission.
    visit.go("stores")
    visit.sees("Connect your first store")
    visit.follow("Connect a store")
    visit.follow("Shopify")
    visit.type_in(shop, shop.token)
    visit.press("Check and connect")
    visit.sees("Missing. We need it to mark items as fulfilled")
    nothing_yet = Store.objects.count()

    # Granted in the shop; what was typed need not be typed again, and we ask where we ship from.
    shop.settings(scopes=["read_orders", "read_locations", "write_merchant_managed_fulfillment_orders"])
    visit.press("Check again and connect")
    visit.sees("Where do we ship from, for Acme Mugs?")
    page.get_by_label("Lyon").check()
    visit.press("Connect the store")
    visit.sees("Acme Mugs is connected.")
    visit.sees("We ship from Lyon.")
    store = Store.objects.get()
    next_step = page.get_by_role("link", name="Make your choice").get_attribute("href")

    visit.press("Pause")
    visit.sees("its orders are still looked up, but nothing is sent to it")
    page.get_by_role("button", name="Resume").first.click()
    visit.sees("Acme Mugs goes on.")

    visit.follow("Disconnect")
    visit.sees("Nothing in your store is taken back.")
    visit.press("Disconnect Acme Mugs")
    visit.sees("Acme Mugs is disconnected.")
    visit.go("stores")
    visit.sees("None of your stores is connected, so no number is sent anywhere.")

    gone = Store.objects.get()
    assert (nothing_yet, store.location_ids, next_step) == (
        0,
        [shop.locations["Lyon"]],
        reverse("choice", args=[store.pk]),
    )
    assert (gone.disconnect_reason, dict(gone.credentials)) == ("merchant", {})
    assert visit.complaints == []


def test_a_store_is_reconnected_by_the_keyboard_alone(visit: Visit, shop: Shop) -> None:
    store = factories.a_store_in(shop, User.objects.get(email=EMAIL), name="Acme Mugs")
    disconnected(store.pk, StoreDisconnected(Code.TOKEN_REFUSED), factories.NOON)
    page = visit.page
    visit.log_in()

    visit.go("store", store.pk)
    page.get_by_role("link", name="Reconnect").press("Enter")
    page.get_by_label("Access token").press_sequentially("wrong")
    page.keyboard.press("Enter")
    visit.sees("Shopify refused this access.")
    field = page.get_by_label("Access token")
    told = page.locator(f"#{str(field.get_attribute('aria-describedby')).split()[-1]}").inner_text()
    field.press_sequentially(shop.token)
    page.keyboard.press("Enter")
    visit.sees("Acme Mugs lets us in again.")

    assert told.startswith("Shopify refused this access.")
    assert field.count() == 0
    assert Store.objects.get().trouble == ""
    assert visit.complaints == []


def test_everything_is_downloaded(visit: Visit) -> None:
    store = factories.a_store(User.objects.get(email=EMAIL), name="Acme Mugs")
    factories.a_shipment(factories.an_order(store, number="#1001"), local="YT1")
    visit.log_in()

    visit.go("store", store.pk)
    with visit.page.expect_download() as download:
        visit.follow("Download everything")

    content = Path(download.value.path()).read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert "#1001" in archive.read("orders.csv").decode()


def test_no_page_of_the_stores_is_wider_than_its_window(visit: Visit) -> None:
    merchant = User.objects.get(email=EMAIL)
    well = factories.a_store(merchant, name="A store with a name that goes on and on and on")
    lost = factories.a_store(merchant)
    disconnected(
        lost.pk,
        StoreDisconnected(Code.SCOPE_MISSING, scopes=["write_merchant_managed_fulfillment_orders"]),
        factories.NOON,
    )
    visit.log_in()

    wide = []
    for name, *args in (
        ("stores",),
        ("connect_store", "shopify"),
        ("store", well.pk),
        ("store", lost.pk),
        ("store_reconnect", lost.pk),
        ("store_locations", well.pk),
        ("store_start", well.pk),
        ("store_disconnect", well.pk),
    ):
        visit.go(name, *args)
        if visit.is_too_wide():
            wide.append(name)

    assert wide == []
    assert visit.complaints == []
