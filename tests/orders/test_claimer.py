"""One claimer serves all stores: fairly, undisturbed by those that hang or fail, and it stops when it is told to."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter

import pytest
from django.db import connection
from django.db.models import F
from django.test import override_settings
from django_q.exceptions import TimeoutException
from django_q.models import OrmQ
from django_q.timeout import TimeoutHandler

from orders import changes, claimer, cluster, pulse
from orders.choices import AttemptOutcome
from orders.claimer import Claimer
from orders.models import Pulse, Shipment
from stores.choices import Timing
from stores.models import Store, SyncPreference
from tests.conftest import NOON

from .background import beside, connected, eventually, leases

pytestmark = pytest.mark.django_db(transaction=True)


def threads_of_the_crew() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("crew-")]


def test_all_that_is_due_in_all_stores_is_sent(pretend):
    stores = [connected(pretend, numbers=3) for _ in range(4)]

    outcomes = claimer.sync_due()

    assert outcomes == Counter({AttemptOutcome.CREATED: 12})
    assert [store.is_done() for store in stores] == [True] * 4
    assert [store.rows() for store in stores] == [{"synced": 3}] * 4
    assert (leases(), threads_of_the_crew()) == (0, [])


def test_where_nothing_is_due_it_ends_at_once_and_has_shown_that_it_lives(pretend):
    store = connected(pretend, dispatched=False)
    pulse.ring()
    start = time.monotonic()

    outcomes = claimer.sync_due()

    assert outcomes == Counter()
    assert time.monotonic() - start < 1
    assert pulse.progress(cluster.group()) is not None
    assert Pulse.objects.get(key=pulse.BELL).rung is False
    assert store.rows() == {"waiting": 1}


def test_what_becomes_due_meanwhile_is_served_by_the_same_claimer(pretend):
    slow = connected(pretend, numbers=100, latency_ms=800)
    late = connected(pretend, dispatched=False)
    with beside(claimer.sync_due):
        eventually(lambda: slow.requests() > 0)

        changes.mark_dispatched(
            Shipment.objects.filter(order__store=late.store).values_list("pk", flat=True), NOON, now=NOON
        )
        eventually(late.is_done)

        assert not slow.is_done()
    assert slow.is_done()


@override_settings(TRACKSYNC_CALL_LIMIT_SECONDS=8.0)
def test_stores_that_hang_slow_no_other_while_slots_are_free(pretend):
    hanging = [connected(pretend) for _ in range(3)]
    for store in hanging:
        store.shop.fault("timeout")
    others = [connected(pretend, numbers=2) for _ in range(6)]

    Claimer(threads=4, seconds=60).run()

    gave_up = Store.objects.exclude(trouble="").values_list("trouble_since", flat=True)
    assert len(gave_up) == 3
    # All others were served before the first of them had used up its time.
    assert max(max(store.shown().values()) for store in others) < min(gave_up).timestamp()
    assert [store.shown() for store in hanging] == [{}, {}, {}]
    assert leases() == 0


def test_a_store_with_many_numbers_gives_way_to_stores_with_one(pretend):
    large = connected(pretend, numbers=200, latency_ms=300)
    small = [connected(pretend) for _ in range(6)]

    Claimer(threads=1, seconds=30).run()

    first_of_the_large, *_, last_of_the_large = sorted(large.shown().values())
    assert large.is_done()
    # Served first, as its turn was, and then again when all the others had had theirs.
    for store in small:
        assert first_of_the_large < max(store.shown().values()) < last_of_the_large


def test_more_stores_than_slots_ring_once_for_another_worker(pretend):
    stores = [connected(pretend) for _ in range(5)]

    Claimer(threads=1, seconds=90).run()

    assert [store.is_done() for store in stores] == [True] * 5
    assert OrmQ.objects.count() == 1


def test_enough_slots_ring_for_nobody(pretend):
    stores = [connected(pretend) for _ in range(3)]

    claimer.sync_due()

    assert [store.is_done() for store in stores] == [True] * 3
    assert OrmQ.objects.count() == 0


def test_when_time_is_up_the_rest_is_left_and_rung_for(pretend):
    store = connected(pretend, numbers=400, latency_ms=200)

    with override_settings(SYNC_BUDGET_SECONDS=2):
        claimer.sync_due()

    assert 0 < len(store.shown()) < 400
    assert store.rows() == {"synced": len(store.shown()), "due": 400 - len(store.shown())}
    assert (OrmQ.objects.count(), leases()) == (1, 0)


def test_after_the_stop_no_further_call_is_made_and_nothing_is_left_unclear(pretend):
    store = connected(pretend, numbers=200, latency_ms=100)
    is_over = threading.Event()
    with beside(Claimer(seconds=30, stopped=is_over.is_set).run):
        eventually(lambda: store.shown())

        is_over.set()
    shown, requests = store.shown(), store.requests()

    assert 0 < len(shown) < 200
    assert store.rows() == {"synced": len(shown), "due": 200 - len(shown)}
    assert leases() == 0
    assert threads_of_the_crew() == []
    assert (store.requests(), store.shown()) == (requests, shown)


def test_a_time_out_of_the_task_ends_its_threads_as_well(pretend):
    """django-q2 raises it in the task's thread alone and kills the process three seconds later."""
    store = connected(pretend, numbers=200, latency_ms=200)

    def time_is_up() -> None:
        eventually(store.shown)
        os.kill(os.getpid(), signal.SIGALRM)

    with beside(time_is_up), pytest.raises(TimeoutException), TimeoutHandler(60):
        claimer.sync_due()
    # It may have struck in the midst of a query. The process of a real task ends here.
    connection.close()

    eventually(lambda: threads_of_the_crew() == [], 1)
    shown = len(store.shown())
    assert 0 < shown < 200
    assert store.rows() == {"synced": shown, "due": 200 - shown}
    assert leases() == 0


def test_a_store_that_cannot_be_served_stops_no_other(pretend, caplog):
    broken, sound = connected(pretend), connected(pretend)
    Store.objects.filter(pk=broken.store.pk).update(platform="a platform of yesterday")

    claimer.sync_due()

    assert sound.is_done()
    assert [record.getMessage() for record in caplog.records if record.name == "orders.claimer"] == [
        f"Store {broken.store.pk} could not be served"
    ]
    assert leases() == 0


def test_a_saved_choice_governs_what_is_sent_next(pretend):
    store = connected(pretend, numbers=2, dispatched=False)
    SyncPreference.objects.filter(store=store.store).update(timing=Timing.BEFORE_DISPATCH, version=F("version") + 1)

    outcomes = claimer.sync_due()

    assert outcomes == Counter({AttemptOutcome.CREATED: 2})
    assert store.is_done()


def test_only_the_store_that_is_asked_for_is_served(pretend):
    asked, other = connected(pretend), connected(pretend)

    Claimer(seconds=20, only=asked.store.pk).run()

    assert asked.is_done()
    assert other.rows() == {"due": 1}


@pytest.mark.postgres
def test_every_thread_closes_its_connection(pretend):
    stores = [connected(pretend) for _ in range(6)]
    before = clients_of_the_database()

    claimer.sync_due()

    assert all(store.is_done() for store in stores)
    # A server needs a moment to end what was closed; its own vacuum is no connection of ours.
    eventually(lambda: clients_of_the_database() <= before, 5)


def clients_of_the_database() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND backend_type = 'client backend'"
        )
        found: int = cursor.fetchone()[0]
    return found
