"""What django-q2 calls, by name. A task may be lost or repeated: what is to be done is in our rows.

Schedules are in schedules.py; each function here is three lines: fetch, call, tell.
"""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from . import claimer, cluster, housekeeping, plan, pulling


def sync_due() -> dict[str, int]:
    """Push what is due, in all stores. Returns how many attempts ended how."""
    outcomes = claimer.sync_due()
    return {str(outcome): count for outcome, count in outcomes.items()}


def pull_due() -> int:
    """Pull the orders of every store that was last asked long enough ago. Returns how many stores were asked."""
    stop = cluster.within(settings.SYNC_BUDGET_SECONDS)
    return pulling.pull_due(timezone.now(), stop=stop)


def replan() -> int:
    """Carry saved preferences to the rows they reach. Returns rows looked at."""
    stop = cluster.within(settings.SYNC_BUDGET_SECONDS)
    return plan.replan(timezone.now(), stop=stop)


def nightly() -> dict[str, int]:
    """Plan everything again and throw old rubbish away. Returns how much of what."""
    stop = cluster.within(2 * settings.SYNC_BUDGET_SECONDS)
    return housekeeping.nightly(timezone.now(), stop=stop)
