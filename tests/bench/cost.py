"""What a number costs in requests and points, and how much of the store's budget a backlog uses."""

from __future__ import annotations

import time
from dataclasses import dataclass

from .world import World, paid_orders, parcels, wait_until

RESTORE = 100  # points per second, a standard plan
BUCKET = 2000


@dataclass(frozen=True)
class Cost:
    """Of one backlog, by the store's own book."""

    what: str
    numbers: int
    seconds: float
    requests: int
    points: float
    throttled: int

    def __str__(self) -> str:
        could = BUCKET + self.seconds * RESTORE
        return (
            f"{self.what}: {self.numbers} numbers in {self.seconds:.1f} s, "
            f"{self.requests / self.numbers:.3f} requests and {self.points / self.numbers:.2f} points a number, "
            f"{self.points / could:.0%} of the budget used (aim: 80 %), {self.throttled} times THROTTLED (aim: 0)"
        )


def measure(world: World, *, numbers: int = 1500, latency_ms: int = 100, replaced: int = 150) -> list[Cost]:
    """First `numbers` new ones in one store on a standard plan, then `replaced` of them replaced."""
    from orders import changes
    from orders.models import Carrier
    from orders.sync import database_now

    store, shop = world.store("cost", restore_rate=RESTORE, bucket=BUCKET)
    shop.add_orders(numbers)
    orders = paid_orders(store)
    shop.latency(latency_ms)
    # The pull has used the bucket: start with a full one.
    time.sleep(BUCKET / RESTORE)
    made = parcels(orders, lambda n: f"COST{n:06d}")
    costs = []
    with world.worker():
        now = database_now()
        before = shop.book()
        changes.mark_dispatched([shipment.pk for shipment in made], now, now=now)
        costs.append(_until_shown(shop, before, {f"COST{n:06d}" for n in range(numbers)}, "new numbers"))

        time.sleep(BUCKET / RESTORE)
        before = shop.book()
        carrier = Carrier.objects.get(code="yunexpress")
        for n, shipment in enumerate(made[:replaced]):
            changes.set_number(shipment.pk, "local", f"AGAIN{n:06d}", carrier, now=database_now())
        costs.append(_until_shown(shop, before, {f"AGAIN{n:06d}" for n in range(replaced)}, "replaced numbers"))
    return costs


def _until_shown(shop, before: dict, wanted: set[str], what: str) -> Cost:  # type: ignore[no-untyped-def, type-arg]
    wait_until(lambda: wanted <= set(shop.book()["numbers"]), 600, f"{what} are in the store", every=0.5)
    after = shop.book()
    first = after["writes"][len(before["writes"])]["arrived"]
    seconds = max(after["numbers"][number] for number in wanted) - first
    counts, earlier = after["counts"], before["counts"]
    return Cost(
        what=what,
        numbers=len(wanted),
        seconds=seconds,
        requests=counts["requests"] - earlier["requests"],
        points=counts["points"] - earlier["points"],
        throttled=counts["throttled"] - earlier["throttled"],
    )
