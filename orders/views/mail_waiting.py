"""A word to the customers whose parcels wait: choose, see who gets which mail, send.

GET  stores/<id>/waiting/                     the parcels that wait, to choose from
POST stores/<id>/waiting/ shipment=1 …        who would be written to, and the mail as one of them would read it
POST stores/<id>/waiting/ all=yes             the same for all that the list shows
POST stores/<id>/waiting/ seal=…              sends it to those who were shown, and to nobody else

Other pages may post `shipment`s here too: nothing is sent before the seal comes back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods

from stores.access import store_of
from stores.choices import EmailKind
from stores.models import Store

from ..choices import EmailState, MailCode
from ..local_time import in_zone_of
from ..mail import rendering
from ..mail.letterhead import letterhead
from ..mail.rendering import CannotRender, Rendered
from ..mail.waiting import MOST, Preview, ask, candidates, held_up_by, waiting_customers, why_not
from ..models import Shipment
from ..wording import sentence, show_time
from ..wording.mails import mail_sentence

SALT = "orders.mail.waiting"
GOOD_FOR_SECONDS = 3600


@dataclass(frozen=True)
class Waits:
    """A parcel that waits, as the list shows it."""

    shipment_id: int
    order: str
    parcel: int
    placed: str
    customer: str
    why: str
    left_out: str  # why nobody is written to about it, "" where somebody is


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def mail_waiting(request: HttpRequest, store_id: int) -> HttpResponse:
    """Choose, look, send. 404 for a stranger's store, and for parcels that are not this store's."""
    store = store_of(request, store_id)
    with in_zone_of(store):
        if request.method != "POST":
            return _list(request, store)
        if held_up_by(store) is not None:
            return _list(request, store, status=400)
        if "seal" in request.POST:
            return _send(request, store)
        ids = _all(store) if "all" in request.POST else _named(store, request.POST.getlist("shipment"))
        if not ids:
            messages.info(request, gettext("Nothing was chosen. Tick at least one parcel."))
            return redirect("mail_waiting", store.pk)
        return _preview(request, store, ids)


def _list(request: HttpRequest, store: Store, status: int = 200) -> HttpResponse:
    rows = list(candidates(store).select_related("shipment__order")[: MOST + 1])
    reasons = why_not(rows, timezone.now())
    waits = [
        Waits(
            shipment_id=row.shipment_id,
            order=row.shipment.order.number,
            parcel=row.shipment.parcel,
            placed=show_time(row.shipment.order.placed_at),
            customer=row.shipment.order.customer_name,
            why=sentence(row.reason, row.reason_values) if row.reason else gettext("Its number goes out soon."),
            left_out=_said(store, reasons[row.shipment_id]) if row.shipment_id in reasons else "",
        )
        for row in rows
    ]
    return _render(request, store, {"waits": waits[:MOST], "has_more": len(waits) > MOST}, status=status)


def _preview(request: HttpRequest, store: Store, ids: list[int]) -> HttpResponse:
    found = waiting_customers(store, ids, timezone.now())
    context: dict[str, Any] = {
        "is_preview": True,
        "count": len(found.goes),
        "left_out": _left_out(store, found),
        "seal": signing.dumps({"store": store.pk, "shipments": list(found.goes)}, salt=SALT, compress=True),
    }
    if found.goes:
        try:
            context["example"] = _example(store, found.goes[0])
        except CannotRender as no:
            context |= {"cannot": str(no), "count": 0}
    return _render(request, store, context)


def _send(request: HttpRequest, store: Store) -> HttpResponse:
    try:
        seen = signing.loads(request.POST["seal"], salt=SALT, max_age=GOOD_FOR_SECONDS)
    except signing.BadSignature:
        seen = None
    if not seen or seen["store"] != store.pk:
        messages.warning(request, gettext("Nothing was sent: this page was open for too long. Look once more."))
        return redirect("mail_waiting", store.pk)
    found = ask(store, seen["shipments"], actor=request.user, now=timezone.now())  # type: ignore[arg-type]
    n = len(found.goes)
    if n:
        said = ngettext("{n} customer is written to now.", "{n} customers are written to now.", n).format(n=n)
        messages.success(request, said)
    else:
        messages.info(request, gettext("Nobody was left to write to: what you chose has changed, or was sent before."))
    return redirect("mail_waiting", store.pk)


def _example(store: Store, shipment_id: int) -> Rendered:
    """The mail as the first of them would read it."""
    shipment = Shipment.objects.select_related("order__store__owner", "shipping_method", "sync").get(pk=shipment_id)
    text, head = rendering.text_of(store, EmailKind.WAITING, letterhead(store))
    return rendering.preview(store, EmailKind.WAITING, text.subject, text.body, shipment, head.language)


def _left_out(store: Store, found: Preview) -> list[tuple[int, str]]:
    return [(count, _said(store, reason)) for reason, count in found.left_out]


def _said(store: Store, reason: MailCode) -> str:
    return mail_sentence(EmailState.SKIPPED, reason, {"platform": store.get_platform_display()})


def _all(store: Store) -> list[int]:
    """All that the list shows."""
    return list(candidates(store).values_list("shipment_id", flat=True)[:MOST])


def _named(store: Store, named: list[str]) -> list[int]:
    """The store's own parcels that the form names. 404 where one of them is another's, or none."""
    wanted = {int(text) for text in named if text.isascii() and text.isdecimal() and len(text) < 19}
    if len(wanted) != len(set(named)) or len(wanted) > MOST:
        raise Http404
    mine = Shipment.objects.filter(pk__in=wanted, order__store=store).order_by("pk")
    ids = list(mine.values_list("pk", flat=True))
    if len(ids) != len(wanted):
        raise Http404
    return ids


def _render(request: HttpRequest, store: Store, context: dict[str, Any], status: int = 200) -> HttpResponse:
    reason = held_up_by(store)
    held = mail_sentence(EmailState.HELD, reason) if reason else ""
    known = {"section": "orders", "store": store, "held_up": held, "most": MOST}
    return render(request, "orders/mail_waiting.html", known | context, status=status)
