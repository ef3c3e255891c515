"""The store's own book: what came in, what was done, what the shopper was told. Tests believe this one."""

from __future__ import annotations

import collections
import json
import re
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .shop import Order, Shop

LOOKS_LIKE_A_NUMBER = re.compile(r"(?=(?:[A-Z]*\d){5})[A-Z0-9]{8,}")
Record = dict[str, Any]


def folded(number: str) -> str:
    """A number as two of them are compared."""
    return "".join(str(number).split()).upper()


def split(text: Any) -> list[str]:
    """The numbers in one field; several are divided by commas, semicolons or blanks, or stand in a JSON list."""
    if isinstance(text, str) and text.startswith("["):
        try:
            text = json.loads(text)
        except ValueError:
            pass
    if isinstance(text, list):
        return [str(one["number"] if isinstance(one, dict) and "number" in one else one) for one in text]
    return [one for one in re.split(r"[,;\s]+", str(text or "")) if one]


def fulfillment_numbers(one: Record) -> list[str]:
    """The numbers of one fulfillment."""
    return [number for entry in one["meta"] if entry["key"] == "_tracking_number" for number in split(entry["value"])]


def fulfillment_items(one: Record) -> list[tuple[int, int]]:
    """(line, units) of one fulfillment."""
    kept: list[Record] = next((entry["value"] for entry in one["meta"] if entry["key"] == "_items"), [])
    return [(item["item_id"], item["qty"]) for item in kept]


def standing(order: Order) -> dict[str, list[str]]:
    """Every number that stands on an order, by where it stands."""
    return {
        "trackings": [str(one.get("tracking_number", "")) for one in order.trackings],
        "fulfillments": [number for one in order.live_fulfillments for number in set(fulfillment_numbers(one))],
        "meta": [number for one in order.meta if "tracking_number" in one["key"] for number in split(one["value"])],
    }


class Book:
    """Counters and lists that grow while requests come in. Written under the shop's lock."""

    def __init__(self) -> None:
        self.requests = 0
        self.reads = 0
        self.throttled = 0
        self.overlapping = 0
        self.most_overlapping = 0
        self.mutations: collections.Counter[str] = collections.Counter()
        self.refused: collections.Counter[str] = collections.Counter()
        self.faults: collections.Counter[str] = collections.Counter()
        self.in_query = 0
        self.numbers: dict[str, float] = {}
        self.twice: set[str] = set()
        self.early: list[int] = []
        self.writes: list[Record] = []

    def arrives(self) -> None:
        """A request was read."""
        self.requests += 1
        self.overlapping += 1
        self.most_overlapping = max(self.most_overlapping, self.overlapping)

    def leaves(self) -> None:
        """A request was answered, or its connection given up."""
        self.overlapping -= 1

    def wrote(self, operations: tuple[str, ...], order: int | None, status: int, code: object) -> None:
        """One write was executed or refused; `operations` are all names it goes by."""
        if status >= 400:
            self.refused[str(code)] += 1
            return
        self.mutations.update(operations)
        self.writes.append({"operations": list(operations), "order": order, "at": time.time()})

    def looks(self, order: Order) -> None:
        """Note the numbers that stand on an order now, and those that stand there twice."""
        for numbers in standing(order).values():
            counted = collections.Counter(folded(one) for one in numbers if one)
            self.twice |= {one for one in numbers if counted[folded(one)] > 1}
            for one in filter(None, numbers):
                self.numbers.setdefault(one, time.time())
        told = collections.Counter(note["text"] for note in order.notes if note["by"] == "api")
        for text, times in told.items():
            if times > 1:
                self.twice |= {one for numbers in standing(order).values() for one in numbers if one and one in text}

    def mails(self, order: Order, kind: str, *, text: str = "", numbers: list[str] | None = None) -> None:
        """The store mails the shopper, where it has an address; `numbers` are those the mail shows."""
        if order.email:
            order.mails.append({"kind": kind, "numbers": numbers, "text": text, "at": time.time()})

    def completes(self, order: Order, *, fulfillments: bool, trackings: bool) -> None:
        """An app has completed the order: early, where something to ship is known not to be covered."""
        to_ship = {
            line.id: line.quantity - order.refunded(line.id)
            for line in order.lines
            if line.needs_processing and line.quantity > order.refunded(line.id)
        }
        if trackings:
            is_early = bool(to_ship) and not order.trackings
        else:
            done = covered(order)
            is_early = fulfillments and any(done[line] < units for line, units in to_ship.items())
        if is_early:
            self.early.append(order.id)


def mails(shop: Shop, order: Order) -> list[Record]:
    """What the shopper was mailed about an order.

    The numbers in a note are what looks like one, and every number that stood on any order before or since.
    """
    pages = []
    for mail in order.mails:
        numbers, text = mail["numbers"], mail["text"]
        if numbers is None:
            words = dict.fromkeys(re.findall(r"[\w-]+", text))
            numbers = [word for word in words if word in shop.book.numbers or LOOKS_LIKE_A_NUMBER.fullmatch(word)]
        page = {"kind": mail["kind"], "number_in_mail": bool(numbers), "numbers": numbers, "at": mail["at"]}
        pages.append({**page, **({"text": text} if text else {})})
    return pages


def covered(order: Order) -> collections.Counter[int]:
    """Units of each line that live fulfillments cover."""
    units: collections.Counter[int] = collections.Counter()
    for one in order.live_fulfillments:
        for line, quantity in fulfillment_items(one):
            units[line] += quantity if one["is_fulfilled"] else 0
    return units


def pages(shop: Shop) -> Record:
    """The whole book of one shop, as JSON gives it."""
    book = shop.book
    return {
        "shop": shop.name,
        "orders": [order_page(shop, order) for order in shop.orders.values()],
        "counts": {
            "requests": book.requests,
            "reads": book.reads,
            "mutations": dict(book.mutations),
            "refused": dict(book.refused),
            "throttled": book.throttled,
            "in_query": book.in_query,
            "most_overlapping": book.most_overlapping,
        },
        "numbers": dict(book.numbers),
        "twice": sorted(book.twice),
        "early": list(book.early),
        "writes": list(book.writes),
        "faults": dict(book.faults),
    }


def order_page(shop: Shop, order: Order) -> Record:
    """One order in the book. System notes are left out: an app and people wrote what stands there."""
    from . import trackings, views

    done = covered(order)
    return {
        "id": order.id,
        "number": order.number,
        "status": order.status,
        "date_paid": views.utc(order.paid),
        "date_completed": views.utc(order.completed),
        "stock_reduced": order.stock_reduced,
        "lines": [
            {
                "id": line.id,
                "sku": line.sku,
                "title": line.title,
                "quantity": line.quantity,
                "refunded": order.refunded(line.id),
                "fulfilled": done[line.id],
            }
            for line in order.lines
        ],
        "trackings": [trackings.page(shop, one) for one in order.trackings],
        "fulfillments": [
            {
                "id": one["id"],
                "numbers": fulfillment_numbers(one),
                "items": [list(item) for item in fulfillment_items(one)],
                "provider": views.meta_of(one["meta"], "_shipment_provider"),
                "link": views.meta_of(one["meta"], "_tracking_url"),
                "is_fulfilled": one["is_fulfilled"],
                "deleted": one["deleted"] is not None,
            }
            for one in order.fulfillments
        ],
        "notes": [
            {"text": note["text"], "customer_note": note["customer_note"]}
            for note in order.notes
            if note["by"] != "system"
        ],
        "meta": {one["key"]: one["value"] for one in order.meta},
        "mails": mails(shop, order),
        "status_log": list(order.log),
    }
