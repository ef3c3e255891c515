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
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ..base import Outcome, Receipt, Sighting, TrackingUpdate
from ..codes import Code
from ..errors import ConnectorError, OutcomeUnknown, ShipmentRejected, StoreBusy, StoreDisconnected, TryAgainLater
from .allocation import Cancel, Create, Plan, Stop, Update, Write, ours, plan
from .documents import joined
from .graphql import DocumentRefused, GraphQL, Problem, Reply, TooDear, cleaned
from .limiter import CANCEL, CREATE, UPDATE
from .state import read_states
from .tracking import TrackingList, read_tracking, row_of, same, tracking_input

log = logging.getLogger(__name__)

FULFIL_SCOPE = "write_merchant_managed_fulfillment_orders"
_NO_ACCESS = "does not have access to the fulfillment order"
_LOST_IN_A_ROW = 2  # then the rest waits: a store that answers nothing would hold us for the whole turn


@dataclass(frozen=True)
class Job:
    """One write of one update: `update` is its place in the push."""

    update: int
    write: Write
    notify: bool

    @property
    def kind(self) -> str:
        return {Create: CREATE, Update: UPDATE, Cancel: CANCEL}[type(self.write)]


@dataclass
class _Progress:
    """What is known of one update while its writes are under way."""

    plan: Plan
    created: list[str] = field(default_factory=list)
    written: int = 0  # writes that the store confirmed
    warnings: list[str] = field(default_factory=list)
    refused: list[tuple[Write, str, str]] = field(default_factory=list)  # (write, field, message)
    error: ConnectorError | None = None  # of one of its writes
    request_id: str = ""


def variables(number: int, job: Job) -> dict[str, Any]:
    """The variables of the `number`-th write in a request."""
    match job.write:
        case Create(work, tracking):
            return {
                f"fulfillment_{number}": {
                    "lineItemsByFulfillmentOrder": [
                        {
                            "fulfillmentOrderId": order,
                            "fulfillmentOrderLineItems": [
                                {"id": line, "quantity": quantity} for line, quantity in lines
                            ],
                        }
                        for order, lines in work
                    ],
                    "trackingInfo": tracking_input(tracking),
                    "notifyCustomer": job.notify,
                }
            }
        case Update(fulfillment, tracking):
            return {
                f"id_{number}": fulfillment,
                f"tracking_{number}": tracking_input(tracking),
                f"notify_{number}": job.notify,
            }
        case Cancel(fulfillment):
            return {f"id_{number}": fulfillment}


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
        under_way: dict[int, _Progress] = {}
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
                results[place] = _receipt(update, _Progress(decided))
            else:
                under_way[place] = _Progress(decided)
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
        progress = _Progress(Plan(outcome=None, writes=(job.write,)))  # type: ignore[arg-type]
        self._send([job], {0: progress})
        if progress.error:
            raise progress.error
        for _, where, message in progress.refused:
            if where == "id":
                raise ShipmentRejected(Code.FULFILLMENT_NOT_OURS, message, request_id=progress.request_id)
            raise ShipmentRejected(Code.REFUSED, message, request_id=progress.request_id, field=where)

    # --- writing ---

    def _write(self, updates: Sequence[TrackingUpdate], under_way: dict[int, _Progress]) -> None:
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

    def _send(self, batch: list[Job], under_way: dict[int, _Progress]) -> bool:
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
            _note(reply, number, job, under_way[job.update])
        return False

    def _without_the_one_at_fault(
        self, jobs: list[Job], batch: list[Job], under_way: dict[int, _Progress], error: DocumentRefused
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

    def _told(self, update: TrackingUpdate, progress: _Progress) -> Receipt | ConnectorError:
        if not progress.error:
            return _receipt(update, progress)
        if progress.written and not isinstance(progress.error, OutcomeUnknown):
            # Cut short between two writes: what is there has to be looked at before anything else is written.
            return OutcomeUnknown(Code.ANSWER_LOST, request_id=progress.request_id)
        return progress.error

    def _asked_again(
        self, updates: Sequence[TrackingUpdate], refused: dict[int, _Progress]
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

    def _judged(self, update: TrackingUpdate, progress: _Progress, again: Plan | Stop) -> Receipt | ConnectorError:
        if isinstance(again, Stop):
            return self._explained(again)
        if not again.writes:
            return _receipt(update, _Progress(again, warnings=progress.warnings, request_id=progress.request_id))
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


def _fail(jobs: Sequence[Job], under_way: dict[int, _Progress], error: ConnectorError) -> None:
    for job in jobs:
        progress = under_way[job.update]
        if not isinstance(progress.error, OutcomeUnknown):
            progress.error = error


def _note(reply: Reply, number: int, job: Job, progress: _Progress) -> None:
    """What the answer says about one write."""
    progress.request_id = reply.request_id
    name = f"write_{number}"
    result = reply.data.get(name)
    if result is None:
        problem = reply.problem_at(name)
        if problem and problem.code == "RESOURCE_NOT_FOUND":
            progress.refused.append((job.write, "id", cleaned(problem.message)))
        else:
            progress.error = _failed(problem, reply)
        return
    if result["userErrors"]:
        error = result["userErrors"][0]
        where = ".".join(str(part) for part in error["field"] or ())
        progress.refused.append((job.write, where, cleaned(error["message"])))
        return
    fulfillment = result["fulfillment"]
    if fulfillment is None:
        progress.error = OutcomeUnknown(Code.ANSWER_LOST, request_id=reply.request_id)
        return
    if isinstance(job.write, Cancel):
        progress.written += 1
        if progress.plan.outcome:
            log.error("Two fulfillments of ours held the same lines; the younger, %s, was cancelled", fulfillment["id"])
            progress.warnings.append(Code.DUPLICATE_CANCELLED)
        return
    _read_back(fulfillment, job.write, progress, reply)


def _read_back(fulfillment: Mapping[str, Any], write: Create | Update, progress: _Progress, reply: Reply) -> None:
    if not arrived(write.tracking, fulfillment):
        if isinstance(write, Create):
            # Sent again it would be made a second time, so a person has to look.
            log.error("Shopify made fulfillment %s without the number it was given", fulfillment["id"])
            said = "the new fulfillment lacks the number"
            progress.error = ShipmentRejected(Code.REFUSED, said, request_id=reply.request_id, field="trackingInfo")
        else:
            # An update of a cancelled fulfillment is taken without a word: the number stands on a dead parcel.
            progress.refused.append((write, "trackingInfo", "the number was not taken over"))
        return
    progress.written += 1
    progress.warnings += changed_by_store(write.tracking, fulfillment["trackingInfo"])
    if isinstance(write, Create):
        progress.created.append(fulfillment["id"])


def arrived(wanted: TrackingList, fulfillment: Mapping[str, Any]) -> bool:
    """Whether the fulfillment of an answer lives and shows every number that it was sent."""
    shown = {row.number for row in read_tracking(fulfillment["trackingInfo"])}
    return fulfillment["status"] != "CANCELLED" and all(number in shown for number, _ in wanted.numbers)


def changed_by_store(wanted: TrackingList, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Warnings: the store shows another company or link than it was sent. No reason to send it again."""
    there = read_tracking(rows)
    found = []
    if wanted.company and any(row.company != wanted.company for row in there):
        found.append(Code.COMPANY_CHANGED)
    shown = [(row, url) for number, url in wanted.numbers if url and (row := row_of(number, there))]
    if any(row.url != url for row, url in shown):
        found.append(Code.LINK_CHANGED)
    return list(found)


def _failed(problem: Problem | None, reply: Reply) -> ConnectorError:
    said = cleaned(problem.message) if problem else ""
    if problem and problem.code == "ACCESS_DENIED":
        return StoreDisconnected(Code.SCOPE_MISSING, said, scopes=list(problem.scopes), request_id=reply.request_id)
    return OutcomeUnknown(Code.STORE_FAILED, said, status=200, request_id=reply.request_id)


def _receipt(update: TrackingUpdate, progress: _Progress, missing: int = 0) -> Receipt:
    cancelled = {write.fulfillment for write in progress.plan.writes if isinstance(write, Cancel)}
    return Receipt(
        outcome=progress.plan.outcome,
        fulfillments=tuple(f for f in (*progress.plan.fulfillments, *progress.created) if f not in cancelled),
        number=update.number,
        warnings=tuple(dict.fromkeys(progress.warnings)),
        missing=progress.plan.missing + missing,
        request_id=progress.request_id,
    )


def _partly(update: TrackingUpdate, progress: _Progress) -> Receipt:
    """Some writes went through, others were refused: the truth is a receipt with what is missing."""
    dead = {write.fulfillment for write, _, _ in progress.refused if isinstance(write, Update)}
    missing = sum(write.units for write, _, _ in progress.refused if isinstance(write, Create))
    receipt = _receipt(update, progress, missing)
    return replace(receipt, fulfillments=tuple(f for f in receipt.fulfillments if f not in dead))
