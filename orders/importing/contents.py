"""Which units of which order lines are in a parcel, when the warehouse names only SKUs: pure.

A shop may sell one SKU in several lines of an order (two variants of a bundle, a line added later); the units are
laid on them in the order of the lines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key", int, str)


@dataclass(frozen=True)
class Line(Generic[Key]):
    """A line of the order: its key, its SKU, how many are ordered."""

    key: Key
    sku: str
    ordered: int


@dataclass(frozen=True)
class Laid(Generic[Key]):
    """Units per line, and the units of a SKU for which the order had no room."""

    units: Mapping[Key, int]
    missing: Mapping[str, int]


def lay(lines: Sequence[Line[Key]], elsewhere: Mapping[Key, int], wanted: Mapping[str, int]) -> Laid[Key]:
    """Lay `wanted` units per SKU on the order's lines, beside what its other parcels hold of each line."""
    units: Counter[Key] = Counter()
    left = Counter(wanted)
    for line in lines:
        room = line.ordered - elsewhere.get(line.key, 0)
        taken = max(0, min(room, left[line.sku]))
        if taken:
            units[line.key] += taken
            left[line.sku] -= taken
    return Laid(dict(units), {sku: count for sku, count in left.items() if count})


def per_sku(lines: Sequence[Line[Key]], units: Mapping[Key, int]) -> dict[str, int]:
    """The same contents by SKU."""
    skus = {line.key: line.sku for line in lines}
    counted: Counter[str] = Counter()
    for key, count in units.items():
        counted[skus.get(key, "")] += count
    return dict(counted)
