"""What django-q2 calls, by name. A task may be lost or repeated: what is to be done is in our rows.

All but sync_due work for a short stretch only and then queue up again, behind whatever pushes numbers. Schedules are
in schedules.py; each function here is three lines: fetch, call, tell.
"""

from __future__ import annotations

from django.utils import timezone
from django_q.tasks import async_task

from stores import hooks, keeping

from . import claimer, cluster, hints, housekeeping, plan, privacy, pulling, pulse, reapply
from .mail import sending

STRETCH_SECONDS = 10.0


def sync_due() -> dict[str, int]:
    """Push what is due, in all stores. Returns how many attempts ended how."""
    outcomes = claimer.sync_due()
    return {str(outcome): count for outcome, count in outcomes.items()}


def pull_due() -> int:
    """Pull the orders of every store that was last asked long enough ago. Returns how many stores were asked."""
    pulled = pulling.pull_due(timezone.now(), stop=cluster.within(STRETCH_SECONDS), beat=pulse.Heart(cluster.group()))
    if pulled.is_cut_short:
        async_task("orders.tasks.pull_due")
    return pulled.stores


def replan() -> int:
    """Carry saved preferences to the rows they reach, and go on with what was broken off. Returns rows looked at."""
    reapply.revive(timezone.now())
    stop = cluster.within(STRETCH_SECONDS)
    return plan.replan(timezone.now(), stop=stop)


def send_mail() -> dict[str, int]:
    """Send the mails to customers that are due. Returns how many ended how."""
    ended, more = sending.send_due(stop=cluster.within(STRETCH_SECONDS))
    if more:
        async_task("orders.tasks.send_mail")
    return {str(state): count for state, count in ended.items()}


def read_hints() -> int:
    """Read again what the stores told us has changed, and erase what they asked for. How many hints are done with."""
    stop = cluster.within(STRETCH_SECONDS)
    read = hints.read_hinted(timezone.now(), stop=stop, beat=pulse.Heart(cluster.group()))
    privacy.erase_due(timezone.now(), stop=stop)
    if stop() and not cluster.asked_to_stop():
        async_task("orders.tasks.read_hints")
    return read.hints


def arm_hooks(store_id: int | None = None) -> int:
    """Subscribe to the messages of one store, or of all that need it; how many subscriptions had been lost."""
    if store_id is not None:
        return hooks.arm_one(store_id, timezone.now())
    armed = hooks.arm_due(timezone.now(), stop=cluster.within(STRETCH_SECONDS))
    if armed.is_cut_short and not cluster.asked_to_stop():
        async_task("orders.tasks.arm_hooks")
    return armed.lost


def let_go(store_id: int) -> None:
    """The store was disconnected: delete its subscriptions, and our access where its merchant left."""
    hooks.let_go(store_id)


def keep_alive() -> int:
    """Renew the stores' access that nobody has renewed for long. How many stores have a good one now."""
    stop = cluster.within(STRETCH_SECONDS)
    renewed = keeping.keep_alive(timezone.now(), stop=stop)
    if renewed and stop() and not cluster.asked_to_stop():
        async_task("orders.tasks.keep_alive")
    return renewed


def nightly(after: int = 0) -> int:
    """Throw old rubbish away and plan every row again, from the row id `after` on. Returns the last one planned."""
    if not after:
        housekeeping.tidy(timezone.now())
    last = housekeeping.plan_again(after, timezone.now(), stop=cluster.within(STRETCH_SECONDS))
    if last > after:
        async_task("orders.tasks.nightly", last)
    return last
