"""What stands in a WooCommerce shop after all that can happen to a parcel, at each of the places that show numbers.

Each story is told to a shop with a plugin's list, to one with WooCommerce's own fulfillments and to a plain one; the
table says what the shop's own book holds in the end: the order's status, each number with the units that it covers,
and every mail that the customer got, in their order.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from stores.connectors.base import Outcome, Receipt, TrackingUpdate
from stores.connectors.codes import Code
from stores.connectors.errors import OutcomeUnknown, ShipmentRejected
from tests.storefronts.woo import PretendWooCommerce

from .contract import an_update, pushed, soon
from .woo_under_test import PlacedOrder, WooUnderTest, in_book, recorded

PLUGINS = ("ast", "shipment_tracking", "fulfillments", "plain")
FIRST_WRITE = {"fulfillments": "create_fulfillment", "plain": "note"}  # else the list's


def first_write(store: WooUnderTest) -> str:
    return FIRST_WRITE.get(store.plugin, "create_tracking")


def told(order: PlacedOrder, number: str, *lines: int, **changes: Any) -> TrackingUpdate:
    """A parcel with one unit of each of these lines, whose number the store shall tell; no lines: nobody told."""
    contents = tuple((order.lines[line], 1) for line in lines) or None
    return an_update(order, number, lines=contents, notify=True, **changes)


def shipped(store: WooUnderTest, update: TrackingUpdate) -> Receipt:
    (receipt,) = store.connector().push([update], soon())
    assert isinstance(receipt, Receipt), receipt
    return receipt


def looked_up_and_finished(store: WooUnderTest, update: TrackingUpdate) -> None:
    """What follows a lost answer: a look, and only what is not there yet."""
    (seen,) = store.connector().look([update], soon())
    if seen is None or not seen.complete:  # type: ignore[union-attr]
        shipped(store, update)


# --- the stories ------------------------------------------------------------------------------------------


def one_parcel(store: WooUnderTest) -> PlacedOrder:
    order = store.order((1, 1))
    assert shipped(store, told(order, "N1", 0, 1)).outcome == Outcome.CREATED
    return order


def one_parcel_pushed_twice(store: WooUnderTest) -> PlacedOrder:
    order = one_parcel(store)
    assert shipped(store, told(order, "N1", 0, 1)).outcome == Outcome.UNCHANGED
    return order


def a_part_of_the_order(store: WooUnderTest) -> PlacedOrder:
    order = store.order((1, 1))
    shipped(store, told(order, "N1", 0))
    return order


def two_parcels(store: WooUnderTest) -> PlacedOrder:
    order = store.order((1, 1))
    first = shipped(store, told(order, "N1", 0))
    shipped(store, told(order, "N2", 1, siblings=frozenset({"N1", *first.fulfillments})))
    return order


def two_parcels_whose_contents_nobody_told(store: WooUnderTest) -> PlacedOrder:
    order = store.order((1, 1))
    first = shipped(store, told(order, "N1"))
    shipped(store, told(order, "N2", siblings=frozenset({"N1", *first.fulfillments})))
    return order


def the_rest_was_refunded(store: WooUnderTest) -> PlacedOrder:
    order = store.order((1, 1))
    store.shop.refund(int(order.id), {int(order.lines[1]): 1})
    shipped(store, told(order, "N1", 0))
    return order


def a_replaced_number(store: WooUnderTest) -> PlacedOrder:
    order = store.order((1, 1))
    first = shipped(store, told(order, "N1", 0, 1))
    again = told(order, "N2", 0, 1, ours=frozenset({"N1", "N2"}), fulfillments=first.fulfillments)
    second = shipped(store, again)
    assert (second.outcome, second.fulfillments) == (Outcome.REPLACED, first.fulfillments)
    return order


def a_number_replaced_while_answers_are_lost(store: WooUnderTest) -> PlacedOrder:
    """Each write of the replacement loses its answer: in the end the old number is gone, and the new is there once."""
    order = store.order((1, 1))
    first = shipped(store, told(order, "N1", 0, 1))
    again = told(order, "N2", 0, 1, ours=frozenset({"N1", "N2"}), fulfillments=first.fulfillments)
    for _ in range(4):
        store.fault("reset_after", on="mutation", times=1)
        (end,) = store.connector().push([again], soon())
        (seen,) = store.connector().look([again], soon())
        assert not isinstance(end, ShipmentRejected)
        assert seen.number == "N2"  # type: ignore[union-attr]
        store.clear()
    assert seen.complete  # type: ignore[union-attr]
    return order


def cancelled_before(store: WooUnderTest) -> PlacedOrder:
    order = store.order((1, 1))
    store.shop.set_status(int(order.id), "cancelled")
    ended = pushed(store.connector(), told(order, "N1", 0, 1))
    assert ended == [(ShipmentRejected, Code.ORDER_CANCELLED_IN_STORE)]
    return order


def cancelled_meanwhile(store: WooUnderTest) -> PlacedOrder:
    """Between our read and our write: the number is there then, and the order stays cancelled."""
    order = store.order((1, 1))
    store.shop.before(first_write(store), "set_status", order=int(order.id), status="cancelled")
    shipped(store, told(order, "N1", 0, 1))
    return order


def a_lost_answer(store: WooUnderTest) -> PlacedOrder:
    order = store.order((1, 1))
    store.fault("reset_after", on=first_write(store), times=1)
    (end,) = store.connector().push([told(order, "N1", 0, 1)], soon())
    assert isinstance(end, OutcomeUnknown)
    looked_up_and_finished(store, told(order, "N1", 0, 1))
    return order


def a_lost_answer_to_the_status(store: WooUnderTest) -> PlacedOrder:
    order = store.order((1, 1))
    store.fault("504_after", on="status", times=1)
    (end,) = store.connector().push([told(order, "N1", 0, 1)], soon())
    assert isinstance(end, OutcomeUnknown)
    looked_up_and_finished(store, told(order, "N1", 0, 1))
    return order


def a_status_that_never_arrived(store: WooUnderTest) -> PlacedOrder:
    """Cut short between tracking and status: the look finds the number and that something is missing."""
    order = store.order((1, 1))
    store.fault("429", on="status", times=1)
    (end,) = store.connector().push([told(order, "N1", 0, 1)], soon())
    assert isinstance(end, OutcomeUnknown)
    (seen,) = store.connector().look([told(order, "N1", 0, 1)], soon())
    assert (seen.number, seen.complete) == ("N1", False)  # type: ignore[union-attr]
    looked_up_and_finished(store, told(order, "N1", 0, 1))
    return order


def executed_late(store: WooUnderTest) -> PlacedOrder:
    order = store.order((1, 1))
    store.fault("late", on=first_write(store), times=1, seconds=0.3)
    (end,) = store.connector().push([told(order, "N1", 0, 1)], soon())
    assert isinstance(end, OutcomeUnknown)
    until = time.monotonic() + 5
    while not store.shown(order) and time.monotonic() < until:
        time.sleep(0.05)
    looked_up_and_finished(store, told(order, "N1", 0, 1))
    return order


# --- the table --------------------------------------------------------------------------------------------

BOTH = {"N1": [1, 1]}


def mails(lists: str, fulfillments: str, plain: str, *, official: str | None = None) -> dict[str, list[str]]:
    """The mails by place, each as "kind number"; `official` where the paid plugin mails otherwise than the free one."""
    said = {"ast": lists, "shipment_tracking": lists if official is None else official}
    said |= {"fulfillments": fulfillments, "plain": plain}
    return {plugin: [mail for mail in words.split("; ") if mail] for plugin, words in said.items()}


ONCE = mails("completed N1", "fulfillment N1; completed", "note N1; completed")


@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.parametrize(
    "story, status, numbers, mailed",
    [
        (one_parcel, "completed", BOTH, ONCE),
        (one_parcel_pushed_twice, "completed", BOTH, ONCE),
        (
            a_part_of_the_order,
            "partial-shipped",
            {"N1": [1, 0]},
            mails("partial-shipped N1", "fulfillment N1", "note N1", official=""),
        ),
        (
            two_parcels,
            "completed",
            {"N1": [1, 0], "N2": [0, 1]},
            mails(
                "partial-shipped N1; completed N1 N2",
                "fulfillment N1; fulfillment N2; completed",
                "note N1; note N2; completed",
                official="completed N1 N2",
            ),
        ),
        (
            two_parcels_whose_contents_nobody_told,
            "completed",
            {"N1": [1, 1], "N2": []},
            mails("completed N1", "fulfillment N1; completed; fulfillment N1 N2", "note N1; completed; note N2"),
        ),
        (the_rest_was_refunded, "completed", {"N1": [1, 0]}, ONCE),
        (
            a_replaced_number,
            "completed",
            {"N2": [1, 1]},
            mails("completed N1", "fulfillment N1; completed; fulfillment N2", "note N1; completed; note N2 N1"),
        ),
        (
            a_number_replaced_while_answers_are_lost,
            "completed",
            {"N2": [1, 1]},
            mails("completed N1", "fulfillment N1; completed; fulfillment N2", "note N1; completed; note N2 N1"),
        ),
        (cancelled_before, "cancelled", {}, mails("", "", "")),
        (cancelled_meanwhile, "cancelled", {"N1": [0, 0]}, mails("", "fulfillment N1", "note N1")),
        (a_lost_answer, "completed", BOTH, ONCE),
        (a_lost_answer_to_the_status, "completed", BOTH, ONCE),
        (a_status_that_never_arrived, "completed", BOTH, ONCE),
        (executed_late, "completed", BOTH, ONCE),
    ],
)
def test_what_stands_in_the_shop_in_the_end(
    pretend_woo: PretendWooCommerce,
    plugin: str,
    story: Callable[[WooUnderTest], PlacedOrder],
    status: str,
    numbers: dict[str, list[int]],
    mailed: dict[str, list[str]],
) -> None:
    store = WooUnderTest(pretend_woo.shop(plugin=plugin, statuses=["partial-shipped"]), plugin)

    order = story(store)

    page, book = in_book(store.shop, order), store.shop.book()
    if story is cancelled_meanwhile and plugin == "fulfillments":
        numbers = BOTH  # the store's own record knows the contents, whatever came after
    assert {
        "status": page["status"],
        "numbers": in_the_book(store, order),
        "mails": [_mail(mail) for mail in page["mails"]],
        "there twice": book["twice"],
        "completed early": book["early"],
    } == {
        "status": status,
        "numbers": numbers,
        "mails": mailed[plugin],
        "there twice": [],
        "completed early": [],
    }


def in_the_book(store: WooUnderTest, order: PlacedOrder) -> dict[str, list[int]]:
    """Each number with the units of each line that it covers; [] for one that shares what another covers."""
    page = in_book(store.shop, order)
    covers: dict[str, list[int]] = {}
    if store.plugin == "fulfillments":
        for one in page["fulfillments"]:
            if one["deleted"]:
                continue
            units = {str(line): count for line, count in one["items"]}
            for place, number in enumerate(one["numbers"]):
                covers[number] = [] if place else [units.get(line, 0) for line in order.lines]
        return covers
    contents = {parcel["number"]: dict(parcel["lines"]) for parcel in recorded(page)}
    for (number,) in store.shown(order):
        units = contents.get(number, dict.fromkeys(order.lines, 0))
        covers[number] = [units.get(line, 0) for line in order.lines] if units else []
    return covers


def _mail(mail: dict[str, Any]) -> str:
    numbers = mail["numbers"] or re.findall(r"(?<!/)\bN\d\b", mail.get("text", ""))
    return " ".join([mail["kind"], *dict.fromkeys(numbers)])
