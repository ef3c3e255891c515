"""A number travels into a store: what is pushed, what each answer makes of the row, and what is written down."""

from __future__ import annotations

import time

import pytest
from django.db import connection

from orders import changes, outcomes, sync
from orders.choices import AttemptOutcome, NumberKind
from orders.models import Order, TrackingSync
from orders.pull import pull_store
from stores.choices import CountsAsPaid, MailSender, NumberSource, Timing
from stores.connectors.base import Outcome, Receipt
from stores.lease import take
from stores.models import Store
from stores.preferences import save_preference
from tests import factories
from tests.orders.pushing import (
    a_parcel,
    an_order_in,
    give,
    live,
    make_due,
    push,
    replan,
    row,
    settle,
    stands,
    timeline,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_dispatched_parcels_number_stands_in_the_store_with_carrier_and_link(shop):
    store = factories.a_store_in(shop)
    parcel = a_parcel(an_order_in(shop, store), "YT1", lines={"MUG": 2})

    assert push(store) == {AttemptOutcome.CREATED: 1}

    [order] = shop.book()["orders"]
    [fulfillment] = order["fulfillments"]
    assert (fulfillment["numbers"], fulfillment["company"], fulfillment["urls"]) == (
        ["YT1"],
        "YunExpress",
        ["https://www.yuntrack.com/parcelTracking?id=YT1"],
    )
    assert stands(parcel) == ("synced", "", "", "YT1")
    assert row(parcel).fulfillments == [fulfillment["id"]]


def test_what_was_stopped_before_it_left_is_given_back_and_counts_as_nothing(shop):
    store = factories.a_store_in(shop)
    parcel = a_parcel(an_order_in(shop, store), "YT1", lines={"MUG": 2})
    lease = take(store.pk, sync.lease_seconds(store.platform))
    assert lease is not None

    # Stopped at the very moment between the intent and the first request.
    counts = sync.serve(
        lease, until=time.monotonic() + 20, stop=TrackingSync.objects.filter(sending__isnull=False).exists
    )

    assert (counts, stands(parcel)[:1] + stands(parcel)[2:], timeline(parcel)) == ({}, ("due", "", ""), [])
    assert live(shop) == []
    assert push(store) == {AttemptOutcome.CREATED: 1}


# --- decided again at the last moment -----------------------------------------------------------------


def test_a_preference_saved_after_the_plan_governs_what_has_not_left_yet(shop):
    store = factories.a_store_in(shop, number_source=NumberSource.LOCAL)
    parcel = factories.a_shipment(an_order_in(shop, store), lines={"MUG": 2}, method=factories.an_own_method())
    give(parcel, "CJP1", kind=NumberKind.OWN)
    give(parcel, "YT1")
    changes.mark_dispatched([parcel.pk], sync.database_now(), now=sync.database_now())
    assert row(parcel).wanted.value == "YT1"

    # Saved, and no job has carried it to the rows yet.
    save_preference(store, actor=store.owner, now=sync.database_now(), number_source=NumberSource.DEFAULT)
    push(store)

    assert live(shop) == [(["CJP1"], 2)]


def test_a_parcel_that_came_back_after_the_plan_is_not_sent(shop):
    store = factories.a_store_in(shop, timing=Timing.AFTER_DISPATCH)
    parcel = a_parcel(an_order_in(shop, store), "YT1", lines={"MUG": 2})
    # The fact alone, as if its writer had been killed before it planned.
    parcel.dispatched_at = None
    parcel.save(update_fields=["dispatched_at"])

    assert push(store) == {}

    assert live(shop) == []
    assert stands(parcel) == ("waiting", "not_dispatched", "", "")


# --- what has been sent keeps its kind -------------------------------------------------------------------


def test_a_new_preference_leaves_alone_what_was_sent_and_governs_the_rest(shop):
    store = factories.a_store_in(shop, number_source=NumberSource.DEFAULT)
    order = an_order_in(shop, store, ("MUG", "A mug", 2))
    sent = factories.a_shipment(order, lines={"MUG": 1}, method=factories.an_own_method())
    waiting = factories.a_shipment(order, parcel=2, lines={"MUG": 1}, method=factories.an_own_method())
    for parcel, number in ((sent, "1"), (waiting, "2")):
        give(parcel, f"CJP{number}", kind=NumberKind.OWN)
        give(parcel, f"YT{number}")
    changes.mark_dispatched([sent.pk], sync.database_now(), now=sync.database_now())
    push(store)

    save_preference(store, actor=store.owner, now=sync.database_now(), number_source=NumberSource.LOCAL)
    changes.mark_dispatched([waiting.pk], sync.database_now(), now=sync.database_now())
    push(store)

    assert live(shop) == [(["CJP1"], 1), (["YT2"], 1)]
    # A replaced number of the promised kind still follows the promise.
    give(sent, "CJP3", kind=NumberKind.OWN)
    give(sent, "YT3")
    push(store)
    assert live(shop) == [(["CJP3"], 1), (["YT2"], 1)]


# --- the intent is committed before the call ---------------------------------------------------------------


def test_the_intent_is_committed_and_no_transaction_is_open_while_the_store_is_asked(shop, monkeypatch):
    store = factories.a_store_in(shop)
    parcel = a_parcel(an_order_in(shop, store), "YT1", lines={"MUG": 2})
    seen: list[tuple[bool, str, bool]] = []
    renew = sync.Lease.renew

    def watched(lease: sync.Lease) -> None:
        # Called right before each write leaves: what another process would see now.
        renew(lease)
        its = row(parcel)
        seen.append(
            (connection.in_atomic_block, its.sending.value if its.sending else "", its.sending_since is not None)
        )

    monkeypatch.setattr(sync.Lease, "renew", watched)
    push(store)

    # Once before the batch, once before the one write.
    assert seen[:2] == [(False, "", False), (False, "YT1", True)]


# --- outcomes are facts and are always written ---------------------------------------------------------------


def test_a_number_replaced_while_the_old_one_was_under_way_follows_it_at_once(shop):
    store = factories.a_store_in(shop)
    parcel = a_parcel(an_order_in(shop, store), "YT1", lines={"MUG": 2})
    shop.fault("reset_after", on="create", times=1)
    push(store)
    assert stands(parcel) == ("due", "answer_lost", "YT1", "")

    give(parcel, "YT2")
    assert stands(parcel) == ("due", "answer_lost", "YT1", "")
    settle(store)
    push(store)

    assert live(shop) == [(["YT2"], 2)]
    assert timeline(parcel) == ["unknown", "arrived", "replaced"]
    assert stands(parcel) == ("synced", "", "", "YT2")


def test_an_outcome_is_planned_again_in_the_transaction_that_writes_it(shop):
    store = factories.a_store_in(shop)
    parcel = a_parcel(an_order_in(shop, store), "YT1", lines={"MUG": 2})
    shop.fault("reset_after", on="create", times=1)
    push(store)
    # The order is cancelled while the number is under way: what is wanted then is nothing new.
    its = row(parcel)
    Order.objects.filter(shipments=parcel).update(cancelled_at=factories.NOON)
    replan(its.shipment.order, sync.database_now())
    sent = outcomes.Sent(its.pk, parcel.pk, its.sending_id, its.sending_since, 1, its.sending_since)
    receipt = Receipt(Outcome.CREATED, ("gid://shopify/Fulfillment/1",), "YT1")

    outcomes.write([(sent, receipt)], settle=60, now=sync.database_now(), seconds=0.1)

    assert stands(parcel) == ("attention", "cancelled_after_sent", "", "YT1")


def test_a_preference_saved_while_a_push_was_under_way_lets_it_finish_under_the_old_one(shop):
    store = factories.a_store_in(shop, number_source=NumberSource.DEFAULT)
    parcel = factories.a_shipment(an_order_in(shop, store), lines={"MUG": 2}, method=factories.an_own_method())
    give(parcel, "CJP1", kind=NumberKind.OWN)
    give(parcel, "YT1")
    changes.mark_dispatched([parcel.pk], sync.database_now(), now=sync.database_now())
    shop.fault("reset_after", on="create", times=1)
    push(store)
    save_preference(store, actor=store.owner, now=sync.database_now(), number_source=NumberSource.LOCAL)

    settle(store)
    push(store)

    assert live(shop) == [(["CJP1"], 2)]
    assert stands(parcel) == ("synced", "", "", "CJP1")


def test_a_preference_saved_after_a_push_that_did_not_arrive_governs_the_next_one(shop):
    store = factories.a_store_in(shop, number_source=NumberSource.DEFAULT)
    parcel = factories.a_shipment(an_order_in(shop, store), lines={"MUG": 2}, method=factories.an_own_method())
    give(parcel, "CJP1", kind=NumberKind.OWN)
    give(parcel, "YT1")
    changes.mark_dispatched([parcel.pk], sync.database_now(), now=sync.database_now())
    shop.fault("reset_before", on="create", times=1)
    push(store)
    save_preference(store, actor=store.owner, now=sync.database_now(), number_source=NumberSource.LOCAL)

    settle(store)
    push(store)

    assert live(shop) == [(["YT1"], 2)]
    assert timeline(parcel) == ["unknown", "did_not_arrive", "created"]


# --- errors are named by who acts next -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault, on, outcome, stands_so, trouble, resumes",
    [
        # fault in the store          state, reason, under way, shown          trouble of the whole store
        ("500", "read", "store_busy", ("due", "", "", ""), "server_error", True),
        ("html_200", "read", "store_busy", ("due", "", "", ""), "not_json", True),
        ("429", "all", "store_busy", ("due", "", "", ""), "throttled", True),
        ("throttled", "create", "store_busy", ("due", "", "", ""), "throttled", True),
        ("401", "all", "store_disconnected", ("due", "", "", ""), "token_refused", False),
        ("402", "all", "store_disconnected", ("due", "", "", ""), "shop_frozen", False),
        ("reset_before", "create", "unknown", ("due", "answer_lost", "YT1", ""), "", False),
        ("reset_after", "create", "unknown", ("due", "answer_lost", "YT1", ""), "", False),
        ("500", "create", "unknown", ("due", "store_failed", "YT1", ""), "", False),
        ("html_200", "create", "unknown", ("due", "answer_lost", "YT1", ""), "", False),
        ("internal_200", "create", "unknown", ("due", "store_failed", "YT1", ""), "", False),
        ("cut_json", "create", "unknown", ("due", "answer_lost", "YT1", ""), "", False),
    ],
)
def test_what_a_fault_makes_of_the_row_and_of_the_store(shop, fault, on, outcome, stands_so, trouble, resumes):
    store = factories.a_store_in(shop)
    parcel = a_parcel(an_order_in(shop, store), "YT1", lines={"MUG": 2})
    shop.fault(fault, on=on)

    assert push(store) == {AttemptOutcome(outcome): 1}

    assert stands(parcel) == stands_so
    store.refresh_from_db()
    assert (store.trouble, store.resume_at is not None) == (trouble, resumes)

    # In fair weather, and once a person has renewed what needs a person, it arrives: once.
    shop.clear_faults()
    Store.objects.filter(pk=store.pk).update(trouble="", resume_at=None)
    make_due(store)
    settle(store)
    push(store)
    assert live(shop) == [(["YT1"], 2)]
    assert stands(parcel) == ("synced", "", "", "YT1")


@pytest.mark.parametrize(
    "happens, stands_so, outcome",
    [
        (lambda shop, order: shop.hold(order, "OTHER"), ("due", "on_hold", "", ""), "try_again_later"),
        (lambda shop, order: shop.route(order, 3600), ("due", "routing", "", ""), "try_again_later"),
        (
            lambda shop, order: shop.schedule(order, "2030-01-01T00:00:00Z"),
            ("due", "scheduled", "", ""),
            "try_again_later",
        ),
        (lambda shop, order: shop.delete_order(order), ("attention", "order_not_found", "", ""), "rejected"),
        (lambda shop, order: shop.cancel_order(order), ("attention", "order_cancelled_in_store", "", ""), "rejected"),
        (
            lambda shop, order: shop.fulfil_by_hand(order, "THEIRS"),
            ("attention", "other_number_there", "", ""),
            "rejected",
        ),
        (lambda shop, order: shop.fulfil_by_hand(order), ("synced", "", "", "YT1"), "adopted"),
    ],
)
def test_what_the_merchant_did_in_the_store_makes_of_the_row(shop, happens, stands_so, outcome):
    store = factories.a_store_in(shop)
    order = an_order_in(shop, store)
    parcel = a_parcel(order, "YT1", lines={"MUG": 2})
    happens(shop, order.number)

    assert push(store) == {AttemptOutcome(outcome): 1}

    assert stands(parcel) == stands_so
    store.refresh_from_db()
    assert store.trouble == ""


def test_one_bad_row_never_stops_the_others(shop):
    store = factories.a_store_in(shop)
    orders = [an_order_in(shop, store) for _ in range(4)]
    parcels = [a_parcel(order, f"YT{n}", lines={"MUG": 2}) for n, order in enumerate(orders)]
    shop.delete_order(orders[1].number)
    shop.hold(orders[2].number)

    push(store)

    assert [stands(parcel)[0] for parcel in parcels] == ["synced", "attention", "due", "synced"]


def test_a_bug_makes_every_row_of_its_batch_unclear_and_go_alone_next_time(shop):
    store = factories.a_store_in(shop)
    parcels = [a_parcel(an_order_in(shop, store), f"YT{n}", lines={"MUG": 2}) for n in range(3)]
    # An id that no code of ours can have written: the store refuses the whole document that carries it.
    Order.objects.filter(shipments=parcels[1]).update(external_id="not an id")

    assert push(store) == {AttemptOutcome.UNKNOWN: 3}
    assert [stands(parcel)[:2] for parcel in parcels] == [("due", "unexpected")] * 3

    for _ in range(4):
        settle(store)
        make_due(store)
        push(store)
    assert [stands(parcel)[0] for parcel in parcels] == ["synced", "due", "synced"]
    assert sorted(live(shop)) == [(["YT0"], 2), (["YT2"], 2)]


def test_no_number_of_attempts_ends_a_shipment(shop):
    store = factories.a_store_in(shop)
    order = an_order_in(shop, store)
    parcel = a_parcel(order, "YT1", lines={"MUG": 2})
    shop.hold(order.number)

    waits = []
    for _ in range(14):
        make_due(store)
        push(store)
        its = row(parcel)
        waits.append((its.due_at - its.checked_at).total_seconds())

    # It grows to an hour, within its jitter, and stays there.
    assert [wait < 20 for wait in waits[:1]] + [2600 <= wait <= 4600 for wait in waits[-3:]] == [True] * 4
    assert stands(parcel) == ("due", "on_hold", "", "")
    shop.release(order.number)
    make_due(store)
    push(store)
    assert stands(parcel) == ("synced", "", "", "YT1")


def test_a_hold_released_in_the_store_ends_with_the_next_pull_not_with_the_back_off(shop):
    store = factories.a_store_in(shop)
    order = an_order_in(shop, store)
    parcel = a_parcel(order, "YT1", lines={"MUG": 2})
    shop.hold(order.number)
    for _ in range(6):  # by now it is tried again minutes later only
        make_due(store)
        push(store)
    assert (stands(parcel)[1], sync.due_stores(10)) == ("on_hold", [])

    shop.release(order.number)
    give_up = time.monotonic() + 10
    while not push(store):
        # The store tells times in whole seconds: a change within the second of the last pull shows in none.
        assert time.monotonic() < give_up
        shop.touch(order.number)
        pull_store(store, now=sync.database_now())

    assert live(shop) == [(["YT1"], 2)]


# --- only to the store that the order came from -----------------------------------------------------------------


def test_a_number_goes_only_to_the_store_its_order_came_from(pretend):
    shops = [pretend.shop(), pretend.shop()]
    stores = [factories.a_store_in(shop) for shop in shops]
    a_parcel(an_order_in(shops[0], stores[0]), "YT1", lines={"MUG": 2})
    an_order_in(shops[1], stores[1])

    for store in reversed(stores):
        push(store)

    assert [live(shop) for shop in shops] == [[(["YT1"], 2)], []]


# --- who mails ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sender, confirmed, notices",
    [
        (MailSender.STORE, True, 1),
        (MailSender.STORE, False, 0),  # no mail leaves before the merchant has confirmed the choice
        (MailSender.TRACKSYNC, True, 0),
        (MailSender.NOBODY, True, 0),
    ],
)
def test_the_store_mails_only_where_it_is_the_one_sender(shop, sender, confirmed, notices):
    confirmed_at = factories.NOON if confirmed else None
    store = factories.a_store_in(shop, mail_sender=sender, confirmed_at=confirmed_at)
    a_parcel(an_order_in(shop, store), "YT1", lines={"MUG": 2})

    push(store)

    assert len(shop.book()["notices"]) == notices


def test_a_store_that_mails_does_so_once_though_the_answer_was_lost(shop):
    store = factories.a_store_in(shop, mail_sender=MailSender.STORE)
    a_parcel(an_order_in(shop, store), "YT1", lines={"MUG": 2})
    shop.fault("reset_after", on="create", times=1)
    push(store)
    settle(store)
    push(store)

    assert [notice["numbers"] for notice in shop.book()["notices"]] == [["YT1"]]


def test_a_fulfillment_that_somebody_else_made_is_taken_over_without_a_mail(shop):
    store = factories.a_store_in(shop, mail_sender=MailSender.STORE)
    order = an_order_in(shop, store)
    parcel = a_parcel(order, "YT1", lines={"MUG": 2})
    shop.fulfil_by_hand(order.number)

    push(store)

    assert (row(parcel).adopted, shop.book()["notices"]) == (True, [])


# --- a house that bills monthly ------------------------------------------------------------------------------------


def test_where_the_shoppers_payment_counts_the_merchants_is_not_waited_for(shop):
    store = factories.a_store_in(shop, counts_as_paid=CountsAsPaid.WHEN_SHOPPER_PAID)
    order = an_order_in(shop, store)
    type(order).objects.filter(pk=order.pk).update(paid_at=None)
    a_parcel(order, "YT1", lines={"MUG": 2})

    push(store)

    assert live(shop) == [(["YT1"], 2)]


def test_a_paused_store_is_not_pushed_to_and_loses_nothing(shop):
    store = factories.a_store_in(shop, is_paused=True)
    a_parcel(an_order_in(shop, store), "YT1", lines={"MUG": 2})
    assert (sync.due_stores(10), push(store), live(shop)) == ([], {}, [])

    Store.objects.filter(pk=store.pk).update(is_paused=False)
    assert sync.due_stores(10) == [store.pk]
    push(store)
    assert live(shop) == [(["YT1"], 2)]
