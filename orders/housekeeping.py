"""What is done once a night: every row is planned again, and what nobody needs any more is thrown away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django_q.models import Failure, OrmQ

from . import plan, pulse

KEPT_FAILURES = timedelta(days=14)  # django-q2 keeps them for ever
ABANDONED = timedelta(days=1)  # tasks in the queue of a group of workers that is no more


def nightly(now: datetime, *, stop: Callable[[], bool]) -> dict[str, int]:
    """Throw rubbish away, then plan every row again until that is done or `stop()`. Returns how much of what."""
    return {
        "failures": Failure.objects.filter(stopped__lt=now - KEPT_FAILURES).delete()[0],
        "abandoned": OrmQ.objects.filter(lock__lt=now - ABANDONED).delete()[0],
        "groups": pulse.forget_old(),
        "planned": plan.replan_everything(now, stop=stop),
    }
