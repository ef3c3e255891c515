"""What can go wrong between us and a store, named by who acts next.

    |                 | by itself, later         | a person          |
    |-----------------|--------------------------|-------------------|
    | this shipment   | TryAgainLater            | ShipmentRejected  |
    | the whole store | StoreBusy                | StoreDisconnected |

and OutcomeUnknown: a write may have happened. The first four promise that nothing was written.
Anything else that a connector raises is a bug and is treated as one.

Every error carries a reason: a code with values, never a sentence with somebody's data in it. The
sentences are made in one place only (orders/wording.py). `message` is what the store itself said,
cleaned of credentials and cut short; it goes into the timeline and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MESSAGE_LIMIT = 500

Value = str | int | float | bool | list[str] | None


@dataclass(frozen=True)
class Reason:
    """A code from `codes.Code` with the values that its sentence needs."""

    code: str
    values: Mapping[str, Value] = field(default_factory=dict)


class ConnectorError(Exception):
    """The root: `reason` says what happened, `message` what the store said, `request_id` its own reference."""

    def __init__(self, code: str, message: str = "", *, request_id: str = "", **values: Value) -> None:
        self.reason = Reason(code, values)
        self.message = message[:MESSAGE_LIMIT]
        self.request_id = request_id
        super().__init__(f"{code}: {self.message}" if self.message else code)


class Delayed(ConnectorError):
    """Ends by itself; `after` is the store's own word in seconds, None where it gave none."""

    def __init__(
        self, code: str, message: str = "", *, after: float | None = None, request_id: str = "", **values: Value
    ) -> None:
        super().__init__(code, message, request_id=request_id, **values)
        self.after = after


class TryAgainLater(Delayed):
    """This shipment has to wait: a hold, a scheduled release, routing not finished. Nothing was written."""


class StoreBusy(Delayed):
    """The whole store has to wait: throttled, maintenance, no answer to a read. Nothing was written."""


class ShipmentRejected(ConnectorError):
    """A person has to act on this shipment. Nothing was written."""


class StoreDisconnected(ConnectorError):
    """A person has to act on the connection: access withdrawn, scope missing, shop frozen. Nothing was written."""


class OutcomeUnknown(ConnectorError):
    """A write may have happened: time-out, reset, 5xx or cut answer after a write was sent."""
