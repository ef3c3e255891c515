"""The first page: what a merchant sees of their own stores, and where it leads."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from orders.models import SyncAttempt, TrackingSync
from stores.models import Store
from tests import factories
from tests.orders.admin_cast import a_planned_shipment, a_shown_shipment, logged_in

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def page(user: User) -> Any:
    return logged_in(user).get(reverse("overview"))


def text_of(answer: Any) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def a_backlog(store: Store, numbers: int) -> None:
    """So many numbers due in the store."""
    now = timezone.now()
    for _ in range(numbers):
        order = factories.an_order(store, placed_at=now - 2 * HOUR, paid_at=now - HOUR)
        a_planned_shipment(order, dispatched_at=now - HOUR, known_at=now - HOUR)


def a_recent_one(store: Store, took: timedelta = HOUR) -> None:
    """A parcel of yesterday whose number the store shows."""
    shipment = a_shown_shipment(store)
    now = timezone.now()
    type(shipment.order).objects.filter(pk=shipment.order_id).update(placed_at=now - 26 * HOUR)
    type(shipment).objects.filter(pk=shipment.pk).update(dispatched_at=now - 24 * HOUR)
    TrackingSync.objects.filter(shipment=shipment).update(synced_at=now - 24 * HOUR + took)


def test_without_a_store_the_page_leads_to_the_first() -> None:
    answer = page(factories.a_user())

    assert re.findall(r'<a class="button" href="([^"]+)">([^<]+)</a>', answer.content.decode()) == [
        (reverse("connect"), "Connect your first store")
    ]


def test_a_disconnected_store_is_no_store() -> None:
    store = factories.a_store(disconnected_at=factories.NOON, disconnect_reason="merchant")

    assert page(store.owner).context["lines"] == []


def test_stores_in_trouble_come_first_and_say_what_to_do() -> None:
    well = factories.a_store(name="A well")
    owner = well.owner
    factories.a_store(owner, name="B paused", is_paused=True)
    factories.a_store(owner, name="C shut", trouble="token_refused", trouble_since=factories.NOON)
    factories.a_store(owner, name="D new", confirmed_at=None)
    factories.a_store(name="somebody else's")

    answer = page(owner)

    assert [line.store.name for line in answer.context["lines"]] == ["C shut", "B paused", "A well", "D new"]
    assert [(step.label, step.is_pressing) for step in answer.context["steps"]] == [
        ("C shut: Reconnect", True),
        ("Confirm your choice for D new", True),
        ("B paused is paused: resume it when you are ready", False),
    ]
    assert "The store no longer accepts our access." in text_of(answer)


@pytest.mark.parametrize(
    "store, attempts, says",
    [
        ({}, 0, "3 numbers waiting to be sent."),
        ({}, 20, r"3 numbers waiting to be sent, done about \d\d:\d\d \(JST\)\."),
        ({"is_paused": True}, 20, "3 numbers wait for you to resume."),
        ({"trouble": "token_refused", "trouble_since": factories.NOON}, 20, "3 numbers wait for you to reconnect."),
    ],
    ids=["no rate", "measured", "paused", "to be reconnected"],
)
def test_a_backlog_is_told_honestly(store: dict[str, Any], attempts: int, says: str) -> None:
    its = factories.a_store(time_zone="Asia/Tokyo", **store)
    a_backlog(its, 3)
    row = TrackingSync.objects.filter(store=its)[0]
    for ago in range(attempts):
        SyncAttempt.objects.create(sync=row, at=timezone.now() - timedelta(seconds=ago), outcome="created")

    (line,) = page(its.owner).context["lines"]

    assert re.fullmatch(says, line.backlog)


def test_the_counts_and_the_chart_are_of_ones_own_stores() -> None:
    store = factories.a_store(name="Blue Mug", time_zone="Asia/Tokyo")
    a_recent_one(store)
    a_backlog(store, 2)
    a_recent_one(factories.a_store(), 3 * HOUR)

    answer = page(store.owner)

    (line,) = answer.context["lines"]
    assert (line.recent.in_store, line.recent.waiting, line.recent.attention) == (1, 2, 0)
    assert [row.wait for row in answer.context["chart"].rows] == ["60 minutes"]
    assert "Days in Asia/Tokyo; a gap is a day without a parcel." in text_of(answer)


@pytest.mark.parametrize("zones, named", [(["Asia/Tokyo"] * 2, "Asia/Tokyo"), (["Asia/Tokyo", "Europe/Berlin"], "UTC")])
def test_the_charts_days_are_the_stores_own_where_they_share_a_zone(zones: list[str], named: str) -> None:
    owner = factories.a_user()
    for zone in zones:
        factories.a_store(owner, time_zone=zone)

    assert page(owner).context["zone"] == named


def test_open_problems_are_a_next_step() -> None:
    store = factories.a_store()
    a_shown_shipment(store)
    TrackingSync.objects.update(state="attention", reason="refused")

    assert "See to 1 open problem" in text_of(page(store.owner))


def test_anonymous_is_sent_to_log_in() -> None:
    answer: Any = Client().get(reverse("overview"))

    assert answer.url.partition("?")[0] == reverse("account_login")


def test_no_page_shows_a_gap() -> None:
    store = factories.a_store(trouble="token_refused")
    a_recent_one(store)
    a_backlog(store, 1)
    pages = [page(store.owner), page(factories.a_user()), page(factories.a_store().owner)]

    found = [gap for each in pages for gap in ("${", "{{", "{%", "None", "style=") if gap in each.content.decode()]

    assert found == []


def test_the_page_costs_the_same_for_one_store_and_three() -> None:
    owner = factories.a_user()
    client = logged_in(owner)

    def more() -> None:
        store = factories.a_store(owner)
        a_recent_one(store)
        a_backlog(store, 2)
        SyncAttempt.objects.create(sync=TrackingSync.objects.filter(store=store)[0], at=timezone.now())

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(reverse("overview"))
        return len(captured)

    more()
    client.get(reverse("overview"))
    one = queries()
    more()
    more()

    assert queries() == one
