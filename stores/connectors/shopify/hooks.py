"""Shopify's messages: whether one is genuine, what it is about, and the subscriptions that make the store send them.

The store signs with the secret of the app, so nothing but the app's own shops can write to us. What is read of a
message is its topic, its id and which order it is about; the rest is never looked at.
https://shopify.dev/docs/apps/build/webhooks/subscribe/https
https://shopify.dev/docs/apps/build/compliance/privacy-law-compliance
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..base import Hook, HookKind
from ..codes import Code
from ..errors import OutcomeUnknown, StoreBusy
from .documents import document
from .graphql import GraphQL, Reply, cleaned

log = logging.getLogger(__name__)

WRITE = "webhook subscription"
COST = 10.0

_ORDERS = frozenset({"read_orders"})
_WORK = frozenset(f"read_{kind}_fulfillment_orders" for kind in ("merchant_managed", "assigned", "third_party"))
# Enough to know which order; `updated_at`, so that no two messages about one order are alike.
_ID_ONLY = ("id", "admin_graphql_api_id", "updated_at")


@dataclass(frozen=True)
class Topic:
    """One kind of message: its name to the API, the scopes of which one is needed, the fields that we want."""

    name: str
    one_of: frozenset[str] = frozenset()
    fields: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """As a message's header writes it: FULFILLMENT_ORDERS_HOLD_RELEASED is fulfillment_orders/hold_released."""
        name = self.name.lower()
        resource = next((one for one in ("fulfillment_orders", "orders", "app") if name.startswith(f"{one}_")), "")
        return f"{resource}/{name.removeprefix(f'{resource}_')}"


TOPICS = (
    Topic("ORDERS_CREATE", _ORDERS, _ID_ONLY),
    Topic("ORDERS_UPDATED", _ORDERS, _ID_ONLY),
    Topic("ORDERS_PAID", _ORDERS, _ID_ONLY),
    Topic("ORDERS_CANCELLED", _ORDERS, _ID_ONLY),
    # What was held back may go: these name the fulfillment order only.
    Topic("FULFILLMENT_ORDERS_HOLD_RELEASED", _WORK),
    Topic("FULFILLMENT_ORDERS_SCHEDULED_FULFILLMENT_ORDER_READY", _WORK),
    Topic("FULFILLMENT_ORDERS_ORDER_ROUTING_COMPLETE", _WORK),
    Topic("APP_UNINSTALLED"),
    Topic("APP_SCOPES_UPDATE"),
)

_KINDS = {
    "app/uninstalled": HookKind.UNINSTALLED,
    "app/scopes_update": HookKind.PERMISSIONS,
    "customers/data_request": HookKind.CUSTOMER_ASKS,
    "customers/redact": HookKind.FORGET_CUSTOMER,
    "shop/redact": HookKind.FORGET_SHOP,
}
# Under which name a message about customers lists the orders.
_LISTED = {HookKind.CUSTOMER_ASKS: "orders_requested", HookKind.FORGET_CUSTOMER: "orders_to_redact"}


# --- What comes in --------------------------------------------------------------------------------------


def is_signed(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> bool:
    """Whether one of the secrets made the signature of these very bytes. Every secret is tried, whichever fits.

    https://shopify.dev/docs/apps/build/webhooks/verify-deliveries
    """
    given = _header(headers, "Hmac-Sha256").strip().encode("utf-8", "replace")
    fits = False
    for secret in secrets:
        made = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest())
        fits |= bool(secret) and hmac.compare_digest(made, given)
    return fits


def read_hook(headers: Mapping[str, str], body: bytes) -> Hook:
    """What a message says; HookKind.OTHER where it says nothing to us."""
    topic = _header(headers, "Topic").strip().lower()[:100]
    delivery_id = _header(headers, "Webhook-Id").strip()[:100]
    if kind := _KINDS.get(topic):
        listed = _ids(_content(body).get(_LISTED[kind])) if kind in _LISTED else ()
        return Hook(kind, topic, delivery_id, listed)
    if topic.startswith(("orders/", "fulfillment_orders/")) and (found := _subject(topic, _content(body))):
        return Hook(HookKind.ORDER, topic, delivery_id, (found,))
    return Hook(HookKind.OTHER, topic, delivery_id)


def shop_domain(headers: Mapping[str, str]) -> str:
    """The shop that a message is said to come from, in small letters; believed only once its signature fits."""
    return _header(headers, "Shop-Domain").strip().lower()[:255]


def told_domain(body: bytes) -> str:
    """The shop that a genuine message itself names, "" where it names none: its headers are not signed."""
    told = _content(body).get("shop_domain")
    return told.strip().lower() if isinstance(told, str) else ""


def _header(headers: Mapping[str, str], name: str) -> str:
    """One of Shopify's own headers, in any case. The newer deliveries write them without the X-."""
    wanted = (f"x-shopify-{name}".lower(), f"shopify-{name}".lower())
    return next((str(value) for key, value in headers.items() if key.lower() in wanted), "")


def _content(body: bytes) -> Mapping[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _subject(topic: str, content: Mapping[str, Any]) -> str:
    """The order's id; the fulfillment order's, where nothing else is told."""
    if topic.startswith("orders/"):
        return _gid("Order", content.get("admin_graphql_api_id") or content.get("id"))
    work = content.get("fulfillment_order")
    work = work if isinstance(work, dict) else {}
    order = work.get("order_id") or content.get("order_id")
    return _gid("Order", order) if order else _gid("FulfillmentOrder", work.get("id"))


def _ids(listed: Any) -> tuple[str, ...]:
    found = (_gid("Order", each) for each in listed) if isinstance(listed, list) else ()
    return tuple(dict.fromkeys(filter(None, found)))


def _gid(kind: str, value: Any) -> str:
    """A number or an id of the API as an id of the API; "" for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return ""
    number = str(value).removeprefix(f"gid://shopify/{kind}/")
    return f"gid://shopify/{kind}/{number}" if number.isascii() and number.isdigit() and len(number) <= 20 else ""


# --- The subscriptions ----------------------------------------------------------------------------------


def arm(api: GraphQL, url: str) -> tuple[str, ...]:
    """Subscribe to what is missing at `url`; the topics that lead there in the end.

    What the store does not let us hear of is left out, and told in the log. Raises as a read and a write do.
    """
    there = {topic for _, topic in _subscribed(api, url)}
    missing = [topic for topic in TOPICS if topic.name not in there]
    if missing:
        scopes = api.scopes()
        refused = {topic.word: "no scope" for topic in missing if topic.one_of and not topic.one_of & scopes}
        for topic in missing:
            if topic.word in refused:
                continue
            if said := _subscribe(api, topic, url):
                refused[topic.word] = said
            else:
                there.add(topic.name)
        if refused:
            log.warning("Shopify does not tell us of %s", "; ".join(f"{word} ({why})" for word, why in refused.items()))
    return tuple(topic.word for topic in TOPICS if topic.name in there)


def disarm(api: GraphQL, url: str) -> None:
    """Delete every subscription that leads to `url`; one that is gone already is deleted."""
    for gid, _ in list(_subscribed(api, url)):
        _result(_write(api, "unsubscribe", {"id": gid}), "webhookSubscriptionDelete")


def _subscribed(api: GraphQL, url: str) -> Iterator[tuple[str, str]]:
    """(id, topic) of our subscriptions that lead to `url`. Compared here, whatever the store makes of a filter."""
    after = None
    while True:
        reply = api.read("subscriptions", {"after": after})
        page: Any = reply.data.get("webhookSubscriptions")
        if page is None:
            raise StoreBusy(Code.SERVER_ERROR, status=200, request_id=reply.request_id)
        yield from ((node["id"], node["topic"]) for node in page["nodes"] if node["uri"] == url)
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


def _subscribe(api: GraphQL, topic: Topic, url: str) -> str:
    """Make one subscription: "" where it stands, else what the store says against it."""
    wanted: dict[str, Any] = {"uri": url, "format": "JSON"}
    if topic.fields:
        wanted["includeFields"] = list(topic.fields)
    reply = _write(api, "subscribe", {"topic": topic.name, "subscription": wanted})
    said = _result(reply, "webhookSubscriptionCreate")
    # Somebody was quicker, or the list is a moment behind: it leads to us either way.
    return "" if "already been taken" in said else said


def _write(api: GraphQL, name: str, variables: Mapping[str, Any]) -> Reply:
    api.limiter.starts_at(WRITE, COST)
    return api.write(document(name), variables, {WRITE: 1})


def _result(reply: Reply, name: str) -> str:
    """The first error of a mutation's own, "" where it did what it was told."""
    result = reply.data.get(name)
    if result is None:
        problem = reply.problem_at(name)
        if problem and problem.code == "ACCESS_DENIED":
            return cleaned(problem.message)
        raise OutcomeUnknown(Code.STORE_FAILED, status=200, request_id=reply.request_id)
    return next((cleaned(error["message"]) for error in result["userErrors"]), "")
