"""What people do to orders and shipments, and what is left in the database and in the timeline."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F

from orders import changes
from orders.acts import Act
from orders.choices import AttemptOutcome, NumberKind, RowCode, Stopped, SyncState, WaitCode
from orders.models import Order, Shipment, SyncAttempt, TrackingNumber, TrackingSync
from stores.choices import Timing
from stores.connectors.codes import Code
from tests import factories

pytestmark = pytest.mark.django_db


def row_of(shipment: Shipment) -> TrackingSync:
    return TrackingSync.objects.select_related("wanted").get(shipment=shipment)


def state_of(shipment: Shipment) -> tuple[str, str]:
    row = row_of(shipment)
    return row.state, row.reason


def numbers_of(shipment: Shipment) -> list[tuple[str, str, str, bool]]:
    """(kind, value, carrier, whether it is current), oldest first."""
    return [
        (number.kind, number.value, number.carrier.code, number.replaced_at is None)
        for number in shipment.numbers.select_related("carrier").order_by("pk")
    ]


def timeline_of(shipment: Shipment) -> list[tuple[str, str, dict[str, object], str, str]]:
    """(outcome, act, values, message, who) of each line."""
    return [
        (line.outcome, line.reason, line.reason_values, line.message, line.actor.email if line.actor else "")
        for line in SyncAttempt.objects.filter(sync__shipment=shipment).select_related("actor")
    ]


def shown(shipment: Shipment, number: TrackingNumber, **fields: object) -> None:
    """Make it so that the store shows this number."""
    TrackingSync.objects.filter(shipment=shipment).update(
        **{"wanted": number, "shown": number, "kind": number.kind, "state": SyncState.SYNCED, "due_at": None} | fields
    )


# --- Parcels -----------------------------------------------------------------------------------------


def test_a_new_shipment_is_planned_at_once(now: datetime) -> None:
    order = factories.an_order(lines=(("MUG", 2), ("CUP", 1)))
    mug = order.lines.get(sku="MUG")

    shipment = changes.create_shipment(order, parcel=1, shipping_method=factories.a_method(), lines={mug: 2}, now=now)

    assert [(line.line, line.quantity) for line in shipment.lines.all()] == [(mug, 2)]
    assert state_of(shipment) == (SyncState.WAITING, WaitCode.LOCAL_NUMBER_MISSING)
    assert row_of(shipment).store_id == order.store_id


def test_an_order_has_each_parcel_once(now: datetime) -> None:
    order = factories.an_order()
    changes.create_shipment(order, parcel=1, shipping_method=None, lines=None, now=now)

    with pytest.raises(IntegrityError), transaction.atomic():
        changes.create_shipment(order, parcel=1, shipping_method=None, lines=None, now=now)

    assert order.shipments.count() == 1


# --- Payment -----------------------------------------------------------------------------------------


def test_a_payment_never_moves(now: datetime) -> None:
    paid = factories.an_order(paid_at=now - timedelta(days=3))
    unpaid = factories.an_order(paid_at=None)

    assert changes.mark_paid([paid.pk, unpaid.pk], now, now=now) == 1
    assert changes.mark_paid([paid.pk, unpaid.pk], now + timedelta(days=1), now=now) == 0

    assert list(Order.objects.order_by("pk").values_list("paid_at", flat=True)) == [now - timedelta(days=3), now]


def test_a_payment_lets_the_numbers_of_all_parcels_go(now: datetime) -> None:
    order = factories.an_order(factories.a_store(timing=Timing.BEFORE_DISPATCH), paid_at=None)
    parcels = [factories.a_shipment(order, parcel=n, local=f"YT260000000{n}") for n in (1, 2)]
    changes.try_again([p.pk for p in parcels], now=now)

    changes.mark_paid([order.pk], now, now=now)

    assert [(row_of(p).state, row_of(p).due_at) for p in parcels] == [(SyncState.DUE, now)] * 2


# --- Dispatch ----------------------------------------------------------------------------------------


def test_a_dispatch_lets_the_number_go_under_after(now: datetime) -> None:
    shipment = factories.a_shipment(local="YT2600000001")
    assert changes.undo_dispatch([shipment.pk], now=now) == 0

    assert changes.mark_dispatched([shipment.pk], now, now=now) == 1
    assert changes.mark_dispatched([shipment.pk], now + timedelta(hours=1), now=now) == 0

    shipment.refresh_from_db()
    assert shipment.dispatched_at == now
    assert (row_of(shipment).state, row_of(shipment).due_at) == (SyncState.DUE, now)


def test_an_undone_dispatch_of_what_was_not_sent_waits_again(now: datetime) -> None:
    shipment = factories.a_shipment(local="YT2600000001")
    changes.mark_dispatched([shipment.pk], now, now=now)

    assert changes.undo_dispatch([shipment.pk], now=now) == 1

    assert state_of(shipment) == (SyncState.WAITING, WaitCode.NOT_DISPATCHED)


@pytest.mark.parametrize(
    "timing, expected",
    [
        (Timing.AFTER_DISPATCH, (SyncState.ATTENTION, RowCode.DISPATCH_REVERSED)),
        (Timing.BEFORE_DISPATCH, (SyncState.SYNCED, "")),
    ],
)
def test_an_undone_dispatch_of_what_was_sent_takes_nothing_back(
    timing: str, expected: tuple[str, str], now: datetime
) -> None:
    order = factories.an_order(factories.a_store(timing=timing))
    shipment = factories.a_shipment(order, local="YT2600000001", dispatched_at=now)
    number = shipment.numbers.get()
    shown(shipment, number)

    changes.undo_dispatch([shipment.pk], now=now)

    assert state_of(shipment) == expected
    assert row_of(shipment).shown_id == number.pk


def test_a_parcel_that_goes_out_again_needs_nobody_any_more(now: datetime) -> None:
    shipment = factories.a_shipment(local="YT2600000001", dispatched_at=now)
    shown(shipment, shipment.numbers.get())
    changes.undo_dispatch([shipment.pk], now=now)

    changes.mark_dispatched([shipment.pk], now, now=now)

    assert state_of(shipment) == (SyncState.SYNCED, "")


# --- Numbers -----------------------------------------------------------------------------------------


def test_a_replaced_number_stays_as_history(now: datetime) -> None:
    shipment = factories.a_shipment()
    yun, four = factories.a_carrier("yunexpress"), factories.a_carrier("4px")

    assert changes.set_number(shipment.pk, NumberKind.LOCAL, " yt26 0000 0001", yun, now=now) is True
    assert changes.set_number(shipment.pk, NumberKind.LOCAL, "YT2600000001", yun, now=now) is False
    # A corrected carrier is a new row too: what a store was told of it stays as it was.
    assert changes.set_number(shipment.pk, NumberKind.LOCAL, "YT2600000001", four, now=now, why="wrong carrier") is True
    assert changes.set_number(shipment.pk, NumberKind.LOCAL, "YT2600000002", four, now=now) is True
    assert changes.set_number(shipment.pk, NumberKind.LOCAL, "YT2600000001", four, now=now) is True

    assert numbers_of(shipment) == [
        ("local", "YT2600000001", "yunexpress", False),
        ("local", "YT2600000001", "4px", False),
        ("local", "YT2600000002", "4px", False),
        ("local", "YT2600000001", "4px", True),
    ]
    assert list(shipment.numbers.order_by("pk").values_list("raw", "replaced_why"))[:2] == [
        (" yt26 0000 0001", "wrong carrier"),
        ("YT2600000001", ""),
    ]


def test_an_own_number_comes_with_our_carrier_and_beside_the_local_one(now: datetime) -> None:
    shipment = factories.a_shipment(local="YT2600000001")

    changes.set_number(shipment.pk, NumberKind.OWN, "cjp2600000001", None, now=now)

    assert numbers_of(shipment) == [
        ("local", "YT2600000001", "yunexpress", True),
        ("own", "CJP2600000001", factories.our_carrier().code, True),
    ]


@pytest.mark.parametrize("raw, carrier", [("", "yunexpress"), (" ' ", "yunexpress"), ("YT2600000001", "")])
def test_a_number_is_not_empty_and_has_a_carrier(raw: str, carrier: str, now: datetime) -> None:
    shipment = factories.a_shipment()

    with pytest.raises(ValueError, match="number"):
        changes.set_number(
            shipment.pk, NumberKind.LOCAL, raw, factories.a_carrier(carrier) if carrier else None, now=now
        )

    assert numbers_of(shipment) == []


def test_a_number_is_known_from_now_on_unless_it_is_said(now: datetime) -> None:
    shipment = factories.a_shipment()
    earlier = now - timedelta(days=2)

    changes.set_number(shipment.pk, NumberKind.OWN, "CJP2600000001", None, now=now)
    changes.set_number(shipment.pk, NumberKind.LOCAL, "YT2600000001", factories.a_carrier(), now=now, known_at=earlier)

    assert dict(shipment.numbers.values_list("kind", "known_at")) == {"own": now, "local": earlier}


def test_a_removed_number_stays_as_history_and_is_waited_for(now: datetime) -> None:
    shipment = factories.a_shipment(local="YT2600000001", dispatched_at=now)
    changes.try_again([shipment.pk], now=now)

    assert changes.remove_number(shipment.pk, NumberKind.LOCAL, now=now, why="typing error") is True
    assert changes.remove_number(shipment.pk, NumberKind.LOCAL, now=now) is False

    assert numbers_of(shipment) == [("local", "YT2600000001", "yunexpress", False)]
    assert shipment.numbers.get().replaced_why == "typing error"
    assert state_of(shipment) == (SyncState.WAITING, WaitCode.LOCAL_NUMBER_MISSING)


def test_a_removed_number_is_not_taken_back_from_the_store(now: datetime) -> None:
    shipment = factories.a_shipment(local="YT2600000001", dispatched_at=now)
    number = shipment.numbers.get()
    shown(shipment, number)

    changes.remove_number(shipment.pk, NumberKind.LOCAL, now=now)

    assert row_of(shipment).shown_id == number.pk


# --- What a person decides ---------------------------------------------------------------------------


def it_was_refused(shipment: Shipment, now: datetime) -> None:
    TrackingSync.objects.filter(shipment=shipment).update(
        state=SyncState.ATTENTION, reason=Code.OTHER_NUMBER_THERE, due_at=None, wanted=shipment.numbers.get()
    )


def it_was_given_up(shipment: Shipment, now: datetime) -> None:
    changes.give_up([shipment.pk], now=now, why="lost")


def it_backs_off(shipment: Shipment, now: datetime) -> None:
    TrackingSync.objects.filter(shipment=shipment).update(
        state=SyncState.DUE, due_at=now + timedelta(hours=1), due_since=now, attempts=9, wanted=shipment.numbers.get()
    )


def its_fulfillment_was_cancelled(shipment: Shipment, now: datetime) -> None:
    shown(
        shipment,
        shipment.numbers.get(),
        state=SyncState.ATTENTION,
        reason=Code.FULFILLMENT_CANCELLED,
        fulfillments=["gid://1"],
    )


@pytest.mark.parametrize(
    "before", [it_was_refused, it_was_given_up, it_backs_off, its_fulfillment_was_cancelled], ids=lambda f: f.__name__
)
def test_trying_again_makes_it_due_now(before, now: datetime) -> None:
    shipment = factories.a_shipment(local="YT2600000001", dispatched_at=now - timedelta(hours=1))
    before(shipment, now)

    assert changes.try_again([shipment.pk], now=now) == 1

    row = row_of(shipment)
    assert (row.state, row.reason, row.attempts, row.stopped) == (SyncState.DUE, "", 0, Stopped.NO)
    assert (row.due_at <= now, row.wanted.value, row.fulfillments) == (True, "YT2600000001", [])


def test_trying_again_leaves_an_open_intent_its_time(now: datetime) -> None:
    shipment = factories.a_shipment(local="YT2600000001", dispatched_at=now)
    number, settled = shipment.numbers.get(), now + timedelta(seconds=60)
    TrackingSync.objects.filter(shipment=shipment).update(
        state=SyncState.DUE, due_at=settled, wanted=number, sending=number, sending_since=now
    )

    assert changes.try_again([shipment.pk], now=now) == 0

    row = row_of(shipment)
    assert (row.due_at, row.sending_id, row.sending_since) == (settled, number.pk, now)


def test_trying_again_touches_nothing_that_is_well(now: datetime) -> None:
    synced, waiting = (factories.a_shipment(local=f"YT260000000{n}", dispatched_at=now) for n in (1, 2))
    shown(synced, synced.numbers.get())
    TrackingSync.objects.update(state_since=now - timedelta(days=1))
    before = list(TrackingSync.objects.order_by("pk").values())

    assert changes.try_again([synced.pk, waiting.pk], now=now) == 0

    assert list(TrackingSync.objects.order_by("pk").values()) == before


def test_what_was_given_up_waits_until_a_person_puts_it_back(now: datetime) -> None:
    shipment = factories.a_shipment(local="YT2600000001", dispatched_at=now)

    assert changes.give_up([shipment.pk], now=now, why="lost in the warehouse") == 1
    assert changes.give_up([shipment.pk], now=now, why="again") == 0
    changes.mark_paid([shipment.order_id], now, now=now)

    assert state_of(shipment) == (SyncState.WAITING, WaitCode.GIVEN_UP)


def test_the_timeline_tells_who_did_what(now: datetime) -> None:
    clerk = factories.a_user("clerk@example.com", is_staff=True)
    order = factories.an_order(paid_at=None)
    shipment = factories.a_shipment(order)
    yun, four = factories.a_carrier("yunexpress", name="YunExpress"), factories.a_carrier("4px", name="4PX")

    changes.mark_paid([order.pk], now, now=now, actor=clerk)
    changes.set_number(shipment.pk, NumberKind.LOCAL, "YT2600000001", yun, now=now, actor=clerk)
    changes.set_number(shipment.pk, NumberKind.LOCAL, "YT2600000002", four, now=now, actor=clerk, why="typing error")
    changes.mark_dispatched([shipment.pk], now, now=now, actor=clerk)
    changes.undo_dispatch([shipment.pk], now=now, actor=clerk)
    changes.give_up([shipment.pk], now=now, actor=clerk, why="lost")
    changes.try_again([shipment.pk], now=now, actor=clerk)
    changes.remove_number(shipment.pk, NumberKind.LOCAL, now=now, actor=clerk, why="not ours")
    changes.mark_dispatched([shipment.pk], now, now=now)  # nobody in particular

    by_hand, who = AttemptOutcome.BY_HAND, "clerk@example.com"
    at = now.isoformat()
    replaced = {
        "kind": "local",
        "value": "YT2600000002",
        "before": "YT2600000001",
        "carrier": four.name,
        "carrier_before": yun.name,
    }
    assert timeline_of(shipment) == [
        (by_hand, Act.MARKED_PAID, {"at": at}, "", who),
        (by_hand, Act.NUMBER_ADDED, {"kind": "local", "value": "YT2600000001"}, "", who),
        (by_hand, Act.NUMBER_REPLACED, replaced, "typing error", who),
        (by_hand, Act.MARKED_DISPATCHED, {"at": at}, "", who),
        (by_hand, Act.DISPATCH_UNDONE, {}, "", who),
        (by_hand, Act.GAVE_UP, {}, "lost", who),
        (by_hand, Act.TRIED_AGAIN, {}, "", who),
        (by_hand, Act.NUMBER_REMOVED, {"kind": "local", "before": "YT2600000002"}, "not ours", who),
    ]


@pytest.mark.parametrize("count", [1, 30])
def test_many_at_once_cost_no_more_queries_than_one(count: int, now: datetime, django_assert_max_num_queries) -> None:
    store, clerk = factories.a_store(), factories.a_user()
    shipments = [factories.a_shipment(factories.an_order(store), local=f"YT26000000{n:02}") for n in range(count)]
    ids = [shipment.pk for shipment in shipments]

    with django_assert_max_num_queries(16):
        changes.mark_dispatched(ids, now, now=now, actor=clerk)

    assert TrackingSync.objects.filter(state=SyncState.DUE, wanted=F("wanted")).count() == count
