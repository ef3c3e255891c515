"""What a store's own recent parcels were like: their shipping methods, and how long after the number they left.

Read from the newest orders of the store through their index, so that it costs the same in a store of any size.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Min

from stores.models import Store

from .models import Order, Shipment

NEWEST = 3000  # orders looked at
RECENT = timedelta(days=30)
ENOUGH = 20  # parcels below which nothing is said: a handful says little


@dataclass(frozen=True)
class Experience:
    """`methods`: ids of the shipping methods in use. The days: None with too few parcels."""

    methods: frozenset[int]
    parcels: int
    days_p50: int | None = None
    days_p90: int | None = None


def experience(store: Store, now: datetime) -> Experience:
    """What the store's parcels of the last thirty days were like, in one query.

    A parcel counts towards the days when it was dispatched; one that left before it had a number took none.
    """
    newest = Order.objects.filter(store=store).order_by("-placed_at", "-id").values("pk")[:NEWEST]
    parcels = (
        Shipment.objects.filter(order__in=newest)
        .order_by()
        .values("pk")
        .annotate(known_at=Min("numbers__known_at"))
        .values_list("shipping_method_id", "dispatched_at", "known_at")
    )
    methods, waits = set(), []
    for method, dispatched_at, known_at in parcels:
        methods.add(method)
        if known_at and dispatched_at and now - RECENT <= dispatched_at <= now:
            waits.append(max(dispatched_at - known_at, timedelta()))
    methods.discard(None)
    if len(waits) < ENOUGH:
        return Experience(frozenset(methods), len(waits))
    waits.sort()
    return Experience(frozenset(methods), len(waits), _days(waits, 0.5), _days(waits, 0.9))


def _days(waits: list[timedelta], part: float) -> int:
    """The whole days, rounded up, within which so great a part of the parcels left."""
    wait = waits[min(int(len(waits) * part), len(waits) - 1)]
    return -(-wait // timedelta(days=1))
