"""Shows a parcel's page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from stores.choices import CountsAsPaid
from stores.models import Store

from ... import plan
from ...access import shipment_of
from ...customer_answer import answer
from ...links import tracking_link
from ...local_time import in_zone_of, show_clock
from ...models import Shipment, SyncAttempt, TrackingNumber, TrackingSync
from ...remedies import remedy_for
from ...wording import explain, in_front, show_time
from .buttons import pressables
from .words import line_of, why_this_number

TIMELINE = 100  # lines on the page, newest first


@dataclass(frozen=True)
class HasNumber:
    """A number that the parcel has or had."""

    value: str
    kind: str
    carrier: str
    link: str
    known: str
    replaced: str
    why: str
    is_shown: bool


@login_required
@require_safe
def shipment(request: HttpRequest, shipment_id: int) -> HttpResponse:
    """One parcel of the merchant's. 404 for a stranger's."""
    found = shipment_of(request, shipment_id)
    with in_zone_of(found.order.store):
        return render(request, "orders/shipment.html", _context(request, found, timezone.now()))


def _context(request: HttpRequest, found: Shipment, now: datetime) -> dict[str, Any]:
    store = found.order.store
    planable = plan.facts_of([found.pk])[found.pk]
    row = planable.row
    row.store = store
    explanation = explain(planable, now, ahead=in_front(row))
    remedy = remedy_for(planable, explanation.code, explanation.values, who=explanation.who, then=explanation.releases)
    button, others = pressables(row, remedy.button)
    siblings = list(found.order.shipments.order_by("parcel"))
    numbers = list(found.numbers.select_related("carrier").order_by("-pk"))
    by_id = {number.pk: number for number in numbers}
    row.shown, row.wanted = by_id.get(row.shown_id or 0), by_id.get(row.wanted_id or 0)
    attempts = SyncAttempt.objects.filter(sync=row).select_related("number").order_by("-pk")
    latest = list(attempts[: TIMELINE + 1])
    return {
        "section": "orders",
        "shipment": found,
        "order": found.order,
        "store": store,
        "explanation": explanation,
        "since": show_time(explanation.since) if explanation.since else "",
        "remedy": remedy,
        "button": button,
        "others": others,
        "siblings": [each for each in siblings if each.pk != found.pk],
        "facts": _facts(found, store),
        "numbers": [_number(number, row) for number in numbers],
        "why_this_number": why_this_number(planable),
        "shown": row.shown,
        "checked": _checked(row, now),
        "has_number": bool(numbers),
        "timeline": [line_of(attempt, store, request.user) for attempt in latest[:TIMELINE]],
        "has_earlier": len(latest) > TIMELINE,
        "answer": answer(found, row, len(siblings)),
    }


def _facts(found: Shipment, store: Store) -> list[tuple[str, str]]:
    """What decides about the number, as (name, value)."""
    order, preference = found.order, store.preference
    if store.counts_as_paid == CountsAsPaid.WHEN_SHOPPER_PAID:
        paid_at, paid = order.paid_at or order.shopper_paid_at, gettext("Paid by the shopper")
    else:
        paid_at, paid = order.paid_at, gettext("Paid to us")
    facts = [
        (paid, show_time(paid_at) if paid_at else gettext("not booked yet")),
        (
            gettext("Handed to the carrier"),
            show_time(found.dispatched_at) if found.dispatched_at else gettext("not yet"),
        ),
        (gettext("Shipping method"), found.shipping_method.name if found.shipping_method else gettext("not known yet")),
        (gettext("When this store gets numbers"), str(preference.get_timing_display())),
        (gettext("Which number"), str(preference.get_number_source_display())),
    ]
    if preference.delay_hours:
        hours = gettext("not before {n} hours after the payment").format(n=preference.delay_hours)
        facts.append((gettext("Delay"), hours))
    if order.cancelled_at:
        facts.append((gettext("Cancelled or refunded"), show_time(order.cancelled_at)))
    return facts


def _number(number: TrackingNumber, row: TrackingSync) -> HasNumber:
    return HasNumber(
        value=number.value,
        kind=str(number.get_kind_display()),
        carrier=number.carrier.name,
        link=tracking_link(number.carrier, number.value, row.shipment.token),
        known=show_time(number.known_at),
        replaced=show_time(number.replaced_at) if number.replaced_at else "",
        why=number.replaced_why,
        is_shown=number.pk == row.shown_id,
    )


def _checked(row: TrackingSync, now: datetime) -> str:
    """When the store was last looked at: the time alone on the same day."""
    if row.checked_at is None:
        return ""
    same_day = timezone.localtime(row.checked_at).date() == timezone.localtime(now).date()
    return show_clock(row.checked_at) if same_day else show_time(row.checked_at)
