"""Rows counted by what decide() distinguishes: one query over any number of them, one question per group.

A group is a set of traits, each a yes or no about a row and its facts ("paid", "the delay is over", "has a number of
our own"). Rows with the same traits get the same answer from decide() and next_state(), so that asking once per group
and multiplying is exact. `stand_in()` turns traits back into a row and facts that can be asked.

What is made of the groups is in effect.py (what a choice would change) and reapply.py (what was sent already).
"""

from __future__ import annotations

import enum
import functools
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import (
    Case,
    Count,
    Exists,
    Expression,
    F,
    FilteredRelation,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Left

from stores.choices import CountsAsPaid
from stores.models import Store

from .choices import EmailState, NumberKind, RowCode, Stopped, SyncState
from .models import CustomerEmail, TrackingSync
from .policy import Facts, Number, Preference

OWN_ID, LOCAL_ID, OTHER_ID = 1, 2, 3  # numbers of a stand-in
HOUR = timedelta(hours=1)
ROOM = "32MB"  # of memory for one counting query, on PostgreSQL


class Trait(enum.IntFlag):
    """A yes or no that decide() or next_state() can tell apart."""

    CANCELLED = enum.auto()
    GIVEN_UP = enum.auto()
    WITHDRAWN = enum.auto()
    TOO_OLD = enum.auto()  # placed before the store's sync_from
    PAID = enum.auto()  # as the store counts it
    OLD_DELAY_OVER = enum.auto()  # payment + the delay of the present choice is past
    NEW_DELAY_OVER = enum.auto()  # the same with the delay of the other choice
    DISPATCHED = enum.auto()
    DISPATCH_PAST = enum.auto()  # a time of dispatch may be told in advance
    METHOD_KNOWN = enum.auto()
    METHOD_OWN = enum.auto()
    OWN = enum.auto()
    OWN_PAST = enum.auto()
    LOCAL = enum.auto()
    LOCAL_PAST = enum.auto()
    LOCAL_LOOKS_OWN = enum.auto()
    # The row itself: next_state() keeps what a person was asked to look at, and a back-off.
    ATTENTION = enum.auto()
    DUE = enum.auto()
    WANTS_OWN = enum.auto()
    WANTS_LOCAL = enum.auto()
    WANTS_NOTHING = enum.auto()
    CANCELLED_AFTER_SENT = enum.auto()
    TRIED = enum.auto()
    DUE_PAST = enum.auto()
    # Only of rows that something was sent of.
    SHOWN = enum.auto()
    SENDING = enum.auto()
    KIND_OWN = enum.auto()
    MAILED = enum.auto()


NOTHING = Trait(0)
PAID_OLD = Trait.PAID | Trait.OLD_DELAY_OVER
PAID_NEW = Trait.PAID | Trait.NEW_DELAY_OVER
AFTER_SENT = Trait.ATTENTION | Trait.CANCELLED_AFTER_SENT
Question = list[tuple[Q, Trait]]


@dataclass(frozen=True)
class Choices:
    """The present choice of a store, and the one it is compared with."""

    store: Store
    old: Preference
    new: Preference


@dataclass(frozen=True)
class Span:
    """The earliest and the latest of some times; None where there is none."""

    first: datetime | None
    last: datetime | None


@dataclass(frozen=True)
class Group:
    """So many rows of one store with exactly these traits, two of their shipments, and the borders of their times."""

    store_id: int
    traits: Trait
    count: int
    first_shipment: int
    last_shipment: int
    paid: Span
    dispatched: Span
    own: Span
    local: Span
    due: Span


def grouped(
    rows: QuerySet[TrackingSync], choices: Iterable[Choices], now: datetime, *, sent: bool = False
) -> list[Group]:
    """The rows of these stores by their traits, in one query. `sent`: whether the traits of sent rows matter."""
    marked = with_traits(rows, choices, now, sent=sent).order_by().values("store_id", "traits")
    spans: dict[str, F] = {
        "paid": F("paid_time"),
        "dispatched": F("shipment__dispatched_at"),
        "own": F("own_number__known_at"),
        "local": F("local_number__known_at"),
        "due": F("due_at"),
    }
    borders: dict[str, Any] = {f"{name}_first": Min(time) for name, time in spans.items()}
    borders |= {f"{name}_last": Max(time) for name, time in spans.items()}
    found = marked.annotate(
        count=Count("pk"), first_shipment=Min("shipment_id"), last_shipment=Max("shipment_id"), **borders
    )
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Hundreds of thousands of rows are joined in memory; the usual 4 MB would take them through the disk.
            cursor.execute(f"SET LOCAL work_mem = '{ROOM}'")
        counted = list(found)
    return [
        Group(
            store_id=row["store_id"],
            traits=Trait(row["traits"]),
            count=row["count"],
            first_shipment=row["first_shipment"],
            last_shipment=row["last_shipment"],
            **{name: Span(row[f"{name}_first"], row[f"{name}_last"]) for name in spans},
        )
        for row in counted
    ]


def with_traits(
    rows: QuerySet[TrackingSync], choices: Iterable[Choices], now: datetime, *, sent: bool = False
) -> QuerySet[Any]:
    """The rows of these stores with their `traits` as a number."""
    chosen = list(choices)
    marks = (
        Case(*(When(q, then=Value(int(traits))) for q, traits in question), default=Value(0))
        for question in _questions(chosen, now, sent=sent)
    )
    paid = F("shipment__order__paid_at")
    return (
        rows.filter(store__in=[each.store.pk for each in chosen])
        .annotate(
            own_number=_current(NumberKind.OWN),
            local_number=_current(NumberKind.LOCAL),
        )
        .annotate(
            paid_time=Case(
                When(Q(shipment__order__paid_at__isnull=False), then=paid),
                When(
                    Q(store__in=[each.store.pk for each in chosen if _shopper_counts(each.store)]),
                    then=F("shipment__order__shopper_paid_at"),
                ),
            )
            if any(_shopper_counts(each.store) for each in chosen)
            else paid,
            # Compared letter for letter: SQLite's LIKE knows no capitals. All stores share one prefix.
            local_begins=_beginning([each.old.own_prefix for each in chosen]),
        )
        .annotate(traits=_sum(marks))
    )


def stand_in(traits: Trait, now: datetime, choices: Choices) -> tuple[TrackingSync, Facts]:
    """A row and facts with these traits, to ask decide() and next_state() about."""

    def known(trait: Trait, past: Trait) -> datetime | None:
        if trait not in traits:
            return None
        return now - HOUR if past in traits else now + HOUR

    own, local = known(Trait.OWN, Trait.OWN_PAST), known(Trait.LOCAL, Trait.LOCAL_PAST)
    local_value = choices.new.own_prefix if Trait.LOCAL_LOOKS_OWN in traits else "\N{BULLET}"
    method = NumberKind.OWN if Trait.METHOD_OWN in traits else NumberKind.LOCAL
    stopped = Stopped.GIVEN_UP if Trait.GIVEN_UP in traits else Stopped.NO
    facts = Facts(
        placed_at=choices.new.sync_from - HOUR if Trait.TOO_OLD in traits else choices.new.sync_from,
        paid_at=_paid(traits, now, choices) if Trait.PAID in traits else None,
        dispatched_at=known(Trait.DISPATCHED, Trait.DISPATCH_PAST),
        cancelled_at=now if Trait.CANCELLED in traits else None,
        default_number=method if Trait.METHOD_KNOWN in traits else None,
        own=Number(OWN_ID, NumberKind.OWN, "", own) if own else None,
        local=Number(LOCAL_ID, NumberKind.LOCAL, local_value, local) if local else None,
        is_shown=Trait.SHOWN in traits,
        stopped=Stopped.WITHDRAWN if Trait.WITHDRAWN in traits else stopped,
    )
    wants = {Trait.WANTS_OWN: OWN_ID, Trait.WANTS_LOCAL: LOCAL_ID, Trait.WANTS_NOTHING: None}
    row = TrackingSync(
        wanted_id=next((number for trait, number in wants.items() if trait in traits), OTHER_ID),
        shown_id=OTHER_ID if Trait.SHOWN in traits else None,
        sending_id=OTHER_ID if Trait.SENDING in traits else None,
        kind=_kind(traits),
        state=_state(traits),
        reason=RowCode.CANCELLED_AFTER_SENT if Trait.CANCELLED_AFTER_SENT in traits else "",
        due_at=None if Trait.DUE not in traits else now - HOUR if Trait.DUE_PAST in traits else now + HOUR,
        attempts=1 if Trait.TRIED in traits else 0,
    )
    return row, facts


def _questions(choices: list[Choices], now: datetime, *, sent: bool) -> list[Question]:
    """What is asked of every row: of each question the first answer that is true says which traits the row has.

    The commonest answer comes first where it can: it is the only one that the database then has to look at.
    """
    order, dispatched = "shipment__order__", "shipment__dispatched_at"
    looks_own = Q(local_begins=choices[0].old.own_prefix) if choices else Q(pk=None)
    is_local, is_past = Q(local_number__isnull=False), Q(local_number__known_at__lte=now)
    questions: list[Question] = [
        [(Q(**{f"{order}cancelled_at__isnull": False}), Trait.CANCELLED)],
        [
            (Q(stopped=Stopped.NO), NOTHING),
            (Q(stopped=Stopped.GIVEN_UP), Trait.GIVEN_UP),
            (Q(stopped=Stopped.WITHDRAWN), Trait.WITHDRAWN),
        ],
        [(_by_store(choices, lambda each: Q(**{f"{order}placed_at__lt": each.old.sync_from})), Trait.TOO_OLD)],
        [
            (_paid_by_both(choices, now), Trait.PAID | Trait.OLD_DELAY_OVER | Trait.NEW_DELAY_OVER),
            (_by_store(choices, lambda each: Q(paid_time__lte=_paid_until(each.old, now))), PAID_OLD),
            (_by_store(choices, lambda each: Q(paid_time__lte=_paid_until(each.new, now))), PAID_NEW),
            (Q(paid_time__isnull=False), Trait.PAID),
        ],
        [
            (Q(**{f"{dispatched}__lte": now}), Trait.DISPATCHED | Trait.DISPATCH_PAST),
            (Q(**{f"{dispatched}__isnull": False}), Trait.DISPATCHED),
        ],
        [
            (Q(shipment__shipping_method__default_number=NumberKind.OWN), Trait.METHOD_KNOWN | Trait.METHOD_OWN),
            (Q(shipment__shipping_method__isnull=False), Trait.METHOD_KNOWN),
        ],
        [
            (Q(own_number__known_at__lte=now), Trait.OWN | Trait.OWN_PAST),
            (Q(own_number__isnull=False), Trait.OWN),
        ],
        [
            (is_past & looks_own, Trait.LOCAL | Trait.LOCAL_PAST | Trait.LOCAL_LOOKS_OWN),
            (is_past, Trait.LOCAL | Trait.LOCAL_PAST),
            (is_local & looks_own, Trait.LOCAL | Trait.LOCAL_LOOKS_OWN),
            (is_local, Trait.LOCAL),
        ],
        [
            (Q(state=SyncState.WAITING), NOTHING),
            (Q(state=SyncState.DUE, attempts=0), Trait.DUE),
            (Q(state=SyncState.DUE, due_at__lte=now), Trait.DUE | Trait.TRIED | Trait.DUE_PAST),
            (Q(state=SyncState.DUE), Trait.DUE | Trait.TRIED),
            (Q(state=SyncState.ATTENTION, reason=RowCode.CANCELLED_AFTER_SENT), AFTER_SENT),
            (Q(state=SyncState.ATTENTION), Trait.ATTENTION),
        ],
        [
            (Q(state=SyncState.WAITING), NOTHING),
            (Q(wanted__isnull=True), Trait.WANTS_NOTHING),
            (Q(wanted=F("own_number__id")), Trait.WANTS_OWN),
            (Q(wanted=F("local_number__id")), Trait.WANTS_LOCAL),
        ],
    ]
    if sent:
        mails = CustomerEmail.objects.filter(shipment=OuterRef("shipment_id"), state=EmailState.SENT).order_by()
        questions += [
            [(Q(shown__isnull=False), Trait.SHOWN)],
            [(Q(sending__isnull=False), Trait.SENDING)],
            [(Q(kind=NumberKind.OWN), Trait.KIND_OWN)],
            [(Q(Exists(mails)), Trait.MAILED)],
        ]
    return questions


def _paid_by_both(choices: list[Choices], now: datetime) -> Q:
    """Paid so long ago that both delays are over."""
    return _by_store(
        choices, lambda each: Q(paid_time__lte=min(_paid_until(each.old, now), _paid_until(each.new, now)))
    )


def _by_store(choices: list[Choices], condition: Callable[[Choices], Q]) -> Q:
    """A condition with a border that each store has for itself; stores with the same one share it."""
    conditions: dict[Q, list[int]] = {}
    for each in choices:
        conditions.setdefault(condition(each), []).append(each.store.pk)
    if len(conditions) == 1:
        return next(iter(conditions))
    return functools.reduce(operator.or_, (Q(store__in=ids) & q for q, ids in conditions.items()))


def _beginning(prefixes: list[str]) -> Expression:
    """As much of the carrier's number as the prefix of our own is long."""
    length = len(prefixes[0]) if prefixes else 0
    if not length:
        return Case(When(Q(local_number__isnull=False), then=Value("")))
    return Left("local_number__value", length)


def _current(kind: NumberKind) -> FilteredRelation:
    """The shipment's current number of this kind: one at the most."""
    return FilteredRelation(
        "shipment__numbers",
        condition=Q(shipment__numbers__kind=kind, shipment__numbers__replaced_at__isnull=True),
    )


def _shopper_counts(store: Store) -> bool:
    return store.counts_as_paid == CountsAsPaid.WHEN_SHOPPER_PAID


def _paid_until(preference: Preference, now: datetime) -> datetime:
    """Whoever paid by then has waited for the whole delay."""
    return now - timedelta(hours=preference.delay_hours)


def _paid(traits: Trait, now: datetime, choices: Choices) -> datetime:
    """A payment for which exactly those delays are over that the traits name."""
    over = [
        _paid_until(preference, now)
        for trait, preference in ((Trait.OLD_DELAY_OVER, choices.old), (Trait.NEW_DELAY_OVER, choices.new))
        if trait in traits
    ]
    return min(over, default=now + HOUR)


def _kind(traits: Trait) -> str:
    if Trait.SHOWN not in traits and Trait.SENDING not in traits:
        return ""
    return NumberKind.OWN if Trait.KIND_OWN in traits else NumberKind.LOCAL


def _state(traits: Trait) -> str:
    if Trait.ATTENTION in traits:
        return SyncState.ATTENTION
    return SyncState.DUE if Trait.DUE in traits else SyncState.WAITING


def _sum(marks: Iterable[Expression]) -> Any:
    return functools.reduce(operator.add, marks)
