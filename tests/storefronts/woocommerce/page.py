"""The pages for people: what stands in a store, newest first. Looks and liveliness are the pretend Shopify's."""

from __future__ import annotations

import datetime
import time
from html import escape

from tests.storefronts.shopify.page import FRESH, SHOWN, document, index

from . import book, trackings
from .shop import Order, Record, Shop
from .views import meta_of

__all__ = ["index", "store"]

STATES = {
    "completed": "good",
    "partial-shipped": "part",
    "on-hold": "part",
    "cancelled": "bad",
    "refunded": "bad",
    "failed": "bad",
    "trash": "bad",
}


def store(shop: Shop) -> str:
    """One store's orders with the numbers that arrived."""
    orders = list(shop.orders.values())
    newest = sorted(orders, key=lambda order: (order.placed, order.id), reverse=True)[:SHOWN]
    figures = (
        ("Orders", len(orders)),
        ("Completed", sum(order.status == "completed" for order in orders)),
        ("Tracking numbers", len(shop.book.numbers)),
        ("Mails to shoppers", sum(len(order.mails) for order in orders)),
    )
    tiles = "".join(f"<div><dt>{label}</dt><dd>{value:,}</dd></div>" for label, value in figures)
    head = f"<header><h1>{escape(shop.name)}</h1><p>A pretend WooCommerce store: what its merchant sees</p></header>"
    rows = "".join(_order(shop, order) for order in newest)
    listed = f'<ul class="orders">{rows}</ul>' if rows else '<p class="empty">No order has been placed yet.</p>'
    more = len(orders) - len(newest)
    rest = f'<p class="none">and {more:,} older orders</p>' if more else ""
    return document(shop.name, f'{head}<dl class="figures">{tiles}</dl>{listed}{rest}', True)


def _order(shop: Shop, order: Order) -> str:
    words = {**shop.statuses, "trash": "Trash"}.get(order.status, order.status)
    items = ", ".join(f"{line.quantity} × {line.title}" for line in order.lines)
    mailed = {number for mail in book.mails(shop, order) for number in mail["numbers"]}
    rows = "".join(_number(shop, *one, mailed) for one in _shown(shop, order))
    numbers = f'<ul class="numbers">{rows}</ul>' if rows else '<p class="none">No tracking number yet</p>'
    paid = "Paid" if order.paid else "Not paid"
    return (
        f'<li><div><span class="name">#{escape(order.number)}</span>'
        f'<span class="pill {STATES.get(order.status, "open")}">{escape(words)}</span>'
        f'<p class="items">{escape(items)}</p><p class="when">{paid}</p></div>{numbers}</li>'
    )


def _shown(shop: Shop, order: Order) -> list[tuple[str, str, str]]:
    """(number, carrier, link) of everything that stands on the order."""
    found = [(one["number"], one["provider_name"], one["link"]) for one in _trackings(shop, order)]
    for each in order.live_fulfillments:
        name = meta_of(each["meta"], "_provider_name") or meta_of(each["meta"], "_shipment_provider") or ""
        link = meta_of(each["meta"], "_tracking_url") or ""
        found += [(number, str(name), str(link)) for number in book.fulfillment_numbers(each)]
    if not found:
        found = [(number, "", "") for number in book.standing(order)["meta"]]
    return found


def _trackings(shop: Shop, order: Order) -> list[Record]:
    return [trackings.page(shop, one) for one in order.trackings]


def _number(shop: Shop, number: str, carrier: str, link: str, mailed: set[str]) -> str:
    text = escape(number)
    if link.startswith(("https://", "http://")):
        text = f'<a href="{escape(link)}" rel="noreferrer noopener" target="_blank">{text}</a>'
    at = shop.book.numbers.get(number, 0.0)
    fresh = "" if time.time() - at > FRESH else ' class="fresh"'
    when = datetime.datetime.fromtimestamp(at, datetime.UTC)
    return (
        f'<li{fresh}><span class="number">{text}</span>'
        f'<span class="carrier">{escape(carrier or "No carrier named")}</span>'
        f'<span class="note"><time datetime="{when.isoformat(timespec="milliseconds")}">{when:%H:%M:%S} UTC</time>'
        f" · {'shopper mailed' if number in mailed else 'no mail'}</span></li>"
    )
