"""The token endpoint: client credentials, codes of a consent, and refresh tokens that rotate.

https://shopify.dev/docs/apps/build/authentication-authorization
"""

from __future__ import annotations

import json
import secrets
import time
import urllib.parse
from collections.abc import Mapping
from typing import Any

from .apps import App
from .shop import Shop

REFUSED = {
    "client": ("invalid_client", "The client is not known"),
    "code": ("invalid_request", "The authorization code was not found or was already used"),
    "refresh_token": ("invalid_request", "This request requires an active refresh_token"),
}


def grant(shop: Shop, apps: Mapping[str, App], content_type: str, body: bytes) -> tuple[int, dict[str, Any]]:
    """(HTTP status, answer) for one request to the token endpoint."""
    try:
        if "json" in content_type:
            given = {key: str(value) for key, value in json.loads(body).items()}
        else:
            given = {key: values[0] for key, values in urllib.parse.parse_qs(body.decode()).items()}
    except (ValueError, AttributeError):
        return 400, {"error": "invalid_request", "error_description": "Could not parse the request"}
    with shop.lock:
        kind = given.get("grant_type") or ("code" if "code" in given else "")
        shop.book.token_requests[kind] += 1
        status, answer = _answer(shop, apps.get(given.get("client_id", "")), kind, given)
        if status != 200:
            shop.book.token_requests[f"{kind} refused"] += 1
        return status, answer


def _answer(shop: Shop, app: App | None, kind: str, given: dict[str, str]) -> tuple[int, dict[str, Any]]:
    if kind == "client_credentials":
        if given.get("client_id") != shop.client_id or given.get("client_secret") != shop.client_secret:
            return _refused("client")
        return 200, _for_a_day(shop)
    if app is None or given.get("client_secret") != app.client_secret:
        return _refused("client")
    installed = shop.installed.get(app.client_id)
    answer = None
    if kind == "code":
        answer = installed.exchange(shop, given["code"], given.get("expiring") == "1") if installed else None
    elif kind == "refresh_token":
        answer = installed.renew(shop, given.get("refresh_token", "")) if installed else None
    else:
        return 400, {"error": "unsupported_grant_type", "error_description": f"Unknown grant type {kind}"}
    return (200, answer) if answer else _refused(kind)


def _refused(what: str) -> tuple[int, dict[str, Any]]:
    error, text = REFUSED[what]
    return 401 if what == "refresh_token" else 400, {"error": error, "error_description": text}


def _for_a_day(shop: Shop) -> dict[str, Any]:
    token = f"shpat_{secrets.token_hex(16)}"
    shop.tokens[token] = time.time() + shop.token_seconds
    shop.book.tokens_given += 1
    return {"access_token": token, "scope": ",".join(shop.granted), "expires_in": shop.token_seconds}
