"""What goes wrong on the way to the pretend WooCommerce, and what its book, its pages and its process show of it."""

from __future__ import annotations

import concurrent.futures
import json
import time
from collections.abc import Iterator

import pytest
import requests

from tests.storefronts.woo import PretendWooCommerce, WooShop
from tests.storefronts.woo_asking import (
    MUG,
    ORDERS,
    SEES_NOTHING,
    meta,
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


@pytest.fixture(scope="module")
def secure() -> Iterator[PretendWooCommerce]:
    """One that speaks HTTPS."""
    with PretendWooCommerce(tls=True) as started:
        yield started


# -- what goes wrong on the way


NOT_JSON = "text/html"
JSON = "application/json"


@pytest.mark.parametrize(
    "kind, status, content_type, headers, is_written",
    [
        ("429", 429, NOT_JSON, {"Retry-After": "7"}, False),
        ("500", 500, NOT_JSON, {}, False),
        ("500_after", 500, NOT_JSON, {}, True),
        ("502_html", 502, NOT_JSON, {}, False),
        ("502_after", 502, NOT_JSON, {}, True),
        ("503", 503, NOT_JSON, {}, False),
        ("504_after", 504, NOT_JSON, {}, True),
        ("504", 504, NOT_JSON, {}, False),
        ("408", 408, NOT_JSON, {}, False),
        ("413", 413, NOT_JSON, {}, False),
        ("520", 520, NOT_JSON, {}, False),
        ("html_200", 200, NOT_JSON, {}, False),
        ("302", 302, NOT_JSON, {"Location": "{elsewhere}"}, False),
        ("401", 401, JSON, {}, False),
        ("402", 402, NOT_JSON, {}, False),
        ("404", 404, NOT_JSON, {}, False),
        ("406", 406, NOT_JSON, {}, False),
        ("waf_403", 403, NOT_JSON, {}, False),
        ("cloudflare_503", 503, NOT_JSON, {"CF-Mitigated": "challenge"}, False),
        ("maintenance", 503, NOT_JSON, {"Retry-After": "600"}, False),
        ("rest_no_route", 404, JSON, {}, False),
        ("critical_500", 500, JSON, {}, False),
        ("critical_500_after", 500, JSON, {}, True),
        ("login_wall", 401, JSON, {}, False),
        ("cut_json", 201, JSON, {}, True),
        ("empty_200", 200, JSON, {}, True),
        ("php_warning", 201, NOT_JSON, {}, True),
        ("bom", 201, JSON, {}, True),
        ("huge", 200, JSON, {}, False),
        ("slow", 201, JSON, {}, True),
    ],
)
def test_a_fault_answers_like_this(pretend_woo, kind, status, content_type, headers, is_written) -> None:
    shop = pretend_woo.shop(plugin="ast")
    order = shop.add_order([MUG])
    shop.fault(kind, on="create_tracking", times=1, seconds=7 if kind == "429" else 0.2)

    answer = track(shop, order)

    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (status, content_type)
    elsewhere = answer.url.replace("127.0.0.1", "localhost")
    assert {name: answer.headers[name] for name in headers} == {
        name: value.format(elsewhere=elsewhere) for name, value in headers.items()
    }
    assert [one["number"] for one in page_of(shop, order)["trackings"]] == (["N1"] if is_written else [])
    assert shop.book()["faults"] == {kind: 1}
    # and then the weather is fair again
    assert track(shop, order, "N2").status_code == 201


@pytest.mark.parametrize(
    "kind, is_written",
    [
        ("reset_before", False),
        ("reset_after", True),
        ("timeout", False),
        ("timeout_after", True),
        ("cut_body", True),
        ("late", True),
    ],
)
@pytest.mark.parametrize("is_secure", [False, True])
def test_a_fault_ends_the_connection_like_this(pretend_woo, secure, kind, is_written, is_secure) -> None:
    shop = (secure if is_secure else pretend_woo).shop(plugin="ast")
    order = shop.add_order([MUG])
    shop.fault(kind, on="mutation", times=1, seconds=0.3)

    with pytest.raises(requests.RequestException):
        shop.rest(
            "POST",
            f"wc-ast/v3/orders/{order['id']}/shipment-trackings",
            json={"tracking_number": "N1"},
            timeout=0.5,
        )

    expected = ["N1"] if is_written else []
    assert until(lambda: [one["number"] for one in page_of(shop, order)["trackings"]] == expected)
    assert until(lambda: shop.book()["faults"] == {kind: 1})


def test_a_trickle_comes_to_an_end(pretend_woo) -> None:
    shop = pretend_woo.shop(plugin="ast")
    order = shop.add_order([MUG])
    shop.fault("drip", on="create_tracking", times=1, seconds=0.4)

    began = time.monotonic()
    answer = track(shop, order)

    assert (answer.status_code, answer.json()["tracking_number"]) == (201, "N1")
    assert time.monotonic() - began >= 0.4


@pytest.mark.parametrize(
    "kind, start", [("php_warning", "<br />\n<b>Warning</b>"), ("bom", "\ufeff{"), ("cut_json", "{")]
)
def test_noise_around_json_keeps_what_is_in_it(pretend_woo, kind, start) -> None:
    shop = pretend_woo.shop(plugin="ast")
    order = shop.add_order([MUG])
    shop.fault(kind, on="create_tracking", times=1)

    answer = track(shop, order)
    answer.encoding = "utf-8"

    assert answer.text.startswith(start)
    with pytest.raises(ValueError, match=r"."):
        json.loads(answer.text)
    whole = '"tracking_number": "N1"' in answer.text and answer.text.endswith("}")
    assert whole == (kind != "cut_json")


def test_a_shop_may_warn_before_every_answer(pretend_woo) -> None:
    shop = pretend_woo.shop(php_warning=True)
    shop.add_order([MUG])

    answer = shop.rest("GET", ORDERS)

    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text.startswith("<br />\n<b>Warning</b>")
    assert json.loads(answer.text[answer.text.index("[{") :])[0]["number"] == "1001"


@pytest.mark.parametrize(
    "on, hit",
    [
        ("all", ["read", "note", "status", "meta", "track"]),
        ("read", ["read"]),
        ("mutation", ["note", "status", "meta", "track"]),
        ("list_orders", ["read"]),
        ("note", ["note"]),
        ("status", ["status"]),
        ("meta", ["meta"]),
        ("update_order", ["status", "meta"]),
        ("create_tracking", ["track"]),
        ("create_fulfillment", []),
    ],
)
def test_a_fault_hits_the_operation_it_is_on(pretend_woo, on, hit) -> None:
    shop = pretend_woo.shop(plugin="ast")
    order = shop.add_order([MUG])
    shop.fault("503", on=on)
    path = f"{ORDERS}/{order['id']}"

    answers = {
        "read": shop.rest("GET", ORDERS),
        "note": shop.rest("POST", f"{path}/notes", json={"note": "Hello"}),
        "status": put(shop, order, status="completed"),
        "meta": put(shop, order, meta_data=meta({"a": 1})),
        "track": track(shop, order),
    }
    shop.clear_faults()

    assert [name for name, answer in answers.items() if answer.status_code == 503] == hit
    assert shop.rest("GET", ORDERS).status_code == 200


def test_a_fault_that_nobody_knows_is_refused(shop) -> None:
    with pytest.raises(ValueError, match="unknown fault 'throttled' on 'all'"):
        shop.fault("throttled")
    with pytest.raises(ValueError, match="unknown fault '503' on 'everything'"):
        shop.fault("503", on="everything")


def test_a_storm_falls_as_its_seed_says(pretend_woo) -> None:
    def weather(seed: int) -> list[int]:
        shop = pretend_woo.shop(seed=seed)
        shop.fault("503", probability=0.5)
        return [shop.rest("GET", ORDERS).status_code for _ in range(20)]

    first = weather(3)

    assert (weather(3), set(first)) == (first, {200, 503})
    assert weather(4) != first


# -- the book, the pages, the process


def test_the_book_counts_what_came_in_and_what_was_written(pretend_woo) -> None:
    shop = pretend_woo.shop(plugin="ast")
    order = shop.add_order([MUG])
    shop.fault("429", on="list_orders", times=1)
    for _ in range(2):
        shop.rest("GET", ORDERS)
    track(shop, order)
    put(shop, order, status="completed")
    put(shop, order, status="nonsense")
    shop.rest("GET", ORDERS, auth=None, params=shop.credentials)

    book = shop.book()

    assert book["counts"] == {
        "requests": 6,
        "reads": 2,
        "mutations": {"create_tracking": 1, "status": 1},
        "refused": {"rest_invalid_param": 1},
        "throttled": 1,
        "in_query": 1,
        "most_overlapping": 1,
    }
    assert [(one["operations"], one["order"]) for one in book["writes"]] == [
        (["create_tracking"], order["id"]),
        (["status"], order["id"]),
    ]
    assert sorted(book) == sorted(
        ["shop", "orders", "counts", "numbers", "twice", "early", "writes", "faults"],
    )
    assert sorted(book["orders"][0]) == sorted(
        [
            *("id", "number", "status", "date_paid", "date_completed", "stock_reduced", "lines", "trackings"),
            *("fulfillments", "notes", "meta", "mails", "status_log"),
        ]
    )


def test_two_shops_know_nothing_of_one_another_but_their_ids_are_the_same(pretend_woo) -> None:
    one, other = pretend_woo.shop(), pretend_woo.shop()
    order = one.add_order([MUG], number="ONLY-1")

    assert other.add_order([MUG])["id"] == order["id"]
    assert said(other.rest("GET", ORDERS, auth=(one.consumer_key, one.consumer_secret))) == SEES_NOTHING
    with pytest.raises(ValueError, match="no order 'ONLY-1'"):
        other.order("ONLY-1")
    assert one.order("ONLY-1") == order


def test_a_certificate_of_its_own_authority_is_trusted_by_those_who_know_it(secure) -> None:
    shop = secure.shop()

    assert shop.base_url.startswith("https://127.0.0.1:")
    assert said(shop.rest("GET", ORDERS)) == (200, None)
    local = shop.base_url.replace("127.0.0.1", "localhost")
    assert requests.get(f"{local}/wp-json/?_fields=name", verify=secure.ca_bundle, timeout=5).json() == {
        "name": shop.name
    }
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(shop.base_url, timeout=5)


def test_a_server_that_runs_already_can_be_used(secure) -> None:
    shop = secure.shop()

    again = PretendWooCommerce(address=secure.address).start()

    assert (again.pid, again.ca_bundle) == (None, secure.ca_bundle)
    assert shop.name in again.control("shops")
    again.stop()
    assert said(shop.rest("GET", ORDERS)) == (200, None)


def test_people_see_orders_and_numbers(pretend_woo) -> None:
    shop = pretend_woo.shop(plugin="ast")
    order = shop.add_order([("TEA", "Tea <strong>", 3)])
    track(shop, order, "N1", tracking_provider="UPS")
    put(shop, order, status="completed")

    text = requests.get(shop.base_url, timeout=5).text

    assert "Tea &lt;strong&gt;" in text
    assert '<a href="https://ups.example/track/N1"' in text
    assert "shopper mailed" in text
    assert f'href="/{shop.name}/"' in requests.get(f"{pretend_woo.address}/", timeout=5).text
    assert requests.get(f"{pretend_woo.address}/nobody/", timeout=5).status_code == 404


def test_requests_from_many_at_once_are_served_at_once(pretend_woo) -> None:
    shop = pretend_woo.shop(latency_ms=100)

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: shop.rest("GET", ORDERS).status_code, range(40)))

    assert answers == [200] * 40
    # One after the other it would never be more than one.
    assert shop.book()["counts"]["most_overlapping"] > 5
