"""What a merchant takes along of the mails: each with what became of it, and why."""

from __future__ import annotations

import csv
import io
import zipfile

import pytest

from orders.leaving import everything
from orders.models import CustomerEmail
from stores.models import Store
from tests.orders.mail.writing import a_shop, a_shown_parcel, send

pytestmark = pytest.mark.django_db


def mails_of(store: Store) -> list[tuple[str, ...]]:
    """The rows of mails.csv: kind, state, reason, the sentence, what the server said."""
    with zipfile.ZipFile(io.BytesIO(b"".join(everything(store)))) as archive:
        rows = csv.DictReader(io.StringIO(archive.read("mails.csv").decode("utf-8-sig")))
        return [
            tuple(row[name] for name in ("kind", "state", "reason", "in_words", "the_mail_server_said")) for row in rows
        ]


def test_the_mails_are_taken_along_with_the_reason_in_words() -> None:
    store = a_shop()
    a_shown_parcel(store, number="YT1")
    send()
    a_shown_parcel(store, number="YT2", customer_email="")
    refused = a_shown_parcel(store, number="YT3")
    by_store = a_shown_parcel(store, number="YT4")
    rows = CustomerEmail.objects
    rows.filter(shipment=refused).update(
        state="refused", reason="server_refused", answer="550 no such user", due_at=None
    )
    rows.filter(shipment=by_store).update(state="by_store", reason="by_store", due_at=None)

    assert mails_of(store) == [
        ("shipped", "sent", "", "Sent.", ""),
        ("shipped", "skipped", "no_address", "Not sent: the order has no e-mail address of the customer.", ""),
        (
            "shipped",
            "refused",
            "server_refused",
            "The mail server refused it: 550 no such user.",
            "550 no such user",
        ),
        ("shipped", "by_store", "by_store", "Left to Shopify, which writes to the customer itself.", ""),
    ]
