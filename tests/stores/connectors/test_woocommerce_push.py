"""Pushing to WooCommerce, over HTTP: what the contract and the stories do not tell of single places."""

from __future__ import annotations

import time
from typing import Any

import pytest

from stores.connectors.base import Outcome, Receipt, Sighting, StoreSettings
from stores.connectors.codes import Code
from stores.connectors.errors import OutcomeUnknown, ShipmentRejected, StoreBusy, TryAgainLater
from stores.connectors.woocommerce.memory import Memory
from stores.connectors.woocommerce.values import folded
from tests.storefronts.woo import PretendWooCommerce, WooShop

from .contract import an_update, pushed, soon
from .woo_store import connect
from .woo_under_test import LISTED, RECORD, PlacedOrder, WooUnderTest, in_book, place, recorded, shown

PLUGINS = ("ast", "shipment_tracking", "fulfillments", "plain")
LISTS = ("ast", "shipment_tracking")
ELSEWHERE = {"company": "Yanwen", "url": "https://yanwen.example/N1"}  # a carrier that no list knows


@pytest.fixture(params=PLUGINS)
def store(request: pytest.FixtureRequest, pretend_woo: PretendWooCommerce) -> WooUnderTest:
    return WooUnderTest(pretend_woo.shop(plugin=request.param), request.param)


def push_one(store: WooUnderTest, order: PlacedOrder, number: str = "N1", **changes: Any) -> Receipt:
    (receipt,) = store.connector().push([an_update(order, number, **changes)], soon())
    assert isinstance(receipt, Receipt), receipt
    return receipt


# --- carriers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "plugin, company, name, link, warnings",
    [
        ("ast", "Royal Mail", "Royal Mail", "https://royal-mail.example/track/N1", ()),
        ("ast", "royal  mail", "Royal Mail", "https://royal-mail.example/track/N1", ()),
        # The free plugin keeps the link, and shows no name that its table does not hold.
        ("ast", "Yanwen", "", "https://track.example/N1", (Code.CARRIER_NOT_MAPPED,)),
        ("shipment_tracking", "Royal Mail", "Royal Mail", "https://royal-mail.example/track/N1", ()),
        ("shipment_tracking", "Yanwen", "Yanwen", "https://track.example/N1", ()),
    ],
)
def test_a_carrier_goes_by_the_name_that_the_plugin_knows(
    pretend_woo: PretendWooCommerce, plugin: str, company: str, name: str, link: str, warnings: tuple[str, ...]
) -> None:
    store = WooUnderTest(pretend_woo.shop(plugin=plugin), plugin)
    order = store.order()

    receipt = push_one(store, order, company=company)

    (item,) = in_book(store.shop, order)["trackings"]
    assert (item["provider_name"], item["link"], receipt.warnings) == (name, link, warnings)


@pytest.mark.parametrize("plugin", LISTS)
def test_a_plugin_whose_list_is_empty_gets_name_and_link(pretend_woo: PretendWooCommerce, plugin: str) -> None:
    store = WooUnderTest(pretend_woo.shop(plugin=plugin, providers=[]), plugin)
    order = store.order()

    push_one(store, order)

    (item,) = in_book(store.shop, order)["trackings"]
    assert item["link"] == "https://track.example/N1"


@pytest.mark.parametrize("plugin", LISTS)
def test_the_list_of_carriers_is_asked_for_once(pretend_woo: PretendWooCommerce, plugin: str) -> None:
    shop = pretend_woo.shop(plugin=plugin)
    memory = Memory()
    first, second = place(shop), place(shop)
    assert pushed(connect(shop, memory=memory), an_update(first, "N1")) == [Outcome.CREATED]
    shop.fault("500", on="list_providers")

    assert pushed(connect(shop, memory=memory), an_update(second, "N2")) == [Outcome.CREATED]


@pytest.mark.parametrize(
    "company, provider", [("DHL Express", "dhl"), ("royal mail", "royal-mail"), ("Yanwen", "other")]
)
def test_a_fulfillment_has_the_slug_of_its_carrier(
    pretend_woo: PretendWooCommerce, company: str, provider: str
) -> None:
    store = WooUnderTest(pretend_woo.shop(plugin="fulfillments"), "fulfillments")
    order = store.order()

    push_one(store, order, company=company)

    (one,) = in_book(store.shop, order)["fulfillments"]
    assert (one["provider"], one["link"]) == (provider, "https://track.example/N1")
    assert pushed(store.connector(), an_update(order, "N1", company=company)) == [Outcome.UNCHANGED]


def test_a_corrected_carrier_is_shown_in_the_place_of_the_wrong_one(store: WooUnderTest) -> None:
    order = store.order()
    first = push_one(store, order)

    second = push_one(store, order, fulfillments=first.fulfillments, **ELSEWHERE)

    assert (second.outcome, second.fulfillments) == (Outcome.REPLACED, first.fulfillments)
    assert store.shown(order) == [("N1",)]
    page = in_book(store.shop, order)
    links = [one["link"] for one in (*page["trackings"], *page["fulfillments"])] or [page["meta"]["_tracking_url"]]
    assert links == [ELSEWHERE["url"]]
    assert pushed(store.connector(), an_update(order, "N1", **ELSEWHERE)) == [Outcome.UNCHANGED]


# --- the customer ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("notify", [True, False])
def test_a_note_is_the_customers_only_where_the_store_shall_tell(pretend_woo: PretendWooCommerce, notify: bool) -> None:
    shop = pretend_woo.shop()
    order = place(shop)

    connect(shop).push([an_update(order, "N1", notify=notify)], soon())

    assert in_book(shop, order)["notes"] == [
        {
            "text": "Tracking number of your order: N1 (Royal Mail). Follow the parcel here: https://track.example/N1",
            "customer_note": notify,
        }
    ]


def test_a_replaced_number_is_told_with_the_one_before(pretend_woo: PretendWooCommerce) -> None:
    store = WooUnderTest(pretend_woo.shop(), "plain")
    order = store.order()
    first = push_one(store, order)

    push_one(store, order, "N2", ours=frozenset({"N1", "N2"}), fulfillments=first.fulfillments)
    page = in_book(store.shop, order)

    assert page["notes"][-1]["text"] == (
        "Tracking number of your order: N2 (Royal Mail), in place of N1. "
        "Follow the parcel here: https://track.example/N2"
    )
    assert {key: value for key, value in page["meta"].items() if not key.startswith(RECORD)} == {
        "_tracking_number": "N2",
        "_tracking_provider": "Royal Mail",
        "_tracking_url": "https://track.example/N2",
    }


def test_a_number_that_comes_back_is_told_again(pretend_woo: PretendWooCommerce) -> None:
    """An old note names it already, and must not be taken for the new one."""
    store = WooUnderTest(pretend_woo.shop(), "plain")
    order = store.order()
    all_of_it = {"ours": frozenset({"N1", "N2"})}
    ids = push_one(store, order, **all_of_it).fulfillments
    push_one(store, order, "N2", fulfillments=ids, **all_of_it)

    push_one(store, order, "N1", fulfillments=ids, **all_of_it)

    assert [note["text"].split(" (")[0] for note in in_book(store.shop, order)["notes"]] == [
        "Tracking number of your order: N1",
        "Tracking number of your order: N2",
        "Tracking number of your order: N1",
    ]


def test_a_fulfillment_that_somebody_else_made_is_not_told_of(pretend_woo: PretendWooCommerce) -> None:
    store = WooUnderTest(pretend_woo.shop(plugin="fulfillments"), "fulfillments")
    order = store.order()
    store.ship_by_hand(order, "")

    assert push_one(store, order, notify=True).outcome == Outcome.ADOPTED
    assert [mail["kind"] for mail in in_book(store.shop, order)["mails"]] == ["completed"]


# --- the order's status ------------------------------------------------------------------------------------


def test_a_merchant_who_completes_orders_himself_keeps_the_status(store: WooUnderTest) -> None:
    order = store.order()
    connector = store.connector(settings=StoreSettings(completes_orders=False))

    assert pushed(connector, an_update(order, "N1")) == [Outcome.CREATED]

    page = in_book(store.shop, order)
    assert (page["status"], page["status_log"], store.shown(order)) == ("processing", [], [("N1",)])


def test_a_status_that_the_store_does_not_take_is_a_warning(store: WooUnderTest) -> None:
    """A plugin that added a status is gone, and our memory of it is older."""
    store.shop.settings(statuses=["partial-shipped"])
    before, order, after = store.order((2,)), store.order((2,)), store.order((2,))
    memory = Memory()
    connect(store.shop, memory=memory).push([an_update(before, "N0")], soon())
    store.shop.settings(statuses=[])

    (receipt,) = connect(store.shop, memory=memory).push([an_update(order, "N1")], soon())
    (next_one,) = connect(store.shop, memory=memory).push([an_update(after, "N2")], soon())

    assert isinstance(next_one, Receipt)
    assert next_one.warnings == ()
    assert isinstance(receipt, Receipt)
    assert (receipt.outcome, receipt.warnings) == (Outcome.CREATED, (Code.STATUS_NOT_CHANGED,))
    assert (store.shown(order), store.units_shipped(order)) == ([("N1",)], [1])
    assert in_book(store.shop, order)["status"] == "processing"


def test_a_status_that_a_plugin_brought_is_known_as_soon_as_its_place_is(pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop()
    memory = Memory()
    first, second = place(shop, (2,)), place(shop, (2,))
    connect(shop, memory=memory).push([an_update(first, "N1")], soon())
    shop.settings(statuses=["partial-shipped"])
    memory.places_until = 0.0  # an hour later

    connect(shop, memory=memory).push([an_update(second, "N2")], soon())

    assert [in_book(shop, order)["status"] for order in (first, second)] == ["processing", "partial-shipped"]


def test_an_order_is_completed_when_its_last_parcel_is_there(store: WooUnderTest) -> None:
    order = store.order((1, 1, 2))
    known: list[str] = []
    statuses = []
    for number, lines in (("N1", ((0, 1), (2, 1))), ("N2", ((2, 1),)), ("N3", ((1, 1),))):
        contents = tuple((order.lines[line], units) for line, units in lines)
        receipt = push_one(store, order, number, lines=contents, siblings=frozenset(known))
        known += [number, *receipt.fulfillments]
        statuses.append(in_book(store.shop, order)["status"])

    assert statuses == ["processing", "processing", "completed"]
    assert store.units_shipped(order) == [1, 1, 2]


def test_an_order_that_the_merchant_opened_again_is_not_completed_for_the_same(store: WooUnderTest) -> None:
    order = store.order()
    first = push_one(store, order)
    store.shop.set_status(int(order.id), "processing")
    wanted = an_update(order, "N1", fulfillments=first.fulfillments)
    assert store.connector().look([wanted], soon()) == [Sighting(first.fulfillments, "N1", complete=True)]

    push_one(store, order, "N2", ours=frozenset({"N1", "N2"}), fulfillments=first.fulfillments)

    assert (store.shown(order), in_book(store.shop, order)["status"]) == ([("N2",)], "processing")


# --- 200 is not success -----------------------------------------------------------------------------------


def test_a_number_that_the_plugin_put_on_another_order_was_not_sent(pretend_woo: PretendWooCommerce) -> None:
    """Numbers are counted apart from ids, and an id is another order's number: the plugin takes it for that one."""
    shop = pretend_woo.shop(plugin="ast", sequential_numbers=True, first_number=5002)
    order, other = place(shop), None
    others = [place(shop) for _ in range(2)]
    other = next(one for one in (order, *others) if one.number == others[0].id)
    meant = others[0]

    (refused,) = connect(shop).push([an_update(meant, "N1")], soon())

    assert isinstance(refused, ShipmentRejected)
    assert (refused.reason.code, refused.reason.values) == (Code.REFUSED, {"field": "tracking_number"})
    assert [shown(shop, one, "ast") for one in (meant, other)] == [[], []]
    assert in_book(shop, meant)["status"] == "processing"


@pytest.mark.parametrize("kind", ["php_warning", "bom"])
def test_noise_around_an_answer_is_read_past_and_the_order_is_read_again(store: WooUnderTest, kind: str) -> None:
    order = store.order()
    store.fault(kind)

    assert push_one(store, order).outcome == Outcome.CREATED
    assert (store.shown(order), in_book(store.shop, order)["status"]) == ([("N1",)], "completed")


@pytest.mark.parametrize("plugin", LISTS)
def test_a_second_item_of_a_late_request_is_taken_away(pretend_woo: PretendWooCommerce, plugin: str) -> None:
    store = WooUnderTest(pretend_woo.shop(plugin=plugin), plugin)
    order = store.order()
    first = push_one(store, order)
    path = f"wc-shipment-tracking/v3/orders/{order.id}/shipment-trackings"
    store.shop.rest("POST", path, json={"tracking_number": "N1", "tracking_provider": "Royal Mail"})

    receipt = push_one(store, order, fulfillments=first.fulfillments)

    assert (receipt.outcome, receipt.warnings) == (Outcome.REPLACED, (Code.DUPLICATE_CANCELLED,))
    assert store.shown(order) == [("N1",)]


def test_a_number_that_somebody_typed_in_another_way_is_the_same(store: WooUnderTest) -> None:
    order = store.order()
    store.ship_by_hand(order, "ab-123")

    push_one(store, order, "AB123")

    assert [folded(number) for (number,) in store.shown(order)] == ["AB123"]
    assert pushed(store.connector(), an_update(order, "AB123")) == [Outcome.UNCHANGED]


def test_two_parcels_with_one_number_are_one_item(pretend_woo: PretendWooCommerce) -> None:
    store = WooUnderTest(pretend_woo.shop(plugin="ast"), "ast")
    order = store.order((1, 1))
    first = push_one(store, order, lines=((order.lines[0], 1),))
    known = frozenset({"N1", *first.fulfillments})

    second = push_one(store, order, lines=((order.lines[1], 1),), siblings=known)

    assert not set(first.fulfillments) & set(second.fulfillments)
    assert (store.shown(order), store.units_shipped(order)) == ([("N1",)], [1, 1])
    store.connector().cancel(order.id, second.fulfillments[0])
    assert (store.shown(order), store.units_shipped(order)) == ([("N1",)], [1, 0])


def test_what_other_plugins_keep_in_a_fulfillment_stays(pretend_woo: PretendWooCommerce) -> None:
    store = WooUnderTest(pretend_woo.shop(plugin="fulfillments"), "fulfillments")
    order = store.order()
    first = push_one(store, order)
    path = f"wc/v3/orders/{order.id}/fulfillments"
    (one,) = store.shop.rest("GET", path).json()
    meta = [*one["meta_data"], {"id": 0, "key": "_colour", "value": "red"}]
    store.shop.rest("PUT", f"{path}/{one['id']}", json={"meta_data": meta})

    push_one(store, order, "N2", ours=frozenset({"N1", "N2"}), fulfillments=first.fulfillments)

    (one,) = store.shop.rest("GET", path).json()
    assert {entry["key"]: entry["value"] for entry in one["meta_data"]} == {
        "_items": [{"item_id": int(order.lines[0]), "qty": 1}],
        "_tracking_number": "N2",
        "_shipment_provider": "royal-mail",
        "_tracking_url": "https://track.example/N2",
        "_colour": "red",
    }


def test_a_record_that_was_copied_from_another_order_is_not_believed(pretend_woo: PretendWooCommerce) -> None:
    """Subscriptions copy an order's meta to the next one."""
    store = WooUnderTest(pretend_woo.shop(plugin="ast"), "ast")
    order, renewal = store.order(), store.order()
    push_one(store, order)
    for key, value in in_book(store.shop, order)["meta"].items():
        if key.startswith(RECORD):
            store.shop.write_meta(int(renewal.id), key, value)

    assert push_one(store, renewal, "N2").outcome == Outcome.CREATED
    assert [parcel["number"] for parcel in recorded(in_book(store.shop, renewal))] == ["N2"]


# --- places that come and go -----------------------------------------------------------------------------------


@pytest.mark.parametrize("plugin", ["ast", "shipment_tracking", "fulfillments"])
def test_a_place_that_is_gone_is_looked_for_again(pretend_woo: PretendWooCommerce, plugin: str) -> None:
    shop = pretend_woo.shop(plugin=plugin)
    memory = Memory()
    first, second = place(shop), place(shop)
    assert pushed(connect(shop, memory=memory), an_update(first, "N1")) == [Outcome.CREATED]
    shop.set_plugin("plain")

    assert pushed(connect(shop, memory=memory), an_update(second, "N2")) == [Outcome.CREATED]

    assert in_book(shop, second)["meta"][LISTED] == "N2"


def test_a_place_that_is_said_to_be_there_and_does_not_answer_is_passed_over(pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop(plugin="ast+fulfillments")
    order = place(shop)
    shop.fault("rest_no_route", on="create_tracking")

    assert pushed(connect(shop), an_update(order, "N1")) == [Outcome.CREATED]

    assert [one["numbers"] for one in in_book(shop, order)["fulfillments"]] == [["N1"]]


@pytest.mark.parametrize(
    "wish, plugin", [("", "ast"), ("fulfillments", "fulfillments"), ("plain", "plain"), ("shipment_tracking", "ast")]
)
def test_the_merchants_wish_is_where_numbers_go(pretend_woo: PretendWooCommerce, wish: str, plugin: str) -> None:
    shop = pretend_woo.shop(plugin="ast+fulfillments")
    order = place(shop)

    connect(shop, settings=StoreSettings(tracking_goes_to=wish)).push([an_update(order, "N1")], soon())

    there = {name: shown(shop, order, name) for name in ("ast", "fulfillments", "plain")}
    assert there == {name: [("N1",)] if name == plugin else [] for name in there}


def test_a_number_follows_when_a_plugin_comes(pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop()
    store = WooUnderTest(shop, "plain")
    order = store.order()
    first = push_one(store, order)
    shop.set_plugin("ast")
    wanted = an_update(order, "N1", fulfillments=first.fulfillments)

    assert store.connector().look([wanted], soon()) == [Sighting(first.fulfillments, "N1", complete=True)]
    assert pushed(store.connector(), wanted) == [Outcome.UNCHANGED]
    another = push_one(store, order, "N2", ours=frozenset({"N1", "N2"}), fulfillments=first.fulfillments)

    assert (another.outcome, another.fulfillments) == (Outcome.REPLACED, first.fulfillments)
    assert shown(shop, order, "ast") == [("N2",)]


# --- time and weather ------------------------------------------------------------------------------------------


def test_time_that_ends_between_tracking_and_status_leaves_the_end_open(store: WooUnderTest) -> None:
    order = store.order()
    store.fault("slow", on="mutation", times=1, seconds=0.8)
    update = an_update(order, "N1")

    (end,) = store.connector().push([update], time.monotonic() + 0.6)

    assert isinstance(end, OutcomeUnknown)
    assert (store.shown(order), in_book(store.shop, order)["status"]) == ([("N1",)], "processing")
    assert pushed(store.connector(), update) == [Outcome.CREATED]
    assert (store.shown(order), in_book(store.shop, order)["status"]) == ([("N1",)], "completed")


def test_after_two_lost_answers_in_a_row_the_rest_waits(store: WooUnderTest) -> None:
    orders = [store.order() for _ in range(4)]
    store.fault("reset_before", on="mutation")

    results = store.connector().push([an_update(order, f"N{n}") for n, order in enumerate(orders)], soon())

    assert [type(result) for result in results] == [OutcomeUnknown, OutcomeUnknown, StoreBusy, StoreBusy]
    assert store.writes() == 0


def test_a_busy_store_is_asked_no_more_even_when_a_parcel_is_half_done(store: WooUnderTest) -> None:
    first, second = store.order(), store.order()
    store.fault("429", on="status", seconds=9)

    results = store.connector().push([an_update(first, "N1"), an_update(second, "N2")], soon())

    assert [type(result) for result in results] == [OutcomeUnknown, StoreBusy]
    assert results[1].after == 9.0  # type: ignore[union-attr]
    assert store.shown(second) == []


def test_a_turn_that_is_over_leaves_everything_as_it_is(store: WooUnderTest) -> None:
    (end,) = store.connector().push([an_update(store.order(), "N1")], time.monotonic())

    assert isinstance(end, TryAgainLater)
    assert (end.reason.code, end.after, store.writes()) == (Code.NO_TIME, 0.0, 0)


# --- taking a number away -----------------------------------------------------------------------------------------


def test_a_number_is_taken_away_and_no_other(store: WooUnderTest) -> None:
    order = store.order((1, 1))
    first = push_one(store, order, lines=((order.lines[0], 1),))
    known = frozenset({"N1", *first.fulfillments})
    second = push_one(store, order, "N2", lines=((order.lines[1], 1),), siblings=known)

    for _ in range(2):  # gone already is success
        store.connector().cancel(order.id, first.fulfillments[0])

    assert (store.shown(order), store.units_shipped(order)) == ([("N2",)], [0, 1])
    store.connector().cancel(order.id, second.fulfillments[0])
    assert (store.shown(order), in_book(store.shop, order)["status"]) == ([], "completed")


@pytest.mark.parametrize("status", ["cancelled", "refunded"])
def test_a_number_is_taken_off_an_order_that_is_cancelled(store: WooUnderTest, status: str) -> None:
    order = store.order()
    receipt = push_one(store, order)
    store.shop.set_status(int(order.id), status)

    store.connector().cancel(order.id, receipt.fulfillments[0])

    assert (store.shown(order), in_book(store.shop, order)["status"]) == ([], status)


def test_an_order_in_the_bin_stays_there(store: WooUnderTest) -> None:
    order = store.order()
    receipt = push_one(store, order)
    store.shop.trash(int(order.id))

    with pytest.raises(ShipmentRejected) as refused:
        store.connector().cancel(order.id, receipt.fulfillments[0])

    assert refused.value.reason.code == Code.ORDER_NOT_OPEN
    assert in_book(store.shop, order)["status"] == "trash"


def test_nothing_has_to_be_taken_off_an_order_that_is_gone(store: WooUnderTest) -> None:
    order = store.order()
    receipt = push_one(store, order)
    store.shop.delete_order(int(order.id))

    store.connector().cancel(order.id, receipt.fulfillments[0])


def test_a_lost_answer_to_a_withdrawal_is_unknown_and_it_may_be_asked_again(store: WooUnderTest) -> None:
    order = store.order()
    receipt = push_one(store, order)
    store.fault("reset_after", on="mutation", times=1)

    with pytest.raises(OutcomeUnknown):
        store.connector().cancel(order.id, receipt.fulfillments[0])
    store.connector().cancel(order.id, receipt.fulfillments[0])

    assert (store.shown(order), store.units_shipped(order)) == ([], [0])


@pytest.mark.parametrize("plugin", ["ast", "shipment_tracking", "fulfillments"])
def test_what_somebody_took_away_is_not_put_back_by_itself(pretend_woo: PretendWooCommerce, plugin: str) -> None:
    store = WooUnderTest(pretend_woo.shop(plugin=plugin), plugin)
    order = store.order()
    receipt = push_one(store, order)
    store.shop.remove_tracking(int(order.id), "N1")
    wanted = an_update(order, "N1", fulfillments=receipt.fulfillments)

    assert store.connector().look([wanted], soon()) == [None]
    assert pushed(store.connector(), wanted) == [(ShipmentRejected, Code.FULFILLMENT_CANCELLED)]
    # A person wants it back.
    push_one(store, order)
    assert store.shown(order) == [("N1",)]


# --- a store that executes a request long after its answer was lost ------------------------------------------------


@pytest.mark.parametrize(
    "plugin, on",
    [
        ("ast", "create_tracking"),
        ("ast", "meta"),
        ("shipment_tracking", "create_tracking"),
        ("shipment_tracking", "meta"),
        ("fulfillments", "create_fulfillment"),
        ("plain", "note"),
        ("plain", "meta"),
    ],
)
def test_a_late_write_of_one_parcel_wipes_out_nothing_of_another(
    pretend_woo: PretendWooCommerce, plugin: str, on: str
) -> None:
    """The other parcel does not wait until the end of the first is known; both are there in the end, once."""
    store = WooUnderTest(pretend_woo.shop(plugin=plugin), plugin)
    order = store.order((1, 1))
    late = an_update(order, "N1", lines=((order.lines[0], 1),), siblings=frozenset({"N2"}))
    other = an_update(order, "N2", lines=((order.lines[1], 1),), siblings=frozenset({"N1"}))
    store.fault("late", on=on, times=1, seconds=0.5)

    assert pushed(store.connector(), late) == [(OutcomeUnknown, Code.ANSWER_LOST)]
    assert pushed(store.connector(), other) == [Outcome.CREATED]
    written, until = store.writes(), time.monotonic() + 3
    while store.writes() == written and time.monotonic() < until:
        time.sleep(0.05)
    pushed(store.connector(), late)

    assert sorted(store.shown(order)) == [("N1",), ("N2",)]
    assert store.units_shipped(order) == [1, 1]
    assert in_book(store.shop, order)["status"] == "completed"


def test_an_order_of_many_parcels_has_each_number_once(pretend_woo: PretendWooCommerce) -> None:
    """One list, one record, no item too many, and completed with the last."""
    shop: WooShop = pretend_woo.shop(plugin="ast")
    store = WooUnderTest(shop, "ast")
    order = store.order((12,))
    known: list[str] = []
    memory = Memory()
    for n in range(12):
        update = an_update(order, f"MANY{n:03d}", siblings=frozenset(known))
        (receipt,) = connect(shop, memory=memory).push([update], soon())
        assert isinstance(receipt, Receipt)
        known += [update.number, *receipt.fulfillments]

    assert store.shown(order) == [(f"MANY{n:03d}",) for n in range(12)]
    assert (store.units_shipped(order), in_book(shop, order)["status"]) == ([12], "completed")
