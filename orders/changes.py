"""The writers of facts: payment, dispatch, numbers, and what a person decides about a shipment.

Each function is one transaction that changes the facts, plans the shipments again and, where a person acted,
leaves a line in their timeline; the bell is rung after the commit. What follows from a fact is decided in
policy.py and planned in plan.py. Many facts at once come in through importing/ and pull.py.

Order of locks, here and in every writer: orders, then sync rows, each by id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice

from django.contrib.auth.models import User
from django.db import transaction

from stores.choices import Timing
from stores.connectors.codes import Code
from stores.connectors.errors import Value

from . import plan, pulse
from .acts import Act
from .choices import AttemptOutcome, NumberKind, RowCode, Stopped, SyncState
from .models import (
    Carrier,
    Order,
    OrderLine,
    Shipment,
    ShipmentLine,
    ShippingMethod,
    SyncAttempt,
    TrackingNumber,
    TrackingSync,
)
from .numbers import normalise

CHUNK = 1000  # ids per statement


def create_shipment(
    order: Order,
    *,
    parcel: int,
    shipping_method: ShippingMethod | None,
    lines: Mapping[OrderLine, int] | None,
    now: datetime,
) -> Shipment:
    """A new parcel of an order. `lines`: units per order line; None or empty where nobody told what is in it.

    Raises IntegrityError when the order has a parcel of this number, or a quantity is below one.
    """
    with transaction.atomic():
        shipment = Shipment.objects.create(order=order, parcel=parcel, shipping_method=shipping_method, created_at=now)
        ShipmentLine.objects.bulk_create(
            ShipmentLine(shipment=shipment, line=line, quantity=quantity) for line, quantity in (lines or {}).items()
        )
        plan.new_rows([shipment])
        plan.plan([shipment.pk], now)
        pulse.ring()
    return shipment


def mark_paid(order_ids: Iterable[int], at: datetime, *, now: datetime, actor: User | None = None) -> int:
    """The merchant paid us for these orders at this time. How many were not paid before: a payment never moves."""
    changed = 0
    with transaction.atomic():
        for ids in _chunks(order_ids):
            unpaid = list(
                Order.objects.filter(pk__in=ids, paid_at__isnull=True)
                .order_by("pk")
                .select_for_update()
                .values_list("pk", flat=True)
            )
            changed += Order.objects.filter(pk__in=unpaid).update(paid_at=at)
            shipments = _shipments_of(unpaid)
            _note(shipments, Act.MARKED_PAID, actor, now, at=at.isoformat())
            plan.plan(shipments, now)
        pulse.ring()
    return changed


def mark_dispatched(shipment_ids: Iterable[int], at: datetime, *, now: datetime, actor: User | None = None) -> int:
    """These parcels were handed to the carrier at this time. How many were not dispatched before."""
    changed = 0
    with transaction.atomic():
        for ids in _chunks(shipment_ids):
            _lock(ids)
            here = list(Shipment.objects.filter(pk__in=ids, dispatched_at__isnull=True).values_list("pk", flat=True))
            changed += Shipment.objects.filter(pk__in=here).update(dispatched_at=at)
            dispatched_again(here, now)
            _note(here, Act.MARKED_DISPATCHED, actor, now, at=at.isoformat())
            plan.plan(here, now)
        pulse.ring()
    return changed


def undo_dispatch(shipment_ids: Iterable[int], *, now: datetime, actor: User | None = None) -> int:
    """These parcels are back on the shelf. How many had been dispatched.

    What was not sent waits again. What a store shows stays there, and where it was to be shown after dispatch only,
    a person has to look at it.
    """
    changed = 0
    with transaction.atomic():
        for ids in _chunks(shipment_ids):
            _lock(ids)
            gone = list(Shipment.objects.filter(pk__in=ids, dispatched_at__isnull=False).values_list("pk", flat=True))
            changed += Shipment.objects.filter(pk__in=gone).update(dispatched_at=None)
            _note(gone, Act.DISPATCH_UNDONE, actor, now)
            plan.plan(gone, now)
            dispatch_reversed(gone, now)
        pulse.ring()
    return changed


def set_number(
    shipment_id: int,
    kind: str,
    raw: str,
    carrier: Carrier | None,
    *,
    now: datetime,
    actor: User | None = None,
    why: str = "",
    known_at: datetime | None = None,
) -> bool:
    """Give a shipment its number of one kind. False when that number with that carrier is there already.

    The number before it stays as history: value and carrier never change in place. `carrier` may be None for an
    own number: it is ours. `raw` is kept as it was given. Raises ValueError for an empty number or a missing carrier.
    """
    value = normalise(raw)
    if not value:
        raise ValueError("A tracking number is not empty.")
    if carrier is None and kind == NumberKind.OWN:
        carrier = Carrier.objects.get(is_own=True)
    if carrier is None:
        raise ValueError("A carrier's number needs its carrier.")
    with transaction.atomic():
        _lock([shipment_id])
        before = _current(shipment_id, kind)
        if before is not None and (before.value, before.carrier_id) == (value, carrier.pk):
            return False
        _replace(before, now, why)
        number = TrackingNumber.objects.create(
            shipment_id=shipment_id,
            kind=kind,
            value=value,
            raw=raw[:200],
            carrier=carrier,
            known_at=known_at or now,
            added_by=actor,
        )
        if before is None:
            _note([shipment_id], Act.NUMBER_ADDED, actor, now, number=number, kind=kind, value=value)
        else:
            _note(
                [shipment_id],
                Act.NUMBER_REPLACED,
                actor,
                now,
                number=number,
                message=why,
                kind=kind,
                value=value,
                before=before.value,
                carrier=carrier.name,
                carrier_before=before.carrier.name,
            )
        plan.plan([shipment_id], now)
        pulse.ring()
    return True


def remove_number(shipment_id: int, kind: str, *, now: datetime, actor: User | None = None, why: str = "") -> bool:
    """Take the current number of one kind away; it stays as history, and what a store shows stays there.

    False when there is none.
    """
    with transaction.atomic():
        _lock([shipment_id])
        before = _current(shipment_id, kind)
        if before is None:
            return False
        _replace(before, now, why)
        _note([shipment_id], Act.NUMBER_REMOVED, actor, now, message=why, number=before, kind=kind, before=before.value)
        plan.plan([shipment_id], now)
        pulse.ring()
    return True


def try_again(shipment_ids: Iterable[int], *, now: datetime, actor: User | None = None) -> int:
    """Out of attention, a person's stop or a back-off: planned afresh and due at once. How many there were.

    An intent under way is left alone: it is looked up at its own time, never sent again.
    """
    changed = 0
    with transaction.atomic():
        for ids in _chunks(shipment_ids):
            _lock(ids)
            rows = TrackingSync.objects.filter(shipment_id__in=ids)
            stuck = rows.exclude(state__in=[SyncState.SYNCED, SyncState.WAITING], stopped=Stopped.NO)
            again = list(stuck.exclude(stopped=Stopped.NO, sending__isnull=False).values_list("shipment_id", flat=True))
            here = TrackingSync.objects.filter(shipment_id__in=again)
            # What somebody cancelled in the store is not there any more: a person wants it made anew.
            here.filter(sending__isnull=True, reason=Code.FULFILLMENT_CANCELLED).update(shown=None, fulfillments=[])
            here.filter(sending__isnull=True).update(
                state=SyncState.WAITING,
                reason="",
                reason_values={},
                due_at=None,
                due_since=None,
                attempts=0,
                state_since=now,
            )
            changed += here.update(stopped=Stopped.NO)
            _note(again, Act.TRIED_AGAIN, actor, now)
            plan.plan(again, now)
        pulse.ring()
    return changed


def give_up(shipment_ids: Iterable[int], *, now: datetime, actor: User | None = None, why: str) -> int:
    """A person takes these shipments out of the sync until one puts them back. How many were still in it."""
    changed = 0
    with transaction.atomic():
        for ids in _chunks(shipment_ids):
            _lock(ids)
            going = list(
                TrackingSync.objects.filter(shipment_id__in=ids, stopped=Stopped.NO).values_list(
                    "shipment_id", flat=True
                )
            )
            changed += TrackingSync.objects.filter(shipment_id__in=going).update(stopped=Stopped.GIVEN_UP)
            _note(going, Act.GAVE_UP, actor, now, message=why)
            plan.plan(going, now)
        pulse.ring()
    return changed


def dispatched_again(shipment_ids: Iterable[int], now: datetime) -> None:
    """A parcel that went out again after all needs nobody's attention any more. Call it before planning."""
    TrackingSync.objects.filter(
        shipment_id__in=list(shipment_ids), state=SyncState.ATTENTION, reason=RowCode.DISPATCH_REVERSED
    ).update(state=SyncState.WAITING, reason="", reason_values={}, state_since=now)


def dispatch_reversed(shipment_ids: Iterable[int], now: datetime) -> None:
    """A person has to look at what was to be shown after dispatch only, and is shown. Call it after planning.

    An intent under way keeps its time: without it nobody would look what came of it.
    """
    TrackingSync.objects.filter(
        shipment_id__in=list(shipment_ids),
        shown__isnull=False,
        sending__isnull=True,
        store__preference__timing=Timing.AFTER_DISPATCH,
    ).update(
        state=SyncState.ATTENTION,
        reason=RowCode.DISPATCH_REVERSED,
        reason_values={},
        due_at=None,
        due_since=None,
        state_since=now,
    )


def _chunks(ids: Iterable[int]) -> Iterator[list[int]]:
    rest = iter(sorted(set(ids)))
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def _lock(shipment_ids: list[int]) -> None:
    """Hold the shipments' sync rows, so that two writers of one shipment go one after the other."""
    list(
        TrackingSync.objects.filter(shipment_id__in=shipment_ids)
        .order_by("pk")
        .select_for_update()
        .values_list("pk", flat=True)
    )


def _shipments_of(order_ids: list[int]) -> list[int]:
    return list(Shipment.objects.filter(order_id__in=order_ids).order_by("pk").values_list("pk", flat=True))


def _current(shipment_id: int, kind: str) -> TrackingNumber | None:
    return (
        TrackingNumber.objects.select_related("carrier")
        .filter(shipment_id=shipment_id, kind=kind, replaced_at__isnull=True)
        .first()
    )


def _replace(before: TrackingNumber | None, now: datetime, why: str) -> None:
    if before is not None:
        TrackingNumber.objects.filter(pk=before.pk).update(replaced_at=now, replaced_why=why[:200])


def _note(
    shipment_ids: list[int],
    act: Act,
    actor: User | None,
    now: datetime,
    *,
    number: TrackingNumber | None = None,
    message: str = "",
    **values: Value,
) -> None:
    """A line in the timeline of each shipment, where a person acted."""
    if actor is None or not shipment_ids:
        return
    rows = TrackingSync.objects.filter(shipment_id__in=shipment_ids).values_list("pk", "store__preference__version")
    SyncAttempt.objects.bulk_create(
        SyncAttempt(
            sync_id=row,
            at=now,
            number=number,
            outcome=AttemptOutcome.BY_HAND,
            reason=act,
            reason_values=values,
            message=message[:500],
            preference_version=version or 0,
            actor=actor,
        )
        for row, version in rows
    )
