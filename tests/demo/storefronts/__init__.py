"""The pretend stores of the demo: opened, filled with the story's orders, and asked for their books.

One process for each platform, which speaks that platform's own API over HTTP (tests/storefronts). What a shopper or a
merchant does there goes by the stores' controls; everything of TrackSync's by the API.

    book.py          what a store wrote down, the same for every platform
    world.py         what the demo asks of a platform's stores
    shopify.py, woocommerce.py
                     the two
    orders.py        when the shoppers ordered, and what
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from tests.demo import story
from tests.demo.cast import Shop

from .book import Book, Shown, StoreMail
from .orders import paid_at
from .shopify import ShopifyWorld
from .woocommerce import WooCommerceWorld
from .world import Access, World

__all__ = ["PLATFORMS", "Access", "Book", "Shown", "StoreMail", "Storefronts", "World", "paid_at"]

PLATFORMS: dict[str, type[World]] = {"shopify": ShopifyWorld, "woocommerce": WooCommerceWorld}


class Storefronts:
    """The demo's stores, whatever the platform: each by its key in the story."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        """`addresses`: platform → where its pretend stores answer. Nothing is asked yet."""
        self.worlds = {platform: PLATFORMS[platform](address) for platform, address in addresses.items()}

    def are_up(self) -> bool:
        """Whether all of them answer."""
        return all(world.is_up() for world in self.worlds.values())

    def open(self, now: datetime) -> None:
        """Open the stores and let the shoppers order."""
        for shop in story.SHOPS:
            self.worlds[shop.platform].open(shop, now)

    def access(self, shop: Shop) -> Access:
        """How TrackSync is let into a store."""
        return self.worlds[shop.platform].access(shop.key)

    def page(self, shop: Shop) -> str:
        """Where people look at it."""
        return self.worlds[shop.platform].page(shop.key)

    def cancel(self, shop: Shop, order: str) -> None:
        """The merchant cancels an order, named without its leading #."""
        self.worlds[shop.platform].cancel(shop.key, order)

    def release(self, shop: Shop, order: str) -> None:
        """The merchant lets go of an order that was on hold."""
        self.worlds[shop.platform].release(shop.key, order)

    def books(self) -> dict[str, Book]:
        """Each store's own book as it is now."""
        return {shop.key: self.worlds[shop.platform].book(shop.key) for shop in story.SHOPS}
