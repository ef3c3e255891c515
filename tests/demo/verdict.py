"""The story's table against the stores' own books and the mails: all that is expected, once, and nothing else."""

from __future__ import annotations

from collections import Counter
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


def mails_of(order: story.Order) -> tuple[Counter[str], Counter[str]]:
    """The kinds of mail that its customer has got in the end, by how many, and those that may have come before.

    One is told that a parcel is being prepared, and of a number that is replaced, only where that mail goes out before
    the parcel or the new number does.
    """
    shown = [parcel.case for parcel in order.parcels if parcel.case.shows[1]]
    certain = Counter("shipped" if case.leaves else "preparing" for case in shown)
    possible = Counter("preparing" for case in shown if case.leaves == 2 and case.shows[0])
    return certain, possible + Counter("number_changed" for case in shown if case.brings == "new")


def missing_mails(sent: Mapping[str, Counter[str]]) -> list[str]:
    """A sentence for each order whose customer has still to be written to. `sent`: order → mails of each kind."""
    return [
        f"{shop.key}, order #{order.number}: the customer got no mail of the kind {kind}."
        for shop in story.SHOPS
        if shop.is_verified
        for order in shop.orders
        for kind in (mails_of(order)[0] - sent.get(order.number, Counter())).elements()
    ]


def surplus_mails(sent: Mapping[str, Counter[str]]) -> list[str]:
    """A sentence for each mail that nobody should have got, or not twice."""
    allowed = {
        order.number: sum(mails_of(order), Counter()) if shop.is_verified else Counter()
        for shop in story.SHOPS
        for order in shop.orders
    }
    return [
        f"Order #{order}: a mail of the kind {kind} too many."
        for order, kinds in sorted(sent.items())
        for kind in (kinds - allowed.get(order, Counter())).elements()
    ]


def _said(numbers: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{number} ({carrier})" for number, carrier in numbers) or "nothing"
