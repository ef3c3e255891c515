"""One pretend store: its settings and records, how they are made and found. What a status brings stands in `statuses`.

Everything that reads or writes a shop holds its `lock`. Ids of two shops are the same numbers, as in real life.
"""

from __future__ import annotations

import collections
import datetime
import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from . import dates
from .book import Book
from .faults import Faults

CORE_STATUSES = {
    "pending": "Pending payment",
    "processing": "Processing",
    "on-hold": "On hold",
    "completed": "Completed",
    "cancelled": "Cancelled",
    "refunded": "Refunded",
    "failed": "Failed",
    "checkout-draft": "Draft",
}
PLUGINS = ("plain", "ast", "shipment_tracking", "fulfillments", "ast+fulfillments")
PAID = ("processing", "completed", "refunded")
FIRST_ID = 1001
FIRST_ID_WITH_NUMBERS = 5001  # where numbers are counted apart from ids
TRACKINGS = "_wc_shipment_tracking_items"  # the meta that the tracking plugins keep their list in
Record = dict[str, Any]


@dataclass
class Line:
    """A line of an order. A price is for one unit."""

    id: int
    sku: str
    title: str
    quantity: int
    price: float = 10.0
    needs_processing: bool = True  # False: downloads and the like, nothing to ship
    product: int = 0


@dataclass
class Order:
    """One order; times are UTC."""

    id: int
    number: str
    status: str
    placed: datetime.datetime
    modified: datetime.datetime
    lines: list[Line]
    customer: str
    email: str
    country: str
    paid: datetime.datetime | None = None
    completed: datetime.datetime | None = None
    customer_note: str = ""
    meta: list[Record] = field(default_factory=list)
    notes: list[Record] = field(default_factory=list)
    refunds: list[Record] = field(default_factory=list)
    fulfillments: list[Record] = field(default_factory=list)
    mails: list[Record] = field(default_factory=list)
    log: list[Record] = field(default_factory=list)
    stock_reduced: bool = False

    def refunded(self, line: int) -> int:
        """Units of a line that were refunded."""
        return sum(units for refund in self.refunds for one, units in refund["units"] if one == line)

    def meta_value(self, key: str) -> Any:
        """The value under a key, None where there is none."""
        return next((one["value"] for one in self.meta if one["key"] == key), None)

    @property
    def trackings(self) -> list[Record]:
        """What the tracking plugins keep of this order."""
        kept = self.meta_value(TRACKINGS)
        return kept if isinstance(kept, list) else []

    @property
    def live_fulfillments(self) -> list[Record]:
        """Fulfillments that nobody deleted."""
        return [one for one in self.fulfillments if one["deleted"] is None]


class Shop:
    """The whole state of one store."""

    def __init__(self, name: str, base_url: str, options: Record) -> None:
        self.name = name
        self.base_url = base_url
        self.lock = threading.RLock()
        self.plugin = "plain"
        self.version = options.get("version") or "10.9.1"
        self.wordpress = "7.0.4" if self.release >= (10, 3) else "6.8.8" if self.release >= (9,) else "6.4.10"
        self.time_zone: str = options.get("time_zone") or "Europe/Berlin"
        self.currency: str = options.get("currency") or "USD"
        self.latency: float = options.get("latency_ms", 0) / 1000
        self.custom_statuses: list[str] = list(options.get("statuses") or ())
        self.strips_authorization: bool = options.get("strips_authorization", False)
        self.sees_https: bool = not options.get("thinks_http", False)
        self.plain_permalinks: bool = options.get("plain_permalinks", False)
        self.php_warning: bool = options.get("php_warning", False)
        self.has_woocommerce: bool = options.get("has_woocommerce", True)
        self.sequential_numbers: bool = options.get("sequential_numbers", False)
        self.providers: list[str] | None = options.get("providers")
        self.lenient_callback: bool = options.get("lenient_callback", False)
        self.callback_to: str | None = options.get("callback_to")
        self.moved_to: str | None = options.get("moved_to")
        self.username: str = options.get("username") or "manager"
        self.password: str = options.get("password") or "let-me-in"
        self.user: str = options.get("user") or "shop_manager"
        self.cookies: set[str] = set()
        self.nonces: set[str] = set()
        self.keys: dict[str, Record] = {}
        self.key_permissions: str = options.get("key_permissions") or "read_write"
        self.orders: dict[int, Order] = {}
        self.hooks: dict[int, Record] = {}
        self.pending: list[Record] = []  # deliveries of webhooks that have not run
        self.changes = 0  # grows with every write: sorted lists are kept as long as it stands
        self.sorted: dict[Any, list[Order]] = {}
        self._ids: collections.Counter[str] = collections.Counter()
        first = options.get("first_number")
        self._first_number: int = first or FIRST_ID
        self._ids["order"] = (FIRST_ID_WITH_NUMBERS if self.sequential_numbers else first or FIRST_ID) - 1
        self._ids["line"] = 50
        self.faults = Faults(options.get("seed", 1))
        self.book = Book()
        self.set_plugin(options.get("plugin") or "plain")

    # -- what kind of shop it is

    @property
    def release(self) -> tuple[int, ...]:
        """WooCommerce's version as numbers."""
        return tuple(int(part) for part in self.version.split("."))

    @property
    def api_root(self) -> str:
        """The API's address, as the shop's pages tell it."""
        return f"{self.base_url}/{'index.php?rest_route=/' if self.plain_permalinks else 'wp-json/'}"

    @property
    def is_ast(self) -> bool:
        """Whether Advanced Shipment Tracking is on."""
        return self.plugin.startswith("ast")

    @property
    def has_trackings(self) -> bool:
        """Whether a tracking plugin is on."""
        return self.is_ast or self.plugin == "shipment_tracking"

    @property
    def has_fulfillments(self) -> bool:
        """Whether the store's own fulfillments are on; there are none before 10.1."""
        return "fulfillments" in self.plugin and self.release >= (10, 1)

    def set_plugin(self, plugin: str) -> None:
        """Switch plugins; what was written by the last one stays where it is."""
        if plugin not in PLUGINS:
            raise ValueError(f"unknown plugin {plugin!r}; known: {', '.join(PLUGINS)}")
        self.plugin = plugin

    @property
    def statuses(self) -> dict[str, str]:
        """Every status an order may have, with its name."""
        return {**CORE_STATUSES, **{one: one.replace("-", " ").capitalize() for one in self.custom_statuses}}

    def new_id(self, kind: str) -> int:
        """The next id of its kind."""
        self._ids[kind] += 1
        return self._ids[kind]

    def new_key(self, permissions: str | None = None, user: str | None = None) -> Record:
        """A key that is good from now on: {"key_id", "consumer_key", "consumer_secret", "key_permissions"}."""
        name, secret = f"ck_{secrets.token_hex(20)}", f"cs_{secrets.token_hex(20)}"
        permissions = permissions or self.key_permissions
        key_id = self.new_id("key")
        self.keys[name] = {"id": key_id, "secret": secret, "permissions": permissions, "user": user or self.user}
        return {"key_id": key_id, "consumer_key": name, "consumer_secret": secret, "key_permissions": permissions}

    # -- orders

    def add_order(
        self,
        lines: Iterable[Record],
        *,
        number: str | None = None,
        status: str = "processing",
        placed_at: datetime.datetime | None = None,
        paid_at: datetime.datetime | None = None,
        customer: str = "Ada Buyer",
        email: str = "buyer@example.com",
        country: str = "US",
    ) -> Order:
        """An order as a shopper would leave it; a line is {sku, title, quantity, price, needs_processing}."""
        if status not in self.statuses:
            raise ValueError(f"unknown status {status!r}; known: {', '.join(self.statuses)}")
        placed = placed_at or dates.now()
        order_id = self.new_id("order")
        if number is None and self.sequential_numbers:
            number = str(self._first_number + self.new_id("number") - 1)
        order = Order(
            order_id,
            number or str(order_id),
            status,
            placed,
            max(placed, dates.now()),
            [Line(self.new_id("line"), product=self.new_id("product"), **line) for line in lines],
            customer,
            email,
            country,
            paid=paid_at or (placed if status in PAID else None),
            completed=placed if status == "completed" else None,
            stock_reduced=status in ("processing", "completed", "on-hold"),
        )
        self.orders[order.id] = order
        self.changed(order, "created")
        return order

    def find(self, order: int | str) -> Order:
        """An order by id (a number) or exact number (a text). Raises KeyError."""
        if isinstance(order, int) and order in self.orders:
            return self.orders[order]
        for one in self.orders.values():
            if one.number == str(order):
                return one
        if str(order).isdigit() and int(order) in self.orders:
            return self.orders[int(order)]
        raise KeyError(f"no order {order!r} in {self.name}")

    def delete(self, order: Order) -> None:
        """The order is gone for good."""
        del self.orders[order.id]
        self.changed(order, "deleted")

    def set_meta(self, order: Order, key: str, value: Any) -> None:
        """Write under a key: the first entry of that key is replaced, others of it go; None takes it away."""
        same = [one for one in order.meta if one["key"] == key]
        if value is None:
            order.meta = [one for one in order.meta if one["key"] != key]
        elif same:
            same[0]["value"] = value
            order.meta = [one for one in order.meta if one["key"] != key or one is same[0]]
        else:
            order.meta.append({"id": self.new_id("meta"), "key": key, "value": value})

    def add_note(self, order: Order, text: str, *, customer: bool = False, by: str = "system") -> Record:
        """A note on the order; one for the customer is mailed."""
        note = {"id": self.new_id("note"), "text": text, "customer_note": customer, "by": by, "at": dates.now()}
        order.notes.append(note)
        if customer:
            self.book.mails(order, "note", text=text)
        return note

    def changed(self, order: Order, event: str = "updated") -> None:
        """Something about the order is different: its date, sorted lists, the book and webhooks follow."""
        order.modified = max(order.modified, dates.now())
        self.changes += 1
        self.sorted.clear()
        self.book.looks(order)
        topic = f"order.{event}"
        for hook in self.hooks.values():
            waiting = {"hook": hook["id"], "order": order.id}
            if hook["topic"] == topic and hook["status"] == "active" and waiting not in self.pending:
                self.pending.append(waiting)
