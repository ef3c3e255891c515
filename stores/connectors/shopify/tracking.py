"""Pure: the tracking list of one fulfillment, and what we send of it.

Shopify replaces the whole list and its one company with every update, so the list that is there is
read, ours is put in its place and the whole is written back.
https://shopify.dev/docs/api/admin-graphql/latest/mutations/fulfillmentTrackingInfoUpdate
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..base import TrackingUpdate


@dataclass(frozen=True)
class Tracking:
    """One number as a fulfillment shows it; "" for what it does not tell."""

    number: str
    company: str = ""
    url: str = ""


@dataclass(frozen=True)
class TrackingList:
    """What a fulfillment shall show: one company for all of it ("" = none is sent), a number with its link each."""

    company: str
    numbers: tuple[tuple[str, str], ...]  # (number, link or "")


def same(number: str) -> str:
    """A number without what people type differently: spaces, hyphens, capitals. To recognise one, not to compare
    what is shown with what should be."""
    return "".join(character for character in number if character.isalnum()).upper()


def recognised(numbers: Iterable[str]) -> frozenset[str]:
    """All of these as `same()` sees them."""
    return frozenset(same(number) for number in numbers if number)


def merged(there: Sequence[Tracking], update: TrackingUpdate) -> TrackingList:
    """The list with this shipment's number in its place, or at the end, and everybody else's kept.

    A shipment has one number: further ones that it had before are dropped. Links are matched to numbers by
    position, so that numbers without a link go to the end, where none can slip.
    """
    mine = recognised((*update.ours, update.number)) - recognised(update.siblings - {update.number})
    ours = Tracking(update.number, update.company, update.url)
    rows: list[Tracking] = []
    for row in there:
        if not row.number:
            continue
        if same(row.number) not in mine:
            rows.append(row)
        elif ours not in rows:
            rows.append(ours)
    if ours not in rows:
        rows.append(ours)
    rows.sort(key=lambda row: not row.url)
    companies = {row.company for row in rows}
    return TrackingList(
        company=update.company if companies == {update.company} else "",
        numbers=tuple((row.number, row.url) for row in rows),
    )


def shows(there: Sequence[Tracking], wanted: TrackingList) -> bool:
    """Whether the fulfillment shows the list already, company and links included."""
    if tuple((row.number, row.url) for row in there) != wanted.numbers:
        return False
    return not wanted.company or all(row.company == wanted.company for row in there)


def row_of(number: str, there: Sequence[Tracking]) -> Tracking | None:
    """The row that shows exactly this number."""
    return next((row for row in there if row.number == number), None)


def tracking_input(wanted: TrackingList) -> dict[str, Any]:
    """FulfillmentTrackingInput: always the lists, never the single number with its link."""
    payload: dict[str, Any] = {
        "numbers": [number for number, _ in wanted.numbers],
        "urls": [url for _, url in wanted.numbers if url],
    }
    if wanted.company:
        payload["company"] = wanted.company
    return payload


def read_tracking(rows: Iterable[Mapping[str, Any]] | None) -> tuple[Tracking, ...]:
    """`trackingInfo` of an answer."""
    return tuple(
        Tracking(row.get("number") or "", row.get("company") or "", row.get("url") or "") for row in rows or ()
    )
