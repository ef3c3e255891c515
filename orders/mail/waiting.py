"""The merchant's own act: a word to the customers whose parcels wait, with no number in it.

What the mail may be about and what leaves one out is looked at when the merchant asks what would be sent, again when it
is written down, and once more by the rules when it goes. One mail for an order, however many of its parcels wait, and
one in seven days.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q, QuerySet

from stores.accounts.address import verified
from stores.choices import EmailKind
from stores.models import Store

from .. import pulse
from ..choices import EmailState, MailCode, Stopped
from ..models import CustomerEmail, TrackingSync

PAUSE = timedelta(days=7)
# A thousand of these must not hold up the mails that others wait for: they become due one after the other.
APART = timedelta(milliseconds=100)
MOST = 500  # parcels at once
_CAME_TO_NOTHING = (EmailState.SKIPPED, EmailState.REFUSED)


@dataclass(frozen=True)
class Preview:
    """What would be sent: the shipments (ids) that get a mail, and how many are left out for which reason."""

    goes: tuple[int, ...]
    left_out: tuple[tuple[MailCode, int], ...] = ()


def held_up_by(store: Store) -> MailCode | None:
    """Why no mail of this store can go at present; None when mails go."""
    if store.disconnected_at is not None:
        return MailCode.DISCONNECTED
    if store.preference.confirmed_at is None:
        return MailCode.NOT_CONFIRMED
    return None if verified(store.owner) else MailCode.UNVERIFIED


def candidates(store: Store) -> QuerySet[TrackingSync]:
    """The parcels of the store that wait: no number shown or on its way, still with us, not cancelled. Oldest first."""
    waiting = TrackingSync.objects.filter(
        store=store,
        shown__isnull=True,
        sending__isnull=True,
        stopped=Stopped.NO,
        shipment__dispatched_at__isnull=True,
        shipment__order__cancelled_at__isnull=True,
        shipment__order__placed_at__gte=F("store__sync_from"),
    )
    return waiting.order_by("shipment__order__placed_at", "shipment_id")


def waiting_customers(store: Store, shipment_ids: Collection[int], now: datetime) -> Preview:
    """Who would be written to about these shipments of the store, and who not. Writes nothing.

    Ids of other stores' shipments are no shipments here: they are neither written to nor counted.
    """
    mine = TrackingSync.objects.filter(store=store, shipment_id__in=shipment_ids).select_related("shipment__order")
    rows = list(mine.order_by("shipment__order__placed_at", "shipment_id"))
    reasons = why_not(rows, now)
    goes: dict[int, int] = {}  # order -> shipment
    left_out: Counter[MailCode] = Counter()
    for row in rows:
        order_id = row.shipment.order_id
        reason = reasons.get(row.shipment_id)
        if reason is None and order_id in goes:
            reason = MailCode.SAME_ORDER
        if reason is None:
            goes[order_id] = row.shipment_id
        else:
            left_out[reason] += 1
    return Preview(tuple(goes.values()), tuple(sorted(left_out.items())))


def why_not(rows: Collection[TrackingSync], now: datetime) -> dict[int, MailCode]:
    """Shipments (ids) about which nobody is written to at present, and why; one query. Orders have to be loaded."""
    lately = _lately_written((row.shipment.order_id for row in rows), now)
    found = {}
    for row in rows:
        reason = _why_not(row)
        if reason is None and row.shipment.order_id in lately:
            reason = MailCode.WRITTEN_LATELY
        if reason is not None:
            found[row.shipment_id] = reason
    return found


def ask(store: Store, shipment_ids: Collection[int], *, actor: User | None, now: datetime) -> Preview:
    """Write the mails down that waiting_customers() finds now. Two who ask at once write to nobody twice."""
    with transaction.atomic():
        orders = TrackingSync.objects.filter(store=store, shipment_id__in=shipment_ids).values("shipment__order_id")
        parcels = TrackingSync.objects.filter(shipment__order_id__in=orders).order_by("pk")
        list(parcels.select_for_update(of=("self",)).values_list("pk", flat=True))
        found = waiting_customers(store, shipment_ids, now)
        CustomerEmail.objects.bulk_create(
            CustomerEmail(
                shipment_id=shipment_id,
                kind=EmailKind.WAITING,
                actor=actor,
                created_at=now,
                due_at=now + position * APART,
            )
            for position, shipment_id in enumerate(found.goes)
        )
        pulse.ring(pulse.MAIL)
    return found


def _why_not(row: TrackingSync) -> MailCode | None:
    order = row.shipment.order
    if order.cancelled_at is not None:
        return MailCode.CANCELLED
    if row.stopped != Stopped.NO:
        return MailCode.STOPPED
    if row.shown_id is not None or row.sending_id is not None or row.shipment.dispatched_at is not None:
        return MailCode.NUMBER_IS_OUT
    return None if order.customer_email else MailCode.NO_ADDRESS


def _lately_written(order_ids: Iterable[int], now: datetime) -> set[int]:
    """The orders whose customers were written to, or will be, within the pause."""
    lately = Q(created_at__gt=now - PAUSE) | Q(sent_at__gt=now - PAUSE)
    mails = CustomerEmail.objects.filter(lately, kind=EmailKind.WAITING, shipment__order_id__in=set(order_ids))
    return set(mails.exclude(state__in=_CAME_TO_NOTHING).values_list("shipment__order_id", flat=True))
