"""How the pretend WooCommerce takes what is written to orders: it guards nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.storefronts.woo import PretendWooCommerce, WooShop
from tests.storefronts.woo_asking import (
    MUG,
    ORDERS,
    meta,
    numbers,
    page_of,
    put,
    said,
    track,
    until,
)


@pytest.fixture
def shop(pretend_woo: PretendWooCommerce) -> WooShop:
    """A plain shop of the test's own."""
    return pretend_woo.shop()


# -- writing orders


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize(
    "before", ["pending", "processing", "on-hold", "cancelled", "refunded", "failed", "trash", "partial-shipped"]
)
def test_the_store_completes_whatever_it_is_told_to(pretend_woo, method, before) -> None:
    shop = pretend_woo.shop(statuses=["partial-shipped"])
    order = shop.add_order([MUG], status="processing" if before in ("trash", "refunded") else before)
    if before in ("trash", "refunded"):
        shop.set_status(order["id"], before)

    answer = shop.rest(method, f"{ORDERS}/{order['id']}", json={"status": "completed"})

    assert (answer.status_code, answer.json()["status"]) == (200, "completed")
    assert answer.json()["date_completed_gmt"] is not None
    assert answer.json()["date_paid_gmt"] is not None
    page = page_of(shop, order)
    assert (page["status"], page["stock_reduced"]) == ("completed", True)
    assert [mail["kind"] for mail in page["mails"]] == ["completed"]
    assert [(one["from"], one["to"], one["by"]) for one in page["status_log"]][-1] == (before, "completed", "api")


def test_the_same_status_again_sends_no_second_mail_and_moves_the_date(shop) -> None:
    order = shop.add_order([MUG])
    first = put(shop, order, status="completed").json()

    changed = until(
        lambda: put(shop, order, status="completed").json()["date_modified_gmt"] > first["date_modified_gmt"]
    )

    assert changed
    assert [mail["kind"] for mail in shop.mails(order["id"])] == ["completed"]


def test_a_status_that_nobody_registered_is_refused_and_unknown_fields_are_not(pretend_woo) -> None:
    shop = pretend_woo.shop(statuses=["delivered"])
    order = shop.add_order([MUG])

    assert said(put(shop, order, status="shipped")) == (400, "rest_invalid_param")
    assert said(put(shop, order, status="delivered")) == (200, None)
    assert said(put(shop, order, tracking="N1")) == (200, None)


def test_meta_without_an_id_overwrites_what_stands_under_its_key(shop) -> None:
    order = shop.add_order([MUG])

    put(shop, order, meta_data=meta({"_tracking_number": "N1", "_tracking_provider": "UPS"}))
    kept = put(shop, order, meta_data=meta({"_tracking_number": "N2"})).json()["meta_data"]
    put(shop, order, meta_data=[{"id": kept[1]["id"], "key": "_tracking_provider", "value": None}])

    assert [(one["key"], one["value"]) for one in kept] == [("_tracking_number", "N2"), ("_tracking_provider", "UPS")]
    assert page_of(shop, order)["meta"] == {"_tracking_number": "N2"}
    assert list(shop.book()["numbers"]) == ["N1", "N2"]


@pytest.mark.parametrize(
    "for_customer, mails",
    [(True, [("note", True, ["RB123456785CN"])]), (False, [])],
)
def test_a_note_for_the_customer_is_mailed_and_the_same_note_again_is_another(shop, for_customer, mails) -> None:
    order = shop.add_order([MUG])
    body = {"note": "Your parcel is RB123456785CN.", "customer_note": for_customer}

    answers = [shop.rest("POST", f"{ORDERS}/{order['id']}/notes", json=body) for _ in range(2)]

    assert [(one.status_code, one.json()["customer_note"]) for one in answers] == [(201, for_customer)] * 2
    listed = shop.rest("GET", f"{ORDERS}/{order['id']}/notes").json()
    assert [one["id"] for one in listed] == [answers[1].json()["id"], answers[0].json()["id"]]
    told = [(one["kind"], one["number_in_mail"], one["numbers"]) for one in shop.mails(order["id"])]
    assert told == mails * 2
    assert page_of(shop, order)["notes"] == [{"text": body["note"], "customer_note": for_customer}] * 2


def test_a_note_and_meta_make_a_number_known_and_the_same_note_again_is_twice(shop) -> None:
    order = shop.add_order([MUG])
    note = {"note": "Your parcel is N1 (UPS).", "customer_note": True}

    shop.rest("POST", f"{ORDERS}/{order['id']}/notes", json=note)
    put(shop, order, meta_data=meta({"_tracking_number": "N1, N2"}))
    once = shop.book()
    shop.rest("POST", f"{ORDERS}/{order['id']}/notes", json=note)

    assert [(one["kind"], one["numbers"]) for one in shop.mails(order["id"])] == [("note", ["N1"])] * 2
    assert (list(once["numbers"]), once["twice"]) == (["N1", "N2"], [])
    assert shop.book()["twice"] == ["N1"]


def test_a_change_of_status_leaves_a_note_of_the_system_that_is_not_in_the_book(shop) -> None:
    order = shop.add_order([MUG])

    put(shop, order, status="completed")

    listed = shop.rest("GET", f"{ORDERS}/{order['id']}/notes").json()
    assert [(one["note"], one["customer_note"]) for one in listed] == [
        ("Order status changed from Processing to Completed.", False)
    ]
    assert page_of(shop, order)["notes"] == []


@pytest.mark.parametrize(
    "write",
    [
        lambda shop, order: put(shop, order, meta_data=meta({"a": 1})),
        lambda shop, order: shop.rest("POST", f"{ORDERS}/{order['id']}/notes", json={"note": "Hello"}),
        track,
        lambda shop, order: shop.touch(order["id"]),
    ],
)
def test_every_write_brings_the_order_back_into_the_next_poll(pretend_woo, write) -> None:
    shop = pretend_woo.shop(plugin="ast")
    order = shop.add_order([MUG])
    before = shop.rest("GET", f"{ORDERS}/{order['id']}").json()["date_modified_gmt"]
    assert until(lambda: datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S") > before)

    write(shop, order)

    assert numbers(shop, modified_after=f"{before}Z") == [order["number"]]


def test_a_batch_is_fine_even_where_an_item_is_not(shop) -> None:
    order = shop.add_order([MUG])
    wanted = [{"id": order["id"], "status": "completed"}, {"id": 999, "status": "completed"}]
    wanted.append({"id": order["id"], "status": "nonsense"})

    answer = shop.rest("POST", f"{ORDERS}/batch", json={"update": wanted})

    assert answer.status_code == 200
    told = [(one["id"], one.get("status"), one.get("error", {}).get("code")) for one in answer.json()["update"]]
    assert told == [
        (order["id"], "completed", None),
        (999, None, "woocommerce_rest_shop_order_invalid_id"),
        (order["id"], None, "rest_invalid_param"),
    ]


@pytest.mark.parametrize(
    "count, answer", [(100, (200, None)), (101, (413, "woocommerce_rest_request_entity_too_large"))]
)
def test_a_batch_holds_a_hundred(shop, count, answer) -> None:
    items = [{"id": order["id"], "customer_note": "Hello"} for order in shop.add_orders(count, [MUG])]

    assert said(shop.rest("POST", f"{ORDERS}/batch", json={"update": items})) == answer


def test_an_order_is_thrown_away_and_comes_back_or_is_deleted_for_good(shop) -> None:
    order = shop.add_order([MUG])

    assert shop.rest("DELETE", f"{ORDERS}/{order['id']}").json()["status"] == "trash"
    assert shop.rest("GET", f"{ORDERS}/{order['id']}").json()["status"] == "trash"
    assert numbers(shop) == []
    assert put(shop, order, status="processing").json()["status"] == "processing"
    assert shop.rest("DELETE", f"{ORDERS}/{order['id']}?force=true").status_code == 200
    assert said(shop.rest("GET", f"{ORDERS}/{order['id']}")) == (404, "woocommerce_rest_shop_order_invalid_id")


def test_refunds_are_told_by_their_lines_and_a_full_one_by_the_status(shop) -> None:
    order = shop.add_order([("MUG-1", "A mug", 2, 5.0), ("TEA-1", "Tea", 1, 4.0)])
    mug, tea = order["lines"]

    shop.refund(order["id"], {mug: 1})
    part = shop.rest("GET", f"{ORDERS}/{order['id']}").json()
    (refund,) = shop.rest("GET", f"{ORDERS}/{order['id']}/refunds").json()
    shop.refund(order["id"])

    assert (part["status"], part["refunds"]) == ("processing", [{"id": refund["id"], "reason": "", "total": "-5.00"}])
    (line,) = refund["line_items"]
    assert (refund["amount"], line["quantity"], line["meta_data"][0]["value"]) == ("5.00", -1, str(mug))
    page = page_of(shop, order)
    assert page["status"] == "refunded"
    assert [(line["id"], line["refunded"]) for line in page["lines"]] == [(mug, 2), (tea, 1)]


@pytest.mark.parametrize("by_hand", [True, False])
def test_setting_the_status_to_refunded_gives_the_money_back_and_names_no_line(shop, by_hand) -> None:
    order = shop.add_order([("MUG-1", "A mug", 2, 5.0)])

    if by_hand:
        shop.set_status(order["id"], "refunded")
    else:
        put(shop, order, status="refunded")

    (refund,) = shop.rest("GET", f"{ORDERS}/{order['id']}/refunds").json()
    assert (refund["amount"], refund["line_items"]) == ("10.00", [])


@pytest.mark.parametrize(
    "amount, answer",
    [("4.00", (201, None)), ("10.01", (400, "woocommerce_rest_cannot_create_order_refund"))],
)
def test_no_more_can_be_refunded_than_was_paid(shop, amount, answer) -> None:
    order = shop.add_order([("MUG-1", "A mug", 2, 5.0)])

    body = {"amount": amount, "api_refund": False}
    assert said(shop.rest("POST", f"{ORDERS}/{order['id']}/refunds", json=body)) == answer


def test_a_body_that_is_no_json_is_refused(shop) -> None:
    order = shop.add_order([MUG])
    headers = {"Content-Type": "application/json"}

    answer = shop.rest("PUT", f"{ORDERS}/{order['id']}", data='{"status": "comp', headers=headers)

    assert said(answer) == (400, "rest_invalid_json")
