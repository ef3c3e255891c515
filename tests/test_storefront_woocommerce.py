"""The pretend WooCommerce's main habits, over real HTTP(S): what our other tests take for granted of a store.

Nothing of ours is tested here. A test that fails says that the pretend store lies. Each trap of a real store stands in
a table.
"""

from __future__ import annotations

import base64
import concurrent.futures
import hashlib
import hmac
import json
import re
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from tests.storefronts.woo import PretendWooCommerce, WooShop

MUG = ("MUG-1", "A mug", 2)
ORDERS = "wc/v3/orders"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # 13:00 in Berlin


@pytest.fixture(scope="module")
def world() -> Iterator[PretendWooCommerce]:
    """One process for all tests of this module."""
    with PretendWooCommerce() as started:
        yield started


@pytest.fixture(scope="module")
def secure() -> Iterator[PretendWooCommerce]:
    """One that speaks HTTPS."""
    with PretendWooCommerce(tls=True) as started:
        yield started


@pytest.fixture
def shop(world: PretendWooCommerce) -> WooShop:
    """A plain shop of the test's own."""
    return world.shop()


@dataclass
class Receiver:
    """Somebody's server that a store's own requests arrive at; it answers what it is told to."""

    address: str
    status: int = 200
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A server on loopback that keeps what it gets."""
    kept = Receiver("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            kept.got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(kept.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    kept.address = f"http://127.0.0.1:{server.server_address[1]}"
    yield kept
    server.shutdown()
    server.server_close()


def said(answer: requests.Response) -> tuple[int, Any]:
    """(HTTP status, code of the error or None) of an answer."""
    body = answer.json()
    return answer.status_code, body.get("code") if isinstance(body, dict) else None


def until(true: Callable[[], bool], seconds: float = 5) -> bool:
    """Whether it becomes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return False


def page_of(shop: WooShop, order: dict[str, Any]) -> dict[str, Any]:
    """An order in the store's own book."""
    return next(one for one in shop.book()["orders"] if one["id"] == order["id"])


def put(shop: WooShop, order: dict[str, Any], **fields: Any) -> requests.Response:
    """One PUT on an order."""
    return shop.rest("PUT", f"{ORDERS}/{order['id']}", json=fields)


def track(shop: WooShop, order: dict[str, Any], number: str = "N1", **fields: Any) -> requests.Response:
    """One tracking by the plugin's own route."""
    body = {"tracking_number": number, **fields}
    return shop.rest("POST", f"wc-shipment-tracking/v3/orders/{order['id']}/shipment-trackings", json=body)


def meta(values: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """Meta as a request carries it."""
    return [{**more, "key": key, "value": value} for key, value in values.items()]


def fulfil(
    shop: WooShop, order: dict[str, Any], number: str = "N1", units: int = 2, **fields: Any
) -> requests.Response:
    """One fulfillment of the order's first line."""
    items = [{"item_id": order["lines"][0], "qty": units}]
    body = {"is_fulfilled": True, "meta_data": meta({"_items": items, "_tracking_number": number}, id=0), **fields}
    return shop.rest("POST", f"{ORDERS}/{order['id']}/fulfillments", json=body)


# -- who the shop says it is


@pytest.mark.parametrize(
    "options, answering",
    [
        ({}, ["wc/v3"]),
        ({"plugin": "fulfillments"}, ["wc/v3"]),
        ({"plugin": "shipment_tracking"}, ["wc/v3", "wc-shipment-tracking/v3"]),
        ({"plugin": "ast"}, ["wc/v3", "wc-ast/v3", "wc-shipment-tracking/v3"]),
        ({"plugin": "ast+fulfillments"}, ["wc/v3", "wc-ast/v3", "wc-shipment-tracking/v3"]),
        ({"has_woocommerce": False}, []),
    ],
)
def test_the_index_tells_everybody_which_plugins_answer(world, options, answering) -> None:
    shop = world.shop(**options)

    index = shop.rest("GET", "?_fields=name,url,home,namespaces,timezone_string,gmt_offset", auth=None)

    namespaces = index.json().pop("namespaces")
    wanted = ("wc/v3", "wc-ast/v3", "wc-shipment-tracking/v3")
    assert [name for name in namespaces if name in wanted] == answering
    assert {key: value for key, value in index.json().items() if key not in ("namespaces", "gmt_offset")} == {
        "name": shop.name,
        "url": shop.base_url,
        "home": shop.base_url,
        "timezone_string": "Europe/Berlin",
    }
    assert len(index.content) < 1000


def test_the_whole_index_is_more_than_a_megabyte(shop) -> None:
    assert len(shop.rest("GET", "", auth=None).content) > 1_000_000


def test_a_shop_without_a_city_tells_its_offset_alone(world) -> None:
    index = world.shop(time_zone="+05:30").rest("GET", "?_fields=timezone_string,gmt_offset").json()

    assert index == {"gmt_offset": 5.5, "timezone_string": ""}


@pytest.mark.parametrize(
    "options, has_order, auth, answer",
    [
        ({}, False, True, (404, "rest_no_route")),
        ({}, False, False, (404, "rest_no_route")),
        ({"plugin": "ast"}, False, True, (404, "rest_no_route")),
        ({"plugin": "fulfillments", "version": "9.9.5"}, False, True, (404, "rest_no_route")),
        ({"plugin": "fulfillments"}, False, True, (404, "woocommerce_rest_order_invalid_id")),
        ({"plugin": "fulfillments"}, False, False, (404, "woocommerce_rest_order_invalid_id")),
        ({"plugin": "fulfillments"}, True, False, (401, "woocommerce_rest_cannot_view")),
        ({"plugin": "fulfillments"}, True, True, (200, None)),
        ({"plugin": "ast+fulfillments"}, True, True, (200, None)),
    ],
)
def test_fulfillments_are_found_by_asking_for_some(world, options, has_order, auth, answer) -> None:
    shop = world.shop(**options, first_number=1)
    if has_order:
        shop.add_order([MUG])

    key = {} if auth else {"auth": None}
    assert said(shop.rest("GET", f"{ORDERS}/1/fulfillments", **key)) == answer


@pytest.mark.parametrize("plugin", ["plain", "fulfillments"])
def test_options_is_no_probe(world, plugin) -> None:
    answer = world.shop(plugin=plugin).rest("OPTIONS", f"{ORDERS}/1/fulfillments")

    assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.parametrize(
    "options, root",
    [({}, "/wp-json/"), ({"plain_permalinks": True}, "/index.php?rest_route=/")],
)
def test_the_home_page_tells_where_the_api_is(world, options, root) -> None:
    shop = world.shop(**options)

    for ask in (requests.head, requests.get):
        assert ask(shop.base_url, timeout=5).headers["Link"] == f'<{shop.base_url}{root}>; rel="https://api.w.org/"'


@pytest.mark.parametrize(
    "path, in_uri, answer",
    [
        ("/wc/v3/orders", "", (401, "woocommerce_rest_cannot_view")),
        ("/wc/v3/orders", "&_=/wp-json/wc/", (200, None)),
    ],
)
def test_with_plain_permalinks_a_key_counts_only_where_the_address_looks_right(world, path, in_uri, answer) -> None:
    shop = world.shop(plain_permalinks=True)

    with requests.Session() as session:
        key = (shop.consumer_key, shop.consumer_secret)
        by_parameter = session.get(f"{shop.base_url}/?rest_route={path}{in_uri}", auth=key, timeout=5)
        by_path = session.get(f"{shop.base_url}/wp-json{path}", auth=key, timeout=5)

    assert said(by_parameter) == answer
    assert [one.status_code for one in (*by_path.history, by_path)] == [301, 200]
    assert by_path.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    "version, statuses", [("10.9.1", (200, None)), ("9.9.5", (200, None)), ("8.4.0", (404, "rest_no_route"))]
)
def test_the_version_tells_what_there_is(world, version, statuses) -> None:
    shop = world.shop(version=version, statuses=["partial-shipped"])

    environment = shop.rest("GET", "wc/v3/system_status", params={"_fields": "environment"}).json()["environment"]
    listed = shop.rest("GET", f"{ORDERS}/statuses")

    assert (environment["version"], environment["home_url"]) == (version, shop.base_url)
    assert said(listed) == statuses
    if listed.ok:
        assert {"slug": "partial-shipped", "name": "Partial shipped"} in listed.json()


# -- who asks


def with_the_key(shop: WooShop) -> dict[str, Any]:
    return {}


def in_the_query(shop: WooShop) -> dict[str, Any]:
    return {"auth": None, "params": shop.credentials}


def as_nobody(shop: WooShop) -> dict[str, Any]:
    return {"auth": None}


def with_an_unknown_key(shop: WooShop) -> dict[str, Any]:
    return {"auth": ("ck_unknown", shop.consumer_secret)}


def with_a_wrong_secret(shop: WooShop) -> dict[str, Any]:
    return {"auth": (shop.consumer_key, "cs_wrong")}


def after_it_was_revoked(shop: WooShop) -> dict[str, Any]:
    shop.revoke_key()
    return {}


def with_the_password(shop: WooShop) -> dict[str, Any]:
    return {"auth": ("manager", "let-me-in")}


def with_a_wrong_password(shop: WooShop) -> dict[str, Any]:
    return {"auth": ("manager", "open")}


def with_an_unknown_name(shop: WooShop) -> dict[str, Any]:
    return {"auth": ("somebody", "open")}


def signed(shop: WooShop, **changes: str) -> dict[str, Any]:
    """One-legged OAuth 1.0a for GET /orders."""
    given = {
        "oauth_consumer_key": shop.consumer_key,
        "oauth_nonce": hashlib.sha256(str(time.time()).encode()).hexdigest(),
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": str(int(time.time())),
        **changes,
    }
    url = f"{shop.base_url}/wp-json/{ORDERS}"
    text = urllib.parse.urlencode(sorted(given.items()))
    base = "&".join(("GET", urllib.parse.quote(url, safe=""), urllib.parse.quote(text, safe="")))
    made = hmac.new(f"{shop.consumer_secret}&".encode(), base.encode(), hashlib.sha256).digest()
    return {"auth": None, "params": {**given, "oauth_signature": base64.b64encode(made).decode()}}


def signed_an_hour_ago(shop: WooShop) -> dict[str, Any]:
    return signed(shop, oauth_timestamp=str(int(time.time()) - 3600))


SEES_NOTHING = (401, "woocommerce_rest_cannot_view")
REFUSED = (401, "woocommerce_rest_authentication_error")


@pytest.mark.parametrize(
    "options, asks, answer",
    [
        ({}, with_the_key, (200, None)),
        ({}, in_the_query, (200, None)),
        ({}, as_nobody, SEES_NOTHING),
        ({}, with_an_unknown_key, SEES_NOTHING),
        ({}, after_it_was_revoked, SEES_NOTHING),
        ({}, with_a_wrong_secret, REFUSED),
        ({}, with_the_password, (200, None)),
        ({}, with_a_wrong_password, (401, "incorrect_password")),
        ({}, with_an_unknown_name, (401, "invalid_username")),
        ({}, signed, SEES_NOTHING),
        ({"strips_authorization": True}, with_the_key, SEES_NOTHING),
        ({"strips_authorization": True}, in_the_query, (200, None)),
        ({"thinks_http": True}, with_the_key, SEES_NOTHING),
        ({"thinks_http": True}, in_the_query, SEES_NOTHING),
        ({"thinks_http": True}, signed, (200, None)),
        ({"thinks_http": True}, signed_an_hour_ago, REFUSED),
        ({"user": "administrator"}, with_the_key, (200, None)),
        ({"user": "customer"}, with_the_key, (403, "woocommerce_rest_cannot_view")),
        ({"key_permissions": "read"}, with_the_key, (200, None)),
        ({"key_permissions": "write"}, with_the_key, REFUSED),
    ],
)
def test_an_order_list_is_for_those_who_may_see_it(world, options, asks, answer) -> None:
    shop = world.shop(**options)

    assert said(shop.rest("GET", ORDERS, **asks(shop))) == answer


def test_an_unknown_key_a_lost_header_and_plain_http_are_told_in_the_very_same_words(world) -> None:
    answers = [
        world.shop().rest("GET", ORDERS, auth=("ck_unknown", "cs_unknown")),
        world.shop(strips_authorization=True).rest("GET", ORDERS),
        world.shop(thinks_http=True).rest("GET", ORDERS),
    ]

    assert [one.text for one in answers] == [answers[0].text] * 3


@pytest.mark.parametrize(
    "options, method, path, body, answer",
    [
        ({"key_permissions": "read"}, "PUT", "", {"status": "completed"}, REFUSED),
        ({"key_permissions": "write"}, "PUT", "", {"status": "completed"}, (200, None)),
        ({"user": "customer"}, "PUT", "", {"status": "completed"}, (403, "woocommerce_rest_cannot_edit")),
        ({"user": "customer"}, "POST", "/notes", {"note": "Hello"}, (403, "woocommerce_rest_cannot_create")),
        ({"user": "customer"}, "GET", "/notes", None, (403, "woocommerce_rest_cannot_view")),
        ({"strips_authorization": True}, "PUT", "", {"status": "completed"}, (401, "woocommerce_rest_cannot_edit")),
        (
            {"strips_authorization": True},
            "POST",
            "/notes",
            {"note": "Hello"},
            (401, "woocommerce_rest_cannot_create"),
        ),
    ],
)
def test_writing_is_refused_by_verb(world, options, method, path, body, answer) -> None:
    shop = world.shop(**options)
    order = shop.add_order([MUG])

    assert said(shop.rest(method, f"{ORDERS}/{order['id']}{path}", json=body)) == answer


def test_a_new_key_is_as_good_as_the_old_one(shop) -> None:
    old = shop.credentials

    new = shop.new_key("read")

    assert new != old
    assert said(shop.rest("GET", ORDERS)) == (200, None)
    assert said(shop.rest("GET", ORDERS, auth=(old["consumer_key"], old["consumer_secret"]))) == (200, None)
    assert (
        said(shop.rest("POST", "wc/v3/webhooks", json={"topic": "order.updated", "delivery_url": "https://x.example"}))
        == REFUSED
    )


# -- reading orders


def numbers(shop: WooShop, **params: Any) -> list[str]:
    """The numbers of a list, by id."""
    asked = {"orderby": "id", "order": "asc", "_fields": "number", **params}
    return [one["number"] for one in shop.rest("GET", ORDERS, params=asked).json()]


BEFORE, AFTER = NOON - timedelta(minutes=30), NOON + timedelta(minutes=30)


@pytest.mark.parametrize(
    "text, is_gmt, found",
    [
        ("2026-03-02T12:00:00Z", None, ["after"]),
        ("2026-03-02T13:00:00+01:00", None, ["after"]),
        ("2026-03-02T12:00:00", "true", ["after"]),
        # the trap: the shop's local time is compared with UTC
        ("2026-03-02T12:00:00Z", "true", []),
        # without either it is the shop's own clock, which shows 13:00
        ("2026-03-02T13:00:00", None, ["after"]),
        ("2026-03-02T12:00:00", None, ["before", "after"]),
        # to the second, and exclusive
        ("2026-03-02T12:30:00Z", None, []),
        ("2026-03-02T12:29:59Z", None, ["after"]),
    ],
)
def test_a_time_means_what_the_shop_takes_it_for(shop, text, is_gmt, found) -> None:
    for number, placed in (("before", BEFORE), ("after", AFTER)):
        shop.add_order([MUG], number=number, placed_at=placed)

    flag = {"dates_are_gmt": is_gmt} if is_gmt else {}
    assert numbers(shop, after=text, **flag) == found


@pytest.mark.parametrize("is_gmt, found", [(None, ["N1"]), ("true", [])])
def test_changes_since_an_hour_are_lost_where_both_zone_and_flag_are_given(shop, is_gmt, found) -> None:
    shop.add_order([MUG], number="N1")
    since = (datetime.now(UTC) - timedelta(minutes=10)).strftime("%Y-%m-%dT%H:%M:%SZ")

    assert numbers(shop, modified_after=since, **({"dates_are_gmt": is_gmt} if is_gmt else {})) == found


def test_a_plus_that_is_not_escaped_is_no_time(shop) -> None:
    answer = shop.rest("GET", f"{ORDERS}?after=2026-03-02T13:00:00+01:00")

    assert (answer.status_code, answer.json()["code"]) == (400, "rest_invalid_param")
    assert answer.json()["data"]["params"] == {"after": "Invalid date."}


def test_times_stand_beside_one_another_in_local_time_and_utc_without_an_offset(shop) -> None:
    order = shop.add_order([MUG], placed_at=NOON, paid_at=NOON + timedelta(minutes=5))
    unpaid = shop.add_order([MUG], status="pending")

    read = shop.rest("GET", f"{ORDERS}/{order['id']}").json()

    names = ("date_created", "date_created_gmt", "date_paid", "date_paid_gmt", "date_completed_gmt")
    assert {name: read[name] for name in names} == {
        "date_created": "2026-03-02T13:00:00",
        "date_created_gmt": "2026-03-02T12:00:00",
        "date_paid": "2026-03-02T13:05:00",
        "date_paid_gmt": "2026-03-02T12:05:00",
        "date_completed_gmt": None,
    }
    assert shop.rest("GET", f"{ORDERS}/{unpaid['id']}").json()["date_paid_gmt"] is None


@pytest.mark.parametrize(
    "page, count, total, pages, links",
    [
        (1, 2, "5", "3", ["next"]),
        (2, 2, "5", "3", ["prev", "next"]),
        (3, 1, "5", "3", ["prev"]),
        # past the end there are none at all, says the store
        (4, 0, "0", "0", None),
    ],
)
def test_pages_are_told_in_the_headers(shop, page, count, total, pages, links) -> None:
    shop.add_orders(5, [MUG])

    answer = shop.rest("GET", ORDERS, params={"per_page": 2, "page": page})

    assert (answer.status_code, len(answer.json())) == (200, count)
    assert (answer.headers["X-WP-Total"], answer.headers["X-WP-TotalPages"]) == (total, pages)
    found = re.findall(r'rel="(\w+)"', answer.headers["Link"])
    assert (found or None) == links


@pytest.mark.parametrize(
    "params, answer",
    [
        ({"per_page": 100}, (200, None)),
        ({"per_page": 101}, (400, "rest_invalid_param")),
        ({"per_page": 0}, (400, "rest_invalid_param")),
        ({"per_page": "many"}, (400, "rest_invalid_param")),
        ({"status": "shipped"}, (400, "rest_invalid_param")),
        ({"status": "processing,shipped"}, (400, "rest_invalid_param")),
        ({"orderby": "number"}, (400, "rest_invalid_param")),
        ({"modified_after": "yesterday"}, (400, "rest_invalid_param")),
        ({"anything": "else"}, (200, None)),
    ],
)
def test_a_list_is_asked_for_in_the_words_of_its_schema(shop, params, answer) -> None:
    assert said(shop.rest("GET", ORDERS, params=params)) == answer
    # What the schema forbids is said before anybody is asked who he is.
    assert said(shop.rest("GET", ORDERS, params=params, auth=None)) == (answer if answer[1] else SEES_NOTHING)


@pytest.mark.parametrize(
    "params, found",
    [
        ({}, ["A1", "A2", "A3", "A4"]),
        ({"status": "any"}, ["A1", "A2", "A3", "A4"]),
        ({"status": "trash"}, ["A5"]),
        ({"status": "processing,on-hold"}, ["A1", "A2"]),
        ({"status[]": ["processing", "partial-shipped"]}, ["A1", "A4"]),
        # there is no such filter, and nobody says so
        ({"number": "A2"}, ["A1", "A2", "A3", "A4"]),
        ({"search": "A2"}, ["A2"]),
        ({"search": "grace@example.com"}, ["A3"]),
        ({"search": "hopper"}, ["A3"]),
        ({"include": "{A1},{A3}"}, ["A1", "A3"]),
        ({"order": "desc"}, ["A4", "A3", "A2", "A1"]),
        ({"orderby": "date", "order": "desc"}, ["A1", "A2", "A3", "A4"]),
        ({"per_page": 2, "page": 2}, ["A3", "A4"]),
    ],
)
def test_filters_find_what_the_store_thinks_fits(world, params, found) -> None:
    shop = world.shop(statuses=["partial-shipped"])
    statuses = ("processing", "on-hold", "cancelled", "partial-shipped", "processing")
    ids = {}
    for index, status in enumerate(statuses, 1):
        buyer = {"email": "grace@example.com", "customer": "Grace Hopper"} if index == 3 else {}
        placed = NOON - timedelta(days=index)
        ids[f"A{index}"] = shop.add_order([MUG], number=f"A{index}", status=status, placed_at=placed, **buyer)["id"]
    shop.trash("A5")

    asked = {key: value.format(**ids) if isinstance(value, str) else value for key, value in params.items()}
    assert numbers(shop, **asked) == found


@pytest.mark.parametrize(
    "fields, left",
    [
        ("id,number", {"id", "number"}),
        ("id,billing.email", {"id", "billing"}),
        ("id,line_items", {"id", "line_items"}),
        # the trap: a path into a list drops the list
        ("id,line_items.id", {"id"}),
        ("id,meta_data.key,unknown", {"id"}),
    ],
)
def test_fields_cut_an_answer_down(shop, fields, left) -> None:
    order = shop.add_order([MUG])

    read = shop.rest("GET", f"{ORDERS}/{order['id']}", params={"_fields": fields}).json()
    listed = shop.rest("GET", ORDERS, params={"_fields": fields}).json()

    assert set(read) == left
    assert listed == [read]
    assert read.get("billing", {"email": "buyer@example.com"}) == {"email": "buyer@example.com"}


def test_an_order_says_what_is_in_it_and_whether_anything_has_to_be_shipped(shop) -> None:
    order = shop.add_order([MUG, {"sku": "PDF", "title": "A book to read", "virtual": True}])
    to_read = shop.add_order([("PDF", "A book to read", 1, 3.5, False)])

    read = shop.rest("GET", f"{ORDERS}/{order['id']}").json()

    lines = [{key: line[key] for key in ("id", "sku", "name", "quantity", "total")} for line in read["line_items"]]
    assert lines == [
        {"id": order["lines"][0], "sku": "MUG-1", "name": "A mug", "quantity": 2, "total": "20.00"},
        {"id": order["lines"][1], "sku": "PDF", "name": "A book to read", "quantity": 1, "total": "10.00"},
    ]
    assert (read["status"], read["needs_processing"], read["refunds"]) == ("processing", True, [])
    assert shop.rest("GET", f"{ORDERS}/{to_read['id']}").json()["needs_processing"] is False


@pytest.mark.parametrize(
    "options, given, expected",
    [
        ({}, {}, (1001, "1001")),
        ({"first_number": 7}, {}, (7, "7")),
        ({}, {"number": "W-9"}, (1001, "W-9")),
        ({"sequential_numbers": True, "first_number": 7}, {}, (5001, "7")),
    ],
)
def test_an_orders_number_is_its_id_unless_a_plugin_counts(world, options, given, expected) -> None:
    order = world.shop(**options).add_order([MUG], **given)

    assert (order["id"], order["number"]) == expected


@pytest.mark.parametrize(
    "method, path, body, answer",
    [
        ("GET", "", None, (404, "woocommerce_rest_shop_order_invalid_id")),
        ("DELETE", "", None, (404, "woocommerce_rest_shop_order_invalid_id")),
        ("PUT", "", {"status": "completed"}, (400, "woocommerce_rest_shop_order_invalid_id")),
        ("GET", "/notes", None, (404, "woocommerce_rest_order_invalid_id")),
        ("POST", "/notes", {"note": "Hello"}, (404, "woocommerce_rest_order_invalid_id")),
        ("GET", "/refunds", None, (404, "woocommerce_rest_order_invalid_id")),
        ("GET", "/shipment-trackings", None, (404, "woocommerce_rest_order_invalid_id")),
        ("POST", "/shipment-trackings", {"tracking_number": "N1"}, (404, "woocommerce_rest_order_invalid_id")),
        ("POST", "/shipment-trackings", {}, (400, "rest_missing_callback_param")),
        ("POST", "/fulfillments", {}, (404, "woocommerce_rest_order_invalid_id")),
        ("GET", "/nothing", None, (404, "rest_no_route")),
    ],
)
def test_an_order_that_was_deleted_is_gone_everywhere(world, method, path, body, answer) -> None:
    shop = world.shop(plugin="ast+fulfillments")
    order = shop.add_order([MUG])
    shop.delete_order(order["id"])

    assert said(shop.rest(method, f"{ORDERS}/{order['id']}{path}", json=body)) == answer


def test_a_slash_too_many_leads_nowhere_and_one_at_the_end_does_no_harm(shop) -> None:
    assert said(shop.rest("GET", "/wc/v3/orders")) == (404, "rest_no_route")
    assert said(shop.rest("GET", "wc/v3/orders/?per_page=1")) == (200, None)
    assert said(shop.rest("GET", "wc/v4/fulfillments")) == (404, "rest_no_route")


# -- writing orders


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize(
    "before", ["pending", "processing", "on-hold", "cancelled", "refunded", "failed", "trash", "partial-shipped"]
)
def test_the_store_completes_whatever_it_is_told_to(world, method, before) -> None:
    shop = world.shop(statuses=["partial-shipped"])
    order = shop.add_order([MUG], status="processing" if before in ("trash", "refunded") else before)
    if before in ("trash", "refunded"):
        shop.set_status(order["id"], before)

    answer = shop.rest(method, f"{ORDERS}/{order['id']}", json={"status": "completed"})

    assert (answer.status_code, answer.json()["status"]) == (200, "completed")
    assert answer.json()["date_completed_gmt"] is not None
    assert answer.json()["date_paid_gmt"] is not None
    page = page_of(shop, order)
    assert (page["status"], page["stock_reduced"]) == ("completed", True)
    assert [mail["kind"] for mail in page["mails"]] == ["completed"]
    assert [(one["from"], one["to"], one["by"]) for one in page["status_log"]][-1] == (before, "completed", "api")


def test_the_same_status_again_sends_no_second_mail_and_moves_the_date(shop) -> None:
    order = shop.add_order([MUG])
    first = put(shop, order, status="completed").json()

    changed = until(
        lambda: put(shop, order, status="completed").json()["date_modified_gmt"] > first["date_modified_gmt"]
    )

    assert changed
    assert [mail["kind"] for mail in shop.mails(order["id"])] == ["completed"]


def test_a_status_that_nobody_registered_is_refused_and_unknown_fields_are_not(world) -> None:
    shop = world.shop(statuses=["delivered"])
    order = shop.add_order([MUG])

    assert said(put(shop, order, status="shipped")) == (400, "rest_invalid_param")
    assert said(put(shop, order, status="delivered")) == (200, None)
    assert said(put(shop, order, tracking="N1")) == (200, None)


def test_meta_without_an_id_overwrites_what_stands_under_its_key(shop) -> None:
    order = shop.add_order([MUG])

    put(shop, order, meta_data=meta({"_tracking_number": "N1", "_tracking_provider": "UPS"}))
    kept = put(shop, order, meta_data=meta({"_tracking_number": "N2"})).json()["meta_data"]
    put(shop, order, meta_data=[{"id": kept[1]["id"], "key": "_tracking_provider", "value": None}])

    assert [(one["key"], one["value"]) for one in kept] == [("_tracking_number", "N2"), ("_tracking_provider", "UPS")]
    assert page_of(shop, order)["meta"] == {"_tracking_number": "N2"}
    assert list(shop.book()["numbers"]) == ["N1", "N2"]


@pytest.mark.parametrize(
    "for_customer, mails",
    [(True, [("note", True, ["RB123456785CN"])]), (False, [])],
)
def test_a_note_for_the_customer_is_mailed_and_the_same_note_again_is_another(shop, for_customer, mails) -> None:
    order = shop.add_order([MUG])
    body = {"note": "Your parcel is RB123456785CN.", "customer_note": for_customer}

    answers = [shop.rest("POST", f"{ORDERS}/{order['id']}/notes", json=body) for _ in range(2)]

    assert [(one.status_code, one.json()["customer_note"]) for one in answers] == [(201, for_customer)] * 2
    listed = shop.rest("GET", f"{ORDERS}/{order['id']}/notes").json()
    assert [one["id"] for one in listed] == [answers[1].json()["id"], answers[0].json()["id"]]
    told = [(one["kind"], one["number_in_mail"], one["numbers"]) for one in shop.mails(order["id"])]
    assert told == mails * 2
    assert page_of(shop, order)["notes"] == [{"text": body["note"], "customer_note": for_customer}] * 2


def test_a_change_of_status_leaves_a_note_of_the_system_that_is_not_in_the_book(shop) -> None:
    order = shop.add_order([MUG])

    put(shop, order, status="completed")

    listed = shop.rest("GET", f"{ORDERS}/{order['id']}/notes").json()
    assert [(one["note"], one["customer_note"]) for one in listed] == [
        ("Order status changed from Processing to Completed.", False)
    ]
    assert page_of(shop, order)["notes"] == []


@pytest.mark.parametrize(
    "write",
    [
        lambda shop, order: put(shop, order, meta_data=meta({"a": 1})),
        lambda shop, order: shop.rest("POST", f"{ORDERS}/{order['id']}/notes", json={"note": "Hello"}),
        track,
        lambda shop, order: shop.touch(order["id"]),
    ],
)
def test_every_write_brings_the_order_back_into_the_next_poll(world, write) -> None:
    shop = world.shop(plugin="ast")
    order = shop.add_order([MUG])
    before = shop.rest("GET", f"{ORDERS}/{order['id']}").json()["date_modified_gmt"]
    assert until(lambda: datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S") > before)

    write(shop, order)

    assert numbers(shop, modified_after=f"{before}Z") == [order["number"]]


def test_a_batch_is_fine_even_where_an_item_is_not(shop) -> None:
    order = shop.add_order([MUG])
    wanted = [{"id": order["id"], "status": "completed"}, {"id": 999, "status": "completed"}]
    wanted.append({"id": order["id"], "status": "nonsense"})

    answer = shop.rest("POST", f"{ORDERS}/batch", json={"update": wanted})

    assert answer.status_code == 200
    told = [(one["id"], one.get("status"), one.get("error", {}).get("code")) for one in answer.json()["update"]]
    assert told == [
        (order["id"], "completed", None),
        (999, None, "woocommerce_rest_shop_order_invalid_id"),
        (order["id"], None, "rest_invalid_param"),
    ]


@pytest.mark.parametrize(
    "count, answer", [(100, (200, None)), (101, (413, "woocommerce_rest_request_entity_too_large"))]
)
def test_a_batch_holds_a_hundred(shop, count, answer) -> None:
    items = [{"id": order["id"], "customer_note": "Hello"} for order in shop.add_orders(count, [MUG])]

    assert said(shop.rest("POST", f"{ORDERS}/batch", json={"update": items})) == answer


def test_an_order_is_thrown_away_and_comes_back_or_is_deleted_for_good(shop) -> None:
    order = shop.add_order([MUG])

    assert shop.rest("DELETE", f"{ORDERS}/{order['id']}").json()["status"] == "trash"
    assert shop.rest("GET", f"{ORDERS}/{order['id']}").json()["status"] == "trash"
    assert numbers(shop) == []
    assert put(shop, order, status="processing").json()["status"] == "processing"
    assert shop.rest("DELETE", f"{ORDERS}/{order['id']}?force=true").status_code == 200
    assert said(shop.rest("GET", f"{ORDERS}/{order['id']}")) == (404, "woocommerce_rest_shop_order_invalid_id")


def test_refunds_are_told_by_their_lines_and_a_full_one_by_the_status(shop) -> None:
    order = shop.add_order([("MUG-1", "A mug", 2, 5.0), ("TEA-1", "Tea", 1, 4.0)])
    mug, tea = order["lines"]

    shop.refund(order["id"], {mug: 1})
    part = shop.rest("GET", f"{ORDERS}/{order['id']}").json()
    (refund,) = shop.rest("GET", f"{ORDERS}/{order['id']}/refunds").json()
    shop.refund(order["id"])

    assert (part["status"], part["refunds"]) == ("processing", [{"id": refund["id"], "reason": "", "total": "-5.00"}])
    (line,) = refund["line_items"]
    assert (refund["amount"], line["quantity"], line["meta_data"][0]["value"]) == ("5.00", -1, str(mug))
    page = page_of(shop, order)
    assert page["status"] == "refunded"
    assert [(line["id"], line["refunded"]) for line in page["lines"]] == [(mug, 2), (tea, 1)]


@pytest.mark.parametrize("by_hand", [True, False])
def test_setting_the_status_to_refunded_gives_the_money_back_and_names_no_line(shop, by_hand) -> None:
    order = shop.add_order([("MUG-1", "A mug", 2, 5.0)])

    if by_hand:
        shop.set_status(order["id"], "refunded")
    else:
        put(shop, order, status="refunded")

    (refund,) = shop.rest("GET", f"{ORDERS}/{order['id']}/refunds").json()
    assert (refund["amount"], refund["line_items"]) == ("10.00", [])


@pytest.mark.parametrize(
    "amount, answer",
    [("4.00", (201, None)), ("10.01", (400, "woocommerce_rest_cannot_create_order_refund"))],
)
def test_no_more_can_be_refunded_than_was_paid(shop, amount, answer) -> None:
    order = shop.add_order([("MUG-1", "A mug", 2, 5.0)])

    body = {"amount": amount, "api_refund": False}
    assert said(shop.rest("POST", f"{ORDERS}/{order['id']}/refunds", json=body)) == answer


def test_a_body_that_is_no_json_is_refused(shop) -> None:
    order = shop.add_order([MUG])
    headers = {"Content-Type": "application/json"}

    answer = shop.rest("PUT", f"{ORDERS}/{order['id']}", data='{"status": "comp', headers=headers)

    assert said(answer) == (400, "rest_invalid_json")


# -- trackings


@pytest.mark.parametrize(
    "plugin, body, shown",
    [
        ("ast", {"tracking_provider": "UPS"}, ("UPS", "https://ups.example/track/N1")),
        ("ast", {"tracking_provider": "ups"}, ("UPS", "https://ups.example/track/N1")),
        # accepted, and the customer sees no link
        ("ast", {"tracking_provider": "Unheard Of"}, ("", "")),
        ("shipment_tracking", {"tracking_provider": "UPS"}, ("UPS", "https://ups.example/track/N1")),
        ("shipment_tracking", {"tracking_provider": "Unheard Of"}, ("", "")),
        # a carrier of one's own: the official plugin keeps its name, the other one only the link
        (
            "shipment_tracking",
            {"custom_tracking_provider": "Yanwen", "custom_tracking_link": "https://y.example/%1$s"},
            ("Yanwen", "https://y.example/N1"),
        ),
        (
            "ast",
            {"custom_tracking_provider": "Yanwen", "custom_tracking_link": "https://y.example/N1"},
            ("", "https://y.example/N1"),
        ),
        (
            "ast",
            {"custom_tracking_provider": "USPS", "custom_tracking_link": "https://y.example/N1"},
            ("USPS", "https://y.example/N1"),
        ),
    ],
)
def test_a_tracking_shows_what_the_plugin_makes_of_it(world, plugin, body, shown) -> None:
    shop = world.shop(plugin=plugin)
    order = shop.add_order([MUG])

    made = track(shop, order, date_shipped="2026-03-02", **body)

    assert made.status_code == 201
    assert made.json() == {
        "tracking_id": made.json()["tracking_id"],
        "tracking_provider": shown[0],
        "tracking_link": shown[1],
        "tracking_number": "N1",
        "date_shipped": "2026-03-02",
    }
    assert re.fullmatch("[0-9a-f]{32}", made.json()["tracking_id"])
    listed = shop.rest("GET", f"wc-shipment-tracking/v3/orders/{order['id']}/shipment-trackings")
    assert listed.json() == [made.json()]
    (tracking,) = page_of(shop, order)["trackings"]
    assert (tracking["number"], tracking["provider_name"], tracking["link"]) == ("N1", *shown)


@pytest.mark.parametrize(
    "plugin, space, is_there",
    [
        ("ast", "wc-ast/v3", True),
        ("ast", "wc/v3", True),
        ("ast", "wc-shipment-tracking/v3", True),
        ("shipment_tracking", "wc-shipment-tracking/v3", True),
        ("shipment_tracking", "wc-ast/v3", False),
        ("plain", "wc-shipment-tracking/v3", False),
        ("fulfillments", "wc-shipment-tracking/v3", False),
    ],
)
def test_trackings_answer_where_their_plugin_registered_them(world, plugin, space, is_there) -> None:
    shop = world.shop(plugin=plugin)
    order = shop.add_order([MUG])

    answer = shop.rest("GET", f"{space}/orders/{order['id']}/shipment-trackings")

    assert said(answer) == ((200, None) if is_there else (404, "rest_no_route"))


@pytest.mark.parametrize(
    "plugin, names, path, auth, expected",
    [
        ("ast", ["UPS"], "orders/{}/shipment-trackings/providers", True, {"UPS": "https://ups.example/track/%number%"}),
        ("ast", [], "orders/{}/shipment-trackings/providers", True, None),
        ("shipment_tracking", ["UPS"], "shipment-trackings/providers", True, {"UPS": "https://ups.example/track/%1$s"}),
        # everybody may ask the official plugin
        (
            "shipment_tracking",
            ["UPS"],
            "shipment-trackings/providers",
            False,
            {"UPS": "https://ups.example/track/%1$s"},
        ),
    ],
)
def test_the_store_tells_which_carriers_it_knows(world, plugin, names, path, auth, expected) -> None:
    shop = world.shop(plugin=plugin, providers=names)
    order = shop.add_order([MUG])

    key = {} if auth else {"auth": None}
    answer = shop.rest("GET", f"wc-shipment-tracking/v3/{path.format(order['id'])}", **key).json()

    assert answer == ({"Global": expected} if expected else [])


def test_a_tracking_is_deleted_and_added_but_never_changed(world) -> None:
    shop = world.shop(plugin="ast")
    order = shop.add_order([MUG])
    made = track(shop, order).json()
    path = f"wc-shipment-tracking/v3/orders/{order['id']}/shipment-trackings/{made['tracking_id']}"

    assert said(shop.rest("PUT", path, json={"tracking_number": "N2"})) == (404, "rest_no_route")
    assert shop.rest("DELETE", path).json() == made
    assert said(shop.rest("DELETE", path))[0] == 404
    assert page_of(shop, order)["trackings"] == []


def test_the_same_number_twice_is_two_trackings_and_the_book_knows(world) -> None:
    shop = world.shop(plugin="shipment_tracking")
    order = shop.add_order([MUG])

    track(shop, order, "n 1")
    assert shop.book()["twice"] == []
    track(shop, order, "N1")

    assert [one["number"] for one in page_of(shop, order)["trackings"]] == ["n 1", "N1"]
    assert shop.book()["twice"] == ["N1", "n 1"]


def test_trackings_added_at_once_overwrite_one_another(world) -> None:
    shop = world.shop(plugin="ast")
    order = shop.add_order([MUG])

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: track(shop, order, f"N{number}").status_code, range(8)))

    assert made == [201] * 8
    assert 1 <= len(page_of(shop, order)["trackings"]) < 8


@pytest.mark.parametrize(
    "plugin, fields, status, kept, mails",
    [
        ("ast", {"status_shipped": 1}, "completed", ["OLD", "N1"], [("completed", ["OLD", "N1"])]),
        ("ast", {"status_shipped": 2}, "partial-shipped", ["OLD", "N1"], [("partial-shipped", ["OLD", "N1"])]),
        # not registered in this shop
        ("ast", {"status_shipped": 3}, "processing", ["OLD", "N1"], []),
        ("ast", {"replace_tracking": 1}, "processing", ["N1"], []),
        ("shipment_tracking", {"status_shipped": 1}, "processing", ["OLD", "N1"], []),
        ("shipment_tracking", {"replace_tracking": 1}, "processing", ["OLD", "N1"], []),
    ],
)
def test_only_one_of_the_plugins_ships_and_replaces_in_one_call(world, plugin, fields, status, kept, mails) -> None:
    shop = world.shop(plugin=plugin, statuses=["partial-shipped"])
    order = shop.add_order([MUG])
    track(shop, order, "OLD")

    track(shop, order, **fields)

    page = page_of(shop, order)
    assert (page["status"], [one["number"] for one in page["trackings"]]) == (status, kept)
    assert [(mail["kind"], mail["numbers"]) for mail in page["mails"]] == mails


@pytest.mark.parametrize(
    "plugin, hit",
    [("ast", "5001"), ("shipment_tracking", "5002")],
)
def test_one_plugin_takes_an_id_for_the_number_of_another_order(world, plugin, hit) -> None:
    shop = world.shop(plugin=plugin, sequential_numbers=True, first_number=5002)
    orders = shop.add_orders(2, [MUG])
    assert [(one["id"], one["number"]) for one in orders] == [(5001, "5002"), (5002, "5003")]

    track(shop, orders[1])

    assert [str(one["id"]) for one in shop.book()["orders"] if one["trackings"]] == [hit]


@pytest.mark.parametrize(
    "plugin, first, mailed",
    [
        ("ast", "tracking", ["N1"]),
        ("ast", "status", []),
        ("fulfillments", "tracking", []),
        ("ast+fulfillments", "tracking", []),
    ],
)
def test_the_mail_of_completion_shows_what_the_plugin_knew_at_that_moment(world, plugin, first, mailed) -> None:
    shop = world.shop(plugin=plugin)
    order = shop.add_order([MUG])
    add = track if plugin == "ast" else fulfil

    if first == "tracking":
        add(shop, order)
    put(shop, order, status="completed")
    if first == "status":
        add(shop, order)

    (mail,) = shop.mails(order["id"])
    assert (mail["kind"], mail["number_in_mail"], mail["numbers"]) == ("completed", bool(mailed), mailed)


def test_meta_written_by_hand_is_read_back_by_the_plugin(world) -> None:
    shop = world.shop(plugin="ast")
    order = shop.add_order([MUG])
    track(shop, order, "N1")
    item = {"tracking_provider": "ups", "tracking_number": "N2", "date_shipped": 1772452800, "tracking_id": "a" * 32}

    put(shop, order, meta_data=meta({"_wc_shipment_tracking_items": [item]}))

    listed = shop.rest("GET", f"wc-ast/v3/orders/{order['id']}/shipment-trackings").json()
    assert listed == [
        {
            "tracking_id": "a" * 32,
            "tracking_provider": "UPS",
            "tracking_link": "https://ups.example/track/N2",
            "tracking_number": "N2",
            "date_shipped": "2026-03-02",
        }
    ]


# -- fulfillments


LOCAL, ISO = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


@pytest.mark.parametrize(
    "version, is_wrapped, needs_ids, dates",
    [
        ("10.1.2", True, True, LOCAL),
        ("10.2.2", True, True, LOCAL),
        ("10.3.0", False, True, LOCAL),
        ("10.8.0", False, False, ISO),
        ("10.9.1", False, False, ISO),
    ],
)
def test_a_fulfillments_shape_depends_on_the_release(world, version, is_wrapped, needs_ids, dates) -> None:
    shop = world.shop(plugin="fulfillments", version=version)
    order = shop.add_order([MUG])
    items = {"_items": [{"item_id": order["lines"][0], "qty": 2}]}

    without_ids = fulfil(shop, order, meta_data=meta(items))
    made = fulfil(shop, order).json()
    listed = shop.rest("GET", f"{ORDERS}/{order['id']}/fulfillments").json()

    if needs_ids:
        assert (without_ids.status_code, without_ids.json()["code"]) == (400, 0)
        assert without_ids.json()["message"] == "The fulfillment should contain at least one item."
    else:
        assert without_ids.status_code == 201
    assert (list(made) == ["fulfillment"]) == is_wrapped
    assert isinstance(listed, dict) == is_wrapped
    one = made["fulfillment"] if is_wrapped else made
    again = (listed["fulfillments"] if is_wrapped else listed)[-1]
    assert (one["is_fulfilled"], again["is_fulfilled"]) == (True, "1")
    assert (one["status"], one["entity_id"], one["date_deleted"]) == ("fulfilled", str(order["id"]), None)
    assert re.fullmatch(dates, one["date_updated"])


@pytest.mark.parametrize(
    "items", [[{"item_id": 99999, "qty": 5}], [{"item_id": 51, "qty": 500}], [{"item_id": 51, "qty": 2}]]
)
def test_nothing_in_a_fulfillment_is_compared_with_the_order(world, items) -> None:
    shop = world.shop(plugin="fulfillments")
    order = shop.add_order([MUG])
    assert order["lines"] == [51]
    body = {"meta_data": meta({"_items": items, "_tracking_number": "N1"})}

    made = [fulfil(shop, order, **body).status_code for _ in range(2)]

    assert made == [201, 201]
    assert shop.order(order["id"])["status"] == "processing"
    assert shop.book()["twice"] == ["N1"]


def test_two_parcels_of_one_order_are_nothing_twice(world) -> None:
    shop = world.shop(plugin="fulfillments")
    order = shop.add_order([MUG])

    fulfil(shop, order, "N1", 1)
    part = page_of(shop, order)
    fulfil(shop, order, "N2", 1)

    whole = page_of(shop, order)
    assert [page["meta"]["_fulfillment_status"] for page in (part, whole)] == ["partially_fulfilled", "fulfilled"]
    assert [page["lines"][0]["fulfilled"] for page in (part, whole)] == [1, 2]
    assert [(one["numbers"], one["items"]) for one in whole["fulfillments"]] == [
        (["N1"], [[order["lines"][0], 1]]),
        (["N2"], [[order["lines"][0], 1]]),
    ]
    assert shop.book()["twice"] == []


def test_meta_of_a_fulfillment_is_replaced_as_a_whole(world) -> None:
    shop = world.shop(plugin="fulfillments")
    order = shop.add_order([MUG])
    made = fulfil(shop, order).json()
    path = f"{ORDERS}/{order['id']}/fulfillments/{made['id']}"

    bare = shop.rest("PUT", path, json={"meta_data": meta({"_tracking_number": "N2"})})
    items = {"_items": [{"item_id": order["lines"][0], "qty": 2}], "_tracking_number": "N2"}
    whole = shop.rest("PUT", path, json={"meta_data": meta(items)})

    assert (bare.status_code, bare.json()["code"]) == (400, 0)
    assert (whole.status_code, whole.json()["is_fulfilled"]) == (200, "1")
    assert [one["numbers"] for one in page_of(shop, order)["fulfillments"]] == [["N2"]]


def test_a_deleted_fulfillment_is_marked_and_not_found_any_more(world) -> None:
    shop = world.shop(plugin="fulfillments")
    order = shop.add_order([MUG])
    path = f"{ORDERS}/{order['id']}/fulfillments/{fulfil(shop, order).json()['id']}"

    gone = shop.rest("DELETE", path)
    again = shop.rest("DELETE", path)

    assert gone.status_code == 200
    assert (again.status_code, again.json()) == (
        400,
        {"code": 404, "message": "Fulfillment not found.", "data": {"status": "404"}},
    )
    page = page_of(shop, order)
    assert ([one["deleted"] for one in page["fulfillments"]], page["lines"][0]["fulfilled"]) == ([True], 0)


@pytest.mark.parametrize("notify, mails", [(True, [("fulfillment", ["N1"])]), (False, [])])
def test_a_fulfillment_is_mailed_where_the_request_says_so(world, notify, mails) -> None:
    shop = world.shop(plugin="fulfillments")
    order = shop.add_order([MUG])

    fulfil(shop, order, notify_customer=notify)

    assert [(mail["kind"], mail["numbers"]) for mail in shop.mails(order["id"])] == mails


def test_whose_a_number_is_may_be_looked_up(world) -> None:
    shop = world.shop(plugin="fulfillments")
    order = shop.add_order([MUG])
    path = f"{ORDERS}/{order['id']}/fulfillments/lookup"

    found = shop.rest("GET", path, params={"tracking_number": "1Z999AA10123456784"}).json()["tracking_number_details"]

    assert found["shipping_provider"] == "ups"
    assert [one["ambiguity_score"] for one in found["possibilities"]] == [95]


# -- somebody else in the shop


@pytest.mark.parametrize(
    "plugin, number, status, trackings, fulfillments, notes",
    [
        ("plain", "N1", "completed", [], [], ["Your parcel is on its way: UPS N1"]),
        ("plain", "", "completed", [], [], []),
        ("ast", "N1", "processing", ["N1"], [], []),
        ("ast", "", "completed", [], [], []),
        ("shipment_tracking", "N1", "processing", ["N1"], [], []),
        ("fulfillments", "N1", "processing", [], [["N1"]], []),
        ("fulfillments", "", "processing", [], [[]], []),
        ("ast+fulfillments", "N1", "processing", ["N1"], [], []),
    ],
)
def test_people_ship_in_the_way_of_their_plugin(world, plugin, number, status, trackings, fulfillments, notes) -> None:
    shop = world.shop(plugin=plugin)
    order = shop.add_order([MUG])

    shop.ship_by_hand(order["id"], number, company="UPS")

    page = page_of(shop, order)
    assert (page["status"], [one["number"] for one in page["trackings"]]) == (status, trackings)
    assert [one["numbers"] for one in page["fulfillments"]] == fulfillments
    assert [note["text"] for note in page["notes"]] == notes
    assert [line["fulfilled"] for line in page["lines"]] == [2 if fulfillments else 0]


@pytest.mark.parametrize("plugin", ["ast", "fulfillments"])
def test_people_take_a_number_away_again(world, plugin) -> None:
    shop = world.shop(plugin=plugin)
    order = shop.add_order([MUG])
    shop.ship_by_hand(order["id"], "N1", lines={order["lines"][0]: 1})

    shop.remove_tracking(order["id"], "N1")

    page = page_of(shop, order)
    assert (page["trackings"], [one for one in page["fulfillments"] if not one["deleted"]]) == ([], [])
    assert list(shop.book()["numbers"]) == ["N1"]


def test_a_plugin_that_is_switched_off_takes_its_routes_along(world) -> None:
    shop = world.shop(plugin="ast")
    order = shop.add_order([MUG])
    assert track(shop, order).status_code == 201

    shop.set_plugin("fulfillments")

    assert said(track(shop, order, "N2")) == (404, "rest_no_route")
    assert fulfil(shop, order, "N3").status_code == 201
    with pytest.raises(ValueError, match="unknown plugin 'none'"):
        shop.set_plugin("none")


def test_in_between_somebody_else_may_do_something(world) -> None:
    shop = world.shop(plugin="ast")
    order = shop.add_order([MUG])
    shop.before("create_tracking", "ship_by_hand", order=order["id"], number="THEIRS")

    track(shop, order, "OURS")
    track(shop, order, "OURS, TOO")

    assert [one["number"] for one in page_of(shop, order)["trackings"]] == ["THEIRS", "OURS", "OURS, TOO"]


@pytest.mark.parametrize(
    "plugin, first, early",
    [
        ("plain", None, False),  # nobody can know
        ("ast", None, True),
        ("ast", "number", False),
        ("fulfillments", None, True),
        ("fulfillments", "half", True),
        ("fulfillments", "number", False),
        ("fulfillments", "half, and half is refunded", False),
    ],
)
def test_the_book_knows_what_was_completed_too_early(world, plugin, first, early) -> None:
    shop = world.shop(plugin=plugin)
    order = shop.add_order([MUG, ("PDF", "A book to read", 1, 3.5, False)])
    if first:
        units = None if first == "number" else {order["lines"][0]: 1}
        shop.ship_by_hand(order["id"], "N1", lines=units)
    if first and "refunded" in first:
        shop.refund(order["id"], {order["lines"][0]: 1})

    put(shop, order, status="completed")

    assert shop.book()["early"] == ([order["id"]] if early else [])


# -- webhooks


def hooked(shop: WooShop, topic: str = "order.updated", **fields: Any) -> int:
    """A webhook of this topic, its ping sent to nowhere; its id."""
    body = {"topic": topic, "delivery_url": "https://tracksync.example/hooks/1?of=woo", "secret": "s3cret", **fields}
    made = shop.rest("POST", "wc/v3/webhooks", json=body)
    assert (made.status_code, made.json()["status"]) == (201, "active")
    return made.json()["id"]


def test_a_new_webhook_is_pinged_without_a_signature(shop, receiver) -> None:
    hook = hooked(shop)

    done = shop.deliver_hooks(receiver.address)

    assert done == [{"hook": hook, "topic": "ping", "order": None, "status": 200}]
    ((path, headers, body),) = receiver.got
    assert (path, headers["content-type"], body) == (
        "/hooks/1?of=woo",
        "application/x-www-form-urlencoded",
        f"webhook_id={hook}".encode(),
    )
    assert [name for name in headers if name.startswith("x-wc")] == []


def test_a_ping_that_cannot_arrive_does_no_harm(shop) -> None:
    hook = hooked(shop)

    assert shop.deliver_hooks() == [{"hook": hook, "topic": "ping", "order": None, "status": None}]
    assert [(one["status"], one["failures"]) for one in shop.hooks()] == [("active", 0)]


def test_several_changes_are_one_signed_delivery_of_the_order_as_it_is_then(shop, receiver) -> None:
    hook = hooked(shop, secret="a&amp;b")
    shop.deliver_hooks()
    order = shop.add_order([MUG])
    put(shop, order, customer_note="Leave it at the door")
    put(shop, order, status="completed")

    (done,) = shop.deliver_hooks(receiver.address)
    nothing_more = shop.deliver_hooks(receiver.address)

    assert (done["topic"], done["order"], done["status"], nothing_more) == ("order.updated", order["id"], 200, [])
    ((_, headers, body),) = receiver.got
    assert json.loads(body) == shop.rest("GET", f"{ORDERS}/{order['id']}").json()
    # entities in a secret are resolved before it is used
    made = base64.b64encode(hmac.new(b"a&b", body, hashlib.sha256).digest()).decode()
    told = {name.removeprefix("x-wc-webhook-"): value for name, value in headers.items() if name.startswith("x-wc")}
    assert told == {
        "source": f"{shop.base_url}/",
        "topic": "order.updated",
        "resource": "order",
        "event": "updated",
        "signature": made,
        "id": str(hook),
        "delivery-id": told["delivery-id"],
    }
    assert headers["user-agent"] == "WooCommerce/10.9.1 Hookshot (WordPress/7.0.4)"


@pytest.mark.parametrize(
    "topic, change",
    [
        ("order.created", lambda shop, order: shop.add_order([MUG])),
        ("order.updated", lambda shop, order: shop.touch(order["id"])),
        ("order.deleted", lambda shop, order: shop.trash(order["id"])),
        ("order.deleted", lambda shop, order: shop.delete_order(order["id"])),
        ("order.restored", lambda shop, order: (shop.trash(order["id"]), put(shop, order, status="processing"))),
    ],
)
def test_a_webhook_tells_of_its_topic_alone(shop, topic, change) -> None:
    order = shop.add_order([MUG])
    for one in ("order.created", "order.updated", "order.deleted", "order.restored"):
        hooked(shop, one)
    shop.deliver_hooks()

    change(shop, order)

    told = [one["topic"] for one in shop.deliver_hooks()]
    assert [one for one in told if one == topic or topic != "order.restored"] == [topic]


@pytest.mark.parametrize(
    "statuses, left",
    [
        ([500] * 6, ("active", 6)),
        ([500] * 7, ("disabled", 6)),
        # any success forgives everything; a redirect is one, and is not followed
        ([500] * 6 + [200] + [500] * 6, ("active", 6)),
        ([500] * 6 + [302] + [500] * 6, ("active", 6)),
        ([401] * 7, ("disabled", 6)),
    ],
)
def test_a_webhook_falls_silent_with_the_seventh_failure_in_a_row(shop, receiver, statuses, left) -> None:
    hook = hooked(shop)
    shop.deliver_hooks()
    order = shop.add_order([MUG])
    shop.deliver_hooks(receiver.address)

    for status in statuses:
        receiver.status = status
        shop.touch(order["id"])
        assert [one["status"] for one in shop.deliver_hooks(receiver.address)] == [status]

    assert [(one["status"], one["failures"]) for one in shop.hooks()] == [left]
    assert shop.rest("GET", f"wc/v3/webhooks/{hook}").json()["status"] == left[0]
    shop.touch(order["id"])
    assert len(shop.deliver_hooks(receiver.address)) == (left[0] == "active")


def test_a_silent_webhook_is_woken_by_the_api(shop, receiver) -> None:
    hook = hooked(shop)
    shop.deliver_hooks()
    order = shop.add_order([MUG])
    shop.rest("PUT", f"wc/v3/webhooks/{hook}", json={"status": "disabled"})
    shop.touch(order["id"])
    assert shop.deliver_hooks(receiver.address) == []

    shop.rest("PUT", f"wc/v3/webhooks/{hook}", json={"status": "active"})
    shop.touch(order["id"])

    assert [one["status"] for one in shop.deliver_hooks(receiver.address)] == [200]


@pytest.mark.parametrize(
    "method, path, body, answer",
    [
        ("POST", "", {"delivery_url": "https://x.example"}, (400, "rest_missing_callback_param")),
        (
            "POST",
            "",
            {"topic": "order.shipped", "delivery_url": "https://x.example"},
            (400, "woocommerce_rest_webhook_invalid_topic"),
        ),
        (
            "POST",
            "",
            {"topic": "order.updated", "delivery_url": "x.example"},
            (400, "woocommerce_rest_webhook_invalid_delivery_url"),
        ),
        ("GET", "/99", None, (404, "woocommerce_rest_shop_webhook_invalid_id")),
        ("DELETE", "/1", None, (501, "woocommerce_rest_trash_not_supported")),
        ("DELETE", "/1?force=true", None, (200, None)),
    ],
)
def test_webhooks_are_made_and_deleted_by_the_rules(shop, method, path, body, answer) -> None:
    assert hooked(shop) == 1

    assert said(shop.rest(method, f"wc/v3/webhooks{path}", json=body)) == answer
    assert [one["id"] for one in shop.rest("GET", "wc/v3/webhooks").json()] == ([] if answer[0] == 200 else [1])


# -- one click


CONSENT = {
    "app_name": "TrackSync",
    "scope": "read_write",
    "user_id": "state-1",
    "return_url": "http://127.0.0.1:1/back?store=7",
    "callback_url": "https://tracksync.example/keys/state-1",
}


def browse(shop: WooShop, session: requests.Session, **changes: str) -> requests.Response:
    """Open the page of consent as a browser would, and log in where that is asked for."""
    page = session.get(f"{shop.base_url}/wc-auth/v1/authorize", params={**CONSENT, **changes}, timeout=5)
    if "/wc-auth/v1/login/" not in page.url:
        return page
    target = re.search(r'name="redirect_to" value="([^"]+)"', page.text)
    given = {"log": "manager", "pwd": "let-me-in", "redirect_to": target[1].replace("&amp;", "&")}
    return session.post(f"{shop.base_url}/wp-login.php", data=given, timeout=5)


def link(page: requests.Response, kind: str) -> str:
    """Where "Approve" or "Deny" leads."""
    return re.search(rf'class="wc-auth-{kind}" href="([^"]+)"', page.text)[1].replace("&amp;", "&")


@pytest.fixture
def browser() -> Iterator[requests.Session]:
    """What a browser keeps: cookies."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


def test_approving_sends_keys_to_the_callback_and_the_browser_back(world, receiver, browser) -> None:
    shop = world.shop()
    shop.settings(callback_to=receiver.address)
    page = browse(shop, browser)
    assert [one for one in ("coupons", "customers", "orders", "products", "webhooks") if one not in page.text] == []

    back = browser.get(link(page, "approve"), allow_redirects=False, timeout=5)

    assert (back.status_code, back.headers["Location"]) == (
        302,
        "http://127.0.0.1:1/back?store=7&success=1&user_id=state-1",
    )
    ((path, headers, body),) = receiver.got
    keys = json.loads(body)
    assert (path, keys["user_id"], keys["key_permissions"]) == ("/keys/state-1", "state-1", "read_write")
    assert sorted(keys) == ["consumer_key", "consumer_secret", "key_id", "key_permissions", "user_id"]
    assert headers["content-type"].startswith("application/json")
    assert said(shop.rest("GET", ORDERS, auth=(keys["consumer_key"], keys["consumer_secret"]))) == (200, None)


def test_denying_sends_the_browser_back_and_makes_no_key(world, receiver, browser) -> None:
    shop = world.shop()
    shop.settings(callback_to=receiver.address)

    where = link(browse(shop, browser), "deny")

    assert where == "http://127.0.0.1:1/back?store=7&success=0&user_id=state-1"
    assert receiver.got == []


@pytest.mark.parametrize("status", [201, 204, 302, 500])
def test_a_callback_that_does_not_answer_200_gets_no_key(world, receiver, browser, status) -> None:
    shop = world.shop()
    shop.settings(callback_to=receiver.address)
    receiver.status = status

    back = browser.get(link(browse(shop, browser), "approve"), allow_redirects=False, timeout=5)

    assert back.status_code == 401
    assert "An error occurred in the request" in back.text
    keys = json.loads(receiver.got[0][2])
    assert said(shop.rest("GET", ORDERS, auth=(keys["consumer_key"], keys["consumer_secret"]))) == SEES_NOTHING


@pytest.mark.parametrize(
    "options, changes, words",
    [
        ({}, {"callback_url": "http://tracksync.example/keys"}, "needs to be over SSL"),
        ({}, {"scope": "everything"}, "Invalid scope everything"),
        ({}, {"user_id": ""}, "Missing parameter user_id"),
        ({"has_woocommerce": False}, {}, "Page not found"),
        ({"plain_permalinks": True}, {}, "Page not found"),
    ],
)
def test_consent_is_not_asked_for_where_the_request_is_wrong(world, browser, options, changes, words) -> None:
    page = browse(world.shop(**options), browser, **changes)

    assert page.status_code in (401, 404)
    assert words in page.text


def test_a_lenient_shop_takes_a_callback_without_tls(world, receiver, browser) -> None:
    shop = world.shop(lenient_callback=True)

    page = browse(shop, browser, callback_url=f"{receiver.address}/keys")
    browser.get(link(page, "approve"), allow_redirects=False, timeout=5)

    assert [path for path, _, _ in receiver.got] == ["/keys"]


def test_who_is_no_manager_may_not_give_keys_away(world, receiver, browser) -> None:
    shop = world.shop(user="customer")
    shop.settings(callback_to=receiver.address)

    back = browser.get(link(browse(shop, browser), "approve"), allow_redirects=False, timeout=5)

    assert (back.status_code, "do not have permission" in back.text, receiver.got) == (401, True, [])


def test_a_wrong_password_opens_nothing(world, browser) -> None:
    shop = world.shop()

    given = {"log": "manager", "pwd": "guess", "redirect_to": f"{shop.base_url}/"}
    page = browser.post(f"{shop.base_url}/wp-login.php", data=given, timeout=5)

    assert "The username or password you entered is incorrect" in page.text
    assert browser.get(f"{shop.base_url}/wc-auth/v1/authorize", params=CONSENT, timeout=5).url.startswith(
        f"{shop.base_url}/wc-auth/v1/login/"
    )


@pytest.mark.parametrize("options", [{}, {"plain_permalinks": True}])
def test_consent_is_also_asked_for_by_parameters(world, receiver, browser, options) -> None:
    shop = world.shop(**options)
    shop.settings(callback_to=receiver.address)
    asked = {"wc-auth-version": "1", "wc-auth-route": "authorize", **CONSENT}
    login = browser.get(f"{shop.base_url}/", params=asked, timeout=5)
    target = re.search(r'name="redirect_to" value="([^"]+)"', login.text)[1].replace("&amp;", "&")

    given = {"log": "manager", "pwd": "let-me-in", "redirect_to": target}
    page = browser.post(f"{shop.base_url}/wp-login.php", data=given, timeout=5)
    back = browser.get(link(page, "approve"), allow_redirects=False, timeout=5)

    assert (back.status_code, len(receiver.got)) == (302, 1)


# -- what goes wrong on the way


NOT_JSON = "text/html"
JSON = "application/json"


@pytest.mark.parametrize(
    "kind, status, content_type, headers, is_written",
    [
        ("429", 429, NOT_JSON, {"Retry-After": "7"}, False),
        ("500", 500, NOT_JSON, {}, False),
        ("500_after", 500, NOT_JSON, {}, True),
        ("502_html", 502, NOT_JSON, {}, False),
        ("502_after", 502, NOT_JSON, {}, True),
        ("503", 503, NOT_JSON, {}, False),
        ("504_after", 504, NOT_JSON, {}, True),
        ("504", 504, NOT_JSON, {}, False),
        ("408", 408, NOT_JSON, {}, False),
        ("413", 413, NOT_JSON, {}, False),
        ("520", 520, NOT_JSON, {}, False),
        ("html_200", 200, NOT_JSON, {}, False),
        ("302", 302, NOT_JSON, {"Location": "{elsewhere}"}, False),
        ("401", 401, JSON, {}, False),
        ("402", 402, NOT_JSON, {}, False),
        ("404", 404, NOT_JSON, {}, False),
        ("406", 406, NOT_JSON, {}, False),
        ("waf_403", 403, NOT_JSON, {}, False),
        ("cloudflare_503", 503, NOT_JSON, {"CF-Mitigated": "challenge"}, False),
        ("maintenance", 503, NOT_JSON, {"Retry-After": "600"}, False),
        ("rest_no_route", 404, JSON, {}, False),
        ("critical_500", 500, JSON, {}, False),
        ("critical_500_after", 500, JSON, {}, True),
        ("login_wall", 401, JSON, {}, False),
        ("cut_json", 201, JSON, {}, True),
        ("empty_200", 200, JSON, {}, True),
        ("php_warning", 201, NOT_JSON, {}, True),
        ("bom", 201, JSON, {}, True),
        ("huge", 200, JSON, {}, False),
        ("slow", 201, JSON, {}, True),
    ],
)
def test_a_fault_answers_like_this(world, kind, status, content_type, headers, is_written) -> None:
    shop = world.shop(plugin="ast")
    order = shop.add_order([MUG])
    shop.fault(kind, on="create_tracking", times=1, seconds=7 if kind == "429" else 0.2)

    answer = track(shop, order)

    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (status, content_type)
    elsewhere = answer.url.replace("127.0.0.1", "localhost")
    assert {name: answer.headers[name] for name in headers} == {
        name: value.format(elsewhere=elsewhere) for name, value in headers.items()
    }
    assert [one["number"] for one in page_of(shop, order)["trackings"]] == (["N1"] if is_written else [])
    assert shop.book()["faults"] == {kind: 1}
    # and then the weather is fair again
    assert track(shop, order, "N2").status_code == 201


@pytest.mark.parametrize(
    "kind, is_written",
    [
        ("reset_before", False),
        ("reset_after", True),
        ("timeout", False),
        ("timeout_after", True),
        ("cut_body", True),
        ("late", True),
    ],
)
@pytest.mark.parametrize("is_secure", [False, True])
def test_a_fault_ends_the_connection_like_this(world, secure, kind, is_written, is_secure) -> None:
    shop = (secure if is_secure else world).shop(plugin="ast")
    order = shop.add_order([MUG])
    shop.fault(kind, on="mutation", times=1, seconds=0.3)

    with pytest.raises(requests.RequestException):
        shop.rest(
            "POST",
            f"wc-ast/v3/orders/{order['id']}/shipment-trackings",
            json={"tracking_number": "N1"},
            timeout=0.5,
        )

    expected = ["N1"] if is_written else []
    assert until(lambda: [one["number"] for one in page_of(shop, order)["trackings"]] == expected)
    assert until(lambda: shop.book()["faults"] == {kind: 1})


def test_a_trickle_comes_to_an_end(world) -> None:
    shop = world.shop(plugin="ast")
    order = shop.add_order([MUG])
    shop.fault("drip", on="create_tracking", times=1, seconds=0.4)

    began = time.monotonic()
    answer = track(shop, order)

    assert (answer.status_code, answer.json()["tracking_number"]) == (201, "N1")
    assert time.monotonic() - began >= 0.4


@pytest.mark.parametrize(
    "kind, start", [("php_warning", "<br />\n<b>Warning</b>"), ("bom", "\ufeff{"), ("cut_json", "{")]
)
def test_noise_around_json_keeps_what_is_in_it(world, kind, start) -> None:
    shop = world.shop(plugin="ast")
    order = shop.add_order([MUG])
    shop.fault(kind, on="create_tracking", times=1)

    answer = track(shop, order)
    answer.encoding = "utf-8"

    assert answer.text.startswith(start)
    with pytest.raises(ValueError, match=r"."):
        json.loads(answer.text)
    whole = '"tracking_number": "N1"' in answer.text and answer.text.endswith("}")
    assert whole == (kind != "cut_json")


def test_a_shop_may_warn_before_every_answer(world) -> None:
    shop = world.shop(php_warning=True)
    shop.add_order([MUG])

    answer = shop.rest("GET", ORDERS)

    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text.startswith("<br />\n<b>Warning</b>")
    assert json.loads(answer.text[answer.text.index("[{") :])[0]["number"] == "1001"


@pytest.mark.parametrize(
    "on, hit",
    [
        ("all", ["read", "note", "status", "meta", "track"]),
        ("read", ["read"]),
        ("mutation", ["note", "status", "meta", "track"]),
        ("list_orders", ["read"]),
        ("note", ["note"]),
        ("status", ["status"]),
        ("meta", ["meta"]),
        ("update_order", ["status", "meta"]),
        ("create_tracking", ["track"]),
        ("create_fulfillment", []),
    ],
)
def test_a_fault_hits_the_operation_it_is_on(world, on, hit) -> None:
    shop = world.shop(plugin="ast")
    order = shop.add_order([MUG])
    shop.fault("503", on=on)
    path = f"{ORDERS}/{order['id']}"

    answers = {
        "read": shop.rest("GET", ORDERS),
        "note": shop.rest("POST", f"{path}/notes", json={"note": "Hello"}),
        "status": put(shop, order, status="completed"),
        "meta": put(shop, order, meta_data=meta({"a": 1})),
        "track": track(shop, order),
    }
    shop.clear_faults()

    assert [name for name, answer in answers.items() if answer.status_code == 503] == hit
    assert shop.rest("GET", ORDERS).status_code == 200


def test_a_fault_that_nobody_knows_is_refused(shop) -> None:
    with pytest.raises(ValueError, match="unknown fault 'throttled' on 'all'"):
        shop.fault("throttled")
    with pytest.raises(ValueError, match="unknown fault '503' on 'everything'"):
        shop.fault("503", on="everything")


def test_a_storm_falls_as_its_seed_says(world) -> None:
    def weather(seed: int) -> list[int]:
        shop = world.shop(seed=seed)
        shop.fault("503", probability=0.5)
        return [shop.rest("GET", ORDERS).status_code for _ in range(20)]

    first = weather(3)

    assert (weather(3), set(first)) == (first, {200, 503})
    assert weather(4) != first


# -- the book, the pages, the process


def test_the_book_counts_what_came_in_and_what_was_written(world) -> None:
    shop = world.shop(plugin="ast")
    order = shop.add_order([MUG])
    shop.fault("429", on="list_orders", times=1)
    for _ in range(2):
        shop.rest("GET", ORDERS)
    track(shop, order)
    put(shop, order, status="completed")
    put(shop, order, status="nonsense")
    shop.rest("GET", ORDERS, auth=None, params=shop.credentials)

    book = shop.book()

    assert book["counts"] == {
        "requests": 6,
        "reads": 2,
        "mutations": {"create_tracking": 1, "status": 1},
        "refused": {"rest_invalid_param": 1},
        "throttled": 1,
        "in_query": 1,
        "most_overlapping": 1,
    }
    assert [(one["operations"], one["order"]) for one in book["writes"]] == [
        (["create_tracking"], order["id"]),
        (["status"], order["id"]),
    ]
    assert sorted(book) == sorted(
        ["shop", "orders", "counts", "numbers", "twice", "early", "writes", "faults"],
    )
    assert sorted(book["orders"][0]) == sorted(
        [
            *("id", "number", "status", "date_paid", "date_completed", "stock_reduced", "lines", "trackings"),
            *("fulfillments", "notes", "meta", "mails", "status_log"),
        ]
    )


def test_two_shops_know_nothing_of_one_another_but_their_ids_are_the_same(world) -> None:
    one, other = world.shop(), world.shop()
    order = one.add_order([MUG], number="ONLY-1")

    assert other.add_order([MUG])["id"] == order["id"]
    assert said(other.rest("GET", ORDERS, auth=(one.consumer_key, one.consumer_secret))) == SEES_NOTHING
    with pytest.raises(ValueError, match="no order 'ONLY-1'"):
        other.order("ONLY-1")
    assert one.order("ONLY-1") == order


def test_a_certificate_of_its_own_authority_is_trusted_by_those_who_know_it(secure) -> None:
    shop = secure.shop()

    assert shop.base_url.startswith("https://127.0.0.1:")
    assert said(shop.rest("GET", ORDERS)) == (200, None)
    local = shop.base_url.replace("127.0.0.1", "localhost")
    assert requests.get(f"{local}/wp-json/?_fields=name", verify=secure.ca_bundle, timeout=5).json() == {
        "name": shop.name
    }
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(shop.base_url, timeout=5)


def test_a_server_that_runs_already_can_be_used(secure) -> None:
    shop = secure.shop()

    again = PretendWooCommerce(address=secure.address).start()

    assert (again.pid, again.ca_bundle) == (None, secure.ca_bundle)
    assert shop.name in again.control("shops")
    again.stop()
    assert said(shop.rest("GET", ORDERS)) == (200, None)


def test_people_see_orders_and_numbers(world) -> None:
    shop = world.shop(plugin="ast")
    order = shop.add_order([("TEA", "Tea <strong>", 3)])
    track(shop, order, "N1", tracking_provider="UPS")
    put(shop, order, status="completed")

    text = requests.get(shop.base_url, timeout=5).text

    assert "Tea &lt;strong&gt;" in text
    assert '<a href="https://ups.example/track/N1"' in text
    assert "shopper mailed" in text
    assert f'href="/{shop.name}/"' in requests.get(f"{world.address}/", timeout=5).text
    assert requests.get(f"{world.address}/nobody/", timeout=5).status_code == 404


def test_requests_from_many_at_once_are_served_at_once(world) -> None:
    shop = world.shop(latency_ms=100)

    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: shop.rest("GET", ORDERS).status_code, range(40)))

    assert answers == [200] * 40
    # One after the other they would take four seconds.
    assert time.monotonic() - began < 3
    assert shop.book()["counts"]["most_overlapping"] > 5
