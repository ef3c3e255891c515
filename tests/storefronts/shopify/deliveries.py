"""The messages that a store sends to its subscriptions: made when something changes, signed, sent, sent again.

Nothing leaves before a test has said where to: `to` takes the place of the scheme and host of every address, and
with it any address may be subscribed. https://shopify.dev/docs/apps/build/webhooks/subscribe/https
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import queue
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from .values import Record, iso, tail

if TYPE_CHECKING:
    from .shop import Shop

PATIENCE = 5  # seconds for an answer
FAILURES = 8  # in a row: the subscription is deleted
RESOURCES = ("fulfillment_orders", "orders", "app")


@dataclass
class Delivery:
    """One message to one address: the same id and the same bytes however often it is sent."""

    id: str
    topic: str
    uri: str
    body: str
    headers: dict[str, str]
    subscription: str = ""
    statuses: list[int] = field(default_factory=list)  # of each try; 0: no answer


class Deliveries:
    """All messages of one store, oldest first. Made under the shop's lock, sent by a thread of its own."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self.to: str | None = None
        self.held = False
        self.made: dict[str, Delivery] = {}
        self._waiting: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._failures: dict[str, int] = {}
        self._sending = 0

    def announce(self, topic: str, content: Record) -> None:
        """Something happened: a message to each subscription of the topic (ORDERS_UPDATED), with its fields only."""
        for one in list(self._shop.webhooks.values()):
            if one["topic"] == topic:
                fields = one["includeFields"]
                told = {key: value for key, value in content.items() if not fields or key in fields}
                self.send(self.make(topic, one["uri"], told, one["id"]))

    def of_order(self, topic: str, order: Record) -> None:
        """Something happened to an order."""
        if self._shop.webhooks:
            self.announce(topic, order_content(order))

    def of_work(self, topic: str, fo: Record) -> None:
        """Something happened to a fulfilment order, which is all that is told."""
        self.announce(topic, {"fulfillment_order": {"id": fo["id"], "status": fo["status"].lower()}})

    def make(self, topic: str, uri: str, content: Record, subscription: str = "", domain: str = "") -> Delivery:
        """A message, signed with the app's secret, not sent yet."""
        body = json.dumps(content)
        made = hmac.new(self._shop.app_secret.encode(), body.encode(), hashlib.sha256).digest()
        delivery = Delivery(str(uuid.uuid4()), word(topic), uri, body, {}, subscription)
        delivery.headers = {
            "Content-Type": "application/json",
            "X-Shopify-Topic": delivery.topic,
            "X-Shopify-Hmac-Sha256": base64.b64encode(made).decode(),
            "X-Shopify-Shop-Domain": domain or f"{self._shop.name}.myshopify.com",
            "X-Shopify-API-Version": "2026-10",
            "X-Shopify-Webhook-Id": delivery.id,
            "X-Shopify-Event-Id": str(uuid.uuid4()),
            "X-Shopify-Triggered-At": iso(self._shop.now()),
        }
        self.made[delivery.id] = delivery
        return delivery

    def send(self, delivery: Delivery) -> None:
        """Hand it to the thread that sends, unless nobody has said where to, or all are held."""
        if self.to is None or self.held:
            return
        self._sending += 1
        self._waiting.put(delivery)
        if self._thread is None:
            self._thread = threading.Thread(target=self._send_all, daemon=True)
            self._thread.start()

    def under_way(self) -> int:
        """How many are being sent."""
        return self._sending

    def _send_all(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while True:
                delivery = self._waiting.get()
                status = self._post(session, delivery)
                with self._shop.lock:
                    delivery.statuses.append(status)
                    self._sending -= 1
                    self._count(delivery, 200 <= status < 300)

    def _post(self, session: requests.Session, delivery: Delivery) -> int:
        parts = urlsplit(delivery.uri)
        url = f"{self.to or f'{parts.scheme}://{parts.netloc}'}{parts.path}"
        try:
            answer = session.post(
                url, data=delivery.body.encode(), headers=delivery.headers, timeout=PATIENCE, allow_redirects=False
            )
        except requests.RequestException:
            return 0
        return answer.status_code

    def _count(self, delivery: Delivery, is_taken: bool) -> None:
        failures = 0 if is_taken else self._failures.get(delivery.subscription, 0) + 1
        self._failures[delivery.subscription] = failures
        if failures >= FAILURES:
            self._shop.webhooks.pop(delivery.subscription, None)
            self._shop.records.pop(delivery.subscription, None)

    def told(self) -> list[dict[str, Any]]:
        """What a test wants to know of each message, oldest first."""
        return [
            {
                "id": one.id,
                "topic": one.topic,
                "uri": one.uri,
                "body": one.body,
                "headers": one.headers,
                "statuses": one.statuses,
            }
            for one in self.made.values()
        ]

    def wait(self, seconds: float) -> bool:
        """Until nothing is under way. Called without the shop's lock."""
        ends = time.monotonic() + seconds
        while self._sending and time.monotonic() < ends:
            time.sleep(0.01)
        return not self._sending


def word(topic: str) -> str:
    """A topic as a header writes it: orders/updated for ORDERS_UPDATED. One that is written so already stays."""
    name = topic.lower()
    resource = next((one for one in RESOURCES if name.startswith(f"{one}_")), "")
    return f"{resource}/{name[len(resource) + 1 :]}" if resource else name


def order_content(order: Record) -> Record:
    """An order as messages tell it: numbers for ids, the buyer's data in the midst of it."""
    return {
        "id": int(tail(order["id"])),
        "admin_graphql_api_id": order["id"],
        "name": order["name"],
        "email": order["email"],
        "created_at": order["createdAt"],
        "updated_at": order["updatedAt"],
        "cancelled_at": order["cancelledAt"],
        "shipping_address": {"name": order["_address"]["name"], "country_code": order["_address"]["countryCode"]},
    }
