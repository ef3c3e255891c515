"""The health pages tell the truth, also about a database that is down, and count only what is ours to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from orders import pulse
from orders.choices import SyncState
from orders.models import Pulse, TrackingSync
from stores.models import EPOCH, Store
from tests.conftest import ROOT
from tests.factories import a_shipment, a_store, an_order

ASK = """
import django; django.setup()
from django.test import Client
for path in ("/healthz", "/readyz"):
    answer = Client().get(path)
    print(answer.status_code, answer.content.decode().strip())
"""


def a_due_row(store: Store, *, since: timedelta) -> None:
    rows = TrackingSync.objects.filter(shipment=a_shipment(an_order(store)))
    assert rows.update(state=SyncState.DUE, due_at=Now() - since) == 1


def ready(client) -> tuple[int, list[str]]:
    answer = client.get("/readyz")
    assert answer.json()["ready"] is (answer.status_code == 200)
    return answer.status_code, answer.json()["problems"]


def test_healthz_asks_no_database(client, django_assert_num_queries):
    # Without the fixture `db`, a query would be an error too.
    assert client.get("/healthz").content == b"ok\n"


@pytest.mark.django_db
def test_a_worker_that_has_never_shown_itself_is_a_problem(client):
    assert ready(client) == (503, ["No worker has shown progress yet. Is `manage.py worker` running?"])

    pulse.beat("one")

    assert ready(client) == (200, [])


@pytest.mark.django_db
def test_workers_that_have_fallen_silent_are_a_problem_until_one_shows_progress(client):
    pulse.beat("one")
    Pulse.objects.update(at=Now() - timedelta(seconds=200))

    status, problems = ready(client)

    assert (status, len(problems)) == (503, 1)
    assert problems[0].startswith("No worker has shown progress for 20")

    pulse.beat("two")

    assert ready(client) == (200, [])


@pytest.mark.django_db
def test_a_number_whose_store_nobody_looks_after_is_a_problem_and_a_long_queue_is_none(client):
    pulse.beat("one")
    store = a_store()
    a_due_row(store, since=timedelta(hours=1))

    # Served a moment ago: a store that takes its time.
    Store.objects.update(served_at=Now())
    assert ready(client) == (200, [])

    # Being served.
    Store.objects.update(served_at=EPOCH, leased_until=Now() + timedelta(seconds=50))
    assert ready(client) == (200, [])

    Store.objects.update(leased_until=EPOCH)
    status, problems = ready(client)
    assert (status, len(problems)) == (503, 1)
    assert problems[0].startswith("A number is due, and nobody has looked after its store for 36")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "state_of_the_store",
    [
        {"is_paused": True},
        {"trouble": "store_asleep"},
        {"trouble": "store_asleep", "resume_at": timezone.now() + timedelta(days=1)},
        {"disconnected_at": timezone.now(), "disconnect_reason": "merchant"},
    ],
    ids=["paused", "to be reconnected", "left alone for a while", "disconnected"],
)
def test_a_store_that_may_not_be_pushed_to_says_nothing_about_us(client, state_of_the_store):
    pulse.beat("one")
    store = a_store()
    a_due_row(store, since=timedelta(hours=1))
    assert ready(client)[0] == 503

    Store.objects.update(**state_of_the_store)
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["seconds"]["oldest_due"] is None


@pytest.mark.django_db
def test_readyz_gives_the_figures_and_is_never_kept(client):
    pulse.beat("one")
    store = a_store()
    Store.objects.update(served_at=Now() - timedelta(seconds=20))
    a_due_row(store, since=timedelta(seconds=50))
    a_due_row(a_store(), since=timedelta(seconds=5))
    a_due_row(a_store(), since=timedelta(seconds=-1000))

    answer = client.get("/readyz")
    seconds = answer.json()["seconds"]

    assert sorted(answer.json()) == ["problems", "ready", "seconds"]
    assert seconds["worker"] < 10
    assert 50 <= seconds["oldest_due"] < 60
    assert 20 <= seconds["longest_unserved"] < 30
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
@pytest.mark.parametrize("stores", [1, 3])
def test_readyz_asks_the_same_few_questions_however_many_stores_there_are(client, stores, django_assert_num_queries):
    pulse.beat("one")
    for _ in range(stores):
        a_due_row(a_store(), since=timedelta(seconds=5))

    with django_assert_num_queries(2):
        client.get("/readyz")


@pytest.mark.processes
def test_a_database_that_is_down_is_told_in_words_and_does_not_stop_healthz(tmp_path):
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{tmp_path}/no-such-folder/db.sqlite3",
        "DJANGO_SETTINGS_MODULE": "tracksync.settings",
    }

    done = subprocess.run([sys.executable, "-c", ASK], cwd=ROOT, env=environment, capture_output=True, text=True)

    health, _, readiness = done.stdout.partition("\n")
    status, _, body = readiness.partition(" ")
    assert health == "200 ok"
    assert status == "503"
    assert json.loads(body) == {
        "ready": False,
        "problems": ["The database does not answer, or is not up to date (OperationalError)."],
        "seconds": {"worker": None, "oldest_due": None, "longest_unserved": None},
    }
