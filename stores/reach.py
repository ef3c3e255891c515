"""Who can reach us at TRACKSYNC_URL: customers and shops out there, or only this machine and the networks it opened.

Platforms call a public https address on the usual port and nothing else (Shopify: `Address cannot be a Shopify or an
internal domain`; WooCommerce sends through WordPress' wp_safe_remote_post). A shop in one of the networks of
TRACKSYNC_ALLOW_HOSTS is a pretend one, which finds us where we are.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings

from . import connections
from .connectors.addresses import is_allowed, is_public, literal

# Ends of names that no public name has. https://www.iana.org/assignments/special-use-domain-names
_NEVER_PUBLIC = ("localhost", "local", "internal", "test", "example", "invalid", "lan", "home", "arpa")


def is_public_url(url: str) -> bool:
    """Whether somebody out there can call this address: https, the usual port, and no name of a private network."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme != "https" or not host or parts.port not in (None, 443):
        return False
    address = literal(host)
    if address is not None:
        return is_public(address)
    return "." in host and host.rpartition(".")[2] not in _NEVER_PUBLIC


def is_opened_network(base_url: str) -> bool:
    """Whether the shop lies on this machine or in a network that the operator opened for pretend shops."""
    host = urlsplit(base_url).hostname or ""
    address = literal("127.0.0.1" if host == "localhost" else host)
    return address is not None and is_allowed(address, connections.allowed_networks())


def can_reach_us(base_url: str) -> bool:
    """Whether the shop at this address can call us."""
    return is_opened_network(base_url) or is_public_url(settings.TRACKSYNC_URL)
