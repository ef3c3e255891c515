"""Coming back from a shop: the consent is looked at from every side, the access tried at that very shop, then kept.

    shopify_back      the browser, with a code that buys a token
    woocommerce_key   the shop's own server, with a key, while the merchant is still in the shop
    woocommerce_back  the browser afterwards; the key is tried now

What stops a return is said in one_click_words.py. A return that is no return of anybody writes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial, wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_POST
from django_q.tasks import async_task

from stores import connections
from stores.authorising import finishing, invitations, pending
from stores.authorising.finishing import Finished, How
from stores.authorising.pending import NotTaken, Refused
from stores.connect import AlreadyConnected, is_connected
from stores.connectors import registry
from stores.connectors.codes import Code
from stores.connectors.errors import ConnectorError, StoreDisconnected
from stores.connectors.shopify import oauth
from stores.connectors.woocommerce import auth
from stores.connectors.woocommerce.address import are_related
from stores.models import PendingConnection, Store

from ... import pulse
from ...health import needs_locations
from . import one_click_words as words
from .moving import move, moved_to
from .one_click import LINK, guide_of, session_of
from .one_click_words import Stopped

log = logging.getLogger(__name__)

ARM_HOOKS = "orders.tasks.arm_hooks"


@sensitive_variables()
@login_required
@never_cache
@require_GET
def shopify_back(request: HttpRequest) -> HttpResponse:
    """Back from Shopify's consent. What is checked: state, person and session; consent; signature and time; the shop;
    the permissions that were granted; and at last the shop itself."""
    params, now = request.GET.dict(), timezone.now()
    try:
        begun = pending.take(params.get("state", ""), _person(request), session_of(request), now)
    except NotTaken as error:
        return _not_taken(request, error)
    app = dict(begun.credentials)
    app.pop(LINK, None)
    if "error" in params or not params.get("code"):
        return stopped(request, begun, words.declined(begun))
    try:
        _client_id, secret = connections.app_of(app)
        if not oauth.is_genuine(params, secret, now):
            return stopped(request, begun, words.not_genuine(begun))
        shop = oauth.shop_of(params)
        if not oauth.is_at(shop, begun.base_url):
            raise StoreDisconnected(Code.WRONG_SHOP, shop=shop)
        if begun.invitation and invitations.state_of(begun.invitation, now) != invitations.State.OPEN:
            return stopped(request, begun, words.invitation_over())
        own = finishing.own_store(begun.user, begun.platform, begun.base_url)
        if own is None and is_connected(begun.platform, begun.base_url):
            # Before the code is used: that would end the access which the app has for somebody else's store.
            raise AlreadyConnected
        grant = connections.exchange(begun.platform, begun.base_url, app, params["code"])
        needed = [permission.name for permission in guide_of(begun.platform).needed]
        # A store that is here keeps the new access even then: the shop has just ended the old one (check_again).
        if own is None and (missing := oauth.missing_scopes(needed, grant.scopes)):
            raise StoreDisconnected(Code.SCOPE_MISSING, scopes=list(missing))
        done = finishing.finish(begun, app, grant=grant, now=now)
    except (ConnectorError, ValidationError) as error:
        return stopped(request, begun, words.refused(begun, error))
    return _connected(request, done)


@sensitive_variables()
@csrf_exempt  # a shop's server has no page of ours; the token in the address is the proof
@require_POST
def woocommerce_key(request: HttpRequest, token: str) -> HttpResponse:
    """The key, brought by the shop's server: 200 where it was waited for, else refused, whereupon the shop deletes it.

    Nobody is logged in here. The token in the path and the one in the body must both be the one that was sent out.
    """
    length = str(request.META.get("CONTENT_LENGTH") or "0")
    if not length.isdecimal() or int(length) > auth.BODY_LIMIT:
        return HttpResponse(status=413)
    grant = auth.read_grant(request.body)
    if grant is None or grant.user_id != token:
        raise Http404
    kept = {**grant.credentials, "permissions": grant.permissions}
    if not pending.keep_answer(token, kept, timezone.now()):
        raise Http404
    return HttpResponse("OK")


def _ends_without_login(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Whoever began comes back in their session. If nobody is logged in, somebody else said yes: then whoever asked
    must not get the shop."""

    @wraps(view)
    def looked_at(request: HttpRequest) -> HttpResponse:
        if request.method == "GET" and not request.user.is_authenticated:
            pending.spoil(request.GET.get("user_id", ""), timezone.now())
        return view(request)

    return looked_at


@sensitive_variables()
@_ends_without_login
@login_required
@never_cache
@require_GET
def woocommerce_back(request: HttpRequest) -> HttpResponse:
    """Back from the shop's own page. The key is there already, or has not come yet, or was refused there."""
    state, now, person = request.GET.get("user_id", ""), timezone.now(), _person(request)
    try:
        begun = pending.look(state, person, session_of(request), now)
        if request.GET.get("success") != "1":
            begun = pending.take(state, person, session_of(request), now)
            return stopped(request, begun, words.declined(begun))
        if begun.answered_at is None:
            context = {"guide": guide_of(begun.platform), "shop": finishing.host_of(begun.base_url)}
            return render(request, "stores/one_click_waiting.html", context | {"section": "stores"})
        begun = pending.take(state, person, session_of(request), now)
    except NotTaken as error:
        if error.why in (Refused.OTHER_PERSON, Refused.OTHER_SESSION):
            # The one who said yes is not the one who asked: whoever asked must not get the shop.
            pending.spoil(state, now)
        return _not_taken(request, error)
    key = dict(begun.credentials)
    permissions = key.pop("permissions", "")
    if permissions != auth.SCOPE:
        return stopped(request, begun, words.key_too_weak(begun))
    try:
        done = _by_key(begun, key, now)
    except (ConnectorError, ValidationError) as error:
        return stopped(request, begun, words.refused(begun, error))
    return _connected(request, done)


def _by_key(begun: PendingConnection, key: dict[str, str], now: datetime) -> Finished:
    """Try the key at the shop that was asked; or where that very shop leads, if it only has a www. more or less.

    A store that has moved since it was connected was asked at its new address (one_click.py).
    """
    store = begun.store
    if store is not None and store.base_url != begun.base_url and begun.base_url == moved_to(store):
        move(store, begun.base_url, key)
    try:
        return finishing.finish(begun, key, now=now)
    except StoreDisconnected as error:
        to = _next_door(begun, error)
        if store is not None or not to:
            raise
        begun.base_url = to
        return finishing.finish(begun, key, now=now)


def _next_door(begun: PendingConnection, error: StoreDisconnected) -> str:
    """The address that the shop leads to, as it is kept, where it is of the same name; else ""."""
    to = str(error.reason.values.get("to") or "") if error.reason.code == Code.ADDRESS_MOVED else ""
    if not to or not are_related(finishing.host_of(begun.base_url), finishing.host_of(to)):
        return ""
    try:
        return registry.normalise_base_url(begun.platform, to, connections.allowed_networks())
    except ConnectorError:
        return ""


def stopped(request: HttpRequest, begun: PendingConnection | None, why: Stopped, status: int = 200) -> HttpResponse:
    """The page that says what stopped it and what to do."""
    if begun is not None:
        log.info("Connecting to %s was stopped: %s", begun.platform, why.code)
    context = {
        "why": why,
        "guide": guide_of(begun.platform) if begun is not None else None,
        "again": _again(begun, why.shop) if begun is not None and why.can_repeat else "",
        "store": begun.store if begun is not None else None,
        "is_invited": begun is not None and begun.invitation_id is not None,
        "section": "stores",
    }
    return render(request, "stores/one_click_stopped.html", context, status=status)


def _again(begun: PendingConnection, shop: str = "") -> str:
    """Where it can be begun once more; "" where only the link of an invitation leads there, and nobody kept it."""
    if begun.invitation_id is not None:
        link = begun.credentials.get(LINK, "")
        return reverse("invitation", args=[link]) if link else ""
    if begun.store_id is not None:
        return reverse("store_reconnect", args=[begun.store_id])
    return f"{reverse('one_click', args=[begun.platform])}?{urlencode({'shop': shop or begun.base_url})}"


def _not_taken(request: HttpRequest, error: NotTaken) -> HttpResponse:
    """Refused; but who comes back twice to a store that was connected meanwhile is shown it."""
    begun = error.pending
    if begun is not None and error.why == Refused.USED:
        store = finishing.own_store(request.user, begun.platform, begun.base_url)
        if store is not None and not store.needs_reconnecting:
            return redirect("store", store_id=store.pk)
    return stopped(request, begun, words.not_taken(error.why, begun), status=400)


def _connected(request: HttpRequest, done: Finished) -> HttpResponse:
    """Told, rung, armed; with several locations the next page asks for them."""
    store = done.store
    after_connecting(store)
    told = {
        How.NEW: gettext("{store} is connected."),
        How.AGAIN: gettext("{store} lets us in again. Whatever waited for that goes out now."),
        How.REVIVED: gettext(
            "{store} is connected again, and goes on where it ended: its orders, its numbers and your choice are as "
            "you left them. Whatever waited goes out now."
        ),
    }[done.how]
    messages.success(request, told.format(store=store.name))
    if needs_locations(store):
        messages.info(request, gettext("The shop has several locations. Tick those we ship from, then save."))
        return redirect("store_locations", store_id=store.pk)
    return redirect("store", store_id=store.pk)


def after_connecting(store: Store) -> None:
    """What follows when a store lets us in: written down, the background woken, and the store's messages asked for."""
    Store.objects.filter(pk=store.pk).update(facts={**store.facts, "checked_at": timezone.now().isoformat()})
    pulse.ring()
    # Never in the page's own request: the store may take its time. What fails here is done by the schedule.
    transaction.on_commit(partial(async_task, ARM_HOOKS, store.pk), robust=True)


def _person(request: HttpRequest) -> Any:
    assert isinstance(request.user, User)  # noqa: S101 -- login_required: nobody anonymous comes here
    return request.user
