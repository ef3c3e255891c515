"""The schedules, made in code: one row per name, made where it is missing and corrected where its task is wrong.

What an operator changed (how often, when next) stays as it is, and so does every schedule of another name. What the
tasks do is in tasks.py; django-q2 looks at its schedules twice a minute.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.utils import timezone
from django_q.models import Schedule


@dataclass(frozen=True)
class Planned:
    """A task that is run by itself: every so many minutes, or each night at an hour of TIME_ZONE."""

    name: str
    task: str
    minutes: int | None = None
    at: time | None = None


SCHEDULES = (
    # Whatever became of the bell: nothing that is due stays unseen for longer.
    Planned("TrackSync: push what is due", "orders.tasks.sync_due", minutes=1),
    Planned("TrackSync: send mail to customers", "orders.tasks.send_mail", minutes=1),
    Planned("TrackSync: pull orders", "orders.tasks.pull_due", minutes=1),
    Planned("TrackSync: read what stores told", "orders.tasks.read_hints", minutes=1),
    # Each store once a day; a new one soon.
    Planned("TrackSync: subscribe to the stores", "orders.tasks.arm_hooks", minutes=1),
    Planned("TrackSync: carry saved choices", "orders.tasks.replan", minutes=10),
    Planned("TrackSync: keep access alive", "orders.tasks.keep_alive", at=time(2, 40)),
    Planned("TrackSync: nightly", "orders.tasks.nightly", at=time(3, 10)),
)


def ensure(now: datetime) -> None:
    """Make the schedules that are missing. Safe to call at every start, by several processes."""
    for planned in SCHEDULES:
        kept = Schedule.objects.filter(name=planned.name).order_by("pk")
        first = kept.first()
        if first is None:
            Schedule.objects.create(name=planned.name, func=planned.task, **_rhythm(planned, now))
        elif first.func != planned.task:
            kept.filter(pk=first.pk).update(func=planned.task)
        # Two processes may have made the same one at once: the older stays.
        kept.exclude(pk=kept.values("pk")[:1]).delete()


def _rhythm(planned: Planned, now: datetime) -> dict[str, object]:
    if planned.at is None:
        return {
            "schedule_type": Schedule.MINUTES,
            "minutes": planned.minutes,
            "next_run": now + timedelta(minutes=planned.minutes or 1),
            "repeats": -1,
        }
    local = timezone.localtime(now)
    tonight = timezone.make_aware(datetime.combine(local.date(), planned.at))
    return {
        "schedule_type": Schedule.DAILY,
        "next_run": tonight if tonight > now else tonight + timedelta(days=1),
        "repeats": -1,
    }
