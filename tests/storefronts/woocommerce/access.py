"""Who is asking: keys in the header or the query, signed requests over plain HTTP, WordPress's own passwords.

https://developer.woocommerce.com/docs/apis/rest-api/authentication/ An unknown key, a header that the host stripped and
a shop that believes itself on plain HTTP all end alike: as nobody, who may not see anything.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
import urllib.parse
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .problems import Refused

if TYPE_CHECKING:
    from .shop import Shop

FRESH = 15 * 60  # seconds: how old a signed request may be
SAYS = {
    "view": "Sorry, you cannot view this resource.",
    "list": "Sorry, you cannot list resources.",
    "create": "Sorry, you are not allowed to create resources.",
    "edit": "Sorry, you are not allowed to edit this resource.",
    "delete": "Sorry, you are not allowed to delete this resource.",
    "batch": "Sorry, you are not allowed to batch manipulate this resource.",
}


@dataclass
class Request:
    """One request to the REST API, read but not yet answered."""

    method: str
    path: str  # as it stood in the request line, with the query
    route: str  # below the API's root: "/wc/v3/orders"
    query: dict[str, list[str]]
    headers: dict[str, str]  # names in lower case
    body: bytes
    url: str  # whole, as signed over
    given: dict[str, object] = field(default_factory=dict)  # the JSON or form body

    @property
    def is_write(self) -> bool:
        """Whether it asks for a change."""
        return self.method not in ("GET", "HEAD", "OPTIONS")


def who(shop: Shop, request: Request) -> str:
    """The role of who asks, "" for nobody. Raises Refused where a wrong answer is worse than none."""
    if not shop.has_woocommerce or not ("wp-json/wc/" in request.path or "wp-json/wc-" in request.path):
        return ""
    query = {name: values[0] for name, values in request.query.items()}
    name, secret = "", ""
    if shop.sees_https:
        if "consumer_key" in query and "consumer_secret" in query:
            name, secret = query["consumer_key"], query["consumer_secret"]
        elif not shop.strips_authorization:
            name, secret = _basic(request.headers.get("authorization", ""))
    elif "oauth_consumer_key" in query:
        return _signed(shop, request, query)
    if not name:
        return ""
    key = shop.keys.get(name)
    if key is None:
        return "" if name.startswith("ck_") else _password(shop, name, secret)
    if not hmac.compare_digest(str(key["secret"]), secret):
        raise _refused("Consumer secret is invalid.")
    _scope(key["permissions"], request.method)
    return str(key["user"])


def must(role: str, verb: str) -> None:
    """Raises Refused unless this role may do it: 401 for nobody, 403 for somebody who may not."""
    if role not in ("administrator", "shop_manager"):
        code = f"woocommerce_rest_cannot_{'view' if verb == 'list' else verb}"
        raise Refused(403 if role else 401, code, SAYS[verb])


def _refused(text: str) -> Refused:
    return Refused(401, "woocommerce_rest_authentication_error", text)


def _scope(permissions: object, method: str) -> None:
    is_read = method in ("GET", "HEAD")
    if method != "OPTIONS" and permissions not in ("read_write", "read" if is_read else "write"):
        raise _refused(f"The API key provided does not have {'read' if is_read else 'write'} permissions.")


def _basic(header: str) -> tuple[str, str]:
    scheme, _, coded = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, secret = base64.b64decode(coded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, secret


def _password(shop: Shop, name: str, secret: str) -> str:
    """WordPress's application passwords work on the shop's routes, too."""
    if name != shop.username:
        raise Refused(401, "invalid_username", "Unknown username. Check again or try your email address.")
    if secret != shop.password:
        raise Refused(401, "incorrect_password", "The provided password is an invalid application password.")
    return shop.user


def _signed(shop: Shop, request: Request, query: dict[str, str]) -> str:
    """One-legged OAuth 1.0a, which the store takes over plain HTTP only."""
    key = shop.keys.get(query["oauth_consumer_key"])
    if key is None:
        raise _refused("Consumer key is invalid.")
    pairs = sorted((_quoted(name), _quoted(value)) for name, value in query.items() if name != "oauth_signature")
    text = "&".join(f"{name}={value}" for name, value in pairs)
    base = "&".join((request.method, _quoted(request.url.partition("?")[0]), _quoted(text)))
    method = {"HMAC-SHA1": hashlib.sha1, "HMAC-SHA256": hashlib.sha256}.get(query.get("oauth_signature_method", ""))
    if method is None:
        raise _refused("Invalid signature - signature method is invalid.")
    made = base64.b64encode(hmac.new(f"{key['secret']}&".encode(), base.encode(), method).digest()).decode()
    if not hmac.compare_digest(made, query.get("oauth_signature", "")):
        raise _refused("Invalid signature - provided signature does not match.")
    at, nonce = query.get("oauth_timestamp", "0"), query.get("oauth_nonce", "")
    if not at.isdigit() or abs(time.time() - int(at)) > FRESH:
        raise _refused("Invalid timestamp.")
    if nonce in shop.nonces:
        raise _refused("Invalid nonce - nonce has already been used.")
    shop.nonces.add(nonce)
    _scope(key["permissions"], request.method)
    return str(key["user"])


def _quoted(text: str) -> str:
    return urllib.parse.quote(text, safe="-_.~")
