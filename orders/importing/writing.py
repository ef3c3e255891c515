"""Writes the parcels of a file that was checked: in bulk, inside the one transaction of the import.

What is there is read again under lock, so that what a person changed meanwhile is not undone: only what differs is
written, and a file that says nothing new writes nothing. The shipments that changed are planned again chunk by chunk.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Any, TypeVar

from django.contrib.auth.models import User

from stores.models import Store

from .. import changes, plan, pulse
from ..bulk import update_rows
from ..choices import NumberKind
from ..models import Order, Shipment, ShipmentLine, TrackingNumber, TrackingSync
from ..pull import save_orders
from .cells import NumberCell, Remove
from .checking import KINDS
from .contents import Line, lay, per_sku
from .finding import CHUNK, chunks
from .inserting import insert
from .parcels import Parcel, in_chunks
from .state import Here, load

WHY = "Import"  # kept beside a number that a file replaced
Saved = TypeVar("Saved", TrackingNumber, ShipmentLine)


@dataclass(frozen=True)
class Written:
    """How many parcels were new, changed or as before, and what was told of them."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    numbers: int = 0
    replaced: int = 0
    removed: int = 0
    paid: int = 0
    dispatched: int = 0

    def __add__(self, other: Written) -> Written:
        return Written(**{name: getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__})


@dataclass
class _Batch:
    """What one chunk comes to, before it is written."""

    shipments: list[Shipment] = field(default_factory=list)
    updates: list[tuple[int, int | None, datetime | None]] = field(default_factory=list)
    numbers: list[TrackingNumber] = field(default_factory=list)
    replaced: list[int] = field(default_factory=list)
    emptied: list[int] = field(default_factory=list)  # shipments whose contents are told anew
    lines: list[ShipmentLine] = field(default_factory=list)
    paid: dict[int, datetime] = field(default_factory=dict)  # by order
    dispatched: list[int] = field(default_factory=list)
    undone: list[int] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)  # shipments that were there
    counts: Counter[str] = field(default_factory=Counter)


def write(
    parcels: Sequence[Parcel],
    *,
    own_carrier: int | None,
    now: datetime,
    actor: User | None,
    progress: Callable[[int], None],
) -> Written:
    """Write what the parcels say and is not so yet. Call it inside a transaction; rings once, after its commit.

    `progress` is told how many parcels are done. Parcels come in the order of their orders' ids.
    """
    parcels = _with_orders(parcels, now)
    _lock({parcel.order.pk for parcel in parcels if parcel.order.pk})
    written = Written()
    done = 0
    for chunk in in_chunks(parcels, CHUNK):
        written += _write_chunk(chunk, own_carrier, now, actor)
        done += len(chunk)
        progress(done)
    pulse.ring()
    return written


def _with_orders(parcels: Sequence[Parcel], now: datetime) -> list[Parcel]:
    """Keep the orders that their stores have just told, and give their parcels the ids."""
    told = {parcel.order.key: parcel.order.told for parcel in parcels if parcel.order.told is not None}
    if not told:
        return list(parcels)
    by_store: dict[int, list[Any]] = defaultdict(list)
    for (store_id, _), order in told.items():
        by_store[store_id].append(order)
    here: dict[tuple[int, str], int] = {}
    for store_id, orders in by_store.items():
        save_orders(Store.objects.get(pk=store_id), orders, now)
        kept = Order.objects.filter(store_id=store_id, external_id__in=[order.external_id for order in orders])
        here |= {(store_id, external_id): pk for pk, external_id in kept.values_list("pk", "external_id")}
    found = [
        replace(parcel, order=replace(parcel.order, pk=here[parcel.order.key])) if parcel.order.told else parcel
        for parcel in parcels
    ]
    return sorted(found, key=lambda parcel: (parcel.order.pk, parcel.parcel))


def _lock(order_ids: set[int]) -> None:
    """Orders, then sync rows, all of them and each by id: whoever writes fewer of them waits, and nobody for ever."""
    rows: set[int] = set()
    for ids in chunks(sorted(order_ids), CHUNK):
        list(Order.objects.filter(pk__in=ids).order_by("pk").select_for_update().values_list("pk", flat=True))
        rows.update(TrackingSync.objects.filter(shipment__order_id__in=ids).values_list("pk", flat=True))
    for ids in chunks(sorted(rows), CHUNK):
        list(TrackingSync.objects.filter(pk__in=ids).order_by("pk").select_for_update().values_list("pk", flat=True))


def _write_chunk(parcels: list[Parcel], own_carrier: int | None, now: datetime, actor: User | None) -> Written:
    ids = {parcel.order.pk for parcel in parcels if parcel.order.pk}
    orders = Order.objects.only("store_id", "paid_at").in_bulk(ids)
    state = load(ids, with_contents=any(parcel.contents is not None for parcel in parcels))
    batch = _Batch()
    for order_id, group in groupby(parcels, key=lambda parcel: parcel.order.pk or 0):
        same_order = list(group)
        known = state.parcels_of_order(order_id)
        laid = _lay(same_order, known, state.lines.get(order_id, []))
        for parcel in same_order:
            _compare(parcel, orders[order_id], known.get(parcel.parcel), laid, batch, own_carrier, now, actor)
    return _save(batch, now)


def _lay(parcels: list[Parcel], known: dict[int, Here], lines: list[Line[int]]) -> dict[int, dict[int, int]]:
    """The units per order line of each parcel whose contents the file tells, and which are not there already."""
    said = {parcel.parcel for parcel in parcels if parcel.contents is not None}
    elsewhere: Counter[int] = Counter()
    for number, here in known.items():
        if number not in said:
            elsewhere.update(here.units)
    laid: dict[int, dict[int, int]] = {}
    for parcel in parcels:
        if not isinstance(parcel.contents, tuple):
            continue
        wanted: Counter[str] = Counter()
        for units in parcel.contents:
            wanted[units.sku] += units.quantity
        there = known[parcel.parcel].units if parcel.parcel in known else {}
        if per_sku(lines, there) == wanted:
            laid[parcel.parcel] = there
        else:
            laid[parcel.parcel] = dict(lay(lines, elsewhere, wanted).units)
        elsewhere.update(laid[parcel.parcel])
    return laid


def _compare(
    parcel: Parcel,
    order: Order,
    here: Here | None,
    laid: dict[int, dict[int, int]],
    batch: _Batch,
    own_carrier: int | None,
    now: datetime,
    actor: User | None,
) -> None:
    """Note in the batch what of this parcel differs from what is there."""
    if isinstance(parcel.paid_at, datetime) and order.paid_at is None:
        batch.paid.setdefault(order.pk, parcel.paid_at)

    method = _after(parcel.shipping_method, here.shipping_method_id if here else None)
    dispatched = _after(parcel.dispatched_at, here.dispatched_at if here else None)
    if here is None:
        shipment = Shipment(
            order=order,
            parcel=parcel.parcel,
            shipping_method_id=method,
            dispatched_at=dispatched,
            created_at=now,
        )
        batch.shipments.append(shipment)
    else:
        shipment = Shipment(pk=here.pk)
        if (method, dispatched) != (here.shipping_method_id, here.dispatched_at):
            batch.updates.append((here.pk, method, dispatched))
            batch.touched.add(here.pk)
            if dispatched is not None and here.dispatched_at is None:
                batch.dispatched.append(here.pk)
            if dispatched is None and here.dispatched_at is not None:
                batch.undone.append(here.pk)
    if dispatched is not None and (here is None or here.dispatched_at is None):
        batch.counts["dispatched"] += 1

    for column, kind in KINDS:
        _compare_number(parcel, column, kind, here, shipment, batch, own_carrier, now, actor)

    if parcel.contents is not None:
        units = laid.get(parcel.parcel, {})
        if units != (here.units if here else {}):
            batch.lines += [ShipmentLine(shipment=shipment, line_id=line, quantity=n) for line, n in units.items()]
            if here is not None:
                batch.emptied.append(here.pk)
                batch.touched.add(here.pk)
    if here is None:
        batch.counts["new"] += 1
    else:
        batch.counts["changed" if here.pk in batch.touched else "unchanged"] += 1


def _compare_number(
    parcel: Parcel,
    column: str,
    kind: NumberKind,
    here: Here | None,
    shipment: Shipment,
    batch: _Batch,
    own_carrier: int | None,
    now: datetime,
    actor: User | None,
) -> None:
    said: NumberCell | Remove | None = getattr(parcel, column)
    before = here.numbers.get(kind) if here else None
    if isinstance(said, Remove):
        if here is not None and before is not None:
            batch.replaced.append(before.pk)
            batch.touched.add(here.pk)
            batch.counts["removed"] += 1
        return
    carrier = own_carrier
    if kind == NumberKind.LOCAL:
        told = parcel.carrier if isinstance(parcel.carrier, int) else None
        carrier = told or (before.carrier_id if before else None)
    value = said.value if said is not None else (before.value if before else "")
    if not value or carrier is None or (before is not None and (before.value, before.carrier_id) == (value, carrier)):
        return
    if said is None and kind == NumberKind.OWN:
        return
    if here is not None:
        batch.touched.add(here.pk)
    if before is not None:
        batch.replaced.append(before.pk)
    batch.counts["replaced" if before is not None else "numbers"] += 1
    batch.numbers.append(
        TrackingNumber(
            shipment=shipment,
            kind=kind,
            value=value,
            raw=said.raw if said is not None else value,
            carrier_id=carrier,
            known_at=now,
            added_by=actor,
        )
    )


def _save(batch: _Batch, now: datetime) -> Written:
    """A fixed number of statements, whatever the number of parcels."""
    _save_shipments(batch.shipments)
    update_rows(Order, ("paid_at",), batch.paid.items())
    update_rows(Shipment, ("shipping_method_id", "dispatched_at"), batch.updates)
    TrackingNumber.objects.filter(pk__in=batch.replaced).update(replaced_at=now, replaced_why=WHY)
    insert(TrackingNumber, [_of_saved(number) for number in batch.numbers])
    ShipmentLine.objects.filter(shipment_id__in=batch.emptied).delete()
    insert(ShipmentLine, [_of_saved(line) for line in batch.lines])

    concerned = batch.touched | {shipment.pk for shipment in batch.shipments}
    concerned.update(Shipment.objects.filter(order_id__in=batch.paid).values_list("pk", flat=True))
    changes.dispatched_again(batch.dispatched, now)
    plan.plan(concerned, now)
    changes.dispatch_reversed(batch.undone, now)
    return Written(paid=len(batch.paid), **batch.counts)


def _save_shipments(shipments: list[Shipment]) -> None:
    """Insert new parcels with their sync rows, and give them their ids."""
    insert(Shipment, shipments)
    orders = {shipment.order_id for shipment in shipments}
    ids = {
        (order_id, parcel): pk
        for pk, order_id, parcel in Shipment.objects.filter(order_id__in=orders).values_list("pk", "order_id", "parcel")
    }
    for shipment in shipments:
        shipment.pk = ids[shipment.order_id, shipment.parcel]
    insert(TrackingSync, [TrackingSync(shipment=s, store_id=s.order.store_id) for s in shipments])


def _of_saved(row: Saved) -> Saved:
    """The row with the id that its shipment was given after the row was made."""
    row.shipment_id = row.shipment.pk
    return row


def _after(said: Any, before: Any) -> Any:
    """What holds after the file: an empty cell leaves what is there."""
    if said is None:
        return before
    return None if isinstance(said, Remove) else said
