"""A flood of messages through the whole web stack costs a few rows and no memory. Its figures: tests.bench.hooks."""

from __future__ import annotations

import pytest

from orders.models import Order, OrderHint
from stores import hooks
from stores.models import HookDelivery
from tests.bench.hooks import a_subscribed_store, faults, flood, read_again
from tests.storefronts.client import PretendShopify

pytestmark = pytest.mark.django_db(transaction=True)

TIMES = 120
KEPT, SWEEP = 20, 4


def test_whatever_comes_how_often_and_in_whatever_order_the_rows_and_the_memory_stay(
    pretend: PretendShopify, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "KEPT", KEPT)
    monkeypatch.setattr(hooks, "SWEEP", SWEEP)
    shop = pretend.shop(bucket=100_000, restore_rate=10_000)
    ids = [order["id"] for order in shop.add_orders(20)]
    store = a_subscribed_store(shop)

    figures = list(flood(store, ids, TIMES))

    assert [(figure.name, figure.statuses) for figure in figures] == [
        ("replayed", {200: TIMES}),
        ("replayed under new ids", {200: TIMES}),
        ("forged", {401: TIMES}),
        ("for a shop that is not here", {401: TIMES}),
        ("late and out of order", {200: TIMES}),
    ]
    assert faults(figures, len(ids)) == []
    assert [figures[0].rows, OrderHint.objects.count()] == [(1, 1), len(ids)]
    assert HookDelivery.objects.count() <= KEPT + 10 * SWEEP
    hints, requests, _ = read_again(store, shop)
    assert (hints, Order.objects.filter(store=store).count()) == (len(ids), len(ids))
    assert requests <= 4
