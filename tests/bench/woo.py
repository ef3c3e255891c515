"""WooCommerce in foul weather: every number arrives, none twice, no order is completed early.

    python -m tests.bench.woo [--orders 300] [--seed 7] [--probability 0.2] [--kills 0]

Three pretend shops, one for each place that shows numbers: a plugin's list, WooCommerce's own fulfillments, notes.
The faults that a store gets over by itself take turns, each on every fifth request that it fits, while parcels fall
due: orders of one parcel, of two with a line each, and of one line in three parcels; every eighth number is replaced
later. What pushes is what always does (orders/claimer.py), on PostgreSQL; with `--kills`, so many times a process of
its own that is killed (-9) at a random moment. In the end the weather is fair, what is left is pushed, and the shops'
own books are counted: never our rows.

Exit status 0 when no number is lost, none is there twice or told twice, no old one is left, and every order was
completed, and not before all its parcels had a number.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.storefronts.woo import PretendWooCommerce, WooShop

from .world import World, kill_group, paid_orders, world

if TYPE_CHECKING:
    from orders.models import Order
    from stores.models import Store

PLUGINS = {"ast": "a plugin's list", "fulfillments": "its own fulfillments", "plain": "notes"}
SETTLE_SECONDS = 2.0
CALL_LIMIT_SECONDS = 1.5
TURN_SECONDS = 4.0  # of one kind of fault: longer than it takes until a lost answer is looked up
LATE_SECONDS = 1.0  # the latest execution of a request whose connection was dropped
FAULTS = (  # kind, on which requests, seconds
    ("reset_after", "mutation", None),
    ("late", "mutation", LATE_SECONDS),
    ("timeout_after", "mutation", None),
    ("504_after", "mutation", None),
    ("critical_500_after", "mutation", None),
    ("500_after", "mutation", None),
    ("502_after", "mutation", None),
    ("cut_json", "all", None),
    ("cut_body", "all", None),
    ("drip", "mutation", 3.0),
    ("reset_before", "mutation", None),
    ("timeout", "mutation", None),
    ("500", "all", None),
    ("critical_500", "all", None),
    ("502_html", "all", None),
    ("503", "all", None),
    ("maintenance", "all", None),
    ("429", "all", 0.2),
    ("html_200", "all", None),
    ("cloudflare_503", "all", None),
    ("waf_403", "all", None),
    ("406", "all", None),
    ("php_warning", "all", None),
    ("bom", "all", None),
)


@dataclass
class Wanted:
    """What the shops' books have to hold in the end, by shop: the numbers that each parcel of an order ever had."""

    parcels: dict[str, dict[int, list[list[str]]]] = field(default_factory=dict)  # shop -> order -> parcel -> numbers
    shipments: list[tuple[str, int, int, int]] = field(default_factory=list)  # shop, order, place of parcel, row id
    replaced: int = 0


@dataclass
class Counted:
    """By the pretend shops' own books."""

    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    early: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)  # orders that were not completed
    completed_again: list[str] = field(default_factory=list)
    told_twice: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    writes: int = 0
    most_at_once: int = 0

    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.lost or self.twice or self.stale or self.early or self.open or self.told_twice)


def store_in(shop: WooShop, name: str) -> Store:
    """The shop as a connected store; its own mail tells the customers."""
    from django.contrib.auth import get_user_model

    from orders.sync import database_now
    from stores.connect import connect

    owner = get_user_model().objects.get_or_create(username="bench", defaults={"email": "bench@example.com"})[0]
    return connect(
        owner=owner,
        platform="woocommerce",
        name=name,
        base_url=shop.base_url,
        credentials=shop.credentials,
        timing="after_dispatch",
        number_source="local",
        sync_from=database_now() - timedelta(days=1),
        now=database_now(),
    )


def fill(shop: WooShop, orders: int) -> None:
    """Orders of three shapes in turn."""
    for n in range(orders):
        shape = n % 3
        lines: list[tuple[str, str, int]] = [("ONE", "One thing", 1)]
        if shape == 1:
            lines = [("LEFT", "Left", 1), ("RIGHT", "Right", 1)]
        elif shape == 2:
            lines = [("THREE", "Three of a kind", 3)]
        shop.add_order(lines)


def parcels_of(order: Order, shop: WooShop, wanted: Wanted, now: datetime) -> None:
    """A parcel for each line, or for each unit of a line of three; numbered and dispatched."""
    from orders import changes
    from orders.models import ShippingMethod

    lines = list(order.lines.all())
    contents = [{line: 1} for line in lines for _ in range(line.quantity)]
    method = ShippingMethod.objects.filter(default_number="local").first()
    for place, content in enumerate(contents):
        made = changes.create_shipment(order, parcel=place + 1, shipping_method=method, lines=content, now=now)
        wanted.shipments.append((shop.name, int(order.external_id), place, made.pk))
        wanted.parcels[shop.name].setdefault(int(order.external_id), []).append([])
        number(wanted, len(wanted.shipments) - 1, "A", now)
        changes.mark_dispatched([made.pk], now, now=now)


def number(wanted: Wanted, which: int, letter: str, now: datetime) -> None:
    """Give a parcel a number, in place of the one that it has."""
    from orders import changes
    from orders.models import Carrier

    shop, order, place, shipment = wanted.shipments[which]
    value = f"WOO{shipment:06d}{letter}"
    changes.set_number(shipment, "local", value, Carrier.objects.get(code="yunexpress"), now=now)
    wanted.parcels[shop][order][place].append(value)


def run(here: World, orders: int, probability: float, kills: int) -> tuple[Wanted, Counted, float]:
    """All turns of the weather, then the count; and how long it took until the weather was fair."""
    from orders.sync import database_now

    wanted = Wanted()
    with PretendWooCommerce() as pretend:
        shops = {plugin: pretend.shop(f"bench-{plugin}", plugin=plugin) for plugin in PLUGINS}
        queues: list[tuple[WooShop, list[Order]]] = []
        for plugin, shop in shops.items():
            fill(shop, orders // len(shops))
            wanted.parcels[shop.name] = {}
            queues.append((shop, paid_orders(store_in(shop, f"bench {plugin}"))))
        began = time.monotonic()
        for turn, (kind, on, seconds) in enumerate(FAULTS):
            for shop, queue in queues:
                shop.clear_faults()
                shop.fault(kind, on=on, probability=probability, seconds=seconds)
                share = -(-len(queue) // (len(FAULTS) - turn))
                for order in queue[:share]:
                    parcels_of(order, shop, wanted, database_now())
                del queue[:share]
            replace_some(wanted)
            if turn * kills // len(FAULTS) != (turn + 1) * kills // len(FAULTS):
                kill_one(here)
            ends = time.monotonic() + TURN_SECONDS
            while time.monotonic() < ends:
                push()
            print(f"  {kind} on {on}: {due()} still due", flush=True)
        foul = time.monotonic() - began
        for shop in shops.values():
            shop.clear_faults()
        give_up = time.monotonic() + 180
        while due() and time.monotonic() < give_up:
            push()
        return wanted, count(wanted, shops), foul


def replace_some(wanted: Wanted) -> None:
    """Every eighth parcel so far gets another number, once."""
    from orders.sync import database_now

    for which in range(len(wanted.shipments)):
        shop, order, place, _ = wanted.shipments[which]
        if which % 8 == 0 and len(wanted.parcels[shop][order][place]) == 1 and random.random() < 0.5:
            number(wanted, which, "B", database_now())
            wanted.replaced += 1


def kill_one(here: World) -> None:
    """A pusher that dies in the middle of its work; its leases run out by themselves."""
    from orders.models import TrackingSync

    pusher = here.manage("sync_tracking", "--wait", "20", stdout=-3, stderr=-3)
    under_way = TrackingSync.objects.filter(sending__isnull=False)
    before = set(under_way.values_list("pk", "sending_since"))
    give_up = time.monotonic() + 10
    while set(under_way.values_list("pk", "sending_since")) <= before and time.monotonic() < give_up:
        time.sleep(0.01)
    time.sleep(random.uniform(0.0, 0.3))
    kill_group(pusher)
    print(f"  killed a pusher: {under_way.count()} intents open", flush=True)


def push() -> None:
    """Push what is due, with everybody's patience cut short: what waits for its store is due again at once."""
    from orders.claimer import Claimer
    from orders.models import TrackingSync
    from stores.models import Store

    Claimer(seconds=2.0).run()
    long_ago = "1970-01-01T00:00:00+00:00"
    TrackingSync.objects.filter(sending__isnull=True, due_at__isnull=False).update(due_at=long_ago)
    Store.objects.exclude(resume_at=None).update(resume_at=long_ago)
    time.sleep(0.1)


def due() -> int:
    """How many rows have something to do."""
    from orders.models import TrackingSync

    return TrackingSync.objects.filter(due_at__isnull=False).count()


def count(wanted: Wanted, shops: dict[str, WooShop]) -> Counted:
    """Lost, twice, stale, early, open: all from the shops' own books."""
    counted = Counted()
    for shop in shops.values():
        book = shop.book()
        counted.faults.update(book["faults"])
        counted.requests += book["counts"]["requests"]
        counted.writes += len(book["writes"])
        counted.most_at_once = max(counted.most_at_once, book["counts"]["most_overlapping"])
        completed: dict[int, float] = {}
        for write in book["writes"]:
            if "status" in write["operations"]:
                completed.setdefault(write["order"], write["at"])
        for page in book["orders"]:
            parcels = wanted.parcels[shop.name].get(page["id"], [])
            _count_order(counted, page, parcels, book["numbers"], completed.get(page["id"], 0.0))
    return counted


def standing(page: dict[str, Any]) -> list[str]:
    """All numbers that people see on an order: in the plugin's list, in live fulfillments, in the order's own meta."""
    live = [one for one in page["fulfillments"] if not one["deleted"]]
    return [
        *(one["number"] for one in page["trackings"]),
        *(number for one in live for number in one["numbers"]),
        *(number for number in page["meta"].get("_tracking_number", "").split(", ") if number),
    ]


def _count_order(
    counted: Counted, page: dict[str, Any], parcels: list[list[str]], seen: dict[str, float], completed: float
) -> None:
    there = Counter(standing(page))
    now = {numbers[-1] for numbers in parcels}
    counted.lost += sorted(now - set(there))
    counted.stale += sorted(set(there) - now)
    counted.twice += [number for number, times in there.items() if times > 1]
    completions = [moment["at"] for moment in page["status_log"] if moment["to"] == "completed"]
    name = f"order {page['number']}"
    if page["status"] != "completed":
        counted.open.append(name)
    if len(completions) > 1:
        counted.completed_again.append(name)
    # Each number with the moment when it first stood there, against the first write that gave the order a status.
    if not all(any(seen.get(number, completed + 1) <= completed for number in numbers) for numbers in parcels):
        counted.early.append(name)
    told = Counter(text for mail in page["mails"] for text in [mail.get("text", "")] if text)
    counted.told_twice += [name for times in told.values() if times > 1]


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.woo", description=__doc__.split("\n")[0])
    parser.add_argument("--orders", type=int, default=300)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--probability", type=float, default=0.2)
    parser.add_argument("--kills", type=int, default=0)
    options = parser.parse_args()
    random.seed(options.seed)
    settings = {
        "TRACKSYNC_SETTLE_SECONDS": str(SETTLE_SECONDS),
        "TRACKSYNC_CALL_LIMIT_SECONDS": str(CALL_LIMIT_SECONDS),
    }
    print(
        f"{options.orders} orders in {len(PLUGINS)} shops ({', '.join(PLUGINS.values())}), {len(FAULTS)} kinds of "
        f"fault in turn at {options.probability:.0%}; settle {SETTLE_SECONDS:g} s, latest execution {LATE_SECONDS:g} s "
        "after the connection was dropped"
    )
    began = time.monotonic()
    with world(durable=False, **settings) as here:
        wanted, counted, foul = run(here, options.orders, options.probability, options.kills)
    print(
        f"{len(wanted.shipments)} parcels, {wanted.replaced} of them with a replaced number; "
        f"{counted.requests} requests, {counted.writes} writes, at most {counted.most_at_once} at once in a shop; "
        f"faults served: {sum(counted.faults.values())} {dict(counted.faults)}\n"
        f"numbers lost: {len(counted.lost)}   there twice: {len(counted.twice)}   told twice: {len(counted.told_twice)}"
        f"   old numbers still shown: {len(counted.stale)}\n"
        f"orders completed early: {len(counted.early)}   not completed: {len(counted.open)}   "
        f"completed again: {len(counted.completed_again)}\n"
        f"{foul:.0f} s of foul weather, {time.monotonic() - began:.0f} s in all"
    )
    for what, values in (
        ("lost", counted.lost),
        ("twice", counted.twice),
        ("told twice", counted.told_twice),
        ("old", counted.stale),
        ("early", counted.early),
        ("not completed", counted.open),
    ):
        if values:
            print(f"{what}: {', '.join(values[:20])}")
    return 0 if counted.is_clean() else 1


if __name__ == "__main__":
    sys.exit(main())
