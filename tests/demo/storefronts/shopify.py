"""The demo's stores in a running pretend Shopify."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

from tests.demo.cast import Shop
from tests.storefronts import client

from .book import Book, Shown
from .orders import lines, placed_at
from .world import Access, World


class ShopifyWorld(World):
    """Numbers stand in fulfillments here; an order is fulfilled, in part, or not."""

    label: ClassVar[str] = "Shopify"
    module: ClassVar[str] = "tests.storefronts.shopify"

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self._shopify = client.PretendShopify(address=address)
        self._shops: dict[str, client.Shop] = {}

    def open(self, shop: Shop, now: datetime) -> None:
        """A store with one warehouse; what the story holds is on hold."""
        there = self._shops[shop.key] = self._shopify.shop(
            shop.key, first_number=shop.first_number, time_zone=shop.time_zone, locations=["Main warehouse"]
        )
        for order in shop.orders:
            there.add_order(
                lines(order),
                number=f"#{order.number}",
                customer=order.customer,
                email=order.email,
                country=order.country,
                placed_at=placed_at(order.number, now),
            )
            if order.case.on_hold:
                there.hold(f"#{order.number}", "AWAITING_PAYMENT", words="Address to be checked")

    def access(self, key: str) -> Access:
        """The token of an app that was made in the store."""
        return Access(self._shops[key].base_url, self._shops[key].credentials)

    def cancel(self, key: str, order: str) -> None:
        """The merchant cancels an order."""
        self._shops[key].cancel_order(f"#{order}")

    def release(self, key: str, order: str) -> None:
        """The merchant lets go of an order that was on hold."""
        self._shops[key].release(f"#{order}")

    def book(self, key: str) -> Book:
        """Its live fulfillments; units of a line that were fulfilled twice are wrong."""
        book = self._shops[key].book()
        return Book(
            shown=tuple(_shown(key, book)),
            states={order["name"].lstrip("#"): (order["fulfillment"],) for order in book["orders"]},
            wrong=tuple(f"{key}: units are fulfilled twice in {order}." for order in sorted(book["twice"])),
        )


def _shown(key: str, book: Mapping[str, Any]) -> Iterator[Shown]:
    for order in book["orders"]:
        for fulfillment in order["fulfillments"]:
            for number in fulfillment["numbers"]:
                name = order["name"].lstrip("#")
                yield Shown(key, name, number, fulfillment["company"] or "", book["numbers"][number])
