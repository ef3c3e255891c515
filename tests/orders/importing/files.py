"""The words of the import's tests: files made of a few cells, and what is here afterwards."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from orders.importing import Report, import_file
from orders.importing.reading import OPTIONAL, REQUIRED
from orders.models import Order, Shipment
from tests.factories import NOON

COLUMNS = (*REQUIRED, *OPTIONAL)


def a_file(*lines: dict[str, Any], columns: tuple[str, ...] = REQUIRED, delimiter: str = ",") -> str:
    """A CSV file with these cells; what a line does not name is empty."""
    rows = [columns, *(tuple(str(line.get(column, "")) for column in columns) for line in lines)]
    return "".join(delimiter.join(row) + "\r\n" for row in rows)


def a_line(order: Order, parcel: int = 1, **cells: Any) -> dict[str, Any]:
    """A line about a parcel of this order."""
    return {"store_id": order.store_id, "order_number": order.number, "parcel": parcel} | cells


def run(text: str | bytes, *, now: datetime = NOON, **options: Any) -> Report:
    """Import the file at noon."""
    return import_file(text if isinstance(text, bytes) else text.encode(), now=now, **options)


def told(report: Report) -> list[tuple[int, str, str]]:
    """(line, column, code) of each problem."""
    return [(problem.line, problem.column, str(problem.code)) for problem in report.problems]


def warned(report: Report) -> list[tuple[int, str, str]]:
    """(line, column, code) of each warning."""
    return [(problem.line, problem.column, str(problem.code)) for problem in report.warnings]


def numbers_of(shipment: Shipment) -> list[tuple[str, str, str, bool]]:
    """(kind, value, carrier, whether it is current), oldest first."""
    return [
        (number.kind, number.value, number.carrier.code, number.replaced_at is None)
        for number in shipment.numbers.select_related("carrier").order_by("pk")
    ]


def parcels_of(order: Order) -> dict[int, dict[str, int]]:
    """{parcel: {SKU: units}}."""
    return {
        shipment.parcel: {
            line.line.sku: line.quantity for line in shipment.lines.select_related("line").order_by("line")
        }
        for shipment in order.shipments.order_by("parcel")
    }
