"""From the bytes of a file to lines of text cells: encoding, delimiter, header. What the cells mean is in cells.py."""

from __future__ import annotations

import codecs
import csv
import difflib
import io
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .problems import FileCode, Problem

REQUIRED = (
    "store_id",
    "order_number",
    "parcel",
    "shipping_method",
    "own_number",
    "local_number",
    "carrier",
    "paid_at",
    "dispatched_at",
)
OPTIONAL = ("sku", "quantity")
PROBLEM_COLUMN = "problem"  # of a file of rejected lines that comes back corrected
DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True)
class Record:
    """One line: where it begins in the file, and its cells by column name, as they stand."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class Sheet:
    """A file that was read. Not `is_usable`: its problems leave no line that could be trusted."""

    encoding: str = ""
    delimiter: str = ","
    header: tuple[str, ...] = ()
    records: tuple[Record, ...] = ()
    problems: tuple[Problem, ...] = ()
    is_usable: bool = False


def read(data: bytes) -> Sheet:
    """Read a CSV file: UTF-8 with or without mark, UTF-16 with mark, GB18030 or CP1252; comma, semicolon or tab."""
    if data.startswith(b"PK\x03\x04") or data.startswith(b"\xd0\xcf\x11\xe0"):
        return Sheet(problems=(Problem(1, "", FileCode.WORKBOOK),))
    encoding = encoding_of(data)
    if encoding is None:
        return Sheet(problems=(Problem(1, "", FileCode.ENCODING),))
    text = data.decode(encoding).lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    skipped = 0
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip()) <= 5:
        # Excel writes its delimiter into a first line of its own.
        text, skipped = rest, 1
    delimiter = delimiter_of(text)
    try:
        rows = list(_rows(text, delimiter, skipped))
    except csv.Error as error:
        return Sheet(encoding, delimiter, problems=(Problem(1, "", FileCode.UNREADABLE, {"detail": str(error)}),))
    header_line, names = rows[0] if rows else (1, [])
    header = tuple(_column(name) for name in names)
    while header and not header[-1]:
        header = header[:-1]
    problems = _header_problems(header, header_line)
    if problems:
        return Sheet(encoding, delimiter, header, problems=tuple(problems))
    records, problems = _records(rows[1:], header, delimiter)
    return Sheet(encoding, delimiter, header, tuple(records), tuple(problems), is_usable=True)


def encoding_of(data: bytes) -> str | None:
    """The encoding of a spreadsheet's export, as Python names it; None when it is none of those we know."""
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8-sig" if _decodes(data, "utf-8-sig") else None
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16" if _decodes(data, "utf-16") else None
    if _decodes(data, "utf-8"):
        return "utf-8"
    # Both of the others decode nearly anything. A Chinese character is two bytes of the upper half; an accented
    # letter of a western name stands alone between letters.
    pairs, alone = _upper_half(data)
    for encoding in ("gb18030", "cp1252") if pairs >= alone else ("cp1252", "gb18030"):
        if _decodes(data, encoding):
            return encoding
    return None


def delimiter_of(text: str) -> str:
    """Comma, semicolon or tab: whichever the line of column names has most of."""
    first = text.lstrip().partition("\n")[0]
    return max(DELIMITERS, key=first.count)


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _upper_half(data: bytes) -> tuple[int, int]:
    """(pairs of bytes above 0xA0, bytes above 0x7F that stand alone)."""
    pairs = alone = position = 0
    while position < len(data):
        if data[position] < 0x80:
            position += 1
        elif position + 1 < len(data) and data[position + 1] >= 0xA1:
            pairs, position = pairs + 1, position + 2
        else:
            alone, position = alone + 1, position + 1
    return pairs, alone


def _rows(text: str, delimiter: str, skipped: int) -> Iterator[tuple[int, list[str]]]:
    """(the line a row begins on, its cells); rows without any text are left out."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    begins = 1
    for row in reader:
        if any(cell.strip() for cell in row):
            yield begins + skipped, row
        begins = reader.line_num + 1


def _column(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().strip("\ufeff'\"").strip().lower().replace(" ", "_")


def _header_problems(header: tuple[str, ...], line: int) -> list[Problem]:
    if not header:
        return [Problem(1, "", FileCode.EMPTY_FILE)]
    known = (*REQUIRED, *OPTIONAL, PROBLEM_COLUMN)
    problems = []
    for position, name in enumerate(header):
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" ({near[0]}?)" if near else ""
            problems.append(Problem(line, name, FileCode.COLUMN_UNKNOWN, {"name": name or "“”", "hint": hint}))
        elif name in header[:position]:
            problems.append(Problem(line, name, FileCode.COLUMN_TWICE, {"name": name}))
    missing = [name for name in REQUIRED if name not in header]
    return problems + [Problem(line, name, FileCode.COLUMN_MISSING, {"name": name}) for name in missing]


def _records(
    rows: list[tuple[int, list[str]]], header: tuple[str, ...], delimiter: str
) -> tuple[list[Record], list[Problem]]:
    records: list[Record] = []
    problems: list[Problem] = []
    shown = "tab" if delimiter == "\t" else delimiter
    for line, row in rows:
        if any(cell.strip() for cell in row[len(header) :]):
            values: dict[str, str | int] = {"cells": len(row), "columns": len(header), "delimiter": shown}
            problems.append(Problem(line, "", FileCode.TOO_MANY_CELLS, values))
        elif any("\n" in cell.strip() for cell in row):
            problems.append(Problem(line, "", FileCode.SEVERAL_LINES))
        padded = (*row, *[""] * (len(header) - len(row)))[: len(header)]
        records.append(Record(line, dict(zip(header, padded, strict=True))))
    return records, problems
