"""What can be wrong in a warehouse's file: codes with their values, and what to do about each.

A problem stops its parcel (and without --good-rows the whole file); a warning is told and stops nothing.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from ..numbers import NumberProblem

Value = str | int


class FileCode(enum.StrEnum):
    """Wrong with the file, a row, or what it says. `{values}` in SENTENCES."""

    EMPTY_FILE = "empty_file"
    WORKBOOK = "workbook"
    ENCODING = "encoding"
    UNREADABLE = "unreadable"
    SEVERAL_LINES = "several_lines"
    COLUMN_MISSING = "column_missing"
    COLUMN_UNKNOWN = "column_unknown"
    COLUMN_TWICE = "column_twice"
    TOO_MANY_CELLS = "too_many_cells"
    CELL_EMPTY = "cell_empty"
    NOT_WHOLE = "not_whole"
    PARCEL_TOO_SMALL = "parcel_too_small"
    QUANTITY_TOO_SMALL = "quantity_too_small"
    TOO_LARGE = "too_large"
    CANNOT_REMOVE = "cannot_remove"
    BAD_TIME = "bad_time"
    NO_SUCH_TIME = "no_such_time"
    FAR_FUTURE = "far_future"
    FAR_PAST = "far_past"
    SKU_WITHOUT_QUANTITY = "sku_without_quantity"
    QUANTITY_WITHOUT_SKU = "quantity_without_sku"
    STORE_UNKNOWN = "store_unknown"
    METHOD_UNKNOWN = "method_unknown"
    CARRIER_UNKNOWN = "carrier_unknown"
    NAME_AMBIGUOUS = "name_ambiguous"
    ORDER_UNKNOWN = "order_unknown"
    ORDER_AMBIGUOUS = "order_ambiguous"
    STORE_SILENT = "store_silent"
    STORE_CLOSED = "store_closed"
    TOO_MANY_TO_ASK = "too_many_to_ask"
    CONTRADICTION = "contradiction"
    CARRIER_MISSING = "carrier_missing"
    CARRIER_STAYS = "carrier_stays"
    OUR_CARRIER_MISSING = "our_carrier_missing"
    NUMBER_TAKEN = "number_taken"
    NUMBER_TWICE = "number_twice"
    SKU_UNKNOWN = "sku_unknown"
    MORE_THAN_ORDERED = "more_than_ordered"
    # Warnings
    NUMBER_SHARED = "number_shared"
    PAYMENT_STAYS = "payment_stays"
    CARRIER_UNUSED = "carrier_unused"
    LOCAL_LOOKS_OWN = "local_looks_own"
    OWN_LOOKS_LOCAL = "own_looks_local"
    ROW_TWICE = "row_twice"


WARNINGS = frozenset(
    {
        FileCode.NUMBER_SHARED,
        FileCode.PAYMENT_STAYS,
        FileCode.CARRIER_UNUSED,
        FileCode.LOCAL_LOOKS_OWN,
        FileCode.OWN_LOOKS_LOCAL,
        FileCode.ROW_TWICE,
    }
)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, where it stands, and the values of its sentence. Line 1 is the header."""

    line: int
    column: str
    code: FileCode | NumberProblem
    values: Mapping[str, Value] = field(default_factory=dict, hash=False)

    @property
    def is_warning(self) -> bool:
        """Told, but stops nothing."""
        return self.code in WARNINGS

    def __str__(self) -> str:
        place = _("line {line}").format(line=self.line)
        if self.column:
            place = _("line {line}, column {column}").format(line=self.line, column=self.column)
        return f"{place}: {sentence(self)}"


def sentence(problem: Problem) -> str:
    """What is wrong and what to do."""
    return _sentences()[problem.code].format(**problem.values)


def _sentences() -> dict[str, str]:
    return {
        FileCode.EMPTY_FILE: _("The file is empty. It begins with a line of column names."),
        FileCode.WORKBOOK: _("This is a workbook, not a CSV file. Save it as “CSV UTF-8” and import that."),
        FileCode.ENCODING: _("The text is in no encoding we know. Save the file as “CSV UTF-8”."),
        FileCode.UNREADABLE: _(
            "The file cannot be read as CSV ({detail}). Look for a quotation mark that is not closed."
        ),
        FileCode.SEVERAL_LINES: _("A cell goes on over several lines. Look for a quotation mark that is not closed."),
        FileCode.COLUMN_MISSING: _("The column {name} is missing. Add it; it may be left empty below."),
        FileCode.COLUMN_UNKNOWN: _("There is no column {name}{hint}. Correct its name or delete it."),
        FileCode.COLUMN_TWICE: _("The column {name} is there twice. Delete one of them."),
        FileCode.TOO_MANY_CELLS: _(
            "The line has {cells} cells, the header {columns}. Put text with a “{delimiter}” in it into "
            "quotation marks."
        ),
        FileCode.CELL_EMPTY: _("The cell is empty. It says which parcel is meant; fill it in."),
        FileCode.NOT_WHOLE: _("“{text}” is not a whole number. Write digits only."),
        FileCode.PARCEL_TOO_SMALL: _("There is no parcel {text}. The first parcel of an order is 1."),
        FileCode.QUANTITY_TOO_SMALL: _(
            "A parcel holds at least one of what is in it. Write 1 or more, or delete the line."
        ),
        FileCode.TOO_LARGE: _("“{text}” is too large. Check it."),
        FileCode.CANNOT_REMOVE: _("“-” removes nothing here. Fill the cell in."),
        FileCode.BAD_TIME: _(
            "“{text}” is not a time we can read. Write it as 2026-03-31T14:30 or 2026-03-31T14:30+08:00."
        ),
        FileCode.NO_SUCH_TIME: _(
            "“{text}” does not exist in {zone}: the clocks go forward then. Add the offset, as in +08:00."
        ),
        FileCode.FAR_FUTURE: _("“{text}” lies in the future. Correct the date."),
        FileCode.FAR_PAST: _("“{text}” lies too far back. Correct the year."),
        FileCode.SKU_WITHOUT_QUANTITY: _("How many? Fill in the quantity of this SKU."),
        FileCode.QUANTITY_WITHOUT_SKU: _("Of what? Fill in the SKU of this quantity, or empty the cell."),
        FileCode.STORE_UNKNOWN: _("There is no store {text}. Its id stands on the store's page in the admin."),
        FileCode.METHOD_UNKNOWN: _(
            "There is no shipping method “{text}”{hint}. Write its code or its exact name, or add it in the admin."
        ),
        FileCode.CARRIER_UNKNOWN: _(
            "There is no carrier “{text}”{hint}. Write its code or its exact name, or add it in the admin."
        ),
        FileCode.NAME_AMBIGUOUS: _("“{text}” is the name of several. Write the code instead: {codes}."),
        FileCode.ORDER_UNKNOWN: _("Store {store} has no order {text}. Compare the number with the one in the store."),
        FileCode.ORDER_AMBIGUOUS: _("Store {store} has several orders {text}. Enter this parcel in the admin."),
        FileCode.STORE_SILENT: _(
            "Order {text} is not here yet and store {store} could not be asked for it ({reason}). Import this "
            "line again later."
        ),
        FileCode.STORE_CLOSED: _(
            "Order {text} is not here and store {store} is not connected. Reconnect it, then import this line again."
        ),
        FileCode.TOO_MANY_TO_ASK: _(
            "Order {text} is not here yet, and {count} others of store {store} are not either. Run pull_orders "
            "--store {store}, then import again."
        ),
        FileCode.CONTRADICTION: _(
            "Line {other} says “{theirs}” of the same parcel, this one “{ours}”. Make them agree, or empty one."
        ),
        FileCode.CARRIER_MISSING: _("Whose number is {number}? Fill in the carrier of the local number."),
        FileCode.CARRIER_STAYS: _(
            "A number keeps its carrier. Name another carrier, or remove the local number as well."
        ),
        FileCode.OUR_CARRIER_MISSING: _("No carrier is marked as our own. Mark one in the admin, then import again."),
        FileCode.NUMBER_TAKEN: _(
            "{number} is the number of order {order}, parcel {parcel} (store {store}). Correct it, or allow "
            "shared numbers."
        ),
        FileCode.NUMBER_TWICE: _(
            "{number} is also on line {other}, on a parcel of another order. Correct one of them, or allow "
            "shared numbers."
        ),
        FileCode.SKU_UNKNOWN: _("Order {order} has no item with the SKU “{text}”{hint}. Correct it."),
        FileCode.MORE_THAN_ORDERED: _(
            "Of “{text}” order {order} has {ordered}, and its other parcels hold {elsewhere}. Correct the quantity."
        ),
        FileCode.NUMBER_SHARED: _("{number} is also the number of order {order}, parcel {parcel}."),
        FileCode.PAYMENT_STAYS: _("Order {order} was paid at {known}. A payment never moves: that time stays."),
        FileCode.CARRIER_UNUSED: _("There is no local number yet. Name the carrier again with the number."),
        FileCode.LOCAL_LOOKS_OWN: _(
            "{number} begins like our own numbers ({prefix}) and is never sent as a local one. Is it in the "
            "right column?"
        ),
        FileCode.OWN_LOOKS_LOCAL: _(
            "{number} does not begin like our own numbers ({prefix}). Is it in the right column?"
        ),
        FileCode.ROW_TWICE: _("The line says the same as line {other}. One of them is enough."),
        NumberProblem.EMPTY: _("There is no number in “{text}”. Correct it, or empty the cell."),
        NumberProblem.SCIENTIFIC: _(
            "A spreadsheet has shortened the number to “{text}” and its digits are lost. Format the column as "
            "text, enter the numbers again, and export anew."
        ),
        NumberProblem.ROUNDED: _(
            "A spreadsheet has replaced the last digits of “{text}” by zeros. Format the column as text, enter "
            "the numbers again, and export anew."
        ),
        NumberProblem.DECIMAL: _(
            "“{text}” went through a calculation. Format the column as text, enter the numbers again, and export anew."
        ),
        NumberProblem.SPREADSHEET_ERROR: _(
            "“{text}” is a spreadsheet's error, not a number. Widen or correct the cell and export anew."
        ),
        NumberProblem.CHARACTERS: _(
            "“{text}” has characters that no tracking number has. Use letters A-Z, digits and hyphens."
        ),
        NumberProblem.TOO_SHORT: _("“{text}” is too short for a tracking number. Check it."),
        NumberProblem.TOO_LONG: _("“{text}” is too long for a tracking number. Is it two numbers in one cell?"),
    }
