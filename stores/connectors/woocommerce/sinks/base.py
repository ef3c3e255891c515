"""What all places share: the order itself, its lines less what was refunded, and the last write of a push.

An order is read anew after every write: the store guards nothing, and a write is believed when it can be read.
https://developer.woocommerce.com/docs/apis/rest-api/v3/orders/
"""

from __future__ import annotations

import abc
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from ...base import TrackingUpdate
from ...codes import Code
from ...errors import ShipmentRejected, StoreBusy
from ..memory import Memory
from ..orders import needs_shipping, ordered, refunded_units
from ..places import Place
from ..rest import Reply, Rest
from ..values import Line, OrderState, Parcel, Settle, Step
from . import record

FIELDS = "id,number,status,date_completed_gmt,needs_processing,line_items,refunds,meta_data"


class Sink(abc.ABC):
    """One order at one place, for one push. Nothing is asked before `read`."""

    place: ClassVar[Place]

    def __init__(self, rest: Rest, memory: Memory, order_id: str, now: datetime) -> None:
        if not order_id.isdigit():
            raise ShipmentRejected(Code.ORDER_NOT_FOUND)
        self.rest = rest
        self.memory = memory
        self.order_id = order_id
        self.now = now
        self._fresh: Mapping[str, Any] | None = None  # the order as the last write answered it
        self._recorded: dict[str, Parcel] = {}  # as they were read last

    def read(self, update: TrackingUpdate) -> OrderState:
        """The order as it stands. Raises what reads raise."""
        order = self._order()
        return self._state(order, self._parcels(order, update))

    @abc.abstractmethod
    def parcels(self, order: Mapping[str, Any], update: TrackingUpdate | None) -> tuple[Parcel, ...]:
        """What stands here; `update` None: without what only matters to a push. Raises what reads raise."""

    @abc.abstractmethod
    def write(self, step: Step, update: TrackingUpdate, *, notify: bool) -> tuple[str, ...]:
        """Write one step; the codes of what the store made of it. Raises what writes raise."""

    def undo(self) -> bool:
        """Take back what `write` added last, where it may stand on another order. Raises what writes raise."""
        return False

    def withdraw(self, fulfillment_id: str) -> None:
        """Take away what a receipt named; gone already is success. Raises what reads and writes raise."""
        order = self._order()
        if order.get("status") == "trash":
            raise ShipmentRejected(Code.ORDER_NOT_OPEN, status="trash")  # a write would bring it back
        parcels = self._parcels(order, None)
        found = next((parcel for parcel in parcels if parcel.id == fulfillment_id), None)
        if found is None:
            return
        rest = tuple(parcel for parcel in parcels if parcel is not found)
        if found.item and not any(parcel.item == found.item for parcel in rest):
            self.remove(found)
        self.forget(order, found, tuple(parcel for parcel in rest if parcel.is_recorded))

    @abc.abstractmethod
    def remove(self, parcel: Parcel) -> None:
        """Take one item away. Raises what writes raise."""

    def forget(self, order: Mapping[str, Any], parcel: Parcel, rest: tuple[Parcel, ...]) -> None:
        """Write the record without it. Raises what writes raise."""
        if parcel.is_recorded:
            self.settle(Settle(rest))

    def settle(self, step: Settle, more: Iterable[Mapping[str, Any]] = ()) -> None:
        """The last write: what changed in the record, and the status, in one. Raises what writes raise."""
        texts = {
            parcel.id: record.written(self.order_id, parcel)
            for parcel in step.parcels
            if self._recorded.get(parcel.id) != parcel
        }
        stays = {parcel.id for parcel in step.parcels}
        texts |= dict.fromkeys((name for name in self._recorded if name not in stays), "")
        meta = [*({"key": record.key(name), "value": text} for name, text in texts.items()), *more]
        self.put({"meta_data": meta, **({"status": step.status} if step.status else {})})

    def put(self, body: Mapping[str, Any]) -> None:
        """Change the order; what it answers is how the order stands now. Raises what writes raise."""
        reply = self.rest.put(f"/wc/v3/orders/{self.order_id}", dict(body))
        self._fresh = reply.data if _is_order(reply, self.order_id) else None

    def _parcels(self, order: Mapping[str, Any], update: TrackingUpdate | None) -> tuple[Parcel, ...]:
        parcels = self.parcels(order, update)
        self._recorded = {parcel.id: parcel for parcel in parcels if parcel.is_recorded}
        return parcels

    def _order(self) -> Mapping[str, Any]:
        fresh, self._fresh = self._fresh, None
        if fresh is not None:
            return fresh
        reply = self.rest.get(f"/wc/v3/orders/{self.order_id}", {"_fields": FIELDS})
        if not isinstance(reply.data, dict) or str(reply.data.get("id")) != self.order_id:
            raise StoreBusy(Code.NOT_JSON, request_id=reply.request_id)
        return reply.data

    def _state(self, order: Mapping[str, Any], parcels: Sequence[Parcel]) -> OrderState:
        return OrderState(
            id=self.order_id,
            status=str(order.get("status") or ""),
            lines=self._lines(order),
            parcels=tuple(parcels),
            place=self.place,
            statuses=frozenset(self.memory.statuses or ()),
            was_completed=bool(order.get("date_completed_gmt")),
            listed=self.listed(order),
        )

    def listed(self, order: Mapping[str, Any]) -> tuple[str, ...]:
        """The numbers that the order itself lists, where that is how this place shows them."""
        return ()

    def _lines(self, order: Mapping[str, Any]) -> tuple[Line, ...]:
        refunded = self._refunded(order)
        ships = needs_shipping(order)
        return tuple(
            Line(str(line["id"]), max(ordered(line) - refunded.get(str(line["id"]), 0), 0), ships)
            for line in order.get("line_items") or ()
        )

    def _refunded(self, order: Mapping[str, Any]) -> Mapping[str, int]:
        """Units that were taken back, by the line's id: the order names its refunds, their route tells their lines."""
        ids = tuple(refund["id"] for refund in order.get("refunds") or () if isinstance(refund, dict))
        if not ids:
            return {}
        if (known := self.memory.refunded.get((order["id"], *ids))) is not None:
            return known
        found = self.rest.get(f"/wc/v3/orders/{self.order_id}/refunds", {"_fields": "id,line_items", "per_page": 100})
        units = refunded_units(found.data if isinstance(found.data, list) else ())
        self.memory.keep_refunds((order["id"], *ids), units)
        return units


def meta_value(thing: Mapping[str, Any], key: str) -> Any:
    """The value under a key of `meta_data`; the last where there are several, None where there is none."""
    found = None
    for entry in thing.get("meta_data") or ():
        if isinstance(entry, dict) and entry.get("key") == key:
            found = entry.get("value")
    return found


def whole(value: Any) -> int:
    """A number as the store writes it; 0 for what is none."""
    try:
        return int(float(value))
    except (TypeError, ValueError, OverflowError):
        return 0


def _is_order(reply: Reply, order_id: str) -> bool:
    data = reply.data
    return (
        isinstance(data, dict)
        and not reply.was_dirty  # something broke while it was written: look again
        and str(data.get("id")) == order_id
        and "line_items" in data
        and "meta_data" in data
    )
