"""The page on which a merchant lets an app in, and the signed way back. Apps and their tokens are in apps.py.

https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/authorization-code-grant
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
import urllib.parse
from collections.abc import Mapping
from html import escape
from typing import Any

from . import page
from .apps import App, Installation
from .merchant import action
from .shop import Shop

WORDS = {
    "read_orders": "See orders of the last 60 days",
    "read_all_orders": "See all orders",
    "read_locations": "See locations",
    "read_fulfillments": "See fulfillments",
    "write_fulfillments": "Change fulfillments",
    "write_merchant_managed_fulfillment_orders": "Fulfil orders at your own locations",
    "write_third_party_fulfillment_orders": "Fulfil orders at other apps' locations",
    "write_assigned_fulfillment_orders": "Fulfil orders assigned to the app",
}


class NotShown(Exception):
    """Something is wrong with the request, and the merchant reads what instead of the page."""


def ask(shop: Shop, apps: Mapping[str, App], query: dict[str, str]) -> tuple[str, str]:
    """(address to go on to, "") where the app is in already with all that it asks for, else ("", page)."""
    try:
        app, scopes = _asked(shop, apps, query)
    except NotShown as error:
        return "", _document(shop, "Oauth error", f"<p>{escape(str(error))}</p>")
    installed = shop.installed.get(app.client_id)
    if installed and set(scopes) <= set(installed.scopes):
        return _back(shop, installed, query), ""
    return "", _document(shop, f"Install {app.title}", _form(shop, app, scopes, query))


def decide(shop: Shop, apps: Mapping[str, App], form: dict[str, list[str]]) -> tuple[str, str]:
    """What the merchant pressed: (address to go on to, "") or ("", page)."""
    query = {name: values[0] for name, values in form.items()}
    try:
        app, scopes = _asked(shop, apps, query)
    except NotShown as error:
        return "", _document(shop, "Oauth error", f"<p>{escape(str(error))}</p>")
    if query.get("press") != "install":
        return f"{shop.base_url}/", ""
    chosen = form.get("allow", [])
    installed = shop.installed.setdefault(app.client_id, Installation(app))
    installed.scopes = tuple(one for one in scopes if one not in app.optional or one in chosen)
    shop.grant(installed.scopes)
    return _back(shop, installed, query), ""


def signed(params: Mapping[str, str], secret: str) -> dict[str, str]:
    """The query with the platform's own word that it made it."""
    text = urllib.parse.urlencode(sorted(params.items()), quote_via=urllib.parse.quote, safe="")
    return {**params, "hmac": hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()}


def register(apps: dict[str, App], shop: str | None, given: dict[str, Any]) -> dict[str, Any]:
    """A new app: for one shop, or for all of them. What a test needs to know of it."""
    number = secrets.token_hex(4)
    app = App(
        title=given.pop("title"),
        client_id=given.pop("client_id", None) or f"app-{number}",
        client_secret=given.pop("client_secret", None) or f"shpss_{number}",
        shop=shop or "",
        redirect_uris=tuple(given.pop("redirect_uris")),
        optional=frozenset(given.pop("optional", ())),
        **given,
    )
    apps[app.client_id] = app
    return app.facts()


def query_of(shop: Shop, app: App, params: Mapping[str, str], age: float = 0) -> dict[str, str]:
    """A signed query about this shop, as the platform sends it with a merchant; made `age` seconds ago."""
    host = base64.b64encode(f"admin.shopify.com/store/{shop.name}".encode()).decode().rstrip("=")
    about = {"host": host, "shop": f"{shop.name}.myshopify.com", "timestamp": str(int(time.time() - age))}
    return signed({**about, **params}, app.client_secret)


@action
def tokens(shop: Shop) -> list[dict[str, Any]]:
    """What each app that was let in holds at this moment, the newest refresh token last."""
    now = time.time()
    return [
        {
            "client_id": client_id,
            "scopes": list(one.scopes),
            "access": [token for token in one.access if shop.token_is_good(token)],
            "refresh": [refresh.token for refresh in one.refresh.values() if refresh.is_good(now)],
        }
        for client_id, one in shop.installed.items()
    ]


@action
def end_refresh_tokens(shop: Shop) -> None:
    """Nobody has renewed anything for ninety days."""
    for one in shop.installed.values():
        one.refresh.clear()


def _asked(shop: Shop, apps: Mapping[str, App], query: dict[str, str]) -> tuple[App, tuple[str, ...]]:
    client_id, back = query.get("client_id", ""), query.get("redirect_uri", "")
    app = apps.get(client_id)
    if app is None:
        raise NotShown(f"invalid_request: Could not find an app with the client id {client_id}")
    if app.shop not in ("", shop.name):
        raise NotShown("This app can't be installed on this store: it was made for another one")
    if back not in app.redirect_uris:
        raise NotShown("invalid_request: The redirect_uri is not whitelisted")
    scopes = tuple(one.strip() for one in query.get("scope", "").split(",") if one.strip())
    if not scopes:
        raise NotShown("invalid_scope: The app asks for nothing")
    return app, scopes


def _back(shop: Shop, installed: Installation, query: dict[str, str]) -> str:
    params = {"code": installed.new_code()} | ({"state": query["state"]} if "state" in query else {})
    address = query["redirect_uri"]
    mark = "&" if "?" in address else "?"
    return f"{address}{mark}{urllib.parse.urlencode(query_of(shop, installed.app, params))}"


def _form(shop: Shop, app: App, scopes: tuple[str, ...], query: dict[str, str]) -> str:
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(query[name])}">'
        for name in ("client_id", "scope", "redirect_uri", "state")
        if name in query
    )
    rows = "".join(_row(one, one in app.optional) for one in scopes)
    return (
        f'<form method="post" action="{escape(shop.base_url)}/admin/oauth/authorize">{hidden}'
        f"<p>{escape(app.title)} will be able to:</p>"
        f'<ul class="scopes">{rows}</ul>'
        '<p class="buttons"><button name="press" value="cancel">Cancel</button>'
        '<button class="go" name="press" value="install">Install</button></p></form>'
    )


def _row(scope: str, optional: bool) -> str:
    words = f"{escape(WORDS.get(scope, scope))} <code>{escape(scope)}</code>"
    if not optional:
        return f"<li>{words}</li>"
    box = f'<input type="checkbox" name="allow" value="{escape(scope)}" checked>'
    return f"<li><label>{box} {words} (optional)</label></li>"


def _document(shop: Shop, title: str, body: str) -> str:
    head = f"<header><h1>{escape(title)}</h1><p>{escape(shop.name)}: a pretend Shopify store's admin</p></header>"
    return page.document(title, f'{head}<section class="consent">{body}</section>', False)
