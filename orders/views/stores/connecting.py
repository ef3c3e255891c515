"""Connecting a store, reconnecting one, and the locations we ship from: each is checked live before it is saved.

    connect      name, address and access → checked; with several locations asked for them → saved by stores.connect
    reconnect    new access for the same shop → checked → saved
    locations    which of those that the last check found

Between two steps the access travels sealed in the page (stores/sealing.py). No page that may hold it is kept by a
browser or a proxy.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from stores import connections, sealing
from stores.access import store_of
from stores.authorising.finishing import own_store
from stores.connect import AlreadyConnected, check_again, connect, is_connected
from stores.connectors import registry
from stores.connectors.base import Location, StoreFacts
from stores.connectors.errors import ConnectorError
from stores.forms import ConnectForm, LocationsForm, own_locations
from stores.guides import GUIDES, Guide
from stores.models import Store

from ... import pulse
from . import checklist
from .checklist import Refusal, refusal
from .moving import leads_to, move, moved_to

# Somebody who presses twice is shown the store that the first press made.
PRESSED_TWICE = timedelta(minutes=2)


@dataclass(frozen=True)
class Access:
    """How to get into one shop, as it was typed. `base_url` in the spelling that is kept."""

    name: str
    base_url: str
    credentials: dict[str, str] = dataclasses.field(repr=False)


@login_required
@require_http_methods(["GET", "HEAD"])
def connect_pick(request: HttpRequest) -> HttpResponse:
    """Which platform."""
    return render(request, "stores/connect_pick.html", {"guides": GUIDES.values(), "section": "stores"})


@sensitive_post_parameters()
@sensitive_variables()
@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def connect_store(request: HttpRequest, platform: str) -> HttpResponse:
    """The guided form of one platform. 404 for a platform that is not there."""
    guide = GUIDES.get(platform)
    if guide is None:
        raise Http404
    if request.method != "POST":
        return _form_page(request, guide, guide.form(initial=_known_before(request, guide)))
    if request.POST.get("step") == "locations":
        return _second_step(request, guide)
    access, form, refused = _read(request, guide)
    if access is None:
        return _form_page(request, guide, form, refused)
    try:
        if is_connected(platform, access.base_url):
            raise AlreadyConnected
        facts = connections.check_connection(platform, access.base_url, access.credentials)
        if len(own_locations(facts.locations)) > 1:
            return _locations_page(request, guide, access, facts)
        return _save(request, guide, access, [])
    except (ConnectorError, ValidationError) as error:
        return _again(request, guide, form, access, error)


@sensitive_post_parameters()
@sensitive_variables()
@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def store_reconnect(request: HttpRequest, store_id: int) -> HttpResponse:
    """New access for the same shop. What does not work replaces nothing."""
    store = store_of(request, store_id)
    guide = _guide_of(store)
    if store.disconnected_at is not None:
        messages.info(request, gettext("This store is disconnected. Connect the shop anew."))
        return redirect("store", store_id=store.pk)
    if request.method != "POST":
        form = guide.form(with_name=False, initial={"base_url": moved_to(store) or store.base_url})
        return _form_page(request, guide, form, store=store)
    access, form, refused = _read(request, guide, store=store)
    if access is None:
        return _form_page(request, guide, form, refused, store=store)
    try:
        if access.base_url != store.base_url:
            move(store, access.base_url, access.credentials)
        check_again(store, access.credentials)
    except (ConnectorError, AlreadyConnected) as error:
        return _again(request, guide, form, access, error, store=store)
    _checked(store, timezone.now())
    pulse.ring()
    messages.success(
        request, gettext("{store} lets us in again. Whatever waited for that goes out now.").format(store=store.name)
    )
    return redirect("store", store_id=store.pk)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def store_locations(request: HttpRequest, store_id: int) -> HttpResponse:
    """Which of the store's locations we ship from."""
    store = store_of(request, store_id)
    offered = own_locations(checklist.kept_facts(store.facts).locations)
    chosen = store.location_ids or [each.external_id for each in offered]
    form = LocationsForm(request.POST if request.method == "POST" else None, offered=offered, chosen=chosen)
    if request.method == "POST" and form.is_valid():
        Store.objects.filter(pk=store.pk).update(location_ids=form.cleaned_data["locations"])
        pulse.ring()
        told = gettext(
            "Saved. From now on numbers are sent for items that lie at these locations. What was refused because of "
            "its location is under “needs attention”; try it again there."
        )
        messages.success(request, told)
        return redirect("store", store_id=store.pk)
    return render(request, "stores/locations.html", {"store": store, "form": form, "section": "stores"})


# --- reading what was typed ------------------------------------------------------------------------------


def _read(
    request: HttpRequest, guide: Guide, store: Store | None = None
) -> tuple[Access | None, ConnectForm, Refusal | None]:
    """The access that was typed, or that an earlier step kept; None where something is missing or refused."""
    kept = _kept(request, guide, store)
    form = guide.form(request.POST, kept=kept is not None, with_name=store is None)
    if not form.is_valid():
        return None, form, None
    try:
        address = registry.normalise_base_url(
            guide.platform, form.cleaned_data["base_url"], connections.allowed_networks()
        )
    except ConnectorError as error:
        refused = refusal(error, guide)
        form.add_error(refused.field or None, refused.text)
        return None, form, refused
    if store is not None and address not in (store.base_url, moved_to(store)):
        told = gettext(
            "This is another shop than {address}, and {store}'s orders are not there. Connect the other shop as a "
            "store of its own."
        )
        form.add_error("base_url", told.format(address=store.base_url, store=store.name))
        return None, form, None
    credentials = form.credentials
    if not credentials and kept is not None:
        if kept.base_url != address:
            form.add_error("base_url", gettext("For another shop, type its access data, too."))
            return None, form, None
        credentials = kept.credentials
    name = store.name if store else form.cleaned_data["name"]
    return Access(name, address, credentials), form, None


def _kept(request: HttpRequest, guide: Guide, store: Store | None) -> Access | None:
    """The access of an earlier step; or the one that a shop has moved with, which is good at its new address only."""
    try:
        sealed = sealing.unseal(
            request.POST.get("sealed", ""), user_id=request.user.pk, purpose=_purpose("access", guide, store)
        )
    except sealing.Unreadable:
        to = moved_to(store) if store else ""
        return Access(store.name, to, store.credentials.opened()) if store and to else None
    return Access(**sealed)


def _known_before(request: HttpRequest, guide: Guide) -> dict[str, str]:
    """Name and address of a store of the merchant's own that is connected again. Raises Http404 for anybody else's."""
    again = request.GET.get("again", "")
    if not again.isdecimal():
        return {}
    store = store_of(request, int(again))
    return {"name": store.name, "base_url": store.base_url} if store.platform == guide.platform else {}


# --- the second step ---------------------------------------------------------------------------------------


def _second_step(request: HttpRequest, guide: Guide) -> HttpResponse:
    """The locations were chosen: check once more and save; a seal that is too old leads back to the first step."""
    try:
        sealed = sealing.unseal(
            request.POST.get("sealed", ""), user_id=request.user.pk, purpose=_purpose("locations", guide)
        )
    except sealing.Unreadable:
        messages.warning(
            request, gettext("That took longer than a quarter of an hour, so nothing was kept. Type it once more.")
        )
        return redirect("connect_store", platform=guide.platform)
    access, facts = Access(**sealed["access"]), checklist.kept_facts(sealed["facts"])
    form = LocationsForm(request.POST, offered=own_locations(facts.locations))
    if not form.is_valid():
        return _locations_page(request, guide, access, facts, form)
    try:
        return _save(request, guide, access, form.cleaned_data["locations"])
    except (ConnectorError, ValidationError) as error:
        first = guide.form({"name": access.name, "base_url": access.base_url}, kept=True, initial={"name": access.name})
        first.is_valid()
        return _again(request, guide, first, access, error)


def _save(request: HttpRequest, guide: Guide, access: Access, location_ids: list[str]) -> HttpResponse:
    """Checked live once more and kept, all of it or nothing. Raises what connect() raises."""
    store = connect(
        owner=request.user,  # type: ignore[arg-type]  # login_required: nobody anonymous comes here
        platform=guide.platform,
        name=access.name,
        base_url=access.base_url,
        credentials=access.credentials,
        now=timezone.now(),
    )
    if location_ids:
        Store.objects.filter(pk=store.pk).update(location_ids=location_ids)
    _checked(store, timezone.now())
    pulse.ring()
    messages.success(request, gettext("{store} is connected.").format(store=store.name))
    return redirect("store", store_id=store.pk)


# --- pages -------------------------------------------------------------------------------------------------


def _again(
    request: HttpRequest,
    guide: Guide,
    form: ConnectForm,
    access: Access,
    error: ConnectorError | ValidationError,
    store: Store | None = None,
) -> HttpResponse:
    """The first form once more, with what was refused at its field; nothing was saved."""
    if isinstance(error, ConnectorError):
        refused = refusal(error, guide, [name for name in access.credentials if name in form.fields])
        form.add_error(refused.field or None, refused.text)
        sealed = ""
        elsewhere = "" if store else leads_to(guide.platform, error.reason.code, error.reason.values)
        if elsewhere:
            # One press sends the access there: the merchant sees the address, and says so.
            form.data = dict(form.data.items()) | {"base_url": elsewhere}
            access = dataclasses.replace(access, base_url=elsewhere)
        if elsewhere or checklist.access_stays(error):
            form.forget_access()
            sealed = sealing.seal(
                dataclasses.asdict(access), user_id=request.user.pk, purpose=_purpose("access", guide, store)
            )
        return _form_page(request, guide, form, refused, sealed=sealed, store=store)
    own = own_store(request.user, guide.platform, access.base_url) if isinstance(error, AlreadyConnected) else None
    if store is None and own is not None:
        if not _was_just_made(own, access):
            told = gettext("You have connected this shop already: it is {store}.")
            messages.info(request, told.format(store=own.name))
        return redirect("store", store_id=own.pk)
    for name, errors in error.message_dict.items() if hasattr(error, "error_dict") else {"": error.messages}.items():
        for text in errors:
            form.add_error(name if name in form.fields else None, text)
    return _form_page(request, guide, form, store=store)


def _was_just_made(own: Store, access: Access) -> bool:
    """Whether this is what the first of two presses has made, with the same access."""
    return own.created_at >= timezone.now() - PRESSED_TWICE and dict(own.credentials) == access.credentials


def _form_page(
    request: HttpRequest,
    guide: Guide,
    form: ConnectForm,
    refused: Refusal | None = None,
    *,
    sealed: str = "",
    store: Store | None = None,
) -> HttpResponse:
    context = {
        "guide": guide,
        "form": form,
        "refused": refused,
        "sealed": sealed,
        "store": store,
        "moved_to": moved_to(store) if store else "",
        "section": "stores",
    }
    return render(request, "stores/connect.html", context)


def _locations_page(
    request: HttpRequest, guide: Guide, access: Access, facts: StoreFacts, form: LocationsForm | None = None
) -> HttpResponse:
    offered: list[Location] = own_locations(facts.locations)
    content = {"access": dataclasses.asdict(access), "facts": dataclasses.asdict(facts)}
    context: dict[str, Any] = {
        "guide": guide,
        "name": access.name,
        "lines": checklist.lines_of(facts, guide),
        "form": form or LocationsForm(offered=offered),
        "sealed": sealing.seal(content, user_id=request.user.pk, purpose=_purpose("locations", guide)),
        "section": "stores",
    }
    return render(request, "stores/connect_locations.html", context)


def _guide_of(store: Store) -> Guide:
    try:
        return GUIDES[store.platform]
    except KeyError:
        raise Http404 from None


def _purpose(step: str, guide: Guide, store: Store | None = None) -> str:
    return f"{step} {guide.platform} {store.pk if store else 'new'}"


def _checked(store: Store, now: datetime) -> None:
    """Write down when the connection was last found to work."""
    Store.objects.filter(pk=store.pk).update(facts={**store.facts, "checked_at": now.isoformat()})
