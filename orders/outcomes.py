"""An outcome is a fact about the store and is always written.

One place turns what a connector answered into what the row holds: `apply()` on the row in memory,
`write()` for a whole batch in one transaction, which plans the rows again and adds the timeline.
A row that has moved on meanwhile (another holder of the lease found its end) keeps its newer state;
the timeline still gets its line.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from stores.connectors.base import Receipt, Sighting
from stores.connectors.codes import Code
from stores.connectors.errors import (
    ConnectorError,
    OutcomeUnknown,
    ShipmentRejected,
    StoreBusy,
    StoreDisconnected,
    TryAgainLater,
)

from .bulk import update_rows
from .choices import AttemptOutcome, RowCode, SyncState
from .models import SyncAttempt, TrackingSync
from .plan import plan

FIRST_WAIT = 10.0  # seconds before the first repetition
LONGEST_WAIT = 3600.0  # it grows to an hour and stays there: no number of attempts ends a shipment

COLUMNS = (
    "shown_id",
    "sending_id",
    "sending_since",
    "fulfillments",
    "adopted",
    "state",
    "reason",
    "reason_values",
    "due_at",
    "due_since",
    "attempts",
    "goes_alone",
    "synced_at",
    "checked_at",
    "state_since",
)


@dataclass(frozen=True)
class Sent:
    """An intent as it was committed: the row then, the number, when."""

    row_id: int
    shipment_id: int
    number_id: int
    sending_since: datetime
    version: int
    due_before: datetime  # when it was due before the intent pushed that time away


@dataclass(frozen=True)
class Unexpected:
    """Something nobody foresaw happened to the whole batch: a bug of ours. `message` is its type."""

    message: str


Answer = Receipt | Sighting | None | ConnectorError | Unexpected


def back_off(attempts: int) -> timedelta:
    """How long to wait after so many attempts, with jitter: doubling, up to an hour."""
    seconds = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(max(attempts - 1, 0), 20))
    return timedelta(seconds=seconds * random.uniform(0.75, 1.25))  # noqa: S311 -- spreads load, keeps no secret


def write(
    answers: Sequence[tuple[Sent, Answer]], *, settle: float, now: datetime, seconds: float, looks: bool = False
) -> Counter[AttemptOutcome]:
    """Write a batch's outcomes: rows, plan and timeline in one transaction. Returns how many of each.

    `settle` and `seconds` (how long the call took) in seconds; `now` by the database's clock; `looks`: the
    answers are those of a look at open intents, not of a push.
    """
    counts: Counter[AttemptOutcome] = Counter()
    by_row = {sent.row_id: (sent, answer) for sent, answer in answers}
    with transaction.atomic():
        rows = TrackingSync.objects.select_for_update().filter(pk__in=by_row).order_by("pk")
        changed, timeline, replanned = [], [], []
        for row in rows:
            sent, answer = by_row[row.pk]
            outcome = outcome_of(answer)
            if not is_no_time(answer):  # nothing was begun: the row is given back, and that is no outcome
                counts[outcome] += 1
            # The end of this very intent, and not of a later one.
            if row.sending_id == sent.number_id and row.sending_since == sent.sending_since:
                stood = (row.state, row.reason)
                if looks and _saw_nothing(answer):
                    stays_open(row, answer, settle=settle, now=now)
                else:
                    apply(row, sent, answer, settle=settle, now=now)
                if stood != (row.state, row.reason):
                    row.state_since = now
                changed.append((row.pk, *(getattr(row, column) for column in COLUMNS)))
                replanned.append(row.shipment_id)
            if not _is_silent(answer):
                timeline.append(_attempt(sent, answer, outcome, now, seconds))
        update_rows(TrackingSync, COLUMNS, changed)
        SyncAttempt.objects.bulk_create(timeline)
        plan(replanned, now)
    return counts


def apply(row: TrackingSync, sent: Sent, answer: Answer, *, settle: float, now: datetime) -> None:
    """Change the row in memory to what the answer says. Does not save.

    Whether a number that arrived is enough is left to the plan, which follows in the same transaction.
    """
    if isinstance(answer, OutcomeUnknown | Unexpected):
        # The intent stays open until it was looked up, never before the store can be done with it.
        row.state, row.due_at = SyncState.DUE, now + timedelta(seconds=settle)
        row.reason, row.reason_values = _reason(answer)
        row.goes_alone = row.goes_alone or isinstance(answer, Unexpected)
        return

    if isinstance(answer, Receipt):
        _shows(row, sent, answer.fulfillments, now)
        row.adopted = row.adopted or answer.outcome == "adopted"
        if answer.missing:
            _needs_a_person(row, sent, RowCode.UNITS_MISSING, {"missing": answer.missing}, now)
        elif answer.warnings:
            row.reason = answer.warnings[0]
        return

    row.sending_id, row.sending_since = None, None
    if isinstance(answer, Sighting) and answer.complete:
        _shows(row, sent, answer.fulfillments, now)
    elif isinstance(answer, ShipmentRejected):
        row.goes_alone, row.checked_at = False, now
        _needs_a_person(row, sent, *_reason(answer), now)
    elif isinstance(answer, StoreBusy | StoreDisconnected) or is_no_time(answer):
        # Nothing of this shipment was tried: it stands where it stood, and the store (or the clock) carries the count.
        row.state, row.due_at, row.attempts = SyncState.DUE, sent.due_before, max(row.attempts - 1, 0)
    elif isinstance(answer, TryAgainLater):
        wait = back_off(row.attempts) if answer.after is None else timedelta(seconds=answer.after)
        row.state, row.due_at, row.goes_alone, row.checked_at = SyncState.DUE, now + wait, False, now
        row.reason, row.reason_values = _reason(answer)
    else:
        # Looked up after a lost answer, and not there: due again at once.
        row.state, row.due_at, row.goes_alone, row.checked_at = SyncState.DUE, now, False, now
        if isinstance(answer, Sighting):
            row.fulfillments = list(answer.fulfillments)


def stays_open(row: TrackingSync, answer: Answer, *, settle: float, now: datetime) -> None:
    """A look that did not happen tells nothing of the intent: it is looked up again. Does not save."""
    row.state = SyncState.DUE
    if isinstance(answer, Unexpected):
        row.goes_alone, row.due_at = True, now + timedelta(seconds=settle)
    elif isinstance(answer, TryAgainLater) and not is_no_time(answer):
        row.due_at = now + (back_off(row.attempts) if answer.after is None else timedelta(seconds=answer.after))
    else:
        row.due_at = now  # the store's own pause, or the end of the turn, holds it back


def outcome_of(answer: Answer) -> AttemptOutcome:
    """The word for the timeline and for the counts."""
    if isinstance(answer, Receipt):
        return AttemptOutcome(answer.outcome.value)
    if isinstance(answer, Sighting) and answer.complete:
        return AttemptOutcome.ARRIVED
    for kind, outcome in (
        (Unexpected, AttemptOutcome.UNKNOWN),
        (OutcomeUnknown, AttemptOutcome.UNKNOWN),
        (ShipmentRejected, AttemptOutcome.REJECTED),
        (StoreBusy, AttemptOutcome.STORE_BUSY),
        (StoreDisconnected, AttemptOutcome.STORE_DISCONNECTED),
        (TryAgainLater, AttemptOutcome.TRY_AGAIN_LATER),
    ):
        if isinstance(answer, kind):
            return outcome
    return AttemptOutcome.DID_NOT_ARRIVE


def _shows(row: TrackingSync, sent: Sent, fulfillments: Sequence[str], now: datetime) -> None:
    """The store shows the number. Synced when that is what is wanted; else the plan makes the row due again."""
    row.shown_id, row.sending_id, row.sending_since = sent.number_id, None, None
    row.fulfillments, row.synced_at, row.checked_at = list(fulfillments), now, now
    row.reason, row.reason_values, row.attempts, row.goes_alone = "", {}, 0, False
    if row.wanted_id == sent.number_id:
        row.state, row.due_at, row.due_since = SyncState.SYNCED, None, None
    else:
        row.state, row.due_at = SyncState.DUE, now


def _needs_a_person(row: TrackingSync, sent: Sent, reason: str, values: dict[str, object], now: datetime) -> None:
    """Attention, unless another number is wanted by now: that one has not been refused."""
    if row.wanted_id == sent.number_id:
        row.state, row.due_at, row.due_since = SyncState.ATTENTION, None, None
        row.reason, row.reason_values = reason, values
    else:
        row.state, row.due_at = SyncState.DUE, now


def _reason(answer: ConnectorError | Unexpected) -> tuple[str, dict[str, object]]:
    if isinstance(answer, Unexpected):
        return RowCode.UNEXPECTED, {}
    return answer.reason.code, dict(answer.reason.values)


def is_no_time(answer: Answer) -> bool:
    """Whether the turn was over before this one was tried."""
    return isinstance(answer, TryAgainLater) and answer.reason.code == Code.NO_TIME


def _saw_nothing(answer: Answer) -> bool:
    return isinstance(answer, ConnectorError | Unexpected) and not isinstance(answer, ShipmentRejected)


def _is_silent(answer: Answer) -> bool:
    """Rows that were given back untried, or whose whole store waits, get no line: the store's own page says it."""
    return is_no_time(answer) or isinstance(answer, StoreBusy)


def _attempt(sent: Sent, answer: Answer, outcome: AttemptOutcome, now: datetime, seconds: float) -> SyncAttempt:
    values: dict[str, object] = {}
    reason = message = request_id = ""
    if isinstance(answer, ConnectorError | Unexpected):
        reason, values = _reason(answer)
        message = answer.message
        request_id = getattr(answer, "request_id", "")
    elif isinstance(answer, Receipt):
        request_id = answer.request_id
        if answer.missing:
            reason, values = RowCode.UNITS_MISSING, {"missing": answer.missing}
        elif answer.warnings:
            reason = answer.warnings[0]
    return SyncAttempt(
        sync_id=sent.row_id,
        at=now,
        number_id=sent.number_id,
        outcome=outcome,
        reason=reason,
        reason_values=values,
        message=message[:500],
        request_id=request_id[:100],
        preference_version=sent.version,
        duration_ms=round(seconds * 1000),
    )
