"""The effect of a choice is counted in groups and means exactly what decide() says of every row alone."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from orders import plan
from orders.choices import SyncState
from orders.effect import Effect, Fate, chosen, differ, effect, effects, outlook
from orders.groups import Choices
from orders.models import Shipment, TrackingNumber, TrackingSync
from orders.plan import facts_of, preference_of
from orders.policy import Preference
from stores.choices import CountsAsPaid, NumberSource, Timing
from stores.models import Store
from tests import factories

HOUR = timedelta(hours=1)


def maybe(dice: random.Random, often: float, value: Any) -> Any:
    return value if dice.random() < often else None


def a_time(dice: random.Random, now: datetime) -> datetime:
    """Mostly past; on the very borders of the delays now and then, and sometimes told in advance."""
    return now - HOUR * dice.choice([-30, -1, 0, 1, 5, 12, 24, 25, 48, 49, 72, 200])


def any_row(dice: random.Random, store: Store, now: datetime) -> Shipment:
    """A parcel in any situation that the tables can hold before something is sent of it, or after."""
    order = factories.an_order(
        store,
        lines=(),
        placed_at=dice.choice([store.sync_from - HOUR, store.sync_from, store.sync_from + HOUR]),
        paid_at=maybe(dice, 0.7, a_time(dice, now)),
        shopper_paid_at=maybe(dice, 0.7, a_time(dice, now)),
        cancelled_at=maybe(dice, 0.08, now - HOUR),
    )
    shipment = factories.a_shipment(
        order,
        method=dice.choice([factories.an_own_method(), factories.a_method()]),
        dispatched_at=maybe(dice, 0.5, a_time(dice, now)),
        own=dice.choice(["", f"CJP{order.pk:010}"]),
        local=dice.choice(["", f"YT{order.pk:014}", f"YT{order.pk:014}", f"CJP{order.pk:014}", f"cjp{order.pk:014}"]),
        known_at=a_time(dice, now),
    )
    if dice.random() < 0.1:
        Shipment.objects.filter(pk=shipment.pk).update(shipping_method=None)
    old = factories.a_number(shipment, f"OLD{order.pk:010}", replaced_at=now - HOUR, known_at=now - 9 * HOUR)
    plan.plan([shipment.pk], now - HOUR)
    disturb(dice, TrackingSync.objects.get(shipment=shipment), old, now)
    return shipment


def disturb(dice: random.Random, row: TrackingSync, old: TrackingNumber, now: datetime) -> None:
    """What pushes and people may have left on a row."""
    rows = TrackingSync.objects.filter(pk=row.pk)
    what = dice.random()
    if what < 0.1:
        reason = dice.choice(["rejected", "cancelled_after_sent"])
        wanted = dice.choice([row.wanted_id, row.wanted_id, old.pk, None])
        rows.update(state=SyncState.ATTENTION, reason=reason, due_at=None, due_since=None, wanted=wanted)
    elif what < 0.25 and row.state == SyncState.DUE:
        later = now + HOUR * dice.choice([-2, 0, 1, 60])
        rows.update(attempts=3, due_at=later, wanted=dice.choice([row.wanted_id, old.pk]))
    elif what < 0.3:
        rows.update(stopped=dice.choice(["given_up", "withdrawn"]))
    elif what < 0.4:
        rows.update(sending=old, sending_since=now, kind=old.kind)
    elif what < 0.5:
        rows.update(shown=old, wanted=old, kind=old.kind, state=SyncState.SYNCED, due_at=None, due_since=None)


def by_hand(store: Store, new: Preference, now: datetime) -> dict[str, Any]:
    """The same figures, from every row alone."""
    choices = Choices(store, preference_of(store.preference), new)
    rows = TrackingSync.objects.filter(store=store)
    reached = rows.filter(shown__isnull=True, sending__isnull=True)
    fates: Counter[Fate] = Counter()
    waiting: Counter[str] = Counter()
    changed = anyway = held_back = 0
    times = []
    for planable in facts_of(reached.values_list("shipment_id", flat=True)).values():
        before = outlook(planable.row, planable.facts, choices.old, now)
        after = outlook(planable.row, planable.facts, new, now)
        fates[after.fate] += 1
        waiting[after.reason] += after.fate == Fate.WAITS
        changed += differ(before, after, choices)
        anyway += before.fate == after.fate == Fate.NOW
        held_back += before.fate == Fate.NOW and after.fate != Fate.NOW
        if after.fate == Fate.LATER:
            times.append(after.at)
    return {
        "due_now": fates[Fate.NOW],
        "due_anyway": anyway,
        "held_back": held_back,
        "later": fates[Fate.LATER],
        "last": max(times, default=None),
        "waiting": {reason: count for reason, count in waiting.items() if count},
        "needs_person": fates[Fate.PERSON],
        "already_sent": rows.count() - reached.count(),
        "changed": changed,
    }


def figures(found: Effect) -> dict[str, Any]:
    return {
        "due_now": found.due_now,
        "due_anyway": found.due_anyway,
        "held_back": found.held_back,
        "later": found.later,
        "last": found.later_span.last,
        "waiting": dict(found.waiting),
        "needs_person": found.needs_person,
        "already_sent": found.already_sent,
        "changed": found.changed,
    }


def fresh(store: Store) -> Store:
    return Store.objects.select_related("preference").get(pk=store.pk)


@pytest.mark.django_db
@pytest.mark.parametrize("counts_as_paid", CountsAsPaid.values)
@pytest.mark.parametrize("seed", range(2))
def test_the_effect_is_what_every_row_alone_comes_to(seed: int, counts_as_paid: str, now: datetime) -> None:
    dice = random.Random(seed)
    stores = [
        factories.a_store(
            timing=dice.choice(Timing.values),
            number_source=dice.choice(NumberSource.values),
            delay_hours=dice.choice([0, 24, 48]),
            counts_as_paid=counts_as_paid if place else dice.choice(CountsAsPaid.values),
            sync_from=now - timedelta(days=30 + place),
        )
        for place in range(3)
    ]
    for _ in range(150):
        any_row(dice, dice.choice(stores), now)

    stores = [fresh(store) for store in stores]
    wished = [
        (store, chosen(store, timing, source, dice.choice([0, 24, 48])))
        for store in stores
        for timing in Timing.values
        for source in NumberSource.values
    ]

    for store, new in wished:
        assert figures(effect(store, new, now)) == by_hand(store, new, now)
    together = [(store, dice.choice([new for its, new in wished if its == store])) for store in stores]
    assert {pk: figures(found) for pk, found in effects(together, now).items()} == {
        store.pk: by_hand(store, new, now) for store, new in together
    }
