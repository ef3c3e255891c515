"""The story's table against the stores' own books and the mails: all that is expected, once, and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from . import story
from .cast import Order
from .storefronts import Book, StoreMail

Key = tuple[str, str]  # store, order
Numbers = dict[Key, list[tuple[str, str]]]  # (number, carrier) of all that an order shows


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


def expected_states() -> dict[Key, tuple[str, ...]]:
    """How far each order has to be in the end, in its store's own words; where it keeps a log, all words in turn."""
    return {(shop.key, order.number): STATES[shop.platform](order) for shop in story.SHOPS for order in shop.orders}


def fulfilled(order: Order) -> tuple[str, ...]:
    """Shopify's word; it keeps no log."""
    words = {0: "UNFULFILLED", len(order.parcels): "FULFILLED"}
    return (words.get(len(_shown_after(order, 2)), "PARTIALLY_FULFILLED"),)


def marked(order: Order) -> tuple[str, ...]:
    """WooCommerce's words, in turn."""
    return ("processing", *(word for word, _ in _moves(order)), *(["cancelled"] if order.case.is_cancelled else []))


STATES: Mapping[str, Callable[[Order], tuple[str, ...]]] = {"shopify": fulfilled, "woocommerce": marked}


def _moves(order: Order) -> list[tuple[str, int]]:
    """Each word that TrackSync gives an order in WooCommerce, and the file that brings it."""
    words = {0: "", len(order.parcels): "completed"}
    first, last = (words.get(len(_shown_after(order, file)), "partial-shipped") for file in (1, 2))
    return [(word, file) for word, file in ((first, 1), ("" if last == first else last, 2)) if word]


def _shown_after(order: Order, file: int) -> list[tuple[str, str]]:
    return sorted(shown for parcel in order.parcels if (shown := parcel.shown_after(file)))


def found(books: Mapping[str, Book]) -> Numbers:
    """What each order shows, as often as it stands there."""
    numbers: Numbers = {(shop.key, order.number): [] for shop in story.SHOPS for order in shop.orders}
    for shown in (one for book in books.values() for one in book.shown):
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


def otherwise_marked(wanted: Mapping[Key, tuple[str, ...]], there: Mapping[str, Book]) -> list[str]:
    """A sentence for each order that is further, or less far, than it has to be, or came there in another way."""
    return [
        f"{shop}, order #{order}: expected to be {', then '.join(words)}, the store says {', then '.join(said)}."
        for (shop, order), words in sorted(wanted.items())
        if (said := there.get(shop, Book()).states.get(order, ("nothing",))) != words
    ]


def mails_of(order: Order) -> tuple[Counter[str], Counter[str]]:
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
        if shop.is_written_for
        for order in shop.orders
        for kind in (mails_of(order)[0] - sent.get(order.number, Counter())).elements()
    ]


def surplus_mails(sent: Mapping[str, Counter[str]]) -> list[str]:
    """A sentence for each mail that nobody should have got, or not twice."""
    allowed = {
        order.number: sum(mails_of(order), Counter()) if shop.is_written_for else Counter()
        for shop in story.SHOPS
        for order in shop.orders
    }
    return [
        f"Order #{order}: a mail of the kind {kind} too many."
        for order, kinds in sorted(sent.items())
        for kind in (kinds - allowed.get(order, Counter())).elements()
    ]


def stores_own_mails() -> dict[str, list[StoreMail]]:
    """What each store itself has to write to its shoppers: at each such word, with all the numbers of that moment."""
    return {
        shop.key: sorted(
            StoreMail(order.number, word, tuple(sorted(number for number, _ in _shown_after(order, file))))
            for order in shop.orders
            for word, file in _moves(order)
        )
        if shop.mails_itself
        else []
        for shop in story.SHOPS
    }


def otherwise_mailed(there: Mapping[str, Book]) -> list[str]:
    """A sentence for each mail of a store itself that is missing, too much, or without the number."""
    sentences = []
    for shop, wanted in stores_own_mails().items():
        missing, surplus = Counter(wanted), Counter(there.get(shop, Book()).mails)
        missing, surplus = missing - surplus, surplus - missing
        sentences += [f"{shop}, order #{m.order}: no mail {m.kind} with {_listed(m)}." for m in missing.elements()]
        sentences += [f"{shop}, order #{m.order}: a mail {m.kind} with {_listed(m)}." for m in surplus.elements()]
    return sentences


def _listed(mail: StoreMail) -> str:
    return ", ".join(mail.numbers) or "no number"


def _said(numbers: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{number} ({carrier})" for number, carrier in numbers) or "nothing"
