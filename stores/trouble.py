"""When a store as a whole has to wait, or has to be reconnected: the one writer of that.

What each error means is in connectors/errors.py; its sentence is made in orders/wording.py. Saving a
connection that works again is in connect.py. The rows of a store are not touched here: a store that is
throttled counts on the store, never on its twenty thousand shipments.
"""

from __future__ import annotations

import logging
import random
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from .connectors.errors import StoreBusy, StoreDisconnected
from .models import Store

log = logging.getLogger(__name__)

FIRST_WAIT = 5.0  # seconds
LONGEST_WAIT = 15 * 60.0  # seconds, for our own back-off
BELIEVED = 5  # times in a row that a store's word may be shorter than our own back-off
LONGEST_WORD = 60 * 60.0  # seconds, however long a store asks us to stay away


def back_off(count: int, *, jitter: float) -> float:
    """Seconds to leave a store alone at its `count`-th trouble in a row (from 1).

    Doubles from 5 seconds up to 15 minutes; `jitter` from 0 to 1 shortens it by up to a half, so that stores
    which fell silent together do not come back together.
    """
    full = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(count - 1, 20))
    return full * (1 - jitter / 2)


def busy(store_id: int, error: StoreBusy, now: datetime) -> datetime | None:
    """Leave the store alone for as long as it asked, or for a growing while, also where it asks for less again and
    again. The time at which it resumes.

    None when the store waits for a person already, which a pause would hide. Reports of several calls that
    fell into the same pause count once, and the longest one holds.
    """
    with transaction.atomic():
        store = Store.objects.select_for_update().get(pk=store_id)
        if store.needs_reconnecting:
            return None
        waits_already = store.resume_at is not None and store.resume_at > now
        count = store.trouble_count if waits_already else store.trouble_count + 1
        # A server may ask for no time at all each time that it is asked: what it wants counts a few times only.
        tries = count if error.after is None else count - BELIEVED
        seconds = error.after or 0.0
        if tries > 0 or error.after is None:
            own = back_off(max(tries, 1), jitter=random.random())  # noqa: S311 -- spreads load, keeps no secret
            seconds = max(seconds, own)
        resume_at = now + timedelta(seconds=min(max(seconds, 0.0), LONGEST_WORD))
        if waits_already and store.resume_at is not None:
            resume_at = max(resume_at, store.resume_at)
        Store.objects.filter(pk=store_id).update(
            trouble=error.reason.code,
            trouble_values=dict(error.reason.values),
            trouble_since=store.trouble_since or now,
            trouble_count=count,
            resume_at=resume_at,
        )
    log.warning(
        "Store %s waits until %s: %s",
        store_id,
        resume_at.isoformat(timespec="seconds"),
        error.reason.code,
    )
    return resume_at


def disconnected(store_id: int, error: StoreDisconnected, now: datetime) -> None:
    """Nothing goes on with this store until somebody reconnects it. It keeps its address and its rows."""
    with transaction.atomic():
        store = Store.objects.select_for_update().get(pk=store_id)
        Store.objects.filter(pk=store_id).update(
            trouble=error.reason.code,
            trouble_values=dict(error.reason.values),
            trouble_since=store.trouble_since if store.needs_reconnecting else now,
            resume_at=None,
        )
    log.error("Store %s has to be reconnected: %s", store_id, error.reason.code)


def well(store_id: int, now: datetime | None = None) -> bool:
    """The store has answered: a pause that is over is forgotten. Whether there was one.

    A pause that somebody else has found meanwhile stays, and so does a connection that a person has to renew:
    that ends with `reconnected`.
    """
    over = ~Q(trouble="") & Q(resume_at__lte=now or timezone.now())
    return _forget(Store.objects.filter(over, pk=store_id))


def reconnected(store_id: int) -> bool:
    """A person has renewed the connection and it was checked: no trouble is left. Whether there was any."""
    return _forget(Store.objects.filter(~Q(trouble=""), pk=store_id))


def _forget(stores: QuerySet[Store]) -> bool:
    changed = stores.update(
        trouble="",
        trouble_values={},
        trouble_since=None,
        trouble_count=0,
        resume_at=None,
    )
    return bool(changed)
