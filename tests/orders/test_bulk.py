"""Many rows in one statement: what goes in comes out again, whatever its type and on both databases."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.db import DataError, connection, models
from django.test.utils import CaptureQueriesContext

from orders.bulk import update_rows
from orders.choices import NumberKind, SyncState, WaitCode
from orders.models import Carrier, Pulse, Shipment, ShippingMethod, TrackingNumber, TrackingSync
from stores.choices import Timing
from stores.models import EPOCH, Store, SyncPreference
from tests.factories import NOON, a_number, a_shipment, a_store

pytestmark = pytest.mark.django_db

EVERY_CHARACTER = (
    "quotes ' \" `, backslash \\, percent %s %%, newline \n, tab \t, 包裹, émoji 📦, {n}, $1, NULL, null, 007, 1e3"
)
CHINA = timezone(timedelta(hours=8))
TO_THE_MICROSECOND = datetime(2026, 3, 2, 12, 34, 56, 789012, tzinfo=UTC)


def a_row() -> TrackingSync:
    return TrackingSync.objects.get(shipment=a_shipment())


def a_pulse() -> Pulse:
    return Pulse.objects.create(key='group:one\'s "own"')


MADE: dict[type[models.Model], Callable[[], models.Model]] = {
    TrackingSync: a_row,
    Store: a_store,
    TrackingNumber: a_number,
    Pulse: a_pulse,
    Shipment: a_shipment,
    SyncPreference: lambda: a_store().preference,
}


@pytest.mark.parametrize(
    "model, column, value",
    [
        # numbers
        (TrackingSync, "attempts", 0),
        (TrackingSync, "attempts", 2**31 - 1),
        (Shipment, "parcel", 7),
        (SyncPreference, "delay_hours", 48),
        # booleans
        (TrackingSync, "adopted", True),
        (TrackingSync, "goes_alone", False),
        (Pulse, "rung", True),
        # text
        (TrackingSync, "reason", ""),
        (TrackingSync, "reason", "unpaid"),
        (TrackingNumber, "raw", EVERY_CHARACTER),
        (TrackingNumber, "value", "007"),
        (Store, "name", EVERY_CHARACTER),
        (TrackingSync, "reason", WaitCode.UNPAID),
        (TrackingSync, "kind", NumberKind.OWN),
        (SyncPreference, "timing", Timing.BEFORE_DISPATCH),
        # times
        (TrackingSync, "synced_at", NOON),
        (TrackingSync, "synced_at", TO_THE_MICROSECOND),
        (TrackingSync, "synced_at", TO_THE_MICROSECOND.astimezone(CHINA)),
        (TrackingSync, "synced_at", None),
        (Store, "leased_until", EPOCH),
        # JSON
        (TrackingSync, "reason_values", {}),
        (
            TrackingSync,
            "reason_values",
            {"number": EVERY_CHARACTER, EVERY_CHARACTER: [1, 2.5, None, True, {"deep": []}]},
        ),
        (TrackingSync, "fulfillments", []),
        (TrackingSync, "fulfillments", ["gid://shopify/Fulfillment/1", "2"]),
        # references
        (TrackingSync, "wanted_id", None),
        (Shipment, "shipping_method_id", None),
        # those with a form of their own in the database
        (Store, "lease", uuid.UUID("12345678-1234-5678-1234-567812345678")),
        (Store, "lease", None),
        (Store, "token", {"access_token": "secret"}),
    ],
    ids=lambda value: getattr(value, "__name__", None) or str(value)[:40],
)
def test_what_goes_in_comes_out(model: type[models.Model], column: str, value: Any) -> None:
    made = MADE[model]()
    before = model._default_manager.filter(pk=made.pk).values().get()

    assert update_rows(model, (column,), [(made.pk, value)]) == 1

    assert model._default_manager.filter(pk=made.pk).values().get() == before | {column: value}
    # and it is kept in the form in which Django would have kept it
    assert model._default_manager.filter(pk=made.pk, **{column: value}).exists() or value is None or column == "token"


def test_a_secret_is_kept_as_a_secret() -> None:
    store = a_store()
    update_rows(Store, ("token",), [(store.pk, {"access_token": "very secret"})])

    with connection.cursor() as cursor:
        cursor.execute("SELECT token FROM stores_store WHERE id = %s", [store.pk])
        assert "secret" not in cursor.fetchone()[0]
    assert dict(Store.objects.get(pk=store.pk).token) == {"access_token": "very secret"}


def test_times_are_compared_as_times_afterwards() -> None:
    row = a_row()
    update_rows(TrackingSync, ("state", "due_at"), [(row.pk, SyncState.DUE, NOON.astimezone(CHINA))])

    assert TrackingSync.objects.filter(due_at__lte=NOON, due_at__gte=NOON).count() == 1
    assert TrackingSync.objects.filter(due_at__lt=NOON).count() == 0
    assert TrackingSync.objects.filter(due_at__lte=NOON - timedelta(microseconds=1)).count() == 0


def test_json_can_be_searched_afterwards() -> None:
    row = a_row()
    update_rows(TrackingSync, ("reason_values",), [(row.pk, {"number": "包裹"})])

    assert TrackingSync.objects.filter(reason_values__number="包裹").count() == 1


def test_each_row_gets_its_own_values_and_no_other_row_any() -> None:
    first, second, third = (TrackingSync.objects.get(shipment=a_shipment()) for _ in range(3))
    columns = ("attempts", "reason", "reason_values", "goes_alone", "synced_at")
    untouched = TrackingSync.objects.filter(pk=third.pk).values().get()

    rows = [
        (first.pk, 1, "one", {"n": 1}, True, NOON),
        (second.pk, 2, "two", {}, False, None),
        (-1, 3, "", {}, True, NOON),
    ]
    assert update_rows(TrackingSync, columns, rows) == 2

    assert list(TrackingSync.objects.order_by("pk").values_list("pk", *columns))[:2] == rows[:2]
    assert TrackingSync.objects.filter(pk=third.pk).values().get() == untouched


@pytest.mark.postgres  # SQLite keeps texts of any length
def test_a_text_that_is_too_long_is_refused_and_never_cut() -> None:
    row = a_row()

    with pytest.raises(DataError):
        update_rows(TrackingSync, ("reason",), [(row.pk, "x" * 41)])


def test_nothing_to_write_asks_the_database_nothing(django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        assert update_rows(TrackingSync, ("attempts",), []) == 0


@pytest.mark.parametrize("count", [1, 1000])
def test_one_statement_whatever_the_number_of_rows(count: int) -> None:
    ShippingMethod.objects.all().delete()
    Carrier.objects.all().delete()
    made = Carrier.objects.bulk_create(Carrier(code=f"c{n}", name=f"Carrier {n}") for n in range(count))
    rows = [(carrier.pk, f"Renamed {carrier.pk}", {"shopify": f"'{carrier.pk}'"}, False) for carrier in made]

    with CaptureQueriesContext(connection) as queries:
        assert update_rows(Carrier, ("name", "platform_names", "is_active"), iter(rows)) == count

    assert len(queries) == 1
    found = Carrier.objects.order_by("pk").values_list("pk", "name", "platform_names", "is_active")
    assert json.dumps(list(found)) == json.dumps(rows)
