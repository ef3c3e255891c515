"""What a file changes, and what it must not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.forms.models import model_to_dict
from django.test.utils import CaptureQueriesContext

from orders.choices import NumberKind, RowCode, SyncState, WaitCode
from orders.importing.writing import Written
from orders.models import Order, OrderLine, Shipment, ShipmentLine, TrackingNumber, TrackingSync
from stores.choices import Timing
from tests import factories
from tests.factories import NOON
from tests.orders.importing.files import COLUMNS, a_file, a_line, numbers_of, parcels_of, run, told, warned

pytestmark = pytest.mark.django_db

PAID = "2026-03-01T10:00:00Z"
SENT = "2026-03-02T09:00:00Z"


def everything() -> list[list[dict]]:
    """All that an import may write."""
    return [
        [model_to_dict(row) | {"pk": row.pk} for row in model.objects.order_by("pk")]
        for model in (Order, OrderLine, Shipment, ShipmentLine, TrackingNumber, TrackingSync)
    ]


def a_state(shipment: Shipment) -> tuple[str, str, str]:
    """(state, reason, the number that is wanted)."""
    row = TrackingSync.objects.select_related("wanted").get(shipment=shipment)
    return row.state, row.reason, row.wanted.value if row.wanted else ""


# --- What a file says ------------------------------------------------------------------------------------


def test_a_line_makes_a_parcel_with_all_that_it_says() -> None:
    order = factories.an_order(paid_at=None)
    factories.an_own_method()

    report = run(
        a_file(
            a_line(
                order,
                shipping_method="CJPacket Ordinary",
                own_number=" cjp26 0000 0001",
                local_number="YT2600000001",
                carrier="YunExpress",
                paid_at=PAID,
                dispatched_at=SENT,
            )
        )
    )

    assert (told(report), warned(report)) == ([], [])
    assert report.written == Written(new=1, numbers=2, paid=1, dispatched=1)
    shipment = order.shipments.select_related("shipping_method").get()
    order.refresh_from_db()
    assert (shipment.parcel, shipment.shipping_method.name, shipment.dispatched_at, order.paid_at) == (
        1,
        "CJPacket Ordinary",
        NOON - timedelta(hours=3),
        NOON - timedelta(hours=26),
    )
    assert numbers_of(shipment) == [
        ("own", "CJP2600000001", "cj-packet", True),
        ("local", "YT2600000001", "yunexpress", True),
    ]
    number = shipment.numbers.get(kind=NumberKind.OWN)
    assert (number.raw, number.known_at) == (" cjp26 0000 0001", NOON)
    assert a_state(shipment) == (SyncState.DUE, "", "CJP2600000001")


def test_the_same_file_twice_changes_nothing() -> None:
    order = factories.an_order(lines=(("MUG", 3), ("CUP", 1)), paid_at=None)
    text = a_file(
        a_line(order, 1, own_number="CJP2600000001", paid_at=PAID, dispatched_at=SENT, sku="MUG", quantity=2),
        a_line(order, 1, sku="CUP", quantity=1),
        a_line(
            order, 2, local_number="YT2600000001", carrier="yunexpress", shipping_method="4px", sku="MUG", quantity=1
        ),
        columns=COLUMNS,
    )
    assert run(text).written == Written(new=2, numbers=2, paid=1, dispatched=1)
    before = everything()

    report = run(text, now=NOON + timedelta(days=1))

    assert (told(report), warned(report), report.written) == ([], [], Written(unchanged=2))
    assert everything() == before


def test_an_empty_cell_changes_nothing() -> None:
    shipment = factories.a_shipment(own="CJP2600000001", local="YT2600000001", dispatched_at=NOON)
    before = everything()

    assert run(a_file(a_line(shipment.order))).written == Written(unchanged=1)

    assert everything() == before


def test_a_dash_removes() -> None:
    order = factories.an_order(lines=(("MUG", 3),))
    shipment = factories.a_shipment(
        order, own="CJP2600000001", local="YT2600000001", dispatched_at=NOON, lines={"MUG": 2}
    )

    report = run(
        a_file(
            a_line(
                order, shipping_method="-", own_number="-", local_number="-", dispatched_at="-", carrier="-", sku="-"
            ),
            columns=COLUMNS,
        )
    )

    assert (told(report), report.written) == ([], Written(changed=1, removed=2))
    shipment.refresh_from_db()
    assert (shipment.shipping_method, shipment.dispatched_at, parcels_of(order)) == (None, None, {1: {}})
    assert numbers_of(shipment) == [
        ("own", "CJP2600000001", factories.our_carrier().code, False),
        ("local", "YT2600000001", "yunexpress", False),
    ]
    assert a_state(shipment) == (SyncState.WAITING, WaitCode.METHOD_MISSING, "")


def test_a_replaced_number_stays_as_history() -> None:
    shipment = factories.a_shipment(local="YT2600000001")

    report = run(a_file(a_line(shipment.order, local_number="YT2600000002")))

    # An empty carrier leaves the one that is there.
    assert (told(report), report.written) == ([], Written(changed=1, replaced=1))
    assert numbers_of(shipment) == [
        ("local", "YT2600000001", "yunexpress", False),
        ("local", "YT2600000002", "yunexpress", True),
    ]
    assert shipment.numbers.first().replaced_at == NOON


def test_a_corrected_carrier_is_a_new_row_of_the_same_number() -> None:
    shipment = factories.a_shipment(local="YT2600000001")

    assert run(a_file(a_line(shipment.order, carrier="4PX"))).written == Written(changed=1, replaced=1)

    assert numbers_of(shipment) == [
        ("local", "YT2600000001", "yunexpress", False),
        ("local", "YT2600000001", "4px", True),
    ]


def test_a_payment_lets_all_parcels_of_the_order_go() -> None:
    order = factories.an_order(factories.a_store(timing=Timing.BEFORE_DISPATCH), paid_at=None)
    first, second = (factories.a_shipment(order, parcel=n, local=f"YT260000000{n}") for n in (1, 2))

    assert run(a_file(a_line(order, 1, paid_at=PAID))).written == Written(unchanged=1, paid=1)

    assert [a_state(first), a_state(second)] == [
        (SyncState.DUE, "", "YT2600000001"),
        (SyncState.DUE, "", "YT2600000002"),
    ]


@pytest.mark.parametrize("cell", [SENT, "-"])
def test_a_payment_never_moves(cell: str) -> None:
    order = factories.an_order(paid_at=NOON)

    report = run(a_file(a_line(order, paid_at=cell)))

    assert (told(report), warned(report)) == ([], [(2, "paid_at", "payment_stays")])
    order.refresh_from_db()
    assert (order.paid_at, report.written) == (NOON, Written(new=1))


def test_a_dispatch_taken_back_after_the_number_was_sent_needs_a_person() -> None:
    shipment = factories.a_shipment(local="YT2600000001", dispatched_at=NOON)
    number = shipment.numbers.get()
    TrackingSync.objects.update(shown=number, wanted=number, kind="local", state=SyncState.SYNCED)

    run(a_file(a_line(shipment.order, dispatched_at="-")))
    assert a_state(shipment) == (SyncState.ATTENTION, RowCode.DISPATCH_REVERSED, "YT2600000001")

    run(a_file(a_line(shipment.order, dispatched_at=SENT)))
    assert a_state(shipment) == (SyncState.SYNCED, "", "YT2600000001")


# --- Which order -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "here, written, found",
    [
        (["#1001"], "#1001", "#1001"),
        (["#1001"], "1001", "#1001"),
        (["1001"], "#1001", "1001"),
        # as written comes first
        (["1001", "#1001"], "#1001", "#1001"),
        (["1001", "#1001"], "1001", "1001"),
        (["#1001-A", "#1001"], "1001-A", "#1001-A"),
    ],
)
def test_an_order_is_found_as_written_and_then_without_its_sign(here: list[str], written: str, found: str) -> None:
    store = factories.a_store()
    for number in here:
        factories.an_order(store, number=number)
    factories.an_order(number=written)  # another store's

    report = run(a_file({"store_id": store.pk, "order_number": written, "parcel": 1}))

    assert told(report) == []
    assert list(Shipment.objects.values_list("order__store", "order__number")) == [(store.pk, found)]


def test_two_orders_of_one_number_are_a_problem() -> None:
    store = factories.a_store()
    for _ in range(2):
        factories.an_order(store, number="#1001")

    report = run(a_file({"store_id": store.pk, "order_number": "1001", "parcel": 1}))

    assert (told(report), report.written) == ([(2, "order_number", "order_ambiguous")], None)


def test_two_spellings_of_one_order_mean_the_same_parcel() -> None:
    order = factories.an_order(number="#1001")

    report = run(
        a_file(
            a_line(order, own_number="CJP2600000001"),
            a_line(order, order_number="1001", own_number="CJP2600000002"),
        )
    )

    assert told(report) == [(3, "own_number", "contradiction")]


# --- What is in a parcel -----------------------------------------------------------------------------------


def contents(*lines: tuple[int, str, int]) -> tuple[Order, str]:
    """An order of 3 MUG, 1 CUP and again 2 MUG, and a file that says (parcel, SKU, quantity)."""
    order = factories.an_order(lines=(("MUG", 3), ("CUP", 1), ("MUG", 2)))
    return order, a_file(*(a_line(order, p, sku=sku, quantity=n) for p, sku, n in lines), columns=COLUMNS)


@pytest.mark.parametrize(
    "lines, parcels",
    [
        ([(1, "MUG", 2)], {1: [2]}),
        ([(1, "MUG", 4), (1, "CUP", 1)], {1: [3, 1, 1]}),
        ([(1, "MUG", 2), (1, "MUG", 2)], {1: [3, 1]}),
        ([(2, "MUG", 2), (1, "MUG", 2)], {1: [2], 2: [1, 1]}),
        ([(1, "MUG", 2), (2, "CUP", 1), (3, "MUG", 3)], {1: [2], 2: [1], 3: [1, 2]}),
    ],
)
def test_units_are_laid_on_the_lines_of_the_order(lines: list, parcels: dict[int, list[int]]) -> None:
    order, text = contents(*lines)

    assert told(run(text)) == []

    assert {
        shipment.parcel: list(shipment.lines.order_by("line").values_list("quantity", flat=True))
        for shipment in order.shipments.all()
    } == parcels


@pytest.mark.parametrize(
    "lines, problems",
    [
        ([(1, "MUG", 6)], [(2, "quantity", "more_than_ordered")]),
        ([(1, "MUG", 3), (2, "MUG", 3)], [(3, "quantity", "more_than_ordered")]),
        ([(1, "CUP", 1), (1, "CUP", 1)], [(2, "quantity", "more_than_ordered")]),
        ([(1, "JUG", 1)], [(2, "sku", "sku_unknown")]),
    ],
)
def test_a_parcel_cannot_hold_what_was_not_ordered(lines: list, problems: list) -> None:
    _, text = contents(*lines)

    report = run(text)

    assert (told(report), report.written) == (problems, None)


def test_what_other_parcels_hold_is_not_there_twice() -> None:
    order = factories.an_order(lines=(("MUG", 3),))
    factories.a_shipment(order, parcel=1, lines={"MUG": 2})

    report = run(a_file(a_line(order, 2, sku="MUG", quantity=2), columns=COLUMNS))

    assert [str(problem) for problem in report.problems] == [
        f"line 2, column quantity: Of “MUG” order {order.number} has 3, and its other parcels hold 2. "
        "Correct the quantity."
    ]
    # Told anew in the same file, the other parcel gives way.
    good = a_file(a_line(order, 1, sku="MUG", quantity=1), a_line(order, 2, sku="MUG", quantity=2), columns=COLUMNS)
    assert told(run(good)) == []
    assert parcels_of(order) == {1: {"MUG": 1}, 2: {"MUG": 2}}


def test_contents_that_were_right_stay_right_when_the_order_shrinks() -> None:
    order = factories.an_order(lines=(("MUG", 3),))
    text = a_file(a_line(order, sku="MUG", quantity=3), columns=COLUMNS)
    run(text)
    order.lines.update(quantity=0)

    assert run(text).written == Written(unchanged=1)


# --- Numbers that two parcels have ---------------------------------------------------------------------------


def test_a_number_of_another_order_s_parcel_is_a_problem() -> None:
    other = factories.a_shipment(local="YT2600000001")
    order = factories.an_order()
    text = a_file(a_line(order, local_number="YT2600000001", carrier="yunexpress"))

    report = run(text)

    assert [str(problem) for problem in report.problems] == [
        f"line 2, column local_number: YT2600000001 is the number of order {other.order.number}, parcel 1 "
        f"(store {other.order.store_id}). Correct it, or allow shared numbers."
    ]
    assert run(text, allow_shared=True).written == Written(new=1, numbers=1)
    # Once it is so, it is nothing new.
    assert run(text).written == Written(unchanged=1)


def test_a_number_on_two_lines_of_different_orders_is_a_problem_of_both() -> None:
    one, other = factories.an_order(), factories.an_order()
    text = a_file(a_line(one, own_number="CJP2600000001"), a_line(other, own_number="cjp 2600000001"))

    assert told(run(text)) == [(2, "own_number", "number_twice"), (3, "own_number", "number_twice")]
    assert run(text, allow_shared=True).written == Written(new=2, numbers=2)


def test_parcels_of_one_order_may_travel_under_one_number() -> None:
    order = factories.an_order()
    factories.a_shipment(order, parcel=3, own="CJP2600000002")

    report = run(
        a_file(
            a_line(order, 1, own_number="CJP2600000001"),
            a_line(order, 2, own_number="CJP2600000001"),
            a_line(order, 4, own_number="CJP2600000002"),
        )
    )

    assert told(report) == []
    assert warned(report) == [
        (2, "own_number", "number_shared"),
        (3, "own_number", "number_shared"),
        (4, "own_number", "number_shared"),
    ]
    assert report.written == Written(new=3, numbers=3)


def test_a_number_may_move_to_another_parcel_within_one_file() -> None:
    wrong = factories.a_shipment(local="YT2600000001")
    right = factories.a_shipment(local="YT2600000002")

    swapped = a_file(a_line(wrong.order, local_number="YT2600000002"), a_line(right.order, local_number="YT2600000001"))
    report = run(swapped)

    assert (told(report), report.written) == ([], Written(changed=2, replaced=2))


def test_a_number_that_a_parcel_once_had_is_free_again() -> None:
    other = factories.a_shipment()
    factories.a_number(other, "YT2600000001", replaced_at=NOON)

    report = run(a_file(a_line(factories.an_order(), local_number="YT2600000001", carrier="yunexpress")))

    assert told(report) == []


# --- All that can be wrong -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cells, problem",
    [
        (
            {"store_id": 99999},
            "column store_id: There is no store 99999. Its id stands on the store's page in the admin.",
        ),
        (
            {"shipping_method": "CJPacket Ordinaryy"},
            "column shipping_method: There is no shipping method “CJPacket Ordinaryy” (CJPacket Ordinary?). "
            "Write its code or its exact name, or add it in the admin.",
        ),
        (
            {"carrier": "Yun Express"},
            "column carrier: There is no carrier “Yun Express” (YunExpress?). "
            "Write its code or its exact name, or add it in the admin.",
        ),
        (
            {"local_number": "YT2600000001"},
            "column carrier: Whose number is YT2600000001? Fill in the carrier of the local number.",
        ),
        (
            {"own_number": "9.40011E+21"},
            "column own_number: A spreadsheet has shortened the number to “9.40011E+21” and its digits are lost. "
            "Format the column as text, enter the numbers again, and export anew.",
        ),
        (
            {"dispatched_at": "31/12/2025"},
            "column dispatched_at: “31/12/2025” is not a time we can read. "
            "Write it as 2026-03-31T14:30 or 2026-03-31T14:30+08:00.",
        ),
    ],
)
def test_a_problem_names_its_place_and_what_to_do(cells: dict, problem: str) -> None:
    factories.an_own_method()
    factories.a_carrier("yunexpress", name="YunExpress")
    order = factories.an_order()
    before = everything()

    report = run(a_file(a_line(order), a_line(order, 2, **cells)))

    assert [str(found) for found in report.problems] == [f"line 3, {problem}"]
    assert (report.written, everything()) == (None, before)


def test_all_problems_are_told_at_once() -> None:
    order, paid = factories.an_order(), factories.an_order(paid_at=None)

    report = run(
        a_file(
            a_line(order, 1, own_number="#####", carrier="nobody", paid_at="soon"),
            a_line(order, "", own_number="CJP2600000001"),
            a_line(paid, 1, store_id="", shipping_method="Carrier pigeon"),
            a_line(paid, 1, shipping_method="4px"),
            a_line(paid, 1, shipping_method="usps"),
            a_line(paid, 2, paid_at=PAID),
            a_line(paid, 3, paid_at=SENT),
        )
    )

    assert told(report) == [
        (2, "own_number", "number_spreadsheet_error"),
        (2, "carrier", "carrier_unknown"),
        (2, "paid_at", "bad_time"),
        (3, "parcel", "cell_empty"),
        (4, "store_id", "cell_empty"),
        (6, "shipping_method", "contradiction"),
        (8, "paid_at", "contradiction"),
    ]


@pytest.mark.parametrize(
    "cells, warning",
    [
        ({"local_number": "CJP2600000001", "carrier": "yunexpress"}, ("local_number", "local_looks_own")),
        ({"own_number": "YT2600000001"}, ("own_number", "own_looks_local")),
        ({"carrier": "yunexpress"}, ("carrier", "carrier_unused")),
    ],
)
def test_what_looks_like_a_mistake_is_told_and_stops_nothing(cells: dict, warning: tuple[str, str]) -> None:
    report = run(a_file(a_line(factories.an_order(), **cells)))

    assert (told(report), warned(report)) == ([], [(2, *warning)])
    assert report.written is not None


def test_a_repeated_line_is_told_and_stops_nothing() -> None:
    order = factories.an_order()

    report = run(a_file(a_line(order, own_number="CJP2600000001"), a_line(order, own_number="CJP2600000001")))

    assert (told(report), warned(report)) == ([], [(3, "parcel", "row_twice")])
    assert report.written == Written(new=1, numbers=1)


# --- Many ------------------------------------------------------------------------------------------------------


def test_a_thousand_parcels_cost_the_queries_of_a_few() -> None:
    store = factories.a_store()
    orders = Order.objects.bulk_create(
        Order(store=store, external_id=f"gid://{n}", number=f"#{n}", placed_at=NOON, store_updated_at=NOON)
        for n in range(900)
    )

    def queries(few: list[Order]) -> int:
        text = a_file(
            *(
                a_line(
                    order,
                    own_number=f"CJP{order.pk:010}",
                    local_number=f"YT{order.pk:010}",
                    carrier="yunexpress",
                    paid_at=PAID,
                    dispatched_at=SENT,
                )
                for order in few
            )
        )
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert told(run(text)) == []
        return len(captured)

    few, many = queries(orders[:5]), queries(orders[5:])

    assert TrackingNumber.objects.count() == 1800
    # Only the search for the holders of 1,790 numbers takes a second query.
    assert many <= few + 2
