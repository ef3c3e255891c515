"""Fulfilment orders under an app's hand: hold, move, split, merge, progress."""

from __future__ import annotations

from typing import Any

from . import routing
from .execute import Run
from .mutations_base import FO_SCOPES, WRITE_FOS, Refused, known_fo, mutation
from .problems import Broken
from .shop import Shop
from .values import Record, tail

MANAGED = ("write_merchant_managed_fulfillment_orders", "write_third_party_fulfillment_orders")


def part(shop: Shop, fo: Record, wanted: list[Record], field: list[str] | None, keep: bool) -> Record | None:
    """Cut a fulfilment order in two; the new one, or None when nothing is left over.

    `keep` leaves the wanted units in the old one and moves the rest out; else the wanted ones move out.
    """
    asked: dict[str, int] = {}
    for one in wanted:
        line = shop.find(one["id"], "FulfillmentOrderLineItem")
        if line is None or line["_fo"] is not fo:
            raise Refused(field, "Fulfillment order line item does not exist.")
        asked[line["id"]] = one["quantity"]
        if one["quantity"] > line["remainingQuantity"]:
            raise Refused(
                field, "Invalid fulfillment order line item quantity requested.", "INVALID_LINE_ITEM_QUANTITY"
            )
    items = []
    for line in fo["_lines"]:
        out = asked.get(line["id"], 0)
        out = line["remainingQuantity"] - out if keep else out
        if out:
            items.append((line["lineItem"], out))
            line["totalQuantity"] -= out
            line["remainingQuantity"] -= out
    fo["_lines"] = [line for line in fo["_lines"] if line["totalQuantity"] > 0]
    if not items:
        return None
    other = routing.open_order(shop, fo["order"], fo["_location"], items, shop.stamp())
    other["fulfillAt"], other["fulfillBy"] = fo["fulfillAt"], fo["fulfillBy"]
    return other


def changed(shop: Shop, fo: Record) -> None:
    """The fulfilment order and its order were written to."""
    fo["updatedAt"] = shop.stamp()
    shop.touch(fo["order"])


def hold(shop: Shop, fo: Record, given: Record, by_app: bool) -> tuple[Record, Record | None]:
    """Put units on hold: (the hold, the fulfilment order of the units that stay free)."""
    wanted, handle = given.get("fulfillmentOrderLineItems") or [], given.get("handle") or ""
    lines = ["fulfillmentHold", "fulfillmentOrderLineItems"]
    for index, one in enumerate(wanted):
        if one["quantity"] <= 0:
            message = "You must select at least one item to place on partial hold."
            raise Refused([*lines, str(index), "quantity"], message, "GREATER_THAN_ZERO")
    if len({one["id"] for one in wanted}) < len(wanted):
        raise Refused(lines, "must contain unique line item ids", "DUPLICATED_FULFILLMENT_ORDER_LINE_ITEMS")
    holds = fo["fulfillmentHolds"]
    if wanted and fo["status"] != "OPEN":
        message = "The fulfillment order is not in a splittable state."
        raise Refused(lines, message, "FULFILLMENT_ORDER_NOT_SPLITTABLE")
    if by_app and len(holds) >= routing.HOLDS_AT_MOST:
        message = (
            "The maximum number of fulfillment holds for this fulfillment order has been reached for this app."
            " An app can only have up to 10 holds on a single fulfillment order at any one time."
        )
        raise Refused(["id"], message, "FULFILLMENT_ORDER_HOLD_LIMIT_REACHED")
    if by_app and any(one["handle"] == handle and one["heldByRequestingApp"] for one in holds):
        message = (
            "The handle provided for the fulfillment hold is already in use by this app for another hold on this"
            " fulfillment order."
        )
        raise Refused(["fulfillmentHold", "handle"], message, "DUPLICATE_FULFILLMENT_HOLD_HANDLE")
    rest = part(shop, fo, wanted, lines, keep=True) if wanted else None
    if rest is not None:
        fo["_parted"] = rest
    one = shop.record(
        "FulfillmentHold",
        handle=handle,
        reason=given["reason"],
        reasonNotes=given.get("reasonNotes"),
        displayReason=given.get("displayReason") or routing.HOLD_WORDS[given["reason"]],
        heldByRequestingApp=by_app,
    )
    holds.append(one)
    fo["status"] = "ON_HOLD"
    changed(shop, fo)
    return one, rest


def release(shop: Shop, fo: Record, hold_ids: list[str] | None) -> None:
    """Lift holds (all for None); the last one opens it again and takes back what a partial hold left free."""
    gone = hold_ids or [one["id"] for one in fo["fulfillmentHolds"]]
    fo["fulfillmentHolds"] = [one for one in fo["fulfillmentHolds"] if one["id"] not in gone]
    if not fo["fulfillmentHolds"] and fo["status"] == "ON_HOLD":
        fo["status"] = "OPEN"
        rest, fo["_parted"] = fo["_parted"], None
        if rest is not None and rest["status"] == "OPEN" and not rest["_fulfillments"]:
            absorb(shop, fo, rest)
    changed(shop, fo)


def absorb(shop: Shop, fo: Record, other: Record) -> None:
    """All units of `other` into `fo`; `other` is closed."""
    for line in other["_lines"]:
        same = next((one for one in fo["_lines"] if one["lineItem"] is line["lineItem"]), None)
        if same is None:
            routing.add_line(shop, fo, line["lineItem"], line["remainingQuantity"])
        else:
            same["totalQuantity"] += line["remainingQuantity"]
            same["remainingQuantity"] += line["remainingQuantity"]
    routing.empty(other)
    other["updatedAt"] = shop.stamp()


def move(shop: Shop, fo: Record, location: Record, wanted: list[Record] | None) -> tuple[Record, Record | None]:
    """Assign units to another location: (the fulfilment order there, what stayed behind)."""
    everything = not wanted or (
        {one["id"]: one["quantity"] for one in wanted}
        == {line["id"]: line["remainingQuantity"] for line in fo["_lines"]}
    )
    if everything:
        routing.place(fo, location)
        changed(shop, fo)
        return fo, None
    moved = part(shop, fo, wanted or [], ["fulfillmentOrderLineItems"], keep=False)
    assert moved is not None
    routing.place(moved, location)
    shop.touch(fo["order"])
    return moved, fo


@mutation("fulfillmentOrderHold", FO_SCOPES, WRITE_FOS)
def _hold(arguments: dict[str, Any], run: Run) -> Record:
    fo = known_fo(run, arguments["id"])
    one, rest = hold(run.shop, fo, arguments["fulfillmentHold"], True)
    return {"fulfillmentHold": one, "fulfillmentOrder": fo, "remainingFulfillmentOrder": rest}


@mutation("fulfillmentOrderReleaseHold", FO_SCOPES, WRITE_FOS)
def _release(arguments: dict[str, Any], run: Run) -> Record:
    fo = known_fo(run, arguments["id"])
    release(run.shop, fo, arguments.get("holdIds"))
    return {"fulfillmentOrder": fo}


@mutation("fulfillmentOrderMove", MANAGED, WRITE_FOS)
def _move(arguments: dict[str, Any], run: Run) -> Record:
    fo = known_fo(run, arguments["id"])
    location = run.shop.find(arguments["newLocationId"], "Location")
    if fo["status"] in routing.ENDED:
        raise Refused(None, "Cannot change location.")
    if fo["_progress"]:
        message = (
            "Cannot move a fulfillment order that has had progress reported. To move a fulfillment order that has had"
            " progress reported, the fulfillment order must first be marked as open resolving the ongoing progress"
            " state."
        )
        raise Refused(["id"], message, "CANNOT_MOVE_FULFILLMENT_ORDER_WITH_REPORTED_PROGRESS")
    if fo["requestStatus"] in ("SUBMITTED", "ACCEPTED"):
        raise Refused(None, "Cannot move submitted fulfillment order that is at a 3PL fulfillment service.")
    if location is None:
        raise Refused(["id"], "Location not found.")
    moved, rest = move(run.shop, fo, location, arguments.get("fulfillmentOrderLineItems"))
    return {"movedFulfillmentOrder": moved, "originalFulfillmentOrder": fo, "remainingFulfillmentOrder": rest}


@mutation("fulfillmentOrderSplit", FO_SCOPES, WRITE_FOS)
def _split(arguments: dict[str, Any], run: Run) -> Record:
    results = []
    for given in arguments["fulfillmentOrderSplits"]:
        fo = known_fo(run, given["fulfillmentOrderId"])
        field = ["fulfillmentOrderSplits", "0", "fulfillmentOrderLineItems"]
        if not given["fulfillmentOrderLineItems"]:
            message = "There must be at least one line item to split."
            raise Refused(field, message, "NO_LINE_ITEMS_PROVIDED_TO_SPLIT")
        rest = part(run.shop, fo, given["fulfillmentOrderLineItems"], field, keep=False)
        run.shop.touch(fo["order"])
        results.append({"fulfillmentOrder": fo, "remainingFulfillmentOrder": rest, "replacementFulfillmentOrder": None})
    return {"fulfillmentOrderSplits": results}


@mutation("fulfillmentOrderMerge", FO_SCOPES, WRITE_FOS)
def _merge(arguments: dict[str, Any], run: Run) -> Record:
    results = []
    for given in arguments["fulfillmentOrderMergeInputs"]:
        fos = [known_fo(run, one["fulfillmentOrderId"]) for one in given["mergeIntents"]]
        for other in fos[1:]:
            absorb(run.shop, fos[0], other)
        run.shop.touch(fos[0]["order"])
        results.append({"fulfillmentOrder": fos[0]})
    return {"fulfillmentOrderMerges": results}


@mutation("fulfillmentOrderReportProgress", FO_SCOPES, WRITE_FOS)
def _progress(arguments: dict[str, Any], run: Run) -> Record:
    fo = known_fo(run, arguments["id"])
    if fo["status"] not in ("OPEN", "IN_PROGRESS") or fo["_location"]["isFulfillmentService"]:
        raise Refused(None, "Cannot report progress on a fulfillment order in this state.")
    fo["status"], fo["_progress"] = "IN_PROGRESS", True
    changed(run.shop, fo)
    return {"fulfillmentOrder": fo}


@mutation("fulfillmentOrderOpen", MANAGED, WRITE_FOS)
def _open(arguments: dict[str, Any], run: Run) -> Record:
    fo = known_fo(run, arguments["id"])
    if fo["status"] not in ("IN_PROGRESS", "SCHEDULED"):
        message = f"Expected fulfillment order status to be valid but it was {fo['status'].lower()}."
        raise Refused(None, message)
    fo["status"], fo["_progress"] = "OPEN", False
    changed(run.shop, fo)
    return {"fulfillmentOrder": fo}


@mutation("fulfillmentOrderReschedule", FO_SCOPES, WRITE_FOS)
def _reschedule(arguments: dict[str, Any], run: Run) -> Record:
    fo = known_fo(run, arguments["id"])
    if fo["status"] != "SCHEDULED":
        raise Refused(None, "Fulfillment order must be scheduled.")
    fo["fulfillAt"] = arguments["fulfillAt"]
    changed(run.shop, fo)
    return {"fulfillmentOrder": fo}


@mutation("fulfillmentOrderCancel", FO_SCOPES, WRITE_FOS)
def _cancel(arguments: dict[str, Any], run: Run) -> Record:
    fo = known_fo(run, arguments["id"])
    if fo["status"] in routing.ENDED:
        raise Refused(None, "Fulfillment order is not in cancelable request state and can't be canceled.")
    if fo["_progress"]:
        message = "Cannot cancel fulfillment order that has had progress reported. Mark as unfulfilled first."
        raise Refused(["id"], message)
    new = routing.open_order(run.shop, fo["order"], fo["_location"], [], run.shop.stamp())
    new["fulfillAt"], new["deliveryMethod"] = fo["fulfillAt"], fo["deliveryMethod"]
    new["_lines"] = fo["_lines"]  # the units go over under their own ids
    for line in new["_lines"]:
        line["_fo"] = new
    fo["status"], fo["_lines"], fo["fulfillmentHolds"] = "CLOSED", [], []
    changed(run.shop, fo)
    return {"fulfillmentOrder": fo, "replacementFulfillmentOrder": new}


@mutation("fulfillmentOrderClose", FO_SCOPES, WRITE_FOS)
def _close(arguments: dict[str, Any], run: Run) -> Record:
    fo = known_fo(run, arguments["id"])
    if not fo["_location"]["isFulfillmentService"]:
        raise Refused(None, "The fulfillment order's assigned fulfillment service must be of api type")
    fo["status"], fo["requestStatus"] = "INCOMPLETE", "CLOSED"
    changed(run.shop, fo)
    return {"fulfillmentOrder": fo}


@mutation("fulfillmentOrdersSetFulfillmentDeadline", FO_SCOPES, WRITE_FOS)
def _deadline(arguments: dict[str, Any], run: Run) -> Record:
    fos = [known_fo(run, gid) for gid in arguments["fulfillmentOrderIds"]]
    for fo in fos:
        fo["fulfillBy"] = f"{arguments['fulfillmentDeadline'][:19]}Z"
        changed(run.shop, fo)
    return {"success": True}


@mutation("fulfillmentOrdersReroute", FO_SCOPES, WRITE_FOS)
def _reroute(arguments: dict[str, Any], run: Run) -> Record:
    for gid in arguments["fulfillmentOrderIds"]:
        known_fo(run, gid)
    raise Broken  # the only recording of a reroute is the store breaking over it


@mutation("fulfillmentOrderLineItemsPreparedForPickup", FO_SCOPES, WRITE_FOS)
def _prepared(arguments: dict[str, Any], run: Run) -> Record:
    errors = []
    for index, one in enumerate(arguments["input"]["lineItemsByFulfillmentOrder"]):
        fo = run.shop.find(one["fulfillmentOrderId"], "FulfillmentOrder")
        if fo is None or fo["deliveryMethod"]["methodType"] != "PICK_UP":
            field = ["input", "lineItemsByFulfillmentOrder", str(index), "fulfillmentOrderId"]
            message = f"Invalid fulfillment_order_id provided {tail(one['fulfillmentOrderId'])}"
            errors.append({"field": field, "message": message, "code": "FULFILLMENT_ORDER_INVALID"})
    return {"userErrors": errors}
