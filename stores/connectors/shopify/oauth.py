"""A merchant's consent by the authorization code grant, and the renewal of its token. Pure but for the two requests.

Shopify's offline tokens of public apps end after an hour; each renewal gives a new refresh token too, good for ninety
days. The old one stays good until the new one is first used, so a renewal whose answer was lost is simply repeated.
Who is sent where, and what a state is bound to, is decided in stores/authorising; who may renew when, in tokens.py
of the stores.
https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/authorization-code-grant
https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/offline-access-tokens
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from urllib.parse import quote, urlencode, urlsplit

from ..codes import Code
from ..errors import StoreDisconnected
from ..grant import Grant
from ..http import Session
from .address import is_shop_host
from .tokens import ask

__all__ = [
    "SCOPES",
    "Grant",
    "authorize_url",
    "exchange_code",
    "is_at",
    "is_genuine",
    "missing_scopes",
    "refresh",
    "shop_of",
]

# What we ask a merchant for. The check of a connection insists on what nothing goes without.
SCOPES: tuple[str, ...] = (
    "read_orders",
    "write_merchant_managed_fulfillment_orders",
    "write_third_party_fulfillment_orders",
    "write_assigned_fulfillment_orders",
    "read_locations",
    "read_fulfillments",
)
TOLERANCE = 90  # seconds between the shop's clock and ours
LIFETIME = 3600  # seconds of a token of this grant, where the answer does not tell
_UNSIGNED = ("hmac", "signature")
_LEFT_PLAIN = "-_.!~*'()"  # what Shopify does not percent-encode


def authorize_url(base_url: str, *, client_id: str, scopes: Iterable[str], redirect_uri: str, state: str) -> str:
    """Where the merchant consents: a page of the shop at `base_url`, which sends them back to `redirect_uri`."""
    asked = {"client_id": client_id, "scope": ",".join(scopes), "redirect_uri": redirect_uri, "state": state}
    return f"{base_url}/admin/oauth/authorize?{urlencode(asked)}"


def is_genuine(params: Mapping[str, str], client_secret: str, now: datetime) -> bool:
    """Whether Shopify made this query, with the app's secret, in the last moments.

    `params`: all of the query, decoded, whatever is in it. The signature is hexadecimal HMAC-SHA256 over the others,
    sorted and encoded, and is compared in constant time. Whether it is the answer to a question of ours is told by
    its `state`, which is not looked at here.
    """
    given = params.get("hmac", "")
    if not client_secret or not given or not _is_recent(params.get("timestamp", ""), now):
        return False
    expected = hmac.new(client_secret.encode(), message(params).encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogateescape"))


def message(params: Mapping[str, str]) -> str:
    """What is signed of a query: everything but the signature, sorted by name and percent-encoded."""
    return "&".join(
        f"{_encoded(name)}={_encoded(value)}" for name, value in sorted(params.items()) if name not in _UNSIGNED
    )


def shop_of(params: Mapping[str, str]) -> str:
    """The shop's host, NAME.myshopify.com. Raises StoreDisconnected(WRONG_SHOP) for anything else."""
    shop = params.get("shop", "").lower()
    if not is_shop_host(shop):
        raise StoreDisconnected(Code.WRONG_SHOP)
    return shop


def is_at(shop: str, base_url: str) -> bool:
    """Whether the shop with this host is the one that we know at `base_url`.

    A shop in a private network that the operator opened has an address of another kind: there the last part of the
    path, or the first of the host, is the shop's name.
    """
    parts = urlsplit(base_url)
    host = (parts.hostname or "").lower()
    if is_shop_host(host):
        return host == shop.lower()
    name = parts.path.strip("/").rpartition("/")[2] or host.partition(".")[0]
    return f"{name.lower()}.myshopify.com" == shop.lower()


def exchange_code(session: Session, base_url: str, client_id: str, client_secret: str, code: str) -> Grant:
    """The token for a consent; a code is good once. An expiring token is asked for, as public apps must have.

    Raises StoreDisconnected: TOKEN_REFUSED where the app or its secret is refused, CONSENT_OVER where the code is no
    longer good; and StoreBusy where no clear answer came: the merchant consents once more then.
    """
    asked = {"client_id": client_id, "client_secret": client_secret, "code": code, "expiring": "1"}
    return ask(session, base_url, json=asked, lifetime=LIFETIME, refusal=lambda said: _refusal(said, Code.CONSENT_OVER))


def refresh(session: Session, base_url: str, client_id: str, client_secret: str, refresh_token: str) -> Grant:
    """A new token and a new refresh token for an old one.

    Raises StoreDisconnected: RECONNECT_NEEDED where the refresh token is dead, TOKEN_REFUSED where the app is
    refused; and StoreBusy where no clear answer came, or a server error, 520 for one: asking again with the same
    refresh token mends it, for thirty days from its first use, and never beyond the ninety days it lives
    (https://shopify.dev/changelog/more-resilient-refreshes-for-expiring-offline-access-tokens).
    """
    asked = {
        "client_id": client_id,
        "client_secret": client_secret,
        "grant_type": "refresh_token",
        "refresh_token": refresh_token,
    }
    return ask(
        session, base_url, json=asked, lifetime=LIFETIME, refusal=lambda said: _refusal(said, Code.RECONNECT_NEEDED)
    )


def missing_scopes(asked: Iterable[str], granted: Sequence[str]) -> tuple[str, ...]:
    """What was asked for and not granted, in the order of asking. `write_x` brings `read_x`."""
    has = {*granted, *(scope.replace("write_", "read_", 1) for scope in granted if scope.startswith("write_"))}
    return tuple(scope for scope in asked if scope not in has)


def _refusal(said: str, code: Code) -> Code:
    # RFC 6749 names a refused app; Shopify has a name of its own for one that it does not know.
    return Code.TOKEN_REFUSED if said.startswith(("invalid_client", "application_cannot_be_found")) else code


def _is_recent(timestamp: str, now: datetime) -> bool:
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) < 16):
        return False
    return abs(now.timestamp() - int(timestamp)) <= TOLERANCE


def _encoded(text: str) -> str:
    return quote(text, safe=_LEFT_PLAIN, errors="surrogatepass")
