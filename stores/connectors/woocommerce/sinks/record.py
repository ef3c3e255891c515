"""Our record on the order: what neither a plugin's list nor a note can tell, in a hidden meta for each parcel.

Which lines a number covers, under which name a receipt knows it, what was sent with it, and which status the order got
then: an order that a merchant opened again is not completed a second time for the same. It is written last, in
the same request as the status: a number that stands there and not in the record is a push that was cut short.

One meta for each parcel and not one for all: a store may execute a request long after its answer was lost, and by
then another parcel of the order may have been recorded, which a list written whole would wipe out. It names its
order, because plugins copy an order's meta to the next one of a subscription.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..places import Place
from ..values import Parcel, folded

PREFIX = "_tracksync_parcel_"


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
    gave: str


def key(parcel_id: str) -> str:
    """The key of a parcel's meta: ids are "<place>:<name>"."""
    return PREFIX + parcel_id.partition(":")[2]


def written(order_id: str, parcel: Parcel) -> str:
    """A parcel's text."""
    entry = {
        "order": order_id,
        "id": parcel.id,
        "item": parcel.item,
        "number": next(iter(parcel.numbers), ""),
        "lines": [list(line) for line in parcel.lines],
        "company": parcel.company,
        "url": parcel.url,
        "place": parcel.place.value,
        "gave": parcel.gave,
    }
    # Letters as they are: a backslash does not survive every way into a WordPress meta.
    return json.dumps(entry, separators=(",", ":"), ensure_ascii=False)


def read(order: Mapping[str, Any]) -> tuple[Entry, ...]:
    """The parcels recorded on an order, oldest first; none of what is another order's, or spoilt."""
    metas = [meta for meta in order.get("meta_data") or () if isinstance(meta, dict)]
    ours = [meta.get("value") for meta in metas if str(meta.get("key")).startswith(PREFIX)]
    return tuple(entry for value in ours if (entry := _entry(value, str(order.get("id")))))


def _entry(value: Any, order_id: str) -> Entry | None:
    try:
        one = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return None
    if not isinstance(one, dict) or str(one.get("order")) != order_id or not (one.get("id") and one.get("number")):
        return None
    try:
        lines = tuple((str(line), int(units)) for line, units in one.get("lines") or ())
        place = Place(str(one.get("place")))
    except (TypeError, ValueError):
        return None
    texts = {name: str(one.get(name) or "") for name in ("id", "item", "number", "company", "url", "gave")}
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
        gave=entry.gave,
    )
