"""Tracking numbers as people type them and spreadsheets save them."""

from __future__ import annotations

import pytest

from orders.numbers import NumberProblem as P
from orders.numbers import normalise, problems


@pytest.mark.parametrize(
    "raw, value",
    [
        ("YT2600000000000001", "YT2600000000000001"),
        ("  yt2600000000000001\t", "YT2600000000000001"),
        ("9400 1118 9922 3456 7890 12", "9400111899223456789012"),
        ("'00340434161094021501", "00340434161094021501"),
        ("\u2019YT26", "YT26"),
        ('="00340434161094021501"', "00340434161094021501"),
        ("ＹＴ２６０００００００００００００１", "YT2600000000000001"),
        ("YT26\u200b00\ufeff01", "YT260001"),
        ("YT26\u00a00001", "YT260001"),
        ("YT26\u30000001", "YT260001"),
        ("rr123456785cn", "RR123456785CN"),
        ("1234\u20135678", "1234-5678"),
        ("", ""),
        (" ' ", ""),
    ],
)
def test_a_number_has_one_spelling(raw: str, value: str) -> None:
    assert normalise(raw) == value
    assert normalise(value) == value


@pytest.mark.parametrize(
    "value, found",
    [
        ("YT2600000000000001", []),
        ("RR123456785CN", []),
        ("1Z999AA10123456784", []),
        ("00340434161094021501", []),
        ("9400111899223456789012", []),
        ("CJPKR1234567890YQ", []),
        ("1234-5678", []),
        ("12345E10", []),  # letters among digits are no exponent
        ("420100001000000000000000000000", [P.ROUNDED]),
        ("", [P.EMPTY]),
        ("9.40011E+21", [P.SCIENTIFIC]),
        ("9,40011E+21", [P.SCIENTIFIC]),
        ("9E+21", [P.SCIENTIFIC]),
        ("9.4E21", [P.SCIENTIFIC]),
        ("9400111899223450000000", [P.ROUNDED]),
        ("34043416109402000", [P.ROUNDED]),
        ("123456789012.0", [P.DECIMAL]),
        ("#####", [P.SPREADSHEET_ERROR]),
        ("#N/A", [P.SPREADSHEET_ERROR]),
        ("YT26", [P.TOO_SHORT]),
        ("A" * 51, [P.TOO_LONG]),
        ("YT2600000001;YT2600000002", [P.CHARACTERS]),
        ("YT26/00000001", [P.CHARACTERS]),
        ("云途2600000001", [P.CHARACTERS]),
        ("-YT2600000001", [P.CHARACTERS]),
        ("N/A", [P.CHARACTERS, P.TOO_SHORT]),
    ],
)
def test_a_damaged_number_is_found(value: str, found: list[P]) -> None:
    assert problems(value) == found


@pytest.mark.parametrize(
    "value, found",
    [
        ("123456789012340", []),  # fifteen digits are what a spreadsheet keeps
        ("4001234567890140", []),  # sixteen with a check digit that happens to be a zero
        ("4001234567890130", [P.ROUNDED]),
    ],
)
def test_sixteen_digits_that_end_in_zero_are_believed_when_their_check_digit_is_right(
    value: str, found: list[P]
) -> None:
    assert problems(value) == found
