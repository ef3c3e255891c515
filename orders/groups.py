"""Rows counted by what decide() distinguishes: one query over any number of them, one question per group.

A group is a set of traits, each a yes or no about a row and its facts ("paid", "the delay is over", "has a number of
our own"). Rows with the same traits get the same answer from decide() and next_state(), so that asking once per group
and multiplying is exact. The traits, and the way back to a row that can be asked, are in traits.py.

What is made of the groups is in effect.py (what a choice would change) and reapply.py (what was sent already).
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
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

from stores.choices import CountsAsPaid, EmailKind
from stores.models import Store

from .choices import NumberKind, RowCode, Stopped, SyncState
from .mail.rules import TOLD
from .models import CustomerEmail, TrackingSync
from .traits import AFTER_SENT, NOTHING, PAID_NEW, PAID_OLD, Choices, Trait, paid_until, stand_in

__all__ = ["Choices", "Group", "Span", "Trait", "grouped", "stand_in", "with_traits"]

ROOM = "32MB"  # of memory for one counting query, on PostgreSQL
Question = list[tuple[Q, Trait]]


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
            (_by_store(choices, lambda each: Q(paid_time__lte=paid_until(each.old, now))), PAID_OLD),
            (_by_store(choices, lambda each: Q(paid_time__lte=paid_until(each.new, now))), PAID_NEW),
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
        told = CustomerEmail.objects.filter(shipment=OuterRef("shipment_id"), state__in=TOLD, number__isnull=False)
        told = told.exclude(kind=EmailKind.WAITING).order_by()
        questions += [
            [(Q(shown__isnull=False), Trait.SHOWN)],
            [(Q(sending__isnull=False), Trait.SENDING)],
            [(Q(kind=NumberKind.OWN), Trait.KIND_OWN)],
            [(Q(Exists(told)), Trait.MAILED)],
            [(Q(shipment__order__customer_email__gt=""), Trait.ADDRESSED)],
            [(Q(adopted=True), Trait.ADOPTED)],
        ]
    return questions


def _paid_by_both(choices: list[Choices], now: datetime) -> Q:
    """Paid so long ago that both delays are over."""
    return _by_store(choices, lambda each: Q(paid_time__lte=min(paid_until(each.old, now), paid_until(each.new, now))))


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


def _sum(marks: Iterable[Expression]) -> Any:
    return functools.reduce(operator.add, marks)
