"""The access token of one store, kept in the database: one request for a new one at a time.

A merchant's own app gives a client id and secret, which buy a token for a day (the client-credentials grant); a
merchant's consent gives one for an hour with a refresh token, which buys the next pair. Who asks for the next one is
settled by a conditional UPDATE, by the database's clock; no transaction is open while the store answers. Token,
refresh token and both ends are saved in one statement before anybody uses them.

An answer that was lost, or a process that died before it saved, costs nothing: the refresh token that we still hold
buys again, until its replacement is used, and nobody has that one. Shopify promises this for thirty days from its
first use, and never beyond the refresh token's own ninety
(https://shopify.dev/changelog/more-resilient-refreshes-for-expiring-offline-access-tokens). Another process takes over
from a dead one after ASKING at the latest.

An access token that was given as such is used as it is. Which source a store has is said in connections.py.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Now

from .connectors.codes import Code
from .connectors.errors import StoreBusy, StoreDisconnected
from .connectors.grant import Grant
from .fields import Secret
from .models import EPOCH, Store

__all__ = ["GivenToken", "Grant", "SavedToken", "UnsavedToken", "forget", "keep"]

EARLY = timedelta(minutes=5)  # a token is renewed so long before it ends
ASKING = timedelta(seconds=50)  # longer than a request for a token can take
LOOK_AGAIN = 0.1  # seconds between two looks at what another process gets
RENEWABLE = timedelta(days=90)  # of a refresh token, where the store does not tell

_FREE: dict[str, Any] = {"token_lease": None, "token_leased_until": EPOCH}  # nobody is asking

# Asks the store: the refresh token that is held ("" where there is none), and the time.monotonic() after which no
# request may leave any more.
Ask = Callable[[str, float], Grant]


@dataclass(frozen=True)
class GivenToken:
    """An access token that cannot be renewed here: it never ends, or was given a moment ago."""

    token: str = field(repr=False)

    def current(self) -> str:
        """The token."""
        return self.token

    def refused(self, token: str) -> str:
        """There is no other. Raises StoreDisconnected."""
        raise StoreDisconnected(Code.TOKEN_REFUSED)


class UnsavedToken:
    """For a store that is being connected: asks once and keeps the token in memory."""

    def __init__(self, request: Callable[[], Grant]) -> None:
        self._request = request
        self._grant: Grant | None = None

    def current(self) -> str:
        """The token, asked for at the first use."""
        if self._grant is None:
            self._grant = self._request()
        return self._grant.access_token

    def refused(self, token: str) -> str:
        """A token that is refused right after it was given will not get better. Raises StoreDisconnected."""
        raise StoreDisconnected(Code.TOKEN_REFUSED)


class SavedToken:
    """The token of a connected store, shared by all processes through its row."""

    def __init__(self, store_id: int, ask: Ask) -> None:
        self._store_id = store_id
        self._ask_store = ask

    def current(self) -> str:
        """A token that is good for some minutes more. Raises what the request for a new one raises."""
        return self._saved() or self._renew(refused="")

    def refused(self, token: str) -> str:
        """Another token than the one the store has just refused."""
        saved = self._saved()
        return saved if saved and saved != token else self._renew(refused=token)

    def _saved(self) -> str:
        good = Store.objects.filter(pk=self._store_id, token_expires_at__gt=Now() + EARLY)
        token = good.values_list("token", flat=True).first()
        return str(token.get("access_token", "")) if token else ""

    def _renew(self, refused: str) -> str:
        """Ask for a token, or wait for the process that is asking already."""
        patience = time.monotonic() + ASKING.total_seconds()
        while time.monotonic() < patience:
            mine, taken = uuid.uuid4(), time.monotonic()
            asking = Store.objects.filter(pk=self._store_id, token_leased_until__lte=Now()).update(
                token_lease=mine, token_leased_until=Now() + ASKING
            )
            if asking:
                try:
                    # Whoever asked before may have been done a moment ago.
                    saved = self._saved()
                    if saved and saved != refused:
                        return saved
                    return self._ask(mine, until=taken + ASKING.total_seconds() / 2)
                finally:
                    self._free(mine)
            time.sleep(LOOK_AGAIN)
            saved = self._saved()
            if saved and saved != refused:
                return saved
        raise StoreBusy(Code.NO_ANSWER)

    def _ask(self, mine: uuid.UUID, until: float) -> str:
        held = Store.objects.filter(pk=self._store_id).values_list("token", flat=True).first() or {}
        refresh_token = str(held.get("refresh_token", ""))
        still_mine = Store.objects.filter(pk=self._store_id, token_lease=mine)
        try:
            grant = self._ask_store(refresh_token, until)
        except StoreDisconnected:
            if still_mine.exists():
                raise
            grant = None
        # Reconnected meanwhile, or too late: what somebody else has saved is the newer one, and good.
        if grant is None or not keep(still_mine, grant, refresh_token):
            raise StoreBusy(Code.NO_ANSWER, after=1.0)
        return grant.access_token

    def _free(self, mine: uuid.UUID) -> None:
        Store.objects.filter(pk=self._store_id, token_lease=mine).update(**_FREE)


def keep(stores: QuerySet[Store], grant: Grant, refresh_token: str = "") -> bool:
    """Save what a store gave: token, refresh token and both ends in one statement. False where there is no such row.

    `refresh_token` is the one that was held, and stays where the store gave no other. Whoever else is asking for a
    token at this moment loses the right to, and saves nothing.
    """
    following = grant.refresh_token or refresh_token
    token = {"access_token": grant.access_token} | ({"refresh_token": following} if following else {})
    life = timedelta(seconds=grant.refresh_expires_in) if grant.refresh_expires_in else RENEWABLE
    ends: dict[str, Any] = {}
    if grant.refresh_token or not following:
        ends["renewable_until"] = Now() + life if following else None
    return bool(
        stores.update(
            token=Secret(token), token_expires_at=Now() + timedelta(seconds=grant.expires_in), **ends, **_FREE
        )
    )


def forget(stores: QuerySet[Store]) -> bool:
    """Throw a store's token and what renews it away. Whoever is asking for another at this moment saves nothing."""
    return bool(stores.update(token=Secret(), token_expires_at=None, renewable_until=None, **_FREE))
