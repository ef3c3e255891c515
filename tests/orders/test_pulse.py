"""The bell rings once for many, is heard again after it was cleared, and never spoils what rang it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.db.models.functions import Now
from django_q.models import OrmQ

from orders import pulse
from orders.models import Pulse
from tests.conftest import ROOT

pytestmark = pytest.mark.django_db(transaction=True)

RING_OFTEN = """
import django; django.setup()
from orders import pulse
for _ in range(50): pulse.ring()
"""


def rings() -> int:
    return OrmQ.objects.count()


def at_once(count: int, act: Callable[[], object]) -> list[object]:
    """Call `act` in so many threads at the same moment; what each returned."""
    results: list[object] = []
    start = threading.Barrier(count)

    def run() -> None:
        try:
            start.wait()
            results.append(act())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_a_large_import_rings_once_and_only_after_its_commit():
    with transaction.atomic():
        for _ in range(1000):
            pulse.ring()

        assert rings() == 0
        assert len(connection.run_on_commit) == 1

    assert rings() == 1


def test_what_is_rolled_back_rings_nobody():
    with transaction.atomic():
        pulse.ring()
        transaction.set_rollback(True)

    assert rings() == 0

    pulse.ring()

    assert rings() == 1


def test_a_part_that_is_rolled_back_does_not_take_the_bell_of_the_rest_with_it():
    with transaction.atomic():
        with transaction.atomic():
            pulse.ring()
            transaction.set_rollback(True)
        pulse.ring()

    assert rings() == 1


def test_a_bell_that_was_heard_rings_again():
    pulse.ring()
    pulse.ring()
    pulse.clear()
    pulse.ring()

    assert rings() == 2
    assert list(Pulse.objects.values_list("key", "rung")) == [("sync", True)]


def test_many_who_ring_at_once_are_one_ring_even_where_there_has_never_been_a_bell():
    at_once(8, pulse.ring)

    assert rings() == 1


@pytest.mark.processes
def test_several_processes_ring_once(database_url, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "tracksync.settings")

    ringing = [subprocess.Popen([sys.executable, "-c", RING_OFTEN], cwd=ROOT) for _ in range(3)]

    assert [process.wait(60) for process in ringing] == [0, 0, 0]
    assert rings() == 1


def test_a_bell_that_cannot_be_rung_does_not_undo_what_was_saved():
    table, hidden = OrmQ._meta.db_table, "hidden_queue"
    with connection.schema_editor() as editor:
        editor.alter_db_table(OrmQ, table, hidden)
    try:
        with transaction.atomic():
            Pulse.objects.create(key="saved")
            pulse.ring()
    finally:
        with connection.schema_editor() as editor:
            editor.alter_db_table(OrmQ, hidden, table)

    assert Pulse.objects.filter(key="saved").exists()
    # Nor does the flag stay up without a task, which would silence the bell.
    pulse.ring()
    assert rings() == 1


def test_each_group_shows_its_own_progress_and_the_youngest_counts():
    assert pulse.progress("one") is None
    assert pulse.age() is None

    pulse.beat("one")
    Pulse.objects.update(at=Now() - timedelta(seconds=100))
    before = pulse.progress("one")
    pulse.beat("two")

    assert pulse.progress("one") == before
    assert timedelta(0) <= pulse.age() < timedelta(seconds=50)

    pulse.forget("two")

    assert timedelta(seconds=100) <= pulse.age() < timedelta(seconds=150)

    pulse.beat("one")

    assert pulse.progress("one") > before


def test_groups_that_have_been_silent_for_a_day_are_forgotten_and_nothing_else():
    pulse.ring()
    pulse.hold("pull", 10)
    pulse.beat("gone")
    Pulse.objects.update(at=Now() - timedelta(days=2))
    pulse.beat("alive")

    assert pulse.forget_old() == 1
    assert sorted(Pulse.objects.values_list("key", flat=True)) == ["group:alive", "hold:pull", "sync"]


def test_only_one_at_a_time_holds_a_right_until_it_lets_go_or_time_is_up():
    assert sorted(at_once(6, lambda: pulse.hold("pull", 60))) == [False] * 5 + [True]
    assert pulse.hold("another", 60)

    pulse.let_go("pull")

    assert pulse.hold("pull", 60)

    Pulse.objects.filter(key="hold:pull").update(at=Now() - timedelta(milliseconds=1))

    assert pulse.hold("pull", 60)
