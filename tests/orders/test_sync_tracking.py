"""`manage.py sync_tracking`: what it sends, waits for, tells and leaves alone, and how it exits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.core.management import execute_from_command_line
from django.db import transaction
from django.db.models import F
from django.test import override_settings

from orders import changes, plan
from orders.choices import SyncState
from orders.models import Order, Shipment, SyncAttempt, TrackingSync
from orders.sync import database_now
from stores.choices import Timing
from stores.lease import take
from stores.models import Store, SyncPreference
from tests.conftest import ROOT

from .background import beside, connected, eventually, leases

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sync_tracking(capsys):
    """Run the command as from the command line: its exit status, and the lines of its output and of its errors."""

    def run(*arguments: str) -> tuple[int, list[str], list[str]]:
        status = 0
        try:
            execute_from_command_line(["manage.py", "sync_tracking", *arguments])
        except SystemExit as end:
            status = int(end.code or 0)
        told = capsys.readouterr()
        return status, told.out.splitlines(), told.err.splitlines()

    return run


def test_it_sends_what_is_due_and_counts_how_the_attempts_ended(pretend, sync_tracking):
    one, two = connected(pretend, numbers=3), connected(pretend, numbers=2)

    assert sync_tracking() == (0, ["      5  The store shows it: new"], [])
    assert (one.is_done(), two.is_done(), leases()) == (True, True, 0)

    assert sync_tracking() == (0, ["Nothing was sent."], [])


def test_only_the_store_that_is_named_is_served(pretend, sync_tracking):
    named, other = connected(pretend, numbers=2), connected(pretend, numbers=3)

    assert sync_tracking("--store", str(named.store.pk)) == (0, ["      2  The store shows it: new"], [])
    assert (named.is_done(), other.rows()) == (True, {"due": 3})


def test_a_saved_choice_is_carried_to_its_rows_first(pretend, sync_tracking):
    store = connected(pretend, dispatched=False)
    SyncPreference.objects.filter(store=store.store).update(timing=Timing.BEFORE_DISPATCH, version=F("version") + 1)

    assert sync_tracking() == (0, ["      1  The store shows it: new"], [])


def test_a_store_that_another_process_is_writing_to_is_waited_for(pretend, sync_tracking):
    store = connected(pretend)
    lease = take(store.store.pk, 60)
    start = time.monotonic()

    with beside(lease.give_back, after=1):
        assert sync_tracking("--wait", "60") == (0, ["      1  The store shows it: new"], [])

    assert 1 <= time.monotonic() - start < 10


def test_after_the_wait_it_names_the_stores_that_are_busy(pretend, sync_tracking):
    busy, free = connected(pretend, numbers=2), connected(pretend)
    Store.objects.filter(pk=busy.store.pk).update(name="Acme")
    take(busy.store.pk, 60)
    start = time.monotonic()

    told = sync_tracking("--wait", "0.5")

    assert told == (
        0,
        [
            "      1  The store shows it: new",
            "      2  still due",
            f"Store {busy.store.pk}: another process is writing to Acme.",
        ],
        [],
    )
    assert 0.5 <= time.monotonic() - start < 5
    assert (free.is_done(), busy.rows()) == (True, {"due": 2})


def test_an_answer_that_was_lost_is_waited_for_and_looked_up(pretend, sync_tracking):
    store = connected(pretend)
    store.shop.fault("reset_after", on="create", times=1)

    with override_settings(TRACKSYNC_SETTLE_SECONDS=1.0):
        told = sync_tracking("--wait", "60")

    assert told == (
        0,
        [
            "      1  The answer was lost, but it had arrived",
            "      1  No clear answer: looked up before anything is sent again",
        ],
        [],
    )
    assert store.is_done()
    assert store.shop.book()["counts"]["mutations"] == {"fulfillmentCreate": 1}


def test_what_cannot_be_looked_up_yet_is_told(pretend, sync_tracking):
    store = connected(pretend)
    store.shop.fault("reset_after", on="create", times=1)

    told = sync_tracking("--wait", "0")

    assert told == (
        0,
        [
            "      1  No clear answer: looked up before anything is sent again",
            "      1  without a clear answer: looked up before anything is sent again",
        ],
        [],
    )
    assert store.rows() == {"sending": 1}


def test_what_is_due_later_is_counted_and_not_waited_for(pretend, sync_tracking):
    store = connected(pretend, numbers=2)
    SyncPreference.objects.filter(store=store.store).update(delay_hours=2, version=F("version") + 1)
    Order.objects.update(paid_at=database_now())
    with transaction.atomic():
        plan.plan(Shipment.objects.values_list("pk", flat=True), database_now())
    start = time.monotonic()

    status, told, errors = sync_tracking()

    assert (status, errors, len(told)) == (0, [], 2)
    assert told[0] == "Nothing was sent."
    assert told[1].startswith("      2  due later, the first on ")
    assert time.monotonic() - start < 5
    assert store.shown() == {}


def test_it_ran_whatever_came_of_the_numbers(pretend, sync_tracking):
    store = connected(pretend, numbers=2)
    store.shop.revoke_token()

    status, told, _ = sync_tracking()

    assert status == 0
    assert told[:2] == ["      2  The store does not let us in", "      2  still due"]
    assert told[2].startswith(f"Store {store.store.pk}: ")
    assert len(told) == 3


def test_a_paused_store_is_left_alone_and_told(pretend, sync_tracking):
    store = connected(pretend)
    Store.objects.update(is_paused=True, name="Acme")

    assert sync_tracking() == (
        0,
        [
            "Nothing was sent.",
            "      1  still due",
            f"Store {store.store.pk}: Acme is paused: its orders are still looked up, but nothing is sent to it.",
        ],
        [],
    )


def everything() -> list[list[dict]]:
    return [list(model.objects.order_by("pk").values()) for model in (TrackingSync, SyncAttempt, Store)]


def test_a_dry_run_tells_each_decision_and_changes_nothing(pretend, sync_tracking):
    goes, waits = connected(pretend), connected(pretend)
    chosen = connected(pretend, dispatched=False)
    Store.objects.filter(pk=goes.store.pk).update(name="Acme")
    Store.objects.filter(pk=chosen.store.pk).update(name="Bolt")
    Store.objects.filter(pk=waits.store.pk).update(name="Cog")
    # Saved, and not carried to the rows yet.
    SyncPreference.objects.filter(store=chosen.store).update(timing=Timing.BEFORE_DISPATCH, version=F("version") + 1)
    # Due when it was planned; by now it is not.
    Shipment.objects.filter(order__store=waits.store).update(dispatched_at=None)
    before = everything()

    status, told, errors = sync_tracking("--dry-run")

    assert (status, errors, len(told)) == (0, [], 4)
    assert told[0].startswith(f"Acme (store {goes.store.pk}), #1001 parcel 1: {goes.numbers[0]}. ")
    assert told[1] == (
        f"Cog (store {waits.store.pk}), #1001 parcel 1: The number {waits.numbers[0]} is ready, but the parcel is "
        "still with us, and the store asked for it after dispatch."
    )
    assert told[2].startswith(f"Bolt (store {chosen.store.pk}), #1001 parcel 1: {chosen.numbers[0]}. ")
    assert told[3] == "2 to be sent, 1 no longer. Nothing was changed."
    assert everything() == before
    assert [store.requests() for store in (goes, waits, chosen)] == [0, 0, 0]


def test_the_table_ends_with_what_needs_a_person(pretend, sync_tracking):
    store = connected(pretend)
    TrackingSync.objects.update(state=SyncState.ATTENTION, reason="units_missing", due_at=None)

    assert sync_tracking() == (0, ["Nothing was sent.", "      1  needs attention"], [])
    assert store.shown() == {}


@pytest.mark.parametrize(
    "arguments, status, error",
    [
        (["--store", "4711"], 1, "CommandError: There is no store with the id 4711."),
        (["--store", "acme"], 2, "manage.py sync_tracking: error: argument --store: invalid int value: 'acme'"),
        (["--wait", "-1"], 2, "manage.py sync_tracking: error: argument --wait: seconds, 0 or more"),
        (["--wait", "nan"], 2, "manage.py sync_tracking: error: argument --wait: seconds, 0 or more"),
        (["--what"], 2, "manage.py sync_tracking: error: unrecognized arguments: --what"),
    ],
)
def test_what_it_cannot_do_is_told_on_stderr(sync_tracking, arguments, status, error):
    ended, told, errors = sync_tracking(*arguments)

    assert (ended, told, errors[-1]) == (status, [], error)


@pytest.mark.processes
def test_a_database_that_is_not_there_is_told_in_a_sentence(manage, tmp_path):
    done = manage("sync_tracking", env={"DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite3'}"})

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "CommandError: The database does not answer, or is not up to date (OperationalError).\n"


def test_numbers_that_become_due_while_it_waits_are_sent_as_well(pretend, sync_tracking):
    busy, later = connected(pretend), connected(pretend, dispatched=False)
    take(busy.store.pk, 3)
    shipments = list(Shipment.objects.filter(order__store=later.store).values_list("pk", flat=True))

    def dispatch() -> None:
        changes.mark_dispatched(shipments, database_now() - timedelta(seconds=1), now=database_now())

    with beside(dispatch, after=0.5):
        assert sync_tracking("--wait", "60") == (0, ["      2  The store shows it: new"], [])

    assert (busy.is_done(), later.is_done()) == (True, True)


@pytest.mark.processes
def test_interrupted_it_tells_what_it_did_and_leaves_nothing_unclear(pretend, database_url):
    store = connected(pretend, numbers=200, latency_ms=200)
    command = [sys.executable, str(ROOT / "manage.py"), "sync_tracking"]
    environment = os.environ | {"DATABASE_URL": database_url}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        eventually(store.shown)
        process.send_signal(signal.SIGINT)
        told, errors = process.communicate(timeout=60)
    finally:
        process.kill()

    shown = len(store.shown())
    assert (process.returncode, errors) == (130, "")
    assert told.splitlines() == [f"{shown:>7}  The store shows it: new", f"{200 - shown:>7}  still due"]
    assert store.rows() == {"synced": shown, "due": 200 - shown}
    assert leases() == 0
