"""The queue: every number on its way, why it is where it is, and the acts that help it on.

A row leads to the page of its parcel (shipments.py), where the whole story stands.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.admin.views.main import ChangeList
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from stores.models import Store

from .. import finding
from ..choices import SyncState
from ..models import Shipment, TrackingSync
from ..wording import first_line, sentence
from ..wording.explain import LONG_DUE
from . import shipment_acts
from .base import DASH, PageChangeList, ShownOnly, StaffAdmin, badge
from .confirmed import ConfirmedActs

STORES_LISTED = 20


def needs_attention(now: datetime) -> Q:
    """Rows that a person should look at: they say so, or have been due for over a day."""
    return Q(state=SyncState.ATTENTION) | Q(due_since__lt=now - LONG_DUE)


class AttentionFilter(admin.SimpleListFilter):
    """A person should look."""

    title = _("needs attention")
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes: says so, or due for over a day"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[TrackingSync]) -> QuerySet[TrackingSync]:
        return queryset.filter(needs_attention(timezone.now())) if self.value() == "yes" else queryset


class ReasonFilter(admin.SimpleListFilter):
    """By those reasons that any number has which is not in its store, in words."""

    title = _("reason")
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        open_rows = TrackingSync.objects.exclude(state=SyncState.SYNCED).exclude(reason="").order_by("reason")
        return [(code, sentence(code)) for code in open_rows.values_list("reason", flat=True).distinct()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[TrackingSync]) -> QuerySet[TrackingSync]:
        return queryset.filter(reason=self.value()) if self.value() else queryset


class StoreFilter(admin.SimpleListFilter):
    """Stores where something is to be sent or looked at, and the one that is chosen."""

    title = _("store")
    parameter_name = "store"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        open_rows = TrackingSync.objects.filter(store=OuterRef("pk"), state__in=[SyncState.DUE, SyncState.ATTENTION])
        chosen = request.GET.get(self.parameter_name, "")
        stores = Store.objects.filter(Exists(open_rows) | Q(pk=chosen if chosen.isdigit() else None))
        return [(str(pk), name) for pk, name in stores.order_by("name").values_list("pk", "name")[:STORES_LISTED]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[TrackingSync]) -> QuerySet[TrackingSync]:
        value = self.value() or ""
        return queryset.filter(store_id=value) if value.isdigit() else queryset


class QueueChangeList(PageChangeList):
    """A row's link goes to the page of its parcel."""

    def url_for_result(self, result: Any) -> str:
        return reverse("admin:orders_shipment_change", args=[quote(result.shipment_id)])


@admin.register(TrackingSync)
class QueueAdmin(ShownOnly, ConfirmedActs, StaffAdmin):
    """The list. Search takes an order number or any number that a parcel ever had."""

    confirmed = (
        shipment_acts.MARK_DISPATCHED,
        shipment_acts.UNDO_DISPATCH,
        shipment_acts.TRY_AGAIN,
        shipment_acts.GIVE_UP,
    )
    subject_model = Shipment
    list_display = ("parcel", "store", "says", "numbers", "due_at", "attempts")
    list_filter = (AttentionFilter, "state", StoreFilter, ReasonFilter)
    list_select_related = ("shipment__order", "store", "wanted", "sending", "shown")
    search_fields = ("shipment__order__number",)
    search_help_text = _("An order number, or any tracking number that a parcel has or had; in full.")
    sortable_by = ("due_at", "attempts")
    ordering = ("-pk",)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return QueueChangeList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": _("Queue"), **(extra_context or {})})

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """The page of the parcel holds the whole story."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return HttpResponseRedirect(reverse("admin:orders_shipment_change", args=[quote(row.shipment_id)]))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[TrackingSync], search_term: str
    ) -> tuple[QuerySet[TrackingSync], bool]:
        if not search_term.strip():
            return queryset, False
        return queryset.filter(shipment_id__in=finding.shipment_ids(search_term)), False

    def subjects(self, queryset: QuerySet[TrackingSync]) -> QuerySet[Shipment]:
        return Shipment.objects.filter(pk__in=queryset.order_by().values("shipment_id"))

    def for_examples(self, queryset: QuerySet[Shipment]) -> QuerySet[Shipment]:
        return queryset.select_related("order")

    @admin.display(description=_("parcel"))
    def parcel(self, row: TrackingSync) -> str:
        """Order and parcel."""
        return str(row.shipment)

    @admin.display(description=_("state, and why"))
    def says(self, row: TrackingSync) -> SafeString:
        """The state in its colour, and the one sentence."""
        return format_html("{} {}", badge(row.state), first_line(row, timezone.now()))

    @admin.display(description=_("number"), empty_value=DASH)
    def numbers(self, row: TrackingSync) -> SafeString | str | None:
        """What the store should show, and what it was last seen to show where that is something else."""
        wanted = row.wanted.value if row.wanted else None
        shown = row.shown.value if row.shown else None
        if wanted == shown or not (wanted or shown):
            return wanted
        return format_html("{}<br><small>{}</small>", wanted or DASH, gettext("shown: {n}").format(n=shown or DASH))
