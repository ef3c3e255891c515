"""The merchant's own hand on orders, fulfilment orders and fulfillments: actions that `control` carries out."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from typing import Any

from . import mutations_fos, mutations_fulfillments, mutations_orders, routing
from .shop import Shop
from .values import Record, moment

Action = Callable[..., Any]
ACTIONS: dict[str, Action] = {}


def action(function: Action) -> Action:
    """Register an action under its name."""
    ACTIONS[function.__name__] = function
    return function


def find(shop: Shop, order: str) -> Record:
    """An order by its id or its exact number."""
    if order in shop.orders:
        return shop.orders[order]
    for one in shop.orders.values():
        if one["name"] == order:
            return one
    raise KeyError(f"no order {order!r} in {shop.name}")


def open_fos(order: Record, location: str | None = None) -> list[Record]:
    """The order's fulfilment orders that are not ended, at one location or at all."""
    return [
        fo
        for fo in order["_fos"]
        if fo["status"] not in routing.ENDED and location in (None, fo["_location"]["name"], fo["_location"]["id"])
    ]


def gids(order: Record) -> dict[str, Any]:
    """What a test needs to know of an order."""
    return {
        "id": order["id"],
        "name": order["name"],
        "status": order["displayFulfillmentStatus"],
        "financial": order["displayFinancialStatus"],
        "lines": [line["id"] for line in order["_lines"]],
        "fulfillment_orders": [
            {
                "id": fo["id"],
                "status": fo["status"],
                "location": fo["_location"]["id"],
                "lines": [
                    {
                        "id": line["id"],
                        "line": line["lineItem"]["id"],
                        "total": line["totalQuantity"],
                        "remaining": line["remainingQuantity"],
                    }
                    for line in fo["_lines"]
                ],
            }
            for fo in order["_fos"]
        ],
        "fulfillments": [
            {"id": one["id"], "status": one["status"], "numbers": [row["number"] for row in one["_tracking"]]}
            for one in order["_fulfillments"]
        ],
    }


# -- orders


@action
def add_order(
    shop: Shop, lines: list[Record], placed_at: str | None = None, paid_at: str | None = None, **fields: Any
) -> dict[str, Any]:
    """One order."""
    times = {"placed_at": moment(placed_at) if placed_at else None, "paid_at": moment(paid_at) if paid_at else None}
    return gids(shop.add_order(lines, **times, **fields))


@action
def add_orders(
    shop: Shop,
    count: int,
    lines: list[Record],
    placed_at: str | None = None,
    seconds_apart: float = 0,
    **fields: Any,
) -> list[dict[str, Any]]:
    """Many orders of the same kind, numbered on from the last one."""
    first = moment(placed_at) if placed_at else shop.now()
    orders = []
    for index in range(count):
        placed = first + datetime.timedelta(seconds=index * seconds_apart)
        order = shop.add_order(lines, placed_at=placed, **fields)
        orders.append({"id": order["id"], "name": order["name"], "lines": [line["id"] for line in order["_lines"]]})
    return orders


@action
def order(shop: Shop, order: str) -> dict[str, Any]:
    """What an order looks like now."""
    return gids(find(shop, order))


@action
def mark_paid(shop: Shop, order: str, paid_at: str | None = None) -> dict[str, Any]:
    """The shopper paid."""
    one = find(shop, order)
    owed = sum(line["_price"] * line["currentQuantity"] for line in one["_lines"])
    one["_financial"] = None
    shop.add_transaction(one, kind="SALE", amount=owed, processedAt=paid_at or shop.stamp())
    shop.touch(one)
    shop.deliveries.of_order("ORDERS_PAID", one)
    return gids(one)


@action
def refund(shop: Shop, order: str, lines: dict[str, int] | None = None, amount: float | None = None) -> dict[str, Any]:
    """Money back: for units ({line id: units}, taken off the order), an amount, or all of it."""
    one = find(shop, order)
    if lines is None and amount is None:
        lines = {line["id"]: line["currentQuantity"] for line in one["_lines"]}
    units = lines or {}
    money = amount
    if money is None:
        money = sum(shop.records[gid]["_price"] * quantity for gid, quantity in units.items())
    mutations_orders.refund(shop, one, money, units)
    return gids(one)


@action
def cancel_order(shop: Shop, order: str, reason: str = "CUSTOMER", refund: bool = True) -> dict[str, Any]:
    """The merchant cancels the order, whatever has been fulfilled of it."""
    one = find(shop, order)
    mutations_orders.cancel(shop, one, reason, refund)
    shop.deliveries.of_order("ORDERS_CANCELLED", one)
    return gids(one)


@action
def edit(
    shop: Shop, order: str, add: list[Record] | None = None, remove: dict[str, int] | None = None
) -> dict[str, Any]:
    """The merchant edits the order."""
    one = find(shop, order)
    mutations_orders.edit(shop, one, add or [], remove or {})
    return gids(one)


@action
def delete_order(shop: Shop, order: str) -> None:
    """The order is gone."""
    one = find(shop, order)
    del shop.orders[one["id"]], shop.records[one["id"]]
    shop.version += 1


@action
def touch(shop: Shop, order: str) -> dict[str, Any]:
    """Somebody changed something that is none of our business, a note or a tag."""
    one = find(shop, order)
    shop.touch(one)
    return gids(one)


# -- fulfilment orders


@action
def hold(
    shop: Shop,
    order: str,
    reason: str = "OTHER",
    notes: str | None = None,
    location: str | None = None,
    words: str | None = None,
) -> dict[str, Any]:
    """Put what is open on hold; `words` is what the store calls the reason."""
    one = find(shop, order)
    for fo in open_fos(one, location):
        given = {"reason": reason, "reasonNotes": notes, "displayReason": words}
        mutations_fos.hold(shop, fo, given, False)
    return gids(one)


@action
def release(shop: Shop, order: str) -> dict[str, Any]:
    """Lift all holds, and let what was scheduled begin."""
    one = find(shop, order)
    for fo in open_fos(one):
        was = fo["status"]
        mutations_fos.release(shop, fo, None)
        if was == "ON_HOLD":
            shop.deliveries.of_work("FULFILLMENT_ORDERS_HOLD_RELEASED", fo)
        if fo["status"] == "SCHEDULED":
            fo["status"] = "OPEN"
            shop.deliveries.of_work("FULFILLMENT_ORDERS_SCHEDULED_FULFILLMENT_ORDER_READY", fo)
    shop.touch(one)
    return gids(one)


@action
def schedule(shop: Shop, order: str, at: str) -> dict[str, Any]:
    """Nothing may be fulfilled before `at`."""
    one = find(shop, order)
    for fo in open_fos(one):
        mutations_orders.schedule(shop, fo, moment(at))
    return gids(one)


@action
def route(shop: Shop, order: str, seconds: float = 0) -> dict[str, Any]:
    """Routing takes `seconds` from now; 0 means it is done."""

    one = find(shop, order)
    one["_routed_at"] = time.time() + seconds if seconds else 0
    shop.touch(one)
    return gids(one)


@action
def move(shop: Shop, order: str, to: str, units: dict[str, int] | None = None, at: str | None = None) -> dict[str, Any]:
    """Assign what is open (all, or {line id: units}) to another location; that may make new fulfilment orders."""
    one = find(shop, order)
    for fo in open_fos(one, at):
        wanted = None
        if units is not None:
            wanted = [
                {"id": line["id"], "quantity": units[line["lineItem"]["id"]]}
                for line in fo["_lines"]
                if units.get(line["lineItem"]["id"])
            ]
            if not wanted:
                continue
        mutations_fos.move(shop, fo, shop.location(to), wanted)
    return gids(one)


@action
def report_progress(shop: Shop, order: str) -> dict[str, Any]:
    """The merchant says that it is being packed."""
    one = find(shop, order)
    for fo in open_fos(one):
        fo["status"], fo["_progress"] = "IN_PROGRESS", True
    shop.touch(one)
    return gids(one)


# -- fulfillments


@action
def fulfil_by_hand(
    shop: Shop,
    order: str,
    number: str | None = None,
    numbers: list[str] | None = None,
    company: str | None = None,
    url: str | None = None,
    units: dict[str, int] | None = None,
    location: str | None = None,
    by: str = "hand",
) -> dict[str, Any]:
    """Somebody else fulfils: everything open, or {line id: units}, with or without a number."""
    one = find(shop, order)
    made = []
    places: dict[str, list[Record]] = {}
    for fo in open_fos(one, location):
        group: Record = {"fulfillmentOrderId": fo["id"]}
        if units is not None:
            group["fulfillmentOrderLineItems"] = [
                {"id": line["id"], "quantity": min(units[line["lineItem"]["id"]], line["remainingQuantity"])}
                for line in fo["_lines"]
                if units.get(line["lineItem"]["id"]) and line["remainingQuantity"]
            ]
            if not group["fulfillmentOrderLineItems"]:
                continue
        places.setdefault(fo["_location"]["id"], []).append(group)
    listed = numbers or ([number] if number else [])
    given = {"numbers": listed, "company": company, "urls": [url] if url else []} if listed or company else None
    scopes, shop.scopes = shop.scopes, shop.scopes | set(mutations_fulfillments.FO_SCOPES)
    try:
        for groups in places.values():
            made.append(mutations_fulfillments.create(shop, groups, given, False, by)["id"])
    finally:
        shop.scopes = scopes
    return {**gids(one), "made": made}


@action
def set_tracking(shop: Shop, fulfillment: str, numbers: list[str], company: str | None = None) -> None:
    """Somebody writes other numbers on a fulfillment."""
    one = shop.records[fulfillment]
    one["_tracking"] = mutations_fulfillments.tracking({"numbers": numbers, "company": company})
    one["updatedAt"] = shop.stamp()
    shop.touch(one["order"])
    shop.book.shows(one)


@action
def cancel_fulfillment(shop: Shop, fulfillment: str) -> dict[str, Any]:
    """Somebody cancels a fulfillment in the store's admin."""
    one = shop.records[fulfillment]
    mutations_fulfillments.cancel(shop, one)
    return gids(one["order"])
