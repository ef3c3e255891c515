"""Writes the decision on the shipment's row: what the store should show, and whether that is due.

`plan()` runs inside the transaction that changed a fact and is called by every writer (changes.py,
pull.py, importing, sync.py): there are no signals. `replan()` carries a saved preference to the rows
it reaches, in chunks that may be killed and go on. Planning twice changes nothing.

What is decided is in policy.py; what is pushed in sync.py. Which mails to customers follow from what a store shows is
noted in the same transaction (mail/outbox.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Prefetch

from stores.choices import CountsAsPaid, NumberSource, Timing
from stores.models import Store, SyncPreference

from .bulk import update_rows
from .choices import NumberKind, RowCode, Stopped, SyncState, WaitCode
from .mail import outbox
from .models import Shipment, TrackingNumber, TrackingSync
from .policy import Decision, Facts, Number, Preference, Send, Wait, decide

CHUNK = 1000
COLUMNS = (
    "wanted_id",
    "kind",
    "state",
    "reason",
    "reason_values",
    "due_at",
    "due_since",
    "attempts",
    "planned_version",
    "state_since",
)
# Waits that say more than what a person was asked to look at before.
PERSONS_WAITS = (WaitCode.CANCELLED, WaitCode.GIVEN_UP, WaitCode.WITHDRAWN)


@dataclass(frozen=True)
class Planable:
    """A shipment's row with the facts and the preference that decide about it."""

    row: TrackingSync
    facts: Facts
    preference: Preference

    @property
    def decision(self) -> Decision:
        """What decide() says of it."""
        return decide(self.facts, self.preference)


@dataclass(frozen=True)
class Planned:
    """What planning makes of a row: the values of COLUMNS, in that order."""

    wanted_id: int | None
    kind: str
    state: str
    reason: str
    reason_values: dict[str, Any]
    due_at: datetime | None
    due_since: datetime | None
    attempts: int
    planned_version: int
    state_since: datetime


def new_rows(shipments: Iterable[Shipment]) -> None:
    """Make the row of each shipment that has none. The order of a shipment must be loaded or loadable."""
    TrackingSync.objects.bulk_create(
        [TrackingSync(shipment=shipment, store_id=shipment.order.store_id) for shipment in shipments],
        ignore_conflicts=True,
    )


def plan(shipment_ids: Iterable[int], now: datetime) -> None:
    """Decide about these shipments and write it down. Call it inside the transaction that changed a fact.

    Locks the rows in the order of their ids, so that two writers never wait for one another.
    """
    for ids in _chunks(_in_lock_order(set(shipment_ids)), CHUNK):
        rows = TrackingSync.objects.select_for_update().filter(shipment_id__in=ids).order_by("pk")
        # Lock first and read then: a row read while waiting for its lock would bring the facts of before the wait.
        locked = list(rows.values_list("shipment_id", flat=True))
        planables = facts_of(locked).values()
        write(planables, now)
        outbox.note((planable.row for planable in planables), now)


def write(planables: Iterable[Planable], now: datetime) -> int:
    """Write what planning makes of each, where it differs. The rows are locked by the caller. Returns rows changed."""
    changed = []
    for planable in planables:
        planned = next_state(planable.row, planable.decision, planable.preference.version, now)
        values = tuple(getattr(planned, column) for column in COLUMNS)
        if values != tuple(getattr(planable.row, column) for column in COLUMNS):
            changed.append((planable.row.pk, *values))
    return update_rows(TrackingSync, COLUMNS, changed)


def facts_of(shipment_ids: Iterable[int]) -> dict[int, Planable]:
    """Row, facts and preference of each shipment, by its id, in three queries whatever their number."""
    current = TrackingNumber.objects.filter(replaced_at__isnull=True)
    rows = list(
        TrackingSync.objects.filter(shipment_id__in=list(shipment_ids))
        .select_related("shipment__order", "shipment__shipping_method")
        .prefetch_related(Prefetch("shipment__numbers", queryset=current, to_attr="current_numbers"))
        .order_by("pk")
    )
    stores = {row.store_id for row in rows}
    preferences = {p.store_id: p for p in SyncPreference.objects.filter(store_id__in=stores).select_related("store")}
    return {row.shipment_id: _planable(row, preferences[row.store_id]) for row in rows}


def next_state(row: TrackingSync, decision: Decision, version: int, now: datetime) -> Planned:
    """What the row becomes under this decision. Pure: reads the row, writes nothing."""
    wanted = decision.number.id if isinstance(decision, Send) else row.shown_id
    kind = row.kind
    state, reason, values = row.state, row.reason, row.reason_values
    due_at, due_since, attempts = row.due_at, row.due_since, row.attempts

    if row.sending_id is not None:
        pass  # An intent is under way: its end is found out first, only what is wanted after it changes.
    elif _needs_a_person_still(row, decision, wanted):
        pass  # Nothing that is wanted has changed.
    elif isinstance(decision, Wait):
        state, reason, values = _waits(row, decision)
        due_at, due_since, attempts = None, None, 0
    elif row.shown_id == wanted:
        kind = decision.number.kind  # shown and right: promised, also where a re-apply had taken the promise away
        if state != SyncState.SYNCED:
            state, reason, values = SyncState.SYNCED, "", {}
        due_at, due_since, attempts = None, None, 0
    elif state != SyncState.DUE or row.wanted_id != wanted:
        state, reason, values, attempts = SyncState.DUE, "", {}, 0
        due_at, due_since = decision.not_before, max(decision.not_before, now)
    elif due_at is None or due_at < decision.not_before or (attempts == 0 and due_at != decision.not_before):
        # A back-off stands, but never lets a number go earlier than it may.
        due_at, due_since = decision.not_before, max(decision.not_before, now)

    moved = (state, reason) != (row.state, row.reason)
    return Planned(
        wanted_id=wanted,
        kind=kind,
        state=state,
        reason=reason,
        reason_values=values,
        due_at=due_at,
        due_since=due_since,
        attempts=attempts,
        planned_version=version,
        state_since=now if moved else row.state_since,
    )


def replan(now: datetime, *, stop: Callable[[], bool] | None = None, chunk: int = CHUNK) -> int:
    """Carry saved preferences to the rows that nothing has been sent of. Returns rows looked at.

    Each chunk is its own transaction: killed in between, the next call goes on where it ended.
    """
    seen = 0
    unsent = TrackingSync.objects.filter(
        store=OuterRef("pk"), planned_version__lt=OuterRef("version"), shown__isnull=True, sending__isnull=True
    )
    # One look into the index per store, in one query: with hundreds of stores nothing is behind in nearly all.
    late = SyncPreference.objects.filter(Exists(unsent)).values_list("store_id", "version")
    for store_id, version in list(late):
        behind = TrackingSync.objects.filter(
            store_id=store_id, planned_version__lt=version, shown__isnull=True, sending__isnull=True
        )
        while not (stop and stop()):
            ids = list(behind.order_by("planned_version", "pk").values_list("shipment_id", flat=True)[:chunk])
            if not ids:
                break
            with transaction.atomic():
                plan(ids, now)
            seen += len(ids)
    return seen


def replan_everything(now: datetime, *, stop: Callable[[], bool] | None = None, chunk: int = CHUNK) -> int:
    """Plan every row there is: repairs what a writer missed. Returns rows looked at."""
    seen, last = 0, 0
    while not (stop and stop()):
        found = list(TrackingSync.objects.filter(pk__gt=last).order_by("pk").values_list("pk", "shipment_id")[:chunk])
        if not found:
            break
        with transaction.atomic():
            plan((shipment_id for _, shipment_id in found), now)
        seen, last = seen + len(found), found[-1][0]
    return seen


def behind(store: Store) -> int:
    """How many rows a saved preference has still to reach: the merchant's progress bar."""
    return TrackingSync.objects.filter(
        store=store, planned_version__lt=F("store__preference__version"), shown__isnull=True, sending__isnull=True
    ).count()


def _needs_a_person_still(row: TrackingSync, decision: Decision, wanted: int | None) -> bool:
    """Attention ends when another number is wanted; also with a cancellation, and where a person stopped the row."""
    if row.state != SyncState.ATTENTION or row.wanted_id != wanted or row.reason == RowCode.CANCELLED_AFTER_SENT:
        return False
    return not (isinstance(decision, Wait) and decision.reason in PERSONS_WAITS)


def _waits(row: TrackingSync, wait: Wait) -> tuple[str, str, dict[str, Any]]:
    """A wait never takes back what is shown; a cancelled order whose number is out needs a person."""
    if wait.reason == WaitCode.CANCELLED and row.shown_id is not None and not row.stopped:
        return SyncState.ATTENTION, RowCode.CANCELLED_AFTER_SENT, dict(wait.values)
    return SyncState.WAITING, wait.reason, dict(wait.values)


def _planable(row: TrackingSync, preference: SyncPreference) -> Planable:
    shipment, order, method = row.shipment, row.shipment.order, row.shipment.shipping_method
    paid_at = order.paid_at
    if paid_at is None and preference.store.counts_as_paid == CountsAsPaid.WHEN_SHOPPER_PAID:
        paid_at = order.shopper_paid_at
    numbers = {n.kind: Number(n.pk, NumberKind(n.kind), n.value, n.known_at) for n in shipment.current_numbers}  # type: ignore[attr-defined]
    is_promised = row.kind and (row.sending_id is not None or row.shown_id is not None)
    facts = Facts(
        placed_at=order.placed_at,
        paid_at=paid_at,
        dispatched_at=shipment.dispatched_at,
        cancelled_at=order.cancelled_at,
        default_number=NumberKind(method.default_number) if method else None,
        own=numbers.get(NumberKind.OWN),
        local=numbers.get(NumberKind.LOCAL),
        kind=NumberKind(row.kind) if is_promised else None,
        is_shown=row.shown_id is not None,
        stopped=Stopped(row.stopped),
    )
    return Planable(row, facts, preference_of(preference))


def preference_of(preference: SyncPreference) -> Preference:
    """The saved choice as decide() takes it. Its store must be loaded or loadable."""
    return Preference(
        timing=Timing(preference.timing),
        number_source=NumberSource(preference.number_source),
        delay_hours=preference.delay_hours,
        sync_from=preference.store.sync_from,
        own_prefix=settings.TRACKSYNC_OWN_NUMBER_PREFIX,
        version=preference.version,
    )


def _in_lock_order(shipment_ids: set[int]) -> list[int]:
    """Shipments by the ids of their rows, which may be in another order than their own. One statement sorts itself."""
    if len(shipment_ids) <= CHUNK:
        return list(shipment_ids)
    pairs: list[tuple[int, int]] = []
    for ids in _chunks(shipment_ids, CHUNK):
        pairs += TrackingSync.objects.filter(shipment_id__in=ids).values_list("pk", "shipment_id")
    return [shipment_id for _, shipment_id in sorted(pairs)]


def _chunks(ids: Iterable[int], size: int) -> Iterator[list[int]]:
    iterator = iter(ids)
    while chunk := list(islice(iterator, size)):
        yield chunk
