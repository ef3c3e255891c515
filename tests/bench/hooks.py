"""A flood of stores' messages through the whole web stack: what one costs, what rows stay, what memory grows.

    python -m tests.bench.hooks [--times 10000]

Replayed, replayed under new ids, forged, for a shop that is not here, late and out of order; then what was hinted at
is read again from a pretend store, and its requests are counted. Ends with 1 where anything is not as it should be.
"""

from __future__ import annotations

import argparse
import gc
import io
import os
import random
import statistics
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .world import World, world

if TYPE_CHECKING:
    from stores.models import Store
    from tests.storefronts.client import Shop

ORDERS = 100
SECRET = "hush-hush"
DAYS_AGO = "2026-01-01T00:00:00Z"
GROWTH_LIMIT = 4096  # KiB that the process may hold more after a flood than after its first tenth


@dataclass(frozen=True)
class Figure:
    """What one kind of flood came to. Times in milliseconds, memory in KiB."""

    name: str
    times: int
    statuses: dict[int, int]
    median: float
    p95: float
    slowest: float
    rows: tuple[int, int]  # deliveries remembered, hints kept
    grown: float  # resident memory of the process, from the first tenth on to the end

    def __str__(self) -> str:
        answers = ", ".join(f"{count} x {status}" for status, count in sorted(self.statuses.items()))
        return (
            f"{self.name:<28} {answers:<14} median {self.median:.2f} ms, p95 {self.p95:.2f}, slowest"
            f" {self.slowest:.1f}; rows: {self.rows[0]} deliveries, {self.rows[1]} hints; memory {self.grown:+.0f} KiB"
        )


def flood(store: Store, ids: list[str], times: int) -> Iterator[Figure]:
    """Each kind of flood in turn. `ids`: orders of the store that the messages are about."""
    from tests.orders.hooking import address, headers_of

    path = address(store)
    body = _body(ids[0])
    one = headers_of("orders/updated", body, secret=SECRET, delivery="replayed")
    shuffled = [n % len(ids) for n in range(times)]
    random.Random(1).shuffle(shuffled)  # noqa: S311 -- the same order each time

    def late(n: int) -> tuple[str, bytes, dict[str, str]]:
        about = _body(ids[shuffled[n]])
        headers = headers_of("orders/updated", about, secret=SECRET, delivery=f"late-{n}")
        return path, about, headers | {"X-Shopify-Triggered-At": DAYS_AGO}

    forged = headers_of("orders/updated", body, secret="guessed", delivery="forged")
    yield _run("replayed", times, lambda n: (path, body, one))
    yield _run("replayed under new ids", times, lambda n: (path, body, one | {"X-Shopify-Webhook-Id": f"new-{n}"}))
    yield _run("forged", times, lambda n: (path, body, forged | {"X-Shopify-Webhook-Id": f"forged-{n}"}))
    yield _run("for a shop that is not here", times, lambda n: (f"/hooks/shopify/{uuid.uuid4()}/", body, one))
    yield _run("late and out of order", times, late)


def faults(figures: list[Figure], orders: int) -> list[str]:
    """What is not as it should be."""
    from stores.hooks import KEPT, SWEEP

    found = []
    for figure in figures:
        wanted = 401 if figure.name in ("forged", "for a shop that is not here") else 200
        if set(figure.statuses) != {wanted}:
            found.append(f"{figure.name}: {figure.statuses}")
        # Swept now and then, by chance: ten times the usual distance is as good as never.
        if figure.rows[0] > KEPT + 10 * SWEEP or figure.rows[1] > orders:
            found.append(f"{figure.name}: {figure.rows[0]} deliveries and {figure.rows[1]} hints are kept")
        if figure.grown > GROWTH_LIMIT:
            found.append(f"{figure.name}: memory grew by {figure.grown:.0f} KiB")
    return found


def a_subscribed_store(shop: Shop) -> Store:
    """A store of the pretend shop whose messages are signed with SECRET."""
    from tests import factories

    credentials = {"client_id": shop.client_id, "client_secret": shop.client_secret}
    return factories.a_store(
        base_url=shop.base_url, credentials=credentials, hook_key=uuid.uuid4(), hook_secret={"secret": SECRET}
    )


def read_again(store: Store, shop: Shop) -> tuple[int, int, float]:
    """Read what was hinted at: (hints, requests to the store, seconds)."""
    from django.utils import timezone

    from orders.hints import read_store

    before, started = shop.book()["counts"]["requests"], time.monotonic()
    read = read_store(store, timezone.now(), stop=lambda: False)
    return read, shop.book()["counts"]["requests"] - before, time.monotonic() - started


def _body(gid: str) -> bytes:
    return f'{{"id": {gid.rsplit("/", 1)[1]}, "admin_graphql_api_id": "{gid}", "updated_at": "{DAYS_AGO}"}}'.encode()


def _run(name: str, times: int, message: Callable[[int], tuple[str, bytes, dict[str, str]]]) -> Figure:
    from tests.orders.hooking import rows

    application = _application()
    statuses: Counter[int] = Counter()
    took: list[float] = []
    settled, after = 0.0, times // 10
    for n in range(times):
        environ = _environ(*message(n))
        begun = time.perf_counter()
        statuses[_answer(application, environ)] += 1
        took.append((time.perf_counter() - begun) * 1000)
        if n == after:
            settled = _resident()
    grown = _resident() - settled
    took.sort()
    return Figure(
        name, times, dict(statuses), statistics.median(took), took[int(times * 0.95)], took[-1], rows(), grown
    )


def _application() -> Any:
    """The project as a web server runs it. Django's test client would hold some memory for each request."""
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


def _environ(path: str, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http",
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
    }


def _answer(application: Any, environ: dict[str, Any]) -> int:
    status: list[str] = []
    response = application(environ, lambda line, headers: status.append(line))
    try:
        for _ in response:
            pass
    finally:
        response.close()
    return int(status[0].split()[0])


def _resident() -> float:
    """Resident memory of this process in KiB."""
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.hooks", description="A flood of messages.")
    parser.add_argument("--times", type=int, default=10_000, help="messages of each kind")
    options = parser.parse_args()
    with world(ALLOWED_HOSTS="localhost") as here:
        return _measure(here, options.times)


def _measure(here: World, times: int) -> int:
    shop = here.pretend.shop("hooks", bucket=100_000, restore_rate=10_000)
    ids = [order["id"] for order in shop.add_orders(ORDERS)]
    store = a_subscribed_store(shop)
    figures = []
    resident = _resident()
    for figure in flood(store, ids, times):
        figures.append(figure)
        print(figure, flush=True)
    print(f"memory of the process: {(_resident() - resident) / 1024:+.1f} MiB over {5 * times} messages")
    hints, requests, seconds = read_again(store, shop)
    print(f"{hints} orders were read again in {requests} requests and {seconds:.2f} s")
    wrong = faults(figures, ORDERS)
    print("\n".join(wrong) or "nothing is wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
