"""How long numbers have been due, and whether anybody looks after them: for the health page.

Counts only stores that may be pushed to now: one that is paused, or waits for its merchant, says nothing about us.
What may be pushed to, and in which order, is in sync.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import DurationField, ExpressionWrapper, F, Max, OuterRef, Q, Subquery
from django.db.models.functions import Greatest, Now

from stores.models import Store

from .models import TrackingSync


@dataclass(frozen=True)
class Backlog:
    """`due`: how long the oldest due number has been due. `unserved`: how long nobody has looked after a store
    that had something due all the while. None where nothing is due."""

    due: timedelta | None
    unserved: timedelta | None


def backlog() -> Backlog:
    """What is due now, by the database's clock, in one query: one look into the index of due rows per store."""
    first = TrackingSync.objects.filter(store=OuterRef("pk"), due_at__lte=Now()).order_by("due_at").values("due_at")
    stores = (
        Store.objects.pushing()
        .filter(Q(resume_at__isnull=True) | Q(resume_at__lte=Now()))
        .annotate(first=Subquery(first[:1]))
        .filter(first__isnull=False)
        .annotate(
            due=_since(F("first")),
            unserved=_since(Greatest(F("first"), F("served_at"))),
        )
    )
    longest = stores.aggregate(
        longest_due=Max("due"),
        longest_unserved=Max("unserved", filter=Q(leased_until__lte=Now())),
    )
    return Backlog(longest["longest_due"], longest["longest_unserved"])


def _since(moment: F | Greatest) -> ExpressionWrapper:
    return ExpressionWrapper(Now() - moment, output_field=DurationField())
