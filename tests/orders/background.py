"""Stores with something due, connected to pretend shops, and patience: what the tests of the background share."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import connections, transaction
from django.db.models.functions import Now

from orders import plan
from orders.choices import SyncState
from orders.models import TrackingSync
from stores.models import Store
from tests.conftest import NOON
from tests.factories import a_shipment, a_store, an_order
from tests.storefronts.client import PretendShopify, Shop


@dataclass(frozen=True)
class Connected:
    """A store, the pretend shop behind it, and the numbers that are due there."""

    store: Store
    shop: Shop
    numbers: tuple[str, ...]

    def shown(self) -> dict[str, float]:
        """The numbers that the shop shows, with the time since when."""
        return dict(self.shop.book()["numbers"])

    def requests(self) -> int:
        """How many requests the shop has got."""
        return int(self.shop.book()["counts"]["requests"])

    def is_done(self) -> bool:
        """Whether the shop shows all that was due."""
        return set(self.shown()) == set(self.numbers)

    def rows(self) -> dict[str, int]:
        """How many of the store's rows are in which state; "sending" for those whose end is not known."""
        counts: dict[str, int] = {}
        for state, sending in TrackingSync.objects.filter(store=self.store).values_list("state", "sending"):
            word = "sending" if sending else str(SyncState(state))
            counts[word] = counts.get(word, 0) + 1
        return counts


def connected(pretend: PretendShopify, *, numbers: int = 1, dispatched: bool = True, **shop: Any) -> Connected:
    """A store whose shop has so many orders, each with one parcel and its number; due where it is dispatched."""
    there = pretend.shop(**{"bucket": 100_000, "restore_rate": 10_000} | shop)
    # One merchant for all, who never logs in: hashing a password takes longer than all the rest.
    owner = User.objects.get_or_create(username="merchant")[0]
    store = a_store(owner, base_url=there.base_url, credentials=there.credentials)
    orders = there.add_orders(numbers)
    values = [f"YT{store.pk:06d}{position:08d}" for position in range(numbers)]
    with transaction.atomic():
        shipments = [
            a_shipment(
                an_order(store, external_id=order["id"], number=order["name"]),
                local=value,
                dispatched_at=NOON if dispatched else None,
            )
            for order, value in zip(orders, values, strict=True)
        ]
        plan.plan([shipment.pk for shipment in shipments], NOON)
    return Connected(store, there, tuple(values))


@contextlib.contextmanager
def beside(run: Callable[[], object], *, after: float = 0.0) -> Iterator[None]:
    """Do it in a thread beside the test, `after` so many seconds; its end is waited for whatever the test finds."""

    def and_close() -> None:
        try:
            time.sleep(after)
            run()
        finally:
            connections.close_all()

    thread = threading.Thread(target=and_close)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def leases() -> int:
    """How many stores somebody holds the lease of."""
    return Store.objects.filter(leased_until__gt=Now()).count()


def eventually(is_so: Callable[[], object], seconds: float = 90.0) -> float:
    """Look again and again until it is so; after how many seconds it was. Fails when it never is."""
    start = time.monotonic()
    while not is_so():
        assert time.monotonic() < start + seconds, f"still not so after {seconds} s"
        time.sleep(0.05)
    return time.monotonic() - start
