"""Everything a merchant sees starts from their own stores: the only way from a request to a store.

A stranger's store does not exist: 404, whatever the address and whatever is posted to it. What hangs
below a store (orders, shipments, numbers) is reached through orders/access.py.
"""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from .models import Store


def stores_of(user: User | AnonymousUser) -> QuerySet[Store]:
    """The stores of this merchant, disconnected ones included, with their preferences."""
    return Store.objects.filter(owner_id=user.pk).select_related("preference").order_by("name", "pk")


def store_of(request: HttpRequest, store_id: int) -> Store:
    """The merchant's store with this id. Raises Http404 for anybody else's and for none."""
    return get_object_or_404(stores_of(request.user), pk=store_id)
