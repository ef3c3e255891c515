"""The staff's site as a whole: its name, what is not on it, and the figures of its first page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib import admin
from django.db.models import Count, Min, Model
from django.utils.translation import gettext_lazy as _
from django_q.models import Failure, OrmQ, Schedule, Success

from stores.models import PrivacyRequest, Store

from .. import privacy, pulse
from ..choices import SyncState
from ..models import TrackingSync
from .base import DASH
from .queue import needs_attention
from .stores import needing_reconnection

ALIVE = timedelta(seconds=90)  # a worker shows progress at least every ten seconds while its machine breathes

# Whoever may change a schedule or a task runs any code on the server.
RUNS_ANY_CODE: Iterable[type[Model]] = (Schedule, Success, Failure, OrmQ)


@dataclass(frozen=True)
class Figures:
    """What the first page tells."""

    states: list[tuple[str, str, int]]  # state, label, count
    attention: int
    oldest_due: datetime | None
    reconnect: int
    to_answer: int  # what customers asked for, and no machine answers
    worker_age: timedelta | None

    @property
    def is_worker_alive(self) -> bool:
        """Whether any worker showed progress lately."""
        return self.worker_age is not None and self.worker_age < ALIVE


def figures(now: datetime) -> Figures:
    """Counted now, in six queries."""
    rows = TrackingSync.objects.order_by()
    counts = dict(rows.values("state").annotate(n=Count("pk")).values_list("state", "n"))
    return Figures(
        states=[(state, str(SyncState(state).label), counts.get(state, 0)) for state in SyncState.values],
        attention=rows.filter(needs_attention(now)).count(),
        oldest_due=rows.filter(due_at__lte=now).aggregate(oldest=Min("due_at"))["oldest"],
        reconnect=needing_reconnection(Store.objects.all()).count(),
        to_answer=privacy.open_to_staff(PrivacyRequest.objects.all()).count(),
        worker_age=pulse.age(),
    )


def furnish(site: admin.AdminSite) -> None:
    """Give the site its name and take off what does not belong on it."""
    site.site_header = site.site_title = "TrackSync"
    site.index_title = _("How the numbers stand")
    site.empty_value_display = DASH
    site.site_url = None
    # The places to go stand in the header (templates/admin/base_site.html); lists need the width.
    site.enable_nav_sidebar = False
    for model in RUNS_ANY_CODE:
        if site.is_registered(model):
            site.unregister(model)
