"""Connecting with one click: the merchant names the shop, and is sent there to say yes.

    one_click            any merchant: the shop's address → to the shop
    one_click_reconnect  a store that is connected already, by one button
    shopify_install      an install that begins in Shopify's list of apps
    invitation           a link of our staff for one shop (one_click_invited.py)

They come back to one_click_back.py. A POST is not answered with a redirect to the shop: browsers check that against
`form-action` of the page's security policy, which names nobody but us; it is answered with a page that goes on there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from stores import connections
from stores.access import store_of
from stores.accounts import links
from stores.authorising import finishing, offers, pending
from stores.connect import AlreadyConnected, is_connected
from stores.connectors import registry
from stores.connectors.errors import ConnectorError
from stores.connectors.shopify import oauth
from stores.connectors.woocommerce import auth
from stores.guides import GUIDES, Guide
from stores.models import Invitation, Store

from .checklist import refusal
from .moving import moved_to

APP_NAME = "TrackSync"
# Beside the app's credentials of a pending connection: the secret part of the invitation's link, to lead back to it.
LINK = "link"


class ShopForm(forms.Form):
    """Which shop: all that has to be typed."""

    base_url = forms.CharField(
        max_length=300, widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "url", "spellcheck": "false"})
    )

    def __init__(self, *args: Any, guide: Guide, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["base_url"]
        if guide.platform == offers.SHOPIFY:
            field.label = gettext("Your shop's Shopify name")
            field.help_text = gettext("As in your-shop.myshopify.com.")
        else:
            field.label = gettext("Your shop's address")
            field.help_text = gettext("As in https://your-shop.com; with the folder, if the shop lies in one.")


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def one_click(request: HttpRequest, platform: str) -> HttpResponse:
    """The shop's address alone, and on to the shop. 404 where this installation has no such way."""
    guide = guide_of(platform)
    app = offers.app_for(platform)
    if app is None:
        raise Http404
    if request.method != "POST":
        return _form_page(request, guide, ShopForm(guide=guide, initial={"base_url": _known_before(request, guide)}))
    form = ShopForm(request.POST, guide=guide)
    if not form.is_valid():
        return _form_page(request, guide, form)
    try:
        base_url = registry.normalise_base_url(platform, form.cleaned_data["base_url"], connections.allowed_networks())
    except ConnectorError as error:
        form.add_error("base_url", refusal(error, guide).text)
        return _form_page(request, guide, form)
    own = finishing.own_store(request.user, platform, base_url)
    if own is not None and not own.needs_reconnecting:
        messages.info(request, gettext("You have connected this shop already: it is {store}.").format(store=own.name))
        return redirect("store", store_id=own.pk)
    if own is None and is_connected(platform, base_url):
        form.add_error("base_url", AlreadyConnected().messages[0])
    elif not offers.can_answer(platform, base_url):
        told = gettext("This shop's server cannot reach us, so it cannot hand over its key. Paste one instead.")
        form.add_error("base_url", told)
    else:
        return send(request, guide, base_url, credentials=app, store=own)
    return _form_page(request, guide, form)


@login_required
@never_cache
@require_POST
def one_click_reconnect(request: HttpRequest, store_id: int) -> HttpResponse:
    """To the shop of a store for new access, where it is connected or was left by its app's removal.

    What does not work replaces nothing.
    """
    store = store_of(request, store_id)
    guide = guide_of(store.platform)
    is_connected_now = store.disconnected_at is None
    if is_connected_now or store == finishing.left_store(request.user, store.platform, store.base_url):
        app, base_url = offers.app_for(store.platform, store), moved_to(store) or store.base_url
        if app is not None and offers.can_answer(store.platform, base_url):
            return send(request, guide, base_url, credentials=app, store=store if is_connected_now else None)
    return redirect("store_reconnect" if is_connected_now else "store", store_id=store.pk)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD"])
def shopify_install(request: HttpRequest) -> HttpResponse:
    """Where Shopify's list of apps, and the app's icon in a shop, lead to: a shop that Shopify vouches for.

    A query that Shopify has not signed, or too long ago (the merchant had to log in first), is an ordinary link: it
    fills the shop's name in and asks.
    """
    if not offers.has_listed_app():
        raise Http404
    params = request.GET.dict()
    try:
        shop = oauth.shop_of(params)
    except ConnectorError:
        return redirect("one_click", platform=offers.SHOPIFY)
    base_url = f"https://{shop}"
    own = finishing.own_store(request.user, offers.SHOPIFY, base_url)
    if own is not None and not own.needs_reconnecting:
        return redirect("store", store_id=own.pk)
    secret, is_taken = settings.TRACKSYNC_SHOPIFY_CLIENT_SECRET, own is None and is_connected(offers.SHOPIFY, base_url)
    if request.method == "HEAD" or is_taken or not oauth.is_genuine(params, secret, timezone.now()):
        return redirect(f"{reverse('one_click', args=[offers.SHOPIFY])}?shop={shop}")
    return HttpResponseRedirect(
        address_to_consent(request, offers.SHOPIFY, base_url, credentials=offers.LISTED_APP, store=own)
    )


# --- sending somebody to a shop, for one_click_invited.py too ---------------------------------------------------


def guide_of(platform: str) -> Guide:
    """The guide of a platform. Raises Http404 for one that is not there."""
    try:
        return GUIDES[platform]
    except KeyError:
        raise Http404 from None


def send(
    request: HttpRequest,
    guide: Guide,
    base_url: str,
    *,
    credentials: Mapping[str, Any],
    store: Store | None = None,
    store_name: str = "",
    invitation: Invitation | None = None,
) -> HttpResponse:
    """The page that goes on to the shop by itself, and says what will be asked there."""
    url = address_to_consent(
        request, guide.platform, base_url, credentials=credentials, store=store, store_name=store_name,
        invitation=invitation,
    )  # fmt: skip
    context = {
        "guide": guide,
        "shop": finishing.host_of(base_url),
        "url": url,
        "store": store,
        "left": None if store else finishing.left_store(request.user, guide.platform, base_url),
        "section": "stores",
    }
    return render(request, "stores/one_click_going.html", context)


def address_to_consent(
    request: HttpRequest,
    platform: str,
    base_url: str,
    *,
    credentials: Mapping[str, Any],
    store: Store | None = None,
    store_name: str = "",
    invitation: Invitation | None = None,
) -> str:
    """The page of the shop where it is consented to, with a state that is good for one return of this person."""
    assert isinstance(request.user, User)  # noqa: S101 -- login_required: nobody anonymous comes here
    state = pending.begin(
        request.user,
        session_of(request),
        platform,
        base_url,
        now=timezone.now(),
        store_name=store_name,
        store=store,
        invitation=invitation,
        credentials=credentials,
    )
    if platform == offers.SHOPIFY:
        client_id, _secret = connections.app_of(credentials)
        return oauth.authorize_url(
            base_url,
            client_id=client_id,
            scopes=oauth.SCOPES,
            redirect_uri=links.public(reverse("shopify_back")),
            state=state,
        )
    return auth.authorize_url(
        base_url,
        app_name=APP_NAME,
        user_id=state,
        return_url=links.public(reverse("woocommerce_back")),
        callback_url=links.public(reverse("woocommerce_key", args=[state])),
    )


def session_of(request: HttpRequest) -> str:
    """The key of the browser's session."""
    return request.session.session_key or ""


def _known_before(request: HttpRequest, guide: Guide) -> str:
    """The shop that a link names, or that of a store of the merchant's own that is connected again."""
    again = request.GET.get("again", "")
    if again.isdecimal():
        store = store_of(request, int(again))
        return store.base_url if store.platform == guide.platform else ""
    return request.GET.get("shop", "")[:300]


def _form_page(request: HttpRequest, guide: Guide, form: ShopForm) -> HttpResponse:
    context = {"guide": guide, "form": form, "section": "stores"}
    return render(request, "stores/one_click.html", context)
