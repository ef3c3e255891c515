"""A merchant who consents in a pretend Shopify shop, and the store that comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from stores import connections
from stores.connect import connect
from stores.connectors.grant import Grant
from stores.connectors.shopify import oauth
from stores.models import Store
from tests import factories
from tests.storefronts.client import App, Shop

BACK = "https://tracksync.example/connect/back/"


def an_app_in(shop: Shop, **options: Any) -> App:
    """An app that was made for this shop and sends its merchant back to BACK."""
    return shop.app(redirect_uris=[BACK], **options)


def asking(shop: Shop, app: App, *, scopes: Sequence[str] = oauth.SCOPES, state: str = "the state") -> str:
    """The address of the page on which the merchant consents."""
    return oauth.authorize_url(shop.base_url, client_id=app.client_id, scopes=scopes, redirect_uri=BACK, state=state)


def answer_of(shop: Shop, app: App, *, decline: Sequence[str] = ()) -> dict[str, str]:
    """The query with which the merchant comes back, having consented."""
    return dict(parse_qsl(urlsplit(shop.consent(asking(shop, app), decline=decline)).query))


def a_grant(shop: Shop, app: App, *, decline: Sequence[str] = ()) -> Grant:
    """What the shop gives for its merchant's consent."""
    code = answer_of(shop, app, decline=decline)["code"]
    return connections.exchange("shopify", shop.base_url, app.credentials, code)


def a_store_by_consent(shop: Shop, app: App | None = None, *, now: datetime = factories.NOON, **fields: Any) -> Store:
    """A store whose merchant consented to the app; `fields` are set on its row afterwards."""
    app = app or an_app_in(shop)
    store = connect(
        owner=factories.a_user(),
        platform="shopify",
        name=shop.name,
        base_url=shop.base_url,
        credentials=app.credentials,
        grant=a_grant(shop, app),
        now=now,
    )
    if fields:
        Store.objects.filter(pk=store.pk).update(**fields)
    store.refresh_from_db()
    return store


def held(store: Store) -> dict[str, str]:
    """The access and refresh token that are kept of the store."""
    return dict(Store.objects.get(pk=store.pk).token)


def asked(shop: Shop) -> dict[str, int]:
    """How often the shop's token endpoint was asked for what, by the shop's own book."""
    counts: dict[str, int] = shop.book()["counts"]["token_requests"]
    return counts
