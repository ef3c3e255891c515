"""Our record on the order: what neither a plugin's list nor a note can tell, in one hidden meta.

Which lines a number covers, under which name a receipt knows it, and what was sent with it. It is written last, in
the same request as the status: a number that stands there and not in the record is a push that was cut short. It
names its order, because plugins copy an order's meta to the next one of a subscription.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..places import Place
from ..values import Parcel, folded

KEY = "_tracksync_parcels"


@dataclass(frozen=True)
class Entry:
    """One parcel as it was recorded; `item` is where its place kept it then."""

    id: str
    item: str
    number: str
    lines: tuple[tuple[str, int], ...]
    company: str
    url: str
    place: Place


def written(order_id: str, parcels: Iterable[Parcel]) -> str:
    """The record's text."""
    entries = [
        {
            "id": parcel.id,
            "item": parcel.item,
            "number": next(iter(parcel.numbers), ""),
            "lines": [list(line) for line in parcel.lines],
            "company": parcel.company,
            "url": parcel.url,
            "place": parcel.place.value,
        }
        for parcel in parcels
    ]
    return json.dumps({"order": order_id, "parcels": entries}, separators=(",", ":"))


def read(order_id: str, value: Any) -> tuple[Entry, ...]:
    """The entries of a record; none where it is missing, another order's or spoilt."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return ()
    if not isinstance(value, dict) or str(value.get("order")) != order_id:
        return ()
    found = value.get("parcels")
    return tuple(entry for one in found if (entry := _entry(one))) if isinstance(found, list) else ()


def _entry(one: Any) -> Entry | None:
    if not isinstance(one, Mapping) or not one.get("id") or not one.get("number"):
        return None
    try:
        lines = tuple((str(line), int(units)) for line, units in one.get("lines") or ())
        place = Place(str(one.get("place")))
    except (TypeError, ValueError):
        return None
    texts = {name: str(one.get(name) or "") for name in ("id", "item", "number", "company", "url")}
    return Entry(lines=lines, place=place, **texts)


def as_parcel(entry: Entry, item: str, number: str = "") -> Parcel:
    """An entry with where its place keeps it now ("" for nowhere), and the number that stands there.

    A number that was only typed in another way is the same.
    """
    return Parcel(
        id=entry.id,
        numbers=(number if number and folded(number) != folded(entry.number) else entry.number,),
        lines=entry.lines,
        company=entry.company,
        url=entry.url,
        item=item,
        place=entry.place,
    )
