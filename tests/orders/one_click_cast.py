"""Merchants on their way to a shop and back: plain functions for the tests of connecting with one click."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.test import Client
from django.utils import timezone

from stores.authorising import invitations
from stores.models import Invitation
from tests import factories
from tests.storefronts.client import App, PretendShopify, Shop

BACK = "http://localhost:8000/connect/shopify/back/"
SECRET = "a-secret-that-no-page-may-show"


def text_of(response: Any) -> str:
    """What a person reads on the page, on one line."""
    body = re.sub(r"<(script|style).*?</\1>", " ", response.content.decode(), flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def the_listed_app(pretend: PretendShopify, settings: Any, **options: Any) -> App:
    """An app in the platform's list, which this installation has."""
    app = pretend.app(redirect_uris=[BACK], **options)
    settings.TRACKSYNC_SHOPIFY_CLIENT_ID, settings.TRACKSYNC_SHOPIFY_CLIENT_SECRET = app.client_id, app.client_secret
    return app


def an_invitation_to(shop: Shop, app: App | None = None, **fields: Any) -> tuple[Invitation, str]:
    """An invitation to this shop, made now by a person of the staff, and the path of its link."""
    app = app or shop.app(redirect_uris=[BACK])
    by = factories.a_user(is_staff=True, first_name="Anna", last_name="Li")
    known = {"store_name": "Acme Mugs", "base_url": shop.base_url, "now": timezone.now()} | fields
    made, token = invitations.invite(by=by, platform="shopify", credentials=app.credentials, **known)
    return made, f"/invitations/{token}/"


def sent_to(response: Any) -> str:
    """The address in the shop that the page goes on to by itself."""
    assert response.status_code == 200, response
    (found,) = re.findall(r'http-equiv="refresh" content="0; url=([^"]+)"', response.content.decode())
    return unescape(found)


def path_of(address: str) -> str:
    """Path and query of an address of ours, as the test's browser wants them."""
    parts = urlsplit(address)
    assert parts.netloc == "localhost:8000", address
    return f"{parts.path}?{parts.query}"


def state_in(address: str) -> str:
    """The state that was sent along."""
    query = parse_qs(urlsplit(address).query)
    return (query.get("state") or query["user_id"])[0]


def a_browser(email: str = "merchant@example.com") -> Client:
    """One in which this merchant, who is made, is logged in; `user` is who."""
    client = Client()
    client.user = factories.a_user(email)  # type: ignore[attr-defined]
    client.force_login(client.user)  # type: ignore[attr-defined]
    return client


def typed_in(client: Client, platform: str, address: str) -> Any:
    """The page after the shop's address was typed in and the button pressed."""
    return client.post(f"/stores/connect/{platform}/one-click/", {"base_url": address})
