"""Shopify: what keeps a number out, several locations, what changes between the look and the write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stores.connectors.base import (
    Outcome,
    Receipt,
    TrackingUpdate,
)
from stores.connectors.codes import Code
from stores.connectors.errors import (
    ShipmentRejected,
    StoreDisconnected,
    TryAgainLater,
)
from stores.connectors.shopify.connector import ShopifyConnector
from tests.storefronts.client import PretendShopify, Shop

from .contract import an_update, ends, pushed, soon
from .shopify_store import PlacedOrder, connect, in_book, place, place_at_both, shown


def why(connector: ShopifyConnector, update: TrackingUpdate) -> tuple[type, str, dict[str, Any]]:
    (result,) = connector.push([update], soon())
    assert not isinstance(result, Receipt)
    return type(result), result.reason.code, dict(result.reason.values)


def test_a_held_order_waits_with_the_stores_own_words(shop: Shop) -> None:
    order = place(shop)
    shop.hold(order.id, "HIGH_RISK_OF_FRAUD", words="High risk of fraud")

    assert why(connect(shop), an_update(order, "N1")) == (
        TryAgainLater,
        Code.ON_HOLD,
        {"holds": ["High risk of fraud"]},
    )
    shop.release(order.id)
    assert pushed(connect(shop), an_update(order, "N1")) == [Outcome.CREATED]


def test_a_scheduled_order_waits_until_its_time(shop: Shop) -> None:
    order = place(shop)
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
    shop.schedule(order.id, at)

    (result,) = connect(shop).push([an_update(order, "N1")], soon())

    assert isinstance(result, TryAgainLater)
    assert (result.reason.code, result.reason.values) == (Code.SCHEDULED, {"until": at.isoformat()})
    assert result.after == pytest.approx(7200, abs=10)


def test_an_order_that_is_not_routed_yet_waits(shop: Shop) -> None:
    order = place(shop, routing_seconds=60)

    assert why(connect(shop), an_update(order, "N1")) == (TryAgainLater, Code.ROUTING, {})
    shop.route(order.id)
    assert pushed(connect(shop), an_update(order, "N1")) == [Outcome.CREATED]


def test_fulfilment_orders_that_are_not_shown_to_us_are_a_missing_scope(pretend: PretendShopify) -> None:
    shop = pretend.shop(scopes=["read_orders", "read_locations"])
    order = place(shop)

    assert why(connect(shop), an_update(order, "N1")) == (
        StoreDisconnected,
        Code.SCOPE_MISSING,
        {"scopes": ["write_merchant_managed_fulfillment_orders"]},
    )


def test_another_apps_location_is_named(pretend: PretendShopify) -> None:
    shop = pretend.shop(locations=[{"name": "Rival's shelves", "service": "Rival"}])
    order = place(shop)

    assert why(connect(shop), an_update(order, "N1")) == (
        ShipmentRejected,
        Code.OTHER_LOCATION,
        {"location": "Rival's shelves", "app": "Rival"},
    )


def test_a_cancelled_order_and_one_that_is_gone(shop: Shop) -> None:
    cancelled, gone = place(shop), place(shop)
    shop.cancel_order(cancelled.id)
    shop.delete_order(gone.id)

    assert pushed(connect(shop), an_update(cancelled, "N1"), an_update(gone, "N2")) == [
        (ShipmentRejected, Code.ORDER_CANCELLED_IN_STORE),
        (ShipmentRejected, Code.ORDER_NOT_FOUND),
    ]


def test_a_fulfillment_that_somebody_cancelled(shop: Shop) -> None:
    order = place(shop)
    (receipt,) = connect(shop).push([an_update(order, "N1")], soon())
    assert isinstance(receipt, Receipt)
    shop.cancel_fulfillment(receipt.fulfillments[0])
    again = an_update(order, "N1", fulfillments=receipt.fulfillments)

    assert pushed(connect(shop), again) == [(ShipmentRejected, Code.FULFILLMENT_CANCELLED)]
    assert connect(shop).look([again], soon()) == [None]
    other = an_update(order, "N2", ours=frozenset({"N1", "N2"}), fulfillments=receipt.fulfillments)
    assert pushed(connect(shop), other) == [Outcome.CREATED]
    assert shown(shop, order) == [("N2",)]


def test_a_parcel_from_two_locations_is_two_fulfillments(two_places: Shop) -> None:
    order = place_at_both(two_places)
    update = an_update(order, "N1", lines=((order.lines[0], 1), (order.lines[1], 2)))

    (receipt,) = connect(two_places).push([update], soon())

    assert isinstance(receipt, Receipt)
    assert (receipt.outcome, len(receipt.fulfillments), receipt.missing) == (Outcome.CREATED, 2, 0)
    assert shown(two_places, order) == [("N1",), ("N1",)]
    assert pushed(connect(two_places), update) == [Outcome.UNCHANGED]


def test_only_chosen_locations_are_shipped_from(two_places: Shop) -> None:
    order = place_at_both(two_places)
    north = connect(two_places, location_ids=frozenset({two_places.locations["North"]}))

    (receipt,) = north.push([an_update(order, "N1", lines=None)], soon())

    assert isinstance(receipt, Receipt)
    assert [line["fulfilled"] for line in in_book(two_places, order)["lines"]] == [1, 0]
    assert why(north, an_update(order, "N2", lines=((order.lines[1], 1),), siblings=frozenset({"N1"}))) == (
        ShipmentRejected,
        Code.OTHER_LOCATION,
        {"location": "South", "app": ""},
    )


def test_half_a_parcel_that_was_refused_is_told_as_missing(two_places: Shop) -> None:
    order = place_at_both(two_places)
    update = an_update(order, "N1", lines=((order.lines[0], 1), (order.lines[1], 2)))

    def meanwhile() -> None:
        two_places.hold(order.id, location="North")

    (receipt,) = connect(two_places, before_write=meanwhile).push([update], soon())

    assert isinstance(receipt, Receipt)
    assert (receipt.outcome, len(receipt.fulfillments), receipt.missing) == (Outcome.CREATED, 1, 1)
    assert shown(two_places, order) == [("N1",)]


@pytest.mark.parametrize("lines", [3, 4, 5, 17, 101, 260])
def test_orders_of_any_length_are_read_and_shipped_whole(shop: Shop, lines: int) -> None:
    order = place(shop, (1,) * lines)

    (receipt,) = connect(shop).push([an_update(order, "N1", lines=None)], soon())

    assert isinstance(receipt, Receipt)
    assert len(receipt.fulfillments) == (1 if lines <= 250 else 2)
    assert {line["fulfilled"] for line in in_book(shop, order)["lines"]} == {1}
    known = an_update(order, "N1", fulfillments=receipt.fulfillments)
    assert pushed(connect(shop), known) == [Outcome.UNCHANGED]


def test_an_order_with_many_fulfillments_is_read_whole(shop: Shop) -> None:
    order = place(shop, (12,))
    one = ((order.lines[0], 1),)
    siblings: set[str] = set()
    for n in range(12):
        (receipt,) = connect(shop).push([an_update(order, f"N{n}", lines=one, siblings=frozenset(siblings))], soon())
        assert isinstance(receipt, Receipt)
        assert receipt.outcome == Outcome.CREATED
        siblings |= {*receipt.fulfillments, f"N{n}"}

    last = an_update(order, "N11", lines=one, siblings=frozenset(siblings - {"N11", *receipt.fulfillments}))
    assert pushed(connect(shop), last) == [Outcome.UNCHANGED]
    assert sorted(shown(shop, order)) == sorted((f"N{n}",) for n in range(12))


@pytest.mark.parametrize(
    "meanwhile,expected",
    [
        (lambda shop, order: shop.hold(order.id), (TryAgainLater, Code.ON_HOLD)),
        (
            lambda shop, order: shop.fulfil_by_hand(
                order.id, "N1", company="Royal Mail", url="https://track.example/N1"
            ),
            Outcome.UNCHANGED,
        ),
        (lambda shop, order: shop.fulfil_by_hand(order.id, "N1"), (TryAgainLater, Code.ORDER_CHANGED)),
        (lambda shop, order: shop.fulfil_by_hand(order.id, "THEIRS"), (ShipmentRejected, Code.OTHER_NUMBER_THERE)),
        (lambda shop, order: shop.fulfil_by_hand(order.id), (TryAgainLater, Code.ORDER_CHANGED)),
        (lambda shop, order: shop.cancel_order(order.id), (ShipmentRejected, Code.ORDER_CANCELLED_IN_STORE)),
        (lambda shop, order: shop.refund(order.id), (ShipmentRejected, Code.NOTHING_TO_FULFILL)),
    ],
    ids=[
        "held",
        "shipped with our number",
        "shipped with our number and no link",
        "shipped with another number",
        "shipped without a number",
        "cancelled",
        "refunded",
    ],
)
def test_a_refused_write_is_told_by_reading_again(
    two_places: Shop, meanwhile: Callable[[Shop, PlacedOrder], object], expected: object
) -> None:
    made = two_places.add_order([("A", "A", 1, "1.00", True, "North")])
    order = PlacedOrder(made["id"], made["name"], tuple(made["lines"]))
    changed: list[object] = []

    def before_write() -> None:
        if not changed:
            changed.append(meanwhile(two_places, order) or True)

    connector = connect(two_places, before_write=before_write)

    assert pushed(connector, an_update(order, "N1")) == [expected]


def test_an_update_of_a_fulfillment_cancelled_meanwhile_did_not_arrive(shop: Shop) -> None:
    order = place(shop)
    (receipt,) = connect(shop).push([an_update(order, "N1")], soon())
    assert isinstance(receipt, Receipt)
    other = an_update(order, "N2", ours=frozenset({"N1", "N2"}), fulfillments=receipt.fulfillments)

    def meanwhile() -> None:
        shop.cancel_fulfillment(receipt.fulfillments[0])

    # Shopify takes the update without a word; the number stands on a dead parcel.
    (result,) = connect(shop, before_write=meanwhile).push([other], soon())

    assert ends([result]) == [(ShipmentRejected, Code.FULFILLMENT_CANCELLED)]
    assert shown(shop, order) == []


def test_a_bad_link_stops_its_own_update_alone(shop: Shop) -> None:
    orders = [place(shop) for _ in range(3)]
    updates = [an_update(order, f"N{n}") for n, order in enumerate(orders)]
    updates[1] = replace(updates[1], url="no-scheme.example/N1")

    results = connect(shop).push(updates, soon())

    assert ends(results) == [Outcome.CREATED, (ShipmentRejected, Code.REFUSED), Outcome.CREATED]
    assert isinstance(results[1], ShipmentRejected)
    assert results[1].reason.values == {"field": "fulfillment"}
    assert [shown(shop, order) for order in orders] == [[("N0",)], [], [("N2",)]]


def test_two_of_ours_for_the_same_lines_become_one(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    order = place(shop, (2,))
    one = {order.lines[0]: 1}
    elder = shop.fulfil_by_hand(order.id, "N1", units=one)["made"][0]
    younger = shop.fulfil_by_hand(order.id, "N1", units=one)["made"][0]
    update = an_update(order, "N1", fulfillments=(elder, younger), company="", url="")

    (receipt,) = connect(shop).push([replace(update, company="Royal Mail", url="https://t.example/N1")], soon())

    assert isinstance(receipt, Receipt)
    assert (receipt.fulfillments, receipt.warnings) == ((elder,), (Code.DUPLICATE_CANCELLED,))
    assert shown(shop, order) == [("N1",)]
    assert [record.levelname for record in caplog.records if younger in record.getMessage()] == ["ERROR"]


def test_a_shared_list_names_the_company_only_where_it_is_the_same_for_all(shop: Shop) -> None:
    order = place(shop)
    (receipt,) = connect(shop).push([an_update(order, "N1", lines=None)], soon())
    assert isinstance(receipt, Receipt)
    siblings = frozenset({*receipt.fulfillments, "N1"})

    pushed(connect(shop), an_update(order, "N2", lines=None, siblings=siblings))
    same = in_book(shop, order)["fulfillments"][0]
    pushed(connect(shop), an_update(order, "N3", lines=None, siblings=siblings | {"N2"}, company="DHL Express"))
    mixed = in_book(shop, order)["fulfillments"][0]

    assert (same["numbers"], same["company"]) == (["N1", "N2"], "Royal Mail")
    assert (mixed["numbers"], mixed["company"]) == (["N1", "N2", "N3"], None)
    assert mixed["urls"] == [f"https://track.example/N{n}" for n in (1, 2, 3)]


@pytest.mark.parametrize("notify", [False, True])
def test_the_store_mails_when_it_is_told_to_and_only_then(shop: Shop, notify: bool) -> None:
    order = place(shop)
    update = an_update(order, "N1", notify=notify)
    (receipt,) = connect(shop).push([update], soon())
    assert isinstance(receipt, Receipt)

    pushed(connect(shop), update)
    pushed(
        connect(shop),
        replace(update, number="N2", ours=frozenset({"N1", "N2"}), fulfillments=receipt.fulfillments),
    )

    mailed = [notice["numbers"] for notice in shop.book()["notices"]]
    assert mailed == ([["N1"], ["N2"]] if notify else [])
