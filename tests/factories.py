"""Rows for tests: plain functions, keyword arguments, nothing random and nothing hidden.

Each makes what it is asked for with harmless defaults and returns it. A store is confirmed and ready
to be pushed to; an order is paid; a shipment has a shipping method and its tracking row, but no number
and no dispatch.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User

from orders import plan
from orders.choices import NumberKind
from orders.models import Carrier, Order, OrderLine, Shipment, ShipmentLine, ShippingMethod, TrackingNumber
from stores.choices import MailSender, NumberSource, Timing
from stores.models import Store, SyncPreference
from tests.storefronts.client import Shop
from tests.storefronts.woo import WooShop

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
_running = itertools.count(1)


def a_user(email: str = "", **fields: Any) -> User:
    """A merchant; `is_staff=True` for staff. The password is "password"."""
    number = next(_running)
    email = email or f"merchant{number}@example.com"
    password = fields.pop("password", "password")
    user = get_user_model()(username=fields.pop("username", email), email=email, **fields)
    user.set_password(password)
    user.save()
    return user


def a_store(
    owner: User | None = None,
    *,
    timing: str = Timing.AFTER_DISPATCH,
    number_source: str = NumberSource.DEFAULT,
    delay_hours: int = 0,
    mail_sender: str = MailSender.TRACKSYNC,
    confirmed_at: datetime | None = NOON,
    credentials: dict[str, str] | None = None,
    **fields: Any,
) -> Store:
    """A connected store with its preference. Orders from sixty days before NOON on are looked after."""
    number = next(_running)
    store = Store.objects.create(
        owner=owner or a_user(),
        name=fields.pop("name", f"Store {number}"),
        platform=fields.pop("platform", "shopify"),
        base_url=fields.pop("base_url", f"https://store-{number}.myshopify.com"),
        credentials=credentials if credentials is not None else {"access_token": "shpat_test"},
        sync_from=fields.pop("sync_from", NOON - timedelta(days=60)),
        **fields,
    )
    SyncPreference.objects.create(
        store=store,
        timing=timing,
        number_source=number_source,
        delay_hours=delay_hours,
        mail_sender=mail_sender,
        confirmed_at=confirmed_at,
    )
    return store


def a_store_in(shop: Shop | WooShop, owner: User | None = None, **fields: Any) -> Store:
    """A store that is a shop of the pretend platform: real pushes and pulls arrive in its book."""
    platform = "woocommerce" if isinstance(shop, WooShop) else "shopify"
    return a_store(owner, platform=platform, base_url=shop.base_url, credentials=dict(shop.credentials), **fields)


def an_order(
    store: Store | None = None,
    *,
    lines: tuple[tuple[str, int], ...] = (("SKU-1", 2),),
    paid_at: datetime | None = NOON - timedelta(days=1),
    placed_at: datetime = NOON - timedelta(days=2),
    **fields: Any,
) -> Order:
    """A paid order with lines of (sku, quantity). `number` is "#1001" and on unless it is given."""
    number = next(_running)
    order = Order.objects.create(
        store=store or a_store(),
        external_id=fields.pop("external_id", f"gid://shopify/Order/{1000 + number}"),
        number=fields.pop("number", f"#{1000 + number}"),
        placed_at=placed_at,
        paid_at=paid_at,
        store_updated_at=fields.pop("store_updated_at", placed_at),
        customer_name=fields.pop("customer_name", "Jane Doe"),
        customer_email=fields.pop("customer_email", "jane@example.com"),
        country=fields.pop("country", "DE"),
        **fields,
    )
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            external_id=f"gid://shopify/LineItem/{order.pk}{position}",
            sku=sku,
            title=f"Thing {sku}",
            quantity=quantity,
        )
        for position, (sku, quantity) in enumerate(lines, 1)
    )
    return order


def an_order_of(store: Store, made: Mapping[str, Any], **fields: Any) -> Order:
    """The row of an order that `shop.add_order()` made: same ids, so that a push finds it. No pull is needed."""
    order = an_order(store, external_id=made["id"], number=made["name"], lines=(), **fields)
    totals = {line["line"]: line["total"] for each in made["fulfillment_orders"] for line in each["lines"]}
    OrderLine.objects.bulk_create(
        OrderLine(order=order, external_id=line, sku=f"SKU-{position}", quantity=totals.get(line, 1))
        for position, line in enumerate(made["lines"], 1)
    )
    return order


def a_carrier(code: str = "yunexpress", **fields: Any) -> Carrier:
    """The carrier with this code; made when there is none."""
    defaults = {"name": code.title(), "tracking_url": f"https://{code}.example/track?n={{n}}"} | fields
    return Carrier.objects.get_or_create(code=code, defaults=defaults)[0]


def our_carrier() -> Carrier:
    """The one carrier that is our own."""
    return Carrier.objects.filter(is_own=True).first() or a_carrier("cj-packet", name="CJPacket", is_own=True)


def a_method(name: str = "YunExpress", *, default_number: str = NumberKind.LOCAL) -> ShippingMethod:
    """The shipping method with this name; made when there is none."""
    code = "test-" + name.lower().replace(" ", "-")
    return ShippingMethod.objects.get_or_create(name=name, defaults={"code": code, "default_number": default_number})[0]


def an_own_method() -> ShippingMethod:
    """A method whose default number is our own."""
    return a_method("CJPacket Ordinary", default_number=NumberKind.OWN)


def a_shipment(
    order: Order | None = None,
    *,
    parcel: int = 1,
    method: ShippingMethod | None = None,
    dispatched_at: datetime | None = None,
    lines: dict[str, int] | None = None,
    own: str = "",
    local: str = "",
    known_at: datetime = NOON - timedelta(hours=6),
) -> Shipment:
    """A parcel with its tracking row. `lines`: {sku: quantity}, None = contents not known.

    `own` and `local` give it numbers. Nothing is planned: call plan.plan for that.
    """
    order = order or an_order()
    shipment = Shipment.objects.create(
        order=order, parcel=parcel, shipping_method=method or a_method(), dispatched_at=dispatched_at
    )
    for sku, quantity in (lines or {}).items():
        ShipmentLine.objects.create(shipment=shipment, line=order.lines.get(sku=sku), quantity=quantity)
    plan.new_rows([shipment])
    if own:
        a_number(shipment, own, kind=NumberKind.OWN, known_at=known_at)
    if local:
        a_number(shipment, local, kind=NumberKind.LOCAL, known_at=known_at)
    return shipment


def a_number(
    shipment: Shipment | None = None,
    value: str = "YT2600000000000001",
    *,
    kind: str = NumberKind.LOCAL,
    carrier: Carrier | None = None,
    known_at: datetime = NOON - timedelta(hours=6),
    replaced_at: datetime | None = None,
) -> TrackingNumber:
    """A number of a shipment; `replaced_at` makes it history. The carrier fits the kind unless it is given."""
    carrier = carrier or (our_carrier() if kind == NumberKind.OWN else a_carrier())
    return TrackingNumber.objects.create(
        shipment=shipment or a_shipment(),
        kind=kind,
        value=value,
        raw=value,
        carrier=carrier,
        known_at=known_at,
        replaced_at=replaced_at,
    )
