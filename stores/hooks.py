"""The stores' messages: with which secrets they are signed, under which address they reach us, and who is subscribed.

A message only says that something may have changed; what is so is read from the store. So whatever goes wrong here
costs minutes and nothing else: it is no trouble of the store's, and the regular pull of orders finds the rest. What a
message says is read by the connectors, taken by orders/views/hooks.py and followed up by orders/hints.py.
"""

from __future__ import annotations

import logging
import secrets
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import F, Q

from . import connections
from .choices import DisconnectReason
from .connectors import registry
from .connectors.errors import ConnectorError, StoreDisconnected
from .fields import Secret
from .models import HookDelivery, Store
from .reach import can_reach_us

log = logging.getLogger(__name__)

EVERY = timedelta(days=1)  # a store may stop sending without a word
AGAIN = timedelta(hours=1)  # after a store that could not be subscribed to
KEPT = 1000  # deliveries remembered of each store, so that a repeated one is known; older ones are only hints again
PATIENCE_SECONDS = 40.0  # for all requests to one store; the last one may take its whole limit besides
SWEEP = 50  # how many come between two looks whether there are more


@dataclass(frozen=True)
class Armed:
    """What a round came to: stores looked after, subscriptions that had vanished or fallen silent, stores failed."""

    stores: int = 0
    lost: int = 0
    failed: int = 0
    is_cut_short: bool = False


# --- Secrets and addresses ------------------------------------------------------------------------------


def secrets_of(store: Store) -> tuple[str, ...]:
    """What the store's messages may be signed with; empty where nothing that it says could be believed.

    Where the app signs, its secret of now, the one at the last subscription and, until the next day's look, the one
    before that: after a change the platform goes on with the old one for a while.
    """
    kept = store.hook_secret
    found = [kept.get("secret", ""), kept.get("before", "")]
    if registry.capabilities(store.platform).app_signs_hooks:
        found.insert(0, _app_secret(store))
    return tuple(dict.fromkeys(filter(None, found)))


def address_of(store: Store) -> str:
    """Where the store's messages come in. The store has been subscribed to before, or is right now."""
    return f"{settings.TRACKSYNC_URL}/hooks/{store.platform}/{store.hook_key}/"


def can_be_armed(store: Store) -> bool:
    """Whether the store can reach us, and what it would say could be believed."""
    capabilities = registry.capabilities(store.platform)
    signed = not capabilities.app_signs_hooks or bool(_app_secret(store))
    return capabilities.hooks and signed and can_reach_us(store.base_url)


def needs_arming(store: Store, now: datetime) -> bool:
    """Whether it is time to subscribe, or to look whether the subscriptions still stand."""
    if store.disconnected_at is not None or store.needs_reconnecting or not can_be_armed(store):
        return False
    return store.hooks_armed_at is None or store.hooks_armed_at <= now - EVERY


def _app_secret(store: Store) -> str:
    try:
        return connections.app_of(store.credentials)[1]
    except StoreDisconnected:
        return ""  # a token without its app


# --- Subscribing ----------------------------------------------------------------------------------------


def arm(store: Store, now: datetime) -> int:
    """Make sure that the store sends us its messages. How many subscriptions had been lost since the last time.

    Nothing happens where another process is at it. Raises the connector errors; it is tried again an hour later.
    """
    if not can_be_armed(store) or not _claim(store, now):
        return 0
    made: list[int] = []
    try:
        connector = connections.open_connector(store, before_write=lambda: made.append(1), stopped=_over())
        try:
            topics = connector.arm(address_of(store), str(store.hook_secret.get("secret", "")))
        finally:
            connections.close(connector)
    except BaseException:
        Store.objects.filter(pk=store.pk, hooks_armed_at=now).update(hooks_armed_at=now - EVERY + AGAIN)
        raise
    lost = len(made) if store.hook_topics else 0
    if lost:
        log.warning("Store %s: %d of its subscriptions were gone or silent, and are armed again", store.pk, lost)
    elif list(topics) != store.hook_topics:
        log.info("Store %s: tells us of %s", store.pk, ", ".join(topics) or "nothing")
    store.hook_topics = list(topics)
    # Even if it was disconnected meanwhile: then they are deleted in the next round.
    Store.objects.filter(pk=store.pk).update(hook_topics=store.hook_topics)
    return lost


def arm_one(store_id: int, now: datetime) -> int:
    """The same for one store right now, whenever it was last looked at; a failure is logged only."""
    store = Store.objects.connected().filter(pk=store_id).first()
    if store is None or store.needs_reconnecting:
        return 0
    try:
        return arm(store, now)
    except ConnectorError as error:
        _failed(store_id, error)
        return 0


def arm_due(now: datetime, *, stop: Callable[[], bool]) -> Armed:
    """Subscribe to each store that needs it, and let go of those that were disconnected, until `stop()`."""
    looked, lost, failed = 0, 0, 0
    for store in _in_question(now):
        if stop():
            return Armed(looked, lost, failed, is_cut_short=True)
        try:
            if store.disconnected_at is not None:
                let_go(store.pk)
            elif needs_arming(store, now):
                looked += 1
                lost += arm(store, now)
        except ConnectorError as error:
            failed += 1
            _failed(store.pk, error)
        except Exception:
            failed += 1
            log.exception("Store %s: its messages could not be subscribed to", store.pk)
    if lost:
        log.warning("%d subscriptions in %d stores had been lost; the pull of orders has found the rest", lost, looked)
    return Armed(looked, lost, failed)


def disarm(store: Store) -> None:
    """Delete the store's subscriptions that lead to us. Raises the connector errors."""
    if store.hook_key is None or not store.hook_topics:
        return
    connector = connections.open_connector(store, stopped=_over())
    try:
        connector.disarm(address_of(store))
    finally:
        connections.close(connector)


def let_go(store_id: int) -> None:
    """The store was disconnected: it sends us nothing any more, and our access is deleted if its merchant left.

    What cannot be deleted there ends by itself: nothing of it is believed from now on, and every try is refused.
    """
    store = Store.objects.get(pk=store_id)
    if store.disconnected_at is None:
        return
    try:
        disarm(store)
    except ConnectorError as error:
        log.warning("Store %s: its subscriptions could not be deleted: %s", store_id, error.reason.code)
    fields: dict[str, Any] = {"hook_topics": [], "hooks_armed_at": None}
    if store.disconnect_reason == DisconnectReason.MERCHANT:
        fields |= NO_ACCESS
    Store.objects.filter(pk=store_id, disconnected_at__isnull=False).update(**fields)


def disconnect(store: Store, reason: str, now: datetime) -> bool:
    """Nothing more is pulled or pushed. Whether `let_go` has to follow, in a task: the store is still subscribed to.

    Otherwise our access is deleted at once, where the merchant left.
    """
    connected = Store.objects.connected().filter(pk=store.pk)
    fields: dict[str, Any] = {"disconnected_at": now, "disconnect_reason": reason}
    if not store.hook_topics and reason == DisconnectReason.MERCHANT:
        fields |= NO_ACCESS
    return bool(connected.update(**fields)) and bool(store.hook_topics)


NO_ACCESS: dict[str, Any] = {
    "credentials": Secret(),
    "token": Secret(),
    "token_expires_at": None,
    "renewable_until": None,
    "hook_secret": Secret(),
}


def _over() -> Callable[[], bool]:
    """A stop for one store: a task in which it takes its time with each answer would be killed, with its process."""
    until = time.monotonic() + PATIENCE_SECONDS
    return lambda: time.monotonic() >= until


def _failed(store_id: int, error: ConnectorError) -> None:
    log.warning("Store %s: its messages could not be subscribed to: %s", store_id, error.reason.code)


def _in_question(now: datetime) -> list[Store]:
    """The stores that may need letting go or arming, new ones first. What is old here by then is seen by arm()."""
    due = Q(hooks_armed_at__isnull=True) | Q(hooks_armed_at__lte=now - EVERY)
    leaving = Store.objects.exclude(disconnected_at=None).exclude(hook_topics=[])
    arming = Store.objects.pulling().filter(due).exclude(resume_at__gt=now)
    return [*leaving.order_by("pk"), *arming.order_by(F("hooks_armed_at").asc(nulls_first=True), "pk")]


def _claim(store: Store, now: datetime) -> bool:
    """Be the one who subscribes, with an address and a secret for it. They are committed before the store has them."""
    seen, kept = store.hooks_armed_at, store.hook_secret
    if registry.capabilities(store.platform).app_signs_hooks:
        secret = _app_secret(store)
        before = kept.get("secret", "")
        content = {"secret": secret} | ({"before": before} if before not in ("", secret) else {})
    else:
        content = {"secret": kept.get("secret") or secrets.token_hex(32)}
    store.hook_key = store.hook_key or uuid.uuid4()
    store.hook_secret = Secret(content)
    store.hooks_armed_at = now
    unclaimed = Store.objects.connected().filter(
        Q(hooks_armed_at=seen) if seen else Q(hooks_armed_at__isnull=True), pk=store.pk
    )
    return bool(unclaimed.update(hooks_armed_at=now, hook_key=store.hook_key, hook_secret=store.hook_secret))


# --- Deliveries -----------------------------------------------------------------------------------------


def is_first(store_id: int, delivery_id: str, topic: str, now: datetime) -> bool:
    """Take a delivery: False when the store has sent the same one before. Call it in the transaction that follows it.

    Of each store the newest are remembered, so that no flood fills the table.
    """
    columns = "store_id, delivery_id, topic, received_at"
    table = connection.ops.quote_name(HookDelivery._meta.db_table)
    with connection.cursor() as cursor:
        # One statement, whoever else takes the same one at this moment: Django has no word that tells who was first.
        cursor.execute(
            f"INSERT INTO {table} ({columns}) VALUES (%s, %s, %s, %s) ON CONFLICT (store_id, delivery_id) DO NOTHING",  # noqa: S608
            [store_id, delivery_id[:100], topic[:100], connection.ops.adapt_datetimefield_value(now)],
        )
        first = cursor.rowcount == 1
    if first and secrets.randbelow(SWEEP) == 0:
        _forget_oldest(store_id)
    return first


def forget_before(moment: datetime) -> int:
    """Forget the deliveries received before. Returns how many."""
    return HookDelivery.objects.filter(received_at__lt=moment).delete()[0]


def _forget_oldest(store_id: int) -> None:
    mine = HookDelivery.objects.filter(store_id=store_id)
    last = mine.order_by("-pk").values_list("pk", flat=True)[KEPT : KEPT + 1].first()
    if last is not None:
        mine.filter(pk__lte=last).delete()
