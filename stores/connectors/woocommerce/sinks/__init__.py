"""The places that show a number: how an order is read there, and how each step is written.

One module for each place; base.py holds what they share, record.py our own record on the order, carriers.py the names
that a place knows carriers by. What is written is decided in allocation/.
"""

from __future__ import annotations

from datetime import datetime

from ..memory import Memory
from ..places import Place
from ..rest import Rest
from .base import Sink
from .fulfillments import FulfillmentSink
from .plain import PlainSink
from .shipment_tracking import TrackingSink

__all__ = ["Sink", "open_sink"]

_SINKS: dict[Place, type[Sink]] = {
    Place.SHIPMENT_TRACKING: TrackingSink,
    Place.FULFILLMENTS: FulfillmentSink,
    Place.PLAIN: PlainSink,
}


def open_sink(place: Place, rest: Rest, memory: Memory, order_id: str, now: datetime) -> Sink:
    """One order at one place. Asks nothing yet."""
    return _SINKS[place](rest, memory, order_id, now)
