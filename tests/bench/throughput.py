"""Numbers a second over many stores, beside the floor of the same run: bare requests to the same stores.

The floor knows neither a database nor an intent: one thread per store posts one create per number, and
a second time as few requests as a request may carry.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import requests

from .world import World, paid_orders, parcels, wait_until

CREATE = """mutation ($f: FulfillmentInput!) {
  fulfillmentCreate(fulfillment: $f) { fulfillment { id trackingInfo(first: 5) { number } } userErrors { message } }
}"""
PLENTY = {"restore_rate": 100_000, "bucket": 1_000_000}
BATCH = 25


@dataclass(frozen=True)
class Rates:
    """Numbers a second."""

    ours: float
    one_by_one: float
    batched: float
    stores: int
    each: int
    latency_ms: int

    def __str__(self) -> str:
        return (
            f"{self.stores} stores x {self.each} numbers at {self.latency_ms} ms: ours {self.ours:.0f}/s; "
            f"bare requests one by one {self.one_by_one:.0f}/s (ours is {self.ours / self.one_by_one:.2f} of it), "
            f"{BATCH} a request {self.batched:.0f}/s (ours is {self.ours / self.batched:.2f} of it)"
        )


def measure(world: World, *, stores: int = 20, each: int = 50, latency_ms: int = 50) -> Rates:
    """Ours with a worker, then both floors, on fresh stores with the same orders."""
    from orders import changes
    from orders.sync import database_now

    shops, waiting = [], []
    for n in range(stores):
        store, shop = world.store(f"rate-{n}", **PLENTY)
        shop.add_orders(each)
        waiting += parcels(paid_orders(store), lambda i, n=n: f"RATE{n:03d}N{i:05d}")  # type: ignore[misc]
        shop.latency(latency_ms)
        shops.append(shop)
    with world.worker():
        time.sleep(5)
        now = database_now()
        began = time.time()
        changes.mark_dispatched([shipment.pk for shipment in waiting], now, now=now)
        wait_until(lambda: all(len(shop.book()["numbers"]) == each for shop in shops), 300, "all are shown", every=1)
    ended = max(at for shop in shops for at in shop.book()["numbers"].values())
    return Rates(
        ours=stores * each / (ended - began),
        one_by_one=_floor(world, "one", stores, each, latency_ms, 1),
        batched=_floor(world, "many", stores, each, latency_ms, BATCH),
        stores=stores,
        each=each,
        latency_ms=latency_ms,
    )


def _floor(world: World, name: str, stores: int, each: int, latency_ms: int, batch: int) -> float:
    work = []
    for n in range(stores):
        shop = world.pretend.shop(f"floor-{name}-{n}", **PLENTY)
        orders = [shop.order(order["name"]) for order in shop.add_orders(each)]
        shop.latency(latency_ms)
        work.append((shop, orders))
    began = time.monotonic()
    with ThreadPoolExecutor(stores) as pool:
        list(pool.map(lambda pair: _post(pair[0], pair[1], batch), work))
    return stores * each / (time.monotonic() - began)


def _post(shop: Any, orders: list[dict[str, Any]], batch: int) -> None:
    with requests.Session() as session:
        session.trust_env = False
        session.headers["X-Shopify-Access-Token"] = shop.token
        session.headers["X-Test-Client"] = "floor"
        for start in range(0, len(orders), batch):
            inputs = [_input(order, f"F{start + n}") for n, order in enumerate(orders[start : start + batch])]
            answer = session.post(f"{shop.base_url}/admin/api/2026-10/graphql.json", json=_body(inputs), timeout=20)
            data = answer.json()["data"]
            if not all(result["fulfillment"] for result in data.values()):
                raise RuntimeError("the floor's own requests are refused")


def _input(order: dict[str, Any], number: str) -> dict[str, Any]:
    work = order["fulfillment_orders"][0]
    return {
        "lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": work["id"]}],
        "trackingInfo": {"numbers": [number], "urls": [f"https://example.com/{number}"], "company": "YunExpress"},
    }


def _body(inputs: list[dict[str, Any]]) -> dict[str, Any]:
    if len(inputs) == 1:
        return {"query": CREATE, "variables": {"f": inputs[0]}}
    names = range(len(inputs))
    head = ", ".join(f"$f{n}: FulfillmentInput!" for n in names)
    part = "fulfillmentCreate(fulfillment: $f{n}) {{ fulfillment {{ id }} userErrors {{ message }} }}"
    fields = "\n".join(f"w{n}: {part.format(n=n)}" for n in names)
    return {"query": f"mutation ({head}) {{ {fields} }}", "variables": {f"f{n}": inputs[n] for n in names}}
