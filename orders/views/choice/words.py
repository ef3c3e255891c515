"""The sentences of the choice: what it means in words, what becomes of an order, what a save has done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext, ngettext

from stores.choices import CountsAsPaid, MailSender, NumberSource, Timing
from stores.models import Store

from ... import wording
from ...choices import NumberKind, WaitCode
from ...effect import Effect, Fate, Outlook
from ...wording.explain import store_obstacle


@dataclass(frozen=True)
class Line:
    """So many parcels, and what they do; `why` where they wait."""

    count: int
    text: str
    why: str = ""


def timing_words(timing: str) -> str:
    """The first answer in a few words."""
    if timing == Timing.BEFORE_DISPATCH:
        return gettext("Before we hand the parcel over")
    return gettext("After we have handed it over")


def source_words(source: str) -> str:
    """The second answer in a few words."""
    if source == NumberSource.LOCAL:
        return gettext("Always the carrier's number")
    return gettext("The usual number for each shipping method")


def delay_words(hours: int) -> str:
    """The delay in words."""
    if not hours:
        return gettext("No delay after the payment")
    return ngettext(
        "Not earlier than {n} hour after the payment", "Not earlier than {n} hours after the payment", hours
    ).format(n=hours)


def sender_words(sender: str, platform: str) -> str:
    """Who mails, in a few words."""
    if sender == MailSender.STORE:
        return gettext("{platform} writes to your customers").format(platform=platform)
    if sender == MailSender.NOBODY:
        return gettext("Nobody writes to your customers")
    return gettext("We write to your customers")


def answers_in_words(answers: dict[str, Any], platform: str) -> list[str]:
    """A whole choice, one line for each answer."""
    return [
        timing_words(answers["timing"]),
        source_words(answers["number_source"]),
        delay_words(int(answers["delay_hours"])),
        sender_words(answers["mail_sender"], platform),
    ]


def outlook_words(outlook: Outlook, store: Store) -> str:
    """What becomes of one order, as a sentence."""
    number = outlook.number
    if outlook.fate == Fate.PERSON:
        return gettext("Stays under “needs attention” until somebody has looked at it.")
    if outlook.fate == Fate.WAITS:
        return _waits(outlook.reason, store, dict(outlook.values))
    if outlook.fate == Fate.LATER and outlook.at is not None:
        return _of_kind(
            outlook.kind,
            gettext("Our number {number} goes out on {at}."),
            gettext("The carrier's number {number} goes out on {at}."),
        ).format(number=number, at=wording.show_time(outlook.at))
    return _of_kind(
        outlook.kind,
        gettext("Our number {number} goes out now."),
        gettext("The carrier's number {number} goes out now."),
    ).format(number=number)


def effect_lines(effect: Effect, store: Store, now: datetime) -> list[Line]:
    """The effect in lines, each with its count: what goes now, later, and what waits for what."""
    lines = [Line(effect.due_now, gettext("go out now"))]
    if effect.due_now and store_obstacle(store, now):
        lines[0] = Line(effect.due_now, gettext("go out as soon as the store can be sent to"))
    elif effect.due_now and effect.due_anyway:
        lines[0] = Line(
            effect.due_now,
            gettext("go out now, {n} of them with or without this change").format(n=effect.due_anyway),
        )
    if effect.later and effect.later_span.last:
        lines.append(
            Line(
                effect.later,
                gettext("go out later by themselves, the last on {at}").format(
                    at=wording.show_time(effect.later_span.last)
                ),
            )
        )
    lines += [Line(count, gettext("keep waiting"), _waits(reason, store, {})) for reason, count in effect.waiting]
    if effect.needs_person:
        lines.append(
            Line(effect.needs_person, gettext("need attention"), gettext("Somebody has to look at them first."))
        )
    lines.append(Line(effect.already_sent, gettext("already sent stay as they are")))
    return lines


def saved_words(effect: Effect, store: Store, now: datetime) -> str:
    """What a save has done, in the very counts of the effect."""
    goes = ngettext("{n} number goes out now", "{n} numbers go out now", effect.due_now)
    if store_obstacle(store, now):
        goes = ngettext(
            "{n} number goes out as soon as the store can be sent to",
            "{n} numbers go out as soon as the store can be sent to",
            effect.due_now,
        )
    stay = ngettext("{n} already sent stays as it is", "{n} already sent stay as they are", effect.already_sent).format(
        n=effect.already_sent
    )
    return gettext("Saved for {store}. {goes}; {stay}.").format(
        store=store.name, goes=goes.format(n=effect.due_now), stay=stay
    )


def change_words(before: dict[str, Any], after: dict[str, Any], platform: str) -> list[str]:
    """What one saved change changed, as "from → to" lines."""
    lines = [
        gettext("{before} → {after}").format(before=old, after=new)
        for old, new in zip(answers_in_words(before, platform), answers_in_words(after, platform), strict=True)
        if old != new
    ]
    if after.get("confirmed") and not before.get("confirmed"):
        lines.append(gettext("Confirmed for the first time: mails to customers may go from here on."))
    return lines or [gettext("Saved again without a change.")]


def listed(parts: Iterable[str]) -> str:
    """Short parts in one line."""
    return " · ".join(parts)


def _waits(reason: str, store: Store, values: dict[str, str]) -> str:
    if reason == WaitCode.UNPAID and store.counts_as_paid == CountsAsPaid.WHEN_SHOPPER_PAID:
        return gettext("The shopper has not paid for the order yet, and this store's numbers wait for that.")
    return wording.sentence(reason, {"store": store.name, "platform": store.get_platform_display(), **values})


def _of_kind(kind: NumberKind | None, own: str, local: str) -> str:
    return own if kind == NumberKind.OWN else local
