"""Leaving: what becomes of a store's numbers is said first, everything can be taken along, then it is disconnected."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe
from django_q.tasks import async_task

from stores import hooks
from stores.access import store_of
from stores.choices import DisconnectReason
from stores.guides import GUIDES
from stores.models import Store

from ...choices import SyncState
from ...leaving import everything
from ...local_time import in_zone_of, zone_of
from ...models import TrackingNumber, TrackingSync

# A file of half a million orders keeps the database busy for a minute; nobody needs more of them than this.
FILES = 5
SECONDS = 600


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def store_disconnect(request: HttpRequest, store_id: int) -> HttpResponse:
    """What happens to the numbers on GET; disconnected on POST, where our access is deleted as well.

    Where the store sends us its messages that is done by a task, since the access is needed once more to end them.
    """
    store = store_of(request, store_id)
    if store.disconnected_at is not None:
        return redirect("store", store_id=store.pk)
    if request.method == "POST":
        if hooks.disconnect(store, DisconnectReason.MERCHANT, timezone.now()):
            async_task("orders.tasks.let_go", store.pk)
        told = gettext("{store} is disconnected. What your store shows stays there; everything here stays readable.")
        messages.success(request, told.format(store=store.name))
        return redirect("store", store_id=store.pk)
    rows = TrackingSync.objects.filter(store=store)
    number = TrackingNumber.objects.filter(shipment=OuterRef("shipment"), replaced_at__isnull=True)
    unsent = rows.filter(shown__isnull=True, sending__isnull=True)
    context = {
        "store": store,
        "numbers": unsent.filter(Exists(number)).count(),
        "sending": rows.filter(sending__isnull=False).count(),
        "shown": rows.filter(state=SyncState.SYNCED).count(),
        "leaving": GUIDES[store.platform].leaving if store.platform in GUIDES else "",
        "section": "stores",
    }
    return render(request, "stores/disconnect.html", context)


@login_required
@require_safe
def store_download(request: HttpRequest, store_id: int) -> HttpResponse | StreamingHttpResponse:
    """Everything that is kept of the store, made while it is sent; disconnected stores included.

    At most FILES in SECONDS for one merchant; one more leads back to the store's page, which says so.
    """
    store = store_of(request, store_id)
    if not _may_have_one_more(request.user.pk):
        told = gettext("You have fetched this several times just now. Wait ten minutes, then fetch it again.")
        messages.warning(request, told)
        return redirect("store", store_id=store.pk)
    name = re.sub(r"[^A-Za-z0-9]+", "-", store.name).strip("-").lower() or "store"
    with in_zone_of(store):
        today = f"{timezone.localdate():%Y-%m-%d}"
    response = StreamingHttpResponse(_as_asked(store, translation.get_language()), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="tracksync-{name}-{today}.zip"'
    response["Cache-Control"] = "private, no-store"
    return response


def _may_have_one_more(user_id: int | None) -> bool:
    """Count one more file of this merchant; False when there were enough of late."""
    key = f"store-download:{user_id}"
    if cache.add(key, 1, SECONDS):
        return True
    try:
        return cache.incr(key) <= FILES
    except ValueError:  # it has just run out
        cache.set(key, 1, SECONDS)
        return True


def _as_asked(store: Store, language: str | None) -> Iterator[bytes]:
    """The pieces in the request's language and the store's time zone: the request is over when most are made."""
    pieces, done = everything(store), object()
    while True:
        with translation.override(language), timezone.override(zone_of(store)):
            piece = next(pieces, done)
        if piece is done:
            return
        yield piece  # type: ignore[misc]
