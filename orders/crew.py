"""A crew of threads for one task: each takes a job after the other and closes its database connection in the end.

Why not concurrent.futures: its threads leave their connections open, and its end waits for threads that do
not know that time is up. What the threads do is in claimer.py, pulling.py and hints.py.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from django.db import close_old_connections, connections

log = logging.getLogger(__name__)

Job = TypeVar("Job")

LOOK_SECONDS = 0.25
LAST_CALLS_SECONDS = 2.5  # after a time-out, before the process is killed


class Crew(Generic[Job]):
    """Up to `size` threads that call `work(job)`; `woken` is set whenever one has finished a job."""

    def __init__(self, size: int, work: Callable[[Job], None], woken: threading.Event) -> None:
        self._size = size
        self._work = work
        self._woken = woken
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._running = 0

    @property
    def running(self) -> int:
        """How many jobs are being worked on."""
        return self._running

    @property
    def free(self) -> int:
        """How many more jobs can be started now."""
        return self._size - self._running

    def start(self, job: Job) -> None:
        """Hand a job to a thread at once. Only while `free` is above 0."""
        with self._lock:
            self._running += 1
            wanted = self._running
        if wanted > len(self._threads):
            thread = threading.Thread(target=self._live, name=f"crew-{wanted}", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._jobs.put(job)

    def close(self, seconds: float | None = None) -> None:
        """Send the threads home and wait for them, not longer than `seconds` in all."""
        until = None if seconds is None else time.monotonic() + seconds
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join(None if until is None else max(0.0, until - time.monotonic()))

    def _live(self) -> None:
        try:
            while (job := self._jobs.get()) is not None:
                self._do(job)
        finally:
            connections.close_all()

    def _do(self, job: Job) -> None:
        try:
            close_old_connections()
            self._work(job)
        except Exception:
            log.exception("A job of the background failed in a way nobody expected")
        finally:
            with self._lock:
                self._running -= 1
            self._woken.set()


def work_through(
    jobs: Sequence[Job],
    work: Callable[[Job, Callable[[], bool]], None],
    *,
    threads: int,
    stop: Callable[[], bool],
    beat: Callable[[], None],
) -> int:
    """Do the jobs in their order, `threads` at a time, until none is left or `stop()`. How many were begun.

    `work(job, stopped)` is given a `stopped` that also turns true when the task is ended from outside; `beat` is
    called all the while. A job that fails stops no other.
    """
    is_over, woken = threading.Event(), threading.Event()

    def stopped() -> bool:
        return is_over.is_set() or stop()

    crew: Crew[Job] = Crew(threads, lambda job: work(job, stopped), woken)
    waiting = deque(jobs)
    patience: float | None = LAST_CALLS_SECONDS
    try:
        while crew.running or (waiting and not stopped()):
            beat()
            woken.clear()
            while crew.free and waiting and not stopped():
                crew.start(waiting.popleft())
            if crew.running:
                woken.wait(LOOK_SECONDS)
        patience = None
    finally:
        is_over.set()
        crew.close(patience)
    return len(jobs) - len(waiting)
