"""The bells and the pulse: how work is announced to the workers, and how they show that they live.

A bell is one flag in the database: for what goes to the stores, for the customers' mail, for what the stores have told
us. Whoever flips it enqueues one task; who finds it flipped has nothing to do, so an import of fifty thousand rows
rings once. The pulse is one row per worker group with the time at which a task last ran in it. A hold lets one process
at a time do what nobody should do twice at once. All are kept by the database's clock: those of the machines do not
matter.

What a ring starts is in claimer.py, mail/sending.py and hints.py; who watches the pulse, in watchdog.py and
tracksync/health.py.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import DurationField, ExpressionWrapper, F, Min
from django.db.models.functions import Now
from django_q.tasks import async_task

from stores.models import EPOCH

from .models import Pulse

SYNC_DUE = "orders.tasks.sync_due"
BEAT_SECONDS = 5.0
BELL = "sync"
GROUP_PREFIX = "group:"
HOLD_PREFIX = "hold:"
OLD_ROWS = timedelta(days=1)


@dataclass(frozen=True)
class Bell:
    """A flag in the database, and the task that whoever flips it enqueues."""

    key: str
    task: str

    def strike(self) -> None:
        """Flip the flag and enqueue the task, if nobody has done so before."""
        # In one transaction: a flag without its task would silence the bell.
        with transaction.atomic():
            if self._flip():
                async_task(self.task)

    def _flip(self) -> bool:
        quiet = Pulse.objects.filter(key=self.key, rung=False)
        if quiet.update(rung=True):
            return True
        if Pulse.objects.filter(key=self.key).exists():
            return False
        Pulse.objects.bulk_create([Pulse(key=self.key)], ignore_conflicts=True)
        return bool(quiet.update(rung=True))


SYNC = Bell(BELL, SYNC_DUE)
MAIL = Bell("mail", "orders.tasks.send_mail")
HINTS = Bell("hints", "orders.tasks.read_hints")
BELLS = (SYNC, MAIL, HINTS)


def ring(bell: Bell = SYNC) -> None:
    """Wake a worker once the transaction that is open, if any, is committed. Cheap to call for every row.

    Never fails: what is due is due without a bell too, only some seconds later.
    """
    already = (callback for _, callback, *_ in transaction.get_connection().run_on_commit)
    if not any(callback == bell.strike for callback in already):
        transaction.on_commit(bell.strike, robust=True)


def clear(bell: Bell = SYNC) -> None:
    """The bell was heard. Call it before looking for work: who rings after this will be heard again."""
    Pulse.objects.filter(key=bell.key, rung=True).update(rung=False)


def beat(group: str) -> None:
    """Write down that a task runs in this group of workers now."""
    Pulse.objects.bulk_create(
        [Pulse(key=GROUP_PREFIX + group, at=Now())],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["at"],
    )


class Heart:
    """Beats for a group while a long task runs: call it as often as you like, it writes every few seconds."""

    def __init__(self, group: str) -> None:
        self._group = group
        self._next = 0.0

    def __call__(self) -> None:
        if time.monotonic() >= self._next:
            beat(self._group)
            self._next = time.monotonic() + BEAT_SECONDS


def progress(group: str) -> datetime | None:
    """When this group last showed progress; None when it never did. Raises what the database raises."""
    return Pulse.objects.filter(key=GROUP_PREFIX + group).values_list("at", flat=True).first()


def age() -> timedelta | None:
    """How long ago any group last showed progress, by the database's clock; None when none ever did."""
    ages = Pulse.objects.filter(key__startswith=GROUP_PREFIX).annotate(
        age=ExpressionWrapper(Now() - F("at"), output_field=DurationField())
    )
    return ages.aggregate(youngest=Min("age"))["youngest"]


def forget(group: str) -> None:
    """The group has been stopped on purpose."""
    Pulse.objects.filter(key=GROUP_PREFIX + group).delete()


def forget_old() -> int:
    """Remove the rows of groups that have shown nothing for a day. Returns how many."""
    old = Pulse.objects.filter(key__startswith=GROUP_PREFIX, at__lt=Now() - OLD_ROWS)
    return old.delete()[0]


def hold(name: str, seconds: float) -> bool:
    """Take the right to do `name` for so many seconds; False while somebody else has it."""
    key = HOLD_PREFIX + name
    Pulse.objects.bulk_create([Pulse(key=key, at=EPOCH)], ignore_conflicts=True)
    return bool(Pulse.objects.filter(key=key, at__lte=Now()).update(at=Now() + timedelta(seconds=seconds)))


def let_go(name: str) -> None:
    """Give the right to do `name` back before its time."""
    Pulse.objects.filter(key=HOLD_PREFIX + name).update(at=EPOCH)
