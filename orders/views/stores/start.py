"""The page that moves the day from which a store's orders are looked after: first the count, then the act.

GET              the day as it is
GET ?day=…       what another day would do; changes nothing
POST             done, if the day is still the one that was shown
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from stores.access import store_of
from stores.models import Store

from ... import sync_from
from ...local_time import in_zone_of, zone_of
from ...wording import show_time

SALT = "orders.sync_from"


class DayForm(forms.Form):
    """A day in the store's time zone; orders count from its first moment on."""

    day = forms.DateField(
        label=_("Look after orders from this day on"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": _("Choose a day."), "invalid": _("Write the day as 2026-03-31.")},
    )

    def __init__(self, *args: Any, store: Store, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.store, self.now = store, now
        self.fields["day"].widget.attrs["max"] = f"{timezone.localdate(now):%Y-%m-%d}"

    def clean_day(self) -> date:
        """Not in the future, and not before there were web shops."""
        day: date = self.cleaned_data["day"]
        if day > timezone.localdate(self.now):
            raise forms.ValidationError(gettext("Choose today or an earlier day."))
        if day.year < 2000:
            raise forms.ValidationError(gettext("Choose a day after 1999."))
        return day

    @property
    def at(self) -> datetime:
        """The first moment of the day."""
        return datetime.combine(self.cleaned_data["day"], time(), tzinfo=zone_of(self.store))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def store_start(request: HttpRequest, store_id: int) -> HttpResponse:
    """The day, what another one would do, and the move."""
    store = store_of(request, store_id)
    if store.disconnected_at is not None:
        messages.info(request, gettext("This store is disconnected, so its orders are not looked after."))
        return redirect("store", store_id=store.pk)
    with in_zone_of(store):
        if request.method == "POST":
            return _move(request, store)
        return _show(request, store)


def _show(request: HttpRequest, store: Store) -> HttpResponse:
    now = timezone.now()
    asked = "day" in request.GET
    initial = {"day": timezone.localdate(store.sync_from)}
    form = DayForm(request.GET if asked else None, store=store, now=now, initial=initial)
    context: dict[str, Any] = {"store": store, "form": form, "since": show_time(store.sync_from), "section": "stores"}
    if asked and form.is_valid() and form.at != store.sync_from:
        context |= {
            "effect": sync_from.move_effect(store, form.at, now),
            "day": form.cleaned_data["day"],
            "seal": signing.dumps([store.pk, form.at.isoformat(), store.sync_from.isoformat()], salt=SALT),
        }
    return render(request, "stores/start.html", context)


def _move(request: HttpRequest, store: Store) -> HttpResponse:
    try:
        store_id, at, seen = signing.loads(request.POST.get("seal", ""), salt=SALT)
    except (signing.BadSignature, ValueError):
        store_id, at, seen = None, "", ""
    if store_id != store.pk:
        messages.warning(request, gettext("Nothing was moved. Choose the day here, and look at what it does first."))
        return redirect("store_start", store_id=store.pk)
    try:
        moved = sync_from.move(store, datetime.fromisoformat(at), seen=datetime.fromisoformat(seen), now=timezone.now())
    except sync_from.MovedMeanwhile:
        messages.warning(
            request, gettext("The day was moved meanwhile, so nothing was done now. Below is how it stands.")
        )
        return redirect("store_start", store_id=store.pk)
    told = ngettext(
        "The day was moved; {n} parcel follows it.", "The day was moved; {n} parcels follow it.", moved.parcels
    ).format(n=moved.parcels)
    if moved.left:
        told += " " + gettext("{n} of them are still being gone through; that takes a few minutes at the most.").format(
            n=moved.left
        )
    messages.success(request, told)
    return redirect("store", store_id=store.pk)
