"""Orders as a CSV file, a piece at a time: one line per parcel, safe to open in a spreadsheet.

Which orders is found in listing.py; who may have the file, and how often, is asked in the view.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime, tzinfo

from django.utils import timezone
from django.utils.translation import gettext as _

from .choices import NumberKind
from .links import tracking_link
from .listing import Found, Listed, chunks
from .local_time import in_zone_of, zone_of
from .models import Shipment, TrackingNumber, TrackingSync
from .standing import standing
from .wording import fill
from .wording.explain import SITUATIONS, Situation

# So many orders are read at a time: some hundred kilobytes of lines.
CHUNK = 500
# Tells Excel that the file is UTF-8.
BOM = "\ufeff"
# A cell that begins so is calculated by a spreadsheet. https://owasp.org/www-community/attacks/CSV_Injection
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")


def header() -> list[str]:
    """The names of the columns."""
    return [
        _("Store"),
        _("Order"),
        _("Placed"),
        _("Paid"),
        _("Cancelled"),
        _("Customer"),
        _("E-mail"),
        _("Country"),
        _("Parcel"),
        _("Shipping method"),
        _("Dispatched"),
        _("State"),
        _("What is so"),
        _("Number in the store"),
        _("In the store since"),
        _("Our number"),
        _("The carrier's number"),
        _("Carrier"),
        _("Tracking link"),
    ]


def pieces(found: Found, now: datetime, *, size: int = CHUNK) -> Iterator[str]:
    """The file: its first line at once, then the lines of so many orders at a time. Five queries for each piece."""
    yield BOM + _lines([header()])
    for listed in chunks(found, size):
        yield _lines([guarded(line) for each in listed for line in lines_of(each, now)])


def lines_of(listed: Listed, now: datetime) -> Iterator[list[str]]:
    """The cells of each parcel of an order; one line where it has none. Times are of the store's zone."""
    order = listed.order
    zone = zone_of(order.store)
    head = [
        order.store.name,
        order.number,
        _time(order.placed_at, zone),
        _time(order.paid_at, zone),
        _time(order.cancelled_at, zone),
        order.customer_name,
        order.customer_email,
        order.country,
    ]
    with in_zone_of(order.store):
        if not listed.parcels:
            yield [*head, "", "", "", "", fill(SITUATIONS[Situation.NO_PARCEL].says), *[""] * 6]
        for shipment in listed.parcels:
            yield [*head, *_parcel(shipment, zone, now)]


def guarded(cells: list[str]) -> list[str]:
    """Cells that a spreadsheet would calculate get an apostrophe before them, which makes them text."""
    return [f"'{cell}" if cell.startswith(FORMULAS) else cell for cell in cells]


def _parcel(shipment: Shipment, zone: tzinfo, now: datetime) -> list[str]:
    row: TrackingSync = shipment.sync
    current: list[TrackingNumber] = shipment.current_numbers  # type: ignore[attr-defined]
    of_kind = {number.kind: number.value for number in current}
    stands = standing(row, now)
    # Carrier and link belong to one number: while none is chosen, to the only one there is.
    followed = row.shown or row.wanted or (current[0] if len(current) == 1 else None)
    return [
        str(shipment.parcel),
        shipment.shipping_method.name if shipment.shipping_method else "",
        _time(shipment.dispatched_at, zone),
        stands.label,
        stands.line,
        row.shown.value if row.shown else "",
        _time(row.synced_at, zone) if row.shown else "",
        of_kind.get(NumberKind.OWN, ""),
        of_kind.get(NumberKind.LOCAL, ""),
        followed.carrier.name if followed else "",
        tracking_link(followed.carrier, followed.value, shipment.token) if followed else "",
    ]


def _time(at: datetime | None, zone: tzinfo) -> str:
    """2026-03-02 13:00:00+01:00: sorts as text, and names its offset."""
    return timezone.localtime(at, zone).isoformat(" ", "seconds") if at else ""


def _lines(rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
