"""What every connector promises, and the frozen values that cross the border to it.

No Django, no models, no settings here or in any connector: a connector translates, nothing else.
`orders/sync.py` decides what is sent; a connector makes the store show it: look, then create,
replace or leave.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol

from .addresses import Network
from .errors import ConnectorError
from .http import Session


class Outcome(enum.StrEnum):
    """What a push did in the store."""

    CREATED = "created"  # a new fulfillment carries the number
    REPLACED = "replaced"  # a fulfillment of ours carries it now in place of another number, or of a wrong link
    UNCHANGED = "unchanged"  # it was there already; nothing was written
    ADOPTED = "adopted"  # a fulfillment somebody else made had no number; it carries ours now


@dataclass(frozen=True)
class Capabilities:
    """What a platform can do. Times in seconds."""

    batch: int  # orders per call at the most (Shopify 25, WooCommerce 1)
    settle: float  # how long the store may still be executing a request whose answer was lost
    call_limit: float  # hard limit of one request in total: connect, send, answer
    replaces: bool = True  # a number can be changed in place
    cancels: bool = False  # a fulfillment can be cancelled
    mails_always: bool = False  # the platform's own mail cannot be switched off by API
    completes: bool = False  # an order is marked as done apart from its tracking, where the merchant wants that
    one_list: bool = False  # all numbers of an order stand in one list: of two writes at once one may be lost
    hooks: bool = False  # the store can tell us that something changed
    app_signs_hooks: bool = False  # its messages are signed with the app's own secret, not with one that we choose


@dataclass(frozen=True)
class Location:
    """A place in the store that parcels leave from. `ours` is False for another app's fulfilment service."""

    external_id: str
    name: str
    merchants_own: bool = True


@dataclass(frozen=True)
class StoreFacts:
    """What a live check of the connection found."""

    shop_name: str
    time_zone: str  # IANA name; "" when the store tells none
    locations: tuple[Location, ...] = ()
    scopes: tuple[str, ...] = ()
    reads_customers: bool = True  # whether customers' e-mail addresses can be read
    tracking_goes_to: str = ""  # where a platform with several places puts numbers
    places: tuple[str, ...] = ()  # all the places that this store has for them, the best first
    statuses: tuple[str, ...] = ()  # the order statuses that this store knows, where a merchant can add some
    version: str = ""  # of the platform, where each store runs its own
    warnings: tuple[str, ...] = ()  # codes: nothing that stops us, all that a merchant should know


@dataclass(frozen=True)
class StoreOrderLine:
    """One line of an order as the store has it now. `quantity` is what is still ordered, without removed units."""

    external_id: str
    sku: str
    title: str
    quantity: int
    requires_shipping: bool


@dataclass(frozen=True)
class StoreOrder:
    """An order as the store has it now, in whatever state. Times are aware, in UTC."""

    external_id: str
    number: str  # as the merchant reads it, "#1001"
    placed_at: datetime
    updated_at: datetime
    customer_name: str  # "" where the store hides it
    customer_email: str  # "" where the store hides it
    country: str  # ISO 3166 two letters, "" where hidden
    shopper_paid_at: datetime | None
    cancelled_at: datetime | None  # cancelled or fully refunded
    cancel_reason: str  # "cancelled", "refunded" or ""
    lines: tuple[StoreOrderLine, ...]
    hides_customer: bool = False  # the store did not let us read who ordered


@dataclass(frozen=True)
class TrackingUpdate:
    """What one shipment should look like in the store."""

    order_id: str
    number: str
    company: str  # exact name for this platform, or free text
    url: str  # always
    lines: tuple[tuple[str, int], ...] | None  # (the store's order line id, quantity); None = contents not known
    fulfillments: tuple[str, ...]  # ids recorded for this shipment
    ours: frozenset[str]  # every number this shipment ever had
    siblings: frozenset[str]  # ids and numbers of the order's other shipments: never taken for ours, never dropped
    notify: bool  # the store shall mail, for this call


@dataclass(frozen=True)
class Receipt:
    """The store shows the number."""

    outcome: Outcome
    fulfillments: tuple[str, ...]
    number: str  # as read back
    warnings: tuple[str, ...] = ()  # codes: the store changed the company or the link, a duplicate was cancelled
    missing: int = 0  # units of the update that the store had no room for: a person has to look
    request_id: str = ""


@dataclass(frozen=True)
class Sighting:
    """What a look found of one shipment: its live fulfillments, and whether they show all of the update."""

    fulfillments: tuple[str, ...]
    number: str  # "" when the fulfillments carry none of this shipment's numbers
    complete: bool  # the number, company, link and lines of the update are all there, exactly once


class HookKind(enum.StrEnum):
    """What a store's message is about."""

    ORDER = "order"  # something about one order changed: read it again
    UNINSTALLED = "uninstalled"  # the app was removed in the store: nothing that we hold lets us in any more
    PERMISSIONS = "permissions"  # what we may do in the store changed
    CUSTOMER_ASKS = "customer_asks"  # a customer wants to know what is kept about them
    FORGET_CUSTOMER = "forget_customer"  # a customer's data has to be erased
    FORGET_SHOP = "forget_shop"  # all data of the shop's customers has to be erased
    PING = "ping"  # the platform tries whether somebody is there
    OTHER = "other"


@dataclass(frozen=True)
class Hook:
    """What a store's message says. A hint only: nothing in it is believed but which order to read again."""

    kind: HookKind
    topic: str  # the platform's own word
    delivery_id: str = ""  # the same when the platform repeats a delivery; "" where it tells none
    order_ids: tuple[str, ...] = ()  # external ids, as StoreOrder has them, or what else orders_by_id() takes


class Tokens(Protocol):
    """Where a connector gets its access token from (stores/tokens.py keeps them)."""

    def current(self) -> str:
        """The token to send now; asks for a new one shortly before the old one ends."""
        ...

    def refused(self, token: str) -> str:
        """The store answered 401 to `token`: another one to repeat the call with, once.

        Raises StoreDisconnected where there is no other.
        """
        ...


@dataclass(frozen=True)
class StoreSettings:
    """What was chosen for the store that its connector has to know."""

    location_ids: frozenset[str] = frozenset()  # those we ship from; empty: every location of the merchant's own
    tracking_goes_to: str = ""  # one of StoreFacts.places, by the merchant's word; "": the best that is found
    completes_orders: bool = True  # an order is marked as done once every line that ships is covered


@dataclass(frozen=True)
class Opening:
    """All that a connector may need to know of its store. Which of it one uses is its own affair."""

    session: Session
    base_url: str  # what `normalise_base_url` made of the merchant's words
    tokens: Tokens
    now: Callable[[], datetime]
    credentials: Mapping[str, Any] = field(default_factory=dict, repr=False)
    settings: StoreSettings = StoreSettings()
    limiter: Any = None  # what `limiter()` made, kept from one run to the next; None: a new one


class Connector(Protocol):
    """One store, for one run: made with an `Opening`, then thrown away. Asks nothing before its first method."""

    label: ClassVar[str]
    capabilities: ClassVar[Capabilities]

    @staticmethod
    def normalise_base_url(text: str, allow_hosts: tuple[Network, ...] = ()) -> str:
        """What a merchant types as the store's address, as it is kept. Raises StoreDisconnected(ADDRESS_REFUSED)."""
        ...

    @staticmethod
    def limiter() -> object:
        """An empty memory of a store's habits (rate limit, costs), for callers that keep it between runs."""
        ...

    @staticmethod
    def is_signed(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> bool:
        """Whether a store's message was signed with one of `secrets`: raw bytes, compared in constant time."""
        ...

    @staticmethod
    def read_hook(headers: Mapping[str, str], body: bytes) -> Hook:
        """What a message says. Header names in any case; what cannot be read is HookKind.OTHER."""
        ...

    def check(self) -> StoreFacts:
        """Ask the store who it is and what we may do. Raises StoreDisconnected naming the missing scope."""
        ...

    def orders(self, since: datetime | None) -> Iterator[StoreOrder]:
        """All orders that changed since then, oldest change first, in whatever state."""
        ...

    def order(self, number: str) -> StoreOrder | None:
        """The one order with exactly this number, None when there is none or more than one."""
        ...

    def orders_by_id(self, order_ids: Sequence[str]) -> list[StoreOrder]:
        """The orders with these external ids as they are now; one that the store does not show is left out."""
        ...

    def look(self, updates: Sequence[TrackingUpdate], deadline: float) -> list[Sighting | None | ConnectorError]:
        """Read only: what the store shows of each update, None where nothing of it is there. Same length and order."""
        ...

    def push(self, updates: Sequence[TrackingUpdate], deadline: float) -> list[Receipt | ConnectorError]:
        """Make the store show each update: same length and order, at most one update per order.

        No request starts after `deadline` (time.monotonic()); an update there was no time for is
        TryAgainLater(after=0).
        """
        ...

    def cancel(self, order_id: str, fulfillment_id: str) -> None:
        """Cancel a fulfillment that we made; cancelled already is success. Where `capabilities.cancels`."""
        ...

    def arm(self, url: str, secret: str) -> tuple[str, ...]:
        """Make sure that the store sends its messages to `url`: what is missing is made, what is off is switched on.

        `secret`: what it shall sign with, where the platform lets us choose. Returns the topics that are armed; doing
        it twice changes nothing. Where `capabilities.hooks`.
        """
        ...

    def disarm(self, url: str) -> None:
        """Remove the subscriptions that lead to `url`; none is success. Where `capabilities.hooks`."""
        ...

    def close(self) -> None:
        """Close the connections of its session."""
        ...
