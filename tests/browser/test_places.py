"""A WooCommerce store in a real browser: connected with a key, and told where its numbers go."""

from __future__ import annotations

import pytest

from stores.models import Store
from tests.browser.test_stores import Visit, visit
from tests.storefronts.woo import PretendWooCommerce

__all__ = ["visit"]  # a fixture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_store_is_connected_once_its_key_may_write_and_told_where_its_numbers_go(
    visit: Visit,  # noqa: F811
    pretend_woo: PretendWooCommerce,
) -> None:
    shop = pretend_woo.shop(plugin="ast", key_permissions="read")
    page = visit.page
    visit.log_in()

    # From the choice of a platform to its form; the key may only read.
    visit.go("connect")
    visit.follow("WooCommerce")
    page.get_by_label("Name of the store").fill("Linden Garden")
    page.get_by_label("Shop address").fill(shop.base_url)
    page.get_by_label("Consumer key").fill(shop.consumer_key)
    page.get_by_label("Consumer secret").fill(shop.consumer_secret)
    visit.press("Check and connect")
    visit.sees("The key may not do all that we need.")
    wide = [visit.is_too_wide()]

    # Changed in the shop; the key need not be typed again.
    shop.settings(key_permissions="read_write")
    visit.press("Check again and connect")
    visit.sees("Linden Garden is connected.")
    visit.sees("the Shipment Tracking plugin")
    wide.append(visit.is_too_wide())

    # Somewhere else, and without the mark.
    visit.follow("Change this")
    page.get_by_label("An order note").check()
    page.get_by_label("Mark an order as completed once all of it has its numbers").uncheck()
    wide.append(visit.is_too_wide())
    visit.press("Save for Linden Garden")
    visit.sees("Saved for Linden Garden.")
    visit.sees("It stays open; you complete it yourself.")

    store = Store.objects.get()
    assert (store.tracking_goes_to, store.completes_orders) == ("plain", False)
    assert (wide, visit.complaints) == ([False, False, False], [])
