"""Requests to a pretend WooCommerce as any client would send them: what its own tests are made of."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import requests

from tests.storefronts.woo import WooShop

ORDERS = "wc/v3/orders"
MUG = ("MUG-1", "A mug", 2)
SEES_NOTHING = (401, "woocommerce_rest_cannot_view")
REFUSED = (401, "woocommerce_rest_authentication_error")


def said(answer: requests.Response) -> tuple[int, Any]:
    """(HTTP status, code of the error or None) of an answer."""
    body = answer.json()
    return answer.status_code, body.get("code") if isinstance(body, dict) else None


def until(true: Callable[[], bool], seconds: float = 5) -> bool:
    """Whether it becomes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return False


def page_of(shop: WooShop, order: dict[str, Any]) -> dict[str, Any]:
    """An order in the store's own book."""
    return next(one for one in shop.book()["orders"] if one["id"] == order["id"])


def put(shop: WooShop, order: dict[str, Any], **fields: Any) -> requests.Response:
    """One PUT on an order."""
    return shop.rest("PUT", f"{ORDERS}/{order['id']}", json=fields)


def track(shop: WooShop, order: dict[str, Any], number: str = "N1", **fields: Any) -> requests.Response:
    """One tracking by the plugin's own route."""
    body = {"tracking_number": number, **fields}
    return shop.rest("POST", f"wc-shipment-tracking/v3/orders/{order['id']}/shipment-trackings", json=body)


def meta(values: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """Meta as a request carries it."""
    return [{**more, "key": key, "value": value} for key, value in values.items()]


def fulfil(
    shop: WooShop, order: dict[str, Any], number: str = "N1", units: int = 2, **fields: Any
) -> requests.Response:
    """One fulfillment of the order's first line."""
    items = [{"item_id": order["lines"][0], "qty": units}]
    body = {"is_fulfilled": True, "meta_data": meta({"_items": items, "_tracking_number": number}, id=0), **fields}
    return shop.rest("POST", f"{ORDERS}/{order['id']}/fulfillments", json=body)


def numbers(shop: WooShop, **params: Any) -> list[str]:
    """The numbers of a list, by id."""
    asked = {"orderby": "id", "order": "asc", "_fields": "number", **params}
    return [one["number"] for one in shop.rest("GET", ORDERS, params=asked).json()]
