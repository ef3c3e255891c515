"""Shopify: who the store is, and its orders as we read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stores.connectors.base import (
    Location,
    Opening,
    StoreFacts,
    StoreOrder,
    StoreOrderLine,
)
from stores.connectors.codes import Code
from stores.connectors.errors import (
    StoreDisconnected,
)
from stores.connectors.http import Session
from stores.connectors.shopify.connector import ShopifyConnector
from stores.connectors.shopify.orders import translate
from tests.storefronts.client import PretendShopify, Shop

from .shopify_store import LOOPBACK, GivenToken, connect, place

FULFIL = [f"write_{kind}_fulfillment_orders" for kind in ("merchant_managed", "third_party", "assigned")]


def test_a_check_tells_who_the_store_is(pretend: PretendShopify) -> None:
    shop = pretend.shop(
        scopes=["read_orders", "read_all_orders", "read_locations", *FULFIL],
        locations=["Hamburg", {"name": "Elsewhere", "service": "Their Service"}],
        time_zone="Europe/Berlin",
    )

    facts = connect(shop).check()

    assert facts == StoreFacts(
        shop_name=facts.shop_name,
        time_zone="Europe/Berlin",
        locations=(
            Location(shop.locations["Elsewhere"], "Elsewhere", merchants_own=False),
            Location(shop.locations["Hamburg"], "Hamburg", merchants_own=True),
        ),
        scopes=tuple(
            sorted(
                ["read_orders", "read_all_orders", "read_locations", *FULFIL]
                + [scope.replace("write_", "read_") for scope in FULFIL]
            )
        ),
        reads_customers=True,
    )
    assert facts.shop_name


@pytest.mark.parametrize(
    "changes,warnings",
    [
        ({}, ()),
        ({"customers_hidden": True}, (Code.CUSTOMERS_HIDDEN,)),
        ({"scopes": ["read_orders", "read_locations", *FULFIL]}, (Code.OLD_ORDERS_HIDDEN,)),
        ({"locations": ["One", "Two"]}, (Code.SEVERAL_LOCATIONS,)),
    ],
)
def test_a_check_warns_of_what_stops_nothing(
    pretend: PretendShopify, changes: dict[str, Any], warnings: tuple[str, ...]
) -> None:
    whole = {"scopes": ["read_orders", "read_all_orders", "read_locations", *FULFIL]}
    shop = pretend.shop(**(whole | changes))
    place(shop)

    facts = connect(shop).check()

    assert (facts.warnings, facts.reads_customers) == (warnings, Code.CUSTOMERS_HIDDEN not in warnings)


def test_a_retired_version_is_told(pretend: PretendShopify) -> None:
    shop = pretend.shop(scopes=["read_orders", "read_all_orders", "read_locations", *FULFIL])

    assert connect(shop, api_version="2024-01").check().warnings == (Code.API_VERSION_RETIRED,)


@pytest.mark.parametrize(
    "granted,missing",
    [
        (["read_locations", *FULFIL], ["read_orders"]),
        (["write_orders", "read_locations"], ["write_merchant_managed_fulfillment_orders"]),
        (["read_orders", *FULFIL], ["read_locations"]),
        (["read_products"], ["read_orders", "write_merchant_managed_fulfillment_orders", "read_locations"]),
    ],
)
def test_a_missing_scope_is_named(pretend: PretendShopify, granted: list[str], missing: list[str]) -> None:
    with pytest.raises(StoreDisconnected) as refused:
        connect(pretend.shop(scopes=granted)).check()

    assert (refused.value.reason.code, refused.value.reason.values) == (Code.SCOPE_MISSING, {"scopes": missing})


def test_another_shop_than_the_one_that_was_named_is_refused(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, rest = shop.base_url.partition("127.0.0.1")
    monkeypatch.setattr("socket.getaddrinfo", lambda host, port, **kind: [(2, 1, 6, "", ("127.0.0.1", port))])
    connector = ShopifyConnector(
        Opening(
            session=Session(call_limit=20, allow_hosts=LOOPBACK),
            base_url=f"http://somebody-else.myshopify.com{rest}",
            tokens=GivenToken(shop.token),
            now=lambda: datetime.now(UTC),
        )
    )

    with pytest.raises(StoreDisconnected) as refused:
        connector.check()

    assert refused.value.reason.code == Code.WRONG_SHOP
    assert set(refused.value.reason.values) == {"shop"}


MORNING = datetime(2026, 11, 20, 8, tzinfo=UTC)


def test_an_order_is_translated(shop: Shop) -> None:
    made = shop.add_order(
        [("MUG-1", "A mug", 2), ("CARD", "A card", 1, "5.00", False)],
        placed_at=MORNING,
        paid_at=MORNING + timedelta(hours=1),
        customer="Grace Buyer",
        email="grace@example.com",
        country="DE",
    )

    (order,) = connect(shop).orders(None)

    assert order == StoreOrder(
        external_id=made["id"],
        number="#1001",
        placed_at=MORNING,
        updated_at=order.updated_at,
        customer_name="Grace Buyer",
        customer_email="grace@example.com",
        country="DE",
        shopper_paid_at=MORNING + timedelta(hours=1),
        cancelled_at=None,
        cancel_reason="",
        lines=(
            StoreOrderLine(made["lines"][0], "MUG-1", "A mug", 2, requires_shipping=True),
            StoreOrderLine(made["lines"][1], "CARD", "A card", 1, requires_shipping=False),
        ),
    )


def paid(kind: str, hour: int, status: str = "SUCCESS") -> dict[str, Any]:
    return {"kind": kind, "status": status, "processedAt": f"2026-11-20T{hour:02}:00:00Z"}


@pytest.mark.parametrize(
    "financial,fully,transactions,paid_at",
    [
        ("PAID", True, [paid("SALE", 9)], 9),
        # the last payment counts, whatever the order they are listed in
        ("PAID", True, [paid("SALE", 11), paid("CAPTURE", 10)], 11),
        # neither what failed nor what is no payment
        ("PAID", True, [paid("SALE", 9), paid("SALE", 12, "FAILURE"), paid("AUTHORIZATION", 12)], 9),
        ("PARTIALLY_REFUNDED", False, [paid("SALE", 9), paid("REFUND", 12)], 9),
        # not all of it yet
        ("PARTIALLY_PAID", False, [paid("SALE", 9)], None),
        ("AUTHORIZED", False, [paid("AUTHORIZATION", 9)], None),
        ("PENDING", False, [], None),
        ("VOIDED", False, [], None),
        # it cost nothing: paid when it was placed
        ("PAID", True, [], 8),
    ],
)
def test_the_time_of_payment(
    financial: str, fully: bool, transactions: list[dict[str, Any]], paid_at: int | None
) -> None:
    node = {
        "id": "O",
        "name": "#1",
        "createdAt": "2026-11-20T08:00:00Z",
        "processedAt": "2026-11-20T08:00:00Z",
        "updatedAt": "2026-11-20T13:00:00Z",
        "cancelledAt": None,
        "displayFinancialStatus": financial,
        "fullyPaid": fully,
        "transactions": transactions,
    }

    found = translate(node, []).shopper_paid_at

    assert found == (paid_at and MORNING.replace(hour=paid_at))


def test_an_order_is_read_in_whatever_state(shop: Shop) -> None:
    unpaid = place(shop, paid=False)
    refunded = place(shop, (2,))
    shop.refund(refunded.id)
    partly = place(shop, (3,))
    shop.refund(partly.id, {partly.lines[0]: 2})
    cancelled = place(shop)
    shop.cancel_order(cancelled.id)
    shipped = place(shop)
    shop.fulfil_by_hand(shipped.id, "N1")

    found = {order.external_id: order for order in connect(shop).orders(None)}

    assert {
        order: (
            found[order.id].shopper_paid_at is not None,
            found[order.id].cancelled_at is not None,
            found[order.id].cancel_reason,
            [line.quantity for line in found[order.id].lines],
        )
        for order in (unpaid, refunded, partly, cancelled, shipped)
    } == {
        unpaid: (False, False, "", [1]),
        refunded: (True, True, "refunded", [0]),
        partly: (True, False, "", [1]),
        cancelled: (True, True, "cancelled", [0]),
        shipped: (True, False, "", [1]),
    }


def test_pages_are_followed_and_since_is_kept(shop: Shop) -> None:
    made = shop.add_orders(230)
    connector = connect(shop)

    found = list(connector.orders(None))

    assert [order.number for order in found] == [order["name"] for order in made]
    assert [order.updated_at for order in found] == sorted(order.updated_at for order in found)
    later = max(order.updated_at for order in found) + timedelta(seconds=1)
    assert list(connector.orders(later)) == []
    assert len(list(connector.orders(later - timedelta(days=1)))) == 230


def test_all_lines_of_a_long_order_are_read(shop: Shop) -> None:
    order = place(shop, (1,) * 130)

    (found,) = connect(shop).orders(None)

    assert tuple(line.external_id for line in found.lines) == order.lines


def test_orders_are_read_without_their_buyers_where_those_are_hidden(pretend: PretendShopify) -> None:
    shop = pretend.shop(customers_hidden=True)
    order = place(shop)
    connector = connect(shop)

    found = [*connector.orders(None), connector.order(order.number)]

    assert [(one.customer_name, one.customer_email, one.country) for one in found if one] == [("", "", "")] * 2
    assert [one.external_id for one in found if one] == [order.id] * 2


@pytest.mark.parametrize(
    "asked,found",
    [
        ("#1001", "#1001"),
        ("1001", "#1001"),
        ("A-77", "A-77"),
        ("#A-77", "A-77"),
        ("100", None),
        ("#100", None),
        ("1001-A", "#1001-A"),
        ('"', None),
        ("", None),
        ("#", None),
    ],
)
def test_an_order_is_found_by_its_exact_number(shop: Shop, asked: str, found: str | None) -> None:
    place(shop)
    place(shop, number="#1001-A")
    place(shop, number="A-77")

    order = connect(shop).order(asked)

    assert (order.number if order else None) == found
