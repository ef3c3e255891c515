"""WooCommerce: orders as they are read, page by page and one by one."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from stores.connectors.base import StoreOrder, StoreOrderLine
from stores.connectors.codes import Code
from stores.connectors.errors import StoreBusy
from stores.connectors.woocommerce.memory import MOST_REFUNDS, Memory
from stores.connectors.woocommerce.orders import FIELDS, OVERLAP, Orders, ordered, refunded_units, translate
from stores.connectors.woocommerce.rest import Rest
from tests.storefronts.woo import PretendWooCommerce, WooShop

from .woo_store import connect, session

MORNING = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def woo(pretend_woo: PretendWooCommerce) -> WooShop:
    """A plain shop in Berlin."""
    return pretend_woo.shop()


def numbers(shop: WooShop, since: datetime | None = None, memory: Memory | None = None) -> list[str]:
    return [order.number for order in connect(shop, memory=memory).orders(since)]


def test_an_order_is_translated(woo: WooShop) -> None:
    made = woo.add_order(
        [("MUG-1", "A mug", 2), ("CARD", "A card", 1)],
        placed_at=MORNING,
        paid_at=MORNING + HOUR,
        customer="Grace van Buyer",
        email="grace@example.com",
        country="DE",
    )

    (order,) = connect(woo).orders(None)

    assert order == StoreOrder(
        external_id=str(made["id"]),
        number=made["number"],
        placed_at=MORNING,
        updated_at=order.updated_at,
        customer_name="Grace van Buyer",
        customer_email="grace@example.com",
        country="DE",
        shopper_paid_at=MORNING + HOUR,
        cancelled_at=None,
        cancel_reason="",
        lines=(
            StoreOrderLine(str(made["lines"][0]), "MUG-1", "A mug", 2, requires_shipping=True),
            StoreOrderLine(str(made["lines"][1]), "CARD", "A card", 1, requires_shipping=True),
        ),
    )
    assert order.updated_at.tzinfo == UTC


def test_no_more_of_a_buyer_is_asked_for_than_is_kept() -> None:
    addresses = {field for field in FIELDS.split(",") if "." in field}

    assert addresses == {
        "billing.email",
        *(f"shipping.{part}" for part in ("first_name", "last_name", "company", "country")),
        *(f"billing.{part}" for part in ("first_name", "last_name", "company", "country")),
    }


NODE: dict[str, Any] = {
    "id": 12,
    "number": "12",
    "status": "processing",
    "date_created_gmt": "2026-03-02T08:00:00",
    "date_modified_gmt": "2026-03-02T09:00:00",
    "date_paid_gmt": None,
    "needs_processing": True,
    "shipping": {"first_name": "Ada", "last_name": "Ship", "company": "", "country": "DE"},
    "billing": {"first_name": "Bob", "last_name": "Bill", "company": "", "country": "US", "email": "bob@example.com"},
    "line_items": [{"id": 5, "sku": "A", "name": "An A", "quantity": 3}],
    "refunds": [],
}
NOBODY = {"first_name": "", "last_name": "", "company": "", "country": ""}


@pytest.mark.parametrize(
    "changes,name,country",
    [
        ({}, "Ada Ship", "DE"),
        ({"shipping": NOBODY}, "Bob Bill", "US"),
        ({"shipping": {}}, "Bob Bill", "US"),
        ({"shipping": None}, "Bob Bill", "US"),
        ({"shipping": NOBODY | {"company": "Mugs Ltd", "country": "FR"}}, "Mugs Ltd", "FR"),
        ({"shipping": NOBODY | {"last_name": "Mononym"}}, "Mononym", "US"),
        ({"shipping": NOBODY, "billing": NOBODY}, "", ""),
    ],
)
def test_the_customer_is_who_the_parcel_goes_to(changes: dict[str, Any], name: str, country: str) -> None:
    order = translate(NODE | changes, {})

    assert (order.customer_name, order.country) == (name, country)


PAID = {"date_paid_gmt": "2026-03-02T08:30:00"}
PAID_AT, CHANGED_AT = MORNING + HOUR / 2, MORNING + HOUR


@pytest.mark.parametrize(
    "changes,paid_at,cancelled_at,reason",
    [
        ({"status": "pending"}, None, None, ""),
        ({"status": "on-hold"}, None, None, ""),
        ({"status": "processing"}, None, None, ""),  # cash on delivery
        ({"status": "processing", **PAID}, PAID_AT, None, ""),
        ({"status": "completed", **PAID}, PAID_AT, None, ""),
        ({"status": "packed", **PAID}, PAID_AT, None, ""),  # of a plugin
        ({"status": "cancelled"}, None, CHANGED_AT, "cancelled"),
        ({"status": "cancelled", **PAID}, PAID_AT, CHANGED_AT, "cancelled"),
        ({"status": "failed"}, None, CHANGED_AT, "cancelled"),
        ({"status": "trash", **PAID}, PAID_AT, CHANGED_AT, "cancelled"),
        ({"status": "refunded", **PAID}, PAID_AT, CHANGED_AT, "refunded"),
    ],
)
def test_a_status_says_whether_an_order_still_stands(
    changes: dict[str, Any], paid_at: datetime | None, cancelled_at: datetime | None, reason: str
) -> None:
    order = translate(NODE | changes, {})

    assert (order.shopper_paid_at, order.cancelled_at, order.cancel_reason) == (paid_at, cancelled_at, reason)


@pytest.mark.parametrize(
    "changes,ships",
    [({"needs_processing": True}, True), ({"needs_processing": False}, False), ({"needs_processing": None}, True)],
)
def test_an_order_of_downloads_ships_nothing(changes: dict[str, Any], ships: bool) -> None:
    assert [line.requires_shipping for line in translate(NODE | changes, {}).lines] == [ships]


@pytest.mark.parametrize(
    "quantity,units", [(3, 3), ("3", 3), (1.5, 2), ("0.25", 1), (0, 0), (None, 0), ("many", 0), (-2, 0), ("inf", 0)]
)
def test_a_quantity_is_whole_units(quantity: Any, units: int) -> None:
    assert ordered({"quantity": quantity}) == units


def test_refunded_units_are_added_up_by_the_line_they_belong_to() -> None:
    def line(of: Any, quantity: int) -> dict[str, Any]:
        return {
            "quantity": quantity,
            "meta_data": [{"key": "x", "value": 1}, {"key": "_refunded_item_id", "value": of}],
        }

    refunds = [
        {"id": 1, "line_items": [line("5", -1), line(6, -2)]},
        {"id": 2, "line_items": [line("5", -1), {"quantity": -9, "meta_data": []}]},
        {"id": 3, "line_items": []},
        "surprise",
    ]

    assert refunded_units(refunds) == {"5": 2, "6": 2}


@pytest.mark.parametrize(
    "quantity,units", [(-2, 2), ("-2", 2), ("-1.5", 1), (-0.5, 0), (None, 0), ("many", 0), ("inf", 0)]
)
def test_an_odd_refund_is_read_like_any_other(quantity: Any, units: int) -> None:
    """One that cannot be read would end every pull of its shop."""
    line = {"quantity": quantity, "meta_data": [{"id": 1}, "surprise", {"key": "_refunded_item_id", "value": 5}]}

    assert refunded_units([{"line_items": [line]}]) == {"5": units}


# --- Since when -----------------------------------------------------------------------------------------


def test_what_changed_is_read_oldest_change_first(woo: WooShop) -> None:
    first, second, third = (woo.add_order(placed_at=MORNING) for _ in range(3))
    since = datetime.now(UTC) - HOUR

    assert numbers(woo, since) == [first["number"], second["number"], third["number"]]
    assert numbers(woo, datetime.now(UTC) + HOUR) == []


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Tokyo", "America/Los_Angeles", "UTC"])
def test_a_shops_clock_hides_no_change(zone: str, pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop(time_zone=zone)
    made = shop.add_order()
    now = datetime.now(UTC)

    assert [numbers(shop, now - timedelta(seconds=s)) for s in (60, 0)] == [[made["number"]], [made["number"]]]
    # The overlap, and not a difference of hours: what changed before it is not asked for.
    assert numbers(shop, now + OVERLAP + timedelta(seconds=10)) == []


def test_the_hour_that_happens_twice_hides_no_change(pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop(time_zone="Europe/Berlin")
    # The clocks go back at 01:00 UTC: this is ten past two there, and what we ask from was ten to three.
    made = shop.add_order(placed_at=datetime(2027, 10, 31, 1, 10, tzinfo=UTC))

    assert numbers(shop, datetime(2027, 10, 31, 0, 50, tzinfo=UTC) + OVERLAP) == [made["number"]]


def test_a_change_of_the_very_second_is_among_them(woo: WooShop) -> None:
    woo.add_order()
    (order,) = connect(woo).orders(None)

    assert numbers(woo, order.updated_at + OVERLAP) == [order.number]
    assert numbers(woo, order.updated_at + OVERLAP + timedelta(seconds=1)) == []


def placed(shop: WooShop) -> None:
    shop.add_order()


def paid(shop: WooShop) -> None:
    shop.set_status(shop.add_order(status="pending")["id"], "processing")


def cancelled(shop: WooShop) -> None:
    shop.set_status(shop.add_order()["id"], "cancelled")


def refunded(shop: WooShop) -> None:
    shop.refund(shop.add_order()["id"])


def failed(shop: WooShop) -> None:
    shop.add_order(status="failed")


def completed(shop: WooShop) -> None:
    shop.add_order(status="completed")


def thrown_away(shop: WooShop) -> None:
    shop.trash(shop.add_order()["id"])


def at_the_checkout(shop: WooShop) -> None:
    shop.add_order(status="checkout-draft")


def deleted(shop: WooShop) -> None:
    shop.delete_order(shop.add_order()["id"])


@pytest.mark.parametrize(
    "what,ends",
    [
        (placed, [""]),
        (paid, [""]),
        (completed, [""]),
        (cancelled, ["cancelled"]),
        (failed, ["cancelled"]),
        (thrown_away, ["cancelled"]),
        (refunded, ["refunded"]),
        (at_the_checkout, []),
        (deleted, []),
    ],
)
def test_orders_are_read_in_whatever_state(what: Callable[[WooShop], None], ends: list[str], woo: WooShop) -> None:
    what(woo)

    assert [order.cancel_reason for order in connect(woo).orders(datetime.now(UTC) - HOUR)] == ends


# --- Page by page ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 8])
@pytest.mark.parametrize("since", [None, timedelta(hours=1)])
def test_every_order_is_read_once_whatever_the_pages(
    count: int, since: timedelta | None, pretend_woo: PretendWooCommerce
) -> None:
    shop = pretend_woo.shop()
    # All of one second: here only the pages tell them apart.
    made = shop.add_orders(count) if count else []

    read = numbers(shop, since and datetime.now(UTC) - since, Memory(per_page=2))

    assert read == [order["number"] for order in made]


def test_each_step_begins_where_the_last_one_ended(pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop()
    # The date of change of an order placed in the future is that date.
    start = datetime.now(UTC) + HOUR
    made = shop.add_orders(7, placed_at=start, seconds_apart=5)

    assert numbers(shop, None, Memory(per_page=3)) == [order["number"] for order in made]


def test_an_order_that_changes_while_pages_are_read_hides_no_other(pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop()
    made = shop.add_orders(6, placed_at=datetime.now(UTC) + HOUR, seconds_apart=5)
    read: list[str] = []
    for order in connect(shop, memory=Memory(per_page=2)).orders(None):
        read.append(order.number)
        if len(read) == 2:
            # The first one goes to the bin: by page numbers all others would move up by one.
            shop.trash(made[0]["id"])

    assert read == [order["number"] for order in made]


@pytest.mark.parametrize("tells", [True, False], ids=["pages told", "pages not told"])
def test_a_store_that_sorts_in_its_own_way_is_read_to_the_end_all_the_same(tells: bool) -> None:
    """Of five orders on pages of two, the one that changed last comes first, whatever we ask for but ids."""
    kept = [
        NODE | {"id": 10 - n, "number": str(10 - n), "date_modified_gmt": f"2026-03-02T09:0{n}:00"} for n in range(5)
    ]
    asked: list[str] = []

    class Stubborn(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = {name: values[0] for name, values in parse_qs(self.path.partition("?")[2]).items()}
            asked.append(f"{query['orderby']} {query.get('page', '1')}")
            found = [] if query.get("status") == "trash" else list(reversed(kept))
            if query["orderby"] == "id":
                found.sort(key=lambda node: int(node["id"]))
            start = 2 * int(query.get("page", "1")) - 2
            body = json.dumps(found[start : start + 2]).encode()
            self.send_response(200)
            if tells:
                self.send_header("X-WP-TotalPages", str(-(-len(found) // 2)))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Stubborn)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    api = Rest(
        session(),
        f"http://127.0.0.1:{server.server_port}",
        {"consumer_key": "ck_1", "consumer_secret": "cs_1"},
        Memory(per_page=2),
    )
    try:
        read = [order.number for order in Orders(api).changed(MORNING)]
    finally:
        server.shutdown()
        server.server_close()

    assert read == ["10", "9", "8", "7", "6"]
    assert asked == ["modified 1", "id 1", "id 2", "id 3", "modified 1"]


def test_a_page_that_is_too_much_for_the_shop_is_asked_for_in_smaller_pieces(woo: WooShop) -> None:
    woo.add_order()
    memory = Memory()
    woo.fault("cut_json", times=1, on="list_orders")

    with pytest.raises(StoreBusy):
        numbers(woo, None, memory)

    assert memory.per_page == 50
    assert len(numbers(woo, None, memory)) == 1


@pytest.mark.parametrize("fault", ["502_html", "empty_200", "maintenance", "html_200", "429"])
def test_a_store_that_fails_in_the_middle_ends_the_reading(fault: str, pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop()
    shop.add_orders(4, placed_at=datetime.now(UTC) + HOUR, seconds_apart=5)
    read: list[str] = []
    orders = connect(shop, memory=Memory(per_page=2)).orders(None)
    read += [next(orders).number, next(orders).number]
    shop.fault(fault)

    with pytest.raises(StoreBusy):
        read += [order.number for order in orders]

    assert len(read) == 2


def test_answers_with_noise_before_them_are_read(pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop(php_warning=True)
    made = shop.add_order()
    memory = Memory()

    assert numbers(shop, None, memory) == [made["number"]]
    assert memory.is_soiled


def test_a_question_that_the_store_does_not_take_is_its_trouble_and_no_orders(woo: WooShop) -> None:
    with pytest.raises(StoreBusy) as busy:
        connect(woo)._orders._page({"per_page": 500})

    assert dict(busy.value.reason.values) == {"status": 400}
    assert busy.value.reason.code == Code.SERVER_ERROR


# --- Refunds --------------------------------------------------------------------------------------------


def test_refunded_units_are_no_longer_ordered(woo: WooShop) -> None:
    made = woo.add_order([("A", "An A", 3), ("B", "A B", 1)])
    whole = woo.add_order()
    woo.refund(made["id"], {made["lines"][0]: 1})
    woo.refund(made["id"], {made["lines"][0]: 1, made["lines"][1]: 1})

    orders = {order.number: order for order in connect(woo).orders(None)}

    assert [line.quantity for line in orders[made["number"]].lines] == [1, 0]
    assert [line.quantity for line in orders[whole["number"]].lines] == [1]
    assert orders[made["number"]].cancelled_at is None


def test_refunds_are_asked_for_once_and_again_when_there_are_more(woo: WooShop) -> None:
    made = woo.add_order([("A", "An A", 3)])
    woo.add_order()
    woo.refund(made["id"], {made["lines"][0]: 1})
    memory = Memory()

    def reads() -> int:
        before: int = woo.book()["counts"]["requests"]
        list(connect(woo, memory=memory).orders(None))
        after: int = woo.book()["counts"]["requests"]
        return after - before

    first, second = reads(), reads()
    woo.refund(made["id"], {made["lines"][0]: 1})

    assert (first, second, reads()) == (3, 2, 3)


def test_refunds_of_old_orders_are_forgotten() -> None:
    memory = Memory()
    for order in range(MOST_REFUNDS + 5):
        memory.keep_refunds((order, 1), {})

    assert (len(memory.refunded), min(memory.refunded)) == (MOST_REFUNDS, (5, 1))


# --- One by one -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", ["{}", "#{}", " {} "])
def test_an_order_is_found_by_its_number(asked: str, woo: WooShop) -> None:
    made = woo.add_order()
    woo.add_order()

    found = connect(woo).order(asked.format(made["number"]))

    assert found == next(order for order in connect(woo).orders(None) if order.number == made["number"])


@pytest.mark.parametrize("asked", ["", "#", "4711", "10", "buyer@example.com", "Ada", "A thing"])
def test_what_only_resembles_a_number_finds_nothing(asked: str, woo: WooShop) -> None:
    woo.add_order(customer="Ada Buyer", email="buyer@example.com")

    assert connect(woo).order(asked) is None


def test_numbers_of_a_plugin_are_found_exactly(pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop(sequential_numbers=True)
    made = shop.add_order(number="A-100")
    other = shop.add_order(number="A-1001")
    hashed = shop.add_order(number="#7")

    orders = [connect(shop).order(number) for number in ("A-100", "A-1001", "#7", "7", "A-10", str(made["id"]))]

    assert [order and order.external_id for order in orders] == [
        str(made["id"]),
        str(other["id"]),
        str(hashed["id"]),
        str(hashed["id"]),
        None,
        None,  # its id is no longer its number
    ]


def test_two_orders_with_one_number_are_none(pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop(sequential_numbers=True)
    old = shop.add_order(number="5003")  # an id of another, to come
    shop.add_order()
    new = shop.add_order(number="5003")

    assert (str(new["id"]), connect(shop).order("5003")) == ("5003", None)
    assert connect(shop).orders_by_id([str(old["id"])])[0].number == "5003"


def test_orders_are_read_by_their_ids_in_the_order_asked_for(woo: WooShop) -> None:
    one, two, gone, binned, draft = (woo.add_order() for _ in range(5))
    woo.delete_order(gone["id"])
    woo.trash(binned["id"])
    woo.set_status(draft["id"], "checkout-draft")
    asked = [two, one, gone, binned, draft, two]

    found = connect(woo).orders_by_id([*(str(order["id"]) for order in asked), "none", ""])

    assert [(order.external_id, order.cancel_reason) for order in found] == [
        (str(two["id"]), ""),
        (str(one["id"]), ""),
        (str(binned["id"]), "cancelled"),
    ]
    assert connect(woo).orders_by_id([]) == []


def test_many_orders_are_read_by_their_ids_in_pieces(woo: WooShop) -> None:
    made = woo.add_orders(130)

    found = connect(woo).orders_by_id([str(order["id"]) for order in made])

    assert [order.external_id for order in found] == [str(order["id"]) for order in made]
    assert woo.book()["counts"]["requests"] == 2


def test_orders_that_were_too_many_at_once_are_read_by_their_ids_in_smaller_pieces(woo: WooShop) -> None:
    made = woo.add_orders(60)
    ids, memory = [str(order["id"]) for order in made], Memory()
    woo.fault("critical_500", times=1, on="list_orders")

    with pytest.raises(StoreBusy):
        connect(woo, memory=memory).orders_by_id(ids)
    before = woo.book()["counts"]["requests"]
    found = connect(woo, memory=memory).orders_by_id(ids)

    assert [order.external_id for order in found] == ids
    assert woo.book()["counts"]["requests"] - before == 2
