"""Where the stores' messages come in: verified first, over the very bytes, then kept as a hint, answered at once.

No session, no cookie, no form token: the signature is all there is. Whoever has none learns nothing: a shop that is
not here answers like one whose signature is wrong. Nothing of a message is kept but its id, its topic and which order
it is about, each in a row that the next message about the same order takes again.

What a message leads to is in hints.py and privacy.py; who is subscribed, and the secrets, in stores/hooks.py.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import uuid
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from stores.choices import PrivacyKind
from stores.connectors import registry
from stores.connectors.base import Hook, HookKind
from stores.connectors.shopify.hooks import shop_domain, told_domain
from stores.hooks import is_first, secrets_of
from stores.models import Store

from .. import hints, privacy, pulse

log = logging.getLogger(__name__)

MOST_BYTES = 1024 * 1024  # an order of five hundred lines is a tenth of it
PING_BYTES = 200  # an unsigned body that is looked at all the same
PRIVACY = {
    HookKind.CUSTOMER_ASKS: PrivacyKind.CUSTOMER_ASKS,
    HookKind.FORGET_CUSTOMER: PrivacyKind.FORGET_CUSTOMER,
    HookKind.FORGET_SHOP: PrivacyKind.FORGET_SHOP,
}
# Sign nothing: what a message is compared with where there is no shop.
_NOBODYS = tuple(secrets.token_hex(32) for _ in range(4))


@csrf_exempt
@require_POST
def store_hook(request: HttpRequest, platform: str, hook_key: uuid.UUID) -> HttpResponse:
    """A message of one store, to the address that was given to it alone."""
    if _is_too_long(request):
        return HttpResponse(status=413)
    store = Store.objects.filter(hook_key=hook_key, platform=platform).first()
    known = platform if store is not None else platform if platform in registry.CONNECTORS else "shopify"
    if not _is_signed(known, request, secrets_of(store) if store else ()):
        return _unsigned(known, request)
    if store is None:
        return _refused()  # never: nothing is signed with nobody's secret
    _take([store], registry.CONNECTORS[platform].read_hook(request.headers, request.body))
    return HttpResponse()


@csrf_exempt
@require_POST
def shopify_app_hook(request: HttpRequest) -> HttpResponse:
    """A message that Shopify sends to the app, not to a subscription: the same address for all shops.

    About a shop that is connected or was: its domain tells which. The requests for privacy come here, the last of
    them two days after the app was removed.
    """
    if _is_too_long(request):
        return HttpResponse(status=413)
    domain = shop_domain(request.headers)
    stores = list(Store.objects.filter(platform="shopify", base_url=f"https://{domain}").order_by("pk"))
    fitting, own = _fitting(request, stores)
    # A store whose merchant has left keeps no secret of its own: whoever may speak for the shop speaks for it. For a
    # store that has one nobody else does: the app of somebody who had the shop before, say.
    about = [
        store for store in stores if fitting & own[store.pk] or (fitting and not own[store.pk] and _has_left(store))
    ]
    if not about:
        return _refused()
    if told_domain(request.body) not in ("", domain):
        # Genuine, but of another shop: what says which is not signed, what it says is.
        return _refused()
    _take(about, registry.CONNECTORS["shopify"].read_hook(request.headers, request.body))
    return HttpResponse()


def _fitting(request: HttpRequest, stores: Sequence[Store]) -> tuple[set[str], dict[int, set[str]]]:
    """The secrets of a shop's stores, or of the listed app, that the message is signed with; and those of each store.

    Who is asked about is the sender's choice here, so a shop that is not connected takes as long as one that is: a
    long message is signed as many times.
    """
    own = {store.pk: set(secrets_of(store)) for store in stores}
    listed = settings.TRACKSYNC_SHOPIFY_CLIENT_SECRET if stores else ""
    known = set().union(*own.values(), {listed} if listed else ())
    tried = [*known, *_NOBODYS[len(known) :]]
    return {secret for secret in tried if _is_signed("shopify", request, (secret,))} & known, own


def _has_left(store: Store) -> bool:
    return store.disconnected_at is not None


def _is_too_long(request: HttpRequest) -> bool:
    """Told before anything of it is read."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES
    except ValueError:
        return True


def _is_signed(platform: str, request: HttpRequest, accepted: Sequence[str]) -> bool:
    """A comparison is made whether there is a secret or not: an answer takes as long either way."""
    return registry.CONNECTORS[platform].is_signed(request.headers, request.body, accepted or _NOBODYS[:1])


def _unsigned(platform: str, request: HttpRequest) -> HttpResponse:
    """401; 200 for the ping with which a platform tries an address, whether there is a store behind it or not."""
    if len(request.body) <= PING_BYTES:
        hook = registry.CONNECTORS[platform].read_hook(request.headers, request.body)
        if hook.kind == HookKind.PING:
            return HttpResponse()
    return _refused()


def _refused() -> HttpResponse:
    return HttpResponse("The signature does not fit.", status=401, content_type="text/plain")


def _take(stores: Sequence[Store], hook: Hook) -> None:
    """Keep what a genuine message hints at, once; with its id in one transaction, or the repetition were lost too."""
    now = timezone.now()
    for store in stores:
        with transaction.atomic():
            if hook.delivery_id and not is_first(store.pk, _once(hook), hook.topic, now):
                continue
            if hook.kind in PRIVACY:
                privacy.ask(store, PRIVACY[hook.kind], hook.order_ids, now)
                pulse.ring(pulse.HINTS)
            else:
                hints.keep(store, hook, now)


def _once(hook: Hook) -> str:
    """What makes a delivery the same. WooCommerce gives one id to all that happens within a second: the order tells."""
    text = ":".join((hook.delivery_id, *hook.order_ids))
    return text if len(text) <= 100 else hashlib.sha256(text.encode()).hexdigest()
