"""Writers of facts at the same time: nobody is overwritten, nobody waits for ever. Needs real row locks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db import connection

from orders import changes
from orders.choices import NumberKind
from orders.models import Order, TrackingNumber, TrackingSync
from orders.pull import save_orders
from tests import factories
from tests.orders.importing.files import a_file, a_line, run
from tests.orders.test_pull import CUP, MUG, told

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def at_once(*acts: Callable[[], object]) -> list[BaseException]:
    """Run these in threads of their own, started together; what they raised."""
    raised: list[BaseException] = []
    barrier = threading.Barrier(len(acts))

    def work(act: Callable[[], object]) -> None:
        try:
            barrier.wait(30)
            act()
        except BaseException as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    return raised


def test_one_number_set_by_many_is_one_row(now: datetime) -> None:
    shipment, carrier = factories.a_shipment(), factories.a_carrier()

    raised = at_once(
        *(lambda: changes.set_number(shipment.pk, NumberKind.LOCAL, "YT2600000001", carrier, now=now) for _ in range(8))
    )

    assert raised == []
    assert list(shipment.numbers.values_list("value", "replaced_at")) == [("YT2600000001", None)]


def test_different_numbers_set_at_once_leave_one_current_and_all_as_history(now: datetime) -> None:
    shipment, carrier = factories.a_shipment(), factories.a_carrier()

    raised = at_once(
        *(
            lambda n=n: changes.set_number(shipment.pk, NumberKind.LOCAL, f"YT260000000{n}", carrier, now=now)
            for n in range(8)
        )
    )

    assert raised == []
    assert sorted(shipment.numbers.values_list("value", flat=True)) == [f"YT260000000{n}" for n in range(8)]
    assert shipment.numbers.filter(replaced_at__isnull=True).count() == 1


def test_an_order_pulled_by_many_is_there_once_in_its_newest_state(now: datetime) -> None:
    store = factories.a_store()
    states = [
        told(
            updated_at=factories.NOON + timedelta(seconds=n),
            customer_name=f"state {n}",
            lines=(MUG, replace(CUP, quantity=n)),
        )
        for n in range(1, 9)
    ]

    raised = at_once(*(lambda state=state: save_orders(store, [state], now) for state in states))

    assert raised == []
    order = Order.objects.get()
    assert (order.customer_name, order.store_updated_at) == ("state 8", states[-1].updated_at)
    assert list(order.lines.order_by("external_id").values_list("sku", "quantity")) == [("MUG", 2), ("CUP", 8)]


def test_a_payment_by_many_is_one_of_theirs(now: datetime) -> None:
    order = factories.an_order(paid_at=None)
    times = [now + timedelta(minutes=n) for n in range(8)]
    counted: list[int] = []

    raised = at_once(*(lambda at=at: counted.append(changes.mark_paid([order.pk], at, now=now)) for at in times))

    assert (raised, sum(counted)) == ([], 1)
    order.refresh_from_db()
    assert order.paid_at in times


def test_imports_pulls_and_people_never_wait_for_one_another_in_a_circle(now: datetime) -> None:
    store = factories.a_store()
    save_orders(store, [told(n) for n in range(40)], now)
    orders = list(Order.objects.order_by("-pk"))
    shipments = [factories.a_shipment(order) for order in orders]  # sync rows in the opposite order of the orders
    carrier = factories.a_carrier("yunexpress")
    ids = [shipment.pk for shipment in shipments]

    def bring_in(mark: str) -> None:
        text = a_file(
            *(a_line(o, local_number=f"{mark}{o.pk:08}", carrier="yunexpress", paid_at="2026-03-01") for o in orders)
        )
        assert run(text).problems == ()

    def pull(seconds: int) -> None:
        later = factories.NOON + timedelta(seconds=seconds)
        save_orders(store, [told(n, updated_at=later, customer_name=f"{seconds}") for n in reversed(range(40))], now)

    def type_in() -> None:
        for pk in ids:
            changes.set_number(pk, NumberKind.LOCAL, f"TYPED{pk:08}", carrier, now=now)

    raised = at_once(
        lambda: bring_in("YTA"),
        lambda: bring_in("YTB"),
        lambda: pull(1),
        lambda: pull(2),
        type_in,
        lambda: changes.mark_dispatched(ids, now, now=now),
        lambda: changes.mark_paid([order.pk for order in orders], now, now=now),
    )

    assert raised == []
    current = TrackingNumber.objects.filter(replaced_at__isnull=True)
    assert (current.count(), current.values("shipment").distinct().count()) == (40, 40)
    # Whatever came last: each row wants its shipment's current number.
    wanted = dict(TrackingSync.objects.values_list("shipment", "wanted__value"))
    assert wanted == dict(current.values_list("shipment", "value"))
