"""Which platforms there are: one line each. Everything else about a platform is in its own module."""

from __future__ import annotations

from typing import Any

from .addresses import Network
from .base import Capabilities, Connector, Opening
from .shopify import ShopifyConnector
from .woocommerce import WooCommerceConnector

CONNECTORS: dict[str, type[Connector]] = {
    "shopify": ShopifyConnector,
    "woocommerce": WooCommerceConnector,
}


def platform_choices() -> list[tuple[str, str]]:
    """(key, label) of every platform, for a choice field."""
    return [(key, connector.label) for key, connector in CONNECTORS.items()]


def capabilities(platform: str) -> Capabilities:
    """What the platform can do. KeyError for one that is not there."""
    return CONNECTORS[platform].capabilities


def normalise_base_url(platform: str, text: str, allow_hosts: tuple[Network, ...] = ()) -> str:
    """What a merchant typed as the store's address, as it is kept; StoreDisconnected(ADDRESS_REFUSED) with `why`."""
    return CONNECTORS[platform].normalise_base_url(text, allow_hosts)


def make(platform: str, opening: Opening) -> Connector:
    """A connector for one store and one run."""
    connector: Any = CONNECTORS[platform]
    made: Connector = connector(opening)
    return made
