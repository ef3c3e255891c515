"""Sees what changes, in TrackSync's rows and in the stores' own books, and tells it as it happens.

Decisions are told in the words that every screen uses (orders/wording): one sentence for all parcels of a store that
it applies to, filled in for the first of them. Arrivals are told from the pretend stores' books, with the
milliseconds since whatever they had to wait for last: the file with the number, the dispatch, the end of a hold.

Django has to be set up on the demo's database before this is imported.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import close_old_connections
from django.db.models import prefetch_related_objects
from django.utils import timezone

from orders.choices import EmailState
from orders.models import CustomerEmail, Shipment
from orders.plan import Planable, facts_of
from orders.policy import Send, decide
from orders.wording import Explanation, explain, sentence
from orders.wording.explain import Situation
from orders.wording.mails import mail_sentence
from stores.choices import EmailKind, Timing
from stores.models import Store

from . import story
from .screen import Screen
from .storefronts import Book, Shown, Storefronts

NAMES = {shop.key: shop.name for shop in story.SHOPS}
# What is told when it has arrived, from the store's own book.
ON_THE_WAY = (Situation.DUE, Situation.SENDING, Situation.PLANNING, Situation.IN_STORE)
SOON = timedelta(seconds=12)  # the worker looks every ten; a number that is on its way for longer is told
MAILS_TOLD = (EmailState.SENT, EmailState.HELD, EmailState.REFUSED, EmailState.UNCLEAR)
LONG_MILLISECONDS = 45_000.0  # a number that took longer has waited for something that is in neither file
# A store's own word for how far an order is → what is told of it. What the merchant does is told where it is done.
MARKED = {
    "partial-shipped": (
        "marked as shipped in part",
        "More parcels of the order are to come. WooCommerce itself writes to the shopper, with the number.",
    ),
    "completed": (
        "marked as completed",
        "All of it is on its way. WooCommerce itself writes to the shopper: the number was there first, so it is in "
        "the mail.",
    ),
}
# Order, number, carrier, milliseconds, since what: the widths that keep the story's tables in line.
WIDTHS = (5, 22, 10, 9, 14)
FIGURES = frozenset({3})


@dataclass(frozen=True)
class Arrival:
    """A number that a store shows, why this one, and how long it took."""

    shown: Shown
    why: str  # a SendCode, "" where TrackSync knows nothing of it
    method: str
    since: datetime | None
    what: str  # what happened then


class Watching:
    """Remembers what has been told. `look()` tells the rest."""

    def __init__(self, screen: Screen, storefronts: Storefronts) -> None:
        """Nothing is looked at yet."""
        self.screen = screen
        self.storefronts = storefronts
        self.keys: dict[int, str] = {}  # store id → its key in the story
        self.milliseconds: list[float] = []
        self._released: dict[tuple[str, str], datetime] = {}
        self._told: dict[int, str] = {}
        self._arrived: set[tuple[str, str, str]] = set()
        self._mailed: set[tuple[int, str]] = set()
        self._states: dict[tuple[str, str], int] = {}  # order → how many of its store's words for it were told

    def released(self, key: str, order: str) -> None:
        """The store lets go of an order that it has kept on hold."""
        self._released[key, order] = timezone.now()

    def look(self) -> dict[str, Book]:
        """Tell what is new since the last look. Returns the books as they are."""
        close_old_connections()
        self.keys = keys_of_stores()
        planables = facts_of(Shipment.objects.filter(order__store__in=self.keys).values_list("pk", flat=True))
        prefetch_related_objects([p.row for p in planables.values()], "store", "wanted", "sending", "shown")
        books = self.storefronts.books()
        self._tell_arrivals(planables.values(), books)
        self._tell_states(books)
        self._tell_decisions(planables, timezone.now())
        self._tell_mails()
        return books

    # --- decisions -----------------------------------------------------------------------------------

    def _tell_decisions(self, planables: dict[int, Planable], now: datetime) -> None:
        groups: dict[tuple[str, str], list[tuple[str, Explanation]]] = defaultdict(list)
        for shipment, planable in planables.items():
            explanation = explain(planable, now)
            since = planable.row.sending_since or planable.row.due_at or planable.row.state_since
            is_soon = explanation.code in ON_THE_WAY and now - since < SOON
            if is_soon or self._told.get(shipment) == explanation.code:
                continue
            self._told[shipment] = explanation.code
            if explanation.code != Situation.IN_STORE:
                key = self.keys[planable.row.store_id]
                groups[key, explanation.code].append((planable.row.shipment.order.number, explanation))
        for (key, _), members in groups.items():
            orders = _some(number for number, _ in members)
            self.screen.happens(f"{NAMES[key]} {orders}", members[0][1].headline, colour="yellow")

    # --- how far orders are ---------------------------------------------------------------------------

    def _tell_states(self, books: dict[str, Book]) -> None:
        """What an order is marked as in a store that keeps a log of it, and what the store itself writes then."""
        groups: dict[tuple[str, str], list[str]] = defaultdict(list)
        for key, book in books.items():
            for order, words in book.states.items():
                for word in words[self._states.get((key, order), 1) :]:
                    groups[key, word].append(order)
                self._states[key, order] = len(words)
        for (key, word), orders in groups.items():
            if word in MARKED:
                self.screen.happens(f"{NAMES[key]} {_some(orders)}: {MARKED[word][0]}", MARKED[word][1], colour="green")

    # --- mails ---------------------------------------------------------------------------------------

    def _tell_mails(self) -> None:
        """Who was written to, and which mails wait for the merchant."""
        groups: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
        told = CustomerEmail.objects.filter(state__in=MAILS_TOLD, shipment__order__store__in=self.keys).order_by("pk")
        columns = ("pk", "state", "reason", "kind", "shipment__order__store_id", "shipment__order__number")
        for pk, state, reason, kind, store_id, number in told.values_list(*columns):
            if (pk, state) not in self._mailed:
                self._mailed.add((pk, state))
                groups[self.keys[store_id], state, reason, kind].append(number)
        for (key, state, reason, kind), orders in groups.items():
            mails = f"{len(orders)} mails" if len(orders) > 1 else "a mail"
            said = f"{NAMES[key]} {_some(orders)}: {mails} “{EmailKind(kind).label}”"
            if state == EmailState.SENT:
                self.screen.happens(said, colour="green")
            else:
                self.screen.happens(said, mail_sentence(state, reason), colour="yellow")

    # --- arrivals ------------------------------------------------------------------------------------

    def _tell_arrivals(self, planables: Iterable[Planable], books: dict[str, Book]) -> None:
        by_number = {
            (self.keys[planable.row.store_id], number.value): planable
            for planable in planables
            for number in (planable.facts.own, planable.facts.local)
            if number is not None
        }
        groups: dict[tuple[str, str], list[Arrival]] = defaultdict(list)
        for shown in (one for book in books.values() for one in book.shown):
            if (shown.shop, shown.order, shown.number) not in self._arrived:
                self._arrived.add((shown.shop, shown.order, shown.number))
                arrival = self._arrival(shown, by_number.get((shown.shop, shown.number)))
                groups[shown.shop, arrival.why].append(arrival)
        for (key, why), arrivals in groups.items():
            methods = {arrival.method for arrival in arrivals}
            said = sentence(why, {"method": methods.pop() if len(methods) == 1 else ""}) if why else ""
            self.screen.happens(f"{NAMES[key]} shows", *filter(None, [said]), colour="green")
            self.screen.table(map(self._row, arrivals), WIDTHS, right=FIGURES)

    def _arrival(self, shown: Shown, planable: Planable | None) -> Arrival:
        if planable is None:
            return Arrival(shown, "", "", None, "")
        # Why, as it was decided before any number of its kind had been sent.
        decision = decide(replace(planable.facts, kind=None), planable.preference)
        method = planable.row.shipment.shipping_method
        why = str(decision.why) if isinstance(decision, Send) else ""
        since, what = self._had_to_wait_for(shown, planable)
        return Arrival(shown, why, method.name if method else "", since, what)

    def _had_to_wait_for(self, shown: Shown, planable: Planable) -> tuple[datetime, str]:
        facts = planable.facts
        known = next(n for n in (facts.own, facts.local) if n is not None and n.value == shown.number).known_at
        events = [(known, "after the file")]
        if planable.preference.timing == Timing.AFTER_DISPATCH and facts.dispatched_at is not None:
            events.append((facts.dispatched_at, "after dispatch"))
        if (shown.shop, shown.order) in self._released:
            events.append((self._released[shown.shop, shown.order], "after release"))
        return max(events)

    def _row(self, arrival: Arrival) -> tuple[str, ...]:
        shown = arrival.shown
        if arrival.since is None:
            return (f"#{shown.order}", shown.number, shown.company, "", "")
        took = (shown.at - arrival.since.timestamp()) * 1000
        if took > LONG_MILLISECONDS:
            return (f"#{shown.order}", shown.number, shown.company, "", "after a wait")
        if arrival.what != "after release":
            self.milliseconds.append(took)
        return (f"#{shown.order}", shown.number, shown.company, f"{took:,.0f} ms", arrival.what)


def keys_of_stores() -> dict[int, str]:
    """Store id → its key in the story, by the end of its address.

    A visitor may disconnect a store and connect it again, or connect one that is not in the story.
    """
    ends = ((pk, url.rpartition("/")[2]) for pk, url in Store.objects.values_list("pk", "base_url"))
    return {pk: key for pk, key in ends if key in NAMES}


def _some(numbers: Iterable[str]) -> str:
    """Up to six order numbers, or five and how many more there are."""
    found = list(dict.fromkeys(f"#{number.removeprefix('#')}" for number in numbers))
    return ", ".join(found) if len(found) <= 6 else f"{', '.join(found[:5])} and {len(found) - 5} more"
