"""Several real processes on one PostgreSQL: one writer per store, and a killed one loses and repeats nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from orders.models import TrackingSync
from stores.models import Store
from tests import factories
from tests.conftest import ROOT
from tests.orders.pushing import a_parcel, an_order_in, live

pytestmark = [pytest.mark.postgres, pytest.mark.processes, pytest.mark.django_db(transaction=True)]

QUICK = {"TRACKSYNC_SETTLE_SECONDS": "2", "TRACKSYNC_CALL_LIMIT_SECONDS": "2"}


@pytest.fixture
def pushing(database_url: str):
    """Start `manage.py sync_tracking` as a process; what is left of them is killed in the end."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "sync_tracking", *arguments],
            env=os.environ | QUICK | {"DATABASE_URL": database_url},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_a_store_has_one_writer_however_many_processes_push(pretend, pushing):
    shops = [pretend.shop(restore_rate=5000, bucket=50000) for _ in range(2)]
    for shop in shops:
        store = factories.a_store_in(shop)
        for n in range(30):
            a_parcel(an_order_in(shop, store), f"{shop.name}-{n}".upper(), lines={"MUG": 2})
        shop.latency(60)

    ends = [process.wait(60) for process in [pushing("--wait", "30") for _ in range(4)]]

    assert ends == [0] * 4
    for shop in shops:
        assert sorted(live(shop)) == sorted(([f"{shop.name}-{n}".upper()], 2) for n in range(30))
        assert shop.book()["counts"]["most_overlapping"] == 1


def test_a_process_killed_while_the_store_executes_its_request_loses_and_repeats_nothing(shop, pushing):
    # Four units in four parcels: only there would the store accept a second fulfillment.
    store = factories.a_store_in(shop)
    order = an_order_in(shop, store, ("FOUR", "A thing", 4))
    a_parcel(order, "YT1", lines={"FOUR": 1})
    shop.latency(30)
    shop.fault("slow", on="create", times=1, seconds=1.0)
    first = pushing()
    _wait_for(lambda: TrackingSync.objects.filter(sending__isnull=False).exists())
    _wait_for(lambda: shop.book()["counts"]["faults"].get("slow"))
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert TrackingSync.objects.filter(sending__isnull=False).count() == 1

    assert pushing("--wait", "40").wait(60) == 0

    assert live(shop) == [(["YT1"], 1)]
    assert [(row.state, row.sending_id) for row in TrackingSync.objects.all()] == [("synced", None)]
    assert Store.objects.get(pk=store.pk).lease is None


def _wait_for(true: Callable[[], object], seconds: float = 30.0) -> None:
    give_up = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < give_up
        time.sleep(0.02)
