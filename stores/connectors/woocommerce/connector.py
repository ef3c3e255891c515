"""WooCommerce as a connector: who the store is, its orders, its numbers. The work is done in the modules beside.

https://developer.woocommerce.com/docs/apis/rest-api/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from ..addresses import Network
from ..base import (
    Capabilities,
    Hook,
    Opening,
    Receipt,
    Sighting,
    StoreFacts,
    StoreOrder,
    TrackingUpdate,
)
from ..errors import ConnectorError
from . import hooks
from .address import normalise_base_url
from .check import check
from .memory import Memory
from .orders import Orders
from .push import Pusher
from .rest import Rest


class WooCommerceConnector:
    """One WooCommerce store, for one run. Nothing is asked before the first method is called."""

    label: ClassVar[str] = "WooCommerce"
    capabilities: ClassVar[Capabilities] = Capabilities(
        batch=1,
        settle=180.0,
        call_limit=60.0,
        replaces=True,
        cancels=True,
        mails_always=True,
        completes=True,
        one_list=True,
        hooks=True,
    )

    def __init__(self, opening: Opening) -> None:
        self._session = opening.session
        self._permissions = str(opening.credentials.get("key_permissions") or "")
        self._settings = opening.settings
        self._now = opening.now
        self._rest = Rest(
            opening.session,
            opening.base_url,
            opening.credentials,
            opening.limiter or Memory(),
            # Without a memory of earlier runs somebody is waiting for what this one finds.
            is_patient=opening.limiter is not None,
        )
        self._orders = Orders(self._rest)

    @staticmethod
    def normalise_base_url(text: str, allow_hosts: tuple[Network, ...] = ()) -> str:
        """The address of a store as it is kept. See address.py."""
        return normalise_base_url(text, allow_hosts)

    @staticmethod
    def limiter() -> Memory:
        """An empty memory of a store's habits, for callers that keep it between runs."""
        return Memory()

    @staticmethod
    def is_signed(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> bool:
        """Whether a message was signed with one of `secrets`. See hooks.py."""
        return hooks.is_signed(headers, body, secrets)

    @staticmethod
    def read_hook(headers: Mapping[str, str], body: bytes) -> Hook:
        """What a message says. See hooks.py."""
        return hooks.read_hook(headers, body)

    def check(self) -> StoreFacts:
        """Ask the store who it is and what we may do. Raises StoreDisconnected naming what a merchant has to mend."""
        self._rest.deadline = float("inf")
        return check(self._rest, self._session, self._permissions, self._settings.tracking_goes_to)

    def orders(self, since: datetime | None) -> Iterator[StoreOrder]:
        """All orders that changed since then, oldest change first, in whatever state."""
        self._rest.deadline = float("inf")
        return self._orders.changed(since)

    def order(self, number: str) -> StoreOrder | None:
        """The one order with exactly this number, with or without a leading #."""
        self._rest.deadline = float("inf")
        return self._orders.numbered(number)

    def orders_by_id(self, order_ids: Sequence[str]) -> list[StoreOrder]:
        """The orders with these ids as they are now; one that was deleted for good is left out."""
        self._rest.deadline = float("inf")
        return self._orders.by_id(order_ids)

    def look(self, updates: Sequence[TrackingUpdate], deadline: float) -> list[Sighting | None | ConnectorError]:
        """Read only: what the store shows of each update. `deadline` of time.monotonic()."""
        self._rest.deadline = deadline
        return self._pusher().look(updates)

    def push(self, updates: Sequence[TrackingUpdate], deadline: float) -> list[Receipt | ConnectorError]:
        """Make the store show each update; at most one update per order. `deadline` of time.monotonic()."""
        self._rest.deadline = deadline
        return self._pusher().push(updates)

    def cancel(self, order_id: str, fulfillment_id: str) -> None:
        """Take away a tracking or fulfillment that we made; gone already is success."""
        self._rest.deadline = float("inf")
        self._pusher().cancel(order_id, fulfillment_id)

    def arm(self, url: str, secret: str) -> tuple[str, ...]:
        """Make sure that the store sends its messages to `url`, signed with `secret`; twice changes nothing."""
        self._rest.deadline = float("inf")
        return hooks.arm(self._rest, url, secret)

    def disarm(self, url: str) -> None:
        """Remove the subscriptions that lead to `url`; none is success."""
        self._rest.deadline = float("inf")
        hooks.disarm(self._rest, url)

    def close(self) -> None:
        """Close the connections of the session."""
        self._session.close()

    def _pusher(self) -> Pusher:
        return Pusher(self._rest, self._rest.memory, self._settings, self._now())
