"""Stores: how they are, what their merchants chose, and how many numbers wait for what.

Credentials are in no form and on no page. A store is added by a command, because its access has to be
checked live and must not pass through a browser's form.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from stores.choices import MailSender, NumberSource, Timing
from stores.models import Store, SyncPreference
from stores.preferences import save_preference

from .. import plan, pulse
from ..choices import SyncState
from ..models import TrackingSync
from ..wording.explain import store_obstacle
from . import store_acts
from .catalogue import replan_unsent
from .confirmed import ConfirmedActs
from .store_places import PLACING, SEEN, StorePlaces

COUNTS = tuple(f"n_{state}" for state in SyncState.values)
CONNECTED = ("created_at", "disconnected_at", "disconnect_reason")


class HealthFilter(admin.SimpleListFilter):
    """How the connection is."""

    title = _("health")
    parameter_name = "health"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("well", _("Well")),
            ("reconnect", _("Needs reconnecting")),
            ("busy", _("Left alone for a while")),
            ("paused", _("Paused")),
            ("disconnected", _("Disconnected")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Store]) -> QuerySet[Store]:
        connected = queryset.filter(disconnected_at__isnull=True)
        now = timezone.now()
        wanted = {
            "well": connected.filter(Q(trouble="") | Q(resume_at__lte=now), is_paused=False),
            "reconnect": needing_reconnection(connected),
            "busy": connected.filter(resume_at__gt=now),
            "paused": connected.filter(is_paused=True),
            "disconnected": queryset.filter(disconnected_at__isnull=False),
        }
        return wanted.get(self.value() or "", queryset)


class ConfirmedFilter(admin.SimpleListFilter):
    """Whether the merchant has ever saved the choice."""

    title = _("choice")
    parameter_name = "confirmed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Confirmed")), ("no", _("Not confirmed yet"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Store]) -> QuerySet[Store]:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(preference__confirmed_at__isnull=self.value() == "no")


def needing_reconnection(stores: QuerySet[Store]) -> QuerySet[Store]:
    """Connected stores that do not let us in until a person has acted."""
    return stores.filter(disconnected_at__isnull=True, resume_at__isnull=True).exclude(trouble="")


class PreferenceForm(forms.ModelForm):
    """The choice, and the version that the person saw: a page left open never undoes what was saved meanwhile."""

    seen_version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["seen_version"].initial = self.instance.version

    def clean(self) -> dict[str, Any]:
        """Refused where somebody has saved the choice since the page was opened."""
        data = super().clean() or self.cleaned_data
        if "seen_version" in data and data["seen_version"] != self.instance.version:
            told = gettext(
                "The choice was saved by somebody else meanwhile. Open this page again and look at it first."
            )
            raise forms.ValidationError(told, code="stale")
        return data


class PreferenceInline(admin.StackedInline):
    """When and which: saved through stores.preferences, so that version, history and actor are kept."""

    model = SyncPreference
    form = PreferenceForm
    can_delete = False
    max_num = 1
    extra = 0
    fields = ("timing", "number_source", "delay_hours", "mail_sender", "confirmed_at", "version", "seen_version")
    readonly_fields = ("confirmed_at", "version")
    verbose_name = verbose_name_plural = _("the merchant's choice")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        return super().get_formset(request, obj, **{"labels": _NAMES | {"confirmed_at": _("Confirmed")}, **kwargs})

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("stores.change_syncpreference")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may see the store may see what was chosen for it."""
        return request.user.has_perm("stores.view_store") or request.user.has_perm("stores.change_store")


@admin.register(Store)
class StoreAdmin(ConfirmedActs, StorePlaces):
    """Stores and their health."""

    confirmed = store_acts.EVERY
    change_form_template = "admin/orders/store_form.html"
    change_list_template = "admin/orders/store_list.html"
    list_display = ("name", "id", "platform", "owner", "health", "choice", *COUNTS)
    list_filter = (HealthFilter, ConfirmedFilter, "platform", "preference__timing", "preference__number_source")
    list_select_related = ("owner", "preference")
    search_fields = ("name", "base_url", "owner__email")
    search_help_text = _("A store's name or address, or its merchant's e-mail address.")
    ordering = ("name",)
    sortable_by = ("name",)
    inlines = (PreferenceInline,)
    fieldsets = (
        (None, {"fields": ("name", "id", "owner", "platform", "base_url", "time_zone", "counts_as_paid")}),
        (_("Orders"), {"fields": ("sync_from", "pulled_at", "pulled_until")}),
        (_("Connection"), {"fields": ("access", "renewal", "store_messages", "locations", *CONNECTED)}),
    )
    labels = {  # noqa: RUF012
        "id": _("store id"),
        "base_url": _("address"),
        "sync_from": _("start date"),
        "pulled_at": _("last pulled"),
        "pulled_until": _("changes known until"),
        "tracking_goes_to": _("Numbers go to"),
        "completes_orders": _("Complete orders"),
        "created_at": _("connected"),
        "disconnected_at": _("disconnected"),
        "disconnect_reason": _("why disconnected"),
    }
    editable = ("name", "time_zone", "counts_as_paid", *PLACING, SEEN)

    def get_readonly_fields(self, request: HttpRequest, obj: Store | None = None) -> list[str]:
        shown = [str(name) for _heading, options in self.get_fieldsets(request, obj) for name in options["fields"]]
        return [name for name in shown if name not in self.editable]

    def has_delete_permission(self, request: HttpRequest, obj: Store | None = None) -> bool:
        """A store is disconnected, never deleted: its orders are the record of what was told."""
        return False

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Off, and says so."""
        told = gettext(
            "Stores are connected by the command connect_store, which checks their access; not by a form here."
        )
        self.message_user(request, told, messages.INFO)
        return HttpResponseRedirect(reverse("admin:stores_store_changelist"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """No "add" button anywhere."""
        return False

    # --- saving ----------------------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: Store, form: forms.ModelForm, change: bool) -> None:
        changed = [name for name in form.changed_data if name in self.editable and name != SEEN]
        if changed:
            obj.save(update_fields=changed)
        if set(PLACING) & set(changed):
            pulse.ring()
        if "counts_as_paid" in changed:
            self._tell_replanned(request, replan_unsent(TrackingSync.objects.filter(store=obj)))

    def save_formset(self, request: HttpRequest, form: forms.ModelForm, formset: Any, change: bool) -> None:
        """The choice goes through its one writer; a job carries it to the parcels afterwards."""
        if formset.model is not SyncPreference:
            super().save_formset(request, form, formset, change)
            return
        formset.save(commit=False)
        for preference, names in formset.changed_objects:
            chosen = {name: getattr(preference, name) for name in names if name != "seen_version"}
            save_preference(form.instance, actor=_person(request), now=timezone.now(), **chosen)
            pulse.ring()
            told = gettext(
                "The choice was saved for {store} and for no other store. Parcels that nothing has been sent of "
                "follow it; what the store shows stays."
            )
            self.message_user(request, told.format(store=form.instance.name))

    def _tell_replanned(self, request: HttpRequest, n: int) -> None:
        text = ngettext("{n} unsent parcel was planned again.", "{n} unsent parcels were planned again.", n)
        self.message_user(request, text.format(n=n))

    # --- the page ---------------------------------------------------------------------------------------

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        obj: Store | None = kwargs.get("obj") or context.get("original")
        if obj is not None:
            counts = counts_of([obj.pk])[obj.pk]
            context |= {
                "buttons": self.buttons(request, obj),
                "obstacle": store_obstacle(obj, timezone.now()),
                "trouble_since": obj.trouble_since,
                "counts": [(state, SyncState(state).label, counts.get(state, 0)) for state in SyncState.values],
                "behind": plan.behind(obj),
                "choices_made": [_told(change) for change in obj.preference.changes.select_related("actor")[:20]],
            }
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("locations we ship from"))
    def locations(self, store: Store) -> str:
        """By name, where the last check told them."""
        names = {place.get("external_id"): place.get("name") for place in store.facts.get("locations", [])}
        chosen = [str(names.get(pk) or pk) for pk in store.location_ids]
        return ", ".join(chosen) or gettext("Every location of the merchant's own.")

    # --- columns ------------------------------------------------------------------------------------------

    def complete_page(self, rows: Sequence[Store]) -> None:  # type: ignore[override]
        """The counts of the page's stores, in one query."""
        counts = counts_of([row.pk for row in rows])
        for row in rows:
            row.counts = counts[row.pk]  # type: ignore[attr-defined]

    @admin.display(description=_("health"))
    def health(self, store: Store) -> SafeString:
        """One word, and the sentence as its title."""
        obstacle = store_obstacle(store, timezone.now())
        if store.disconnected_at is not None:
            word, colour = gettext("Disconnected"), "waiting"
        elif store.needs_reconnecting:
            word, colour = gettext("Reconnect needed"), "attention"
        elif store.is_paused:
            word, colour = gettext("Paused"), "waiting"
        elif obstacle:
            word, colour = gettext("Resting"), "due"
        else:
            word, colour = gettext("Well"), "synced"
        return format_html(
            '<span class="badge badge-{}" title="{}">{}</span>', colour, obstacle[0] if obstacle else "", word
        )

    @admin.display(description=_("choice"))
    def choice(self, store: Store) -> str:
        """When and which."""
        preference = store.preference
        is_local = preference.number_source == NumberSource.LOCAL
        which = gettext("carrier's number") if is_local else gettext("usual number")
        text = f"{preference.get_timing_display()}, {which}"
        return text if preference.confirmed_at else gettext("{choice} (not confirmed yet)").format(choice=text)

    @admin.display(description=SyncState.WAITING.label)
    def n_waiting(self, store: Store) -> SafeString:
        return _counted(store, SyncState.WAITING)

    @admin.display(description=SyncState.DUE.label)
    def n_due(self, store: Store) -> SafeString:
        return _counted(store, SyncState.DUE)

    @admin.display(description=SyncState.SYNCED.label)
    def n_synced(self, store: Store) -> SafeString:
        return _counted(store, SyncState.SYNCED)

    @admin.display(description=SyncState.ATTENTION.label)
    def n_attention(self, store: Store) -> SafeString:
        return _counted(store, SyncState.ATTENTION)


def counts_of(store_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """How many rows of these stores are in each state: {store id: {state: count}}, in one query."""
    counts: dict[int, dict[str, int]] = defaultdict(dict, {pk: {} for pk in store_ids})
    rows = TrackingSync.objects.filter(store__in=store_ids).order_by().values("store_id", "state")
    for store_id, state, n in rows.annotate(n=Count("pk")).values_list("store_id", "state", "n"):
        counts[store_id][state] = n
    return counts


def _counted(store: Store, state: str) -> SafeString:
    n = store.counts.get(state, 0)  # type: ignore[attr-defined]
    address = reverse("admin:orders_trackingsync_changelist")
    return format_html('<a href="{}?store={}&amp;state__exact={}">{}</a>', address, store.pk, state, n)


def _person(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def _told(change: Any) -> dict[str, Any]:
    names = [name for name in change.after if change.after.get(name) != change.before.get(name)]
    differences = [
        f"{_NAMES.get(name, name)}: {_shown(name, change.before)} → {_shown(name, change.after)}" for name in names
    ]
    return {"version": change.version, "at": change.at, "actor": change.actor, "differences": differences}


_CHOICES: dict[str, Any] = {"timing": Timing, "number_source": NumberSource, "mail_sender": MailSender}
_NAMES = {
    "timing": _("When"),
    "number_source": _("Which number"),
    "delay_hours": _("Hours after payment"),
    "mail_sender": _("Who mails the customer"),
    "confirmed": _("Confirmed"),
}


def _shown(name: str, kept: dict[str, Any]) -> str:
    """A kept value in words."""
    value = kept.get(name)
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    choices = _CHOICES.get(name)
    return str(choices(value).label) if choices is not None and value in choices.values else str(value)
