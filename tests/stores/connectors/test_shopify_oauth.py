"""A merchant's consent in Shopify: where they are sent, who may send them back, what a code and a refresh token buy."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from stores.connectors.addresses import networks
from stores.connectors.codes import Code
from stores.connectors.errors import ConnectorError, StoreBusy, StoreDisconnected
from stores.connectors.grant import Grant
from stores.connectors.http import Session
from stores.connectors.shopify import oauth
from tests.storefronts.client import App, PretendShopify, Shop
from tests.stores.consents import BACK, an_app_in, answer_of, asking

SECRET = "hush"  # noqa: S105 -- of an example
MADE = datetime.fromtimestamp(1337178173, UTC)
# The example of Shopify's own page:
# https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/authorization-code-grant
EXAMPLE = {
    "code": "0907a61c0c8d55e99db179b68161bc00",
    "hmac": "700e2dadb827fcc8609e9d5ce208b2e9cdaab9df07390d2cbca10d7c328fc4bf",
    "shop": "some-shop.myshopify.com",
    "state": "0.6784241404160823",
    "timestamp": "1337178173",
}
LOOPBACK = networks(["127.0.0.0/8"])


def signing(message: str) -> str:
    """The signature over a message that was written out by hand."""
    return hmac.new(SECRET.encode(), message.encode(), hashlib.sha256).hexdigest()


def call(ask: Callable[..., Grant], shop: Shop, app: App, what: str, *, secret: str = "", limit: float = 2.0) -> Grant:
    with Session(call_limit=limit, allow_hosts=LOOPBACK) as session:
        return ask(session, shop.base_url, app.client_id, secret or app.client_secret, what)


def page(address: str) -> int:
    """The status with which the shop answers to a merchant who comes to this page."""
    return requests.get(address, timeout=10, allow_redirects=False).status_code


def consented(shop: Shop, app: App) -> Grant:
    return call(oauth.exchange_code, shop, app, answer_of(shop, app)["code"])


# --- Whether Shopify made a query ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change, is_genuine",
    [
        ({}, True),
        ({"code": "0907a61c0c8d55e99db179b68161bc01"}, False),
        ({"shop": "other-shop.myshopify.com"}, False),
        ({"state": "0.6784241404160824"}, False),
        ({"timestamp": "1337178174"}, False),
        ({"hmac": EXAMPLE["hmac"].replace("7", "8", 1)}, False),
        ({"hmac": EXAMPLE["hmac"].upper()}, False),
        # All of it has to fit, not only how it begins.
        ({"hmac": EXAMPLE["hmac"][:-1] + "0"}, False),
        ({"hmac": EXAMPLE["hmac"][:-1]}, False),
        ({"hmac": ""}, False),
        ({"hmac": "é"}, False),
        ({"hmac": "\udcff"}, False),
        # What was added on the way was not signed.
        ({"host": "YWRtaW4"}, False),
        ({"admin": ""}, False),
        # Left out of what is signed, as the signature itself.
        ({"signature": "an older one"}, True),
    ],
)
def test_a_query_is_genuine_only_as_it_was_signed(change: dict[str, str], is_genuine: bool) -> None:
    assert oauth.is_genuine(EXAMPLE | change, SECRET, MADE) == is_genuine


@pytest.mark.parametrize("name", sorted(EXAMPLE))
def test_a_query_that_lacks_a_part_is_not_genuine(name: str) -> None:
    assert not oauth.is_genuine({key: value for key, value in EXAMPLE.items() if key != name}, SECRET, MADE)


def test_the_order_of_the_parts_does_not_matter() -> None:
    assert oauth.is_genuine(dict(sorted(EXAMPLE.items(), reverse=True)), SECRET, MADE)


@pytest.mark.parametrize("secret", ["", "hushh", "HUSH"])
def test_a_query_of_another_app_is_not_genuine(secret: str) -> None:
    params = EXAMPLE | {"hmac": hmac.new(b"", oauth.message(EXAMPLE).encode(), hashlib.sha256).hexdigest()}

    assert not oauth.is_genuine(EXAMPLE, secret, MADE)
    # Signed with nothing, for a secret that nobody has set.
    assert not oauth.is_genuine(params, secret, MADE)


@pytest.mark.parametrize(
    "seconds, is_genuine", [(0, True), (90, True), (91, False), (3600, False), (-90, True), (-91, False)]
)
def test_a_query_is_genuine_for_a_minute_and_a_half(seconds: int, is_genuine: bool) -> None:
    assert oauth.is_genuine(EXAMPLE, SECRET, MADE + timedelta(seconds=seconds)) == is_genuine


@pytest.mark.parametrize("timestamp", ["", "soon", "1337178173.0", "-1337178173", "١٣٣٧١٧٨١٧٣", "1" * 40])
def test_a_time_that_is_none_is_refused_however_it_was_signed(timestamp: str) -> None:
    params = EXAMPLE | {"timestamp": timestamp}

    assert not oauth.is_genuine(params | {"hmac": signing(oauth.message(params))}, SECRET, MADE)


@pytest.mark.parametrize(
    "params, message",
    [
        ({"b": "2", "a": "1"}, "a=1&b=2"),
        ({"state": "a b+c", "shop": "x"}, "shop=x&state=a%20b%2Bc"),
        ({"host": "YWRt+W4/=="}, "host=YWRt%2BW4%2F%3D%3D"),
        # Nobody can move a part of one value into another name.
        ({"a": "1&b=2"}, "a=1%26b%3D2"),
        ({"a&b": "1", "c%": "2"}, "a%26b=1&c%25=2"),
        ({"name": "Café 😀", "plain": "-_.~"}, "name=Caf%C3%A9%20%F0%9F%98%80&plain=-_.~"),
        ({"hmac": "x", "signature": "y", "a": ""}, "a="),
    ],
)
def test_what_is_signed_is_sorted_and_encoded(params: dict[str, str], message: str) -> None:
    assert oauth.message(params) == message
    given = params | {"timestamp": "1337178173"}
    assert oauth.is_genuine(given | {"hmac": signing(oauth.message(given))}, SECRET, MADE)


def test_a_merchant_who_consented_comes_back_with_a_genuine_query(shop: Shop) -> None:
    app = an_app_in(shop)

    params = answer_of(shop, app)

    assert sorted(params) == ["code", "hmac", "host", "shop", "state", "timestamp"]
    assert params["state"] == "the state"
    assert oauth.is_genuine(params, app.client_secret, datetime.now(UTC))
    assert oauth.shop_of(params) == f"{shop.name}.myshopify.com"
    assert not oauth.is_genuine(shop.signed(app, {"code": "1"}, age=100), app.client_secret, datetime.now(UTC))


# --- Which shop it is ------------------------------------------------------------------------------------


@pytest.mark.parametrize("shop", ["acme.myshopify.com", "a1-b_c.myshopify.com", "ACME.myshopify.com"])
def test_a_shop_is_known_by_its_name(shop: str) -> None:
    assert oauth.shop_of({"shop": shop}) == shop.lower()


@pytest.mark.parametrize(
    "shop",
    [
        "",
        "acme",
        "myshopify.com",
        ".myshopify.com",
        "-acme.myshopify.com",
        "acme.myshopify.com.evil.example",
        "evil.example/acme.myshopify.com",
        "evil.example?.myshopify.com",
        "a.b.myshopify.com",
        "acme.myshopify.com\n",
        "acme.myshopify.com:443",
        "https://acme.myshopify.com",
        "acme.myshopify.io",
        "аcme.myshopify.com",
    ],
)
def test_anything_else_is_no_shop(shop: str) -> None:
    with pytest.raises(StoreDisconnected) as refused:
        oauth.shop_of({"shop": shop})

    assert (refused.value.reason.code, dict(refused.value.reason.values)) == (Code.WRONG_SHOP, {})


@pytest.mark.parametrize(
    "shop, base_url, is_at",
    [
        ("acme.myshopify.com", "https://acme.myshopify.com", True),
        ("ACME.myshopify.com", "https://acme.myshopify.com", True),
        ("acme2.myshopify.com", "https://acme.myshopify.com", False),
        # In a network that the operator opened
        ("acme.myshopify.com", "http://127.0.0.1:4000/acme", True),
        ("acme.myshopify.com", "http://127.0.0.1:4000/shops/acme", True),
        ("acme.myshopify.com", "http://acme.localhost:4000", True),
        ("acme.myshopify.com", "http://127.0.0.1:4000/other", False),
        ("acme.myshopify.com", "http://127.0.0.1:4000/acme/other", False),
        ("acme.myshopify.com", "http://127.0.0.1:4000", False),
        # A path says nothing of a shop that has a name of its own.
        ("acme.myshopify.com", "https://other.myshopify.com/acme", False),
    ],
)
def test_a_shop_is_compared_with_the_address_the_merchant_began_at(shop: str, base_url: str, is_at: bool) -> None:
    assert oauth.is_at(shop, base_url) == is_at


# --- What is asked, and what was granted -----------------------------------------------------------------


def test_the_merchant_is_sent_to_a_page_of_their_shop() -> None:
    address = oauth.authorize_url(
        "https://acme.myshopify.com",
        client_id="abc",
        scopes=("read_orders", "read_locations"),
        redirect_uri="https://tracksync.example/back/?x=1",
        state="a&b",
    )

    parts = urlsplit(address)
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "acme.myshopify.com", "/admin/oauth/authorize")
    assert parse_qsl(parts.query) == [
        ("client_id", "abc"),
        ("scope", "read_orders,read_locations"),
        ("redirect_uri", "https://tracksync.example/back/?x=1"),
        ("state", "a&b"),
    ]


@pytest.mark.parametrize(
    "asked, granted, missing",
    [
        (("read_orders",), ("read_orders",), ()),
        (("read_orders",), (), ("read_orders",)),
        (("read_orders",), ("write_orders",), ()),
        (("write_orders",), ("read_orders",), ("write_orders",)),
        (("write_b", "read_a", "read_c"), ("read_c",), ("write_b", "read_a")),
        (("read_a",), ("read_a", "write_x"), ()),
    ],
)
def test_what_was_not_granted_is_named(asked: tuple[str, ...], granted: tuple[str, ...], missing: tuple[str, ...]):
    assert oauth.missing_scopes(asked, granted) == missing


def test_what_a_merchant_declines_is_named(shop: Shop) -> None:
    app = an_app_in(shop, optional=["read_locations", "read_fulfillments"])

    code = answer_of(shop, app, decline=["read_locations"])["code"]

    grant = call(oauth.exchange_code, shop, app, code)
    assert oauth.missing_scopes(oauth.SCOPES, grant.scopes) == ("read_locations",)


# --- What a code and a refresh token buy -----------------------------------------------------------------


def test_a_code_buys_a_token_for_an_hour_and_what_renews_it(shop: Shop) -> None:
    grant = consented(shop, an_app_in(shop))

    assert (grant.expires_in, grant.refresh_expires_in, grant.scopes) == (3600, 90 * 24 * 3600, oauth.SCOPES)
    assert shop.graphql("{ shop { name } }", token=grant.access_token).status_code == 200
    assert [(one["access"], one["refresh"]) for one in shop.tokens()] == [([grant.access_token], [grant.refresh_token])]


def test_a_refresh_token_buys_another_pair(shop: Shop) -> None:
    app = an_app_in(shop)
    first = consented(shop, app)

    second = call(oauth.refresh, shop, app, first.refresh_token)

    assert len({first.access_token, second.access_token, first.refresh_token, second.refresh_token}) == 4
    assert shop.graphql("{ shop { name } }", token=second.access_token).status_code == 200
    assert shop.graphql("{ shop { name } }", token=first.access_token).status_code == 401


def of_a_used_code(shop: Shop, app: App) -> Grant:
    code = answer_of(shop, app)["code"]
    call(oauth.exchange_code, shop, app, code)
    return call(oauth.exchange_code, shop, app, code)


def of_an_old_code(shop: Shop, app: App) -> Grant:
    slow = an_app_in(shop, code_seconds=0)
    return call(oauth.exchange_code, shop, slow, answer_of(shop, slow)["code"])


def of_a_code_of_another_app(shop: Shop, app: App) -> Grant:
    return call(oauth.exchange_code, shop, an_app_in(shop), answer_of(shop, app)["code"])


def of_a_made_up_code(shop: Shop, app: App) -> Grant:
    return call(oauth.exchange_code, shop, app, "a-made-up-code")


def of_a_code_with_a_wrong_secret(shop: Shop, app: App) -> Grant:
    return call(oauth.exchange_code, shop, app, answer_of(shop, app)["code"], secret="not-the-secret")


def of_a_made_up_refresh_token(shop: Shop, app: App) -> Grant:
    return call(oauth.refresh, shop, app, "a-made-up-refresh-token")


def of_a_refresh_token_that_ended(shop: Shop, app: App) -> Grant:
    grant = consented(shop, app)
    shop.end_refresh_tokens()
    return call(oauth.refresh, shop, app, grant.refresh_token)


def of_a_refresh_token_whose_replacement_was_used(shop: Shop, app: App) -> Grant:
    first = consented(shop, app)
    second = call(oauth.refresh, shop, app, first.refresh_token)
    call(oauth.refresh, shop, app, second.refresh_token)
    return call(oauth.refresh, shop, app, first.refresh_token)


def of_a_refresh_token_from_before_another_consent(shop: Shop, app: App) -> Grant:
    first = consented(shop, app)
    consented(shop, app)
    return call(oauth.refresh, shop, app, first.refresh_token)


def of_an_app_that_was_removed(shop: Shop, app: App) -> Grant:
    grant = consented(shop, app)
    shop.uninstall()
    return call(oauth.refresh, shop, app, grant.refresh_token)


def of_a_refresh_token_with_a_wrong_secret(shop: Shop, app: App) -> Grant:
    return call(oauth.refresh, shop, app, consented(shop, app).refresh_token, secret="not-the-secret")


@pytest.mark.parametrize(
    "grant, code",
    [
        (of_a_used_code, Code.CONSENT_OVER),
        (of_an_old_code, Code.CONSENT_OVER),
        (of_a_code_of_another_app, Code.CONSENT_OVER),
        (of_a_made_up_code, Code.CONSENT_OVER),
        (of_a_code_with_a_wrong_secret, Code.TOKEN_REFUSED),
        (of_a_made_up_refresh_token, Code.RECONNECT_NEEDED),
        (of_a_refresh_token_that_ended, Code.RECONNECT_NEEDED),
        (of_a_refresh_token_whose_replacement_was_used, Code.RECONNECT_NEEDED),
        (of_a_refresh_token_from_before_another_consent, Code.RECONNECT_NEEDED),
        (of_an_app_that_was_removed, Code.RECONNECT_NEEDED),
        (of_a_refresh_token_with_a_wrong_secret, Code.TOKEN_REFUSED),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_what_is_refused_says_who_acts_next(grant: Callable[[Shop, App], Grant], code: Code, shop: Shop) -> None:
    with pytest.raises(StoreDisconnected) as refused:
        grant(shop, an_app_in(shop))

    assert refused.value.reason.code == code


@pytest.mark.parametrize(
    "kind, code",
    [
        ("timeout", Code.NO_ANSWER),
        ("timeout_after", Code.NO_ANSWER),
        ("reset_before", Code.NO_ANSWER),
        ("reset_after", Code.NO_ANSWER),
        ("cut_body", Code.NO_ANSWER),
        ("cut_json", Code.NOT_JSON),
        ("html_200", Code.NOT_JSON),
        ("500", Code.SERVER_ERROR),
        ("502_after", Code.SERVER_ERROR),
        ("503", Code.SERVER_ERROR),
        ("520", Code.SERVER_ERROR),
        ("520_after", Code.SERVER_ERROR),
        ("429", Code.THROTTLED),
    ],
)
def test_a_renewal_without_a_clear_answer_is_mended_by_asking_again(kind: str, code: Code, shop: Shop) -> None:
    app = an_app_in(shop)
    grant = consented(shop, app)
    shop.fault(kind, on="token", times=1)

    with pytest.raises(StoreBusy) as busy:
        call(oauth.refresh, shop, app, grant.refresh_token, limit=0.5)

    assert busy.value.reason.code == code
    again = call(oauth.refresh, shop, app, grant.refresh_token)
    assert shop.graphql("{ shop { name } }", token=again.access_token).status_code == 200
    # And on: the line is not broken.
    assert call(oauth.refresh, shop, app, again.refresh_token).refresh_token not in ("", again.refresh_token)


def test_an_app_of_the_list_may_be_let_in_by_every_shop(pretend: PretendShopify) -> None:
    listed = pretend.app(redirect_uris=[BACK])
    shops = [pretend.shop(), pretend.shop()]

    grants = [consented(shop, listed) for shop in shops]

    def lets_in(shop: Shop, grant: Grant) -> bool:
        return shop.graphql("{ shop { name } }", token=grant.access_token).status_code == 200

    assert [[lets_in(shop, grant) for shop in shops] for grant in grants] == [[True, False], [False, True]]


# --- No secret anywhere ----------------------------------------------------------------------------------


@pytest.mark.parametrize("grant", [of_a_made_up_code, of_a_made_up_refresh_token, of_a_code_with_a_wrong_secret])
def test_no_error_repeats_what_was_sent(grant: Callable[[Shop, App], Grant], shop: Shop) -> None:
    app = an_app_in(shop)

    with pytest.raises(ConnectorError) as refused:
        grant(shop, app)

    said = f"{refused.value!r} {refused.value} {refused.value.message} {refused.value.reason}"
    for secret in ("a-made-up", "not-the-secret", app.client_secret):
        assert secret not in said


def test_a_grant_does_not_print_its_tokens(shop: Shop) -> None:
    grant = consented(shop, an_app_in(shop))

    assert grant.access_token not in repr(grant)
    assert grant.refresh_token not in repr(grant)
    assert "3600" in repr(grant)


# --- The pretend shop is as strict as the real one ---------------------------------------------------------


def of_another_shop(shop: Shop, app: App, world: PretendShopify) -> str:
    return asking(world.shop(), app)


def of_no_app(shop: Shop, app: App, world: PretendShopify) -> str:
    return asking(shop, app).replace(app.client_id, "nobody")


def back_to_elsewhere(shop: Shop, app: App, world: PretendShopify) -> str:
    return asking(shop, app).replace("tracksync.example", "evil.example")


def for_nothing(shop: Shop, app: App, world: PretendShopify) -> str:
    return asking(shop, app, scopes=())


@pytest.mark.parametrize(
    "asks, says",
    [
        (of_another_shop, "was made for another one"),
        (of_no_app, "Could not find an app"),
        (back_to_elsewhere, "redirect_uri is not whitelisted"),
        (for_nothing, "asks for nothing"),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_the_shop_does_not_even_ask_its_merchant(asks: Any, says: str, pretend: PretendShopify) -> None:
    shop = pretend.shop()

    with pytest.raises(ValueError, match=says):
        shop.consent(asks(shop, an_app_in(shop), pretend))


def test_a_merchant_may_say_no(shop: Shop) -> None:
    app = an_app_in(shop)

    assert shop.consent(asking(shop, app), cancel=True) == f"{shop.base_url}/"
    assert shop.tokens() == []


def test_who_was_let_in_is_not_asked_again_but_for_more(shop: Shop) -> None:
    app = an_app_in(shop)
    shop.consent(asking(shop, app, scopes=("read_orders",)))

    again = page(asking(shop, app, scopes=("read_orders",)))
    more = page(asking(shop, app, scopes=("read_orders", "read_locations")))

    assert (again, more) == (302, 200)
