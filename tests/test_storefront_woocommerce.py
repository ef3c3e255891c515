"""The pretend WooCommerce's main habits, over real HTTP(S): what our other tests take for granted of a store.

Nothing of ours is tested here. A test that fails says that the pretend store lies. Each trap of a real store stands in
a table. Here: what the store says of itself, whom it lets in, and what it lets them read. The files beside it hold
orders (`_orders`), parcels (`_parcels`), the store's own calls (`_calls`), and what goes wrong (`_weather`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
import urllib.parse
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from tests.storefronts.woo import PretendWooCommerce, WooShop
from tests.storefronts.woo_asking import (
    MUG,
    ORDERS,
    REFUSED,
    SEES_NOTHING,
    numbers,
    said,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # 13:00 in Berlin


@pytest.fixture
def shop(pretend_woo: PretendWooCommerce) -> WooShop:
    """A plain shop of the test's own."""
    return pretend_woo.shop()


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
def test_the_index_tells_everybody_which_plugins_answer(pretend_woo, options, answering) -> None:
    shop = pretend_woo.shop(**options)

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


def test_a_shop_without_a_city_tells_its_offset_alone(pretend_woo) -> None:
    index = pretend_woo.shop(time_zone="+05:30").rest("GET", "?_fields=timezone_string,gmt_offset").json()

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
def test_fulfillments_are_found_by_asking_for_some(pretend_woo, options, has_order, auth, answer) -> None:
    shop = pretend_woo.shop(**options, first_number=1)
    if has_order:
        shop.add_order([MUG])

    key = {} if auth else {"auth": None}
    assert said(shop.rest("GET", f"{ORDERS}/1/fulfillments", **key)) == answer


@pytest.mark.parametrize("plugin, body", [("plain", []), ("fulfillments", {"methods": ["GET", "POST"]})])
def test_options_is_no_probe_as_all_is_well_either_way(pretend_woo, plugin, body) -> None:
    answer = pretend_woo.shop(plugin=plugin).rest("OPTIONS", f"{ORDERS}/1/fulfillments")

    assert (answer.status_code, answer.json()) == (200, body)


@pytest.mark.parametrize(
    "options, root",
    [({}, "/wp-json/"), ({"plain_permalinks": True}, "/index.php?rest_route=/")],
)
def test_the_home_page_tells_where_the_api_is(pretend_woo, options, root) -> None:
    shop = pretend_woo.shop(**options)

    for ask in (requests.head, requests.get):
        assert ask(shop.base_url, timeout=5).headers["Link"] == f'<{shop.base_url}{root}>; rel="https://api.w.org/"'


@pytest.mark.parametrize(
    "path, in_uri, answer",
    [
        ("/wc/v3/orders", "", (401, "woocommerce_rest_cannot_view")),
        ("/wc/v3/orders", "&_=/wp-json/wc/", (200, None)),
    ],
)
def test_with_plain_permalinks_a_key_counts_only_where_the_address_looks_right(
    pretend_woo, path, in_uri, answer
) -> None:
    shop = pretend_woo.shop(plain_permalinks=True)

    with requests.Session() as session:
        key = (shop.consumer_key, shop.consumer_secret)
        by_parameter = session.get(f"{shop.base_url}/?rest_route={path}{in_uri}", auth=key, timeout=5)
        by_path = session.get(f"{shop.base_url}/wp-json{path}", auth=key, timeout=5)

    assert said(by_parameter) == answer
    assert [one.status_code for one in (*by_path.history, by_path)] == [301, 200]
    assert by_path.headers["Content-Type"].startswith("text/html")


def test_a_shop_that_moved_sends_everybody_to_its_new_address(pretend_woo) -> None:
    old, new = pretend_woo.shop(), pretend_woo.shop()
    old.settings(moved_to=new.base_url)

    answer = old.rest("GET", f"{ORDERS}?per_page=1")

    assert (answer.status_code, answer.headers["Location"]) == (301, f"{new.base_url}/wp-json/{ORDERS}?per_page=1")


@pytest.mark.parametrize(
    "version, statuses", [("10.9.1", (200, None)), ("9.9.5", (200, None)), ("8.4.0", (404, "rest_no_route"))]
)
def test_the_version_tells_what_there_is(pretend_woo, version, statuses) -> None:
    shop = pretend_woo.shop(version=version, statuses=["partial-shipped"])

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
def test_an_order_list_is_for_those_who_may_see_it(pretend_woo, options, asks, answer) -> None:
    shop = pretend_woo.shop(**options)

    assert said(shop.rest("GET", ORDERS, **asks(shop))) == answer


def test_an_unknown_key_a_lost_header_and_plain_http_are_told_in_the_very_same_words(pretend_woo) -> None:
    answers = [
        pretend_woo.shop().rest("GET", ORDERS, auth=("ck_unknown", "cs_unknown")),
        pretend_woo.shop(strips_authorization=True).rest("GET", ORDERS),
        pretend_woo.shop(thinks_http=True).rest("GET", ORDERS),
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
def test_writing_is_refused_by_verb(pretend_woo, options, method, path, body, answer) -> None:
    shop = pretend_woo.shop(**options)
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
def test_filters_find_what_the_store_thinks_fits(pretend_woo, params, found) -> None:
    shop = pretend_woo.shop(statuses=["partial-shipped"])
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
def test_an_orders_number_is_its_id_unless_a_plugin_counts(pretend_woo, options, given, expected) -> None:
    order = pretend_woo.shop(**options).add_order([MUG], **given)

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
def test_an_order_that_was_deleted_is_gone_everywhere(pretend_woo, method, path, body, answer) -> None:
    shop = pretend_woo.shop(plugin="ast+fulfillments")
    order = shop.add_order([MUG])
    shop.delete_order(order["id"])

    assert said(shop.rest(method, f"{ORDERS}/{order['id']}{path}", json=body)) == answer


def test_a_slash_too_many_leads_nowhere_and_one_at_the_end_does_no_harm(shop) -> None:
    assert said(shop.rest("GET", "/wc/v3/orders")) == (404, "rest_no_route")
    assert said(shop.rest("GET", "wc/v3/orders/?per_page=1")) == (200, None)
    assert said(shop.rest("GET", "wc/v4/fulfillments")) == (404, "rest_no_route")
