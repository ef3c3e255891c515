"""Mails to customers: what was sent, what was not and why, and sending one again after a person has looked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from .. import finding
from ..choices import EmailState
from ..mail import again
from ..models import CustomerEmail
from ..wording.mails import mail_sentence
from .base import DASH, ShownOnly, StaffAdmin
from .confirmed import ConfirmedAct, ConfirmedActs, Done


def _send_again(ids: list[int], data: dict[str, Any], now: datetime, actor: Any) -> Done:
    n = again.send_again(ids, actor=actor, now=now)
    return Done(ngettext("{n} mail is sent now.", "{n} mails are sent now.", n).format(n=n))


SEND_AGAIN = ConfirmedAct(
    name="send_again",
    label=_("Send it after all"),
    question=_(
        "What is listed here is sent now, however old it is, unless what it tells is not so any more. A mail that may "
        "have been sent before can reach the customer twice."
    ),
    permission="send_again",
    legal=again.can_be_sent,
    why_not=_("sent already, on its way, or not ours to send."),
    run=_send_again,
    most=200,
)


@admin.register(CustomerEmail)
class CustomerEmailAdmin(ShownOnly, ConfirmedActs, StaffAdmin):
    """The list. Search takes an order number or any number that a parcel ever had. No customer's address is shown."""

    confirmed = (SEND_AGAIN,)
    change_form_template = "admin/orders/mail_form.html"
    list_display = ("parcel", "store", "kind", "says", "sent_at", "number", "attempts", "due_at")
    list_filter = ("state", "kind")
    list_select_related = ("shipment__order__store", "number")
    search_fields = ("shipment__order__number",)
    search_help_text = _("An order number, or any tracking number that a parcel has or had; in full.")
    sortable_by = ()
    ordering = ("-pk",)
    labels = {  # noqa: RUF012
        "shipment": _("parcel"),
        "answer": _("the mail server's answer"),
        "due_at": _("looked at next"),
        "created_at": _("written down"),
        "sent_at": _("sent"),
        "is_forced": _("sent after all"),
        "actor": _("by"),
    }
    fields = (
        "shipment",
        "kind",
        "state",
        "why",
        "answer",
        "number",
        "attempts",
        "due_at",
        "created_at",
        "sent_at",
        "is_forced",
        "actor",
        "message_id",
    )
    readonly_fields = fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[CustomerEmail], search_term: str
    ) -> tuple[QuerySet[CustomerEmail], bool]:
        if not search_term.strip():
            return queryset, False
        return queryset.filter(shipment_id__in=finding.shipment_ids(search_term)), False

    def for_examples(self, queryset: QuerySet[CustomerEmail]) -> QuerySet[CustomerEmail]:
        return queryset.select_related("shipment__order")

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        obj = kwargs.get("obj") or context.get("original")
        if obj is not None:
            context["buttons"] = self.buttons(request, obj)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("parcel"))
    def parcel(self, email: CustomerEmail) -> str:
        """Order and parcel."""
        return str(email.shipment)

    @admin.display(description=_("store"))
    def store(self, email: CustomerEmail) -> str:
        """Whose customer."""
        return email.shipment.order.store.name

    @admin.display(description=_("state, and why"))
    def says(self, email: CustomerEmail) -> SafeString:
        """The state, and the one sentence where there is more to say."""
        if email.state == EmailState.BY_STORE and email.reason:
            return format_html("{}", self.why(email))  # names the platform; the label would say the same again
        label = EmailState(email.state).label
        return format_html("<strong>{}</strong> {}", label, self.why(email) if email.reason else "")

    @admin.display(description=_("why"), empty_value=DASH)
    def why(self, email: CustomerEmail) -> str:
        """What became of it."""
        platform = email.shipment.order.store.get_platform_display()
        return mail_sentence(email.state, email.reason, {"answer": email.answer, "platform": platform})
