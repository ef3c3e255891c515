"""The pretend WooCommerce as the contract wants it, at each of the three places that show numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stores.connectors.base import StoreSettings
from stores.connectors.codes import Code
from stores.connectors.errors import StoreBusy, StoreDisconnected
from stores.connectors.woocommerce.connector import WooCommerceConnector
from stores.connectors.woocommerce.memory import Memory
from tests.storefronts.woo import WooShop

from .woo_store import connect

RECORD = "_tracksync_parcel_"
LISTED = "_tracking_number"
WITHDRAWN = "No longer the tracking number of this order: "
TOLD = re.compile(r"Tracking number of your order: (\S+)(?: \([^)]*\))?(?:, in place of ([^.]+)\.)?")


@dataclass(frozen=True)
class PlacedOrder:
    id: str
    number: str
    lines: tuple[str, ...]


def place(shop: WooShop, units: Sequence[int] = (1,), **more: Any) -> PlacedOrder:
    """A paid order with a line of so many units each."""
    made = shop.add_order([(f"SKU-{n}", f"Thing {n}", count) for n, count in enumerate(units)], **more)
    return PlacedOrder(str(made["id"]), made["number"], tuple(str(line) for line in made["lines"]))


def in_book(shop: WooShop, order: PlacedOrder) -> dict[str, Any]:
    """The order's page in the store's own book."""
    page: dict[str, Any] = next(one for one in shop.book()["orders"] if one["id"] == int(order.id))
    return page


def shown(shop: WooShop, order: PlacedOrder, plugin: str) -> list[tuple[str, ...]]:
    """The numbers that people see: of each live fulfillment, each item of the plugin's list, each listed or noted one.

    A plain order lists its numbers in its meta; one that only a note tells was noted by a push that was cut short.
    """
    page = in_book(shop, order)
    if plugin == "fulfillments":
        return [tuple(one["numbers"]) for one in page["fulfillments"] if not one["deleted"]]
    if plugin != "plain":
        return [(one["number"],) for one in page["trackings"]]
    listed = [number for number in page["meta"].get(LISTED, "").split(", ") if number]
    noted: list[str] = []
    for text in (note["text"] for note in page["notes"]):
        if found := TOLD.match(text):
            replaced = (found[2] or "").split(", ")
            noted = [number for number in noted if number not in (*replaced, found[1])] + [found[1]]
        noted = [number for number in noted if text != WITHDRAWN + number]
    return [(number,) for number in [*listed, *(number for number in noted if number not in listed)]]


def recorded(page: dict[str, Any]) -> list[dict[str, Any]]:
    """The parcels of our record on an order."""
    found = [json.loads(text) for key, text in page["meta"].items() if key.startswith(RECORD) and text]
    return [parcel for parcel in found if parcel["order"] == str(page["id"])]


def units_shipped(shop: WooShop, order: PlacedOrder, plugin: str) -> list[int]:
    """Units of each line that parcels hold: by the store's own count, or by our record where it has none."""
    page = in_book(shop, order)
    if plugin == "fulfillments":
        return [line["fulfilled"] for line in page["lines"]]
    held = [pair for parcel in recorded(page) for pair in parcel["lines"]]
    return [sum(units for line, units in held if line == wanted) for wanted in order.lines]


class WooUnderTest:
    """A shop with one of its plugins, or none."""

    writes_at_once = 1
    writes_a_number = 2
    when_moved = StoreDisconnected  # a shop may move to another address, and somebody has to say that it did
    # It may be put up anew at this moment; a person is asked after a quarter of an hour.
    when_gone = (StoreBusy, Code.NOT_JSON)

    def __init__(self, shop: WooShop, plugin: str) -> None:
        self.shop = shop
        self.plugin = plugin
        self.secrets = (shop.consumer_key, shop.consumer_secret, "buyer@example.com", "Ada Buyer")
        # What a plugin's list and a note cannot tell is written in a second request, whatever the status does.
        self.first_write_is_all = plugin == "fulfillments"
        self.shares_fulfillments = plugin == "fulfillments"

    def connector(
        self,
        *,
        call_limit: float = 20.0,
        secret: str = "",
        before_write: Any = None,
        settings: StoreSettings = StoreSettings(),  # noqa: B008 -- frozen
    ) -> WooCommerceConnector:
        credentials = self.shop.credentials | ({"consumer_secret": secret} if secret else {})
        return connect(
            self.shop,
            call_limit=call_limit,
            credentials=credentials,
            before_write=before_write,
            memory=Memory(),
            settings=settings,
        )

    def order(self, units: Sequence[int] = (1,)) -> PlacedOrder:
        return place(self.shop, units)

    def fault(self, kind: str, *, on: str = "all", times: int | None = None, seconds: float | None = None) -> None:
        self.shop.fault(kind, on=on, times=times, seconds=seconds)

    def clear(self) -> None:
        self.shop.clear_faults()

    def shown(self, order: PlacedOrder) -> list[tuple[str, ...]]:
        return shown(self.shop, order, self.plugin)

    def units_shipped(self, order: PlacedOrder) -> list[int]:
        return units_shipped(self.shop, order, self.plugin)

    def writes(self) -> int:
        return len(self.shop.book()["writes"])

    def ship_by_hand(self, order: PlacedOrder, number: str) -> None:
        """In a plain shop the number stands where plugins write it; a number in a sentence of a note is no number."""
        if self.plugin == "plain" and number:
            self.shop.write_meta(int(order.id), LISTED, number)
            self.shop.set_status(int(order.id), "completed")
        else:
            self.shop.ship_by_hand(int(order.id), number)
