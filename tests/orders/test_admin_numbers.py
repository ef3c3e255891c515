"""Numbers as staff enter, replace and remove them: damage is refused, history stays."""

from __future__ import annotations

from typing import Any

import pytest

from orders.models import Shipment
from tests import factories
from tests.orders.admin_cast import a_planned_shipment, act_page, logged_in, messages_of, row_of, the_boss

pytestmark = pytest.mark.django_db


def enter(shipment: Shipment, **fields: Any) -> Any:
    data = {"kind": "local", "number": "YT2600000000000002", "carrier": factories.a_carrier().pk, **fields}
    return logged_in(the_boss()).post(act_page(shipment, "set_number"), data, follow=True)


SHORTENED = "A spreadsheet has shortened this number to a power of ten; copy it again from where it came."


def numbers_of(shipment: Shipment) -> list[tuple[str, str, bool]]:
    return [(n.kind, n.value, n.replaced_at is None) for n in shipment.numbers.order_by("pk")]


def test_a_first_number_is_entered() -> None:
    shipment = a_planned_shipment(local="")

    answer = enter(shipment, number=" yt26 0000 0000 0000 02 ")

    assert messages_of(answer) == ["YT2600000000000002 is its number now."]
    assert numbers_of(shipment) == [("local", "YT2600000000000002", True)]


def test_our_own_number_needs_no_carrier() -> None:
    shipment = a_planned_shipment(local="")

    enter(shipment, kind="own", number="cjp12345", carrier="")

    assert [(n.value, n.carrier.is_own) for n in shipment.numbers.all()] == [("CJP12345", True)]


def test_a_replaced_number_stays_as_history_with_the_reason() -> None:
    shipment = a_planned_shipment()

    enter(shipment, why="relabelled")

    assert numbers_of(shipment) == [("local", "YT2600000000000001", False), ("local", "YT2600000000000002", True)]
    assert shipment.numbers.get(value="YT2600000000000001").replaced_why == "relabelled"


def test_the_same_number_again_changes_nothing() -> None:
    shipment = a_planned_shipment()

    answer = enter(shipment, number="YT2600000000000001")

    assert messages_of(answer) == ["YT2600000000000001 is its number already; nothing was changed."]


@pytest.mark.parametrize(
    "fields, errors",
    [
        ({"number": ""}, {"number": ["This field is required."]}),
        (
            {"number": "9.40011E+21", "why": "x"},
            {"number": [SHORTENED]},
        ),
        ({"why": ""}, {"why": ["Say why the number before it is replaced."]}),
        ({"carrier": "", "why": "x"}, {"carrier": ["Choose the carrier that gave this number."]}),
        (
            {"number": "CJP12345", "why": "x"},
            {"number": ['This begins with CJP like our own numbers. Choose "our number" above if it is one.']},
        ),
        (
            {"kind": "own", "number": "CJP12345"},
            {"carrier": ["Our own number travels under our own name: leave the carrier empty."]},
        ),
    ],
)
def test_a_number_that_cannot_be_right_is_asked_for_again(fields: dict[str, str], errors: dict[str, list[str]]) -> None:
    shipment = a_planned_shipment()

    answer = enter(shipment, **fields)

    assert answer.context["form"].errors == errors
    assert numbers_of(shipment) == [("local", "YT2600000000000001", True)]


def test_a_number_that_another_parcel_has_is_taken_only_when_it_is_meant() -> None:
    a_planned_shipment(factories.an_order(number="#7"), local="YT2600000000000002")
    shipment = a_planned_shipment(local="")

    refused = enter(shipment).context["form"].errors
    enter(shipment, shared="on")

    assert refused == {"number": ["Order #7 parcel 1 has this number too. Correct it, or tick the box below."]}
    assert numbers_of(shipment) == [("local", "YT2600000000000002", True)]


def test_a_number_is_removed_and_kept_as_history() -> None:
    shipment = a_planned_shipment()

    logged_in(the_boss()).post(act_page(shipment, "remove_number"), {"kind": "local", "why": "wrong parcel"})

    assert numbers_of(shipment) == [("local", "YT2600000000000001", False)]
    assert row_of(shipment).reason == "local_number_missing"
