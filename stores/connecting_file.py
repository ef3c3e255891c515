"""Connects the stores of a file, one line each: `manage.py connect_store --from FILE.csv`.

Reading and connecting only; the command prints. What is wrong with one line stops no other. A shop that its owner has
connected already is left as it is, so a file is corrected and run again as a whole. No cell of the file is repeated in
a message: a secret may stand in the wrong one.
"""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.utils import timezone

from . import connections
from .advice import advice
from .choices import NumberSource, Timing
from .connect import AlreadyConnected, connect
from .connectors import registry
from .connectors.codes import Code
from .connectors.errors import ConnectorError
from .guides import GUIDES
from .models import Store
from .owners import NotAnAddress, Unproven, owner_of

log = logging.getLogger(__name__)

NEEDED = ("owner", "platform", "name", "url")
OPTIONAL = ("timing", "number_source", "sync_from")
# How connect() calls what a column holds.
_COLUMNS = {"base_url": "url"}
_ABOUT_THE_ADDRESS = {
    Code.ADDRESS_REFUSED,
    Code.SHOP_NOT_FOUND,
    Code.WRONG_SHOP,
    Code.ADDRESS_MOVED,
    Code.PLATFORM_MISSING,
    Code.PERMALINKS,
    Code.CERTIFICATE_REFUSED,
}
_ABOUT_THE_ACCESS = {Code.TOKEN_REFUSED, Code.SCOPE_MISSING, Code.TOKEN_KIND_REFUSED, Code.USER_LACKS_RIGHTS}


class Unusable(ValueError):
    """The file as a whole cannot be used; nothing of it was tried. The text says why."""


@dataclass(frozen=True)
class Line:
    """One line of the file: where it begins, and its cells by the names of the columns."""

    number: int
    cells: Mapping[str, str] = field(repr=False)
    surplus: bool = False  # it has more cells than there are columns


@dataclass(frozen=True)
class Problem:
    """Why a line was not connected: where to look, and what to do. `column` is "" for the whole line."""

    line: int
    column: str
    text: str

    def __str__(self) -> str:
        place = f"line {self.line}, column {self.column}" if self.column else f"line {self.line}"
        return f"{place}: {self.text}"


@dataclass(frozen=True)
class Done:
    """What became of one line: a store, new or as it was, or what is wrong."""

    line: int
    store_id: int | None = None
    is_new: bool = False
    problems: tuple[Problem, ...] = ()


class _Wrong(Exception):
    """Something is wrong with a cell: (column, what)."""

    def __init__(self, *problems: tuple[str, str]) -> None:
        super().__init__("a cell is wrong")
        self.problems = problems


def credential_columns() -> tuple[str, ...]:
    """The columns that the access of any platform may need, each once."""
    groups = [group for guide in GUIDES.values() for group in guide.form.credential_groups]
    return tuple(dict.fromkeys(name for group in groups for name in group))


def read(data: bytes) -> list[Line]:
    """The lines of a CSV file. Raises Unusable: no text in UTF-8, no CSV, or not the columns that it needs."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unusable("The file is not UTF-8. Save it as “CSV UTF-8”.") from None
    header = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    rows = _rows(text, delimiter)
    _begin, names = next(rows, (0, []))
    columns = [name.strip().lower() for name in names]
    while columns and not columns[-1]:  # spreadsheets leave empty ones at the end
        columns.pop()
    _check_columns(columns)
    empty = dict.fromkeys(columns, "")
    return [
        Line(begin, empty | dict(zip(columns, map(str.strip, cells), strict=False)), any(cells[len(columns) :]))
        for begin, cells in rows
    ]


def run(lines: list[Line], now: datetime) -> Iterator[Done]:
    """Connect one store after the other, and tell of each as soon as it is done.

    Raises ImproperlyConfigured where no store at all can be kept.
    """
    for line in lines:
        try:
            yield _connect(line, now)
        except _Wrong as wrong:
            found = tuple(Problem(line.number, column, text) for column, text in wrong.problems)
            yield Done(line.number, problems=found)
        except ImproperlyConfigured:
            raise
        except Exception as error:
            # Neither the text of the error nor the line goes into the log: both may hold a credential.
            log.error("Line %s could not be connected: %s", line.number, type(error).__name__)
            told = Problem(line.number, "", f"TrackSync itself made a mistake ({type(error).__name__}).")
            yield Done(line.number, problems=(told,))


def moment(text: str) -> datetime:
    """A time as an operator writes it, in TIME_ZONE where it has no offset. Raises ValueError."""
    try:
        at = datetime.fromisoformat(text.strip())
        return timezone.make_aware(at, timezone.get_default_timezone()) if at.tzinfo is None else at
    except OverflowError:
        raise ValueError("out of range") from None


# --- one line ------------------------------------------------------------------------------------------


def _connect(line: Line, now: datetime) -> Done:
    """Everything that can be seen without asking the shop first, then the live check."""
    cells = line.cells
    wrong = [("", "The line has more cells than the first one has columns.")] if line.surplus else []
    wrong += [(name, "The cell is empty.") for name in NEEDED if not cells[name]]
    platform = cells["platform"].lower()
    if platform and platform not in registry.CONNECTORS:
        wrong.append(("platform", f"There is no such platform. Those are: {', '.join(registry.CONNECTORS)}."))
    for name, values in (("timing", Timing.values), ("number_source", NumberSource.values)):
        if cells.get(name) and cells[name] not in values:
            wrong.append((name, f"Write {' or '.join(values)}, or leave it empty."))
    sync_from = None
    try:
        sync_from = moment(cells["sync_from"]) if cells.get("sync_from") else None
    except ValueError:
        wrong.append(("sync_from", "This is no date. Write it as 2026-03-31 or 2026-03-31T14:30+08:00."))
    if platform in GUIDES:
        wrong += _wrong_access(platform, cells)
    owner = None
    try:
        owner = owner_of(cells["owner"]) if cells["owner"] else None
    except NotAnAddress:
        wrong.append(("owner", "This is no e-mail address."))
    except Unproven:
        wrong.append(("owner", "Somebody signed up with this address and has not verified it; ask them to."))
    if wrong or owner is None:
        raise _Wrong(*wrong)

    try:
        address = registry.normalise_base_url(platform, cells["url"], connections.allowed_networks())
        if known := _connected_by(owner.pk, platform, address):
            return Done(line.number, known)
        store = connect(
            owner=owner,
            platform=platform,
            name=cells["name"],
            base_url=cells["url"],
            credentials=_access(platform, cells),
            timing=cells.get("timing") or None,
            number_source=cells.get("number_source") or None,
            sync_from=sync_from,
            now=now,
        )
    except AlreadyConnected:
        if known := _connected_by(owner.pk, platform, address):
            return Done(line.number, known)
        raise _Wrong(("url", "This shop is connected already, for another owner.")) from None
    except ValidationError as error:
        raise _Wrong(
            *((_COLUMNS.get(name, name), " ".join(texts)) for name, texts in error.message_dict.items())
        ) from None
    except ConnectorError as error:
        raise _Wrong((_column(error, platform, cells), advice(error, repeat_address=False))) from None
    return Done(line.number, store.pk, is_new=True)


def _wrong_access(platform: str, cells: Mapping[str, str]) -> list[tuple[str, str]]:
    """What is wrong with the access: exactly one of the platform's ways in has to be there, and all of it."""
    groups = GUIDES[platform].form.credential_groups
    own = {name for group in groups for name in group}
    wrong = [
        (name, "This is not among what the platform takes.")
        for name in credential_columns()
        if cells.get(name) and name not in own
    ]
    given = [group for group in groups if any(cells.get(name) for name in group)]
    if not given:
        ways = " or ".join(" and ".join(group) for group in groups)
        return [*wrong, (groups[0][0], f"The access is missing: {ways}.")]
    if len(given) > 1:
        return [*wrong, (given[1][0], f"Fill in one way, and leave the other empty: {' and '.join(given[0])}.")]
    return wrong + [(name, "The cell is empty.") for name in given[0] if not cells.get(name)]


def _access(platform: str, cells: Mapping[str, str]) -> dict[str, str]:
    groups = GUIDES[platform].form.credential_groups
    return {name: cells[name] for group in groups for name in group if cells.get(name)}


def _column(error: ConnectorError, platform: str, cells: Mapping[str, str]) -> str:
    """The column to look at; "" where the line as it stands may be right."""
    if error.reason.code in _ABOUT_THE_ADDRESS:
        return "url"
    return next(iter(_access(platform, cells)), "") if error.reason.code in _ABOUT_THE_ACCESS else ""


def _connected_by(owner_id: int | None, platform: str, address: str) -> int | None:
    """The store at this address, where this owner has connected it."""
    if owner_id is None:
        return None
    theirs = Store.objects.connected().filter(platform=platform, base_url=address, owner_id=owner_id)
    return theirs.values_list("pk", flat=True).first()


# --- the file ------------------------------------------------------------------------------------------


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(the line it begins on, its cells) of every row that is not empty."""
    reader, begin = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield begin, cells
            begin = reader.line_num + 1
    except csv.Error:
        raise Unusable(f"Line {begin} cannot be read. Look for a quotation mark that is not closed.") from None


def _check_columns(columns: list[str]) -> None:
    """Refuse a file whose first line is not what it has to be. A name that is not known may be a secret: its place is
    told, not the name.
    """
    known = (*NEEDED, *credential_columns(), *OPTIONAL)
    if missing := [name for name in NEEDED if name not in columns]:
        raise Unusable(f"The first line has to name the columns, and lacks {', '.join(missing)}.")
    if twice := sorted({name for name in columns if columns.count(name) > 1 and name in known}):
        raise Unusable(f"The first line has a column twice: {', '.join(twice)}.")
    if strange := [str(place) for place, name in enumerate(columns, 1) if name not in known]:
        raise Unusable(
            f"The first line has a name that is not known, in column {', '.join(strange)}. Known are: "
            f"{', '.join(known)}."
        )
