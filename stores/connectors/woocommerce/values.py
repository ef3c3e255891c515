"""The values that pushing works with: an order as it stands, the steps that change it, the plan or why there is none.

Read and written by the sinks, decided in allocation.py, carried out in push.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..base import Outcome
from ..codes import Code
from ..errors import ConnectorError, Delayed, Value
from .places import Place


def folded(number: str) -> str:
    """A number without what people type differently: blanks, hyphens, capitals. To recognise one."""
    return "".join(character for character in number if character.isalnum()).upper()


def recognised(numbers: Iterable[str]) -> frozenset[str]:
    """All of these as `folded()` sees them."""
    return frozenset(folded(number) for number in numbers if number)


@dataclass(frozen=True)
class Line:
    """A line of the order. `quantity` is what was ordered less what was refunded."""

    id: str
    quantity: int
    ships: bool = True


@dataclass(frozen=True)
class Parcel:
    """What stands in the store for one parcel.

    `id` is what a receipt names: it stays the same when the number is replaced. `item` is where the place keeps it
    now, "" when it is not there any more. `is_recorded`: whether the order's own record (see sinks/record.py) knows
    it; what it does not know was put there by somebody else, or by a push that was cut short.
    """

    id: str
    numbers: tuple[str, ...]  # one, but for fulfillments that several parcels share
    lines: tuple[tuple[str, int], ...] = ()
    company: str = ""  # of the first number
    url: str = ""
    item: str = ""
    place: Place = Place.PLAIN
    is_recorded: bool = True
    gave: str = ""  # the status that the order got with it, as recorded


@dataclass(frozen=True)
class OrderState:
    """What decides how a number gets onto an order: `place` is where numbers go in this store."""

    id: str
    status: str
    lines: tuple[Line, ...]
    parcels: tuple[Parcel, ...]  # the record's first, each kind oldest first
    place: Place
    statuses: frozenset[str] = frozenset()  # all that the store knows, where it tells
    was_completed: bool = False  # at some time, whatever it is now
    listed: tuple[str, ...] = ()  # plain orders: the numbers that the order lists now


@dataclass(frozen=True)
class Add:
    """Put a number there that is not there. `instead_of`: the numbers that it takes the place of."""

    parcel: Parcel
    instead_of: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """Write a fulfillment anew, whole: its numbers, carrier, link and items."""

    parcel: Parcel


@dataclass(frozen=True)
class Remove:
    """Take one item away."""

    item: str
    number: str


@dataclass(frozen=True)
class Settle:
    """The last write: what the record shall say, what the order shall list, and its status ("" leaves it)."""

    parcels: tuple[Parcel, ...] = ()
    listed: tuple[str, ...] = ()
    status: str = ""


Step = Add | Change | Remove | Settle


@dataclass(frozen=True)
class Plan:
    """Steps that make the store show the update; none when it does. `missing`: units the order has no room for."""

    outcome: Outcome
    steps: tuple[Step, ...] = ()
    fulfillments: tuple[str, ...] = ()  # ids of what is there already and stays
    missing: int = 0
    warnings: tuple[str, ...] = ()  # of what the steps mend


@dataclass(frozen=True)
class Stop:
    """Nothing is to be written: the error that says who acts next, as a value."""

    error: type[ConnectorError]
    code: Code
    values: Mapping[str, Value] = field(default_factory=dict)

    def as_error(self) -> ConnectorError:
        """The error to answer an update with."""
        if issubclass(self.error, Delayed):
            return self.error(self.code, after=None, **dict(self.values))  # type: ignore[arg-type]
        return self.error(self.code, **dict(self.values))  # type: ignore[arg-type]
