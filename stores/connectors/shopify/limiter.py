"""The store's cost bucket as its answers describe it: how long to wait, how much to ask for at once.

Arithmetic only: no clock, no sleep, no network. `graphql.py` asks before it sends and tells what came
back. Each app has one bucket per store; a request is refused unless the bucket holds all that it might
cost, and the difference to what it did cost is given back afterwards.
https://shopify.dev/docs/api/usage/limits
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

REQUEST_LIMIT = 900.0  # Shopify refuses 1,000; what we expect of a request may be a little wrong
UNSURE_LIMIT = 100.0  # dearer than this is not sent to a bucket that nobody has looked into

CREATE = "create"
UPDATE = "update"
CANCEL = "cancel"

# A tracking update went from 11 to 51 in June 2026 without notice: what the store says is believed,
# as soon as it is more.
STARTING_COSTS = {CREATE: 11.0, UPDATE: 51.0, CANCEL: 11.0}


@dataclass(frozen=True)
class Cost:
    """`extensions.cost` of one answer, in points and points per second."""

    requested: float
    actual: float | None
    maximum: float
    available: float
    restore: float

    @classmethod
    def read(cls, extensions: object) -> Cost | None:
        """The cost in an answer's extensions; None when they do not tell."""
        try:
            cost = extensions["cost"]  # type: ignore[index]
            status = cost["throttleStatus"]
            return cls(
                requested=float(cost.get("requestedQueryCost") or 0),
                actual=None if cost.get("actualQueryCost") is None else float(cost["actualQueryCost"]),
                maximum=float(status["maximumAvailable"]),
                available=float(status["currentlyAvailable"]),
                restore=float(status["restoreRate"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            return None


@dataclass
class Limiter:
    """What is known of one store's bucket. May be kept between runs; a new run begins with `doubt()`."""

    ceiling: float = REQUEST_LIMIT  # the most that one request may cost
    maximum: float = 0.0
    restore: float = 50.0
    available: float = 0.0
    seen_at: float | None = None  # when `available` was true, by the caller's monotonic clock
    costs: dict[str, float] = field(default_factory=lambda: dict(STARTING_COSTS))

    @property
    def limit(self) -> float:
        """The most that one request may cost now: never more than the bucket can hold."""
        return self.ceiling if self.seen_at is None else min(self.ceiling, self.maximum)

    def doubt(self) -> None:
        """Another process may have spent points since the last answer: look before something dear is sent."""
        self.seen_at = None

    def needs_a_look(self, cost: float) -> bool:
        """Whether the bucket has to be looked into before a request of this cost."""
        return self.seen_at is None and cost > UNSURE_LIMIT

    def wait(self, cost: float, now: float) -> float:
        """Seconds until the bucket surely holds `cost`; 0 when it does, or when nothing is known."""
        if self.seen_at is None:
            return 0.0
        wanted = min(cost, self.maximum)
        held = min(self.maximum, self.available + self.restore * max(now - self.seen_at, 0.0))
        return max(wanted - held, 0.0) / self.restore

    def answered(self, cost: Cost, now: float) -> None:
        """Learn the state of the bucket from an answer that arrived at `now`."""
        self.maximum = cost.maximum
        self.restore = max(cost.restore, 1.0)
        self.available = cost.available
        self.seen_at = now

    def lost(self, cost: float, now: float) -> None:
        """A request of this cost had no readable answer: it may have been counted in full."""
        if self.seen_at is not None:
            held = min(self.maximum, self.available + self.restore * max(now - self.seen_at, 0.0))
            self.available = max(held - cost, 0.0)
            self.seen_at = now

    def expects(self, units: dict[str, int]) -> float:
        """What a request with so many of each kind may cost."""
        return sum(self.cost(kind) * number for kind, number in units.items())

    def cost(self, kind: str) -> float:
        """The highest cost seen of one thing of this kind in this store."""
        return self.costs[kind]

    def starts_at(self, kind: str, cost: float) -> None:
        """A first guess for a kind of read; what the store says later takes its place."""
        self.costs.setdefault(kind, cost)

    def learn(self, units: dict[str, int], requested: float) -> None:
        """The store asked `requested` for a request with so many of each kind.

        Reads cost what the last one did. Writes cost the most that was ever seen; where several kinds share a
        request nobody can tell which one became dearer, so all of them are taken for it in proportion.
        """
        expected = self.expects(units)
        if not units or not requested or not expected:
            return
        for kind in units:
            seen = math.ceil(self.costs[kind] * requested / expected * 100) / 100
            self.costs[kind] = max(self.costs[kind], seen) if kind in STARTING_COSTS else seen

    def refused_as_too_dear(self, units: dict[str, int], requested: float) -> None:
        """The store refused a request for its cost alone, telling what it would have cost (0: it did not tell).

        Where that is news, the next request is smaller by itself; else one may ask for half as much from now on.
        """
        expected = self.expects(units)
        if requested > expected:
            self.learn(units, requested)
        else:
            self.ceiling = max(min(self.ceiling, expected) / 2, 1.0)

    def fits(self, kind: str) -> int:
        """How many things of this kind one request may carry, at least one."""
        return max(int(self.limit // self.costs[kind]), 1)
