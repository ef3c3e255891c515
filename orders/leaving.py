"""Everything that is kept of one store, as a ZIP of CSV files, for a merchant who leaves or wants to keep it.

Written while it is sent: neither the rows nor the file are ever in memory as a whole. Which store may be downloaded
by whom is the view's affair. No credentials, tokens or secrets are in it.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from stores.connectors.registry import platform_choices
from stores.models import PreferenceChange, Store

from .models import (
    CustomerEmail,
    Order,
    OrderLine,
    ShipmentLine,
    SyncAttempt,
    TrackingNumber,
    TrackingSync,
)
from .wording import attempt_line, sentence
from .wording.mails import mail_sentence

ROWS = 2000  # fetched and written at a time
# A spreadsheet takes a cell that begins so for a formula, and runs it.
# https://owasp.org/www-community/attacks/CSV_Injection
FORMULA = ("=", "+", "-", "@", "\t", "\r")
BYTE_ORDER_MARK = "\ufeff"  # without it Excel does not read UTF-8


@dataclass(frozen=True)
class Table:
    """One file: the columns by heading and where each comes from, and how a row of values is put into cells."""

    name: str
    rows: Callable[[Store], QuerySet[Any]]
    columns: dict[str, str]
    finish: Callable[[list[Any]], list[Any]] = list


def _attempt(values: list[Any]) -> list[Any]:
    """Outcome, reason and its values as one sentence, in the place of the values."""
    *before, outcome, reason, said_with, message, actor = values
    return [*before, outcome, reason, attempt_line(outcome, reason, said_with), message, actor]


def _standing(values: list[Any]) -> list[Any]:
    """The reason's values as its sentence."""
    *before, reason, said_with = values
    return [*before, reason, sentence(reason, said_with) if reason else ""]


def _mail(values: list[Any]) -> list[Any]:
    """State and reason as one sentence, in the place of the platform that it may name."""
    *before, state, reason, platform, answer = values
    said_with = {"platform": dict(platform_choices()).get(platform, platform), "answer": answer}
    return [*before, state, reason, mail_sentence(state, reason, said_with), answer]


TABLES = (
    Table(
        "orders",
        lambda store: Order.objects.filter(store=store),
        {
            "order": "number",
            "store_id_of_order": "external_id",
            "placed_at": "placed_at",
            "customer_name": "customer_name",
            "customer_email": "customer_email",
            "country": "country",
            "shopper_paid_at": "shopper_paid_at",
            "paid_at": "paid_at",
            "cancelled_at": "cancelled_at",
            "cancel_reason": "cancel_reason",
        },
    ),
    Table(
        "order_lines",
        lambda store: OrderLine.objects.filter(order__store=store),
        {
            "order": "order__number",
            "store_id_of_line": "external_id",
            "sku": "sku",
            "title": "title",
            "quantity": "quantity",
            "requires_shipping": "requires_shipping",
        },
    ),
    Table(
        "shipments",
        lambda store: TrackingSync.objects.filter(store=store),
        {
            "order": "shipment__order__number",
            "parcel": "shipment__parcel",
            "shipping_method": "shipment__shipping_method__name",
            "dispatched_at": "shipment__dispatched_at",
            "state": "state",
            "state_since": "state_since",
            "number_in_store": "shown__value",
            "in_store_since": "synced_at",
            "last_looked_at": "checked_at",
            "reason": "reason",
            "in_words": "reason_values",
        },
        _standing,
    ),
    Table(
        "parcel_contents",
        lambda store: ShipmentLine.objects.filter(shipment__order__store=store),
        {
            "order": "shipment__order__number",
            "parcel": "shipment__parcel",
            "sku": "line__sku",
            "title": "line__title",
            "quantity": "quantity",
        },
    ),
    Table(
        "numbers",
        lambda store: TrackingNumber.objects.filter(shipment__order__store=store),
        {
            "order": "shipment__order__number",
            "parcel": "shipment__parcel",
            "kind": "kind",
            "number": "value",
            "carrier": "carrier__name",
            "known_at": "known_at",
            "replaced_at": "replaced_at",
            "replaced_why": "replaced_why",
        },
    ),
    Table(
        "attempts",
        lambda store: SyncAttempt.objects.filter(sync__store=store),
        {
            "order": "sync__shipment__order__number",
            "parcel": "sync__shipment__parcel",
            "at": "at",
            "number": "number__value",
            "version_of_choice": "preference_version",
            "request_id": "request_id",
            "milliseconds": "duration_ms",
            "outcome": "outcome",
            "reason": "reason",
            "in_words": "reason_values",
            "the_store_said": "message",
            "by": "actor__email",
        },
        _attempt,
    ),
    Table(
        "mails",
        lambda store: CustomerEmail.objects.filter(shipment__order__store=store),
        {
            "order": "shipment__order__number",
            "parcel": "shipment__parcel",
            "kind": "kind",
            "number": "number__value",
            "created_at": "created_at",
            "sent_at": "sent_at",
            "state": "state",
            "reason": "reason",
            "in_words": "shipment__order__store__platform",
            "the_mail_server_said": "answer",
        },
        _mail,
    ),
    Table(
        "choices",
        lambda store: PreferenceChange.objects.filter(preference__store=store),
        {"version": "version", "at": "at", "by": "actor__email", "before": "before", "after": "after"},
    ),
)


def everything(store: Store) -> Iterator[bytes]:
    """The bytes of the ZIP, piece by piece."""
    out = _Pieces()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for table in TABLES:
            with archive.open(f"{table.name}.csv", "w", force_zip64=True) as file:
                for text in _csv(table, store):
                    file.write(text.encode())
                    yield out.take()
        # The directory at the end is written when the archive is closed.
    yield out.take()


def cell(value: Any) -> Any:
    """A value as it stands in a file: times in ISO 8601 and UTC, nothing for none, and no formula."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return value
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _csv(table: Table, store: Store) -> Iterator[str]:
    yield BYTE_ORDER_MARK + _lines([list(table.columns)])
    rows = table.rows(store).order_by("pk").values_list(*table.columns.values())
    batch: list[list[Any]] = []
    for values in rows.iterator(chunk_size=ROWS):
        batch.append([cell(value) for value in table.finish(list(values))])
        if len(batch) == ROWS:
            yield _lines(batch)
            batch = []
    yield _lines(batch)


def _lines(rows: Iterable[list[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


class _Pieces(io.RawIOBase):
    """A file that cannot be gone back in: what is written is kept until it is taken."""

    def __init__(self) -> None:
        self._kept: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._kept.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        """What was written since the last time."""
        taken, self._kept = b"".join(self._kept), []
        return taken
