"""Reads what decides how numbers get onto orders, many orders in one call.

The page sizes follow what is known of each order and grow only for those that turn out to be larger:
every place on a page is paid for before it is known whether anything is there. What the state means is
told in allocation.py.
https://shopify.dev/docs/api/admin-graphql/latest/objects/FulfillmentOrder
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..codes import Code
from ..errors import ConnectorError, ShipmentRejected, StoreBusy, StoreDisconnected
from .graphql import GraphQL, Problem, TooDear, cleaned
from .tracking import read_tracking
from .values import OrderState, Parcel, Work, WorkLine

IDS_PER_CALL = 250


@dataclass(frozen=True)
class Size:
    """How much of each order is asked for at first; `cost` is what one order may cost until the store told."""

    orders: int
    lines: int
    fulfillments: int
    numbers: int
    cost: float

    @property
    def kind(self) -> str:
        return f"state of {self.lines} lines"


SIZES = (
    Size(orders=2, lines=4, fulfillments=2, numbers=4, cost=45.0),
    Size(orders=8, lines=16, fulfillments=8, numbers=16, cost=180.0),
    Size(orders=100, lines=100, fulfillments=100, numbers=100, cost=500.0),
)

States = dict[str, OrderState | ConnectorError | None]


def read_states(api: GraphQL, order_lines: Mapping[str, int]) -> States:
    """The state of each order, None where the store shows none, or the error that kept us from reading it.

    `order_lines`: order id → how many lines it has at least, as far as the caller knows.
    """
    states: States = {}
    levels = {
        order: next((n for n, size in enumerate(SIZES) if size.lines >= lines), len(SIZES) - 1)
        for order, lines in order_lines.items()
    }
    for level, size in enumerate(SIZES):
        api.limiter.starts_at(size.kind, size.cost)
        wanted = [order for order, its in levels.items() if its == level]
        while wanted:
            batch = wanted[: min(api.limiter.fits(size.kind), IDS_PER_CALL)]
            try:
                found = _read(api, batch, size)
            except TooDear:
                if len(batch) > 1:
                    continue
                dear = StoreBusy(Code.THROTTLED, "even one order costs more than a request may")
                return states | {order: dear for order in levels if order not in states}
            except ConnectorError as error:
                return states | {order: error for order in levels if order not in states}
            wanted = wanted[len(batch) :]
            for order, state in found.items():
                if state is _Larger:
                    levels[order] = level + 1
                else:
                    states[order] = state
    return states


class _Larger:
    """Marks an order that has more than was asked for."""


def _read(api: GraphQL, ids: Sequence[str], size: Size) -> dict[str, Any]:
    variables = {
        "ids": list(ids),
        "orders": size.orders,
        "lines": size.lines,
        "fulfillments": size.fulfillments,
        "numbers": size.numbers,
    }
    reply = api.read("state", variables, {size.kind: len(ids)})
    nodes = reply.data.get("nodes")
    if not isinstance(nodes, list) or len(nodes) != len(ids):
        problem = reply.problem_at("nodes")
        raise _error(problem) if problem else StoreBusy(Code.NOT_JSON, request_id=reply.request_id)
    found: dict[str, Any] = {}
    for place, (order, node) in enumerate(zip(ids, nodes, strict=True)):
        problem = reply.problem_at("nodes", place)
        if problem and problem.code == "RESOURCE_NOT_FOUND":
            found[order] = None
        elif problem:
            # Half a state must not be taken for the whole: what is missing would be made a second time.
            found[order] = _error(problem)
        elif not node or "id" not in node:
            found[order] = None
        elif _is_cut(node, size) and size is not SIZES[-1]:
            found[order] = _Larger
        else:
            found[order] = _complete(api, node, size)
    return found


def _error(problem: Problem) -> ConnectorError:
    if problem.code == "ACCESS_DENIED":
        return StoreDisconnected(Code.SCOPE_MISSING, cleaned(problem.message), scopes=list(problem.scopes))
    return StoreBusy(Code.SERVER_ERROR, cleaned(problem.message), status=200)


def _is_cut(node: Mapping[str, Any], size: Size) -> bool:
    work = node["fulfillmentOrders"]
    parcels = node["fulfillments"]
    return (
        work["pageInfo"]["hasNextPage"]
        or len(parcels) >= size.fulfillments
        or any(one["lineItems"]["pageInfo"]["hasNextPage"] for one in work["nodes"])
        or any(one["fulfillmentLineItems"]["pageInfo"]["hasNextPage"] for one in parcels)
        or any(len(one["trackingInfo"]) >= size.numbers for one in parcels)
    )


def _complete(api: GraphQL, node: Mapping[str, Any], size: Size) -> OrderState | ConnectorError:
    """The state with the lines that the largest page had no room for."""
    if node["fulfillmentOrders"]["pageInfo"]["hasNextPage"] or len(node["fulfillments"]) >= size.fulfillments:
        return ShipmentRejected(Code.REFUSED, field="fulfillments")
    work = [
        _work(one, [*one["lineItems"]["nodes"], *_rest(api, "fulfillment_order_lines", "lineItems", one)])
        for one in node["fulfillmentOrders"]["nodes"]
    ]
    parcels = [
        _parcel(
            one, [*one["fulfillmentLineItems"]["nodes"], *_rest(api, "fulfillment_lines", "fulfillmentLineItems", one)]
        )
        for one in node["fulfillments"]
    ]
    return OrderState(
        id=node["id"],
        cancelled=bool(node["cancelledAt"]),
        requires_shipping=node["requiresShipping"],
        unfulfilled=node["displayFulfillmentStatus"] in ("UNFULFILLED", "OPEN", "ON_HOLD", "SCHEDULED"),
        work=tuple(work),
        parcels=tuple(parcels),
    )


def _rest(api: GraphQL, name: str, connection: str, one: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    page = one[connection]["pageInfo"]
    while page["hasNextPage"]:
        reply = api.read(name, {"id": one["id"], "after": page["endCursor"]})
        lines = (reply.data.get("node") or {}).get(connection)
        if not lines:
            problem = reply.problem_at("node")
            raise _error(problem) if problem else StoreBusy(Code.NOT_JSON, request_id=reply.request_id)
        yield from lines["nodes"]
        page = lines["pageInfo"]


def _work(one: Mapping[str, Any], lines: Iterable[Mapping[str, Any]]) -> Work:
    assigned = one["assignedLocation"]
    location = assigned["location"] or {}
    service = location.get("fulfillmentService") or {}
    method = one["deliveryMethod"] or {}
    return Work(
        id=one["id"],
        status=one["status"],
        can_create=any(action["action"] == "CREATE_FULFILLMENT" for action in one["supportedActions"]),
        location=location.get("id") or "",
        location_name=assigned["name"],
        lines=tuple(
            WorkLine(line["id"], line["lineItem"]["id"], line["remainingQuantity"], line["requiresShipping"])
            for line in lines
        ),
        service=service_name(location.get("isFulfillmentService"), service),
        holds=tuple(hold["displayReason"] for hold in one["fulfillmentHolds"]),
        fulfil_at=moment(one["fulfillAt"]),
        ships=method.get("methodType") in (None, "SHIPPING"),
    )


def _parcel(one: Mapping[str, Any], lines: Iterable[Mapping[str, Any]]) -> Parcel:
    return Parcel(
        id=one["id"],
        status=one["status"],
        created_at=one["createdAt"],
        lines=tuple((line["lineItem"]["id"], line["quantity"] or 0) for line in lines),
        tracking=read_tracking(one["trackingInfo"]),
    )


def service_name(is_service: bool | None, service: Mapping[str, Any]) -> str:
    """The name of another app's fulfilment service; "" for a place of the merchant's own, manual services included."""
    if not is_service or service.get("type") == "MANUAL":
        return ""
    return service.get("serviceName") or "?"


def moment(text: str | None) -> datetime | None:
    """A time of the store as an aware one."""
    return datetime.fromisoformat(text) if text else None
