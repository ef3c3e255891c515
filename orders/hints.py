"""What the stores told us has changed is read again: many orders in one call, each once, however often it was told.

A hint is not a fact: whatever a message said, what counts is what the store answers now, kept by pull.py with its rule
that an older state never overwrites a newer one. So hints may come late, twice, out of order, or not at all. What we
write ourselves comes back as a hint too, finds the store showing what is wanted, and nothing is pushed because of it.

About a store as a whole there are two hints: that the app was removed, and that its permissions changed. Both are
asked of the store before anything follows from them. Messages are taken in views/hooks.py.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Min, Q
from django.utils import timezone

from stores import connections, hooks, trouble
from stores.connect import check_again
from stores.connectors.base import Hook, HookKind
from stores.connectors.codes import Code
from stores.connectors.errors import StoreBusy, StoreDisconnected, TryAgainLater
from stores.models import Store
from stores.uninstalling import uninstalled

from . import pulse
from .crew import work_through
from .models import OrderHint, TrackingSync
from .pull import HELD_BACK, save_orders

log = logging.getLogger(__name__)

READING = "hints"
AT_ONCE = 50  # orders read in one call of the connector
THREADS = 8
HOLD_SECONDS = 120.0  # a process that dies while reading stops nobody for longer
OLD = timedelta(days=1)  # the pull of orders has found these long since

# Hints about a store as a whole, in the place of an order's id.
REMOVED = "store: removed"
PERMISSIONS = "store: permissions"
_OF_STORE = {HookKind.UNINSTALLED: REMOVED, HookKind.PERMISSIONS: PERMISSIONS}
# What a store says that has lost the app; anything else may have another reason.
_LETS_NOBODY_IN = (Code.TOKEN_REFUSED, Code.CREDENTIALS_INCOMPLETE, Code.RECONNECT_NEEDED)


@dataclass(frozen=True)
class Read:
    """How many stores were asked, how many hints are done with, and whether some are left because of the stop."""

    stores: int = 0
    hints: int = 0
    is_cut_short: bool = False


def keep(store: Store, hook: Hook, now: datetime) -> bool:
    """Keep what a message hints at, and ring. False where there is nothing to keep."""
    about_store = _OF_STORE.get(hook.kind)
    ids = (about_store,) if about_store else hook.order_ids if hook.kind == HookKind.ORDER else ()
    # Before a person has reconnected the store nothing can be read, and the pull after that finds everything.
    if not ids or store.disconnected_at is not None or (store.needs_reconnecting and not about_store):
        return False
    OrderHint.objects.bulk_create(
        [OrderHint(store=store, external_id=external_id[:100], hinted_at=now) for external_id in sorted(set(ids))],
        update_conflicts=True,
        unique_fields=["store", "external_id"],
        update_fields=["hinted_at"],
    )
    pulse.ring(pulse.HINTS)
    return True


def read_hinted(now: datetime, *, stop: Callable[[], bool], beat: Callable[[], None] = lambda: None) -> Read:
    """Read again what was hinted at, oldest hint first, until nothing is left or `stop()`. One process at a time."""
    pulse.clear(pulse.HINTS)
    read = Read()
    while _waiting(now) and not stop():
        if not pulse.hold(READING, HOLD_SECONDS):
            return read
        try:
            done = _read_each(_waiting(now), now, stop, beat)
        finally:
            pulse.let_go(READING)
        read = Read(read.stores + done.stores, read.hints + done.hints)
        if not done.hints:
            break  # all that is left has to wait
    return Read(read.stores, read.hints, is_cut_short=stop() and bool(_waiting(now)))


def read_store(store: Store, now: datetime, *, stop: Callable[[], bool]) -> int:
    """Read what was hinted at of one store. How many hints are done with."""
    done = 0
    for about, follow in ((REMOVED, _is_it_removed), (PERMISSIONS, _what_may_we_do)):
        hint = OrderHint.objects.filter(store=store, external_id=about).first()
        if hint is not None and follow(store, now):
            done += _forget([hint])
    while not stop() and (hints := _next(store)):
        if not _read_orders(store, [hint.external_id for hint in hints], now, stop):
            break
        done += _forget(hints)
    return done


def forget_before(moment: datetime) -> int:
    """Throw away the hints given before: the stores' troubles kept them from being read. Returns how many."""
    return OrderHint.objects.filter(hinted_at__lt=moment).delete()[0]


def _next(store: Store) -> list[OrderHint]:
    store.refresh_from_db()
    if store.disconnected_at is not None or store.needs_reconnecting:
        return []
    if store.resume_at is not None and store.resume_at > timezone.now():
        return []
    hints = OrderHint.objects.filter(store=store).exclude(external_id__in=_OF_STORE.values())
    return list(hints.order_by("hinted_at", "pk")[:AT_ONCE])


def _read_orders(store: Store, ids: list[str], now: datetime, stop: Callable[[], bool]) -> bool:
    """Whether the store has answered. What it does not show any more is left out of the answer and forgotten."""
    try:
        connector = connections.open_connector(store, stopped=stop)
        try:
            orders = connector.orders_by_id(ids)
        finally:
            connections.close(connector)
    except TryAgainLater:
        return False  # stopped between two requests
    except StoreBusy as error:
        trouble.busy(store.pk, error, now)
        return False
    except StoreDisconnected as error:
        trouble.disconnected(store.pk, error, now)
        return False
    save_orders(store, orders, now)
    trouble.well(store.pk, now)
    _release([order.external_id for order in orders], store, now)
    return True


def _release(external_ids: list[str], store: Store, now: datetime) -> None:
    """What the store held back of these orders may be free now: it is looked at at once, and goes if it is."""
    held = TrackingSync.objects.filter(
        store=store,
        shipment__order__external_id__in=external_ids,
        reason__in=HELD_BACK,
        due_at__gt=now,
        sending__isnull=True,
    )
    ids = list(held.order_by("pk").values_list("pk", flat=True))
    if ids and TrackingSync.objects.filter(pk__in=ids, due_at__gt=now, sending__isnull=True).update(due_at=now):
        pulse.ring()


def _forget(hints: Iterable[OrderHint]) -> int:
    """Remove the hints that were not given again meanwhile. How many are done with."""
    same = Q(pk__in=[])
    for hint in hints:
        same |= Q(pk=hint.pk, hinted_at=hint.hinted_at)
    return OrderHint.objects.filter(same).delete()[0]


# --- Hints about a store as a whole -----------------------------------------------------------------------


def _is_it_removed(store: Store, now: datetime) -> bool:
    """Ask the store whether the app was removed. Whether it gave a clear answer."""
    try:
        _check(store, now)
    except StoreBusy as error:
        trouble.busy(store.pk, error, now)
        return False
    except StoreDisconnected as error:
        if error.reason.code in _LETS_NOBODY_IN:
            if not uninstalled(store.pk, now, refused=store):
                # Left already, or given new access meanwhile: then that one is asked with.
                return not Store.objects.connected().filter(pk=store.pk).exists()
            OrderHint.objects.filter(store=store).exclude(external_id=REMOVED).delete()
        else:
            trouble.disconnected(store.pk, error, now)
        return True
    log.info("Store %s: the app was said to be removed, but the store lets us in", store.pk)
    return True


def _what_may_we_do(store: Store, now: datetime) -> bool:
    """Look at the permissions, and subscribe to what they allow. Whether the store gave a clear answer."""
    try:
        _check(store, now)
    except StoreBusy as error:
        trouble.busy(store.pk, error, now)
        return False
    except StoreDisconnected as error:
        trouble.disconnected(store.pk, error, now)
        return True
    pulse.ring()
    hooks.arm_one(store.pk, now)
    return True


def _check(store: Store, now: datetime) -> None:
    """Ask the store live who it is and what we may do. Raises what check_again() raises."""
    facts = dataclasses.asdict(check_again(store))
    Store.objects.filter(pk=store.pk).update(facts={**facts, "checked_at": now.isoformat()})


# --- Several stores at a time ------------------------------------------------------------------------------


def _waiting(now: datetime) -> list[int]:
    """Ids of the stores that can be asked about what they hinted at, the oldest hint first."""
    awake = Q(store__resume_at__isnull=True) | Q(store__resume_at__lte=now)
    in_order = Q(store__trouble="") | Q(store__resume_at__isnull=False)
    about_store = Q(external_id__in=_OF_STORE.values())
    hints = OrderHint.objects.filter(awake & (in_order | about_store), store__disconnected_at__isnull=True)
    return [pk for pk, _ in hints.values_list("store").annotate(oldest=Min("hinted_at")).order_by("oldest", "store")]


def _read_each(store_ids: list[int], now: datetime, stop: Callable[[], bool], beat: Callable[[], None]) -> Read:
    done: list[int] = []

    def read(store_id: int, stopped: Callable[[], bool]) -> None:
        try:
            done.append(read_store(Store.objects.get(pk=store_id), now, stop=stopped))
        except Exception:
            log.exception("Store %s: what it hinted at could not be read", store_id)

    asked = work_through(store_ids, read, threads=THREADS, stop=stop, beat=beat)
    return Read(asked, sum(done))
