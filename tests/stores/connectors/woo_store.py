"""The pretend WooCommerce as these tests use it: connectors to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from stores.connectors.addresses import networks
from stores.connectors.base import Opening, StoreSettings
from stores.connectors.http import Session
from stores.connectors.woocommerce.connector import WooCommerceConnector
from stores.connectors.woocommerce.memory import Memory
from stores.connectors.woocommerce.rest import Rest
from stores.tokens import UnsavedToken
from tests.storefronts.woo import WooShop

LOOPBACK = networks(["127.0.0.0/8"])


def session(
    call_limit: float = 20.0, *, ca_bundle: str = "", before_write: Callable[[], None] | None = None
) -> Session:
    """A session that may call the pretend stores."""
    return Session(call_limit=call_limit, allow_hosts=LOOPBACK, ca_bundle=ca_bundle, before_write=before_write)


def connect(
    shop: WooShop,
    *,
    call_limit: float = 20.0,
    credentials: Mapping[str, Any] | None = None,
    base_url: str = "",
    settings: StoreSettings = StoreSettings(),  # noqa: B008 -- frozen
    before_write: Callable[[], None] | None = None,
    memory: Memory | None = None,
    ca_bundle: str = "",
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> WooCommerceConnector:
    """A connector with a session of its own. Without `memory` it is one for somebody who waits for the answer."""
    return WooCommerceConnector(
        Opening(
            session=session(call_limit, ca_bundle=ca_bundle, before_write=before_write),
            base_url=base_url or shop.base_url,
            tokens=UnsavedToken(_no_token),
            now=now,
            credentials=shop.credentials if credentials is None else credentials,
            settings=settings,
            limiter=memory,
        )
    )


def rest(shop: WooShop, memory: Memory | None = None, *, is_patient: bool = True, **more: Any) -> Rest:
    """Requests to the shop, as the connector sends them."""
    return Rest(session(**more), shop.base_url, shop.credentials, memory or Memory(), is_patient=is_patient)


def _no_token() -> Any:
    raise AssertionError("a WooCommerce store has no tokens")
