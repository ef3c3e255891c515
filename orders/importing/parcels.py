"""From lines to parcels: what a file says of one parcel, over all of its lines, with names resolved to rows.

Several lines of one parcel must agree; each may name one SKU with its quantity.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .cells import NumberCell, Remove, Row
from .finding import FoundOrder
from .problems import FileCode, Problem

MERGED = ("shipping_method", "own_number", "local_number", "carrier", "paid_at", "dispatched_at")


@dataclass(frozen=True)
class Units:
    """So many of one SKU, and where that stands."""

    line: int
    sku: str
    quantity: int


@dataclass(frozen=True)
class Parcel:
    """What the file says of one parcel. Method and carrier are ids; None leaves what is there."""

    order: FoundOrder
    parcel: int
    lines: tuple[int, ...]
    shipping_method: int | Remove | None
    own_number: NumberCell | Remove | None
    local_number: NumberCell | Remove | None
    carrier: int | Remove | None
    paid_at: datetime | Remove | None
    dispatched_at: datetime | Remove | None
    contents: tuple[Units, ...] | Remove | None
    places: Mapping[str, int] = field(default_factory=dict, hash=False)  # the line of each cell that says something

    def place(self, column: str) -> int:
        """The line on which the column says something; the parcel's first line where it says nothing."""
        return self.places.get(column, self.lines[0])


@dataclass(frozen=True)
class Resolved:
    """A line whose order is found and whose names are ids."""

    row: Row
    order: FoundOrder
    shipping_method: int | Remove | None
    carrier: int | Remove | None

    def said(self, column: str) -> Any:
        """What the line says in this column."""
        return getattr(self if column in ("shipping_method", "carrier") else self.row, column)


def merge(lines: Iterable[Resolved]) -> tuple[list[Parcel], list[Problem]]:
    """The parcels of these lines, in the order of their orders and numbers, and where the lines disagree."""
    groups: dict[tuple[tuple[int, str], int], list[Resolved]] = {}
    for line in lines:
        groups.setdefault((line.order.key, line.row.parcel), []).append(line)
    problems: list[Problem] = []
    parcels = [_parcel(group, problems) for _, group in sorted(groups.items(), key=lambda item: _rank(item[1][0]))]
    problems += _payments_disagree(parcels)
    return parcels, problems


def in_chunks(parcels: Iterable[Parcel], size: int) -> Iterator[list[Parcel]]:
    """The parcels in lists of about `size`, never with the parcels of one order in two of them."""
    chunk: list[Parcel] = []
    for parcel in parcels:
        if len(chunk) >= size and parcel.order.key != chunk[-1].order.key:
            yield chunk
            chunk = []
        chunk.append(parcel)
    if chunk:
        yield chunk


def _rank(line: Resolved) -> tuple[int, int, str, int]:
    """Orders by their id, new ones last: the order in which rows are locked."""
    order = line.order
    return (0 if order.pk else 1, order.pk or order.store_id, order.external_id, line.row.parcel)


def _parcel(group: list[Resolved], problems: list[Problem]) -> Parcel:
    first = group[0]
    merged: dict[str, Any] = dict.fromkeys(MERGED)
    places: dict[str, int] = {}
    for line in group:
        for column in MERGED:
            said = line.said(column)
            if said is None:
                continue
            if column not in places:
                merged[column], places[column] = said, line.row.line
            elif _same(said) != _same(merged[column]):
                problems.append(_contradiction(line.row.line, column, said, merged[column], places[column]))
    contents = _contents(group, places, problems)
    problems += _repetitions(group)
    return Parcel(
        first.order,
        first.row.parcel,
        tuple(line.row.line for line in group),
        **merged,
        contents=contents,
        places=places,
    )


def _contents(
    group: list[Resolved], places: dict[str, int], problems: list[Problem]
) -> tuple[Units, ...] | Remove | None:
    units: list[Units] = []
    removed: Remove | None = None
    for line in group:
        row = line.row
        if row.sku is None:
            continue
        places.setdefault("sku", row.line)
        if isinstance(row.sku, Remove):
            removed = row.sku
        elif row.quantity is not None:
            units.append(Units(row.line, row.sku, row.quantity))
        if removed is not None and units:
            problems.append(_contradiction(row.line, "sku", row.sku, units[0].sku, places["sku"]))
            return None
    return removed or tuple(units) or None


def _repetitions(group: list[Resolved]) -> list[Problem]:
    """Lines that say exactly what another one said. Two lines of one SKU with a quantity add up, though."""
    seen: dict[tuple[Any, ...], int] = {}
    found = []
    for line in group:
        if line.row.quantity is not None:
            continue
        said = (*(_same(line.said(column)) for column in MERGED), line.row.sku)
        if said in seen:
            found.append(Problem(line.row.line, "parcel", FileCode.ROW_TWICE, {"other": seen[said]}))
        seen.setdefault(said, line.row.line)
    return found


def _payments_disagree(parcels: list[Parcel]) -> list[Problem]:
    """An order is paid once, whatever the number of its parcels."""
    first: dict[tuple[int, str], Parcel] = {}
    found = []
    for parcel in parcels:
        if parcel.paid_at is None:
            continue
        other = first.setdefault(parcel.order.key, parcel)
        if other.paid_at != parcel.paid_at:
            found.append(
                _contradiction(
                    parcel.place("paid_at"), "paid_at", parcel.paid_at, other.paid_at, other.place("paid_at")
                )
            )
    return found


def _same(said: Any) -> Any:
    return said.value if isinstance(said, NumberCell) else said


def _contradiction(line: int, column: str, ours: Any, theirs: Any, other: int) -> Problem:
    values: dict[str, str | int] = {"other": other, "ours": _shown(ours), "theirs": _shown(theirs)}
    return Problem(line, column, FileCode.CONTRADICTION, values)


def _shown(said: Any) -> str:
    said = _same(said)
    if isinstance(said, datetime):
        return said.isoformat()
    return said.value if isinstance(said, Remove) else str(said)
