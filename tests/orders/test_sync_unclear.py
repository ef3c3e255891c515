"""Lost answers: an intent without a known end is looked up, never repeated, and never before it has settled."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from orders import sync
from orders.models import TrackingSync
from stores.choices import MailSender
from stores.models import Store
from tests import factories
from tests.orders.pushing import (
    a_parcel,
    an_order_in,
    give,
    live,
    make_due,
    push,
    push_until_synced,
    row,
    settle,
    stands,
    timeline,
)
from tests.storefronts.client import line

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("fault", ["reset_after", "500_after", "502_after", "internal_200_after", "cut_json"])
@pytest.mark.parametrize("contents", [{"FOUR": 1}, {"FOUR": 4}, None])
def test_what_was_executed_though_its_answer_was_lost_is_found_and_not_repeated(shop, fault, contents):
    store = factories.a_store_in(shop)
    parcel = a_parcel(an_order_in(shop, store, ("FOUR", "A thing", 4)), "YT1", lines=contents)
    shop.fault(fault, on="create", times=1)
    push(store)

    settle(store)
    push(store)

    units = sum((contents or {"FOUR": 4}).values())
    assert live(shop) == [(["YT1"], units)]
    assert timeline(parcel) == ["unknown", "arrived"]
    assert stands(parcel) == ("synced", "", "", "YT1")


@pytest.mark.parametrize("fault", ["reset_before", "500", "502_html", "internal_200", "html_200"])
def test_what_was_not_executed_is_closed_as_not_arrived_and_sent_anew(shop, fault):
    store = factories.a_store_in(shop)
    parcel = a_parcel(an_order_in(shop, store, ("FOUR", "A thing", 4)), "YT1", lines={"FOUR": 1})
    shop.fault(fault, on="create", times=1)
    push(store)

    settle(store)
    push(store)

    assert live(shop) == [(["YT1"], 1)]
    assert timeline(parcel) == ["unknown", "did_not_arrive", "created"]


def test_an_intent_is_not_touched_before_it_has_settled(shop, settings):
    settings.TRACKSYNC_SETTLE_SECONDS = 2.0
    store = factories.a_store_in(shop)
    parcel = a_parcel(an_order_in(shop, store, ("FOUR", "A thing", 4)), "YT1", lines={"FOUR": 1})
    shop.fault("late", on="create", times=1, seconds=1.0)
    push(store)
    its = row(parcel)
    assert its.due_at >= its.sending_since + timedelta(seconds=2)
    requests = shop.book()["counts"]["requests"]

    # Nothing is due, so nobody asks the store, although the number is not there yet.
    assert (push(store), shop.book()["counts"]["requests"], live(shop)) == ({}, requests, [])

    push_until_synced(store)
    assert live(shop) == [(["YT1"], 1)]
    assert timeline(parcel) == ["unknown", "arrived"]


def test_the_stores_other_rows_do_not_wait_for_an_intent_to_settle(shop):
    store = factories.a_store_in(shop)
    unclear = a_parcel(an_order_in(shop, store), "YT1", lines={"MUG": 2})
    shop.fault("reset_before", on="create", times=1)
    push(store)
    other = a_parcel(an_order_in(shop, store), "YT2", lines={"MUG": 2})

    push(store)

    assert (stands(unclear)[:3], stands(other)[0]) == (("due", "answer_lost", "YT1"), "synced")


def test_parcels_of_one_line_are_told_apart_by_their_numbers(shop):
    store = factories.a_store_in(shop)
    order = an_order_in(shop, store, ("FOUR", "A thing", 4))
    parcels = [a_parcel(order, f"YT{n}", parcel=n, lines={"FOUR": 1}) for n in (1, 2, 3, 4)]
    # The first two of four creates are executed and their answers are lost, the third never arrives.
    shop.fault("reset_after", on="create", times=2)
    shop.fault("reset_before", on="create", times=1)
    for _ in range(4):
        push(store)
        make_due(store)
    settle(store)
    for _ in range(4):
        push(store)
        make_due(store)

    assert sorted(live(shop)) == [([f"YT{n}"], 1) for n in (1, 2, 3, 4)]
    assert [stands(parcel)[0] for parcel in parcels] == ["synced"] * 4


def test_a_parcel_at_two_locations_whose_second_half_was_lost_is_finished_not_repeated(pretend):
    shop = pretend.shop(locations=["East", "West"])
    store = factories.a_store_in(shop)
    order = an_order_in(shop, store, line("E", quantity=1, location="East"), line("W", quantity=2, location="West"))
    parcel = a_parcel(order, "YT1", lines={"E": 1, "W": 2})
    # Both creates travel in one request; the store executes the first and fails in the middle.
    shop.fault("reset_after", on="create", times=1)
    push(store)
    [first, *_] = shop.book()["orders"][0]["fulfillments"]
    shop.cancel_fulfillment(first["id"])
    assert len(live(shop)) == 1

    settle(store)
    push(store)
    make_due(store)
    push(store)

    assert sorted(units for _, units in live(shop)) == [1, 2]
    assert stands(parcel) == ("synced", "", "", "YT1")


def test_two_of_ours_for_the_same_lines_become_one_again(shop):
    store = factories.a_store_in(shop)
    order = an_order_in(shop, store, ("FOUR", "A thing", 4))
    parcel = a_parcel(order, "YT1", lines={"FOUR": 1})
    push(store)
    # What no client can exclude: a process frozen between its last check and its send creates it a second time.
    shop.fulfil_by_hand(order.number, "YT1", units={order.lines.get().external_id: 1})
    assert live(shop) == [(["YT1"], 1), (["YT1"], 1)]

    give(parcel, "YT2")
    push(store)

    assert live(shop) == [(["YT2"], 1)]
    assert stands(parcel) == ("synced", "duplicate_cancelled", "", "YT2")


def test_a_replaced_number_whose_answer_was_lost_updates_the_same_fulfillment_once(shop):
    store = factories.a_store_in(shop, mail_sender=MailSender.STORE)
    parcel = a_parcel(an_order_in(shop, store), "YT1", lines={"MUG": 2})
    push(store)
    give(parcel, "YT2")
    shop.fault("reset_after", on="update", times=1)
    push(store)
    settle(store)
    push(store)

    assert live(shop) == [(["YT2"], 2)]
    assert timeline(parcel) == ["created", "unknown", "arrived"]
    assert [(notice["kind"], notice["numbers"]) for notice in shop.book()["notices"]] == [
        ("shipping_confirmation", ["YT1"]),
        ("shipping_update", ["YT2"]),
    ]


def test_a_look_that_fails_leaves_the_intent_open(shop):
    store = factories.a_store_in(shop)
    parcel = a_parcel(an_order_in(shop, store), "YT1", lines={"MUG": 2})
    shop.fault("reset_after", on="create", times=1)
    push(store)
    settle(store)
    shop.fault("500", on="read")

    push(store)

    assert stands(parcel)[2:] == ("YT1", "")
    shop.clear_faults()
    Store.objects.filter(pk=store.pk).update(resume_at=factories.NOON)
    settle(store)
    push(store)
    assert live(shop) == [(["YT1"], 2)]


def test_a_number_taken_out_of_the_order_meanwhile_is_found_out_before_anything_is_sent_again(shop):
    store = factories.a_store_in(shop)
    order = an_order_in(shop, store)
    parcel = a_parcel(order, "YT1", lines={"MUG": 2})
    shop.fault("reset_before", on="create", times=1)
    push(store)
    shop.delete_order(order.number)
    settle(store)

    push(store)

    assert stands(parcel) == ("attention", "order_not_found", "", "")


def test_shared_lists_wait_for_the_siblings_end(shop):
    # Contents nobody told: both parcels stand in one fulfillment's list.
    store = factories.a_store_in(shop)
    order = an_order_in(shop, store)
    first, second = (a_parcel(order, f"YT{n}", parcel=n) for n in (1, 2))
    push(store)
    make_due(store)
    push(store)
    assert live(shop) == [(["YT1", "YT2"], 2)]

    # The first one's replacement is still on its way with an older list when the second is replaced.
    give(first, "YT3")
    shop.fault("late", on="update", times=1, seconds=0.5)
    push(store)
    give(second, "YT4")
    push(store)
    assert stands(second)[2:] == ("", "YT2")
    _wait_for(lambda: live(shop) == [(["YT3", "YT2"], 2)])
    settle(store)
    make_due(store)
    push(store)
    make_due(store)
    push(store)

    assert live(shop) == [(["YT3", "YT4"], 2)]


def test_who_takes_over_from_a_dead_holder_waits_from_his_last_write(shop, settings):
    settings.TRACKSYNC_SETTLE_SECONDS = 30.0
    store = factories.a_store_in(shop)
    parcel = a_parcel(an_order_in(shop, store), "YT1", lines={"MUG": 2})
    shop.fault("reset_after", on="create", times=1)
    push(store)
    # The holder committed the intent long ago, wrote to the store just now, and died with the lease.
    now = sync.database_now()
    TrackingSync.objects.filter(shipment=parcel).update(sending_since=now - timedelta(minutes=5), due_at=now)
    Store.objects.filter(pk=store.pk).update(
        lease="11111111-1111-1111-1111-111111111111", leased_until=now - timedelta(seconds=1), wrote_at=now
    )

    assert push(store) == {}

    assert row(parcel).due_at == now + timedelta(seconds=30)


def _wait_for(true, seconds: float = 10.0) -> None:
    give_up = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < give_up
        time.sleep(0.02)
