"""Connecting a store with one click in a real browser, at pretend shops: there, a yes or a no, and back.

How each return is checked is held by the tests of the views; here the pages, the shops' own pages and the browser's
rules work together: a session that comes back from another site, and forms that may lead nowhere but to us.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from stores.authorising import invitations
from stores.models import Store
from tests import factories
from tests.browser.test_axe import AXE, FINDINGS, LOOKS
from tests.browser.test_stores import EMAIL, Visit
from tests.orders.admin_cast import logged_in
from tests.storefronts.client import App, PretendShopify
from tests.storefronts.woo import PretendWooCommerce, WooShop
from tests.stores.account_cast import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


class Way(Visit):
    """A merchant's window on the way to a shop and back. What the shops' own pages complain of is their affair."""

    @property
    def own_complaints(self) -> list[str]:
        """Errors that the browser found in our pages."""
        return [text for url, text in self.heard if url.startswith(self.address)]

    def __init__(self, page: Any, address: str) -> None:
        super().__init__(page, address)
        self.heard: list[tuple[str, str]] = []
        page.on("console", self._hear)

    def _hear(self, message: Any) -> None:
        if message.type == "error":
            self.heard.append((message.location["url"], message.text))


@pytest.fixture(params=[1280, 390], ids=["desk", "phone"])
def visit(request: pytest.FixtureRequest, chromium: Any, live_server: Any, settings: Any) -> Iterator[Way]:
    """A window; the installation is known to the world by the address of the test's server."""
    settings.TRACKSYNC_URL = live_server.url
    factories.a_user(EMAIL)
    context = chromium.new_context(viewport={"width": request.param, "height": 900}, bypass_csp=False)
    yield Way(context.new_page(), live_server.url)
    context.close()


@pytest.fixture
def app(pretend: PretendShopify, live_server: Any, settings: Any) -> App:
    """The installation's app in Shopify's list."""
    app = pretend.app(redirect_uris=[live_server.url + reverse("shopify_back")])
    settings.TRACKSYNC_SHOPIFY_CLIENT_ID, settings.TRACKSYNC_SHOPIFY_CLIENT_SECRET = app.client_id, app.client_secret
    return app


def begin(visit: Way, platform: str, label: str, address: str) -> None:
    """From the list of stores to the shop."""
    visit.go("connect_store", platform)
    visit.follow("Connect with one click")
    visit.page.get_by_label(label).fill(address)
    visit.press("On to the shop")


def approve(visit: Way, shop: WooShop) -> None:
    """In a WooCommerce shop: log in and say yes."""
    page = visit.page
    page.get_by_label("Username").fill("manager")
    page.get_by_label("Password").fill("let-me-in")
    visit.press("Login")
    page.get_by_role("link", name="Approve").click()


# --- Shopify ----------------------------------------------------------------------------------------------------


def test_a_shopify_store_is_connected_after_a_no_and_in_the_right_shop(
    visit: Way, app: App, pretend: PretendShopify
) -> None:
    shop, other = pretend.shop(locations=["Berlin", "Lyon"]), pretend.shop("some-other-shop")
    page = visit.page
    visit.log_in()

    # No: the merchant stays in the shop, and nothing is connected.
    begin(visit, "shopify", "Your shop's Shopify name", shop.base_url)
    visit.press("Cancel")
    page.wait_for_url(f"{shop.base_url}/**")
    after_a_no = Store.objects.count()

    # Yes, but in another shop where somebody is logged in.
    begin(visit, "shopify", "Your shop's Shopify name", shop.base_url)
    page.get_by_role("button", name="Install").wait_for()
    page.goto(page.url.replace(shop.base_url, other.base_url))
    visit.press("Install")
    visit.sees("Another shop answered: some-other-shop.myshopify.com.")
    after_another_shop = Store.objects.count()

    # Yes, in the right one, from the page that said what was wrong.
    visit.follow("Begin once more")
    visit.press("On to the shop")
    visit.press("Install")
    visit.sees("is connected.")
    page.get_by_label("Lyon").check()
    page.get_by_label("Berlin").uncheck()
    page.get_by_role("button", name=re.compile("Save")).click()
    visit.sees("We ship from Lyon.")

    store = Store.objects.get()
    assert (after_a_no, after_another_shop) == (0, 0)
    assert (store.base_url, store.location_ids) == (shop.base_url, [shop.locations["Lyon"]])
    assert visit.own_complaints == []


def test_the_shop_asks_the_browser_to_say_no_too(visit: Way, app: App, pretend: PretendShopify) -> None:
    shop = pretend.shop()
    page = visit.page
    visit.log_in()
    begin(visit, "shopify", "Your shop's Shopify name", shop.base_url)
    page.get_by_role("button", name="Install").wait_for()
    state = re.findall(r"state=([\w-]+)", page.url)[0]

    page.goto(f"{visit.address}{reverse('shopify_back')}?error=access_denied&state={state}")
    visit.sees("You did not allow it in 127.0.0.1, so nothing was connected.")
    too_wide = visit.is_too_wide()
    page.reload()
    visit.sees("This was used already; it is good for one time.")

    assert not too_wide
    assert not Store.objects.exists()


# --- WooCommerce ------------------------------------------------------------------------------------------------


def test_a_woocommerce_store_is_connected_after_a_no_and_in_the_right_shop(
    visit: Way, pretend_woo: PretendWooCommerce
) -> None:
    shop, other = (pretend_woo.shop(lenient_callback=True) for _ in range(2))
    page = visit.page
    visit.log_in()

    # No.
    begin(visit, "woocommerce", "Your shop's address", shop.base_url)
    page.get_by_label("Username").fill("manager")
    page.get_by_label("Password").fill("let-me-in")
    visit.press("Login")
    page.get_by_role("link", name="Deny").click()
    visit.sees("You did not allow it in 127.0.0.1, so nothing was connected.")
    after_a_no = Store.objects.count()

    # Yes, but in another shop: its key does not open the one that was asked for.
    visit.follow("Begin once more")
    visit.press("On to the shop")
    page.get_by_role("link", name="Approve").wait_for()
    page.goto(page.url.replace(shop.base_url, other.base_url).replace("/authorize", "/login"))
    approve(visit, other)
    visit.sees("WooCommerce gave no access to us, although you said yes")
    after_another_shop = Store.objects.count()

    # Yes, in the right one.
    visit.follow("Begin once more")
    visit.press("On to the shop")
    page.get_by_role("link", name="Approve").click()
    visit.sees("is connected.")
    page.reload()

    store = Store.objects.get()
    assert (after_a_no, after_another_shop) == (0, 0)
    assert (store.base_url, sorted(store.credentials)) == (shop.base_url, ["consumer_key", "consumer_secret"])
    assert dict(store.credentials) != shop.credentials  # a key of its own, made for us just now
    assert shop.rest("GET", "wc/v3/orders", auth=tuple(store.credentials.values())).status_code == 200
    assert visit.own_complaints == []


# --- By invitation ------------------------------------------------------------------------------------------------


def test_a_new_merchant_connects_by_a_link_that_staff_made_and_the_link_is_good_once(
    visit: Way, chromium: Any, pretend: PretendShopify
) -> None:
    shop = pretend.shop()
    app = shop.app(redirect_uris=[visit.address + reverse("shopify_back")])
    link = a_link_made_in_the_admin(chromium, visit.address, shop.base_url, app)
    page = visit.page

    # The merchant has no account yet: signs up, comes back, presses one button, says yes.
    page.goto(link)
    visit.sees("invites you")
    visit.follow("Sign up and connect")
    page.get_by_label("E-mail address").fill("new@example.com")
    for field in page.get_by_label(re.compile("Password")).all():
        field.fill(PASSWORD)
    visit.press("Sign up")
    visit.sees("The store becomes part of this account, new@example.com.")
    visit.press("Connect in Shopify")
    visit.press("Install")
    visit.sees("Acme Mugs is connected.")
    store = Store.objects.select_related("owner").get()

    # The link once more: by its user, and by somebody else.
    page.goto(link)
    visit.sees("This invitation was used")
    shown_to_its_user = page.get_by_role("link", name="Go to Acme Mugs").count()
    stranger = chromium.new_context().new_page()
    stranger.goto(link)
    stranger.get_by_text("This invitation was used").wait_for()
    shown_to_others = stranger.get_by_text("Acme").count()
    stranger.context.close()

    assert (store.owner.email, store.name, store.base_url) == ("new@example.com", "Acme Mugs", shop.base_url)
    assert (shown_to_its_user, shown_to_others) == (1, 0)
    assert visit.own_complaints == []


def a_link_made_in_the_admin(chromium: Any, address: str, shop: str, app: App) -> str:
    """Staff fill in the form and read the link off the page that follows."""
    boss = factories.a_user("boss@house.example", is_staff=True, is_superuser=True)
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    cookie = logged_in(boss).cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": address}])
    page = context.new_page()
    page.goto(address + reverse("admin:stores_invitation_add"))
    page.get_by_label("Shop:", exact=True).fill(shop)
    page.get_by_label("Name of the store").fill("Acme Mugs")
    page.get_by_label("Client ID").fill(app.client_id)
    page.get_by_label("Client secret").fill(app.client_secret)
    page.get_by_role("button", name="Save").click()
    link = page.get_by_label(re.compile("Send this link")).input_value()
    page.goto(address + reverse("admin:stores_invitation_changelist"))
    assert page.get_by_text("Waits for the merchant").count() == 2  # in the list and as its filter
    assert link not in page.content()
    context.close()
    return str(link)


# --- For everybody --------------------------------------------------------------------------------------------------


def test_every_page_on_the_way_can_be_read_and_used_by_everybody(
    chromium: Any, live_server: Any, settings: Any, app: App, pretend: PretendShopify, pretend_woo: PretendWooCommerce
) -> None:
    settings.TRACKSYNC_URL = live_server.url
    merchant = factories.a_user(EMAIL)
    shop, woo_shop = pretend.shop(), pretend_woo.shop(lenient_callback=True)
    now = timezone.now()
    by, known = factories.a_user(is_staff=True), {"platform": "shopify", "base_url": shop.base_url, "now": now}
    made, token = invitations.invite(by=by, store_name="Acme Mugs", credentials=app.credentials, **known)
    context = chromium.new_context(bypass_csp=True)
    page = context.new_page()
    found: dict[str, list[str]] = {}
    narrow: list[str] = []

    def look(name: str) -> None:
        page.evaluate(AXE)
        for scheme, width in LOOKS:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.set_viewport_size({"width": width, "height": 900})
            for finding in page.evaluate(FINDINGS):
                found.setdefault(f"{name} {scheme} {width}", []).append(finding)
            if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
                narrow.append(f"{name} {width}")

    page.goto(f"{live_server.url}/invitations/{token}/")
    look("invitation without an account")
    session = logged_in(merchant).cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page.goto(f"{live_server.url}/invitations/{token}/")
    look("invitation")
    invitations.withdraw([made.pk], now)
    page.reload()
    look("invitation that is over")
    for platform, where in (("shopify", shop.base_url), ("woocommerce", woo_shop.base_url)):
        page.goto(f"{live_server.url}/stores/connect/{platform}/")
        look(f"ways to connect {platform}")
        page.goto(f"{live_server.url}/stores/connect/{platform}/one-click/")
        look(f"one click {platform}")
        # Held back on its way, the page that goes on to the shop can be looked at.
        page.route(f"{where}/**", lambda route: route.fulfill(status=204))
        page.get_by_role("textbox").fill(where)
        page.get_by_role("button", name="On to the shop").click()
        page.get_by_role("link", name="Go on to the shop").wait_for()
        look(f"on to {platform}")
        page.unroute(f"{where}/**")
    state = re.findall(r"user_id=([\w-]+)", str(page.get_by_role("link", name="Go on").get_attribute("href")))[0]
    page.goto(f"{live_server.url}{reverse('woocommerce_back')}?success=1&user_id={state}")
    page.get_by_role("link", name="Look again").wait_for()
    look("waiting for the key")
    page.goto(f"{live_server.url}{reverse('woocommerce_back')}?success=0&user_id={state}")
    page.get_by_text("You did not allow it").wait_for()
    look("stopped")
    context.close()

    assert found == {}
    assert narrow == []
