"""The forms with which a store is connected: its name and address, its access, and the locations we ship from.

What a platform asks for is added by its form in guides/. What is saved, and the live check before it, is in
connect.py. A secret is never written back into a page: between two steps it travels sealed (sealing.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .connectors.base import Location

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


def secret_field(label: str | _StrPromise, help_text: str | _StrPromise = "") -> forms.CharField:
    """A field for a secret: hidden while it is typed, never filled in by us."""
    widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password", "spellcheck": "false"})
    return forms.CharField(label=label, help_text=help_text, required=False, max_length=500, widget=widget)


class ConnectForm(forms.Form):
    """A store's name and address. The forms of the platforms add the fields of the access to it.

    `credential_groups`: the fields that belong together; a merchant fills in one group. `kept`: the access that was
    given in an earlier step and may stand in for empty fields.
    """

    credential_groups: ClassVar[tuple[tuple[str, ...], ...]] = ()

    name = forms.CharField(
        label=_("Name of the store"), max_length=200, help_text=_("What you call it. Only you and we see it.")
    )
    base_url = forms.CharField(
        label=_("Address"), max_length=300, widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "url"})
    )

    def __init__(self, *args: Any, kept: bool = False, with_name: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kept = kept
        if not with_name:
            del self.fields["name"]

    @property
    def fields_above(self) -> list[forms.BoundField]:
        """Name and address."""
        return [self[name] for name in ("name", "base_url") if name in self.fields]

    @property
    def groups(self) -> list[list[forms.BoundField]]:
        """The fields of each group of the access."""
        return [[self[name] for name in group] for group in self.credential_groups]

    @property
    def credentials(self) -> dict[str, str]:
        """The access that was typed; empty where an earlier one stands."""
        data = self.cleaned_data
        return {name: data[name] for group in self.credential_groups for name in group if data.get(name)}

    def forget_access(self) -> None:
        """Show the fields of the access empty: what was typed travels sealed and need not be typed again."""
        names = {name for group in self.credential_groups for name in group}
        self.data = {name: value for name, value in self.data.items() if name not in names}

    def clean(self) -> dict[str, Any]:
        """One group, and all of it."""
        data = super().clean() or self.cleaned_data
        given = [group for group in self.credential_groups if any(data.get(name) for name in group)]
        if not given and not self.kept:
            self.add_error(self.credential_groups[0][0], gettext("Fill this in; without it we cannot get in."))
        if len(given) > 1:
            self.add_error(given[1][0], gettext("Fill in one of the two ways, and leave the other one empty."))
        elif given:
            for name in given[0]:
                if not data.get(name):
                    self.add_error(name, gettext("Both belong together. Fill this in, too."))
        return data


class LocationsForm(forms.Form):
    """Which of the store's locations we ship from."""

    locations = forms.MultipleChoiceField(
        label=_("We ship from"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one location: numbers are sent for items that lie there.")},
    )

    def __init__(self, *args: Any, offered: Iterable[Location], chosen: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["locations"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101 -- says so to the type checker
        field.choices = [(each.external_id, each.name) for each in offered]
        self.initial.setdefault("locations", list(chosen))


def own_locations(locations: Iterable[Location]) -> list[Location]:
    """Those that we can be asked to ship from: the merchant's own, not another app's."""
    return [location for location in locations if location.merchants_own]
