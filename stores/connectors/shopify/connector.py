"""Shopify as a connector: who the store is, its orders, its numbers. The work is done in the modules beside.

https://shopify.dev/docs/api/admin-graphql
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlsplit

from ..addresses import Network
from ..base import (
    Capabilities,
    Hook,
    Location,
    Opening,
    Receipt,
    Sighting,
    StoreFacts,
    StoreOrder,
    TrackingUpdate,
)
from ..codes import Code
from ..errors import ConnectorError, StoreBusy, StoreDisconnected
from . import hooks
from .address import is_shop_host, normalise_base_url
from .graphql import API_VERSION, GraphQL, granted
from .limiter import Limiter
from .orders import Orders
from .push import FULFIL_SCOPE, Pusher
from .state import service_name

# Each needs one of these. The scopes of other fulfilment orders only widen what we see.
_NEEDED = (
    frozenset({"read_orders"}),
    frozenset({FULFIL_SCOPE}),
    frozenset({"read_locations", "read_inventory", "read_markets_home"}),
)


class ShopifyConnector:
    """One Shopify store, for one run. Nothing is asked before the first method is called."""

    label: ClassVar[str] = "Shopify"
    capabilities: ClassVar[Capabilities] = Capabilities(
        batch=25,
        settle=60.0,
        call_limit=20.0,
        replaces=True,
        cancels=True,
        hooks=True,
        app_signs_hooks=True,
    )

    def __init__(self, opening: Opening, *, api_version: str = API_VERSION) -> None:
        self._host = urlsplit(opening.base_url).hostname or ""
        self._session = opening.session
        self._location_ids = opening.settings.location_ids
        self._now = opening.now
        self._api = GraphQL(
            opening.session, opening.base_url, opening.tokens, opening.limiter or Limiter(), api_version
        )
        self._orders = Orders(self._api)

    @staticmethod
    def normalise_base_url(text: str, allow_hosts: tuple[Network, ...] = ()) -> str:
        """The address of a store as it is kept. See address.py."""
        return normalise_base_url(text, allow_hosts)

    @staticmethod
    def limiter() -> Limiter:
        """An empty memory of a store's rate limit, for callers that keep it between runs."""
        return Limiter()

    @staticmethod
    def is_signed(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> bool:
        """Whether a message was signed with one of the app's secrets. See hooks.py."""
        return hooks.is_signed(headers, body, secrets)

    @staticmethod
    def read_hook(headers: Mapping[str, str], body: bytes) -> Hook:
        """What a message says. See hooks.py."""
        return hooks.read_hook(headers, body)

    def check(self) -> StoreFacts:
        """Ask the store who it is and what we may do. Raises StoreDisconnected naming what is missing."""
        self._api.deadline = float("inf")
        reply = self._api.read("check", {})
        shop = reply.data.get("shop") or {}
        if not shop.get("name"):
            raise StoreBusy(Code.SERVER_ERROR, status=200, request_id=reply.request_id)
        domain = shop.get("myshopifyDomain") or ""
        if is_shop_host(self._host) and domain.lower() != self._host.lower():
            raise StoreDisconnected(Code.WRONG_SHOP, shop=domain, request_id=reply.request_id)
        scopes = granted(reply.data)
        missing = [
            sorted(one_of)[0] if len(one_of) == 1 else "read_locations" for one_of in _NEEDED if not one_of & scopes
        ]
        if missing:
            raise StoreDisconnected(Code.SCOPE_MISSING, scopes=missing, request_id=reply.request_id)
        locations = tuple(self._locations())
        reads_customers = self._reads_customers()
        warnings: list[str] = []
        if reply.version and reply.version != self._api.api_version:
            # A retired version is answered by the oldest that is left, without an error.
            warnings.append(Code.API_VERSION_RETIRED)
        if not reads_customers:
            warnings.append(Code.CUSTOMERS_HIDDEN)
        if "read_all_orders" not in scopes:
            warnings.append(Code.OLD_ORDERS_HIDDEN)
        if sum(location.merchants_own for location in locations) > 1 and not self._location_ids:
            warnings.append(Code.SEVERAL_LOCATIONS)
        return StoreFacts(
            shop_name=shop["name"],
            time_zone=shop.get("ianaTimezone") or "",
            locations=locations,
            scopes=tuple(sorted(scopes)),
            reads_customers=reads_customers,
            warnings=tuple(warnings),
        )

    def orders(self, since: datetime | None) -> Iterator[StoreOrder]:
        """All orders that changed since then, oldest change first, in whatever state."""
        self._api.deadline = float("inf")
        return self._orders.changed(since)

    def order(self, number: str) -> StoreOrder | None:
        """The one order with exactly this number, with or without a leading #."""
        self._api.deadline = float("inf")
        return self._orders.numbered(number)

    def orders_by_id(self, order_ids: Sequence[str]) -> list[StoreOrder]:
        """The orders with these ids, or that these fulfillment orders belong to; what is not shown is left out."""
        self._api.deadline = float("inf")
        return self._orders.by_ids(order_ids)

    def look(self, updates: Sequence[TrackingUpdate], deadline: float) -> list[Sighting | None | ConnectorError]:
        """Read only: what the store shows of each update. `deadline` of time.monotonic()."""
        self._api.deadline = deadline
        return self._pusher().look(updates)

    def push(self, updates: Sequence[TrackingUpdate], deadline: float) -> list[Receipt | ConnectorError]:
        """Make the store show each update; at most one update per order. `deadline` of time.monotonic()."""
        self._api.deadline = deadline
        return self._pusher().push(updates)

    def cancel(self, order_id: str, fulfillment_id: str) -> None:
        """Cancel a fulfillment that we made; cancelled already is success."""
        self._api.deadline = float("inf")
        self._pusher().cancel(order_id, fulfillment_id)

    def arm(self, url: str, secret: str) -> tuple[str, ...]:
        """Subscribe to what is missing at `url`; the store signs with the app's secret, whatever `secret` says."""
        self._api.deadline = float("inf")
        return hooks.arm(self._api, url)

    def disarm(self, url: str) -> None:
        """Delete the subscriptions that lead to `url`."""
        self._api.deadline = float("inf")
        hooks.disarm(self._api, url)

    def close(self) -> None:
        """Close the connections of the session."""
        self._session.close()

    def _pusher(self) -> Pusher:
        return Pusher(self._api, self._location_ids, self._now())

    def _locations(self) -> Iterator[Location]:
        after = None
        while True:
            reply = self._api.read("locations", {"after": after})
            page: Any = reply.data.get("locations")
            if page is None:
                problem = reply.problem_at("locations")
                if problem and problem.code == "ACCESS_DENIED":
                    raise StoreDisconnected(Code.SCOPE_MISSING, scopes=["read_locations"], request_id=reply.request_id)
                raise StoreBusy(Code.SERVER_ERROR, status=200, request_id=reply.request_id)
            for node in page["nodes"]:
                service = service_name(node["isFulfillmentService"], node["fulfillmentService"] or {})
                yield Location(external_id=node["id"], name=node["name"], merchants_own=not service)
            if not page["pageInfo"]["hasNextPage"]:
                return
            after = page["pageInfo"]["endCursor"]

    def _reads_customers(self) -> bool:
        self._orders.page(None, None, 1)
        return self._orders.customers
