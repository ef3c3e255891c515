"""What the fields answer: everything that is not simply a key of a record.

`RESOLVERS` maps (type, field) to a function of (record, arguments, run). A field that is not here is read
from the record; a record's connections come out of its underscore lists.
"""

from __future__ import annotations

import base64
import datetime
import json
import time
from typing import Any

from . import routing
from .execute import Resolver, Run
from .problems import Problem, access_denied
from .search import compile_query
from .values import Record, iso, money

RESOLVERS: dict[tuple[str, str], Resolver] = {}
OLD = datetime.timedelta(days=60)
VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10")
PROTECTED = (
    "This app is not approved to access the {0} object."
    " See https://shopify.dev/docs/apps/launch/protected-customer-data for more details."
)
ORDER_SCOPES = "`read_orders` access scope, `read_marketplace_orders` access scope or `read_quick_sale` access scope."
FO_SCOPES = (
    "`read_assigned_fulfillment_orders` access scope, `read_merchant_managed_fulfillment_orders` access scope,"
    " `read_third_party_fulfillment_orders` access scope or `read_marketplace_fulfillment_orders` access scope."
)


def resolves(type_name: str, field: str) -> Any:
    """Register a resolver."""

    def register(function: Resolver) -> Resolver:
        RESOLVERS[type_name, field] = function
        return function

    return register


# -- pages of lists


class Page(dict):  # type: ignore[type-arg]
    """A connection: the nodes, and what its cursors are made of."""


def cursor(record: Record, value: Any) -> str:
    """A cursor: the last id and the last sort value, as a real store packs them."""
    packed = json.dumps({"last_id": number(record), "last_value": value}, separators=(",", ":"))
    return base64.b64encode(packed.encode()).decode()


def number(record: Record) -> int:
    """The number in a record's id."""
    digits = record["id"].rsplit("/", 1)[1].split("?")[0]
    return int(digits) if digits.isdigit() else 0


def position(text: str) -> tuple[Any, int]:
    """What a cursor stands for: (sort value, id)."""
    try:
        found = json.loads(base64.b64decode(text))
        return found["last_value"], int(found["last_id"])
    except (ValueError, KeyError, TypeError) as error:
        raise Problem(f"Invalid cursor for current pagination sort: {text}", code="BAD_REQUEST") from error


def page(items: list[Record], arguments: dict[str, Any], key: Any = number, in_order: bool = False) -> Page:
    """`items` cut to what `first`, `after`, `last`, `before` and `reverse` ask for.

    `key` is the sort value; `in_order` says that the items are sorted by it already. Cursors keep their
    place when items are added or move, as keyset paging does.
    """
    first, last = arguments.get("first"), arguments.get("last")
    if first is None and last is None:
        raise Problem("you must provide one of first or last", code="BAD_REQUEST")
    size = first if first is not None else last
    if size < 0 or size > 250:
        raise Problem(f"first must be between 0 and 250, was {size}", code="BAD_REQUEST")
    if arguments.get("reverse"):
        items = items[::-1]
    before_first = after_last = False
    for name, is_after in (("after", True), ("before", False)):
        if arguments.get(name):
            at = position(arguments[name])
            kept = [one for one in items if _beyond(one, at, key, is_after != bool(arguments.get("reverse")))]
            before_first, after_last = (
                (len(kept) < len(items), after_last) if is_after else (before_first, len(kept) < len(items))
            )
            items = kept
    if first is not None:
        nodes, more = items[:size], len(items) > size
        has_next, has_previous = more or after_last, before_first
    else:
        nodes, more = (items[-size:] if size else []), len(items) > size
        has_next, has_previous = after_last, more or before_first
    return Page(nodes=nodes, key=key, has_next=has_next, has_previous=has_previous)


def _beyond(record: Record, at: tuple[Any, int], key: Any, after: bool) -> bool:
    here = (key(record), number(record))
    try:
        return here > at if after else here < at
    except TypeError as error:
        raise Problem("Invalid cursor for current pagination sort", code="BAD_REQUEST") from error


@resolves("Connection", "edges")
def _edges(source: Page, arguments: dict[str, Any], run: Run) -> list[Record]:
    return [{"node": one, "cursor": cursor(one, source["key"](one))} for one in source["nodes"]]


@resolves("Connection", "pageInfo")
def _page_info(source: Page, arguments: dict[str, Any], run: Run) -> Record:
    nodes = source["nodes"]
    return {
        "hasNextPage": source["has_next"],
        "hasPreviousPage": source["has_previous"],
        "startCursor": cursor(nodes[0], source["key"](nodes[0])) if nodes else None,
        "endCursor": cursor(nodes[-1], source["key"](nodes[-1])) if nodes else None,
    }


def listed(type_name: str, field: str, key: str) -> None:
    """A connection that is simply one of the record's lists."""
    RESOLVERS[type_name, field] = lambda source, arguments, run: page(source[key], arguments)


listed("FulfillmentOrder", "lineItems", "_lines")
listed("Fulfillment", "fulfillmentLineItems", "_lines")
listed("Order", "lineItems", "_lines")
listed("Order", "events", "_events")
listed("Refund", "refundLineItems", "_lines")
listed("Refund", "transactions", "_transactions")
for empty in ("metafields", "inventoryLevels"):
    RESOLVERS["Location", empty] = lambda source, arguments, run: page([], arguments)


# -- orders


def oldest_shown(run: Run) -> str:
    """Orders created before this time need a scope of their own."""
    return "" if "read_all_orders" in run.shop.scopes else iso(run.shop.now() - OLD)


def order_is_visible(run: Run, order: Record) -> bool:
    """Whether the app may see an order of this age."""
    return order["createdAt"] >= oldest_shown(run)


def may_read_orders(run: Run, field: str) -> None:
    """Refuse the field to an app without read_orders."""
    if "read_orders" not in run.shop.scopes:
        raise access_denied(field, ORDER_SCOPES)


@resolves("QueryRoot", "order")
def _root_order(source: Any, arguments: dict[str, Any], run: Run) -> Record | None:
    may_read_orders(run, "order")
    order = run.shop.find(arguments["id"], "Order")
    return order if order and order_is_visible(run, order) else None


@resolves("QueryRoot", "orderByIdentifier")
def _by_identifier(source: Any, arguments: dict[str, Any], run: Run) -> Record | None:
    may_read_orders(run, "orderByIdentifier")
    gid = arguments["identifier"].get("id")
    order = run.shop.find(gid, "Order") if gid else None
    return order if order and order_is_visible(run, order) else None


SORTS = {
    "UPDATED_AT": lambda order: order["updatedAt"],
    "CREATED_AT": lambda order: order["createdAt"],
    "PROCESSED_AT": lambda order: order["processedAt"],
    "ORDER_NUMBER": lambda order: order["number"],
    "ID": number,
}


def found_orders(run: Run, query: str | None, sort: str) -> list[Record]:
    """All orders that a search finds, sorted. The sorted list is kept until something is written."""
    shop = run.shop
    key = SORTS.get(sort, number)
    known = shop.sorted.get(sort)
    if known is None or known[0] != shop.version:
        ordered = sorted(shop.orders.values(), key=lambda order: (key(order), number(order)))
        known = shop.sorted[sort] = (shop.version, ordered, {})
    if query in known[2] and not shop.search_lag:
        return known[2][query]
    test, now, oldest = compile_query(query), time.time(), oldest_shown(run)
    result = [
        order for order in known[1] if order["_indexed_at"] <= now and order["createdAt"] >= oldest and test(order)
    ]
    if len(known[2]) < 50:
        known[2][query] = result
    return result


@resolves("QueryRoot", "orders")
def _orders(source: Any, arguments: dict[str, Any], run: Run) -> Page:
    may_read_orders(run, "orders")
    sort = arguments["sortKey"]
    return page(found_orders(run, arguments.get("query"), sort), arguments, SORTS.get(sort, number))


@resolves("QueryRoot", "ordersCount")
def _orders_count(source: Any, arguments: dict[str, Any], run: Run) -> Record:
    may_read_orders(run, "ordersCount")
    found, limit = len(found_orders(run, arguments.get("query"), "ID")), arguments.get("limit") or 10**9
    return {"count": min(found, limit), "precision": "EXACT" if found <= limit else "AT_LEAST"}


def protected(field: str, kind: str, key: str) -> None:
    """A field of an order that names the buyer: refused to an app without approval."""

    def resolver(source: Record, arguments: dict[str, Any], run: Run) -> Any:
        if run.shop.customers_hidden:
            raise Problem(PROTECTED.format(kind), code="ACCESS_DENIED")
        return source[key]

    RESOLVERS["Order", field] = resolver


protected("email", "Order", "email")
protected("phone", "Order", "phone")
protected("shippingAddress", "MailingAddress", "_address")


@resolves("Order", "customer")
def _customer(source: Record, arguments: dict[str, Any], run: Run) -> Record | None:
    if run.shop.customers_hidden:
        raise Problem(PROTECTED.format("Customer"), code="ACCESS_DENIED")
    if "read_customers" not in run.shop.scopes:
        raise access_denied("customer", "`read_customers` access scope.")
    return source["_customer"]


@resolves("Order", "canNotifyCustomer")
def _can_notify(source: Record, arguments: dict[str, Any], run: Run) -> bool:
    return bool(source["email"])


def cut(type_name: str, field: str, key: str) -> None:
    """A plain list with `first`."""

    def resolver(source: Record, arguments: dict[str, Any], run: Run) -> list[Record]:
        first = arguments.get("first")
        return source[key] if first is None else source[key][:first]

    RESOLVERS[type_name, field] = resolver


cut("Order", "fulfillments", "_fulfillments")
cut("Order", "transactions", "_transactions")
cut("Order", "refunds", "_refunds")
cut("Fulfillment", "trackingInfo", "_tracking")


@resolves("Order", "fulfillmentsCount")
def _fulfillments_count(source: Record, arguments: dict[str, Any], run: Run) -> Record:
    return {"count": len(source["_fulfillments"]), "precision": "EXACT"}


def _amount(key: str) -> Resolver:
    return lambda source, arguments, run: money(source[f"_{key}"], source["currencyCode"])


for name in [
    "subtotalPriceSet",
    "totalPriceSet",
    "currentSubtotalPriceSet",
    "currentTotalPriceSet",
    "totalReceivedSet",
    "totalRefundedSet",
    "netPaymentSet",
    "totalOutstandingSet",
]:
    RESOLVERS["Order", name] = _amount(name)


# -- fulfilment orders


def shown_fos(run: Run, order: Record) -> list[Record]:
    """An order's fulfilment orders that the app may see; none while the order is still being routed."""
    if order["_routed_at"] and order["_routed_at"] > time.time():
        return []
    return [fo for fo in order["_fos"] if routing.visible(run.shop, fo)]


@resolves("Order", "fulfillmentOrders")
def _order_fos(source: Record, arguments: dict[str, Any], run: Run) -> Page:
    return page(shown_fos(run, source), arguments)


@resolves("Fulfillment", "fulfillmentOrders")
def _fulfillment_fos(source: Record, arguments: dict[str, Any], run: Run) -> Page:
    return page([fo for fo in source["_fos"] if routing.visible(run.shop, fo)], arguments)


@resolves("FulfillmentOrder", "fulfillments")
def _fo_fulfillments(source: Record, arguments: dict[str, Any], run: Run) -> Page:
    return page(source["_fulfillments"], arguments)


@resolves("FulfillmentOrder", "merchantRequests")
def _requests(source: Record, arguments: dict[str, Any], run: Run) -> Page:
    kind = arguments.get("kind")
    return page([one for one in source["_requests"] if kind in (None, one["kind"])], arguments)


@resolves("FulfillmentOrder", "supportedActions")
def _supported_actions(source: Record, arguments: dict[str, Any], run: Run) -> list[Record]:
    # MERGE was recorded where a fulfilment order came with its siblings, never where it was asked for alone.
    return routing.actions(run.shop, source, run.root not in ("fulfillmentOrder", "node"))


@resolves("FulfillmentOrder", "destination")
def _destination(source: Record, arguments: dict[str, Any], run: Run) -> Record:
    if run.shop.customers_hidden:
        raise Problem(PROTECTED.format("FulfillmentOrderDestination"), code="ACCESS_DENIED")
    return {**source["order"]["_address"], "email": source["order"]["email"]}


@resolves("FulfillmentHold", "heldByApp")
def _held_by_app(source: Record, arguments: dict[str, Any], run: Run) -> Record | None:
    if "read_apps" not in run.shop.scopes:
        raise access_denied("heldByApp", "`read_apps` access scope.")
    return run.shop.app if source["heldByRequestingApp"] else None


@resolves("QueryRoot", "fulfillmentOrder")
def _fulfillment_order(source: Any, arguments: dict[str, Any], run: Run) -> Record | None:
    fo = run.shop.find(arguments["id"], "FulfillmentOrder")
    return fo if fo and routing.visible(run.shop, fo) else None


def all_fos(run: Run, field: str) -> list[Record]:
    """Every fulfilment order of the store that the app may see."""
    families = ("merchant_managed", "assigned", "third_party")
    if not any(f"read_{one}_fulfillment_orders" in run.shop.scopes for one in families):
        raise access_denied(field, FO_SCOPES)
    return [fo for order in run.shop.orders.values() for fo in shown_fos(run, order)]


@resolves("QueryRoot", "fulfillmentOrders")
def _fulfillment_orders(source: Any, arguments: dict[str, Any], run: Run) -> Page:
    test = compile_query(arguments.get("query"))
    fos = [fo for fo in all_fos(run, "fulfillmentOrders") if test(fo)]
    if not arguments.get("includeClosed"):
        fos = [fo for fo in fos if fo["status"] not in routing.ENDED]
    by_time = arguments.get("sortKey") == "UPDATED_AT"
    key = (lambda fo: fo["updatedAt"]) if by_time else number
    return page(sorted(fos, key=lambda fo: (key(fo), number(fo))), arguments, key)


@resolves("QueryRoot", "manualHoldsFulfillmentOrders")
def _manual_holds(source: Any, arguments: dict[str, Any], run: Run) -> Page:
    fos = [fo for fo in all_fos(run, "manualHoldsFulfillmentOrders") if fo["fulfillmentHolds"]]
    return page(sorted(fos, key=number), arguments)


@resolves("QueryRoot", "assignedFulfillmentOrders")
def _assigned(source: Any, arguments: dict[str, Any], run: Run) -> Page:
    if "read_assigned_fulfillment_orders" not in run.shop.scopes:
        raise access_denied("assignedFulfillmentOrders", "`read_assigned_fulfillment_orders` access scope.")
    if not any(one["_ours"] for one in run.shop.locations):
        raise Problem("The api_client is not associated with any fulfillment service", code="BAD_REQUEST")
    wanted = arguments.get("assignmentStatus")
    fos = [fo for fo in all_fos(run, "assignedFulfillmentOrders") if fo["_location"]["_ours"]]
    states = {
        "FULFILLMENT_REQUESTED": ("SUBMITTED",),
        "FULFILLMENT_ACCEPTED": ("ACCEPTED", "CANCELLATION_REJECTED"),
        "CANCELLATION_REQUESTED": ("CANCELLATION_REQUESTED",),
        "FULFILLMENT_UNSUBMITTED": ("UNSUBMITTED",),
    }
    fos = [fo for fo in fos if wanted is None or fo["requestStatus"] in states[wanted]]
    return page(sorted(fos, key=number), arguments)


# -- everything else at the root


@resolves("QueryRoot", "fulfillment")
def _fulfillment(source: Any, arguments: dict[str, Any], run: Run) -> Record | None:
    fulfillment = run.shop.find(arguments["id"], "Fulfillment")
    return fulfillment if fulfillment and order_is_visible(run, fulfillment["order"]) else None


RESOLVERS["Fulfillment", "events"] = lambda source, arguments, run: page(
    source["_events"], arguments, lambda event: event["happenedAt"].replace("T", " ").replace("Z", ".000000")
)


@resolves("QueryRoot", "node")
def _node(source: Any, arguments: dict[str, Any], run: Run) -> Record | None:
    record = run.shop.records.get(arguments["id"])
    if record is None:
        return None
    if record["__typename"] == "FulfillmentOrder" and not routing.visible(run.shop, record):
        return None
    if record["__typename"] == "Order":
        may_read_orders(run, "node")
        return record if order_is_visible(run, record) else None
    return record


@resolves("QueryRoot", "nodes")
def _nodes(source: Any, arguments: dict[str, Any], run: Run) -> list[Record | None]:
    if len(arguments["ids"]) > 250:
        raise Problem(
            "The input array size is greater than the maximum allowed of 250.", code="MAX_INPUT_SIZE_EXCEEDED"
        )
    return [_node(source, {"id": gid}, run) for gid in arguments["ids"]]


@resolves("QueryRoot", "locations")
def _locations(source: Any, arguments: dict[str, Any], run: Run) -> Page:
    if "read_locations" not in run.shop.scopes:
        raise access_denied("locations", "`read_locations` access scope, `read_inventory` access scope.")
    found = [
        one
        for one in run.shop.locations
        if (one["isActive"] or arguments.get("includeInactive"))
        and (not one["isFulfillmentService"] or arguments.get("includeLegacy"))
    ]
    by_name = arguments.get("sortKey") == "NAME"
    key = (lambda one: one["name"]) if by_name else number
    return page(sorted(found, key=lambda one: (key(one), number(one))), arguments, key)


@resolves("QueryRoot", "location")
def _location(source: Any, arguments: dict[str, Any], run: Run) -> Record | None:
    gid = arguments.get("id")
    return run.shop.find(gid, "Location") if gid else run.shop.locations[0]


def _located(source: Record, arguments: dict[str, Any], run: Run) -> Record | None:
    if "read_locations" not in run.shop.scopes:
        raise access_denied("location", "`read_locations` access scope, `read_inventory` access scope.")
    return source["location"]


RESOLVERS["FulfillmentOrderAssignedLocation", "location"] = _located


@resolves("QueryRoot", "shop")
def _shop(source: Any, arguments: dict[str, Any], run: Run) -> Record:
    shop = run.shop
    domain = f"{shop.name}.myshopify.com"
    return {
        "__typename": "Shop",
        "id": "gid://shopify/Shop/1",
        "name": shop.name,
        "email": f"owner@{shop.name}.example",
        "contactEmail": f"owner@{shop.name}.example",
        "myshopifyDomain": domain,
        "url": shop.base_url,
        "primaryDomain": {"host": domain, "url": shop.base_url},
        "createdAt": shop.created_at,
        "currencyCode": shop.currency,
        "ianaTimezone": shop.time_zone,
        "timezoneAbbreviation": "",
        "timezoneOffset": "+0000",
        "timezoneOffsetMinutes": 0,
        "fulfillmentServices": shop.services,
        "plan": {
            "displayName": "Basic",
            "publicDisplayName": "Basic",
            "partnerDevelopment": False,
            "shopifyPlus": False,
        },
    }


@resolves("QueryRoot", "currentAppInstallation")
def _installation(source: Any, arguments: dict[str, Any], run: Run) -> Record:
    return {
        "__typename": "AppInstallation",
        "id": "gid://shopify/AppInstallation/1",
        "app": run.shop.app,
        "accessScopes": [{"handle": one, "description": one.replace("_", " ")} for one in run.shop.granted],
        "launchUrl": run.shop.base_url,
        "uninstallUrl": None,
    }


RESOLVERS["QueryRoot", "appInstallation"] = _installation
RESOLVERS["QueryRoot", "publicApiVersions"] = lambda source, arguments, run: [
    *({"handle": one, "displayName": one, "supported": True} for one in VERSIONS),
    {"handle": "unstable", "displayName": "unstable", "supported": False},
]
RESOLVERS["QueryRoot", "job"] = lambda source, arguments, run: {"id": arguments["id"], "done": True}


@resolves("QueryRoot", "webhookSubscription")
def _webhook(source: Any, arguments: dict[str, Any], run: Run) -> Record | None:
    return run.shop.webhooks.get(arguments["id"])


def found_webhooks(run: Run, arguments: dict[str, Any]) -> list[Record]:
    """The app's subscriptions that a list asks for."""
    test, topics, uri = compile_query(arguments.get("query")), arguments.get("topics"), arguments.get("uri")
    return [
        one
        for one in run.shop.webhooks.values()
        if test(one) and (not topics or one["topic"] in topics) and (not uri or one["uri"] == uri)
    ]


@resolves("QueryRoot", "webhookSubscriptions")
def _webhooks(source: Any, arguments: dict[str, Any], run: Run) -> Page:
    return page(found_webhooks(run, arguments), arguments)


@resolves("QueryRoot", "webhookSubscriptionsCount")
def _webhooks_count(source: Any, arguments: dict[str, Any], run: Run) -> Record:
    return {"count": len(found_webhooks(run, arguments)), "precision": "EXACT"}
