"""Asks Shopify for an access token: the client credentials grant of a merchant's own app.

Keeping tokens, and asking for one at a time, is not done here.
https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/client-credentials-grant
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..codes import Code
from ..errors import StoreBusy, StoreDisconnected
from ..http import Answer, Session
from .graphql import cleaned, raise_for_status

LIFETIME = 86399  # of a token of this grant, where the answer does not tell


@dataclass(frozen=True)
class Grant:
    """A token, how many seconds it lives, and what it may do."""

    access_token: str = field(repr=False)
    expires_in: int
    scopes: tuple[str, ...]


def request_token(session: Session, base_url: str, client_id: str, client_secret: str) -> Grant:
    """A new token for the app. Raises StoreDisconnected(TOKEN_REFUSED) where the app or its secret is refused.

    Asking twice is harmless, so a lost answer is StoreBusy like that of any read.
    """
    answer = session.request(
        "POST",
        f"{base_url}/admin/oauth/access_token",
        form={"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret},
        writes=False,
    )
    if answer.status in (400, 401, 403):
        raise StoreDisconnected(
            Code.TOKEN_REFUSED, _said(answer, client_secret), status=answer.status, request_id=answer.request_id
        )
    raise_for_status(answer, writes=False, secret=client_secret)
    body = answer.json
    if not isinstance(body, dict):
        raise StoreBusy(Code.NOT_JSON, request_id=answer.request_id)
    token = body.get("access_token")
    if not isinstance(token, str) or not token:
        raise StoreDisconnected(Code.TOKEN_REFUSED, _said(answer, client_secret), request_id=answer.request_id)
    scope = body.get("scope")
    return Grant(
        access_token=token,
        expires_in=_seconds(body.get("expires_in")),
        scopes=tuple(part.strip() for part in scope.split(",") if part.strip()) if isinstance(scope, str) else (),
    )


def _seconds(value: object) -> int:
    # No number must not mean "for ever": https://github.com/Shopify/shopify-app-js/issues/3400
    if isinstance(value, int | float | str):
        try:
            return max(int(float(value)), 0) or LIFETIME
        except (ValueError, OverflowError):
            pass
    return LIFETIME


def _said(answer: Answer, secret: str) -> str:
    if not isinstance(answer.json, dict):
        return ""
    said = answer.json.get("error_description") or answer.json.get("error") or answer.json.get("errors") or ""
    return cleaned(str(said), secret)
