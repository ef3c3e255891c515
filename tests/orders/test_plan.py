"""The decision on the rows: what planning writes, what it leaves alone, and what it reads under its lock."""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.apps import apps
from django.db import connection, connections, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from orders import changes, plan
from orders.choices import NumberKind, SyncState, WaitCode
from orders.models import Order, Shipment, ShippingMethod, TrackingNumber, TrackingSync
from stores.choices import CountsAsPaid, NumberSource, Timing
from stores.models import Store, SyncPreference
from tests.factories import NOON, a_number, a_shipment, a_store, an_order, an_own_method

HOUR = timedelta(hours=1)
PAID = NOON - timedelta(days=1)
KNOWN = NOON - 6 * HOUR


def row_of(shipment: Shipment) -> TrackingSync:
    return TrackingSync.objects.get(shipment=shipment)


def state_of(shipment: Shipment) -> tuple[str, str, datetime | None]:
    row = row_of(shipment)
    return row.state, row.reason, row.due_at


def planned(*shipments: Shipment, now: datetime = NOON) -> None:
    with transaction.atomic():
        plan.plan([shipment.pk for shipment in shipments], now)


def choose(store: Store, **choice: object) -> None:
    """The merchant saves a choice: a new version of it, and nothing else."""
    SyncPreference.objects.filter(store=store).update(version=F("version") + 1, **choice)


def parcels(store: Store, count: int, **facts: object) -> list[Shipment]:
    """Planned parcels of CJPacket Ordinary with both numbers, waiting for nothing but what `facts` leave out."""
    made = [
        a_shipment(an_order(store), method=an_own_method(), own=f"CJP{n}", local=f"YT{n}", **facts)  # type: ignore[arg-type]
        for n in range(count)
    ]
    planned(*made)
    return made


def show(shipment: Shipment, kind: str = NumberKind.OWN) -> TrackingNumber:
    """The store shows the current number of that kind."""
    number = shipment.numbers.get(kind=kind, replaced_at=None)
    TrackingSync.objects.filter(shipment=shipment).update(
        shown=number, wanted=number, kind=kind, state=SyncState.SYNCED, due_at=None, reason=""
    )
    return number


# --- what is written ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_catalogue_gives_our_own_number_to_two_shipping_methods_and_to_no_other() -> None:
    importlib.import_module("orders.migrations.0002_seed_catalogue").seed(apps, None)
    kinds = dict(ShippingMethod.objects.values_list("name", "default_number"))

    assert {name for name, kind in kinds.items() if kind == NumberKind.OWN} == {
        "CJPacket Ordinary",
        "CJPacket Sensitive",
    }
    assert {"CJPacket Ordinary Oversize Line", "CJPacket Asia Ordinary", "CJPacket Liquid US", "YunExpress"} < set(
        kinds
    )


@pytest.mark.django_db
def test_a_parcel_on_its_way_from_order_to_store() -> None:
    store = a_store(timing=Timing.AFTER_DISPATCH, delay_hours=48)
    shipment = a_shipment(an_order(store, paid_at=None), method=an_own_method())
    story = []

    def then() -> None:
        planned(shipment)
        story.append(state_of(shipment))

    then()
    Order.objects.update(paid_at=PAID)
    then()
    number = a_number(shipment, "CJP1", kind=NumberKind.OWN, known_at=KNOWN)
    then()
    Shipment.objects.update(dispatched_at=NOON)
    then()

    assert story == [
        ("waiting", "unpaid", None),
        ("waiting", "own_number_missing", None),
        ("waiting", "not_dispatched", None),
        ("due", "", PAID + 48 * HOUR),
    ]
    row = row_of(shipment)
    assert (row.wanted, row.shown, row.sending, row.due_since, row.planned_version) == (
        number,
        None,
        None,
        PAID + 48 * HOUR,
        1,
    )


@pytest.mark.django_db
def test_what_is_due_at_once_counts_from_the_moment_it_was_planned() -> None:
    (shipment,) = parcels(a_store(timing=Timing.BEFORE_DISPATCH), 1)

    row = row_of(shipment)
    assert (row.due_at, row.due_since, row.state_since) == (KNOWN, NOON, NOON)


@pytest.mark.django_db
def test_planning_twice_writes_nothing() -> None:
    store = a_store(timing=Timing.BEFORE_DISPATCH)
    due = parcels(store, 1)
    waiting = [a_shipment(an_order(store)), a_shipment(an_order(store, paid_at=None))]
    shown = parcels(store, 1)
    show(shown[0])
    everything = [*due, *waiting, *shown]
    planned(*everything)

    with CaptureQueriesContext(connection) as queries:
        planned(*everything, now=NOON + 5 * HOUR)
        assert plan.replan_everything(NOON + 6 * HOUR) == 4

    assert [query["sql"] for query in queries if "UPDATE" in query["sql"].replace("FOR UPDATE", "")] == []


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 30])
def test_facts_cost_three_queries_whatever_their_number(count: int, django_assert_num_queries) -> None:
    shipments = parcels(a_store(), count)

    with django_assert_num_queries(3):
        found = plan.facts_of(shipment.pk for shipment in shipments)

    assert list(found) == [shipment.pk for shipment in shipments]


@pytest.mark.django_db
def test_facts_are_of_current_numbers_only() -> None:
    shipment = a_shipment(an_order(a_store()), method=an_own_method())
    a_number(shipment, "CJP1", kind=NumberKind.OWN, replaced_at=NOON)
    current = a_number(shipment, "CJP2", kind=NumberKind.OWN)
    a_number(shipment, "YT1", kind=NumberKind.LOCAL, replaced_at=NOON)  # taken away, and no other came

    facts = plan.facts_of([shipment.pk])[shipment.pk].facts

    assert facts.own is not None
    assert (facts.own.id, facts.own.value, facts.local) == (current.pk, "CJP2", None)


# --- whose payment, and how old ----------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    "counts, merchant_paid, shopper_paid, expected",
    [
        (CountsAsPaid.WHEN_MARKED, None, PAID, ("waiting", "unpaid", None)),
        (CountsAsPaid.WHEN_MARKED, NOON, PAID, ("due", "", NOON)),
        (CountsAsPaid.WHEN_SHOPPER_PAID, None, PAID, ("due", "", KNOWN)),
        (CountsAsPaid.WHEN_SHOPPER_PAID, None, None, ("waiting", "unpaid", None)),
        # a payment to us is a payment, whoever is asked
        (CountsAsPaid.WHEN_SHOPPER_PAID, NOON, PAID, ("due", "", NOON)),
    ],
)
def test_whose_payment_lets_a_number_go(
    counts: str, merchant_paid: datetime | None, shopper_paid: datetime | None, expected: tuple[object, ...]
) -> None:
    store = a_store(timing=Timing.BEFORE_DISPATCH, counts_as_paid=counts)
    order = an_order(store, paid_at=merchant_paid, shopper_paid_at=shopper_paid)
    shipment = a_shipment(order, method=an_own_method(), own="CJP1")
    planned(shipment)

    assert state_of(shipment) == expected


@pytest.mark.django_db
def test_orders_older_than_the_sync_wait_until_somebody_moves_the_date() -> None:
    store = a_store(timing=Timing.BEFORE_DISPATCH, sync_from=NOON)
    (shipment,) = parcels(store, 1)
    assert state_of(shipment) == ("waiting", WaitCode.OLDER_THAN_SYNC, None)
    assert row_of(shipment).reason_values == {"sync_from": NOON.isoformat()}

    Store.objects.update(sync_from=NOON - timedelta(days=30))
    plan.replan_everything(NOON)

    assert state_of(shipment) == ("due", "", KNOWN)


# --- a saved choice ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_saved_choice_reaches_only_what_nothing_has_been_sent_of() -> None:
    store = a_store(timing=Timing.BEFORE_DISPATCH)
    waiting, sending, shown = parcels(store, 3)
    TrackingSync.objects.filter(shipment=sending).update(
        sending=F("wanted"), sending_since=NOON, kind=NumberKind.OWN, attempts=1
    )
    show(shown)
    before = {row.shipment_id: row for row in TrackingSync.objects.all()}

    choose(store, number_source=NumberSource.LOCAL)
    assert plan.behind(store) == 1
    assert plan.replan(NOON + HOUR) == 1

    assert plan.behind(store) == 0
    row = row_of(waiting)
    assert (row.wanted.value, row.state, row.planned_version) == ("YT0", "due", 2)
    for shipment in (sending, shown):
        assert row_of(shipment).__dict__ | {"_state": 0} == before[shipment.pk].__dict__ | {"_state": 0}


@pytest.mark.django_db
def test_what_is_sent_or_shown_keeps_its_kind_when_it_is_planned_again() -> None:
    store = a_store(timing=Timing.BEFORE_DISPATCH)
    sending, shown = parcels(store, 2)
    TrackingSync.objects.filter(shipment=sending).update(
        sending=F("wanted"), sending_since=NOON, kind=NumberKind.OWN, attempts=1
    )
    show(shown)

    choose(store, number_source=NumberSource.LOCAL)
    plan.replan_everything(NOON + HOUR)

    assert [row_of(shipment).wanted.value for shipment in (sending, shown)] == ["CJP0", "CJP1"]
    assert row_of(shown).state == SyncState.SYNCED


@pytest.mark.django_db
def test_a_promise_of_which_nothing_is_out_binds_nobody() -> None:
    store = a_store(timing=Timing.BEFORE_DISPATCH)
    (shipment,) = parcels(store, 1)
    TrackingSync.objects.update(kind=NumberKind.OWN, attempts=1)

    choose(store, number_source=NumberSource.LOCAL)
    plan.replan(NOON)

    assert row_of(shipment).wanted.value == "YT0"


@pytest.mark.django_db
def test_a_replaced_number_goes_at_once_and_of_the_same_kind() -> None:
    store = a_store(timing=Timing.AFTER_DISPATCH, delay_hours=1000)
    (shipment,) = parcels(store, 1)
    show(shipment)
    choose(store, number_source=NumberSource.LOCAL)
    shipment.numbers.filter(kind=NumberKind.OWN).update(replaced_at=NOON)
    number = a_number(shipment, "CJP999", kind=NumberKind.OWN, known_at=NOON)
    planned(shipment)

    row = row_of(shipment)
    assert (row.state, row.wanted, row.due_at, row.shown.value) == ("due", number, NOON, "CJP0")


@pytest.mark.django_db
def test_another_number_does_not_wait_for_the_back_off_of_the_one_before() -> None:
    (shipment,) = parcels(a_store(timing=Timing.BEFORE_DISPATCH), 1)
    TrackingSync.objects.update(attempts=9, due_at=NOON + HOUR, reason="store_on_hold")
    shipment.numbers.filter(kind=NumberKind.OWN).update(replaced_at=NOON)
    a_number(shipment, "CJP999", kind=NumberKind.OWN, known_at=NOON)
    planned(shipment)

    row = row_of(shipment)
    assert (row.wanted.value, row.attempts, row.due_at, row.reason) == ("CJP999", 0, NOON, "")


@pytest.mark.django_db
def test_a_longer_delay_also_holds_what_has_been_tried_before() -> None:
    store = a_store(timing=Timing.BEFORE_DISPATCH)
    (shipment,) = parcels(store, 1)
    TrackingSync.objects.update(attempts=3, due_at=NOON + HOUR, kind=NumberKind.OWN)

    choose(store, delay_hours=48)
    plan.replan(NOON)

    assert state_of(shipment) == ("due", "", PAID + 48 * HOUR)


@pytest.mark.django_db
def test_a_shorter_delay_lets_go_at_once_what_was_never_tried() -> None:
    store = a_store(timing=Timing.BEFORE_DISPATCH, delay_hours=48)
    (shipment,) = parcels(store, 1)
    assert state_of(shipment) == ("due", "", PAID + 48 * HOUR)

    choose(store, delay_hours=0)
    plan.replan(NOON)

    assert state_of(shipment) == ("due", "", KNOWN)


@pytest.mark.django_db
def test_a_choice_saved_for_one_store_leaves_every_other_store_as_it_is() -> None:
    chosen, other = a_store(), a_store()
    mine, theirs = parcels(chosen, 2), parcels(other, 2)
    TrackingSync.objects.filter(shipment=theirs[0]).update(planned_version=0)
    plan.replan(NOON)
    before = list(TrackingSync.objects.filter(store=other).order_by("pk").values())
    preference = SyncPreference.objects.filter(store=other).values().get()

    choose(chosen, timing=Timing.BEFORE_DISPATCH, number_source=NumberSource.LOCAL, delay_hours=7)
    assert plan.replan(NOON + HOUR) == 2

    assert {row_of(shipment).state for shipment in mine} == {"due"}
    assert list(TrackingSync.objects.filter(store=other).order_by("pk").values()) == before
    assert SyncPreference.objects.filter(store=other).values().get() == preference


@pytest.mark.django_db
def test_a_replan_that_is_stopped_goes_on_where_it_ended() -> None:
    store = a_store()
    parcels(store, 5)
    choose(store, timing=Timing.BEFORE_DISPATCH)
    answers = iter([False, True])

    assert plan.replan(NOON, stop=lambda: next(answers), chunk=2) == 2
    assert (plan.behind(store), TrackingSync.objects.filter(state=SyncState.DUE).count()) == (3, 2)
    assert plan.replan(NOON, chunk=2) == 3
    assert (plan.behind(store), TrackingSync.objects.filter(state=SyncState.DUE).count()) == (0, 5)
    assert plan.replan(NOON, chunk=2) == 0


@pytest.mark.django_db(transaction=True)
def test_a_replan_that_is_killed_keeps_the_chunks_it_had_finished() -> None:
    store = a_store()
    parcels(store, 5)
    choose(store, timing=Timing.BEFORE_DISPATCH)
    looked = iter([False, False])

    with pytest.raises(StopIteration):
        plan.replan(NOON, stop=lambda: next(looked), chunk=2)

    connection.close()
    assert plan.behind(store) == 1
    assert plan.replan(NOON, chunk=2) == 1


@pytest.mark.django_db
def test_a_replan_of_everything_may_be_stopped_and_repairs_what_a_writer_missed() -> None:
    shipments = parcels(a_store(timing=Timing.BEFORE_DISPATCH), 5)
    TrackingSync.objects.update(state=SyncState.WAITING, due_at=None, wanted=None)
    answers = iter([False, True])

    assert plan.replan_everything(NOON, stop=lambda: next(answers), chunk=2) == 2
    assert plan.replan_everything(NOON, chunk=2) == 5
    assert {state_of(shipment) for shipment in shipments} == {("due", "", KNOWN)}


@pytest.mark.django_db
def test_a_plan_in_many_chunks_reaches_every_row(monkeypatch: pytest.MonkeyPatch) -> None:
    store = a_store(timing=Timing.BEFORE_DISPATCH)
    shipments = [a_shipment(an_order(store), method=an_own_method(), own=f"CJP{n}") for n in range(5)]
    monkeypatch.setattr(plan, "CHUNK", 2)
    planned(*shipments)

    assert {state_of(shipment) for shipment in shipments} == {("due", "", KNOWN)}


# --- two at once ------------------------------------------------------------------------------------------------------


def at_once(*acts: Callable[[], object], seconds: float = 30) -> None:
    """Do these at the same time, each on a connection of its own; raise what one of them raised."""
    errors: list[BaseException] = []
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        try:
            start.wait(seconds)
            act()
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds)
    assert not any(thread.is_alive() for thread in threads), "somebody waits for ever"
    if errors:
        raise errors[0]


def wait_until_somebody_waits_for_a_lock(seconds: float = 20) -> None:
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        with connection.cursor() as cursor:
            # What others do is seen afresh, also inside a transaction.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    raise AssertionError("nobody waited for the lock")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_plan_that_waited_for_its_lock_sees_what_was_committed_meanwhile() -> None:
    store = a_store(timing=Timing.BEFORE_DISPATCH)
    order = an_order(store, paid_at=None)
    shipment = a_shipment(order, method=an_own_method(), own="CJP1")
    planned(shipment)
    assert state_of(shipment) == ("waiting", "unpaid", None)
    locked = threading.Event()

    def pays() -> None:
        with transaction.atomic():
            list(TrackingSync.objects.select_for_update().filter(shipment=shipment))
            Order.objects.filter(pk=order.pk).update(paid_at=PAID)
            locked.set()
            wait_until_somebody_waits_for_a_lock()

    def plans() -> None:
        assert locked.wait(20)
        planned(shipment)

    at_once(pays, plans)

    assert state_of(shipment) == ("due", "", KNOWN)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_writers_of_the_same_parcels_in_opposite_order_do_not_wait_for_one_another() -> None:
    store = a_store()
    shipments = [a_shipment(an_order(store, paid_at=None), method=an_own_method(), own=f"CJP{n}") for n in range(30)]
    ids = [shipment.pk for shipment in shipments]
    orders = [shipment.order_id for shipment in shipments]

    for _ in range(5):
        at_once(
            lambda: changes.mark_dispatched(ids, NOON, now=NOON),
            lambda: changes.mark_paid(reversed(orders), PAID, now=NOON),
        )
        assert {state_of(shipment)[0] for shipment in shipments} == {"due"}
        Order.objects.update(paid_at=None)
        Shipment.objects.update(dispatched_at=None)
        planned(*shipments)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_plans_in_many_chunks_lock_in_one_order_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    store = a_store()
    shipments = [a_shipment(an_order(store), method=an_own_method(), own=f"CJP{n}") for n in range(40)]
    ids = [shipment.pk for shipment in shipments]
    # The rows are in another order than their shipments.
    TrackingSync.objects.all().delete()
    plan.new_rows(reversed(shipments))
    monkeypatch.setattr(plan, "CHUNK", 1)

    def lock_rows_as_the_push_does() -> None:
        with transaction.atomic():
            for pk in TrackingSync.objects.order_by("pk").values_list("pk", flat=True):
                list(TrackingSync.objects.select_for_update().filter(pk=pk))

    def plan_all(in_order: list[int]) -> None:
        with transaction.atomic():
            plan.plan(in_order, NOON)

    for _ in range(5):
        at_once(lambda: plan_all(ids), lambda: plan_all(ids[::-1]), lock_rows_as_the_push_does)

    assert {state_of(shipment)[0] for shipment in shipments} == {"waiting"}
