"""The demo's store in a running pretend WooCommerce, with the plugin Advanced Shipment Tracking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

from tests.demo.cast import NAMES, Shop
from tests.storefronts import woo

from .book import Book, Shown, StoreMail
from .orders import lines, placed_at
from .world import Access, World

USERNAME, PASSWORD = "manager", "let-me-in"  # of the shop's own pages
PARTLY = "partial-shipped"  # what the plugin adds to the platform's own statuses


class WooCommerceWorld(World):
    """Numbers stand in the plugin's list on an order; the order has a status, and mails go out with it."""

    label: ClassVar[str] = "WooCommerce"
    module: ClassVar[str] = "tests.storefronts.woocommerce"
    note: ClassVar[str] = (
        "Numbers go into the list of its plugin, Advanced Shipment Tracking, and the order's status follows them. "
        "WooCommerce then writes to the shopper itself, which cannot be switched off from here: so TrackSync does not."
    )

    @classmethod
    def hint(cls, shop: Shop) -> str:
        """Its merchant chooses more, and can give access without copying keys."""
        return (
            f"The page of {shop.name} has two choices more: where in the shop numbers go, and whether orders are "
            "completed. “New access data” there shows how a shop is connected with one click; the shop asks who you "
            f"are: {USERNAME}, password {PASSWORD}."
        )

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self._woocommerce = woo.PretendWooCommerce(address=address)
        self._shops: dict[str, woo.WooShop] = {}

    def open(self, shop: Shop, now: datetime) -> None:
        """A store whose plugin knows the carriers of the story."""
        there = self._shops[shop.key] = self._woocommerce.shop(
            shop.key,
            plugin="ast",
            statuses=[PARTLY],
            providers=list(NAMES.values()),
            first_number=shop.first_number,
            time_zone=shop.time_zone,
            username=USERNAME,
            password=PASSWORD,
            lenient_callback=True,  # a merchant may give access with one click, though nothing here speaks https
        )
        for order in shop.orders:
            there.add_order(
                lines(order),
                customer=order.customer,
                email=order.email,
                country=order.country,
                placed_at=placed_at(order.number, now),
            )

    def access(self, key: str) -> Access:
        """A key with Read/Write that the merchant made."""
        return Access(self._shops[key].base_url, self._shops[key].credentials)

    def cancel(self, key: str, order: str) -> None:
        """The merchant cancels an order."""
        self._shops[key].set_status(order, "cancelled")

    def book(self, key: str) -> Book:
        """The plugin's lists; a number that stands twice, or an order that was completed too early, is wrong."""
        book = self._shops[key].book()
        numbers = {order["id"]: str(order["number"]) for order in book["orders"]}
        wrong = [f"{key}: {number} stood there twice." for number in book["twice"]]
        wrong += [f"{key}: order #{numbers[order]} was completed without a number." for order in book["early"]]
        return Book(
            shown=tuple(_shown(key, book)),
            states={str(order["number"]): _states(order) for order in book["orders"]},
            mails=tuple(
                StoreMail(str(order["number"]), mail["kind"], tuple(sorted(mail["numbers"])))
                for order in book["orders"]
                for mail in order["mails"]
            ),
            wrong=tuple(wrong),
        )


def _states(order: Mapping[str, Any]) -> tuple[str, ...]:
    log = order["status_log"]
    return (log[0]["from"], *(step["to"] for step in log)) if log else (order["status"],)


def _shown(key: str, book: Mapping[str, Any]) -> Iterator[Shown]:
    for order in book["orders"]:
        for tracking in order["trackings"]:
            number = tracking["number"]
            yield Shown(key, str(order["number"]), number, tracking["provider_name"], book["numbers"][number])
