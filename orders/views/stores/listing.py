"""The list of a merchant's stores: how each is, what was chosen, its numbers, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from stores.access import stores_of
from stores.models import EPOCH, Store

from ...health import Condition, Counts, Health, Step, choice_in_words, counts_of, health_of, next_step
from ...local_time import in_zone_of
from ...wording import show_time


@dataclass(frozen=True)
class Row:
    """One store of the list. Times are texts in the store's own zone, "" for never."""

    store: Store
    health: Health
    counts: Counts
    choice: str
    pulled: str
    sent: str
    since: str  # of what its health says
    step: Step


@login_required
@require_safe
def stores(request: HttpRequest) -> HttpResponse:
    """The merchant's stores, the disconnected ones apart; three queries whatever their number."""
    now = timezone.now()
    found = list(stores_of(request.user))
    counts = counts_of([store.pk for store in found], now)
    rows = [row_of(store, counts[store.pk], now) for store in found]
    gone = [row for row in rows if row.health.condition == Condition.DISCONNECTED]
    context = {"rows": [row for row in rows if row not in gone], "gone": gone, "section": "stores"}
    return render(request, "stores/stores.html", context)


def row_of(store: Store, counts: Counts, now: datetime) -> Row:
    """How one store is, in the words and times of its page. It must come with its preference."""
    with in_zone_of(store):
        health = health_of(store, now)
        return Row(
            store=store,
            health=health,
            counts=counts,
            choice=choice_in_words(store.preference),
            pulled=show_time(store.pulled_at) if store.pulled_at else "",
            sent=show_time(store.wrote_at) if store.wrote_at > EPOCH else "",
            since=show_time(health.since) if health.since else "",
            step=next_step(store, health, counts),
        )
