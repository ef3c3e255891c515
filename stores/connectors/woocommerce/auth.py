"""WooCommerce's own page for giving an app a key: its address, and what the shop's server brings us afterwards. Pure.

https://woocommerce.github.io/woocommerce-rest-api-docs/#authentication-endpoint
1. The merchant opens the page in their shop, logs in there and presses "Approve".
2. The shop's server posts the key to `callback_url`; it wants exactly the status 200, else it deletes the key again.
3. The browser is sent to `return_url` with success=1 (or 0) and user_id.

What is posted is not signed, and user_id comes back as it was sent: so user_id is a secret that is good for one answer,
and a key counts only after it has opened the very shop that was asked.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from urllib.parse import urlencode

BODY_LIMIT = 4096  # bytes; the answer has some two hundred
SCOPE = "read_write"
_LONGEST = 200


@dataclass(frozen=True)
class KeyGrant:
    """A key as the shop's server brought it: for whom, what it may do, and the key."""

    user_id: str = field(repr=False)
    permissions: str  # "read", "write" or "read_write"
    credentials: dict[str, str] = field(repr=False)


def authorize_url(base_url: str, *, app_name: str, user_id: str, return_url: str, callback_url: str) -> str:
    """The page in the shop at `base_url` where its merchant gives a key to the app of this name."""
    asked = {
        "app_name": app_name,
        "scope": SCOPE,
        "user_id": user_id,
        "return_url": return_url,
        "callback_url": callback_url,
    }
    return f"{base_url}/wc-auth/v1/authorize?{urlencode(asked)}"


def read_grant(body: bytes) -> KeyGrant | None:
    """The key in what was posted; None where it is none: too long, no JSON, or not the pair of a key and its secret."""
    if len(body) > BODY_LIMIT:
        return None
    try:
        said = json.loads(body)
    except ValueError:  # also what is no text at all
        return None
    if not isinstance(said, dict):
        return None
    key, secret, user_id = (said.get(name) for name in ("consumer_key", "consumer_secret", "user_id"))
    if not (_is_key(key, "ck_") and _is_key(secret, "cs_") and isinstance(user_id, str | int)):
        return None
    permissions = str(said.get("key_permissions", ""))
    return KeyGrant(str(user_id), permissions, {"consumer_key": str(key), "consumer_secret": str(secret)})


def _is_key(value: object, begins: str) -> bool:
    return isinstance(value, str) and value.startswith(begins) and len(begins) < len(value) <= _LONGEST
