"""Where a store shows a tracking number: in a plugin's list, in WooCommerce's own fulfillments, or in a note.

Only found and chosen here; how each is written stands in sinks/. The index of the API names the plugins by their
namespaces. It says nothing about fulfillments, which live among the orders and are off unless somebody switched them
on: those are asked for.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..codes import Code
from ..errors import ShipmentRejected, StoreBusy, StoreDisconnected

if TYPE_CHECKING:
    from .memory import Memory
    from .rest import Rest

# Seconds; less where a place turns out to be gone. Who has put in a plugin today wants to see it used today.
GOOD_FOR = 3600.0

TRACKING_API = "wc-shipment-tracking/v3"  # of the paid plugin, and of Advanced Shipment Tracking as well
AST_API = "wc-ast/v3"


class Place(enum.StrEnum):
    """Where numbers can stand, the best first."""

    SHIPMENT_TRACKING = "shipment_tracking"  # a plugin's list: the store's own mail and account page show it
    FULFILLMENTS = "fulfillments"  # WooCommerce's own record
    PLAIN = "plain"  # a note on the order: every store has notes


@dataclass(frozen=True)
class Places:
    """What one store has, the best first; PLAIN is always among them."""

    found: tuple[Place, ...]
    is_ast: bool = False  # the tracking plugin is Advanced Shipment Tracking


def find(rest: Rest, memory: Memory, namespaces: Sequence[str] | None = None) -> Places:
    """Where this store can show numbers: as remembered for an hour, else asked anew. Raises what reads raise.

    `namespaces`: of the API's index, where the caller has just read it.
    """
    if memory.places is None or time.monotonic() >= memory.places_until:
        memory.places = _ask(rest, namespaces)
        memory.places_until = time.monotonic() + GOOD_FOR
    return memory.places


def choose(places: Places, wish: str) -> Place:
    """The place that the merchant wished for where it is there, else the best."""
    return next((place for place in places.found if place == wish), places.found[0])


def _ask(rest: Rest, namespaces: Sequence[str] | None) -> Places:
    plugin, is_ast = _plugin(rest, namespaces)
    found = [Place.SHIPMENT_TRACKING] if plugin else []
    if rest.has_route("/wc/v3/orders/1/fulfillments"):
        found.append(Place.FULFILLMENTS)
    return Places((*found, Place.PLAIN), is_ast)


def _plugin(rest: Rest, namespaces: Sequence[str] | None) -> tuple[bool, bool]:
    """Whether a tracking plugin answers, and whether it is AST."""
    try:
        named = namespaces or rest.index().data.get("namespaces") or ()
    except (StoreDisconnected, ShipmentRejected, StoreBusy) as error:
        if isinstance(error, StoreBusy) and error.reason.code != Code.NOT_JSON:
            raise
        # Some shops show their index to nobody, and their orders to a key all the same.
        asked = "/orders/1/shipment-trackings"
        is_ast = rest.has_route(f"/{AST_API}{asked}")
        return is_ast or rest.has_route(f"/{TRACKING_API}{asked}"), is_ast
    return TRACKING_API in named, AST_API in named
