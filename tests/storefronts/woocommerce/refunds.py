"""Refunds: units and money that go back. A full one gives the order the status `refunded`."""

from __future__ import annotations

from typing import Any

from . import dates
from .access import Request, must
from .problems import Answer, Refused, missing, no_order
from .shop import Order, Record, Shop


def total(order: Order) -> float:
    """What the shopper paid."""
    return sum(line.price * line.quantity for line in order.lines)


def returned(order: Order) -> float:
    """What went back already."""
    return sum(one["amount"] for one in order.refunds)


def make(shop: Shop, order: Order, amount: float, units: dict[int, int], reason: str = "") -> Record:
    """One refund; `units` says which of the lines."""
    refund = {
        "id": shop.new_id("order"),
        "amount": amount,
        "reason": reason,
        "at": dates.now(),
        "units": [(line, count) for line, count in units.items() if count],
        "line_ids": {line: shop.new_id("line") for line in units},
    }
    order.refunds.append(refund)
    return refund


def of_the_rest(shop: Shop, order: Order) -> None:
    """Somebody set the status to refunded: the money that is left goes back, and no line is named."""
    left = total(order) - returned(order)
    if left > 0:
        make(shop, order, left, {}, "Order fully refunded.")


def view(shop: Shop, order: Order, refund: Record) -> Record:
    """A refund as its own route shows it: units are negative, each names the line it belongs to in its meta."""
    lines = {line.id: line for line in order.lines}
    return {
        "id": refund["id"],
        "parent_id": order.id,
        "date_created": dates.local(refund["at"], shop.time_zone),
        "date_created_gmt": dates.gmt(refund["at"]),
        "amount": f"{refund['amount']:.2f}",
        "reason": refund["reason"],
        "refunded_by": 1,
        "refunded_payment": False,
        "meta_data": [],
        "line_items": [
            {
                "id": refund["line_ids"][line],
                "name": lines[line].title,
                "product_id": lines[line].product,
                "variation_id": 0,
                "quantity": -units,
                "total": f"{-units * lines[line].price:.2f}",
                "sku": lines[line].sku,
                "meta_data": [{"id": refund["line_ids"][line], "key": "_refunded_item_id", "value": str(line)}],
            }
            for line, units in refund["units"]
        ],
    }


def listed(shop: Shop, request: Request, role: str, order: str) -> list[Record]:
    """GET /orders/<id>/refunds."""
    one = shop.orders.get(int(order))
    if one is None:
        raise no_order()
    must(role, "list")
    return [view(shop, one, refund) for refund in reversed(one.refunds)]


def created(shop: Shop, request: Request, role: str, order: str) -> Answer:
    """POST /orders/<id>/refunds with an amount and, where units go back, line items."""
    from . import statuses

    given: dict[str, Any] = request.given
    one = shop.orders.get(int(order))
    if "amount" not in given:
        raise missing("amount")
    must(role, "create")
    if one is None:
        raise no_order()
    amount = float(given["amount"])
    if not 0 < amount <= total(one) - returned(one) + 0.001:
        raise Refused(400, "woocommerce_rest_cannot_create_order_refund", "Invalid refund amount.")
    units = {int(item["id"]): int(item.get("quantity", 0)) for item in given.get("line_items") or ()}
    refund = make(shop, one, amount, units, str(given.get("reason", "")))
    if returned(one) >= total(one) - 0.001:
        statuses.move(shop, one, "refunded", by="api")
    shop.changed(one)
    return Answer(201, view(shop, one, refund))
