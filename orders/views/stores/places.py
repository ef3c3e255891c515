"""Where numbers go in a store that has several places for them, and whether its orders are marked as completed.

`told()` is what the store's page says of it; the page here is where a merchant chooses otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from stores import placing
from stores.access import store_of
from stores.connectors import registry
from stores.guides import GUIDES, Guide
from stores.models import Store
from stores.placing import ChangedMeanwhile, Placing

from ... import pulse
from ...mail.switched_off import word_of


@dataclass(frozen=True)
class Told:
    """Where numbers go and what becomes of orders, in words; "" for what is no question in this store."""

    place: str = ""
    means: str = ""
    by_whom: str = ""
    missing: str = ""  # what was chosen is no longer there
    all_left: str = ""
    part_left: str = ""


class PlacesForm(forms.Form):
    """The places that were found, or the best of them; and the mark. `seen`: what the person was shown."""

    tracking_goes_to = forms.ChoiceField(
        label=_("Numbers go to"),
        required=False,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": _("This place was not found in your shop. Choose one of these.")},
    )
    completes_orders = forms.BooleanField(required=False)
    seen = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, store: Store, guide: Guide, **kwargs: Any) -> None:
        kept = placing.placing_of(store)
        kwargs.setdefault("initial", {"seen": _seal(kept), "completes_orders": kept.completes_orders})
        super().__init__(*args, **kwargs)
        found = placing.places_of(store)
        self.initial["tracking_goes_to"] = kept.tracking_goes_to if kept.tracking_goes_to in found else ""
        field = self.fields["tracking_goes_to"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 -- says so to the type checker
        best = gettext("the best that is found: at present {place}").format(place=_label(guide, next(iter(found), "")))
        field.choices = [
            (key, capfirst(text)) for key, text in [("", best), *((key, _label(guide, key)) for key in found)]
        ]
        if len(found) < 2:
            del self.fields["tracking_goes_to"]
        if not registry.capabilities(store.platform).completes:
            del self.fields["completes_orders"]
        else:
            self.fields["completes_orders"].label = gettext("Mark an order as completed once all of it has its numbers")

    @property
    def seen_before(self) -> Placing | None:
        """What the person was shown; None where that cannot be read."""
        place, _, mark = self.cleaned_data["seen"].rpartition("/")
        return Placing(place, mark == "yes") if mark in ("yes", "no") else None


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def store_places(request: HttpRequest, store_id: int) -> HttpResponse:
    """Choose where numbers go, and whether orders are marked; where that is no question, the page says so."""
    store = store_of(request, store_id)
    guide = GUIDES.get(store.platform)
    if guide is None or not placing.is_a_question(store):
        return render(request, "stores/places.html", {"store": store, "section": "stores"})
    form = PlacesForm(request.POST if request.method == "POST" else None, store=store, guide=guide)
    if request.method == "POST" and form.is_valid() and (seen := form.seen_before):
        kept = placing.placing_of(store)
        chosen = Placing(
            form.cleaned_data.get("tracking_goes_to", kept.tracking_goes_to),
            form.cleaned_data.get("completes_orders", kept.completes_orders),
        )
        return _save(request, store, chosen, seen)
    context = {
        "store": store,
        "form": form,
        "places": [place for key in placing.places_of(store) if (place := guide.place(key))],
        "told": told(store, guide),
        "marks": [marks_sentence(store), _part_left(store, guide)],
        "section": "stores",
    }
    return render(request, "stores/places.html", context)


def told(store: Store, guide: Guide) -> Told | None:
    """What the store's page says; None for a store where that is no question."""
    if not placing.is_a_question(store):
        return None
    key, chosen = placing.goes_to(store), store.tracking_goes_to
    place = guide.place(key)
    is_missing = bool(chosen) and bool(key) and chosen != key
    completes = registry.capabilities(store.platform).completes
    return Told(
        place=_label(guide, key) if key else gettext("It is found at the next check of the connection."),
        means=str(place.means) if place else "",
        by_whom=gettext("as you chose it") if key and chosen == key else gettext("the best that was found"),
        missing=gettext("You chose {place}, which the shop no longer has.").format(place=_label(guide, chosen))
        if is_missing
        else "",
        all_left=marks_sentence(store) if completes else "",
        part_left=_part_left(store, guide) if completes and store.completes_orders else "",
    )


def marks_sentence(store: Store) -> str:
    """What becomes of an order once all of it has its numbers."""
    platform = store.get_platform_display()
    if not store.completes_orders:
        return gettext("It stays open; you complete it yourself.")
    if registry.capabilities(store.platform).mails_always:
        if word_of(store) is not None:
            text = gettext("It is marked as completed. {platform}'s own mail about it is switched off, as you said.")
            return text.format(platform=platform)
        text = gettext(
            "It is marked as completed. {platform} then writes to your customer by itself, unless you switched that "
            "off there."
        )
        return text.format(platform=platform)
    return gettext("It is marked as completed.")


def _part_left(store: Store, guide: Guide) -> str:
    """What becomes of an order of which only a part has its number."""
    known = store.facts.get("statuses") or ()
    status = next((status for status in guide.partial_statuses if status in known), "")
    if status and store.completes_orders:
        return gettext("It is marked as “{status}” until the rest has its number, too.").format(
            status=status.replace("-", " ").capitalize()
        )
    return gettext("It stays as it is until the rest has its number, too.")


def _save(request: HttpRequest, store: Store, chosen: Placing, seen: Placing) -> HttpResponse:
    try:
        placing.save(store, chosen, seen=seen, actor=request.user)  # type: ignore[arg-type]  # login_required
    except ChangedMeanwhile:
        messages.warning(
            request,
            gettext("Somebody saved another choice meanwhile, so nothing was saved now. Below is how it stands."),
        )
        return redirect("store_places", store_id=store.pk)
    pulse.ring()
    messages.success(
        request,
        gettext("Saved for {store}. Numbers that are sent from now on follow it; what is there stays.").format(
            store=store.name
        ),
    )
    return redirect("store", store_id=store.pk)


def _label(guide: Guide, key: str) -> str:
    """A place in words; its key where this version has none."""
    place = guide.place(key)
    return str(place.label) if place else key


def _seal(kept: Placing) -> str:
    return f"{kept.tracking_goes_to}/{'yes' if kept.completes_orders else 'no'}"
