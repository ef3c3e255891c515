"""A person cancels a fulfillment of ours in the store: for a cancelled order, or a number on the wrong one.

Never by itself, and only a fulfillment that we made and that no other parcel shares. The shipment is
out of the sync from then on, until a person puts it back.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction

from stores import trouble
from stores.connections import close, lease_seconds, open_connector
from stores.connectors.errors import ConnectorError, StoreBusy, StoreDisconnected
from stores.lease import Lease, LeaseLost, take

from .choices import AttemptOutcome, Stopped, SyncState
from .models import SyncAttempt, TrackingSync
from .plan import plan
from .sync import capabilities_of, database_now

PATIENCE = 10.0  # seconds to wait for whoever is writing to the store
LOOK_AGAIN = 0.2


class NotPossible(Exception):
    """Why it cannot be done: `code` is one of the constants below; its sentence is in wording.py."""

    NOTHING_THERE = "withdraw_nothing_there"
    ADOPTED = "withdraw_adopted"
    SHARED = "withdraw_shared"
    UNDER_WAY = "withdraw_under_way"
    STORE_IN_USE = "withdraw_store_in_use"
    PLATFORM = "withdraw_platform"
    STORE_GONE = "withdraw_store_gone"

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def why_not(row: TrackingSync) -> str:
    """The code of what stands against cancelling this shipment's fulfillment, "" when nothing does."""
    if row.sending_id is not None:
        return NotPossible.UNDER_WAY
    if not row.fulfillments:
        return NotPossible.NOTHING_THERE
    if row.adopted:
        return NotPossible.ADOPTED
    if not capabilities_of(row.store.platform).cancels:
        return NotPossible.PLATFORM
    if row.store.disconnected_at is not None:
        return NotPossible.STORE_GONE
    siblings = TrackingSync.objects.filter(shipment__order_id=row.shipment.order_id).exclude(pk=row.pk)
    shared = set(row.fulfillments) & {i for ids in siblings.values_list("fulfillments", flat=True) for i in ids}
    return NotPossible.SHARED if shared else ""


def cancel_fulfillment(shipment_id: int, *, actor: Any, now: datetime) -> None:
    """Cancel this shipment's fulfillments in the store and write it down.

    Waits some seconds for whoever writes to the store. Raises NotPossible, or the connector's error: after
    OutcomeUnknown it can simply be asked for again, cancelling twice is one cancellation.
    """
    platform = TrackingSync.objects.values_list("store__platform", flat=True).get(shipment_id=shipment_id)
    store_id = TrackingSync.objects.values_list("store_id", flat=True).get(shipment_id=shipment_id)
    lease = _lease(store_id, lease_seconds(platform))
    try:
        row = TrackingSync.objects.select_related("store", "shipment__order").get(shipment_id=shipment_id)
        if code := why_not(row):
            raise NotPossible(code)
        began = time.monotonic()
        _cancel(row, lease.renew)
        _write(row, actor, database_now(), time.monotonic() - began)
    except LeaseLost:
        raise NotPossible(NotPossible.STORE_IN_USE) from None
    finally:
        lease.give_back()


def _lease(store_id: int, seconds: float) -> Lease:
    patience = time.monotonic() + PATIENCE
    while (lease := take(store_id, seconds)) is None:
        if time.monotonic() > patience:
            raise NotPossible(NotPossible.STORE_IN_USE)
        time.sleep(LOOK_AGAIN)
    return lease


def _cancel(row: TrackingSync, before_write: Callable[[], None]) -> None:
    connector = open_connector(row.store, before_write=before_write)
    try:
        for fulfillment in row.fulfillments:
            connector.cancel(row.shipment.order.external_id, fulfillment)
    except ConnectorError as error:
        if isinstance(error, StoreDisconnected):
            trouble.disconnected(row.store_id, error, database_now())
        elif isinstance(error, StoreBusy):
            trouble.busy(row.store_id, error, database_now())
        raise
    finally:
        close(connector)


def _write(row: TrackingSync, actor: Any, now: datetime, seconds: float) -> None:
    with transaction.atomic():
        locked = TrackingSync.objects.select_for_update().get(pk=row.pk)
        was_shown = locked.shown_id
        TrackingSync.objects.filter(pk=row.pk).update(
            shown=None,
            wanted=None,
            fulfillments=[],
            stopped=Stopped.WITHDRAWN,
            checked_at=now,
            state=SyncState.WAITING,
            due_at=None,
        )
        SyncAttempt.objects.create(
            sync=locked,
            at=now,
            number_id=was_shown,
            outcome=AttemptOutcome.CANCELLED,
            actor=actor,
            duration_ms=round(seconds * 1000),
        )
        plan([row.shipment_id], now)
