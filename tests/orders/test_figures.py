"""The figures of the first page: thirty days, what is due and when that is done, the waits day by day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from orders import figures
from orders.chart import draw
from orders.figures import Backlog, Day, Recent
from orders.models import Shipment, SyncAttempt, TrackingSync
from stores.models import Store
from tests import factories

pytestmark = pytest.mark.django_db

NOW = factories.NOON
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def a_parcel(store: Store, *, placed: timedelta = DAY, row: dict[str, Any] | None = None, **fields: Any) -> Shipment:
    """A parcel of an order placed so long before NOW; `row` as its tracking row stands."""
    shipment = factories.a_shipment(factories.an_order(store, placed_at=NOW - placed), local="YT1", **fields)
    number = shipment.numbers.get()
    columns = dict(row or {})
    if columns.get("state") == "synced":
        columns |= {"shown": number, "wanted": number}
    TrackingSync.objects.filter(shipment=shipment).update(**columns)
    return shipment


def in_store(store: Store, dispatched_at: datetime, took: timedelta, **more: Any) -> Shipment:
    row = {"state": "synced", "synced_at": dispatched_at + took}
    return a_parcel(store, dispatched_at=dispatched_at, row=row, **more)


def due(store: Store, at: datetime = NOW - MINUTE) -> Shipment:
    return a_parcel(store, row={"state": "due", "due_at": at, "due_since": at})


def sent(shipment: Shipment, at: datetime, outcome: str = "created") -> None:
    row = TrackingSync.objects.get(shipment=shipment)
    SyncAttempt.objects.create(sync=row, at=at, outcome=outcome)


@pytest.mark.parametrize(
    "row, counted",
    [
        ({"state": "synced"}, Recent(in_store=1)),
        ({"state": "waiting", "reason": "not_dispatched"}, Recent(waiting=1)),
        ({"state": "due", "due_at": NOW}, Recent(waiting=1)),
        ({"state": "attention", "reason": "refused"}, Recent(attention=1)),
        ({"state": "waiting", "reason": "cancelled"}, Recent()),
        ({"state": "waiting", "reason": "given_up"}, Recent()),
        ({"state": "waiting", "reason": "older_than_sync"}, Recent()),
    ],
)
def test_parcels_are_counted_by_what_became_of_them(row: dict[str, Any], counted: Recent) -> None:
    store = factories.a_store()
    a_parcel(store, row=row)
    a_parcel(store, row=row, placed=31 * DAY)  # too long ago
    a_parcel(factories.a_store(), row=row)  # somebody else's

    assert figures.recent([store.pk], NOW) == {store.pk: counted}


def test_a_store_without_orders_has_noughts() -> None:
    store = factories.a_store()

    assert (figures.recent([store.pk], NOW), figures.backlogs([store.pk], NOW)) == ({store.pk: Recent()}, {})


@pytest.mark.parametrize(
    "attempts, done_at",
    [
        ([], None),
        ([timedelta(seconds=s) for s in range(0, 100, 10)], NOW + timedelta(seconds=27)),
        ([timedelta(seconds=s) for s in range(0, 90, 10)], None),
        ([MINUTE * 5 + timedelta(seconds=s) for s in range(20)], None),
        ([MINUTE * 20 + timedelta(seconds=s) for s in range(20)], None),
    ],
    ids=["none", "ten in ninety seconds", "too few", "stands still", "long ago"],
)
def test_a_backlog_is_done_when_the_rate_of_the_last_minutes_says(
    attempts: list[timedelta], done_at: datetime | None
) -> None:
    store = factories.a_store()
    shipments = [due(store) for _ in range(3)]
    due(store, NOW + MINUTE)  # may not go yet
    for ago in attempts:
        sent(shipments[0], NOW - ago)
        sent(shipments[0], NOW - ago, "try_again_later")

    assert figures.backlogs([store.pk], NOW) == {store.pk: Backlog(3, done_at)}


def test_the_waits_are_the_middle_ones_of_each_day_in_the_given_zone() -> None:
    store = factories.a_store()
    monday = datetime(2026, 3, 1, 15, 30, tzinfo=UTC)  # the second of March in Tokyo
    for took in (MINUTE, 3 * MINUTE, 100 * MINUTE):
        in_store(store, monday, took)
    in_store(store, monday - 2 * DAY, timedelta(minutes=-5), placed=4 * DAY)  # there before it left
    a_parcel(store, dispatched_at=monday)  # not there yet
    in_store(factories.a_store(), monday, 9 * DAY)

    days = figures.waits([store.pk], NOW, ZoneInfo("Asia/Tokyo"))

    assert (len(days), days[0].day) == (30, date(2026, 2, 1))
    assert [day for day in days if day.wait is not None] == [
        Day(date(2026, 2, 28), 1, timedelta()),
        Day(date(2026, 3, 2), 3, 3 * MINUTE),
    ]


def test_a_chart_has_a_bar_for_each_day_with_parcels_and_gaps_for_the_others() -> None:
    first = date(2026, 3, 1)
    chart = draw([Day(first, 2, MINUTE), Day(first + DAY), Day(first + 2 * DAY, 1, 2 * MINUTE)])

    assert chart is not None
    assert [(bar.height, bar.says) for bar in chart.bars] == [(56, "1 Mar: 60 seconds"), (112, "3 Mar: 2 minutes")]
    assert [(row.day, row.parcels, row.wait) for row in chart.rows] == [
        ("3 Mar", 1, "2 minutes"),
        ("1 Mar", 2, "60 seconds"),
    ]
    assert (chart.top, chart.first, chart.last) == ("2 minutes", "1 Mar", "3 Mar")
    assert all(bar.x + bar.width <= chart.width and bar.y + bar.height == chart.ground for bar in chart.bars)


def test_days_without_any_parcel_make_no_chart() -> None:
    assert draw([Day(date(2026, 3, 1))]) is None


@pytest.mark.parametrize("slow, counted", [(0.0, 1), (60.0, 2)], ids=["took long", "was quick"])
def test_what_takes_long_to_count_is_kept_for_a_while_and_says_when_it_was_counted(
    slow: float, counted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "SLOW", slow)
    store, other = factories.a_store(), factories.a_store()
    a_parcel(store)
    first = figures.month([store.pk], NOW, UTC)
    a_parcel(store)

    again = figures.month([store.pk], NOW + MINUTE, UTC)

    assert (first.at, first.recent[store.pk].waiting) == (NOW, 1)
    assert again.recent[store.pk].waiting == counted
    assert again.at == (NOW if counted == 1 else NOW + MINUTE)
    assert figures.month([other.pk], NOW, UTC).recent == {other.pk: Recent()}
