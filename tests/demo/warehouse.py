"""The two files that a warehouse would export: what is packed and labelled, and later what has left the house.

Made from the story's table, for all stores in one file, in the columns that import_shipments reads. The second file
names only what is new: an empty cell changes nothing.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from . import story
from .cast import Parcel

COLUMNS = (
    "store_id",
    "order_number",
    "parcel",
    "shipping_method",
    "own_number",
    "local_number",
    "carrier",
    "paid_at",
    "dispatched_at",
    "sku",
    "quantity",
)
Row = dict[str, str]


def packed(store_ids: Mapping[str, str], now: datetime, paid_at: Callable[[str], datetime]) -> Iterator[Row]:
    """The first file: every parcel with the numbers on its label. `paid_at`: order number → the merchant's payment."""
    for parcel in story.parcels():
        case = parcel.case
        kinds = case.numbers.split()
        row = _row(
            store_ids[parcel.shop],
            parcel,
            shipping_method=case.method,
            own_number=parcel.value("own") if "own" in kinds else "",
            local_number=parcel.value("local") if "local" in kinds else "",
            carrier=parcel.carrier if "local" in kinds else "",
            paid_at=_iso(paid_at(parcel.order)) if case.is_paid else "",
            dispatched_at=_iso(now) if case.leaves == 1 else "",
        )
        if not parcel.names_contents:
            yield row
        for goods, quantity in parcel.goods if parcel.names_contents else ():
            yield row | {"sku": goods.sku, "quantity": str(quantity)}


def dispatched(store_ids: Mapping[str, str], now: datetime) -> Iterator[Row]:
    """The second file: what has left since, late numbers and replaced ones."""
    for parcel in story.parcels():
        brings = parcel.case.brings
        if parcel.case.leaves == 2 or brings:
            yield _row(
                store_ids[parcel.shop],
                parcel,
                local_number=parcel.value(brings),
                carrier=parcel.carrier if brings else "",
                dispatched_at=_iso(now) if parcel.case.leaves == 2 else "",
            )


def write(path: Path, rows: Iterator[Row]) -> int:
    """Write the file; the number of its rows below the header."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        written = list(rows)
        writer.writerows(written)
    return len(written)


def _row(store_id: str, parcel: Parcel, **cells: str) -> Row:
    return {"store_id": store_id, "order_number": f"#{parcel.order}", "parcel": str(parcel.parcel), **cells}


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")
