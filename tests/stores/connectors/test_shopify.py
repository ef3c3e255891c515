"""Shopify over HTTP, against a pretend store that executes its GraphQL: the contract, and what only Shopify has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stores.connectors import registry
from stores.connectors.addresses import Why, networks
from stores.connectors.base import (
    Location,
    Outcome,
    Receipt,
    Sighting,
    StoreFacts,
    StoreOrder,
    StoreOrderLine,
    TrackingUpdate,
)
from stores.connectors.codes import Code
from stores.connectors.errors import (
    OutcomeUnknown,
    ShipmentRejected,
    StoreBusy,
    StoreDisconnected,
    TryAgainLater,
)
from stores.connectors.http import Session
from stores.connectors.shopify.connector import ShopifyConnector
from stores.connectors.shopify.documents import joined
from stores.connectors.shopify.limiter import Limiter
from stores.connectors.shopify.orders import translate
from stores.connectors.shopify.tokens import Grant, request_token
from tests.storefronts.client import PretendShopify, Shop

from .contract import SHORT, ConnectorContract, an_update, ends, pushed, soon

LOOPBACK = networks(["127.0.0.0/8"])
ALL = ("reads", "writes")


class GivenToken:
    """A token that cannot be renewed; counts how often it was refused."""

    def __init__(self, *tokens: str) -> None:
        self._tokens = list(tokens)
        self.refusals: list[str] = []

    def current(self) -> str:
        return self._tokens[0]

    def refused(self, token: str) -> str:
        self.refusals.append(token)
        if len(self._tokens) < 2:
            raise StoreDisconnected(Code.TOKEN_REFUSED)
        self._tokens.pop(0)
        return self._tokens[0]


def connect(
    shop: Shop,
    *,
    call_limit: float = 20.0,
    tokens: GivenToken | None = None,
    location_ids: frozenset[str] = frozenset(),
    before_write: Callable[[], None] | None = None,
    limiter: Limiter | None = None,
    api_version: str = "2026-10",
) -> ShopifyConnector:
    """A connector with a session of its own."""
    return ShopifyConnector(
        session=Session(call_limit=call_limit, allow_hosts=LOOPBACK, before_write=before_write),
        base_url=shop.base_url,
        tokens=tokens or GivenToken(shop.token),
        location_ids=location_ids,
        now=lambda: datetime.now(UTC),
        limiter=limiter,
        api_version=api_version,
    )


@dataclass(frozen=True)
class PlacedOrder:
    id: str
    number: str
    lines: tuple[str, ...]


def place(shop: Shop, units: Sequence[int] = (1,), **more: Any) -> PlacedOrder:
    """A paid order with a line of so many units each."""
    made = shop.add_order([(f"SKU-{n}", f"Thing {n}", count) for n, count in enumerate(units)], **more)
    return PlacedOrder(made["id"], made["name"], tuple(made["lines"]))


def in_book(shop: Shop, order: PlacedOrder) -> dict[str, Any]:
    return next(one for one in shop.book()["orders"] if one["id"] == order.id)


def shown(shop: Shop, order: PlacedOrder) -> list[tuple[str, ...]]:
    return [tuple(one["numbers"]) for one in in_book(shop, order)["fulfillments"]]


class ShopifyUnderTest:
    """The pretend Shopify as the contract wants it."""

    writes_at_once = 25

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.secrets = (shop.token, shop.client_secret, "buyer@example.com", "Ada Buyer")

    def connector(self, *, call_limit: float = 20.0, secret: str = "", before_write: Any = None) -> ShopifyConnector:
        tokens = GivenToken(secret or self.shop.token)
        return connect(self.shop, call_limit=call_limit, tokens=tokens, before_write=before_write)

    def order(self, units: Sequence[int] = (1,)) -> PlacedOrder:
        return place(self.shop, units)

    def fault(self, kind: str, *, on: str = "all", times: int | None = None, seconds: float | None = None) -> None:
        self.shop.fault(kind, on=on, times=times, seconds=seconds)

    def clear(self) -> None:
        self.shop.clear_faults()

    def shown(self, order: PlacedOrder) -> list[tuple[str, ...]]:
        return shown(self.shop, order)

    def units_shipped(self, order: PlacedOrder) -> list[int]:
        return [line["fulfilled"] for line in in_book(self.shop, order)["lines"]]

    def writes(self) -> int:
        return sum(self.shop.book()["counts"]["mutations"].values())

    def ship_by_hand(self, order: PlacedOrder, number: str) -> None:
        self.shop.fulfil_by_hand(order.id, number or None)


class TestShopifyKeepsTheContract(ConnectorContract):
    @pytest.fixture
    def store(self, shop: Shop) -> ShopifyUnderTest:
        return ShopifyUnderTest(shop)


# --- the live check --------------------------------------------------------------------------------

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
        session=Session(call_limit=20, allow_hosts=LOOPBACK),
        base_url=f"http://somebody-else.myshopify.com{rest}",
        tokens=GivenToken(shop.token),
        location_ids=frozenset(),
        now=lambda: datetime.now(UTC),
    )

    with pytest.raises(StoreDisconnected) as refused:
        connector.check()

    assert refused.value.reason.code == Code.WRONG_SHOP
    assert set(refused.value.reason.values) == {"shop"}


# --- orders ----------------------------------------------------------------------------------------

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
    made = shop.add_orders(75)
    connector = connect(shop)

    found = list(connector.orders(None))

    assert [order.number for order in found] == [order["name"] for order in made]
    assert [order.updated_at for order in found] == sorted(order.updated_at for order in found)
    later = max(order.updated_at for order in found) + timedelta(seconds=1)
    assert list(connector.orders(later)) == []
    assert len(list(connector.orders(later - timedelta(days=1)))) == 75


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


# --- what keeps a number out -----------------------------------------------------------------------


def why(connector: ShopifyConnector, update: TrackingUpdate) -> tuple[type, str, dict[str, Any]]:
    (result,) = connector.push([update], soon())
    assert not isinstance(result, Receipt)
    return type(result), result.reason.code, dict(result.reason.values)


def test_a_held_order_waits_with_the_stores_own_words(shop: Shop) -> None:
    order = place(shop)
    shop.hold(order.id, "HIGH_RISK_OF_FRAUD", words="High risk of fraud")

    assert why(connect(shop), an_update(order, "N1")) == (
        TryAgainLater,
        Code.ON_HOLD,
        {"holds": ["High risk of fraud"]},
    )
    shop.release(order.id)
    assert pushed(connect(shop), an_update(order, "N1")) == [Outcome.CREATED]


def test_a_scheduled_order_waits_until_its_time(shop: Shop) -> None:
    order = place(shop)
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
    shop.schedule(order.id, at)

    (result,) = connect(shop).push([an_update(order, "N1")], soon())

    assert isinstance(result, TryAgainLater)
    assert (result.reason.code, result.reason.values) == (Code.SCHEDULED, {"until": at.isoformat()})
    assert result.after == pytest.approx(7200, abs=10)


def test_an_order_that_is_not_routed_yet_waits(shop: Shop) -> None:
    order = place(shop, routing_seconds=60)

    assert why(connect(shop), an_update(order, "N1")) == (TryAgainLater, Code.ROUTING, {})
    shop.route(order.id)
    assert pushed(connect(shop), an_update(order, "N1")) == [Outcome.CREATED]


def test_fulfilment_orders_that_are_not_shown_to_us_are_a_missing_scope(pretend: PretendShopify) -> None:
    shop = pretend.shop(scopes=["read_orders", "read_locations"])
    order = place(shop)

    assert why(connect(shop), an_update(order, "N1")) == (
        StoreDisconnected,
        Code.SCOPE_MISSING,
        {"scopes": ["write_merchant_managed_fulfillment_orders"]},
    )


def test_another_apps_location_is_named(pretend: PretendShopify) -> None:
    shop = pretend.shop(locations=[{"name": "Rival's shelves", "service": "Rival"}])
    order = place(shop)

    assert why(connect(shop), an_update(order, "N1")) == (
        ShipmentRejected,
        Code.OTHER_LOCATION,
        {"location": "Rival's shelves", "app": "Rival"},
    )


def test_a_cancelled_order_and_one_that_is_gone(shop: Shop) -> None:
    cancelled, gone = place(shop), place(shop)
    shop.cancel_order(cancelled.id)
    shop.delete_order(gone.id)

    assert pushed(connect(shop), an_update(cancelled, "N1"), an_update(gone, "N2")) == [
        (ShipmentRejected, Code.ORDER_CANCELLED_IN_STORE),
        (ShipmentRejected, Code.ORDER_NOT_FOUND),
    ]


def test_a_fulfillment_that_somebody_cancelled(shop: Shop) -> None:
    order = place(shop)
    (receipt,) = connect(shop).push([an_update(order, "N1")], soon())
    assert isinstance(receipt, Receipt)
    shop.cancel_fulfillment(receipt.fulfillments[0])
    again = an_update(order, "N1", fulfillments=receipt.fulfillments)

    assert pushed(connect(shop), again) == [(ShipmentRejected, Code.FULFILLMENT_CANCELLED)]
    assert connect(shop).look([again], soon()) == [None]
    other = an_update(order, "N2", ours=frozenset({"N1", "N2"}), fulfillments=receipt.fulfillments)
    assert pushed(connect(shop), other) == [Outcome.CREATED]
    assert shown(shop, order) == [("N2",)]


# --- several locations, many lines -----------------------------------------------------------------


@pytest.fixture
def two_places(pretend: PretendShopify) -> Shop:
    return pretend.shop(locations=["North", "South"])


def place_at_both(shop: Shop) -> PlacedOrder:
    made = shop.add_order([("A", "A", 1, "1.00", True, "North"), ("B", "B", 2, "1.00", True, "South")])
    return PlacedOrder(made["id"], made["name"], tuple(made["lines"]))


def test_a_parcel_from_two_locations_is_two_fulfillments(two_places: Shop) -> None:
    order = place_at_both(two_places)
    update = an_update(order, "N1", lines=((order.lines[0], 1), (order.lines[1], 2)))

    (receipt,) = connect(two_places).push([update], soon())

    assert isinstance(receipt, Receipt)
    assert (receipt.outcome, len(receipt.fulfillments), receipt.missing) == (Outcome.CREATED, 2, 0)
    assert shown(two_places, order) == [("N1",), ("N1",)]
    assert pushed(connect(two_places), update) == [Outcome.UNCHANGED]


def test_only_chosen_locations_are_shipped_from(two_places: Shop) -> None:
    order = place_at_both(two_places)
    north = connect(two_places, location_ids=frozenset({two_places.locations["North"]}))

    (receipt,) = north.push([an_update(order, "N1", lines=None)], soon())

    assert isinstance(receipt, Receipt)
    assert [line["fulfilled"] for line in in_book(two_places, order)["lines"]] == [1, 0]
    assert why(north, an_update(order, "N2", lines=((order.lines[1], 1),), siblings=frozenset({"N1"}))) == (
        ShipmentRejected,
        Code.OTHER_LOCATION,
        {"location": "South", "app": ""},
    )


def test_half_a_parcel_that_was_refused_is_told_as_missing(two_places: Shop) -> None:
    order = place_at_both(two_places)
    update = an_update(order, "N1", lines=((order.lines[0], 1), (order.lines[1], 2)))

    def meanwhile() -> None:
        two_places.hold(order.id, location="North")

    (receipt,) = connect(two_places, before_write=meanwhile).push([update], soon())

    assert isinstance(receipt, Receipt)
    assert (receipt.outcome, len(receipt.fulfillments), receipt.missing) == (Outcome.CREATED, 1, 1)
    assert shown(two_places, order) == [("N1",)]


@pytest.mark.parametrize("lines", [3, 4, 5, 17, 101, 260])
def test_orders_of_any_length_are_read_and_shipped_whole(shop: Shop, lines: int) -> None:
    order = place(shop, (1,) * lines)

    (receipt,) = connect(shop).push([an_update(order, "N1", lines=None)], soon())

    assert isinstance(receipt, Receipt)
    assert len(receipt.fulfillments) == (1 if lines <= 250 else 2)
    assert {line["fulfilled"] for line in in_book(shop, order)["lines"]} == {1}
    known = an_update(order, "N1", fulfillments=receipt.fulfillments)
    assert pushed(connect(shop), known) == [Outcome.UNCHANGED]


def test_an_order_with_many_fulfillments_is_read_whole(shop: Shop) -> None:
    order = place(shop, (12,))
    one = ((order.lines[0], 1),)
    siblings: set[str] = set()
    for n in range(12):
        (receipt,) = connect(shop).push([an_update(order, f"N{n}", lines=one, siblings=frozenset(siblings))], soon())
        assert isinstance(receipt, Receipt)
        assert receipt.outcome == Outcome.CREATED
        siblings |= {*receipt.fulfillments, f"N{n}"}

    last = an_update(order, "N11", lines=one, siblings=frozenset(siblings - {"N11", *receipt.fulfillments}))
    assert pushed(connect(shop), last) == [Outcome.UNCHANGED]
    assert sorted(shown(shop, order)) == sorted((f"N{n}",) for n in range(12))


# --- what changes between the look and the write ---------------------------------------------------


@pytest.mark.parametrize(
    "meanwhile,expected",
    [
        (lambda shop, order: shop.hold(order.id), (TryAgainLater, Code.ON_HOLD)),
        (
            lambda shop, order: shop.fulfil_by_hand(
                order.id, "N1", company="Royal Mail", url="https://track.example/N1"
            ),
            Outcome.UNCHANGED,
        ),
        (lambda shop, order: shop.fulfil_by_hand(order.id, "N1"), (TryAgainLater, Code.ORDER_CHANGED)),
        (lambda shop, order: shop.fulfil_by_hand(order.id, "THEIRS"), (ShipmentRejected, Code.OTHER_NUMBER_THERE)),
        (lambda shop, order: shop.fulfil_by_hand(order.id), (TryAgainLater, Code.ORDER_CHANGED)),
        (lambda shop, order: shop.cancel_order(order.id), (ShipmentRejected, Code.ORDER_CANCELLED_IN_STORE)),
        (lambda shop, order: shop.refund(order.id), (ShipmentRejected, Code.NOTHING_TO_FULFILL)),
    ],
    ids=[
        "held",
        "shipped with our number",
        "shipped with our number and no link",
        "shipped with another number",
        "shipped without a number",
        "cancelled",
        "refunded",
    ],
)
def test_a_refused_write_is_told_by_reading_again(
    two_places: Shop, meanwhile: Callable[[Shop, PlacedOrder], object], expected: object
) -> None:
    made = two_places.add_order([("A", "A", 1, "1.00", True, "North")])
    order = PlacedOrder(made["id"], made["name"], tuple(made["lines"]))
    changed: list[object] = []

    def before_write() -> None:
        if not changed:
            changed.append(meanwhile(two_places, order) or True)

    connector = connect(two_places, before_write=before_write)

    assert pushed(connector, an_update(order, "N1")) == [expected]


def test_an_update_of_a_fulfillment_cancelled_meanwhile_did_not_arrive(shop: Shop) -> None:
    order = place(shop)
    (receipt,) = connect(shop).push([an_update(order, "N1")], soon())
    assert isinstance(receipt, Receipt)
    other = an_update(order, "N2", ours=frozenset({"N1", "N2"}), fulfillments=receipt.fulfillments)

    def meanwhile() -> None:
        shop.cancel_fulfillment(receipt.fulfillments[0])

    # Shopify takes the update without a word; the number stands on a dead parcel.
    (result,) = connect(shop, before_write=meanwhile).push([other], soon())

    assert ends([result]) == [(ShipmentRejected, Code.FULFILLMENT_CANCELLED)]
    assert shown(shop, order) == []


def test_a_bad_link_stops_its_own_update_alone(shop: Shop) -> None:
    orders = [place(shop) for _ in range(3)]
    updates = [an_update(order, f"N{n}") for n, order in enumerate(orders)]
    updates[1] = replace(updates[1], url="no-scheme.example/N1")

    results = connect(shop).push(updates, soon())

    assert ends(results) == [Outcome.CREATED, (ShipmentRejected, Code.REFUSED), Outcome.CREATED]
    assert isinstance(results[1], ShipmentRejected)
    assert results[1].reason.values == {"field": "fulfillment"}
    assert [shown(shop, order) for order in orders] == [[("N0",)], [], [("N2",)]]


# --- lists, companies, mails, duplicates -----------------------------------------------------------


def test_two_of_ours_for_the_same_lines_become_one(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    order = place(shop, (2,))
    one = {order.lines[0]: 1}
    elder = shop.fulfil_by_hand(order.id, "N1", units=one)["made"][0]
    younger = shop.fulfil_by_hand(order.id, "N1", units=one)["made"][0]
    update = an_update(order, "N1", fulfillments=(elder, younger), company="", url="")

    (receipt,) = connect(shop).push([replace(update, company="Royal Mail", url="https://t.example/N1")], soon())

    assert isinstance(receipt, Receipt)
    assert (receipt.fulfillments, receipt.warnings) == ((elder,), (Code.DUPLICATE_CANCELLED,))
    assert shown(shop, order) == [("N1",)]
    assert [record.levelname for record in caplog.records if younger in record.getMessage()] == ["ERROR"]


def test_a_shared_list_names_the_company_only_where_it_is_the_same_for_all(shop: Shop) -> None:
    order = place(shop)
    (receipt,) = connect(shop).push([an_update(order, "N1", lines=None)], soon())
    assert isinstance(receipt, Receipt)
    siblings = frozenset({*receipt.fulfillments, "N1"})

    pushed(connect(shop), an_update(order, "N2", lines=None, siblings=siblings))
    same = in_book(shop, order)["fulfillments"][0]
    pushed(connect(shop), an_update(order, "N3", lines=None, siblings=siblings | {"N2"}, company="DHL Express"))
    mixed = in_book(shop, order)["fulfillments"][0]

    assert (same["numbers"], same["company"]) == (["N1", "N2"], "Royal Mail")
    assert (mixed["numbers"], mixed["company"]) == (["N1", "N2", "N3"], None)
    assert mixed["urls"] == [f"https://track.example/N{n}" for n in (1, 2, 3)]


@pytest.mark.parametrize("notify", [False, True])
def test_the_store_mails_when_it_is_told_to_and_only_then(shop: Shop, notify: bool) -> None:
    order = place(shop)
    update = an_update(order, "N1", notify=notify)
    (receipt,) = connect(shop).push([update], soon())
    assert isinstance(receipt, Receipt)

    pushed(connect(shop), update)
    pushed(
        connect(shop),
        replace(update, number="N2", ours=frozenset({"N1", "N2"}), fulfillments=receipt.fulfillments),
    )

    mailed = [notice["numbers"] for notice in shop.book()["notices"]]
    assert mailed == ([["N1"], ["N2"]] if notify else [])


# --- one request for many --------------------------------------------------------------------------


def requests(shop: Shop) -> dict[str, int]:
    counts = shop.book()["counts"]
    return {
        "all": counts["requests"],
        "reads": counts["reads"],
        "refused": counts["throttled"] + counts["too_expensive"],
    }


def test_creates_and_updates_travel_together(shop: Shop) -> None:
    orders = [place(shop) for _ in range(10)]
    updates = [an_update(order, f"N{n}") for n, order in enumerate(orders)]
    first = connect(shop).push(updates[:5], soon())
    replaced = [
        replace(
            update,
            number=f"M{n}",
            url=f"https://track.example/M{n}",
            ours=update.ours | {f"M{n}"},
            fulfillments=receipt.fulfillments,
        )
        for n, (update, receipt) in enumerate(zip(updates[:5], first, strict=True))
        if isinstance(receipt, Receipt)
    ]
    before = requests(shop)

    results = pushed(connect(shop), *replaced, *updates[5:])

    after = requests(shop)
    assert results == [Outcome.REPLACED] * 5 + [Outcome.CREATED] * 5
    assert after["all"] - after["reads"] - (before["all"] - before["reads"]) == 1
    assert after["reads"] - before["reads"] <= 2
    assert after["refused"] == 0


def test_a_request_that_was_refused_for_its_cost_is_sent_in_smaller_ones(shop: Shop) -> None:
    orders = [place(shop) for _ in range(25)]
    updates = [an_update(order, f"N{n}") for n, order in enumerate(orders)]
    first = connect(shop).push(updates, soon())
    limiter = Limiter()
    limiter.costs["update"] = 11.0  # what it cost until June 2026

    results = pushed(
        connect(shop, limiter=limiter),
        *(
            replace(update, number=f"M{n}", ours=update.ours | {f"M{n}"}, fulfillments=receipt.fulfillments)
            for n, (update, receipt) in enumerate(zip(updates, first, strict=True))
            if isinstance(receipt, Receipt)
        ),
    )

    assert results == [Outcome.REPLACED] * 25
    assert limiter.costs["update"] >= 50.0
    assert requests(shop)["refused"] == 1


def test_a_bucket_that_is_empty_for_longer_than_there_is_time_makes_the_store_wait(pretend: PretendShopify) -> None:
    shop = pretend.shop(bucket=1000, restore_rate=10)
    orders = [place(shop) for _ in range(25)]
    shop.drain(100)

    results = connect(shop).push([an_update(order, f"N{n}") for n, order in enumerate(orders)], soon(5))

    assert {end for end in ends(results)} == {(StoreBusy, Code.THROTTLED)}
    assert all(isinstance(result, StoreBusy) and result.after and result.after > 5 for result in results)
    assert requests(shop)["refused"] == 0


def test_a_bucket_that_another_process_emptied_meanwhile_is_looked_into_first(pretend: PretendShopify) -> None:
    shop = pretend.shop(bucket=1000, restore_rate=1000)
    orders = [place(shop) for _ in range(25)]
    limiter = Limiter()
    connect(shop, limiter=limiter).check()
    shop.drain(50)

    results = pushed(connect(shop, limiter=limiter), *(an_update(o, f"N{n}") for n, o in enumerate(orders)))

    assert results == [Outcome.CREATED] * 25
    assert requests(shop)["refused"] == 0


def test_a_backlog_is_pushed_without_one_throttled_answer(pretend: PretendShopify) -> None:
    shop = pretend.shop(bucket=1000, restore_rate=1000)
    orders = [PlacedOrder(one["id"], one["name"], tuple(one["lines"])) for one in shop.add_orders(200)]
    connector = connect(shop)

    results = [
        end
        for start in range(0, 200, 25)
        for end in pushed(connector, *(an_update(order, f"N{order.number}") for order in orders[start : start + 25]))
    ]

    assert results == [Outcome.CREATED] * 200
    assert requests(shop)["refused"] == 0


def test_a_small_bucket_is_never_asked_for_more_than_it_holds(pretend: PretendShopify) -> None:
    shop = pretend.shop(bucket=200, restore_rate=1000)
    orders = [place(shop) for _ in range(25)]

    results = pushed(connect(shop), *(an_update(order, f"N{n}") for n, order in enumerate(orders)))

    assert results == [Outcome.CREATED] * 25
    assert requests(shop)["refused"] == 0


def test_a_throttled_answer_makes_the_store_wait_as_long_as_the_bucket_says(shop: Shop) -> None:
    order = place(shop)
    shop.fault("throttled", on="mutation")
    shop.drain(500)

    (busy,) = connect(shop).push([an_update(order, "N1")], soon())

    assert isinstance(busy, StoreBusy)
    assert busy.reason.code == Code.THROTTLED
    assert busy.after == pytest.approx(5.0, abs=0.5)


def test_a_lost_answer_leaves_the_other_requests_of_the_push_alone(shop: Shop) -> None:
    orders = [place(shop) for _ in range(25)]
    limiter = Limiter(ceiling=110.0)  # ten creates a request
    shop.fault("reset_after", on="mutation", times=1)

    results = pushed(connect(shop, limiter=limiter), *(an_update(order, f"N{n}") for n, order in enumerate(orders)))

    assert results == [(OutcomeUnknown, Code.ANSWER_LOST)] * 10 + [Outcome.CREATED] * 15


def test_a_store_that_answers_no_write_is_left_alone_after_the_second(shop: Shop) -> None:
    orders = [place(shop) for _ in range(25)]
    limiter = Limiter(ceiling=110.0)
    shop.fault("reset_after", on="mutation")

    results = pushed(connect(shop, limiter=limiter), *(an_update(order, f"N{n}") for n, order in enumerate(orders)))

    assert results == [(OutcomeUnknown, Code.ANSWER_LOST)] * 20 + [(StoreBusy, Code.NO_ANSWER)] * 5
    assert [len(shown(shop, order)) for order in orders] == [1] * 20 + [0] * 5


def test_a_parcel_of_two_locations_cut_short_between_them_has_to_be_looked_at(two_places: Shop) -> None:
    order = place_at_both(two_places)
    update = an_update(order, "N1", lines=((order.lines[0], 1), (order.lines[1], 2)))
    sent: list[int] = []

    def before_write() -> None:
        sent.append(1)
        if len(sent) == 2:
            two_places.fault("429", on="mutation", times=1)

    (result,) = connect(two_places, limiter=Limiter(ceiling=11.0), before_write=before_write).push([update], soon())

    assert ends([result]) == [(OutcomeUnknown, Code.ANSWER_LOST)]
    (seen,) = connect(two_places).look([update], soon())
    assert isinstance(seen, Sighting)
    assert (seen.number, seen.complete) == ("N1", False)
    assert pushed(connect(two_places), update) == [Outcome.CREATED]
    assert shown(two_places, order) == [("N1",), ("N1",)]


def test_a_parcel_from_two_locations_is_mailed_about_once(two_places: Shop) -> None:
    order = place_at_both(two_places)

    pushed(connect(two_places), an_update(order, "N1", lines=None, notify=True))

    assert [notice["numbers"] for notice in two_places.book()["notices"]] == [["N1"]]


def test_a_scope_that_was_taken_away_is_named_when_a_write_is_refused(pretend: PretendShopify) -> None:
    readable = ["read_orders", "read_locations", "read_merchant_managed_fulfillment_orders"]
    shop = pretend.shop(scopes=[*readable, "write_merchant_managed_fulfillment_orders"])
    order = place(shop)

    def meanwhile() -> None:
        shop.settings(scopes=readable)

    assert pushed(connect(shop, before_write=meanwhile), an_update(order, "N1")) == [
        (StoreDisconnected, Code.SCOPE_MISSING)
    ]
    assert shown(shop, order) == []


def test_what_was_not_sent_when_a_request_was_refused_was_not_written(shop: Shop) -> None:
    orders = [place(shop) for _ in range(25)]
    limiter = Limiter(ceiling=110.0)
    sent: list[int] = []

    def before_write() -> None:
        sent.append(1)
        if len(sent) == 2:
            shop.fault("429", on="mutation", seconds=3)

    results = pushed(
        connect(shop, limiter=limiter, before_write=before_write),
        *(an_update(order, f"N{n}") for n, order in enumerate(orders)),
    )

    assert results == [Outcome.CREATED] * 10 + [(StoreBusy, Code.THROTTLED)] * 15
    assert [len(shown(shop, order)) for order in orders] == [1] * 10 + [0] * 15


# --- tokens ----------------------------------------------------------------------------------------


def test_a_refused_token_is_renewed_once_and_the_call_is_repeated_once(shop: Shop) -> None:
    order = place(shop)
    tokens = GivenToken("old-token", shop.token)

    assert pushed(connect(shop, tokens=tokens), an_update(order, "N1")) == [Outcome.CREATED]
    assert tokens.refusals == ["old-token"]


def test_two_refused_tokens_are_a_matter_for_a_person(shop: Shop) -> None:
    tokens = GivenToken("old-token", "older-token", shop.token)

    with pytest.raises(StoreDisconnected) as refused:
        connect(shop, tokens=tokens).check()

    assert refused.value.reason.code == Code.TOKEN_REFUSED
    assert tokens.refusals == ["old-token"]


@pytest.mark.parametrize(
    "kind,code",
    [("401", Code.TOKEN_REFUSED), ("403", Code.TOKEN_REFUSED), ("423", Code.SHOP_FROZEN), ("404", Code.SHOP_NOT_FOUND)],
)
def test_access_that_was_withdrawn_between_the_look_and_the_write(shop: Shop, kind: str, code: Code) -> None:
    order = place(shop)
    shop.fault(kind, on="mutation")

    assert pushed(connect(shop), an_update(order, "N1")) == [(StoreDisconnected, code)]
    assert shown(shop, order) == []


@pytest.mark.parametrize("kind", ["internal_200", "internal_200_after"])
def test_an_internal_error_tells_nothing_about_a_write(shop: Shop, kind: str) -> None:
    order = place(shop, (3,))
    shop.fault(kind, on="mutation", times=1)

    (result,) = connect(shop).push([an_update(order, "N1")], soon())

    assert ends([result]) == [(OutcomeUnknown, Code.STORE_FAILED)]
    (seen,) = connect(shop).look([an_update(order, "N1")], soon())
    assert isinstance(seen, Sighting if kind.endswith("after") else type(None))


def test_an_internal_error_to_a_read_makes_the_store_wait(shop: Shop) -> None:
    order = place(shop)
    shop.fault("internal_200", on="read")

    assert pushed(connect(shop), an_update(order, "N1")) == [(StoreBusy, Code.SERVER_ERROR)]


def ask_for_token(shop: Shop, **changes: str) -> Grant:
    with Session(call_limit=SHORT, allow_hosts=LOOPBACK) as session:
        given = {"client_id": shop.client_id, "client_secret": shop.client_secret} | changes
        return request_token(session, shop.base_url, **given)


def test_an_app_is_given_a_token(shop: Shop) -> None:
    grant = ask_for_token(shop)

    assert grant.expires_in == 86399
    assert "read_orders" in grant.scopes
    assert grant.access_token not in repr(grant)
    assert connect(shop, tokens=GivenToken(grant.access_token)).check().shop_name


@pytest.mark.parametrize("changes", [{"client_id": "nobody"}, {"client_secret": "wrong"}])
def test_a_wrong_app_is_refused(shop: Shop, changes: dict[str, str]) -> None:
    with pytest.raises(StoreDisconnected) as refused:
        ask_for_token(shop, **changes)

    assert refused.value.reason.code == Code.TOKEN_REFUSED
    assert shop.client_secret not in f"{refused.value!r}{refused.value.message}"


@pytest.mark.parametrize("kind", ["500", "timeout", "html_200", "429"])
def test_a_token_endpoint_out_of_order_makes_the_store_wait(shop: Shop, kind: str) -> None:
    shop.fault(kind, on="token")

    with pytest.raises(StoreBusy):
        ask_for_token(shop)


# --- withdrawing -----------------------------------------------------------------------------------


def test_a_fulfillment_is_cancelled_and_cancelling_again_is_success(shop: Shop) -> None:
    order = place(shop)
    (receipt,) = connect(shop).push([an_update(order, "N1")], soon())
    assert isinstance(receipt, Receipt)

    connect(shop).cancel(order.id, receipt.fulfillments[0])
    connect(shop).cancel(order.id, receipt.fulfillments[0])

    assert shown(shop, order) == []


def test_what_is_not_there_cannot_be_cancelled(shop: Shop) -> None:
    order = place(shop)

    with pytest.raises(ShipmentRejected) as refused:
        connect(shop).cancel(order.id, "gid://shopify/Fulfillment/1")

    assert refused.value.reason.code == Code.FULFILLMENT_NOT_OURS


def test_a_lost_answer_to_a_cancel_is_unknown(shop: Shop) -> None:
    order = place(shop)
    (receipt,) = connect(shop).push([an_update(order, "N1")], soon())
    assert isinstance(receipt, Receipt)
    shop.fault("reset_after", on="mutation", times=1)

    with pytest.raises(OutcomeUnknown):
        connect(shop).cancel(order.id, receipt.fulfillments[0])


# --- addresses and documents -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed,kept",
    [
        ("acme", "https://acme.myshopify.com"),
        (" Acme-Shop ", "https://acme-shop.myshopify.com"),
        ("acme.myshopify.com", "https://acme.myshopify.com"),
        ("ACME.MyShopify.com/", "https://acme.myshopify.com"),
        ("https://acme.myshopify.com/admin/products?x=1", "https://acme.myshopify.com"),
        ("https://acme.myshopify.com:443", "https://acme.myshopify.com"),
    ],
)
def test_a_shops_address_is_kept_in_one_form(typed: str, kept: str) -> None:
    assert registry.normalise_base_url("shopify", typed) == kept


@pytest.mark.parametrize(
    "typed,reason",
    [
        ("", Why.EMPTY),
        ("   ", Why.EMPTY),
        ("www.acme.com", Why.CUSTOM_DOMAIN),
        ("https://acme.com/admin", Why.CUSTOM_DOMAIN),
        ("acme.myshopify.com.evil.example", Why.CUSTOM_DOMAIN),
        ("https://evil.example/acme.myshopify.com", Why.CUSTOM_DOMAIN),
        ("http://acme.myshopify.com", Why.PLAIN_HTTP),
        ("https://acme.myshopify.com:8443", Why.PORT),
        ("https://user:secret@acme.myshopify.com", Why.USERINFO),
        ("https://acme.myshopify.com\\@evil.example", Why.USERINFO),
        ("a.b.myshopify.com", Why.SHOP_NAME),
        ("-acme.myshopify.com", Why.SHOP_NAME),
        ("ftp://acme.myshopify.com", Why.SCHEME),
        ("https://127.0.0.1/", Why.PRIVATE),
        ("http://localhost:8000", Why.PRIVATE),
        ("https://[::1]/", Why.PRIVATE),
        ("https://192.168.1.4/", Why.PRIVATE),
        ("https://", Why.UNREADABLE),
        ("https://acme.myshopify.com:x", Why.UNREADABLE),
        ("acme shop", Why.UNREADABLE),
    ],
)
def test_what_is_wrong_with_an_address_is_said(typed: str, reason: Why) -> None:
    with pytest.raises(StoreDisconnected) as refused:
        registry.normalise_base_url("shopify", typed)

    assert (refused.value.reason.code, refused.value.reason.values["why"]) == (Code.ADDRESS_REFUSED, reason)
    assert "secret" not in str(refused.value.reason.values)


@pytest.mark.parametrize(
    "typed,kept",
    [
        ("http://127.0.0.1:8199/acme/", "http://127.0.0.1:8199/acme"),
        ("http://127.0.0.2", "http://127.0.0.2"),
        ("https://127.0.0.1:8443", "https://127.0.0.1:8443"),
        ("http://localhost:8000/acme", "http://localhost:8000/acme"),
        ("http://storefronts:8000/acme", "http://storefronts:8000/acme"),
        ("acme", "https://acme.myshopify.com"),
    ],
)
def test_an_opened_network_may_hold_a_store_under_any_address(typed: str, kept: str) -> None:
    assert registry.normalise_base_url("shopify", typed, LOOPBACK) == kept


@pytest.mark.parametrize("typed", ["http://10.0.0.1", "http://acme.com", "https://acme.com", "http://[::1]:8000"])
def test_an_opened_network_opens_nothing_else(typed: str) -> None:
    with pytest.raises(StoreDisconnected):
        registry.normalise_base_url("shopify", typed, LOOPBACK)


def test_writes_are_joined_under_names_of_their_own() -> None:
    text = joined(["create", "update", "create", "cancel"])

    assert [name for name in ("write_0", "write_1", "write_2", "write_3") if text.count(f"{name}:") == 1] == [
        "write_0",
        "write_1",
        "write_2",
        "write_3",
    ]
    assert "_N" not in text
    assert text.startswith(
        "mutation Writes($fulfillment_0: FulfillmentInput!, $id_1: ID!, $tracking_1: FulfillmentTrackingInput!, "
        "$notify_1: Boolean!, $fulfillment_2: FulfillmentInput!, $id_3: ID!) {"
    )


def test_the_registry_knows_its_platforms() -> None:
    assert registry.platform_choices() == [("shopify", "Shopify")]
    assert registry.capabilities("shopify") == ShopifyConnector.capabilities
