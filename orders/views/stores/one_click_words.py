"""Why connecting with one click was stopped, and what to do about it: the words of its one page.

What a live check finds is said by checklist.py as for pasted keys; here stand the sentences in its place where nothing
was typed, so nothing can be typed once more.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from stores.authorising.finishing import host_of
from stores.authorising.pending import Refused
from stores.connect import AlreadyConnected
from stores.connectors.codes import Code
from stores.connectors.errors import ConnectorError, StoreBusy
from stores.guides import GUIDES
from stores.models import PendingConnection

from ...wording import fill, sentence
from .checklist import Line, refusal

Text = str | Promise


@dataclass(frozen=True)
class Stopped:
    """What stopped it, what to do, and a word for the log. `can_repeat`: beginning once more can help."""

    code: str
    says: str
    then: str
    lines: tuple[Line, ...] = ()
    can_repeat: bool = True
    shop: str = ""  # another address to begin with than the one that was asked


_NOT_TAKEN: dict[Refused, tuple[Text, Text]] = {
    Refused.UNKNOWN: (
        _("We did not send anybody to a shop with this address."),
        _("Perhaps it was cut off, or it is from long ago. Begin once more."),
    ),
    Refused.OTHER_PERSON: (
        _("This was begun in another account."),
        _("Log in to the account in which the shop shall be connected, and begin there."),
    ),
    Refused.OTHER_SESSION: (
        _("This was begun in another browser, or before you logged in anew."),
        _("Begin once more here, and stay in this browser until you are back."),
    ),
    Refused.USED: (
        _("This was used already; it is good for one time."),
        _("Look whether your store is in the list. If it is not, begin once more."),
    ),
    Refused.EXPIRED: (
        _("That took longer than ten minutes, so it is not good any more. Nothing was connected."),
        _("Begin once more; the shop asks again."),
    ),
}
# In the place of the sentences for access that somebody has typed.
_NOTHING_TYPED: dict[str, tuple[Text, Text]] = {
    Code.TOKEN_REFUSED: (
        _("{platform} gave no access to us, although you said yes: the shop {host} refuses it."),
        _(
            "Begin once more. If it happens again, look whether you were in the right shop, and tell us: the app may "
            "be set up wrongly."
        ),
    ),
    Code.CONSENT_OVER: (
        _("{platform} says that this consent is over: it is good for one time and a short while."),
        _("Begin once more, and press the button in the shop within some minutes."),
    ),
    Code.SHOP_NOT_FOUND: (
        _("{platform} has no shop at {host}."),
        _("Look at its spelling, then begin once more."),
    ),
}


def not_taken(why: Refused, begun: PendingConnection | None) -> Stopped:
    """A return that belongs to nothing that could go on."""
    says, then = _NOT_TAKEN[why]
    return Stopped(str(why), str(says), str(then), can_repeat=begun is not None)


def declined(begun: PendingConnection) -> Stopped:
    """The merchant said no in the shop, or closed the page there."""
    says = gettext("You did not allow it in {host}, so nothing was connected.")
    then = gettext(
        "If that was a slip, begin once more. We ask for nothing but what lets us find your orders and write tracking "
        "numbers on them; you can take it back in your shop at any time."
    )
    return Stopped("declined", says.format(host=host_of(begun.base_url)), then)


def not_genuine(begun: PendingConnection) -> Stopped:
    """The signature is not the platform's, or it is too old."""
    says = gettext("What came back is not signed by {platform}, or is more than a minute and a half old.")
    then = gettext("Begin once more. If it happens again, tell us: the app's secret here may not be the right one.")
    return Stopped("not_genuine", says.format(platform=_label(begun)), then)


def invitation_over() -> Stopped:
    """The link was withdrawn, used or came to its end while the merchant was in the shop."""
    says = gettext("The invitation is not good any more, so nothing was connected.")
    return Stopped("invitation_over", says, gettext("Ask whoever sent it to you for a new one."), can_repeat=False)


def key_too_weak(begun: PendingConnection) -> Stopped:
    """The key may not write, or not read."""
    says = gettext("The key that {host} made for us may not both read and write.")
    then = gettext("Begin once more. If it happens again, make a key by hand there, with Read/Write, and paste it.")
    return Stopped("key_too_weak", says.format(host=host_of(begun.base_url)), then)


def refused(begun: PendingConnection, error: ConnectorError | ValidationError) -> Stopped:
    """What the live check stopped at; nothing was saved."""
    if isinstance(error, AlreadyConnected):
        then = gettext("If it is your shop and you do not find it among your stores, write to us.")
        return Stopped("already_connected", error.messages[0], then, can_repeat=False)
    if isinstance(error, ValidationError):
        return Stopped("invalid", " ".join(error.messages), gettext("Begin once more."))
    code, guide = error.reason.code, GUIDES[begun.platform]
    values = {**error.reason.values, "platform": guide.label, "host": host_of(begun.base_url)}
    found = refusal(error, guide)
    if code == Code.WRONG_SHOP:
        return _wrong_shop(begun, str(values.get("shop", "")))
    if code in _NOTHING_TYPED:
        says, then = (fill((text,), values) for text in _NOTHING_TYPED[code])
        return Stopped(code, says, then)
    if code == Code.SCOPE_MISSING:
        says = gettext("You said yes, but not to all that we need: {scopes}.")
        then = gettext("Begin once more and allow what is marked as missing; without it no number reaches your orders.")
        return Stopped(code, fill((says, sentence(code, values)), values), then, found.lines)
    if code == Code.ADDRESS_MOVED and (to := str(values.get("to") or "")):
        says = gettext("{host} leads to another address, {to}, and a key is sent nowhere but where you said.")
        then = gettext("If that is your shop, begin once more with this address.")
        return Stopped(code, fill((says,), values), then, shop=to)
    if isinstance(error, StoreBusy):
        return Stopped(code, sentence(code, values), gettext("Nothing was saved; begin once more in a minute."))
    return Stopped(code, found.text, gettext("When that is put right, begin once more."), found.lines)


def _wrong_shop(begun: PendingConnection, shop: str) -> Stopped:
    asked = host_of(begun.base_url)
    says = gettext("Another shop answered: {shop}. Asked was {asked}, so nothing was connected.")
    if not shop:
        says = gettext("Another shop answered than {asked}, so nothing was connected.")
    if begun.invitation_id:
        then = gettext("The invitation is for {asked} only. Log in to that shop first, then begin once more.")
    else:
        then = gettext(
            "Log in to {asked} first, then begin once more; or connect the other shop as a store of its own."
        )
    return Stopped(Code.WRONG_SHOP, says.format(shop=shop, asked=asked), then.format(asked=asked))


def _label(begun: PendingConnection) -> str:
    return GUIDES[begun.platform].label
