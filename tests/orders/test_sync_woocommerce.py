"""The sync on a platform where all numbers of an order stand in one list, which two writes at once may spoil."""

from __future__ import annotations

import pytest

from tests import factories
from tests.storefronts.woo import PretendWooCommerce

from .pushing import a_parcel, an_order_in, make_due, push, push_until_synced, settle, stands

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("plugin", ["ast", "shipment_tracking", "fulfillments", "plain"])
def test_a_parcel_waits_while_its_siblings_write_may_still_be_executed(
    pretend_woo: PretendWooCommerce, plugin: str
) -> None:
    shop = pretend_woo.shop(plugin=plugin)
    store = factories.a_store_in(shop)
    order = an_order_in(shop, store, ("MUG", "A mug", 1), ("TEA", "Tea", 1))
    first = a_parcel(order, "YT1", lines={"MUG": 1})
    shop.fault("reset_after", on="mutation", times=1)
    push(store)
    assert stands(first)[2] == "YT1"

    second = a_parcel(order, "YT2", parcel=2, lines={"TEA": 1})
    written = shop.book()["counts"]["mutations"]
    push(store)
    assert (stands(second)[2:], shop.book()["counts"]["mutations"]) == (("", ""), written)

    settle(store)
    make_due(store)
    push_until_synced(store)

    assert sorted(shop.book()["numbers"]) == ["YT1", "YT2"]
    assert [stands(parcel)[3] for parcel in (first, second)] == ["YT1", "YT2"]
    assert shop.book()["orders"][0]["status"] == "completed"
