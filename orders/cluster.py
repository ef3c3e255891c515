"""The cluster of django-q2 as TrackSync runs it: one process group, with a name, that never outlives its parent.

Differences to `manage.py qcluster`: besides the common queue it listens to one that bears the group's name, so
that the watchdog's bell is answered by this very group and its life is not hidden by another's; every process
ends with its parent where the system can do that; and it can be asked to come to an end soon.

Who starts and watches it is in watchdog.py.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from types import FrameType

from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.cluster import Cluster
from django_q.conf import Conf

GROUP_VARIABLE = "TRACKSYNC_GROUP"
STOP_SOON = signal.SIGUSR1
PR_SET_PDEATHSIG = 1  # https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html

_asked_to_stop = False


def group() -> str:
    """The name of the group that this process belongs to."""
    return os.environ.get(GROUP_VARIABLE) or f"{socket.gethostname()[:60]}:alone"


def asked_to_stop() -> bool:
    """Whether the tasks of this process should come to an end: read before every call to a store."""
    return _asked_to_stop


def within(seconds: float) -> Callable[[], bool]:
    """A stop for a task: true when the process is to end, or so many seconds from now."""
    until = time.monotonic() + seconds
    return lambda: _asked_to_stop or time.monotonic() >= until


class GroupBroker(ORM):
    """The database's queue, read under two names: the common one and the group's own. Oldest first."""

    def dequeue(self) -> list[tuple[int, str]] | None:
        """Lock and return the next tasks as (id, package); None after a pause when there are none."""
        waiting = self.get_connection().filter(key__in=(self.list_key, group()), lock__lt=timezone.now())
        tasks = list(waiting.order_by("pk")[: Conf.BULK])
        if not tasks:
            time.sleep(Conf.POLL)
            return None
        # Several groups may see the same task; who moves its lock has it.
        return [
            (task.pk, task.payload)
            for task in tasks
            if self.get_connection().filter(pk=task.pk, lock=task.lock).update(lock=self.timeout(task))
        ]


def run(parent: int) -> None:
    """Become the cluster. `parent` is the process id of the watchdog: when that is gone, so are we."""
    _end_with_the_parent()
    os.register_at_fork(after_in_child=_end_with_the_parent)
    if os.getppid() != parent:
        return
    signal.signal(STOP_SOON, _stop_soon)
    # Before the processes part: they share its memory, and a mistake in it ends all at once instead of one by one.
    importlib.import_module("orders.tasks")
    Cluster(GroupBroker()).start()


def _stop_soon(signum: int, frame: FrameType | None) -> None:
    global _asked_to_stop
    _asked_to_stop = True


def _end_with_the_parent() -> None:
    # django-q2's processes live on, and go on taking tasks, when the one that guards them is killed.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
