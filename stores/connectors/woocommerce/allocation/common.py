"""Whose is what stands on an order, and what a parcel holds: the same for all places.

* Ours is what was recorded for this shipment, or carries a number that it ever had and no other shipment has.
* A parcel holds the units of its lines that the others leave room for; where nobody told, all that is left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from ...base import TrackingUpdate
from ..values import OrderState, Parcel, folded, recognised

Lines = tuple[tuple[str, int], ...]


def ours(update: TrackingUpdate, order: OrderState) -> tuple[Parcel, ...]:
    """What stands in the store for this shipment, recorded ones first; those it shares with others included."""
    return tuple(parcel for parcel in order.parcels if stands(parcel, order) and is_ours(parcel, update))


def stands(parcel: Parcel, order: OrderState) -> bool:
    """Whether it is there. What was put elsewhere, before a plugin came or went, cannot be seen and is believed."""
    return bool(parcel.item) or parcel.place != order.place


def known(update: TrackingUpdate) -> frozenset[str]:
    """Every number that this shipment ever had."""
    return recognised((*update.ours, update.number))


def alone(update: TrackingUpdate) -> frozenset[str]:
    """Numbers that are this shipment's and no other's, and the one that it shall show."""
    return known(update) - recognised(update.siblings - {update.number})


def is_ours(parcel: Parcel, update: TrackingUpdate) -> bool:
    """Whether it was put there for this shipment."""
    if parcel.id in update.fulfillments:
        return True
    numbers = recognised(parcel.numbers)
    if numbers & (known(update) - recognised(update.siblings)):
        return True
    # A number that two parcels have by permission says nothing; then the contents have to.
    return bool(
        numbers & known(update)
        and update.lines is not None
        and parcel.lines
        and parcel.id not in update.siblings
        and set(parcel.lines) <= set(update.lines)
    )


def is_shared(parcel: Parcel, update: TrackingUpdate) -> bool:
    """Whether another shipment of the order has it, too."""
    others = recognised(update.siblings) - recognised([update.number])
    return parcel.id in update.siblings or bool(recognised(parcel.numbers) & others)


def foreign(parcel: Parcel, update: TrackingUpdate) -> str:
    """A number on it that no shipment of the order ever had, "" where there is none."""
    of_the_order = known(update) | recognised(update.siblings)
    return next((number for number in parcel.numbers if folded(number) not in of_the_order), "")


def carries(parcel: Parcel, update: TrackingUpdate) -> bool:
    """Whether it shows the number that it shall show."""
    return folded(update.number) in recognised(parcel.numbers)


def counted(lines: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Units of each line."""
    units: Counter[str] = Counter()
    for line, quantity in lines:
        units[line] += max(quantity, 0)
    return {line: quantity for line, quantity in units.items() if quantity}


def held(parcels: Iterable[Parcel]) -> dict[str, int]:
    """Units of each line that these hold together."""
    return counted(pair for parcel in parcels for pair in parcel.lines)


def room(order: OrderState, others: Iterable[Parcel]) -> dict[str, int]:
    """Units of each line that `others` leave over."""
    taken = held(parcel for parcel in others if stands(parcel, order))
    return {line.id: max(line.quantity - taken.get(line.id, 0), 0) for line in order.lines}


def left(order: OrderState, space: Mapping[str, int]) -> Lines:
    """All that is left of what ships."""
    return tuple(sorted((line.id, space[line.id]) for line in order.lines if line.ships and space[line.id]))


def fitted(need: Mapping[str, int], space: Mapping[str, int]) -> tuple[Lines, dict[str, int]]:
    """(what there is room for, units that there is none for)."""
    lines = sorted((line, min(units, space.get(line, 0))) for line, units in need.items() if space.get(line, 0))
    short = {line: units - space.get(line, 0) for line, units in need.items() if units > space.get(line, 0)}
    return tuple(lines), short


def beside(short: Mapping[str, int], siblings: Iterable[Parcel]) -> Parcel | None:
    """A sibling that took more than it may hold, because nobody had told: these goods are among it."""
    for parcel in siblings:
        holds = counted(parcel.lines)
        if short and holds != short and all(holds.get(line, 0) >= units for line, units in short.items()):
            return parcel
    return None
