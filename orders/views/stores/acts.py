"""What a merchant does with a store by one button: pause it, resume it, check its connection now. POST only."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from stores import trouble
from stores.access import store_of
from stores.connect import check_again
from stores.connectors.errors import ConnectorError, StoreBusy, StoreDisconnected
from stores.models import Store

from ... import pulse
from ...local_time import in_zone_of
from ...wording import releases, sentence


@login_required
@require_POST
def store_pause(request: HttpRequest, store_id: int) -> HttpResponse:
    """Orders are still pulled, nothing is sent."""
    store = store_of(request, store_id)
    if Store.objects.connected().filter(pk=store.pk).update(is_paused=True):
        messages.success(
            request,
            gettext("{store} is paused. Nothing is sent to it until you press “Resume”.").format(store=store.name),
        )
    return redirect("store", store_id=store.pk)


@login_required
@require_POST
def store_resume(request: HttpRequest, store_id: int) -> HttpResponse:
    """Whatever is due goes out at once."""
    store = store_of(request, store_id)
    if Store.objects.connected().filter(pk=store.pk).update(is_paused=False):
        pulse.ring()
        told = gettext("{store} goes on. Whatever is due is sent now.").format(store=store.name)
        messages.success(request, told)
    return redirect("store", store_id=store.pk)


@login_required
@require_POST
def store_check(request: HttpRequest, store_id: int) -> HttpResponse:
    """Ask the store right now whether it lets us in, and write down what came of it."""
    store = store_of(request, store_id)
    if store.disconnected_at is None:
        with in_zone_of(store):
            _check(request, store)
    return redirect("store", store_id=store.pk)


def _refused(error: ConnectorError, store: Store) -> str:
    """Why the store did not let us in; the page itself says why where a person has to act on it."""
    if isinstance(error, StoreDisconnected):
        return gettext("{store} does not let us in. Below is why, and what to do.").format(store=store.name)
    code, values = error.reason.code, {"platform": store.get_platform_display(), **error.reason.values}
    return f"{sentence(code, values)} {releases(code, values)}"


def _check(request: HttpRequest, store: Store) -> None:
    now = timezone.now()
    # A token that was bought before something was put right in the store may not know of it: a new one is.
    fresh = store.credentials.opened() if store.needs_reconnecting else None
    try:
        check_again(store, fresh)
    except ConnectorError as error:
        if isinstance(error, StoreDisconnected):
            trouble.disconnected(store.pk, error, now)
        elif isinstance(error, StoreBusy):
            trouble.busy(store.pk, error, now)
        messages.error(request, _refused(error, store))
        return
    Store.objects.filter(pk=store.pk).update(facts={**store.facts, "checked_at": now.isoformat()})
    pulse.ring()
    messages.success(request, gettext("{store} lets us in. Below is what we found.").format(store=store.name))
