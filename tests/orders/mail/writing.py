"""What the tests of the customers' mail do again and again: a parcel, its number shown, the sending, the outbox."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.db import connection, transaction

from orders import changes, outcomes, plan, sync
from orders.choices import NumberKind
from orders.mail import sending
from orders.models import CustomerEmail, Order, Shipment, TrackingSync
from stores.choices import Timing
from stores.connectors.base import Outcome, Receipt
from stores.models import Store, SyncPreference
from tests import factories

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def at_once(count: int, act: Callable[[], Any]) -> list[Any]:
    """So many threads do it together, each on a connection of its own. What each returned; raises what one raised."""

    def work(_n: int) -> Any:
        try:
            together.wait()
            return act()
        finally:
            connection.close()

    together = Barrier(count, timeout=30)
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))


def verify(user: User) -> None:
    """The merchant proves the address."""
    EmailAddress.objects.update_or_create(user=user, email=user.email.lower(), defaults={"verified": True})


def a_shop(*, is_verified: bool = True, **fields: Any) -> Store:
    """A store of a merchant whose address is verified, with orders of the last month looked after."""
    store = factories.a_store(**{"sync_from": sync.database_now() - timedelta(days=60)} | fields)
    if is_verified:
        verify(store.owner)
    return store


def a_parcel(store: Store, *, number: str = "YT1", dispatched: bool = False, **order: Any) -> Shipment:
    """A paid parcel with its number, planned: due where the store's choice lets it go."""
    now = sync.database_now()
    made = factories.an_order(store, placed_at=now - timedelta(days=2), paid_at=now - timedelta(days=1), **order)
    shipment = factories.a_shipment(
        made,
        lines={"SKU-1": 2},
        local=number,
        known_at=now - timedelta(hours=1),
        dispatched_at=now - MINUTE if dispatched else None,
    )
    planned(shipment)
    return shipment


def planned(shipment: Shipment) -> None:
    """Plan it, as a writer of facts does."""
    with transaction.atomic():
        plan.plan([shipment.pk], sync.database_now())


def dispatch(shipment: Shipment, at: datetime | None = None) -> None:
    """The parcel is handed to the carrier."""
    now = sync.database_now()
    changes.mark_dispatched([shipment.pk], at or now, now=now)


def give(shipment: Shipment, number: str) -> None:
    """The parcel gets its number, or its new one."""
    carrier = factories.a_carrier()
    changes.set_number(shipment.pk, NumberKind.LOCAL, number, carrier, now=sync.database_now())


def shown(shipment: Shipment, outcome: Outcome = Outcome.CREATED) -> bool:
    """The push of what is wanted succeeds, written down as every outcome is. False where nothing is due."""
    row = TrackingSync.objects.get(shipment=shipment)
    now = sync.database_now()
    if row.due_at is None or row.due_at > now or row.wanted is None:
        return False
    version = SyncPreference.objects.get(store_id=row.store_id).version
    TrackingSync.objects.filter(pk=row.pk).update(sending=row.wanted, sending_since=now, kind=row.wanted.kind)
    sent = outcomes.Sent(row.pk, shipment.pk, row.wanted.pk, now, version, now)
    receipt = Receipt(outcome, (f"F{shipment.pk}",), row.wanted.value)
    outcomes.write([(sent, receipt)], settle=60, now=now, seconds=0.1)
    return True


def a_shown_parcel(store: Store, **fields: Any) -> Shipment:
    """A parcel whose number the store shows, dispatched where the store's choice asks for it first."""
    after = SyncPreference.objects.get(store=store).timing == Timing.AFTER_DISPATCH
    shipment = a_parcel(store, **{"dispatched": after} | fields)
    assert shown(shipment), "nothing was due"
    return shipment


def cancel(order: Order) -> None:
    """The order is cancelled in the store, as a pull writes it."""
    with transaction.atomic():
        Order.objects.filter(pk=order.pk).update(cancelled_at=sync.database_now())
        plan.plan(order.shipments.values_list("pk", flat=True), sync.database_now())


def make_due() -> None:
    """Time passes: what is to be tried again is tried now."""
    CustomerEmail.objects.filter(state="pending", due_at__isnull=False).update(due_at=factories.NOON)


def send() -> dict[str, int]:
    """The job runs once. How many mails ended how."""
    return {str(state): n for state, n in sending.send_due()[0].items()}


def outbox(shipment: Shipment) -> list[tuple[str, str, str]]:
    """The parcel's mails as (kind, state, reason), oldest first."""
    return list(shipment.emails.order_by("pk").values_list("kind", "state", "reason"))
