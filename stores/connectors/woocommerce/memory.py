"""What the process remembers of one store from one run to the next: habits of its server, never its data.

A value of `Memory` belongs to one store. One writer and now and then a pull use it at the same time; everything in
it is a single value that may be lost or found out again. Times are of time.monotonic().
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from .places import Places

PATIENCE = 15 * 60.0  # seconds of pages in place of data, until a person is asked to look
TRIES = 3  # and as many of them at the least
BY_QUERY = 24 * 3600.0  # seconds
MOST_REFUNDS = 2_000  # orders whose refunded units are kept


@dataclass
class Strikes:
    """How often in a row a page came in place of data, and since when."""

    count: int = 0
    since: float = 0.0

    def add(self, now: float) -> bool:
        """One more. Whether that has gone on for so long that a person has to look."""
        if not self.count:
            self.since = now
        self.count += 1
        return self.is_over(now)

    def is_over(self, now: float) -> bool:
        """Whether it has gone on for too long."""
        return self.count >= TRIES and now - self.since >= PATIENCE


@dataclass
class Memory:
    """Everything has a start value: a store that nobody has asked anything yet."""

    by_query: bool = False  # the host drops the Authorization header: the key goes in the address
    by_query_until: float = 0.0  # then it is tried in the header again: addresses end up in the host's log
    is_soiled: bool = False  # PHP warnings or a byte order mark stood before an answer
    per_page: int = 100  # orders asked for at once; halves when a page of them was too much for the shop's PHP
    places: Places | None = None  # where numbers can go
    places_until: float = 0.0
    providers: Any = None  # the carriers that the tracking plugin knows, as push keeps them
    providers_until: float = 0.0
    statuses: tuple[str, ...] | None = None  # that orders may have; None: not asked yet
    refunded: OrderedDict[tuple[int, ...], dict[str, int]] = field(default_factory=OrderedDict)
    reads: Strikes = field(default_factory=Strikes)
    writes: Strikes = field(default_factory=Strikes)

    def asks_by_query(self, now: float) -> bool:
        """Whether the key goes in the address."""
        self.by_query = self.by_query and now < self.by_query_until
        return self.by_query

    def keep_to_query(self, now: float) -> None:
        """The key arrived in the address, and in the header it did not."""
        self.by_query, self.by_query_until = True, now + BY_QUERY

    def answered(self, *, writes: bool) -> None:
        """Data came: whatever stood in between is gone. A filter may let reads pass and no writes."""
        self.reads.count = 0
        if writes:
            self.writes.count = 0

    def forget_places(self) -> None:
        """A plugin was switched on or off: where numbers can go is found anew, and which carriers are known."""
        self.places, self.places_until = None, 0.0
        self.providers, self.providers_until = None, 0.0

    def keep_refunds(self, ids: tuple[int, ...], units: dict[str, int]) -> None:
        """Refunds never change once they are made: what they took back is asked for once."""
        self.refunded[ids] = units
        while len(self.refunded) > MOST_REFUNDS:
            self.refunded.popitem(last=False)
