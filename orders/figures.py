"""The figures of the merchants' first page: the last thirty days of each store, and what it has still to be sent.

Everything is bounded by thirty days of orders, read through the index of a store's orders, or by what is due. How a
store is, in words, is in health.py; what needs somebody is in problems.py.
"""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from statistics import median

from django.core.cache import cache
from django.db.models import Count, Max, Min
from django.utils import timezone

from .choices import AttemptOutcome, SyncState, WaitCode
from .models import Shipment, SyncAttempt, TrackingSync

DAYS = 30
# Waits that nothing is expected to end: these parcels are left alone.
LEFT_ALONE = (WaitCode.CANCELLED, WaitCode.GIVEN_UP, WaitCode.WITHDRAWN, WaitCode.OLDER_THAN_SYNC)

# Fifty thousand orders take a second to go through: what took long is kept for a while, and says when it was counted.
SLOW = 0.2  # seconds
KEPT = 120  # seconds

LATEST = 5000  # attempts that a rate is measured from, of all stores
WINDOW = timedelta(minutes=10)
ENOUGH = 10  # numbers below which a rate says nothing
ARRIVED = (
    AttemptOutcome.CREATED,
    AttemptOutcome.REPLACED,
    AttemptOutcome.UNCHANGED,
    AttemptOutcome.ADOPTED,
    AttemptOutcome.ARRIVED,
)


@dataclass(frozen=True)
class Recent:
    """The parcels of one store's orders of the last thirty days. `waiting` includes what is due."""

    in_store: int = 0
    waiting: int = 0
    attention: int = 0

    @property
    def all(self) -> int:
        """All but what is left alone."""
        return self.in_store + self.waiting + self.attention


@dataclass(frozen=True)
class Backlog:
    """What should be in the store by now. `done_at`: None where it cannot be told from the last minutes."""

    due: int
    done_at: datetime | None = None


@dataclass(frozen=True)
class Day:
    """One day of dispatches: `wait` is the median time until the store showed the number, None without a parcel."""

    day: date
    parcels: int = 0
    wait: timedelta | None = None


@dataclass(frozen=True)
class Month:
    """The last thirty days: each store's parcels, the waits day by day, and when that was counted."""

    at: datetime
    recent: dict[int, Recent]
    days: list[Day]


def month(store_ids: Iterable[int], now: datetime, zone: tzinfo) -> Month:
    """The last thirty days of these stores; three queries at the most. Of large stores up to two minutes old."""
    ids = sorted(store_ids)
    stores = hashlib.sha256(f"{zone} {ids}".encode()).hexdigest()
    found: Month | None = cache.get(f"month:{stores}")
    if found is not None:
        return found
    began = time.monotonic()
    found = Month(now, recent(ids, now), waits(ids, now, zone))
    if time.monotonic() - began > SLOW:
        cache.set(f"month:{stores}", found, KEPT)
    return found


def recent(store_ids: Iterable[int], now: datetime) -> dict[int, Recent]:
    """What became of each store's orders of the last thirty days; one query."""
    ids = list(store_ids)
    found: dict[int, dict[str, int]] = {store_id: defaultdict(int) for store_id in ids}
    rows = Shipment.objects.filter(order__store__in=ids, order__placed_at__gte=now - timedelta(days=DAYS)).order_by()
    for store_id, state, reason, n in rows.values_list("order__store", "sync__state", "sync__reason").annotate(
        n=Count("pk")
    ):
        if state is not None and not (state == SyncState.WAITING and reason in LEFT_ALONE):
            found[store_id][state] += n
    return {
        store_id: Recent(
            in_store=states[SyncState.SYNCED],
            waiting=states[SyncState.WAITING] + states[SyncState.DUE],
            attention=states[SyncState.ATTENTION],
        )
        for store_id, states in found.items()
    }


def backlogs(store_ids: Iterable[int], now: datetime) -> dict[int, Backlog]:
    """What each store has due now, and when that is done at the rate of the last minutes; three queries at the most."""
    ids = list(store_ids)
    due = TrackingSync.objects.filter(store__in=ids, due_at__lte=now)
    counts = dict(due.order_by().values_list("store").annotate(n=Count("pk")))
    rates = _rates(counts, now) if counts else {}
    return {
        store_id: Backlog(n, now + timedelta(seconds=n / rates[store_id]) if store_id in rates else None)
        for store_id, n in counts.items()
    }


def _rates(store_ids: Iterable[int], now: datetime) -> dict[int, float]:
    """Numbers a second that reached each store in the last minutes, pauses included. None for one that stands still."""
    last = SyncAttempt.objects.order_by("-pk").values_list("pk", flat=True).first()
    if last is None:
        return {}
    latest = SyncAttempt.objects.filter(
        pk__gt=last - LATEST, at__gte=now - WINDOW, outcome__in=ARRIVED, sync__store__in=list(store_ids)
    )
    rates = {}
    for store_id, n, first, newest in (
        latest.order_by().values_list("sync__store").annotate(n=Count("pk"), first=Min("at"), newest=Max("at"))
    ):
        seconds = (now - first).total_seconds()
        if n >= ENOUGH and now - newest < WINDOW / 5 and seconds > 0:
            rates[store_id] = n / seconds
    return rates


def waits(store_ids: Iterable[int], now: datetime, zone: tzinfo) -> list[Day]:
    """Day by day, oldest first, how long after dispatch the stores showed the numbers; one query.

    Days are those of `zone`. A number that was there before the parcel left took no time.
    """
    since = now - timedelta(days=DAYS)
    pairs = Shipment.objects.filter(
        order__store__in=list(store_ids),
        order__placed_at__gte=since,
        dispatched_at__gte=since,
        dispatched_at__lte=now,
        sync__state=SyncState.SYNCED,
        sync__synced_at__isnull=False,
    )
    by_day: dict[date, list[float]] = defaultdict(list)
    for dispatched_at, synced_at in pairs.order_by().values_list("dispatched_at", "sync__synced_at").iterator(5000):
        if dispatched_at is None or synced_at is None:
            continue  # filtered out above; the hints do not know
        took = max((synced_at - dispatched_at).total_seconds(), 0.0)
        by_day[dispatched_at.astimezone(zone).date()].append(took)
    today = timezone.localtime(now, zone).date()
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    return [
        Day(day, len(by_day[day]), timedelta(seconds=median(by_day[day]))) if day in by_day else Day(day)
        for day in days
    ]
