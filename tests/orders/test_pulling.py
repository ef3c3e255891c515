"""Which stores are pulled now, by one process at a time, and what the night cleans up."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import override_settings
from django.utils import timezone
from django_q.models import Failure, OrmQ, Schedule

from orders import cluster, housekeeping, pulling, pulse, schedules, tasks
from orders.models import Order, OrderHint, Pulse, Shipment, TrackingSync
from orders.pulling import Pulled, due_to_be_pulled
from stores.authorising import invitations
from stores.models import HookDelivery, Invitation, PendingConnection, Store
from tests.conftest import NOON
from tests.factories import a_shipment, a_store, an_order

from .background import connected, eventually

pytestmark = pytest.mark.django_db(transaction=True)


def never() -> bool:
    return False


def quietly() -> None:
    """No sign of life."""


@override_settings(TRACKSYNC_PULL_SECONDS=600)
def test_the_store_not_asked_for_longest_comes_first_and_a_first_pull_last():
    owner = User.objects.create(username="merchant")

    def store(**fields) -> int:
        return a_store(owner, **fields).pk

    def ago(seconds: int) -> dict:
        return {"pulled_at": NOON - timedelta(seconds=seconds)}

    first_time = store()
    an_hour_ago = store(**ago(3600))
    store(**ago(599))
    ten_minutes_ago = store(**ago(600))
    a_pause_is_no_obstacle = store(**ago(1000), is_paused=True)
    store(**ago(3600), trouble="store_busy", resume_at=NOON + timedelta(seconds=1))
    store(**ago(3600), trouble="token_refused")
    store(**ago(3600), disconnected_at=NOON, disconnect_reason="merchant")
    over = store(**ago(700), trouble="store_busy", resume_at=NOON)

    assert due_to_be_pulled(NOON) == [an_hour_ago, a_pause_is_no_obstacle, over, ten_minutes_ago, first_time]


def test_the_orders_of_all_stores_are_pulled_and_a_broken_store_stops_no_other(pretend, caplog):
    stores = [connected(pretend, numbers=0) for _ in range(3)]
    for store in stores:
        store.shop.add_orders(2)
    Store.objects.filter(pk=stores[1].store.pk).update(platform="no such platform")

    pulled = pulling.pull_due(timezone.now(), stop=never, beat=quietly)

    assert pulled == Pulled(3, is_cut_short=False)
    assert [Order.objects.filter(store=store.store).count() for store in stores] == [2, 0, 2]
    assert [record.getMessage() for record in caplog.records if record.name == "orders.pulling"] == [
        f"Store {stores[1].store.pk}: its orders could not be pulled"
    ]
    # The two that were asked are not asked again at once.
    assert due_to_be_pulled(timezone.now()) == [stores[1].store.pk]


def test_one_process_pulls_at_a_time(pretend):
    store = connected(pretend)
    assert pulse.hold(pulling.PULLING, 60)

    assert pulling.pull_due(timezone.now(), stop=never, beat=quietly) == Pulled(0, is_cut_short=False)
    assert store.requests() == 0

    pulse.let_go(pulling.PULLING)

    assert pulling.pull_due(timezone.now(), stop=never, beat=quietly) == Pulled(1, is_cut_short=False)
    assert store.requests() > 0


def test_what_was_left_at_the_stop_is_pulled_by_the_next_task(pretend):
    stores = [connected(pretend, numbers=0, latency_ms=300) for _ in range(12)]
    until = time.monotonic() + 0.2

    pulled = pulling.pull_due(timezone.now(), stop=lambda: time.monotonic() > until, beat=quietly)

    assert pulled.is_cut_short
    # Those that were under way at the stop are finished, and no other is begun.
    assert 0 < pulled.stores <= pulling.THREADS
    assert Store.objects.filter(pulled_at__isnull=True).count() >= len(stores) - pulling.THREADS

    tasks.pull_due()

    assert not Store.objects.filter(pulled_at__isnull=True).exists()
    assert OrmQ.objects.count() == 0


def test_pulling_shows_progress_too():
    a_store(base_url="https://127.0.0.1:9")

    tasks.pull_due()

    assert pulse.progress(cluster.group()) is not None


def test_the_night_plans_every_row_again_stretch_by_stretch():
    store = a_store()
    shipments = [a_shipment(an_order(store), dispatched_at=NOON, local=f"YT{n:08d}") for n in range(5)]
    rows = TrackingSync.objects.order_by("pk")
    assert set(rows.values_list("state", flat=True)) == {"waiting"}

    one_chunk = iter([False, True])
    last = housekeeping.plan_again(0, NOON, stop=lambda: next(one_chunk), chunk=2)

    assert last == rows[1].pk
    assert list(rows.values_list("state", flat=True)) == ["due", "due", "waiting", "waiting", "waiting"]

    assert housekeeping.plan_again(last, NOON, stop=never) == rows[4].pk
    assert housekeeping.plan_again(rows[4].pk, NOON, stop=never) == rows[4].pk
    assert list(rows.values_list("state", flat=True)) == ["due"] * len(shipments)


def test_the_nightly_task_goes_on_in_a_new_task_until_it_is_done():
    a_shipment(dispatched_at=NOON, local="YT00000001")

    last = tasks.nightly()

    assert last == TrackingSync.objects.get().pk
    assert OrmQ.objects.count() == 1

    assert tasks.nightly(last) == last
    assert OrmQ.objects.count() == 1


def test_what_is_old_and_nobodys_any_more_is_thrown_away_and_the_young_is_kept():
    now = timezone.now()
    for name, days in (("old", 15), ("young", 13)):
        at = now - timedelta(days=days)
        Failure.objects.create(id=name, name=name, func="f", started=at, stopped=at, success=False)
    OrmQ.objects.create(key="gone:1", payload="", lock=now - timedelta(days=2))
    OrmQ.objects.create(key="tracksync", payload="", lock=now)
    pulse.beat("dead")
    Pulse.objects.update(at=now - timedelta(days=2))
    pulse.beat("alive")
    store = a_store()
    for name, days in (("old", 4), ("young", 2)):
        at = now - timedelta(days=days)
        HookDelivery.objects.create(store=store, delivery_id=name, topic="orders/paid", received_at=at)
    for name, hours in (("old", 25), ("young", 23)):
        at = now - timedelta(hours=hours)
        PendingConnection.objects.create(state_hash=name, user=store.owner, base_url=name, expires_at=at)
    for name, days in (("old", 8), ("young", 6)):
        invitations.invite(
            by=store.owner,
            platform="shopify",
            base_url=name,
            store_name=name,
            credentials={"client_secret": name},
            now=now - timedelta(days=days),
        )
    for name, hours in (("old", 25), ("young", 23)):
        at = now - timedelta(hours=hours)
        OrderHint.objects.create(store=store, external_id=name, hinted_at=at)

    assert housekeeping.tidy(now) == {
        "failures": 1,
        "abandoned": 1,
        "groups": 1,
        "deliveries": 1,
        "hints": 1,
        "pending": 1,
        "invitations": 1,
    }
    assert {each.store_name for each in Invitation.objects.all() if each.credentials} == {"young"}
    assert HookDelivery.objects.get().delivery_id == "young"
    assert OrderHint.objects.get().external_id == "young"
    assert PendingConnection.objects.get().state_hash == "young"
    assert list(Failure.objects.values_list("name", flat=True)) == ["young"]
    assert list(OrmQ.objects.values_list("key", flat=True)) == ["tracksync"]
    assert list(Pulse.objects.values_list("key", flat=True)) == ["group:alive"]


def test_a_schedule_is_made_once_corrected_where_its_task_is_wrong_and_else_left_alone():
    Schedule.objects.all().delete()
    schedules.ensure(NOON)
    made = list(Schedule.objects.order_by("pk").values_list("name", "func", "schedule_type", "minutes", "next_run"))
    pull = Schedule.objects.filter(name="TrackSync: pull orders")
    pull.update(minutes=30, func="a.name.of.yesterday")

    schedules.ensure(NOON + timedelta(hours=5))

    assert made == [
        ("TrackSync: push what is due", "orders.tasks.sync_due", "I", 1, NOON + timedelta(minutes=1)),
        ("TrackSync: send mail to customers", "orders.tasks.send_mail", "I", 1, NOON + timedelta(minutes=1)),
        ("TrackSync: pull orders", "orders.tasks.pull_due", "I", 1, NOON + timedelta(minutes=1)),
        ("TrackSync: read what stores told", "orders.tasks.read_hints", "I", 1, NOON + timedelta(minutes=1)),
        ("TrackSync: subscribe to the stores", "orders.tasks.arm_hooks", "I", 1, NOON + timedelta(minutes=1)),
        ("TrackSync: carry saved choices", "orders.tasks.replan", "I", 10, NOON + timedelta(minutes=10)),
        (
            "TrackSync: keep access alive",
            "orders.tasks.keep_alive",
            "D",
            None,
            NOON.replace(day=NOON.day + 1, hour=2, minute=40),
        ),
        ("TrackSync: nightly", "orders.tasks.nightly", "D", None, NOON.replace(day=NOON.day + 1, hour=3, minute=10)),
    ]
    assert pull.values_list("func", "minutes").get() == ("orders.tasks.pull_due", 30)
    assert Schedule.objects.count() == len(made)


def test_every_schedule_names_a_task_that_runs():
    assert not Shipment.objects.exists()
    for planned in schedules.SCHEDULES:
        name = planned.task.rpartition(".")[2]

        assert getattr(tasks, name)() in ({}, 0), name

    eventually(lambda: Pulse.objects.filter(key=f"group:{cluster.group()}").exists(), 1)
