"""Pure: what has to be written so that an order shows one shipment's number. State in, plan out.

The values stand in values.py, how lists are merged in tracking.py; how the state is read is told in
state.py, how a plan is written in push.py. The order in which things are decided, which is also the
order of the functions:

1. What is ours: live fulfillments that we recorded, or that carry a number this shipment ever had.
2. Two of ours for the same lines: the younger goes.
3. What they do not cover is created at our locations, as far as there is room.
4. Where nothing can be created: contents nobody told join the order's other shipments; a fulfillment
   that somebody else made without a number takes ours; one with a number of its own is left alone.
5. Nothing of all that: why, and who has to act.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ..base import Outcome, TrackingUpdate
from ..codes import Code
from ..errors import ShipmentRejected, TryAgainLater, Value
from .tracking import merged, recognised, same, shows
from .values import Cancel, Create, OrderState, Parcel, Plan, Stop, Update, Work, Write

LINES_PER_CALL = 250  # https://shopify.dev/docs/api/usage/limits: input arrays

_FINISHED = frozenset({"CLOSED", "CANCELLED"})


def ours(update: TrackingUpdate, order: OrderState) -> tuple[Parcel, ...]:
    """The live fulfillments of this shipment, oldest first; those it shares with others included."""
    return tuple(
        sorted(
            (parcel for parcel in order.parcels if parcel.lives and _is_ours(parcel, update)),
            key=lambda parcel: (parcel.created_at, parcel.id),
        )
    )


def plan(
    update: TrackingUpdate, order: OrderState | None, *, location_ids: frozenset[str], now: datetime
) -> Plan | Stop:
    """What to write, or why nothing is written. `location_ids` empty: every location of the merchant's own."""
    if order is None:
        return Stop(ShipmentRejected, Code.ORDER_NOT_FOUND)
    own = ours(update, order)
    if order.cancelled and not own:
        return Stop(ShipmentRejected, Code.ORDER_CANCELLED_IN_STORE)
    kept, surplus, need = _cover(update, own)
    if (need or not own) and _was_cancelled(update, order):
        return Stop(ShipmentRejected, Code.FULFILLMENT_CANCELLED)
    for parcel in kept:
        if (foreign := _foreign_number(parcel, update)) and not _carries_ours(parcel, update):
            return Stop(ShipmentRejected, Code.OTHER_NUMBER_THERE, values={"there": foreign})

    updates = _updates(kept, update)
    cancels = tuple(Cancel(parcel.id) for parcel in surplus)
    stays = tuple(parcel.id for parcel in kept)
    if own and not need:
        outcome = Outcome.REPLACED if updates else Outcome.UNCHANGED
        return Plan(outcome, updates + cancels, stays)

    creates, short = _allocate(need, order, location_ids)
    blocked = _wait([work for work in order.work if _lacks(work, short, location_ids)], now)
    if blocked and not updates:
        # The parcel waits as a whole: one half of it now and the other by hand would be worse.
        return blocked
    adopted: list[Parcel] = []
    if blocked:
        creates, short = (), dict(need or {})
    elif short:
        adopted = _adoptable(_strangers(update, order), update, short)
        short = _uncovered(adopted, short)
    writes = updates + _updates(adopted, update) + tuple(Create(work, merged((), update)) for work in creates) + cancels
    stays += tuple(parcel.id for parcel in adopted)
    missing = sum(short.values())
    if creates:
        return Plan(Outcome.CREATED, writes, stays, missing)
    if own:
        return Plan(Outcome.REPLACED if updates or adopted else Outcome.UNCHANGED, writes, stays, missing)
    if adopted:
        return Plan(Outcome.ADOPTED, writes, stays, missing)
    return _beside_others(update, order, short, location_ids) or _why_not(short, order, location_ids, now)


# --- 1. what is ours -------------------------------------------------------------------------------


def _is_ours(parcel: Parcel, update: TrackingUpdate) -> bool:
    if parcel.id in update.fulfillments:
        return True
    numbers = recognised(row.number for row in parcel.tracking)
    siblings = recognised(update.siblings)
    mine = recognised((*update.ours, update.number))
    if numbers & (mine - siblings):
        return True
    # A number that two parcels have by permission says nothing; then the contents have to.
    return bool(
        numbers & mine
        and update.lines is not None
        and parcel.id not in update.siblings
        and set(parcel.lines) <= set(update.lines)
    )


def _carries_ours(parcel: Parcel, update: TrackingUpdate) -> bool:
    return bool(recognised(row.number for row in parcel.tracking) & recognised((*update.ours, update.number)))


def _is_shared(parcel: Parcel, update: TrackingUpdate) -> bool:
    numbers = recognised(row.number for row in parcel.tracking)
    return parcel.id in update.siblings or bool(numbers & (recognised(update.siblings) - recognised([update.number])))


def _made_by_us(parcel: Parcel, update: TrackingUpdate) -> bool:
    """Whether it is surely ours: recorded, or with our link beside our number. Somebody may have typed the number."""
    by_hand = any(same(row.number) == same(update.number) and row.url != update.url for row in parcel.tracking)
    return parcel.id in update.fulfillments or not by_hand


def _foreign_number(parcel: Parcel, update: TrackingUpdate) -> str:
    known = recognised((*update.ours, update.number, *update.siblings))
    return next((row.number for row in parcel.tracking if row.number and same(row.number) not in known), "")


def _was_cancelled(update: TrackingUpdate, order: OrderState) -> bool:
    return any(
        parcel.status == "CANCELLED"
        and parcel.id in update.fulfillments
        and same(update.number) in recognised(row.number for row in parcel.tracking)
        for parcel in order.parcels
    )


# --- 2. what ours cover ----------------------------------------------------------------------------


def _cover(update: TrackingUpdate, own: tuple[Parcel, ...]) -> tuple[list[Parcel], list[Parcel], dict[str, int] | None]:
    """(ours that stay, ours that are duplicates, units of each line that none of them covers).

    Contents nobody told: all of ours stay; None is needed when there is none yet.
    """
    if update.lines is None:
        return list(own), [], {} if own else None
    need = _counted(update.lines)
    wanted = dict(need)
    kept: list[Parcel] = []
    surplus: list[Parcel] = []
    for parcel in own:
        covers = {line: min(quantity, need[line]) for line, quantity in parcel.lines if need.get(line)}
        # Lines that are not this shipment's prove that it is no second try of ours.
        repeats = parcel.lines and all(line in wanted for line, _ in parcel.lines)
        if not covers and kept and repeats and not _is_shared(parcel, update):
            if _made_by_us(parcel, update):
                surplus.append(parcel)
            continue
        for line, quantity in covers.items():
            need[line] -= quantity
        kept.append(parcel)
    return kept, surplus, {line: quantity for line, quantity in need.items() if quantity > 0}


def _counted(lines: Iterable[tuple[str, int]]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for line, quantity in lines:
        if quantity > 0:
            counted[line] = counted.get(line, 0) + quantity
    return counted


def _updates(parcels: Iterable[Parcel], update: TrackingUpdate) -> tuple[Write, ...]:
    lists = [(parcel, merged(parcel.tracking, update)) for parcel in parcels]
    return tuple(Update(parcel.id, wanted) for parcel, wanted in lists if not shows(parcel.tracking, wanted))


# --- 3. what can be created ------------------------------------------------------------------------

Groups = tuple[tuple[tuple[str, tuple[tuple[str, int], ...]], ...], ...]


def _is_at_ours(work: Work, location_ids: frozenset[str]) -> bool:
    return work.location in location_ids if location_ids else not work.service


def _allocate(
    need: dict[str, int] | None, order: OrderState, location_ids: frozenset[str]
) -> tuple[Groups, dict[str, int]]:
    """(the contents of each create, units of each line without room). `need` None: all that is left."""
    open_work = [
        w for w in order.work if w.can_create and _is_at_ours(w, location_ids) and (need is not None or w.ships)
    ]
    left = None if need is None else dict(need)
    locations = list(dict.fromkeys(work.location for work in open_work))
    groups: list[tuple[tuple[str, tuple[tuple[str, int], ...]], ...]] = []
    while locations:
        # The location that holds the most of it first: fewer fulfillments, fewer mails.
        taken = {
            location: _take(left, [work for work in open_work if work.location == location]) for location in locations
        }
        best = max(locations, key=lambda location: sum(quantity for _, _, _, quantity in taken[location]))
        locations.remove(best)
        if not taken[best]:
            continue
        for _, _, line, quantity in taken[best]:
            if left is not None:
                left[line] -= quantity
        groups += _chunks(taken[best])
    return tuple(groups), {line: quantity for line, quantity in (left or {}).items() if quantity > 0}


def _take(left: dict[str, int] | None, work: list[Work]) -> list[tuple[str, str, str, int]]:
    """(fulfillment order, its line, the order's line, units) for as much as there is."""
    still = None if left is None else dict(left)
    taken = []
    for one in work:
        for line in one.lines:
            if still is None:
                quantity = line.remaining if line.requires_shipping else 0
            else:
                quantity = min(line.remaining, still.get(line.line, 0))
                still[line.line] = still.get(line.line, 0) - quantity
            if quantity > 0:
                taken.append((one.id, line.id, line.line, quantity))
    return taken


def _chunks(
    taken: list[tuple[str, str, str, int]],
) -> list[tuple[tuple[str, tuple[tuple[str, int], ...]], ...]]:
    chunks = []
    for start in range(0, len(taken), LINES_PER_CALL):
        by_work: dict[str, list[tuple[str, int]]] = {}
        for work, line, _, quantity in taken[start : start + LINES_PER_CALL]:
            by_work.setdefault(work, []).append((line, quantity))
        chunks.append(tuple((work, tuple(lines)) for work, lines in by_work.items()))
    return chunks


def _lacks(work: Work, short: dict[str, int], location_ids: frozenset[str]) -> bool:
    """Whether it holds lines of ours that cannot be taken yet, at our locations."""
    return (
        not work.can_create
        and _is_at_ours(work, location_ids)
        and any(short.get(line.line) and line.remaining for line in work.lines)
    )


def _wait(works: list[Work], now: datetime) -> Stop | None:
    held = [work for work in works if work.status == "ON_HOLD"]
    if held:
        reasons = list(dict.fromkeys(reason for work in held for reason in work.holds))
        return Stop(TryAgainLater, Code.ON_HOLD, values={"holds": reasons})
    scheduled = [work for work in works if work.status == "SCHEDULED"]
    if scheduled:
        times = [work.fulfil_at for work in scheduled if work.fulfil_at]
        until = max(times) if times else None
        return Stop(
            TryAgainLater,
            Code.SCHEDULED,
            after=max((until - now).total_seconds(), 0.0) if until else None,
            values={"until": until.isoformat() if until else ""},
        )
    return None


# --- 4. where nothing can be created ---------------------------------------------------------------


def _siblings(update: TrackingUpdate, order: OrderState) -> list[Parcel]:
    living = [parcel for parcel in order.parcels if parcel.lives and _is_shared(parcel, update)]
    return sorted(living, key=lambda parcel: (parcel.created_at, parcel.id))


def _strangers(update: TrackingUpdate, order: OrderState) -> list[Parcel]:
    living = [p for p in order.parcels if p.lives and not _is_shared(p, update) and not _is_ours(p, update)]
    return sorted(living, key=lambda parcel: (parcel.created_at, parcel.id))


def _adoptable(parcels: Iterable[Parcel], update: TrackingUpdate, short: dict[str, int]) -> list[Parcel]:
    """Those without a number that hold what is short, as few as it takes."""
    chosen: list[Parcel] = []
    for parcel in parcels:
        left = _uncovered(chosen, short)
        if not _foreign_number(parcel, update) and any(left.get(line) for line, _ in parcel.lines):
            chosen.append(parcel)
    return chosen


def _beside_others(
    update: TrackingUpdate, order: OrderState, short: dict[str, int], location_ids: frozenset[str]
) -> Plan | Stop | None:
    siblings, strangers = _siblings(update, order), _strangers(update, order)
    if update.lines is None:
        if siblings:
            return Plan(Outcome.REPLACED, _updates(siblings[:1], update), (siblings[0].id,))
        if any(w.status not in _FINISHED and _is_at_ours(w, location_ids) and w.ships for w in order.work):
            return None  # it holds what may be in this parcel
        covering = strangers
        empty = [parcel for parcel in covering if not _foreign_number(parcel, update)]
        if empty:
            return Plan(Outcome.ADOPTED, _updates(empty[:1], update), (empty[0].id,))
    else:
        covering = [parcel for parcel in strangers if any(short.get(line) for line, _ in parcel.lines)]
    if covering:
        return Stop(ShipmentRejected, Code.OTHER_NUMBER_THERE, values={"there": _foreign_number(covering[0], update)})
    # One fulfillment for the whole order, made by hand and taken over for another parcel, holds this one's goods too.
    for parcel in siblings if update.lines is not None else ():
        holds = _counted(parcel.lines)
        if all(holds.get(line, 0) >= quantity for line, quantity in short.items()) and holds != short:
            return Plan(Outcome.REPLACED, _updates([parcel], update), (parcel.id,))
    return None


def _uncovered(parcels: Iterable[Parcel], short: dict[str, int]) -> dict[str, int]:
    left = dict(short)
    for parcel in parcels:
        for line, quantity in parcel.lines:
            if line in left:
                left[line] = max(left[line] - quantity, 0)
    return {line: quantity for line, quantity in left.items() if quantity}


# --- 5. why not ------------------------------------------------------------------------------------


def _why_not(short: dict[str, int], order: OrderState, location_ids: frozenset[str], now: datetime) -> Stop:
    concerned = [
        work
        for work in order.work
        if work.status not in _FINISHED
        and any((line.line in short if short else line.requires_shipping) and line.remaining for line in work.lines)
    ]
    here = [work for work in concerned if _is_at_ours(work, location_ids)]
    if waits := _wait(here, now):
        return waits
    if concerned and not here:
        values: dict[str, Value] = {"location": concerned[0].location_name, "app": concerned[0].service}
        return Stop(ShipmentRejected, Code.OTHER_LOCATION, values=values)
    if (here and any(not work.can_create for work in here)) or (
        not order.work and order.requires_shipping and order.unfulfilled
    ):
        # Not made yet, or made and not for us to fulfil: both end by themselves, or a scope is missing.
        return Stop(TryAgainLater, Code.ROUTING)
    return Stop(ShipmentRejected, Code.NOTHING_TO_FULFILL)
