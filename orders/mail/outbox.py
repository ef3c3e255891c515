"""Writes down which mails follow from the facts, and which do not and why: the rows that sending.py works through.

`note()` runs at the end of the plan, in the transaction that changed a fact and under the lock of the shipments' sync
rows, so that every writer gets it and two of them cannot write one mail twice; constraints of the table hold the same.
What follows from which facts is in rules.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import User

from .. import pulse
from ..choices import EmailState
from ..models import CustomerEmail, TrackingSync
from . import facts
from .rules import Mail, NoMail, Row, mails


def note(rows: Iterable[TrackingSync], now: datetime) -> int:
    """Write down what follows for these shipments. Asks nothing where no store shows a number. Returns rows written.

    The rows are locked by the caller and planned; their shipments and orders are loaded.
    """
    by_shipment = {row.shipment_id: row for row in rows if row.shown_id is not None}
    if not by_shipment:
        return 0
    outbox = facts.rows_of(by_shipment)
    open_rows = [row for row in by_shipment.values() if not _is_settled(row, outbox.get(row.shipment_id, ()))]
    if not open_rows:
        return 0
    made: list[CustomerEmail] = []
    again: list[tuple[int, Mail]] = []
    for shipment_id, known in facts.facts_of(open_rows, outbox).items():
        for each in mails(known, now):
            if isinstance(each, Mail) and each.again:
                again.append((shipment_id, each))
            else:
                made.append(_row(shipment_id, each, now))
    if made:
        CustomerEmail.objects.bulk_create(made, ignore_conflicts=True)
    for shipment_id, mail in again:
        CustomerEmail.objects.filter(
            shipment_id=shipment_id, kind=mail.kind, number_id=mail.number_id, state=EmailState.SKIPPED
        ).update(state=EmailState.PENDING, reason="", due_at=now)
    if again or any(row.state == EmailState.PENDING for row in made):
        pulse.ring(pulse.MAIL)
    return len(made) + len(again)


def release_held(user: User, now: datetime) -> int:
    """The merchant's address is verified: what was held for it is looked at now. Returns how many."""
    held = CustomerEmail.objects.filter(state=EmailState.HELD, shipment__order__store__owner=user)
    released = held.update(due_at=now)
    if released:
        pulse.ring(pulse.MAIL)
    return released


def _is_settled(row: TrackingSync, rows: tuple[Row, ...]) -> bool:
    """Most rows: who told the number that is shown is written down, the parcel is gone, and nothing waits for a fact.

    Spares the nightly plan of everything its questions.
    """
    if row.shipment.dispatched_at is None or any(each.state == EmailState.SKIPPED for each in rows):
        return False
    return any(each.number_id == row.shown_id for each in rows) and any(each.kind == "shipped" for each in rows)


def _row(shipment_id: int, each: Mail | NoMail, now: datetime) -> CustomerEmail:
    email = CustomerEmail(shipment_id=shipment_id, kind=each.kind, number_id=each.number_id, created_at=now)
    if isinstance(each, Mail):
        email.due_at = now
    else:
        email.state, email.reason = each.state, each.reason
    return email
