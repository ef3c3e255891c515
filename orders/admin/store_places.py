"""The part of a store's page that only some platforms have: where its numbers go, and what becomes of its orders."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from stores import placing
from stores.guides import GUIDES
from stores.models import Store

from .store_access import StoreAccess

PLACING = ("tracking_goes_to", "completes_orders")
SEEN = "seen_placing"
_HEADING = _("Numbers and orders in the store")


class PlacingForm(forms.ModelForm):
    """With what the person saw: a page left open never undoes what the merchant has chosen meanwhile."""

    seen_placing = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[SEEN].initial = _seen(self.instance)

    def clean(self) -> dict[str, Any]:
        """Refused where something else is chosen now than what was shown."""
        data = super().clean() or self.cleaned_data
        if data.get(SEEN) != _seen(self.instance):
            told = gettext(
                "Where numbers go was saved by somebody else meanwhile. Open this page again and look at it first."
            )
            raise forms.ValidationError(told, code="stale")
        return data


class StorePlaces(StoreAccess):
    """Adds the fields where they are a question, and leaves out locations where a platform has none."""

    def get_fieldsets(self, request: HttpRequest, obj: Store | None = None) -> list[tuple[Any, dict[str, Any]]]:  # type: ignore[override]
        """What is a question on the store's platform."""
        fieldsets: Any = self.fieldsets
        if obj is None:
            return list(fieldsets)
        guide = GUIDES.get(obj.platform)
        hidden = {"locations"} if guide and not guide.has_locations else set()
        found: list[tuple[Any, dict[str, Any]]] = [
            (heading, {"fields": tuple(name for name in options["fields"] if name not in hidden)})
            for heading, options in fieldsets
        ]
        if placing.is_a_question(obj):
            seen = (SEEN,) if self.has_change_permission(request, obj) else ()
            found.insert(2, (_HEADING, {"fields": ("places", *PLACING, *seen)}))
        return found

    def get_form(self, request: HttpRequest, obj: Store | None = None, change: bool = False, **kwargs: Any) -> Any:
        """Only places that were found can be chosen; and what is chosen stays so, found or not."""
        if obj is not None and placing.is_a_question(obj) and self.has_change_permission(request, obj):
            kwargs["form"] = PlacingForm
        form = super().get_form(request, obj, change, **kwargs)
        if obj is not None and "tracking_goes_to" in form.base_fields:
            field, found = form.base_fields["tracking_goes_to"], list(placing.places_of(obj))
            keys = found if obj.tracking_goes_to in ("", *found) else [*found, obj.tracking_goes_to]
            form.base_fields["tracking_goes_to"] = forms.ChoiceField(
                choices=[("", _best(obj, found)), *((key, _label(obj, key)) for key in keys)],
                required=False,
                label=field.label,
                help_text=field.help_text,
            )
        return form

    @admin.display(description=_("places for numbers"))
    def places(self, store: Store) -> str:
        """Those that the last check found, the best first; and in which version of the platform."""
        found = ", ".join(_label(store, key) for key in placing.places_of(store))
        version = store.facts.get("version")
        found = found or gettext("None was looked for yet.")
        return f"{found} ({store.get_platform_display()} {version})" if version else found


def _seen(store: Store) -> str:
    return f"{store.tracking_goes_to} {'completed' if store.completes_orders else 'left open'}"


def _best(store: Store, found: list[str]) -> str:
    """The choice to leave it to us, with what it comes to now."""
    best = gettext("the best that is found")
    return f"{best}: {_label(store, found[0])}" if found else best


def _label(store: Store, key: str) -> str:
    """A place in words; its key where this version has none."""
    guide = GUIDES.get(store.platform)
    place = guide.place(key) if guide else None
    return str(place.label) if place else key
