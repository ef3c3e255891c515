"""What needs a merchant's attention: rows that a person should look at, stores that let us in no more, and stores
whose mail needs a decision.

A row is a problem when its state says so, or when it has been due for over a day in a store that may be pushed to:
one that is paused or waits to be reconnected is one problem, not twenty thousand. Rows of disconnected stores are
nobody's any more; that a store has lost the app is told for some weeks. The sentences are in wording/ and remedies.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from stores.choices import DisconnectReason
from stores.models import Store

from .choices import SyncState
from .mail.undecided import undecided
from .models import TrackingSync
from .wording.explain import LONG_DUE
from .wording.reasons import WORDS

LATE = "long_due"  # the group of rows that no reason of their own holds back
MOST = 5000  # rows that one press acts on
REMOVED_LATELY = timedelta(days=30)  # then it was meant


@dataclass(frozen=True)
class Where:
    """The merchant's connected stores, by what their rows may count as. Three queries for all of it."""

    connected: tuple[int, ...]
    pushing: tuple[int, ...]
    reconnect: tuple[Store, ...]
    undecided: tuple[Store, ...] = ()  # those whose mail needs a decision
    removed: tuple[Store, ...] = ()  # not connected: the app was removed there a while ago
    only: Store | None = None  # the one store that was asked for


def where(user: User | AnonymousUser, store_id: int | None = None) -> Where:
    """The stores of this merchant that problems can be in; only this one of them where it is given."""
    theirs = Store.objects.connected().filter(owner_id=user.pk).order_by("name", "pk")
    asked = theirs if store_id is None else theirs.filter(pk=store_id)
    stores = list(asked)
    gone = removed(user)
    return Where(
        removed=tuple(gone if store_id is None else gone.filter(pk=store_id)),
        only=stores[0] if store_id is not None and stores else None,
        connected=tuple(store.pk for store in stores),
        pushing=tuple(store.pk for store in stores if not store.needs_reconnecting and not store.is_paused),
        reconnect=tuple(store for store in stores if store.needs_reconnecting),
        undecided=tuple(undecided(asked.select_related("preference"))),
    )


def removed(user: User | AnonymousUser) -> QuerySet[Store]:
    """Stores that have lost the app lately and were not connected again. It may have been an accident."""
    again = Store.objects.connected().filter(platform=OuterRef("platform"), base_url=OuterRef("base_url"))
    lost = Store.objects.filter(owner_id=user.pk, disconnect_reason=DisconnectReason.UNINSTALLED)
    return lost.filter(~Exists(again), disconnected_at__gte=Now() - REMOVED_LATELY).order_by("name", "pk")


def count(user: User | AnonymousUser, now: datetime) -> int:
    """How many problems are open: rows, stores to reconnect or decide about; one query for every page."""
    theirs = Store.objects.connected().filter(owner_id=user.pk)
    reconnect = theirs.exclude(trouble="").filter(resume_at__isnull=True)
    stuck = TrackingSync.objects.filter(store__in=theirs, state=SyncState.ATTENTION)
    late = TrackingSync.objects.filter(_late(now), store__in=Store.objects.pushing().filter(owner_id=user.pk))
    found = (stuck, late, reconnect, undecided(theirs), removed(user))
    ids = [query.order_by().values_list("pk") for query in found]
    return ids[0].union(*ids[1:], all=True).count()


def groups(found: Where, now: datetime) -> list[tuple[str, int]]:
    """(reason, rows) of every kind of problem, most rows first; two queries."""
    counts: Counter[str] = Counter()
    for rows in _both(found, now):
        for reason, number in rows.order_by().values_list("reason").annotate(n=Count("pk")):
            counts[_key(reason)] += number
    return counts.most_common()


def page(found: Where, now: datetime, *, problem: str, before: int | None, size: int) -> list[TrackingSync]:
    """So many rows with all that a line of the list says, newest first; three queries, whatever the number.

    `problem`: a reason as groups() names it, "" for all; `before`: the id of the last row seen.
    """
    ids: list[int] = []
    for rows in _both(found, now):
        chosen = _of(rows, problem)
        if before is not None:
            chosen = chosen.filter(pk__lt=before)
        # The sum keeps PostgreSQL from going through all rows by their ids in search of the few with a problem.
        ids += chosen.order_by((F("pk") + 0).desc()).values_list("pk", flat=True)[:size]
    newest = sorted(ids, reverse=True)[:size]
    joined = TrackingSync.objects.select_related("store", "shipment__order", "wanted", "sending", "shown")
    return list(joined.filter(pk__in=newest).order_by("-pk"))


def shipment_ids(found: Where, now: datetime, problem: str) -> list[int]:
    """The shipments with this problem, at most MOST of them."""
    ids: list[int] = []
    for rows in _both(found, now):
        ids += _of(rows, problem).order_by("pk").values_list("shipment_id", flat=True)[:MOST]
    return ids[:MOST]


def held_up(stores: Iterable[Store]) -> dict[int, int]:
    """How many numbers wait to be sent to each of these stores; one query."""
    due = TrackingSync.objects.filter(store__in=[store.pk for store in stores], due_at__isnull=False)
    return dict(due.order_by().values_list("store").annotate(n=Count("pk")))


def problem_of(row: TrackingSync) -> str:
    """The group that a row belongs to."""
    return _key(row.reason)


def _both(found: Where, now: datetime) -> tuple[QuerySet[TrackingSync], QuerySet[TrackingSync]]:
    """Two queries rather than one with an "or": each has an index of its own."""
    stuck = TrackingSync.objects.filter(store__in=found.connected, state=SyncState.ATTENTION)
    late = TrackingSync.objects.filter(_late(now), store__in=found.pushing)
    return stuck, late


def _late(now: datetime) -> Q:
    # A due row has a time, which the database cannot know of itself: with it the index of due rows serves.
    return Q(due_at__isnull=False, due_since__lt=now - LONG_DUE)


def _of(rows: QuerySet[TrackingSync], problem: str) -> QuerySet[TrackingSync]:
    if not problem:
        return rows
    return rows.exclude(reason__in=list(WORDS)) if problem == LATE else rows.filter(reason=problem)


def _key(reason: str) -> str:
    return reason if reason in WORDS else LATE
