"""A small world to measure in: PostgreSQL, pretend stores, connected stores, orders, parcels, a worker."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests import environment, postgres
from tests.storefronts.client import PretendShopify, Shop

if TYPE_CHECKING:
    from orders.models import Order, Shipment
    from stores.models import Store

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class World:
    """What is there to measure with. Django is set up on its database."""

    pretend: PretendShopify
    variables: dict[str, str]

    def manage(self, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        """A management command as a process in a session of its own."""
        return subprocess.Popen(  # noqa: S603
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.variables, start_new_session=True, **options
        )

    def run(self, *arguments: str) -> str:
        """Run a management command to its end: what it printed. Raises when it fails."""
        done = subprocess.run(  # noqa: S603
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.variables,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        return done.stdout.strip()

    @contextlib.contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        """`manage.py worker`, stopped in the end."""
        process = self.manage("worker", stdout=subprocess.DEVNULL)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                kill_group(process)

    def store(
        self, name: str, *, timing: str = "after_dispatch", number_source: str = "local", **shop: Any
    ) -> tuple[Store, Shop]:
        """A store connected to a pretend shop of the same name, without the command's start-up time."""
        from django.contrib.auth import get_user_model

        from orders.sync import database_now
        from stores.connect import connect

        there = self.pretend.shop(name, **shop)
        owner = get_user_model().objects.get_or_create(username="bench", defaults={"email": "bench@example.com"})[0]
        store = connect(
            owner=owner,
            platform="shopify",
            name=name,
            base_url=there.base_url,
            credentials=there.credentials,
            timing=timing,
            number_source=number_source,
            # The pretend orders are some minutes old already.
            sync_from=database_now() - timedelta(days=1),
            now=database_now(),
        )
        return store, there


@contextlib.contextmanager
def world(*, durable: bool = True, **settings: str) -> Iterator[World]:
    """Start everything, and stop it in the end. `settings`: further environment variables."""
    with postgres.server(durable=durable) as url, PretendShopify() as pretend:
        os.environ.update(environment.ENVIRONMENT | {"DATABASE_URL": url, "LOG_LEVEL": "ERROR"} | settings)
        os.environ |= {"SECRET_KEY": secrets.token_urlsafe(50), "DJANGO_SETTINGS_MODULE": "tracksync.settings"}
        import django

        django.setup()
        here = World(pretend, dict(os.environ))
        here.run("migrate", "--verbosity", "0")
        yield here


def paid_orders(store: Store) -> list[Order]:
    """Pull the store's orders and book the merchant's payment: the orders that have no parcel yet, oldest first."""
    from orders import changes
    from orders.models import Order
    from orders.pull import pull_store
    from orders.sync import database_now

    now = database_now()
    pull_store(store, now=now)
    orders = list(Order.objects.filter(store=store, shipments__isnull=True).order_by("placed_at", "pk"))
    changes.mark_paid([order.pk for order in orders], now, now=now)
    return orders


def parcels(orders: Sequence[Order], number: Callable[[int], str], *, dispatched: bool = False) -> list[Shipment]:
    """One parcel for each order, its contents all that is ordered, with a local number, in a few statements."""
    from django.db import transaction

    from orders import plan, pulse
    from orders.choices import NumberKind
    from orders.models import Carrier, OrderLine, Shipment, ShipmentLine, ShippingMethod, TrackingNumber
    from orders.sync import database_now

    now = database_now()
    carrier = Carrier.objects.get(code="yunexpress")
    method = ShippingMethod.objects.filter(default_number=NumberKind.LOCAL).first()
    with transaction.atomic():
        made = Shipment.objects.bulk_create(
            Shipment(order=order, shipping_method=method, dispatched_at=now if dispatched else None) for order in orders
        )
        by_order = {shipment.order_id: shipment for shipment in made}
        ShipmentLine.objects.bulk_create(
            ShipmentLine(shipment=by_order[line.order_id], line=line, quantity=line.quantity)
            for line in OrderLine.objects.filter(order__in=[order.pk for order in orders])
        )
        TrackingNumber.objects.bulk_create(
            TrackingNumber(
                shipment=shipment,
                kind=NumberKind.LOCAL,
                value=number(position),
                raw=number(position),
                carrier=carrier,
                known_at=now,
            )
            for position, shipment in enumerate(made)
        )
        plan.new_rows(made)
        plan.plan([shipment.pk for shipment in made], now)
        pulse.ring()
    return made


def wait_until(true: Callable[[], bool], seconds: float, what: str, *, every: float = 0.2) -> None:
    """Look again until it is so. Raises TimeoutError naming `what`."""
    give_up = time.monotonic() + seconds
    while not true():
        if time.monotonic() > give_up:
            raise TimeoutError(f"after {seconds:.0f} s still not: {what}")
        time.sleep(every)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """kill -9 a process and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
