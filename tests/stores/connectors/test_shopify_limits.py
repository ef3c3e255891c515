"""Shopify: many orders in one request, within what the store allows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stores.connectors.base import (
    Outcome,
    Receipt,
    Sighting,
)
from stores.connectors.codes import Code
from stores.connectors.errors import (
    OutcomeUnknown,
    StoreBusy,
    StoreDisconnected,
)
from stores.connectors.shopify.limiter import Limiter
from tests.storefronts.client import PretendShopify, Shop

from .contract import an_update, ends, pushed, soon
from .shopify_store import PlacedOrder, connect, place, place_at_both, requests, shown


def test_creates_and_updates_travel_together(shop: Shop) -> None:
    orders = [place(shop) for _ in range(10)]
    updates = [an_update(order, f"N{n}") for n, order in enumerate(orders)]
    first = connect(shop).push(updates[:5], soon())
    replaced = [
        replace(
            update,
            number=f"M{n}",
            url=f"https://track.example/M{n}",
            ours=update.ours | {f"M{n}"},
            fulfillments=receipt.fulfillments,
        )
        for n, (update, receipt) in enumerate(zip(updates[:5], first, strict=True))
        if isinstance(receipt, Receipt)
    ]
    before = requests(shop)

    results = pushed(connect(shop), *replaced, *updates[5:])

    after = requests(shop)
    assert results == [Outcome.REPLACED] * 5 + [Outcome.CREATED] * 5
    assert after["all"] - after["reads"] - (before["all"] - before["reads"]) == 1
    assert after["reads"] - before["reads"] <= 2
    assert after["refused"] == 0


def test_a_request_that_was_refused_for_its_cost_is_sent_in_smaller_ones(shop: Shop) -> None:
    orders = [place(shop) for _ in range(25)]
    updates = [an_update(order, f"N{n}") for n, order in enumerate(orders)]
    first = connect(shop).push(updates, soon())
    limiter = Limiter()
    limiter.costs["update"] = 11.0  # what it cost until June 2026

    results = pushed(
        connect(shop, limiter=limiter),
        *(
            replace(update, number=f"M{n}", ours=update.ours | {f"M{n}"}, fulfillments=receipt.fulfillments)
            for n, (update, receipt) in enumerate(zip(updates, first, strict=True))
            if isinstance(receipt, Receipt)
        ),
    )

    assert results == [Outcome.REPLACED] * 25
    assert limiter.costs["update"] >= 50.0
    assert requests(shop)["refused"] == 1


def test_a_bucket_that_is_empty_for_longer_than_there_is_time_makes_the_store_wait(pretend: PretendShopify) -> None:
    shop = pretend.shop(bucket=1000, restore_rate=10)
    orders = [place(shop) for _ in range(25)]
    shop.drain(100)

    results = connect(shop).push([an_update(order, f"N{n}") for n, order in enumerate(orders)], soon(5))

    assert {end for end in ends(results)} == {(StoreBusy, Code.THROTTLED)}
    assert all(isinstance(result, StoreBusy) and result.after and result.after > 5 for result in results)
    assert requests(shop)["refused"] == 0


def test_a_bucket_that_another_process_emptied_meanwhile_is_looked_into_first(pretend: PretendShopify) -> None:
    shop = pretend.shop(bucket=1000, restore_rate=1000)
    orders = [place(shop) for _ in range(25)]
    limiter = Limiter()
    connect(shop, limiter=limiter).check()
    shop.drain(50)

    results = pushed(connect(shop, limiter=limiter), *(an_update(o, f"N{n}") for n, o in enumerate(orders)))

    assert results == [Outcome.CREATED] * 25
    assert requests(shop)["refused"] == 0


def test_a_backlog_is_pushed_without_one_throttled_answer(pretend: PretendShopify) -> None:
    shop = pretend.shop(bucket=1000, restore_rate=1000)
    orders = [PlacedOrder(one["id"], one["name"], tuple(one["lines"])) for one in shop.add_orders(200)]
    connector = connect(shop)

    results = [
        end
        for start in range(0, 200, 25)
        for end in pushed(connector, *(an_update(order, f"N{order.number}") for order in orders[start : start + 25]))
    ]

    assert results == [Outcome.CREATED] * 200
    assert requests(shop)["refused"] == 0


def test_a_small_bucket_is_never_asked_for_more_than_it_holds(pretend: PretendShopify) -> None:
    shop = pretend.shop(bucket=200, restore_rate=1000)
    orders = [place(shop) for _ in range(25)]

    results = pushed(connect(shop), *(an_update(order, f"N{n}") for n, order in enumerate(orders)))

    assert results == [Outcome.CREATED] * 25
    assert requests(shop)["refused"] == 0


def test_a_throttled_answer_makes_the_store_wait_as_long_as_the_bucket_says(shop: Shop) -> None:
    order = place(shop)
    shop.fault("throttled", on="mutation")
    shop.drain(500)

    (busy,) = connect(shop).push([an_update(order, "N1")], soon())

    assert isinstance(busy, StoreBusy)
    assert busy.reason.code == Code.THROTTLED
    assert busy.after == pytest.approx(5.0, abs=0.5)


def test_a_lost_answer_leaves_the_other_requests_of_the_push_alone(shop: Shop) -> None:
    orders = [place(shop) for _ in range(25)]
    limiter = Limiter(ceiling=110.0)  # ten creates a request
    shop.fault("reset_after", on="mutation", times=1)

    results = pushed(connect(shop, limiter=limiter), *(an_update(order, f"N{n}") for n, order in enumerate(orders)))

    assert results == [(OutcomeUnknown, Code.ANSWER_LOST)] * 10 + [Outcome.CREATED] * 15


def test_a_store_that_answers_no_write_is_left_alone_after_the_second(shop: Shop) -> None:
    orders = [place(shop) for _ in range(25)]
    limiter = Limiter(ceiling=110.0)
    shop.fault("reset_after", on="mutation")

    results = pushed(connect(shop, limiter=limiter), *(an_update(order, f"N{n}") for n, order in enumerate(orders)))

    assert results == [(OutcomeUnknown, Code.ANSWER_LOST)] * 20 + [(StoreBusy, Code.NO_ANSWER)] * 5
    assert [len(shown(shop, order)) for order in orders] == [1] * 20 + [0] * 5


def test_a_parcel_of_two_locations_cut_short_between_them_has_to_be_looked_at(two_places: Shop) -> None:
    order = place_at_both(two_places)
    update = an_update(order, "N1", lines=((order.lines[0], 1), (order.lines[1], 2)))
    sent: list[int] = []

    def before_write() -> None:
        sent.append(1)
        if len(sent) == 2:
            two_places.fault("429", on="mutation", times=1)

    (result,) = connect(two_places, limiter=Limiter(ceiling=11.0), before_write=before_write).push([update], soon())

    assert ends([result]) == [(OutcomeUnknown, Code.ANSWER_LOST)]
    (seen,) = connect(two_places).look([update], soon())
    assert isinstance(seen, Sighting)
    assert (seen.number, seen.complete) == ("N1", False)
    assert pushed(connect(two_places), update) == [Outcome.CREATED]
    assert shown(two_places, order) == [("N1",), ("N1",)]


def test_a_parcel_from_two_locations_is_mailed_about_once(two_places: Shop) -> None:
    order = place_at_both(two_places)

    pushed(connect(two_places), an_update(order, "N1", lines=None, notify=True))

    assert [notice["numbers"] for notice in two_places.book()["notices"]] == [["N1"]]


def test_a_scope_that_was_taken_away_is_named_when_a_write_is_refused(pretend: PretendShopify) -> None:
    readable = ["read_orders", "read_locations", "read_merchant_managed_fulfillment_orders"]
    shop = pretend.shop(scopes=[*readable, "write_merchant_managed_fulfillment_orders"])
    order = place(shop)

    def meanwhile() -> None:
        shop.settings(scopes=readable)

    assert pushed(connect(shop, before_write=meanwhile), an_update(order, "N1")) == [
        (StoreDisconnected, Code.SCOPE_MISSING)
    ]
    assert shown(shop, order) == []


def test_what_was_not_sent_when_a_request_was_refused_was_not_written(shop: Shop) -> None:
    orders = [place(shop) for _ in range(25)]
    limiter = Limiter(ceiling=110.0)
    sent: list[int] = []

    def before_write() -> None:
        sent.append(1)
        if len(sent) == 2:
            shop.fault("429", on="mutation", seconds=3)

    results = pushed(
        connect(shop, limiter=limiter, before_write=before_write),
        *(an_update(order, f"N{n}") for n, order in enumerate(orders)),
    )

    assert results == [Outcome.CREATED] * 10 + [(StoreBusy, Code.THROTTLED)] * 15
    assert [len(shown(shop, order)) for order in orders] == [1] * 10 + [0] * 15
