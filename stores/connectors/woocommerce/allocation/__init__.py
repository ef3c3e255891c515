"""Pure: what has to be written so that an order shows one shipment's number. State in, steps out.

The values stand in values.py, what a status allows in status.py; how an order is read and a step is written is told in
sinks/, who carries the steps out in push.py. Here: whose is what and what it holds (common.py), places that know
nothing of contents (items.py), and fulfillments, which have some (fulfillments.py).

Tracking comes first and the status second, always: the mail of a completed order shows what is known at that moment.
"""

from __future__ import annotations

from dataclasses import replace

from ...base import Outcome, TrackingUpdate
from ..places import Place
from ..status import closed
from ..values import OrderState, Plan, Settle, Stop
from .common import ours
from .fulfillments import as_fulfillment
from .items import as_item

__all__ = ["ours", "plan"]


def plan(update: TrackingUpdate, order: OrderState, *, completes: bool) -> Plan | Stop:
    """What to write, or why nothing is written. `completes`: the merchant wants orders completed."""
    own = ours(update, order)
    stop = closed(order.status)
    if stop and not own:
        return stop
    decide = as_fulfillment if order.place == Place.FULFILLMENTS else as_item
    decided = decide(update, order, own, completes)
    if stop and isinstance(decided, Plan):
        # The number stands there already: that is a fact. The status of such an order is not ours to change.
        if any(not isinstance(step, Settle) for step in decided.steps):
            return stop
        return replace(decided, outcome=Outcome.UNCHANGED, steps=())
    return decided
