"""A tracking plugin's list: the official Shipment Tracking, or Advanced Shipment Tracking, behind the same route.

Both keep their list in a meta of the order. It is read there: Advanced Shipment Tracking takes an order's id for a
*number* first, where a plugin counts numbers apart, and then answers, and writes, for another order. What was added
and does not stand on our order afterwards stands on that one, and is taken away again.

An item cannot be changed, and the same number twice is two items. A receipt's id is the id that the first item of a
parcel had; the record leads from there to the item of now.
https://woocommerce.com/document/shipment-tracking/shipment-tracking-rest-api-create-tracking-item/
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, ClassVar

from ...base import TrackingUpdate
from ...codes import Code
from ...errors import ShipmentRejected
from ..places import Place
from ..values import Add, Parcel, Remove, Settle, Step
from .base import Sink, meta_value
from .carriers import known_name
from .record import as_parcel, read

ITEMS = "_wc_shipment_tracking_items"


class TrackingSink(Sink):
    """One order in a tracking plugin."""

    place: ClassVar[Place] = Place.SHIPMENT_TRACKING
    _made = ""  # the item that was added last

    def parcels(self, order: Mapping[str, Any], update: TrackingUpdate | None) -> tuple[Parcel, ...]:
        """The record's first, then what only the plugin knows."""
        items = {str(item["tracking_id"]): item for item in listed(meta_value(order, ITEMS))}
        entries = read(order)
        recorded = [
            as_parcel(entry, entry.item, str(items[entry.item].get("tracking_number") or ""))
            if entry.place == self.place and entry.item in items
            else as_parcel(entry, "")
            for entry in entries
        ]
        known = {parcel.item for parcel in recorded}
        found = [as_found(item) for name, item in items.items() if name not in known]
        return (*recorded, *(self._as_made(parcel, update) for parcel in found))

    def write(self, step: Step, update: TrackingUpdate, *, notify: bool) -> tuple[str, ...]:
        """The plugin mails by itself, with the order's completion."""
        match step:
            case Add(parcel):
                return self._add(parcel)
            case Remove(item):
                self._remove(item)
            case Settle():
                self.settle(step)
            case _:
                raise TypeError(step)
        return ()

    def undo(self) -> bool:
        """Take the item away again that was added last. Raises what writes raise."""
        if self._made:
            self._remove(self._made)
        return bool(self._made)

    def remove(self, parcel: Parcel) -> None:
        """Take one item away. Raises what writes raise."""
        self._remove(parcel.item)

    def _as_made(self, parcel: Parcel, update: TrackingUpdate | None) -> Parcel:
        """What we added just now is as we sent it, whatever the plugin makes of a link."""
        if update is None or parcel.item != self._made:
            return parcel
        return replace(parcel, company=update.company, url=update.url)

    def _add(self, parcel: Parcel) -> tuple[str, ...]:
        known = known_name(parcel.company, self.rest, self.memory, self.order_id)
        reply = self.rest.post(self._path, payload(parcel, known, self.now.date()))
        answer = reply.data if isinstance(reply.data, dict) else {}
        self._made = str(answer.get("tracking_id") or "")
        is_mapped = answer.get("tracking_provider") and answer.get("tracking_link")
        return () if is_mapped else (Code.CARRIER_NOT_MAPPED,)

    def _remove(self, item: str) -> None:
        try:
            self.rest.delete(f"{self._path}/{item}")
        except ShipmentRejected as error:
            if error.reason.code != Code.REFUSED:
                raise
            # No such item: gone already. Whether it really is, is seen when the order is read again.

    @property
    def _path(self) -> str:
        return f"/wc-shipment-tracking/v3/orders/{self.order_id}/shipment-trackings"


def payload(parcel: Parcel, known: str, day: date) -> dict[str, str]:
    """What is posted: the carrier by the name that the plugin knows, else by its own name with a link.

    A name that the plugin does not know is taken without a word and shown without name and link.
    """
    number = {"tracking_number": parcel.numbers[0], "date_shipped": day.isoformat()}
    if known:
        return {"tracking_provider": known, **number}
    return {"custom_tracking_provider": parcel.company, "custom_tracking_link": parcel.url, **number}


def listed(value: Any) -> list[Mapping[str, Any]]:
    """The plugin's list, which PHP may have turned into an object."""
    rows = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return [row for row in rows if isinstance(row, dict) and row.get("tracking_id") and row.get("tracking_number")]


def as_found(item: Mapping[str, Any]) -> Parcel:
    """What only the plugin knows: put there by somebody else, or by a push that was cut short."""
    return Parcel(
        id=f"{Place.SHIPMENT_TRACKING}:{item['tracking_id']}",
        numbers=(str(item["tracking_number"]),),
        company=str(item.get("custom_tracking_provider") or item.get("tracking_provider") or ""),
        url=html.unescape(str(item.get("custom_tracking_link") or "")),
        item=str(item["tracking_id"]),
        place=Place.SHIPMENT_TRACKING,
        is_recorded=False,
    )
