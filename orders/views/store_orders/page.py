"""The page: filters, the list, and what is chosen for the selected store. Nothing is saved here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from stores.access import store_of
from stores.choices import NumberSource, Timing
from stores.models import Store

from ...listing import Page, Place, find, page_of, with_parcels
from ...local_time import in_zone_of
from ...wording import show_time
from .filters import Filters, filters_of
from .rows import shown


@dataclass(frozen=True)
class Question:
    """One question of the choice, its answers as (value, label), and the one that is saved, "" without a store."""

    name: str
    label: str
    answers: tuple[tuple[str, str], ...]
    saved: str


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def store_orders(request: HttpRequest) -> HttpResponse:
    """The list. A POST asks to change the choice: refused without a store, else led to that store's own page."""
    if request.method == "POST":
        return _choose(request)
    form = filters_of(request)
    if not form.is_valid():
        return _render(request, form, {}, status=400)
    try:
        place = _place(request)
    except ValueError:
        wrong = gettext("This link to a page of the list is damaged. Start again from the newest orders.")
        return _render(request, form, {"wrong": wrong}, status=400)

    now = timezone.now()
    store = form.store_chosen
    searched = [store] if store else form.stores
    page = page_of(find(searched, form.sought(), now), place)
    context = {
        "store": store,
        "orders": shown(with_parcels(page.orders, searched), now),
        "chosen": form.chosen(),
        "newer": form.query(before=str(page.newer)) if page.newer else "",
        "older": form.query(after=str(page.older)) if page.older else "",
        "is_first": place is None,
        "looked_to": _looked_to(page, store),
        "looked_further": "newer" if place and place.is_before else "older",
        "query": form.query(),
    }
    return _render(request, form, context)


def _looked_to(page: Page, store: Store | None) -> str:
    """Up to when the list was looked through for what is sought, where that is not all of it."""
    if page.looked_to is None:
        return ""
    if store is None:
        return show_time(page.looked_to)
    with in_zone_of(store):
        return show_time(page.looked_to)


def _choose(request: HttpRequest) -> HttpResponse:
    """The choice is made for one store, on a page that shows its effect first."""
    asked = request.POST.get("store", "").strip()
    if asked.isascii() and asked.isdigit():
        store = store_of(request, int(asked))
        answers = {name: request.POST[name] for name in ("timing", "number_source") if request.POST.get(name)}
        return redirect(f"{reverse('choice', args=[store.pk])}{'?' if answers else ''}{urlencode(answers)}")
    form = filters_of(request)
    wrong = gettext("Nothing was saved. Choose a store first: the choice is made for one store.")
    return _render(request, form, {"wrong": wrong}, status=400)


def _questions(store: Store | None) -> list[Question]:
    """The two questions of the choice, with what is saved for the store; answered on the store's own page."""
    preference = store.preference if store else None
    return [
        Question(
            "timing",
            gettext("When should a number go to your store?"),
            (
                (Timing.BEFORE_DISPATCH, gettext("Before we hand the parcel over")),
                (Timing.AFTER_DISPATCH, gettext("After we have handed it over")),
            ),
            preference.timing if preference else "",
        ),
        Question(
            "number_source",
            gettext("Which number should your customers see?"),
            tuple((value, str(label)) for value, label in NumberSource.choices),
            preference.number_source if preference else "",
        ),
    ]


def _place(request: HttpRequest) -> Place | None:
    """Where the page begins or ends. Raises ValueError for a damaged one."""
    if after := request.GET.get("after", ""):
        return Place.read(after)
    if before := request.GET.get("before", ""):
        return Place.read(before, is_before=True)
    return None


def _render(request: HttpRequest, form: Filters, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    known = {
        "section": "orders",
        "form": form,
        "stores": [(store, form.query(store=str(store.pk))) for store in form.stores],
        "questions": _questions(context.get("store")),
    }
    return render(request, "orders/store_orders.html", known | context, status=status)
