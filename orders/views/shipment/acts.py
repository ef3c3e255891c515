"""What the buttons of a parcel's page do. Each is posted and leads back to the page."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from stores.connectors.errors import ConnectorError, OutcomeUnknown

from ... import changes, withdraw
from ...access import shipment_of
from ...local_time import in_zone_of
from ...looking import look_again
from ...models import Shipment, TrackingSync
from ...wording import sentence
from .words import is_good, look_sentence, withdrawal


@login_required
@require_POST
def look(request: HttpRequest, shipment_id: int) -> HttpResponse:
    """Look into the store again, and say what was seen."""
    found = shipment_of(request, shipment_id)
    store = found.order.store
    now = timezone.now()
    seen = look_again(found.pk, now, actor=_actor(request))
    with in_zone_of(store):
        said = look_sentence(seen, store, now)
    messages.add_message(request, messages.SUCCESS if is_good(seen) else messages.WARNING, said)
    return redirect("shipment", found.pk)


@login_required
@require_POST
def try_again(request: HttpRequest, shipment_id: int) -> HttpResponse:
    """Plan it afresh; what is ready goes at once."""
    found = shipment_of(request, shipment_id)
    if changes.try_again([found.pk], now=timezone.now(), actor=_actor(request)):
        messages.success(
            request, gettext("It is tried again now. Reload this page in a moment to see what came of it.")
        )
    else:
        messages.info(request, gettext("There was nothing to try again: it is in the store already, or waits."))
    return redirect("shipment", found.pk)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, shipment_id: int) -> HttpResponse:
    """Ask whether our fulfillment shall be cancelled in the store; posted, it is cancelled."""
    found = shipment_of(request, shipment_id)
    if request.method == "POST":
        _cancel(request, found)
        return redirect("shipment", found.pk)
    row = TrackingSync.objects.select_related("store", "shipment", "shown").get(shipment=found)
    code = withdraw.why_not(row)
    context = {
        "section": "attention",
        "shipment": found,
        "order": found.order,
        "store": found.order.store,
        "words": withdrawal(row.store, found.order.number, row.shown.value if row.shown else ""),
        "why_not": sentence(code) if code else "",
    }
    return render(request, "orders/shipment_cancel.html", context)


def _cancel(request: HttpRequest, found: Shipment) -> None:
    try:
        withdraw.cancel_fulfillment(found.pk, actor=_actor(request), now=timezone.now())
    except withdraw.NotPossible as no:
        messages.error(request, sentence(no.code))
    except OutcomeUnknown as error:
        told = gettext("Ask for it again in a minute: cancelling twice is one cancellation.")
        messages.error(request, f"{sentence(error.reason.code, error.reason.values)} {told}")
    except ConnectorError as error:
        told = gettext("Nothing was cancelled.")
        messages.error(request, f"{sentence(error.reason.code, error.reason.values)} {told}")
    else:
        messages.success(request, withdrawal(found.order.store, found.order.number, "").done)


def _actor(request: HttpRequest):  # type: ignore[no-untyped-def]  # the person; login_required has seen to it
    return request.user
