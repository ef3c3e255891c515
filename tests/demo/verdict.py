"""The story's table against the stores' own books: every number that is expected, once, and no other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from . import story
from .storefronts import Shown

Key = tuple[str, str]  # store, order
Numbers = dict[Key, list[tuple[str, str]]]  # (number, carrier) of each live fulfillment


def expected(file: int, *, held: bool = True) -> Numbers:
    """What each order has to show when that file has come to rest; `held`: holds still stand."""
    return {
        (shop.key, order.number): sorted(
            shown
            for parcel in order.parcels
            if (shown := parcel.shown_after(file)) and not (held and parcel.case.on_hold)
        )
        for shop in story.SHOPS
        for order in shop.orders
    }


def expected_statuses() -> dict[Key, str]:
    """How far each order has to be fulfilled in the end, in the store's own words."""
    words = {}
    for shop in story.SHOPS:
        for order in shop.orders:
            there = sum(1 for parcel in order.parcels if parcel.shown_after(2))
            part = "PARTIALLY_FULFILLED" if there else "UNFULFILLED"
            words[shop.key, order.number] = "FULFILLED" if there == len(order.parcels) else part
    return words


def found(books: Mapping[str, Sequence[Shown]]) -> Numbers:
    """What stands in each order's live fulfillments, as often as it stands there."""
    numbers: Numbers = {(shop.key, order.number): [] for shop in story.SHOPS for order in shop.orders}
    for shown in (one for book in books.values() for one in book):
        numbers.setdefault((shown.shop, shown.order), []).append((shown.number, shown.company))
    return {key: sorted(values) for key, values in numbers.items()}


def differences(wanted: Numbers, there: Numbers) -> list[str]:
    """A sentence for each order that shows something else than it has to; [] when all is as it should be."""
    return [
        f"{shop}, order #{order}: expected {_said(wanted.get((shop, order), []))}, "
        f"the store shows {_said(there.get((shop, order), []))}."
        for shop, order in sorted({*wanted, *there})
        if wanted.get((shop, order), []) != there.get((shop, order), [])
    ]


def otherwise_fulfilled(wanted: Mapping[Key, str], there: Mapping[Key, str]) -> list[str]:
    """A sentence for each order that is fulfilled further, or less far, than it has to be."""
    return [
        f"{shop}, order #{order}: expected to be {word}, the store says {there.get((shop, order), 'nothing')}."
        for (shop, order), word in sorted(wanted.items())
        if there.get((shop, order)) != word
    ]


def _said(numbers: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{number} ({carrier})" for number, carrier in numbers) or "nothing"
