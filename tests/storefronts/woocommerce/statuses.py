"""What a change of status brings with it. The store guards nothing: every status may follow every other."""

from __future__ import annotations

import time

from . import dates, refunds
from .shop import Order, Shop

OF_THE_TRACKING_PLUGIN = ("partial-shipped", "updated-tracking", "delivered")


def move(shop: Shop, order: Order, status: str, *, by: str) -> None:
    """Give the order a status; `by` is "api", "hand", or who else. The same status again changes nothing here."""
    if status == order.status:
        return
    before, order.status = order.status, status
    order.log.append({"from": before, "to": status, "by": by, "at": time.time()})
    names = {**shop.statuses, "trash": "Trash"}
    shop.add_note(order, f"Order status changed from {names[before]} to {names[status]}.")
    if status in ("processing", "completed"):
        order.paid = order.paid or dates.now()
        order.stock_reduced = True
    if status in ("cancelled", "pending"):
        order.stock_reduced = False
    if status == "refunded":
        refunds.of_the_rest(shop, order)
    if status == "completed":
        order.completed = dates.now()
        # The mail is written now: it shows what the plugin knows at this moment, and no core fulfillment ever.
        shop.book.mails(order, "completed", numbers=_mailed_numbers(shop, order))
        if by == "api":
            shop.book.completes(order, fulfillments=shop.has_fulfillments, trackings=shop.has_trackings)
    elif status in OF_THE_TRACKING_PLUGIN and shop.is_ast:
        shop.book.mails(order, status, numbers=_mailed_numbers(shop, order))


def _mailed_numbers(shop: Shop, order: Order) -> list[str]:
    return [str(one["tracking_number"]) for one in order.trackings] if shop.has_trackings else []
