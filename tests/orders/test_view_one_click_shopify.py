"""Connecting a Shopify store with one click, against a real pretend Shopify: there, back, and every way it can stop."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from stores.authorising.offers import LISTED_APP
from stores.choices import DisconnectReason
from stores.connectors.codes import Code
from stores.connectors.errors import StoreDisconnected
from stores.connectors.shopify.oauth import SCOPES
from stores.fields import Secret
from stores.models import PendingConnection, Store
from stores.trouble import disconnected
from stores.uninstalling import uninstalled
from tests import factories
from tests.factories import NOON
from tests.orders.one_click_cast import (
    BACK,
    a_browser,
    path_of,
    sent_to,
    state_in,
    text_of,
    the_listed_app,
    typed_in,
)
from tests.storefronts.client import App, PretendShopify, Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def app(pretend: PretendShopify, settings: Any) -> App:
    """The installation's own app in Shopify's list."""
    return the_listed_app(pretend, settings)


@pytest.fixture
def merchant() -> Client:
    """A merchant who is logged in; `merchant.user` is who."""
    return a_browser()


def on_the_way(merchant: Client, shop: Shop) -> str:
    """The address of the shop's consent, to which the merchant was sent."""
    return sent_to(typed_in(merchant, "shopify", shop.base_url))


def back(merchant: Client, address: str) -> Any:
    """The page that the merchant ends up on."""
    return merchant.get(path_of(address), follow=True)


def changed(address: str, where: Shop, app: App, **params: str | None) -> str:
    """The way back with other parameters, signed anew by this app's secret; None leaves one out."""
    had = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items() if name != "hmac"}
    wanted = {name: value for name, value in {**had, **params}.items() if value is not None}
    known = {name: value for name, value in wanted.items() if name not in ("shop", "host", "timestamp")}
    signed = where.signed(app, known | {name: wanted[name] for name in ("shop",) if name in params})
    return f"{BACK}?{urlencode(signed)}"


# --- It works ------------------------------------------------------------------------------------------------


def test_the_shop_is_asked_for_what_we_need_and_nothing_else(
    merchant: Client, app: App, pretend: PretendShopify
) -> None:
    shop = pretend.shop()

    going = typed_in(merchant, "shopify", shop.base_url)

    asked = urlsplit(sent_to(going))
    query = {name: values[0] for name, values in parse_qs(asked.query).items()}
    assert f"{asked.scheme}://{asked.netloc}{asked.path}" == f"{shop.base_url}/admin/oauth/authorize"
    assert query == {
        "client_id": app.client_id,
        "scope": ",".join(SCOPES),
        "redirect_uri": BACK,
        "state": state_in(sent_to(going)),
    }
    assert app.client_secret not in going.content.decode()
    assert "no-store" in going["Cache-Control"]
    # The browser may be sent nowhere by a form of ours: the page goes on by itself.
    assert "form-action 'self'" in going["Content-Security-Policy"]


def test_a_store_is_connected_under_the_shops_own_name(merchant: Client, app: App, pretend: PretendShopify) -> None:
    shop = pretend.shop("one-click-mugs", time_zone="Asia/Tokyo")

    page = back(merchant, shop.consent(on_the_way(merchant, shop)))

    store = Store.objects.select_related("preference").get()
    (held,) = shop.tokens()
    assert page.redirect_chain == [(f"/stores/{store.pk}/", 302)]
    assert (store.owner, store.base_url, store.time_zone, dict(store.credentials)) == (
        merchant.user,  # type: ignore[attr-defined]
        shop.base_url,
        "Asia/Tokyo",
        LISTED_APP,
    )
    assert store.name == store.facts["shop_name"]
    assert (store.token["access_token"], store.token["refresh_token"]) == (held["access"][0], held["refresh"][-1])
    assert timedelta(minutes=50) < store.token_expires_at - timezone.now() <= timedelta(hours=1)  # type: ignore[operator]
    assert store.preference.confirmed_at is None
    assert f"{store.name} is connected." in text_of(page)
    assert "checked_at" in store.facts


def test_the_background_is_woken_and_asks_for_the_stores_messages(
    merchant: Client, app: App, pretend: PretendShopify, django_capture_on_commit_callbacks: Any
) -> None:
    shop = pretend.shop()
    address = shop.consent(on_the_way(merchant, shop))

    with django_capture_on_commit_callbacks(execute=True):
        back(merchant, address)

    tasks = [(task.task["func"], task.task["args"]) for task in OrmQ.objects.order_by("pk")]
    assert tasks == [("orders.tasks.sync_due", ()), ("orders.tasks.arm_hooks", (Store.objects.get().pk,))]


def test_with_several_locations_the_next_page_asks_which(merchant: Client, app: App, pretend: PretendShopify) -> None:
    shop = pretend.shop(locations=["Berlin", "Lyon", {"name": "Other 3PL", "service": "Other", "ours": False}])

    page = back(merchant, shop.consent(on_the_way(merchant, shop)))
    store = Store.objects.get()
    done = merchant.post(f"/stores/{store.pk}/locations/", {"locations": [shop.locations["Lyon"]]}, follow=True)

    assert page.redirect_chain == [(f"/stores/{store.pk}/locations/", 302)]
    assert "The shop has several locations. Tick those we ship from, then save." in text_of(page)
    assert [label for _, label in page.context["form"].fields["locations"].choices] == ["Berlin", "Lyon"]
    assert "We ship from Lyon." in text_of(done)


def test_come_back_twice_one_store_is_made_and_shown(merchant: Client, app: App, pretend: PretendShopify) -> None:
    shop = pretend.shop()
    address = shop.consent(on_the_way(merchant, shop))

    pages = [back(merchant, address) for _ in range(2)]

    page = f"/stores/{Store.objects.get().pk}/"
    assert [each.redirect_chain for each in pages] == [[(page, 302)]] * 2


@pytest.mark.parametrize("path", ["one-click", "reconnect"])
def test_a_store_that_does_not_let_us_in_any_more_is_reconnected(
    path: str, merchant: Client, app: App, pretend: PretendShopify
) -> None:
    shop = pretend.shop()
    back(merchant, shop.consent(on_the_way(merchant, shop)))
    store = Store.objects.get()
    shop.end_refresh_tokens()
    disconnected(store.pk, StoreDisconnected(Code.RECONNECT_NEEDED), NOON)

    if path == "reconnect":
        going = merchant.post(f"/stores/{store.pk}/reconnect/one-click/")
    else:
        going = typed_in(merchant, "shopify", shop.base_url)
    page = back(merchant, shop.consent(sent_to(going)))

    store.refresh_from_db()
    assert (Store.objects.count(), store.trouble) == (1, "")
    assert store.token["refresh_token"] == shop.tokens()[0]["refresh"][-1]
    assert f"{store.name} lets us in again." in text_of(page)


def test_a_store_of_pasted_keys_moves_to_the_listed_app(merchant: Client, app: App, pretend: PretendShopify) -> None:
    shop = pretend.shop()
    store = factories.a_store_in(shop, merchant.user)  # type: ignore[attr-defined]

    offered = merchant.get(f"/stores/{store.pk}/reconnect/")
    back(merchant, shop.consent(sent_to(merchant.post(f"/stores/{store.pk}/reconnect/one-click/"))))

    assert "Reconnect with one click" in text_of(offered)
    assert dict(Store.objects.get().credentials) == LISTED_APP


def test_an_app_that_was_removed_and_comes_back_goes_on_in_the_same_store(
    merchant: Client, app: App, pretend: PretendShopify
) -> None:
    shop = pretend.shop()
    back(merchant, shop.consent(on_the_way(merchant, shop)))
    store = Store.objects.get()
    Store.objects.filter(pk=store.pk).update(name="My mugs", sync_from=NOON)
    shop.uninstall()
    uninstalled(store.pk, NOON)

    going = typed_in(merchant, "shopify", shop.base_url)
    page = back(merchant, shop.consent(sent_to(going)))

    again = Store.objects.get()
    assert "You had this shop connected before, as My mugs. Say yes, and it goes on where it ended" in text_of(going)
    assert "My mugs is connected again, and goes on where it ended" in text_of(page)
    assert (again.pk, again.name, again.sync_from, again.disconnected_at, again.disconnect_reason) == (
        store.pk,
        "My mugs",
        NOON,
        None,
        "",
    )
    assert again.token["access_token"] in shop.tokens()[0]["access"]


def test_an_app_of_its_own_that_was_removed_is_let_in_again_by_one_button(
    merchant: Client, pretend: PretendShopify
) -> None:
    shop = pretend.shop()
    own = shop.app(redirect_uris=[BACK])
    store = factories.a_store_in(shop, merchant.user, name="My mugs")  # type: ignore[attr-defined]
    Store.objects.filter(pk=store.pk).update(credentials=Secret(own.credentials))
    uninstalled(store.pk, NOON)

    offered = merchant.get(f"/stores/connect/shopify/?again={store.pk}")
    page = back(merchant, shop.consent(sent_to(merchant.post(f"/stores/{store.pk}/reconnect/one-click/"))))

    assert "Let it in again there, and My mugs goes on where it ended" in text_of(offered)
    assert "My mugs is connected again, and goes on where it ended" in text_of(page)
    assert [each.pk for each in Store.objects.connected()] == [store.pk]


@pytest.mark.parametrize("reason", [DisconnectReason.MERCHANT, DisconnectReason.STAFF])
def test_a_store_that_was_left_on_purpose_is_not_taken_up_by_one_button(
    reason: str, merchant: Client, app: App, pretend: PretendShopify
) -> None:
    shop = pretend.shop()
    fields = {"disconnected_at": NOON, "disconnect_reason": reason}
    store = factories.a_store_in(shop, merchant.user, **fields)  # type: ignore[attr-defined]

    answer = merchant.post(f"/stores/{store.pk}/reconnect/one-click/")

    assert answer["Location"] == f"/stores/{store.pk}/"
    assert not PendingConnection.objects.exists()


@pytest.mark.parametrize("whose", ["left on purpose", "somebody else's"])
def test_any_other_store_of_the_shop_is_left_as_it_is(
    whose: str, merchant: Client, app: App, pretend: PretendShopify
) -> None:
    shop = pretend.shop()
    fields: dict[str, Any] = {"disconnected_at": NOON, "disconnect_reason": DisconnectReason.UNINSTALLED}
    owner = factories.a_user()
    if whose == "left on purpose":
        owner, fields["disconnect_reason"] = merchant.user, DisconnectReason.MERCHANT  # type: ignore[attr-defined]
    before = factories.a_store_in(shop, owner, name="Before", **fields)

    going = typed_in(merchant, "shopify", shop.base_url)
    page = back(merchant, shop.consent(sent_to(going)))

    assert "Before" not in text_of(going) + text_of(page)
    assert Store.objects.get(pk=before.pk).disconnected_at == NOON
    assert Store.objects.connected().get().owner == merchant.user  # type: ignore[attr-defined]


# --- It stops --------------------------------------------------------------------------------------------------

World = tuple[Client, Shop, App, PretendShopify, Any]


def it_was_declined(address: str, world: World) -> str:
    return f"{BACK}?{urlencode({'error': 'access_denied', 'state': state_in(address)})}"


def there_is_no_code(address: str, world: World) -> str:
    _, shop, app, *_ = world
    return changed(shop.consent(address), shop, app, code=None)


def it_is_not_signed_by_our_app(address: str, world: World) -> str:
    _, shop, _, pretend, _ = world
    return changed(shop.consent(address), shop, shop.app(redirect_uris=[BACK]))


def something_was_changed_on_the_way(address: str, world: World) -> str:
    return world[1].consent(address).replace("code=", "code=x")


def it_is_too_old(address: str, world: World) -> str:
    _, shop, app, *_ = world
    code = parse_qs(urlsplit(shop.consent(address)).query)["code"][0]
    return f"{BACK}?{urlencode(shop.signed(app, {'code': code, 'state': state_in(address)}, age=120))}"


def another_shop_says_yes(address: str, world: World) -> str:
    _, shop, _, pretend, _ = world
    other = pretend.shop("the-other-shop")
    return other.consent(address.replace(shop.base_url, other.base_url))


def the_shop_is_no_shop(address: str, world: World) -> str:
    _, shop, app, *_ = world
    return changed(shop.consent(address), shop, app, shop="evil.example")


def a_needed_permission_was_not_given(address: str, world: World) -> str:
    return world[1].consent(address, decline=["write_merchant_managed_fulfillment_orders"])


def the_code_was_used_elsewhere(address: str, world: World) -> str:
    _, shop, app, *_ = world
    return changed(shop.consent(address), shop, app, code="used-before")


def our_apps_secret_is_wrong_now(address: str, world: World) -> str:
    _, shop, app, _, settings = world
    found = shop.consent(address)
    settings.TRACKSYNC_SHOPIFY_CLIENT_SECRET = "another-secret"
    return changed(found, shop, App(app.title, app.client_id, "another-secret"))


def the_shop_is_down(address: str, world: World) -> str:
    found = world[1].consent(address)
    world[1].fault("503")
    return found


def the_shop_is_locked(address: str, world: World) -> str:
    found = world[1].consent(address)
    world[1].fault("402")
    return found


def somebody_else_was_quicker(address: str, world: World) -> str:
    factories.a_store_in(world[1], factories.a_user("quicker@example.com"), name="Quicker")
    return world[1].consent(address)


@pytest.mark.parametrize(
    "what, says, then",
    [
        (
            it_was_declined,
            "You did not allow it in {host}, so nothing was connected.",
            "If that was a slip, begin once more.",
        ),
        (there_is_no_code, "You did not allow it in {host}, so nothing was connected.", "begin once more."),
        (
            it_is_not_signed_by_our_app,
            "What came back is not signed by Shopify, or is more than a minute and a half old.",
            "Begin once more.",
        ),
        (something_was_changed_on_the_way, "What came back is not signed by Shopify", "Begin once more."),
        (it_is_too_old, "What came back is not signed by Shopify", "Begin once more."),
        (
            another_shop_says_yes,
            "Another shop answered: the-other-shop.myshopify.com. Asked was {host}, so nothing was connected.",
            "Log in to {host} first, then begin once more; or connect the other shop as a store of its own.",
        ),
        (the_shop_is_no_shop, "Another shop answered than {host}, so nothing was connected.", "Log in to {host} first"),
        (
            a_needed_permission_was_not_given,
            "You said yes, but not to all that we need: write_merchant_managed_fulfillment_orders.",
            "Begin once more and allow what is marked as missing;",
        ),
        (
            the_code_was_used_elsewhere,
            "Shopify says that this consent is over: it is good for one time and a short while.",
            "Begin once more, and press the button in the shop within some minutes.",
        ),
        (the_shop_is_down, "The store answered with an error of its own (503).", "Nothing was saved"),
        (the_shop_is_locked, "Shopify says that the shop is locked or not paid for.", "begin once more."),
        (
            somebody_else_was_quicker,
            "This shop is connected already.",
            "If it is your shop and you do not find it among your stores, write to us.",
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_stops_it_is_said_and_nothing_is_kept(
    what: Any, says: str, then: str, merchant: Client, pretend: PretendShopify, settings: Any
) -> None:
    app = the_listed_app(pretend, settings, optional=["write_merchant_managed_fulfillment_orders"])
    shop = pretend.shop()
    address = on_the_way(merchant, shop)

    page = back(merchant, what(address, (merchant, shop, app, pretend, settings)))

    host = urlsplit(shop.base_url).hostname
    told = text_of(page)
    assert page.templates[0].name == "stores/one_click_stopped.html"
    assert says.format(host=host) in told
    assert then.format(host=host) in told
    assert not Store.objects.filter(owner=merchant.user).exists()  # type: ignore[attr-defined]
    assert [word for word in ("quicker", app.client_secret, "another-secret") if word in told.lower()] == []


def test_a_code_is_not_used_where_that_would_end_somebody_elses_access(
    merchant: Client, app: App, pretend: PretendShopify
) -> None:
    shop = pretend.shop()
    address = shop.consent(on_the_way(merchant, shop))
    other = a_browser("other@example.com")
    back(other, shop.consent(on_the_way(other, shop)))
    asked = shop.book()["counts"]["token_requests"]

    page = back(merchant, address)

    assert "This shop is connected already." in text_of(page)
    assert shop.book()["counts"]["token_requests"] == asked


def test_a_reconnection_without_a_needed_permission_keeps_the_only_access_that_is_good(
    merchant: Client, pretend: PretendShopify, settings: Any
) -> None:
    the_listed_app(pretend, settings, optional=["write_merchant_managed_fulfillment_orders"])
    shop = pretend.shop()
    back(merchant, shop.consent(on_the_way(merchant, shop)))
    store = Store.objects.get()
    shop.uninstall()  # the page of a consent is shown once more, and the old access is dead

    going = sent_to(merchant.post(f"/stores/{store.pk}/reconnect/one-click/"))
    page = back(merchant, shop.consent(going, decline=["write_merchant_managed_fulfillment_orders"]))

    store.refresh_from_db()
    assert "write_merchant_managed_fulfillment_orders" in text_of(page)
    assert page.context["again"] == f"/stores/{store.pk}/reconnect/"
    assert store.token["refresh_token"] == shop.tokens()[0]["refresh"][-1]


def test_it_can_be_begun_once_more_by_one_link(merchant: Client, app: App, pretend: PretendShopify) -> None:
    shop = pretend.shop()
    stopped = back(merchant, it_was_declined(on_the_way(merchant, shop), (merchant, shop, app, pretend, None)))

    again = merchant.get(stopped.context["again"])
    typed = again.context["form"]["base_url"].value()
    page = back(merchant, shop.consent(sent_to(typed_in(merchant, "shopify", typed))))

    assert typed == shop.base_url
    assert page.redirect_chain == [(f"/stores/{Store.objects.get().pk}/", 302)]


# --- It comes back to the wrong place ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "who, status, says",
    [
        ("nobody began it", 400, "We did not send anybody to a shop with this address."),
        ("another account", 400, "This was begun in another account."),
        ("another browser", 400, "This was begun in another browser, or before you logged in anew."),
        ("too late", 400, "That took longer than ten minutes, so it is not good any more."),
        ("nobody is logged in", 200, "Log in"),
    ],
)
def test_a_return_to_the_wrong_place_connects_nothing(
    who: str, status: int, says: str, merchant: Client, app: App, pretend: PretendShopify
) -> None:
    shop = pretend.shop()
    address = shop.consent(on_the_way(merchant, shop))
    browser = merchant
    if who == "nobody began it":
        address = changed(address, shop, app, state="made-up")
    elif who == "another account":
        browser = a_browser("other@example.com")
    elif who == "another browser":
        browser = Client()
        browser.force_login(merchant.user)  # type: ignore[attr-defined]
    elif who == "too late":
        PendingConnection.objects.update(expires_at=timezone.now())
    else:
        browser = Client()

    page = back(browser, address)

    assert (page.status_code, says in text_of(page)) == (status, True)
    assert not Store.objects.exists()
    if who in ("another account", "another browser"):
        # The right one may still come.
        assert back(merchant, address).status_code == 200
        assert Store.objects.get().owner == merchant.user  # type: ignore[attr-defined]


# --- The first page -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed, says",
    [
        ("", "This field is required."),
        ("www.acme-mugs.com", "it is the shop's own domain, under which it does not talk to apps."),
        ("https://192.168.1.10", "it lies in a private network"),
        ("http://acme.myshopify.com", "it is plain http:"),
    ],
)
def test_an_address_that_is_no_shops_is_told_and_nobody_is_sent_anywhere(
    typed: str, says: str, merchant: Client, app: App
) -> None:
    page = typed_in(merchant, "shopify", typed)

    assert says in " ".join(page.context["form"].errors["base_url"])
    assert not PendingConnection.objects.exists()


def test_a_shop_of_somebody_elses_says_nothing_of_them(merchant: Client, app: App, pretend: PretendShopify) -> None:
    shop = pretend.shop()
    factories.a_store_in(shop, factories.a_user("other@example.com"), name="Others")

    page = typed_in(merchant, "shopify", shop.base_url)

    assert page.context["form"].errors["base_url"] == ["This shop is connected already."]
    assert [word for word in ("Others", "other@example.com") if word in page.content.decode()] == []


def test_a_shop_that_is_ones_own_already_is_shown(merchant: Client, app: App, pretend: PretendShopify) -> None:
    shop = pretend.shop()
    store = factories.a_store_in(shop, merchant.user, name="Acme")  # type: ignore[attr-defined]

    page = merchant.post("/stores/connect/shopify/one-click/", {"base_url": shop.base_url}, follow=True)

    assert page.redirect_chain == [(f"/stores/{store.pk}/", 302)]
    assert "You have connected this shop already: it is Acme." in text_of(page)


def test_without_a_listed_app_there_is_no_such_page_but_an_invitation_is_spoken_of(merchant: Client) -> None:
    page = text_of(merchant.get("/stores/connect/shopify/"))

    assert merchant.get("/stores/connect/shopify/one-click/").status_code == 404
    assert "Connect with one click" not in page
    assert "By our invitation" in page
    assert "With an app of your own" in page


def test_the_ways_are_told_apart_where_a_store_is_connected(merchant: Client, app: App) -> None:
    left = factories.a_store(
        merchant.user,  # type: ignore[attr-defined]
        base_url="https://acme.myshopify.com",
        disconnected_at=NOON,
        disconnect_reason="merchant",
    )

    page = merchant.get(f"/stores/connect/shopify/?again={left.pk}")
    form = merchant.get(f"/stores/connect/shopify/one-click/?again={left.pk}")

    assert f'href="/stores/connect/shopify/one-click/?again={left.pk}"' in page.content.decode()
    assert form.context["form"]["base_url"].value() == "https://acme.myshopify.com"
    assert merchant.get(f"/stores/connect/shopify/one-click/?again={factories.a_store().pk}").status_code == 404


# --- An install that begins in Shopify ------------------------------------------------------------------------------


def from_shopify(shop: Shop, app: App, *, age: float = 0) -> str:
    """The address to which Shopify sends a merchant who chose the app in its list."""
    return f"/connect/shopify/?{urlencode(shop.signed(app, {}, age=age))}"


def test_an_install_that_begins_in_shopify_goes_straight_to_the_consent(
    merchant: Client, app: App, pretend: PretendShopify
) -> None:
    shop = pretend.shop("begun-there")

    going = merchant.get(from_shopify(shop, app))

    begun = PendingConnection.objects.get()
    assert going["Location"].startswith(
        f"https://begun-there.myshopify.com/admin/oauth/authorize?client_id={app.client_id}&"
    )
    assert (begun.user, begun.base_url, dict(begun.credentials)) == (
        merchant.user,  # type: ignore[attr-defined]
        "https://begun-there.myshopify.com",
        LISTED_APP,
    )


@pytest.mark.parametrize("what", ["too old", "not signed", "of another app"])
def test_a_link_that_shopify_did_not_sign_just_now_only_fills_the_name_in(
    what: str, merchant: Client, app: App, pretend: PretendShopify
) -> None:
    shop = pretend.shop("begun-there")
    address = {
        "too old": lambda: from_shopify(shop, app, age=120),
        "not signed": lambda: "/connect/shopify/?shop=begun-there.myshopify.com",
        "of another app": lambda: from_shopify(shop, shop.app(redirect_uris=[BACK])),
    }[what]()

    page = merchant.get(address, follow=True)

    assert page.context["form"]["base_url"].value() == "begun-there.myshopify.com"
    assert not PendingConnection.objects.exists()


@pytest.mark.parametrize("trouble, leads_to", [("", "/stores/{pk}/"), (Code.RECONNECT_NEEDED, "https://its-icon.")])
def test_the_apps_icon_in_the_shop_leads_to_the_store(
    trouble: str, leads_to: str, merchant: Client, app: App, pretend: PretendShopify
) -> None:
    shop = pretend.shop("its-icon")
    store = factories.a_store(merchant.user, base_url="https://its-icon.myshopify.com", trouble=trouble)  # type: ignore[attr-defined]

    answer = merchant.get(from_shopify(shop, app))

    assert answer["Location"].startswith(leads_to.format(pk=store.pk))
