"""Pure: what a merchant types as the address of a Shopify store, and what we keep of it.

The API answers under the shop's myshopify.com name only, never under a domain of its own.
https://shopify.dev/docs/api/admin-graphql#endpoints
"""

from __future__ import annotations

import re

from ..addresses import Network, Why, is_allowed, is_public, literal, refused, split

SHOP_HOST = re.compile(r"[a-z0-9][a-z0-9_-]*\.myshopify\.com")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_LOCAL = re.compile(r"[a-z0-9_-]+|.+\.(localhost|test|internal|local)")


def is_shop_host(host: str) -> bool:
    """Whether it is a shop's own myshopify.com name."""
    return bool(SHOP_HOST.fullmatch(host.lower()))


def normalise_base_url(text: str, allow_hosts: tuple[Network, ...] = ()) -> str:
    """`https://NAME.myshopify.com` for a name, a host or any page of the shop.

    Where private networks are opened (a demo, tests), an address in one of them, or a name that only means
    something on this machine's network, is kept as it is, with scheme, port and path. The session asks again
    what it resolves to. Raises StoreDisconnected(ADDRESS_REFUSED, address=…, why=…).
    """
    typed = text.strip()
    if not typed:
        raise refused("", Why.EMPTY)
    name = typed.rstrip("/").lower()
    if _NAME.fullmatch(name):
        return f"https://{name}.myshopify.com"
    parts = split(typed if "://" in typed else f"https://{typed}")
    host = (parts.hostname or "").lower().rstrip(".")
    address = literal(host)
    if address and is_allowed(address, allow_hosts) or not address and allow_hosts and _LOCAL.fullmatch(host):
        return f"{parts.scheme}://{parts.netloc.lower()}{parts.path}".rstrip("/")
    if address and not is_public(address) or host == "localhost":
        raise refused(typed, Why.PRIVATE)
    if parts.scheme != "https":
        raise refused(typed, Why.PLAIN_HTTP)
    if parts.port not in (None, 443):
        raise refused(typed, Why.PORT)
    if SHOP_HOST.fullmatch(host):
        return f"https://{host}"
    if host.endswith(".myshopify.com") or "." not in host:
        raise refused(typed, Why.SHOP_NAME)
    raise refused(typed, Why.CUSTOM_DOMAIN)
