"""WooCommerce: what every answer means, as a table; and what a second look or some patience makes of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from stores.connectors.codes import Code
from stores.connectors.errors import (
    ConnectorError,
    OutcomeUnknown,
    ShipmentRejected,
    StoreBusy,
    StoreDisconnected,
)
from stores.connectors.http import Answer
from stores.connectors.woocommerce.answers import (
    KeyRefused,
    Moved,
    PageInstead,
    RouteGone,
    Unproven,
    base_of,
    cleaned,
    page_text,
    parsed,
    read,
    retry_after,
)
from stores.connectors.woocommerce.memory import BY_QUERY, PATIENCE, Memory, Strikes
from stores.connectors.woocommerce.rest import Rest
from tests.storefronts.woo import PretendWooCommerce, WooShop

from .woo_store import connect, rest, session

BASE = "https://acme.com/blog"
ORDER = "/wc/v3/orders/12"
TRACKINGS = "/wc-shipment-tracking/v3/orders/12/shipment-trackings"
PAGE = "<!doctype html><html><head><title>Hello</title></head><body><h1>Some page</h1></body></html>"
NOISE = "<br />\n<b>Warning</b>:  Undefined key [0] in {x} in <b>/a.php</b> on line <b>3</b><br />\n"


def page(text: str = "Some page") -> str:
    return f"<html><head><title>No</title></head><body>{text}</body></html>"


def error(code: str | int, message: str = "No.", **data: Any) -> str:
    return json.dumps({"code": code, "message": message, "data": data})


def answer(status: int, body: str, **headers: str) -> Answer:
    """An answer as the session hands it on; header names with _ for -."""
    named = CaseInsensitiveDict({name.replace("_", "-"): value for name, value in headers.items()})
    return Answer(status, named, body.encode(), None, "", 0.1)


def end(given: Answer, path: str, *, writes: bool) -> tuple[Any, ...]:
    """How reading an answer ends: the kind of end, and what travels with it."""
    try:
        reply = read(given, path, writes=writes, base_url=BASE)
    except (Unproven, KeyRefused) as signal:
        return type(signal), signal.error.reason.code, dict(signal.error.reason.values)
    except PageInstead as signal:
        return PageInstead, type(signal.error), signal.status
    except Moved as signal:
        return Moved, signal.to
    except RouteGone as signal:
        return RouteGone, signal.path
    except ConnectorError as error:
        values = {name: value for name, value in error.reason.values.items() if name != "request_id"}
        after = getattr(error, "after", None)
        return type(error), error.reason.code, values, *([after] if after is not None else [])
    return "data", reply.data, reply.was_dirty


FOR_ALL: list[tuple[str, Answer, str, tuple[Any, ...]]] = [
    # what comes, the answer, to a request for, its meaning
    ("data", answer(200, '{"id": 12}'), ORDER, ("data", {"id": 12}, False)),
    ("a list", answer(200, '[{"id": 12}]'), ORDER, ("data", [{"id": 12}], False)),
    ("something new", answer(201, '{"id": 12}'), ORDER, ("data", {"id": 12}, False)),
    ("an empty list", answer(200, "[]"), ORDER, ("data", [], False)),
    ("a mark before data", answer(200, '\ufeff{"id": 12}'), ORDER, ("data", {"id": 12}, True)),
    ("warnings before data", answer(200, NOISE + '{"id": 12}'), ORDER, ("data", {"id": 12}, True)),
    # Who asks
    (
        "a wrong secret",
        answer(401, error("woocommerce_rest_authentication_error", "Consumer secret is invalid.")),
        ORDER,
        (KeyRefused, Code.TOKEN_REFUSED, {"status": 401}),
    ),
    (
        "a key that may only read",
        answer(401, error("woocommerce_rest_authentication_error", "The key does not have write permissions.")),
        ORDER,
        (KeyRefused, Code.SCOPE_MISSING, {"scopes": ["Read/Write"]}),
    ),
    (
        "an unknown key, or none that arrived",
        answer(401, error("woocommerce_rest_cannot_view")),
        ORDER,
        (Unproven, Code.TOKEN_REFUSED, {"status": 401}),
    ),
    (
        "a customer's key",
        answer(403, error("woocommerce_rest_cannot_view")),
        ORDER,
        (StoreDisconnected, Code.USER_LACKS_RIGHTS, {}),
    ),
    (
        "WordPress' own passwords",
        answer(401, error("invalid_username")),
        ORDER,
        (Unproven, Code.API_CLOSED, {"said": "invalid_username"}),
    ),
    (
        "a plugin that closes the API",
        answer(401, error("rest_not_logged_in")),
        ORDER,
        (Unproven, Code.API_CLOSED, {"said": "rest_not_logged_in"}),
    ),
    (
        "another one",
        answer(403, error("rest_login_required")),
        ORDER,
        (Unproven, Code.API_CLOSED, {"said": "rest_login_required"}),
    ),
    # Not as asked
    (
        "an order deleted for good",
        answer(404, error("woocommerce_rest_shop_order_invalid_id")),
        ORDER,
        (ShipmentRejected, Code.ORDER_NOT_FOUND, {}),
    ),
    (
        "the same to a write",
        answer(400, error("woocommerce_rest_order_invalid_id")),
        ORDER,
        (ShipmentRejected, Code.ORDER_NOT_FOUND, {}),
    ),
    (
        "a wrong parameter",
        answer(400, error("rest_invalid_param", params={"status": "status[0] is not one of …"})),
        ORDER,
        (ShipmentRejected, Code.REFUSED, {"field": "status"}),
    ),
    (
        "missing parameters",
        answer(400, error("rest_missing_callback_param", params=["tracking_number", "tracking_provider"])),
        TRACKINGS,
        (ShipmentRejected, Code.REFUSED, {"field": "tracking_number, tracking_provider"}),
    ),
    (
        "a code that is a number",
        answer(400, error(0, "A fulfillment should contain at least one item.", status=400)),
        ORDER,
        (ShipmentRejected, Code.REFUSED, {"field": "400"}),
    ),
    (
        "too much at once",
        answer(413, error("woocommerce_rest_request_entity_too_large")),
        ORDER,
        (ShipmentRejected, Code.REFUSED, {"field": "woocommerce_rest_request_entity_too_large"}),
    ),
    (
        "an error that became a 200 on its way",
        answer(200, error("woocommerce_rest_shop_order_invalid_id", status=404)),
        ORDER,
        (ShipmentRejected, Code.ORDER_NOT_FOUND, {}),
    ),
    # Not there
    ("a plugin is off", answer(404, error("rest_no_route")), TRACKINGS, (RouteGone, TRACKINGS)),
    (
        "fulfillments are off",
        answer(404, error("rest_no_route")),
        f"{ORDER}/fulfillments",
        (RouteGone, f"{ORDER}/fulfillments"),
    ),
    (
        "WooCommerce is off",
        answer(404, error("rest_no_route")),
        ORDER,
        (PageInstead, StoreBusy, 404),
    ),
    ("nothing rewrites", answer(404, page()), ORDER, (PageInstead, StoreBusy, 404)),
    ("something before WordPress", answer(403, '{"message": "Forbidden"}'), ORDER, (PageInstead, StoreBusy, 403)),
    ("a filter's own data", answer(401, '{"error_code": 1020}'), ORDER, (PageInstead, StoreBusy, 401)),
    ("no bill paid", answer(402, page()), ORDER, (StoreDisconnected, Code.SHOP_FROZEN, {"status": 402})),
    # Elsewhere
    (
        "another name",
        answer(301, "", Location="https://www.acme.com/blog/wp-json/wc/v3/orders/12?consumer_secret=cs_1"),
        ORDER,
        (Moved, "https://www.acme.com/blog"),
    ),
    ("another folder", answer(308, "", Location="/shop/wp-json/wc/v3/orders"), ORDER, (Moved, "https://acme.com/shop")),
    ("no API", answer(301, "", Location="https://acme.com/blog/"), ORDER, (Moved, "")),
    ("closed for now", answer(302, "", Location="/coming-soon/"), ORDER, (PageInstead, StoreBusy, 302)),
    ("a login", answer(301, "", Location="/wp-login.php"), ORDER, (PageInstead, StoreBusy, 301)),
    ("the same", answer(307, "", Location=f"{BASE}/wp-json/wc/v3/"), ORDER, (PageInstead, StoreBusy, 307)),
    # Later
    ("too many", answer(429, page(), Retry_After="7"), ORDER, (StoreBusy, Code.THROTTLED, {}, 7.0)),
    ("too many, as data", answer(429, error("rate_limited")), ORDER, (StoreBusy, Code.THROTTLED, {})),
    ("too early", answer(425, ""), ORDER, (StoreBusy, Code.THROTTLED, {})),
    ("too slow", answer(408, page()), ORDER, (StoreBusy, Code.THROTTLED, {})),
    (
        "an update of WordPress",
        answer(503, page("Briefly unavailable"), Retry_After="600"),
        ORDER,
        (StoreBusy, Code.SERVER_ERROR, {"status": 503}, 600.0),
    ),
    # Somebody else's page
    ("a firewall", answer(403, page("Access denied")), ORDER, (PageInstead, StoreBusy, 403)),
    ("a filter", answer(406, page("Not Acceptable!")), ORDER, (PageInstead, StoreBusy, 406)),
    ("a verb that is not let through", answer(405, page()), ORDER, (PageInstead, StoreBusy, 405)),
    ("a password on the whole site", answer(401, page()), ORDER, (PageInstead, StoreBusy, 401)),
]


@pytest.mark.parametrize("writes", [False, True], ids=["read", "write"])
@pytest.mark.parametrize("given,path,meaning", [row[1:] for row in FOR_ALL], ids=[row[0] for row in FOR_ALL])
def test_an_answer_means_the_same_to_a_read_and_to_a_write(
    given: Answer, path: str, meaning: tuple[Any, ...], writes: bool
) -> None:
    assert end(given, path, writes=writes) == meaning


LOST: tuple[Any, ...] = (OutcomeUnknown, Code.ANSWER_LOST, {})
NO_DATA: tuple[Any, ...] = (StoreBusy, Code.NOT_JSON, {})


def shown(status: int) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """A page in place of data, to a read and to a write that may have been done."""
    return (PageInstead, StoreBusy, status), (PageInstead, OutcomeUnknown, status)


def failed(status: int) -> tuple[Any, ...]:
    return OutcomeUnknown, Code.STORE_FAILED, {"status": status}


def down(status: int) -> tuple[Any, ...]:
    return StoreBusy, Code.SERVER_ERROR, {"status": status}


@pytest.mark.parametrize(
    "given,to_a_read,to_a_write",
    [
        (answer(200, ""), NO_DATA, LOST),
        (answer(200, '{"id": 12, "lines": [1, 2]'), NO_DATA, LOST),
        (answer(200, NOISE + '{"id": 12, "lines": [1, 2]'), *shown(200)),
        (answer(200, PAGE), *shown(200)),
        (answer(200, "0"), *shown(200)),
        (answer(500, error("internal_server_error")), down(500), failed(500)),
        (answer(500, page("There has been a critical error")), down(500), failed(500)),
        (answer(501, page("Not Implemented. Mod_Security")), *shown(501)),
        (answer(502, page()), down(502), failed(502)),
        (answer(503, page("Error establishing a database connection")), down(503), failed(503)),
        (answer(503, page("Just a moment...")), *shown(503)),
        (answer(503, page(), CF_Mitigated="challenge"), *shown(503)),
        (answer(504, page()), down(504), failed(504)),
        (answer(520, page()), down(520), failed(520)),
        (answer(530, page()), down(530), failed(530)),
    ],
    ids=lambda given: f"{given.status} {given.body[:30].decode()}" if isinstance(given, Answer) else "",
)
def test_after_these_answers_a_write_may_have_been_done(
    given: Answer, to_a_read: tuple[Any, ...], to_a_write: tuple[Any, ...]
) -> None:
    assert (end(given, ORDER, writes=False), end(given, ORDER, writes=True)) == (to_a_read, to_a_write)


@pytest.mark.parametrize(
    "body,found",
    [
        (b'{"id": 1}', ({"id": 1}, False)),
        (b'\r\n [{"id": 1}]\n', ([{"id": 1}], False)),
        (b'\xef\xbb\xbf{"id": 1}', ({"id": 1}, True)),
        (b'\nNotice: Array [0] in {closure} on line 3\n{"id": 1}', ({"id": 1}, True)),
        (NOISE.encode() * 2 + b'[{"id": 1}]', ([{"id": 1}], True)),
        (b"\xef\xbb\xbf" + NOISE.encode() + b'[{"id": 1}]', ([{"id": 1}], True)),
        # The end of what was cut short is no answer, however whole it looks.
        (b'[{"id": 1}, {"id": 2}', None),
        (NOISE.encode() + b'{"id": 1, "lines": [{"id": 2}]', None),
        (b'{"id": 1}<br />', None),
        (PAGE.encode(), None),
        (b'<script type="application/ld+json">{"@type": "Store"}</script>', None),
        (b"null", None),
        (b'"text"', None),
        (b"12", None),
        (b"", None),
        (b"\xff\xfe\x00", None),
    ],
)
def test_data_is_found_behind_noise_and_nowhere_else(body: bytes, found: tuple[Any, bool] | None) -> None:
    assert parsed(body) == found


@pytest.mark.parametrize(
    "text,kept",
    [
        ("ck_12ab and cs_34CD are wrong", "*** and *** are wrong"),
        ("mail ada@example.com,  then\n go", "mail *** then go"),
        ("see https://x/?consumer_secret=cs_99", "see https://x/?consumer_secret=***"),
        ("the secret is hunter2", "the secret is ***"),
        ("x" * 600, "x" * 500),
    ],
)
def test_what_a_store_said_is_quoted_without_secrets(text: str, kept: str) -> None:
    assert cleaned(text, ("hunter2", "")) == kept


def test_of_a_page_its_words_are_quoted() -> None:
    body = (
        b"<html><head><title>x</title></head><script>var a = 1 < 2;</script><body><h1>Ben &amp; Co</h1> says no</body>"
    )

    assert page_text(body).split() == ["Ben", "&", "Co", "says", "no"]


@pytest.mark.parametrize(
    "text,seconds",
    [
        ("600", 600.0),
        (" 1.5 ", 1.5),
        ("-3", 0.0),
        ("Mon, 02 Mar 2026 12:01:00 GMT", 60.0),
        ("Mon, 02 Mar 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("", None),
    ],
)
def test_a_store_may_say_how_long_it_wants_to_be_left_alone(text: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": text}, datetime(2026, 3, 2, 12, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(
    "location,base",
    [
        ("https://www.acme.com/wp-json/wc/v3/orders?a=b", "https://www.acme.com"),
        ("https://ACME.com/shop/wp-json/", "https://acme.com/shop"),
        ("//cdn.acme.com/wp-json", "https://cdn.acme.com"),
        ("/wp-json/wc/v3", "https://acme.com"),
        ("https://user:secret@acme.com/wp-json/", "https://acme.com"),
        ("https://acme.com/", ""),
        ("http://[broken/wp-json/", ""),
        ("", ""),
    ],
)
def test_the_base_of_an_address_of_the_api_is_told_without_its_query(location: str, base: str) -> None:
    assert base_of(location, BASE) == base


# --- With a second look ---------------------------------------------------------------------------------


def test_a_key_that_does_not_arrive_in_the_header_goes_into_the_address(pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop(strips_authorization=True)
    order = shop.add_order()
    memory = Memory()

    first = rest(shop, memory).get(f"/wc/v3/orders/{order['id']}")
    asked_once = shop.book()["counts"]
    rest(shop, memory).put(f"/wc/v3/orders/{order['id']}", {"status": "completed"})

    assert (first.data["id"], memory.by_query) == (order["id"], True)
    assert (asked_once["requests"], asked_once["in_query"]) == (2, 1)
    # What was found out is remembered: no request is made in vain any more.
    assert (shop.book()["counts"]["requests"], shop.book()["counts"]["in_query"]) == (3, 2)
    assert shop.book()["orders"][0]["status"] == "completed"


def test_a_host_that_was_mended_gets_no_keys_in_its_log_any_more(pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop(strips_authorization=True)
    memory = Memory()
    rest(shop, memory).get("/wc/v3/orders")
    shop.settings(strips_authorization=False)

    memory.by_query_until -= BY_QUERY
    rest(shop, memory).get("/wc/v3/orders")
    rest(shop, memory).get("/wc/v3/orders")

    assert (shop.book()["counts"]["requests"], shop.book()["counts"]["in_query"]) == (4, 1)


def test_a_key_that_arrives_never_goes_into_the_address(pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop()
    order = shop.add_order()
    memory = Memory()

    rest(shop, memory).get(f"/wc/v3/orders/{order['id']}")

    assert (memory.by_query, shop.book()["counts"]["in_query"]) == (False, 0)


def the_key_is_revoked(shop: WooShop) -> None:
    shop.revoke_key()


def a_plugin_closes_the_api(shop: WooShop) -> None:
    shop.fault("login_wall")


def woocommerce_is_off(shop: WooShop) -> None:
    shop.settings(has_woocommerce=False)


def the_key_may_only_read(shop: WooShop) -> None:
    shop.new_key(permissions="read")


def the_key_is_a_customers(shop: WooShop) -> None:
    shop.new_key(user="customer")


def nothing_rewrites(shop: WooShop) -> None:
    shop.fault("404")


def permalinks_are_plain(shop: WooShop) -> None:
    shop.settings(plain_permalinks=True)


def the_host_was_not_paid(shop: WooShop) -> None:
    shop.fault("402")


@pytest.mark.parametrize(
    "what,code,values",
    [
        (the_key_is_revoked, Code.TOKEN_REFUSED, {"status": 401}),
        (a_plugin_closes_the_api, Code.API_CLOSED, {"said": "rest_not_logged_in"}),
        (woocommerce_is_off, Code.PLATFORM_MISSING, {}),
        (the_key_may_only_read, Code.SCOPE_MISSING, {"scopes": ["Read/Write"]}),
        (the_key_is_a_customers, Code.USER_LACKS_RIGHTS, {}),
        (nothing_rewrites, Code.PERMALINKS, {}),
        (permalinks_are_plain, Code.PERMALINKS, {}),
        (the_host_was_not_paid, Code.SHOP_FROZEN, {"status": 402}),
    ],
)
def test_a_write_that_is_refused_tells_what_a_person_has_to_mend(
    what: Callable[[WooShop], None], code: str, values: dict[str, Any], pretend_woo: PretendWooCommerce
) -> None:
    shop = pretend_woo.shop()
    order = shop.add_order()
    what(shop)

    with pytest.raises(StoreDisconnected) as refused:
        rest(shop, is_patient=False).put(f"/wc/v3/orders/{order['id']}", {"status": "completed"})

    assert (refused.value.reason.code, dict(refused.value.reason.values)) == (code, values)
    assert shop.book()["orders"][0]["status"] == "processing"


def test_a_key_that_may_not_write_is_known_in_any_language(pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop()
    refusal = StoreDisconnected(Code.TOKEN_REFUSED, "Der Schlüssel hat keine Schreibrechte.")

    assert rest(shop)._why_refused("PUT", refusal).reason.code == Code.SCOPE_MISSING
    assert rest(shop)._why_refused("GET", refusal).reason.code == Code.TOKEN_REFUSED


@pytest.mark.parametrize("missing", [("consumer_key",), ("consumer_secret",), ("consumer_key", "consumer_secret")])
def test_nothing_is_asked_without_a_whole_key(missing: tuple[str, ...], pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop()
    credentials = {name: value for name, value in shop.credentials.items() if name not in missing}

    with pytest.raises(StoreDisconnected) as refused:
        list(connect(shop, credentials=credentials).orders(None))

    assert refused.value.reason.code == Code.CREDENTIALS_INCOMPLETE
    assert refused.value.reason.values == {"missing": list(missing)}
    assert shop.book()["counts"]["requests"] == 0


@pytest.mark.parametrize("writes", [False, True], ids=["read", "write"])
def test_no_redirect_is_followed(writes: bool, pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop()
    order = shop.add_order()
    shop.fault("302")
    api, path = rest(shop), f"/wc/v3/orders/{order['id']}"

    with pytest.raises(StoreDisconnected) as moved:
        api.put(path, {"status": "completed"}) if writes else api.get(path)

    elsewhere = shop.base_url.replace("127.0.0.1", "localhost")
    assert (moved.value.reason.code, dict(moved.value.reason.values)) == (Code.ADDRESS_MOVED, {"to": elsewhere})
    assert (shop.book()["counts"]["requests"], shop.book()["orders"][0]["status"]) == (1, "processing")


# --- With patience --------------------------------------------------------------------------------------


def test_pages_are_borne_for_a_quarter_of_an_hour_and_three_tries() -> None:
    strikes = Strikes()

    assert [strikes.add(1000.0 + minutes * 60) for minutes in (0, 5, 14, 15, 20)] == [False, False, False, True, True]
    strikes.count = 0
    assert [strikes.add(9000.0 + seconds) for seconds in (0, PATIENCE)] == [False, False]


@pytest.mark.parametrize("fault", ["waf_403", "406", "html_200", "cloudflare_503"])
def test_a_firewall_is_first_an_interruption_and_then_a_case_for_a_person(
    fault: str, pretend_woo: PretendWooCommerce
) -> None:
    shop = pretend_woo.shop()
    shop.fault(fault)
    memory = Memory()
    api = rest(shop, memory)

    for _ in range(3):
        with pytest.raises(StoreBusy):
            api.get("/wc/v3/orders")
    memory.reads.since -= PATIENCE
    with pytest.raises(StoreDisconnected) as shut_out:
        api.get("/wc/v3/orders")

    assert shut_out.value.reason.code == Code.SHUT_OUT
    assert shut_out.value.reason.values == {
        "status": {"waf_403": 403, "406": 406, "html_200": 200, "cloudflare_503": 503}[fault]
    }


@pytest.mark.parametrize(
    "what, code", [(woocommerce_is_off, Code.PLATFORM_MISSING), (nothing_rewrites, Code.PERMALINKS)]
)
@pytest.mark.parametrize("ask", ["get", "put"])
def test_an_api_that_is_gone_for_a_moment_needs_nobody_and_one_that_stays_away_does(
    ask: str, what: Callable[[WooShop], None], code: Code, pretend_woo: PretendWooCommerce
) -> None:
    """A plugin that is being updated, or a site that is being put up anew, is not there for some seconds."""
    shop = pretend_woo.shop()
    path = f"/wc/v3/orders/{shop.add_order()['id']}"
    what(shop)
    memory = Memory()

    def asked() -> ConnectorError:
        with pytest.raises(ConnectorError) as error:
            rest(shop, memory).get(path) if ask == "get" else rest(shop, memory).put(path, {})
        return error.value

    at_first = [type(asked()) for _ in range(3)]
    memory.reads.since -= PATIENCE
    memory.writes.since -= PATIENCE
    at_last = asked()

    assert at_first == [StoreBusy] * 3
    assert (type(at_last), at_last.reason.code) == (StoreDisconnected, code)


@pytest.mark.parametrize(
    "ask,left", [("get", {"reads": 0, "writes": 9}), ("put", {"reads": 0, "writes": 0})], ids=["a read", "a write"]
)
def test_an_answer_in_between_begins_the_patience_anew(
    ask: str, left: dict[str, int], pretend_woo: PretendWooCommerce
) -> None:
    shop = pretend_woo.shop()
    order = shop.add_order()
    memory = Memory(reads=Strikes(9), writes=Strikes(9))
    path = f"/wc/v3/orders/{order['id']}"

    rest(shop, memory).get(path) if ask == "get" else rest(shop, memory).put(path, {})

    assert {"reads": memory.reads.count, "writes": memory.writes.count} == left


@pytest.mark.parametrize(
    "fault,at_first,status",
    [("waf_403", StoreBusy, 403), ("html_200", OutcomeUnknown, 200), ("cloudflare_503", OutcomeUnknown, 503)],
)
def test_a_firewall_that_lets_reads_pass_is_a_case_for_a_person_too(
    fault: str, at_first: type[ConnectorError], status: int, pretend_woo: PretendWooCommerce
) -> None:
    shop = pretend_woo.shop()
    order = shop.add_order()
    shop.fault(fault, on="mutation")
    memory = Memory()
    path = f"/wc/v3/orders/{order['id']}"

    for _ in range(3):
        rest(shop, memory).get(path)
        with pytest.raises(at_first):
            rest(shop, memory).put(path, {"status": "completed"})
    memory.writes.since -= PATIENCE
    rest(shop, memory).get(path)
    with pytest.raises(StoreDisconnected) as shut_out:
        rest(shop, memory).put(path, {"status": "completed"})

    shop.clear_faults()
    done = rest(shop, memory).put(path, {"status": "completed"})

    assert (shut_out.value.reason.code, dict(shut_out.value.reason.values)) == (Code.SHUT_OUT, {"status": status})
    assert (done.data["status"], memory.writes.count) == ("completed", 0)


@pytest.mark.parametrize("fault", ["502_html", "500", "504", "maintenance", "429", "reset_before"])
def test_a_store_that_is_only_down_is_never_given_up(fault: str, pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop()
    shop.fault(fault)
    memory = Memory()

    for _ in range(4):
        with pytest.raises(StoreBusy):
            rest(shop, memory).get("/wc/v3/orders")

    assert memory.reads.count == 0


def test_a_certificate_that_is_not_trusted_is_a_case_for_a_person() -> None:
    with PretendWooCommerce(tls=True) as secure:
        shop = secure.shop()
        memory = Memory()
        api = Rest(session(), shop.base_url, shop.credentials, memory)
        trusting = Rest(session(ca_bundle=secure.ca_bundle or ""), shop.base_url, shop.credentials, Memory())

        with pytest.raises(StoreBusy) as first:
            api.get("/wc/v3/orders")
        memory.reads = Strikes(3, memory.reads.since - PATIENCE)
        with pytest.raises(StoreDisconnected) as last:
            api.get("/wc/v3/orders")

        assert trusting.get("/wc/v3/orders").data == []
        assert (first.value.reason.code, last.value.reason.code) == (Code.NO_ANSWER, Code.CERTIFICATE_REFUSED)


# --- Secrets --------------------------------------------------------------------------------------------

EVERY_FAULT = (
    *("401", "402", "404", "406", "408", "413", "429", "500", "502_html", "503", "504", "504_after", "520", "waf_403"),
    *("cloudflare_503", "maintenance", "php_warning", "bom", "rest_no_route", "critical_500", "critical_500_after"),
    *("login_wall", "302", "reset_before", "reset_after", "cut_json", "cut_body", "html_200", "empty_200"),
)


@pytest.mark.parametrize("strips", [False, True], ids=["header", "address"])
def test_no_trouble_shows_a_secret_or_a_buyer(
    strips: bool, pretend_woo: PretendWooCommerce, caplog: pytest.LogCaptureFixture
) -> None:
    shop = pretend_woo.shop(strips_authorization=strips)
    order = shop.add_order(customer="Ada Buyer", email="buyer@example.com")
    caplog.set_level(logging.DEBUG)
    told: list[str] = []
    for fault in EVERY_FAULT:
        shop.fault(fault)
        for writes in (False, True):
            api = rest(shop, call_limit=3.0)
            try:
                if writes:
                    api.put(f"/wc/v3/orders/{order['id']}", {"customer_note": "x"})
                else:
                    api.get(f"/wc/v3/orders/{order['id']}")
            except (ConnectorError, RouteGone) as trouble:
                told += [str(trouble), repr(trouble), repr(getattr(trouble, "reason", "")), repr(trouble.__cause__)]
        shop.clear_faults()

    everything = "\n".join([*told, caplog.text])
    assert len(told) > 100
    assert "urllib3" in caplog.text
    secrets = (shop.consumer_key, shop.consumer_secret, "buyer@example.com", "Ada Buyer", "Authorization")
    assert [secret for secret in secrets if secret in everything] == []
