"""Which ways of connecting with one click this installation can offer, and where the shops send people back to.

Shopify: an app from Shopify's own list, where TRACKSYNC_SHOPIFY_CLIENT_ID and _SECRET are set; an invitation works
without. WooCommerce: the shop's server brings the key to TRACKSYNC_URL, and does so to a public https address only
(https://woocommerce.github.io/woocommerce-rest-api-docs/#authentication-endpoint); a shop in one of the networks of
TRACKSYNC_ALLOW_HOSTS is a pretend one, which is less strict.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings

from .. import connections
from ..models import Store
from ..reach import can_reach_us, is_public_url

SHOPIFY, WOOCOMMERCE = "shopify", "woocommerce"
# The app of the installation: its secret is not copied onto every store.
LISTED_APP = {"app": "listed", "grant": "code"}


def has_listed_app() -> bool:
    """Whether there is an app that merchants can install from Shopify's list."""
    return bool(settings.TRACKSYNC_SHOPIFY_CLIENT_ID and settings.TRACKSYNC_SHOPIFY_CLIENT_SECRET)


def is_offered(platform: str) -> bool:
    """Whether a merchant can begin by typing the shop's address alone."""
    if platform == SHOPIFY:
        return has_listed_app()
    return platform == WOOCOMMERCE and (is_public_url(settings.TRACKSYNC_URL) or bool(connections.allowed_networks()))


def can_answer(platform: str, base_url: str) -> bool:
    """Whether this very shop can bring us its access."""
    if platform == WOOCOMMERCE:
        return can_reach_us(base_url)
    return True


def app_for(platform: str, store: Store | None = None) -> dict[str, Any] | None:
    """The credentials of the app to ask with, {} where the platform needs none; None where there is no way.

    A store that was connected with one click before is asked by the app that it knows.
    """
    known = dict(store.credentials) if store is not None else {}
    if platform == SHOPIFY and known.get("grant") == "code" and known.get("client_id"):
        return known
    if not is_offered(platform):
        return None
    return dict(LISTED_APP) if platform == SHOPIFY else {}
