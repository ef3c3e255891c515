"""Fulfilment orders: how they open, what may be done with them, what an order's state follows from them.

The combinations of status, quantities and supported actions are those that real stores were recorded
with. https://shopify.dev/docs/apps/build/orders-fulfillment
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .values import Record

if TYPE_CHECKING:
    from .shop import Shop

FULFILLABLE = ("OPEN", "IN_PROGRESS", "INCOMPLETE")
ENDED = ("CLOSED", "CANCELLED")
HOLD_WORDS = {
    "AWAITING_PAYMENT": "Awaiting payment",
    "AWAITING_RETURN_ITEMS": "Awaiting return items",
    "HIGH_RISK_OF_FRAUD": "High risk of fraud",
    "INCORRECT_ADDRESS": "Incorrect address",
    "INVENTORY_OUT_OF_STOCK": "Inventory out of stock",
    "ONLINE_STORE_POST_PURCHASE_CROSS_SELL": "Awaiting post-purchase offer",
    "OTHER": "Other",
    "UNKNOWN_DELIVERY_DATE": "Unknown delivery date",
}
HOLDS_AT_MOST = 10


def open_order(
    shop: Shop, order: Record, location: Record, items: list[tuple[Record, int]], stamp: str, status: str = "OPEN"
) -> Record:
    """A new fulfilment order for (line, quantity) pairs at one location."""
    fo = shop.record(
        "FulfillmentOrder",
        status=status,
        requestStatus="UNSUBMITTED",
        assignmentStatus=None,
        createdAt=stamp,
        updatedAt=stamp,
        fulfillAt=f"{stamp[:13]}:00:00Z",
        fulfillBy=None,
        fulfillmentHolds=[],
        order=order,
        orderId=order["id"],
        orderName=order["name"],
        orderProcessedAt=order["processedAt"],
        _lines=[],
        _requests=[],
        _fulfillments=[],
        _progress=False,
        _parted=None,
    )
    place(fo, location)
    ships = any(line["requiresShipping"] for line, _ in items)
    fo["deliveryMethod"] = {
        "__typename": "DeliveryMethod",
        "id": shop.new_id("DeliveryMethod"),
        "methodType": "SHIPPING" if ships else "NONE",
        "presentedName": "Standard" if ships else None,
        "serviceCode": None,
    }
    for line, quantity in items:
        add_line(shop, fo, line, quantity)
    order["_fos"].append(fo)
    return fo


def place(fo: Record, location: Record) -> None:
    """Assign a fulfilment order to a location."""
    fo["_location"] = location
    fo["assignedLocation"] = {
        "name": location["name"],
        "countryCode": location["address"].get("countryCode") or "US",
        "location": location,
        "address1": location["address"].get("address1"),
        "city": location["address"].get("city"),
    }


def add_line(shop: Shop, fo: Record, line: Record, quantity: int) -> Record:
    """Units of an order line into a fulfilment order."""
    record = shop.record(
        "FulfillmentOrderLineItem",
        totalQuantity=quantity,
        remainingQuantity=quantity,
        lineItem=line,
        sku=line["sku"],
        productTitle=line["title"],
        requiresShipping=line["requiresShipping"],
        variantTitle=None,
        vendor=None,
        _fo=fo,
    )
    fo["_lines"].append(record)
    return record


def remaining(fo: Record) -> int:
    """Units still to be fulfilled."""
    return sum(line["remainingQuantity"] for line in fo["_lines"])


def empty(fo: Record) -> None:
    """Nothing is left to do here: closed, with no units."""
    fo["status"] = "CLOSED"
    fo["fulfillmentHolds"] = []
    for line in fo["_lines"]:
        line["totalQuantity"] = line["remainingQuantity"] = 0


def scope_of(location: Record) -> str:
    """Which family of fulfilment orders a location's belong to."""
    if not location["isFulfillmentService"]:
        return "merchant_managed_fulfillment_orders"
    return "assigned_fulfillment_orders" if location["_ours"] else "third_party_fulfillment_orders"


def visible(shop: Shop, fo: Record) -> bool:
    """Whether the app is shown this fulfilment order at all."""
    return f"read_{scope_of(fo['_location'])}" in shop.scopes


def writable(shop: Shop, fo: Record) -> bool:
    """Whether the app may fulfil it."""
    return f"write_{scope_of(fo['_location'])}" in shop.scopes


def actions(shop: Shop, fo: Record, with_merge: bool) -> list[Record]:
    """`supportedActions`: what may be done with this fulfilment order now."""
    return [{"action": one, "externalUrl": None} for one in _actions(shop, fo, with_merge)]


def _actions(shop: Shop, fo: Record, with_merge: bool) -> list[str]:
    status = fo["status"]
    if status in ENDED:
        return []
    if not writable(shop, fo):
        return ["MOVE", "HOLD"]
    if status == "ON_HOLD":
        more = ["HOLD"] if len(fo["fulfillmentHolds"]) < HOLDS_AT_MOST else []
        return ["RELEASE_HOLD", *more, "MOVE"]
    if status == "SCHEDULED":
        return ["MARK_AS_OPEN", "MOVE"]
    if status == "IN_PROGRESS" and fo["requestStatus"] != "ACCEPTED":
        return ["CREATE_FULFILLMENT", "REPORT_PROGRESS", "HOLD", "MARK_AS_OPEN"]
    if status == "IN_PROGRESS":
        return ["CREATE_FULFILLMENT", "REQUEST_CANCELLATION"]
    several = remaining(fo) > 1
    if fo["_location"]["isFulfillmentService"]:
        if fo["requestStatus"] == "SUBMITTED":
            return ["CREATE_FULFILLMENT", "REQUEST_CANCELLATION"]
        split = ["SPLIT"] if several and status == "OPEN" else []
        return ["REQUEST_FULFILLMENT", "CREATE_FULFILLMENT", "HOLD", *split, "MOVE"]
    merge = ["MERGE"] if with_merge and mergeable(fo) else []
    return ["CREATE_FULFILLMENT", "REPORT_PROGRESS", "MOVE", "HOLD", *(["SPLIT"] if several else []), *merge]


def mergeable(fo: Record) -> bool:
    """Whether another open fulfilment order of the same order stands at the same location."""
    return any(
        other is not fo
        and other["status"] == fo["status"] == "OPEN"
        and other["_location"] is fo["_location"]
        and other["deliveryMethod"]["methodType"] == fo["deliveryMethod"]["methodType"]
        for other in fo["order"]["_fos"]
    )


def settle(order: Record) -> None:
    """Recompute what follows from lines, fulfilment orders, fulfillments and payments."""
    fulfilled: dict[str, int] = {}
    for fulfillment in order["_fulfillments"]:
        if fulfillment["status"] != "CANCELLED":
            for item in fulfillment["_lines"]:
                line = item["lineItem"]
                fulfilled[line["id"]] = fulfilled.get(line["id"], 0) + item["quantity"]
    held: dict[str, int] = {}
    for fo in order["_fos"]:
        if fo["status"] in ("ON_HOLD", "SCHEDULED"):
            for item in fo["_lines"]:
                line = item["lineItem"]
                held[line["id"]] = held.get(line["id"], 0) + item["remainingQuantity"]
    for line in order["_lines"]:
        done, current = fulfilled.get(line["id"], 0), line["currentQuantity"]
        line["_fulfilled"] = done
        line["unfulfilledQuantity"] = max(0, current - done)
        line["fulfillableQuantity"] = max(0, current - done - held.get(line["id"], 0))
        line["nonFulfillableQuantity"] = line["quantity"] - line["fulfillableQuantity"]
        line["refundableQuantity"] = current
        line["fulfillmentStatus"] = "fulfilled" if current and done >= current else "unfulfilled"
    _settle_fulfillment(order)
    _settle_money(order)


def _settle_fulfillment(order: Record) -> None:
    lines = [line for line in order["_lines"] if line["currentQuantity"]]
    done = sum(min(line["_fulfilled"], line["currentQuantity"]) for line in lines)
    wanted = sum(line["currentQuantity"] for line in lines)
    statuses = {fo["status"] for fo in order["_fos"]} - set(ENDED)
    if wanted and done >= wanted:
        status = "FULFILLED"
    elif done:
        status = "PARTIALLY_FULFILLED"
    elif statuses == {"ON_HOLD"}:
        status = "ON_HOLD"
    elif statuses == {"SCHEDULED"}:
        status = "SCHEDULED"
    elif "IN_PROGRESS" in statuses:
        status = "IN_PROGRESS"
    else:
        status = "UNFULFILLED"
    order["displayFulfillmentStatus"] = status
    order["requiresShipping"] = any(line["requiresShipping"] for line in order["_lines"])
    order["fulfillable"] = bool(statuses & set(FULFILLABLE))
    order["subtotalLineItemsQuantity"] = sum(line["quantity"] for line in order["_lines"])
    order["currentSubtotalLineItemsQuantity"] = wanted


def _settle_money(order: Record) -> None:
    total = sum(line["_price"] * line["quantity"] for line in order["_lines"])
    current = sum(line["_price"] * line["currentQuantity"] for line in order["_lines"])
    good = [one for one in order["_transactions"] if one["status"] == "SUCCESS"]
    received = sum(one["_amount"] for one in good if one["kind"] in ("SALE", "CAPTURE"))
    refunded = sum(one["_amount"] for one in good if one["kind"] == "REFUND")
    authorised = sum(one["_amount"] for one in good if one["kind"] == "AUTHORIZATION")
    voided = any(one["kind"] == "VOID" for one in good)
    if refunded and refunded >= received:
        status = "REFUNDED"
    elif refunded:
        status = "PARTIALLY_REFUNDED"
    elif received and received >= total - 0.005:
        status = "PAID"
    elif received:
        status = "PARTIALLY_PAID"
    elif voided:
        status = "VOIDED"
    elif authorised:
        status = "AUTHORIZED"
    else:
        status = "PENDING" if total else "PAID"
    order["displayFinancialStatus"] = order.get("_financial") or status
    order["fullyPaid"] = order["displayFinancialStatus"] in ("PAID", "REFUNDED", "PARTIALLY_REFUNDED")
    order["unpaid"] = order["displayFinancialStatus"] in ("PENDING", "AUTHORIZED")
    if (done := order["displayFulfillmentStatus"] == "FULFILLED" and order["fullyPaid"]) and not order["closed"]:
        order["closed"], order["closedAt"] = True, order["updatedAt"]
    elif not done and order["closed"] and not order["cancelledAt"]:
        order["closed"], order["closedAt"] = False, None
    nothing = order["cancelledAt"] and refunded
    owed = 0.0 if order["cancelledAt"] else max(0.0, current - received + refunded)
    for key, amount in (
        ("subtotalPriceSet", total),
        ("totalPriceSet", total),
        ("currentSubtotalPriceSet", 0.0 if nothing else current),
        ("currentTotalPriceSet", 0.0 if nothing else current),
        ("totalReceivedSet", received),
        ("totalRefundedSet", refunded),
        ("netPaymentSet", received - refunded),
        ("totalOutstandingSet", owed),
    ):
        order[f"_{key}"] = amount
