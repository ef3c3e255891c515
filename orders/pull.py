"""Brings the stores' orders in: what changed since the last time, and single orders asked for by number.

The store's state is kept as it was told, with one rule: an older state never overwrites a newer one, whatever the
order in which they arrive. Shipments of changed orders are planned again in the same transaction. The merchant's
payment to us is not the store's to tell and is never touched here, and a customer whose data was erased stays so.
"""

from __future__ import annotations

import logging
import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from django.db import DatabaseError, transaction
from django.db.models import Q

from stores import connections, trouble
from stores.connectors.base import StoreOrder, StoreOrderLine
from stores.connectors.codes import Code
from stores.connectors.errors import Reason, StoreBusy, StoreDisconnected, TryAgainLater
from stores.models import Store

from . import plan, privacy, pulse
from .bulk import update_rows
from .mail import undecided
from .models import Order, OrderLine, Shipment, TrackingSync

log = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=5)  # a store's search lags behind its writes
FIRST_PULL = timedelta(days=60)  # before sync_from; Shopify shows no older orders without a separate permission
CHUNK = 200  # orders per transaction

HELD_BACK = (Code.ON_HOLD, Code.SCHEDULED, Code.ROUTING)

ORDER_COLUMNS = (
    "number",
    "customer_name",
    "customer_email",
    "country",
    "placed_at",
    "shopper_paid_at",
    "cancelled_at",
    "cancel_reason",
    "store_updated_at",
)
LINE_COLUMNS = ("sku", "title", "quantity", "requires_shipping")
_order_values = operator.attrgetter(*ORDER_COLUMNS)
_line_values = operator.attrgetter(*LINE_COLUMNS)


@dataclass(frozen=True)
class PullResult:
    """How many orders were new, changed, as before, or could not be kept; `trouble` where the store ended the pull."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: int = 0
    trouble: Reason | None = field(default=None)

    def __add__(self, other: PullResult) -> PullResult:
        return PullResult(
            self.new + other.new,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.failed + other.failed,
            self.trouble or other.trouble,
        )


def pull_store(store: Store, *, now: datetime, stopped: Callable[[], bool] | None = None) -> PullResult:
    """Pull what changed in the store since the last pull, chunk by chunk; each chunk is kept at once.

    A store that is busy or lets nobody in ends the pull: it is written to the store and told in the result, and
    what came before is kept. `stopped` is asked before every chunk.
    """
    since = pull_since(store)
    result = PullResult()
    chunk: list[StoreOrder] = []
    is_stopped = stopped or (lambda: False)
    try:
        connector = connections.open_connector(store, stopped=stopped)
        try:
            for order in connector.orders(since):
                chunk.append(order)
                if len(chunk) == CHUNK:
                    result += _keep(store, chunk, now)
                    chunk = []
                    if is_stopped():
                        return result
        finally:
            connections.close(connector)
            if chunk:
                result += _keep(store, chunk, now)
    except TryAgainLater:
        return result  # stopped between two requests; the next pull goes on where this one ended
    except StoreBusy as error:
        trouble.busy(store.pk, error, now)
        return result + PullResult(trouble=error.reason)
    except StoreDisconnected as error:
        trouble.disconnected(store.pk, error, now)
        return result + PullResult(trouble=error.reason)
    trouble.well(store.pk, now)
    Store.objects.filter(pk=store.pk).update(pulled_at=now)
    return result


def pull_since(store: Store) -> datetime:
    """From when on the store is asked for changes: a little before the last one known, or 60 days before sync_from."""
    return store.pulled_until - OVERLAP if store.pulled_until else store.sync_from - FIRST_PULL


def fetch_order(store: Store, number: str, now: datetime) -> Order | None:
    """Ask the store for the one order with exactly this number and keep it; None where it has none.

    Raises StoreBusy or StoreDisconnected, which are written to the store as well.
    """
    order = ask_orders(store, [number], now).get(number)
    if order is None:
        return None
    save_orders(store, [order], now)
    return Order.objects.filter(store=store, external_id=order.external_id).first()


def ask_orders(store: Store, numbers: Iterable[str], now: datetime) -> dict[str, StoreOrder]:
    """The orders with exactly these numbers, over one connection, without those the store lacks. Keeps nothing.

    Raises StoreBusy or StoreDisconnected, which are written to the store as well.
    """
    found: dict[str, StoreOrder] = {}
    try:
        connector = connections.open_connector(store)
        try:
            for number in numbers:
                if order := connector.order(number):
                    found[number] = order
        finally:
            connections.close(connector)
    except StoreBusy as error:
        trouble.busy(store.pk, error, now)
        raise
    except StoreDisconnected as error:
        trouble.disconnected(store.pk, error, now)
        raise
    return found


def save_orders(store: Store, orders: Sequence[StoreOrder], now: datetime) -> PullResult:
    """Keep these orders, in chunks of one transaction each; one that cannot be kept never stops the others."""
    result = PullResult()
    rest = iter(orders)
    while chunk := list(islice(rest, CHUNK)):
        result += _save_each_if_need_be(store, chunk, now)
    return result


def _keep(store: Store, chunk: list[StoreOrder], now: datetime) -> PullResult:
    """A chunk of the poll: kept, and only then is the store's clock moved on."""
    undecided.learn(store, reads=not chunk[-1].hides_customer)
    result = save_orders(store, chunk, now)
    # Never ahead of our own clock: a shop whose clock was wrong for a day would hide its orders until that day comes.
    until = min(max(order.updated_at for order in chunk), now)
    Store.objects.filter(Q(pulled_until__isnull=True) | Q(pulled_until__lt=until), pk=store.pk).update(
        pulled_until=until
    )
    return result


def _save_each_if_need_be(store: Store, chunk: list[StoreOrder], now: datetime) -> PullResult:
    try:
        return _save(store, chunk, now)
    except (DatabaseError, ValueError, ArithmeticError):
        if len(chunk) == 1:
            log.exception("Store %s: order %s cannot be kept", store.pk, chunk[0].external_id)
            return PullResult(failed=1)
    result = PullResult()
    for order in chunk:
        result += _save_each_if_need_be(store, [order], now)
    return result


def _save(store: Store, chunk: list[StoreOrder], now: datetime) -> PullResult:
    """One transaction: insert what is missing, lock all, overwrite what is not newer here, plan what changed."""
    newest = _newest(chunk)
    with transaction.atomic():
        known = set(
            Order.objects.filter(store=store, external_id__in=list(newest)).values_list("external_id", flat=True)
        )
        new_ones = {key: _row(store, order, now) for key, order in newest.items() if key not in known}
        missing = privacy.without_erased(store, new_ones, now)
        # Somebody else may be inserting the same order: then his row stays, and is compared below like all others.
        Order.objects.bulk_create(missing, ignore_conflicts=True)
        rows = list(Order.objects.filter(store=store, external_id__in=list(newest)).order_by("pk").select_for_update())
        rows_and_orders = [(row, newest[row.external_id]) for row in rows]
        current = [(row, order) for row, order in rows_and_orders if order.updated_at >= row.store_updated_at]

        changed = _overwrite(store, current, now)
        changed |= _write_lines(current)
        new = {row.pk for row in rows if row.external_id not in known}
        _plan_shipments(changed - new, now)
    # SQLite passes over a row that breaks any constraint at all, where it was asked to pass over known ones.
    failed = len(newest) - len(rows)
    if failed:
        lost = sorted(set(newest) - {row.external_id for row in rows})
        log.error("Store %s: orders %s cannot be kept", store.pk, ", ".join(lost))
    touched = len(changed - new)
    return PullResult(len(new), touched, len(chunk) - len(new) - touched - failed, failed)


def _newest(chunk: list[StoreOrder]) -> dict[str, StoreOrder]:
    """By external id; an order that changed while it was paged through comes twice."""
    newest: dict[str, StoreOrder] = {}
    for order in chunk:
        if order.external_id not in newest or order.updated_at >= newest[order.external_id].updated_at:
            newest[order.external_id] = order
    return newest


def _overwrite(store: Store, pairs: list[tuple[Order, StoreOrder]], now: datetime) -> set[int]:
    """Write the orders that differ. Their ids."""
    changed = []
    for row, order in pairs:
        told = _row(store, order, now)
        values = _order_values(privacy.blank(told, now) if row.erased_at else told)
        if values != _order_values(row):
            changed.append((row.pk, *values, now))
    update_rows(Order, (*ORDER_COLUMNS, "pulled_at"), changed)
    return {row[0] for row in changed}


def _write_lines(pairs: list[tuple[Order, StoreOrder]]) -> set[int]:
    """Write the lines that differ. Ids of their orders.

    A line that the store no longer has is kept with nothing ordered: parcels may refer to it.
    """
    orders = [row.pk for row, _ in pairs]
    known = {(line.order_id, line.external_id): line for line in OrderLine.objects.filter(order_id__in=orders)}
    wanted = {
        (row.pk, line.external_id): line for row, order in pairs for line in (_line(row, told) for told in order.lines)
    }
    new = [line for key, line in wanted.items() if key not in known]
    differing = [
        (known[key], line)
        for key, line in wanted.items()
        if key in known and _line_values(known[key]) != _line_values(line)
    ]
    removed = [line for key, line in known.items() if key not in wanted and line.quantity]
    OrderLine.objects.bulk_create(new)
    update_rows(OrderLine, LINE_COLUMNS, [(line.pk, *_line_values(told)) for line, told in differing])
    update_rows(OrderLine, ("quantity",), [(line.pk, 0) for line in removed])
    return {line.order_id for line in (*new, *(line for line, _ in differing), *removed)}


def _plan_shipments(order_ids: set[int], now: datetime) -> None:
    if not order_ids:
        return
    shipments = list(Shipment.objects.filter(order_id__in=order_ids).values_list("pk", flat=True))
    if shipments:
        plan.plan(shipments, now)
        # What the store held back may be free now: its order says that something has changed. After the plan, which
        # has locked the rows in order.
        TrackingSync.objects.filter(
            shipment_id__in=shipments, reason__in=HELD_BACK, due_at__gt=now, sending__isnull=True
        ).update(due_at=now)
        pulse.ring()


def _row(store: Store, order: StoreOrder, now: datetime) -> Order:
    """The order as a row that fits its columns."""
    return Order(
        store=store,
        external_id=order.external_id,
        number=_text(order.number, 60),
        customer_name=_text(order.customer_name, 200),
        customer_email=_text(order.customer_email, 254),
        country=order.country if len(order.country) == 2 else "",
        placed_at=order.placed_at,
        shopper_paid_at=order.shopper_paid_at,
        cancelled_at=order.cancelled_at,
        cancel_reason=_text(order.cancel_reason, 60),
        store_updated_at=order.updated_at,
        pulled_at=now,
    )


def _line(order: Order, line: StoreOrderLine) -> OrderLine:
    return OrderLine(
        order=order,
        external_id=line.external_id,
        sku=_text(line.sku, 100),
        title=_text(line.title, 300),
        quantity=max(line.quantity, 0),
        requires_shipping=line.requires_shipping,
    )


def _text(text: str, limit: int) -> str:
    """What a column can hold: PostgreSQL takes no NUL, and buyers write long names."""
    return text.replace("\x00", "")[:limit]
