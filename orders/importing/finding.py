"""What a file names, looked up in bulk: stores, carriers, shipping methods, orders.

An order that is not here is asked for at its store by number, before anything is written and outside of any
transaction. What was found is not kept yet: writing.py does that.
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from stores.connectors.base import StoreOrder
from stores.connectors.codes import Code
from stores.connectors.errors import Delayed, Reason, StoreBusy, StoreDisconnected
from stores.models import Store

from .. import pull
from ..models import Carrier, Order, ShippingMethod
from ..wording import sentence
from .problems import FileCode, Value

CHUNK = 1000  # names per query
MOST_ASKED = 500  # orders of one store that are asked for one by one; more are pulled faster than asked for

T = TypeVar("T")
OrderName = tuple[int, str]  # store id, the number as it stands in the file


@dataclass(frozen=True)
class Unknown:
    """Why something was not found, with the values of its sentence."""

    code: FileCode
    values: dict[str, Value]


class Catalogue:
    """Carriers or shipping methods by their code or their exact name."""

    def __init__(self, rows: Iterable[tuple[int, str, str]], unknown: FileCode) -> None:
        self._unknown = unknown
        self._codes: dict[str, int] = {}
        self._names: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self.names: dict[int, str] = {}
        for pk, code, name in rows:
            self._codes[code] = pk
            self._names[name].append((pk, code))
            self.names[pk] = name

    def find(self, text: str) -> int | Unknown:
        """The id of what is called so."""
        if text in self._codes:
            return self._codes[text]
        named = self._names.get(text, [])
        if len(named) == 1:
            return named[0][0]
        if named:
            codes = ", ".join(sorted(code for _, code in named))
            return Unknown(FileCode.NAME_AMBIGUOUS, {"text": text, "codes": codes})
        return Unknown(self._unknown, {"text": text, "hint": hint(text, [*self._names, *self._codes])})


def carriers() -> Catalogue:
    """All carriers."""
    return Catalogue(Carrier.objects.values_list("pk", "code", "name"), FileCode.CARRIER_UNKNOWN)


def methods() -> Catalogue:
    """All shipping methods."""
    return Catalogue(ShippingMethod.objects.values_list("pk", "code", "name"), FileCode.METHOD_UNKNOWN)


def hint(text: str, known: Sequence[str]) -> str:
    """The nearest spelling, as it stands behind what was not found; "" where nothing is near."""
    folded = {name.casefold(): name for name in reversed(known)}
    near = difflib.get_close_matches(text.casefold(), folded, n=1, cutoff=0.6)
    return f" ({folded[near[0]]}?)" if near else ""


@dataclass(frozen=True)
class FoundOrder:
    """An order: here (`pk`), or just told by its store (`told`) and not kept yet."""

    store_id: int
    external_id: str
    number: str
    paid_at: datetime | None
    pk: int | None
    told: StoreOrder | None = None

    @property
    def key(self) -> tuple[int, str]:
        """The same for every spelling of its number."""
        return self.store_id, self.external_id


def spellings(number: str) -> tuple[str, ...]:
    """The number as written, then without and with the "#" that stores put before it."""
    bare = number.removeprefix("#")
    return tuple(dict.fromkeys((number, bare, "#" + bare)))


def find_orders(names: Iterable[OrderName]) -> dict[OrderName, list[FoundOrder]]:
    """The orders of each name: as written, else without its "#". None, one, or several."""
    found: dict[OrderName, list[FoundOrder]] = {}
    for chunk in chunks(sorted(set(names)), CHUNK):
        here: dict[OrderName, list[FoundOrder]] = defaultdict(list)
        rows = Order.objects.filter(
            store_id__in={store_id for store_id, _ in chunk},
            number__in={spelling for _, number in chunk for spelling in spellings(number)},
        )
        for pk, store_id, external_id, number, paid_at in rows.values_list(
            "pk", "store_id", "external_id", "number", "paid_at"
        ):
            here[store_id, number].append(FoundOrder(store_id, external_id, number, paid_at, pk))
        for store_id, number in chunk:
            as_written, *others = spellings(number)
            found[store_id, number] = here.get((store_id, as_written)) or [
                order for other in others for order in here.get((store_id, other), [])
            ]
    return found


def ask_stores(
    names: Iterable[OrderName], stores: dict[int, Store], now: datetime
) -> dict[OrderName, FoundOrder | Unknown]:
    """Ask the stores for orders that are not here, each once, over one connection per store."""
    missing: dict[int, list[str]] = defaultdict(list)
    for store_id, number in sorted(set(names)):
        missing[store_id].append(number)
    answers: dict[OrderName, FoundOrder | Unknown] = {}
    for store_id, numbers in missing.items():
        for number, answer in _ask(stores[store_id], numbers, now).items():
            answers[store_id, number] = answer
    return answers


def _ask(store: Store, numbers: list[str], now: datetime) -> dict[str, FoundOrder | Unknown]:
    def all_of_them(code: FileCode, **values: Value) -> dict[str, FoundOrder | Unknown]:
        return {number: Unknown(code, {"text": number, "store": store.pk, **values}) for number in numbers}

    if store.disconnected_at is not None:
        return all_of_them(FileCode.STORE_CLOSED)
    if store.needs_reconnecting or (store.resume_at is not None and store.resume_at > now):
        return all_of_them(FileCode.STORE_SILENT, reason=_say(Reason(store.trouble, store.trouble_values)))
    if len(numbers) > MOST_ASKED:
        return all_of_them(FileCode.TOO_MANY_TO_ASK, count=len(numbers) - 1)
    try:
        told = pull.ask_orders(store, numbers, now)
        # Each number in its other spelling, where the first one was not found: most stores write "#1001".
        others = {number: other for number in numbers if number not in told for other in [_other(number)]}
        if others:
            again = pull.ask_orders(store, others.values(), now)
            told |= {number: again[other] for number, other in others.items() if other in again}
    except (StoreBusy, StoreDisconnected, Delayed) as error:
        return all_of_them(FileCode.STORE_SILENT, reason=_say(error.reason))
    here = dict(
        Order.objects.filter(store=store, external_id__in=[order.external_id for order in told.values()]).values_list(
            "external_id", "pk"
        )
    )
    return {
        number: FoundOrder(
            store.pk,
            told[number].external_id,
            told[number].number,
            None,
            here.get(told[number].external_id),
            told[number],
        )
        if number in told
        else Unknown(FileCode.ORDER_UNKNOWN, {"text": number, "store": store.pk})
        for number in numbers
    }


def _other(number: str) -> str:
    return number.removeprefix("#") if number.startswith("#") else "#" + number


def _say(reason: Reason) -> str:
    return sentence(reason.code or Code.NO_ANSWER, reason.values).rstrip(".")


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of `size`."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def stores_of(ids: Iterable[int]) -> dict[int, Any]:
    """The stores with these ids."""
    found: dict[int, Any] = {}
    for chunk in chunks(sorted({pk for pk in ids if pk < 2**63}), CHUNK):
        found |= Store.objects.in_bulk(chunk)
    return found
