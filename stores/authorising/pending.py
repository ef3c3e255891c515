"""Merchants who were sent to a shop to say yes there, until they come back: each way out leads back once.

What goes out as `state` is a random text of which only the hash is kept. It is good for ten minutes, for the person
and the session that began, and for one return: taken by one conditional UPDATE, so that of two who bring it at once
one is refused. Where the shop's server hands over the access beforehand (WooCommerce), `keep_answer` keeps it,
encrypted, until the merchant is back. What a return means is in finishing.py.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet

from ..fields import Secret
from ..models import Invitation, PendingConnection, Store
from .hashed import hash_of, new_text

LIFE = timedelta(minutes=10)
KEPT = timedelta(days=1)  # so long it can still be said why a return is refused


class Refused(enum.StrEnum):
    """Why somebody who came back is refused."""

    UNKNOWN = "unknown"  # made up, damaged, or long ago
    OTHER_PERSON = "other_person"  # begun by another account
    OTHER_SESSION = "other_session"  # begun in another browser, or before a login
    USED = "used"  # came back before
    EXPIRED = "expired"  # took longer than ten minutes


class NotTaken(Exception):
    """The return is refused. `pending`: what it belongs to, only where this very person began it."""

    def __init__(self, why: Refused, pending: PendingConnection | None = None) -> None:
        self.why = why
        self.pending = pending
        super().__init__(str(why))


def begin(
    user: User,
    session: str,
    platform: str,
    base_url: str,
    *,
    now: datetime,
    store_name: str = "",
    store: Store | None = None,
    invitation: Invitation | None = None,
    credentials: Mapping[str, Any] | None = None,
) -> str:
    """Somebody is sent to this shop: the `state` to send along.

    `session`: the key of the browser's session. `base_url` as it is kept. `store`: the one that is reconnected;
    `credentials`: of the app that asks. Rows that nobody needs any more are thrown away.
    """
    tidy(now)
    state = new_text()
    PendingConnection.objects.create(
        state_hash=hash_of(state),
        session_hash=hash_of(session),
        user=user,
        platform=platform,
        base_url=base_url,
        store_name=store_name,
        store=store,
        invitation=invitation,
        credentials=Secret(credentials),
        created_at=now,
        expires_at=now + LIFE,
    )
    return state


def look(state: str, user: User, session: str, now: datetime) -> PendingConnection:
    """What this return belongs to, without using it up. Raises NotTaken as `take` does."""
    why, found = _why_not(state, user, session, now)
    if why is not None or found is None:
        raise NotTaken(why or Refused.UNKNOWN, found)
    return found


def take(state: str, user: User, session: str, now: datetime) -> PendingConnection:
    """What this return belongs to, with its credentials, once: the row keeps none of them. Raises NotTaken."""
    mine = _with(state).filter(user=user, session_hash=hash_of(session), used_at=None, expires_at__gt=now)
    if not mine.update(used_at=now):
        why, found_by_hash = _why_not(state, user, session, now)
        raise NotTaken(why or Refused.USED, found_by_hash)
    found = _with(state).select_related("store", "invitation").get()
    PendingConnection.objects.filter(pk=found.pk).update(credentials=Secret())
    return found


def spoil(state: str, now: datetime) -> bool:
    """Nobody shall come back with it any more: it came back in a stranger's browser. Whether it was still good."""
    return bool(_with(state).filter(used_at=None).update(used_at=now, credentials=Secret()))


def keep_answer(state: str, credentials: Mapping[str, Any], now: datetime) -> bool:
    """The shop's server has handed over the access; kept encrypted for the merchant's return.

    Whether it was waited for: False for a text that is unknown, answered before, used up or too old.
    """
    waiting = _with(state).filter(answered_at=None, used_at=None, expires_at__gt=now)
    return bool(waiting.update(answered_at=now, credentials=Secret(credentials)))


def tidy(now: datetime) -> int:
    """Throw away what ended a day ago, and the access that nobody came back for. Returns how many rows went."""
    ended = PendingConnection.objects.filter(expires_at__lte=now)
    ended.exclude(credentials="").update(credentials=Secret())
    return ended.filter(expires_at__lte=now - KEPT).delete()[0]


def _why_not(state: str, user: User, session: str, now: datetime) -> tuple[Refused | None, PendingConnection | None]:
    """Why this return is refused, None where it is not; and what it belongs to, where this person may know."""
    found = _with(state).select_related("store", "invitation").first()
    if found is None:
        return Refused.UNKNOWN, None
    if found.user_id != user.pk:
        return Refused.OTHER_PERSON, None
    if found.used_at is not None:
        return Refused.USED, found
    if found.session_hash != hash_of(session):
        return Refused.OTHER_SESSION, found
    return (Refused.EXPIRED if found.expires_at <= now else None), found


def _with(state: str) -> QuerySet[PendingConnection]:
    return PendingConnection.objects.filter(state_hash=hash_of(state))
