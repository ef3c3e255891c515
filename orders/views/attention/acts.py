"""Tries again and gives up: for one parcel, for those that are ticked, or for all with one kind of problem."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from ... import changes, problems
from ...access import shipments_of
from ...models import Shipment
from .page import asked_store

TICKED = 1000  # parcels that one form may name
EXAMPLES = 10


class WhyForm(forms.Form):
    """Why a number is given up, for the timeline."""

    why = forms.CharField(
        label=_("Why"),
        max_length=200,
        help_text=_("One sentence. It stays in the parcel's history, where our staff can read it too."),
        error_messages={"required": _("Say in a few words why; the parcel's history keeps it.")},
    )


@login_required
@require_POST
def try_again(request: HttpRequest) -> HttpResponse:
    """Plan afresh what is named by `only`, by `problem`, or by the ticked `shipment`s; what is ready goes at once."""
    now = timezone.now()
    kind = request.POST.get("problem", "")
    if kind and "all" in request.POST:
        where = problems.where(request.user, asked_store(request, request.POST.get("store", "")))
        ids = problems.shipment_ids(where, now, kind)
    else:
        ids = _named(request, request.POST.getlist("only") or request.POST.getlist("shipment"))
    if not ids:
        messages.info(request, gettext("Nothing was chosen. Tick at least one parcel."))
        return _back(request)
    n = changes.try_again(ids, now=now, actor=request.user)  # type: ignore[arg-type]
    said = ngettext(
        "{n} parcel is tried again now. If it comes back to this list, the reason is still there.",
        "{n} parcels are tried again now. Those that come back to this list still have their reason.",
        n,
    )
    messages.success(request, said.format(n=n))
    return _back(request, keeps="all" not in request.POST)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def give_up(request: HttpRequest) -> HttpResponse:
    """Ask why, then take the named parcels out of the sync until somebody tries again.

    Reached from a parcel's page by a link, from the list by its form: there without a reason, so it is asked for.
    """
    named = request.POST if request.method == "POST" else request.GET
    ids = _named(request, named.getlist("shipment"))
    if not ids:
        messages.info(request, gettext("Nothing was chosen. Tick at least one parcel."))
        return _back(request)
    form = WhyForm(request.POST if request.method == "POST" and "why" in request.POST else None)
    if form.is_valid():
        n = changes.give_up(ids, now=timezone.now(), actor=request.user, why=form.cleaned_data["why"])  # type: ignore[arg-type]
        said = ngettext(
            "{n} number was given up. “Try again” on the parcel's page takes it up again.",
            "{n} numbers were given up. “Try again” on a parcel's page takes its number up again.",
            n,
        )
        messages.success(request, said.format(n=n))
        return redirect("shipment", ids[0]) if len(ids) == 1 else _back(request)
    shipments = Shipment.objects.filter(pk__in=ids).select_related("order__store").order_by("-pk")
    context: dict[str, Any] = {
        "section": "attention",
        "form": form,
        "ids": ids,
        "examples": shipments[:EXAMPLES],
        "more": max(len(ids) - EXAMPLES, 0),
        "back": reverse("shipment", args=ids) if len(ids) == 1 else reverse("attention"),
    }
    return render(request, "orders/attention_give_up.html", context, status=400 if form.is_bound else 200)


def _named(request: HttpRequest, named: list[str]) -> list[int]:
    """The merchant's own parcels that the form names. 404 where one of them is somebody else's, or none."""
    wanted = {int(text) for text in named if text.isdecimal() and len(text) < 19}
    if len(wanted) != len(set(named)) or len(wanted) > TICKED:
        raise Http404
    ids = list(shipments_of(request.user).filter(pk__in=wanted).order_by("pk").values_list("pk", flat=True))
    if len(ids) != len(wanted):
        raise Http404
    return ids


def _back(request: HttpRequest, *, keeps: bool = True) -> HttpResponse:
    """To the list, with the store and the kind of problem that were chosen there."""
    names = ("store", "problem") if keeps else ("store",)
    chosen = {name: request.POST[name] for name in names if request.POST.get(name)}
    return redirect(reverse("attention") + (f"?{urlencode(chosen)}" if chosen else ""))
