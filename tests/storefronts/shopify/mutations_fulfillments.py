"""Fulfillments: create, change the tracking, cancel, report an event."""

from __future__ import annotations

import time
from typing import Any

from . import routing
from .execute import Run
from .mutations_base import FO_SCOPES, USER, WRITE_FOS, Refused, mutation
from .shop import Shop
from .values import Record, tail

LINKS = {  # carriers whose name is enough for a link
    "DHL Express": "https://www.dhl.com/track?AWB={}",
    "FedEx": "https://www.fedex.com/fedextrack/?trknbr={}",
    "Royal Mail": "https://www.royalmail.com/track-your-item#/tracking-results/{}",
    "UPS": "https://www.ups.com/track?tracknum={}",
    "USPS": "https://tools.usps.com/go/TrackConfirmAction?qtc_tLabels1={}",
}


def tracking(given: Record | None) -> list[Record]:
    """The rows that a tracking input makes: one for each number, link by position, one company for all."""
    given = given or {}
    numbers = given.get("numbers") or ([given["number"]] if given.get("number") else [])
    urls = given.get("urls") or ([given["url"]] if given.get("url") else [])
    company = given.get("company")
    rows = []
    for index in range(max(len(numbers), len(urls), 1 if company else 0)):
        number = numbers[index] if index < len(numbers) else None
        url = urls[index] if index < len(urls) else None
        if url is None and number and company in LINKS:
            url = LINKS[company].format(number)
        rows.append({"company": company, "number": number, "url": url})
    return rows


def _lines_of(shop: Shop, group: Record, index: int, fo: Record) -> list[tuple[Record, int]]:
    asked = group.get("fulfillmentOrderLineItems")
    if not asked:
        return [(line, line["remainingQuantity"]) for line in fo["_lines"] if line["remainingQuantity"]]
    taken = []
    for one in asked:
        line = shop.find(one["id"], "FulfillmentOrderLineItem")
        if line is None or line["_fo"] is not fo:
            raise Refused(["fulfillment"], "Fulfillment order line item does not exist.")
        taken.append((line, one["quantity"]))
    return taken


def _check(shop: Shop, groups: list[Record]) -> list[tuple[Record, int]]:
    """The units that a create asks for; refused as a whole when anything is wrong with any of them."""
    if not groups:
        raise Refused(["fulfillment"], "Line items by fulfillment order must be specified")
    for index, group in enumerate(groups):
        for position, one in enumerate(group.get("fulfillmentOrderLineItems") or ()):
            if one["quantity"] <= 0:
                path = ["fulfillment", "lineItemsByFulfillmentOrder", str(index), "fulfillmentOrderLineItems"]
                raise Refused([*path, str(position), "quantity"], "Quantity must be greater than 0")
    fos = []
    for group in groups:
        fo = shop.find(group["fulfillmentOrderId"], "FulfillmentOrder")
        if fo is None:
            raise Refused(["fulfillment"], "Fulfillment order does not exist.")
        if not routing.writable(shop, fo):
            raise Refused(["fulfillment"], "The api_client does not have access to the fulfillment order.")
        fos.append(fo)
    _check_together(fos)
    taken = []
    for index, (group, fo) in enumerate(zip(groups, fos, strict=True)):
        lines = _lines_of(shop, group, index, fo)
        if fo["status"] not in routing.FULFILLABLE:
            status = fo["status"].lower()
            message = f"Fulfillment order {tail(fo['id'])} has an unfulfillable status= {status}."
            raise Refused(["fulfillment"], message)
        taken += lines
    asked: dict[str, int] = {}
    for line, quantity in taken:
        asked[line["id"]] = asked.get(line["id"], 0) + quantity
        if asked[line["id"]] > line["remainingQuantity"]:
            raise Refused(["fulfillment"], "Invalid fulfillment order line item quantity requested.")
    return taken


def _check_together(fos: list[Record]) -> None:
    orders = sorted({int(tail(fo["orderId"])) for fo in fos})
    if len(orders) > 1:
        message = "All fulfillment orders must belong to the same order. Multiple orders with ids {} were found."
        raise Refused(["fulfillment"], message.format(orders))
    places = sorted({int(tail(fo["_location"]["id"])) for fo in fos})
    if len(places) > 1:
        message = (
            "All fulfillment orders must be assigned to a single location. Multiple locations with ids {} were found."
        )
        raise Refused(["fulfillment"], message.format(places))


def create(shop: Shop, groups: list[Record], given: Record | None, notify: bool, made_by: str, **fields: Any) -> Record:
    """One fulfillment for all groups, or Refused and nothing."""
    taken = _check(shop, groups)
    fos = list({id(line["_fo"]): line["_fo"] for line, _ in taken}.values())
    if not fos:
        raise Refused(["fulfillment"], "Invalid fulfillment order line item quantity requested.")
    order, stamp = fos[0]["order"], shop.stamp()
    quantities: dict[str, tuple[Record, int]] = {}
    for line, quantity in taken:
        item = line["lineItem"]
        quantities[item["id"]] = (item, quantities.get(item["id"], (item, 0))[1] + quantity)
        line["remainingQuantity"] -= quantity
    location = fos[0]["_location"]
    fulfillment = shop.record(
        "Fulfillment",
        name=f"{order['name']}-F{len(order['_fulfillments']) + 1}",
        status="SUCCESS",
        displayStatus="FULFILLED",
        createdAt=stamp,
        updatedAt=stamp,
        deliveredAt=None,
        estimatedDeliveryAt=None,
        inTransitAt=None,
        order=order,
        location=location,
        service=location["fulfillmentService"] or manual_service(shop),
        originAddress=fields.get("origin"),
        requiresShipping=any(line["requiresShipping"] for line, _ in taken),
        totalQuantity=sum(quantity for _, quantity in taken),
        _tracking=tracking(given),
        _lines=[
            shop.record("FulfillmentLineItem", lineItem=item, quantity=quantity)
            for item, quantity in quantities.values()
        ],
        _taken=taken,
        _fos=fos,
        _events=[],
        _made_by=made_by,
        _created=time.time(),
    )
    for fo in fos:
        fo["status"] = "IN_PROGRESS" if routing.remaining(fo) else "CLOSED"
        fo["updatedAt"] = stamp
        fo["_fulfillments"].append(fulfillment)
    order["_fulfillments"].append(fulfillment)
    shop.touch(order)
    shop.book.shows(fulfillment)
    if notify and order["email"]:
        shop.book.notifies("shipping_confirmation", fulfillment)
    return fulfillment


def manual_service(shop: Shop) -> Record:
    """What stands for "no service": the merchant packs."""
    return {
        "__typename": "FulfillmentService",
        "id": "gid://shopify/FulfillmentService/manual",
        "handle": "manual",
        "serviceName": "Manual",
        "type": "MANUAL",
        "trackingSupport": False,
        "inventoryManagement": False,
        "requiresShippingMethod": False,
        "callbackUrl": None,
        "location": shop.locations[0],
    }


def cancel(shop: Shop, fulfillment: Record) -> None:
    """Take a fulfillment back. What it closed stays closed, a new fulfilment order takes its place.

    A fulfilment order that still had units left takes the cancelled ones back itself.
    """
    if fulfillment["status"] == "CANCELLED":
        return
    order, stamp = fulfillment["order"], shop.stamp()
    fulfillment["status"], fulfillment["displayStatus"], fulfillment["updatedAt"] = "CANCELLED", "CANCELED", stamp
    reopened: dict[int, tuple[Record, list[tuple[Record, int]]]] = {}
    for line, quantity in fulfillment["_taken"]:
        fo = line["_fo"]
        line["remainingQuantity"] += quantity
        fo["updatedAt"] = stamp
        if fo["status"] == "CLOSED":
            reopened.setdefault(id(fo), (fo, []))[1].append((line["lineItem"], quantity))
    if not order["cancelledAt"]:
        for fo, items in reopened.values():
            routing.open_order(shop, order, fo["_location"], items, stamp)
    for fo in fulfillment["_fos"]:
        whole = all(line["remainingQuantity"] == line["totalQuantity"] for line in fo["_lines"])
        if fo["status"] == "IN_PROGRESS" and whole and not fo["_progress"] and fo["requestStatus"] == "UNSUBMITTED":
            fo["status"] = "OPEN"
    shop.touch(order)


@mutation("fulfillmentCreate", FO_SCOPES, WRITE_FOS)
def _create(arguments: dict[str, Any], run: Run) -> Record:
    given = arguments["fulfillment"]
    fulfillment = create(
        run.shop,
        given["lineItemsByFulfillmentOrder"],
        given.get("trackingInfo"),
        bool(given.get("notifyCustomer")),
        "app",
        origin=given.get("originAddress"),
    )
    return {"fulfillment": fulfillment}


mutation("fulfillmentCreateV2", FO_SCOPES, WRITE_FOS)(_create)


@mutation("fulfillmentTrackingInfoUpdate", FO_SCOPES, WRITE_FOS)
def _update(arguments: dict[str, Any], run: Run) -> Record:
    fulfillment = run.shop.find(arguments["fulfillmentId"], "Fulfillment")
    if fulfillment is None:
        raise Refused(["fulfillmentId"], "Fulfillment does not exist.")
    fulfillment["_tracking"] = tracking(arguments["trackingInfoInput"])
    fulfillment["updatedAt"] = run.shop.stamp()
    run.shop.touch(fulfillment["order"])
    run.shop.book.shows(fulfillment)
    if arguments.get("notifyCustomer") and fulfillment["order"]["email"]:
        run.shop.book.notifies("shipping_update", fulfillment)
    return {"fulfillment": fulfillment}


mutation("fulfillmentTrackingInfoUpdateV2", FO_SCOPES, WRITE_FOS)(_update)


@mutation("fulfillmentCancel", FO_SCOPES, WRITE_FOS)
def _cancel(arguments: dict[str, Any], run: Run) -> Record:
    fulfillment = run.shop.find(arguments["id"], "Fulfillment")
    if fulfillment is None:
        raise Refused(["id"], "Fulfillment not found.")
    cancel(run.shop, fulfillment)
    return {"fulfillment": fulfillment}


@mutation("fulfillmentEventCreate", ("write_fulfillments",), f"`write_fulfillments` access scope.{USER}")
def _event(arguments: dict[str, Any], run: Run) -> Record:
    given, stamp = arguments["fulfillmentEvent"], run.shop.stamp()
    fulfillment = run.shop.find(given["fulfillmentId"], "Fulfillment")
    if fulfillment is None:
        raise Refused(["fulfillmentEvent", "fulfillmentId"], "Fulfillment does not exist.")
    fields = {key: given.get(key) for key in ("address1", "city", "country", "latitude", "longitude", "message")}
    event = run.shop.record(
        "FulfillmentEvent",
        **fields,
        province=given.get("province"),
        zip=given.get("zip"),
        status=given["status"],
        happenedAt=given.get("happenedAt") or stamp,
        createdAt=stamp,
        estimatedDeliveryAt=given.get("estimatedDeliveryAt"),
    )
    fulfillment["_events"].append(event)
    if fulfillment["status"] != "CANCELLED":
        fulfillment["displayStatus"] = given["status"]
    if event["estimatedDeliveryAt"]:
        fulfillment["estimatedDeliveryAt"] = event["estimatedDeliveryAt"]
    if event["status"] == "IN_TRANSIT":
        fulfillment["inTransitAt"] = event["happenedAt"]
    if event["status"] == "DELIVERED":
        fulfillment["deliveredAt"] = event["happenedAt"]
    fulfillment["updatedAt"] = stamp
    run.shop.touch(fulfillment["order"])
    return {"fulfillmentEvent": event}
