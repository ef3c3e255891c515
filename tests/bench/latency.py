"""From `dispatched_at` saved to the number visible in the store, with a worker running."""

from __future__ import annotations

import random
import statistics
import time

from .world import World, paid_orders, parcels, wait_until

STORES = 3


def measure(world: World, *, dispatches: int = 200, seconds: float = 100.0, latency_ms: int = 50) -> list[float]:
    """Milliseconds for each dispatch: saved here, pushed by the worker's processes, seen in the stores' own book.

    The dispatches fall at random moments over `seconds`, in three stores that take `latency_ms` for each request.
    """
    from orders import changes
    from orders.sync import database_now

    waiting: list[tuple[int, str]] = []
    shops = []
    for name in (f"latency-{n}" for n in range(STORES)):
        store, shop = world.store(name)
        shop.add_orders(-(-dispatches // STORES))
        made = parcels(paid_orders(store), lambda n, name=name: f"{name}-{n:04d}".upper())  # type: ignore[misc]
        shop.latency(latency_ms)
        shops.append(shop)
        waiting += [(shipment.pk, f"{name}-{n:04d}".upper()) for n, shipment in enumerate(made)]

    random.seed(7)
    random.shuffle(waiting)
    waiting = waiting[:dispatches]
    moments = sorted(random.uniform(0, seconds) for _ in waiting)
    saved: dict[str, float] = {}
    with world.worker():
        time.sleep(5)  # the worker's start is not what is measured
        began = time.monotonic()
        for (shipment, number), moment in zip(waiting, moments, strict=True):
            time.sleep(max(0.0, began + moment - time.monotonic()))
            now = database_now()
            changes.mark_dispatched([shipment], now, now=now)
            saved[number] = time.time()

        def seen() -> dict[str, float]:
            return {number: at for shop in shops for number, at in shop.book()["numbers"].items()}

        wait_until(lambda: set(saved) <= set(seen()), 60, "every dispatched number is in its store", every=1)
    at = seen()
    return sorted((at[number] - saved[number]) * 1000 for number in saved)


def report(figures: list[float]) -> str:
    """Median, p95 and the worst."""
    p95 = figures[int(len(figures) * 0.95)]
    return (
        f"dispatch saved -> number in the store, {len(figures)} dispatches: "
        f"median {statistics.median(figures):.0f} ms, p95 {p95:.0f} ms, worst {figures[-1]:.0f} ms (aim: p95 < 1000 ms)"
    )
