"""What a pretend store wrote down, in words that are the same for every platform. Frozen values, no requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Shown:
    """One number that a store shows, as its own book has it."""

    shop: str
    order: str  # without the leading #
    number: str
    company: str
    at: float  # when the store first showed it, seconds since the epoch


@dataclass(frozen=True, order=True)
class StoreMail:
    """A mail that the store itself sent to a shopper: its kind, in the store's word, and the numbers in it."""

    order: str
    kind: str
    numbers: tuple[str, ...]


@dataclass(frozen=True)
class Book:
    """One store's book. A number that stands there twice is in `shown` twice."""

    shown: tuple[Shown, ...] = ()
    # Order → how far it is, in the store's own word; where the store keeps a log, every word since the first.
    states: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mails: tuple[StoreMail, ...] = ()
    wrong: tuple[str, ...] = ()  # what must never have happened there, in sentences that begin with the store
