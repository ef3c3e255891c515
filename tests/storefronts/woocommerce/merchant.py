"""The merchant's and the shopper's own hand on orders: actions that `control` carries out."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from . import book, dates, fulfillments, refunds, statuses, trackings
from .shop import TRACKINGS, Order, Record, Shop

Action = Callable[..., Any]
ACTIONS: dict[str, Action] = {}


def action(function: Action) -> Action:
    """Register an action under its name."""
    ACTIONS[function.__name__] = function
    return function


def ids(one: Order) -> Record:
    """What a test needs to know of an order."""
    return {
        "id": one.id,
        "number": one.number,
        "status": one.status,
        "lines": [line.id for line in one.lines],
        "trackings": [str(each["tracking_number"]) for each in one.trackings],
        "fulfillments": [each["id"] for each in one.live_fulfillments],
    }


@action
def add_order(
    shop: Shop, lines: list[Record], placed_at: str | None = None, paid_at: str | None = None, **fields: Any
) -> Record:
    """One order."""
    return ids(shop.add_order(lines, placed_at=dates.moment(placed_at), paid_at=dates.moment(paid_at), **fields))


@action
def add_orders(
    shop: Shop,
    count: int,
    lines: list[Record],
    placed_at: str | None = None,
    seconds_apart: float = 0,
    **fields: Any,
) -> list[Record]:
    """Many orders of the same kind."""
    first = dates.moment(placed_at) or dates.now()
    return [
        ids(shop.add_order(lines, placed_at=first + datetime.timedelta(seconds=index * seconds_apart), **fields))
        for index in range(count)
    ]


@action
def order(shop: Shop, order: int | str) -> Record:
    """What an order looks like now."""
    return ids(shop.find(order))


@action
def mails(shop: Shop, order: int | str) -> list[Record]:
    """What the shopper was mailed about it."""
    return book.mails(shop, shop.find(order))


@action
def set_status(shop: Shop, order: int | str, status: str) -> Record:
    """The merchant gives the order a status."""
    one = shop.find(order)
    if status not in {**shop.statuses, "trash": ""}:
        raise ValueError(f"unknown status {status!r}; known: {', '.join(shop.statuses)}")
    statuses.move(shop, one, status, by="hand")
    shop.changed(one, "deleted" if status == "trash" else "updated")
    return ids(one)


@action
def trash(shop: Shop, order: int | str) -> Record:
    """The merchant throws the order away; it may come back."""
    return set_status(shop, order, "trash")


@action
def delete_order(shop: Shop, order: int | str) -> None:
    """The order is gone for good."""
    shop.delete(shop.find(order))


@action
def touch(shop: Shop, order: int | str) -> Record:
    """Somebody changes something that is none of our business: only the date of change moves."""
    one = shop.find(order)
    shop.changed(one)
    return ids(one)


@action
def refund(shop: Shop, order: int | str, lines: dict[str, int] | None = None) -> Record:
    """Units ({line id: units}) or all that is left go back; when all money went back the order is refunded."""
    one = shop.find(order)
    units = {line.id: line.quantity - one.refunded(line.id) for line in one.lines}
    if lines is not None:
        units = {int(line): count for line, count in lines.items()}
    prices = {line.id: line.price for line in one.lines}
    amount = sum(prices[line] * count for line, count in units.items())
    refunds.make(shop, one, amount, units)
    if refunds.returned(one) >= refunds.total(one) - 0.001:
        statuses.move(shop, one, "refunded", by="hand")
    shop.changed(one)
    return ids(one)


@action
def ship_by_hand(
    shop: Shop,
    order: int | str,
    number: str = "",
    company: str = "",
    link: str = "",
    lines: dict[str, int] | None = None,
) -> Record:
    """Somebody else ships, in the way of the shop's plugin.

    With a tracking plugin the number is added and the status stays; with fulfillments a parcel of `lines` ({line id:
    units}, all that is left without) is recorded, with or without number; in a plain shop the number goes into a note
    for the customer and the order is completed. Without a number, and without fulfillments, only the status changes.
    """
    one = shop.find(order)
    if shop.has_fulfillments and not shop.has_trackings:
        _fulfil(shop, one, number, company, link, {int(line): units for line, units in (lines or {}).items()})
    elif number and shop.has_trackings:
        given = {"tracking_provider": company} if not link else {"custom_tracking_provider": company or "Courier"}
        entry = trackings.item(shop, {**given, "custom_tracking_link": link, "tracking_number": number})
        shop.set_meta(one, TRACKINGS, [*one.trackings, {**entry, **({"source": "WC_Order"} if shop.is_ast else {})}])
    else:
        if number:
            words = " ".join(part for part in (company, number, link) if part)
            shop.add_note(one, f"Your parcel is on its way: {words}", customer=True, by="manager")
        statuses.move(shop, one, "completed", by="hand")
    shop.changed(one)
    return ids(one)


def _fulfil(shop: Shop, order: Order, number: str, company: str, link: str, units: dict[int, int]) -> None:
    done = book.covered(order)
    left = {line.id: line.quantity - order.refunded(line.id) - done[line.id] for line in order.lines}
    items = [{"item_id": line, "qty": count} for line, count in (units or left).items() if count > 0]
    values: dict[str, Any] = {"_items": items}
    if number:
        slug = trackings.slug(company) or "other"
        values |= {"_tracking_number": number, "_shipment_provider": slug, "_tracking_url": link}
    meta = [{"id": shop.new_id("meta"), "key": key, "value": value} for key, value in values.items()]
    fulfillments.make(shop, order, meta, True)


@action
def remove_tracking(shop: Shop, order: int | str, number: str) -> Record:
    """Somebody takes a number away from the order, wherever it stands."""
    one = shop.find(order)
    kept = [each for each in one.trackings if book.folded(each.get("tracking_number", "")) != book.folded(number)]
    if len(kept) != len(one.trackings):
        shop.set_meta(one, TRACKINGS, kept)
    for each in one.live_fulfillments:
        if number in book.fulfillment_numbers(each):
            fulfillments.remove(shop, one, each)
    for entry in list(one.meta):
        if "tracking_number" in entry["key"] and number in book.split(entry["value"]):
            one.meta.remove(entry)
    shop.changed(one)
    return ids(one)


@action
def write_meta(shop: Shop, order: int | str, key: str, value: Any) -> Record:
    """Another plugin writes something on the order."""
    one = shop.find(order)
    shop.set_meta(one, key, value)
    shop.changed(one)
    return ids(one)


@action
def write_note(shop: Shop, order: int | str, text: str, customer: bool = False) -> Record:
    """Somebody writes a note on the order."""
    one = shop.find(order)
    shop.add_note(one, text, customer=customer, by="manager")
    shop.changed(one)
    return ids(one)
