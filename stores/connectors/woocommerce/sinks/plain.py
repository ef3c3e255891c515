"""A store without any place for numbers: a note on the order, and the order's own meta.

The note is what people see, the customer's or a private one. Which numbers an order has is listed in meta, in the
names that most plugins look for. The note is written first and the meta last: a note that names the number while the
meta does not is a push that was cut short. A note cannot be changed: a replaced number is told in a further one, and
one that is withdrawn in a private one.

A receipt's id is that of the parcel's first note. https://developer.woocommerce.com/docs/apis/rest-api/v3/order-notes/
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ...base import TrackingUpdate
from ..places import Place
from ..values import Add, Parcel, Settle, Step, folded, recognised
from .base import Sink, meta_value, whole
from .record import Entry, as_parcel, read

NUMBER, PROVIDER, URL = "_tracking_number", "_tracking_provider", "_tracking_url"
BETWEEN = ", "
WITHDRAWN = "No longer the tracking number of this order:"


class PlainSink(Sink):
    """One order of a store without a plugin."""

    place: ClassVar[Place] = Place.PLAIN

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._notes: list[Mapping[str, Any]] | None = None  # good until one is written

    def parcels(self, order: Mapping[str, Any], update: TrackingUpdate | None) -> tuple[Parcel, ...]:
        """The record's first, then numbers that are listed without it, then the one that only a note names.

        What is recorded stands there: a note is not taken away, and the list is only a copy for other plugins.
        """
        entries = read(order)
        recorded = [as_parcel(entry, entry.number if entry.place == self.place else "") for entry in entries]
        known = recognised(entry.number for entry in entries)
        found = [_unrecorded(number, number) for number in self.listed(order) if folded(number) not in known]
        if update and self._may_be_told(update, entries, found) and (note := self._told(update, entries)):
            found.append(_unrecorded(f"note-{note}", update.number, update))
        return (*recorded, *found)

    def _may_be_told(self, update: TrackingUpdate, entries: Sequence[Entry], found: Sequence[Parcel]) -> bool:
        """Whether notes can say more than the order's own meta."""
        number = folded(update.number)
        entry = next((entry for entry in entries if folded(entry.number) == number), None)
        if entry is None:
            return number not in recognised(parcel.item for parcel in found)
        return (entry.company, entry.url) != (update.company, update.url)

    def listed(self, order: Mapping[str, Any]) -> tuple[str, ...]:
        """The numbers in the order's own meta."""
        return tuple(split(meta_value(order, NUMBER)))

    def write(self, step: Step, update: TrackingUpdate, *, notify: bool) -> tuple[str, ...]:
        """With `notify` the note is the customer's, who is mailed; else it is private."""
        match step:
            case Add(parcel, instead_of):
                self._notes = None
                words = note_text(parcel, instead_of)
                self._note(words, for_customer=notify)
            case Settle(parcels, listed):
                self.settle(step, meta_of(parcels, listed))
            case _:
                raise TypeError(step)
        return ()

    def remove(self, parcel: Parcel) -> None:
        """A note stays: it was read, or mailed."""

    def forget(self, order: Mapping[str, Any], parcel: Parcel, rest: tuple[Parcel, ...]) -> None:
        """Take the number out of the order's meta. Raises what writes raise."""
        stays = recognised(number for one in rest for number in one.numbers)
        numbers = [n for n in self.listed(order) if folded(n) in stays or folded(n) not in recognised(parcel.numbers)]
        self._note(f"{WITHDRAWN} {BETWEEN.join(parcel.numbers)}", for_customer=False)
        self.settle(Settle(rest), meta_of(rest, numbers))

    def _note(self, text: str, *, for_customer: bool) -> None:
        self.rest.post(f"/wc/v3/orders/{self.order_id}/notes", {"note": text, "customer_note": for_customer})

    def _told(self, update: TrackingUpdate, entries: Sequence[Entry]) -> str:
        """The id of the note that tells the number, "" where none does, or where a later one tells another.

        A number that is recorded already is told anew because its link changed: then the note has the new link.
        """
        if self._notes is None:
            found = self.rest.get(f"/wc/v3/orders/{self.order_id}/notes").data
            self._notes = [note for note in found if isinstance(note, dict)] if isinstance(found, list) else []
        is_recorded = folded(update.number) in recognised(entry.number for entry in entries)
        return told_by(self._notes, update, update.url if is_recorded else "")


def note_text(parcel: Parcel, instead_of: Sequence[str]) -> str:
    """The sentence of a note. It never says that the parcel left: that may not be so yet."""
    number, by = parcel.numbers[0], f" ({parcel.company})" if parcel.company else ""
    before = f", in place of {BETWEEN.join(instead_of)}" if instead_of else ""
    return f"Tracking number of your order: {number}{by}{before}. Follow the parcel here: {parcel.url}"


def told_by(notes: Sequence[Mapping[str, Any]], update: TrackingUpdate, url: str = "") -> str:
    """The id of the newest note about this shipment, where the first of its numbers in it is the one to show.

    With `url` that has to stand in the note, too. "" where there is no such note.
    """
    of_ours = recognised((*update.ours, update.number)) - recognised(update.siblings - {update.number})
    for note in sorted(notes, key=lambda one: whole(one.get("id")), reverse=True):
        said = html.unescape(str(note.get("note") or ""))
        text = re.sub(r"https?://\S+|<[^<>]*>", " ", said)
        words = [folded(word) for word in re.split(r"[\s,;:()]+|\.(?=\s|$)", text) if word]
        told = next((word for word in words if word in of_ours), "")
        if told:
            is_it = told == folded(update.number) and url in said and WITHDRAWN not in said
            return str(note.get("id")) if is_it else ""
    return ""


def meta_of(parcels: Sequence[Parcel], numbers: Sequence[str]) -> list[dict[str, Any]]:
    """What the order lists: numbers, and the carriers and links that we know of them, in the same order."""
    by_number = {folded(number): parcel for parcel in parcels for number in parcel.numbers}
    ours = [parcel for number in numbers if (parcel := by_number.get(folded(number)))]
    values = {
        NUMBER: BETWEEN.join(numbers),
        PROVIDER: BETWEEN.join(dict.fromkeys(parcel.company for parcel in ours)),
        URL: BETWEEN.join(parcel.url for parcel in ours),
    }
    return [{"key": key, "value": value} for key, value in values.items()]


def split(value: Any) -> list[str]:
    """The numbers in one field."""
    return [text.strip() for text in re.split("[,;]", value if isinstance(value, str) else "") if text.strip()]


def _unrecorded(name: str, number: str, update: TrackingUpdate | None = None) -> Parcel:
    return Parcel(
        id=f"{Place.PLAIN}:{name}",
        numbers=(number,),
        company=update.company if update else "",
        url=update.url if update else "",
        item=number,
        is_recorded=False,
    )
