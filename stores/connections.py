"""Opens the connector of one store: session, credentials, its token and what the process knows of the store's limits.

Credentials say where a token comes from: {"access_token"} is one; {"client_id", "client_secret"} buy one; with
"grant": "code" the merchant consented, and what was given then is renewed with the same app, or with the one that this
installation has in the platform's list ({"app": "listed", "grant": "code"}).

A connector is opened for one run in one thread and closed after it. The only thing that outlives it
is the limiter: how full the store's bucket is, and what its requests have cost.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.utils import timezone

from .connectors import registry
from .connectors.base import Connector, Opening, StoreFacts, StoreSettings, Tokens
from .connectors.codes import Code
from .connectors.errors import StoreBusy, StoreDisconnected, TryAgainLater
from .connectors.grant import Grant
from .connectors.http import Session
from .connectors.shopify import oauth
from .connectors.shopify.tokens import request_token
from .models import Store
from .tokens import GivenToken, SavedToken, UnsavedToken

CHECK_SECONDS = 40.0  # no request of a check starts later
CHECK_CALL = 20.0  # seconds for one of them

_limiters: dict[tuple[str, int], Any] = {}
_limiters_lock = threading.Lock()


def open_connector(
    store: Store, *, before_write: Callable[[], None] | None = None, stopped: Callable[[], bool] | None = None
) -> Connector:
    """The connector of a connected store. Close it with `close()`.

    `before_write` is called right before each request that writes and may raise; `stopped` is read before every
    request. Raises StoreDisconnected where the credentials are not complete.
    """
    return registry.make(
        store.platform,
        Opening(
            session=_session(store.platform, before_write, stopped),
            base_url=store.base_url,
            tokens=tokens_of(store),
            now=timezone.now,
            credentials=store.credentials,
            settings=settings_of(store),
            limiter=_limiter(store),
        ),
    )


def check_connection(
    platform: str, base_url: str, credentials: Mapping[str, Any], *, tokens: Tokens | None = None
) -> StoreFacts:
    """Ask a store that is not connected yet who it is. Raises the connector errors, mostly StoreDisconnected.

    `tokens`: where its token comes from, if not from the credentials. Somebody waits for the answer, and it may be
    anybody's server that gives it: the whole ends after CHECK_SECONDS and one request.
    """
    opening = Opening(
        session=_session(platform, None, None, time.monotonic() + CHECK_SECONDS, min(call_limit(platform), CHECK_CALL)),
        base_url=base_url,
        tokens=tokens or _unsaved(platform, base_url, credentials),
        now=timezone.now,
        credentials=credentials,
    )
    connector = registry.make(platform, opening)
    try:
        return connector.check()
    except TryAgainLater:
        raise StoreBusy(Code.NO_ANSWER, "the check took too long") from None
    finally:
        close(connector)


def tokens_of(store: Store, credentials: Mapping[str, Any] | None = None) -> Tokens:
    """Where the token of a connected store comes from; `credentials` in place of those that are kept."""
    credentials = store.credentials if credentials is None else credentials
    if credentials.get("access_token"):
        return GivenToken(credentials["access_token"])

    def ask(refresh_token: str, until: float) -> Grant:
        if not is_by_consent(credentials):
            return _buy_token(store.platform, store.base_url, credentials, until)
        if not refresh_token:
            raise StoreDisconnected(Code.RECONNECT_NEEDED)
        client_id, client_secret = app_of(credentials)
        with _session(store.platform, None, None, until) as session:
            return oauth.refresh(session, store.base_url, client_id, client_secret, refresh_token)

    return SavedToken(store.pk, ask)


def is_by_consent(credentials: Mapping[str, Any]) -> bool:
    """Whether a merchant's consent gave the token, which is renewed and cannot be bought."""
    return credentials.get("grant") == "code"


def app_of(credentials: Mapping[str, Any]) -> tuple[str, str]:
    """The app's (client id, client secret): of this connection, or the one in the platform's list.

    Raises StoreDisconnected(CREDENTIALS_INCOMPLETE) naming what is missing.
    """
    if credentials.get("app") == "listed":
        found = {
            "TRACKSYNC_SHOPIFY_CLIENT_ID": settings.TRACKSYNC_SHOPIFY_CLIENT_ID,
            "TRACKSYNC_SHOPIFY_CLIENT_SECRET": settings.TRACKSYNC_SHOPIFY_CLIENT_SECRET,
        }
    else:
        found = {name: str(credentials.get(name) or "") for name in ("client_id", "client_secret")}
    missing = [name for name, value in found.items() if not value]
    if missing:
        raise StoreDisconnected(Code.CREDENTIALS_INCOMPLETE, missing=missing)
    client_id, client_secret = found.values()
    return client_id, client_secret


def exchange(platform: str, base_url: str, credentials: Mapping[str, Any], code: str) -> Grant:
    """What the store gives for the code of a merchant's consent to the app of `credentials`. A code is good once.

    Raises StoreDisconnected (CONSENT_OVER, TOKEN_REFUSED, ADDRESS_REFUSED …) and StoreBusy.
    """
    client_id, client_secret = app_of(credentials)
    with _session(platform, None, None) as session:
        return oauth.exchange_code(session, base_url, client_id, client_secret, code)


def settings_of(store: Store) -> StoreSettings:
    """What was chosen for the store that its connector has to know."""
    return StoreSettings(
        location_ids=frozenset(store.location_ids),
        tracking_goes_to=store.tracking_goes_to,
        completes_orders=store.completes_orders,
    )


def close(connector: Connector) -> None:
    """Close the connector's connections."""
    connector.close()


def allowed_networks() -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """The private networks that a store may lie in, from TRACKSYNC_ALLOW_HOSTS."""
    return tuple(ipaddress.ip_network(text.strip()) for text in settings.TRACKSYNC_ALLOW_HOSTS if text.strip())


def call_limit(platform: str) -> float:
    """The hard limit of one request to this platform in seconds."""
    limit: float = settings.TRACKSYNC_CALL_LIMIT_SECONDS or registry.CONNECTORS[platform].capabilities.call_limit
    return limit


def lease_seconds(platform: str) -> float:
    """How long a store's lease lasts: twice the hard limit of a request, and ten seconds."""
    return 2 * call_limit(platform) + 10


def _session(
    platform: str,
    before_write: Callable[[], None] | None,
    stopped: Callable[[], bool] | None,
    deadline: float = float("inf"),
    seconds: float | None = None,
) -> Session:
    return Session(
        call_limit=call_limit(platform) if seconds is None else seconds,
        allow_hosts=allowed_networks(),
        ca_bundle=settings.TRACKSYNC_CA_BUNDLE,
        before_write=before_write,
        write_window=lease_seconds(platform) / 2,
        stopped=stopped or (lambda: False),
        deadline=deadline,
    )


def _unsaved(platform: str, base_url: str, credentials: Mapping[str, Any]) -> Tokens:
    if credentials.get("access_token"):
        return GivenToken(credentials["access_token"])
    if is_by_consent(credentials):
        raise StoreDisconnected(Code.RECONNECT_NEEDED)
    return UnsavedToken(lambda: _buy_token(platform, base_url, credentials))


def _buy_token(platform: str, base_url: str, credentials: Mapping[str, Any], deadline: float = float("inf")) -> Grant:
    client_id, client_secret = app_of(credentials)
    with _session(platform, None, None, deadline) as session:
        return request_token(session, base_url, client_id, client_secret)


def _limiter(store: Store) -> Any:
    with _limiters_lock:
        return _limiters.setdefault((store.platform, store.pk), registry.CONNECTORS[store.platform].limiter())
