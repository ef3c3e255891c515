"""One writer per store: the lease has one holder, ends by itself, and tells who died with it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db.models.functions import Now

from stores.lease import Lease, LeaseLost, take
from stores.models import EPOCH, Store
from tests.conftest import ROOT
from tests.factories import a_store

MINUTE = 60.0


def taken(store: Store, seconds: float = MINUTE) -> Lease:
    lease = take(store.pk, seconds)
    assert lease is not None
    return lease


def dies(lease: Lease) -> None:
    """The holder is gone without a word, and the time of his lease is over."""
    held = Store.objects.filter(pk=lease.store_id, lease=lease.token)
    assert held.update(leased_until=Now() - timedelta(seconds=1)) == 1


@pytest.mark.django_db
def test_a_free_store_is_taken_once() -> None:
    store = a_store()
    lease = taken(store)

    assert take(store.pk, MINUTE) is None
    assert lease == Lease(store.pk, lease.token, MINUTE, left_by=None)
    assert lease.is_mine()


@pytest.mark.django_db
def test_the_lease_of_one_store_is_nothing_to_another() -> None:
    one, other = a_store(), a_store()

    assert taken(one).is_mine()
    assert taken(other).is_mine()
    assert take(-1, MINUTE) is None


@pytest.mark.django_db
def test_taking_it_counts_as_served_by_the_clock_of_the_database() -> None:
    store = a_store()
    taken(store)

    store.refresh_from_db()
    assert abs(store.served_at - datetime.now(UTC)) < timedelta(seconds=30)
    assert timedelta(seconds=59) < store.leased_until - store.served_at < timedelta(seconds=61)


@pytest.mark.django_db
def test_given_back_it_is_free_at_once_and_nobody_died() -> None:
    store = a_store()
    first = taken(store)
    first.renew()
    first.give_back()
    assert not first.is_mine()

    second = taken(store)

    assert second.is_mine()
    assert second.left_by is None


@pytest.mark.django_db(transaction=True)
def test_it_is_free_again_after_its_time_and_not_before() -> None:
    store = a_store()
    began = time.monotonic()
    taken(store, seconds=0.4)

    second = None
    while second is None and time.monotonic() < began + 20:
        second = take(store.pk, MINUTE)
    waited = time.monotonic() - began

    assert second is not None
    assert 0.39 < waited < 20


@pytest.mark.django_db
def test_a_renewal_prolongs_it_and_writes_down_when() -> None:
    store = a_store()
    lease = taken(store, seconds=MINUTE)
    Store.objects.update(leased_until=Now() + timedelta(seconds=1))
    assert Store.objects.get(pk=store.pk).wrote_at == EPOCH

    lease.renew()

    found = Store.objects.get(pk=store.pk)
    assert timedelta(seconds=59) < found.leased_until - found.wrote_at < timedelta(seconds=61)
    assert abs(found.wrote_at - datetime.now(UTC)) < timedelta(seconds=30)


@pytest.mark.django_db
def test_who_comes_after_a_dead_holder_knows_when_that_one_wrote_last() -> None:
    store = a_store()
    dead = taken(store)
    dead.renew()
    wrote_at = Store.objects.get(pk=store.pk).wrote_at
    dies(dead)

    assert taken(store).left_by == wrote_at


@pytest.mark.django_db
def test_who_comes_after_two_dead_holders_knows_it_too() -> None:
    store = a_store()
    first = taken(store)
    first.renew()
    wrote_at = Store.objects.get(pk=store.pk).wrote_at
    dies(first)
    dies(taken(store))

    assert taken(store).left_by == wrote_at


@pytest.mark.django_db
def test_a_late_holder_finds_his_lease_lost_and_takes_nothing_from_the_next_one() -> None:
    store = a_store()
    late = taken(store)
    dies(late)
    following = taken(store)
    before = Store.objects.filter(pk=store.pk).values().get()

    with pytest.raises(LeaseLost):
        late.renew()
    late.give_back()

    assert not late.is_mine()
    assert following.is_mine()
    assert Store.objects.filter(pk=store.pk).values().get() == before
    assert take(store.pk, MINUTE) is None


@pytest.mark.django_db
def test_nobody_renews_what_was_given_back() -> None:
    store = a_store()
    lease = taken(store)
    lease.give_back()

    with pytest.raises(LeaseLost):
        lease.renew()
    assert take(store.pk, MINUTE) is not None


@pytest.mark.django_db
def test_a_late_holder_whose_store_nobody_took_may_go_on() -> None:
    store = a_store()
    lease = taken(store)
    dies(lease)
    assert not lease.is_mine()

    lease.renew()

    assert lease.is_mine()
    assert take(store.pk, MINUTE) is None


@pytest.mark.django_db
def test_a_stranger_with_a_made_up_token_holds_nothing() -> None:
    store = a_store()
    stranger = Lease(store.pk, uuid.uuid4(), MINUTE, left_by=None)

    assert not stranger.is_mine()
    with pytest.raises(LeaseLost):
        stranger.renew()


# --- real processes at once -----------------------------------------------------------------------------------------

PRELUDE = """
import os, pathlib, sys, time
import django
django.setup()
from stores.lease import take
store, folder = int(sys.argv[1]), pathlib.Path(sys.argv[2])

def wait_for(name):
    give_up = time.monotonic() + 60
    while not (folder / name).exists():
        assert time.monotonic() < give_up, name
        time.sleep(0.001)

from django.db import connection
connection.ensure_connection()
(folder / f"ready-{os.getpid()}").touch()
wait_for("go")
"""

TAKES_ONCE = PRELUDE + 'print("got it" if take(store, 600) else "none")'

TAKES_TURNS = (
    PRELUDE
    + """
turns, give_up = 0, time.monotonic() + 100
while turns < 25 and time.monotonic() < give_up:
    lease = take(store, 600)
    if lease is None:
        continue
    # Two of us in here at once: the second one fails.
    os.close(os.open(folder / "inside", os.O_CREAT | os.O_EXCL))
    lease.renew()
    assert lease.is_mine()
    os.unlink(folder / "inside")
    lease.give_back()
    turns += 1
print(turns)
"""
)

TAKES_AND_DIES = (
    PRELUDE
    + """
lease = take(store, float(sys.argv[3]))
lease.renew()
os._exit(9)
"""
)

Together = Callable[..., list[str]]


@pytest.fixture
def together(database_url: str, tmp_path: Path) -> Together:
    """Run a script in several processes that begin at the same moment: what each printed."""

    def run(script: str, store: Store, *arguments: str, count: int = 4, exits: int = 0) -> list[str]:
        environment = os.environ | {"DATABASE_URL": database_url, "DJANGO_SETTINGS_MODULE": "tracksync.settings"}
        command = [sys.executable, "-c", script, str(store.pk), str(tmp_path), *arguments]
        processes = [
            subprocess.Popen(command, cwd=ROOT, env=environment, stdout=-1, stderr=-1, text=True) for _ in range(count)
        ]
        try:
            give_up = time.monotonic() + 60
            while len(list(tmp_path.glob("ready-*"))) < count and time.monotonic() < give_up:
                time.sleep(0.01)
            (tmp_path / "go").touch()
            ends = [process.communicate(timeout=120) for process in processes]
        finally:
            for process in processes:
                process.kill()
                process.wait()
        assert [(process.returncode, error) for process, (_, error) in zip(processes, ends, strict=True)] == [
            (exits, "")
        ] * count
        return [out.strip() for out, _ in ends]

    return run


@pytest.mark.postgres
@pytest.mark.processes
def test_of_many_processes_that_want_it_at_once_exactly_one_gets_it(together: Together) -> None:
    store = a_store()

    assert sorted(together(TAKES_ONCE, store, count=6)) == ["got it", "none", "none", "none", "none", "none"]


@pytest.mark.postgres
@pytest.mark.processes
def test_processes_that_take_turns_are_never_inside_together(together: Together) -> None:
    store = a_store()

    assert together(TAKES_TURNS, store) == ["25"] * 4


@pytest.mark.processes
def test_the_lease_of_a_process_that_died_tells_when_it_wrote(together: Together) -> None:
    store = a_store()
    together(TAKES_AND_DIES, store, "600", count=1, exits=9)
    found = Store.objects.get(pk=store.pk)
    assert take(store.pk, MINUTE) is None
    # ... and its time goes by
    Store.objects.update(leased_until=Now() - timedelta(seconds=1))

    assert found.wrote_at > EPOCH
    assert taken(store).left_by == found.wrote_at
