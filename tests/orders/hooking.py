"""Messages for the tests of what stores tell us: signed as the platforms sign, brought to our address by any client."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
from typing import Any

from django.test import Client
from django.utils import timezone

from orders.models import OrderHint
from stores.models import HookDelivery, Store

SECRET = "hush-hush"
_running = itertools.count(1)


def order_gid(number: int) -> str:
    """The id of an order by its number."""
    return f"gid://shopify/Order/{number}"


def signed(body: bytes, secret: str) -> str:
    """What both platforms put beside a body."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def address(store: Store) -> str:
    """The path under which the store's messages come in."""
    return f"/hooks/{store.platform}/{store.hook_key}/"


def headers_of(topic: str, body: bytes, *, secret: str = SECRET, delivery: str = "", **more: str) -> dict[str, str]:
    """The headers of a message of Shopify's; `delivery` is its id, a new one where none is given."""
    return {
        "X-Shopify-Topic": topic,
        "X-Shopify-Hmac-Sha256": signed(body, secret),
        "X-Shopify-Webhook-Id": delivery or f"delivery-{next(_running)}",
        "X-Shopify-Shop-Domain": "one.myshopify.com",
        **more,
    }


def send(
    path: str,
    topic: str = "orders/updated",
    content: Any = None,
    *,
    secret: str = SECRET,
    delivery: str = "",
    client: Client | None = None,
    domain: str = "one.myshopify.com",
) -> tuple[int, bytes]:
    """One message: (status, body) of our answer. `content` is about order 1 where none is given."""
    body = json.dumps({"id": 1} if content is None else content).encode()
    headers = headers_of(topic, body, secret=secret, delivery=delivery) | {"X-Shopify-Shop-Domain": domain}
    response = (client or Client()).post(path, body, content_type="application/json", headers=headers)
    return response.status_code, response.content


def bring(made: dict[str, Any], client: Client | None = None) -> int:
    """A message that a pretend store has made, as it made it; the status of our answer."""
    path = "/" + made["uri"].split("/", 3)[3]
    response = (client or Client()).post(
        path, made["body"].encode(), content_type="application/json", headers=made["headers"]
    )
    return response.status_code


def hinted() -> list[str]:
    """What is to be read again, in order of ids."""
    return sorted(OrderHint.objects.values_list("external_id", flat=True))


def rows() -> tuple[int, int]:
    """(deliveries remembered, hints kept)"""
    return HookDelivery.objects.count(), OrderHint.objects.count()


def let_time_pass(store: Store) -> None:
    """The store may be asked again."""
    Store.objects.filter(pk=store.pk).exclude(resume_at=None).update(resume_at=timezone.now())
