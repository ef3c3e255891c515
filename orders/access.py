"""From a merchant to what hangs below their stores; a stranger's orders and shipments do not exist."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from .models import Order, Shipment


def orders_of(user: User | AnonymousUser) -> QuerySet[Order]:
    """The orders of all stores of this merchant."""
    return Order.objects.filter(store__owner_id=user.pk)


def shipments_of(user: User | AnonymousUser) -> QuerySet[Shipment]:
    """The shipments of all stores of this merchant."""
    return Shipment.objects.filter(order__store__owner_id=user.pk)


def shipment_of(request: HttpRequest, shipment_id: int) -> Shipment:
    """The merchant's shipment with this id. Raises Http404 for anybody else's and for none."""
    shipments = shipments_of(request.user).select_related("order__store__preference", "shipping_method", "sync")
    return get_object_or_404(shipments, pk=shipment_id)
