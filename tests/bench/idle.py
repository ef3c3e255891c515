"""All idle worker processes are killed with -9: how long until a number that came due after it arrives."""

from __future__ import annotations

import os
import signal
import time

from .world import World, paid_orders, parcels, wait_until


def measure(world: World, *, tries: int = 5) -> list[float]:
    """Seconds from the kill to the number in the store, for each try."""
    from orders import changes
    from orders.sync import database_now

    store, shop = world.store("idle")
    shop.add_orders(tries + 1)
    made = parcels(paid_orders(store), lambda n: f"IDLE{n:04d}")
    figures = []
    with world.worker() as worker:
        _dispatch_and_wait(shop, made[tries].pk, f"IDLE{tries:04d}", 60)
        for n in range(tries):
            time.sleep(3)
            killed_at = time.time()
            killed = [pid for pid in workers_of(worker.pid) if _kill(pid)]
            if not killed:
                raise RuntimeError("no worker process was found to kill")
            time.sleep(1)
            now = database_now()
            changes.mark_dispatched([made[n].pk], now, now=now)
            wait_until(lambda n=n: f"IDLE{n:04d}" in shop.book()["numbers"], 180, "the number arrives")  # type: ignore[misc]
            figures.append(shop.book()["numbers"][f"IDLE{n:04d}"] - killed_at)
    return figures


def _dispatch_and_wait(shop, shipment: int, number: str, seconds: float) -> None:  # type: ignore[no-untyped-def]
    from orders import changes
    from orders.sync import database_now

    now = database_now()
    changes.mark_dispatched([shipment], now, now=now)
    wait_until(lambda: number in shop.book()["numbers"], seconds, f"{number} is in the store")


def workers_of(parent: int) -> list[int]:
    """The cluster's worker processes: the leaves below the command, apart from the pusher and the monitor.

    django-q2 starts its workers after the sentinel; the names are in no portable place, so all leaves that are
    neither the sentinel nor older than the pusher count. Killing a pusher or a monitor too is the harder case.
    """
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as file:
                    ppid = int(file.read().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            children.setdefault(ppid, []).append(int(entry))
    leaves, stack = [], [parent]
    while stack:
        pid = stack.pop()
        below = children.get(pid, [])
        if below:
            stack += below
        elif pid != parent:
            leaves.append(pid)
    # The sentinel starts the workers first, then the monitor, then the pusher.
    return sorted(leaves)[:-2]


def _kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def report(figures: list[float]) -> str:
    """Each try and the worst."""
    each = ", ".join(f"{figure:.1f}" for figure in figures)
    return f"idle workers killed -> next number in the store: {each} s; worst {max(figures):.1f} s (aim: < 60 s)"
