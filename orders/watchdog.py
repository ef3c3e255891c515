"""Keeps a group of worker processes alive: starts it, rings its bell, sees whether it answers, starts a new one.

django-q2 does not survive the death of an idle worker, and its own heartbeat goes on telling that all is well. So
the only sign of life that counts is a task that ran: sync_due writes the group's progress row. The watchdog

    rings every few seconds in the queue that only this group listens to, whatever the common bell's flag says;
    kills the whole group and starts a new one when the row has not moved for too long;
    does the same at once when the group's main process has ended, with a growing pause when it ends again and again;
    holds a row that cannot be read for no sign at all: a database that is down is no reason to kill anybody.

The cluster itself is in cluster.py, the row and the bell in pulse.py.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import FrameType

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django_q.models import OrmQ
from django_q.tasks import async_task

from . import pulse
from .cluster import GROUP_VARIABLE, STOP_SOON

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.2
LONGEST_PAUSE = 60.0
SETTLED_SECONDS = 60.0  # a group that lived this long did not fail at its start
UNREADABLE = (DatabaseError, InterfaceError, OSError)


@dataclass(frozen=True)
class Limits:
    """In seconds: how often the bell is rung, how long without progress is too long, how long a group may take to end.

    The grace is shorter than the ten seconds that containers are usually given.
    """

    ring: float = 10.0
    stale: float = 40.0
    grace: float = 8.0


def pause(failures: int) -> float:
    """Seconds from one start to the next after so many groups in a row that ended soon: 0, 0, 1, 2, 4 … 60."""
    return 0.0 if failures < 2 else min(LONGEST_PAUSE, 2.0 ** (failures - 2))


class Watchdog:
    """Watches one group until it is told to stop. `run()` blocks; SIGTERM and SIGINT end it."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.group = f"{socket.gethostname()[:60]}:{os.getpid()}"
        self._signals = 0
        self._main: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._failures = 0
        self._rang = 0.0
        self._moved = 0.0
        self._read = 0.0
        self._seen: datetime | None = None

    def run(self) -> None:
        """Start the group, watch it, and stop it when asked to. Nothing of it is left behind."""
        with self._signals_counted():
            try:
                while not self._signals:
                    self._look()
                    time.sleep(LOOK_SECONDS)
            finally:
                self._stop()

    # --- watching ------------------------------------------------------------------------------------

    def _look(self) -> None:
        now = time.monotonic()
        if self._main is None:
            if now >= self._started + pause(self._failures):
                self._start(now)
        elif self._main.poll() is not None:
            log.warning("The workers have ended by themselves (status %s): a new group is started", self._main.poll())
            self._failures = 0 if now - self._started > SETTLED_SECONDS else self._failures + 1
            self._kill()
        else:
            if now - self._rang >= self.limits.ring:
                self._rang = now
                self._ring()
            if self._is_stale(now):
                log.warning("The workers show no progress for %.0f s: a new group is started", self.limits.stale)
                self._kill()

    def _is_stale(self, now: float) -> bool:
        """Whether the progress row was there to be read and has not moved for too long."""
        if now - self._read < self.limits.stale / 20:
            return False
        self._read = now
        try:
            close_old_connections()
            seen = pulse.progress(self.group)
        except UNREADABLE as error:
            # Nobody could have written it either: the time counts anew from the moment it can be read.
            self._unreadable(error)
            self._moved = now
            return False
        if seen != self._seen:
            self._seen, self._moved = seen, now
        return now - self._moved > self.limits.stale

    def _ring(self) -> None:
        """Ask this very group for a sign of life. Its last question is withdrawn, should it still be unanswered."""
        try:
            close_old_connections()
            OrmQ.objects.filter(key=self.group).delete()
            async_task(pulse.SYNC_DUE, cluster=self.group)
        except UNREADABLE as error:
            self._unreadable(error)

    def _unreadable(self, error: Exception) -> None:
        log.warning("The database does not answer (%s): the workers are left alone", type(error).__name__)
        connection.close()

    # --- starting and stopping -------------------------------------------------------------------------

    def _start(self, now: float) -> None:
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "worker", "--skip-checks"]
        self._main = subprocess.Popen(  # noqa: S603 -- our own command
            [*command, "--cluster", str(os.getpid())],
            env=os.environ | {GROUP_VARIABLE: self.group},
            start_new_session=True,
            stdin=subprocess.DEVNULL,
        )
        log.info("Started the workers (process group %s)", self._main.pid)
        self._started = self._moved = self._read = self._rang = now
        try:
            close_old_connections()
            # A flag that was set for a group that is no more would silence the bell.
            for bell in pulse.BELLS:
                pulse.clear(bell)
                pulse.ring(bell)
        except UNREADABLE as error:
            self._unreadable(error)
        self._ring()

    def _kill(self) -> None:
        """The end of the whole group, at once. A stuck cluster does not react to anything gentler."""
        if self._main is None:
            return
        try:
            os.killpg(self._main.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._main.wait()
        self._main = None

    def _stop(self) -> None:
        """Ask the tasks to come to an end and the cluster to stop; after the grace, or a second signal, kill it."""
        if self._main is not None and self._main.poll() is None:
            log.info("Stopping the workers")
            try:
                os.killpg(self._main.pid, STOP_SOON)
            except ProcessLookupError:
                pass
            self._main.terminate()
            until = time.monotonic() + self.limits.grace
            while self._main.poll() is None and time.monotonic() < until and self._signals < 2:
                time.sleep(LOOK_SECONDS / 4)
        self._kill()
        try:
            pulse.forget(self.group)
            OrmQ.objects.filter(key=self.group).delete()
        except UNREADABLE:
            pass  # housekeeping.py removes them

    @contextmanager
    def _signals_counted(self) -> Iterator[None]:
        def count(signum: int, frame: FrameType | None) -> None:
            self._signals += 1

        before = {number: signal.signal(number, count) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
