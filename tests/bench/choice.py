"""How long the effect of a choice takes to count, with 200,000 waiting rows in one store, on PostgreSQL.

    python -m tests.bench.choice [--waiting 200000] [--sent 300000] [--others 500000]

The rows are made by SQL: paid and unpaid orders, dispatched and not, with one number, both or none.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from .world import world

if TYPE_CHECKING:
    from stores.models import Store

TRIES = 20

ORDERS = """
INSERT INTO orders_order (store_id, external_id, number, customer_name, customer_email, country, placed_at,
                          shopper_paid_at, paid_at, cancelled_at, cancel_reason, store_updated_at, pulled_at)
SELECT %(store)s, %(first)s || '-' || g, '#' || g, 'Jane Doe', 'jane@example.com', 'DE',
       now() - g * interval '1 second', NULL,
       CASE WHEN g %% 10 > 0 THEN now() - (g %% 96) * interval '1 hour' END,
       CASE WHEN g %% 50 = 0 THEN now() END, '', now(), now()
FROM generate_series(1, %(count)s) AS g
"""
SHIPMENTS = """
INSERT INTO orders_shipment (order_id, parcel, shipping_method_id, dispatched_at, created_at, token)
SELECT o.id, 1, (SELECT m.id FROM orders_shippingmethod m WHERE m.code = (ARRAY['cjpacket-ordinary', 'yunexpress',
       '4px'])[1 + o.id %% 3]), CASE WHEN %(sent)s::boolean OR o.id %% 4 = 0 THEN now() END, now(), md5(o.id::text)
FROM orders_order o WHERE o.store_id = %(store)s AND o.external_id LIKE %(first)s || '-%%'
"""
NUMBERS = """
INSERT INTO orders_trackingnumber (shipment_id, kind, value, raw, carrier_id, known_at, replaced_why)
SELECT s.id, k.kind, k.prefix || lpad(s.id::text, 12, '0'), '', k.carrier, now() - interval '1 hour', ''
FROM orders_shipment s JOIN orders_order o ON o.id = s.order_id
JOIN (VALUES ('own', 'CJP', (SELECT id FROM orders_carrier WHERE is_own)),
             ('local', 'YT', (SELECT id FROM orders_carrier WHERE code = 'yunexpress'))) AS k(kind, prefix, carrier)
  ON (k.kind = 'own' AND s.id %% 3 = 0) OR (k.kind = 'local' AND s.id %% 5 > 0)
WHERE o.store_id = %(store)s AND o.external_id LIKE %(first)s || '-%%'
"""
ROWS = """
INSERT INTO orders_trackingsync (shipment_id, store_id, kind, fulfillments, adopted, state, reason, reason_values,
       attempts, goes_alone, stopped, planned_version, state_since, wanted_id, shown_id)
SELECT s.id, %(store)s, CASE WHEN %(sent)s THEN coalesce(n.kind, '') ELSE '' END, '[]', false,
       CASE WHEN %(sent)s AND n.id IS NOT NULL THEN 'synced' ELSE 'waiting' END, '', '{}', 0, false, '', 1, now(),
       CASE WHEN %(sent)s THEN n.id END, CASE WHEN %(sent)s THEN n.id END
FROM orders_shipment s JOIN orders_order o ON o.id = s.order_id
LEFT JOIN LATERAL (SELECT id, kind FROM orders_trackingnumber n WHERE n.shipment_id = s.id ORDER BY id LIMIT 1) n
  ON true
WHERE o.store_id = %(store)s AND o.external_id LIKE %(first)s || '-%%'
"""


def fill(store: Store, count: int, *, sent: bool, first: str) -> None:
    """So many orders of one parcel each, sent or waiting, in four statements."""
    from django.db import connection

    values = {"store": store.pk, "count": count, "sent": sent, "first": first}
    with connection.cursor() as cursor:
        for table, statement in zip(("order", "shipment", "trackingnumber"), (ORDERS, SHIPMENTS, NUMBERS), strict=True):
            cursor.execute(statement, values)
            cursor.execute(f"ANALYZE orders_{table}")
        cursor.execute(ROWS, values)


def measure(store: Store, tries: int = TRIES) -> tuple[list[float], int]:
    """Milliseconds of so many warm counts of the effect, and how many rows it counted."""
    from orders.effect import chosen, effect
    from orders.sync import database_now

    found = []
    for turn in range(tries + 2):
        new = chosen(store, ("before_dispatch", "after_dispatch")[turn % 2], ("local", "default")[turn // 2 % 2], 24)
        began = time.perf_counter()
        counted = effect(store, new, database_now())
        found.append((time.perf_counter() - began) * 1000)
    return sorted(found[2:]), counted.followers


def main() -> int:
    """Measure and print; the figures are told, not judged."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.choice", description="The effect of a choice, timed.")
    parser.add_argument("--waiting", type=int, default=200_000)
    parser.add_argument("--sent", type=int, default=300_000)
    parser.add_argument("--others", type=int, default=500_000)
    parser.add_argument("--explain", action="store_true", help="print the plan of the query")
    options = parser.parse_args()
    with world() as here:
        from django.db import connection

        from stores.models import Store

        store, _ = here.store("choice")
        other, _ = here.store("other")
        Store.objects.filter(pk=store.pk).update(sync_from=store.sync_from - timedelta(days=30))
        began = time.perf_counter()
        fill(other, options.others, sent=True, first="a")
        fill(store, options.sent, sent=True, first="b")
        fill(store, options.waiting, sent=False, first="c")
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        print(f"rows made in {time.perf_counter() - began:.0f} s", flush=True)
        store = Store.objects.select_related("preference").get(pk=store.pk)
        if options.explain:
            explain(store)
        times, counted = measure(store)
        print(
            f"effect of a choice over {counted:,} waiting rows: median {statistics.median(times):.0f} ms, "
            f"p95 {times[int(len(times) * 0.95) - 1]:.0f} ms (aim: under 1 s)"
        )
    return 0


def explain(store: Store) -> None:
    """Print how PostgreSQL runs the counting query."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from orders.effect import chosen, effect
    from orders.sync import database_now

    with CaptureQueriesContext(connection) as queries:
        effect(store, chosen(store, "before_dispatch", "local", 24), database_now())
    for query in queries:
        print(query["time"], query["sql"][:100])
    counting = next(query["sql"] for query in queries if "paid_first" in query["sql"])
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS) " + counting)
        print("\n".join(line for (line,) in cursor.fetchall()))


if __name__ == "__main__":
    sys.exit(main())
