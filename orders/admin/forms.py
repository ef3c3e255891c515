"""The forms of the confirmation pages: when, why, which number. What they lead to is in the acts' own modules."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..choices import NumberKind
from ..models import Carrier, Shipment, TrackingNumber, TrackingSync
from ..numbers import normalise, problems
from ..wording import sentence

CLOCKS_DIFFER = timedelta(minutes=5)


class ActForm(forms.Form):
    """Nothing to fill in: the confirmation alone. `subject` is the one row of a page, None for a list."""

    required_css_class = "required"

    def __init__(self, *args: Any, subject: Any = None, **kwargs: Any) -> None:
        self.subject = subject
        super().__init__(*args, **kwargs)


class MomentForm(ActForm):
    """A moment, in the time zone of the page."""

    at = forms.DateTimeField(
        label=_("When"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S"),
        input_formats=["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["at"].initial = lambda: timezone.localtime().replace(microsecond=0)
        self.fields["at"].help_text = gettext("In the time zone {zone}.").format(
            zone=timezone.get_current_timezone_name()
        )


class WhenForm(MomentForm):
    """When it happened; now, unless it is told."""

    def clean_at(self) -> datetime:
        """The time; refused where it lies ahead, because it is said when a thing has happened."""
        at: datetime = self.cleaned_data["at"]
        if at > timezone.now() + CLOCKS_DIFFER:
            raise forms.ValidationError(gettext("This time lies ahead. Enter when it happened."), code="future")
        return at


class StartForm(MomentForm):
    """From when on a store's orders are looked after; what that would do is told first, and done when told again."""

    effect = forms.CharField(widget=forms.HiddenInput, required=False)
    asks_again = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["at"].label = gettext("Orders from")
        self.fields["at"].initial = lambda: timezone.localtime(self.subject.sync_from).replace(microsecond=0)

    def clean(self) -> dict[str, Any]:
        """Count what would change; refused until the person has seen exactly that."""
        data = super().clean() or self.cleaned_data
        if "at" not in data:
            return data
        unsent = TrackingSync.objects.filter(store=self.subject, shown__isnull=True, sending__isnull=True)
        at, before = data["at"], self.subject.sync_from
        freed = unsent.filter(shipment__order__placed_at__gte=at, shipment__order__placed_at__lt=before).count()
        held = unsent.filter(shipment__order__placed_at__gte=before, shipment__order__placed_at__lt=at).count()
        effect = f"{at.isoformat()} {freed} {held}"
        if data.get("effect") != effect:
            self.asks_again = True
            self.data = {**self.data.dict(), "effect": effect}  # type: ignore[attr-defined]
            told = gettext(
                "Unsent parcels that would be looked after from now on: {freed}. Unsent parcels that would be left "
                "alone: {held}. What the store shows stays. Press the button again to do it."
            )
            raise forms.ValidationError(told.format(freed=freed, held=held), code="effect")
        return data


class WhyForm(ActForm):
    """A person's reason, which the timeline keeps."""

    why = forms.CharField(
        label=_("Why"),
        max_length=200,
        widget=forms.TextInput(attrs={"size": 60}),
        help_text=_("The timeline keeps it."),
    )


class RemoveNumberForm(WhyForm):
    """Which kind of number is taken away, and why."""

    field_order = ("kind", "why")
    kind = forms.ChoiceField(label=_("Which number"), choices=NumberKind.choices)


class NumberForm(ActForm):
    """A number for one shipment: entered for the first time, or in place of another."""

    kind = forms.ChoiceField(label=_("Whose number"), choices=NumberKind.choices, initial=NumberKind.LOCAL)
    number = forms.CharField(
        label=_("Number"),
        max_length=200,
        widget=forms.TextInput(attrs={"size": 40, "autocomplete": "off", "spellcheck": "false"}),
        help_text=_("Spaces and small letters do not matter."),
    )
    carrier = forms.ModelChoiceField(
        label=_("Carrier"),
        queryset=Carrier.objects.none(),
        required=False,
        help_text=_("Whose number it is. Not needed for our own."),
    )
    why = forms.CharField(
        label=_("Why"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"size": 60}),
        help_text=_("Needed where it replaces another number; the history keeps it."),
    )
    shared = forms.BooleanField(
        label=_("Another parcel may have the same number"),
        required=False,
        help_text=_("Tick this only where two parcels really travel under one number."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["carrier"].queryset = Carrier.objects.filter(is_active=True)  # type: ignore[attr-defined]

    def clean_number(self) -> str:
        """The number as typed; refused where a spreadsheet or a typing hand has damaged it."""
        raw: str = self.cleaned_data["number"]
        if found := problems(normalise(raw)):
            raise forms.ValidationError([forms.ValidationError(sentence(code), code=code) for code in found])
        return raw

    def clean(self) -> dict[str, Any]:
        """The rules that take more than one field."""
        data = super().clean() or self.cleaned_data
        if "number" not in data or "kind" not in data:
            return data
        value, is_local = normalise(data["number"]), data["kind"] == NumberKind.LOCAL
        prefix = settings.TRACKSYNC_OWN_NUMBER_PREFIX
        if is_local and not data.get("carrier"):
            self.add_error("carrier", gettext("Choose the carrier that gave this number."))
        if is_local and prefix and value.startswith(prefix):
            self.add_error(
                "number",
                gettext(
                    'This begins with {prefix} like our own numbers. Choose "our number" above if it is one.'
                ).format(prefix=prefix),
            )
        if not is_local and data.get("carrier") and not data["carrier"].is_own:
            self.add_error("carrier", gettext("Our own number travels under our own name: leave the carrier empty."))
        if self._replaces(data, value) and not data.get("why"):
            self.add_error("why", gettext("Say why the number before it is replaced."))
        if (other := self._elsewhere(value)) is not None and not data.get("shared"):
            told = gettext("Order {order} parcel {parcel} has this number too. Correct it, or tick the box below.")
            self.add_error("number", told.format(order=other.order.number, parcel=other.parcel))
        return data

    def _replaces(self, data: dict[str, Any], value: str) -> bool:
        here = TrackingNumber.objects.filter(shipment=self.subject, kind=data["kind"], replaced_at__isnull=True)
        return here.exclude(value=value).exists()

    def _elsewhere(self, value: str) -> Shipment | None:
        others = Shipment.objects.filter(numbers__value=value, numbers__replaced_at__isnull=True)
        return others.exclude(pk=self.subject.pk).select_related("order").first()
