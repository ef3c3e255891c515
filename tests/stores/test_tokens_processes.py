"""Several real processes and one token: it is renewed once, and a process that dies in the midst costs nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models.functions import Now

from stores.models import Store
from tests.conftest import ROOT
from tests.storefronts.client import Shop
from tests.stores.consents import a_store_by_consent, asked, held

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

# One call to the store, as every part of the work makes them; begun when all are there.
CALLS = """
import os, pathlib, sys, time
import django
django.setup()
from stores import connections
from stores.models import Store
folder = pathlib.Path(sys.argv[2])
connector = connections.open_connector(Store.objects.get(pk=sys.argv[1]))
(folder / f"ready-{os.getpid()}").touch()
give_up = time.monotonic() + 60
while not (folder / "go").exists():
    assert time.monotonic() < give_up
    time.sleep(0.001)
print(connector.check().shop_name)
"""


class Callers:
    """Processes that call one store."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self._environment = os.environ | {
            "DATABASE_URL": database_url,
            "DJANGO_SETTINGS_MODULE": "tracksync.settings",
        }
        self._folder = folder
        self.started: list[subprocess.Popen[str]] = []

    def start(self, store: Store, count: int) -> list[subprocess.Popen[str]]:
        """So many processes, which make their call at the same moment."""
        for name in self._folder.iterdir():
            name.unlink()
        begun = [
            subprocess.Popen(
                [sys.executable, "-c", CALLS, str(store.pk), str(self._folder)],
                cwd=ROOT,
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(count)
        ]
        self.started += begun
        wait_for(
            lambda: len(list(self._folder.glob("ready-*"))) == count or any(one.poll() is not None for one in begun)
        )
        (self._folder / "go").touch()
        return begun

    def said(self, store: Store, count: int) -> list[str]:
        """What each of so many printed, or its error."""
        ends = [process.communicate(timeout=90) for process in self.start(store, count)]
        return [out.strip() or error[-500:] for out, error in ends]


@pytest.fixture
def callers(database_url: str, tmp_path: Path):
    """Start processes; what is left of them is killed in the end."""
    made = Callers(database_url, tmp_path)
    yield made
    for process in made.started:
        process.kill()
        process.communicate()


def wait_for(true: Callable[[], object], seconds: float = 60.0) -> None:
    give_up = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def ended(store: Store) -> None:
    """Its token has come to its end, as far as we know."""
    Store.objects.filter(pk=store.pk).update(token_expires_at=Now())


def the_same_is_held_on_both_sides(shop: Shop, store: Store) -> bool:
    (in_shop,) = shop.tokens()
    return (in_shop["access"], in_shop["refresh"][-1:]) == (
        [held(store)["access_token"]],
        [held(store)["refresh_token"]],
    )


@pytest.mark.postgres
def test_processes_that_find_an_ended_token_renew_it_once_and_all_work(shop: Shop, callers: Callers) -> None:
    store = a_store_by_consent(shop)
    ended(store)
    shop.fault("slow", on="token", seconds=0.5)

    assert callers.said(store, 4) == [shop.name] * 4

    assert asked(shop) == {"code": 1, "refresh_token": 1}
    assert the_same_is_held_on_both_sides(shop, store)


@pytest.mark.postgres
def test_processes_whose_token_is_refused_renew_it_once_and_all_work(shop: Shop, callers: Callers) -> None:
    # Nobody but the store knows that the token is dead.
    store = a_store_by_consent(shop)
    shop.expire_token()
    shop.fault("slow", on="token", seconds=0.5)

    assert callers.said(store, 4) == [shop.name] * 4

    assert asked(shop) == {"code": 1, "refresh_token": 1}
    assert the_same_is_held_on_both_sides(shop, store)


@pytest.mark.postgres
def test_an_answer_that_one_process_lost_is_found_by_another(shop: Shop, callers: Callers) -> None:
    store = a_store_by_consent(shop)
    ended(store)
    shop.fault("reset_after", on="token", times=1)

    said = callers.said(store, 4)

    # The one that lost it says so, and comes again in its own time.
    assert sorted("StoreBusy: no_answer" in one for one in said) == [False, False, False, True]
    assert said.count(shop.name) == 3
    assert asked(shop) == {"code": 1, "refresh_token": 2}
    assert the_same_is_held_on_both_sides(shop, store)


@pytest.mark.postgres
def test_a_process_killed_while_the_store_renews_its_token_costs_nothing(shop: Shop, callers: Callers) -> None:
    store = a_store_by_consent(shop)
    before = held(store)
    ended(store)
    shop.fault("slow", on="token", times=1, seconds=0.7)
    (killed,) = callers.start(store, 1)
    wait_for(lambda: shop.book()["counts"]["faults"].get("slow"))
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    # The store has renewed it: nobody holds what it gave.
    wait_for(lambda: asked(shop).get("refresh_token"))
    assert held(store) == before
    assert len(shop.tokens()[0]["refresh"]) == 2
    # The time of the dead one goes by.
    assert Store.objects.filter(pk=store.pk, token_lease__isnull=False).update(
        token_leased_until=Now() - timedelta(seconds=1)
    )

    assert callers.said(store, 2) == [shop.name] * 2

    assert asked(shop) == {"code": 1, "refresh_token": 2}
    assert the_same_is_held_on_both_sides(shop, store)


def test_a_token_that_ended_is_renewed_by_a_process_on_any_database(shop: Shop, callers: Callers) -> None:
    store = a_store_by_consent(shop)
    ended(store)

    assert callers.said(store, 1) == [shop.name]

    assert asked(shop) == {"code": 1, "refresh_token": 1}
