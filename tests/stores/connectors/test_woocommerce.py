"""WooCommerce keeps the contract of every connector, over HTTP, at each of the places that show a number."""

from __future__ import annotations

import pytest

from tests.storefronts.woo import PretendWooCommerce

from .contract import ConnectorContract
from .woo_under_test import WooUnderTest

# The oldest shop with fulfillments wraps its answers and wants an id in every meta; one older has neither those nor
# a list of its statuses.
SHOPS = {
    "plain": {"plugin": "plain"},
    "a plain shop of 8.4": {"plugin": "plain", "version": "8.4.0"},
    "ast": {"plugin": "ast"},
    "shipment_tracking": {"plugin": "shipment_tracking"},
    "fulfillments": {"plugin": "fulfillments"},
    "fulfillments of 10.1": {"plugin": "fulfillments", "version": "10.1.0"},
}


class TestWooCommerceKeepsTheContract(ConnectorContract):
    @pytest.fixture(params=list(SHOPS.values()), ids=list(SHOPS))
    def store(self, request: pytest.FixtureRequest, pretend_woo: PretendWooCommerce) -> WooUnderTest:
        return WooUnderTest(pretend_woo.shop(**request.param), request.param["plugin"])
