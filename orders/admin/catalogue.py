"""Carriers and shipping methods: data that staff edit. A changed default number plans its unsent parcels again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from .. import plan, pulse
from ..models import Carrier, ShippingMethod, TrackingSync
from .base import StaffAdmin


def replan_unsent(rows: QuerySet[TrackingSync]) -> int:
    """Plan those of the rows that nothing has been sent of, in the open transaction; rings after it. How many."""
    unsent = rows.filter(shown__isnull=True, sending__isnull=True)
    ids = list(unsent.order_by("pk").values_list("shipment_id", flat=True))
    plan.plan(ids, timezone.now())
    pulse.ring()
    return len(ids)


class CarrierForm(forms.ModelForm):
    """A carrier, with a link that is one."""

    def clean_tracking_url(self) -> str:
        """Customers and merchants follow it: a web address, and nothing that a browser would run."""
        url: str = self.cleaned_data["tracking_url"].strip()
        if url and not url.startswith(("https://", "http://")):
            raise forms.ValidationError(gettext("Enter a web address that begins with https://."), code="scheme")
        return url


@admin.register(Carrier)
class CarrierAdmin(StaffAdmin):
    """Who moves parcels: the link and the exact names that stores know a carrier by."""

    form = CarrierForm
    list_display = ("name", "code", "country", "tracking_url", "is_own", "is_active")
    list_filter = ("is_active", "is_own")
    search_fields = ("name", "code")
    fields = ("name", "code", "country", "tracking_url", "platform_names", "number_hint", "is_own", "is_active")
    ordering = ("name",)

    def get_readonly_fields(self, request: HttpRequest, obj: Carrier | None = None) -> tuple[str, ...]:
        """Which carrier is our own is part of the set-up, and files name carriers by their code."""
        return ("is_own", "code") if obj else ("is_own",)

    def has_delete_permission(self, request: HttpRequest, obj: Carrier | None = None) -> bool:
        """Our own carrier stays; others go while no number names them. Switching one off is enough."""
        return super().has_delete_permission(request, obj) and not (obj is not None and obj.is_own)


@admin.register(ShippingMethod)
class ShippingMethodAdmin(StaffAdmin):
    """What can be booked. The name is matched exactly; the default number is what the client's rule is made of."""

    list_display = ("name", "code", "default_number", "is_active")
    list_filter = ("default_number", "is_active")
    search_fields = ("name", "code")
    fields = ("name", "code", "default_number", "is_active")
    ordering = ("name",)

    def get_form(
        self, request: HttpRequest, obj: ShippingMethod | None = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm[ShippingMethod]]:
        kwargs["help_texts"] = {
            "default_number": _(
                "The number that stores set to “the usual one” show for parcels of this method. A change reaches the "
                "parcels that nothing has been sent of; what a store shows stays."
            ),
            "name": _("Matched exactly, letter by letter."),
        }
        return super().get_form(request, obj, change, **kwargs)

    def save_model(self, request: HttpRequest, obj: ShippingMethod, form: forms.ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "default_number" in form.changed_data:
            n = replan_unsent(TrackingSync.objects.filter(shipment__shipping_method=obj))
            text = ngettext(
                "{n} parcel that nothing has been sent of follows the new default.",
                "{n} parcels that nothing has been sent of follow the new default.",
                n,
            )
            self.message_user(request, text.format(n=n) if n else gettext("No unsent parcel uses this method."))
