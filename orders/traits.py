"""What decide() and next_state() can tell apart of a row, as yes or no; and the way back, to a row that can be asked.

groups.py counts rows by these traits in the database.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from stores.models import Store

from .choices import NumberKind, RowCode, Stopped, SyncState
from .models import TrackingSync
from .policy import Facts, Number, Preference

OWN_ID, LOCAL_ID, OTHER_ID = 1, 2, 3  # numbers of a stand-in
HOUR = timedelta(hours=1)


class Trait(enum.IntFlag):
    """A yes or no that decide() or next_state() can tell apart."""

    CANCELLED = enum.auto()
    GIVEN_UP = enum.auto()
    WITHDRAWN = enum.auto()
    TOO_OLD = enum.auto()  # placed before the store's sync_from
    PAID = enum.auto()  # as the store counts it
    OLD_DELAY_OVER = enum.auto()  # payment + the delay of the present choice is past
    NEW_DELAY_OVER = enum.auto()  # the same with the delay of the other choice
    DISPATCHED = enum.auto()
    DISPATCH_PAST = enum.auto()  # a time of dispatch may be told in advance
    METHOD_KNOWN = enum.auto()
    METHOD_OWN = enum.auto()
    OWN = enum.auto()
    OWN_PAST = enum.auto()
    LOCAL = enum.auto()
    LOCAL_PAST = enum.auto()
    LOCAL_LOOKS_OWN = enum.auto()
    # The row itself: next_state() keeps what a person was asked to look at, and a back-off.
    ATTENTION = enum.auto()
    DUE = enum.auto()
    WANTS_OWN = enum.auto()
    WANTS_LOCAL = enum.auto()
    WANTS_NOTHING = enum.auto()
    CANCELLED_AFTER_SENT = enum.auto()
    TRIED = enum.auto()
    DUE_PAST = enum.auto()
    # Only of rows that something was sent of.
    SHOWN = enum.auto()
    SENDING = enum.auto()
    KIND_OWN = enum.auto()
    MAILED = enum.auto()  # the customer was told a number
    ADDRESSED = enum.auto()  # and has an address
    ADOPTED = enum.auto()


NOTHING = Trait(0)
PAID_OLD = Trait.PAID | Trait.OLD_DELAY_OVER
PAID_NEW = Trait.PAID | Trait.NEW_DELAY_OVER
AFTER_SENT = Trait.ATTENTION | Trait.CANCELLED_AFTER_SENT


@dataclass(frozen=True)
class Choices:
    """The present choice of a store, and the one it is compared with."""

    store: Store
    old: Preference
    new: Preference


def stand_in(traits: Trait, now: datetime, choices: Choices) -> tuple[TrackingSync, Facts]:
    """A row and facts with these traits, to ask decide() and next_state() about."""

    def known(trait: Trait, past: Trait) -> datetime | None:
        if trait not in traits:
            return None
        return now - HOUR if past in traits else now + HOUR

    own, local = known(Trait.OWN, Trait.OWN_PAST), known(Trait.LOCAL, Trait.LOCAL_PAST)
    local_value = choices.new.own_prefix if Trait.LOCAL_LOOKS_OWN in traits else "\N{BULLET}"
    method = NumberKind.OWN if Trait.METHOD_OWN in traits else NumberKind.LOCAL
    stopped = Stopped.GIVEN_UP if Trait.GIVEN_UP in traits else Stopped.NO
    facts = Facts(
        placed_at=choices.new.sync_from - HOUR if Trait.TOO_OLD in traits else choices.new.sync_from,
        paid_at=_paid(traits, now, choices) if Trait.PAID in traits else None,
        dispatched_at=known(Trait.DISPATCHED, Trait.DISPATCH_PAST),
        cancelled_at=now if Trait.CANCELLED in traits else None,
        default_number=method if Trait.METHOD_KNOWN in traits else None,
        own=Number(OWN_ID, NumberKind.OWN, "", own) if own else None,
        local=Number(LOCAL_ID, NumberKind.LOCAL, local_value, local) if local else None,
        is_shown=Trait.SHOWN in traits,
        stopped=Stopped.WITHDRAWN if Trait.WITHDRAWN in traits else stopped,
    )
    wants = {Trait.WANTS_OWN: OWN_ID, Trait.WANTS_LOCAL: LOCAL_ID, Trait.WANTS_NOTHING: None}
    row = TrackingSync(
        wanted_id=next((number for trait, number in wants.items() if trait in traits), OTHER_ID),
        shown_id=OTHER_ID if Trait.SHOWN in traits else None,
        sending_id=OTHER_ID if Trait.SENDING in traits else None,
        kind=_kind(traits),
        state=_state(traits),
        reason=RowCode.CANCELLED_AFTER_SENT if Trait.CANCELLED_AFTER_SENT in traits else "",
        due_at=None if Trait.DUE not in traits else now - HOUR if Trait.DUE_PAST in traits else now + HOUR,
        attempts=1 if Trait.TRIED in traits else 0,
    )
    return row, facts


def paid_until(preference: Preference, now: datetime) -> datetime:
    """Whoever paid by then has waited for the whole delay."""
    return now - timedelta(hours=preference.delay_hours)


def _paid(traits: Trait, now: datetime, choices: Choices) -> datetime:
    """A payment for which exactly those delays are over that the traits name."""
    over = [
        paid_until(preference, now)
        for trait, preference in ((Trait.OLD_DELAY_OVER, choices.old), (Trait.NEW_DELAY_OVER, choices.new))
        if trait in traits
    ]
    return min(over, default=now + HOUR)


def _kind(traits: Trait) -> str:
    if Trait.SHOWN not in traits and Trait.SENDING not in traits:
        return ""
    return NumberKind.OWN if Trait.KIND_OWN in traits else NumberKind.LOCAL


def _state(traits: Trait) -> str:
    if Trait.ATTENTION in traits:
        return SyncState.ATTENTION
    return SyncState.DUE if Trait.DUE in traits else SyncState.WAITING
