"""Parcels: the page where staff see why a number is or is not in the store, and do what is next.

Numbers and dispatch change only through confirmed acts (shipment_acts.py); the form holds the method and
the contents, and saving it plans the parcel in the same transaction.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .. import changes, finding, plan, pulse
from ..choices import SyncState
from ..models import Order, OrderLine, Shipment, ShipmentLine, SyncAttempt, TrackingNumber, TrackingSync
from ..wording import explain, in_front, outcome_sentence, sentence
from . import shipment_acts
from .base import ShownInline, StaffAdmin, badge
from .confirmed import ConfirmedActs

TIMELINE = 50


class ContentsFormSet(BaseInlineFormSet):
    """Lines of the parcel's own order, with no more units than were ordered."""

    order: Order | None = None

    def add_fields(self, form: ModelForm[ShipmentLine], index: int | None) -> None:
        super().add_fields(form, index)
        lines = OrderLine.objects.filter(order=self.order) if self.order else OrderLine.objects.none()
        form.fields["line"].queryset = lines  # type: ignore[attr-defined]

    def clean(self) -> None:
        """The order holds what the parcel says it holds."""
        super().clean()
        for form in self.forms:
            line, quantity = form.cleaned_data.get("line"), form.cleaned_data.get("quantity")
            if not line or not quantity or form.cleaned_data.get("DELETE"):
                continue
            if quantity > line.quantity:
                told = gettext("Only {n} of this were ordered.").format(n=line.quantity)
                form.add_error("quantity", told)


class ContentsInline(admin.TabularInline):
    """What is in the parcel; nothing at all = not known, and the store decides by what is left of the order."""

    model = ShipmentLine
    formset = ContentsFormSet
    extra = 0
    verbose_name = _("item")
    verbose_name_plural = _("contents (none: not known)")

    def get_formset(self, request: HttpRequest, obj: Shipment | None = None, **kwargs: Any) -> Any:
        formset: Any = super().get_formset(request, obj, **kwargs)
        order_id = obj.order_id if obj else request.GET.get("order", "") or request.POST.get("order", "")
        formset.order = Order.objects.filter(pk=order_id).first() if str(order_id).isdigit() else None
        return formset

    def get_queryset(self, request: HttpRequest) -> QuerySet[ShipmentLine]:
        return super().get_queryset(request).select_related("line")


class NumbersInline(ShownInline):
    """Every number the parcel has or had. Numbers are entered and replaced by the buttons above."""

    model = TrackingNumber
    fields = ("value", "kind", "carrier", "known_at", "replaced_at", "replaced_why", "added_by")
    readonly_fields = fields
    verbose_name_plural = _("numbers, with those it had before")

    def get_queryset(self, request: HttpRequest) -> QuerySet[TrackingNumber]:
        return super().get_queryset(request).select_related("carrier", "added_by").order_by("-pk")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may see the parcel may see its numbers."""
        return request.user.has_perm("orders.view_shipment") or request.user.has_perm("orders.change_shipment")


class StateFilter(admin.SimpleListFilter):
    """By the state of the number."""

    title = _("number in the store")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(SyncState.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Shipment]) -> QuerySet[Shipment]:
        return queryset.filter(sync__state=self.value()) if self.value() else queryset


class DispatchedFilter(admin.SimpleListFilter):
    """Handed over or not."""

    title = _("dispatched")
    parameter_name = "dispatched"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Shipment]) -> QuerySet[Shipment]:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(dispatched_at__isnull=self.value() == "no")


@admin.register(Shipment)
class ShipmentAdmin(ConfirmedActs, StaffAdmin):
    """Parcels, newest first. Search takes an order number or any number that a parcel ever had."""

    confirmed = shipment_acts.EVERY
    change_form_template = "admin/orders/shipment_form.html"
    list_display = ("__str__", "store", "shipping_method", "numbers_now", "dispatched_at", "standing")
    list_filter = (StateFilter, DispatchedFilter, "shipping_method")
    list_select_related = ("order__store", "shipping_method", "sync")
    search_fields = ("order__number",)
    search_help_text = _("An order number, or any tracking number that a parcel has or had; in full.")
    sortable_by = ("dispatched_at",)
    ordering = ("-pk",)
    raw_id_fields = ("order",)
    inlines = (ContentsInline, NumbersInline)

    def get_fields(self, request: HttpRequest, obj: Shipment | None = None) -> tuple[str, ...]:
        return (
            ("order", "parcel", "shipping_method", "dispatched_at") if obj else ("order", "parcel", "shipping_method")
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Shipment | None = None) -> tuple[str, ...]:
        return ("order", "parcel", "dispatched_at") if obj else ()

    def get_inlines(self, request: HttpRequest, obj: Shipment | None) -> tuple[Any, ...]:
        return self.inlines if obj else (ContentsInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Shipment]:
        current = TrackingNumber.objects.filter(replaced_at__isnull=True)
        return super().get_queryset(request).prefetch_related(Prefetch("numbers", queryset=current, to_attr="now_has"))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Shipment | None:
        obj: Shipment | None = super().get_object(request, object_id, from_field)
        return obj

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The next parcel of the order from whose page this one is added."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        order = str(initial.get("order", ""))
        if order.isdigit():
            taken = Shipment.objects.filter(order_id=order).order_by("-parcel").values_list("parcel", flat=True).first()
            initial.setdefault("parcel", (taken or 0) + 1)
        return initial

    def has_delete_permission(self, request: HttpRequest, obj: Shipment | None = None) -> bool:
        """A parcel is the record of what a store was told; it is given up, never deleted."""
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Shipment], search_term: str
    ) -> tuple[QuerySet[Shipment], bool]:
        if not search_term.strip():
            return queryset, False
        return queryset.filter(pk__in=finding.shipment_ids(search_term)), False

    def for_examples(self, queryset: QuerySet[Shipment]) -> QuerySet[Shipment]:
        return queryset.select_related("order")

    def get_form(
        self, request: HttpRequest, obj: Shipment | None = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm[Shipment]]:
        """The method is chosen here and edited in its own place."""
        form = super().get_form(request, obj, change, **kwargs)
        if "shipping_method" in form.base_fields:
            method: Any = form.base_fields["shipping_method"]
            method.empty_label = gettext("Not known")
            for what in ("add", "change", "delete", "view"):
                setattr(method.widget, f"can_{what}_related", False)
        return form

    # --- saving: facts change and are planned in one transaction, which the admin opens -------------------

    def save_model(self, request: HttpRequest, obj: Shipment, form: forms.ModelForm, change: bool) -> None:
        if change:
            # The row is locked before its facts change, as every writer does it.
            list(TrackingSync.objects.select_for_update().filter(shipment=obj).values_list("pk"))
            obj.save(update_fields=["shipping_method"])
            return
        made = changes.create_shipment(
            obj.order, parcel=obj.parcel, shipping_method=obj.shipping_method, lines=None, now=timezone.now()
        )
        obj.pk, obj._state.adding, obj.created_at = made.pk, False, made.created_at

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        plan.plan([form.instance.pk], timezone.now())
        pulse.ring()

    # --- the page ------------------------------------------------------------------------------------------

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        obj: Shipment | None = kwargs.get("obj") or context.get("original")
        if obj is not None:
            context.update(self._story(request, obj))
        context["show_save_and_add_another"] = obj is None
        return super().render_change_form(request, context, *args, **kwargs)

    def _story(self, request: HttpRequest, obj: Shipment) -> dict[str, Any]:
        """What the page tells beside the form: standing, acts, timeline."""
        now = timezone.now()
        planable = plan.facts_of([obj.pk]).get(obj.pk)
        story: dict[str, Any] = {
            "store": obj.order.store,
            "order": obj.order,
            "siblings": list(obj.order.shipments.exclude(pk=obj.pk).select_related("order")),
            "buttons": self.buttons(request, obj),
        }
        if planable is None:
            return story
        attempts = SyncAttempt.objects.filter(sync=planable.row).select_related("number", "actor").order_by("-pk")
        latest = list(attempts[: TIMELINE + 1])
        return {
            **story,
            "row": planable.row,
            "explanation": explain(planable, now, ahead=in_front(planable.row)),
            "timeline": [(attempt, _line(attempt)) for attempt in latest[:TIMELINE]],
            "has_earlier": len(latest) > TIMELINE,
        }

    # --- columns -------------------------------------------------------------------------------------------

    @admin.display(description=_("store"))
    def store(self, shipment: Shipment) -> str:
        """The store its order came from."""
        return shipment.order.store.name

    @admin.display(description=_("numbers"), empty_value="–")
    def numbers_now(self, shipment: Shipment) -> str:
        """The current numbers."""
        return ", ".join(number.value for number in shipment.now_has)  # type: ignore[attr-defined]

    @admin.display(description=_("number in the store"), empty_value="–")
    def standing(self, shipment: Shipment) -> SafeString | None:
        """The state of its row."""
        return badge(shipment.sync.state) if hasattr(shipment, "sync") else None


def _line(attempt: SyncAttempt) -> str:
    """What stands under the outcome: its reason where it has one, its own sentence where not."""
    values = {"number": attempt.number.value if attempt.number else "", **attempt.reason_values}
    return sentence(attempt.reason, values) if attempt.reason else outcome_sentence(attempt.outcome, values)
