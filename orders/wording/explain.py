"""Why a shipment's number is, or is not, in the store: what is so, since when, who acts, what releases it.

explain() asks decide() through the planable it is given, so that a screen and the sync can never
differ. first_line() is its headline for lists, from the row alone. The words of the codes are in
sentences.py.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from stores.choices import CountsAsPaid, DisconnectReason
from stores.models import Store

from ..choices import NumberKind, RowCode, SyncState, WaitCode
from ..models import TrackingNumber, TrackingSync
from ..policy import Decision, Send, Wait
from .reasons import WORDS, Who, Words, words
from .sentences import fill, releases, sentence, show_span, show_time, who_acts

if TYPE_CHECKING:
    from ..plan import Planable

# A number that should be in the store for longer than this is put before a person.
LONG_DUE = timedelta(days=1)


class Situation(enum.StrEnum):
    """What explain() finds beside the reasons of decide(), of the row and of the store."""

    IN_STORE = "in_store"
    SENDING = "sending"
    STORE_DISCONNECTED = "store_is_disconnected"
    STORE_UNINSTALLED = "store_is_uninstalled"
    STORE_PAUSED = "store_is_paused"
    STORE_BUSY = "store_is_busy"
    DELAYED = "delayed"
    NOT_YET = "not_yet"
    DUE = "due_now"
    PLANNING = "planning"
    SHOPPER_UNPAID = "shopper_unpaid"
    NO_PARCEL = "no_parcel"


SITUATIONS: dict[str, Words] = {
    Situation.IN_STORE: words(
        Who.NOBODY,
        _("Nothing has to be done."),
        _("It is there: {store} showed {number} on {looked}, when we last looked."),
        _("It is there: the store shows the number."),
    ),
    Situation.SENDING: words(
        Who.NOBODY,
        _("We look into the store by itself, before anything is sent again."),
        _("{number} was sent {span} ago, and {platform} has not answered clearly. We look before we send again."),
        _("The number was sent, and {platform} has not answered clearly. We look before we send again."),
    ),
    Situation.STORE_DISCONNECTED: words(
        Who.MERCHANT,
        _("Connecting the shop again begins afresh, with its orders from then on. What waited is not carried over."),
        _("{store} was disconnected on {since}, so nothing is sent to it."),
        _("The store was disconnected, so nothing is sent to it."),
    ),
    Situation.STORE_UNINSTALLED: words(
        Who.MERCHANT,
        _("Install the app again if its orders should get their numbers. What is here of them was kept."),
        _("The app was removed in {platform} on {since}, so nothing is sent to {store}."),
        _("The app was removed in the store, so nothing is sent to it."),
    ),
    Situation.STORE_PAUSED: words(
        Who.MERCHANT,
        _("Resume the store; whatever is due then goes out by itself."),
        _("{store} is paused: its orders are still looked up, but nothing is sent to it."),
        _("The store is paused: its orders are still looked up, but nothing is sent to it."),
    ),
    Situation.STORE_BUSY: words(
        Who.NOBODY,
        _("It goes on by itself at that time."),
        _("{store} is left alone until {until}: {trouble}"),
        _("The store is left alone for a while."),
    ),
    Situation.DELAYED: words(
        Who.NOBODY,
        _("It goes out by itself at that time."),
        _("Not before {until}: the store asked for {hours} hours after the payment."),
        _("Not yet: the store asked for some hours after the payment."),
    ),
    Situation.NOT_YET: words(
        Who.NOBODY,
        _("It goes out by itself at that time."),
        _("It is sent on {until}."),
        _("It is sent later."),
    ),
    Situation.DUE: words(
        Who.NOBODY,
        _("It goes out by itself in a moment."),
        _("It is on its way to the store: {queue}"),
        _("It is next on its way to the store."),
    ),
    Situation.PLANNING: words(
        Who.NOBODY,
        _("It is planned anew by itself in a moment."),
        _("Something about this parcel or the store's choice has just changed, and it is being planned anew."),
    ),
    Situation.SHOPPER_UNPAID: words(
        Who.NOBODY,
        _("The number is free to go once the store reports the shopper's payment."),
        _("The shopper has not paid for this order yet, and this store's numbers wait for that."),
    ),
    Situation.NO_PARCEL: words(
        Who.STAFF,
        _("Add a parcel to the order, or import it with its number."),
        _("The order is here, but it has no parcel yet, so there is no number to send."),
    ),
}


@dataclass(frozen=True)
class Explanation:
    """All that a screen or a command says about one shipment."""

    state: str  # a SyncState
    state_label: str
    code: str  # of the headline: a reason's or a Situation's
    headline: str
    since: datetime | None
    who: Who
    who_acts: str
    releases: str
    why_this_number: str  # "" while no number is chosen
    wanted: str
    sending: str
    shown: str
    not_before: datetime | None
    due_at: datetime | None
    needs_attention: bool
    notes: tuple[str, ...]
    values: Mapping[str, Any]


@dataclass(frozen=True)
class _Found:
    code: str
    headline: str
    since: datetime | None
    who: Who
    then: str
    values: Mapping[str, Any]


def explain(planable: Planable, now: datetime, *, ahead: int = 0) -> Explanation:
    """Put one shipment's standing into words.

    `planable` as plan.facts_of() loads it; `now` aware; `ahead` from in_front(): how many numbers
    of the store go first.
    """
    row, decision = planable.row, planable.decision
    found = _find(row, decision, planable.preference.delay_hours, now, ahead)
    shown, wanted = _value(row.shown), _value(row.wanted)
    return Explanation(
        state=row.state,
        state_label=str(SyncState(row.state).label),
        code=str(found.code),
        headline=found.headline,
        since=found.since,
        who=found.who,
        who_acts=str(found.who.label),
        releases=found.then,
        why_this_number=_why(row, decision) if isinstance(decision, Send) else "",
        wanted=decision.number.value if isinstance(decision, Send) else wanted,
        sending=_value(row.sending),
        shown=shown,
        not_before=decision.not_before if isinstance(decision, Send) and not shown else None,
        due_at=row.due_at,
        needs_attention=needs_attention(row, now),
        notes=tuple(_notes(row, found, now)),
        values=dict(found.values),
    )


def first_line(row: TrackingSync, now: datetime) -> str:
    """The headline for lists, from the row and its store alone: no query where the list joins
    store, wanted, sending and shown."""
    return _find(row, None, 0, now, 0).headline


def in_front(row: TrackingSync) -> int:
    """How many numbers of the same store are due before this one; one query, 0 where it is not due."""
    if row.due_at is None:
        return 0
    return TrackingSync.objects.filter(store_id=row.store_id, due_at__lt=row.due_at).count()


def needs_attention(row: TrackingSync, now: datetime) -> bool:
    """A person should look: the row says so, or it has been due for over a day."""
    return row.state == SyncState.ATTENTION or (row.due_since is not None and row.due_since < now - LONG_DUE)


def store_obstacle(store: Store, now: datetime) -> tuple[str, str] | None:
    """What holds the whole store back, as (sentence, what releases it); None where nothing does."""
    found = _store_gone(store) or _store_resting(store, now)
    return (found.headline, found.then) if found else None


def _find(row: TrackingSync, decision: Decision | None, delay_hours: int, now: datetime, ahead: int) -> _Found:
    """The one thing to say first, in the order in which it holds a number back."""
    values = _values(row)
    if row.sending is not None and row.sending_since is not None:
        span = show_span((now - row.sending_since).total_seconds())
        return _situation(
            Situation.SENDING, {**values, "number": row.sending.value, "span": span}, since=row.sending_since
        )
    if row.state == SyncState.SYNCED:
        looked = row.checked_at or row.synced_at
        return _situation(Situation.IN_STORE, {**values, "looked": looked}, since=row.synced_at)
    if row.state == SyncState.ATTENTION:
        return _reason(row.reason or RowCode.UNEXPECTED, values, since=row.state_since)
    # Nothing that would release the number for a connected store would send it now.
    if row.store.disconnected_at is not None and (gone := _store_gone(row.store)):
        return gone
    if row.state == SyncState.DUE:
        return _due(row, decision, delay_hours, now, ahead, values)
    if isinstance(decision, Send) or (decision is None and not row.reason):
        return _situation(Situation.PLANNING, values, since=row.state_since)
    code = str(decision.reason) if isinstance(decision, Wait) else row.reason
    if code == WaitCode.UNPAID and row.store.counts_as_paid == CountsAsPaid.WHEN_SHOPPER_PAID:
        return _situation(Situation.SHOPPER_UNPAID, values, since=row.state_since)
    told = decision.values if isinstance(decision, Wait) else {}
    return _reason(code, {**values, **told}, since=row.state_since)


def _due(
    row: TrackingSync, decision: Decision | None, delay_hours: int, now: datetime, ahead: int, values: dict[str, Any]
) -> _Found:
    """A row that should be sent: what holds it back, and when it goes."""
    since = row.due_since or row.state_since
    if gone := _store_gone(row.store):
        return gone
    if isinstance(decision, Wait):
        return _situation(Situation.PLANNING, values, since=row.state_since)
    later = row.due_at is not None and row.due_at > now
    values["until"] = row.due_at
    if row.reason in WORDS and later:
        found = _reason(row.reason, {**row.reason_values, **values, **_kept(row, "until")}, since=since)
        return _Found(found.code, found.headline, since, found.who, _next_try(found.then, row), found.values)
    if later:
        delayed = isinstance(decision, Send) and delay_hours and decision.not_before > now
        if delayed:
            return _situation(Situation.DELAYED, {**values, "hours": delay_hours}, since=row.state_since)
        return _situation(Situation.NOT_YET, values, since=row.state_since)
    if resting := _store_resting(row.store, now):
        return resting
    queue = ngettext(
        "{n} number of this store goes before it.", "{n} numbers of this store go before it.", ahead
    ).format(n=ahead)
    return _situation(Situation.DUE, {**values, "queue": queue if ahead else ""}, since=since)


def _next_try(then: str, row: TrackingSync) -> str:
    assert row.due_at is not None  # noqa: S101  (a due row has a time: a constraint)
    return f"{then} " + gettext("Next try: {at}.").format(at=show_time(row.due_at))


def _store_gone(store: Store) -> _Found | None:
    """A person has to act on the store before anything goes to it."""
    values = {"store": store.name, "platform": store.get_platform_display()}
    if store.disconnected_at is not None:
        since = store.disconnected_at
        was_removed = store.disconnect_reason == DisconnectReason.UNINSTALLED
        code = Situation.STORE_UNINSTALLED if was_removed else Situation.STORE_DISCONNECTED
        return _situation(code, {**values, "since": since}, since=since)
    if store.needs_reconnecting:
        return _reason(store.trouble, {**values, **store.trouble_values}, since=store.trouble_since)
    if store.is_paused:
        return _situation(Situation.STORE_PAUSED, values, since=None)
    return None


def _store_resting(store: Store, now: datetime) -> _Found | None:
    """The store waits by itself."""
    if not store.trouble or store.resume_at is None or store.resume_at <= now:
        return None
    values = {"store": store.name, "platform": store.get_platform_display(), **store.trouble_values}
    told = {**values, "until": store.resume_at, "trouble": sentence(store.trouble, values)}
    return _situation(Situation.STORE_BUSY, told, since=store.trouble_since)


def _situation(code: Situation, values: Mapping[str, Any], *, since: datetime | None) -> _Found:
    found = SITUATIONS[code]
    return _Found(code, fill(found.says, values), since, found.who, fill((found.then,), values), values)


def _reason(code: str, values: Mapping[str, Any], *, since: datetime | None) -> _Found:
    return _Found(code, sentence(code, values), since, who_acts(code), releases(code, values), values)


def _values(row: TrackingSync) -> dict[str, Any]:
    """What nearly every sentence can use; what was kept with the reason wins."""
    number = row.shown or row.wanted
    return {
        "store": row.store.name,
        "platform": row.store.get_platform_display(),
        "number": _value(number),
        **row.reason_values,
    }


def _kept(row: TrackingSync, name: str) -> dict[str, Any]:
    return {name: row.reason_values[name]} if name in row.reason_values else {}


def _why(row: TrackingSync, decision: Send) -> str:
    method = row.shipment.shipping_method
    kind = NumberKind(decision.number.kind).label
    return sentence(decision.why, {"method": method.name if method else "", "kind": str(kind)})


def _notes(row: TrackingSync, found: _Found, now: datetime) -> list[str]:
    """What a person should know besides the headline."""
    notes = []
    if row.state in (SyncState.SYNCED, SyncState.DUE) and row.reason in WORDS and row.reason != found.code:
        notes.append(sentence(row.reason, _values(row)))
    if row.state != SyncState.SYNCED and (obstacle := store_obstacle(row.store, now)) and obstacle[0] != found.headline:
        notes.append(obstacle[0])
    if row.due_since is not None and row.due_since < now - LONG_DUE:
        span = show_span((now - row.due_since).total_seconds())
        notes.append(gettext("It should have been in the store for {span} now, and is still tried.").format(span=span))
    if row.shown is not None and row.state in (SyncState.WAITING, SyncState.DUE):
        notes.append(gettext("The store shows {number} meanwhile.").format(number=row.shown.value))
    if row.adopted:
        notes.append(gettext("The number stands in a fulfillment that was made in the store, so we never cancel it."))
    return notes


def _value(number: TrackingNumber | None) -> str:
    return number.value if number else ""
