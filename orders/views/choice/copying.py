"""The choice of one store, copied to others of the same merchant: each with its own effect, each ticked on its own."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from stores.access import store_of, stores_of
from stores.models import Store, SyncPreference
from stores.preferences import copy_preference

from ... import pulse
from ...effect import Effect, chosen, effects
from ...policy import Preference
from . import words
from .binding import NotOurs, seal_versions, unseal_versions
from .refusal import refuse

PURPOSE = "copy"


@dataclass(frozen=True)
class Target:
    """A store that the choice may be copied to, and what that would do."""

    store: Store
    is_same: bool
    now: str
    mails: str
    effect: Effect


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def choice_copy(request: HttpRequest, store_id: int) -> HttpResponse:
    """The merchant's other stores, with what this store's choice would do in each."""
    store = store_of(request, store_id)
    others = list(stores_of(request.user).filter(disconnected_at=None).exclude(pk=store.pk))
    if request.method == "POST":
        return _copy(request, store, others)
    now = timezone.now()
    found = effects(((other, _as_in(store, other)) for other in others), now)
    versions = {each.pk: each.preference.version for each in [store, *others]}
    return render(
        request,
        "orders/choice_copy.html",
        {
            "store": store,
            "section": "stores",
            "in_words": _in_words(store),
            "targets": [
                Target(
                    store=other,
                    is_same=_is_same(store, other),
                    now=words.listed(_in_words(other)),
                    mails=words.sender_words(other.preference.mail_sender, other.get_platform_display()),
                    effect=found[other.pk],
                )
                for other in others
            ],
            "seal": seal_versions(PURPOSE, versions),
        },
    )


def _copy(request: HttpRequest, store: Store, others: list[Store]) -> HttpResponse:
    try:
        versions = unseal_versions(PURPOSE, request.POST.get("seal", ""))
    except NotOurs:
        return refuse(request, store)
    ticked = set(request.POST.getlist("store"))
    targets = [other for other in others if str(other.pk) in ticked]
    if store.pk not in versions or len(targets) != len(ticked):
        return refuse(request, store)
    if not targets:
        messages.warning(request, gettext("Tick the stores that shall get this choice; nothing was saved."))
    for target in targets:
        _copy_to(request, store, target, versions)
    pulse.ring()
    return redirect("choice_copy", store.pk)


def _copy_to(request: HttpRequest, store: Store, target: Store, versions: dict[int, int]) -> None:
    """Save for one store, unless its choice or the one that is copied is another than was shown."""
    now = timezone.now()
    with transaction.atomic():
        locked = SyncPreference.objects.select_for_update().filter(pk__in=[store.pk, target.pk]).order_by("pk")
        if any(preference.version != versions.get(preference.pk) for preference in locked):
            text = gettext("{store} was left alone: a choice was changed meanwhile. Look at what it does now.")
            messages.warning(request, text.format(store=target.name))
            return
        found = effects([(target, _as_in(store, target))], now)[target.pk]
        copy_preference(store, target, actor=request.user, now=now)  # type: ignore[arg-type]
    messages.success(request, words.saved_words(found, target, now))


def _as_in(store: Store, other: Store) -> Preference:
    """The other store's preference with this store's choice."""
    saved = store.preference
    return chosen(other, saved.timing, saved.number_source, saved.delay_hours)


def _is_same(store: Store, other: Store) -> bool:
    mine, theirs = store.preference, other.preference
    return theirs.confirmed_at is not None and (mine.timing, mine.number_source, mine.delay_hours) == (
        theirs.timing,
        theirs.number_source,
        theirs.delay_hours,
    )


def _in_words(store: Store) -> list[str]:
    saved = store.preference
    return [
        words.timing_words(saved.timing),
        words.source_words(saved.number_source),
        words.delay_words(saved.delay_hours),
    ]
