"""The client's text as code: which number goes to a store, and not before when.

Pure: no clock, no database, no network. `decide()` is the only place that decides; plan.py writes
its answer down, sync.py asks it again at the last moment, and every screen explains with it.

The client's text ("How to Sync Tracking Numbers?"), in four sentences:

* Sync before dispatching: the number goes to the store before the parcel is dispatched.
* Sync after dispatching: it does not go until the real package is sent out.
* Sync default tracking number: the local number, except for CJPacket Ordinary and CJPacket
  Sensitive, whose parcels get the fulfilment company's own number, starting with "CJP".
* Sync local tracking number: whatever the shipping method, the number provided by the courier.

and "we process your order after you pay": before the payment nothing goes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from stores.choices import NumberSource, Timing

from .choices import NumberKind, SendCode, Stopped, WaitCode


@dataclass(frozen=True)
class Number:
    """A current number of a shipment."""

    id: int
    kind: NumberKind
    value: str
    known_at: datetime


@dataclass(frozen=True)
class Facts:
    """All that is known of one shipment. Times are aware."""

    placed_at: datetime
    paid_at: datetime | None  # whose payment counts is the store's setting, resolved before
    dispatched_at: datetime | None
    cancelled_at: datetime | None
    default_number: NumberKind | None  # of its shipping method; None while no method is known
    own: Number | None
    local: Number | None
    kind: NumberKind | None = None  # promised: an intent of this kind is under way, or a number of it is shown
    is_shown: bool = False  # the store shows a number of this shipment
    stopped: Stopped = Stopped.NO

    def number(self, kind: NumberKind) -> Number | None:
        """The current number of that kind."""
        return self.own if kind == NumberKind.OWN else self.local


@dataclass(frozen=True)
class Preference:
    """What the merchant chose for the store, and the two borders around it."""

    timing: Timing
    number_source: NumberSource
    delay_hours: int
    sync_from: datetime
    own_prefix: str  # how the fulfilment company's own numbers begin in this deployment
    version: int = 1


@dataclass(frozen=True)
class Send:
    """The store should show this number, not before then."""

    number: Number
    not_before: datetime
    why: SendCode


@dataclass(frozen=True)
class Wait:
    """Nothing goes until an event ends the wait. What is shown is never taken back."""

    reason: WaitCode
    values: dict[str, str] = field(default_factory=dict)


Decision = Send | Wait


def decide(facts: Facts, preference: Preference) -> Decision:
    """Which number the store should show of this shipment, not before when, or what it waits for.

    Once the store shows a number, only a cancelled order or a person holds back its replacement.
    """
    if facts.cancelled_at is not None:
        return Wait(WaitCode.CANCELLED, {"since": facts.cancelled_at.isoformat()})
    if facts.stopped:
        return Wait(WaitCode.WITHDRAWN if facts.stopped == Stopped.WITHDRAWN else WaitCode.GIVEN_UP)

    if not facts.is_shown:
        if facts.placed_at < preference.sync_from:
            return Wait(WaitCode.OLDER_THAN_SYNC, {"sync_from": preference.sync_from.isoformat()})
        if facts.paid_at is None:
            return Wait(WaitCode.UNPAID)

    chosen = _which(facts, preference)
    if chosen is None:
        return Wait(WaitCode.METHOD_MISSING)
    kind, why = chosen
    number = facts.number(kind)
    if number is None:
        return _missing(kind, facts)
    if kind == NumberKind.LOCAL and number.value.startswith(preference.own_prefix):
        return Wait(WaitCode.LOOKS_LIKE_OWN, {"number": number.value, "prefix": preference.own_prefix})

    if facts.is_shown or facts.paid_at is None:
        return Send(number, number.known_at, why)
    base = number.known_at
    if preference.timing == Timing.AFTER_DISPATCH:
        if facts.dispatched_at is None:
            return Wait(WaitCode.NOT_DISPATCHED, {"number": number.value})
        base = max(base, facts.dispatched_at)
    return Send(number, max(base, facts.paid_at + timedelta(hours=preference.delay_hours)), why)


def _which(facts: Facts, preference: Preference) -> tuple[NumberKind, SendCode] | None:
    """The kind of number, and why; None while the shipping method that decides it is not known."""
    if facts.kind is not None:
        return facts.kind, SendCode.KIND_PROMISED
    if preference.number_source == NumberSource.LOCAL:
        return NumberKind.LOCAL, SendCode.LOCAL_CHOSEN
    if facts.default_number is None:
        return None
    if facts.default_number == NumberKind.OWN:
        return NumberKind.OWN, SendCode.OWN_FOR_THIS_METHOD
    return NumberKind.LOCAL, SendCode.LOCAL_FOR_THIS_METHOD


def _missing(kind: NumberKind, facts: Facts) -> Wait:
    """Never silently another kind: wait for the right one, and say which other is there."""
    code = WaitCode.OWN_NUMBER_MISSING if kind == NumberKind.OWN else WaitCode.LOCAL_NUMBER_MISSING
    other = facts.local if kind == NumberKind.OWN else facts.own
    return Wait(code, {"other": other.value} if other else {})
