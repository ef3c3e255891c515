"""One write: what is sent of it, and what its answer says. Which ones go together is decided in push.py."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..codes import Code
from ..errors import ConnectorError, OutcomeUnknown, ShipmentRejected, StoreDisconnected
from .graphql import Problem, Reply, cleaned
from .limiter import CANCEL, CREATE, UPDATE
from .tracking import TrackingList, read_tracking, row_of, tracking_input
from .values import Cancel, Create, Plan, Update, Write

log = logging.getLogger(__name__)


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
class Progress:
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


def note(reply: Reply, number: int, job: Job, progress: Progress) -> None:
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


def _read_back(fulfillment: Mapping[str, Any], write: Create | Update, progress: Progress, reply: Reply) -> None:
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
