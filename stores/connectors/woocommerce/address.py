"""Pure: what a merchant types as the address of a WooCommerce store, and what we keep of it.

Kept is where WordPress stands: scheme, host, and the folder if it has one. Everything of WordPress' own or of the
shop's pages is cut off. Whether "/shop" is a page or a folder cannot be seen from outside: it is taken for the page
that WooCommerce makes of that name, unless something of WordPress follows it.
"""

from __future__ import annotations

import re

from ..addresses import Network, Why, is_allowed, is_public, literal, refused, split

_LOCAL = re.compile(r"[a-z0-9_-]+|.+\.(localhost|test|internal|local)")
# These stand directly below WordPress' own folder, so what is before them is that folder.
_OF_WORDPRESS = re.compile(
    r"wp-(json|admin|login|content|includes|signup|activate|cron)\b.*|xmlrpc\.php|wc-auth|wc-api"
)
# The pages that WooCommerce makes when it is installed, and the addresses of products.
_PAGES = frozenset(
    {"shop", "store", "cart", "basket", "checkout", "my-account", "product", "product-category", "product-tag", "feed"}
)
_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")


def normalise_base_url(text: str, allow_hosts: tuple[Network, ...] = ()) -> str:
    """`https://HOST[/FOLDER]` for a host or any page of the shop or of its administration.

    Where private networks are opened (a demo, tests), an address in one of them, or a name that only means
    something on this machine's network, keeps its scheme and port. The session asks again what it resolves to.
    Raises StoreDisconnected(ADDRESS_REFUSED, address=…, why=…).
    """
    typed = text.strip()
    if not typed:
        raise refused("", Why.EMPTY)
    parts = split(typed if "://" in typed else f"https://{typed}")
    host = _ascii((parts.hostname or "").lower().rstrip("."))
    folder = _folder(parts.path)
    if host is None or folder is None:
        raise refused(typed, Why.UNREADABLE)
    address = literal(host)
    if address and is_allowed(address, allow_hosts) or not address and allow_hosts and _LOCAL.fullmatch(host):
        return f"{parts.scheme}://{parts.netloc.lower()}{folder}"
    if address and not is_public(address) or host == "localhost":
        raise refused(typed, Why.PRIVATE)
    if parts.scheme != "https":
        raise refused(typed, Why.PLAIN_HTTP)
    if parts.port not in (None, 443):
        raise refused(typed, Why.PORT)
    if not address and not _HOST.fullmatch(host):
        raise refused(typed, Why.UNREADABLE)
    return f"https://{f'[{host}]' if ':' in host else host}{folder}"


def are_related(one: str, other: str) -> bool:
    """Whether two hosts belong to the same name: equal but for `www.`, or one stands below the other."""
    one, other = one.lower().removeprefix("www."), other.lower().removeprefix("www.")
    return one == other or "." in one and other.endswith(f".{one}") or "." in other and one.endswith(f".{other}")


def _ascii(host: str) -> str | None:
    """A host with letters of any script, as it goes over the wire; None where it is no host."""
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        return None


def _folder(path: str) -> str | None:
    """The folder that WordPress stands in, "" for none; None where the path leads out of itself."""
    segments = [segment for segment in path.split("/") if segment]
    if ".." in segments:
        return None
    for index, segment in enumerate(segments):
        if _OF_WORDPRESS.fullmatch(segment.lower()):
            return "".join(f"/{each}" for each in segments[:index])
    for index, segment in enumerate(segments):
        if segment.lower() in _PAGES or "." in segment:  # a file, as index.php is one
            return "".join(f"/{each}" for each in segments[:index])
    return "".join(f"/{each}" for each in segments)
