"""A person has the store looked at again: what does it show of this one shipment now?

Nothing is ever written to the store: the session's last check before a write always refuses. What was seen is
written down here, because it is a fact about the store: when, and where the number is not there any more, a reason
that puts the shipment before a person. Numbers are sent in sync.py, intents without a known end are looked up there.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NoReturn

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from stores import trouble
from stores.connections import close, lease_seconds, open_connector
from stores.connectors.base import Connector, Receipt, Sighting, TrackingUpdate
from stores.connectors.codes import Code
from stores.connectors.errors import ConnectorError, StoreBusy, StoreDisconnected
from stores.lease import Lease, take

from .choices import AttemptOutcome, NumberKind, RowCode, SyncState
from .models import SyncAttempt, TrackingNumber, TrackingSync
from .numbers import normalise
from .plan import plan
from .sync import database_now
from .updates import pictures, update_for

PATIENCE = 2.0  # seconds to wait for whoever is writing to the store: a page is waiting for us
LOOK_AGAIN = 0.2
LONGEST = 15.0  # seconds; no request starts later
# What a look says of a number that had been there.
MISSED = (RowCode.NUMBER_GONE, Code.FULFILLMENT_CANCELLED, Code.OTHER_NUMBER_THERE, Code.ORDER_NOT_FOUND)


class Seen(enum.StrEnum):
    """What a look came to."""

    THERE = "there"  # the store shows {number}, whole
    DIFFERS = "differs"  # it shows {number}; carrier name, link or items are not as sent
    ANOTHER_OF_OURS = "another_of_ours"  # it shows {number}, which this shipment has or had; the right one follows
    NOT_THERE = "not_there"  # nothing was sent yet, and nothing is there
    THERE_ALREADY = "there_already"  # nothing was sent yet, and {number} is there all the same
    GONE = "gone"  # it was shown and is not any more: {code} says how
    NO_NUMBER = "no_number"  # there is no number to look for
    UNDER_WAY = "under_way"  # a number is on its way: it is looked up by itself
    STORE_IN_USE = "store_in_use"  # somebody writes to the store right now
    STORE_GONE = "store_gone"  # disconnected, or waits to be reconnected
    NO_ANSWER = "no_answer"  # the store did not let us look: {code}


@dataclass(frozen=True)
class Look:
    """What was seen: `code` of the reason where there is one, with its values; `number` as the store shows it."""

    seen: Seen
    number: str = ""
    code: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


class _WouldWrite(Exception):
    """Raised in place of a write."""


def look_again(shipment_id: int, now: datetime, *, actor: User | None = None) -> Look:
    """Look into the store and write down what it shows of this shipment. Never writes to the store.

    Holds the store's lease meanwhile, so that nobody's half-done write is taken for the end. `now` is when the
    person asked; what is written carries the database's time. `actor` goes into the timeline where something is
    not as it was. Raises TrackingSync.DoesNotExist for a shipment without a row.
    """
    row = TrackingSync.objects.select_related("store").get(shipment_id=shipment_id)
    if row.store.disconnected_at is not None or row.store.needs_reconnecting:
        return Look(Seen.STORE_GONE)
    if row.store.resume_at is not None and row.store.resume_at > now:
        return Look(Seen.NO_ANSWER, code=row.store.trouble, values=row.store.trouble_values)
    lease = _lease(row.store_id, lease_seconds(row.store.platform))
    if lease is None:
        return Look(Seen.STORE_IN_USE)
    try:
        return _look(shipment_id, actor)
    finally:
        lease.give_back()


def _lease(store_id: int, seconds: float) -> Lease | None:
    patience = time.monotonic() + PATIENCE
    while (lease := take(store_id, seconds)) is None:
        if time.monotonic() > patience:
            return None
        time.sleep(LOOK_AGAIN)
    return lease


def _look(shipment_id: int, actor: User | None) -> Look:
    rows = TrackingSync.objects.select_related(
        "store__preference", "shipment__order", "shown__carrier", "wanted__carrier"
    )
    row = rows.get(shipment_id=shipment_id)
    if row.sending_id is not None:
        return Look(Seen.UNDER_WAY)
    number = row.shown or row.wanted or _any_number(shipment_id)
    if number is None:
        return Look(Seen.NO_NUMBER)
    update = update_for(row, number, row.store, pictures([row.shipment.order_id])[row.shipment.order_id])
    try:
        found = _ask(row, update)
    except StoreBusy as error:
        trouble.busy(row.store_id, error, database_now())
        return _refused(error)
    except StoreDisconnected as error:
        trouble.disconnected(row.store_id, error, database_now())
        return _refused(error)
    except ConnectorError as error:
        return _refused(error)
    trouble.well(row.store_id)
    return _write(row, number, found, actor)


def _any_number(shipment_id: int) -> TrackingNumber | None:
    """A number that is known but not wanted yet: the carrier's before our own."""
    current = TrackingNumber.objects.filter(shipment_id=shipment_id, replaced_at__isnull=True).select_related("carrier")
    return min(current, key=lambda number: number.kind != NumberKind.LOCAL, default=None)


def _refused(error: ConnectorError) -> Look:
    return Look(Seen.NO_ANSWER, code=error.reason.code, values=dict(error.reason.values))


# --- reading ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Found:
    """`sighting` None: nothing of ours lives there. `code`: why the number cannot simply be put there."""

    sighting: Sighting | None
    code: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


def _ask(row: TrackingSync, update: TrackingUpdate) -> _Found:
    connector = open_connector(row.store, before_write=_no_write)
    try:
        deadline = time.monotonic() + LONGEST
        (answer,) = connector.look([update], deadline)
        if isinstance(answer, StoreBusy | StoreDisconnected):
            raise answer
        if isinstance(answer, ConnectorError):
            return _Found(None, answer.reason.code, dict(answer.reason.values))
        if row.shown_id is None or (answer is not None and answer.number):
            return _Found(answer)
        return _Found(answer, *_why_not(connector, update, deadline))
    finally:
        close(connector)


def _why_not(connector: Connector, update: TrackingUpdate, deadline: float) -> tuple[str, dict[str, Any]]:
    """What stands in the number's place. A push knows it; this one is stopped before it writes anything."""
    try:
        (answer,) = connector.push([update], deadline)
    except _WouldWrite:
        return "", {}
    if isinstance(answer, StoreBusy | StoreDisconnected):
        raise answer
    if isinstance(answer, Receipt):
        return "", {}  # put back between the two requests
    return answer.reason.code, dict(answer.reason.values)


def _no_write() -> NoReturn:
    raise _WouldWrite


# --- writing down ----------------------------------------------------------------------------------------


def _write(row: TrackingSync, number: TrackingNumber, found: _Found, actor: User | None) -> Look:
    """What was seen, in one transaction. Whoever holds the lease is the only one to write `shown`."""
    now = database_now()
    seen = found.sighting.number if found.sighting is not None else ""
    with transaction.atomic():
        locked = TrackingSync.objects.filter(pk=row.pk)
        locked.select_for_update().get()
        locked.update(checked_at=now)
        if found.sighting is not None and seen and (row.shown_id is not None or _is_missed(row)):
            there = number if seen == number.value else _one_of_ours(row.shipment_id, seen)
            if there is not None:
                _is_there(row, locked, there, found.sighting, now)
                if there != row.wanted and row.wanted is not None:
                    return Look(Seen.ANOTHER_OF_OURS, there.value)
                return Look(Seen.THERE if found.sighting.complete else Seen.DIFFERS, there.value)
        if row.shown_id is not None:
            return _gone(row, locked, found, actor, now)
    if found.code:
        return Look(Seen.NO_ANSWER, code=found.code, values=found.values)
    return Look(Seen.THERE_ALREADY, seen) if seen else Look(Seen.NOT_THERE)


def _is_missed(row: TrackingSync) -> bool:
    """An earlier look did not find the number that had been there."""
    return row.state == SyncState.ATTENTION and row.reason in MISSED


def _is_there(
    row: TrackingSync, locked: QuerySet[TrackingSync], there: TrackingNumber, sighting: Sighting, now: datetime
) -> None:
    """A fact about the store; where another number is wanted, the plan makes the row due and that one follows."""
    if not _is_missed(row) and row.shown_id == there.pk:
        return
    locked.update(shown=there, fulfillments=list(sighting.fulfillments), **_afresh(row, now))
    plan([row.shipment_id], now)


def _afresh(row: TrackingSync, now: datetime) -> dict[str, Any]:
    """What the plan needs to decide anew; a person's other business with the row stays."""
    if row.state == SyncState.SYNCED or _is_missed(row):
        return {"state": SyncState.WAITING, "reason": "", "reason_values": {}, "state_since": now}
    return {}


def _one_of_ours(shipment_id: int, value: str) -> TrackingNumber | None:
    known = TrackingNumber.objects.filter(shipment_id=shipment_id, value=normalise(value))
    return known.order_by("-pk").first()


def _gone(row: TrackingSync, locked: QuerySet[TrackingSync], found: _Found, actor: User | None, now: datetime) -> Look:
    """Somebody took it away there, so a person decides whether it goes there again.

    The plan has the last word: where nothing should be there any more, nobody has to decide anything.
    """
    code, values = found.code, dict(found.values)
    if not code:
        code = RowCode.NUMBER_GONE if found.sighting is not None else Code.FULFILLMENT_CANCELLED
    if row.shown is not None:
        values.setdefault("number", row.shown.value)
    locked.update(
        shown=None,
        state=SyncState.ATTENTION,
        reason=code,
        reason_values=values,
        due_at=None,
        due_since=None,
        state_since=now,
    )
    SyncAttempt.objects.create(
        sync_id=row.pk,
        at=now,
        number_id=row.shown_id,
        outcome=AttemptOutcome.BY_HAND,
        reason=code,
        reason_values=values,
        preference_version=row.store.preference.version,
        actor=actor,
    )
    plan([row.shipment_id], now)
    return Look(Seen.GONE, code=code, values=values)
