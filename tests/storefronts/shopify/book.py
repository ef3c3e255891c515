"""The store's own book: what came in, what was done, what the shopper was told. Tests believe this one."""

from __future__ import annotations

import collections
import time
from typing import TYPE_CHECKING, Any

from .values import Record

if TYPE_CHECKING:
    from .shop import Shop


class Book:
    """Counters and lists that grow while requests come in. Written under the shop's lock."""

    def __init__(self) -> None:
        self.requests = 0
        self.reads = 0
        self.mutations: collections.Counter[str] = collections.Counter()
        self.refused: collections.Counter[str] = collections.Counter()
        self.faults: collections.Counter[str] = collections.Counter()
        self.throttled = 0
        self.too_expensive = 0
        self.tokens_given = 0
        self.token_requests: collections.Counter[str] = collections.Counter()
        self.points = 0
        self.overlapping = 0
        self.most_overlapping = 0
        self.first_level: float | None = None
        self.last_level: float | None = None
        self.first_at: float | None = None
        self.last_at: float | None = None
        self.writes: list[dict[str, Any]] = []
        self.notices: list[dict[str, Any]] = []
        self.numbers: dict[str, float] = {}

    def arrives(self) -> float:
        """A request was read: its time of arrival, seconds since the epoch."""
        now = time.time()
        self.requests += 1
        self.overlapping += 1
        self.most_overlapping = max(self.most_overlapping, self.overlapping)
        self.first_at = self.first_at or now
        self.last_at = now
        return now

    def leaves(self) -> None:
        """A request was answered, or its connection given up."""
        self.overlapping -= 1

    def charged(self, level: float, points: int) -> None:
        """A request was paid for out of a bucket that held `level` before."""
        self.first_level = level if self.first_level is None else self.first_level
        self.last_level = level - points
        self.points += points

    def wrote(self, kind: str, arrived: float, payload: Record | None, request_id: str, alias: str) -> None:
        """One mutation field was executed; `payload` is what the mutation gave back."""
        payload = payload or {}
        errors = [one["message"] for one in payload.get("userErrors") or payload.get("orderCancelUserErrors") or ()]
        target = payload.get("fulfillment") or payload.get("fulfillmentOrder") or payload.get("order") or {}
        self.mutations[kind] += 1
        for message in errors:
            self.refused[message] += 1
        self.writes.append(
            {
                "kind": kind,
                "alias": alias,
                "arrived": arrived,
                "executed": time.time(),
                "request_id": request_id,
                "id": target.get("id"),
                "errors": errors,
            }
        )

    def shows(self, fulfillment: Record) -> None:
        """A fulfillment's numbers are visible from now on."""
        now = time.time()
        for one in fulfillment["_tracking"]:
            if one["number"]:
                self.numbers.setdefault(one["number"], now)

    def notifies(self, kind: str, fulfillment: Record) -> None:
        """The store mails the shopper, where it has an address."""
        numbers = [one["number"] for one in fulfillment["_tracking"] if one["number"]]
        self.notices.append(
            {
                "kind": kind,
                "order": fulfillment["order"]["name"],
                "fulfillment": fulfillment["id"],
                "numbers": numbers,
                "at": time.time(),
            }
        )


def pages(shop: Shop) -> dict[str, Any]:
    """The whole book of one shop, as JSON gives it."""
    book = shop.book
    orders = [_order(order) for order in shop.orders.values()]
    return {
        "shop": shop.name,
        "orders": orders,
        "numbers": dict(book.numbers),
        "notices": list(book.notices),
        "writes": list(book.writes),
        "twice": {order["name"]: order["twice"] for order in orders if order["twice"]},
        "counts": {
            "requests": book.requests,
            "reads": book.reads,
            "mutations": dict(book.mutations),
            "refused": dict(book.refused),
            "throttled": book.throttled,
            "too_expensive": book.too_expensive,
            "tokens_given": book.tokens_given,
            "token_requests": dict(book.token_requests),
            "points": book.points,
            "first_level": book.first_level,
            "last_level": book.last_level,
            "first_at": book.first_at,
            "last_at": book.last_at,
            "level": shop.bucket.level(),
            "most_overlapping": book.most_overlapping,
            "faults": dict(book.faults),
        },
    }


def _order(order: Record) -> dict[str, Any]:
    live = [one for one in order["_fulfillments"] if one["status"] != "CANCELLED"]
    return {
        "id": order["id"],
        "name": order["name"],
        "financial": order["displayFinancialStatus"],
        "fulfillment": order["displayFulfillmentStatus"],
        "cancelled_at": order["cancelledAt"],
        "lines": [
            {
                "id": line["id"],
                "sku": line["sku"],
                "title": line["title"],
                "quantity": line["quantity"],
                "current": line["currentQuantity"],
                "fulfilled": line["_fulfilled"],
            }
            for line in order["_lines"]
        ],
        "fulfillments": [_fulfillment(one) for one in live],
        "cancelled": [_fulfillment(one) for one in order["_fulfillments"] if one["status"] == "CANCELLED"],
        "fulfillment_orders": [
            {
                "id": fo["id"],
                "status": fo["status"],
                "location": fo["_location"]["name"],
                "remaining": sum(line["remainingQuantity"] for line in fo["_lines"]),
            }
            for fo in order["_fos"]
        ],
        "twice": twice(order, live),
    }


def _fulfillment(one: Record) -> dict[str, Any]:
    return {
        "id": one["id"],
        "name": one["name"],
        "status": one["status"],
        "location": one["location"]["name"],
        "created_at": one["_created"],
        "made_by": one["_made_by"],
        "numbers": [row["number"] for row in one["_tracking"] if row["number"]],
        "company": one["_tracking"][0]["company"] if one["_tracking"] else None,
        "urls": [row["url"] for row in one["_tracking"]],
        "lines": {item["lineItem"]["id"]: item["quantity"] for item in one["_lines"]},
    }


def twice(order: Record, live: list[Record]) -> dict[str, int]:
    """Units of each line that live fulfillments cover twice.

    That is what lies over the ordered quantity, and what a number covers in one fulfillment and again
    in another: the same parcel written down a second time.
    """
    found: dict[str, int] = {}
    for line in order["_lines"]:
        gid = line["id"]
        covered = [(one, item["quantity"]) for one in live for item in one["_lines"] if item["lineItem"] is line]
        over = max(0, sum(quantity for _, quantity in covered) - line["quantity"])
        by_number: dict[str, list[int]] = {}
        for one, quantity in covered:
            for row in one["_tracking"]:
                if row["number"]:
                    by_number.setdefault(row["number"], []).append(quantity)
        again = max((sum(quantities) - max(quantities) for quantities in by_number.values()), default=0)
        if over or again:
            found[gid] = max(over, again)
    return found
