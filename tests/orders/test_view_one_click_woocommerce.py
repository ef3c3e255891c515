"""Connecting a WooCommerce store with one click: there, its server's key, back, and every way it can stop.

The shop's own page is pressed in tests/browser/test_one_click.py; here its server's answer is sent by hand, so that
each odd one can be tried. The key is proved at a real pretend WooCommerce.
"""

from __future__ import annotations

import json
import logging
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from stores.connectors.codes import Code
from stores.connectors.errors import StoreDisconnected
from stores.models import PendingConnection, Store
from stores.trouble import disconnected
from tests import factories
from tests.factories import NOON
from tests.orders.one_click_cast import SECRET, a_browser, sent_to, state_in, text_of, typed_in
from tests.storefronts.woo import PretendWooCommerce, WooShop

pytestmark = pytest.mark.django_db

BACK = "/connect/woocommerce/back/"


@pytest.fixture
def merchant() -> Client:
    """A merchant who is logged in; `merchant.user` is who."""
    return a_browser()


@pytest.fixture
def woo_shop(pretend_woo: PretendWooCommerce) -> WooShop:
    """A new, empty shop in the pretend platform."""
    return pretend_woo.shop(lenient_callback=True)


def on_the_way(merchant: Client, shop: WooShop) -> str:
    """The state with which the merchant was sent to the shop."""
    return state_in(sent_to(typed_in(merchant, "woocommerce", shop.base_url)))


def key_comes(state: str, shop: WooShop, *, path: str = "", **fields: Any) -> int:
    """The shop's server brings its key: the status of the answer."""
    body = {"key_id": 1, "user_id": state, "key_permissions": "read_write", **shop.credentials, **fields}
    address = f"/connect/woocommerce/key/{path or state}/"
    # A server has no cookies, and no token of a form.
    client = Client(enforce_csrf_checks=True)
    return client.post(address, json.dumps(body), content_type="application/json;charset=utf-8").status_code


def back(merchant: Client, state: str, success: str = "1") -> Any:
    """The page that the merchant ends up on."""
    return merchant.get(f"{BACK}?{urlencode({'success': success, 'user_id': state})}", follow=True)


# --- It works ------------------------------------------------------------------------------------------------


def test_the_shops_own_page_is_asked_for_a_key(merchant: Client, woo_shop: WooShop) -> None:
    going = sent_to(typed_in(merchant, "woocommerce", woo_shop.base_url))

    asked, state = urlsplit(going), state_in(going)
    assert f"{asked.scheme}://{asked.netloc}{asked.path}" == f"{woo_shop.base_url}/wc-auth/v1/authorize"
    assert {name: values[0] for name, values in parse_qs(asked.query).items()} == {
        "app_name": "TrackSync",
        "scope": "read_write",
        "user_id": state,
        "return_url": "http://localhost:8000/connect/woocommerce/back/",
        "callback_url": f"http://localhost:8000/connect/woocommerce/key/{state}/",
    }


def test_a_store_is_connected_with_the_key_that_came(
    merchant: Client, woo_shop: WooShop, caplog: pytest.LogCaptureFixture
) -> None:
    state = on_the_way(merchant, woo_shop)

    with caplog.at_level(logging.DEBUG):
        status = key_comes(state, woo_shop)
        page = back(merchant, state)

    store = Store.objects.get()
    assert status == 200
    assert page.redirect_chain == [(f"/stores/{store.pk}/", 302)]
    assert (store.owner, store.platform, store.base_url, dict(store.credentials)) == (
        merchant.user,  # type: ignore[attr-defined]
        "woocommerce",
        woo_shop.base_url,
        woo_shop.credentials,
    )
    assert store.name == store.facts["shop_name"]
    assert f"{store.name} is connected." in text_of(page)
    assert [word for word in woo_shop.credentials.values() if word in caplog.text] == []


def test_until_the_merchant_is_back_the_key_is_kept_encrypted_and_then_gone(
    merchant: Client, woo_shop: WooShop
) -> None:
    state = on_the_way(merchant, woo_shop)
    key_comes(state, woo_shop)

    (kept,) = PendingConnection.objects.extra(select={"raw": "credentials"}).values_list("raw", flat=True)
    back(merchant, state)

    assert kept
    assert woo_shop.consumer_secret not in kept
    assert not PendingConnection.objects.get().credentials


def test_come_back_twice_one_store_is_made_and_shown(merchant: Client, woo_shop: WooShop) -> None:
    state = on_the_way(merchant, woo_shop)
    key_comes(state, woo_shop)

    pages = [back(merchant, state) for _ in range(2)]

    page = f"/stores/{Store.objects.get().pk}/"
    assert [each.redirect_chain for each in pages] == [[(page, 302)]] * 2


def test_a_key_that_comes_after_the_merchant_is_waited_for(merchant: Client, woo_shop: WooShop) -> None:
    state = on_the_way(merchant, woo_shop)

    early = back(merchant, state)
    key_comes(state, woo_shop)
    page = back(merchant, state)

    assert early.templates[0].name == "stores/one_click_waiting.html"
    assert "its server has not brought us the key yet" in text_of(early)
    assert page.redirect_chain == [(f"/stores/{Store.objects.get().pk}/", 302)]


def test_a_store_is_reconnected_with_a_new_key(merchant: Client, woo_shop: WooShop) -> None:
    store = factories.a_store(
        merchant.user,  # type: ignore[attr-defined]
        platform="woocommerce",
        base_url=woo_shop.base_url,
        credentials=woo_shop.credentials,
        name="Acme",
    )
    woo_shop.revoke_key()
    woo_shop.new_key()
    disconnected(store.pk, StoreDisconnected(Code.TOKEN_REFUSED), NOON)

    offered = merchant.get(f"/stores/{store.pk}/reconnect/")
    state = state_in(sent_to(merchant.post(f"/stores/{store.pk}/reconnect/one-click/")))
    key_comes(state, woo_shop)
    page = back(merchant, state)

    store.refresh_from_db()
    assert "Reconnect with one click" in text_of(offered)
    assert "Acme lets us in again." in text_of(page)
    assert (Store.objects.count(), store.trouble, dict(store.credentials)) == (1, "", woo_shop.credentials)


def test_a_shop_that_leads_to_itself_under_another_name_is_connected_there(
    merchant: Client, woo_shop: WooShop, pretend_woo: PretendWooCommerce
) -> None:
    """As acme.com leads to www.acme.com: the key is of the shop that the typed address itself names."""
    typed = pretend_woo.shop(lenient_callback=True)
    state = on_the_way(merchant, typed)
    typed.settings(moved_to=woo_shop.base_url)

    key_comes(state, woo_shop)
    page = back(merchant, state)

    store = Store.objects.get()
    assert page.redirect_chain == [(f"/stores/{store.pk}/", 302)]
    assert (store.base_url, dict(store.credentials)) == (woo_shop.base_url, woo_shop.credentials)


def test_a_shop_that_leads_to_another_name_is_asked_for_by_it_first(merchant: Client, woo_shop: WooShop) -> None:
    state = on_the_way(merchant, woo_shop)
    woo_shop.settings(moved_to="https://elsewhere.example")

    key_comes(state, woo_shop)
    page = back(merchant, state)

    assert "127.0.0.1 leads to another address, https://elsewhere.example" in text_of(page)
    assert page.context["again"] == "/stores/connect/woocommerce/one-click/?shop=https%3A%2F%2Felsewhere.example"
    assert not Store.objects.exists()


@pytest.mark.parametrize("whose", ["free", "connected by somebody else"])
def test_a_store_that_has_moved_is_asked_at_its_new_address(whose: str, merchant: Client, woo_shop: WooShop) -> None:
    store = factories.a_store(
        merchant.user,  # type: ignore[attr-defined]
        platform="woocommerce",
        base_url="https://old.example",
        credentials={"consumer_key": "ck_old", "consumer_secret": "cs_old"},
    )
    disconnected(store.pk, StoreDisconnected(Code.ADDRESS_MOVED, to=woo_shop.base_url), NOON)
    going = sent_to(merchant.post(f"/stores/{store.pk}/reconnect/one-click/"))
    if whose != "free":
        factories.a_store(factories.a_user(), platform="woocommerce", base_url=woo_shop.base_url)

    key_comes(state_in(going), woo_shop)
    back(merchant, state_in(going))

    store.refresh_from_db()
    assert going.startswith(f"{woo_shop.base_url}/wc-auth/")
    if whose == "free":
        assert (store.base_url, store.trouble, dict(store.credentials)) == (
            woo_shop.base_url,
            "",
            woo_shop.credentials,
        )
    else:
        assert (store.base_url, store.credentials["consumer_key"]) == ("https://old.example", "ck_old")


# --- The shop's server is not believed ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "what, status",
    [
        ({"path": "made-up"}, 404),
        ({"user_id": "made-up"}, 404),
        ({"path": "made-up", "user_id": "made-up"}, 404),
        ({"consumer_key": "nothing"}, 404),
        ({"consumer_secret": None}, 404),
        ({"padding": "x" * 5000}, 413),
    ],
    ids=str,
)
def test_an_odd_answer_is_refused_and_the_right_one_still_counts(
    what: dict[str, Any], status: int, merchant: Client, woo_shop: WooShop
) -> None:
    state = on_the_way(merchant, woo_shop)

    refused = key_comes(state, woo_shop, **what)
    taken = key_comes(state, woo_shop)

    assert (refused, taken) == (status, 200)
    assert back(merchant, state).redirect_chain == [(f"/stores/{Store.objects.get().pk}/", 302)]


def test_a_second_key_is_refused_and_the_first_one_counts(merchant: Client, woo_shop: WooShop) -> None:
    state, first = on_the_way(merchant, woo_shop), dict(woo_shop.credentials)

    taken = key_comes(state, woo_shop)
    refused = key_comes(state, woo_shop, consumer_secret="cs_" + "0" * 40)
    back(merchant, state)

    assert (taken, refused) == (200, 404)
    assert dict(Store.objects.get().credentials) == first


def test_a_key_that_comes_too_late_or_after_the_merchant_said_no_is_refused(
    merchant: Client, woo_shop: WooShop
) -> None:
    late, declined = on_the_way(merchant, woo_shop), on_the_way(merchant, woo_shop)
    back(merchant, declined, success="0")
    PendingConnection.objects.update(expires_at=timezone.now())

    assert [key_comes(each, woo_shop) for each in (late, declined)] == [404, 404]


# --- It stops --------------------------------------------------------------------------------------------------


def nothing_else(state: str, merchant: Client, shop: WooShop, pretend: PretendWooCommerce) -> None:
    pass


def the_key_came(state: str, merchant: Client, shop: WooShop, pretend: PretendWooCommerce) -> None:
    key_comes(state, shop)


def the_key_of_another_shop_came(state: str, merchant: Client, shop: WooShop, pretend: PretendWooCommerce) -> None:
    key_comes(state, pretend.shop(lenient_callback=True))


def a_key_that_nobody_made_came(state: str, merchant: Client, shop: WooShop, pretend: PretendWooCommerce) -> None:
    key_comes(state, shop, consumer_key="ck_" + "0" * 40, consumer_secret=f"cs_{SECRET}")


def the_key_may_only_read(state: str, merchant: Client, shop: WooShop, pretend: PretendWooCommerce) -> None:
    shop.new_key(permissions="read")
    key_comes(state, shop, key_permissions="read")


def the_key_was_taken_away_again(state: str, merchant: Client, shop: WooShop, pretend: PretendWooCommerce) -> None:
    key_comes(state, shop)
    shop.revoke_key()


def somebody_else_was_quicker(state: str, merchant: Client, shop: WooShop, pretend: PretendWooCommerce) -> None:
    key_comes(state, shop)
    factories.a_store(
        factories.a_user("quicker@example.com"), platform="woocommerce", base_url=shop.base_url, name="Quicker"
    )


def ten_minutes_passed(state: str, merchant: Client, shop: WooShop, pretend: PretendWooCommerce) -> None:
    key_comes(state, shop)
    PendingConnection.objects.update(expires_at=timezone.now())


REFUSES = "WooCommerce gave no access to us, although you said yes: the shop 127.0.0.1 refuses it."


@pytest.mark.parametrize(
    "what, success, status, says",
    [
        (nothing_else, "0", 200, "You did not allow it in 127.0.0.1, so nothing was connected."),
        (the_key_came, "0", 200, "You did not allow it in 127.0.0.1, so nothing was connected."),
        (the_key_came, "", 200, "You did not allow it in 127.0.0.1, so nothing was connected."),
        (the_key_of_another_shop_came, "1", 200, REFUSES),
        (a_key_that_nobody_made_came, "1", 200, REFUSES),
        (the_key_was_taken_away_again, "1", 200, REFUSES),
        (the_key_may_only_read, "1", 200, "The key that 127.0.0.1 made for us may not both read and write."),
        (somebody_else_was_quicker, "1", 200, "This shop is connected already."),
        (ten_minutes_passed, "1", 400, "That took longer than ten minutes, so it is not good any more."),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_stops_it_is_said_and_nothing_is_kept(
    what: Any,
    success: str,
    status: int,
    says: str,
    merchant: Client,
    woo_shop: WooShop,
    pretend_woo: PretendWooCommerce,
) -> None:
    state = on_the_way(merchant, woo_shop)
    what(state, merchant, woo_shop, pretend_woo)

    page = back(merchant, state, success)

    told = text_of(page)
    assert (page.status_code, page.templates[0].name) == (status, "stores/one_click_stopped.html")
    assert says in told
    assert not Store.objects.filter(owner=merchant.user).exists()  # type: ignore[attr-defined]
    assert [word for word in ("quicker", SECRET, woo_shop.consumer_secret) if word in page.content.decode()] == []


@pytest.mark.parametrize("who", ["another account", "another browser"])
def test_a_yes_in_a_strangers_browser_connects_nothing_for_anybody(
    who: str, merchant: Client, woo_shop: WooShop
) -> None:
    """Somebody who sends others the address of their own shop's page must not get that shop."""
    state = on_the_way(merchant, woo_shop)
    key_comes(state, woo_shop)
    browser = a_browser("other@example.com")
    if who == "another browser":
        browser.force_login(merchant.user)  # type: ignore[attr-defined]

    there, here = back(browser, state), back(merchant, state)

    assert (there.status_code, here.status_code) == (400, 400)
    assert not Store.objects.exists()
    assert not PendingConnection.objects.get().credentials


# --- Where it is offered ---------------------------------------------------------------------------------------


def test_a_yes_in_the_browser_of_somebody_without_an_account_connects_nothing_for_anybody(
    merchant: Client, woo_shop: WooShop
) -> None:
    """Whoever sends the shop's owner to our question must not get their shop, once the owner is back without it."""
    state = on_the_way(merchant, woo_shop)
    assert key_comes(state, woo_shop) == 200

    back(Client(), state)
    asker = back(merchant, state)

    assert asker.status_code == 400
    assert Store.objects.count() == 0
    assert dict(PendingConnection.objects.get().credentials) == {}


def test_it_is_offered_only_where_the_shops_server_can_reach_us(
    merchant: Client, woo_shop: WooShop, settings: Any
) -> None:
    here = "/stores/connect/woocommerce/one-click/"
    public_shop = {"base_url": "https://acme.com"}

    offered = merchant.get(here).status_code
    private_to_public = merchant.post(here, public_shop)
    settings.TRACKSYNC_ALLOW_HOSTS = []
    nowhere = merchant.get(here).status_code
    settings.TRACKSYNC_URL = "https://track.house.com"
    public = merchant.get(here).status_code
    sent = sent_to(merchant.post(here, public_shop))

    assert (offered, nowhere, public) == (200, 404, 200)
    assert private_to_public.context["form"].errors["base_url"] == [
        "This shop's server cannot reach us, so it cannot hand over its key. Paste one instead."
    ]
    assert sent.startswith("https://acme.com/wc-auth/v1/authorize?")
