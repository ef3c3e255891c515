"""From the text cells of one line to what they mean: pure, nothing is looked up.

An empty cell changes nothing, "-" removes. Names and codes are looked up in finding.py.
"""

from __future__ import annotations

import enum
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TypeVar

from ..numbers import normalise, problems
from .problems import FileCode, Problem, Value
from .reading import Record

LARGEST = 32_767  # what the columns for parcels and quantities hold
SOON = timedelta(days=1)  # clocks and time zones differ; more is a mistake
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


class Remove(enum.Enum):
    """What "-" says."""

    REMOVE = "-"


REMOVE = Remove.REMOVE
T = TypeVar("T")


@dataclass(frozen=True)
class NumberCell:
    """A tracking number: normalised, and as it stood in the file."""

    value: str
    raw: str


@dataclass(frozen=True)
class Row:
    """One line that says which parcel it means. Cells that were wrong are None; their problems are kept apart."""

    line: int
    store_id: int
    order_number: str
    parcel: int
    shipping_method: str | Remove | None = None
    own_number: NumberCell | Remove | None = None
    local_number: NumberCell | Remove | None = None
    carrier: str | Remove | None = None
    paid_at: datetime | Remove | None = None
    dispatched_at: datetime | Remove | None = None
    sku: str | Remove | None = None
    quantity: int | None = None


class _Wrong(Exception):
    def __init__(self, code: object, **values: Value) -> None:
        self.code, self.values = code, values
        super().__init__(code)


def parse(record: Record, *, now: datetime, zone: tzinfo) -> tuple[Row | None, list[Problem]]:
    """The line as values, and all that is wrong with it; None where it does not say which parcel it means.

    `zone` is that of times without an offset.
    """
    found: list[Problem] = []

    def cell(column: str, read: Callable[[str], T], *, is_key: bool = False, removes: bool = True) -> T | Remove | None:
        text = record.cells.get(column, "")
        stripped = _plain(text)
        try:
            if not stripped:
                if is_key:
                    raise _Wrong(FileCode.CELL_EMPTY)
                return None
            if stripped == REMOVE.value:
                if not removes or is_key:
                    raise _Wrong(FileCode.CANNOT_REMOVE)
                return REMOVE
            return read(text)
        except _Wrong as wrong:
            found.append(Problem(record.line, column, wrong.code, wrong.values))  # type: ignore[arg-type]
            return None

    def number(text: str) -> NumberCell:
        value = normalise(text)
        if wrong := problems(value):
            raise _Wrong(wrong[0], text=text.strip()[:60])
        return NumberCell(value, text[:200])

    def moment(text: str) -> datetime:
        return _time(_plain(text), now, zone)

    store_id = cell("store_id", lambda text: _whole(text, FileCode.NOT_WHOLE, largest=2**63 - 1), is_key=True)
    order_number = cell("order_number", _name, is_key=True)
    parcel = cell("parcel", lambda text: _whole(text, FileCode.PARCEL_TOO_SMALL), is_key=True)
    values = {
        "shipping_method": cell("shipping_method", _name),
        "own_number": cell("own_number", number),
        "local_number": cell("local_number", number),
        "carrier": cell("carrier", _name),
        "paid_at": cell("paid_at", moment),
        "dispatched_at": cell("dispatched_at", moment),
        "sku": cell("sku", _name),
        "quantity": cell("quantity", lambda text: _whole(text, FileCode.QUANTITY_TOO_SMALL), removes=False),
    }
    if (
        values["sku"] not in (None, REMOVE)
        and values["quantity"] is None
        and not _plain(record.cells.get("quantity", ""))
    ):
        found.append(Problem(record.line, "quantity", FileCode.SKU_WITHOUT_QUANTITY))
    if values["quantity"] is not None and values["sku"] in (None, REMOVE):
        found.append(Problem(record.line, "sku", FileCode.QUANTITY_WITHOUT_SKU))
    if store_id is None or order_number is None or parcel is None:
        return None, found
    return Row(record.line, store_id, order_number, parcel, **values), found  # type: ignore[arg-type]


def _plain(text: str) -> str:
    if text.isascii():
        return text.strip()
    return unicodedata.normalize("NFKC", text).strip().strip("\u200b\ufeff").strip()


def _name(text: str) -> str:
    return text.strip().strip("\u200b\ufeff").strip()


def _whole(text: str, too_small: FileCode, largest: int = LARGEST) -> int:
    plain = _plain(text).lstrip("'")
    if not (plain.isascii() and plain.isdigit()):
        raise _Wrong(FileCode.NOT_WHOLE, text=text.strip()[:60])
    number = int(plain[:20])
    if number > largest:
        raise _Wrong(FileCode.TOO_LARGE, text=text.strip()[:60])
    if number < 1 and too_small != FileCode.NOT_WHOLE:
        raise _Wrong(too_small, text=plain)
    return number


def _time(text: str, now: datetime, zone: tzinfo) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _Wrong(FileCode.BAD_TIME, text=text[:60]) from None
    try:
        if moment.tzinfo is None:
            there = moment.replace(tzinfo=zone)
            if there.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
                raise _Wrong(FileCode.NO_SUCH_TIME, text=text, zone=str(zone))
            moment = there
        moment = moment.astimezone(UTC)
    except OverflowError:
        raise _Wrong(FileCode.BAD_TIME, text=text[:60]) from None
    if moment > now + SOON:
        raise _Wrong(FileCode.FAR_FUTURE, text=text)
    if moment < EARLIEST:
        raise _Wrong(FileCode.FAR_PAST, text=text)
    return moment
