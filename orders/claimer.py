"""Serves what is due: one claimer per process takes the stores' leases and hands each to a thread.

The claimer is the task's own thread. It takes as many leases as it has free slots, longest unserved first, looks
again four times a second while anything runs, and wakes when a thread has finished. Threads that took leases for
themselves would all run after the same few stores.

    1  the bell is cleared before the first look, so that who rings later is heard
    2  saved preferences are carried to their rows for a moment, so that they govern what is sent next
    3  stores are served until nothing is due, or time is up, or the process is to end

A stop flag is read before every call to a store. It is set however this ends: django-q2's time-out is raised in the
task's thread alone, and the process is killed three seconds later.

What serving a store means is in sync.py; when the bell is rung, in pulse.py.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable

from django.conf import settings
from django.db.models import Sum
from django.utils import timezone

from stores.lease import Lease, take
from stores.models import Store, SyncPreference

from . import cluster, plan, pulse, sync
from .choices import AttemptOutcome
from .crew import LAST_CALLS_SECONDS, LOOK_SECONDS, Crew

log = logging.getLogger(__name__)

REPLAN_SECONDS = 0.5  # the longest that carrying preferences may hold up the claiming, per look
REST_AFTER_FAILURE = 5.0
REST_AFTER_NOTHING = 0.5
EVERY_STORE = 1_000_000


def sync_due() -> Counter[AttemptOutcome]:
    """Serve every store that has something due, for one budget of time. Returns how many attempts ended how."""
    if cluster.asked_to_stop():
        return Counter()
    pulse.clear()
    claimer = Claimer(stopped=cluster.asked_to_stop, beat=pulse.Heart(cluster.group()))
    try:
        return claimer.run()
    finally:
        if claimer.left_some_behind:
            pulse.ring()


class Claimer:
    """Serves due stores in `threads` threads for `seconds`; only the store `only`, where that is given.

    `beat` is called several times a second, `stopped` is asked before every call to a store.
    """

    def __init__(
        self,
        *,
        threads: int | None = None,
        seconds: float | None = None,
        only: int | None = None,
        stopped: Callable[[], bool] = lambda: False,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self._until = time.monotonic() + (settings.SYNC_BUDGET_SECONDS if seconds is None else seconds)
        self._only = only
        self._asked_to_stop = stopped
        self._beat = beat
        self._is_over = threading.Event()
        self._woken = threading.Event()
        self._others_wait = False
        self._rang = False
        self._resting: dict[int, float] = {}
        self._carried_version: int | None = None
        self._lock = threading.Lock()
        self._crew: Crew[Lease] = Crew(threads or settings.TRACKSYNC_THREADS, self._serve, self._woken)
        self.outcomes: Counter[AttemptOutcome] = Counter()
        self.left_some_behind = False

    def run(self) -> Counter[AttemptOutcome]:
        """Serve until nothing is due or time is up. Returns how many attempts ended how."""
        patience: float | None = LAST_CALLS_SECONDS
        try:
            self._work()
            self._wait_for_the_last()
            self.left_some_behind = time.monotonic() >= self._until and bool(self._due(1))
            patience = None
        finally:
            self._is_over.set()
            self._crew.close(patience)
        return self.outcomes

    def _work(self) -> None:
        while not self._is_time_up():
            self._beat()
            more_to_plan = self._carry_preferences()
            self._woken.clear()
            self._claim()
            if not self._crew.running and not more_to_plan:
                return
            if not more_to_plan:
                self._woken.wait(LOOK_SECONDS)

    def _wait_for_the_last(self) -> None:
        while self._crew.running:
            self._beat()
            self._woken.clear()
            if self._crew.running:
                self._woken.wait(LOOK_SECONDS)

    def _claim(self) -> None:
        """Take leases for the free slots; know whether any store is left waiting for one."""
        free = self._crew.free
        # Some to spare: another process is taking from the same list.
        due = self._due(2 * free + 1)
        platforms = dict(Store.objects.filter(pk__in=due).values_list("pk", "platform")) if free else {}
        waiting = list(due)
        for store_id in due:
            if not free:
                break
            waiting.remove(store_id)
            free -= self._take(store_id, platforms.get(store_id, ""))
        self._others_wait = bool(waiting)
        if waiting and not self._rang and self._only is None:
            self._rang = True
            pulse.ring()

    def _take(self, store_id: int, platform: str) -> bool:
        """Hand the store to a thread, if it can be had."""
        try:
            lease = take(store_id, sync.lease_seconds(platform))
        except Exception:
            self._failed(store_id)
            return False
        if lease:
            self._crew.start(lease)
        return lease is not None

    def _failed(self, store_id: int) -> None:
        log.exception("Store %s could not be served", store_id)
        self._rest(store_id, REST_AFTER_FAILURE)

    def _rest(self, store_id: int, seconds: float) -> None:
        with self._lock:
            self._resting[store_id] = time.monotonic() + seconds

    def _due(self, limit: int) -> list[int]:
        """Up to so many stores that are due and not resting, longest unserved first."""
        now = time.monotonic()
        with self._lock:
            self._resting = {store_id: until for store_id, until in self._resting.items() if until > now}
            resting = set(self._resting)
        due = sync.due_stores(EVERY_STORE if self._only else limit + len(resting))
        return [store_id for store_id in due if store_id not in resting and self._only in (None, store_id)][:limit]

    def _serve(self, lease: Lease) -> None:
        """One store, in a thread of its own. What goes wrong here stops no other store."""
        try:
            served = sync.serve(lease, until=self._until, stop=self._stop, others_wait=lambda: self._others_wait)
        except Exception:
            self._failed(lease.store_id)
            return
        with self._lock:
            self.outcomes.update(served)
        if not served:
            self._rest(lease.store_id, REST_AFTER_NOTHING)

    def _carry_preferences(self) -> bool:
        """Replan for a moment where a preference was saved since the last time. True when there may be more to do."""
        version = SyncPreference.objects.aggregate(total=Sum("version"))["total"]
        if version == self._carried_version:
            return False
        until = time.monotonic() + REPLAN_SECONDS
        try:
            carried = plan.replan(timezone.now(), stop=lambda: self._stop() or time.monotonic() > until)
        except Exception:
            # What is due already goes out all the same.
            log.exception("Saved preferences could not be carried to their rows")
            carried = 0
        if not carried:
            self._carried_version = version
        return carried > 0

    def _is_time_up(self) -> bool:
        return self._stop() or time.monotonic() >= self._until

    def _stop(self) -> bool:
        return self._is_over.is_set() or self._asked_to_stop()
