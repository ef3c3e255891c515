"""A shop that has moved: its own old address leads to the new one, and its merchant says that it is the same shop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from stores import connections
from stores.connect import AlreadyConnected, is_connected
from stores.connectors import registry
from stores.connectors.codes import Code
from stores.connectors.errors import ConnectorError
from stores.models import Store


def moved_to(store: Store) -> str:
    """The address that the shop itself leads to since it moved, in the spelling that is kept; "" where it did not."""
    return leads_to(store.platform, store.trouble, store.trouble_values)


def leads_to(platform: str, code: str, values: Mapping[str, Any]) -> str:
    """The same for a check that has just failed with this code and its values."""
    to = str(values.get("to") or "") if code == Code.ADDRESS_MOVED else ""
    try:
        return registry.normalise_base_url(platform, to, connections.allowed_networks()) if to else ""
    except ConnectorError:
        return ""


def move(store: Store, address: str, credentials: Mapping[str, Any]) -> None:
    """Keep the store's new address, once the shop there lets us in with the new access.

    The store is still in trouble meanwhile, so nobody calls it with the old access. Raises AlreadyConnected and what
    checks raise.
    """
    if is_connected(store.platform, address):
        raise AlreadyConnected
    connections.check_connection(store.platform, address, credentials)
    try:
        with transaction.atomic():
            Store.objects.filter(pk=store.pk, base_url=store.base_url).update(base_url=address)
    except IntegrityError:
        raise AlreadyConnected from None
    store.base_url = address
