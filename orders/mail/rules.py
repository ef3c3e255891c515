"""Who writes to the customer of one parcel, about what, and why not. Pure: no clock, no database, no mail.

`mails()` says what follows from the facts that has not been written down yet; outbox.py asks it whenever a fact has
changed. `why_not()` is asked again at the last moment, by sending.py, and for a mail that was given up whose reason may
be gone. `tells_of()` says beforehand whether a number that is replaced would be told. All see the same rules, in one
order:

* A store has one sender. Where it is the store, the store was asked with the push, or nobody was.
* `preparing`: the store shows the number and the parcel is not dispatched, under "before dispatch".
* `shipped`: the store shows the number and the parcel is dispatched. Once, whatever the number becomes.
* `number_changed`: the store shows another number than the customer was told last. Once for each number.
* `waiting`: the merchant's own act, for what the store shows no number of.
* Nothing before the merchant confirmed the choice, nor while the merchant's address is not verified: that is held.
* Nothing about what is more than five days old, unless a person wants it sent all the same.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from stores.choices import EmailKind, MailSender, Timing

from ..choices import EmailState, MailCode

FRESH = timedelta(days=5)  # after that a mail tells what its reader has known for long

HOLDS = frozenset({MailCode.NOT_CONFIRMED, MailCode.UNVERIFIED})
# What ends by a change of the facts: then the mail is planned after all.
ENDS = frozenset(
    {
        MailCode.NO_ADDRESS,
        MailCode.ADDRESSES_HIDDEN,
        MailCode.CANCELLED,
        MailCode.STOPPED,
        MailCode.NOT_SHOWN,
        MailCode.NOT_DISPATCHED,
    }
)
# Somebody was told, or may have been.
TOLD = frozenset({EmailState.SENT, EmailState.BY_STORE, EmailState.UNCLEAR, EmailState.SENDING})
_NEW = -1  # stands for a number that no row is about yet
_ON_ITS_WAY = frozenset({EmailState.PENDING, EmailState.HELD})


@dataclass(frozen=True)
class Row:
    """A row of the outbox. `at`: when it was sent, else when it was made."""

    kind: EmailKind
    state: EmailState
    number_id: int | None
    number: str
    at: datetime
    reason: str = ""


@dataclass(frozen=True)
class MailFacts:
    """All that decides about the mails of one shipment. Times are aware."""

    sender: MailSender
    timing: Timing
    is_confirmed: bool
    number_id: int | None  # what the store shows
    number: str
    shown_since: datetime | None
    dispatched_at: datetime | None
    is_cancelled: bool = False  # the order, in the store or by staff
    is_stopped: bool = False  # a person took the shipment out of the sync
    is_adopted: bool = False  # the fulfillment was made by somebody else
    store_was_asked: bool = False  # to write, with the push that brought this number
    has_address: bool = True
    reads_addresses: bool = True  # the store lets us read customers' addresses
    is_verified: bool = True  # the merchant's own address
    tells_changed_number: bool = True
    writes_anyway: bool = False  # the platform's own notice is on, and only the merchant can switch it off
    is_connected: bool = True
    rows: tuple[Row, ...] = ()

    def row(self, kind: EmailKind, number_id: int | None = None) -> Row | None:
        """The row of this kind, and of this number where one is given."""
        found = (row for row in self.rows if row.kind == kind and number_id in (None, row.number_id))
        return next(found, None)

    @property
    def told(self) -> str:
        """The number that the customer was told last; "" for none."""
        told = [row for row in self.rows if row.state in TOLD and row.number and row.kind != EmailKind.WAITING]
        return max(told, key=lambda row: row.at).number if told else ""


@dataclass(frozen=True)
class Mail:
    """This mail is to be written. `again`: it had been given up for a reason that is gone."""

    kind: EmailKind
    number_id: int | None
    again: bool = False


@dataclass(frozen=True)
class NoMail:
    """We do not write this mail, or not yet."""

    kind: EmailKind
    number_id: int | None
    reason: MailCode

    @property
    def state(self) -> EmailState:
        """The state its row gets."""
        return state_of(self.reason)


def state_of(reason: MailCode) -> EmailState:
    """The state of a mail that is not sent now for this reason."""
    if reason in HOLDS:
        return EmailState.HELD
    return EmailState.BY_STORE if reason == MailCode.BY_STORE else EmailState.SKIPPED


def mails(facts: MailFacts, now: datetime) -> list[Mail | NoMail]:
    """What follows from the facts and is not in the outbox yet."""
    if facts.number_id is None or _is_history(facts, now):
        return _again(facts, now)
    found: list[Mail | NoMail] = []
    changed = facts.told not in ("", facts.number) and facts.row(EmailKind.NUMBER_CHANGED, facts.number_id) is None
    if facts.row(EmailKind.SHIPPED) is None:
        first = facts.row(EmailKind.PREPARING) is None
        if facts.store_was_asked and not changed:
            found.append(NoMail(EmailKind.SHIPPED, facts.number_id, MailCode.BY_STORE))
        elif first and facts.is_confirmed and facts.sender == MailSender.STORE:
            why = MailCode.ADOPTED if facts.is_adopted else MailCode.STORE_WAS_NOT_ASKED
            found.append(NoMail(EmailKind.SHIPPED, facts.number_id, why))
        elif facts.dispatched_at is not None:
            found.append(_decided(EmailKind.SHIPPED, facts, now))
        elif first and facts.timing == Timing.BEFORE_DISPATCH:
            found.append(_decided(EmailKind.PREPARING, facts, now))
    if changed:
        if facts.store_was_asked:
            found.append(NoMail(EmailKind.NUMBER_CHANGED, facts.number_id, MailCode.BY_STORE))
        elif not _tells_it_anyway(facts, found):
            found.append(_decided(EmailKind.NUMBER_CHANGED, facts, now))
    return found + _again(facts, now)


def asks_store(sender: MailSender, told: Collection[str], number: str, *, tells_changed_number: bool) -> bool:
    """Whether a store that writes by itself is asked to, for a number that comes in the place of those `told`."""
    return sender == MailSender.STORE and bool(told) and number not in told and tells_changed_number


def tells_of(number: str, facts: MailFacts, now: datetime) -> bool:
    """Whether the customer is told when the store shows this number in the place of the one it shows.

    What is held for the merchant's address counts as told: it goes when that is verified.
    """
    if not facts.is_confirmed:
        return False
    told = {row.number for row in facts.rows if row.state in TOLD and row.number and row.kind != EmailKind.WAITING}
    asked = asks_store(facts.sender, told, number, tells_changed_number=facts.tells_changed_number)
    then = replace(
        facts, number_id=_NEW, number=number, shown_since=now, store_was_asked=asked and not facts.is_adopted
    )
    return any(
        each.kind == EmailKind.NUMBER_CHANGED and (isinstance(each, Mail) or each.reason == MailCode.BY_STORE)
        for each in mails(then, now)
        if each.number_id == _NEW
    )


def why_not(
    kind: EmailKind,
    facts: MailFacts,
    now: datetime,
    *,
    number_id: int | None = None,
    since: datetime | None = None,
    forced: bool = False,
) -> MailCode | None:
    """Why this mail does not go now; None when it does.

    `number_id`: the number that a `number_changed` is about. `since`: when a `waiting` was asked for. `forced`: a
    person wants it sent however old it is.
    """
    if not facts.is_connected:
        return MailCode.DISCONNECTED
    if facts.is_cancelled:
        return MailCode.CANCELLED
    if facts.is_stopped:
        return MailCode.STOPPED
    reason = _out_of_place(kind, facts, number_id)
    if reason is None and facts.is_confirmed:
        reason = _somebody_elses(kind, facts)
    if reason is not None:
        return reason
    begun = _begun(kind, facts, since)
    if not forced and begun is not None and begun < now - FRESH:
        return MailCode.STALE
    if not facts.is_confirmed:
        return MailCode.NOT_CONFIRMED
    if not facts.has_address:
        return MailCode.NO_ADDRESS if facts.reads_addresses else MailCode.ADDRESSES_HIDDEN
    return None if facts.is_verified else MailCode.UNVERIFIED


def fresh_until(kind: EmailKind, facts: MailFacts, since: datetime) -> datetime:
    """When a mail that is held becomes too old. `since`: when it was asked for."""
    return (_begun(kind, facts, since) or since) + FRESH


def _begun(kind: EmailKind, facts: MailFacts, since: datetime | None) -> datetime | None:
    """Since when there is what a mail of this kind tells."""
    if kind == EmailKind.SHIPPED:
        return facts.dispatched_at
    return since if kind == EmailKind.WAITING else facts.shown_since


def _out_of_place(kind: EmailKind, facts: MailFacts, number_id: int | None) -> MailCode | None:
    """What the mail says is not so, or is so no more."""
    if kind == EmailKind.WAITING:
        gone = facts.number_id is not None or facts.dispatched_at is not None
        return MailCode.NUMBER_IS_OUT if gone else None
    if facts.number_id is None:
        return MailCode.NOT_SHOWN
    if kind == EmailKind.PREPARING and facts.dispatched_at is not None:
        return MailCode.DISPATCHED_MEANWHILE
    if kind == EmailKind.SHIPPED and facts.dispatched_at is None:
        return MailCode.NOT_DISPATCHED
    if kind == EmailKind.NUMBER_CHANGED and number_id not in (None, facts.number_id):
        return MailCode.REPLACED_AGAIN
    return None


def _somebody_elses(kind: EmailKind, facts: MailFacts) -> MailCode | None:
    """One sender per store; what a merchant does of their own is theirs whoever writes the rest."""
    if kind == EmailKind.WAITING:
        return None
    if facts.sender == MailSender.NOBODY:
        return MailCode.NOBODY
    if facts.sender == MailSender.STORE:
        return MailCode.STORE_WAS_NOT_ASKED
    if facts.writes_anyway:
        return MailCode.STORE_WRITES_ANYWAY
    if kind == EmailKind.NUMBER_CHANGED and not facts.tells_changed_number:
        return MailCode.CHANGES_NOT_TOLD
    return None


def _decided(kind: EmailKind, facts: MailFacts, now: datetime) -> Mail | NoMail:
    reason = why_not(kind, facts, now)
    if reason is None or reason in HOLDS:
        # Whether it is held is found out when it is to go: by then the reason may be gone.
        return Mail(kind, facts.number_id)
    return NoMail(kind, facts.number_id, reason)


def _tells_it_anyway(facts: MailFacts, found: list[Mail | NoMail]) -> bool:
    """Whether a mail is on its way that tells the number of the time it is sent."""
    kinds = (EmailKind.PREPARING, EmailKind.SHIPPED)
    waits = any(row.state in _ON_ITS_WAY and row.kind in kinds for row in facts.rows)
    return waits or any(isinstance(each, Mail) for each in found)


def _again(facts: MailFacts, now: datetime) -> list[Mail | NoMail]:
    """Mails that were given up for a reason that is gone. What a person asked for, a person asks for again."""
    found: list[Mail | NoMail] = []
    for row in facts.rows:
        if row.state not in (EmailState.SKIPPED, EmailState.REFUSED) or row.kind == EmailKind.WAITING:
            continue
        # A parcel's dispatch can be put right; when its number was shown cannot.
        ends = row.reason in ENDS or (row.reason == MailCode.STALE and row.kind == EmailKind.SHIPPED)
        reason = why_not(row.kind, facts, now, number_id=row.number_id) if ends else MailCode.STALE
        if reason is None or reason in HOLDS:
            found.append(Mail(row.kind, row.number_id, again=True))
    return found


def _is_history(facts: MailFacts, now: datetime) -> bool:
    """Shown and dispatched long before anybody kept an outbox: nothing of it is listed as not sent."""
    if facts.rows or facts.shown_since is None:
        return False
    return max(facts.shown_since, facts.dispatched_at or facts.shown_since) < now - FRESH
