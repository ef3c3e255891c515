"""The file of all that is filtered, not only of the page on the screen."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.http import require_GET

from ...export import pieces
from ...listing import find
from .filters import filters_of

# A file of a million orders keeps the database busy for a minute; nobody needs more of them than this.
FILES = 10
SECONDS = 600


@login_required
@require_GET
def store_orders_csv(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """All orders of the filters in the address, as a file that is made while it is sent.

    Filters that make no sense lead back to the page, which says why. At most FILES in SECONDS for one merchant.
    """
    form = filters_of(request)
    if not form.is_valid():
        return redirect(f"{reverse('store_orders')}?{request.GET.urlencode()}")
    if not _may_have_one_more(f"store-orders-csv:{request.user.pk}"):
        return render(request, "orders/store_orders_too_many.html", {"section": "orders"}, status=429)
    now = timezone.now()
    store = form.store_chosen
    found = find([store] if store else form.stores, form.sought(), now)
    response = StreamingHttpResponse(
        _in_language(pieces(found, now), translation.get_language()), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="store-orders-{now:%Y-%m-%d}.csv"'
    response["Cache-Control"] = "private, no-store"
    return response


def _may_have_one_more(key: str) -> bool:
    """Count one more file under this key; False when there were enough of late."""
    if cache.add(key, 1, SECONDS):
        return True
    try:
        return cache.incr(key) <= FILES
    except ValueError:  # it has just run out
        cache.set(key, 1, SECONDS)
        return True


def _in_language(made: Iterator[str], language: str | None) -> Iterator[str]:
    """The pieces in the language of the request, which is over when most of them are made."""
    while True:
        with translation.override(language):
            piece = next(made, None)
        if piece is None:
            return
        yield piece
