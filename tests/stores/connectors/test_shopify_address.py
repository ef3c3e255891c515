"""Shopify: what a merchant types as an address, and the documents we send."""

from __future__ import annotations

import pytest

from stores.connectors import registry
from stores.connectors.addresses import Why
from stores.connectors.codes import Code
from stores.connectors.errors import (
    StoreDisconnected,
)
from stores.connectors.shopify.connector import ShopifyConnector
from stores.connectors.shopify.documents import joined

from .shopify_store import LOOPBACK


@pytest.mark.parametrize(
    "typed,kept",
    [
        ("acme", "https://acme.myshopify.com"),
        (" Acme-Shop ", "https://acme-shop.myshopify.com"),
        ("acme.myshopify.com", "https://acme.myshopify.com"),
        ("ACME.MyShopify.com/", "https://acme.myshopify.com"),
        ("https://acme.myshopify.com/admin/products?x=1", "https://acme.myshopify.com"),
        ("https://acme.myshopify.com:443", "https://acme.myshopify.com"),
    ],
)
def test_a_shops_address_is_kept_in_one_form(typed: str, kept: str) -> None:
    assert registry.normalise_base_url("shopify", typed) == kept


@pytest.mark.parametrize(
    "typed,reason",
    [
        ("", Why.EMPTY),
        ("   ", Why.EMPTY),
        ("www.acme.com", Why.CUSTOM_DOMAIN),
        ("https://acme.com/admin", Why.CUSTOM_DOMAIN),
        ("acme.myshopify.com.evil.example", Why.CUSTOM_DOMAIN),
        ("https://evil.example/acme.myshopify.com", Why.CUSTOM_DOMAIN),
        ("http://acme.myshopify.com", Why.PLAIN_HTTP),
        ("https://acme.myshopify.com:8443", Why.PORT),
        ("https://user:secret@acme.myshopify.com", Why.USERINFO),
        ("https://acme.myshopify.com\\@evil.example", Why.USERINFO),
        ("a.b.myshopify.com", Why.SHOP_NAME),
        ("-acme.myshopify.com", Why.SHOP_NAME),
        ("ftp://acme.myshopify.com", Why.SCHEME),
        ("https://127.0.0.1/", Why.PRIVATE),
        ("http://localhost:8000", Why.PRIVATE),
        ("https://[::1]/", Why.PRIVATE),
        ("https://192.168.1.4/", Why.PRIVATE),
        ("https://", Why.UNREADABLE),
        ("https://acme.myshopify.com:x", Why.UNREADABLE),
        ("acme shop", Why.UNREADABLE),
    ],
)
def test_what_is_wrong_with_an_address_is_said(typed: str, reason: Why) -> None:
    with pytest.raises(StoreDisconnected) as refused:
        registry.normalise_base_url("shopify", typed)

    assert (refused.value.reason.code, refused.value.reason.values["why"]) == (Code.ADDRESS_REFUSED, reason)
    assert "secret" not in str(refused.value.reason.values)


@pytest.mark.parametrize(
    "typed,kept",
    [
        ("http://127.0.0.1:8199/acme/", "http://127.0.0.1:8199/acme"),
        ("http://127.0.0.2", "http://127.0.0.2"),
        ("https://127.0.0.1:8443", "https://127.0.0.1:8443"),
        ("http://localhost:8000/acme", "http://localhost:8000/acme"),
        ("http://storefronts:8000/acme", "http://storefronts:8000/acme"),
        ("acme", "https://acme.myshopify.com"),
    ],
)
def test_an_opened_network_may_hold_a_store_under_any_address(typed: str, kept: str) -> None:
    assert registry.normalise_base_url("shopify", typed, LOOPBACK) == kept


@pytest.mark.parametrize("typed", ["http://10.0.0.1", "http://acme.com", "https://acme.com", "http://[::1]:8000"])
def test_an_opened_network_opens_nothing_else(typed: str) -> None:
    with pytest.raises(StoreDisconnected):
        registry.normalise_base_url("shopify", typed, LOOPBACK)


def test_writes_are_joined_under_names_of_their_own() -> None:
    text = joined(["create", "update", "create", "cancel"])

    assert [name for name in ("write_0", "write_1", "write_2", "write_3") if text.count(f"{name}:") == 1] == [
        "write_0",
        "write_1",
        "write_2",
        "write_3",
    ]
    assert "_N" not in text
    assert text.startswith(
        "mutation Writes($fulfillment_0: FulfillmentInput!, $id_1: ID!, $tracking_1: FulfillmentTrackingInput!, "
        "$notify_1: Boolean!, $fulfillment_2: FulfillmentInput!, $id_3: ID!) {"
    )


def test_the_registry_knows_its_platforms() -> None:
    assert registry.platform_choices() == [("shopify", "Shopify"), ("woocommerce", "WooCommerce")]
    assert registry.capabilities("shopify") == ShopifyConnector.capabilities
