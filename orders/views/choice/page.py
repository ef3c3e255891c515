"""The page of one store's choice: the questions, what the answers would change, and the save.

GET                       the questions with what is saved, or with the answers in the address
GET ?fragment=effect      only what they would change, for choice.js
GET ?fragment=progress    only how far a saved choice has come
POST act=look             the address with these answers
POST act=save             saved, if these are the answers whose effect was shown; else shown again
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from stores.access import store_of, stores_of
from stores.models import Store, SyncPreference
from stores.preferences import save_preference

from ... import experience, plan, pulse, reapply, wording
from ...choices import NumberKind, SendCode
from ...effect import Effect, chosen, effect
from ...local_time import in_zone_of
from ...mail.switched_off import keep_word, word_of
from ...models import ShippingMethod, TrackingSync
from ...wording.explain import store_obstacle
from . import words
from .answers import TICK, Answers, first_answers, saved_answers
from .binding import NotOurs, Seen, seal, unseal
from .history import latest
from .refusal import refuse

FIELDS = ("timing", "number_source", "delay_hours", "mail_sender", TICK)


@dataclass(frozen=True)
class Progress:
    """How far a saved choice has come: `behind` of `rows` have still to be reached."""

    behind: int
    rows: int

    @property
    def done(self) -> int:
        """Rows that follow the choice already."""
        return self.rows - self.behind


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def choice(request: HttpRequest, store_id: int) -> HttpResponse:
    """The choice of one store. 404 for a stranger's, 400 for a save that was not bound to it."""
    store = store_of(request, store_id)
    with in_zone_of(store):
        if request.method == "POST":
            return _act(request, store)
        if request.GET.get("fragment") == "progress":
            return render(request, "orders/choice_progress.html", {"store": store, "progress": _progress(store)})
        return _show(request, store)


def _show(request: HttpRequest, store: Store) -> HttpResponse:
    now = timezone.now()
    asked = any(name in request.GET for name in FIELDS)
    first = first_answers(store)
    form = Answers({**first, **request.GET.dict()} if asked else first, store=store)
    context: dict[str, Any] = {"store": store, "form": form, "section": "stores"}
    if form.is_valid():
        context |= _preview(store, form, now)
    if request.GET.get("fragment") == "effect":
        return render(request, "orders/choice_effect.html", context)
    answers = form.cleaned_data if form.is_valid() else form.data
    saved_now = request.GET.get("saved", "")
    return render(
        request,
        "orders/choice.html",
        context
        | {
            "answers": answers,
            "own_prefix": settings.TRACKSYNC_OWN_NUMBER_PREFIX,
            "experience": (found := experience.experience(store, now)),
            "methods": _methods(found.methods),
            "progress": _progress(store) if saved_now or store.preference.confirmed_at else None,
            "just_saved": saved_now,
            "others": stores_of(request.user).filter(disconnected_at=None).exclude(pk=store.pk).count(),
            "obstacle": store_obstacle(store, now),
            "word": word_of(store),
            "history": latest(store),
            "run": reapply.run_of(store),
        },
    )


def _preview(store: Store, form: Answers, now: datetime) -> dict[str, Any]:
    """What these answers would change, and the seal that lets them be saved."""
    answers = form.answers
    is_saved = answers == saved_answers(store.preference) and store.preference.confirmed_at is not None
    if is_saved and form.is_ticked == (word_of(store) is not None):
        return {"is_saved": True}
    found = _effect(store, answers, now)
    return {
        "is_saved": False,
        "effect": found,
        "lines": words.effect_lines(found, store, now),
        "examples": [
            {
                "order": example.order,
                "parcel": example.parcel,
                "before": words.outlook_words(example.before, store),
                "after": words.outlook_words(example.after, store),
            }
            for example in found.examples
        ],
        "in_words": words.answers_in_words(answers, store.get_platform_display()),
        "seal": seal(Seen(store.pk, store.preference.version, **answers, is_switched_off=form.is_ticked)),
    }


def _effect(store: Store, answers: dict[str, Any], now: datetime) -> Effect:
    return effect(store, chosen(store, answers["timing"], answers["number_source"], answers["delay_hours"]), now)


def _act(request: HttpRequest, store: Store) -> HttpResponse:
    form = Answers(request.POST, store=store)
    if request.POST.get("act") != "save":
        return redirect(_address(store, _given(request)))
    try:
        seen = unseal(request.POST.get("seal", ""), store.pk)
    except NotOurs:
        return refuse(request, store)
    if not form.is_valid() or (form.answers, form.is_ticked) != (seen.answers, seen.is_switched_off):
        messages.warning(
            request,
            gettext("The answers are others than those whose effect was shown, so nothing is saved yet. Look again."),
        )
        return redirect(_address(store, _given(request)))
    return _save(request, store, seen)


def _given(request: HttpRequest) -> dict[str, str]:
    """The answers of the form as they are, the tick only where it was asked for."""
    return {name: request.POST.get(name, "") for name in FIELDS if name != TICK or name in request.POST}


def _save(request: HttpRequest, store: Store, seen: Seen) -> HttpResponse:
    """Save what was seen, once, unless somebody else has saved something since."""
    now = timezone.now()
    with transaction.atomic():
        preference = SyncPreference.objects.select_for_update().select_related("store").get(pk=store.pk)
        store.preference = preference
        if preference.version != seen.version:
            if preference.version == seen.version + 1 and saved_answers(preference) == seen.answers:
                return redirect(_address(store, {"saved": str(preference.version)}))  # pressed twice
            messages.warning(
                request,
                gettext(
                    "Somebody changed this store's choice meanwhile, so nothing was saved. Below is what is chosen "
                    "now; choose again, and look at what it changes."
                ),
            )
            return redirect(_address(store, {}))
        found = _effect(store, seen.answers, now)
        saved = save_preference(store, actor=request.user, now=now, **seen.answers)  # type: ignore[arg-type]
        keep_word(store, is_off=seen.is_switched_off, actor=request.user, now=now)  # type: ignore[arg-type]
        pulse.ring()
        pulse.ring(pulse.MAIL)  # a first confirmation lets the mails go that were held
    messages.success(request, words.saved_words(found, store, now))
    return redirect(_address(store, {"saved": str(saved.version)}))


def _address(store: Store, query: dict[str, str]) -> str:
    address = reverse("choice", args=[store.pk])
    return f"{address}?{urlencode(query)}" if query else address


def _progress(store: Store) -> Progress:
    rows = TrackingSync.objects.filter(store=store, shown__isnull=True, sending__isnull=True).count()
    return Progress(min(plan.behind(store), rows), rows)


def _methods(used: frozenset[int]) -> dict[str, list[dict[str, Any]]]:
    """Which number each shipping method gets under either answer: the merchant's own first, the others apart."""
    rows: dict[str, list[dict[str, Any]]] = {"own": [], "others": []}
    for method in ShippingMethod.objects.filter(is_active=True).order_by("-default_number", "name"):
        is_own = method.default_number == NumberKind.OWN
        code = SendCode.OWN_FOR_THIS_METHOD if is_own else SendCode.LOCAL_FOR_THIS_METHOD
        rows["own" if method.pk in used else "others"].append(
            {"name": method.name, "is_own": is_own, "why": wording.sentence(code, {"method": method.name})}
        )
    return rows
