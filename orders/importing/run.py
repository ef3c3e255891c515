"""The import as a whole: read, look up, check, and only then write, in one transaction."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from ..models import Carrier
from . import cells, checking, finding, parcels, writing
from .cells import NumberCell, Remove, Row
from .finding import Catalogue, FoundOrder, OrderName, Unknown
from .parcels import Parcel, Resolved
from .problems import FileCode, Problem
from .reading import OPTIONAL, PROBLEM_COLUMN, REQUIRED, Sheet, read
from .writing import Written


@dataclass(frozen=True)
class Report:
    """What came of a file. Problems and warnings by line; `bad_lines` are those of parcels that were not taken."""

    sheet: Sheet
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    bad_lines: frozenset[int]
    parcels: int
    written: Written | None  # None: nothing was written

    @property
    def lines(self) -> int:
        """Lines of the file under its header."""
        return len(self.sheet.records)


def import_file(
    data: bytes,
    *,
    now: datetime,
    check_only: bool = False,
    good_parcels: bool = False,
    allow_shared: bool = False,
    actor: User | None = None,
    progress: Callable[[str, int, int], None] = lambda step, done, total: None,
) -> Report:
    """Import the bytes of a CSV file. With any problem nothing is written, unless `good_parcels`.

    `check_only` writes nothing in any case; `allow_shared` lets parcels of different orders have one number.
    `progress(step, done, total)` is told how far it is. Stores are asked for orders that are not here, before the
    transaction begins.
    """
    sheet = read(data)
    rows, problems = _parse(sheet, now)
    progress("read", len(rows), len(sheet.records))
    resolved, more = _resolve(rows, now)
    problems += more
    found, more = parcels.merge(resolved)
    problems += more
    own_carrier = Carrier.objects.filter(is_own=True).values_list("pk", flat=True).first()
    if own_carrier is None:
        problems += [
            Problem(parcel.place("own_number"), "own_number", FileCode.OUR_CARRIER_MISSING)
            for parcel in found
            if isinstance(parcel.own_number, NumberCell)
        ]
    problems += checking.check(found, own_prefix=settings.TRACKSYNC_OWN_NUMBER_PREFIX, allow_shared=allow_shared)
    progress("checked", len(found), len(found))

    problems.sort(key=_place)
    wrong = tuple(problem for problem in problems if not problem.is_warning)
    good, bad_lines = _part(sheet, found, wrong)
    written = None
    if sheet.is_usable and not check_only and (not wrong or good_parcels):
        with transaction.atomic():
            written = writing.write(
                good,
                own_carrier=own_carrier,
                now=now,
                actor=actor,
                progress=lambda done: progress("written", done, len(good)),
            )
    warnings = tuple(problem for problem in problems if problem.is_warning)
    return Report(sheet, wrong, warnings, bad_lines, len(found), written)


def rejected_file(report: Report) -> str:
    """The lines that were not taken, as they stood, with what is wrong with each in a last column."""
    told: dict[int, list[str]] = defaultdict(list)
    for problem in report.problems:
        told[problem.line].append(str(problem))
    columns = [name for name in report.sheet.header if name != PROBLEM_COLUMN]
    text = io.StringIO(newline="")
    out = csv.writer(text, delimiter=report.sheet.delimiter, lineterminator="\r\n")
    out.writerow([*columns, PROBLEM_COLUMN])
    for record in report.sheet.records:
        if record.line in report.bad_lines:
            why = " | ".join(told[record.line]) or "Another line of this parcel is wrong."
            out.writerow([*(record.cells[name] for name in columns), why])
    return text.getvalue()


def _place(problem: Problem) -> tuple[int, int]:
    """As the file is read: by line, then by the columns as they are named; strange columns first."""
    known = (*REQUIRED, *OPTIONAL)
    return problem.line, known.index(problem.column) if problem.column in known else -1


def _parse(sheet: Sheet, now: datetime) -> tuple[list[Row], list[Problem]]:
    problems = list(sheet.problems)
    unreadable = {problem.line for problem in problems}
    rows = []
    zone = timezone.get_default_timezone()
    for record in sheet.records:
        if record.line in unreadable:
            continue
        row, found = cells.parse(record, now=now, zone=zone)
        problems += found
        if row is not None:
            rows.append(row)
    return rows, problems


def _resolve(rows: Sequence[Row], now: datetime) -> tuple[list[Resolved], list[Problem]]:
    """Find what the lines name. A line without a store or an order is left out; its problem is told."""
    problems: list[Problem] = []
    carriers, methods = finding.carriers(), finding.methods()
    stores = finding.stores_of(row.store_id for row in rows)
    orders: dict[OrderName, FoundOrder | Unknown] = {}
    missing: list[OrderName] = []
    for name, found in finding.find_orders(
        (row.store_id, row.order_number) for row in rows if row.store_id in stores
    ).items():
        if len(found) == 1:
            orders[name] = found[0]
        elif found:
            orders[name] = Unknown(FileCode.ORDER_AMBIGUOUS, {"text": name[1], "store": name[0]})
        else:
            missing.append(name)
    orders |= finding.ask_stores(missing, stores, now)

    resolved = []
    for row in rows:
        method = _named(methods, row.shipping_method, row.line, "shipping_method", problems)
        carrier = _named(carriers, row.carrier, row.line, "carrier", problems)
        if row.store_id not in stores:
            problems.append(Problem(row.line, "store_id", FileCode.STORE_UNKNOWN, {"text": row.store_id}))
            continue
        order = orders[row.store_id, row.order_number]
        if isinstance(order, Unknown):
            problems.append(Problem(row.line, "order_number", order.code, order.values))
        else:
            resolved.append(Resolved(row, order, method, carrier))
    return resolved, problems


def _named(
    catalogue: Catalogue, text: str | Remove | None, line: int, column: str, problems: list[Problem]
) -> int | Remove | None:
    if text is None or isinstance(text, Remove):
        return text
    found = catalogue.find(text)
    if isinstance(found, Unknown):
        problems.append(Problem(line, column, found.code, found.values))
        return None
    return found


def _part(sheet: Sheet, found: Sequence[Parcel], wrong: Sequence[Problem]) -> tuple[list[Parcel], frozenset[int]]:
    """The parcels without any problem, and the lines of all others."""
    bad = {problem.line for problem in wrong}
    good = [parcel for parcel in found if not bad.intersection(parcel.lines)]
    taken = {line for parcel in good for line in parcel.lines}
    return good, frozenset(record.line for record in sheet.records if record.line not in taken)
