"""The sentences that need no "who acts": why this number, the lines of a timeline, what is wrong with an entry.

As in reasons.py, each offers several lengths, the last without values.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from ..acts import Act
from ..choices import AttemptOutcome, SendCode, Stopped, WaitCode
from ..numbers import NumberProblem
from .reasons import WORDS, Text

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
    AttemptOutcome.CANCELLED: (_("What we had written in the store was taken back by a person."),),
    AttemptOutcome.BY_HAND: (_("Changed by a person."),),
}

STOPPED: dict[str, tuple[Text, ...]] = {
    Stopped.NO: (_("It takes part in the sync."),),
    Stopped.GIVEN_UP: WORDS[WaitCode.GIVEN_UP].says,
    Stopped.WITHDRAWN: WORDS[WaitCode.WITHDRAWN].says,
}

# What a person did, for the timeline.
ACTS: dict[str, tuple[Text, ...]] = {
    Act.MARKED_PAID: (_("Marked the order as paid on {at}."), _("Marked the order as paid.")),
    Act.MARKED_DISPATCHED: (_("Marked the parcel as dispatched on {at}."), _("Marked the parcel as dispatched.")),
    Act.DISPATCH_UNDONE: (_("Took the dispatch back."),),
    Act.NUMBER_ADDED: (_("Entered the number {value}."), _("Entered a number.")),
    Act.NUMBER_REPLACED: (
        _("Replaced {before} by {value} ({carrier_before} before, {carrier} now)."),
        _("Replaced {before} by {value}."),
        _("Replaced the number."),
    ),
    Act.NUMBER_REMOVED: (_("Removed the number {before}."), _("Removed the number.")),
    Act.TRIED_AGAIN: (_("Asked for another try."),),
    Act.GAVE_UP: (_("Gave up sending the number."),),
}

# What is wrong with a number as it was entered, and what to do.
NUMBER_PROBLEMS: dict[str, tuple[Text, ...]] = {
    NumberProblem.EMPTY: (_("Enter a number."),),
    NumberProblem.SCIENTIFIC: (
        _("A spreadsheet has shortened this number to a power of ten; copy it again from where it came."),
    ),
    NumberProblem.ROUNDED: (
        _("A spreadsheet has put zeros in place of the last digits; copy the number again from where it came."),
    ),
    NumberProblem.DECIMAL: (_("A spreadsheet has turned this number into a decimal; copy it again as text."),),
    NumberProblem.SPREADSHEET_ERROR: (_("This is a spreadsheet's error mark and no number."),),
    NumberProblem.CHARACTERS: (_("A number has letters A to Z, digits, and hyphens inside; look for others in it."),),
    NumberProblem.TOO_SHORT: (_("This is too short for a tracking number; some of it is missing."),),
    NumberProblem.TOO_LONG: (_("This is too long for a tracking number; two may have run together."),),
}

# Why a fulfillment cannot be cancelled (the codes of orders/withdraw.py).
WITHDRAW: dict[str, tuple[Text, ...]] = {
    "withdraw_nothing_there": (_("The store has nothing of this parcel that could be cancelled."),),
    "withdraw_adopted": (_("The fulfillment was made in the store and not by us; it can be cancelled only there."),),
    "withdraw_shared": (_("Another parcel of the order lies in the same fulfillment, so it is not cancelled."),),
    "withdraw_under_way": (_("A number is on its way to the store right now; try again in some minutes."),),
    "withdraw_store_in_use": (_("Numbers are being sent to this store right now; try again in a minute."),),
    "withdraw_platform": (_("On this platform a fulfillment cannot be cancelled from outside."),),
    "withdraw_store_gone": (_("The store is disconnected."),),
}
