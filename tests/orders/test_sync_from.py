"""Moving the day from which a store's orders are looked after: killed or not, every parcel follows in the end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orders import plan, sync_from
from orders.models import Pulse, TrackingSync
from orders.sync_from import MovedMeanwhile, MoveEffect, move, move_effect
from stores.models import Store
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db

WEEK = timedelta(days=7)


def a_store_with_older_parcels(parcels: int) -> Store:
    """Begins at NOON; its parcels were ordered the day before and could go out at once."""
    store = factories.a_store(sync_from=NOON, created_at=NOON)
    for _ in range(parcels):
        order = factories.an_order(store, placed_at=NOON - timedelta(days=1))
        shipment = factories.a_shipment(order, local="YT1", dispatched_at=NOON)
        plan.plan([shipment.pk], NOON)
    return store


def states(store: Store) -> list[str]:
    return list(TrackingSync.objects.filter(store=store).order_by("pk").values_list("state", flat=True))


def test_the_first_parcels_follow_at_once_and_the_job_carries_the_rest(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks
) -> None:
    monkeypatch.setattr(sync_from, "AT_ONCE", 2)
    monkeypatch.setattr(sync_from, "CHUNK", 2)
    store = a_store_with_older_parcels(5)

    with django_capture_on_commit_callbacks(execute=True):
        moved = move(store, NOON - WEEK, seen=NOON, now=NOON)
    at_once, behind = states(store), plan.behind(store)
    plan.replan(NOON, stop=iter([False, True]).__next__, chunk=1)  # killed after one
    after_a_kill = states(store)
    plan.replan(NOON)

    assert (moved.parcels, moved.left, behind) == (5, 3, 3)
    assert Pulse.objects.get(key="sync").rung
    assert at_once == ["due", "due", "waiting", "waiting", "waiting"]
    assert after_a_kill == ["due", "due", "due", "waiting", "waiting"]
    assert states(store) == ["due"] * 5


def test_what_is_shown_first_is_what_happens(now) -> None:
    store = a_store_with_older_parcels(2)
    TrackingSync.objects.update(state="waiting")

    effect = move_effect(store, NOON - WEEK, NOON)
    move(store, NOON - WEEK, seen=NOON, now=NOON)

    assert effect == MoveEffect(lets_in=True, orders=2, now=2, later=0, waiting=0, needs_person=0)
    assert states(store).count("due") == effect.now


def test_what_the_store_shows_does_not_follow() -> None:
    store = a_store_with_older_parcels(1)
    row = TrackingSync.objects.get()
    number = row.shipment.numbers.get()
    TrackingSync.objects.update(state="synced", reason="", wanted=number, shown=number)

    effect = move_effect(store, NOON - WEEK, NOON)
    moved = move(store, NOON - WEEK, seen=NOON, now=NOON)

    assert (effect.orders, effect.parcels, moved.parcels, states(store)) == (1, 0, 0, ["synced"])


def test_another_stores_orders_do_not_follow() -> None:
    store, other = a_store_with_older_parcels(1), a_store_with_older_parcels(1)

    move(store, NOON - WEEK, seen=NOON, now=NOON)
    plan.replan(NOON)

    assert (states(store), states(other)) == (["due"], ["waiting"])
    assert Store.objects.get(pk=other.pk).sync_from == NOON


def test_of_two_who_move_it_at_once_the_second_is_told() -> None:
    store = a_store_with_older_parcels(1)
    move(store, NOON - WEEK, seen=NOON, now=NOON)

    with pytest.raises(MovedMeanwhile):
        move(store, NOON - 2 * WEEK, seen=NOON, now=NOON)

    assert Store.objects.get().sync_from == NOON - WEEK


@pytest.mark.parametrize(
    "days_back, asked_again",
    [
        (30, False),  # the first pull went back sixty days: those orders are here
        (90, True),
    ],
)
def test_orders_that_were_never_pulled_are_asked_for(days_back: int, asked_again: bool) -> None:
    store = a_store_with_older_parcels(0)
    Store.objects.update(pulled_until=NOON)
    at = NOON - timedelta(days=days_back)

    move(store, at, seen=NOON, now=NOON)

    assert Store.objects.get().pulled_until == (at if asked_again else NOON)
