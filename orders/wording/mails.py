"""The sentences of the customers' mails: why one is held, was not sent, or is not ours to send.

Their codes share spellings with other reasons, so they have a function of their own. As in reasons.py, each offers
several lengths, the last without values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from ..choices import EmailState, MailCode
from .reasons import Text
from .sentences import fill

MAILS: dict[str, tuple[Text, ...]] = {
    MailCode.NOT_CONFIRMED: (
        _("Held until the merchant has saved once who writes to the customers and when; sent then, if still fresh."),
    ),
    MailCode.UNVERIFIED: (
        _("Held until the merchant has verified the e-mail address of the account; sent then, if still fresh."),
    ),
    MailCode.NO_ADDRESS: (_("Not sent: the order has no e-mail address of the customer."),),
    MailCode.ADDRESSES_HIDDEN: (
        _(
            "Not sent: {platform} does not let us read customers' e-mail addresses any more. Choose who writes to the "
            "customers of this store."
        ),
    ),
    MailCode.CANCELLED: (_("Not sent: the order was cancelled or fully refunded."),),
    MailCode.STOPPED: (_("Not sent: a person took the parcel out of the sync."),),
    MailCode.NOT_SHOWN: (_("Not sent: the store does not show a number of this parcel any more."),),
    MailCode.NOT_DISPATCHED: (_("Not sent: the parcel is back with us. It goes when the parcel is handed over."),),
    MailCode.STALE: (_("Not sent: what it tells is more than five days old. A person can have it sent all the same."),),
    MailCode.DISPATCHED_MEANWHILE: (
        _("Not sent: the parcel was handed to the carrier meanwhile, and the mail about that goes in its place."),
    ),
    MailCode.REPLACED_AGAIN: (_("Not sent: the number was replaced once more before it went out."),),
    MailCode.NUMBER_IS_OUT: (_("Not sent: the parcel has gone, or its number is in the store by now."),),
    MailCode.DISCONNECTED: (_("Not sent: the store was disconnected."),),
    MailCode.BY_STORE: (_("Left to {platform}, which writes to the customer itself."),),
    MailCode.STORE_WAS_NOT_ASKED: (
        _(
            "Nobody wrote: the store writes by itself when a number is new to it, and this one was there before it was "
            "chosen to write, or had been put there by somebody else."
        ),
    ),
    MailCode.STORE_WRITES_ANYWAY: (
        _("Not sent: {platform} writes to the customer by itself, and nobody has told us that this is switched off."),
    ),
    MailCode.ADOPTED: (
        _("Nobody wrote: the items had been marked as fulfilled in the store before, and we only added the number."),
    ),
    MailCode.NOBODY: (_("Nobody writes to the customers of this store, as the merchant chose."),),
    MailCode.CHANGES_NOT_TOLD: (_("Not sent: this store does not tell customers of a replaced number."),),
    MailCode.SAME_ORDER: (_("Another parcel of the same order is written about."),),
    MailCode.WRITTEN_LATELY: (_("Written to about this order within the last seven days."),),
    MailCode.SERVER_AWAY: (
        _("The mail server could not be reached ({answer}); tried again by itself."),
        _("The mail server could not be reached; tried again by itself."),
    ),
    MailCode.SERVER_BUSY: (
        _("The mail server wants to be asked again later ({answer}); tried again by itself."),
        _("The mail server wants to be asked again later; tried again by itself."),
    ),
    MailCode.SERVER_REFUSED: (
        _("The mail server refused it: {answer}."),
        _("The mail server refused it."),
    ),
    MailCode.MAY_HAVE_BEEN_SENT: (
        _(
            "It may have been sent: the mail server has it, and its answer was lost. It is not sent again by itself; a "
            "person decides."
        ),
    ),
    MailCode.BAD_ADDRESS: (_("Not sent: what the order has as the customer's e-mail address is none."),),
    MailCode.TEMPLATE: (_("Not sent: the store's own text of this mail cannot be filled in."),),
    MailCode.HEADER: (_("Not sent: its subject or a name in it holds a line break."),),
    MailCode.UNEXPECTED: (_("Something went wrong on our side; tried again by itself."),),
}

STATES: dict[str, tuple[Text, ...]] = {
    EmailState.PENDING: (_("On its way."),),
    EmailState.HELD: (_("Held back."),),
    EmailState.SENDING: (_("Being handed to the mail server."),),
    EmailState.SENT: (_("Sent."),),
    EmailState.BY_STORE: MAILS[MailCode.BY_STORE],
    EmailState.UNCLEAR: MAILS[MailCode.MAY_HAVE_BEEN_SENT],
    EmailState.REFUSED: MAILS[MailCode.SERVER_REFUSED],
    EmailState.SKIPPED: (_("Not sent."),),
}


def mail_sentence(state: str, reason: str, values: Mapping[str, Any] | None = None) -> str:
    """What became of a mail, in the active language. `values`: `answer` (the server's words), `platform`."""
    return fill(MAILS.get(reason) or STATES.get(state, STATES[EmailState.SKIPPED]), values)
