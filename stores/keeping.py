"""Keeps the access of stores alive in which nothing happens: what renews a token dies if it is not used in ninety days.

Paused stores and those that wait for something else are kept too: when their merchant comes back, the access is there.
How a token is renewed is in tokens.py; that this runs once a day is in orders/schedules.py.
https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/offline-access-tokens
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import Q

from . import connections, trouble
from .connectors.codes import Code
from .connectors.errors import ConnectorError, StoreDisconnected
from .models import Store

log = logging.getLogger(__name__)

IDLE = timedelta(days=30)  # a token that ended so long ago was renewed by nobody since
NEAR = timedelta(days=60)  # or its end without its merchant is nearer than this


def keep_alive(now: datetime, *, stop: Callable[[], bool] = lambda: False) -> int:
    """Renew the tokens of connected stores that nobody renewed for thirty days. Returns how many have a good one now.

    A store whose access cannot be renewed any more waits for its merchant from now on, and is not tried again. One
    that does not answer is tried again the next time: there are sixty days left. `stop` is read before each store.
    """
    renewed = 0
    for store_id in list(_idle(now).values_list("pk", flat=True)):
        if stop():
            break
        renewed += _renew(store_id, now)
    return renewed


def _idle(now: datetime):  # type: ignore[no-untyped-def]
    # In no order: the time may be over before the last one, and one that hangs must not hold the same ones up daily.
    return (
        Store.objects.connected()
        .filter(renewable_until__isnull=False)
        .filter(Q(renewable_until__lt=now + NEAR) | Q(token_expires_at__lt=now - IDLE))
        .exclude(trouble=Code.RECONNECT_NEEDED, resume_at__isnull=True)
        .order_by("?")
    )


def _renew(store_id: int, now: datetime) -> bool:
    store = Store.objects.connected().filter(pk=store_id).first()
    if store is None:
        return False
    try:
        connections.tokens_of(store).current()
    except StoreDisconnected as error:
        trouble.disconnected(store_id, error, now)
        return False
    except ConnectorError as error:
        log.warning("Store %s: its access was not renewed: %s", store_id, error.reason.code)
        return False
    except Exception:
        log.exception("Store %s: its access was not renewed", store_id)
        return False
    return True
