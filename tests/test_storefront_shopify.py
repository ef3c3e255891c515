"""The pretend Shopify's main habits, over real HTTP: what our other tests take for granted of a store.

Nothing of ours is tested here. A test that fails says that the pretend store lies.
"""

from __future__ import annotations

import concurrent.futures
import datetime
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from tests.storefronts.client import PretendShopify, Shop
from tests.storefronts.replay.__main__ import AGREES, CONTRADICTION, run
from tests.storefronts.replay.order import load

CREATE = """mutation($f: FulfillmentInput!) { fulfillmentCreate(fulfillment: $f) {
  fulfillment { id status totalQuantity trackingInfo(first: 10) { company number url } }
  userErrors { field message } } }"""
UPDATE = """mutation($id: ID!, $t: FulfillmentTrackingInput!, $n: Boolean) {
  fulfillmentTrackingInfoUpdate(fulfillmentId: $id, trackingInfoInput: $t, notifyCustomer: $n) {
  fulfillment { status trackingInfo(first: 10) { company number url } } userErrors { field message } } }"""
CANCEL = "mutation($id: ID!) { fulfillmentCancel(id: $id) { fulfillment { status } userErrors { field message } } }"
ORDER = """query($id: ID!) { order(id: $id) { displayFinancialStatus displayFulfillmentStatus closed cancelReason
  fulfillmentOrders(first: 10) { nodes { id status supportedActions { action }
    lineItems(first: 10) { nodes { totalQuantity remainingQuantity } } } } } }"""
NAMES = """query($query: String, $first: Int = 50, $after: String) {
  orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {
    pageInfo { hasNextPage endCursor } nodes { name } } }"""
MUG = ("MUG-1", "A mug", 2)


@pytest.fixture(scope="module")
def world() -> Iterator[PretendShopify]:
    """One process for all tests of this module."""
    with PretendShopify() as started:
        yield started


@pytest.fixture
def shop(world: PretendShopify) -> Shop:
    """A shop of the test's own."""
    return world.shop()


def data(answer: requests.Response) -> dict[str, Any]:
    """The data of an answer that has no errors."""
    body = answer.json()
    assert body.get("errors") is None, body
    return body["data"]


def group(fo: dict[str, Any], *units: int) -> dict[str, Any]:
    """What of a fulfilment order is fulfilled: all that is left, or units of its first lines."""
    lines = [{"id": line["id"], "quantity": count} for line, count in zip(fo["lines"], units, strict=False)]
    return {"fulfillmentOrderId": fo["id"], **({"fulfillmentOrderLineItems": lines} if units else {})}


def create(shop: Shop, groups: list[dict[str, Any]], number: str = "N1", notify: bool = False) -> dict[str, Any]:
    """The payload of one fulfillmentCreate."""
    tracking = {"company": "YunExpress", "numbers": [number], "urls": [f"https://track.example/{number}"]}
    wanted = {"lineItemsByFulfillmentOrder": groups, "trackingInfo": tracking, "notifyCustomer": notify}
    return data(shop.graphql(CREATE, {"f": wanted}))["fulfillmentCreate"]


def fos(shop: Shop, order: dict[str, Any]) -> list[tuple[str, list[str], list[tuple[int, int]]]]:
    """(status, supported actions, [(total, remaining)]) of an order's fulfilment orders, as the API tells them."""
    nodes = data(shop.graphql(ORDER, {"id": order["id"]}))["order"]["fulfillmentOrders"]["nodes"]
    return [
        (
            fo["status"],
            [one["action"] for one in fo["supportedActions"]],
            [(line["totalQuantity"], line["remainingQuantity"]) for line in fo["lineItems"]["nodes"]],
        )
        for fo in nodes
    ]


def until(true: Callable[[], bool], seconds: float = 5) -> bool:
    """Whether it becomes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return False


# -- fulfillments


def test_without_lines_all_that_is_left_is_fulfilled(shop: Shop) -> None:
    order = shop.add_order([MUG, ("TEA-1", "Tea", 3)])

    made = create(shop, [group(order["fulfillment_orders"][0])])

    assert made["userErrors"] == []
    assert made["fulfillment"]["totalQuantity"] == 5
    assert fos(shop, order) == [("CLOSED", [], [(2, 0), (3, 0)])]
    assert shop.order("#1001")["status"] == "FULFILLED"


def test_the_same_partial_create_twice_makes_two_fulfillments_and_the_book_knows(shop: Shop) -> None:
    order = shop.add_order([MUG])
    part = group(order["fulfillment_orders"][0], 1)

    first, second = create(shop, [part]), create(shop, [part])

    assert [first["userErrors"], second["userErrors"]] == [[], []]
    assert first["fulfillment"]["id"] != second["fulfillment"]["id"]
    assert shop.book()["twice"] == {"#1001": {order["lines"][0]: 1}}


def test_two_parcels_of_one_order_are_nothing_twice(shop: Shop) -> None:
    order = shop.add_order([MUG])
    part = group(order["fulfillment_orders"][0], 1)

    create(shop, [part], "N1")
    create(shop, [part], "N2")

    assert shop.book()["twice"] == {}
    assert [one["numbers"] for one in shop.book()["orders"][0]["fulfillments"]] == [["N1"], ["N2"]]


def closed_already(shop: Shop) -> list[dict[str, Any]]:
    order = shop.add_order([MUG])
    shop.fulfil_by_hand(order["id"])
    return [group(order["fulfillment_orders"][0])]


def on_hold(shop: Shop) -> list[dict[str, Any]]:
    order = shop.add_order([MUG])
    shop.hold(order["id"])
    return [group(order["fulfillment_orders"][0])]


def too_many(shop: Shop) -> list[dict[str, Any]]:
    return [group(shop.add_order([MUG])["fulfillment_orders"][0], 3)]


def none_of_it(shop: Shop) -> list[dict[str, Any]]:
    return [group(shop.add_order([MUG])["fulfillment_orders"][0], 0)]


def an_unknown_one(shop: Shop) -> list[dict[str, Any]]:
    return [{"fulfillmentOrderId": "gid://shopify/FulfillmentOrder/1"}]


def anothers_line(shop: Shop) -> list[dict[str, Any]]:
    one, other = (shop.add_order([MUG])["fulfillment_orders"][0] for _ in range(2))
    return [{**group(one, 1), "fulfillmentOrderLineItems": group(other, 1)["fulfillmentOrderLineItems"]}]


def two_orders(shop: Shop) -> list[dict[str, Any]]:
    return [group(shop.add_order([MUG])["fulfillment_orders"][0]) for _ in range(2)]


def two_places(shop: Shop) -> list[dict[str, Any]]:
    shop.add_location("Attic")
    order = shop.add_order([MUG, {"sku": "TEA-1", "title": "Tea", "location": "Attic"}])
    return [group(fo) for fo in order["fulfillment_orders"]]


QUANTITY = [*["fulfillment", "lineItemsByFulfillmentOrder", "0", "fulfillmentOrderLineItems", "0", "quantity"]]


@pytest.mark.parametrize(
    "asked, field, words",
    [
        (closed_already, ["fulfillment"], "Fulfillment order {fo} has an unfulfillable status= closed."),
        (on_hold, ["fulfillment"], "Fulfillment order {fo} has an unfulfillable status= on_hold."),
        (too_many, ["fulfillment"], "Invalid fulfillment order line item quantity requested."),
        (none_of_it, QUANTITY, "Quantity must be greater than 0"),
        (an_unknown_one, ["fulfillment"], "Fulfillment order does not exist."),
        (anothers_line, ["fulfillment"], "Fulfillment order line item does not exist."),
        (
            two_orders,
            ["fulfillment"],
            "All fulfillment orders must belong to the same order. Multiple orders with ids {orders} were found.",
        ),
        (
            two_places,
            ["fulfillment"],
            "All fulfillment orders must be assigned to a single location."
            " Multiple locations with ids {places} were found.",
        ),
    ],
)
def test_a_create_is_refused_as_a_whole(shop: Shop, asked: Any, field: list[str], words: str) -> None:
    groups = asked(shop)
    before = shop.book()["orders"]

    refused = create(shop, groups)

    facts = {
        "fo": groups[0]["fulfillmentOrderId"].rsplit("/", 1)[1],
        "orders": sorted(int(one["id"].rsplit("/", 1)[1]) for one in before),
        "places": sorted(int(gid.rsplit("/", 1)[1]) for gid in shop.locations.values()),
    }
    assert refused == {"fulfillment": None, "userErrors": [{"field": field, "message": words.format(**facts)}]}
    assert shop.book()["orders"] == before


def test_a_cancelled_fulfillment_leaves_its_fulfilment_order_closed_and_opens_a_new_one(shop: Shop) -> None:
    order = shop.add_order([MUG])
    old = order["fulfillment_orders"][0]["id"]
    made = create(shop, [group(order["fulfillment_orders"][0])])["fulfillment"]["id"]

    answers = [data(shop.graphql(CANCEL, {"id": made}))["fulfillmentCancel"] for _ in range(2)]

    assert answers == [{"fulfillment": {"status": "CANCELLED"}, "userErrors": []}] * 2
    now = shop.order(order["id"])["fulfillment_orders"]
    assert [fo["status"] for fo in now] == ["CLOSED", "OPEN"]
    assert [fo["id"] == old for fo in now] == [True, False]
    assert fos(shop, order) == [
        ("CLOSED", [], [(2, 2)]),
        ("OPEN", ["CREATE_FULFILLMENT", "REPORT_PROGRESS", "MOVE", "HOLD", "SPLIT"], [(2, 2)]),
    ]


def test_a_tracking_update_replaces_the_whole_list_and_is_accepted_on_a_cancelled_fulfillment(shop: Shop) -> None:
    order = shop.add_order([MUG])
    made = create(shop, [group(order["fulfillment_orders"][0])])["fulfillment"]["id"]
    shop.cancel_fulfillment(made)

    tracking = {"company": "UPS", "numbers": ["A", "B"], "urls": ["https://a.example/A"]}
    answer = data(shop.graphql(UPDATE, {"id": made, "t": tracking, "n": False}))

    assert answer["fulfillmentTrackingInfoUpdate"] == {
        "fulfillment": {
            "status": "CANCELLED",
            "trackingInfo": [
                {"company": "UPS", "number": "A", "url": "https://a.example/A"},
                {"company": "UPS", "number": "B", "url": "https://www.ups.com/track?tracknum=B"},
            ],
        },
        "userErrors": [],
    }


@pytest.mark.parametrize(
    "document, variables, payload",
    [
        (UPDATE, {"t": {"number": "1"}}, {"field": ["fulfillmentId"], "message": "Fulfillment does not exist."}),
        (CANCEL, {}, {"field": ["id"], "message": "Fulfillment not found."}),
    ],
)
def test_an_unknown_fulfillment_has_two_names(
    shop: Shop, document: str, variables: dict[str, Any], payload: dict[str, Any]
) -> None:
    answer = data(shop.graphql(document, {"id": "gid://shopify/Fulfillment/1", **variables}))

    assert list(answer.values()) == [{"fulfillment": None, "userErrors": [payload]}]


def test_aliased_mutations_run_one_after_another_each_with_its_own_errors(shop: Shop) -> None:
    order = shop.add_order([MUG])
    fo = order["fulfillment_orders"][0]
    document = """mutation($a: FulfillmentInput!) {
      one: fulfillmentCreate(fulfillment: $a) { fulfillment { status } userErrors { message } }
      two: fulfillmentCreate(fulfillment: $a) { fulfillment { status } userErrors { message } } }"""

    answer = data(shop.graphql(document, {"a": {"lineItemsByFulfillmentOrder": [group(fo)]}}))

    words = f"Fulfillment order {fo['id'].rsplit('/', 1)[1]} has an unfulfillable status= closed."
    assert answer == {
        "one": {"fulfillment": {"status": "SUCCESS"}, "userErrors": []},
        "two": {"fulfillment": None, "userErrors": [{"message": words}]},
    }


# -- fulfilment orders and orders


def nothing(shop: Shop, order: dict[str, Any]) -> None:
    """The order stands as it was placed."""


def it_is_put_on_hold(shop: Shop, order: dict[str, Any]) -> None:
    shop.hold(order["id"])


def the_hold_is_released(shop: Shop, order: dict[str, Any]) -> None:
    shop.hold(order["id"])
    shop.release(order["id"])


def it_is_scheduled(shop: Shop, order: dict[str, Any]) -> None:
    shop.schedule(order["id"], "2030-01-01")


def progress_is_reported(shop: Shop, order: dict[str, Any]) -> None:
    shop.report_progress(order["id"])


def one_of_two_is_fulfilled(shop: Shop, order: dict[str, Any]) -> None:
    shop.fulfil_by_hand(order["id"], units={order["lines"][0]: 1})


def it_is_fulfilled_by_hand(shop: Shop, order: dict[str, Any]) -> None:
    shop.fulfil_by_hand(order["id"])


def it_is_cancelled(shop: Shop, order: dict[str, Any]) -> None:
    shop.cancel_order(order["id"])


def it_is_cancelled_without_refund(shop: Shop, order: dict[str, Any]) -> None:
    shop.cancel_order(order["id"], refund=False)


def it_is_paid(shop: Shop, order: dict[str, Any]) -> None:
    shop.mark_paid(order["id"])


def one_of_two_is_refunded(shop: Shop, order: dict[str, Any]) -> None:
    shop.refund(order["id"], {order["lines"][0]: 1})


def some_money_is_refunded(shop: Shop, order: dict[str, Any]) -> None:
    shop.refund(order["id"], amount=5)


def it_is_refunded(shop: Shop, order: dict[str, Any]) -> None:
    shop.refund(order["id"])


def one_is_edited_away_and_another_in(shop: Shop, order: dict[str, Any]) -> None:
    shop.edit(order["id"], add=[("TEA-1", "Tea", 1)], remove={order["lines"][0]: 1})


def it_is_moved_to_anothers_service(shop: Shop, order: dict[str, Any]) -> None:
    shop.add_location("Other's", service="Other")
    shop.move(order["id"], "Other's")


def one_of_two_is_moved(shop: Shop, order: dict[str, Any]) -> None:
    shop.add_location("Attic")
    shop.move(order["id"], "Attic", {order["lines"][0]: 1})


OPEN = ["CREATE_FULFILLMENT", "REPORT_PROGRESS", "MOVE", "HOLD", "SPLIT"]
PROGRESS = ["CREATE_FULFILLMENT", "REPORT_PROGRESS", "HOLD", "MARK_AS_OPEN"]
SERVICE = ["REQUEST_FULFILLMENT", "CREATE_FULFILLMENT", "HOLD", "SPLIT", "MOVE"]


@pytest.mark.parametrize(
    "happens, expected",
    [
        (nothing, [("OPEN", OPEN, [(2, 2)])]),
        (it_is_put_on_hold, [("ON_HOLD", ["RELEASE_HOLD", "HOLD", "MOVE"], [(2, 2)])]),
        (the_hold_is_released, [("OPEN", OPEN, [(2, 2)])]),
        (it_is_scheduled, [("SCHEDULED", ["MARK_AS_OPEN", "MOVE"], [(2, 2)])]),
        (progress_is_reported, [("IN_PROGRESS", PROGRESS, [(2, 2)])]),
        (one_of_two_is_fulfilled, [("IN_PROGRESS", PROGRESS, [(2, 1)])]),
        (it_is_fulfilled_by_hand, [("CLOSED", [], [(2, 0)])]),
        (it_is_cancelled_without_refund, [("CLOSED", [], [(2, 2)])]),
        (it_is_cancelled, [("CLOSED", [], [(0, 0)])]),
        (one_of_two_is_refunded, [("OPEN", OPEN[:4], [(1, 1)])]),
        (one_is_edited_away_and_another_in, [("OPEN", [*OPEN[:4], "MERGE"], [(1, 1)])] * 2),
        (it_is_moved_to_anothers_service, [("OPEN", SERVICE, [(2, 2)])]),
        (one_of_two_is_moved, [("OPEN", OPEN[:4], [(1, 1)])] * 2),
    ],
)
def test_what_may_be_done_with_a_fulfilment_order(shop: Shop, happens: Any, expected: list[Any]) -> None:
    order = shop.add_order([MUG])

    happens(shop, order)

    assert fos(shop, order) == expected


def test_a_new_order_has_no_fulfilment_orders_until_it_is_routed(shop: Shop) -> None:
    order = shop.add_order([MUG], routing_seconds=60)
    assert fos(shop, order) == []

    shop.route(order["id"])

    assert [status for status, _, _ in fos(shop, order)] == ["OPEN"]


@pytest.mark.parametrize(
    "happens, paid, expected",
    [
        (nothing, True, ("PAID", "UNFULFILLED", False, None)),
        (nothing, False, ("PENDING", "UNFULFILLED", False, None)),
        (it_is_paid, False, ("PAID", "UNFULFILLED", False, None)),
        (some_money_is_refunded, True, ("PARTIALLY_REFUNDED", "UNFULFILLED", False, None)),
        (it_is_refunded, True, ("REFUNDED", "UNFULFILLED", False, None)),
        (it_is_cancelled, True, ("REFUNDED", "UNFULFILLED", True, "CUSTOMER")),
        (it_is_fulfilled_by_hand, True, ("PAID", "FULFILLED", True, None)),
        (one_of_two_is_fulfilled, True, ("PAID", "PARTIALLY_FULFILLED", False, None)),
        (it_is_put_on_hold, True, ("PAID", "ON_HOLD", False, None)),
    ],
)
def test_what_an_order_says_of_itself(shop: Shop, happens: Any, paid: bool, expected: tuple[Any, ...]) -> None:
    order = shop.add_order([MUG], paid=paid)

    happens(shop, order)

    seen = data(shop.graphql(ORDER, {"id": order["id"]}))["order"]
    fields = ("displayFinancialStatus", "displayFulfillmentStatus", "closed", "cancelReason")
    assert tuple(seen[field] for field in fields) == expected


# -- finding orders


@pytest.mark.parametrize(
    "query, names",
    [
        ("name:#1001", ["#1001", "EU-1001"]),
        ("name:'#1001'", ["#1001", "EU-1001"]),
        ("name:10", []),
        ("name:EU*", ["EU-1001"]),
        ("financial_status:pending", ["#1002"]),
        ("name:#1001 OR name:#1002", ["#1001", "#1002", "EU-1001"]),
        ("-name:#1002 status:any", ["#1001", "EU-1001"]),
        ("updated_at:>=2020-01-01T00:00:00Z", ["#1001", "#1002", "EU-1001"]),
        ("updated_at:<'2020-01-01T00:00:00Z'", []),
    ],
)
def test_a_search_is_a_search_and_no_lookup(shop: Shop, query: str, names: list[str]) -> None:
    shop.add_order(number="#1001")
    shop.add_order(number="#1002", paid=False)
    shop.add_order(number="EU-1001")

    found = data(shop.graphql(NAMES, {"query": query}))["orders"]["nodes"]

    assert sorted(one["name"] for one in found) == names


def test_paging_goes_through_every_order_once_although_one_changes_meanwhile(shop: Shop) -> None:
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    shop.settings(scopes=["read_orders", "read_all_orders"])
    made = shop.add_orders(7, placed_at=start, seconds_apart=60)
    seen: list[str] = []
    after, more = None, True
    while more:
        orders = data(shop.graphql(NAMES, {"first": 3, "after": after}))["orders"]
        seen += [one["name"] for one in orders["nodes"]]
        after, more = orders["pageInfo"]["endCursor"], orders["pageInfo"]["hasNextPage"]
        if len(seen) == 3:
            shop.touch(seen[0])

    assert sorted(set(seen)) == sorted(one["name"] for one in made)


def test_orders_older_than_sixty_days_need_a_scope_of_their_own(shop: Shop) -> None:
    old = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=61)
    order = shop.add_order(placed_at=old)
    assert data(shop.graphql("query($id: ID!) { order(id: $id) { name } }", {"id": order["id"]})) == {"order": None}

    shop.settings(scopes=["read_orders", "read_all_orders"])

    answer = data(shop.graphql("query($id: ID!) { order(id: $id) { name } }", {"id": order["id"]}))
    assert answer == {"order": {"name": "#1001"}}


# -- what an app may see


def test_hidden_customers_are_errors_next_to_the_rest(shop: Shop) -> None:
    order = shop.add_order(email="buyer@example.com")
    document = "query($id: ID!) { order(id: $id) { name email } }"
    assert data(shop.graphql(document, {"id": order["id"]}))["order"]["email"] == "buyer@example.com"

    shop.settings(customers_hidden=True)
    body = shop.graphql(document, {"id": order["id"]}).json()

    assert body["data"] == {"order": {"name": "#1001", "email": None}}
    assert [(one["path"], one["extensions"]["code"]) for one in body["errors"]] == [
        (["order", "email"], "ACCESS_DENIED")
    ]


THIRD = {"name": "Other's warehouse", "service": "Other"}


@pytest.mark.parametrize(
    "scopes, seen, words",
    [
        (["read_orders"], [], "no scope"),
        (["read_orders", "write_merchant_managed_fulfillment_orders"], ["Own"], ""),
        (["read_orders", "read_merchant_managed_fulfillment_orders"], ["Own"], "no scope"),
        (
            ["read_orders", "write_merchant_managed_fulfillment_orders", "write_third_party_fulfillment_orders"],
            ["Own", THIRD["name"]],
            "",
        ),
    ],
)
def test_scopes_decide_which_fulfilment_orders_are_seen(
    world: PretendShopify, scopes: list[str], seen: list[str], words: str
) -> None:
    shop = world.shop(scopes=scopes, locations=["Own", THIRD])
    order = shop.add_order([MUG, {"sku": "TEA-1", "title": "Tea", "location": THIRD["name"]}])
    document = """query($id: ID!) { order(id: $id) { fulfillmentOrders(first: 9) { nodes {
      assignedLocation { name } } } } }"""

    nodes = data(shop.graphql(document, {"id": order["id"]}))["order"]["fulfillmentOrders"]["nodes"]
    answer = shop.graphql(
        CREATE, {"f": {"lineItemsByFulfillmentOrder": [group(order["fulfillment_orders"][0])]}}
    ).json()

    assert [one["assignedLocation"]["name"] for one in nodes] == seen
    assert ("errors" in answer and answer["errors"][0]["extensions"]["code"]) == ("ACCESS_DENIED" if words else False)


def test_an_app_without_the_family_of_scopes_is_refused_at_another_services_place(world: PretendShopify) -> None:
    scopes = ["read_orders", "write_merchant_managed_fulfillment_orders"]
    shop = world.shop(scopes=scopes, locations=[THIRD])
    order = shop.add_order([MUG])

    refused = create(shop, [group(order["fulfillment_orders"][0])])

    words = "The api_client does not have access to the fulfillment order."
    assert refused == {"fulfillment": None, "userErrors": [{"field": ["fulfillment"], "message": words}]}


# -- documents and variables


@pytest.mark.parametrize(
    "document, variables, message, code",
    [
        (
            'mutation { fulfillmentCancel(id: "gid://shopify/Fulfillment/1") { userErrors { code } } }',
            {},
            "Field 'code' doesn't exist on type 'UserError'",
            "undefinedField",
        ),
        (
            "mutation { fulfillmentCancel { userErrors { message } } }",
            {},
            "Field 'fulfillmentCancel' is missing required arguments: id",
            "missingRequiredArguments",
        ),
        (
            UPDATE,
            {"id": "gid://shopify/Fulfillment/1", "t": {"url": "track.example/1"}},
            "Variable $t of type FulfillmentTrackingInput! was provided invalid value for url"
            " (Invalid url 'track.example/1', missing scheme)",
            "INVALID_VARIABLE",
        ),
        (
            UPDATE,
            {"id": "7", "t": {"tracking": "1"}},
            "Variable $t of type FulfillmentTrackingInput! was provided invalid value for tracking"
            " (Field is not defined on FulfillmentTrackingInput)",
            "INVALID_VARIABLE",
        ),
        (CANCEL, {}, "Variable $id of type ID! was provided invalid value", "INVALID_VARIABLE"),
        (
            "{ orders(first: 5) { nodes { id } }",
            {},
            "Syntax Error: Expected Name, found <EOF>.",
            "parse error",
        ),
    ],
)
def test_a_bad_document_is_refused_before_anything_runs(
    shop: Shop, document: str, variables: dict[str, Any], message: str, code: str
) -> None:
    answer = shop.graphql(document, variables)

    assert answer.status_code == 200
    assert [(one["message"], one["extensions"]["code"]) for one in answer.json()["errors"]] == [(message, code)]
    assert "data" not in answer.json()
    assert shop.book()["counts"]["points"] == 0


# -- costs


@pytest.mark.parametrize(
    "document, cost",
    [
        ("mutation($f: FulfillmentInput!) { fulfillmentCreate(fulfillment: $f) { userErrors { message } } }", 10),
        (CREATE, 11),
        (UPDATE, 51),
        ("{ orders(first: 5) { nodes { name } } }", 5),
        ("{ locations(first: 20) { nodes { name } } }", 7),
        ('{ order(id: "1") { fulfillmentOrders(first: 5) { nodes { lineItems(first: 5) { nodes { id } } } } } }', 21),
    ],
)
def test_what_a_request_is_charged_before_it_runs(shop: Shop, document: str, cost: int) -> None:
    variables = {"f": {"lineItemsByFulfillmentOrder": []}, "id": "1", "t": {"number": "1"}}

    answer = shop.graphql(document, variables).json()

    assert answer["extensions"]["cost"]["requestedQueryCost"] == cost


def test_what_the_bucket_does_not_hold_is_throttled_and_nothing_is_executed(world: PretendShopify) -> None:
    shop = world.shop(restore_rate=0)
    order = shop.add_order([MUG])
    shop.drain(10)

    answer = shop.graphql(CREATE, {"f": {"lineItemsByFulfillmentOrder": [group(order["fulfillment_orders"][0])]}})

    assert answer.status_code == 200
    assert answer.json() == {
        "errors": [
            {
                "message": "Throttled",
                "extensions": {"code": "THROTTLED", "documentation": "https://shopify.dev/api/usage/rate-limits"},
            }
        ],
        "extensions": {
            "cost": {
                "requestedQueryCost": 11,
                "actualQueryCost": None,
                "throttleStatus": {"maximumAvailable": 2000.0, "currentlyAvailable": 10, "restoreRate": 0.0},
            }
        },
    }
    book = shop.book()
    assert (book["counts"]["throttled"], book["counts"]["mutations"], book["writes"]) == (1, {}, [])
    assert shop.order(order["id"])["fulfillments"] == []


def test_what_was_not_spent_comes_back(world: PretendShopify) -> None:
    shop = world.shop(restore_rate=0)

    cost = shop.graphql("{ orders(first: 250) { nodes { name } } }").json()["extensions"]["cost"]

    assert cost["requestedQueryCost"] == 13
    assert cost["throttleStatus"]["currentlyAvailable"] == 2000 - cost["actualQueryCost"]


def test_one_request_may_not_cost_more_than_a_thousand_points(world: PretendShopify) -> None:
    shop = world.shop(bucket=4000)
    update = (
        'fulfillmentTrackingInfoUpdate(fulfillmentId: "1", trackingInfoInput: {number: "1"}) { userErrors { message } }'
    )
    document = "mutation {" + " ".join(f"u{index}: {update}" for index in range(21)) + "}"

    body = shop.graphql(document).json()

    assert [one["extensions"]["code"] for one in body["errors"]] == ["MAX_COST_EXCEEDED"]
    assert shop.book()["counts"]["mutations"] == {}


# -- faults


@pytest.mark.parametrize(
    "kind, ends, executed",
    [
        ("timeout", requests.Timeout, 0),
        ("timeout_after", requests.Timeout, 1),
        ("reset_before", requests.ConnectionError, 0),
        ("reset_after", requests.ConnectionError, 1),
        ("cut_json", json.JSONDecodeError, 1),
        ("cut_body", requests.exceptions.ChunkedEncodingError, 1),
        ("html_200", json.JSONDecodeError, 0),
        ("429", 429, 0),
        ("500", 500, 0),
        ("500_after", 500, 1),
        ("502_html", 502, 0),
        ("502_after", 502, 1),
        ("503", 503, 0),
        ("401", 401, 0),
        ("402", 402, 0),
        ("403", 403, 0),
        ("404", 404, 0),
        ("423", 423, 0),
        ("throttled", "THROTTLED", 0),
        ("internal_200", "INTERNAL_SERVER_ERROR", 0),
        ("internal_200_after", "INTERNAL_SERVER_ERROR", 1),
    ],
)
def test_how_a_fault_ends_and_whether_the_write_was_executed(shop: Shop, kind: str, ends: Any, executed: int) -> None:
    order = shop.add_order([MUG])
    shop.fault(kind, on="create", times=1)
    variables = {"f": {"lineItemsByFulfillmentOrder": [group(order["fulfillment_orders"][0])]}}

    if isinstance(ends, type):
        with pytest.raises(ends):
            shop.graphql(CREATE, variables, timeout=0.3).json()
    else:
        answer = shop.graphql(CREATE, variables)
        seen = answer.json()["errors"][0]["extensions"]["code"] if isinstance(ends, str) else answer.status_code
        assert seen == ends

    assert len(shop.order(order["id"])["fulfillments"]) == executed
    assert shop.book()["counts"]["faults"] == {kind: 1}


def test_a_late_write_is_executed_after_the_connection_was_dropped(shop: Shop) -> None:
    order = shop.add_order([MUG])
    shop.fault("late", on="mutation", times=1, seconds=0.4)

    with pytest.raises(requests.ConnectionError):
        create(shop, [group(order["fulfillment_orders"][0])])

    assert shop.order(order["id"])["fulfillments"] == []
    assert until(lambda: bool(shop.order(order["id"])["fulfillments"]))
    write = shop.book()["writes"][0]
    assert write["executed"] - write["arrived"] >= 0.4


def test_the_merchant_can_be_faster_than_a_write(shop: Shop) -> None:
    order = shop.add_order([MUG])
    shop.before("create", "fulfil_by_hand", order="#1001", number="BY-HAND")

    refused = create(shop, [group(order["fulfillment_orders"][0])])

    fo = order["fulfillment_orders"][0]["id"].rsplit("/", 1)[1]
    words = f"Fulfillment order {fo} has an unfulfillable status= closed."
    assert refused == {"fulfillment": None, "userErrors": [{"field": ["fulfillment"], "message": words}]}
    assert [one["numbers"] for one in shop.order("#1001")["fulfillments"]] == [["BY-HAND"]]


def test_an_answer_can_come_too_slowly_although_something_always_comes(shop: Shop) -> None:
    shop.fault("drip", times=1, seconds=0.6)
    start = time.monotonic()

    answer = shop.graphql("{ shop { name } }", timeout=0.3)

    assert answer.json()["data"] == {"shop": {"name": shop.name}}
    assert time.monotonic() - start >= 0.6


def test_a_redirect_leads_to_another_host(shop: Shop) -> None:
    shop.fault("302", times=1)
    url = f"{shop.base_url}/admin/api/2026-10/graphql.json"

    answer = requests.post(url, json={"query": "{ shop { name } }"}, timeout=5, allow_redirects=False)

    assert (answer.status_code, answer.headers["Location"]) == (302, url.replace("127.0.0.1", "localhost"))


@pytest.mark.parametrize(
    "on, hits",
    [
        ("all", ["read", "create", "update"]),
        ("read", ["read"]),
        ("mutation", ["create", "update"]),
        ("create", ["create"]),
        ("update", ["update"]),
        ("token", []),
    ],
)
def test_a_fault_hits_the_requests_it_was_made_for(shop: Shop, on: str, hits: list[str]) -> None:
    shop.fault("500", on=on)
    asked = {
        "read": (NAMES, {}),
        "create": (CREATE, {"f": {"lineItemsByFulfillmentOrder": []}}),
        "update": (UPDATE, {"id": "1", "t": {"number": "1"}}),
    }

    statuses = {name: shop.graphql(*request).status_code for name, request in asked.items()}

    assert [name for name, status in statuses.items() if status == 500] == hits


def test_a_storm_is_the_same_storm_for_the_same_seed(world: PretendShopify) -> None:
    storms = []
    for _ in range(2):
        shop = world.shop(seed=7)
        shop.fault("500", probability=0.5)
        storms.append([shop.graphql("{ shop { name } }").status_code for _ in range(20)])

    assert storms[0] == storms[1]
    assert sorted(set(storms[0])) == [200, 500]


def test_a_throttled_client_is_told_when_to_come_back(shop: Shop) -> None:
    shop.fault("429", times=1, seconds=3)

    assert shop.graphql("{ shop { name } }").headers["Retry-After"] == "3.0"
    assert shop.graphql("{ shop { name } }").status_code == 200


# -- tokens


def token(shop: Shop, **fields: str) -> requests.Response:
    body = {**shop.client_credentials, **fields}
    return requests.post(f"{shop.base_url}/admin/oauth/access_token", data=body, timeout=5)


def test_an_app_asks_for_a_token_and_asks_again_when_it_has_ended(shop: Shop) -> None:
    given = token(shop, grant_type="client_credentials").json()
    assert (sorted(given), given["expires_in"]) == (["access_token", "expires_in", "scope"], 86399)
    assert shop.graphql("{ shop { name } }", token=given["access_token"]).status_code == 200

    shop.expire_token()

    refused = shop.graphql("{ shop { name } }", token=given["access_token"])
    assert refused.status_code == 401
    assert refused.json() == {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}
    again = token(shop, grant_type="client_credentials").json()["access_token"]
    assert shop.graphql("{ shop { name } }", token=again).status_code == 200


def test_a_revoked_app_gets_nothing_any_more(shop: Shop) -> None:
    shop.revoke_token()

    assert shop.graphql("{ shop { name } }").status_code == 401
    assert token(shop, grant_type="client_credentials").status_code == 400


def test_shops_of_one_process_know_nothing_of_each_other(world: PretendShopify) -> None:
    one, other = world.shop(), world.shop()
    order = one.add_order()

    assert other.graphql("{ shop { name } }", token=one.token).status_code == 401
    answer = data(other.graphql("query($id: ID!) { order(id: $id) { name } }", {"id": order["id"]}))
    assert answer == {"order": None}
    assert other.book()["orders"] == []


# -- the book and the page


def test_the_book_tells_when_a_number_came_and_what_the_shopper_was_told(shop: Shop) -> None:
    order = shop.add_order([MUG])
    start = time.time()
    made = create(shop, [group(order["fulfillment_orders"][0])], "N1", notify=True)["fulfillment"]["id"]
    data(shop.graphql(UPDATE, {"id": made, "t": {"number": "N2"}, "n": True}))
    data(shop.graphql(UPDATE, {"id": made, "t": {"number": "N2"}, "n": False}))

    book = shop.book()

    assert list(book["numbers"]) == ["N1", "N2"]
    assert all(start <= at <= time.time() for at in book["numbers"].values())
    assert [(one["kind"], one["numbers"]) for one in book["notices"]] == [
        ("shipping_confirmation", ["N1"]),
        ("shipping_update", ["N2"]),
    ]
    assert book["counts"]["mutations"] == {"fulfillmentCreate": 1, "fulfillmentTrackingInfoUpdate": 2}
    assert book["orders"][0]["fulfillments"][0]["made_by"] == "app"


def test_no_notice_goes_to_a_shopper_without_an_address(shop: Shop) -> None:
    order = shop.add_order([MUG], email=None)

    create(shop, [group(order["fulfillment_orders"][0])], notify=True)

    assert (list(shop.book()["numbers"]), shop.book()["notices"]) == (["N1"], [])


def test_the_book_counts_requests_that_overlap(shop: Shop) -> None:
    shop.latency(150)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: shop.graphql("{ shop { name } }"), range(4)))

    counts = shop.book()["counts"]

    assert (counts["requests"], counts["most_overlapping"]) == (4, 4)


def test_a_stranger_sees_the_number_arrive(shop: Shop) -> None:
    order = shop.add_order([("MUG-1", "A <b>mug</b>", 1)])
    page = requests.get(f"{shop.base_url}/", timeout=5).text
    assert "No tracking number yet" in page
    assert "1 × A &lt;b&gt;mug&lt;/b&gt;" in page

    create(shop, [group(order["fulfillment_orders"][0])], "CJP1", notify=True)

    page = requests.get(f"{shop.base_url}/", timeout=5).text
    assert '<a href="https://track.example/CJP1" rel="noreferrer noopener" target="_blank">CJP1</a>' in page
    assert "shopper notified" in page


def test_every_answer_names_its_request_and_its_version(shop: Shop) -> None:
    headers = shop.graphql("{ shop { name } }").headers

    assert headers["X-Shopify-API-Version"] == "2026-10"
    assert len(headers["X-Request-Id"]) == 36


def test_requests_can_be_written_down_for_a_checker(tmp_path: Any) -> None:
    file = tmp_path / "requests.jsonl"
    with PretendShopify(record=str(file)) as world:
        shop = world.shop()
        url, headers = f"{shop.base_url}/admin/api/2026-07/graphql.json", {"X-Shopify-Access-Token": shop.token}
        for name in ("A", "B"):
            body = {"query": NAMES, "variables": {"query": f"name:{name}"}}
            requests.post(url, json=body, headers=headers, timeout=5)
        shop.graphql("{ shop { name } }")

    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert lines == [{"query": NAMES, "variables": {"query": f"name:{name}"}} for name in ("A", "B")]


@pytest.mark.parametrize(
    "answered, verdict",
    [
        ({"order": {"name": "#7", "displayFinancialStatus": "PENDING"}}, AGREES),
        (
            {"order": {"name": "#7", "displayFinancialStatus": "PAID"}},
            ".data.order.displayFinancialStatus 'PAID' recorded, 'PENDING' here",
        ),
        ({"order": {"name": "#7"}}, CONTRADICTION),
    ],
)
def test_a_recording_agrees_or_says_what_differs(
    world: PretendShopify, tmp_path: Any, answered: dict[str, Any], verdict: str
) -> None:
    made = """mutation($order: OrderCreateOrderInput!) { orderCreate(order: $order) {
      order { id name } userErrors { message } } }"""
    read = "query($id: ID!) { order(id: $id) { name displayFinancialStatus } }"
    gid = "gid://shopify/Order/42"
    line = {"title": "A mug", "quantity": 1, "priceSet": {"shopMoney": {"amount": "5.0", "currencyCode": "EUR"}}}
    created = {"orderCreate": {"order": {"id": gid, "name": "#7"}, "userErrors": []}}
    rows = [
        {"case": "/read", "query": read, "variables": {"id": gid}, "response": {"data": answered}},
        {"case": "/make", "query": made, "variables": {"order": {"lineItems": [line]}}, "response": {"data": created}},
    ]
    file = tmp_path / "recorded.jsonl"
    file.write_text("\n".join(json.dumps({"source": "made-up", "capturedAt": None, **row}) for row in rows))
    exchanges = load(str(file))["made-up"]

    run(world, exchanges)

    assert {one.case: one.verdict for one in exchanges} == {"/make": AGREES, "/read": verdict}


def test_a_read_of_fifty_orders_is_cheap(world: PretendShopify) -> None:
    shop = world.shop()
    shop.add_orders(50, [MUG, ("TEA-1", "Tea", 1)])
    fields = """id name fulfillmentOrders(first: 5) { nodes { id status supportedActions { action }
      lineItems(first: 10) { nodes { id remainingQuantity lineItem { id sku } } } } }
      fulfillments(first: 10) { id status trackingInfo(first: 10) { number } }"""
    document = f"{{ orders(first: 50) {{ nodes {{ {fields} }} }} }}"
    data(shop.graphql(document))

    times = []
    for _ in range(5):
        start = time.perf_counter()
        assert len(data(shop.graphql(document))["orders"]["nodes"]) == 50
        times.append(time.perf_counter() - start)

    assert min(times) < 0.1
