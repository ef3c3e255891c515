"""A file is read whatever spreadsheet wrote it, or it is said why it cannot be."""

from __future__ import annotations

import pytest

from orders.importing.reading import REQUIRED, encoding_of, read

HEADER = ",".join(REQUIRED)
LINE = "1,#1001,1,{method},CJP1,,,,"


def cells(data: bytes, column: str) -> list[tuple[int, str]]:
    """(line, cell) of one column."""
    return [(record.line, record.cells[column]) for record in read(data).records]


@pytest.mark.parametrize(
    "encoding, method, found",
    [
        ("utf-8", "YunExpress", "utf-8"),
        ("utf-8", "云途专线", "utf-8"),
        ("utf-8-sig", "云途专线", "utf-8-sig"),
        ("gb18030", "云途专线", "gb18030"),
        ("gbk", "燕文航空挂号", "gb18030"),
        ("gb18030", "顺丰（国际）", "gb18030"),
        ("cp1252", "Österreichische Post", "cp1252"),
        ("cp1252", "Dépôt à Liège – Père Noël", "cp1252"),
        ("cp1252", "Correos Español", "cp1252"),
        ("utf-16", "云途专线", "utf-16"),
    ],
)
def test_the_encodings_of_spreadsheets_are_recognised(encoding: str, method: str, found: str) -> None:
    data = f"{HEADER}\r\n{LINE.format(method=method)}\r\n".encode(encoding)

    sheet = read(data)

    assert (sheet.encoding, sheet.problems) == (found, ())
    assert cells(data, "shipping_method") == [(2, method)]


def test_what_is_in_no_encoding_is_not_guessed() -> None:
    assert encoding_of(b"\xff\xfe\x00") is None
    assert encoding_of(b"abc\x81 \x8d ") is None


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("before", ["", "sep={}\r\n"])
def test_delimiters_and_line_ends_are_recognised(delimiter: str, newline: str, before: str) -> None:
    text = before.format(delimiter) + (HEADER + newline + LINE + newline).replace(",", delimiter)

    assert cells(text.encode(), "own_number") == [(3 if before else 2, "CJP1")]


@pytest.mark.parametrize(
    "header",
    [
        HEADER.upper(),
        HEADER.replace("_", " "),
        HEADER.replace(",", " , "),
        '"' + HEADER.replace(",", '","') + '"',
        HEADER + ",,",
        HEADER + ",problem",
        HEADER + ",sku,quantity",
        "carrier,paid_at,dispatched_at,parcel,store_id,order_number,own_number,local_number,shipping_method",
    ],
)
def test_a_header_is_known_by_its_names(header: str) -> None:
    assert read(header.encode()).problems == ()


@pytest.mark.parametrize(
    "data, problems",
    [
        (b"", ["line 1: The file is empty. It begins with a line of column names."]),
        (b"\r\n,,,\r\n", ["line 1: The file is empty. It begins with a line of column names."]),
        (
            b"PK\x03\x04rest of a workbook",
            ["line 1: This is a workbook, not a CSV file. Save it as “CSV UTF-8” and import that."],
        ),
        (
            HEADER.replace("own_number", "own_nr").encode(),
            [
                "line 1, column own_nr: There is no column own_nr (own_number?). Correct its name or delete it.",
                "line 1, column own_number: The column own_number is missing. Add it; it may be left empty below.",
            ],
        ),
        (
            (HEADER + ",parcel").encode(),
            ["line 1, column parcel: The column parcel is there twice. Delete one of them."],
        ),
        (
            f"{HEADER}\n{LINE},extra\n".encode(),
            [
                "line 2: The line has 10 cells, the header 9. Put text with a “,” in it into quotation marks.",
            ],
        ),
        (
            f'{HEADER}\n1,"#1001,1,,,,,,\n2,#1002,1,,,,,,\n'.encode(),
            ["line 2: A cell goes on over several lines. Look for a quotation mark that is not closed."],
        ),
        (
            f'{HEADER}\n1,"{"x" * 140_000}'.encode(),
            [
                "line 1: The file cannot be read as CSV (field larger than field limit (131072)). "
                "Look for a quotation mark that is not closed."
            ],
        ),
    ],
    ids=["empty", "blank", "workbook", "wrong name", "twice", "too many cells", "open quote", "endless quote"],
)
def test_what_cannot_be_read_is_named(data: bytes, problems: list[str]) -> None:
    assert [str(problem) for problem in read(data).problems] == problems


def test_blank_lines_are_left_out_and_lines_keep_their_numbers() -> None:
    data = f"{HEADER}\n\n{LINE}\n,,,\n \n{LINE}\n".encode()

    assert [line for line, _ in cells(data, "parcel")] == [3, 6]


def test_a_line_may_end_early() -> None:
    assert cells(f"{HEADER}\n1,#1001,1\n".encode(), "dispatched_at") == [(2, "")]
