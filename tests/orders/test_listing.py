"""Which orders the list finds, and that its pages hold while orders arrive."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from orders import plan
from orders.listing import Place, Sought, chunks, find, page_of
from orders.models import Order, TrackingSync
from orders.prefix import begins_with
from stores.models import Store
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(days=1)


def planned(*shipments: Any) -> None:
    plan.plan([shipment.pk for shipment in shipments], NOON)


def numbers(stores: list[Store], **sought: Any) -> list[str]:
    """The numbers of the orders that are found, as the list has them."""
    return [order.number for order in page_of(find(stores, Sought(**sought), NOON)).orders]


@pytest.fixture
def house() -> dict[str, Store]:
    """Two stores of one merchant and one of another, all with the same customer and alike numbers.

    | order  | placed  | parcels                                                      |
    | #1001  | 10 days | waits: not dispatched, its number is there                   |
    | #1002  | 9 days  | to be sent                                                   |
    | #1003  | 8 days  | in the store; the number was another one before              |
    | #1004  | 7 days  | needs attention, not dispatched                              |
    | 1005   | 6 days  | none                                                         |
    | #2001  | 5 days  | one to be sent, one that waits for its number                |
    | #1001  | 4 days  | somebody else's                                              |
    """
    merchant = factories.a_user("anna@example.com")
    first = factories.a_store(merchant, name="First", time_zone="America/New_York")
    second = factories.a_store(merchant, name="Second", time_zone="Asia/Tokyo")
    foreign = factories.a_store(name="Foreign")

    def order(store: Store, number: str, days: int, name: str, email: str) -> Order:
        return factories.an_order(
            store, number=number, placed_at=NOON - timedelta(days=days), customer_name=name, customer_email=email
        )

    waits = factories.a_shipment(order(first, "#1001", 10, "Ada Lovelace", "ada@example.com"), local="YT1001")
    due = factories.a_shipment(
        order(first, "#1002", 9, "Grace Hopper", "grace@navy.example"), local="YT1002", dispatched_at=NOON
    )
    there = factories.a_shipment(
        order(first, "#1003", 8, "grace kelly", "kelly@example.com"), local="YT1003B", dispatched_at=NOON
    )
    factories.a_number(there, "YT1003A", replaced_at=NOON)
    odd = factories.a_shipment(order(first, "#1004", 7, "Édith Piaf", "50%_off@example.com"), local="YT1004")
    order(second, "1005", 6, "Alan Turing", "")
    split = order(second, "#2001", 5, "", "ADA@example.com")
    sent = factories.a_shipment(split, local="YT2001", dispatched_at=NOON)
    bare = factories.a_shipment(split, parcel=2)
    other = factories.a_shipment(order(foreign, "#1001", 4, "Ada Lovelace", "ada@example.com"), local="YT1001")
    planned(waits, due, there, odd, sent, bare, other)
    shown = there.numbers.get(value="YT1003B")
    TrackingSync.objects.filter(shipment=there).update(
        state="synced", due_at=None, due_since=None, shown=shown, wanted=shown, synced_at=NOON
    )
    TrackingSync.objects.filter(shipment=odd).update(state="attention", reason="unexpected", due_at=None)
    return {"first": first, "second": second, "foreign": foreign}


ALL = ["#2001", "1005", "#1004", "#1003", "#1002", "#1001"]


@pytest.mark.parametrize(
    "sought, found",
    [
        ({}, ALL),
        ({"state": "waiting"}, ["#2001", "#1001"]),
        ({"state": "due"}, ["#2001", "#1002"]),
        ({"state": "synced"}, ["#1003"]),
        ({"state": "attention"}, ["#1004"]),
        ({"dispatched": True}, ["#2001", "#1003", "#1002"]),
        ({"dispatched": False}, ["#2001", "1005", "#1004", "#1001"]),
        ({"has_number": True}, ["#2001", "#1004", "#1003", "#1002", "#1001"]),
        ({"has_number": False}, ["#2001", "1005"]),
        # One and the same parcel: the one of #2001 that has a number is dispatched, the other is neither.
        ({"has_number": True, "dispatched": False}, ["#1004", "#1001"]),
        ({"has_number": False, "dispatched": True}, []),
        ({"has_number": False, "dispatched": False}, ["#2001", "1005"]),
        ({"state": "waiting", "dispatched": True}, []),
        ({"state": "waiting", "has_number": False}, ["#2001"]),
        ({"order_number": "1001"}, ["#1001"]),
        ({"order_number": "#1001"}, ["#1001"]),
        ({"order_number": "100"}, ["1005", "#1004", "#1003", "#1002", "#1001"]),
        ({"order_number": "#100"}, ["#1004", "#1003", "#1002", "#1001"]),
        ({"order_number": "#"}, ["#2001", "#1004", "#1003", "#1002", "#1001"]),
        ({"order_number": "001"}, []),
        ({"order_number": "%"}, []),
        ({"tracking_number": "YT1001"}, ["#1001"]),
        ({"tracking_number": " yt 1003b "}, ["#1003"]),
        ({"tracking_number": "YT1003A"}, ["#1003"]),
        ({"tracking_number": "YT100"}, []),
        ({"customer": "ada"}, ["#2001", "#1001"]),
        ({"customer": "GRACE"}, ["#1003", "#1002"]),
        ({"customer": "grace h"}, ["#1002"]),
        ({"customer": "hopper"}, []),
        ({"customer": "grace@navy"}, ["#1002"]),
        ({"customer": "Édith"}, ["#1004"]),
        ({"customer": "50%_"}, ["#1004"]),
        ({"customer": "5%"}, []),
        ({"customer": "grace", "state": "due"}, ["#1002"]),
        ({"placed_from": date(2026, 2, 25)}, ["#2001"]),
        ({"placed_to": date(2026, 2, 20)}, ["#1001"]),
        ({"placed_from": date(2026, 2, 21), "placed_to": date(2026, 2, 22)}, ["#1003", "#1002"]),
    ],
    ids=str,
)
def test_what_is_found(house: dict[str, Store], sought: dict[str, Any], found: list[str]) -> None:
    assert numbers([house["first"], house["second"]], **sought) == found


@pytest.mark.parametrize("sought", [{}, {"order_number": "1001"}, {"customer": "ada"}, {"tracking_number": "YT1001"}])
def test_only_orders_of_the_stores_that_are_asked_are_found(house: dict[str, Store], sought: dict[str, Any]) -> None:
    assert (
        numbers([house["second"]], **sought)
        == [n for n in numbers([house["second"]]) if n in ALL[:2]][
            : 2 if not sought else 1 if "customer" in sought else 0
        ]
    )


def test_what_has_been_due_for_a_day_needs_attention(house: dict[str, Store]) -> None:
    TrackingSync.objects.filter(shipment__order__number="#1002").update(due_since=NOON - timedelta(days=2))

    assert numbers([house["first"]], state="attention") == ["#1004", "#1002"]


@pytest.mark.parametrize(
    "placed_at, day",
    [
        (datetime(2026, 3, 1, 4, 59, tzinfo=UTC), date(2026, 2, 28)),
        (datetime(2026, 3, 1, 5, 0, tzinfo=UTC), date(2026, 3, 1)),
        (datetime(2026, 3, 2, 4, 59, tzinfo=UTC), date(2026, 3, 1)),
        (datetime(2026, 3, 2, 5, 0, tzinfo=UTC), date(2026, 3, 2)),
        # The clocks go forward on the 8th: that day has 23 hours.
        (datetime(2026, 3, 9, 3, 59, tzinfo=UTC), date(2026, 3, 8)),
        (datetime(2026, 3, 9, 4, 0, tzinfo=UTC), date(2026, 3, 9)),
    ],
)
def test_a_day_is_a_day_of_the_stores_own_calendar(placed_at: datetime, day: date) -> None:
    store = factories.a_store(time_zone="America/New_York")
    order = factories.an_order(store, placed_at=placed_at)

    days = [day + timedelta(days=off) for off in (-1, 0, 1)]

    assert [numbers([store], placed_from=each, placed_to=each) for each in days] == [[], [order.number], []]


def test_days_are_of_each_stores_own_calendar_in_one_list() -> None:
    merchant = factories.a_user()
    york = factories.a_store(merchant, time_zone="America/New_York")
    tokyo = factories.a_store(merchant, time_zone="Asia/Tokyo")
    at = datetime(2026, 3, 1, 18, tzinfo=UTC)
    for store, number in ((york, "#1"), (tokyo, "#2")):
        factories.an_order(store, number=number, placed_at=at)

    first, second = date(2026, 3, 1), date(2026, 3, 2)

    assert numbers([york, tokyo], placed_from=first, placed_to=first) == ["#1"]
    assert numbers([york, tokyo], placed_from=second, placed_to=second) == ["#2"]


# --- pages ---------------------------------------------------------------------------------------------


def many(stores: list[Store], count: int) -> list[str]:
    """So many orders in turn over the stores, three at a time at the same moment; their numbers, newest first."""
    Order.objects.bulk_create(
        Order(
            store=stores[n % len(stores)],
            external_id=f"o{n}",
            number=f"#{n}",
            placed_at=NOON - timedelta(hours=(count - n) // 3),
            store_updated_at=NOON,
        )
        for n in range(count)
    )
    return [f"#{n}" for n in reversed(range(count))]


@pytest.fixture(params=[1, 3], ids=["one store", "three stores"])
def stores(request: pytest.FixtureRequest) -> list[Store]:
    merchant = factories.a_user()
    return [factories.a_store(merchant) for _ in range(request.param)]


def walk(stores: list[Store], size: int, place: Place | None = None, **sought: Any) -> list[list[str]]:
    """All pages from the first to the last."""
    pages = []
    while True:
        page = page_of(find(stores, Sought(**sought), NOON), place, size=size)
        pages.append([order.number for order in page.orders])
        if page.older is None:
            return pages
        place = page.older


def test_the_pages_hold_every_order_once_in_order(stores: list[Store]) -> None:
    everything = many(stores, 20)

    assert walk(stores, 6) == [everything[:6], everything[6:12], everything[12:18], everything[18:]]
    assert walk(stores, 10) == [everything[:10], everything[10:]]


def test_a_store_with_nearly_everything_does_not_hide_the_others() -> None:
    merchant = factories.a_user()
    large, small = factories.a_store(merchant), factories.a_store(merchant)
    factories.an_order(small, number="old", placed_at=NOON - timedelta(days=30))
    everything = many([large], 12)

    assert walk([large, small], 5) == [everything[:5], everything[5:10], [*everything[10:], "old"]]


def test_going_back_shows_the_same_pages(stores: list[Store]) -> None:
    everything = many(stores, 20)
    found = find(stores, Sought(), NOON)
    first = page_of(found, size=6)
    second = page_of(found, first.older, size=6)
    third = page_of(found, second.older, size=6)

    back = page_of(found, third.newer, size=6)

    assert back.orders == second.orders
    assert (back.newer, back.older) == (second.newer, second.older)
    assert page_of(found, back.newer, size=6) == first
    assert first.newer is None
    assert [order.number for order in first.orders] == everything[:6]


def test_orders_that_arrive_in_between_move_nothing(stores: list[Store]) -> None:
    everything = many(stores, 20)
    found = find(stores, Sought(), NOON)
    first = page_of(found, size=6)

    for number in ("new 1", "new 2"):
        factories.an_order(stores[0], number=number, placed_at=LATER)
    second = page_of(found, first.older, size=6)
    back = page_of(found, second.newer, size=6)
    newest = page_of(found, back.newer, size=6)

    assert [order.number for order in second.orders] == everything[6:12]
    assert [order.number for order in back.orders] == everything[:6]
    assert [order.number for order in newest.orders] == ["new 2", "new 1", *everything[:4]]


def test_the_pages_of_a_filter_hold_what_fits_it(stores: list[Store]) -> None:
    many(stores, 20)

    assert walk(stores, 5, order_number="#1") == [
        ["#19", "#18", "#17", "#16", "#15"],
        ["#14", "#13", "#12", "#11", "#10"],
        ["#1"],
    ]


def test_the_chunks_of_a_file_hold_every_order_once(stores: list[Store]) -> None:
    everything = many(stores, 20)

    read = [[each.order.number for each in chunk] for chunk in chunks(find(stores, Sought(), NOON), 4)]

    assert max(map(len, read)) == 4
    assert [number for chunk in read for number in chunk] == [
        number for store in stores for number in everything if Order.objects.get(number=number).store_id == store.pk
    ]


def test_only_so_many_orders_are_looked_through_and_the_page_says_how_far(stores: list[Store]) -> None:
    everything = many(stores, 30)
    sought = [everything[3], everything[16], everything[28]]
    near = replace(find(stores, Sought(), NOON), looks=(3, 9))
    found = replace(near, orders=near.orders.filter(number__in=sought))

    seen, looked, place = [], 0, None
    while True:
        page = page_of(found, place, size=2)
        seen.append([order.number for order in page.orders])
        looked += page.looked_to is not None
        if page.older is None:
            break
        place = page.older
    back = []
    while page.newer is not None:
        page = page_of(found, page.newer, size=2)
        back.append([order.number for order in page.orders])

    assert [number for numbers in seen for number in numbers] == sought
    assert looked == len(seen) - 1 > 1
    assert {number for numbers in [*back, seen[-1]] for number in numbers} == set(sought)
    assert [order.number for order in page.orders] == seen[0]


def test_the_chunks_of_a_file_go_on_where_nothing_was_found(stores: list[Store]) -> None:
    everything = many(stores, 30)
    sought = [everything[3], everything[28]]
    near = replace(find(stores, Sought(), NOON), looks=(3, 6))
    found = replace(near, orders=near.orders.filter(number__in=sought))

    read = [each.order.number for chunk in chunks(found, 2) for each in chunk]

    assert sorted(read) == sorted(sought)


def test_a_day_long_ago_is_looked_into_at_once() -> None:
    store = factories.a_store()
    everything = many([store], 30)
    near = replace(find([store], Sought(placed_to=(NOON - timedelta(days=1)).date()), NOON), looks=(1, 2))
    last = factories.an_order(store, number="old", placed_at=NOON - timedelta(days=2))

    page = page_of(replace(near, orders=near.orders.filter(number="old")), size=1)

    assert len(everything) == 30
    assert [order.pk for order in page.orders] == [last.pk]


def test_a_page_of_no_orders_leads_nowhere(stores: list[Store]) -> None:
    page = page_of(find(stores, Sought(), NOON))

    assert (page.orders, page.newer, page.older) == ((), None, None)


def test_a_place_is_read_as_it_was_written() -> None:
    place = Place(datetime(2026, 3, 2, 12, 0, 0, 123457, tzinfo=UTC), 4711)

    assert Place.read(str(place)) == place


@pytest.mark.parametrize(
    "text", ["", "-", "1-", "-1", "x-1", "1-x", "²-1", "1", "1-1-1", "9" * 30 + "-1", "1-" + "9" * 25]
)
def test_a_damaged_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        Place.read(text)


def a_full_store() -> Store:
    """A store with so many orders that an index is worth its while, and a database that knows it."""
    store = factories.a_store()
    Order.objects.bulk_create(
        Order(
            store=store,
            external_id=f"o{n}",
            number=f"c{n}",
            customer_name=f"C{n}",
            customer_email=f"c{n}@example.com",
            placed_at=NOON - timedelta(minutes=n),
            store_updated_at=NOON,
        )
        for n in range(3000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return store


@pytest.mark.parametrize(
    "field, index",
    [
        ("number", "order_number_begins"),
        ("customer_name", "order_name_begins"),
        ("customer_email", "order_email_begins"),
    ],
)
def test_a_beginning_is_looked_up_in_an_index_on_either_database(field: str, index: str) -> None:
    store = a_full_store()

    plan_of_query = Order.objects.filter(begins_with(field, "C17"), store=store).order_by().explain()

    assert index in plan_of_query


@pytest.mark.postgres
def test_the_list_is_read_in_the_order_of_its_index_and_never_sorted() -> None:
    store = a_full_store()
    found = find([store], Sought(), NOON)
    page = page_of(found)
    assert page.older is not None

    rest = found.orders.filter(placed_at__lte=page.older.placed_at).order_by("-placed_at", "-pk")
    plan_of_query = rest[:51].explain()

    assert "order_newest_first" in plan_of_query
    assert "Sort" not in plan_of_query
