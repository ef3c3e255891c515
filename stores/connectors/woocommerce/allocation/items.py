"""Places that know nothing of contents, a plugin's list and plain orders: one item for each number.

Which lines a number covers is kept in a record of ours on the order, which is written last, together with the status:
a number that stands there and not in the record is a push that was cut short. It is finished, not repeated.

A new number is added before the old one is taken away. Whatever happens in between, the customer has one that leads
to the parcel, and the next push finds both and takes the old one away. The other way round a push that dies between
the two would leave none.
"""

from __future__ import annotations

from dataclasses import replace

from ...base import Outcome, TrackingUpdate
from ...codes import Code
from ...errors import ShipmentRejected
from ..places import Place
from ..status import DONE, next_status
from ..values import Add, OrderState, Parcel, Plan, Remove, Settle, Step, Stop, folded, recognised
from .common import Lines, alone, beside, carries, counted, fitted, foreign, held, is_ours, known, left, room, stands


def as_item(update: TrackingUpdate, order: OrderState, own: tuple[Parcel, ...], completes: bool) -> Plan | Stop:
    """The steps, or why there are none. `own`: what stands there for this shipment."""
    here = [parcel for parcel in order.parcels if parcel.item]
    record = tuple(parcel for parcel in order.parcels if parcel.is_recorded)
    before = tuple(parcel for parcel in record if is_ours(parcel, update))  # those whose item is gone as well
    kept = next((parcel for parcel in before if parcel.id in update.fulfillments), next(iter(before), None))
    if stop := _stopped(update, here, own, kept):
        return stop
    lines, short = _contents(update, order, before, kept)
    if not (lines or kept or own or short is None):
        return Stop(ShipmentRejected, Code.NOTHING_TO_FULFILL)

    there = _there(update, order, here, own, kept)
    parcel = _wanted(update, order, lines, kept, there)
    old = [] if there is None else _outdated(update, order, own, there)
    steps: list[Step] = []
    if there is None:
        steps.append(Add(parcel, tuple(one.numbers[0] for one in own if not carries(one, update))))
    elif order.place != Place.PLAIN:
        steps += [Remove(one.item, one.numbers[0]) for one in old]
    status = _status(order, record, before, kept, parcel) if completes else ""
    parcel = replace(parcel, gave=status or parcel.gave)
    after = _recorded(record, before, kept, parcel)
    listed = _listed(update, order) if order.place == Place.PLAIN else ()
    if steps or after != record or listed != order.listed:
        steps.append(Settle(after, listed, status))
    twice = [one for one in old if carries(one, update) and _fits(one, update)]
    return Plan(
        outcome=_outcome(steps, order, own, record, kept, parcel),
        steps=tuple(steps),
        fulfillments=(parcel.id,) if parcel.id else (),
        missing=sum((short or {}).values()),
        warnings=(Code.DUPLICATE_CANCELLED,) if twice and order.place != Place.PLAIN else (),
    )


def _stopped(update: TrackingUpdate, here: list[Parcel], own: tuple[Parcel, ...], kept: Parcel | None) -> Stop | None:
    """Whether somebody else's number stands in the place of ours, or somebody took ours away."""
    if any(recognised(parcel.numbers) & known(update) for parcel in own):
        return None
    # What is recorded is ours, unless a person wrote another number into it.
    for parcel in own or [parcel for parcel in here if not parcel.is_recorded]:
        if number := foreign(parcel, update):
            return Stop(ShipmentRejected, Code.OTHER_NUMBER_THERE, {"there": number})
    if not own and kept and kept.id in update.fulfillments and carries(kept, update):
        return Stop(ShipmentRejected, Code.FULFILLMENT_CANCELLED)
    return None


def _contents(
    update: TrackingUpdate, order: OrderState, before: tuple[Parcel, ...], kept: Parcel | None
) -> tuple[Lines, dict[str, int] | None]:
    """(its lines, units without room). None: it joins others, and nothing is missing."""
    others = [parcel for parcel in order.parcels if parcel not in before]
    space = room(order, others)
    siblings = [parcel for parcel in others if parcel.is_recorded and stands(parcel, order)]
    if update.lines is None:
        if kept:
            return kept.lines, None
        lines = left(order, space)
        return lines, None if lines or siblings else {}
    lines, short = fitted(counted(update.lines), space)
    return lines, None if beside(short, siblings) else short


def _fits(parcel: Parcel, update: TrackingUpdate) -> bool:
    """Whether carrier and link are as they should be: as sent, where that is recorded.

    Of what is not recorded only a link to another site speaks against: plugins write links in their own way.
    """
    if parcel.is_recorded:
        return (parcel.company, parcel.url) == (update.company, update.url)
    return not parcel.url or _site(parcel.url) == _site(update.url)


def _site(url: str) -> str:
    return url.partition("://")[2].partition("/")[0].lower()


def _there(
    update: TrackingUpdate, order: OrderState, here: list[Parcel], own: tuple[Parcel, ...], kept: Parcel | None
) -> Parcel | None:
    """The item that shows the number, with carrier and link as they should be. A sibling's own is as good."""
    found = [parcel for parcel in here if carries(parcel, update)]
    fitting = [one for one in found if _fits(one, update) or (one.is_recorded and one not in own)]
    if kept and (kept in fitting or (kept.place != order.place and carries(kept, update) and not found)):
        return kept  # elsewhere: it stands where numbers went before, and nothing is gained by a second one
    return next(iter(fitting), None)


def _wanted(
    update: TrackingUpdate, order: OrderState, lines: Lines, kept: Parcel | None, there: Parcel | None
) -> Parcel:
    """What the record shall say. Its id stays; a number that two parcels share is one item and two entries."""
    taken = {parcel.id for parcel in order.parcels if parcel.is_recorded}
    name = kept.id if kept else there.id if there else ""
    if not kept and name in taken:
        name = next(f"{name}+{n}" for n in range(2, len(taken) + 3) if f"{name}+{n}" not in taken)
    return Parcel(
        id=name,
        numbers=(update.number,),
        lines=lines,
        company=update.company,
        url=update.url,
        item=there.item if there else "",
        place=there.place if there else order.place,
        gave=kept.gave if kept else "",
    )


def _outdated(update: TrackingUpdate, order: OrderState, own: tuple[Parcel, ...], there: Parcel) -> list[Parcel]:
    """Items of this shipment alone that shall not be there any more: old numbers, and the same a second time."""
    used = {parcel.item for parcel in order.parcels if parcel.is_recorded and parcel not in own} | {there.item, ""}
    of_others = recognised(update.siblings) - recognised([update.number])  # never taken from another shipment
    return [
        parcel
        for parcel in own
        if parcel.item not in used
        and not recognised(parcel.numbers) & of_others
        # The same number with a link of somebody else's was typed by a person.
        and (parcel.is_recorded or not carries(parcel, update) or _fits(parcel, update))
    ]


def _status(
    order: OrderState, record: tuple[Parcel, ...], before: tuple[Parcel, ...], kept: Parcel | None, parcel: Parcel
) -> str:
    """The status that the order gets, "" when it stays: what it got for the same contents it does not get again."""
    others = [one for one in record if one not in before and stands(one, order)]
    status = next_status(order, held([*others, parcel]))
    is_new = kept is None or kept.lines != parcel.lines
    return status if is_new or status not in {one.gave for one in record} else ""


def _recorded(
    record: tuple[Parcel, ...], before: tuple[Parcel, ...], kept: Parcel | None, parcel: Parcel
) -> tuple[Parcel, ...]:
    """The record with this parcel in its place, or at the end."""
    after = [parcel if one is kept else one for one in record if one is kept or one not in before]
    return tuple(after if kept else [*after, parcel])


def _listed(update: TrackingUpdate, order: OrderState) -> tuple[str, ...]:
    """What a plain order lists: this number in the place of its old one, or at the end, and all others kept.

    Those of other parcels are put back where they are missing: a request that was executed late may have left the
    list as it was before them.
    """
    mine = alone(update)
    numbers: list[str] = []
    others = (number for parcel in order.parcels if parcel.is_recorded and parcel.item for number in parcel.numbers)
    for number in (*order.listed, update.number, *others):
        shown = update.number if folded(number) in mine else number
        if folded(shown) not in recognised(numbers):
            numbers.append(shown)
    return tuple(numbers)


def _outcome(
    steps: list[Step],
    order: OrderState,
    own: tuple[Parcel, ...],
    record: tuple[Parcel, ...],
    kept: Parcel | None,
    parcel: Parcel,
) -> Outcome:
    if not steps:
        return Outcome.UNCHANGED
    is_another = kept is not None and replace(parcel, gave=kept.gave) != kept
    if is_another or any(isinstance(step, Remove) for step in steps) or (own and isinstance(steps[0], Add)):
        return Outcome.REPLACED
    if not own and not record and order.status in DONE:
        return Outcome.ADOPTED  # somebody completed the order and told no number
    return Outcome.CREATED
