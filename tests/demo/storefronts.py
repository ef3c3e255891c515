"""The pretend stores of the demo: opened, filled with the story's orders, and asked for their books.

They are a process of their own that speaks Shopify's Admin API over HTTP (tests/storefronts/shopify). What a shopper or
a merchant does there goes by the stores' controls; everything of TrackSync's by the API.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import requests

from tests.storefronts.client import PretendShopify, Shop

from . import story

BETWEEN_ORDERS = timedelta(minutes=25)
LAST_ORDER = timedelta(hours=3)  # before the demo begins
OLD = timedelta(days=12)
PAYS_AFTER = timedelta(minutes=40)


@dataclass(frozen=True)
class Shown:
    """One number in one live fulfillment, as the store's own book has it."""

    shop: str
    order: str  # without the leading #
    number: str
    company: str
    at: float  # when the store first showed it, seconds since the epoch


class Storefronts:
    """The demo's stores in a running pretend Shopify."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._shopify = PretendShopify(address=address)
        self._shops: dict[str, Shop] = {}

    def is_up(self) -> bool:
        """Whether it answers."""
        try:
            return requests.get(f"{self.address}/_health", timeout=2).ok
        except requests.RequestException:
            return False

    def open(self, now: datetime) -> None:
        """Open the stores and let the shoppers order."""
        for shop in story.SHOPS:
            there = self._shops[shop.key] = self._shopify.shop(
                shop.key, first_number=shop.first_number, time_zone=shop.time_zone, locations=["Main warehouse"]
            )
            for order in shop.orders:
                there.add_order(
                    [(g.sku, g.title, quantity, g.price) for g, quantity in _contents(order)],
                    number=f"#{order.number}",
                    customer=order.customer,
                    email=order.email,
                    country=order.country,
                    placed_at=placed_at(order.number, now),
                )
                if order.case.on_hold:
                    there.hold(f"#{order.number}", "AWAITING_PAYMENT", words="Address to be checked")

    def __getitem__(self, key: str) -> Shop:
        """The store of that key."""
        return self._shops[key]

    def books(self) -> dict[str, list[Shown]]:
        """Each store's numbers in live fulfillments; a number that stands there twice comes twice."""
        return {key: list(_shown(key, shop.book())) for key, shop in self._shops.items()}

    def units_covered_twice(self) -> dict[str, dict[str, int]]:
        """What each store's book counts as fulfilled twice; {} everywhere is as it should be."""
        return {key: shop.book()["twice"] for key, shop in self._shops.items()}

    def statuses(self) -> dict[tuple[str, str], str]:
        """(store, order) → the store's own word for how far it is fulfilled."""
        return {
            (key, order["name"].lstrip("#")): order["fulfillment"]
            for key, shop in self._shops.items()
            for order in shop.book()["orders"]
        }


def placed_at(number: str, now: datetime) -> datetime:
    """When the order was placed: the orders of a store follow one another, the last one some hours ago."""
    shop, order = next((s, o) for s in story.SHOPS for o in s.orders if o.number == number)
    if order.case.is_old:
        return now - OLD
    return now - LAST_ORDER - BETWEEN_ORDERS * (len(shop.orders) - shop.orders.index(order))


def paid_at(number: str, now: datetime) -> datetime:
    """When the merchant paid for it."""
    return placed_at(number, now) + PAYS_AFTER


def _contents(order: story.Order) -> list[tuple[story.Goods, int]]:
    return [line for parcel in order.parcels for line in parcel.goods]


def _shown(key: str, book: Mapping[str, object]) -> Iterator[Shown]:
    first_seen: Mapping[str, float] = book["numbers"]  # type: ignore[assignment]
    for order in book["orders"]:  # type: ignore[attr-defined]
        for fulfillment in order["fulfillments"]:
            for number in fulfillment["numbers"]:
                name = order["name"].lstrip("#")
                yield Shown(key, name, number, fulfillment["company"] or "", first_seen[number])
