"""A store as a whole waits or has to be reconnected, and when that ends."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from stores import trouble
from stores.connectors.codes import Code
from stores.connectors.errors import StoreBusy, StoreDisconnected
from stores.models import Store
from tests import factories

WELL: tuple[object, ...] = ("", {}, None, 0, None)


def trouble_of(store: Store) -> tuple[str, dict, datetime | None, int, datetime | None]:
    store.refresh_from_db()
    return (store.trouble, store.trouble_values, store.trouble_since, store.trouble_count, store.resume_at)


@pytest.mark.parametrize(
    "count, jitter, seconds",
    [(1, 0, 5), (1, 1, 2.5), (2, 0, 10), (3, 0, 20), (8, 0, 640), (9, 0, 900), (9, 1, 450), (4000, 0, 900)],
)
def test_the_wait_doubles_up_to_a_quarter_of_an_hour(count: int, jitter: float, seconds: float) -> None:
    assert trouble.back_off(count, jitter=jitter) == seconds


@pytest.mark.django_db
@pytest.mark.parametrize("after, seconds", [(2.5, 2.5), (0, 0), (-3, 0), (1e9, 3600)])
def test_a_store_is_left_alone_as_long_as_it_asks_but_not_for_ever(after: float, seconds: float, now: datetime) -> None:
    store = factories.a_store()

    until = trouble.busy(store.pk, StoreBusy(Code.THROTTLED, after=after), now)

    assert until == now + timedelta(seconds=seconds)
    assert trouble_of(store) == (Code.THROTTLED, {}, now, 1, until)


@pytest.mark.django_db
def test_a_store_that_asks_for_no_time_again_and_again_is_left_alone_all_the_same(now: datetime) -> None:
    store = factories.a_store()
    waits = []
    for _ in range(14):
        until = trouble.busy(store.pk, StoreBusy(Code.SERVER_ERROR, after=0), now)
        assert until is not None
        waits.append((until - now).total_seconds())
        now = until

    assert waits[: trouble.BELIEVED] == [0.0] * trouble.BELIEVED
    assert 2.5 <= waits[trouble.BELIEVED] <= 5
    assert 450 <= waits[-1] <= 900


@pytest.mark.django_db
def test_each_trouble_in_a_row_counts_once_however_many_report_it(now: datetime) -> None:
    store = factories.a_store()
    error = StoreBusy(Code.SERVER_ERROR, status=503)

    first = trouble.busy(store.pk, error, now)
    again = trouble.busy(store.pk, error, now)
    later = now + timedelta(minutes=1)
    second = trouble.busy(store.pk, error, later)

    assert first is not None
    assert again is not None
    assert second is not None
    assert timedelta(seconds=2.5) <= first - now <= again - now <= timedelta(seconds=5)
    assert timedelta(seconds=5) <= second - later <= timedelta(seconds=10)
    assert trouble_of(store) == (Code.SERVER_ERROR, {"status": 503}, now, 2, second)


@pytest.mark.django_db
def test_the_longest_pause_holds(now: datetime) -> None:
    store = factories.a_store()
    trouble.busy(store.pk, StoreBusy(Code.THROTTLED, after=60), now)

    assert trouble.busy(store.pk, StoreBusy(Code.THROTTLED, after=1), now) == now + timedelta(seconds=60)


@pytest.mark.django_db
def test_a_store_that_answers_is_well_once_its_pause_is_over(now: datetime) -> None:
    store = factories.a_store()
    trouble.busy(store.pk, StoreBusy(Code.THROTTLED, after=60), now)

    # Somebody else found the pause while a call of ours was on its way.
    assert trouble.well(store.pk, now + timedelta(seconds=59)) is False
    assert trouble.well(store.pk, now + timedelta(seconds=60)) is True
    assert trouble.well(store.pk, now + timedelta(seconds=61)) is False

    assert trouble_of(store) == WELL


@pytest.mark.django_db
def test_a_store_that_has_to_be_reconnected_waits_for_a_person(now: datetime) -> None:
    store, later = factories.a_store(), now + timedelta(hours=1)
    trouble.busy(store.pk, StoreBusy(Code.THROTTLED, after=60), now)

    trouble.disconnected(store.pk, StoreDisconnected(Code.SCOPE_MISSING, scopes=["read_orders"]), later)
    # A call that was on its way ends: neither its pause nor its success hides what a person has to do.
    assert trouble.busy(store.pk, StoreBusy(Code.THROTTLED, after=1), later) is None
    assert trouble.well(store.pk, later + timedelta(days=1)) is False

    assert trouble_of(store) == (Code.SCOPE_MISSING, {"scopes": ["read_orders"]}, later, 1, None)
    assert store.needs_reconnecting
    assert list(Store.objects.pulling()) == []


@pytest.mark.django_db
def test_a_reconnected_store_is_well_and_no_other(now: datetime) -> None:
    store, other = factories.a_store(), factories.a_store()
    for one in (store, other):
        trouble.disconnected(one.pk, StoreDisconnected(Code.TOKEN_REFUSED), now)

    assert trouble.reconnected(store.pk) is True

    assert trouble_of(store) == WELL
    assert trouble_of(other) == (Code.TOKEN_REFUSED, {}, now, 0, None)
