"""The shop has said yes: the store is connected, reconnected, or taken up again where an uninstalled app left it.

The live check and the saving are those of connect.py. A shop that this merchant has connected is never connected a
second time: it gets the new access. One whose app was removed in the shop is taken up again in the same row, with its
orders, numbers and choice, if it is the same merchant who comes back; one that was disconnected on purpose is not.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.models import AnonymousUser, User
from django.db import IntegrityError, transaction

from ..choices import DisconnectReason
from ..connect import AlreadyConnected, check_again, connect, is_connected
from ..fields import Secret
from ..models import PendingConnection, Store
from . import invitations


class How(enum.StrEnum):
    """What became of the yes."""

    NEW = "new"
    AGAIN = "again"  # a connected store has new access
    REVIVED = "revived"  # the app had been removed in the shop


@dataclass(frozen=True)
class Finished:
    """The store, and what became of it."""

    store: Store
    how: How


def own_store(user: User | AnonymousUser, platform: str, base_url: str) -> Store | None:
    """The connected store that this merchant has at this shop."""
    return _of(user, platform, base_url).filter(disconnected_at=None).select_related("preference").first()


def left_store(user: User | AnonymousUser, platform: str, base_url: str) -> Store | None:
    """The store that is taken up again: this merchant's, whose app was removed in the shop; the latest of them."""
    if is_connected(platform, base_url):
        return None
    left = _of(user, platform, base_url).filter(disconnect_reason=DisconnectReason.UNINSTALLED)
    return left.order_by("-disconnected_at").first()


def finish(pending: PendingConnection, credentials: Mapping[str, Any], *, grant: Any = None, now: datetime) -> Finished:
    """Check the shop live and keep the access. `grant`: what the platform gave for the consent, where it gives one.

    Raises AlreadyConnected where the shop is somebody else's, and the connector errors; nothing is kept then.
    """
    user, platform, base_url = pending.user, pending.platform, pending.base_url
    own = own_store(user, platform, base_url)
    left = None if own else left_store(user, platform, base_url)
    if own is not None:
        check_again(own, credentials, grant=grant)
        done = Finished(own, How.AGAIN)
    elif left is not None:
        done = Finished(_take_up(left, credentials, grant), How.REVIVED)
    else:
        done = Finished(_connect(pending, credentials, grant, now), How.NEW)
    if pending.invitation is not None:
        invitations.use(pending.invitation, done.store, now)
    return done


def _connect(pending: PendingConnection, credentials: Mapping[str, Any], grant: Any, now: datetime) -> Store:
    store = connect(
        owner=pending.user,
        platform=pending.platform,
        name=pending.store_name or host_of(pending.base_url),
        base_url=pending.base_url,
        credentials=credentials,
        grant=grant,
        now=now,
    )
    called = str(store.facts.get("shop_name", "")).strip()[:200]
    if called and not pending.store_name:
        # Nobody was asked for a name: the shop has one.
        Store.objects.filter(pk=store.pk).update(name=called)
        store.name = called
    return store


def _take_up(store: Store, credentials: Mapping[str, Any], grant: Any) -> Store:
    check_again(store, credentials, grant=grant)
    try:
        with transaction.atomic():
            Store.objects.filter(pk=store.pk).update(disconnected_at=None, disconnect_reason="", hooks_armed_at=None)
    except IntegrityError:
        # Somebody connected the shop while it was being checked; a store that is disconnected keeps no access.
        Store.objects.filter(pk=store.pk).update(
            credentials=Secret(), token=Secret(), token_expires_at=None, renewable_until=None
        )
        raise AlreadyConnected from None
    store.refresh_from_db()
    return store


def host_of(base_url: str) -> str:
    """The shop's host name, as a merchant knows it."""
    return urlsplit(base_url).hostname or base_url


def _of(user: User | AnonymousUser, platform: str, base_url: str) -> Any:
    return Store.objects.filter(owner_id=user.pk, platform=platform, base_url=base_url)
