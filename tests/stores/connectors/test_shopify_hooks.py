"""Shopify's messages: which are genuine, what each says to us, and reading the orders that they name."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from stores.connectors.base import Hook, HookKind
from stores.connectors.shopify.connector import ShopifyConnector
from stores.connectors.shopify.hooks import shop_domain
from tests.storefronts.client import PretendShopify, Shop

from .shopify_store import connect, place

BODY = b'{"id": 820982911946154508, "email": "jon@example.com"}'
SECRET = "hush"


def signature(body: bytes = BODY, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


@pytest.mark.parametrize(
    "headers, body, secrets, genuine",
    [
        ({"X-Shopify-Hmac-Sha256": signature()}, BODY, [SECRET], True),
        ({"x-shopify-hmac-sha256": signature()}, BODY, [SECRET], True),
        ({"shopify-hmac-sha256": signature()}, BODY, [SECRET], True),
        # After a change of the secret either may come.
        ({"X-Shopify-Hmac-Sha256": signature()}, BODY, ["another", SECRET], True),
        ({"X-Shopify-Hmac-Sha256": signature()}, BODY, [SECRET, "another"], True),
        # The very bytes: the same JSON written otherwise is another message.
        ({"X-Shopify-Hmac-Sha256": signature()}, BODY.replace(b" ", b""), [SECRET], False),
        ({"X-Shopify-Hmac-Sha256": signature()}, BODY + b"\n", [SECRET], False),
        ({"X-Shopify-Hmac-Sha256": signature()}, BODY, ["another"], False),
        ({"X-Shopify-Hmac-Sha256": signature()}, BODY, [], False),
        # No secret is no secret: whoever signs with nothing is nobody.
        ({"X-Shopify-Hmac-Sha256": signature(secret="")}, BODY, [""], False),
        ({"X-Shopify-Hmac-Sha256": signature()[:-1]}, BODY, [SECRET], False),
        ({"X-Shopify-Hmac-Sha256": ""}, BODY, [SECRET], False),
        ({"X-Shopify-Hmac-Sha256": "ünlesbar"}, BODY, [SECRET], False),
        ({}, BODY, [SECRET], False),
        ({"X-Shopify-Hmac-Sha256": signature(b"\xff\xfe")}, b"\xff\xfe", [SECRET], True),
    ],
)
def test_a_message_is_genuine_when_a_secret_of_ours_signed_its_very_bytes(
    headers: dict[str, str], body: bytes, secrets: list[str], genuine: bool
) -> None:
    assert ShopifyConnector.is_signed(headers, body, secrets) is genuine


ORDER = "gid://shopify/Order/820982911946154508"
WORK = "gid://shopify/FulfillmentOrder/1"


@pytest.mark.parametrize(
    "topic, content, kind, ids",
    [
        ("orders/updated", {"id": 820982911946154508, "admin_graphql_api_id": ORDER}, HookKind.ORDER, (ORDER,)),
        ("orders/paid", {"id": 820982911946154508}, HookKind.ORDER, (ORDER,)),
        ("ORDERS/Cancelled", {"admin_graphql_api_id": ORDER}, HookKind.ORDER, (ORDER,)),
        # Only the fulfillment order is named: what it belongs to is asked together with the orders.
        (
            "fulfillment_orders/hold_released",
            {"fulfillment_order": {"id": WORK, "status": "open"}},
            HookKind.ORDER,
            (WORK,),
        ),
        (
            "fulfillment_orders/hold_released",
            {"fulfillment_order": {"id": 1, "order_id": 820982911946154508}},
            HookKind.ORDER,
            (ORDER,),
        ),
        ("app/uninstalled", {"id": 1, "domain": "one.myshopify.com"}, HookKind.UNINSTALLED, ()),
        ("app/scopes_update", {"current": ["read_orders"]}, HookKind.PERMISSIONS, ()),
        ("customers/data_request", {"orders_requested": [1, 2, 1]}, HookKind.CUSTOMER_ASKS, (1, 2)),
        ("customers/redact", {"orders_to_redact": [7, "8", None, {}, True]}, HookKind.FORGET_CUSTOMER, (7, 8)),
        ("customers/redact", {}, HookKind.FORGET_CUSTOMER, ()),
        ("shop/redact", {"shop_domain": "one.myshopify.com"}, HookKind.FORGET_SHOP, ()),
        # Says nothing to us, or cannot be read.
        ("orders/updated", {"id": "../../1"}, HookKind.OTHER, ()),
        ("orders/updated", {"id": 10**30}, HookKind.OTHER, ()),
        ("orders/updated", ["not", "an", "object"], HookKind.OTHER, ()),
        ("fulfillment_orders/hold_released", {"fulfillment_order": "1"}, HookKind.OTHER, ()),
        ("products/update", {"id": 1}, HookKind.OTHER, ()),
        ("", {"id": 1}, HookKind.OTHER, ()),
    ],
)
def test_what_a_message_says(topic: str, content: Any, kind: HookKind, ids: tuple[Any, ...]) -> None:
    headers = {"X-Shopify-Topic": topic, "X-SHOPIFY-WEBHOOK-ID": "b54557e4"}

    hook = ShopifyConnector.read_hook(headers, json.dumps(content).encode())

    expected = tuple(one if isinstance(one, str) else f"gid://shopify/Order/{one}" for one in ids)
    assert hook == Hook(kind, topic.lower(), "b54557e4", expected)


@pytest.mark.parametrize("body", [b"", b"\xff", b"{", b"[" * 100_000, b"null", b'{"id": 1e400}'])
def test_a_body_that_cannot_be_read_says_nothing(body: bytes) -> None:
    assert ShopifyConnector.read_hook({"X-Shopify-Topic": "orders/paid"}, body) == Hook(HookKind.OTHER, "orders/paid")


def test_the_shop_is_named_by_a_header() -> None:
    assert shop_domain({"x-shopify-shop-domain": " One.MyShopify.com "}) == "one.myshopify.com"
    assert shop_domain({}) == ""


# --- Reading what was named -------------------------------------------------------------------------------


def test_orders_are_read_by_their_ids_and_what_is_gone_is_left_out(shop: Shop) -> None:
    orders = [place(shop, (2,)), place(shop, (1, 3))]
    gone = place(shop)
    shop.delete_order(gone.id)
    connector = connect(shop)

    found = connector.orders_by_id([orders[1].id, gone.id, orders[0].id, "gid://shopify/Order/1", orders[1].id])

    assert found == [next(one for one in connect(shop).orders(None) if one.external_id == o.id) for o in orders[::-1]]


def test_a_fulfillment_order_leads_to_its_order(shop: Shop) -> None:
    made = shop.add_order()
    work = made["fulfillment_orders"][0]["id"]

    assert [one.external_id for one in connect(shop).orders_by_id([work])] == [made["id"]]
    assert [one.external_id for one in connect(shop).orders_by_id([work, made["id"]])] == [made["id"]]


def test_fifty_orders_are_read_in_few_requests_and_many_in_several(pretend: PretendShopify) -> None:
    shop = pretend.shop(bucket=20_000, restore_rate=10_000)
    ids = [one["id"] for one in shop.add_orders(130)]
    connector = connect(shop)

    assert [one.external_id for one in connector.orders_by_id(ids[:50])] == ids[:50]
    first = shop.book()["counts"]
    assert [one.external_id for one in connector.orders_by_id(ids)] == ids

    then = shop.book()["counts"]
    assert (first["requests"], first["too_expensive"]) == (2, 0)
    assert then["requests"] - first["requests"] <= 3
    assert (then["too_expensive"], then["throttled"]) == (0, 0)


def test_hidden_customers_hide_no_order(pretend: PretendShopify) -> None:
    shop = pretend.shop(customers_hidden=True)
    order = place(shop)

    (found,) = connect(shop).orders_by_id([order.id])

    assert (found.external_id, found.customer_name, found.customer_email) == (order.id, "", "")
