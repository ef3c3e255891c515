"""Compares what a file says of its parcels with what is known: numbers of other parcels, payments, quantities.

Nothing is written and nothing is asked over the network. What is wrong with a single cell was found in cells.py.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.utils import timezone

from ..choices import NumberKind
from ..models import TrackingNumber
from .cells import NumberCell, Remove
from .contents import Line, lay, per_sku
from .finding import CHUNK, FoundOrder, chunks, hint
from .parcels import Parcel, in_chunks
from .problems import FileCode, Problem
from .state import Here, State, load

KINDS = (("own_number", NumberKind.OWN), ("local_number", NumberKind.LOCAL))


@dataclass(frozen=True)
class Holder:
    """A parcel that has a number now."""

    store_id: int
    order_id: int
    order_number: str
    parcel: int
    shipment_id: int
    kind: str


def check(parcels: Sequence[Parcel], *, own_prefix: str, allow_shared: bool) -> list[Problem]:
    """All that is wrong with these parcels, sorted by the caller. A fixed number of queries per thousand of them."""
    problems: list[Problem] = []
    current: dict[tuple[tuple[int, str], int], Here] = {}
    for chunk in in_chunks(parcels, CHUNK):
        ids = {parcel.order.pk for parcel in chunk if parcel.order.pk}
        state = load(ids, with_contents=any(isinstance(parcel.contents, tuple) for parcel in chunk))
        for order, group in groupby(chunk, key=lambda parcel: parcel.order):
            same_order = list(group)
            known = state.parcels_of_order(order.pk)
            for parcel in same_order:
                here = known.get(parcel.parcel)
                if here is not None:
                    current[order.key, parcel.parcel] = here
                problems += _facts(parcel, here, own_prefix)
            problems += _contents(order, same_order, known, state)
    return problems + _shared(parcels, current, allow_shared)


def _facts(parcel: Parcel, here: Here | None, own_prefix: str) -> list[Problem]:
    found = []

    def problem(column: str, code: FileCode, **values: str | int) -> None:
        found.append(Problem(parcel.place(column), column, code, values))

    known = parcel.order.paid_at
    if parcel.paid_at is not None and known is not None and parcel.paid_at != known:
        problem(
            "paid_at",
            FileCode.PAYMENT_STAYS,
            order=parcel.order.number,
            known=f"{timezone.localtime(known):%Y-%m-%d %H:%M}",
        )

    has_local = here is not None and NumberKind.LOCAL in here.numbers
    if isinstance(parcel.local_number, NumberCell):
        number = parcel.local_number.value
        if isinstance(parcel.carrier, Remove):
            problem("carrier", FileCode.CARRIER_STAYS)
        elif parcel.carrier is None and not has_local:
            problem("carrier", FileCode.CARRIER_MISSING, number=number)
        if own_prefix and number.startswith(own_prefix):
            problem("local_number", FileCode.LOCAL_LOOKS_OWN, number=number, prefix=own_prefix)
    elif parcel.local_number is None and parcel.carrier is not None:
        if isinstance(parcel.carrier, Remove):
            if has_local:
                problem("carrier", FileCode.CARRIER_STAYS)
        elif not has_local:
            problem("carrier", FileCode.CARRIER_UNUSED)
    if isinstance(parcel.own_number, NumberCell) and not parcel.own_number.value.startswith(own_prefix):
        problem("own_number", FileCode.OWN_LOOKS_LOCAL, number=parcel.own_number.value, prefix=own_prefix)
    return found


def _contents(order: FoundOrder, parcels: list[Parcel], known: dict[int, Here], state: State) -> list[Problem]:
    """SKUs that the order does not have, and more units than it has."""
    if not any(isinstance(parcel.contents, tuple) for parcel in parcels):
        return []
    if order.pk is None:
        told = order.told.lines if order.told else ()
        return _laid(order, parcels, [Line(line.external_id, line.sku, line.quantity) for line in told], Counter(), {})
    said = {parcel.parcel for parcel in parcels if parcel.contents is not None}
    elsewhere: Counter[int] = Counter()
    for number, here in known.items():
        if number not in said:
            elsewhere.update(here.units)
    return _laid(order, parcels, state.lines.get(order.pk, []), elsewhere, known)


def _laid(
    order: FoundOrder, parcels: list[Parcel], lines: Sequence[Line], elsewhere: Counter, known: dict[int, Here]
) -> list[Problem]:
    found = []
    ordered: Counter[str] = Counter()
    for line in lines:
        ordered[line.sku] += line.ordered
    for parcel in parcels:
        if not isinstance(parcel.contents, tuple):
            continue
        wanted: Counter[str] = Counter()
        for units in parcel.contents:
            wanted[units.sku] += units.quantity
        taken = Counter(per_sku(lines, elsewhere))
        laid = lay(lines, elsewhere, wanted)
        here = known.get(parcel.parcel)
        if here is not None and per_sku(lines, here.units) == wanted:
            # What is in the parcel already was right when it was put there; the order may have shrunk since.
            elsewhere.update(here.units)
            continue
        elsewhere.update(laid.units)
        seen: set[str] = set()
        for units in parcel.contents:
            if units.sku in seen or units.sku not in laid.missing:
                continue
            seen.add(units.sku)
            if units.sku not in ordered:
                values: dict[str, str | int] = {
                    "order": order.number,
                    "text": units.sku,
                    "hint": hint(units.sku, list(ordered)),
                }
                found.append(Problem(units.line, "sku", FileCode.SKU_UNKNOWN, values))
            else:
                values = {
                    "order": order.number,
                    "text": units.sku,
                    "ordered": ordered[units.sku],
                    "elsewhere": taken[units.sku],
                }
                found.append(Problem(units.line, "quantity", FileCode.MORE_THAN_ORDERED, values))
    return found


def _shared(
    parcels: Sequence[Parcel], current: dict[tuple[tuple[int, str], int], Here], allow_shared: bool
) -> list[Problem]:
    """New numbers that another parcel has too: in the file, or here and not replaced by the file."""
    new: dict[str, list[tuple[Parcel, str]]] = defaultdict(list)  # number → parcels that get it, and the column
    replaced: set[tuple[int, str]] = set()  # (shipment, kind) whose number the file changes
    for parcel in parcels:
        here = current.get((parcel.order.key, parcel.parcel))
        for column, kind in KINDS:
            said = getattr(parcel, column)
            before = here.numbers.get(kind) if here else None
            if here is not None and before is not None and said is not None:
                if isinstance(said, Remove) or said.value != before.value:
                    replaced.add((here.pk, kind))
            if isinstance(said, NumberCell) and (before is None or before.value != said.value):
                new[said.value].append((parcel, column))

    problems = []
    holders = _holders(new)
    for value, places in new.items():
        for parcel, column in places:
            line = parcel.place(column)
            for other, other_column in places:
                if _is_same_parcel(parcel, other):
                    continue
                if other.order.key == parcel.order.key:
                    problems.append(_warn(line, column, value, other.order.number, other.parcel))
                elif not allow_shared:
                    there: dict[str, str | int] = {"number": value, "other": other.place(other_column)}
                    problems.append(Problem(line, column, FileCode.NUMBER_TWICE, there))
                break
            here = current.get((parcel.order.key, parcel.parcel))
            for holder in holders.get(value, []):
                if (holder.shipment_id, holder.kind) in replaced or (here and here.pk == holder.shipment_id):
                    continue
                if holder.order_id == parcel.order.pk:
                    problems.append(_warn(line, column, value, holder.order_number, holder.parcel))
                elif not allow_shared:
                    taken: dict[str, str | int] = {
                        "number": value,
                        "order": holder.order_number,
                        "parcel": holder.parcel,
                        "store": holder.store_id,
                    }
                    problems.append(Problem(line, column, FileCode.NUMBER_TAKEN, taken))
                break
    return problems


def _is_same_parcel(one: Parcel, other: Parcel) -> bool:
    return (one.order.key, one.parcel) == (other.order.key, other.parcel)


def _warn(line: int, column: str, number: str, order: str, parcel: int) -> Problem:
    return Problem(line, column, FileCode.NUMBER_SHARED, {"number": number, "order": order, "parcel": parcel})


def _holders(values: Iterable[str]) -> dict[str, list[Holder]]:
    """Which parcels have these numbers now."""
    holders: dict[str, list[Holder]] = defaultdict(list)
    for chunk in chunks(values, CHUNK):
        rows = TrackingNumber.objects.filter(value__in=chunk, replaced_at__isnull=True).values_list(
            "value",
            "shipment__order__store_id",
            "shipment__order_id",
            "shipment__order__number",
            "shipment__parcel",
            "shipment_id",
            "kind",
        )
        for value, store_id, order_id, number, parcel, shipment_id, kind in rows:
            holders[value].append(Holder(store_id, order_id, number, parcel, shipment_id, kind))
    return holders
