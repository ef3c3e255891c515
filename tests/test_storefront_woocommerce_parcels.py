"""Where numbers go in the pretend WooCommerce: trackings of two plugins, the store's own fulfillments, people."""

from __future__ import annotations

import concurrent.futures
import re
import threading

import pytest

from tests.storefronts.woo_asking import (
    MUG,
    ORDERS,
    fulfil,
    meta,
    page_of,
    put,
    said,
    track,
)

# -- trackings


@pytest.mark.parametrize(
    "plugin, body, shown",
    [
        ("ast", {"tracking_provider": "UPS"}, ("UPS", "https://ups.example/track/N1")),
        ("ast", {"tracking_provider": "ups"}, ("UPS", "https://ups.example/track/N1")),
        # accepted, and the customer sees no link
        ("ast", {"tracking_provider": "Unheard Of"}, ("", "")),
        ("shipment_tracking", {"tracking_provider": "UPS"}, ("UPS", "https://ups.example/track/N1")),
        ("shipment_tracking", {"tracking_provider": "Unheard Of"}, ("", "")),
        # a carrier of one's own: the official plugin keeps its name, the other one only the link
        (
            "shipment_tracking",
            {"custom_tracking_provider": "Yanwen", "custom_tracking_link": "https://y.example/%1$s"},
            ("Yanwen", "https://y.example/N1"),
        ),
        (
            "ast",
            {"custom_tracking_provider": "Yanwen", "custom_tracking_link": "https://y.example/N1"},
            ("", "https://y.example/N1"),
        ),
        (
            "ast",
            {"custom_tracking_provider": "USPS", "custom_tracking_link": "https://y.example/N1"},
            ("USPS", "https://y.example/N1"),
        ),
    ],
)
def test_a_tracking_shows_what_the_plugin_makes_of_it(pretend_woo, plugin, body, shown) -> None:
    shop = pretend_woo.shop(plugin=plugin)
    order = shop.add_order([MUG])

    made = track(shop, order, date_shipped="2026-03-02", **body)

    assert made.status_code == 201
    assert made.json() == {
        "tracking_id": made.json()["tracking_id"],
        "tracking_provider": shown[0],
        "tracking_link": shown[1],
        "tracking_number": "N1",
        "date_shipped": "2026-03-02",
    }
    assert re.fullmatch("[0-9a-f]{32}", made.json()["tracking_id"])
    listed = shop.rest("GET", f"wc-shipment-tracking/v3/orders/{order['id']}/shipment-trackings")
    assert listed.json() == [made.json()]
    (tracking,) = page_of(shop, order)["trackings"]
    assert (tracking["number"], tracking["provider_name"], tracking["link"]) == ("N1", *shown)


@pytest.mark.parametrize(
    "plugin, space, is_there",
    [
        ("ast", "wc-ast/v3", True),
        ("ast", "wc/v3", True),
        ("ast", "wc-shipment-tracking/v3", True),
        ("shipment_tracking", "wc-shipment-tracking/v3", True),
        ("shipment_tracking", "wc-ast/v3", False),
        ("plain", "wc-shipment-tracking/v3", False),
        ("fulfillments", "wc-shipment-tracking/v3", False),
    ],
)
def test_trackings_answer_where_their_plugin_registered_them(pretend_woo, plugin, space, is_there) -> None:
    shop = pretend_woo.shop(plugin=plugin)
    order = shop.add_order([MUG])

    answer = shop.rest("GET", f"{space}/orders/{order['id']}/shipment-trackings")

    assert said(answer) == ((200, None) if is_there else (404, "rest_no_route"))


@pytest.mark.parametrize(
    "plugin, names, path, auth, expected",
    [
        ("ast", ["UPS"], "orders/{}/shipment-trackings/providers", True, {"UPS": "https://ups.example/track/%number%"}),
        ("ast", [], "orders/{}/shipment-trackings/providers", True, None),
        ("shipment_tracking", ["UPS"], "shipment-trackings/providers", True, {"UPS": "https://ups.example/track/%1$s"}),
        # everybody may ask the official plugin
        (
            "shipment_tracking",
            ["UPS"],
            "shipment-trackings/providers",
            False,
            {"UPS": "https://ups.example/track/%1$s"},
        ),
    ],
)
def test_the_store_tells_which_carriers_it_knows(pretend_woo, plugin, names, path, auth, expected) -> None:
    shop = pretend_woo.shop(plugin=plugin, providers=names)
    order = shop.add_order([MUG])

    key = {} if auth else {"auth": None}
    answer = shop.rest("GET", f"wc-shipment-tracking/v3/{path.format(order['id'])}", **key).json()

    assert answer == ({"Global": expected} if expected else [])


def test_a_tracking_is_deleted_and_added_but_never_changed(pretend_woo) -> None:
    shop = pretend_woo.shop(plugin="ast")
    order = shop.add_order([MUG])
    made = track(shop, order).json()
    path = f"wc-shipment-tracking/v3/orders/{order['id']}/shipment-trackings/{made['tracking_id']}"

    assert said(shop.rest("PUT", path, json={"tracking_number": "N2"})) == (404, "rest_no_route")
    assert shop.rest("DELETE", path).json() == made
    assert said(shop.rest("DELETE", path))[0] == 404
    assert page_of(shop, order)["trackings"] == []


def test_the_same_number_twice_is_two_trackings_and_the_book_knows(pretend_woo) -> None:
    shop = pretend_woo.shop(plugin="shipment_tracking")
    order = shop.add_order([MUG])

    track(shop, order, "n 1")
    assert shop.book()["twice"] == []
    track(shop, order, "N1")

    assert [one["number"] for one in page_of(shop, order)["trackings"]] == ["n 1", "N1"]
    assert shop.book()["twice"] == ["N1", "n 1"]


def test_trackings_added_at_once_overwrite_one_another(pretend_woo) -> None:
    shop = pretend_woo.shop(plugin="ast")
    order = shop.add_order([MUG])

    start = threading.Barrier(8)

    def add(number: int) -> int:
        start.wait(5)
        return track(shop, order, f"N{number}").status_code

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        made = list(pool.map(add, range(8)))

    assert made == [201] * 8
    assert 1 <= len(page_of(shop, order)["trackings"]) < 8


@pytest.mark.parametrize(
    "plugin, fields, status, kept, mails",
    [
        ("ast", {"status_shipped": 1}, "completed", ["OLD", "N1"], [("completed", ["OLD", "N1"])]),
        ("ast", {"status_shipped": 2}, "partial-shipped", ["OLD", "N1"], [("partial-shipped", ["OLD", "N1"])]),
        # not registered in this shop
        ("ast", {"status_shipped": 3}, "processing", ["OLD", "N1"], []),
        ("ast", {"replace_tracking": 1}, "processing", ["N1"], []),
        ("shipment_tracking", {"status_shipped": 1}, "processing", ["OLD", "N1"], []),
        ("shipment_tracking", {"replace_tracking": 1}, "processing", ["OLD", "N1"], []),
    ],
)
def test_only_one_of_the_plugins_ships_and_replaces_in_one_call(
    pretend_woo, plugin, fields, status, kept, mails
) -> None:
    shop = pretend_woo.shop(plugin=plugin, statuses=["partial-shipped"])
    order = shop.add_order([MUG])
    track(shop, order, "OLD")

    track(shop, order, **fields)

    page = page_of(shop, order)
    assert (page["status"], [one["number"] for one in page["trackings"]]) == (status, kept)
    assert [(mail["kind"], mail["numbers"]) for mail in page["mails"]] == mails


@pytest.mark.parametrize(
    "plugin, hit",
    [("ast", "5001"), ("shipment_tracking", "5002")],
)
def test_one_plugin_takes_an_id_for_the_number_of_another_order(pretend_woo, plugin, hit) -> None:
    shop = pretend_woo.shop(plugin=plugin, sequential_numbers=True, first_number=5002)
    orders = shop.add_orders(2, [MUG])
    assert [(one["id"], one["number"]) for one in orders] == [(5001, "5002"), (5002, "5003")]

    track(shop, orders[1])

    assert [str(one["id"]) for one in shop.book()["orders"] if one["trackings"]] == [hit]


@pytest.mark.parametrize(
    "plugin, first, mailed",
    [
        ("ast", "tracking", ["N1"]),
        ("ast", "status", []),
        ("fulfillments", "tracking", []),
        ("ast+fulfillments", "tracking", []),
    ],
)
def test_the_mail_of_completion_shows_what_the_plugin_knew_at_that_moment(pretend_woo, plugin, first, mailed) -> None:
    shop = pretend_woo.shop(plugin=plugin)
    order = shop.add_order([MUG])
    add = track if plugin == "ast" else fulfil

    if first == "tracking":
        add(shop, order)
    put(shop, order, status="completed")
    if first == "status":
        add(shop, order)

    (mail,) = shop.mails(order["id"])
    assert (mail["kind"], mail["number_in_mail"], mail["numbers"]) == ("completed", bool(mailed), mailed)


def test_the_mail_of_completion_shows_nothing_of_a_plugin_that_was_switched_off(pretend_woo) -> None:
    shop = pretend_woo.shop(plugin="ast")
    order = shop.add_order([MUG])
    track(shop, order)

    shop.set_plugin("plain")
    put(shop, order, status="completed")

    assert [(mail["kind"], mail["numbers"]) for mail in shop.mails(order["id"])] == [("completed", [])]


def test_meta_written_by_hand_is_read_back_by_the_plugin(pretend_woo) -> None:
    shop = pretend_woo.shop(plugin="ast")
    order = shop.add_order([MUG])
    track(shop, order, "N1")
    item = {"tracking_provider": "ups", "tracking_number": "N2", "date_shipped": 1772452800, "tracking_id": "a" * 32}

    put(shop, order, meta_data=meta({"_wc_shipment_tracking_items": [item]}))

    listed = shop.rest("GET", f"wc-ast/v3/orders/{order['id']}/shipment-trackings").json()
    assert listed == [
        {
            "tracking_id": "a" * 32,
            "tracking_provider": "UPS",
            "tracking_link": "https://ups.example/track/N2",
            "tracking_number": "N2",
            "date_shipped": "2026-03-02",
        }
    ]


# -- fulfillments


LOCAL, ISO = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


@pytest.mark.parametrize(
    "version, is_wrapped, needs_ids, dates",
    [
        ("10.1.2", True, True, LOCAL),
        ("10.2.2", True, True, LOCAL),
        ("10.3.0", False, True, LOCAL),
        ("10.8.0", False, False, ISO),
        ("10.9.1", False, False, ISO),
    ],
)
def test_a_fulfillments_shape_depends_on_the_release(pretend_woo, version, is_wrapped, needs_ids, dates) -> None:
    shop = pretend_woo.shop(plugin="fulfillments", version=version)
    order = shop.add_order([MUG])
    items = {"_items": [{"item_id": order["lines"][0], "qty": 2}]}

    without_ids = fulfil(shop, order, meta_data=meta(items))
    made = fulfil(shop, order).json()
    listed = shop.rest("GET", f"{ORDERS}/{order['id']}/fulfillments").json()

    if needs_ids:
        assert (without_ids.status_code, without_ids.json()["code"]) == (400, 0)
        assert without_ids.json()["message"] == "The fulfillment should contain at least one item."
    else:
        assert without_ids.status_code == 201
    assert (list(made) == ["fulfillment"]) == is_wrapped
    assert isinstance(listed, dict) == is_wrapped
    one = made["fulfillment"] if is_wrapped else made
    again = (listed["fulfillments"] if is_wrapped else listed)[-1]
    assert (one["is_fulfilled"], again["is_fulfilled"]) == (True, "1")
    assert (one["status"], one["entity_id"], one["date_deleted"]) == ("fulfilled", str(order["id"]), None)
    assert re.fullmatch(dates, one["date_updated"])


@pytest.mark.parametrize(
    "items", [[{"item_id": 99999, "qty": 5}], [{"item_id": 51, "qty": 500}], [{"item_id": 51, "qty": 2}]]
)
def test_nothing_in_a_fulfillment_is_compared_with_the_order(pretend_woo, items) -> None:
    shop = pretend_woo.shop(plugin="fulfillments")
    order = shop.add_order([MUG])
    assert order["lines"] == [51]
    body = {"meta_data": meta({"_items": items, "_tracking_number": "N1"})}

    made = [fulfil(shop, order, **body).status_code for _ in range(2)]

    assert made == [201, 201]
    assert shop.order(order["id"])["status"] == "processing"
    assert shop.book()["twice"] == ["N1"]


def test_two_parcels_of_one_order_are_nothing_twice(pretend_woo) -> None:
    shop = pretend_woo.shop(plugin="fulfillments")
    order = shop.add_order([MUG])

    fulfil(shop, order, "N1", 1)
    part = page_of(shop, order)
    fulfil(shop, order, "N2", 1)

    whole = page_of(shop, order)
    assert [page["meta"]["_fulfillment_status"] for page in (part, whole)] == ["partially_fulfilled", "fulfilled"]
    assert [page["lines"][0]["fulfilled"] for page in (part, whole)] == [1, 2]
    assert [(one["numbers"], one["items"]) for one in whole["fulfillments"]] == [
        (["N1"], [[order["lines"][0], 1]]),
        (["N2"], [[order["lines"][0], 1]]),
    ]
    assert shop.book()["twice"] == []


def test_meta_of_a_fulfillment_is_replaced_as_a_whole(pretend_woo) -> None:
    shop = pretend_woo.shop(plugin="fulfillments")
    order = shop.add_order([MUG])
    made = fulfil(shop, order).json()
    path = f"{ORDERS}/{order['id']}/fulfillments/{made['id']}"

    bare = shop.rest("PUT", path, json={"meta_data": meta({"_tracking_number": "N2"})})
    items = {"_items": [{"item_id": order["lines"][0], "qty": 2}], "_tracking_number": "N2"}
    whole = shop.rest("PUT", path, json={"meta_data": meta(items)})

    assert (bare.status_code, bare.json()["code"]) == (400, 0)
    assert (whole.status_code, whole.json()["is_fulfilled"]) == (200, "1")
    assert [one["numbers"] for one in page_of(shop, order)["fulfillments"]] == [["N2"]]


def test_a_deleted_fulfillment_is_marked_and_not_found_any_more(pretend_woo) -> None:
    shop = pretend_woo.shop(plugin="fulfillments")
    order = shop.add_order([MUG])
    path = f"{ORDERS}/{order['id']}/fulfillments/{fulfil(shop, order).json()['id']}"

    gone = shop.rest("DELETE", path)
    again = shop.rest("DELETE", path)

    assert gone.status_code == 200
    assert (again.status_code, again.json()) == (
        400,
        {"code": 404, "message": "Fulfillment not found.", "data": {"status": "404"}},
    )
    page = page_of(shop, order)
    assert ([one["deleted"] for one in page["fulfillments"]], page["lines"][0]["fulfilled"]) == ([True], 0)


@pytest.mark.parametrize("notify, mails", [(True, [("fulfillment", ["N1"])]), (False, [])])
def test_a_fulfillment_is_mailed_where_the_request_says_so(pretend_woo, notify, mails) -> None:
    shop = pretend_woo.shop(plugin="fulfillments")
    order = shop.add_order([MUG])

    fulfil(shop, order, notify_customer=notify)

    assert [(mail["kind"], mail["numbers"]) for mail in shop.mails(order["id"])] == mails


def test_whose_a_number_is_may_be_looked_up(pretend_woo) -> None:
    shop = pretend_woo.shop(plugin="fulfillments")
    order = shop.add_order([MUG])
    path = f"{ORDERS}/{order['id']}/fulfillments/lookup"

    found = shop.rest("GET", path, params={"tracking_number": "1Z999AA10123456784"}).json()["tracking_number_details"]

    assert found["shipping_provider"] == "ups"
    assert [one["ambiguity_score"] for one in found["possibilities"]] == [95]


# -- somebody else in the shop


@pytest.mark.parametrize(
    "plugin, number, status, trackings, fulfillments, notes",
    [
        ("plain", "N1", "completed", [], [], ["Your parcel is on its way: UPS N1"]),
        ("plain", "", "completed", [], [], []),
        ("ast", "N1", "processing", ["N1"], [], []),
        ("ast", "", "completed", [], [], []),
        ("shipment_tracking", "N1", "processing", ["N1"], [], []),
        ("fulfillments", "N1", "processing", [], [["N1"]], []),
        ("fulfillments", "", "processing", [], [[]], []),
        ("ast+fulfillments", "N1", "processing", ["N1"], [], []),
    ],
)
def test_people_ship_in_the_way_of_their_plugin(
    pretend_woo, plugin, number, status, trackings, fulfillments, notes
) -> None:
    shop = pretend_woo.shop(plugin=plugin)
    order = shop.add_order([MUG])

    shop.ship_by_hand(order["id"], number, company="UPS")

    page = page_of(shop, order)
    assert (page["status"], [one["number"] for one in page["trackings"]]) == (status, trackings)
    assert [one["numbers"] for one in page["fulfillments"]] == fulfillments
    assert [note["text"] for note in page["notes"]] == notes
    assert [line["fulfilled"] for line in page["lines"]] == [2 if fulfillments else 0]


@pytest.mark.parametrize("plugin", ["ast", "fulfillments"])
def test_people_take_a_number_away_again(pretend_woo, plugin) -> None:
    shop = pretend_woo.shop(plugin=plugin)
    order = shop.add_order([MUG])
    shop.ship_by_hand(order["id"], "N1", lines={order["lines"][0]: 1})

    shop.remove_tracking(order["id"], "N1")

    page = page_of(shop, order)
    assert (page["trackings"], [one for one in page["fulfillments"] if not one["deleted"]]) == ([], [])
    assert list(shop.book()["numbers"]) == ["N1"]


def test_a_plugin_that_is_switched_off_takes_its_routes_along(pretend_woo) -> None:
    shop = pretend_woo.shop(plugin="ast")
    order = shop.add_order([MUG])
    assert track(shop, order).status_code == 201

    shop.set_plugin("fulfillments")

    assert said(track(shop, order, "N2")) == (404, "rest_no_route")
    assert fulfil(shop, order, "N3").status_code == 201
    with pytest.raises(ValueError, match="unknown plugin 'none'"):
        shop.set_plugin("none")


def test_in_between_somebody_else_may_do_something(pretend_woo) -> None:
    shop = pretend_woo.shop(plugin="ast")
    order = shop.add_order([MUG])
    shop.before("create_tracking", "ship_by_hand", order=order["id"], number="THEIRS")

    track(shop, order, "OURS")
    track(shop, order, "OURS, TOO")

    assert [one["number"] for one in page_of(shop, order)["trackings"]] == ["THEIRS", "OURS", "OURS, TOO"]


@pytest.mark.parametrize(
    "plugin, first, early",
    [
        ("plain", None, False),  # nobody can know
        ("ast", None, True),
        ("ast", "number", False),
        ("fulfillments", None, True),
        ("fulfillments", "half", True),
        ("fulfillments", "number", False),
        ("fulfillments", "half, and half is refunded", False),
    ],
)
def test_the_book_knows_what_was_completed_too_early(pretend_woo, plugin, first, early) -> None:
    shop = pretend_woo.shop(plugin=plugin)
    order = shop.add_order([MUG, ("PDF", "A book to read", 1, 3.5, False)])
    if first:
        units = None if first == "number" else {order["lines"][0]: 1}
        shop.ship_by_hand(order["id"], "N1", lines=units)
    if first and "refunded" in first:
        shop.refund(order["id"], {order["lines"][0]: 1})

    put(shop, order, status="completed")

    assert shop.book()["early"] == ([order["id"]] if early else [])
