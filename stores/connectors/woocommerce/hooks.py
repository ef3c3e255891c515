"""The store's messages: whether one is genuine, what it says, and how the store is told to send them.

A message is a hint to read an order again and never the truth: none is repeated when it was not delivered, and after
some failures in a row the store switches the subscription off without a word.

https://developer.woocommerce.com/docs/best-practices/urls-and-routing/webhooks/
https://woocommerce.github.io/woocommerce-rest-api-docs/#webhooks
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..base import Hook, HookKind
from ..codes import Code
from ..errors import ShipmentRejected, StoreBusy
from .rest import Rest

TOPICS = ("order.created", "order.updated", "order.deleted", "order.restored")
WEBHOOKS = "/wc/v3/webhooks"
_PAGE = 100
_MOST_PAGES = 10


def is_signed(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> bool:
    """Whether the body was signed with one of the secrets; the ping that follows a subscription never is."""
    given = _header(headers, "X-WC-Webhook-Signature").encode()
    matches = [hmac.compare_digest(signature(body, secret).encode(), given) for secret in secrets if secret]
    return any(matches)


def signature(body: bytes, secret: str) -> str:
    """What the store signs a body with."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def read_hook(headers: Mapping[str, str], body: bytes) -> Hook:
    """Which order a message is about."""
    topic = _header(headers, "X-WC-Webhook-Topic")
    delivery_id = _header(headers, "X-WC-Webhook-Delivery-ID")
    if not topic:
        kind = HookKind.PING if body.startswith(b"webhook_id=") else HookKind.OTHER
        return Hook(kind, topic, delivery_id)
    order_id = _id(body) if topic.startswith("order.") else ""
    if not order_id:
        return Hook(HookKind.OTHER, topic, delivery_id)
    return Hook(HookKind.ORDER, topic, delivery_id, (order_id,))


def arm(rest: Rest, url: str, secret: str) -> tuple[str, ...]:
    """Make sure of one live subscription for each topic that leads to `url` and is signed with `secret`.

    Another of the same topic is deleted: a creation whose answer was lost leaves one behind. Raises as writes do.
    """
    name = _name(secret)
    mine: dict[str, list[Mapping[str, Any]]] = {topic: [] for topic in TOPICS}
    for hook in _to(rest, url):
        mine.setdefault(str(hook.get("topic")), []).append(hook)
    for topic in TOPICS:
        if not mine[topic]:
            rest.post(WEBHOOKS, {"name": name, "topic": topic, "delivery_url": url, "secret": secret})
            continue
        kept = mine[topic].pop(0)
        if kept.get("status") != "active" or kept.get("name") != name:
            rest.put(f"{WEBHOOKS}/{kept['id']}", {"name": name, "status": "active", "secret": secret})
    for surplus in mine.values():
        delete(rest, surplus)
    return TOPICS


def disarm(rest: Rest, url: str) -> None:
    """Delete every subscription that leads to `url`."""
    delete(rest, _to(rest, url))


def _to(rest: Rest, url: str) -> list[Mapping[str, Any]]:
    """The subscriptions that lead to `url`, oldest first."""
    seen: dict[int, Mapping[str, Any]] = {}
    for page in range(1, _MOST_PAGES + 1):
        reply = rest.get(WEBHOOKS, {"per_page": _PAGE, "page": page, "orderby": "id", "order": "asc"})
        if not isinstance(reply.data, list):
            raise StoreBusy(Code.NOT_JSON, request_id=reply.request_id)
        read = {int(hook["id"]): hook for hook in reply.data if isinstance(hook, dict) and hook.get("id")}
        is_last = len(reply.data) < _PAGE or read.keys() <= seen.keys()
        seen |= read
        if is_last:
            break
    return [seen[hook_id] for hook_id in sorted(seen) if seen[hook_id].get("delivery_url") == url]


def delete(rest: Rest, hooks: Sequence[Mapping[str, Any]]) -> None:
    """Delete these subscriptions; one that is gone already is no trouble."""
    for hook in hooks:
        try:
            rest.delete(f"{WEBHOOKS}/{hook['id']}", {"force": "true"})
        except ShipmentRejected:
            continue  # somebody else deleted it meanwhile


def _name(secret: str) -> str:
    """The store never shows a secret: its name tells whether a subscription was made with this one."""
    return f"TrackSync {hashlib.sha256(secret.encode()).hexdigest()[:6]}"


def _id(body: bytes) -> str:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    order_id = data.get("id") if isinstance(data, dict) else None
    return str(order_id) if isinstance(order_id, int | str) and str(order_id).isdigit() else ""


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for each, value in headers.items() if each.lower() == name.lower()), "")
