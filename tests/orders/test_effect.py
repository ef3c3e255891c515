"""The effect of a choice is counted in groups and means exactly what decide() says of every row alone."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders import plan
from orders.choices import SyncState
from orders.effect import Effect, Fate, chosen, differ, effect, effects, outlook
from orders.models import Shipment, TrackingNumber, TrackingSync
from orders.plan import facts_of, preference_of
from orders.policy import Preference
from orders.traits import Choices
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


def a_parcel(store: Store, number: str, **fields: Any) -> Shipment:
    shipment = factories.a_shipment(factories.an_order(store, number=number), **fields)
    plan.plan([shipment.pk], factories.NOON)
    return shipment


def shown(found: Effect) -> list[tuple[str, str, str]]:
    """(order, fate or reason before, and after) of each example."""
    return [
        (each.order, each.before.reason or each.before.fate, each.after.reason or each.after.fate)
        for each in found.examples
    ]


@pytest.mark.django_db
def test_examples_come_in_turn_from_the_largest_groups_and_only_of_what_changes(now: datetime) -> None:
    store = factories.a_store()
    for place in range(4):
        a_parcel(store, f"#10{place}", local=f"YT{place:014}")
    for place in range(2):
        a_parcel(store, f"#20{place}", method=factories.an_own_method(), own=f"CJP{place:010}")
    a_parcel(store, "#300", local="YT00000000000300", dispatched_at=now - HOUR)
    store = fresh(store)

    found = effect(store, chosen(store, Timing.BEFORE_DISPATCH, NumberSource.LOCAL, 0), now)

    assert shown(found) == [
        ("#103", "not_dispatched", "now"),
        ("#201", "not_dispatched", "local_number_missing"),
        ("#100", "not_dispatched", "now"),
        ("#200", "not_dispatched", "local_number_missing"),
        ("#101", "not_dispatched", "now"),
    ]
    assert (found.changed, found.due_now, found.due_anyway, found.invented) == (6, 5, 1, False)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "delay, first, last",
    [(24, factories.NOON + 14 * HOUR, factories.NOON + 22 * HOUR), (1, None, None)],
)
def test_when_the_later_ones_go_is_told(delay: int, first: datetime | None, last: datetime | None) -> None:
    store = factories.a_store(timing=Timing.BEFORE_DISPATCH)
    for hours in (2, 5, 10, 24):
        order = factories.an_order(store, paid_at=factories.NOON - hours * HOUR)
        factories.a_shipment(order, local=f"YT{hours:014}")
    store = fresh(store)

    found = effect(store, chosen(store, Timing.BEFORE_DISPATCH, NumberSource.LOCAL, delay), factories.NOON)

    assert (found.later_span.first, found.later_span.last) == (first, last)
    assert (found.due_now, found.later) == ((1, 3) if first else (4, 0))


@pytest.mark.django_db
def test_the_effect_asks_as_often_for_thirty_rows_as_for_six(now: datetime) -> None:
    counts = []
    for rows in (6, 30):
        store = factories.a_store()
        for place in range(rows):
            a_parcel(store, f"#{place}", local=f"YT{place:014}")
        store = fresh(store)
        with CaptureQueriesContext(connection) as queries:
            effect(store, chosen(store, Timing.BEFORE_DISPATCH, NumberSource.LOCAL, 0), now)
        counts.append(len(queries))

    assert counts[0] == counts[1]
