"""What the demo asks of one platform's pretend stores. To show another platform: one more of these."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

import requests

from tests.demo.cast import Shop

from .book import Book


@dataclass(frozen=True)
class Access:
    """A store's address, and what lets TrackSync in: a column of `connect_store`'s file → its cell."""

    url: str
    credentials: Mapping[str, str] = field(repr=False)


class World(ABC):
    """The pretend stores of one platform, in a process that somebody else has started."""

    label: ClassVar[str]  # the platform's name
    module: ClassVar[str]  # what is run with -m, and --port
    note: ClassVar[str] = ""  # what is different here, for a merchant

    def __init__(self, address: str) -> None:
        """Nothing is asked yet."""
        self.address = address

    def is_up(self) -> bool:
        """Whether it answers."""
        try:
            return requests.get(f"{self.address}/_health", timeout=2).ok
        except requests.RequestException:
            return False

    def page(self, key: str) -> str:
        """Where people look at a store."""
        return f"{self.address}/{key}/"

    @classmethod
    def hint(cls, shop: Shop) -> str:
        """What else there is to try on its page, "" for nothing."""
        return ""

    @abstractmethod
    def open(self, shop: Shop, now: datetime) -> None:
        """Open a store and let its shoppers order."""

    @abstractmethod
    def access(self, key: str) -> Access:
        """How TrackSync is let in."""

    @abstractmethod
    def cancel(self, key: str, order: str) -> None:
        """The merchant cancels an order, named without its leading #."""

    def release(self, key: str, order: str) -> None:
        """The merchant lets go of an order that was on hold, where the platform has such a thing."""
        raise NotImplementedError(f"{self.label} holds no order back.")

    @abstractmethod
    def book(self, key: str) -> Book:
        """The store's own book as it is now."""
