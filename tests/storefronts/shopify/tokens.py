"""The token endpoint: client credentials, and refresh tokens that rotate. https://shopify.dev/docs/apps/build/authentication-authorization"""

from __future__ import annotations

import json
import secrets
import time
import urllib.parse
from typing import Any

from .shop import Shop


def grant(shop: Shop, content_type: str, body: bytes) -> tuple[int, dict[str, Any]]:
    """(HTTP status, answer) for one request to the token endpoint."""
    try:
        if "json" in content_type:
            given = {key: str(value) for key, value in json.loads(body).items()}
        else:
            given = {key: values[0] for key, values in urllib.parse.parse_qs(body.decode()).items()}
    except (ValueError, AttributeError):
        return 400, {"error": "invalid_request", "error_description": "Could not parse the request"}
    with shop.lock:
        if given.get("client_id") != shop.client_id or given.get("client_secret") != shop.client_secret:
            return 400, {"error": "invalid_client", "error_description": "The client is not known"}
        kind = given.get("grant_type")
        if kind == "client_credentials":
            return 200, _new(shop)
        if kind == "refresh_token":
            old = given.get("refresh_token", "")
            if old not in shop.refresh_tokens:
                text = "This request requires an active refresh_token"
                return 401, {"error": "invalid_request", "error_description": text}
            shop.refresh_tokens.discard(old)
            fresh = f"shprt_{secrets.token_hex(16)}"
            shop.refresh_tokens.add(fresh)
            return 200, {**_new(shop), "refresh_token": fresh, "refresh_token_expires_in": 7776000}
        return 400, {"error": "unsupported_grant_type", "error_description": f"Unknown grant type {kind}"}


def _new(shop: Shop) -> dict[str, Any]:
    token = f"shpat_{secrets.token_hex(16)}"
    shop.tokens[token] = time.time() + shop.token_seconds
    shop.book.tokens_given += 1
    return {"access_token": token, "scope": ",".join(shop.granted), "expires_in": shop.token_seconds}
