"""Fulfilment orders, which of them an app may see, and fulfillments."""

from __future__ import annotations

import time
from typing import Any

from . import routing
from .execute import Run
from .problems import Problem, access_denied
from .reads_orders import PROTECTED, order_is_visible
from .resolvers import RESOLVERS, Page, listed, number, page, resolves
from .search import compile_query
from .values import Record

FO_SCOPES = (
    "`read_assigned_fulfillment_orders` access scope, `read_merchant_managed_fulfillment_orders` access scope,"
    " `read_third_party_fulfillment_orders` access scope or `read_marketplace_fulfillment_orders` access scope."
)

listed("FulfillmentOrder", "lineItems", "_lines")
listed("Fulfillment", "fulfillmentLineItems", "_lines")


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


@resolves("QueryRoot", "fulfillment")
def _fulfillment(source: Any, arguments: dict[str, Any], run: Run) -> Record | None:
    fulfillment = run.shop.find(arguments["id"], "Fulfillment")
    return fulfillment if fulfillment and order_is_visible(run, fulfillment["order"]) else None


RESOLVERS["Fulfillment", "events"] = lambda source, arguments, run: page(
    source["_events"], arguments, lambda event: event["happenedAt"].replace("T", " ").replace("Z", ".000000")
)
