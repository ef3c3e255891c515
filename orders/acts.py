"""What a person did to a shipment, as codes of the timeline. A leaf: everyone may import it.

Written by changes.py and the import as the reason of a SyncAttempt with the outcome "by hand"; the sentences are
made in wording.py. `{values}` name what travels with the code.
"""

from __future__ import annotations

import enum


class Act(enum.StrEnum):
    """What was done."""

    MARKED_PAID = "marked_paid"  # {at: ISO time}
    MARKED_DISPATCHED = "marked_dispatched"  # {at: ISO time}
    DISPATCH_UNDONE = "dispatch_undone"
    NUMBER_ADDED = "number_added"  # {kind, value}
    NUMBER_REPLACED = "number_replaced"  # {kind, value, before, carrier, carrier_before}
    NUMBER_REMOVED = "number_removed"  # {kind, before}
    TRIED_AGAIN = "tried_again"
    GAVE_UP = "gave_up"
