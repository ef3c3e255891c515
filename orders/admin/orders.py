"""Orders as the stores have them: read-only, but for the merchant's payment, which staff mark here.

The one page that shows a buyer's e-mail address.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from .. import changes, finding
from ..models import Order, OrderLine, Shipment
from .base import ShownInline, ShownOnly, StaffAdmin, badge
from .confirmed import ConfirmedAct, ConfirmedActs, Done
from .forms import WhenForm


def _mark_paid(ids: list[int], data: dict[str, Any], now: datetime, actor: Any) -> Done:
    n = changes.mark_paid(ids, data["at"], now=now, actor=actor)
    return Done(ngettext("{n} order marked as paid.", "{n} orders marked as paid.", n).format(n=n))


MARK_PAID = ConfirmedAct(
    name="mark_paid",
    label=_("Mark as paid"),
    question=_("The merchant has paid us for what is listed here. A payment that is booked never moves."),
    permission="mark_paid",
    legal=lambda orders: orders.filter(paid_at__isnull=True),
    why_not=_("paid already; a payment never moves."),
    run=_mark_paid,
    form=WhenForm,
)


class YesNoFilter(admin.SimpleListFilter):
    """Whether a moment is known."""

    column = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(**{f"{self.column}__isnull": self.value() == "no"})


class PaidFilter(YesNoFilter):
    """The merchant's payment."""

    title, parameter_name, column = _("paid"), "paid", "paid_at"


class CancelledFilter(YesNoFilter):
    """Cancelled or fully refunded."""

    title, parameter_name, column = _("cancelled"), "cancelled", "cancelled_at"


class LinesInline(ShownInline):
    """What was ordered, as the store has it."""

    model = OrderLine
    fields = readonly_fields = ("sku", "title", "quantity", "requires_shipping")
    verbose_name_plural = _("items")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may see the order may see its items."""
        return request.user.has_perm("orders.view_order") or request.user.has_perm("orders.change_order")


class ParcelsInline(ShownInline):
    """The order's parcels, each a link to its page."""

    model = Shipment
    fields = readonly_fields = ("link", "shipping_method", "dispatched_at", "standing")
    verbose_name_plural = _("parcels")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Shipment]:
        return super().get_queryset(request).select_related("shipping_method", "sync", "order")

    @admin.display(description=_("parcel"))
    def link(self, shipment: Shipment) -> SafeString:
        """The page of the parcel."""
        address = reverse("admin:orders_shipment_change", args=[shipment.pk])
        return format_html('<a href="{}">{}</a>', address, shipment)

    @admin.display(description=_("number in the store"), empty_value="–")
    def standing(self, shipment: Shipment) -> SafeString | None:
        """The state of its row."""
        return badge(shipment.sync.state) if hasattr(shipment, "sync") else None


@admin.register(Order)
class OrderAdmin(ShownOnly, ConfirmedActs, StaffAdmin):
    """Orders, newest first. Search takes an order number or any number that one of its parcels ever had."""

    confirmed = (MARK_PAID,)
    change_form_template = "admin/orders/order_form.html"
    list_display = ("number", "store", "placed_at", "paid_at", "cancelled_at", "parcels")
    list_filter = (PaidFilter, CancelledFilter)
    list_select_related = ("store",)
    search_fields = ("number",)
    search_help_text = _("An order number, or any tracking number that one of its parcels has or had; in full.")
    sortable_by = ("placed_at", "paid_at")
    ordering = ("-pk",)
    inlines = (LinesInline, ParcelsInline)
    fieldsets = (
        (None, {"fields": ("store", "number", "external_id", "placed_at", "country")}),
        (_("Payment and cancellation"), {"fields": ("paid_at", "shopper_paid_at", "cancelled_at", "cancel_reason")}),
        (_("Customer"), {"fields": ("customer_name", "customer_email")}),
        (_("As pulled from the store"), {"fields": ("store_updated_at", "pulled_at")}),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        if not search_term.strip():
            return queryset, False
        by_number = finding.orders_numbered(search_term).values_list("pk", flat=True)
        by_parcel = finding.shipments_numbered(search_term).values_list("order_id", flat=True)
        return queryset.filter(pk__in={*by_number, *by_parcel}), False

    def complete_page(self, rows: Sequence[Order]) -> None:  # type: ignore[override]
        """How many parcels each order of the page has."""
        counted = Shipment.objects.filter(order__in=[row.pk for row in rows]).order_by().values("order_id")
        counts = dict(counted.annotate(n=Count("pk")).values_list("order_id", "n"))
        for row in rows:
            row.parcel_count = counts.get(row.pk, 0)  # type: ignore[attr-defined]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        obj: Order | None = kwargs.get("obj") or context.get("original")
        if obj is not None:
            context["buttons"] = self.buttons(request, obj)
            context["may_add_parcel"] = request.user.has_perm("orders.add_shipment")
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("parcels"))
    def parcels(self, order: Order) -> int:
        """How many parcels it has here."""
        return int(order.parcel_count)  # type: ignore[attr-defined]
