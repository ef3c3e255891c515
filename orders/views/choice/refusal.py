"""What is said when a save was not bound to a store."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from stores.models import Store


def refuse(request: HttpRequest, store: Store | None = None) -> HttpResponse:
    """400: nothing is saved without the store that the page was opened for."""
    return render(request, "orders/choice_refused.html", {"store": store, "section": "stores"}, status=400)
