"""The values that planning works with: an order as it stands, the writes that change it, the plan or why there is none.

Read by state.py, decided by allocation.py, written by push.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ..base import Outcome
from ..codes import Code
from ..errors import ConnectorError, Delayed, Value
from .tracking import Tracking, TrackingList

_DEAD = frozenset({"CANCELLED", "ERROR", "FAILURE"})


@dataclass(frozen=True)
class WorkLine:
    """A line of a fulfillment order. `line` is the order's own line, `id` is not."""

    id: str
    line: str
    remaining: int
    requires_shipping: bool = True


@dataclass(frozen=True)
class Work:
    """A fulfillment order: what is still to be shipped from one location."""

    id: str
    status: str
    can_create: bool  # its supportedActions say so; nothing else does
    location: str  # its id, "" when the location is gone
    location_name: str
    lines: tuple[WorkLine, ...]
    service: str = ""  # the app whose fulfilment service the location is
    holds: tuple[str, ...] = ()  # the store's own display reasons
    fulfil_at: datetime | None = None
    ships: bool = True  # by parcel: neither collected nor digital


@dataclass(frozen=True)
class Parcel:
    """A fulfillment: what the store counts as shipped, with its tracking list."""

    id: str
    status: str
    created_at: str  # as the store writes it: compared, never shown
    lines: tuple[tuple[str, int], ...]
    tracking: tuple[Tracking, ...] = ()

    @property
    def lives(self) -> bool:
        return self.status not in _DEAD


@dataclass(frozen=True)
class OrderState:
    """What decides how a number gets onto an order."""

    id: str
    cancelled: bool
    requires_shipping: bool
    unfulfilled: bool  # the store says that nothing was shipped yet
    work: tuple[Work, ...]
    parcels: tuple[Parcel, ...]


@dataclass(frozen=True)
class Create:
    """One fulfillmentCreate: one location, each fulfillment order with its lines and quantities."""

    work: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
    tracking: TrackingList

    @property
    def units(self) -> int:
        return sum(quantity for _, lines in self.work for _, quantity in lines)


@dataclass(frozen=True)
class Update:
    """One fulfillmentTrackingInfoUpdate: the whole list of one fulfillment."""

    fulfillment: str
    tracking: TrackingList


@dataclass(frozen=True)
class Cancel:
    """One fulfillmentCancel: a duplicate of ours."""

    fulfillment: str


Write = Create | Update | Cancel


@dataclass(frozen=True)
class Plan:
    """Writes that make the store show the update; none when it does. `missing`: units the store has no room for."""

    outcome: Outcome
    writes: tuple[Write, ...] = ()
    fulfillments: tuple[str, ...] = ()  # that stay, by id; created ones come to them
    missing: int = 0


@dataclass(frozen=True)
class Stop:
    """Nothing is to be written: the error that says who acts next, as a value."""

    error: type[ConnectorError]
    code: Code
    after: float | None = None
    values: Mapping[str, Value] = field(default_factory=dict)

    def as_error(self) -> ConnectorError:
        """The error to answer an update with."""
        if issubclass(self.error, Delayed):
            return self.error(self.code, after=self.after, **dict(self.values))  # type: ignore[arg-type]
        return self.error(self.code, **dict(self.values))  # type: ignore[arg-type]
