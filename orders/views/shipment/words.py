"""What is said on a parcel's page only: why this number, what a look came to, the lines of the timeline."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from stores.connectors import registry
from stores.models import Store

from ...choices import AttemptOutcome, NumberKind, Stopped
from ...local_time import show_clock, show_moment
from ...looking import Look, Seen
from ...models import SyncAttempt
from ...plan import Planable
from ...policy import Number, Send, decide
from ...wording import attempt_line, fill, sentence
from ...wording.reasons import Text


def why_this_number(planable: Planable) -> list[str]:
    """The rule behind the number, also while the parcel waits: decide() is asked as if nothing held it back.

    Where the store was sent a kind before that today's choice would not send, both are told.
    """
    known_at = planable.facts.placed_at
    numbers = {kind: Number(0, kind, "-", known_at) for kind in NumberKind}
    free = replace(
        planable.facts,
        cancelled_at=None,
        stopped=Stopped.NO,
        is_shown=True,
        own=numbers[NumberKind.OWN],
        local=numbers[NumberKind.LOCAL],
    )
    now, by_rule = decide(free, planable.preference), decide(replace(free, kind=None), planable.preference)
    lines = []
    if isinstance(now, Send) and (not isinstance(by_rule, Send) or now.number.kind != by_rule.number.kind):
        lines.append(_why(now, planable))
    if isinstance(by_rule, Send):
        said = _why(by_rule, planable)
        lines.append(gettext("By today's choice: {said}").format(said=said) if lines else said)
    return lines


def _why(send: Send, planable: Planable) -> str:
    method = planable.row.shipment.shipping_method
    kind = str(NumberKind(send.number.kind).label)
    return sentence(send.why, {"method": method.name if method else "", "kind": kind})


_SEEN: dict[str, tuple[Text, ...]] = {
    Seen.THERE: (_("We looked at {at}: {store} shows {number}."),),
    Seen.DIFFERS: (
        _("We looked at {at}: {store} shows {number}, but its carrier, link or items are not quite as we sent them."),
    ),
    Seen.ANOTHER_OF_OURS: (
        _("We looked at {at}: {store} shows {number}, another number of this parcel. The right one follows by itself."),
    ),
    Seen.NOT_THERE: (_("We looked at {at}: {store} shows no number of this parcel, as none was sent yet."),),
    Seen.THERE_ALREADY: (_("We looked at {at}: {store} shows {number} already, although we have not sent it yet."),),
    Seen.NO_NUMBER: (_("This parcel has no number yet, so there is nothing to look for in {store}."),),
    Seen.UNDER_WAY: (
        _("A number is on its way to {store} right now. We look by ourselves as soon as that can be told clearly."),
    ),
    Seen.STORE_IN_USE: (_("Numbers are being sent to {store} right now. Press “Look again” in a moment."),),
    Seen.STORE_GONE: (_("We cannot look into {store} before it is reconnected."),),
}


def look_sentence(look: Look, store: Store, at: datetime) -> str:
    """What a person is told after a look."""
    values = {
        "store": store.name,
        "platform": store.get_platform_display(),
        **look.values,
        "number": look.number or look.values.get("number", ""),
    }
    clock = show_clock(at)
    if look.seen in _SEEN:
        return fill(_SEEN[look.seen], {**values, "at": clock})
    said = sentence(look.code, values)
    if look.seen == Seen.GONE:
        return gettext("We looked at {at}: {said}").format(at=clock, said=said)
    return gettext("We could not look into {store}: {said}").format(store=store.name, said=said)


def is_good(look: Look) -> bool:
    """Whether all is as it should be."""
    return look.seen in (Seen.THERE, Seen.NOT_THERE, Seen.THERE_ALREADY)


@dataclass(frozen=True)
class Withdrawal:
    """How taking back what the store shows is called on its platform, asked, and told when it is done."""

    button: str
    question: str
    yes: str
    done: str


def withdrawal(store: Store, order: str, number: str) -> Withdrawal:
    """Its words. Where an order is marked as a whole, nothing of it becomes unfulfilled and its mark stays."""
    values = {"store": store.name, "order": order, "number": number or gettext("the number")}
    if registry.capabilities(store.platform).completes:
        return Withdrawal(
            button=gettext("Take the number back out of the store"),
            question=gettext(
                "In {store}, {number} is gone from order {order} afterwards. The order keeps its status: if it was "
                "marked as completed, set it back there yourself."
            ).format(**values),
            yes=gettext("Yes, take it out"),
            done=gettext("The number is gone from the store. Nothing is sent for this parcel until you try again."),
        )
    question = gettext(
        "In {store}, the items of this parcel of order {order} become unfulfilled again, and {number} is gone from "
        "there. The store may tell the customer."
    )
    return Withdrawal(
        button=gettext("Cancel the fulfillment in the store"),
        question=question.format(**values),
        yes=gettext("Yes, cancel the fulfillment"),
        done=gettext("The fulfillment is cancelled in the store. Nothing is sent for this parcel until you try again."),
    )


# --- the timeline ---------------------------------------------------------------------------------------

_TONES = {
    AttemptOutcome.TRY_AGAIN_LATER: "busy",
    AttemptOutcome.STORE_BUSY: "busy",
    AttemptOutcome.UNKNOWN: "busy",
    AttemptOutcome.DID_NOT_ARRIVE: "busy",
    AttemptOutcome.REJECTED: "bad",
    AttemptOutcome.STORE_DISCONNECTED: "bad",
    AttemptOutcome.CANCELLED: "",
    AttemptOutcome.BY_HAND: "",
}


@dataclass(frozen=True)
class Line:
    """One line: when, what, in whose words besides, who did it."""

    at: str
    said: str
    words: str  # the store's own, or a person's
    who: str
    tone: str


def line_of(attempt: SyncAttempt, store: Store, user: User | AnonymousUser) -> Line:
    """A line of the timeline. Our people are "our staff": whoever of them it was is no merchant's business."""
    values = {
        "store": store.name,
        "platform": store.get_platform_display(),
        "number": attempt.number.value if attempt.number else "",
        **attempt.reason_values,
    }
    by_hand = attempt.outcome == AttemptOutcome.BY_HAND
    if by_hand and attempt.reason:
        said = sentence(attempt.reason, values)
    else:
        said = attempt_line(attempt.outcome, attempt.reason, values)
    return Line(
        at=show_moment(attempt.at),
        said=said,
        words=attempt.message,
        who=_who(attempt, user),
        tone=_TONES.get(AttemptOutcome(attempt.outcome), "good"),
    )


def _who(attempt: SyncAttempt, user: User | AnonymousUser) -> str:
    if attempt.actor_id is None:
        return "TrackSync"
    return gettext("You") if attempt.actor_id == user.pk else gettext("Our staff")
