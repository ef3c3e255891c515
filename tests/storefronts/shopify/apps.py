"""Apps that ask merchants for consent, and the tokens that each holds in each shop: one expiring line at a time.

The pages of the consent are in oauth.py, the endpoint that gives tokens in tokens.py.
https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/offline-access-tokens
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .shop import Shop

DAY = 24 * 3600.0
AGAIN = 30 * DAY  # for so long after its first use a refresh token is good again, if its successor is not used before


@dataclass
class App:
    """An app as its makers have set it up. `shop` is the one shop it is for, "" for an app in the public list."""

    title: str
    client_id: str
    client_secret: str
    shop: str = ""
    redirect_uris: tuple[str, ...] = ()
    optional: frozenset[str] = frozenset()  # scopes that a merchant may decline
    code_seconds: float = 60.0
    token_seconds: float = 3600.0
    refresh_seconds: float = 90 * DAY

    def facts(self) -> dict[str, Any]:
        """What a test needs to know of it."""
        return {"title": self.title, "client_id": self.client_id, "client_secret": self.client_secret}


@dataclass
class Refresh:
    """One refresh token: when it ends, when it was first used, and which one it replaces."""

    token: str
    ends: float
    before: str = ""
    first_used: float | None = None

    def is_good(self, now: float) -> bool:
        """Whether it can be used, for the first time or once more."""
        return now < self.ends and (self.first_used is None or now < self.first_used + AGAIN)


@dataclass
class Installation:
    """One app in one shop: what it was granted, the codes it may exchange, the tokens it holds."""

    app: App
    scopes: tuple[str, ...] = ()
    codes: dict[str, float] = field(default_factory=dict)  # code: when it ends
    access: set[str] = field(default_factory=set)
    refresh: dict[str, Refresh] = field(default_factory=dict)

    def new_code(self) -> str:
        """A code that can be exchanged once, for a short time."""
        code = secrets.token_hex(16)
        self.codes[code] = time.time() + self.app.code_seconds
        return code

    def exchange(self, shop: Shop, code: str, expiring: bool) -> dict[str, Any] | None:
        """What a code is worth: a new line of tokens, which ends the old one; None for a code that is not good."""
        if time.time() >= self.codes.pop(code, 0.0):
            return None
        self.refresh.clear()
        return self._give(shop, "", expiring)

    def renew(self, shop: Shop, token: str) -> dict[str, Any] | None:
        """A new pair for a refresh token, None for a dead one.

        What it replaced itself is dead from now on. It stays good, and what it gave before is dead once it is used
        again, until the new one is used.
        """
        held, now = self.refresh.get(token), time.time()
        if held is None or not held.is_good(now):
            return None
        held.first_used = held.first_used or now
        for other in list(self.refresh.values()):
            if other.token == held.before or other.before == token:
                del self.refresh[other.token]
        return self._give(shop, token, True)

    def remove(self, shop: Shop) -> None:
        """Nothing that the app holds is good any more."""
        self.codes.clear()
        self.refresh.clear()
        self._end_access(shop)

    def _give(self, shop: Shop, before: str, expiring: bool) -> dict[str, Any]:
        self._end_access(shop)
        access = f"shpat_{secrets.token_hex(16)}"
        self.access.add(access)
        shop.book.tokens_given += 1
        given = {"access_token": access, "scope": ",".join(self.scopes)}
        if not expiring:
            shop.tokens[access] = None
            shop.unending.add(access)
            return given
        shop.tokens[access] = time.time() + self.app.token_seconds
        fresh = Refresh(f"shprt_{secrets.token_hex(16)}", time.time() + self.app.refresh_seconds, before)
        self.refresh[fresh.token] = fresh
        return {
            **given,
            "expires_in": int(self.app.token_seconds),
            "refresh_token": fresh.token,
            "refresh_token_expires_in": int(self.app.refresh_seconds),
        }

    def _end_access(self, shop: Shop) -> None:
        for token in self.access:
            shop.tokens.pop(token, None)
            shop.unending.discard(token)
        self.access.clear()
