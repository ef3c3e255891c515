"""What a merchant and a fulfilment service ask of each other: requests, cancellations, and the answers to them."""

from __future__ import annotations

from typing import Any

from . import routing
from .execute import Run
from .mutations_base import FO_SCOPES, WRITE_FOS, Refused, known_fo, mutation
from .mutations_fos import changed, part
from .problems import invalid_id
from .shop import Shop
from .values import Record

ASSIGNED = ("write_assigned_fulfillment_orders",)


def ask(shop: Shop, fo: Record, kind: str, message: str | None, options: Record) -> None:
    """Write down a request of the merchant to the service."""
    fo["_requests"].append(
        shop.record(
            "FulfillmentOrderMerchantRequest",
            kind=kind,
            message=message,
            requestOptions=options,
            responseData=None,
            sentAt=shop.stamp(),
            fulfillmentOrder=fo,
        )
    )


@mutation("fulfillmentOrderSubmitFulfillmentRequest", FO_SCOPES, WRITE_FOS)
def _submit(arguments: dict[str, Any], run: Run) -> Record:
    fo = known_fo(run, arguments["id"])
    if not fo["_location"]["isFulfillmentService"]:
        raise Refused(None, "The fulfillment order's assigned fulfillment service must be of api type")
    wanted = arguments.get("fulfillmentOrderLineItems")
    rest = part(run.shop, fo, wanted, ["fulfillmentOrderLineItems"], keep=True) if wanted else None
    fo["requestStatus"] = "SUBMITTED"
    options = {"notify_customer": bool(arguments.get("notifyCustomer"))}
    ask(run.shop, fo, "FULFILLMENT_REQUEST", arguments.get("message"), options)
    changed(run.shop, fo)
    return {"originalFulfillmentOrder": fo, "submittedFulfillmentOrder": fo, "unsubmittedFulfillmentOrder": rest}


def _service_fo(run: Run, gid: str) -> Record:
    fo = run.shop.find(gid, "FulfillmentOrder")
    if fo is None:
        raise invalid_id(gid)
    return fo


@mutation("fulfillmentOrderAcceptFulfillmentRequest", ASSIGNED, WRITE_FOS)
def _accept(arguments: dict[str, Any], run: Run) -> Record:
    fo = _service_fo(run, arguments["id"])
    if fo["requestStatus"] != "SUBMITTED":
        raise Refused(None, "Cannot accept the fulfillment request for the fulfillment order.")
    fo["status"], fo["requestStatus"] = "IN_PROGRESS", "ACCEPTED"
    changed(run.shop, fo)
    return {"fulfillmentOrder": fo}


@mutation("fulfillmentOrderRejectFulfillmentRequest", ASSIGNED, WRITE_FOS)
def _reject(arguments: dict[str, Any], run: Run) -> Record:
    fo = _service_fo(run, arguments["id"])
    if fo["requestStatus"] != "SUBMITTED":
        raise Refused(None, "Cannot reject the fulfillment request for the fulfillment order.")
    fo["status"], fo["requestStatus"] = "OPEN", "REJECTED"
    changed(run.shop, fo)
    return {"fulfillmentOrder": fo}


@mutation("fulfillmentOrderSubmitCancellationRequest", FO_SCOPES, WRITE_FOS)
def _submit_cancellation(arguments: dict[str, Any], run: Run) -> Record:
    fo = _service_fo(run, arguments["id"])
    ask(run.shop, fo, "CANCELLATION_REQUEST", arguments.get("message"), {})
    changed(run.shop, fo)
    return {"fulfillmentOrder": fo}


@mutation("fulfillmentOrderAcceptCancellationRequest", ASSIGNED, WRITE_FOS)
def _accept_cancellation(arguments: dict[str, Any], run: Run) -> Record:
    fo = _service_fo(run, arguments["id"])
    items = [(line["lineItem"], line["remainingQuantity"]) for line in fo["_lines"] if line["remainingQuantity"]]
    routing.empty(fo)
    fo["requestStatus"] = "CANCELLATION_ACCEPTED"
    if items:
        routing.open_order(run.shop, fo["order"], fo["_location"], items, run.shop.stamp())
    changed(run.shop, fo)
    return {"fulfillmentOrder": fo}


@mutation("fulfillmentOrderRejectCancellationRequest", ASSIGNED, WRITE_FOS)
def _reject_cancellation(arguments: dict[str, Any], run: Run) -> Record:
    fo = _service_fo(run, arguments["id"])
    fo["requestStatus"] = "CANCELLATION_REJECTED"
    changed(run.shop, fo)
    return {"fulfillmentOrder": fo}
