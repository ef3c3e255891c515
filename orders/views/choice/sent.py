"""The present choice, applied to numbers that the store shows already: listed first, done when asked for."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods

from stores.access import store_of
from stores.models import Store

from ... import reapply
from ...local_time import in_zone_of
from ...reapply import Verdict
from . import words
from .binding import NotOurs, seal_versions, unseal_versions
from .refusal import refuse

PAGE = 50
PURPOSE = "sent"


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def choice_sent(request: HttpRequest, store_id: int) -> HttpResponse:
    """What applying the choice to sent numbers would do, and the button that does it."""
    store = store_of(request, store_id)
    with in_zone_of(store):
        return _start(request, store) if request.method == "POST" else _list(request, store)


def _list(request: HttpRequest, store: Store) -> HttpResponse:
    now = timezone.now()
    after = int(text) if (text := request.GET.get("after", "")).isdecimal() and len(text) < 19 else 0
    lines = reapply.listing(store, now, after=after, size=PAGE + 1)
    run = reapply.run_of(store)
    found = reapply.totals(store, now)
    return render(
        request,
        "orders/choice_sent.html",
        {
            "store": store,
            "section": "stores",
            "in_words": words.source_words(store.preference.number_source),
            "lines": [_row(line) for line in lines[:PAGE]],
            "next_after": lines[PAGE - 1].planable.row.pk if len(lines) > PAGE else None,
            "after": after,
            "totals": found,
            "stay": [(count, stays(verdict)) for verdict, count in found.stay],
            "run": run,
            "done": run.total - min(found.changes, run.total) if run else 0,
            "seal": seal_versions(PURPOSE, {store.pk: store.preference.version}),
        },
    )


def _start(request: HttpRequest, store: Store) -> HttpResponse:
    try:
        version = unseal_versions(PURPOSE, request.POST.get("seal", ""))[store.pk]
    except (NotOurs, KeyError):
        return refuse(request, store)
    assert request.user.is_authenticated  # noqa: S101  (login_required)
    run = reapply.start(store, request.user, version, timezone.now())
    if run is None:
        messages.warning(
            request,
            gettext("Nothing was started: the choice was changed meanwhile, or this is being done already. See below."),
        )
    else:
        messages.success(
            request,
            ngettext("{n} number is being changed.", "{n} numbers are being changed.", run.total).format(n=run.total),
        )
    return redirect("choice_sent", store.pk)


def stays(verdict: Verdict) -> str:
    """Why a number stays as it is."""
    return {
        Verdict.CANCELLED: gettext("the order was cancelled or refunded"),
        Verdict.STOPPED: gettext("somebody took the parcel out of the sync"),
        Verdict.ATTENTION: gettext("the parcel needs attention first"),
        Verdict.UNDER_WAY: gettext("a number is on its way to the store right now"),
        Verdict.NUMBER_MISSING: gettext("the other number is not there yet"),
        Verdict.NOT_USABLE: gettext("the other number cannot be sent as it is entered"),
    }.get(verdict, "")


def _row(line: reapply.Line) -> dict[str, object]:
    row = line.planable.row
    return {
        "shipment_id": row.shipment_id,
        "order": row.shipment.order.number,
        "parcel": row.shipment.parcel,
        "old": line.old,
        "new": line.new,
        "changes": line.verdict == Verdict.CHANGES,
        "notifies": line.notifies,
        "stays": stays(line.verdict),
    }
