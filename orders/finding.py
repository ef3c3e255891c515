"""What a person means by a number: an order's as it is written, or any that a parcel ever had.

Used by the search fields of the staff's pages and by `manage.py explain`. Both look numbers up exactly,
through their indexes, and never by a part of them.
"""

from __future__ import annotations

from django.db.models import QuerySet

from .models import Order, Shipment, TrackingNumber
from .numbers import normalise


def orders_numbered(text: str, orders: QuerySet[Order] | None = None) -> QuerySet[Order]:
    """Orders with this number as it is written; only where there are none, with or without a leading "#"."""
    orders = Order.objects.all() if orders is None else orders
    exact = orders.filter(number=text.strip())
    if exact.exists():
        return exact
    bare = text.strip().lstrip("#")
    return orders.filter(number__in=[bare, f"#{bare}"]) if bare else orders.none()


def shipments_numbered(text: str) -> QuerySet[Shipment]:
    """Shipments that have or once had this tracking number, however it is spelt."""
    value = normalise(text)
    if not value:
        return Shipment.objects.none()
    return Shipment.objects.filter(pk__in=TrackingNumber.objects.filter(value=value).values("shipment_id"))


def shipment_ids(text: str) -> list[int]:
    """The shipments that a search for this text means: by their order's number, or by any number they ever had."""
    by_order = Shipment.objects.filter(order__in=orders_numbered(text)).values_list("pk", flat=True)
    return sorted({*by_order, *shipments_numbered(text).values_list("pk", flat=True)})
