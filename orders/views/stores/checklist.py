"""What a live check of a connection found, line by line; and what it stopped at, with what to do about it."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from stores.connectors import registry
from stores.connectors.addresses import Why
from stores.connectors.base import Location, StoreFacts
from stores.connectors.codes import Code
from stores.connectors.errors import ConnectorError, StoreBusy
from stores.forms import own_locations
from stores.guides import Guide
from stores.guides.base import Text

from ...wording import Who, fill, releases, sentence, who_acts
from ...wording.connection import MENDED_IN_THE_SHOP


class Mark(enum.StrEnum):
    """How a line of the list turned out; also the class of its sign."""

    GOOD = "good"
    NOTE = "note"  # works, and a merchant should know
    BAD = "bad"


@dataclass(frozen=True)
class Line:
    """One thing that was looked at: its sign, what it is about, and what was found."""

    mark: Mark
    about: str
    found: str


@dataclass(frozen=True)
class Refusal:
    """Why a store could not be connected: the sentence, the field it belongs to ("" for none), and the lines."""

    text: str
    field: str = ""
    lines: tuple[Line, ...] = ()


# In place of the sentences for a connection that worked before. A platform's guide may have better ones.
_FIRST_TIME: dict[str, Text] = {
    Code.NO_ANSWER: _(
        "Nothing answers at this address, so nothing was saved. Look at its spelling; if it is right, try again in a "
        "minute."
    ),
    Code.TOKEN_REFUSED: _("{platform} refused this access. Copy it again, whole and without spaces."),
    Code.SHOP_NOT_FOUND: _("{platform} has no shop at this address. Look at its spelling."),
    Code.WRONG_SHOP: _("Another shop answered: {shop}. Type the address of the shop whose access this is."),
    Code.SHOP_FROZEN: _("{platform} says that the shop is locked or not paid for. Open it there, then try again."),
    Code.SCOPE_MISSING: _("Permissions are missing in {platform}: {scopes}. Add them there, then check again."),
    Code.CONSENT_OVER: _(
        "{platform}'s consent was used already or is too old. Begin once more, and go straight through."
    ),
}
_WHY: dict[str, Text] = {
    Why.EMPTY: _("it is empty"),
    Why.UNREADABLE: _("it cannot be read as an address"),
    Why.SCHEME: _("it is not a web address"),
    Why.PLAIN_HTTP: _("it is plain http:, where anybody on the way could read your access data"),
    Why.USERINFO: _("it holds a user name or a password, which belong into the fields below"),
    Why.PRIVATE: _("it lies in a private network, which we cannot reach and do not call"),
    Why.PORT: _("it names a port, and stores are called on the usual one only"),
    Why.CUSTOM_DOMAIN: _("it is the shop's own domain, under which it does not talk to apps"),
    Why.SHOP_NAME: _("no shop can have this name"),
}
_ADDRESS_CODES = (Code.ADDRESS_REFUSED, Code.SHOP_NOT_FOUND, Code.WRONG_SHOP, Code.ADDRESS_MOVED)
# Warnings that a line of their own tells of.
_TOLD_OTHERWISE = (Code.CUSTOMERS_HIDDEN, Code.OLD_ORDERS_HIDDEN, Code.SEVERAL_LOCATIONS)


def refusal(error: ConnectorError, guide: Guide, given: Iterable[str] = ()) -> Refusal:
    """What stopped a check, said to whoever is connecting the store. `given`: the filled-in fields of the access."""
    code, values = error.reason.code, {"platform": guide.label, **error.reason.values}
    if code == Code.ADDRESS_REFUSED:
        why = str(values.get("why", ""))
        told = {**values, "why": str(_WHY.get(why, ""))}
        # An address that holds a password is not repeated.
        text = gettext("“{address}” does not do as the shop's address: {why}.")
        if not told.get("address"):
            text = gettext("This does not do as the shop's address: {why}.")
        return Refusal(" ".join(filter(None, [fill((text,), told), str(guide.address_help.get(why, ""))])), "base_url")
    better = guide.first_time.get(code) or _FIRST_TIME.get(code)
    if code == Code.SCOPE_MISSING and better:
        missing = [str(name) for name in _listed(values.get("scopes"))]
        return Refusal(fill((better, sentence(code, values)), values), "", tuple(_scopes(guide, missing)))
    if better:
        text = fill((better, sentence(code, values)), values)
    elif isinstance(error, StoreBusy):
        text = sentence(code, values) + " " + gettext("Nothing was saved; try again in a minute.")
    else:
        text = sentence(code, values) + " " + releases(code, values)
    refused_at = next(reversed(list(given)), "") if code == Code.TOKEN_REFUSED else ""
    return Refusal(text, "base_url" if code in _ADDRESS_CODES else refused_at)


def access_stays(error: ConnectorError) -> bool:
    """Whether the same access can work once something was put right, so that it need not be typed again."""
    return isinstance(error, StoreBusy) or error.reason.code in MENDED_IN_THE_SHOP | {Code.SCOPE_MISSING}


def lines_of(facts: StoreFacts | Mapping[str, Any], guide: Guide, chosen: Iterable[str] = ()) -> list[Line]:
    """What a check that worked found. `facts` as found, or as kept on the store; `chosen`: location ids."""
    found = facts if isinstance(facts, StoreFacts) else kept_facts(facts)
    lines = [Line(Mark.GOOD, gettext("Shop"), gettext("It answers as “{name}”.").format(name=found.shop_name))]
    lines += _granted(guide, found.scopes)
    if guide.has_locations:
        lines.append(_locations(own_locations(found.locations), set(chosen)))
    if guide.places:
        lines.append(_places(guide, found))
    lines.append(_customers(found, guide))
    if found.time_zone:
        lines.append(Line(Mark.GOOD, gettext("Time zone"), found.time_zone))
    if found.version:
        lines.append(Line(Mark.GOOD, gettext("Version"), f"{guide.label} {found.version}"))
    return lines + [
        Line(Mark.NOTE, guide.label, _warning(code, guide)) for code in found.warnings if code not in _TOLD_OTHERWISE
    ]


def kept_facts(kept: Mapping[str, Any]) -> StoreFacts:
    """The facts of the last check as they are kept on a store."""
    return StoreFacts(
        shop_name=str(kept.get("shop_name", "")),
        time_zone=str(kept.get("time_zone", "")),
        locations=tuple(
            Location(str(each["external_id"]), str(each["name"]), bool(each.get("merchants_own", True)))
            for each in kept.get("locations", ())
        ),
        scopes=tuple(map(str, kept.get("scopes", ()))),
        reads_customers=bool(kept.get("reads_customers", True)),
        tracking_goes_to=str(kept.get("tracking_goes_to", "")),
        places=tuple(map(str, kept.get("places", ()))),
        statuses=tuple(map(str, kept.get("statuses", ()))),
        version=str(kept.get("version", "")),
        warnings=tuple(map(str, kept.get("warnings", ()))),
    )


def abilities(platform: str, label: str) -> list[str]:
    """What we can do in a store of this platform, in sentences."""
    can = registry.capabilities(platform)
    found = [gettext("Write a tracking number on an order, and read back that it is there.")]
    if can.replaces:
        found.append(gettext("Put a new number in the place of an old one."))
    if can.cancels:
        found.append(gettext("Take back what we wrote, when you ask for it."))
    if can.completes:
        found.append(gettext("Mark an order as completed once all of it has its numbers, if you want that."))
    if can.hooks:
        found.append(gettext("Hear from {platform} when an order changes, and look at once.").format(platform=label))
    if can.mails_always:
        text = gettext("Only you can switch off {platform}'s own mail to your customers.")
        found.append(text.format(platform=label))
    return found


def _scopes(guide: Guide, missing: list[str]) -> list[Line]:
    """The permissions that nothing works without, those that are missing marked; and any other that is missing."""
    names = [permission.name for permission in guide.needed]
    lines = [
        Line(
            Mark.BAD if each.name in missing else Mark.GOOD,
            each.name,
            gettext("Missing. We need it {why}.").format(why=each.why)
            if each.name in missing
            else gettext("Granted, {why}.").format(why=each.why),
        )
        for each in guide.needed
    ]
    return lines + [Line(Mark.BAD, name, gettext("Missing.")) for name in missing if name not in names]


def _granted(guide: Guide, scopes: Iterable[str]) -> list[Line]:
    """Every permission that we ask for: the needed ones are granted, or the check would have failed."""
    has = set(scopes)
    return [
        Line(Mark.GOOD, each.name, gettext("Granted, {why}.").format(why=each.why))
        if each.is_needed or each.name in has
        else Line(Mark.NOTE, each.name, gettext("Not granted. It would be good {why}.").format(why=each.why))
        for each in guide.permissions
    ]


def _places(guide: Guide, found: StoreFacts) -> Line:
    """Where numbers can go in this store."""
    places = [place for key in found.places if (place := guide.place(key))]
    names = capfirst(", ".join(str(place.label) for place in places))
    return Line(Mark.GOOD, gettext("Where numbers can go"), names or gettext("It is found with the first number."))


def _locations(own: list[Location], chosen: set[str]) -> Line:
    about = gettext("Locations")
    names = ", ".join(each.name for each in own if not chosen or each.external_id in chosen)
    if not own:
        return Line(Mark.NOTE, about, gettext("The shop has no location of its own."))
    if len(own) == 1 or chosen:
        return Line(Mark.GOOD, about, gettext("We ship from {names}.").format(names=names))
    text = ngettext(
        "The shop has {n} location: {names}.",
        "The shop has {n} locations: {names}. It was not chosen yet which of them we ship from.",
        len(own),
    )
    return Line(Mark.NOTE, about, text.format(n=len(own), names=names))


def _customers(found: StoreFacts, guide: Guide) -> Line:
    about = gettext("Customers' e-mail addresses")
    if not found.reads_customers:
        text = gettext(
            "{platform} hides them from us, so we cannot write to your customers: {platform} itself does. Numbers are "
            "not affected."
        )
        return Line(Mark.NOTE, about, text.format(platform=guide.label))
    if registry.capabilities(guide.platform).mails_always:
        text = gettext(
            "We can read them. {platform} writes to your customers itself; only you can switch that off there."
        )
        return Line(Mark.GOOD, about, text.format(platform=guide.label))
    return Line(Mark.GOOD, about, gettext("We can read them, so we can write to your customers if you want us to."))


def _warning(code: str, guide: Guide) -> str:
    """What is so, and what to do about it where that is the merchant's affair."""
    values = {"platform": guide.label}
    said = sentence(code, values)
    return f"{said} {releases(code, values)}" if who_acts(code) == Who.MERCHANT else said


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value] if value else []
