"""WooCommerce's own fulfillments, in all the shapes that 10.1 to 10.9 answer with.

Up to 10.2 an answer is wrapped, later it is bare; a truth is `true`, "1" or 1; meta needs an `id`, which later
versions ignore. A write of meta replaces all of it, so everything is sent again, what other plugins keep there
included. A receipt's id is the fulfillment's own. https://developer.woocommerce.com/docs/apis/rest-api/v3/order-fulfillments/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from ...base import TrackingUpdate
from ...codes import Code
from ...errors import ShipmentRejected, StoreBusy
from ..places import Place
from ..values import Add, Change, Parcel, Remove, Settle, Step
from .base import Sink, meta_value, whole
from .carriers import OTHER, slug
from .record import as_parcel, read

ITEMS, NUMBER = "_items", "_tracking_number"
PROVIDER, PROVIDER_NAME, URL = "_shipment_provider", "_provider_name", "_tracking_url"
OURS = frozenset({ITEMS, NUMBER, PROVIDER, PROVIDER_NAME, URL})


class FulfillmentSink(Sink):
    """One order with WooCommerce's own fulfillments."""

    place: ClassVar[Place] = Place.FULFILLMENTS

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._found: list[Mapping[str, Any]] | None = None  # good until one is written

    def parcels(self, order: Mapping[str, Any], update: TrackingUpdate | None) -> tuple[Parcel, ...]:
        """All live fulfillments, oldest first, and what was put elsewhere before they were switched on."""
        if self._found is None:
            self._found = listed(self.rest.get(self._path).data)
        elsewhere = [as_parcel(entry, "") for entry in read(order) if entry.place != self.place]
        return (*elsewhere, *(as_found(one, update.company if update else "") for one in self._found))

    def write(self, step: Step, update: TrackingUpdate, *, notify: bool) -> tuple[str, ...]:
        """With `notify` the store writes to the customer about a new or changed fulfillment."""
        match step:
            case Add(parcel):
                self._found = None
                self.rest.post(self._path, payload(parcel, notify=notify))
            case Change(parcel):
                kept = self._meta(parcel.item)
                self._found = None
                self.rest.put(f"{self._path}/{parcel.item}", payload(parcel, notify=notify, others=kept))
            case Remove(item):
                self._remove(item)
            case Settle(_, _, status):
                self.put({"status": status})
        return ()

    def remove(self, parcel: Parcel) -> None:
        """Take one fulfillment away. Raises what writes raise."""
        self._remove(parcel.item)

    def forget(self, order: Mapping[str, Any], parcel: Parcel, rest: tuple[Parcel, ...]) -> None:
        """Nothing is recorded of fulfillments."""

    def _remove(self, item: str) -> None:
        self._found = None
        try:
            self.rest.delete(f"{self._path}/{item}")
        except ShipmentRejected as error:
            if error.reason.code != Code.REFUSED:
                raise
            # "Fulfillment not found": gone already. Whether it really is, is seen when they are read again.

    def _meta(self, item: str) -> list[Mapping[str, Any]]:
        one = next((one for one in self._found or () if str(one["id"]) == item), {})
        return [entry for entry in one.get("meta_data") or () if isinstance(entry, dict)]

    @property
    def _path(self) -> str:
        return f"/wc/v3/orders/{self.order_id}/fulfillments"


def payload(parcel: Parcel, *, notify: bool, others: Iterable[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """What is sent of one fulfillment. `others`: the meta that is there already; what is not ours is sent back."""
    provider = slug(parcel.company)
    values: dict[str, Any] = {
        ITEMS: [{"item_id": int(line), "qty": units} for line, units in parcel.lines],
        NUMBER: ", ".join(parcel.numbers),
        PROVIDER: provider,
        **({PROVIDER_NAME: parcel.company} if provider == OTHER else {}),
        URL: parcel.url,
    }
    kept = [(entry.get("key"), entry.get("value")) for entry in others if entry.get("key") not in OURS]
    return {
        "status": "fulfilled",
        "is_fulfilled": True,
        "notify_customer": notify,
        "meta_data": [{"id": 0, "key": key, "value": value} for key, value in (*values.items(), *kept)],
    }


def listed(data: Any) -> list[Mapping[str, Any]]:
    """The live fulfillments of an answer of any version, oldest first. Raises StoreBusy for what is none."""
    rows = data.get("fulfillments") if isinstance(data, dict) else data
    if not isinstance(rows, list):
        raise StoreBusy(Code.NOT_JSON)
    live = [row for row in rows if isinstance(row, dict) and row.get("id") and not row.get("date_deleted")]
    return sorted(live, key=lambda row: whole(row["id"]))


def as_found(one: Mapping[str, Any], company: str) -> Parcel:
    """A fulfillment as a parcel; `company` is the carrier in our words, where the store's slug means the same."""
    provider = str(meta_value(one, PROVIDER) or "")
    name = str(meta_value(one, PROVIDER_NAME) or "") if provider in ("", OTHER) else provider
    items = meta_value(one, ITEMS)
    return Parcel(
        id=f"{Place.FULFILLMENTS}:{one['id']}",
        numbers=tuple(text.strip() for text in re.split("[,;]", str(meta_value(one, NUMBER) or "")) if text.strip()),
        lines=tuple(
            (str(item.get("item_id")), whole(item.get("qty")))
            for item in (items if isinstance(items, list) else ())
            if isinstance(item, dict) and whole(item.get("qty")) > 0
        ),
        company=company if company and provider == slug(company) != OTHER else name,
        url=str(meta_value(one, URL) or ""),
        item=str(one["id"]),
        place=Place.FULFILLMENTS,
    )
