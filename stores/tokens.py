"""The access token of one store, kept in the database: one request for a new one at a time.

A merchant's own app gives a client id and secret, which buy a token for a day (the client-credentials
grant, https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/client-credentials-grant).
Who asks for the next one is settled by a conditional UPDATE, by the database's clock; no transaction is
open while the store answers. An access token that was given as such is used as it is.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models.functions import Now

from .connectors.codes import Code
from .connectors.errors import StoreBusy, StoreDisconnected
from .models import EPOCH, Store

EARLY = timedelta(minutes=5)  # a token is renewed so long before it ends
ASKING = timedelta(seconds=50)  # longer than a request for a token can take
LOOK_AGAIN = 0.1  # seconds between two looks at what another process gets


@dataclass(frozen=True)
class Grant:
    """A token as the store gave it. `expires_in` in seconds."""

    access_token: str
    expires_in: float
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True)
class GivenToken:
    """An access token that never ends and cannot be renewed."""

    token: str

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

    def __init__(self, store_id: int, request: Callable[[], Grant]) -> None:
        self._store_id = store_id
        self._request = request

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
            mine = uuid.uuid4()
            asking = Store.objects.filter(pk=self._store_id, token_leased_until__lte=Now()).update(
                token_lease=mine, token_leased_until=Now() + ASKING
            )
            if asking:
                # Whoever asked before may have been done a moment ago.
                saved = self._saved()
                if saved and saved != refused:
                    self._free(mine)
                    return saved
                return self._ask(mine)
            time.sleep(LOOK_AGAIN)
            saved = self._saved()
            if saved and saved != refused:
                return saved
        raise StoreBusy(Code.NO_ANSWER)

    def _ask(self, mine: uuid.UUID) -> str:
        try:
            grant = self._request()
            Store.objects.filter(pk=self._store_id, token_lease=mine).update(
                token={"access_token": grant.access_token},
                token_expires_at=Now() + timedelta(seconds=grant.expires_in),
            )
            return grant.access_token
        finally:
            self._free(mine)

    def _free(self, mine: uuid.UUID) -> None:
        Store.objects.filter(pk=self._store_id, token_lease=mine).update(token_lease=None, token_leased_until=EPOCH)
