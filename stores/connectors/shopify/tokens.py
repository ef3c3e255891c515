"""Asks Shopify's token endpoint: the client credentials grant of a merchant's own app, and what all grants share.

A merchant's consent and the renewal of its token are in oauth.py. Keeping tokens, and asking for one at a time, is
not done here.
https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/client-credentials-grant
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..codes import Code
from ..errors import StoreBusy, StoreDisconnected
from ..grant import Grant
from ..http import Answer, Session
from .graphql import cleaned, raise_for_status

__all__ = ["Grant", "ask", "request_token"]

LIFETIME = 86399  # seconds of a token of this grant, where the answer does not tell


def request_token(session: Session, base_url: str, client_id: str, client_secret: str) -> Grant:
    """A new token for the app. Raises StoreDisconnected(TOKEN_REFUSED) where the app or its secret is refused.

    Asking twice is harmless, so a lost answer is StoreBusy like that of any read.
    """
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
    return ask(session, base_url, form=form, lifetime=LIFETIME, refusal=lambda said: Code.TOKEN_REFUSED)


def ask(
    session: Session,
    base_url: str,
    *,
    form: Mapping[str, str] | None = None,
    json: Mapping[str, str] | None = None,
    lifetime: int,
    refusal: Callable[[str], Code],
) -> Grant:
    """One request to the token endpoint.

    `lifetime`: seconds that a token lives where the answer does not tell. `refusal` makes a code of what the store
    said with 400, 401 or 403. Raises StoreDisconnected with it, StoreBusy when no clear answer came, and what
    `raise_for_status` says to other statuses; no error repeats a secret that was sent.
    """
    sent = form or json or {}
    answer = session.request(
        "POST", f"{base_url}/admin/oauth/access_token", form=form, json=dict(json) if json else None, writes=False
    )
    secrets = [value for name, value in sent.items() if name in ("client_secret", "code", "refresh_token")]
    if answer.status in (400, 401, 403):
        said = _said(answer, secrets)
        raise StoreDisconnected(refusal(said), said, status=answer.status, request_id=answer.request_id)
    raise_for_status(answer, writes=False, secret=sent.get("client_secret", ""))
    body = answer.json
    token = body.get("access_token") if isinstance(body, dict) else None
    if not isinstance(token, str) or not token:
        raise StoreBusy(Code.NOT_JSON, request_id=answer.request_id)
    return _grant(token, body, lifetime)


def _grant(token: str, body: Mapping[str, Any], lifetime: int) -> Grant:
    scope, refresh = body.get("scope"), body.get("refresh_token")
    return Grant(
        access_token=token,
        # No number must not mean "for ever": https://github.com/Shopify/shopify-app-js/issues/3400
        expires_in=_seconds(body.get("expires_in")) or lifetime,
        scopes=tuple(part.strip() for part in scope.split(",") if part.strip()) if isinstance(scope, str) else (),
        refresh_token=refresh if isinstance(refresh, str) else "",
        refresh_expires_in=_seconds(body.get("refresh_token_expires_in")),
    )


def _seconds(value: object) -> int:
    """A whole number of seconds, 0 for what is none."""
    if isinstance(value, int | float | str):
        try:
            return max(int(float(value)), 0)
        except (ValueError, OverflowError):
            pass
    return 0


def _said(answer: Answer, secrets: list[str]) -> str:
    if not isinstance(answer.json, dict):
        return ""
    parts = [answer.json.get(name) for name in ("error", "error_description", "errors")]
    said = cleaned(": ".join(str(part) for part in parts if part))
    for secret in secrets:
        said = cleaned(said, secret)
    return said
