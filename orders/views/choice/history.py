"""Who chose what for a store, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from stores.access import store_of
from stores.models import PreferenceChange, Store

from ...local_time import in_zone_of
from . import words

LATEST = 3
PAGE = 25


@dataclass(frozen=True)
class Change:
    """One saved choice, in words."""

    at: datetime
    who: str
    version: int
    lines: list[str]


def latest(store: Store, count: int = LATEST) -> list[Change]:
    """The last changes of the store's choice, newest first; one query."""
    return [_change(change, store) for change in _changes(store)[:count]]


@login_required
@require_safe
def choice_history(request: HttpRequest, store_id: int) -> HttpResponse:
    """Every change of the store's choice."""
    store = store_of(request, store_id)
    page = Paginator(_changes(store), PAGE).get_page(request.GET.get("page"))
    with in_zone_of(store):
        return render(
            request,
            "orders/choice_history.html",
            {"store": store, "page": page, "changes": [_change(c, store) for c in page], "section": "stores"},
        )


def _changes(store: Store) -> QuerySet[PreferenceChange]:
    return PreferenceChange.objects.filter(preference_id=store.pk).select_related("actor").order_by("-version")


def _change(change: PreferenceChange, store: Store) -> Change:
    return Change(
        at=change.at,
        who=_who(change, store),
        version=change.version,
        lines=words.change_words(change.before, change.after, store.get_platform_display()),
    )


def _who(change: PreferenceChange, store: Store) -> str:
    if change.actor is None:
        return gettext("Our system")
    if change.actor_id == store.owner_id:
        return change.actor.email or change.actor.get_username()
    return gettext("Our staff")
