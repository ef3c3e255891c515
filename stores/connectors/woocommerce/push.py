"""Makes orders show their numbers, one order at a time and one write at a time.

What to write is decided in allocation/, how each place is read and written in sinks/. Here:

1. Read the order, decide, carry out the first step; then read and decide again, until no step is left. So an order is
   read right before every write, and a write is believed when it can be read: 200 is not success.
2. What goes wrong before the first write is told as it is. After a write nothing is known for sure: OutcomeUnknown,
   and the next look finds how far it came.
3. A place that is gone is looked for once more; then the next best takes the number.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from ..base import Outcome, Receipt, Sighting, StoreSettings, TrackingUpdate
from ..codes import Code
from ..errors import ConnectorError, OutcomeUnknown, ShipmentRejected, StoreBusy, StoreDisconnected
from . import places
from .allocation import ours, plan
from .memory import Memory
from .places import Place
from .rest import Rest, RouteGone
from .sinks import Sink, open_sink
from .status import OPEN
from .values import Add, Change, OrderState, Plan, Settle, Step, Stop, folded, recognised

log = logging.getLogger(__name__)

STEPS = 12  # more than any order needs: a store that takes a write and shows another thing each time must not hold us
_LOST_IN_A_ROW = 2  # then the rest waits: a store that answers nothing would hold us for the whole turn

Found = TypeVar("Found")


class Pusher:
    """Pushes to one store, for one call. `now` dates what is shipped."""

    def __init__(self, rest: Rest, memory: Memory, settings: StoreSettings, now: datetime) -> None:
        self._rest = rest
        self._memory = memory
        self._settings = settings
        self._now = now
        self._without: frozenset[Place] = frozenset()  # places that turned out to be gone

    def look(self, updates: Sequence[TrackingUpdate]) -> list[Sighting | None | ConnectorError]:
        """What the store shows of each update. Reads only."""
        return self._each(updates, self._seen)

    def push(self, updates: Sequence[TrackingUpdate]) -> list[Receipt | ConnectorError]:
        """Make the store show each update; at most one update per order."""
        return self._each(updates, self._shown)

    def cancel(self, order_id: str, fulfillment_id: str) -> None:
        """Take away what a receipt named, and nothing else; gone already is success.

        The order's status stays: what it should be now is for a person to say. Raises what went wrong.
        """
        place = next((place for place in Place if fulfillment_id.startswith(f"{place}:")), None)
        if place is None:
            raise ShipmentRejected(Code.FULFILLMENT_NOT_OURS)
        try:
            open_sink(place, self._rest, self._memory, order_id, self._now).withdraw(fulfillment_id)
        except RouteGone:
            return  # a plugin that is off shows nothing
        except ShipmentRejected as error:
            if error.reason.code != Code.ORDER_NOT_FOUND:
                raise

    # --- many ---

    def _each(
        self, updates: Sequence[TrackingUpdate], ask: Callable[[Sink, TrackingUpdate], Found]
    ) -> list[Found | ConnectorError]:
        """Each in turn. What concerns the whole store is the answer for all that follow, without asking again."""
        results: list[Found | ConnectorError] = []
        of_all: ConnectorError | None = None
        lost = 0
        for update in updates:
            if of_all is not None:
                results.append(of_all)
                continue
            try:
                results.append(self._at_its_place(update, ask))
                lost = 0
            except ConnectorError as error:
                results.append(error)
                lost = lost + 1 if isinstance(error, OutcomeUnknown) else 0
                of_all = _of_the_store(error)
                if lost >= _LOST_IN_A_ROW and of_all is None:
                    of_all = StoreBusy(Code.NO_ANSWER, "several writes in a row were not answered")
        return results

    def _at_its_place(self, update: TrackingUpdate, ask: Callable[[Sink, TrackingUpdate], Found]) -> Found:
        place = self._place()
        try:
            return ask(self._sink(place, update), update)
        except RouteGone:
            log.info("%s is gone from a store; its places are looked for again", place)
        self._memory.forget_places()
        if self._place() == place:
            self._without |= {place}  # still said to be there, and does not answer
        try:
            return ask(self._sink(self._place(), update), update)
        except RouteGone as gone:
            raise ShipmentRejected(Code.REFUSED, str(gone), field="place") from None

    def _place(self) -> Place:
        if time.monotonic() >= self._memory.places_until:
            self._memory.statuses = None  # plugins bring those, too
        found = places.find(self._rest, self._memory)
        left = tuple(place for place in found.found if place not in self._without)
        return places.choose(replace(found, found=left), self._settings.tracking_goes_to)

    def _sink(self, place: Place, update: TrackingUpdate) -> Sink:
        return open_sink(place, self._rest, self._memory, update.order_id, self._now)

    # --- one ---

    def _seen(self, sink: Sink, update: TrackingUpdate) -> Sighting | None:
        state = self._read(sink, update)
        own = ours(update, state)
        if not own:
            return None
        decided = self._decide(update, state)
        shown = [number for parcel in own for number in parcel.numbers]
        recorded = [parcel.id for parcel in state.parcels if parcel.is_recorded and parcel.id in update.fulfillments]
        recorded = recorded or [parcel.id for parcel in own if parcel.is_recorded]
        return Sighting(
            fulfillments=tuple(recorded or [parcel.id for parcel in own]),
            number=update.number
            if folded(update.number) in recognised(shown)
            else next((number for number in shown if folded(number) in recognised(update.ours)), ""),
            complete=isinstance(decided, Plan) and not decided.steps and not decided.missing,
        )

    def _shown(self, sink: Sink, update: TrackingUpdate) -> Receipt:
        done: list[Step] = []
        warnings: list[str] = []
        outcome: Outcome | None = None
        try:
            while True:
                state = self._read(sink, update)
                decided = self._decide(update, state)
                if isinstance(decided, Stop):
                    raise decided.as_error()
                outcome = outcome or decided.outcome
                step = next((step for step in decided.steps if not _is_told(step, done)), None)
                if step is None:
                    warnings += _kept_back(decided.steps, done, state)
                    return _receipt(update, outcome, decided, warnings)
                if _is_again(step, done):
                    raise _not_taken(sink, step)
                warnings += decided.warnings
                notify = update.notify and outcome != Outcome.ADOPTED
                warnings += self._write(sink, step, update, notify=notify)
                done.append(step)
        except (ConnectorError, RouteGone) as error:
            if not done or isinstance(error, OutcomeUnknown | _NotTaken):
                raise
            raise OutcomeUnknown(Code.ANSWER_LOST, request_id=getattr(error, "request_id", "")) from error

    def _write(self, sink: Sink, step: Step, update: TrackingUpdate, *, notify: bool) -> tuple[str, ...]:
        """One step. A status that the store does not take must not keep the rest of the last write away."""
        try:
            return sink.write(step, update, notify=notify)
        except ShipmentRejected as error:
            if not isinstance(step, Settle) or not step.status or error.reason.code != Code.REFUSED:
                raise
        self._memory.statuses = None
        if step.parcels:
            sink.write(replace(step, status=""), update, notify=False)
        return (Code.STATUS_NOT_CHANGED,)

    def _read(self, sink: Sink, update: TrackingUpdate) -> OrderState:
        if self._settings.completes_orders and self._memory.statuses is None:
            self._memory.statuses = self._statuses()
        return sink.read(update)

    def _statuses(self) -> tuple[str, ...]:
        """What orders may be, some of it by plugins; before 9.9 a store does not tell."""
        try:
            found = self._rest.get("/wc/v3/orders/statuses").data
        except (RouteGone, ShipmentRejected):
            return ()
        rows = found if isinstance(found, list) else ()
        return tuple(str(each["slug"]) for each in rows if isinstance(each, dict) and each.get("slug"))

    def _decide(self, update: TrackingUpdate, state: OrderState) -> Plan | Stop:
        return plan(update, state, completes=self._settings.completes_orders)


def _of_the_store(error: ConnectorError) -> ConnectorError | None:
    """The error that concerns the whole store, be it behind one that leaves an update open."""
    behind = error.__cause__
    for each in (error, behind):
        if isinstance(each, StoreBusy | StoreDisconnected):
            return each
    return None


class _NotTaken(ShipmentRejected):
    """The store said yes, and what it was given is not there; what it may have done elsewhere was taken back."""


def _is_told(step: Step, done: Sequence[Step]) -> bool:
    """Written once, and the store made something else of it: that is a warning, and no reason to write it again."""
    if isinstance(step, Settle):
        return any(isinstance(one, Settle) for one in done)
    return isinstance(step, Change) and step in done


def _kept_back(left: Sequence[Step], done: Sequence[Step], state: OrderState) -> Sequence[str]:
    """What to say of what the store took and did not keep: the number itself is there."""
    asked = [step.status for step in done if isinstance(step, Settle) and step.status]
    is_held = any(isinstance(step, Settle) for step in left) or (asked and state.status in OPEN)
    is_changed = any(isinstance(step, Change) for step in left)
    return [Code.STATUS_NOT_CHANGED] * bool(is_held) + [Code.LINK_CHANGED] * is_changed


def _is_again(step: Step, done: Sequence[Step]) -> bool:
    """Whether the same was written already: then the store took it and does not show it."""
    return len(done) >= STEPS or step in done or (isinstance(step, Add) and any(isinstance(one, Add) for one in done))


def _not_taken(sink: Sink, step: Step) -> ConnectorError:
    took_back = sink.undo() if isinstance(step, Add) else False
    said = "the store put it on another order; it was taken away there" if took_back else "it is not there afterwards"
    log.error("A store took a number and does not show it on its order: %s", said)
    return _NotTaken(Code.REFUSED, said, field="tracking_number")


def _receipt(update: TrackingUpdate, outcome: Outcome, decided: Plan, warnings: Sequence[str]) -> Receipt:
    return Receipt(
        outcome=outcome,
        fulfillments=decided.fulfillments,
        number=update.number,
        warnings=tuple(dict.fromkeys(warnings)),
        missing=decided.missing,
    )
