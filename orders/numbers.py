"""What people type and spreadsheets save as a tracking number, and what is left of it: pure functions.

`normalise` makes the value that is stored and compared; the raw text is kept beside it. `problems` says what no
normalising can mend. Whether a number belongs to us is asked in policy.py; its link is made in links.py.
"""

from __future__ import annotations

import enum
import re
import unicodedata

SHORTEST = 5
LONGEST = 50  # the longest label in use, a postal code with a parcel number behind it, has 34 digits

_FORMULA = re.compile(r'^="(.*)"$')  # ="00340434..." keeps Excel from calculating; the wrapper is no part of the number
_APOSTROPHES = "'`\u2018\u2019\u201b\u00b4"
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63"), "-")
_SCIENTIFIC = re.compile(r"^\d+(?:[.,]\d+E[+-]?|E[+-])\d+$")
_DECIMAL = re.compile(r"^\d+[.,]0*$")
_ALLOWED = re.compile(r"^[A-Z0-9](?:[A-Z0-9-]*[A-Z0-9])?$")


class NumberProblem(enum.StrEnum):
    """Why a value cannot be a tracking number."""

    EMPTY = "number_empty"
    SCIENTIFIC = "number_scientific"  # 9.40011E+21: Excel kept six digits of it
    ROUNDED = "number_rounded"  # Excel keeps fifteen digits and writes zeros for the rest
    DECIMAL = "number_decimal"  # 123456789012.0: went through a calculation
    SPREADSHEET_ERROR = "number_spreadsheet_error"  # "#####", "#N/A", "#REF!"
    CHARACTERS = "number_characters"  # anything but A-Z, 0-9 and hyphens inside
    TOO_SHORT = "number_too_short"
    TOO_LONG = "number_too_long"


def normalise(raw: str) -> str:
    """The number in one spelling: ASCII where full-width was typed, capital letters, nothing invisible.

    Spaces go wherever they stand, zero-width characters too; a leading apostrophe and the wrapper ="..." are the
    traces of a spreadsheet. Hyphens stay: some carriers print them. Normalising twice changes nothing.
    """
    if raw.isascii() and raw.isalnum():
        return raw.upper()  # nearly all of them, and twenty times as fast
    text = unicodedata.normalize("NFKC", raw).translate(_DASHES)
    text = "".join(c for c in text if not c.isspace() and unicodedata.category(c) not in {"Cf", "Cc"})
    text = text.lstrip(_APOSTROPHES)
    if wrapped := _FORMULA.match(text):
        text = wrapped[1].lstrip(_APOSTROPHES)
    return "".join(c.upper() if c.isascii() else c for c in text)


def problems(value: str) -> list[NumberProblem]:
    """What is wrong with a normalised number; [] when it may be one.

    Damage comes alone: of a number that a spreadsheet has spoilt, its length and characters say nothing more.
    """
    if not value:
        return [NumberProblem.EMPTY]
    if value.startswith("#"):
        return [NumberProblem.SPREADSHEET_ERROR]
    if _SCIENTIFIC.match(value):
        return [NumberProblem.SCIENTIFIC]
    if _DECIMAL.match(value):
        return [NumberProblem.DECIMAL]
    if _was_rounded(value):
        return [NumberProblem.ROUNDED]
    found = [] if _ALLOWED.match(value) else [NumberProblem.CHARACTERS]
    if len(value) < SHORTEST:
        found.append(NumberProblem.TOO_SHORT)
    if len(value) > LONGEST:
        found.append(NumberProblem.TOO_LONG)
    return found


def _was_rounded(value: str) -> bool:
    """Only zeros after the fifteenth digit.

    Every tenth true number of sixteen digits ends in a zero; those carry a check digit (Canada Post), which
    tells them from the rest.
    """
    if len(value) <= 15 or not (value.isascii() and value.isdigit()) or value[15:].strip("0"):
        return False
    return len(value) > 16 or not _has_gs1_check_digit(value)


def _has_gs1_check_digit(digits: str) -> bool:
    """The last digit fills the sum of the others, weighted 3, 1, 3 ... from the right, up to a full ten.

    https://www.gs1.org/services/how-calculate-check-digit-manually
    """
    weighted = sum(int(d) * (3 if place % 2 == 0 else 1) for place, d in enumerate(reversed(digits[:-1])))
    return (weighted + int(digits[-1])) % 10 == 0
