"""Customers' data on request: told to staff who answer, or erased for good.

A platform asks for a customer's or a shop's sake, and its message lists the orders. What is asked is kept as a
PrivacyRequest until it is done: erasing in the background, answering by staff (admin/privacy.py). Erased is what says
who the customer is; the order stays, marked, so that no later pull brings the customer back. Nothing is logged but
numbers of rows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from stores.choices import PrivacyKind
from stores.models import PrivacyRequest, Store
from stores.uninstalling import uninstalled

from .models import CustomerEmail, Order

log = logging.getLogger(__name__)

CHUNK = 1000  # orders erased in one transaction
NOBODY: dict[str, Any] = {"customer_name": "", "customer_email": "", "country": ""}


def ask(store: Store, kind: str, order_ids: tuple[str, ...], now: datetime) -> PrivacyRequest:
    """Write down what is asked for. The same once more opens the same request again: a repetition adds no row."""
    same = PrivacyRequest.objects.filter(store=store, kind=kind, order_ids=sorted(order_ids))
    request = same.order_by("pk").first()
    if request is None:
        request = PrivacyRequest.objects.create(store=store, kind=kind, order_ids=sorted(order_ids), received_at=now)
    else:
        same.filter(pk=request.pk).update(received_at=now, done_at=None)
    log.info("Store %s: %s, %d orders", store.pk, kind, len(order_ids))
    return request


def erase_due(now: datetime, *, stop: Callable[[], bool]) -> int:
    """Erase what was asked for, until nothing is left or `stop()`. How many orders were erased."""
    erased = 0
    due = PrivacyRequest.objects.filter(done_at=None).exclude(kind=PrivacyKind.CUSTOMER_ASKS)
    for request in due.select_related("store").order_by("received_at", "pk"):
        if stop():
            break
        try:
            erased += _carry_out(request, now, stop)
        except Exception:
            log.exception("Store %s: what was asked for could not be erased", request.store_id)
    return erased


def kept_of(request: PrivacyRequest) -> dict[str, Any]:
    """All that is kept of the orders of a request, as JSON can hold it; times in ISO 8601."""
    orders = Order.objects.filter(store=request.store_id, external_id__in=request.order_ids).order_by("pk")
    return {
        "store": request.store.name,
        "address": request.store.base_url,
        "asked_at": request.received_at.isoformat(),
        "orders": [_everything(order) for order in orders.prefetch_related("lines", "shipments__numbers")],
    }


def open_to_staff(requests: QuerySet[PrivacyRequest]) -> QuerySet[PrivacyRequest]:
    """Those that a person closes: questions, and the erasing of a shop that is served again."""
    return requests.filter(done_at=None).exclude(kind=PrivacyKind.FORGET_CUSTOMER)


def closed(request_ids: list[int], now: datetime) -> int:
    """Staff have answered, or decided. How many requests are done by it."""
    return open_to_staff(PrivacyRequest.objects.filter(pk__in=request_ids)).update(done_at=now)


def blank(order: Order, now: datetime) -> Order:
    """The order without its customer, marked. Does not save."""
    for name, value in NOBODY.items():
        setattr(order, name, value)
    order.erased_at = now
    return order


def without_erased(store: Store, rows: Mapping[str, Order], now: datetime) -> list[Order]:
    """New rows, by external id: those whose customer was erased before they were ever pulled come without one."""
    if rows:
        asked = PrivacyRequest.objects.filter(store=store, kind=PrivacyKind.FORGET_CUSTOMER)
        for listed in asked.values_list("order_ids", flat=True):
            for external_id in set(listed) & set(rows):
                blank(rows[external_id], now)
    return list(rows.values())


def _carry_out(request: PrivacyRequest, now: datetime, stop: Callable[[], bool]) -> int:
    orders = Order.objects.filter(store=request.store_id, erased_at=None)
    if request.kind == PrivacyKind.FORGET_CUSTOMER:
        orders = orders.filter(external_id__in=request.order_ids)
    elif not _is_gone(request.store, now):
        return 0  # the shop is served (again): staff see the request and decide
    erased = 0
    while ids := list(orders.order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        if stop():
            return erased
        with transaction.atomic():
            erased += Order.objects.filter(pk__in=ids).update(**NOBODY, erased_at=now)
            # A mail server's answer may name whom it refused.
            CustomerEmail.objects.filter(shipment__order__in=ids).exclude(answer="").update(answer="")
    PrivacyRequest.objects.filter(pk=request.pk, received_at=request.received_at).update(done_at=now)
    log.info("Store %s: the customers of %d orders were erased", request.store_id, erased)
    return erased


def _is_gone(store: Store, now: datetime) -> bool:
    """Whether the shop is served no more. It is asked for two days after the app was removed, told or not."""
    if store.disconnected_at is None and store.needs_reconnecting:
        uninstalled(store.pk, now)
        return True
    return store.disconnected_at is not None


def _everything(order: Order) -> dict[str, Any]:
    mails = CustomerEmail.objects.filter(shipment__order=order).order_by("pk")
    return {
        **{
            name: _plain(getattr(order, name))
            for name in (
                "number",
                "external_id",
                "customer_name",
                "customer_email",
                "country",
                "placed_at",
                "shopper_paid_at",
                "cancelled_at",
                "pulled_at",
            )
        },
        "lines": [{"sku": line.sku, "title": line.title, "quantity": line.quantity} for line in order.lines.all()],
        "shipments": [
            {
                "parcel": shipment.parcel,
                "dispatched_at": _plain(shipment.dispatched_at),
                "numbers": [number.value for number in shipment.numbers.all()],
            }
            for shipment in order.shipments.all()
        ],
        "mails": [{"kind": mail.kind, "state": mail.state, "sent_at": _plain(mail.sent_at)} for mail in mails],
    }


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
