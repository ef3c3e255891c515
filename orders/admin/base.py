"""What the staff's lists and pages share: permissions by name, pages that only show, figures per page of a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from ..choices import SyncState

DASH = "–"


class Permitted:
    """Names of permissions for actions: each answers one `has_…_permission`."""

    def has_mark_paid_permission(self, request: HttpRequest) -> bool:
        """May say that a merchant has paid."""
        return request.user.has_perm("orders.mark_paid")

    def has_mark_dispatched_permission(self, request: HttpRequest) -> bool:
        """May say that a parcel was handed over, or was not."""
        return request.user.has_perm("orders.mark_dispatched")

    def has_push_again_permission(self, request: HttpRequest) -> bool:
        """May put a parcel back into the sync, or take it out."""
        return request.user.has_perm("orders.push_again")

    def has_cancel_fulfillment_permission(self, request: HttpRequest) -> bool:
        """May cancel a fulfillment in a store."""
        return request.user.has_perm("orders.cancel_fulfillment")

    def has_send_again_permission(self, request: HttpRequest) -> bool:
        """May have a mail sent to a customer that was not, or may have been."""
        return request.user.has_perm("orders.send_again")

    def has_set_number_permission(self, request: HttpRequest) -> bool:
        """May enter, replace and remove numbers."""
        return request.user.has_perm("orders.add_trackingnumber")

    def has_reconnect_permission(self, request: HttpRequest) -> bool:
        """May check and reconnect a store."""
        return request.user.has_perm("stores.reconnect_store")


class PageChangeList(ChangeList):
    """A list that asks for the figures of the rows of one page at once, after the page is cut."""

    def get_results(self, request: HttpRequest) -> None:
        """Cut the page, then let the admin complete its rows."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        self.model_admin.complete_page(self.result_list)  # type: ignore[attr-defined]


class StaffAdmin(Permitted, admin.ModelAdmin):
    """Every list and page of ours: no bulk deletion, no count of a whole table, figures per page."""

    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 200
    empty_value_display = DASH
    labels: Mapping[str, Any] = {}  # of fields whose names in the code are no words for a page

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if self.labels:
            kwargs.setdefault("labels", dict(self.labels))
        return super().get_form(request, obj, change, **kwargs)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PageChangeList

    def complete_page(self, rows: Sequence[Model]) -> None:
        """Attach what the list shows beside the rows' own fields. Called with the rows of one page."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        title = capfirst(str(self.opts.verbose_name_plural))
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions


class ShownOnly:
    """Nothing is added, changed or deleted here; what acts is a confirmed action."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds one here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes one here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes one here."""
        return False


class ShownInline(ShownOnly, admin.TabularInline):
    """Rows of another table, to read."""

    extra = 0
    can_delete = False


def when(at: datetime | None) -> str:
    """A moment by the staff's clock; a dash for none."""
    return date_format(timezone.localtime(at), "DATETIME_FORMAT") if at else DASH


def badge(state: str) -> SafeString:
    """A state as a small label in its colour."""
    return format_html('<span class="badge badge-{}">{}</span>', state, SyncState(state).label)
