"""The names that places know carriers by. Only whole names are compared, without capitals, blanks and marks."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ...errors import ShipmentRejected
from ..memory import Memory
from ..rest import Rest, RouteGone

GOOD_FOR = 6 * 3600.0  # seconds that a store's list of carriers is remembered
_TRACKINGS = "/wc-shipment-tracking/v3"

# WooCommerce's own slugs, by the names that carriers go by.
SLUGS = {
    "dhl": ("DHL", "DHL Express", "DHL Paket"),
    "ups": ("UPS", "United Parcel Service"),
    "usps": ("USPS", "United States Postal Service"),
    "fedex": ("FedEx",),
    "royal-mail": ("Royal Mail",),
    "deutsche-post": ("Deutsche Post",),
    "dpd": ("DPD",),
    "gls": ("GLS",),
    "evri-hermes": ("Evri", "Hermes", "Evri (Hermes)"),
    "postnl": ("PostNL",),
}
OTHER = "other"


def key(name: str) -> str:
    """A name as two of them are compared."""
    return "".join(character for character in name if character.isalnum()).lower()


_BY_NAME = {key(name): slug for slug, names in SLUGS.items() for name in names}


def slug(name: str) -> str:
    """WooCommerce's slug of a carrier, "other" for one that it has none for."""
    return _BY_NAME.get(key(name), OTHER)


def known_name(name: str, rest: Rest, memory: Memory, order_id: str) -> str:
    """The carrier's name exactly as the store's tracking plugin lists it, "" where it does not.

    Raises what reads raise. A list that cannot be had is an empty one: a carrier's name and link go without it.
    """
    if memory.providers is None or time.monotonic() >= memory.providers_until:
        memory.providers = _ask(rest, memory, order_id)
        memory.providers_until = time.monotonic() + GOOD_FOR
    found: str = memory.providers.get(key(name), "")
    return found


def _ask(rest: Rest, memory: Memory, order_id: str) -> dict[str, str]:
    is_ast = memory.places is not None and memory.places.is_ast
    path = f"{_TRACKINGS}/orders/{order_id}" if is_ast else _TRACKINGS
    try:
        return _names(rest.get(f"{path}/shipment-trackings/providers").data)
    except (RouteGone, ShipmentRejected):
        return {}


def _names(data: Any) -> dict[str, str]:
    """Of {country: {name: link}}; a store without a list says []."""
    countries = data.values() if isinstance(data, Mapping) else ()
    return {key(str(name)): str(name) for names in countries if isinstance(names, Mapping) for name in names}
