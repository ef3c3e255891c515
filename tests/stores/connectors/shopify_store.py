"""The pretend Shopify as these tests use it: connectors to it, orders in it, looks into its book."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from stores.connectors.addresses import networks
from stores.connectors.base import Opening, StoreSettings
from stores.connectors.codes import Code
from stores.connectors.errors import StoreBusy, StoreDisconnected
from stores.connectors.http import Session
from stores.connectors.shopify.connector import ShopifyConnector
from stores.connectors.shopify.limiter import Limiter
from tests.storefronts.client import Shop

LOOPBACK = networks(["127.0.0.0/8"])


class GivenToken:
    """A token that cannot be renewed; counts how often it was refused."""

    def __init__(self, *tokens: str) -> None:
        self._tokens = list(tokens)
        self.refusals: list[str] = []

    def current(self) -> str:
        return self._tokens[0]

    def refused(self, token: str) -> str:
        self.refusals.append(token)
        if len(self._tokens) < 2:
            raise StoreDisconnected(Code.TOKEN_REFUSED)
        self._tokens.pop(0)
        return self._tokens[0]


def connect(
    shop: Shop,
    *,
    call_limit: float = 20.0,
    tokens: GivenToken | None = None,
    location_ids: frozenset[str] = frozenset(),
    before_write: Callable[[], None] | None = None,
    limiter: Limiter | None = None,
    api_version: str = "2026-10",
) -> ShopifyConnector:
    """A connector with a session of its own."""
    opening = Opening(
        session=Session(call_limit=call_limit, allow_hosts=LOOPBACK, before_write=before_write),
        base_url=shop.base_url,
        tokens=tokens or GivenToken(shop.token),
        settings=StoreSettings(location_ids=location_ids),
        now=lambda: datetime.now(UTC),
        limiter=limiter,
    )
    return ShopifyConnector(opening, api_version=api_version)


@dataclass(frozen=True)
class PlacedOrder:
    id: str
    number: str
    lines: tuple[str, ...]


def place(shop: Shop, units: Sequence[int] = (1,), **more: Any) -> PlacedOrder:
    """A paid order with a line of so many units each."""
    made = shop.add_order([(f"SKU-{n}", f"Thing {n}", count) for n, count in enumerate(units)], **more)
    return PlacedOrder(made["id"], made["name"], tuple(made["lines"]))


def in_book(shop: Shop, order: PlacedOrder) -> dict[str, Any]:
    return next(one for one in shop.book()["orders"] if one["id"] == order.id)


def shown(shop: Shop, order: PlacedOrder) -> list[tuple[str, ...]]:
    return [tuple(one["numbers"]) for one in in_book(shop, order)["fulfillments"]]


class ShopifyUnderTest:
    """The pretend Shopify as the contract wants it."""

    writes_at_once = 25
    writes_a_number = 1
    first_write_is_all = True
    shares_fulfillments = True
    when_moved = StoreBusy
    when_gone = (StoreDisconnected, Code.SHOP_NOT_FOUND)

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.secrets = (shop.token, shop.client_secret, "buyer@example.com", "Ada Buyer")

    def connector(self, *, call_limit: float = 20.0, secret: str = "", before_write: Any = None) -> ShopifyConnector:
        tokens = GivenToken(secret or self.shop.token)
        return connect(self.shop, call_limit=call_limit, tokens=tokens, before_write=before_write)

    def order(self, units: Sequence[int] = (1,)) -> PlacedOrder:
        return place(self.shop, units)

    def fault(self, kind: str, *, on: str = "all", times: int | None = None, seconds: float | None = None) -> None:
        self.shop.fault(kind, on=on, times=times, seconds=seconds)

    def clear(self) -> None:
        self.shop.clear_faults()

    def shown(self, order: PlacedOrder) -> list[tuple[str, ...]]:
        return shown(self.shop, order)

    def units_shipped(self, order: PlacedOrder) -> list[int]:
        return [line["fulfilled"] for line in in_book(self.shop, order)["lines"]]

    def writes(self) -> int:
        return sum(self.shop.book()["counts"]["mutations"].values())

    def ship_by_hand(self, order: PlacedOrder, number: str) -> None:
        self.shop.fulfil_by_hand(order.id, number or None)


def place_at_both(shop: Shop) -> PlacedOrder:
    made = shop.add_order([("A", "A", 1, "1.00", True, "North"), ("B", "B", 2, "1.00", True, "South")])
    return PlacedOrder(made["id"], made["name"], tuple(made["lines"]))


def requests(shop: Shop) -> dict[str, int]:
    counts = shop.book()["counts"]
    return {
        "all": counts["requests"],
        "reads": counts["reads"],
        "refused": counts["throttled"] + counts["too_expensive"],
    }
