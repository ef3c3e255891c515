"""Which network addresses a store may have: pure rules, nothing is resolved or opened here.

A merchant types the address of their store, so it may point into our own network. The session in
`http.py` asks these functions about every address that a name resolves to, and connects to exactly
what was asked about. What a platform's address has to look like is the platform's own affair.
"""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

from .codes import Code
from .errors import StoreDisconnected

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Why(enum.StrEnum):
    """Why an address is refused: travels as `why` with Code.ADDRESS_REFUSED."""

    EMPTY = "empty"
    UNREADABLE = "unreadable"
    SCHEME = "scheme"  # neither https nor http
    PLAIN_HTTP = "plain_http"
    USERINFO = "userinfo"  # user@host: what is read as the host is not the host
    PRIVATE = "private"  # not an address of the public internet
    PORT = "port"  # https on another port than 443
    CUSTOM_DOMAIN = "custom_domain"  # a shop's own domain, where the platform's name for it is needed
    SHOP_NAME = "shop_name"  # characters that no shop name has


# What `is_global` lets through or older Pythons do not know. The tunnels carry an IPv4 address that
# would have to be judged by itself; no store needs them.
# https://www.iana.org/assignments/iana-ipv6-special-registry
_NEVER = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # shared by the customers of one provider
        "192.0.0.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "198.18.0.0/15",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/96",  # IPv4-compatible
        "::ffff:0:0/96",  # IPv4-mapped
        "::ffff:0:0:0/96",  # IPv4-translated
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",  # Teredo and other protocols
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)


def networks(text: Iterable[str]) -> tuple[Network, ...]:
    """CIDR texts as networks; ValueError names the one that is none."""
    return tuple(ipaddress.ip_network(part.strip()) for part in text if part.strip())


def is_allowed(address: Address, allow_hosts: Iterable[Network]) -> bool:
    """Whether the address lies in a network that the operator opened although it may be private."""
    return any(address.version == network.version and address in network for network in allow_hosts)


def is_public(address: Address) -> bool:
    """Whether the address can belong to a machine on the public internet."""
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address.version == network.version and address in network for network in _NEVER)


def refusal(scheme: str, port: int, addresses: Iterable[Address], allow_hosts: tuple[Network, ...] = ()) -> Why | None:
    """Why a connection with `scheme` to `port` at these addresses must not be made; None when it may.

    One bad address among several is enough: an answer that mixes public and private ones is an attack.
    """
    outside = [address for address in addresses if not is_allowed(address, allow_hosts)]
    if not outside:
        return None
    if not all(is_public(address) for address in outside):
        return Why.PRIVATE
    if scheme != "https":
        return Why.PLAIN_HTTP
    return None if port == 443 else Why.PORT


def split(url: str) -> SplitResult:
    """The parts of an http or https URL that has a host and no user; StoreDisconnected when it is another thing."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise refused(url, Why.UNREADABLE) from None
    if parts.scheme not in ("https", "http"):
        raise refused(url, Why.SCHEME)
    if parts.username is not None or parts.password is not None or "@" in parts.netloc or "\\" in url:
        raise refused("", Why.USERINFO)
    if not parts.hostname or port == 0 or any(character <= " " for character in url):
        raise refused(url, Why.UNREADABLE)
    return parts


def literal(host: str) -> Address | None:
    """The host as an address when it is written as one."""
    try:
        return ipaddress.ip_address(host.strip("[]").split("%")[0])
    except ValueError:
        return None


def refused(address: str, why: Why) -> StoreDisconnected:
    """The error for an address that we do not call. Only the host is named: a URL may carry a secret."""
    try:
        shown = urlsplit(address).netloc.rpartition("@")[2] if "//" in address else address
    except ValueError:
        shown = ""
    return StoreDisconnected(Code.ADDRESS_REFUSED, address=shown[:200], why=str(why))
