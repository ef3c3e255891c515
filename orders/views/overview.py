"""The merchant's first page: what the last thirty days were like, which store has trouble, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_safe

from stores.access import stores_of
from stores.models import Store

from .. import figures
from ..chart import draw
from ..health import Condition, Counts, Health, Step, health_of, needs_locations, next_step
from ..local_time import in_zone_of, show_clock, zone_of


@dataclass(frozen=True)
class StoreLine:
    """One store."""

    store: Store
    health: Health
    recent: figures.Recent
    backlog: str  # in a sentence, "" without one
    rank: int


@login_required
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """The page, for a merchant with any number of stores, or none."""
    now = timezone.now()
    stores = [store for store in stores_of(request.user) if store.disconnected_at is None]
    ids = [store.pk for store in stores]
    zone, zone_name = _zone(stores)
    month = figures.month(ids, now, zone) if ids else None
    recent = month.recent if month else {}
    backlogs = figures.backlogs(ids, now) if ids else {}
    lines = [_line(store, recent[store.pk], backlogs.get(store.pk), now) for store in stores]
    lines.sort(key=lambda line: line.rank)  # stable: by name within a rank
    with timezone.override(zone):
        counted = show_clock(month.at) if month else ""
    context: dict[str, Any] = {
        "section": "overview",
        "lines": lines,
        "steps": _steps(lines),
        "total": figures.Recent(
            sum(line.recent.in_store for line in lines),
            sum(line.recent.waiting for line in lines),
            sum(line.recent.attention for line in lines),
        ),
        "chart": draw(month.days) if month else None,
        "counted": counted,
        "zone": zone_name,
        "days": figures.DAYS,
    }
    return render(request, "orders/overview.html", context)


def _line(store: Store, recent: figures.Recent, backlog: figures.Backlog | None, now: datetime) -> StoreLine:
    with in_zone_of(store):
        health = health_of(store, now)
        said = _backlog(backlog, health, now) if backlog else ""
    return StoreLine(store, health, recent, said, _rank(health, recent, bool(said)))


def _rank(health: Health, recent: figures.Recent, has_backlog: bool) -> int:
    """Trouble first."""
    if health.condition == Condition.RECONNECT:
        return 0
    if recent.attention:
        return 1
    if health.condition in (Condition.PAUSED, Condition.BUSY):
        return 2
    return 3 if has_backlog else 4


def _backlog(backlog: figures.Backlog, health: Health, now: datetime) -> str:
    """Honestly: when it is done only where the last minutes tell."""
    n = backlog.due
    if health.condition == Condition.RECONNECT:
        said = ngettext("{n} number waits for you to reconnect.", "{n} numbers wait for you to reconnect.", n)
    elif health.condition == Condition.PAUSED:
        said = ngettext("{n} number waits for you to resume.", "{n} numbers wait for you to resume.", n)
    elif backlog.done_at is not None and health.condition == Condition.CONNECTED:
        told = ngettext(
            "{n} number waiting to be sent, done about {at}.", "{n} numbers waiting to be sent, done about {at}.", n
        )
        done = backlog.done_at + timedelta(seconds=59)  # a minute that has begun is not over
        at = show_clock(done)
        if done - now > timedelta(hours=20):
            return ngettext(
                "{n} number waiting to be sent; that takes more than a day.",
                "{n} numbers waiting to be sent; that takes more than a day.",
                n,
            ).format(n=n)
        return told.format(n=n, at=at)
    else:
        said = ngettext("{n} number waiting to be sent.", "{n} numbers waiting to be sent.", n)
    return said.format(n=n)


def _zone(stores: list[Store]) -> tuple[tzinfo, str]:
    """The stores' own time zone where they share one, else the project's, by name."""
    zones = {str(zone_of(store)): zone_of(store) for store in stores}
    if len(zones) != 1:
        default = timezone.get_default_timezone()
        return default, str(default)
    ((name, zone),) = zones.items()
    return zone, name


def _steps(lines: list[StoreLine]) -> list[Step]:
    """What to do next, the most pressing first: each store's next step where there is one beyond looking at it."""
    steps = []
    for line in lines:
        store = line.store
        if line.health.condition == Condition.RECONNECT:
            step = next_step(store, line.health, Counts())
            steps.append(Step(f"{store.name}: {step.label}", step.url, is_pressing=True))
        elif needs_locations(store):
            label = gettext("Choose the locations we ship from in {store}").format(store=store.name)
            steps.append(Step(label, reverse("store_locations", args=[store.pk]), is_pressing=True))
        if store.preference.confirmed_at is None:
            label = gettext("Confirm your choice for {store}").format(store=store.name)
            steps.append(Step(label, reverse("choice", args=[store.pk]), is_pressing=True))
        if line.health.condition == Condition.PAUSED:
            label = gettext("{store} is paused: resume it when you are ready").format(store=store.name)
            steps.append(Step(label, reverse("store", args=[store.pk])))
    return sorted(steps, key=lambda step: not step.is_pressing)
