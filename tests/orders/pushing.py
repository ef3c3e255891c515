"""What the tests of the sync do again and again: connect a pretend shop, make a parcel due, push, look."""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from orders import changes, plan, sync
from orders.choices import AttemptOutcome, NumberKind
from orders.models import Order, Shipment, SyncAttempt, TrackingSync
from orders.pull import pull_store
from stores.lease import take
from stores.models import Store
from tests import factories
from tests.storefronts.client import Shop
from tests.storefronts.woo import WooShop


def an_order_in(shop: Shop | WooShop, store: Store, *lines: Any, **fields: Any) -> Order:
    """An order placed in the shop, pulled over HTTP, and paid by the merchant."""
    there = shop.add_order(lines or [("MUG", "A mug", 2)], **fields)
    now = sync.database_now()
    pull_store(store, now=now)
    order = Order.objects.get(store=store, external_id=str(there["id"]))
    changes.mark_paid([order.pk], now, now=now)
    return order


def a_parcel(
    order: Order,
    number: str,
    *,
    parcel: int = 1,
    lines: dict[str, int] | None = None,
    dispatched: bool = True,
    kind: str = NumberKind.LOCAL,
) -> Shipment:
    """A parcel with its number, handed to the carrier. `lines` {sku: units}; None = contents not known."""
    shipment = factories.a_shipment(order, parcel=parcel, lines=lines)
    give(shipment, number, kind=kind)
    if dispatched:
        now = sync.database_now()
        changes.mark_dispatched([shipment.pk], now, now=now)
    return shipment


def give(shipment: Shipment, number: str, *, kind: str = NumberKind.LOCAL, carrier: str = "yunexpress") -> None:
    """The parcel's number, or its new one."""
    theirs = factories.our_carrier() if kind == NumberKind.OWN else factories.a_carrier(carrier)
    changes.set_number(shipment.pk, kind, number, theirs, now=sync.database_now())


def push(store: Store, *, seconds: float = 20.0) -> Counter[AttemptOutcome]:
    """One holder of the lease serves the store until nothing is due."""
    lease = take(store.pk, sync.lease_seconds(store.platform))
    assert lease is not None, "somebody else holds the lease"
    return sync.serve(lease, until=time.monotonic() + seconds, stop=lambda: False)


def push_until_synced(store: Store, *, seconds: float = 20.0) -> None:
    """Serve the store again and again until every row of it is synced."""
    give_up = time.monotonic() + seconds
    rows = TrackingSync.objects.filter(store=store)
    while rows.exclude(state="synced").exists():
        assert time.monotonic() < give_up, list(rows.values("state", "reason", "due_at", "sending", "attempts"))
        push(store)
        Store.objects.filter(pk=store.pk).exclude(resume_at=None).update(resume_at=factories.NOON)
        rows.filter(sending__isnull=True, due_at__isnull=False).update(due_at=factories.NOON)
        time.sleep(0.05)


def make_due(store: Store) -> None:
    """Time passes: what is due later or waits for the store is due now. Open intents keep their time."""
    Store.objects.filter(pk=store.pk).exclude(resume_at=None).update(resume_at=factories.NOON)
    TrackingSync.objects.filter(store=store, due_at__isnull=False, sending=None).update(due_at=factories.NOON)


def settle(store: Store) -> None:
    """Time passes: open intents have settled."""
    long_ago = sync.database_now() - timedelta(hours=1)
    TrackingSync.objects.filter(store=store, sending__isnull=False).update(due_at=long_ago)


def row(shipment: Shipment) -> TrackingSync:
    """Its row as it stands in the database."""
    return TrackingSync.objects.select_related("wanted", "sending", "shown").get(shipment=shipment)


def stands(shipment: Shipment) -> tuple[str, str, str, str]:
    """(state, reason, number under way, number shown)"""
    its = row(shipment)
    return its.state, its.reason, its.sending.value if its.sending else "", its.shown.value if its.shown else ""


def timeline(shipment: Shipment) -> list[str]:
    """The outcomes of all attempts, oldest first."""
    attempts = SyncAttempt.objects.filter(sync__shipment=shipment).exclude(outcome="by_hand")
    return list(attempts.values_list("outcome", flat=True))


def live(shop: Shop) -> list[tuple[list[str], int]]:
    """Of each live fulfillment in the store's own book: its numbers, and how many units it covers."""
    return [
        (fulfillment["numbers"], sum(fulfillment["lines"].values()))
        for order in shop.book()["orders"]
        for fulfillment in order["fulfillments"]
    ]


def replan(order: Order, now: datetime) -> None:
    """Plan all shipments of an order again."""
    from django.db import transaction

    with transaction.atomic():
        plan.plan(order.shipments.values_list("pk", flat=True), now)
