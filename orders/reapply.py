"""The present choice, applied to numbers that a store shows already: only where a merchant asks for it, listed before.

What was sent keeps its kind of number whatever is chosen later. Applying the choice again empties the kind of those
rows that would be of the other kind now, and plans them: the number in the store's fulfillment is then replaced like
any corrected one. A row that could not be changed now stays as it is, and is said to.

The work is done in chunks by a task that may be killed and goes on: what is done no longer qualifies. That a store is
being worked on stands in one row of Pulse, whose key says all there is to say of it. Until it is finished a later
save ends it: nobody asked for the new choice to be applied.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django_q.tasks import async_task

from stores.choices import EmailKind, NumberSource
from stores.models import Store, SyncPreference

from . import cluster, plan, pulse
from .choices import AttemptOutcome, EmailState, NumberKind, SyncState, WaitCode
from .groups import grouped
from .mail import facts as mail_facts
from .mail.rules import MailFacts, Row, tells_of
from .models import Pulse, SyncAttempt, TrackingSync
from .plan import Planable, facts_of, preference_of
from .policy import Facts, Preference, Send, decide
from .traits import Choices, Trait, stand_in

TASK = "orders.reapply.run"
KEY = "reapply:"
CHUNK = 200  # rows per transaction, which holds up the store's pushes for its length
STRETCH_SECONDS = 10.0
STALE = timedelta(minutes=2)  # without progress for so long, the task was lost
OLD_ID, OLD, NEW = 0, "old", "new"  # stand for the numbers of a whole group of rows
NOTE = "The store's present choice was applied to this parcel."


class Verdict(enum.StrEnum):
    """What becomes of a row that is of the other kind than the present choice."""

    CHANGES = "changes"
    CANCELLED = "cancelled"
    STOPPED = "stopped"
    ATTENTION = "attention"
    UNDER_WAY = "under_way"
    NUMBER_MISSING = "number_missing"
    NOT_USABLE = "not_usable"
    SAME = "same"


@dataclass(frozen=True)
class Line:
    """One row of the list that is shown before anything is done."""

    planable: Planable
    verdict: Verdict
    old: str
    new: str  # "" where nothing changes
    notifies: bool


@dataclass(frozen=True)
class Totals:
    """What applying the choice again would do: so many updates, so many mails, and how many stay and why."""

    changes: int
    notifies: int
    stay: tuple[tuple[Verdict, int], ...]


@dataclass(frozen=True)
class Run:
    """A store's numbers being changed, or changed: who asked, under which version, how many there were."""

    store_id: int
    version: int
    actor_id: int
    total: int
    asked: int  # seconds since 1970
    is_running: bool
    seen_at: datetime

    @property
    def key(self) -> str:
        """The key of its row in Pulse."""
        return f"{KEY}{self.store_id}:{self.version}:{self.actor_id}:{self.total}:{self.asked}"


def totals(store: Store, now: datetime) -> Totals:
    """What applying the store's choice again would do to all that it shows; one query."""
    preference = preference_of(store.preference)
    choices = Choices(store, preference, preference)
    counts: Counter[Verdict] = Counter()
    notifies, of_store = 0, mail_facts.of_store(store)
    for group in grouped(_candidates(store), [choices], now, sent=True):
        row, facts = stand_in(group.traits, now, choices)
        verdict = judge(row, facts, preference)
        counts[verdict] += group.count
        if verdict == Verdict.CHANGES and tells_of(NEW, _mail_facts(group.traits, of_store, now), now):
            notifies += group.count
    changes = counts.pop(Verdict.CHANGES, 0)
    counts.pop(Verdict.SAME, None)
    return Totals(changes, notifies, tuple(counts.most_common()))


def listing(store: Store, now: datetime, *, after: int = 0, size: int = 50) -> list[Line]:
    """What becomes of each row that is of the other kind than the present choice, from row id `after` on."""
    rows = _candidates(store).filter(pk__gt=after).order_by("pk")
    shown = dict(rows.values_list("shipment_id", "shown__value")[:size])
    ids = list(shown)
    planables = facts_of(ids)
    known = mail_facts.facts_of([each.row for each in planables.values()], mail_facts.rows_of(ids))
    return [
        _line(planables[shipment_id], shown[shipment_id] or "", known[shipment_id], now)
        for shipment_id in ids
        if shipment_id in planables
    ]


def judge(row: TrackingSync, facts: Facts, preference: Preference) -> Verdict:
    """What becomes of a row when the present choice is applied to it again. Pure."""
    if row.sending_id is not None:
        return Verdict.UNDER_WAY
    if facts.cancelled_at is not None:
        return Verdict.CANCELLED
    if facts.stopped:
        return Verdict.STOPPED
    if row.state == SyncState.ATTENTION:
        return Verdict.ATTENTION
    decision = decide(replace(facts, kind=None), preference)
    if isinstance(decision, Send):
        return Verdict.SAME if decision.number.kind == row.kind else Verdict.CHANGES
    if decision.reason in (WaitCode.OWN_NUMBER_MISSING, WaitCode.LOCAL_NUMBER_MISSING):
        return Verdict.NUMBER_MISSING
    return Verdict.NOT_USABLE


def start(store: Store, actor: User, version: int, now: datetime) -> Run | None:
    """Begin to apply the choice of this version to what the store shows. None where it has changed or a run is on."""
    with transaction.atomic():
        preference = SyncPreference.objects.select_for_update().get(pk=store.pk)
        if preference.version != version or _is_on(run_of(store)):
            return None
        run_ = Run(store.pk, version, actor.pk, totals(store, now).changes, int(now.timestamp()), True, now)
        Pulse.objects.filter(key__startswith=f"{KEY}{store.pk}:").delete()
        Pulse.objects.create(key=run_.key, rung=True, at=now)
        transaction.on_commit(lambda: async_task(TASK, store.pk))
    return run_


def run(store_id: int, after: int = 0) -> int:
    """The task: work for a stretch, then queue up again. `after`: row id to go on from. Returns rows changed.

    May be lost, killed or repeated: what was changed no longer qualifies, so that it goes on where it ended.
    """
    return go_on(store_id, stop=cluster.within(STRETCH_SECONDS), after=after)


def go_on(store_id: int, *, stop: Callable[[], bool], after: int = 0, chunk: int = CHUNK) -> int:
    """Change the store's rows chunk by chunk until none is left or `stop` says so. Returns rows changed."""
    changed = 0
    while (current := _run_of(store_id)) is not None and current.is_running:
        if stop():
            async_task(TASK, store_id, after)
            break
        last, count = _chunk(current, after, chunk)
        changed += count
        if last is None:
            break
        after = last
    return changed


def revive(now: datetime) -> int:
    """Queue the task of every run that has shown no progress for a while: a broker may lose it. Returns how many."""
    lost = Pulse.objects.filter(key__startswith=KEY, rung=True, at__lt=now - STALE)
    runs = [_parsed(row) for row in lost]
    for each in runs:
        Pulse.objects.filter(key=each.key).update(at=Now())
        async_task(TASK, each.store_id)
    return len(runs)


def run_of(store: Store) -> Run | None:
    """The store's run that is on, or else its last one."""
    return _run_of(store.pk)


def _candidates(store: Store) -> QuerySet[TrackingSync]:
    """The store's rows that show a number of the kind that the present choice would not take."""
    rows = TrackingSync.objects.filter(store=store, shown__isnull=False)
    if store.preference.number_source == NumberSource.LOCAL:
        return rows.filter(kind=NumberKind.OWN)
    return rows.exclude(kind="").filter(
        Q(shipment__shipping_method__isnull=False), ~Q(kind=F("shipment__shipping_method__default_number"))
    )


def _chunk(run_: Run, after: int, size: int) -> tuple[int | None, int]:
    """One transaction's worth, from row id `after` on: (the last row looked at, rows changed); None at the end."""
    now = timezone.now()
    with transaction.atomic():
        # Held until the chunk is written: a save that comes meanwhile finds it done, or ends the run.
        preference = SyncPreference.objects.select_for_update().select_related("store").get(pk=run_.store_id)
        store = preference.store
        store.preference = preference
        if preference.version != run_.version:
            _end(run_)
            return None, 0
        ids = list(_candidates(store).filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:size])
        if not ids:
            _end(run_)
            return None, 0
        locked = TrackingSync.objects.select_for_update().filter(pk__in=ids).order_by("pk")
        chosen = [
            planable.row
            for planable in facts_of(list(locked.values_list("shipment_id", flat=True))).values()
            if judge(planable.row, planable.facts, planable.preference) == Verdict.CHANGES
        ]
        TrackingSync.objects.filter(pk__in=[row.pk for row in chosen]).update(kind="")
        _note(chosen, run_, now)
        plan.plan([row.shipment_id for row in chosen], now)
        Pulse.objects.filter(key=run_.key).update(at=Now())
        pulse.ring()
    return ids[-1], len(chosen)


def _note(rows: Iterable[TrackingSync], run_: Run, now: datetime) -> None:
    """A line in the timeline of each shipment: who asked for it."""
    SyncAttempt.objects.bulk_create(
        SyncAttempt(
            sync_id=row.pk,
            at=now,
            outcome=AttemptOutcome.BY_HAND,
            message=NOTE,
            preference_version=run_.version,
            actor_id=run_.actor_id,
        )
        for row in rows
    )


def _line(planable: Planable, shown: str, mail: MailFacts, now: datetime) -> Line:
    row, facts = planable.row, planable.facts
    verdict = judge(row, facts, planable.preference)
    decision = decide(replace(facts, kind=None), planable.preference)
    new = decision.number.value if verdict == Verdict.CHANGES and isinstance(decision, Send) else ""
    return Line(planable, verdict, old=shown, new=new, notifies=bool(new) and tells_of(new, mail, now))


def _mail_facts(traits: Trait, of_store: MailFacts, now: datetime) -> MailFacts:
    """The facts about the mails of rows with these traits, to ask tells_of() about."""
    state = EmailState.SENT if Trait.MAILED in traits else EmailState.SKIPPED
    return replace(
        of_store,
        number_id=OLD_ID,
        number=OLD,
        dispatched_at=now if Trait.DISPATCHED in traits else None,
        is_adopted=Trait.ADOPTED in traits,
        has_address=Trait.ADDRESSED in traits,
        rows=(Row(EmailKind.SHIPPED, state, OLD_ID, OLD, now),),
    )


def _is_on(run_: Run | None) -> bool:
    return run_ is not None and run_.is_running


def _end(run_: Run) -> None:
    Pulse.objects.filter(key=run_.key).update(rung=False, at=Now())


def _run_of(store_id: int) -> Run | None:
    row = Pulse.objects.filter(key__startswith=f"{KEY}{store_id}:").order_by("-at").first()
    return _parsed(row) if row else None


def _parsed(row: Pulse) -> Run:
    store_id, version, actor_id, total, asked = map(int, row.key.removeprefix(KEY).split(":"))
    return Run(store_id, version, actor_id, total, asked, row.rung, row.at)
