"""What platforms ask for a customer's or a shop's sake: staff answer what has to be told; erasing happens by itself.

What is kept is downloaded here and handed to the merchant, who answers the customer. How it is erased is in
orders/privacy.py.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from stores.choices import PrivacyKind
from stores.models import PrivacyRequest

from .. import privacy
from .base import DASH, ShownOnly, StaffAdmin, when
from .confirmed import ConfirmedAct, ConfirmedActs, Done

# https://shopify.dev/docs/apps/build/compliance/privacy-law-compliance
ANSWERED_WITHIN = timedelta(days=30)
SOON = timedelta(days=7)


def _close(ids: list[int], data: dict[str, Any], now: datetime, actor: Any) -> Done:
    n = privacy.closed(ids, now)
    return Done(ngettext("{n} request is closed.", "{n} requests are closed.", n).format(n=n))


CLOSE = ConfirmedAct(
    name="close",
    label=_("Close the request"),
    question=_(
        "The merchant has got what is kept, or a shop that is served again keeps its customers. Nothing is erased by "
        "this."
    ),
    permission="answer",
    legal=privacy.open_to_staff,
    why_not=_("closed already, or erased by itself."),
    run=_close,
)


class OpenFilter(admin.SimpleListFilter):
    """Whether something is left to do."""

    title = _("open")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PrivacyRequest]) -> QuerySet[PrivacyRequest]:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(done_at__isnull=self.value() == "yes")


@admin.register(PrivacyRequest)
class PrivacyRequestAdmin(ShownOnly, ConfirmedActs, StaffAdmin):
    """The list, newest first. Answered within thirty days is what the platforms ask."""

    confirmed = (CLOSE,)
    change_form_template = "admin/orders/privacy_form.html"
    list_display = ("kind", "store", "answer_by", "orders", "received_at", "done_at")
    list_display_links = ("kind",)
    list_filter = (OpenFilter, "kind")
    list_select_related = ("store",)
    search_fields = ("store__name",)
    sortable_by = ()
    ordering = ("-received_at", "-pk")
    labels = {"received_at": _("received"), "done_at": _("done")}  # noqa: RUF012
    fields = ("kind", "store", "orders", "received_at", "answer_by", "done_at")
    readonly_fields = fields

    def has_answer_permission(self, request: HttpRequest) -> bool:
        """May close a request."""
        return request.user.has_perm("stores.change_privacyrequest")

    def get_urls(self) -> list[URLPattern]:
        page = path(
            "<path:object_id>/kept/", self.admin_site.admin_view(self.download), name="stores_privacyrequest_kept"
        )
        return [page, *super().get_urls()]

    def download(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What is kept of the customer's orders, as a file. For those who may see buyers at all."""
        if not self._may_download(request):
            raise PermissionDenied
        found = self.get_object(request, object_id)
        if found is None or found.kind != PrivacyKind.CUSTOMER_ASKS:
            raise Http404
        text = json.dumps(privacy.kept_of(found), indent=2, ensure_ascii=False)
        response = HttpResponse(text, content_type="application/json")
        response["Content-Disposition"] = f'attachment; filename="tracksync-kept-{found.pk}.json"'
        return response

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        obj = kwargs.get("obj") or context.get("original")
        if obj is not None:
            context["buttons"] = self.buttons(request, obj)
            if obj.kind == PrivacyKind.CUSTOMER_ASKS and self._may_download(request):
                context["kept"] = reverse("admin:stores_privacyrequest_kept", args=[obj.pk])
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("orders"), empty_value=DASH)
    def orders(self, request: PrivacyRequest) -> int | None:
        """How many are named; a shop as a whole names none."""
        return None if request.kind == PrivacyKind.FORGET_SHOP else len(request.order_ids)

    @admin.display(description=_("answer by"))
    def answer_by(self, request: PrivacyRequest) -> SafeString | str:
        """Until when a customer has to be answered; the other kinds ask for no answer."""
        if request.kind != PrivacyKind.CUSTOMER_ASKS or request.done_at is not None:
            return DASH
        last = request.received_at + ANSWERED_WITHIN
        colour = "attention" if timezone.now() > last - SOON else "due"
        return format_html('<span class="badge badge-{}">{}</span>', colour, when(last))

    def _may_download(self, request: HttpRequest) -> bool:
        may_see_buyers = request.user.has_perm("orders.view_order") or request.user.has_perm("orders.change_order")
        return self.has_view_permission(request) and may_see_buyers
