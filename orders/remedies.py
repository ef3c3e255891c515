"""What a merchant can do about a reason: who acts, what releases the number, and the one button that does it.

What is so is said by wording/, in the same sentence to staff and to merchants. What to do about it differs: staff
enter a shipping method, merchants ask us to. This module holds what is said to merchants only; whether a button
can be pressed for one shipment is found in the views.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from stores.choices import NumberSource, Timing
from stores.connectors.codes import Code

from .choices import RowCode, WaitCode
from .plan import Planable
from .policy import Send, decide
from .wording import Who, fill, releases, who_acts
from .wording.connection import MENDED_IN_THE_SHOP
from .wording.explain import Situation
from .wording.reasons import WORDS, Text


class Button(enum.StrEnum):
    """What the one button of a page does."""

    NONE = ""
    CHOICE = "choice"  # to the store's choice of when and which
    RECONNECT = "reconnect"  # to the store's page
    RESUME = "resume"  # to the store's page
    START_DATE = "start_date"  # to the store's page
    TRY_AGAIN = "try_again"
    LOOK = "look"
    OPEN = "open"  # the order in the store's own admin
    CONTACT = "contact"
    CANCEL = "cancel"  # the fulfillment in the store, after a question
    GIVE_UP = "give_up"


@dataclass(frozen=True)
class Remedy:
    """Who acts and what releases the number, said to a merchant, with the button that does it."""

    who: str
    then: str
    button: Button = Button.NONE


_WHO: dict[Who, Text] = {
    Who.MERCHANT: _("You"),
    Who.STAFF: _("We do"),
    Who.CARRIER: _("The carrier"),
    Who.NOBODY: _("Nobody"),
}


@dataclass(frozen=True)
class _Said:
    """`who` and `then` are None where the words for staff serve merchants too."""

    button: Button
    who: Who | None = None
    then: Text | None = None


_ASK_US = _("Write to us with the order's number if it does not move.")

_REMEDIES: dict[str, _Said] = {
    # decide(): nothing goes now
    WaitCode.GIVEN_UP: _Said(Button.TRY_AGAIN, Who.MERCHANT, _("Press “Try again” to take it up again.")),
    WaitCode.WITHDRAWN: _Said(Button.TRY_AGAIN, Who.MERCHANT, _("Press “Try again” to send a number again.")),
    WaitCode.OLDER_THAN_SYNC: _Said(
        Button.START_DATE,
        Who.MERCHANT,
        _("Nothing has to be done. If it should be included, move the store's start date back on the store's page."),
    ),
    WaitCode.UNPAID: _Said(
        Button.CONTACT,
        Who.MERCHANT,
        _("The number is free to go once your payment is booked. If you have paid, send us the reference."),
    ),
    WaitCode.METHOD_MISSING: _Said(
        Button.CONTACT,
        None,
        _("We enter how the parcel travels; then it is known which number your store should show."),
    ),
    WaitCode.LOOKS_LIKE_OWN: _Said(Button.CONTACT, None, _("We replace it by the number that the carrier gave.")),
    # The row's own
    RowCode.CANCELLED_AFTER_SENT: _Said(
        Button.CANCEL,
        Who.MERCHANT,
        _("Take the number back out of the store if the parcel should not leave, or give up to leave it as it is."),
    ),
    RowCode.DISPATCH_REVERSED: _Said(
        Button.CANCEL,
        None,
        _("It settles when the parcel leaves again. If it should not leave, take the number back out of the store."),
    ),
    RowCode.UNITS_MISSING: _Said(
        Button.OPEN,
        Who.MERCHANT,
        _("Compare the order in {platform} with what you sent us, and tell us if the parcel's contents are wrong."),
    ),
    RowCode.UNEXPECTED: _Said(Button.TRY_AGAIN, None, _ASK_US),
    RowCode.NUMBER_GONE: _Said(
        Button.TRY_AGAIN, Who.MERCHANT, _("Press “Try again” to put it back, or give up to leave it as it is.")
    ),
    # The store says: this shipment
    Code.ON_HOLD: _Said(Button.OPEN),
    Code.ORDER_NOT_FOUND: _Said(
        Button.OPEN,
        None,
        _(
            "If it should get its number: bring it back in {platform}, or let us read older orders there, and press "
            "“Try again”. Otherwise give up."
        ),
    ),
    Code.ORDER_CANCELLED_IN_STORE: _Said(
        Button.GIVE_UP,
        Who.MERCHANT,
        _("Write to us at once if the parcel should not leave, then give up this number."),
    ),
    Code.OTHER_NUMBER_THERE: _Said(
        Button.OPEN,
        None,
        _("Remove that number in {platform} and press “Try again” if ours should stand there; give up to leave it."),
    ),
    Code.OTHER_LOCATION: _Said(
        Button.OPEN, None, _("Move them in {platform} to a location that we ship from, then press “Try again”.")
    ),
    Code.NOTHING_TO_FULFILL: _Said(
        Button.OPEN,
        Who.MERCHANT,
        _(
            "Look in {platform} whether the items were removed, refunded, or fulfilled by someone else; then try again "
            "or give up."
        ),
    ),
    Code.FULFILLMENT_CANCELLED: _Said(
        Button.TRY_AGAIN,
        Who.MERCHANT,
        _("Press “Try again” if the number should stand there again, or give up to leave it as it is."),
    ),
    Code.FULFILLMENT_NOT_OURS: _Said(Button.OPEN),
    Code.ORDER_NOT_OPEN: _Said(
        Button.OPEN,
        None,
        _("Set the order to “Processing” in {platform} and press “Try again” if it should get its number, or give up."),
    ),
    Code.REFUSED: _Said(
        Button.TRY_AGAIN, None, _("The timeline has the store's own words. Try again when what they name is put right.")
    ),
    # The store says: all of it, a person
    **dict.fromkeys(
        (
            Code.TOKEN_REFUSED,
            Code.SCOPE_MISSING,
            Code.SHOP_NOT_FOUND,
            Code.WRONG_SHOP,
            Code.CREDENTIALS_INCOMPLETE,
            Code.RECONNECT_NEEDED,
            Code.TOKEN_KIND_REFUSED,
            Code.CONSENT_OVER,
            Code.ADDRESS_MOVED,
            *MENDED_IN_THE_SHOP,
        ),
        _Said(Button.RECONNECT),
    ),
    Code.ADDRESS_REFUSED: _Said(
        Button.RECONNECT, Who.MERCHANT, _("Reconnect the store with its public https address.")
    ),
    # Warnings
    Code.CARRIER_NOT_MAPPED: _Said(
        Button.OPEN,
        Who.MERCHANT,
        _("Look in the shop's tracking plugin whether the carrier is switched on there, and tell us its name there."),
    ),
    Code.STATUS_NOT_CHANGED: _Said(Button.OPEN),
    Code.API_VERSION_RETIRED: _Said(Button.NONE, None, _ASK_US),
    Code.SEVERAL_LOCATIONS: _Said(
        Button.RECONNECT, Who.MERCHANT, _("Choose the locations that we ship from on the store's page.")
    ),
    # What explain() finds itself
    Situation.IN_STORE: _Said(Button.LOOK),
    Situation.STORE_DISCONNECTED: _Said(Button.RECONNECT),
    Situation.STORE_UNINSTALLED: _Said(Button.RECONNECT),
    Situation.STORE_PAUSED: _Said(Button.RESUME),
    Situation.DELAYED: _Said(Button.CHOICE),
}


def remedy(code: str, values: Mapping[str, Any], *, who: Who | None = None, then: str = "") -> Remedy:
    """What a merchant can do about this code. `who` and `then`: as explain() found them; looked up where not given."""
    said = _REMEDIES.get(code, _Said(Button.NONE))
    acts = said.who or who or who_acts(code)
    words = fill((said.then,), values) if said.then else then or releases(code, values)
    return Remedy(str(_WHO[acts]), words, said.button)


def remedy_for(planable: Planable, code: str, values: Mapping[str, Any], *, who: Who, then: str) -> Remedy:
    """The same for one shipment: another choice is offered where decide() would send under it."""
    found = remedy(code, values, who=who, then=then)
    if found.button == Button.NONE and code in set(WaitCode) and another_choice_sends(planable):
        return replace(found, button=Button.CHOICE)
    return found


def another_choice_sends(planable: Planable) -> bool:
    """Whether the number would go, now or later, had the merchant chosen otherwise for this store."""
    if isinstance(planable.decision, Send):
        return False
    choices = (replace(planable.preference, timing=t, number_source=n) for t, n in product(Timing, NumberSource))
    return any(isinstance(decide(planable.facts, choice), Send) for choice in choices)


def problem(code: str) -> str:
    """What a group of problems has in common, without any one parcel's values."""
    if code in WORDS:
        return fill(WORDS[code].says[-1:])
    return gettext("It has been due for over a day and is still tried.")
