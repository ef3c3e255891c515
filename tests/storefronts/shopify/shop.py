"""One pretend store: its records and settings, how records are made and found. Rules live in `routing`.

Records are plain dicts under the API's own field names, so that most fields need no resolver; keys with
an underscore are the store's own. Everything that reads or writes a shop holds its `lock`.
"""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Iterable
from typing import Any

from . import routing
from .apps import Installation
from .book import Book
from .costs import Bucket
from .deliveries import Deliveries
from .faults import Faults
from .values import Record, iso, money

# What an app like ours asks for when it is installed. Orders older than 60 days need read_all_orders on top.
DEFAULT_SCOPES = (
    "read_orders",
    "write_merchant_managed_fulfillment_orders",
    "write_third_party_fulfillment_orders",
    "write_assigned_fulfillment_orders",
    "read_locations",
    "read_fulfillments",
)
STEP = 32768  # ids grow in steps of this size, as they do in a real store
SHOPS = 0


class Shop:
    """The whole state of one store."""

    def __init__(self, name: str, base_url: str, options: dict[str, Any]) -> None:
        global SHOPS
        SHOPS += 1
        self.name = name
        self.base_url = base_url
        self.lock = threading.RLock()
        self._next = 8_000_000_000_000 + SHOPS * 100_000_000_000
        self.token: str = options.get("token") or f"shpat_{name}"
        self.tokens: dict[str, float | None] = {self.token: None}  # token: when it ends, None = never
        self.client_id: str = options.get("client_id") or f"client-{name}"
        self.client_secret: str = options.get("client_secret") or f"secret-{name}"
        self.unending: set[str] = set()  # tokens of a consent that ask for no end: no longer taken
        self.installed: dict[str, Installation] = {}  # by the app's client id
        self.token_seconds: int = options.get("token_seconds") or 86399
        self.scopes: set[str] = set()
        self.bucket = Bucket(options.get("bucket", 2000), options.get("restore_rate", 100))
        self.customers_hidden: bool = options.get("customers_hidden", False)
        self.time_zone: str = options.get("time_zone") or "Europe/London"
        self.currency: str = options.get("currency") or "USD"
        self.latency: float = options.get("latency_ms", 0) / 1000
        self.search_lag: float = options.get("search_lag", 0)
        self.faults = Faults(options.get("seed", 1))
        self.book = Book()
        self.version = 0  # grows with every write: sorted lists are kept as long as it stands
        self.sorted: dict[Any, Any] = {}
        self.orders: dict[str, Record] = {}
        self.records: dict[str, Record] = {}  # everything that has an id, by id
        self.locations: list[Record] = []
        self.services: list[Record] = []
        self.webhooks: dict[str, Record] = {}
        self.deliveries = Deliveries(self)
        self.installed_secret = ""  # the client's, while the app is removed
        self.order_count = 0
        self.first_number: int = options.get("first_number", 1001)
        self.app = {
            "__typename": "App",
            "id": self.new_id("App"),
            "title": "TrackSync",
            "handle": "tracksync",
            "apiKey": self.client_id,
            "developerName": "TrackSync",
            "embedded": False,
        }
        self.grant(options.get("scopes") or DEFAULT_SCOPES)
        self.created_at = iso(self.now())
        for one in options.get("locations") or ["Shop location"]:
            one = {"name": one} if isinstance(one, str) else one
            self.add_location(**one)

    # -- basics

    def now(self) -> datetime.datetime:
        """The store's clock."""
        return datetime.datetime.now(datetime.UTC)

    def stamp(self) -> str:
        """The store's clock as the API writes it."""
        return iso(self.now())

    def new_id(self, kind: str) -> str:
        """A fresh global id. Ids of two shops of one process never meet."""
        self._next += STEP
        return f"gid://shopify/{kind}/{self._next}"

    def record(self, kind: str, /, **fields: Any) -> Record:
        """A new record with an id, known by it."""
        gid = self.new_id(kind)
        record = {"__typename": kind, "id": gid, "legacyResourceId": gid.rsplit("/", 1)[1], **fields}
        self.records[gid] = record
        return record

    def find(self, gid: str, kind: str) -> Record | None:
        """The record of this kind with this id, or None. A bare number is taken as an id of that kind."""
        if str(gid).isdigit():
            gid = f"gid://shopify/{kind}/{gid}"
        record = self.records.get(gid)
        return record if record is not None and record["__typename"] == kind else None

    def grant(self, scopes: Iterable[str]) -> None:
        """What the app may do from now on: `write_x` brings `read_x`."""
        granted = set(scopes)
        self.granted = sorted(granted)
        self.scopes = granted | {f"read_{one[6:]}" for one in granted if one.startswith("write_")}

    @property
    def app_secret(self) -> str:
        """What messages are signed with: the secret of the app that a merchant let in, or the client's."""
        return next((one.app.client_secret for one in self.installed.values()), self.client_secret)

    def token_is_good(self, token: str | None) -> bool:
        """Whether a request with this token is let in."""
        if token is None or token not in self.tokens:
            return False
        ends = self.tokens[token]
        return ends is None or ends > time.time()

    # -- places

    def add_location(
        self,
        name: str,
        *,
        service: str | None = None,
        ours: bool = False,
        active: bool = True,
        country: str = "US",
        online: bool = True,
        address: Record | None = None,
    ) -> Record:
        """A place; with `service` it belongs to a fulfilment service: another app's unless `ours`."""
        stamp = self.stamp()
        street = {"address1": "1 Pretend Street", "city": "Springfield", "country": country, "countryCode": country}
        address = address or {**street, "formatted": [street["address1"], street["city"], country]}
        location = self.record(
            "Location",
            name=name,
            isActive=active,
            isFulfillmentService=bool(service),
            fulfillsOnlineOrders=online,
            shipsInventory=False,
            activatable=True,
            deactivatable=True,
            deactivatedAt=None if active else stamp,
            deletable=False,
            addressVerified=True,
            hasActiveInventory=False,
            hasUnfulfilledOrders=True,
            isPrimary=not self.locations,
            suggestedAddresses=[],
            metafield=None,
            createdAt=stamp,
            updatedAt=stamp,
            address=address,
            fulfillmentService=None,
            _ours=ours,
        )
        if service:
            location["fulfillmentService"] = self.add_service(service, location)
        self.locations.append(location)
        return location

    def add_service(self, name: str, location: Record, **fields: Any) -> Record:
        """A fulfilment service at `location`."""
        service = self.record(
            "FulfillmentService",
            handle="-".join(name.lower().replace("-", " ").split()),
            serviceName=name,
            type="THIRD_PARTY",
            trackingSupport=fields.get("trackingSupport", True),
            inventoryManagement=fields.get("inventoryManagement", False),
            requiresShippingMethod=fields.get("requiresShippingMethod", True),
            callbackUrl=fields.get("callbackUrl"),
            location=location,
        )
        self.services.append(service)
        return service

    def location(self, name: str | None) -> Record:
        """The location with this name or id; the first one for None."""
        if name is None:
            return self.locations[0]
        for one in self.locations:
            if name in (one["name"], one["id"]):
                return one
        raise KeyError(f"no location {name!r} in {self.name}")

    # -- orders

    def add_order(
        self,
        lines: list[Record],
        *,
        number: str | None = None,
        placed_at: datetime.datetime | None = None,
        paid: bool = True,
        paid_at: datetime.datetime | None = None,
        email: str | None = "buyer@example.com",
        customer: str = "Ada Buyer",
        country: str = "US",
        routing_seconds: float = 0,
        address: Record | None = None,
        currency: str | None = None,
        transactions: list[Record] | None = None,
        **fields: Any,
    ) -> Record:
        """An order with its fulfilment orders, as a shopper would leave it.

        A line is {sku, title, quantity, price, requires_shipping, location}. `number` is the order's name.
        """
        placed = placed_at or self.now()
        stamp = iso(placed)
        currency = currency or self.currency
        self.order_count += 1
        name = number or f"#{self.first_number + self.order_count - 1}"
        first, _, last = customer.partition(" ")
        digits = "".join(c for c in name if c.isdigit())
        order = self.record(
            "Order",
            name=name,
            number=int(digits or 0),
            email=email,
            phone=None,
            createdAt=stamp,
            processedAt=stamp,
            updatedAt=iso(max(placed, self.now())),
            closed=False,
            closedAt=None,
            cancelledAt=None,
            cancelReason=None,
            cancellation=None,
            note=None,
            tags=[],
            test=False,
            edited=False,
            confirmed=True,
            capturable=False,
            currencyCode=currency,
            customAttributes=[],
            currentTaxLines=[],
            customerLocale="en",
            poNumber=None,
            returnStatus="NO_RETURN",
            sourceIdentifier=None,
            sourceName="web",
            shippingLine=None,
            paymentGatewayNames=["manual"],
        )
        order.update(fields)
        order["_lines"], order["_fos"], order["_fulfillments"] = [], [], []
        order["_refunds"], order["_transactions"], order["_events"] = [], [], []
        order["_indexed_at"] = time.time() + self.search_lag
        order["_routed_at"] = time.time() + routing_seconds if routing_seconds else 0
        order["_customer"] = self.record(
            "Customer", displayName=customer, firstName=first, lastName=last, email=email, locale="en"
        )
        order["_address"] = self._address(first, last, country, address or {})
        for line in lines:
            self.add_line(order, **line)
        if transactions is None and paid:
            total = sum(line["_price"] * line["quantity"] for line in order["_lines"])
            transactions = [{"kind": "SALE", "amount": total, "processedAt": iso(paid_at or placed)}]
        for one in transactions or []:
            self.add_transaction(order, **one)
        places: dict[str, list[tuple[Record, int]]] = {}
        for line in order["_lines"]:
            key = f"{line['_location']['id']} {line['requiresShipping']}"
            places.setdefault(key, []).append((line, line["quantity"]))
        for items in places.values():
            routing.open_order(self, order, items[0][0]["_location"], items, stamp)
        routing.settle(order)
        self.orders[order["id"]] = order
        self.version += 1
        self.deliveries.of_order("ORDERS_CREATE", order)
        if paid:
            self.deliveries.of_order("ORDERS_PAID", order)
        return order

    def _address(self, first: str, last: str, country: str, given: Record) -> Record:
        code = given.get("countryCode") or country
        fields = {key: given.get(key) for key in ("address1", "address2", "city", "company", "phone", "zip")}
        fields = {**fields, "firstName": given.get("firstName") or first, "lastName": given.get("lastName") or last}
        return {
            "__typename": "MailingAddress",
            "id": self.new_id("MailingAddress"),
            **fields,
            "name": f"{fields['firstName']} {fields['lastName']}".strip(),
            "country": code,
            "countryCode": code,
            "countryCodeV2": code,
            "provinceCode": given.get("provinceCode"),
            "province": given.get("provinceCode"),
            "formatted": [],
        }

    def add_line(
        self,
        order: Record,
        *,
        title: str,
        quantity: int = 1,
        sku: str | None = None,
        price: float = 10.0,
        requires_shipping: bool = True,
        location: str | None = None,
        variant: str | None = None,
        attributes: list[Record] | None = None,
    ) -> Record:
        """A line of an order; what of it is where is `routing`'s business."""
        line = self.record(
            "LineItem",
            title=title,
            name=title,
            sku=sku,
            quantity=quantity,
            currentQuantity=quantity,
            requiresShipping=requires_shipping,
            customAttributes=attributes or [],
            isGiftCard=False,
            restockable=True,
            taxable=True,
            vendor=None,
            variantTitle=None,
            variant={"__typename": "ProductVariant", "id": variant, "sku": sku, "title": title} if variant else None,
            originalUnitPriceSet=money(price, order["currencyCode"]),
            _price=float(price),
            _location=self.location(location),
            _order=order,
        )
        order["_lines"].append(line)
        return line

    def add_transaction(
        self,
        order: Record,
        *,
        kind: str = "SALE",
        amount: float = 0.0,
        status: str = "SUCCESS",
        gateway: str = "manual",
        processedAt: str | None = None,
        test: bool = False,
    ) -> Record:
        """A payment or a refund; `routing.settle` makes the order's financial status of them."""
        stamp = processedAt or self.stamp()
        transaction = self.record(
            "OrderTransaction",
            kind=kind,
            status=status,
            gateway=gateway,
            amountSet=money(amount, order["currencyCode"]),
            createdAt=stamp,
            processedAt=stamp,
            errorCode=None,
            test=test,
            _amount=float(amount),
        )
        order["_transactions"].append(transaction)
        return transaction

    def touch(self, order: Record) -> None:
        """The order changed: derived fields, `updatedAt` and the sorted lists follow."""
        order["updatedAt"] = self.stamp()
        routing.settle(order)
        self.version += 1
        self.deliveries.of_order("ORDERS_UPDATED", order)
