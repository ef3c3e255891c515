"""`manage.py worker` as a process: numbers arrive whatever dies, and nothing is left behind when it is stopped."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django_q.models import OrmQ, Schedule
from django_q.tasks import async_task

from orders import changes, pulse
from orders.models import Pulse, Shipment
from orders.sync import database_now
from orders.watchdog import pause
from tests.conftest import NOON

from .background import Connected, connected, eventually
from .workers import Worker

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

Start = Callable[..., Worker]


@pytest.fixture
def start(database_url, tmp_path) -> Iterator[Start]:
    """Start a worker and wait until it is complete; all are gone in the end."""
    workers: list[Worker] = []

    def run(*limits: str) -> Worker:
        workers.append(Worker(database_url, tmp_path / f"worker-{len(workers)}.log", *limits))
        workers[-1].wait_until_up()
        return workers[-1]

    yield run
    for worker in workers:
        worker.kill()


def dispatch(store: Connected) -> None:
    """The parcels leave the house: from now on their numbers are due."""
    shipments = Shipment.objects.filter(order__store=store.store).values_list("pk", flat=True)
    changes.mark_dispatched(shipments, database_now(), now=database_now())


def arrives(store: Connected, seconds: float = 90) -> float:
    """Dispatch, wait for the number in the shop; the seconds it took."""
    dispatch(store)
    return eventually(store.is_done, seconds)


def test_a_dispatch_saved_by_another_process_is_soon_in_the_store(pretend, start):
    stores = [connected(pretend, dispatched=False) for _ in range(8)]
    start()

    took = sorted(arrives(store) for store in stores)

    # Some tenths of a second on a machine of its own; this one may be shared.
    assert took[len(took) // 2] < 2


def kill_the_idle_workers(worker: Worker) -> list[int]:
    # Whether one death is enough depends on who holds the queue's lock: all of them are.
    workers = worker.wait_until_up()
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    return workers


def kill_the_main_process(worker: Worker) -> None:
    os.kill(worker.main, signal.SIGKILL)


def kill_the_sentinel(worker: Worker) -> None:
    os.kill(worker.sentinel, signal.SIGKILL)


@pytest.mark.parametrize("killed", [kill_the_main_process, kill_the_sentinel])
def test_numbers_arrive_again_after(pretend, start, killed):
    before, after = connected(pretend, dispatched=False), connected(pretend, dispatched=False)
    worker = start()
    arrives(before)
    old_main, old_group = worker.main, worker.left()

    killed(worker)
    arrives(after, 30)

    assert worker.main not in (0, old_main)
    assert set(old_group) & set(worker.left()) == {worker.process.pid}


def test_numbers_arrive_again_after_the_idle_workers_died(pretend, start):
    before, after = connected(pretend, dispatched=False), connected(pretend, dispatched=False)
    worker = start()
    arrives(before)

    # Where one of them held the queue's lock the whole group is made anew, else its sentinel makes two others.
    killed = kill_the_idle_workers(worker)
    arrives(after, 30)

    assert set(killed) & set(worker.left()) == set()


def test_the_life_of_one_group_does_not_hide_the_death_of_another(pretend, start):
    sound, struck = start(), start()
    main_of_the_sound, main_of_the_struck = sound.main, struck.main

    def is_replaced() -> bool:
        """Whoever comes in the place of its workers dies, too, until the group is given up."""
        if struck.main == main_of_the_struck:
            for pid in struck.children(struck.sentinel)[:2] if struck.is_up() else []:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        return struck.main not in (0, main_of_the_struck)

    eventually(is_replaced)

    assert sound.main == main_of_the_sound
    assert "no progress" in struck.told()
    assert "no progress" not in sound.told()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_stopped_while_it_sends_it_ends_what_it_began_and_leaves_nothing_behind(pretend, start, how):
    store = connected(pretend, numbers=300, latency_ms=150, dispatched=False)
    worker = start("--ring", "0.5", "--stale", "30", "--grace", "15")
    dispatch(store)
    eventually(store.shown)

    status = worker.stop(how)

    shown = len(store.shown())
    assert (status, worker.left()) == (0, [])
    assert 0 < shown < 300
    assert store.rows() == {"synced": shown, "due": 300 - shown}
    assert not Pulse.objects.filter(key__startswith=pulse.GROUP_PREFIX).exists()


def test_nothing_outlives_a_watchdog_that_is_killed(pretend, start):
    worker = start()
    assert len(worker.left()) == 7

    worker.process.kill()
    worker.process.wait()

    eventually(lambda: worker.left() == [], 5)


def test_the_loss_of_the_queue_costs_one_tick(pretend, start):
    store = connected(pretend, dispatched=False)
    # Nobody is taken for dead meanwhile: a new group would ring at its start, and hide a watchdog that does not.
    start("--ring", "0.5", "--stale", "60", "--grace", "5")
    eventually(lambda: not Pulse.objects.get(key=pulse.BELL).rung)
    # As after a lost task: the flag is up, and nobody is going to take it down.
    Pulse.objects.update_or_create(key=pulse.BELL, defaults={"rung": True})
    OrmQ.objects.all().delete()

    assert arrives(store) < 10


def test_tasks_that_are_delivered_many_times_do_no_harm(pretend, start):
    stores = [connected(pretend, numbers=30, latency_ms=20) for _ in range(3)]
    start()

    for _ in range(20):
        async_task(pulse.SYNC_DUE)
    eventually(lambda: all(store.is_done() for store in stores))

    books = [store.shop.book() for store in stores]
    assert [book["twice"] for book in books] == [{}, {}, {}]
    assert [book["counts"]["mutations"]["fulfillmentCreate"] for book in books] == [30, 30, 30]
    assert [book["counts"]["most_overlapping"] for book in books] == [1, 1, 1]


def test_a_progress_row_that_cannot_be_read_is_no_reason_to_kill(pretend, start):
    store = connected(pretend, dispatched=False)
    worker = start("--ring", "0.5", "--stale", "2.5", "--grace", "5")
    eventually(lambda: Pulse.objects.filter(key__startswith=pulse.GROUP_PREFIX).exists())
    main = worker.main

    rename_the_progress_table("orders_pulse", "hidden_pulse")
    try:
        eventually(lambda: worker.told().count("does not answer") >= 20)
    finally:
        rename_the_progress_table("hidden_pulse", "orders_pulse")
    arrives(store)

    assert worker.main == main
    assert "no progress" not in worker.told()


def rename_the_progress_table(old: str, new: str) -> None:
    with connection.schema_editor() as editor:
        editor.alter_db_table(Pulse, old, new)


def test_the_schedules_are_there_and_an_operators_rhythm_stays(start):
    Schedule.objects.filter(name="TrackSync: pull orders").update(minutes=7)
    Schedule.objects.create(
        name="our own", func="math.ceil", schedule_type=Schedule.ONCE, next_run=NOON.replace(year=2100)
    )

    start()

    rhythms = dict(Schedule.objects.values_list("name", "minutes"))
    assert rhythms == {
        "TrackSync: push what is due": 1,
        "TrackSync: send mail to customers": 1,
        "TrackSync: pull orders": 7,
        "TrackSync: read what stores told": 1,
        "TrackSync: subscribe to the stores": 1,
        "TrackSync: carry saved choices": 10,
        "TrackSync: keep access alive": None,
        "TrackSync: nightly": None,
        "our own": None,
    }


def test_it_does_not_start_on_a_database_that_is_not_up_to_date(manage, tmp_path):
    done = manage("worker", env={"DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite3'}"})

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "CommandError: The database is not up to date. Run `manage.py migrate` first.\n"


def test_it_does_not_start_where_the_environment_is_wrong(manage):
    done = manage("worker", env={"SECRET_KEY": ""})

    assert (done.returncode, done.stdout) == (1, "")
    assert "SECRET_KEY is not set" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_group_that_dies_again_and_again_is_started_ever_more_slowly():
    assert [pause(failures) for failures in range(10)] == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60]
