"""The filters as a form: read from the address, checked, told as a list of what can be removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, QueryDict
from django.utils import formats
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from stores.access import stores_of
from stores.models import Store

from ...choices import SyncState
from ...listing import Sought
from ...numbers import normalise

YES_OR_NO = {"yes": True, "no": False, "": None}
EARLIEST, LATEST = date(2000, 1, 1), date(2100, 12, 31)


@dataclass(frozen=True)
class Chosen:
    """One filter in force: what it is called, what it is set to, and the query of the same list without it."""

    label: str
    value: str
    without: str


class Filters(forms.Form):
    """What to look for. The stores offered are the merchant's own."""

    store = forms.ChoiceField(label=_("Store"), required=False)
    state = forms.ChoiceField(
        label=_("State of the number"), required=False, choices=[("", _("Any")), *SyncState.choices]
    )
    order = forms.CharField(
        label=_("Order number begins with"),
        required=False,
        max_length=60,
        error_messages={"max_length": _("An order number has at most 60 characters.")},
    )
    tracking = forms.CharField(
        label=_("Tracking number"),
        required=False,
        max_length=200,
        error_messages={"max_length": _("That is too long for a tracking number.")},
        help_text=_("In full. Finds numbers that were replaced, too."),
    )
    customer = forms.CharField(
        label=_("Customer begins with"),
        required=False,
        max_length=200,
        error_messages={"max_length": _("Enter at most 200 characters.")},
        help_text=_("The name as your store has it, or the e-mail address."),
    )
    dispatched = forms.ChoiceField(
        label=_("Handed to the carrier"),
        required=False,
        choices=[("", _("Any")), ("yes", _("Yes")), ("no", _("Not yet"))],
    )
    number = forms.ChoiceField(
        label=_("Has a number"), required=False, choices=[("", _("Any")), ("yes", _("Yes")), ("no", _("Not yet"))]
    )
    placed_from = forms.DateField(
        label=_("Placed from"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"invalid": _("Enter a day as year-month-day, for example 2026-03-31.")},
    )
    placed_to = forms.DateField(
        label=_("Placed until"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"invalid": _("Enter a day as year-month-day, for example 2026-03-31.")},
    )

    # Those that are seldom needed wait behind "more filters".
    MORE = ("dispatched", "number", "placed_from", "placed_to")

    def __init__(self, data: QueryDict, *, stores: Sequence[Store]) -> None:
        super().__init__(data, label_suffix="")
        self.stores = stores
        for name in ("store", "state", "dispatched", "number"):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101  (for the type checker)
            field.error_messages["invalid_choice"] = gettext("Choose one of the list.")
        offered = self.fields["store"]
        assert isinstance(offered, forms.ChoiceField)  # noqa: S101  (for the type checker)
        offered.choices = [("", gettext("All stores")), *((str(store.pk), store.name) for store in stores)]

    def clean_tracking(self) -> str:
        """A number of which something is left without spaces and quotes."""
        typed = str(self.cleaned_data["tracking"])
        if typed and not normalise(typed):
            raise forms.ValidationError(gettext("That is no tracking number: it has no letters or digits."))
        return typed

    def clean_placed_from(self) -> date | None:
        """A day that an order may have been placed on."""
        return _sensible(self.cleaned_data["placed_from"])

    def clean_placed_to(self) -> date | None:
        """A day that an order may have been placed on."""
        return _sensible(self.cleaned_data["placed_to"])

    def clean(self) -> dict[str, Any]:
        """The first day is not after the last."""
        data = dict(super().clean() or {})
        first, last = data.get("placed_from"), data.get("placed_to")
        if first and last and first > last:
            self.add_error("placed_to", gettext("This day is before the first one. Exchange the two."))
        return data

    @property
    def store_chosen(self) -> Store | None:
        """The one store that is selected; None for all of them. The form is valid."""
        return next((store for store in self.stores if str(store.pk) == self.cleaned_data["store"]), None)

    def sought(self) -> Sought:
        """What the filters look for. The form is valid."""
        data = self.cleaned_data
        return Sought(
            state=data["state"],
            dispatched=YES_OR_NO[data["dispatched"]],
            has_number=YES_OR_NO[data["number"]],
            order_number=data["order"],
            tracking_number=data["tracking"],
            customer=data["customer"],
            placed_from=data["placed_from"],
            placed_to=data["placed_to"],
        )

    def query(self, **changed: str) -> str:
        """The filters in force as a query, "" or "store=1&…", with these set otherwise (empty: left out)."""
        query = QueryDict(mutable=True)
        for name in self.fields:
            if value := changed.get(name, self.data.get(name, "").strip()):
                query[name] = value
        for name, value in changed.items():
            if name not in self.fields and value:
                query[name] = value
        return query.urlencode()

    def chosen(self) -> list[Chosen]:
        """Every filter in force, each of which can be removed. The form is valid."""
        return [
            Chosen(str(field.label), self._told(name), self.query(**{name: ""}))
            for name, field in self.fields.items()
            if self.cleaned_data[name]
        ]

    def _told(self, name: str) -> str:
        """What a filter is set to, as a person reads it."""
        value, field = self.cleaned_data[name], self.fields[name]
        if isinstance(field, forms.ChoiceField):
            return next(str(label) for key, label in field.choices if str(key) == value)  # type: ignore[misc,union-attr]
        return formats.date_format(value, gettext("j M Y")) if isinstance(value, date) else str(value)

    @property
    def shows_more(self) -> bool:
        """Whether one of the seldom needed filters is in force or wrong."""
        return any(self.data.get(name) or name in self.errors for name in self.MORE)


def filters_of(request: HttpRequest) -> Filters:
    """The filters in the address. Raises Http404 where a store is asked for that is not the merchant's own."""
    stores = list(stores_of(request.user))
    asked = request.GET.get("store", "").strip()
    if asked.isdigit() and asked not in {str(store.pk) for store in stores}:
        raise Http404
    return Filters(request.GET, stores=stores)


def _sensible(day: date | None) -> date | None:
    if day and not EARLIEST <= day <= LATEST:
        raise forms.ValidationError(gettext("Choose a day between 2000 and 2100."))
    return day
