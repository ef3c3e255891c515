"""Which stores' orders are pulled now: every one that was last asked long enough ago, several at a time.

One process does this at a time, whatever the number of workers. How one store is pulled is in pull.py; the
command that pulls at once is `manage.py pull_orders`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q

from stores.models import Store

from . import pulse
from .crew import work_through
from .pull import pull_store

log = logging.getLogger(__name__)

PULLING = "pull"
THREADS = 8
HOLD_SECONDS = 120.0  # a process that dies while pulling stops nobody for longer


@dataclass(frozen=True)
class Pulled:
    """How many stores were asked, and whether the stop left some that should have been."""

    stores: int = 0
    is_cut_short: bool = False


def pull_due(now: datetime, *, stop: Callable[[], bool], beat: Callable[[], None]) -> Pulled:
    """Pull the stores that are due, longest not asked first, until none is left or `stop()`.

    A store that was stopped in the midst of it goes on from there the next time. `beat` is called all the while.
    """
    if not pulse.hold(PULLING, HOLD_SECONDS):
        return Pulled()
    try:
        return _pull_each(due_to_be_pulled(now), now, stop, beat)
    finally:
        pulse.let_go(PULLING)


def due_to_be_pulled(now: datetime) -> list[int]:
    """Ids of the stores that were last asked TRACKSYNC_PULL_SECONDS ago, longest ago first, and then those that never
    were: the first pull of a large store takes long and must not keep the others waiting.
    """
    long_ago = now - timedelta(seconds=settings.TRACKSYNC_PULL_SECONDS)
    stores = Store.objects.pulling().filter(
        Q(pulled_at__isnull=True) | Q(pulled_at__lte=long_ago), Q(resume_at__isnull=True) | Q(resume_at__lte=now)
    )
    return list(stores.order_by(F("pulled_at").asc(nulls_last=True), "pk").values_list("pk", flat=True))


def _pull_each(store_ids: list[int], now: datetime, stop: Callable[[], bool], beat: Callable[[], None]) -> Pulled:
    def pull(store_id: int, stopped: Callable[[], bool]) -> None:
        try:
            pull_store(Store.objects.get(pk=store_id), now=now, stopped=stopped)
        except Exception:
            log.exception("Store %s: its orders could not be pulled", store_id)

    asked = work_through(store_ids, pull, threads=THREADS, stop=stop, beat=beat)
    return Pulled(asked, is_cut_short=bool(store_ids) and stop())
