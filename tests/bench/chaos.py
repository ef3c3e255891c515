"""kill -9 of the pushing process, again and again, with faults on: nothing lost, nothing twice.

    python -m tests.bench.chaos [--rounds 30] [--seed 7]

In each round fresh parcels are due in two stores (at least half of them partial parcels of one line,
four units in four parcels, where a store would accept a second fulfillment; some orders lie at two
locations; some numbers are replaced meanwhile), `manage.py sync_tracking` pushes them while the pretend
stores lose answers, execute late, throttle and fail, and is killed at a random moment. In the end the
faults stop, what is left is pushed, and the stores' own books are counted: never our rows.

Exit status 0 when no number is lost, no live fulfillment is too many, no unit is fulfilled twice and
enough kills left an intent open.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.storefronts.client import line

from .world import World, kill_group, paid_orders, wait_until, world

if TYPE_CHECKING:
    from orders.models import Order, Shipment
    from stores.models import Store
    from tests.storefronts.client import Shop

STORES = 8  # two a round in turn: a dead holder's lease runs out while the others are at work
LATE_SECONDS = 3.0  # the latest execution of a request whose connection was dropped
SETTLE_SECONDS = 5.0
CALL_LIMIT_SECONDS = 4.0
ORDERS_A_ROUND = 8  # per store
LATENCY_MS = 150
PASSES_WITH_FAULTS = 6
FAULTS = (  # kind, on which requests, probability, seconds
    ("late", "mutation", 0.14, LATE_SECONDS),
    ("reset_after", "mutation", 0.14, None),
    ("reset_before", "mutation", 0.05, None),
    ("500", "mutation", 0.04, None),
    ("500_after", "mutation", 0.04, None),
    ("html_200", "mutation", 0.03, None),
    ("internal_200", "mutation", 0.04, None),
    ("internal_200_after", "mutation", 0.06, None),
    ("cut_json", "mutation", 0.05, None),
    ("throttled", "all", 0.02, None),
    ("429", "all", 0.02, 1.0),
    ("500", "read", 0.02, None),
)


@dataclass
class Tally:
    """What the rounds came to."""

    rounds: int = 0
    open_intents: int = 0  # rounds whose kill left at least one intent open
    intents_left: int = 0
    wanted: dict[str, dict[str, str]] = field(default_factory=dict)  # shop -> shipment key -> last number
    partial: int = 0
    shipments: int = 0
    replaced: int = 0


@dataclass(frozen=True)
class Counted:
    """By the pretend stores' own books."""

    lost: list[str]
    too_many: list[str]
    twice: int
    stale: list[str]
    faults: Counter[str]


def run(here: World, *, rounds: int, seed: int) -> tuple[Tally, Counted]:
    """All rounds, then the count."""
    random.seed(seed)
    tally = Tally()
    stores = [_store(here, n, rounds) for n in range(STORES)]
    queues = [paid_orders(store) for store, _ in stores]
    for _, shop in stores:
        # Long enough that most kills fall between a request and its answer.
        shop.latency(LATENCY_MS)
        for kind, on, probability, seconds in FAULTS:
            shop.fault(kind, on=on, probability=probability, seconds=seconds)
    for number in range(rounds):
        pair = [(number * 2) % STORES, (number * 2 + 1) % STORES]
        _round(here, number, [(*stores[i], queues[i]) for i in pair], tally)
    # What the kills left is pushed with the faults still on, and only the rest of it in fair weather.
    for _ in range(PASSES_WITH_FAULTS):
        _pass(here)
    for _, shop in stores:
        shop.clear_faults()
    _drain(here)
    return tally, count(tally, [shop for _, shop in stores])


def _store(here: World, n: int, rounds: int) -> tuple[Store, Shop]:
    """A shop with orders of three shapes: one line of four units, two lines at two locations, a plain one."""
    from stores.models import Store

    store, shop = here.store(f"chaos-{n}", restore_rate=2000, bucket=20000, seed=n, locations=["Shenzhen", "Chicago"])
    for order in range((rounds * 2 // STORES + 1) * ORDERS_A_ROUND):
        shape = order % 4
        if shape in (0, 1):
            shop.add_order(lines=[line("FOUR", quantity=4, location="Shenzhen")], paid=True)
        elif shape == 2:
            shop.add_order(
                lines=[
                    line("EAST", location="Shenzhen"),
                    line("WEST", location="Chicago"),
                ],
                paid=True,
            )
        else:
            shop.add_order(lines=[line("ONE", location="Shenzhen")], paid=True)
    return Store.objects.get(pk=store.pk), shop


def _round(here: World, number: int, pair: list[tuple[Store, Shop, list[Order]]], tally: Tally) -> None:
    from orders.models import TrackingSync

    shipments: list[tuple[Shop, Shipment]] = []
    for _, shop, queue in pair:
        orders, queue[:] = queue[:ORDERS_A_ROUND], queue[ORDERS_A_ROUND:]
        shipments += [(shop, shipment) for order in orders for shipment in _parcels(shop, order, tally)]
    pusher = here.manage("sync_tracking", "--wait", "20", stdout=-3, stderr=-3)
    ids = [store.pk for store, _, _ in pair]
    under_way = TrackingSync.objects.filter(store_id__in=ids, sending__isnull=False)
    try:
        wait_until(under_way.exists, 15, "the pusher is at work", every=0.01)
    except TimeoutError:
        pass  # all was pushed between two looks: the round still counts
    time.sleep(random.uniform(0.1, 1.5))
    _replace_some(shipments, tally)
    kill_group(pusher)
    left = under_way.count()
    tally.rounds += 1
    tally.intents_left += left
    tally.open_intents += bool(left)
    print(f"  round {number + 1}: killed, {left} intents open", flush=True)


def _parcels(shop: Shop, order: Order, tally: Tally) -> list[Shipment]:
    """Four parcels of the one line of four, else one parcel with everything; numbered and dispatched."""
    from django.utils import timezone

    from orders import changes
    from orders.models import ShippingMethod

    now = timezone.now()
    lines = list(order.lines.all())
    is_four = len(lines) == 1 and lines[0].quantity == 4
    contents = [{lines[0]: 1}] * 4 if is_four else [{line: line.quantity for line in lines}]
    method = ShippingMethod.objects.filter(default_number="local").first()
    made = []
    for parcel, content in enumerate(contents, 1):
        shipment = changes.create_shipment(order, parcel=parcel, shipping_method=method, lines=content, now=now)
        _number(shop, shipment, "A", tally)
        changes.mark_dispatched([shipment.pk], now, now=now)
        tally.shipments += 1
        tally.partial += is_four
        made.append(shipment)
    return made


def _number(shop: Shop, shipment: Shipment, letter: str, tally: Tally) -> None:
    from django.utils import timezone

    from orders import changes
    from orders.models import Carrier

    value = f"CHAOS{shipment.pk:06d}{letter}"
    changes.set_number(shipment.pk, "local", value, Carrier.objects.get(code="yunexpress"), now=timezone.now())
    tally.wanted.setdefault(shop.name, {})[str(shipment.pk)] = value


def _replace_some(shipments: list[tuple[Shop, Shipment]], tally: Tally) -> None:
    for shop, shipment in random.sample(shipments, k=max(1, len(shipments) // 8)):
        _number(shop, shipment, "B", tally)
        tally.replaced += 1


def _drain(here: World) -> None:
    """Push until nothing is due any more."""
    from orders.models import TrackingSync

    give_up = time.monotonic() + 300
    while TrackingSync.objects.filter(due_at__isnull=False).exists() and time.monotonic() < give_up:
        _pass(here)


def _pass(here: World) -> None:
    """One undisturbed pusher; what waits by a back-off or for its store is due again at once. Intents settle."""
    from orders.models import TrackingSync
    from stores.models import Store

    here.run("sync_tracking", "--wait", "30")
    long_ago = "1970-01-01T00:00:00+00:00"
    TrackingSync.objects.filter(sending__isnull=True, due_at__isnull=False).update(due_at=long_ago)
    Store.objects.exclude(resume_at=None).update(resume_at=long_ago)


def count(tally: Tally, shops: list[Shop]) -> Counted:
    """Lost, too many, twice, stale: all from the stores' own books."""
    lost, too_many, stale, twice = [], [], [], 0
    faults: Counter[str] = Counter()
    for shop in shops:
        book = shop.book()
        faults.update(book["counts"]["faults"])
        live: dict[str, list[dict[str, Any]]] = {}
        for order in book["orders"]:
            twice += sum(order["twice"].values())
            for fulfillment in order["fulfillments"]:
                for value in fulfillment["numbers"]:
                    live.setdefault(value, []).append(fulfillment)
        wanted = set(tally.wanted.get(shop.name, {}).values())
        lost += sorted(wanted - set(live))
        stale += sorted(set(live) - wanted)
        for value, found in live.items():
            # An order at two locations has one fulfillment at each: more than one at the same place is too many.
            places = Counter(fulfillment["location"] for fulfillment in found)
            too_many += [value for place, times in places.items() if times > 1]
    return Counted(lost, too_many, twice, stale, faults)


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="make chaos", description="kill -9 with faults on, counted by the stores.")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    settings = {
        "TRACKSYNC_SETTLE_SECONDS": str(SETTLE_SECONDS),
        "TRACKSYNC_CALL_LIMIT_SECONDS": str(CALL_LIMIT_SECONDS),
    }
    print(
        f"kill -9 of the pushing process, {options.rounds} rounds on PostgreSQL; settle {SETTLE_SECONDS:g} s, "
        f"the stores' latest execution {LATE_SECONDS:g} s after the connection was dropped"
    )
    began = time.monotonic()
    with world(durable=False, **settings) as here:
        tally, counted = run(here, rounds=options.rounds, seed=options.seed)
    enough = tally.open_intents * 3 >= tally.rounds * 2
    print(
        f"{tally.shipments} parcels, {tally.partial} of them partial parcels of one line, {tally.replaced} replaced; "
        f"faults served: {sum(counted.faults.values())} {dict(counted.faults)}\n"
        f"rounds in which the kill left an intent open: {tally.open_intents} of {tally.rounds} "
        f"({tally.intents_left} intents)\n"
        f"numbers lost: {len(counted.lost)}   live fulfillments too many: {len(counted.too_many)}   "
        f"units fulfilled twice: {counted.twice}   old numbers still shown: {len(counted.stale)}\n"
        f"{time.monotonic() - began:.0f} s"
    )
    for what, values in (("lost", counted.lost), ("too many", counted.too_many), ("old", counted.stale)):
        if values:
            print(f"{what}: {', '.join(values[:20])}")
    clean = not (counted.lost or counted.too_many or counted.twice or counted.stale)
    return 0 if clean and enough else 1


if __name__ == "__main__":
    sys.exit(main())
