"""What is known of some orders' parcels, in a fixed number of queries whatever their number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from ..models import OrderLine, Shipment, ShipmentLine, TrackingNumber
from .contents import Line


@dataclass(frozen=True)
class Known:
    """A current number of a shipment."""

    pk: int
    value: str
    carrier_id: int


@dataclass(frozen=True)
class Here:
    """A parcel as it is."""

    pk: int
    shipping_method_id: int | None
    dispatched_at: datetime | None
    numbers: dict[str, Known] = field(default_factory=dict)  # by kind
    units: dict[int, int] = field(default_factory=dict)  # by order line


@dataclass(frozen=True)
class State:
    """The parcels of some orders by order and parcel number, and the orders' lines."""

    parcels: dict[int, dict[int, Here]]
    lines: dict[int, list[Line[int]]]

    def parcels_of_order(self, order_id: int | None) -> dict[int, Here]:
        """The parcels of one order by their number; {} for an order that is not here."""
        return self.parcels.get(order_id, {}) if order_id else {}


def load(order_ids: Iterable[int], *, with_contents: bool) -> State:
    """The state of these orders. Without contents, units and lines are left empty: two queries instead of four."""
    ids = list(order_ids)
    by_shipment: dict[int, Here] = {}
    parcels: dict[int, dict[int, Here]] = defaultdict(dict)
    for pk, order_id, parcel, method_id, dispatched_at in Shipment.objects.filter(order_id__in=ids).values_list(
        "pk", "order_id", "parcel", "shipping_method_id", "dispatched_at"
    ):
        parcels[order_id][parcel] = by_shipment[pk] = Here(pk, method_id, dispatched_at)
    numbers = TrackingNumber.objects.filter(shipment__order_id__in=ids, replaced_at__isnull=True)
    for shipment_id, kind, pk, value, carrier_id in numbers.values_list(
        "shipment_id", "kind", "pk", "value", "carrier_id"
    ):
        if shipment_id in by_shipment:
            by_shipment[shipment_id].numbers[kind] = Known(pk, value, carrier_id)
    lines: dict[int, list[Line[int]]] = defaultdict(list)
    if with_contents:
        for pk, order_id, sku, quantity in (
            OrderLine.objects.filter(order_id__in=ids).order_by("pk").values_list("pk", "order_id", "sku", "quantity")
        ):
            lines[order_id].append(Line(pk, sku, quantity))
        for shipment_id, line_id, quantity in ShipmentLine.objects.filter(shipment__order_id__in=ids).values_list(
            "shipment_id", "line_id", "quantity"
        ):
            if shipment_id in by_shipment:
                by_shipment[shipment_id].units[line_id] = quantity
    return State(parcels, lines)
