"""WooCommerce's own fulfillments: they have contents, and one is changed in place.

The store compares what is in a fulfillment with nothing, so that is done here. A fulfillment has one field for a
number, one for a carrier and one for a link: parcels that share one stand there with commas between, carrier and link
are those of the first. https://developer.woocommerce.com/docs/apis/rest-api/v3/order-fulfillments/
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from ...base import Outcome, TrackingUpdate
from ...codes import Code
from ...errors import ShipmentRejected
from ..status import DONE, next_status
from ..values import Add, Change, OrderState, Parcel, Plan, Remove, Settle, Step, Stop, folded, recognised
from .common import (
    Lines,
    alone,
    beside,
    carries,
    counted,
    fitted,
    foreign,
    held,
    is_shared,
    known,
    left,
    room,
    stands,
)


def as_fulfillment(update: TrackingUpdate, order: OrderState, own: tuple[Parcel, ...], completes: bool) -> Plan | Stop:
    """The steps, or why there are none. `own`: what stands there for this shipment."""
    here = tuple(parcel for parcel in own if parcel.item)
    elsewhere = next((parcel for parcel in own if not parcel.item and carries(parcel, update)), None)
    if elsewhere and not here:
        # It stands where numbers went before; nothing is gained by a second one.
        return Plan(Outcome.UNCHANGED, fulfillments=(elsewhere.id,))
    order = replace(order, parcels=tuple(parcel for parcel in order.parcels if parcel.item or parcel not in own))
    own = here
    if not own and _was_removed(update, order):
        return Stop(ShipmentRejected, Code.FULFILLMENT_CANCELLED)
    kept, surplus, need = _cover(update, own)
    for parcel in kept:
        if (number := foreign(parcel, update)) and not recognised(parcel.numbers) & known(update):
            return Stop(ShipmentRejected, Code.OTHER_NUMBER_THERE, {"there": number})

    space = room(order, (parcel for parcel in order.parcels if parcel not in surplus))
    lines, short = (left(order, space), {}) if need is None else fitted(need, space)
    others = [parcel for parcel in order.parcels if stands(parcel, order) and parcel not in own]
    siblings = [parcel for parcel in others if is_shared(parcel, update)]
    strangers = [parcel for parcel in others if parcel not in siblings]
    adopted = _adoptable(strangers, update, short)
    short = _uncovered(adopted, short)
    outcome = _outcome(order, own, bool(lines), bool(adopted))
    if not (own or lines or adopted):
        joined = _joined(update, siblings, strangers, short)
        if isinstance(joined, Stop):
            return joined
        parcel, outcome = joined
        adopted, short = [parcel], {}

    changes = _changes([*kept, *adopted], update)
    removes: list[Step] = [Remove(parcel.item, next(iter(parcel.numbers), "")) for parcel in surplus]
    creates: list[Step] = []
    if lines:
        creates.append(Add(Parcel("", (update.number,), lines, update.company, update.url, place=order.place)))
    if own and not creates and (changes or removes):
        outcome = Outcome.REPLACED
    steps = changes + creates + removes + _settled(order, surplus, lines, completes)
    return Plan(
        outcome=outcome if steps else Outcome.UNCHANGED,
        steps=tuple(steps),
        fulfillments=tuple(dict.fromkeys(parcel.id for parcel in (*kept, *adopted))),
        missing=sum(short.values()),
        warnings=(Code.DUPLICATE_CANCELLED,) if surplus else (),
    )


def _was_removed(update: TrackingUpdate, order: OrderState) -> bool:
    """A removed fulfillment is not shown any more. That it had this very number is sure where there was no other."""
    recorded = [name for name in update.fulfillments if name.startswith(f"{order.place}:")]
    return bool(recorded) and known(update) == recognised([update.number])


def _cover(update: TrackingUpdate, own: tuple[Parcel, ...]) -> tuple[list[Parcel], list[Parcel], dict[str, int] | None]:
    """(ours that stay, ours that are duplicates, units of each line that none of them covers).

    Contents nobody told: they are those of the first; None is needed where there is none yet.
    """
    if update.lines is None:
        if not own:
            return [], [], None
        wanted = counted(own[0].lines)
        twice = [parcel for parcel in own[1:] if counted(parcel.lines) == wanted and _is_second(parcel, update)]
        return [parcel for parcel in own if parcel not in twice], twice, {}
    need = counted(update.lines)
    wanted = dict(need)
    kept: list[Parcel] = []
    surplus: list[Parcel] = []
    for parcel in own:
        covers = {line: min(units, need[line]) for line, units in parcel.lines if need.get(line)}
        # Lines that are not this shipment's prove that it is no second try of ours.
        repeats = parcel.lines and all(line in wanted for line, _ in parcel.lines)
        if not covers and kept and repeats and not is_shared(parcel, update):
            if _is_second(parcel, update):
                surplus.append(parcel)
            continue
        for line, units in covers.items():
            need[line] -= units
        kept.append(parcel)
    return kept, surplus, {line: units for line, units in need.items() if units > 0}


def _is_second(parcel: Parcel, update: TrackingUpdate) -> bool:
    """Whether we made it: recorded, or with our link. Somebody may have typed the number."""
    return not is_shared(parcel, update) and (parcel.id in update.fulfillments or parcel.url == update.url)


def _should_be(parcel: Parcel, update: TrackingUpdate) -> Parcel:
    """As it should stand there: this number in its place, or at the end, and everybody else's kept."""
    mine = alone(update)
    numbers: list[str] = []
    for number in (*parcel.numbers, update.number):
        shown = update.number if folded(number) in mine else number
        if shown not in numbers:
            numbers.append(shown)
    if numbers[0] != update.number:
        return replace(parcel, numbers=tuple(numbers))
    return replace(parcel, numbers=tuple(numbers), company=update.company, url=update.url)


def _changes(parcels: Iterable[Parcel], update: TrackingUpdate) -> list[Step]:
    wanted = [(parcel, _should_be(parcel, update)) for parcel in parcels]
    return [Change(should_be) for parcel, should_be in wanted if should_be != parcel]


def _adoptable(strangers: Iterable[Parcel], update: TrackingUpdate, short: Mapping[str, int]) -> list[Parcel]:
    """Those without a number that hold what is short, as few as it takes."""
    chosen: list[Parcel] = []
    for parcel in strangers:
        lacks = _uncovered(chosen, short)
        if not foreign(parcel, update) and any(lacks.get(line) for line, _ in parcel.lines):
            chosen.append(parcel)
    return chosen


def _uncovered(parcels: Iterable[Parcel], short: Mapping[str, int]) -> dict[str, int]:
    holds = held(parcels)
    return {line: units - holds.get(line, 0) for line, units in short.items() if units > holds.get(line, 0)}


def _joined(
    update: TrackingUpdate, siblings: list[Parcel], strangers: list[Parcel], short: Mapping[str, int]
) -> tuple[Parcel, Outcome] | Stop:
    """Where nothing is left to put into a fulfillment: which other one takes the number, or why none does."""
    if update.lines is None:
        if siblings:
            return siblings[0], Outcome.REPLACED
        covering = strangers
        empty = [parcel for parcel in covering if not foreign(parcel, update)]
        if empty:
            return empty[0], Outcome.ADOPTED
    else:
        covering = [parcel for parcel in strangers if any(short.get(line) for line, _ in parcel.lines)]
    if covering:
        return Stop(ShipmentRejected, Code.OTHER_NUMBER_THERE, {"there": foreign(covering[0], update)})
    sibling = beside(short, siblings)
    return (sibling, Outcome.REPLACED) if sibling else Stop(ShipmentRejected, Code.NOTHING_TO_FULFILL)


def _outcome(order: OrderState, own: tuple[Parcel, ...], creates: bool, adopts: bool) -> Outcome:
    if creates:
        # Completed by somebody who recorded no fulfillment at all.
        by_hand = order.status in DONE and not any(stands(parcel, order) for parcel in order.parcels)
        return Outcome.ADOPTED if by_hand else Outcome.CREATED
    return Outcome.ADOPTED if adopts and not own else Outcome.CREATED


def _settled(order: OrderState, surplus: list[Parcel], new: Lines, completes: bool) -> list[Step]:
    """The status, where it changes by what all fulfillments hold.

    An order that was completed and is open again was opened by somebody: only new goods complete it a second time.
    """
    if order.was_completed and not new:
        return []
    stays = [parcel for parcel in order.parcels if stands(parcel, order) and parcel not in surplus]
    shipped = Counter(held(stays))
    shipped.update(dict(new))
    status = next_status(order, shipped) if completes else ""
    return [Settle(status=status)] if status else []
