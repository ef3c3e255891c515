"""What is done once a night: what nobody needs any more is thrown away, and every row is planned again.

The second repairs what a writer missed, should one ever miss something. Both are cut into stretches by tasks.py.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django_q.models import Failure, OrmQ

from stores import hooks
from stores.authorising import invitations, pending

from . import hints, plan, pulse
from .models import TrackingSync

KEPT_FAILURES = timedelta(days=14)  # django-q2 keeps them for ever
KEPT_DELIVERIES = timedelta(days=3)  # a platform repeats one for some hours, at the most for a day
ABANDONED = timedelta(days=1)  # tasks in the queue of a group of workers that is no more


def tidy(now: datetime) -> dict[str, int]:
    """Remove what is old or nobody's any more: of tasks, workers, messages, visits to a shop. Returns how many."""
    return {
        "failures": Failure.objects.filter(stopped__lt=now - KEPT_FAILURES).delete()[0],
        "abandoned": OrmQ.objects.filter(lock__lt=now - ABANDONED).delete()[0],
        "groups": pulse.forget_old(),
        "deliveries": hooks.forget_before(now - KEPT_DELIVERIES),
        "hints": hints.forget_before(now - hints.OLD),
        "pending": pending.tidy(now),
        "invitations": invitations.tidy(now),
    }


def plan_again(after: int, now: datetime, *, stop: Callable[[], bool], chunk: int = plan.CHUNK) -> int:
    """Plan the rows with an id above `after`, chunk by chunk, until none is left or `stop()`. The last one's id."""
    last = after
    while not stop():
        rows = TrackingSync.objects.filter(pk__gt=last).order_by("pk").values_list("pk", "shipment_id")
        found = list(rows[:chunk])
        if not found:
            break
        with transaction.atomic():
            plan.plan([shipment_id for _, shipment_id in found], now)
        last = found[-1][0]
    return last
