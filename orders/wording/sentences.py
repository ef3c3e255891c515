"""One entry per code: what is so, who acts, and what would release it.

An entry offers its sentence in several lengths, the most telling first: the first whose values are
all there is said. The last needs no value, so that a sentence never shows a gap. Which sentence
applies to a shipment as a whole is found in explain.py.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models
from django.utils import formats, timezone
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from stores.connectors.codes import Code

from ..choices import AttemptOutcome, RowCode, SendCode, Stopped, WaitCode

Text = str | Promise


class Who(models.TextChoices):
    """Who has to do something before a number goes on its way."""

    MERCHANT = "merchant", _("The merchant")
    STAFF = "staff", _("Our staff")
    CARRIER = "carrier", _("The carrier")
    NOBODY = "nobody", _("Nobody: it goes on by itself")


@dataclass(frozen=True)
class Words:
    """`says`: the lengths of the sentence, most telling first; `then`: what would release the shipment."""

    says: tuple[Text, ...]
    who: Who
    then: Text


def _words(who: Who, then: Text, *says: Text) -> Words:
    return Words(says, who, then)


_BY_ITSELF = _("It is tried again by itself.")
_LOOK_FIRST = _("We look into the store first, and send again only what is not there.")
_DONE = _("Nothing has to be done.")
_RECONNECT = _("Reconnect the store; whatever waits goes out then, nothing is lost.")
_AGAIN = _('Then press "try again now".')

# What holds a shipment back, or what a person should know about one that is in the store.
WORDS: dict[str, Words] = {
    # decide(): nothing goes now
    WaitCode.CANCELLED: _words(
        Who.NOBODY,
        _("Nothing has to be done. Should the order be opened again in {platform}, its number follows."),
        _("The order was cancelled or fully refunded on {since}, so no number is sent."),
        _("The order was cancelled or fully refunded, so no number is sent."),
    ),
    WaitCode.GIVEN_UP: _words(
        Who.STAFF,
        _('Press "try again now" to take it up again.'),
        _("Our staff gave up sending this number (“{why}”)."),
        _("Our staff gave up sending this number."),
    ),
    WaitCode.WITHDRAWN: _words(
        Who.STAFF,
        _('Press "try again now" to send a number again.'),
        _("Our staff cancelled the fulfillment in {platform}, so nothing is sent for this parcel."),
    ),
    WaitCode.OLDER_THAN_SYNC: _words(
        Who.NOBODY,
        _("Moving the store's start date back to before the day of the order would include it."),
        _("The order is older than {sync_from}, where TrackSync begins in this store; it is left alone."),
        _("The order is older than the day on which TrackSync begins in this store; it is left alone."),
    ),
    WaitCode.UNPAID: _words(
        Who.MERCHANT,
        _("The number is free to go once the payment for the order is booked."),
        _("The payment for this order has not been booked."),
    ),
    WaitCode.METHOD_MISSING: _words(
        Who.STAFF,
        _("Enter the parcel's shipping method."),
        _("The parcel has no shipping method, so it is not known which of its numbers the store should show."),
    ),
    WaitCode.OWN_NUMBER_MISSING: _words(
        Who.STAFF,
        _("The number goes out once we have given the parcel one of our own."),
        _("Parcels with this shipping method go by our own number, and this one has none; {other} is not sent for it."),
        _("Parcels with this shipping method go by our own number, and this one has none yet."),
    ),
    WaitCode.LOCAL_NUMBER_MISSING: _words(
        Who.CARRIER,
        _("It goes out once the carrier has given its number and it is entered here."),
        _("The carrier has not given its number yet. We have {other}, and do not send it in place of the carrier's."),
        _("The carrier has not given its number yet."),
    ),
    WaitCode.LOOKS_LIKE_OWN: _words(
        Who.STAFF,
        _("Replace it by the number that the carrier gave."),
        _("{number} is entered as the carrier's number, but begins with {prefix} like our own, so it is not sent."),
        _("The number entered as the carrier's begins like one of our own, so it is not sent."),
    ),
    WaitCode.NOT_DISPATCHED: _words(
        Who.STAFF,
        _("It goes out by itself as soon as the parcel is handed to the carrier."),
        _("The number {number} is ready, but the parcel is still with us, and the store asked for it after dispatch."),
        _("The parcel is still with us, and the store asked for its number after dispatch."),
    ),
    # The row's own
    RowCode.CANCELLED_AFTER_SENT: _words(
        Who.STAFF,
        _("Cancel the fulfillment in the store if the parcel does not leave, or give up if it should stay as it is."),
        _("The order was cancelled or refunded on {since}, after its number {number} had gone to the store."),
        _("The order was cancelled or refunded after its number had gone to the store."),
    ),
    RowCode.DISPATCH_REVERSED: _words(
        Who.STAFF,
        _("Mark it as dispatched again, or cancel the fulfillment in the store."),
        _("The store shows {number}, but the parcel has come back to us and its dispatch was undone."),
        _("The store shows the number, but the parcel has come back to us and its dispatch was undone."),
    ),
    RowCode.UNITS_MISSING: _words(
        Who.STAFF,
        _("Compare the parcel's contents with the order in {platform} and correct one of them."),
        _("The number is in the store, but the store had no room for {missing} of this parcel's units."),
        _("The number is in the store, but the store had no room for all units of this parcel."),
    ),
    RowCode.UNEXPECTED: _words(
        Who.STAFF,
        _("It is tried again on its own. If it stays so, give the time and the number to whoever runs TrackSync."),
        _("TrackSync itself made a mistake with this parcel; it is logged."),
    ),
    # The store says: this shipment, later
    Code.ON_HOLD: _words(
        Who.MERCHANT,
        _("Release the order in {platform}; the number follows by itself."),
        _("{platform} keeps this order on hold: {holds}."),
        _("{platform} keeps this order on hold."),
    ),
    Code.SCHEDULED: _words(
        Who.NOBODY,
        _("It goes out by itself on that day."),
        _("{platform} holds this order until {until}, as it was scheduled there."),
        _("{platform} holds this order until the day it is scheduled for."),
    ),
    Code.ROUTING: _words(Who.NOBODY, _BY_ITSELF, _("{platform} is still deciding where this order ships from.")),
    Code.ORDER_CHANGED: _words(
        Who.NOBODY,
        _("It is read again and then sent."),
        _("The order was changed in {platform} at the very moment of sending."),
    ),
    Code.NO_TIME: _words(
        Who.NOBODY,
        _("It goes out in the store's next turn."),
        _("The store's turn was over before this number was sent."),
    ),
    # The store says: this shipment, a person
    Code.ORDER_NOT_FOUND: _words(
        Who.MERCHANT,
        _("If the order still exists, allow TrackSync to read older orders and reconnect the store."),
        _("{platform} does not show us this order: it was deleted, or is older than what we may read."),
    ),
    Code.ORDER_CANCELLED_IN_STORE: _words(
        Who.STAFF,
        _("Stop the parcel if it is still here, then give up this number."),
        _("The order is cancelled in {platform}, so the store takes no number for it."),
    ),
    Code.OTHER_NUMBER_THERE: _words(
        Who.MERCHANT,
        _("Remove that number in {platform} if ours should stand there; our staff can then try again."),
        _("The store shows another number already, {there}, that is none of ours. It was not overwritten."),
        _("The store shows another number already that is none of ours. It was not overwritten."),
    ),
    Code.OTHER_LOCATION: _words(
        Who.MERCHANT,
        _("Move them in {platform} to a location that we ship from; our staff can then try again."),
        _("These items belong to {location} ({app}) in the store, so we may not fulfil them."),
        _("These items belong to {location} in the store, so we may not fulfil them."),
        _("These items belong to another location in the store, so we may not fulfil them."),
    ),
    Code.NOTHING_TO_FULFILL: _words(
        Who.STAFF,
        _("Find out in {platform} whether the items were removed, refunded, or fulfilled by someone else."),
        _("The store has nothing left to fulfil for what is in this parcel."),
    ),
    Code.FULFILLMENT_CANCELLED: _words(
        Who.STAFF,
        _('Press "try again now" if the number should stand there again, or give up.'),
        _("Somebody cancelled our fulfillment in {platform}, so the number is no longer there."),
    ),
    Code.FULFILLMENT_NOT_OURS: _words(
        Who.MERCHANT,
        _("Cancel it in {platform} itself, if it should go."),
        _("The fulfillment is gone, or was not made by us, so we did not cancel it."),
    ),
    Code.REFUSED: _words(
        Who.STAFF,
        _("The timeline below has the store's own words. Correct what they name and try again."),
        _("The store refused the number because of {field}."),
        _("The store refused the number and did not say clearly why."),
    ),
    # The store says: all of it, later
    Code.THROTTLED: _words(Who.NOBODY, _BY_ITSELF, _("{platform} asked us to slow down for this store.")),
    Code.NO_ANSWER: _words(Who.NOBODY, _BY_ITSELF, _("The store did not answer.")),
    Code.SERVER_ERROR: _words(
        Who.NOBODY,
        _BY_ITSELF,
        _("The store answered with an error of its own ({status})."),
        _("The store has an error."),
    ),
    Code.NOT_JSON: _words(
        Who.NOBODY,
        _("It is tried again by itself. If it lasts, the shop may be closed for maintenance or behind a password."),
        _("The store answered with a web page instead of data."),
    ),
    # The store says: all of it, a person
    Code.TOKEN_REFUSED: _words(Who.MERCHANT, _RECONNECT, _("The store no longer accepts our access.")),
    Code.SCOPE_MISSING: _words(
        Who.MERCHANT,
        _("Grant it in {platform} and reconnect the store; whatever waits goes out then."),
        _("The store does not allow us what we need: {scopes}."),
        _("The store does not allow us all that we need."),
    ),
    Code.SHOP_FROZEN: _words(
        Who.MERCHANT,
        _("Open the shop again in {platform}, then check the connection here."),
        _("The shop is locked or its plan is unpaid ({status})."),
        _("The shop is locked or its plan is unpaid."),
    ),
    Code.SHOP_NOT_FOUND: _words(
        Who.MERCHANT, _("Check the shop's address and reconnect it."), _("There is no shop at the store's address.")
    ),
    Code.WRONG_SHOP: _words(
        Who.MERCHANT,
        _("Reconnect with the access of this shop."),
        _("Another shop answered: {shop}. Nothing was sent to it."),
        _("Another shop answered. Nothing was sent to it."),
    ),
    Code.ADDRESS_REFUSED: _words(
        Who.STAFF,
        _("Correct the store's address: a public https address."),
        _("We do not call the store's address {address}: {why}."),
        _("We do not call the store's address: it is not a public https address."),
    ),
    Code.CREDENTIALS_INCOMPLETE: _words(
        Who.MERCHANT,
        _("Reconnect the store with complete access data."),
        _("The store's access data is incomplete: {missing}."),
        _("The store's access data is incomplete."),
    ),
    # No clear answer
    Code.ANSWER_LOST: _words(Who.NOBODY, _LOOK_FIRST, _("The number was sent, but the store's answer was lost.")),
    Code.STORE_FAILED: _words(
        Who.NOBODY,
        _LOOK_FIRST,
        _("The number was sent, and the store failed while it was working on it ({status})."),
        _("The number was sent, and the store failed while it was working on it."),
    ),
    # Warnings: it is there, and a person may want to know
    Code.COMPANY_CHANGED: _words(Who.NOBODY, _DONE, _("The store shows the carrier under another name than we sent.")),
    Code.LINK_CHANGED: _words(Who.NOBODY, _DONE, _("The store shows another tracking link than we sent.")),
    Code.DUPLICATE_CANCELLED: _words(
        Who.NOBODY, _DONE, _("The store had two fulfillments of ours for the same items; the younger was cancelled.")
    ),
    Code.API_VERSION_RETIRED: _words(
        Who.STAFF,
        _("Update TrackSync."),
        _("{platform} answered in a newer version than the one TrackSync was made for."),
    ),
    Code.CUSTOMERS_HIDDEN: _words(
        Who.MERCHANT,
        _("Nothing has to be done for the numbers. For mail, the shop's plan has to allow customer data."),
        _("The store does not show us its customers' e-mail addresses."),
    ),
    Code.OLD_ORDERS_HIDDEN: _words(
        Who.MERCHANT,
        _("Allow reading all orders if older ones should get numbers."),
        _("The store shows us only the orders of the last 60 days."),
    ),
    Code.SEVERAL_LOCATIONS: _words(
        Who.STAFF,
        _("Choose the locations that we ship from on the store's page."),
        _("The store has several locations, and it was not chosen which of them we ship from."),
    ),
}

# Why this number and no other.
WHY: dict[str, tuple[Text, ...]] = {
    SendCode.OWN_FOR_THIS_METHOD: (
        _("Our own number, as the store shows the usual number and {method} goes by ours."),
        _("Our own number, as the store shows the usual number and this shipping method goes by ours."),
    ),
    SendCode.LOCAL_FOR_THIS_METHOD: (
        _("The carrier's number, as the store shows the usual number and {method} goes by the carrier's."),
        _("The carrier's number, as the store shows the usual number and this shipping method goes by the carrier's."),
    ),
    SendCode.LOCAL_CHOSEN: (_("The carrier's number, as the store always shows the carrier's."),),
    SendCode.KIND_PROMISED: (
        _("{kind}, as this store was sent that kind for this parcel before, and a later choice does not change it."),
        _("The kind of number that this store was sent for this parcel before; a later choice does not change it."),
    ),
}

# What one attempt came to, for the timeline.
OUTCOMES: dict[str, tuple[Text, ...]] = {
    AttemptOutcome.CREATED: (_("The store shows {number} now."), _("The store shows it now.")),
    AttemptOutcome.REPLACED: (
        _("The store shows {number} now, in place of what was there."),
        _("The store shows it now, in place of what was there."),
    ),
    AttemptOutcome.UNCHANGED: (_("The store showed {number} already."), _("The store showed it already.")),
    AttemptOutcome.ADOPTED: (
        _("The store shows {number} now, in a fulfillment that was made there."),
        _("The store shows it now, in a fulfillment that was made there."),
    ),
    AttemptOutcome.ARRIVED: (
        _("We looked: {number} had arrived, although the answer was lost."),
        _("We looked: it had arrived, although the answer was lost."),
    ),
    AttemptOutcome.DID_NOT_ARRIVE: (
        _("We looked: {number} had not arrived, so it is sent again."),
        _("We looked: it had not arrived, so it is sent again."),
    ),
    AttemptOutcome.TRY_AGAIN_LATER: (_("It has to wait."),),
    AttemptOutcome.REJECTED: (_("The store did not take it; a person has to act."),),
    AttemptOutcome.STORE_BUSY: (_("The whole store is left alone for a while."),),
    AttemptOutcome.STORE_DISCONNECTED: (_("The store did not let us in."),),
    AttemptOutcome.UNKNOWN: (_("No clear answer; we look before anything is sent again."),),
    AttemptOutcome.CANCELLED: (_("The fulfillment in the store was cancelled by a person."),),
    AttemptOutcome.BY_HAND: (_("Changed by a person."),),
}

STOPPED: dict[str, tuple[Text, ...]] = {
    Stopped.NO: (_("It takes part in the sync."),),
    Stopped.GIVEN_UP: WORDS[WaitCode.GIVEN_UP].says,
    Stopped.WITHDRAWN: WORDS[WaitCode.WITHDRAWN].says,
}

_UNKNOWN: tuple[Text, ...] = (_("For a reason that this version of TrackSync has no words for: {code}."),)
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
# Said where a value that nearly every sentence uses is not at hand.
_STAND_INS: dict[str, Text] = {"platform": _("the store")}


def sentence(code: str, values: Mapping[str, Any] | None = None) -> str:
    """The sentence of a WaitCode, SendCode, RowCode, connectors' Code or Stopped, in the active language.

    `values` as kept with the code; None, empty and missing ones choose a shorter sentence. ISO times
    are shown in the active time zone. An attempt's outcome has outcome_sentence(): two of the outcomes
    share their spelling with a reason.
    """
    if code in WORDS:
        return fill(WORDS[code].says, values)
    return fill(WHY.get(code) or STOPPED.get(code) or _UNKNOWN, {"code": code, **(values or {})})


def outcome_sentence(outcome: str, values: Mapping[str, Any] | None = None) -> str:
    """The sentence of an AttemptOutcome; `number` among the values makes it more telling."""
    return fill(OUTCOMES.get(outcome, _UNKNOWN), {"code": outcome, **(values or {})})


def attempt_line(outcome: str, reason: str, values: Mapping[str, Any] | None = None) -> str:
    """One line of the timeline: what the attempt came to and, where there is one, the reason."""
    said = outcome_sentence(outcome, values)
    return f"{said} {sentence(reason, values)}" if reason else said


def who_acts(code: str) -> Who:
    """Who has to act on a reason; our staff where the code is not known."""
    return WORDS[code].who if code in WORDS else Who.STAFF


def who_acts_sentence(who: Who) -> str:
    """Who acts, as it stands behind "Who acts:"."""
    return str(who.label)


def releases(code: str, values: Mapping[str, Any] | None = None) -> str:
    """What would release a shipment that waits for this reason."""
    return fill((WORDS[code].then,), values) if code in WORDS else gettext('Press "try again now".')


def fill(says: tuple[Text, ...], values: Mapping[str, Any] | None = None) -> str:
    """The first of the sentences whose values are all there, filled in; never a gap, never a brace left over."""
    known = {key: str(text) for key, text in _STAND_INS.items()}
    known |= {key: text for key, value in (values or {}).items() if (text := show(value))}
    for text in map(str, says):
        names = [name for _before, name, _spec, _conv in string.Formatter().parse(text) if name]
        if all(name in known for name in names):
            return capfirst(text.format_map(known))
    return capfirst(re.sub(r"\s*\(?\{\w*\}\)?", "", str(says[-1])))


def show(value: Any) -> str:
    """A value as it stands in a sentence; "" for none."""
    if value is None or value is False or value == "":
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(filter(None, map(show, value)))
    if isinstance(value, datetime):
        return show_time(value)
    if isinstance(value, str) and _ISO.match(value) and (parsed := _parsed(value)):
        return show_time(parsed)
    return str(value)


def show_time(at: datetime) -> str:
    """A moment in the active time zone: 29 Nov 2026, 18:00 (UTC)."""
    local = timezone.localtime(at) if timezone.is_aware(at) else at
    return f"{formats.date_format(local, gettext('j M Y, H:i'))} ({local.tzname() or gettext('local time')})"


def show_span(seconds: float) -> str:
    """A length of time in one unit: 40 seconds, 3 minutes, 5 hours, 2 days."""
    whole = max(int(seconds), 0)
    if whole < 120:
        return ngettext("{n} second", "{n} seconds", whole).format(n=whole)
    if whole < 2 * 3600:
        return ngettext("{n} minute", "{n} minutes", whole // 60).format(n=whole // 60)
    if whole < 48 * 3600:
        return ngettext("{n} hour", "{n} hours", whole // 3600).format(n=whole // 3600)
    return ngettext("{n} day", "{n} days", whole // 86400).format(n=whole // 86400)


def _parsed(value: str) -> datetime | None:
    try:
        return parse_datetime(value)
    except ValueError:
        return None
