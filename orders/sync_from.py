"""Moves the day from which a store's orders are looked after, and says before what that does.

Orders placed before it are kept but left alone. Only parcels that nothing was sent of follow; what a store shows
stays. The first rows are planned at once; where there are many, the job that carries saved choices (plan.replan())
takes over: their planned version is set back in the transaction that moves the date, so it may be killed and goes on.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from django.db import transaction
from django.db.models import Q, QuerySet

from stores.models import Store

from . import plan, pulse
from .effect import Fate, outlook
from .groups import Choices, grouped, stand_in
from .models import Order, TrackingSync
from .pull import FIRST_PULL

CHUNK = 1000  # ids per statement
AT_ONCE = 1000  # rows planned before the answer; the job plans the rest
NEVER_PLANNED = 0


class MovedMeanwhile(Exception):
    """Somebody else has moved the date since it was looked at."""


@dataclass(frozen=True)
class MoveEffect:
    """What moving the date does. `lets_in`: it moves back; else the orders counted are left alone from then on."""

    lets_in: bool
    orders: int
    now: int  # numbers: that go out at once; when the date moves forward, that would have gone out and do not
    later: int  # that go, or would have gone, at a known time
    waiting: int  # that go on, or would have gone on, waiting for an event
    needs_person: int

    @property
    def parcels(self) -> int:
        """All parcels it reaches."""
        return self.now + self.later + self.waiting + self.needs_person


@dataclass(frozen=True)
class Moved:
    """How many parcels follow, and how many of them a job has still to plan."""

    parcels: int
    left: int


def move_effect(store: Store, at: datetime, now: datetime) -> MoveEffect:
    """What moving the store's date to `at` would do, exactly; two queries. The store must come with its preference."""
    first, last = sorted([store.sync_from, at])
    as_if_let_in = replace(plan.preference_of(store.preference), sync_from=first)
    # Both choices are the same: what is asked is what becomes of these rows once their orders are let in.
    choices = Choices(store, as_if_let_in, as_if_let_in)
    fates: Counter[Fate] = Counter()
    for group in grouped(_reached(store.pk, first, last), [choices], now):
        row, facts = stand_in(group.traits, now, choices)
        fates[outlook(row, facts, as_if_let_in, now).fate] += group.count
    return MoveEffect(
        lets_in=at < store.sync_from,
        orders=Order.objects.filter(store=store, placed_at__gte=first, placed_at__lt=last).count(),
        now=fates[Fate.NOW],
        later=fates[Fate.LATER],
        waiting=fates[Fate.WAITS],
        needs_person=fates[Fate.PERSON],
    )


def move(store: Store, at: datetime, *, seen: datetime, now: datetime) -> Moved:
    """Move the store's date from `seen` to `at`, and plan what that reaches. The bell rings after the commit.

    1. In one transaction: the date, and every row it reaches is marked as planned under no version.
    2. The first thousand are planned at once, so that a small store is done with the answer.
    3. The rest is planned by the job, in chunks of its own.

    Raises MovedMeanwhile where the date is not `seen` any more.
    """
    first, last = sorted([seen, at])
    with transaction.atomic():
        if not Store.objects.filter(pk=store.pk, sync_from=seen).update(sync_from=at):
            raise MovedMeanwhile
        _ask_again_from(store, at, seen)
        reached = _marked(store.pk, first, last)
        pulse.ring()
    with transaction.atomic():
        plan.plan(reached[:AT_ONCE], now)
    return Moved(len(reached), max(len(reached) - AT_ONCE, 0))


def _marked(store_id: int, first: datetime, last: datetime) -> list[int]:
    """Lock what is reached in the order of ids, as every writer does, and set it back. The shipments' ids."""
    rows = _reached(store_id, first, last).order_by("pk").select_for_update(of=("self",))
    pairs = iter(rows.values_list("pk", "shipment_id"))
    shipments: list[int] = []
    while chunk := list(islice(pairs, CHUNK)):
        TrackingSync.objects.filter(pk__in=[pk for pk, _ in chunk]).update(planned_version=NEVER_PLANNED)
        shipments += [shipment for _, shipment in chunk]
    return shipments


def _ask_again_from(store: Store, at: datetime, seen: datetime) -> None:
    """Orders that the first pull did not go back to are asked for by the next one.

    What changed since `at` holds every order that was placed since then; those that are here already stay as they are.
    """
    if at < seen and at < store.created_at - FIRST_PULL:
        Store.objects.filter(pk=store.pk, pulled_until__gt=at).update(pulled_until=at)


def _reached(store_id: int, first: datetime, last: datetime) -> QuerySet[TrackingSync]:
    """Parcels of the orders placed from `first` on and before `last`, that nothing was sent of."""
    placed = Q(shipment__order__placed_at__gte=first, shipment__order__placed_at__lt=last)
    return TrackingSync.objects.filter(placed, store=store_id, shown__isnull=True, sending__isnull=True)
