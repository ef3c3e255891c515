"""Opens the connector of one store: session, credentials and what the process knows of the store's limits.

A connector is opened for one run in one thread and closed after it. The only thing that outlives it
is the limiter: how full the store's bucket is, and what its requests have cost.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.utils import timezone

from .connectors import registry
from .connectors.base import Connector, Opening, StoreFacts, StoreSettings
from .connectors.codes import Code
from .connectors.errors import StoreDisconnected
from .connectors.http import Session
from .connectors.shopify.tokens import request_token
from .models import Store
from .tokens import GivenToken, Grant, SavedToken, UnsavedToken

_limiters: dict[int, Any] = {}
_limiters_lock = threading.Lock()


def open_connector(
    store: Store, *, before_write: Callable[[], None] | None = None, stopped: Callable[[], bool] | None = None
) -> Connector:
    """The connector of a connected store. Close it with `close()`.

    `before_write` is called right before each request that writes and may raise; `stopped` is read before every
    request. Raises StoreDisconnected where the credentials are not complete.
    """
    session = _session(store.platform, before_write, stopped)

    def request() -> Grant:
        return _buy_token(store.platform, store.base_url, store.credentials)

    given = store.credentials.get("access_token")
    return registry.make(
        store.platform,
        Opening(
            session=session,
            base_url=store.base_url,
            tokens=GivenToken(given) if given else SavedToken(store.pk, request),
            now=timezone.now,
            credentials=store.credentials,
            settings=settings_of(store),
            limiter=_limiter(store),
        ),
    )


def check_connection(platform: str, base_url: str, credentials: Mapping[str, Any]) -> StoreFacts:
    """Ask a store that is not connected yet who it is. Raises the connector errors, mostly StoreDisconnected."""
    given = credentials.get("access_token")
    tokens = GivenToken(given) if given else UnsavedToken(lambda: _buy_token(platform, base_url, credentials))
    opening = Opening(
        session=_session(platform, None, None),
        base_url=base_url,
        tokens=tokens,
        now=timezone.now,
        credentials=credentials,
    )
    connector = registry.make(platform, opening)
    try:
        return connector.check()
    finally:
        close(connector)


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


def _session(platform: str, before_write: Callable[[], None] | None, stopped: Callable[[], bool] | None) -> Session:
    return Session(
        call_limit=call_limit(platform),
        allow_hosts=allowed_networks(),
        ca_bundle=settings.TRACKSYNC_CA_BUNDLE,
        before_write=before_write,
        write_window=lease_seconds(platform) / 2,
        stopped=stopped or (lambda: False),
    )


def _buy_token(platform: str, base_url: str, credentials: Mapping[str, Any]) -> Grant:
    missing = [name for name in ("client_id", "client_secret") if not credentials.get(name)]
    if missing:
        raise StoreDisconnected(Code.CREDENTIALS_INCOMPLETE, missing=missing)
    with _session(platform, None, None) as session:
        bought = request_token(session, base_url, credentials["client_id"], credentials["client_secret"])
    return Grant(bought.access_token, bought.expires_in, tuple(bought.scopes))


def _limiter(store: Store) -> Any:
    with _limiters_lock:
        return _limiters.setdefault(store.pk, registry.CONNECTORS[store.platform].limiter())
