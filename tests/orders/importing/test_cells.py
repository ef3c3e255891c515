"""What the cells of one line mean."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from orders.importing.cells import REMOVE, NumberCell, Row, parse
from orders.importing.reading import Record
from tests.factories import NOON

KEY = {"store_id": "7", "order_number": "#1001", "parcel": "1"}
COLUMNS = (
    *("shipping_method", "own_number", "local_number", "carrier", "paid_at", "dispatched_at", "sku", "quantity"),
    *KEY,
)
BERLIN = ZoneInfo("Europe/Berlin")


def parsed(**cells: str) -> tuple[Row | None, list[tuple[str, str]]]:
    """The line's row, and (column, code) of what is wrong with it."""
    row, problems = parse(Record(2, dict.fromkeys(COLUMNS, "") | KEY | cells), now=NOON, zone=BERLIN)
    return row, [(problem.column, str(problem.code)) for problem in problems]


@pytest.mark.parametrize(
    "cells, fields",
    [
        ({}, {}),
        ({"carrier": " YunExpress "}, {"carrier": "YunExpress"}),
        (
            {"carrier": "-", "paid_at": " - ", "own_number": "－"},
            {"carrier": REMOVE, "paid_at": REMOVE, "own_number": REMOVE},
        ),
        ({"own_number": " cjp 26 ab 0001"}, {"own_number": NumberCell("CJP26AB0001", " cjp 26 ab 0001")}),
        ({"local_number": "'0034043416109"}, {"local_number": NumberCell("0034043416109", "'0034043416109")}),
        ({"store_id": "７", "parcel": "２"}, {"parcel": 2}),
        ({"sku": "MUG", "quantity": "2"}, {"sku": "MUG", "quantity": 2}),
        ({"sku": "-"}, {"sku": REMOVE}),
    ],
)
def test_an_empty_cell_changes_nothing_and_a_dash_removes(cells: dict, fields: dict) -> None:
    row, problems = parsed(**cells)

    assert problems == []
    assert row == Row(2, **({"store_id": 7, "order_number": "#1001", "parcel": 1} | fields))


@pytest.mark.parametrize(
    "text, moment",
    [
        ("2026-03-01T10:00:00Z", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("2026-03-01T10:00:00+08:00", datetime(2026, 3, 1, 2, tzinfo=UTC)),
        # without an offset in the deployment's time zone, in winter and in summer
        ("2026-03-01T10:00", datetime(2026, 3, 1, 9, tzinfo=UTC)),
        ("2025-07-01 10:00:30", datetime(2025, 7, 1, 8, 0, 30, tzinfo=UTC)),
        ("2026-03-01", datetime(2026, 2, 28, 23, tzinfo=UTC)),
        # the hour that comes twice is the first one
        ("2025-10-26T02:30", datetime(2025, 10, 26, 0, 30, tzinfo=UTC)),
        ("2026-03-03T11:00Z", datetime(2026, 3, 3, 11, tzinfo=UTC)),
    ],
)
def test_times_are_iso_8601(text: str, moment: datetime) -> None:
    row, problems = parsed(paid_at=text)

    assert problems == []
    assert row is not None
    assert row.paid_at == moment


@pytest.mark.parametrize(
    "cells, problems",
    [
        ({"paid_at": "01.03.2026"}, [("paid_at", "bad_time")]),
        ({"paid_at": "03/01/2026 10:00"}, [("paid_at", "bad_time")]),
        ({"paid_at": "46082.5"}, [("paid_at", "bad_time")]),
        ({"paid_at": "0001-01-01T00:00+14:00"}, [("paid_at", "bad_time")]),
        ({"dispatched_at": "2026-03-03T13:00Z"}, [("dispatched_at", "far_future")]),
        ({"dispatched_at": "2062-03-02"}, [("dispatched_at", "far_future")]),
        ({"dispatched_at": "1926-03-02"}, [("dispatched_at", "far_past")]),
        ({"dispatched_at": "2025-03-30T02:30"}, [("dispatched_at", "no_such_time")]),
        ({"own_number": "9.40011E+21"}, [("own_number", "number_scientific")]),
        ({"local_number": "9400111899223450000000"}, [("local_number", "number_rounded")]),
        ({"local_number": "####"}, [("local_number", "number_spreadsheet_error")]),
        ({"local_number": "A1"}, [("local_number", "number_too_short")]),
        ({"local_number": "'"}, [("local_number", "number_empty")]),
        ({"quantity": "2"}, [("sku", "quantity_without_sku")]),
        ({"sku": "MUG"}, [("quantity", "sku_without_quantity")]),
        ({"sku": "MUG", "quantity": "0"}, [("quantity", "quantity_too_small")]),
        ({"sku": "MUG", "quantity": "two"}, [("quantity", "not_whole")]),
        ({"sku": "MUG", "quantity": "-"}, [("quantity", "cannot_remove")]),
        ({"sku": "MUG", "quantity": "99999999999999999999999"}, [("quantity", "too_large")]),
        (
            {"own_number": "#N/A", "paid_at": "soon"},
            [("own_number", "number_spreadsheet_error"), ("paid_at", "bad_time")],
        ),
    ],
)
def test_a_cell_that_is_wrong_is_named_and_the_others_are_read(cells: dict, problems: list) -> None:
    row, found = parsed(carrier="4px", **cells)

    assert found == problems
    assert row is not None
    assert row.carrier == "4px"


@pytest.mark.parametrize(
    "cells, problems",
    [
        ({"store_id": ""}, [("store_id", "cell_empty")]),
        ({"store_id": "Acme"}, [("store_id", "not_whole")]),
        ({"order_number": "-"}, [("order_number", "cannot_remove")]),
        ({"order_number": " "}, [("order_number", "cell_empty")]),
        ({"parcel": "0"}, [("parcel", "parcel_too_small")]),
        ({"parcel": "-1"}, [("parcel", "not_whole")]),
        ({"parcel": "1.5"}, [("parcel", "not_whole")]),
        ({"parcel": "40000"}, [("parcel", "too_large")]),
        ({"parcel": "", "paid_at": "soon"}, [("parcel", "cell_empty"), ("paid_at", "bad_time")]),
    ],
)
def test_a_line_that_does_not_say_which_parcel_it_means_is_no_row(cells: dict, problems: list) -> None:
    assert parsed(**cells) == (None, problems)
