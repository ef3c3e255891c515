"""The choice without a store: which one is it for? Nothing can be chosen before that is said."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from stores.access import stores_of

from . import words
from .refusal import refuse


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def choice_pick(request: HttpRequest) -> HttpResponse:
    """The merchant's stores to pick from. 400 for every attempt to save without one."""
    if request.method == "POST":
        return refuse(request)
    stores = [
        {
            "store": store,
            "timing": words.timing_words(store.preference.timing),
            "number_source": words.source_words(store.preference.number_source),
        }
        for store in stores_of(request.user).filter(disconnected_at=None)
    ]
    return render(request, "orders/choice_pick.html", {"stores": stores, "section": "stores"})
