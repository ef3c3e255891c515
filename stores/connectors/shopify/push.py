"""Makes orders show their numbers: read many, plan each, write as many as one request may carry, read back.

What to write is decided in allocation.py; here it is sent, and what came back is told apart:

1. Read the orders of all updates, plan each. What needs no write is finished here.
2. Pack the writes into requests by what they cost, those of one update together.
3. Send one request after another. A lost answer is unknown for the updates in it and for no other.
4. Read every answer back: the number has to stand there.
5. What the store refused is read again, once for all of them: the state tells why, its prose does not.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from ..base import Outcome, Receipt, Sighting, TrackingUpdate
from ..codes import Code
from ..errors import ConnectorError, OutcomeUnknown, ShipmentRejected, StoreBusy, StoreDisconnected, TryAgainLater
from .allocation import ours, plan
from .documents import joined
from .graphql import DocumentRefused, GraphQL, TooDear
from .state import read_states
from .tracking import same
from .values import Cancel, Create, Plan, Stop, Update, Write
from .writes import Job, Progress, note, variables

log = logging.getLogger(__name__)

FULFIL_SCOPE = "write_merchant_managed_fulfillment_orders"
_NO_ACCESS = "does not have access to the fulfillment order"
_LOST_IN_A_ROW = 2  # then the rest waits: a store that answers nothing would hold us for the whole turn


class Pusher:
    """Pushes to one store. `location_ids` empty: every location of the merchant's own."""

    def __init__(self, api: GraphQL, location_ids: frozenset[str], now: datetime) -> None:
        self._api = api
        self._location_ids = location_ids
        self._now = now
        self._scopes: frozenset[str] | None = None

    def look(self, updates: Sequence[TrackingUpdate]) -> list[Sighting | None | ConnectorError]:
        """What the store shows of each update."""
        states = read_states(self._api, _sizes(updates))
        seen: list[Sighting | None | ConnectorError] = []
        for update in updates:
            order = states[update.order_id]
            if isinstance(order, ConnectorError):
                seen.append(order)
                continue
            if order is None:
                seen.append(ShipmentRejected(Code.ORDER_NOT_FOUND))
                continue
            parcels = ours(update, order)
            if not parcels:
                seen.append(None)
                continue
            decided = plan(update, order, location_ids=self._location_ids, now=self._now)
            shown = [row.number for parcel in parcels for row in parcel.tracking]
            known = {same(number) for number in update.ours}
            seen.append(
                Sighting(
                    fulfillments=tuple(parcel.id for parcel in parcels),
                    number=update.number
                    if update.number in shown
                    else next((number for number in shown if same(number) in known), ""),
                    complete=isinstance(decided, Plan) and not decided.writes and not decided.missing,
                )
            )
        return seen

    def push(self, updates: Sequence[TrackingUpdate]) -> list[Receipt | ConnectorError]:
        """Make the store show each update; at most one update per order."""
        results: dict[int, Receipt | ConnectorError] = {}
        under_way: dict[int, Progress] = {}
        states = read_states(self._api, _sizes(updates))
        for place, update in enumerate(updates):
            order = states[update.order_id]
            if isinstance(order, ConnectorError):
                results[place] = order
                continue
            decided = plan(update, order, location_ids=self._location_ids, now=self._now)
            if isinstance(decided, Stop):
                results[place] = self._explained(decided)
            elif not decided.writes:
                results[place] = _receipt(update, Progress(decided))
            else:
                under_way[place] = Progress(decided)
        self._write(updates, under_way)
        results |= {
            place: self._told(updates[place], progress)
            for place, progress in under_way.items()
            if progress.error or not progress.refused
        }
        refused = {place: progress for place, progress in under_way.items() if place not in results}
        results |= self._asked_again(updates, refused)
        return [results[place] for place in range(len(updates))]

    def cancel(self, order_id: str, fulfillment_id: str) -> None:
        """Cancel one fulfillment; cancelled already is success. Raises what went wrong."""
        job = Job(0, Cancel(fulfillment_id), notify=False)
        progress = Progress(Plan(outcome=None, writes=(job.write,)))  # type: ignore[arg-type]
        self._send([job], {0: progress})
        if progress.error:
            raise progress.error
        for _, where, message in progress.refused:
            if where == "id":
                raise ShipmentRejected(Code.FULFILLMENT_NOT_OURS, message, request_id=progress.request_id)
            raise ShipmentRejected(Code.REFUSED, message, request_id=progress.request_id, field=where)

    # --- writing ---

    def _write(self, updates: Sequence[TrackingUpdate], under_way: dict[int, Progress]) -> None:
        jobs = [
            Job(place, write, updates[place].notify and write is _mails(progress.plan))
            for place, progress in under_way.items()
            for write in progress.plan.writes
        ]
        lost = 0
        while jobs:
            batch = self._batch(jobs)
            try:
                lost = lost + 1 if self._send(batch, under_way) else 0
            except TooDear:
                if len(batch) > 1:
                    continue
                _fail(batch, under_way, StoreBusy(Code.THROTTLED, "even one write costs more than a request may"))
            except DocumentRefused as error:
                jobs = self._without_the_one_at_fault(jobs, batch, under_way, error)
                continue
            except ConnectorError as error:
                # Nothing of this request was executed, and nothing after it will be.
                _fail(jobs, under_way, error)
                return
            jobs = jobs[len(batch) :]
            if lost >= _LOST_IN_A_ROW:
                _fail(jobs, under_way, StoreBusy(Code.NO_ANSWER, "several writes in a row were not answered"))
                return

    def _batch(self, jobs: list[Job]) -> list[Job]:
        """The first jobs that one request may carry; those of one update are not torn apart without need."""
        ceiling = self._api.limiter.limit
        batch: list[Job] = []
        cost = 0.0
        for place in dict.fromkeys(job.update for job in jobs):
            group = [job for job in jobs if job.update == place]
            its_cost = sum(self._api.limiter.cost(job.kind) for job in group)
            if batch and cost + its_cost > ceiling:
                break
            if its_cost > ceiling:
                fitting = max(int(ceiling // max(self._api.limiter.cost(job.kind) for job in group)), 1)
                return group[:fitting]
            batch += group
            cost += its_cost
        return batch

    def _send(self, batch: list[Job], under_way: dict[int, Progress]) -> bool:
        """Send one request and note what became of each write; True when the answer was lost.

        Raises the connector errors after which nothing of it was executed.
        """
        sent = {name: value for number, job in enumerate(batch) for name, value in variables(number, job).items()}
        units: dict[str, int] = {}
        for job in batch:
            units[job.kind] = units.get(job.kind, 0) + 1
        try:
            reply = self._api.write(joined([job.kind for job in batch]), sent, units)
        except OutcomeUnknown as error:
            _fail(batch, under_way, error)
            return True
        for number, job in enumerate(batch):
            note(reply, number, job, under_way[job.update])
        return False

    def _without_the_one_at_fault(
        self, jobs: list[Job], batch: list[Job], under_way: dict[int, Progress], error: DocumentRefused
    ) -> list[Job]:
        """One bad link must not stop the others: the write whose variable was refused is taken out."""
        tail = error.variable.rpartition("_")[2]
        if error.code != "INVALID_VARIABLE" or not tail.isdigit() or int(tail) >= len(batch):
            raise error
        job = batch[int(tail)]
        log.error("Shopify refused a variable of a write: %s", error.variable)
        refused = ShipmentRejected(Code.REFUSED, error.message, field=error.variable.rpartition("_")[0])
        _fail([job], under_way, refused)
        return [other for other in jobs if other.update != job.update]

    # --- telling ---

    def _told(self, update: TrackingUpdate, progress: Progress) -> Receipt | ConnectorError:
        if not progress.error:
            return _receipt(update, progress)
        if progress.written and not isinstance(progress.error, OutcomeUnknown):
            # Cut short between two writes: what is there has to be looked at before anything else is written.
            return OutcomeUnknown(Code.ANSWER_LOST, request_id=progress.request_id)
        return progress.error

    def _asked_again(
        self, updates: Sequence[TrackingUpdate], refused: dict[int, Progress]
    ) -> dict[int, Receipt | ConnectorError]:
        if not refused:
            return {}
        states = read_states(self._api, _sizes([updates[place] for place in refused]))
        results: dict[int, Receipt | ConnectorError] = {}
        for place, progress in refused.items():
            update = replace(updates[place], fulfillments=(*updates[place].fulfillments, *progress.created))
            order = states[update.order_id]
            if progress.created or (progress.written and isinstance(order, ConnectorError)):
                results[place] = _partly(update, progress)
            elif isinstance(order, ConnectorError):
                results[place] = order
            else:
                again = plan(update, order, location_ids=self._location_ids, now=self._now)
                results[place] = self._judged(update, progress, again)
        return results

    def _judged(self, update: TrackingUpdate, progress: Progress, again: Plan | Stop) -> Receipt | ConnectorError:
        if isinstance(again, Stop):
            return self._explained(again)
        if not again.writes:
            return _receipt(update, Progress(again, warnings=progress.warnings, request_id=progress.request_id))
        _, where, message = progress.refused[0]
        if progress.written and not isinstance(progress.plan.writes[0], Cancel):
            return _partly(update, progress)
        if _NO_ACCESS in message.lower():
            if FULFIL_SCOPE not in self._granted():
                return StoreDisconnected(Code.SCOPE_MISSING, message, scopes=[FULFIL_SCOPE])
            return ShipmentRejected(Code.OTHER_LOCATION, message, location="", app="")
        if again != progress.plan:
            return TryAgainLater(Code.ORDER_CHANGED, message, after=0.0, request_id=progress.request_id)
        return ShipmentRejected(Code.REFUSED, message, request_id=progress.request_id, field=where)

    def _explained(self, stop: Stop) -> ConnectorError:
        """The error of a stop. Fulfillment orders that are not shown to us look as if they were not made yet."""
        if stop.code == Code.ROUTING and FULFIL_SCOPE not in self._granted():
            return StoreDisconnected(Code.SCOPE_MISSING, scopes=[FULFIL_SCOPE])
        return stop.as_error()

    def _granted(self) -> frozenset[str]:
        if self._scopes is None:
            try:
                self._scopes = self._api.scopes()
            except ConnectorError:
                return frozenset({FULFIL_SCOPE})  # not known: what the order tells has to do
        return self._scopes


def _mails(plan: Plan) -> Write | None:
    """The one write of an update that the store may mail about; none for a fulfillment that somebody else made."""
    if plan.outcome == Outcome.ADOPTED:
        return None
    creates = (write for write in plan.writes if isinstance(write, Create))
    updates = (write for write in plan.writes if isinstance(write, Update))
    return next(creates, None) or next(updates, None)


def _sizes(updates: Sequence[TrackingUpdate]) -> Mapping[str, int]:
    return {update.order_id: len(update.lines or ()) for update in updates}


def _fail(jobs: Sequence[Job], under_way: dict[int, Progress], error: ConnectorError) -> None:
    for job in jobs:
        progress = under_way[job.update]
        if not isinstance(progress.error, OutcomeUnknown):
            progress.error = error


def _receipt(update: TrackingUpdate, progress: Progress, missing: int = 0) -> Receipt:
    cancelled = {write.fulfillment for write in progress.plan.writes if isinstance(write, Cancel)}
    return Receipt(
        outcome=progress.plan.outcome,
        fulfillments=tuple(f for f in (*progress.plan.fulfillments, *progress.created) if f not in cancelled),
        number=update.number,
        warnings=tuple(dict.fromkeys(progress.warnings)),
        missing=progress.plan.missing + missing,
        request_id=progress.request_id,
    )


def _partly(update: TrackingUpdate, progress: Progress) -> Receipt:
    """Some writes went through, others were refused: the truth is a receipt with what is missing."""
    dead = {write.fulfillment for write, _, _ in progress.refused if isinstance(write, Update)}
    missing = sum(write.units for write, _, _ in progress.refused if isinstance(write, Create))
    receipt = _receipt(update, progress, missing)
    return replace(receipt, fulfillments=tuple(f for f in receipt.fulfillments if f not in dead))
