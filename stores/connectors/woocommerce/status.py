"""Pure: what an order's status means for a number, and which status it gets.

The store guards nothing: it completes unpaid orders and takes cancelled ones back without a word, and a write to an
order in the bin brings it out again. So a status that is not known to be open is a matter for a person.
https://woocommerce.com/document/managing-orders/order-statuses/
"""

from __future__ import annotations

from collections.abc import Mapping

from ..codes import Code
from ..errors import ShipmentRejected
from .values import OrderState, Stop

OPEN = frozenset({"processing", "on-hold"})
COMPLETED = "completed"
# What plugins add: parts of the order are on their way; the first that the store knows is taken.
PARTIAL = ("partial-shipped", "partially-shipped", "partial-shipment", "partially-completed", "partial-complete")
# All of it left: completed, and what plugins let follow it.
DONE = frozenset({COMPLETED, "shipped", "delivered", "updated-tracking"})
_TAKEN_BACK = frozenset({"cancelled", "refunded"})


def closed(status: str) -> Stop | None:
    """Why nothing may be written to an order of this status; None where it is open, or done."""
    if status in OPEN or status in DONE or status in PARTIAL:
        return None
    if status in _TAKEN_BACK:
        return Stop(ShipmentRejected, Code.ORDER_CANCELLED_IN_STORE)
    return Stop(ShipmentRejected, Code.ORDER_NOT_OPEN, values={"status": status})


def next_status(order: OrderState, shipped: Mapping[str, int]) -> str:
    """The status that the order gets; "" when it stays. `shipped`: units of each line that parcels hold.

    Completed only when every line that ships is covered, else the store's status for parts, where it has one. An order
    never goes back: what somebody completed stays so.
    """
    if order.status in DONE:
        return ""
    if all(shipped.get(line.id, 0) >= line.quantity for line in order.lines if line.ships):
        return COMPLETED
    partial = next((status for status in PARTIAL if status in order.statuses), "")
    return partial if order.status not in PARTIAL else ""
