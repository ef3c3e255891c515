"""Store Orders with a million orders in the database, one store holding half of them: how long a page takes.

    python -m tests.bench.million [--orders 1000000] [--explain]

The rows are made by SQL on a PostgreSQL without fsync (nothing here measures writing), the pages are asked
for through Django's own client: the whole answer on the server, without the network. Printed are the median
and the p95 of 20 warm requests; the aim is under 150 ms for each, and under 1 s for the preview of a choice.

Half of the orders are one store's, and two fifths of them wait: the newest 150,000 for their dispatch, the oldest
for ever, as they were placed before the sync began. A tenth are four more stores of the same merchant, the rest
forty others'.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import statistics
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from .world import world

if TYPE_CHECKING:
    from stores.models import Store

TRIES = 20
AIM_MS = 150
DEEP = 50

ORDERS = """
INSERT INTO orders_order (store_id, external_id, number, customer_name, customer_email, country, placed_at,
                          shopper_paid_at, paid_at, cancelled_at, cancel_reason, store_updated_at, pulled_at)
SELECT %(store)s, 'gid://shopify/Order/' || %(count)s - g, '#' || 1000 + %(count)s - g, f.name || ' ' || l.name,
       lower(f.name || '.' || l.name) || g || '@example.com', 'DE', now() - g * %(every)s, NULL,
       CASE WHEN g %% 20 > 0 OR g > %(waiting)s THEN now() - g * %(every)s + interval '1 hour' END,
       CASE WHEN g %% 97 = 0 THEN now() END, '', now(), now()
FROM generate_series(1, %(count)s) AS g
JOIN (VALUES (0, 'Ada'), (1, 'Grace'), (2, 'Alan'), (3, 'Edsger'), (4, 'Barbara'), (5, 'Jörg'), (6, 'Mei'),
             (7, 'Olu'), (8, 'Ana'), (9, 'Ivan'), (10, 'Kim')) AS f(n, name) ON f.n = g %% 11
JOIN (VALUES (0, 'Lovelace'), (1, 'Hopper'), (2, 'Turing'), (3, 'Dijkstra'), (4, 'Liskov'), (5, 'Müller'),
             (6, 'Lin'), (7, 'Okafor'), (8, 'Silva'), (9, 'Petrov'), (10, 'Park'), (11, 'Smith'), (12, 'Jones'))
     AS l(n, name) ON l.n = g %% 13
ORDER BY g DESC
"""
# In the order of their time, as they come: the newest %(waiting)s wait. `place` counts from the newest order.
SHIPMENTS = """
INSERT INTO orders_shipment (order_id, parcel, shipping_method_id, dispatched_at, created_at, token)
SELECT o.id, p, (SELECT m.id FROM orders_shippingmethod m WHERE m.code =
       (ARRAY['cjpacket-ordinary', 'yunexpress', '4px'])[1 + o.id %% 3]),
       CASE WHEN o.place > %(waiting)s OR o.place %% 400 = 0 THEN o.placed_at + interval '2 days' END, o.placed_at,
       md5(o.id || '-' || p)
FROM (SELECT id, placed_at, row_number() OVER (ORDER BY placed_at DESC) AS place
      FROM orders_order WHERE store_id = %(store)s) AS o
JOIN generate_series(1, 2) AS p ON p = 1 OR o.id %% 20 = 0
WHERE o.id %% 50 > 0
ORDER BY o.placed_at
"""
NUMBERS = """
INSERT INTO orders_trackingnumber (shipment_id, kind, value, raw, carrier_id, known_at, replaced_at, replaced_why)
SELECT s.id, k.kind, k.prefix || lpad(s.id::text, 13, '0') || k.suffix, '', k.carrier, s.created_at,
       CASE WHEN k.suffix <> '' THEN now() END, ''
FROM orders_shipment s JOIN orders_order o ON o.id = s.order_id
JOIN (VALUES ('own', 'CJP', '', (SELECT id FROM orders_carrier WHERE is_own)),
             ('local', 'YT', '', (SELECT id FROM orders_carrier WHERE code = 'yunexpress')),
             ('local', 'YT', 'R', (SELECT id FROM orders_carrier WHERE code = 'yunexpress')))
     AS k(kind, prefix, suffix, carrier)
  ON (k.kind = 'own' AND s.id %% 3 = 0)
  OR (k.kind = 'local' AND k.suffix = '' AND (s.dispatched_at IS NOT NULL OR s.id %% 3 > 0))
  OR (k.suffix = 'R' AND s.id %% 30 = 0)
WHERE o.store_id = %(store)s
"""
# Of what was dispatched the oldest tenth waits for ever, the rest is there, but for a few.
ROWS = """
INSERT INTO orders_trackingsync (shipment_id, store_id, kind, fulfillments, adopted, state, reason, reason_values,
       attempts, goes_alone, stopped, planned_version, state_since, wanted_id, shown_id, due_at, due_since, synced_at,
       checked_at)
SELECT s.id, %(store)s, CASE WHEN s.state = 'synced' THEN n.kind ELSE '' END, '[]', false, s.state,
       CASE s.state WHEN 'attention' THEN 'refused' WHEN 'waiting' THEN s.why ELSE '' END, '{}', 0, false, '', 1,
       s.created_at, CASE WHEN s.state <> 'waiting' THEN n.id END, CASE WHEN s.state = 'synced' THEN n.id END,
       CASE WHEN s.state = 'due' THEN now() END, CASE WHEN s.state = 'due' THEN now() END,
       CASE WHEN s.state = 'synced' THEN s.dispatched_at END, CASE WHEN s.state = 'synced' THEN s.dispatched_at END
FROM (SELECT s.id, s.created_at, s.dispatched_at,
             CASE WHEN s.dispatched_at IS NULL THEN 'not_dispatched' ELSE 'older_than_sync' END AS why,
             CASE WHEN s.dispatched_at IS NULL OR s.created_at < %(sync_from)s THEN 'waiting'
                  WHEN s.id %% 1000 = 1 THEN 'attention' WHEN s.id %% 1000 = 2 THEN 'due' ELSE 'synced' END AS state
      FROM orders_shipment s JOIN orders_order o ON o.id = s.order_id WHERE o.store_id = %(store)s) AS s
LEFT JOIN LATERAL (SELECT id, kind FROM orders_trackingnumber n
                   WHERE n.shipment_id = s.id AND replaced_at IS NULL ORDER BY id LIMIT 1) n ON true
ORDER BY s.id
"""


def fill(store: Store, count: int, waiting: int) -> None:
    """So many orders with parcels, numbers and rows, the newest of them waiting; four statements."""
    from django.db import connection

    every = timedelta(days=365) / count
    store.sync_from -= every * count * 0.9
    store.save(update_fields=["sync_from"])
    values = {"store": store.pk, "count": count, "waiting": waiting, "every": every, "sync_from": store.sync_from}
    with connection.cursor() as cursor:
        # The rows fit each other by how they are made: the foreign keys need not be looked up a million times.
        cursor.execute("SET session_replication_role = replica")
        for statement in (ORDERS, SHIPMENTS, NUMBERS, ROWS):
            cursor.execute(statement, values)
        cursor.execute("SET session_replication_role = DEFAULT")


def stores_of(email: str, names: list[str]) -> list[Store]:
    """A merchant with these stores."""
    from django.contrib.auth import get_user_model

    from stores.models import Store, SyncPreference

    owner = get_user_model().objects.create_user(email, email)
    made = []
    for name in names:
        store = Store.objects.create(
            owner=owner,
            name=name,
            platform="shopify",
            base_url=f"https://{name}.myshopify.com",
            time_zone="Europe/Berlin",
        )
        SyncPreference.objects.create(store=store)
        made.append(store)
    return made


def timed(ask: Callable[[], Any]) -> list[float]:
    """Milliseconds of so many warm calls, the quickest first."""
    found = []
    for turn in range(TRIES + 3):
        began = time.perf_counter()
        ask()
        if turn >= 3:
            found.append((time.perf_counter() - began) * 1000)
    return sorted(found)


def report(name: str, times: list[float], said: str, aim: int = AIM_MS) -> str:
    """One line of the table."""
    p95 = times[math.ceil(len(times) * 0.95) - 1]
    mark = "" if p95 < aim else f"  over {aim}"
    return f"  {name:44} median {statistics.median(times):5.0f} ms   p95 {p95:5.0f} ms   {said}{mark}"


def pages(store: Store) -> dict[str, str]:
    """What is asked for: a name and a query."""
    from orders.models import TrackingNumber

    number = TrackingNumber.objects.filter(shipment__order__store=store).order_by("pk")[1000].value
    replaced = TrackingNumber.objects.filter(shipment__order__store=store, replaced_at__isnull=False).last()
    one = f"store={store.pk}"
    return {
        "first page, all stores": "",
        "first page, one store": one,
        "waiting, all stores": "state=waiting",
        "waiting, one store": f"{one}&state=waiting",
        "to be sent, one store": f"{one}&state=due",
        "in the store (behind 150,000), one store": f"{one}&state=synced",
        "needs attention, all stores": "state=attention",
        "dispatched (behind 150,000), all stores": "dispatched=yes",
        "not dispatched, one store": f"{one}&dispatched=no",
        "no number, one store": f"{one}&number=no",
        "no number though dispatched (none), one store": f"{one}&number=no&dispatched=yes",
        "order number #4321": "order=%234321",
        "order number 4": "order=4",
        "tracking number": f"tracking={number}",
        "tracking number, replaced": f"tracking={replaced.value if replaced else ''}",
        "tracking number that nobody has": "tracking=YT999",
        "customer ada.lovelace1": "customer=ada.lovelace1",
        "customer J": "customer=J",
        "customer nobody": "customer=nobody",
        "customer Grace, waiting": "customer=grace&state=waiting",
        "placed half a year ago, all stores": f"placed_to={days_ago(180)}",
        "placed on one day, in the store, one store": f"{one}&placed_from={days_ago(200)}&placed_to={days_ago(200)}"
        "&state=synced",
    }


def days_ago(days: int) -> str:
    """A day as the filters take it."""
    from django.utils import timezone

    return (timezone.now() - timedelta(days=days)).date().isoformat()


def main() -> int:
    """Make the rows, ask for the pages, print the table. Figures are told, not judged."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.million", description=__doc__.split("\n")[0])
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--explain", action="store_true", help="print the plans of what is slower than the aim")
    options = parser.parse_args()
    with world(durable=False):
        from django.core.cache import cache
        from django.db import connection
        from django.test import Client

        total = options.orders
        began = time.perf_counter()
        large, *small = stores_of("merchant@example.com", ["large", *(f"small-{n}" for n in range(4))])
        fill(large, total // 2, total * 3 // 20)
        for store in small:
            fill(store, total // 40, total // 100)
        for n in range(40):
            (store,) = stores_of(f"other{n}@example.com", [f"other-{n}"])
            fill(store, total // 100, total // 500)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        print(f"{total:,} orders made in {time.perf_counter() - began:.0f} s", flush=True)

        client: Any = Client()
        client.force_login(large.owner)
        for name, query in pages(large).items():
            answer = client.get(f"/orders/?{query}")
            rows = len(answer.content.split(b'<th scope="row">')) - 1
            times = timed(asking(client, query))
            print(report(name, times, f"{rows} rows"), flush=True)
            if options.explain and times[-2] > AIM_MS:
                explain(client, query)
        print(report(f"page {DEEP}, all stores", timed(at(client, "")), ""), flush=True)
        print(report(f"page {DEEP}, one store, waiting", timed(at(client, f"state=waiting&store={large.pk}")), ""))

        def first_bytes() -> None:
            cache.clear()  # the limit on files
            made = iter(client.get("/orders/store-orders.csv").streaming_content)
            next(made)
            next(made)

        print(report("file of everything, its first 500 orders", timed(first_bytes), ""), flush=True)
        print(whole_file(client, large), flush=True)
        print(preview(large), flush=True)
        print(
            f"  ({os.cpu_count()} processors, {os.getloadavg()[1]:.1f} processes wanted one in the last five minutes)"
        )
    return 0


def asking(client: Any, query: str) -> Callable[[], Any]:
    """Asks for the page of this query."""
    return lambda: client.get(f"/orders/?{query}")


def at(client: Any, query: str) -> Callable[[], Any]:
    """Asks for the page that many pages deep."""
    for _ in range(DEEP - 1):
        page = client.get(f"/orders/?{query}").content.decode()
        found = re.search(r'rel="next" href="\?([^"]*)"', page)
        if found is None:
            break
        query = found[1].replace("&amp;", "&")
    return asking(client, query)


def whole_file(client: Any, store: Store) -> str:
    """How long the file of a tenth of the large store takes, from the first line to the last."""
    began = time.perf_counter()
    answer = client.get(f"/orders/store-orders.csv?store={store.pk}&placed_from={days_ago(36)}")
    lines = sum(piece.count(b"\n") for piece in answer.streaming_content)
    seconds = time.perf_counter() - began
    return f"  file of the last 36 days, one store: {lines:,} lines in {seconds:.1f} s ({lines / seconds:,.0f}/s)"


def preview(store: Store) -> str:
    """The effect of another choice on all that waits in the large store."""
    from orders.effect import chosen, effect
    from orders.sync import database_now
    from stores.models import Store

    store = Store.objects.select_related("preference").get(pk=store.pk)
    counted = effect(store, chosen(store, "before_dispatch", "local", 24), database_now())
    times = timed(lambda: effect(store, chosen(store, "before_dispatch", "local", 24), database_now()))
    return report("preview of a choice", times, f"{counted.followers:,} waiting rows", 1000)


def explain(client: Any, query: str) -> None:
    """Print how PostgreSQL runs the slowest query of a page."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as taken:
        client.get(f"/orders/?{query}")
    print("    " + ", ".join(each["time"] for each in taken))
    slowest = max(taken.captured_queries, key=lambda each: float(each["time"]))
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS) " + slowest["sql"].replace("%", "%%"))
        print("\n".join(f"    {line}" for (line,) in cursor.fetchall()))


if __name__ == "__main__":
    sys.exit(main())
