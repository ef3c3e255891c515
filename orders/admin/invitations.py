"""Invitations: links with which a merchant connects one shop through an app that staff made for that very shop.

The link is shown once, on the page that answers the form; only its hash is kept. The app's secret goes in and never
comes out again. What becomes of a link is in stores/authorising/invitations.py.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.models import ADDITION, LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.decorators import method_decorator
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from stores import connections
from stores.accounts import links
from stores.authorising import finishing, invitations, offers
from stores.authorising.invitations import State
from stores.connectors import registry
from stores.connectors.errors import ConnectorError
from stores.connectors.shopify import oauth
from stores.forms import secret_field
from stores.guides import GUIDES
from stores.models import Invitation, Store

from ..views.stores.checklist import refusal
from .base import DASH, StaffAdmin
from .confirmed import ConfirmedAct, ConfirmedActs, Done

_BADGES = {State.OPEN: "due", State.USED: "synced", State.WITHDRAWN: "waiting", State.EXPIRED: "waiting"}


def _withdraw(ids: list[int], data: dict[str, Any], now: datetime, actor: Any) -> Done:
    n = invitations.withdraw(ids, now)
    return Done(ngettext("{n} invitation was withdrawn.", "{n} invitations were withdrawn.", n).format(n=n))


WITHDRAW = ConfirmedAct(
    name="withdraw",
    label=_("Withdraw"),
    question=_("The link opens nothing any more, and the app's secret is thrown away. A new one can be made at once."),
    permission="change",
    legal=lambda rows: invitations.still_open(rows, timezone.now()),
    why_not=_("used, withdrawn or expired already."),
    run=_withdraw,
)


def _connected_at(invitation: Invitation) -> Store | None:
    """The store that is connected at the shop already."""
    at_the_shop = Store.objects.connected().filter(platform=invitation.platform, base_url=invitation.base_url)
    return at_the_shop.select_related("owner").first()


class InvitationForm(forms.ModelForm):
    """Which shop, what it is called, and the app that was made for it."""

    client_id = forms.CharField(
        label=_("Client ID"),
        max_length=200,
        widget=forms.TextInput(attrs={"size": 50, "autocomplete": "off", "spellcheck": "false"}),
    )
    client_secret = secret_field(_("Client secret"), _("Both stand under the app's settings in the Dev Dashboard."))

    class Meta:
        model = Invitation
        fields = ("base_url", "store_name")
        labels = {"base_url": _("Shop"), "store_name": _("Name of the store")}  # noqa: RUF012
        help_texts = {  # noqa: RUF012
            "base_url": _("The shop's Shopify name, as in their-shop.myshopify.com."),
            "store_name": _("What the merchant sees it called; they can change it later."),
        }
        field_classes = {"base_url": forms.CharField}  # noqa: RUF012
        widgets = {"base_url": forms.TextInput(attrs={"size": 50, "autocomplete": "off"})}  # noqa: RUF012

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["client_secret"].required = True

    def clean_base_url(self) -> str:
        """The address as it is kept; refused where it is no shop's, or an invitation to it still waits."""
        guide = GUIDES[offers.SHOPIFY]
        try:
            address = registry.normalise_base_url(
                guide.platform, self.cleaned_data["base_url"], connections.allowed_networks()
            )
        except ConnectorError as error:
            raise forms.ValidationError(refusal(error, guide).text, code="address") from None
        waiting = Invitation.objects.filter(platform=guide.platform, base_url=address)
        if invitations.still_open(waiting, timezone.now()).exists():
            told = gettext("A link for this shop is still good. Withdraw that one first; a lost link cannot be shown.")
            raise forms.ValidationError(told, code="waiting")
        return address

    def _post_clean(self) -> None:
        """Nothing of the model is checked here: it is made by invite(), from what was checked above."""


class StateFilter(admin.SimpleListFilter):
    """What can still be done with an invitation."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(State.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> QuerySet[Invitation]:
        now = timezone.now()
        wanted = {
            State.OPEN: invitations.still_open(queryset, now),
            State.USED: queryset.filter(used_at__isnull=False),
            State.WITHDRAWN: queryset.filter(withdrawn_at__isnull=False),
            State.EXPIRED: queryset.filter(used_at=None, withdrawn_at=None, expires_at__lte=now),
        }
        return wanted.get(State(asked), queryset) if (asked := self.value()) in State.values else queryset


@admin.register(Invitation)
class InvitationAdmin(ConfirmedActs, StaffAdmin):
    """The list, the form for a new one, and the page with its link."""

    confirmed = (WITHDRAW,)
    form = InvitationForm
    add_form_template = "admin/orders/invitation_add.html"
    change_form_template = "admin/orders/invitation_form.html"
    list_display = ("store_name", "shop", "state", "invited_by", "made", "until", "connected_store")
    list_filter = (StateFilter,)
    list_select_related = ("invited_by", "store")
    search_fields = ("store_name", "base_url", "store__owner__email")
    search_help_text = _("A store's name or shop, or the e-mail address of the merchant who connected it.")
    ordering = ("-created_at",)
    sortable_by = ("store_name", "made", "until")
    fields = ("base_url", "store_name", "client_id", "client_secret")
    labels = {  # noqa: RUF012
        "store_name": _("name of the store"),
        "created_at": _("made"),
        "expires_at": _("good until"),
        "used_at": _("used"),
        "withdrawn_at": _("withdrawn"),
    }
    shown = (
        "store_name",
        "shop",
        "state",
        "invited_by",
        "created_at",
        "expires_at",
        "used_at",
        "withdrawn_at",
        "connected_store",
    )

    def get_fields(self, request: HttpRequest, obj: Invitation | None = None) -> Any:
        return self.fields if obj is None else self.shown

    def get_readonly_fields(self, request: HttpRequest, obj: Invitation | None = None) -> Any:
        return () if obj is None else self.shown

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        # An invitation is never edited: its page shows it, with no field of the form.
        own = {"labels": None} if obj is None else {"form": forms.ModelForm}
        return super().get_form(request, obj, change, **(kwargs | own))

    def has_delete_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        """Withdrawn, never deleted: it says who let whom in."""
        return False

    # --- making one ---------------------------------------------------------------------------------------

    @method_decorator(sensitive_post_parameters("client_secret"))
    @method_decorator(sensitive_variables())
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        asked = {"scopes": ",".join(oauth.SCOPES), "redirect_url": links.public(reverse("shopify_back"))}
        return super().add_view(request, form_url, asked | (extra_context or {}))

    def save_model(self, request: HttpRequest, obj: Invitation, form: forms.ModelForm, change: bool) -> None:
        """Made by the one function that makes them; the link is kept for the answer to this very request."""
        if change:
            return
        data = form.cleaned_data
        made, token = invitations.invite(
            by=request.user,  # type: ignore[arg-type]  # the admin lets in nobody who is not logged in
            platform=offers.SHOPIFY,
            base_url=data["base_url"],
            store_name=data["store_name"],
            credentials={"client_id": data["client_id"], "client_secret": data["client_secret"], "grant": "code"},
            now=timezone.now(),
        )
        obj.__dict__.update({name: made.__dict__[name] for name in made.__dict__ if name != "_state"})
        obj._state.adding, obj._state.db = False, made._state.db
        obj.link = links.public(reverse("invitation", args=[token]))  # type: ignore[attr-defined]

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Who invited whom, and when; the link is not in it."""
        who, said = request.user.pk or 0, gettext("Invited.")
        return LogEntry.objects.log_actions(who, [obj], ADDITION, change_message=said, single_object=True)

    def response_add(self, request: HttpRequest, obj: Invitation, post_url_continue: str | None = None) -> HttpResponse:
        """The page with the link, which no browser and no proxy keeps."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("The link for {name}").format(name=obj.store_name),
            "invitation": obj,
            "shop": finishing.host_of(obj.base_url),
            "link": obj.link,  # type: ignore[attr-defined]
            "days": invitations.LIFE.days,
            "connected": _connected_at(obj),
            "may_see_stores": request.user.has_perm("stores.view_store")
            or request.user.has_perm("stores.change_store"),
            "is_popup": False,
        }
        response = TemplateResponse(request, "admin/orders/invitation_made.html", context)
        add_never_cache_headers(response)
        return response

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        obj = kwargs.get("obj")
        if obj is not None:
            context["buttons"] = self.buttons(request, obj)
            context |= {"show_save": False, "show_save_and_continue": False, "show_save_and_add_another": False}
        else:
            context |= {"show_save_and_continue": False, "show_save_and_add_another": False}
        return super().render_change_form(request, context, *args, **kwargs)

    # --- columns --------------------------------------------------------------------------------------------

    @admin.display(description=_("shop"), ordering="base_url")
    def shop(self, invitation: Invitation) -> str:
        """The shop's host."""
        return finishing.host_of(invitation.base_url)

    @admin.display(description=_("made"), ordering="created_at")
    def made(self, invitation: Invitation) -> str:
        """The day on which it was made; its page tells the time."""
        return date_format(timezone.localtime(invitation.created_at))

    @admin.display(description=_("good until"), ordering="expires_at")
    def until(self, invitation: Invitation) -> str:
        """The day on which it ends."""
        return date_format(timezone.localtime(invitation.expires_at))

    @admin.display(description=_("state"))
    def state(self, invitation: Invitation) -> SafeString:
        """What can still be done with it."""
        state = invitations.state_of(invitation, timezone.now())
        return format_html('<span class="badge badge-{}">{}</span>', _BADGES[state], state.label)

    @admin.display(description=_("store"))
    def connected_store(self, invitation: Invitation) -> SafeString | str:
        """The store that was connected by it."""
        if invitation.store is None:
            return DASH
        page = reverse("admin:stores_store_change", args=[invitation.store_id])
        return format_html('<a href="{}">{}</a>', page, invitation.store.name)
