"""Orders as an app may change them: create, cancel, refund; and the fulfilment service that an app registers."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

from . import routing
from .execute import Run
from .mutations_base import USER, Refused, mutation
from .shop import Shop
from .values import Record, iso, moment, money


def refund(shop: Shop, order: Record, amount: float, units: dict[str, int], note: str | None = None) -> Record:
    """Money back, and units off the order that nobody has fulfilled yet."""
    lines = []
    for gid, quantity in units.items():
        line = shop.find(gid, "LineItem")
        if line is None or line["_order"] is not order:
            raise Refused(["refundLineItems"], "Line item does not exist.")
        remove_units(order, line, quantity)
        lines.append(
            {
                "id": shop.new_id("RefundLineItem"),
                "lineItem": line,
                "quantity": quantity,
                "restockType": "CANCEL",
                "restocked": True,
            }
        )
    transactions = []
    if amount:
        transactions.append(shop.add_transaction(order, kind="REFUND", amount=amount))
    stamp = shop.stamp()
    record = shop.record(
        "Refund",
        createdAt=stamp,
        processedAt=stamp,
        updatedAt=stamp,
        note=note,
        order=order,
        totalRefundedSet=money(amount, order["currencyCode"]),
        _lines=lines,
        _transactions=transactions,
    )
    order["_refunds"].append(record)
    shop.touch(order)
    return record


def remove_units(order: Record, line: Record, quantity: int) -> None:
    """Units that nobody will get: off the line, and off its fulfilment orders as far as they are open."""
    line["currentQuantity"] = max(0, line["currentQuantity"] - quantity)
    for fo in order["_fos"]:
        if fo["status"] in routing.ENDED:
            continue
        for item in fo["_lines"]:
            if item["lineItem"] is line:
                taken = min(quantity, item["remainingQuantity"])
                item["totalQuantity"] -= taken
                item["remainingQuantity"] -= taken
                quantity -= taken
        if not routing.remaining(fo):
            fo["status"] = "CLOSED"


def cancel(shop: Shop, order: Record, reason: str, with_refund: bool, note: str | None = None) -> None:
    """Cancel an order: its fulfilment orders close; with a refund their units are gone as well."""
    order["cancelledAt"] = shop.stamp()
    order["cancelReason"] = reason
    order["cancellation"] = {"staffNote": note}
    for fo in order["_fos"]:
        if fo["status"] not in routing.ENDED:
            fo["status"], fo["fulfillmentHolds"], fo["updatedAt"] = "CLOSED", [], order["cancelledAt"]
            if with_refund:
                routing.empty(fo)
    for line in order["_lines"] if with_refund else ():
        line["currentQuantity"] = min(line["currentQuantity"], line["_fulfilled"])
    shop.touch(order)
    if with_refund:
        refund(shop, order, order["_totalReceivedSet"] - order["_totalRefundedSet"], {})
        order["closed"], order["closedAt"] = True, order["cancelledAt"]


def _currency(given: Record) -> str | None:
    """The currency of the first price that was given."""
    for one in given.get("lineItems") or ():
        if one.get("priceSet"):
            return one["priceSet"]["shopMoney"]["currencyCode"]
    return None


@mutation("orderCreate", ("write_orders",), "`write_orders` access scope.")
def _create(arguments: dict[str, Any], run: Run) -> Record:
    given = arguments["order"]
    lines = []
    for one in given.get("lineItems") or ():
        price = ((one.get("priceSet") or {}).get("shopMoney") or {}).get("amount") or 0
        lines.append(
            {
                "title": one.get("title") or "Item",
                "quantity": one["quantity"],
                "sku": one.get("sku"),
                "price": float(price),
                "requires_shipping": one.get("requiresShipping") is not False,
                "variant": one.get("variantId"),
            }
        )
    transactions = [
        {
            "kind": one.get("kind") or "SALE",
            "status": one.get("status") or "SUCCESS",
            "gateway": one.get("gateway") or "manual",
            "amount": float(one["amountSet"]["shopMoney"]["amount"]),
        }
        for one in given.get("transactions") or ()
    ]
    address = given.get("shippingAddress") or {}
    placed = moment(given["processedAt"]) if given.get("processedAt") else None
    order = run.shop.add_order(
        lines,
        number=given.get("name"),
        placed_at=placed,
        paid=False,
        email=given.get("email"),
        customer=f"{address.get('firstName') or ''} {address.get('lastName') or ''}".strip(),
        address=address,
        currency=given.get("currency") or _currency(given),
        transactions=transactions,
        note=given.get("note"),
        tags=sorted(given.get("tags") or ()),
        test=bool(given.get("test")),
        sourceIdentifier=given.get("sourceIdentifier"),
        poNumber=given.get("poNumber"),
        phone=given.get("phone"),
        _financial=None if transactions else given.get("financialStatus"),
    )
    if placed is None:
        order["updatedAt"] = order["createdAt"] = run.shop.stamp()
    return {"order": order}


def _refused(field: str, message: str) -> Record:
    error = {"field": [field], "message": message, "code": "INVALID"}
    return {"job": None, "orderCancelUserErrors": [error], "userErrors": [error]}


@mutation("orderCancel", ("write_orders",), "`write_orders` access scope.")
def _cancel(arguments: dict[str, Any], run: Run) -> Record:
    if len(arguments.get("staffNote") or "") > 255:
        return _refused("staffNote", "Staff note is too long. Maximum length is 255 characters.")
    if arguments.get("refund") is not None and arguments.get("refundMethod") is not None:
        return _refused("refund", "Only one of the arguments `refund` or `refund_method` is allowed.")
    order = run.shop.find(arguments["orderId"], "Order")
    if order is None:
        return _refused("orderId", "Order does not exist")
    if order["cancelledAt"]:
        return _refused("orderId", "Cannot cancel an order that has already been canceled")
    if any(one["status"] != "CANCELLED" for one in order["_fulfillments"]):
        return _refused("orderId", "Cannot cancel an order that has outstanding fulfillments")
    method = arguments.get("refundMethod") or {}
    with_refund = bool(arguments.get("refund") or method.get("originalPaymentMethodsRefund"))
    cancel(run.shop, order, arguments["reason"], with_refund, arguments.get("staffNote"))
    return {"job": {"id": f"gid://shopify/Job/{uuid.uuid4()}", "done": False}, "orderCancelUserErrors": []}


@mutation("refundCreate", ("write_orders",), "`write_orders` access scope.")
def _refund(arguments: dict[str, Any], run: Run) -> Record:
    given = arguments["input"]
    order = run.shop.find(given["orderId"], "Order")
    if order is None:
        raise Refused(["orderId"], "Order does not exist")
    units = {one["lineItemId"]: one["quantity"] for one in given.get("refundLineItems") or ()}
    amount = sum(run.shop.records[gid]["_price"] * quantity for gid, quantity in units.items())
    return {"order": order, "refund": refund(run.shop, order, amount, units, given.get("note"))}


@mutation("customerCreate", ("write_customers",), "`write_customers` access scope.")
def _customer(arguments: dict[str, Any], run: Run) -> Record:
    given = arguments["input"]
    first, last = given.get("firstName") or "", given.get("lastName") or ""
    fields = {"email": given.get("email"), "firstName": first, "lastName": last, "locale": "en"}
    return {"customer": run.shop.record("Customer", displayName=f"{first} {last}".strip(), **fields)}


@mutation("fulfillmentServiceCreate", ("write_fulfillments",), f"`write_fulfillments` access scope.{USER}")
def _service(arguments: dict[str, Any], run: Run) -> Record:
    name = arguments["name"]
    if any(one["serviceName"] == name for one in run.shop.services):
        raise Refused(["name"], "Name has already been taken")
    location = run.shop.add_location(name, service=name, ours=True)
    service = location["fulfillmentService"]
    for key in ("callbackUrl", "trackingSupport", "inventoryManagement", "requiresShippingMethod"):
        service[key] = arguments.get(key)
    return {"fulfillmentService": service}


def edit(shop: Shop, order: Record, add: list[Record], remove: dict[str, int]) -> list[Record]:
    """Edit an order: removed units leave its open fulfilment orders, new items come in a new one."""
    for gid, quantity in remove.items():
        remove_units(order, shop.records[gid], quantity)
    new = [shop.add_line(order, **line) for line in add]
    places: dict[str, list[tuple[Record, int]]] = {}
    for line in new:
        places.setdefault(line["_location"]["id"], []).append((line, line["quantity"]))
    for items in places.values():
        routing.open_order(shop, order, items[0][0]["_location"], items, shop.stamp())
    order["edited"] = True
    event = {"action": "edited", "message": "TrackSync edited this order.", "createdAt": shop.stamp()}
    order["_events"].append(shop.record("BasicEvent", **event))
    shop.touch(order)
    return new


def schedule(shop: Shop, fo: Record, at: datetime.datetime) -> None:
    """A subscription's later delivery: nothing may be fulfilled before `at`."""
    fo["status"], fo["fulfillAt"] = "SCHEDULED", iso(at)
    shop.touch(fo["order"])
