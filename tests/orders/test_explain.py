"""`manage.py explain`: what it finds, what it says, and how it ends."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from orders import changes
from orders.models import SyncAttempt
from stores.choices import Timing
from tests import factories
from tests.orders.admin_cast import a_planned_shipment, a_shown_shipment

pytestmark = pytest.mark.django_db


def explained(capsys, *arguments: str) -> list[dict]:
    call_command("explain", *arguments, "--json")
    return json.loads(capsys.readouterr().out)["matches"]


def test_a_parcel_is_told_in_words(capsys) -> None:
    store = factories.a_store(name="Blue Mug")
    order = factories.an_order(store, number="#1001")
    a_planned_shipment(order, local="YT2600000000000001")

    call_command("explain", "--order", "#1001")

    said = capsys.readouterr().out.splitlines()
    assert said[:2] == [
        f"Order #1001, parcel 1, Blue Mug (store {store.pk}, shopify)",
        "  The number YT2600000000000001 is ready, but the parcel is still with us, and the store asked for it after "
        "dispatch.",
    ]
    assert said[3:8] == [
        "  Who acts:   Our staff",
        "  What next:  It goes out by itself as soon as the parcel is handed to the carrier.",
        "  State:      Waiting",
        "  To show:    –",
        "  Shown:      –",
    ]
    assert said[-1] == "  Timeline:   nothing was sent yet"


@pytest.mark.parametrize(
    "written, asked",
    [("#1001", "#1001"), ("#1001", "1001"), ("1001", "#1001"), ("1001", "1001"), ("#1001", " #1001 ")],
)
def test_an_order_is_found_as_written_then_with_or_without_its_hash(written: str, asked: str, capsys) -> None:
    a_planned_shipment(factories.an_order(number=written))

    assert [match["order"]["number"] for match in explained(capsys, "--order", asked)] == [written]


def test_an_order_as_written_comes_before_one_that_differs_by_the_hash(capsys) -> None:
    a_planned_shipment(factories.an_order(number="#1001"))
    a_planned_shipment(factories.an_order(number="1001"))

    assert [match["order"]["number"] for match in explained(capsys, "--order", "1001")] == ["1001"]


@pytest.mark.parametrize("asked", ["YT2600000000000001", "yt26 0000 0000 0000 01", "YT2600000000000002", "CJP12345"])
def test_a_parcel_is_found_by_any_number_it_ever_had(asked: str, capsys) -> None:
    shipment = a_planned_shipment(own="CJP12345")
    changes.set_number(shipment.pk, "local", "YT2600000000000002", factories.a_carrier(), now=timezone.now(), why="new")

    assert [match["shipment"]["id"] for match in explained(capsys, "--number", asked)] == [shipment.pk]


def test_every_match_has_its_block_and_a_store_narrows_them(capsys) -> None:
    blue, red = factories.a_store(name="Blue"), factories.a_store(name="Red")
    first = factories.an_order(blue, number="#1001")
    a_planned_shipment(first)
    a_planned_shipment(first, parcel=2)
    a_planned_shipment(factories.an_order(red, number="#1001"))

    everywhere = [(m["store"]["name"], m["shipment"]["parcel"]) for m in explained(capsys, "--order", "#1001")]
    in_red = [
        (m["store"]["name"], m["shipment"]["parcel"])
        for m in explained(capsys, "--order", "1001", "--store", str(red.pk))
    ]

    assert everywhere == [("Blue", 1), ("Blue", 2), ("Red", 1)]
    assert in_red == [("Red", 1)]


def test_an_order_without_a_parcel_is_told_too(capsys) -> None:
    factories.an_order(number="#1001")

    (match,) = explained(capsys, "--order", "1001")

    assert (match["shipment"], match["code"], match["who"]) == (None, "no_parcel", "staff")
    assert match["headline"] == "The order is here, but it has no parcel yet, so there is no number to send."


def test_json_holds_codes_values_and_sentences(capsys) -> None:
    anna = factories.a_user("anna@house.example", is_staff=True)
    shipment = a_shown_shipment()
    SyncAttempt.objects.create(
        sync=shipment.sync,
        at=timezone.now(),
        number=shipment.numbers.get(),
        outcome="try_again_later",
        reason="on_hold",
        reason_values={"holds": ["Fraud"]},
        message="held",
        request_id="req-7",
        preference_version=1,
        actor=anna,
    )

    (match,) = explained(capsys, "--number", "YT2600000000000001")

    assert {key: match[key] for key in ("state", "code", "who", "wanted", "shown", "needs_attention", "notes")} == {
        "state": "synced",
        "code": "in_store",
        "who": "nobody",
        "wanted": "YT2600000000000001",
        "shown": "YT2600000000000001",
        "needs_attention": False,
        "notes": [],
    }
    assert [number["value"] for number in match["numbers"]] == ["YT2600000000000001"]
    (line,) = match["timeline"]
    assert {key: value for key, value in line.items() if key not in ("at", "duration_ms")} == {
        "number": "YT2600000000000001",
        "outcome": "try_again_later",
        "reason": "on_hold",
        "values": {"holds": ["Fraud"]},
        "sentence": "It has to wait. The store keeps this order on hold: Fraud.",
        "message": "held",
        "request_id": "req-7",
        "preference_version": 1,
        "actor": "anna@house.example",
    }


def test_numbers_in_front_are_counted(capsys) -> None:
    store = factories.a_store(timing=Timing.BEFORE_DISPATCH)
    for position in range(3):
        order = factories.an_order(store, number=f"#{position}")
        a_planned_shipment(order, local=f"YT260000{position}", known_at=factories.NOON + timedelta(minutes=position))

    (match,) = explained(capsys, "--order", "#2")

    assert match["headline"] == "It is on its way to the store: 2 numbers of this store go before it."


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("--number", "YT1"), "No parcel has or had the number 'YT1'."),
        (("--number", ""), "No parcel has or had the number ''."),
        (("--number", "YT1", "--store", "7"), "No parcel has or had the number 'YT1' in store 7."),
        (("--order", "#1"), "No order '#1'. Orders are pulled by themselves; pull_orders pulls them now."),
        (("--order", ""), "No order ''. Orders are pulled by themselves; pull_orders pulls them now."),
        (("--order", "#"), "No order '#'. Orders are pulled by themselves; pull_orders pulls them now."),
    ],
)
def test_nothing_found_says_so(arguments: tuple[str, ...], said: str) -> None:
    a_planned_shipment()

    with pytest.raises(CommandError) as caught:
        call_command("explain", *arguments)

    assert (str(caught.value), caught.value.returncode) == (said, 1)


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "arguments, status",
    [
        (("--number", "YT2600000000000001"), 0),
        (("--number", "YT0"), 1),
        ((), 2),
        (("--order", "1", "--number", "1"), 2),
        (("--order", "1", "--store", "blue"), 2),
    ],
)
def test_the_exit_status_tells_found_from_missing_and_misused(arguments: tuple[str, ...], status: int, manage) -> None:
    a_planned_shipment()

    done = manage("explain", *arguments)

    assert (done.returncode, bool(done.stdout), bool(done.stderr)) == (status, status == 0, status != 0)
