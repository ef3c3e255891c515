"""How the API writes times and money. A leaf: everyone may import it."""

from __future__ import annotations

import datetime
from typing import Any

Record = dict[str, Any]


def iso(at: datetime.datetime) -> str:
    """A time as the API writes it: whole seconds, UTC."""
    return at.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> datetime.datetime:
    """A time as the API or a test wrote it; without an offset it is UTC."""
    value = datetime.datetime.fromisoformat(text)
    return value if value.tzinfo else value.replace(tzinfo=datetime.UTC)


def money(amount: float | str, currency: str) -> Record:
    """An amount as the API writes it: at least one decimal, no needless zeros."""
    text = f"{float(amount):.2f}"
    text = text[:-1] if text.endswith("0") else text
    one = {"amount": text, "currencyCode": currency}
    return {"shopMoney": one, "presentmentMoney": one}


def tail(gid: str) -> str:
    """The number at the end of a global id."""
    return gid.rsplit("/", 1)[1].split("?")[0]
