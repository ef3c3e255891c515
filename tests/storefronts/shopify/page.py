"""The pages for people: what stands in a store, newest first, looking again every two seconds.

One page without a script from elsewhere; without JavaScript it reloads itself. Looks live in `page.css`.
"""

from __future__ import annotations

import datetime
import pathlib
import time
from html import escape

from .shop import Shop
from .values import Record

SHOWN = 60  # orders on one page
FRESH = 12  # seconds for which a number counts as just arrived
STATES = {
    "FULFILLED": ("good", "Fulfilled"),
    "PARTIALLY_FULFILLED": ("part", "Partly fulfilled"),
    "IN_PROGRESS": ("open", "In progress"),
    "ON_HOLD": ("part", "On hold"),
    "SCHEDULED": ("open", "Scheduled"),
    "UNFULFILLED": ("open", "Unfulfilled"),
}
STYLE = (pathlib.Path(__file__).parent / "page.css").read_text(encoding="utf-8")
SCRIPT = """
const style = {hour: "2-digit", minute: "2-digit", second: "2-digit"};
const clock = () => document.querySelectorAll("time").forEach((one) => {
  one.textContent = new Date(one.dateTime).toLocaleTimeString([], style);
});
const again = async () => {
  try {
    const text = await (await fetch(location.href)).text();
    const next = new DOMParser().parseFromString(text, "text/html").querySelector("main");
    const chosen = String(getSelection());
    if (next && !chosen) { document.querySelector("main").replaceWith(next); clock(); }
  } catch (error) { /* the store is away for a moment */ }
  setTimeout(again, 2000);
};
clock();
setTimeout(again, 2000);
"""


def document(title: str, body: str, live: bool) -> str:
    """A whole page."""
    reload = '<noscript><meta http-equiv="refresh" content="2"></noscript>' if live else ""
    script = f"<script>{SCRIPT}</script>" if live else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">{reload}<style>{STYLE}</style></head>'
        f"<body><main>{body}</main>{script}</body></html>"
    )


def index(shops: list[Shop]) -> str:
    """Which stores there are."""
    rows = "".join(
        f'<li><div><a class="name" href="/{escape(shop.name)}/">{escape(shop.name)}</a></div>'
        f'<p class="none">{_count(len(shop.orders), "order")},'
        f" {_count(len(shop.book.numbers), 'tracking number')}</p></li>"
        for shop in sorted(shops, key=lambda one: one.name)
    )
    body = f'<ul class="orders">{rows}</ul>' if rows else '<p class="empty">No store has been opened yet.</p>'
    return document("Pretend stores", f"<header><h1>Pretend stores</h1></header>{body}", True)


def store(shop: Shop) -> str:
    """One store's orders with the numbers that arrived."""
    orders = list(shop.orders.values())
    newest = sorted(orders, key=lambda order: (order["createdAt"], order["id"]), reverse=True)[:SHOWN]
    done = sum(order["displayFulfillmentStatus"] == "FULFILLED" for order in orders)
    figures = (
        ("Orders", len(orders)),
        ("Fulfilled", done),
        ("Tracking numbers", len(shop.book.numbers)),
        ("Notices to shoppers", len(shop.book.notices)),
    )
    tiles = "".join(f"<div><dt>{label}</dt><dd>{value:,}</dd></div>" for label, value in figures)
    head = f"<header><h1>{escape(shop.name)}</h1><p>A pretend Shopify store: what its merchant sees</p></header>"
    noticed = {(one["fulfillment"], number) for one in shop.book.notices for number in one["numbers"]}
    rows = "".join(_order(shop, order, noticed) for order in newest)
    listed = f'<ul class="orders">{rows}</ul>' if rows else '<p class="empty">No order has been placed yet.</p>'
    more = len(orders) - len(newest)
    rest = f'<p class="none">and {more:,} older orders</p>' if more else ""
    return document(shop.name, f'{head}<dl class="figures">{tiles}</dl>{listed}{rest}', True)


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _order(shop: Shop, order: Record, noticed: set[tuple[str, str]]) -> str:
    kind, words = STATES.get(order["displayFulfillmentStatus"], ("open", order["displayFulfillmentStatus"].title()))
    if order["cancelledAt"]:
        kind, words = "bad", "Cancelled"
    items = ", ".join(f"{line['quantity']} × {line['title']}" for line in order["_lines"])
    rows = "".join(
        _number(shop, one, row, noticed) for one in order["_fulfillments"] for row in one["_tracking"] if row["number"]
    )
    numbers = f'<ul class="numbers">{rows}</ul>' if rows else '<p class="none">No tracking number yet</p>'
    paid = order["displayFinancialStatus"].replace("_", " ").capitalize()
    return (
        f'<li><div><span class="name">{escape(order["name"])}</span><span class="pill {kind}">{escape(words)}</span>'
        f'<p class="items">{escape(items)}</p><p class="when">{escape(paid)}</p></div>{numbers}</li>'
    )


def _number(shop: Shop, one: Record, row: Record, noticed: set[tuple[str, str]]) -> str:
    number, gone = row["number"], one["status"] == "CANCELLED"
    text = escape(number)
    if row["url"] and row["url"].startswith(("https://", "http://")):
        text = f'<a href="{escape(row["url"])}" rel="noreferrer noopener" target="_blank">{text}</a>'
    at = shop.book.numbers.get(number, one["_created"])
    notice = "shopper notified" if (one["id"], number) in noticed else "no notice"
    fresh = "" if gone or time.time() - at > FRESH else ' class="fresh"'
    when = datetime.datetime.fromtimestamp(at, datetime.UTC)
    return (
        f'<li{fresh}><span class="number{" gone" if gone else ""}">{text}</span>'
        f'<span class="carrier">{escape(row["company"] or "No carrier named")}</span>'
        f'<span class="note"><time datetime="{when.isoformat(timespec="milliseconds")}">{when:%H:%M:%S} UTC</time>'
        f" · {'cancelled' if gone else notice}</span></li>"
    )
