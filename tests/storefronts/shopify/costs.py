"""What a request may cost and what it did cost, and the bucket that pays for it.

The formula reproduces the costs that real stores were recorded to charge: an object is 1, a connection
2 + weight(n) * (1 + what each node costs), scalars and money nothing; a mutation has a price of its own and
its payload's direct fields are free. https://shopify.dev/docs/api/usage/limits
"""

from __future__ import annotations

import time
from typing import Any

MUTATION_PRICES = {"fulfillmentTrackingInfoUpdate": 50, "fulfillmentTrackingInfoUpdateV2": 50}
MUTATION_PRICE = 10
FREE = {"MoneyBag", "MoneyV2"}
ONE_REQUEST = 1000


def weight(count: int) -> int:
    """How often the price of one node counts for a connection of `count` nodes: recorded at 5, 10, 20 and 250."""
    return max(1, int(1.92 * count**0.32))


class Bucket:
    """A leaky bucket of points: `size` at the most, `rate` points a second flow back. Not locked: the shop is."""

    def __init__(self, size: float, rate: float) -> None:
        self.size = float(size)
        self.rate = float(rate)
        self._level = float(size)
        self._at = time.monotonic()

    def level(self) -> float:
        """Points in the bucket now."""
        now = time.monotonic()
        self._level = min(self.size, self._level + (now - self._at) * self.rate)
        self._at = now
        return self._level

    def take(self, points: float) -> None:
        """Points out of the bucket; negative ones come back."""
        self._level = min(self.size, self.level() - points)

    def resize(self, size: float, rate: float) -> None:
        """Another plan: the bucket is full again."""
        self.size, self.rate, self._level = float(size), float(rate), float(size)
        self._at = time.monotonic()

    def status(self) -> dict[str, Any]:
        """`throttleStatus` as every answer carries it."""
        return {
            "maximumAvailable": self.size,
            "currentlyAvailable": int(self.level()),
            "restoreRate": self.rate,
        }
