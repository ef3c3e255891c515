"""A person has the store looked at again, against a pretend shop: what is seen, what is written down, what is not."""

from __future__ import annotations

from typing import Any

import pytest

from orders import changes
from orders.looking import Look, Seen, look_again
from orders.models import Shipment, SyncAttempt
from orders.sync import database_now
from stores.lease import take
from stores.models import Store
from tests import factories
from tests.orders.pushing import a_parcel, an_order_in, give, live, make_due, push, row, stands
from tests.storefronts.client import Shop

pytestmark = pytest.mark.django_db

YT1, YT2 = "YT2600000000000001", "YT2600000000000002"


@pytest.fixture
def store(shop: Shop) -> Store:
    return factories.a_store_in(shop, name="Blue Mug")


@pytest.fixture
def parcel(shop: Shop, store: Store) -> Shipment:
    """A parcel whose number the store shows."""
    shipment = a_parcel(an_order_in(shop, store), YT1)
    push(store)
    assert stands(shipment) == ("synced", "", "", YT1)
    return shipment


def look(shipment: Shipment, **more: Any) -> Look:
    return look_again(shipment.pk, database_now(), **more)


def fulfillment(shop: Shop) -> dict[str, Any]:
    (found,) = shop.book()["orders"][0]["fulfillments"]
    return found


def writes(shop: Shop) -> int:
    return sum(shop.book()["counts"]["mutations"].values())


# What happens in the store between the push and the look.


def nothing(shop: Shop) -> None:
    pass


def the_number_is_taken_off(shop: Shop) -> None:
    shop.set_tracking(fulfillment(shop)["id"], [])


def another_number_is_put_there(shop: Shop) -> None:
    shop.set_tracking(fulfillment(shop)["id"], ["RR123456785DE"])


def another_number_is_added(shop: Shop) -> None:
    shop.set_tracking(fulfillment(shop)["id"], [YT1, "RR123456785DE"])


def the_fulfillment_is_cancelled(shop: Shop) -> None:
    shop.cancel_fulfillment(fulfillment(shop)["id"])


def the_order_is_deleted(shop: Shop) -> None:
    shop.delete_order("#1001")


@pytest.mark.parametrize(
    "happens, seen, stands_after",
    [
        (nothing, Look(Seen.THERE, YT1), ("synced", "", "", YT1)),
        (another_number_is_added, Look(Seen.DIFFERS, YT1), ("synced", "", "", YT1)),
        (
            the_number_is_taken_off,
            Look(Seen.GONE, code="number_gone", values={"number": YT1}),
            ("attention", "number_gone", "", ""),
        ),
        (
            another_number_is_put_there,
            Look(Seen.GONE, code="other_number_there", values={"there": "RR123456785DE", "number": YT1}),
            ("attention", "other_number_there", "", ""),
        ),
        (
            the_fulfillment_is_cancelled,
            Look(Seen.GONE, code="fulfillment_cancelled", values={"number": YT1}),
            ("attention", "fulfillment_cancelled", "", ""),
        ),
        (
            the_order_is_deleted,
            Look(Seen.GONE, code="order_not_found", values={"number": YT1}),
            ("attention", "order_not_found", "", ""),
        ),
    ],
)
def test_what_the_store_shows_is_said_and_written_down(
    happens: Any, seen: Look, stands_after: tuple, shop: Shop, parcel: Shipment
) -> None:
    happens(shop)
    before, written = row(parcel).checked_at, writes(shop)

    assert look(parcel) == seen

    assert stands(parcel) == stands_after
    assert row(parcel).checked_at > before
    assert writes(shop) == written
    assert Store.objects.get().lease is None


def test_a_number_that_is_gone_is_in_the_timeline_once_with_who_looked(shop: Shop, parcel: Shipment) -> None:
    the_number_is_taken_off(shop)
    anna = parcel.order.store.owner

    look(parcel, actor=anna)
    look(parcel, actor=anna)

    lines = SyncAttempt.objects.filter(sync__shipment=parcel, outcome="by_hand", reason="number_gone")
    assert list(lines.values_list("number__value", "actor")) == [(YT1, anna.pk)]


@pytest.mark.parametrize(
    "happens", [the_number_is_taken_off, the_fulfillment_is_cancelled], ids=["taken off", "cancelled"]
)
def test_what_is_gone_comes_back_only_when_a_person_tries_again(
    happens: Any, shop: Shop, store: Store, parcel: Shipment
) -> None:
    happens(shop)
    look(parcel)
    make_due(store)
    push(store)
    left_alone = live(shop)

    changes.try_again([parcel.pk], now=database_now())
    push(store)

    assert YT1 not in [number for numbers, _ in left_alone for number in numbers]
    assert ([numbers for numbers, _ in live(shop)][-1], stands(parcel)) == ([YT1], ("synced", "", "", YT1))


def test_a_number_that_was_put_back_in_the_store_needs_nobody_any_more(shop: Shop, parcel: Shipment) -> None:
    the_number_is_taken_off(shop)
    look(parcel)
    shop.set_tracking(fulfillment(shop)["id"], [YT1])

    seen = look(parcel)

    assert (seen.number, stands(parcel)) == (YT1, ("synced", "", "", YT1))


def test_an_older_number_of_ours_is_a_fact_and_the_right_one_follows(
    shop: Shop, store: Store, parcel: Shipment
) -> None:
    give(parcel, YT2)
    push(store)
    shop.set_tracking(fulfillment(shop)["id"], [YT1])

    seen = look(parcel)
    shown = stands(parcel)
    push(store)

    assert (seen, shown) == (Look(Seen.ANOTHER_OF_OURS, YT1), ("due", "", "", YT1))
    assert [numbers for numbers, _ in live(shop)] == [[YT2]]


def test_a_cancelled_order_whose_fulfillment_was_cancelled_there_needs_nobody_any_more(
    shop: Shop, store: Store, parcel: Shipment
) -> None:
    from orders.pull import pull_store

    shop.cancel_order("#1001")
    pull_store(store, now=database_now())
    before = stands(parcel)
    the_fulfillment_is_cancelled(shop)

    look(parcel)

    assert (before[:2], stands(parcel)) == (
        ("attention", "cancelled_after_sent"),
        ("waiting", "cancelled", "", ""),
    )


def test_a_parcel_that_waits_is_looked_for_too(shop: Shop, store: Store) -> None:
    shipment = a_parcel(an_order_in(shop, store), YT1, dispatched=False)
    first = look(shipment)
    shop.fulfil_by_hand("#1001", YT1)

    assert (first, look(shipment)) == (Look(Seen.NOT_THERE), Look(Seen.THERE_ALREADY, YT1))
    assert stands(shipment) == ("waiting", "not_dispatched", "", "")


def test_without_any_number_there_is_nothing_to_look_for(shop: Shop, store: Store) -> None:
    shipment = factories.a_shipment(an_order_in(shop, store))

    assert look(shipment) == Look(Seen.NO_NUMBER)


def test_a_store_that_is_being_written_to_is_left_alone(parcel: Shipment, store: Store) -> None:
    lease = take(store.pk, 60)
    assert lease is not None
    before = row(parcel).checked_at

    assert look(parcel) == Look(Seen.STORE_IN_USE)
    assert (row(parcel).checked_at, lease.is_mine()) == (before, True)


def test_a_store_that_does_not_let_us_in_is_marked_so(shop: Shop, parcel: Shipment, store: Store) -> None:
    shop.revoke_token()

    seen, again = look(parcel), look(parcel)

    store.refresh_from_db()
    assert (seen.seen, seen.code, again) == (Seen.NO_ANSWER, "token_refused", Look(Seen.STORE_GONE))
    assert (store.needs_reconnecting, stands(parcel)) == (True, ("synced", "", "", YT1))


def test_a_store_that_fails_tells_nothing_and_changes_nothing(shop: Shop, parcel: Shipment, store: Store) -> None:
    shop.fault("503", on="read")

    seen = look(parcel)

    store.refresh_from_db()
    assert (seen.seen, seen.code) == (Seen.NO_ANSWER, "server_error")
    assert (store.trouble, stands(parcel)) == ("server_error", ("synced", "", "", YT1))
