"""When the shoppers of the story ordered, and what."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.demo import story
from tests.demo.cast import Order

BETWEEN_ORDERS = timedelta(minutes=25)
LAST_ORDER = timedelta(hours=3)  # before the demo begins
OLD = timedelta(days=12)
PAYS_AFTER = timedelta(minutes=40)


def placed_at(number: str, now: datetime) -> datetime:
    """When the order was placed: the orders of a store follow one another, the last one some hours ago."""
    shop, order = next((s, o) for s in story.SHOPS for o in s.orders if o.number == number)
    if order.case.is_old:
        return now - OLD
    return now - LAST_ORDER - BETWEEN_ORDERS * (len(shop.orders) - shop.orders.index(order))


def paid_at(number: str, now: datetime) -> datetime:
    """When the merchant paid for it."""
    return placed_at(number, now) + PAYS_AFTER


def lines(order: Order) -> list[tuple[str, str, int, float]]:
    """(sku, title, quantity, price) of all that was ordered."""
    return [
        (goods.sku, goods.title, quantity, goods.price) for parcel in order.parcels for goods, quantity in parcel.goods
    ]
