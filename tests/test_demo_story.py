"""The demo's table, held against what its verdict says of stores that show something else. No demo is played here."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
import requests

from stores.choices import DisconnectReason
from tests.demo import connecting, madeup, story, verdict
from tests.demo.storefronts import Access, Book, Shown, StoreMail
from tests.demo.storefronts.woocommerce import WooCommerceWorld
from tests.factories import NOON, a_store
from tests.storefronts.woo import PretendWooCommerce

CREDENTIALS = {"shopify": {"access_token": "t"}, "woocommerce": {"consumer_key": "k", "consumer_secret": "s"}}


def test_the_story_has_every_choice_once_in_four_stores_of_two_merchants_on_two_platforms() -> None:
    assert len({shop.owner for shop in story.SHOPS}) == 2
    assert [(shop.platform, len(shop.orders), shop.timing, shop.number_source) for shop in story.SHOPS] == [
        ("shopify", 24, "after_dispatch", "default"),
        ("shopify", 18, "before_dispatch", "local"),
        ("shopify", 18, "before_dispatch", "default"),
        ("woocommerce", 6, "after_dispatch", "local"),
    ]


def test_what_is_special_about_an_order_fits_its_line() -> None:
    assert [parcel.case.tell for parcel in story.parcels() if len(parcel.case.tell) > 63] == []


def test_no_two_parcels_of_the_story_have_the_same_number() -> None:
    numbers = [parcel.value(kind) for parcel in story.parcels() for kind in ("own", "local", "new")]

    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize(
    "there, complaint",
    [
        ([("CJP1", "CJ Packet")], []),
        ([], ["home, order #1: expected CJP1 (CJ Packet), the store shows nothing."]),
        (
            [("CJP1", "CJ Packet")] * 2,
            ["home, order #1: expected CJP1 (CJ Packet), the store shows CJP1 (CJ Packet), CJP1 (CJ Packet)."],
        ),
        ([("YT1", "YunExpress")], ["home, order #1: expected CJP1 (CJ Packet), the store shows YT1 (YunExpress)."]),
        ([("CJP1", "Yanwen")], ["home, order #1: expected CJP1 (CJ Packet), the store shows CJP1 (Yanwen)."]),
    ],
)
def test_the_verdict_names_what_is_missing_too_much_or_wrong(
    there: list[tuple[str, str]], complaint: list[str]
) -> None:
    wanted = {("home", "1"): [("CJP1", "CJ Packet")]}

    assert verdict.differences(wanted, {("home", "1"): there}) == complaint


def test_a_number_on_an_order_that_has_to_show_none_is_a_difference() -> None:
    silent = next(key for key, numbers in verdict.expected(2).items() if not numbers)

    there = verdict.found({silent[0]: Book(shown=(Shown(*silent, "YT1", "YunExpress", 0.0),))})

    assert there[silent] == [("YT1", "YunExpress")]
    assert [line for line in verdict.differences(verdict.expected(2), there) if f"#{silent[1]}:" in line] == [
        f"{silent[0]}, order #{silent[1]}: expected nothing, the store shows YT1 (YunExpress)."
    ]


@pytest.mark.parametrize(
    "shop, order, words",
    [
        ("linden-home", "1002", ("FULFILLED",)),
        ("linden-home", "1003", ("PARTIALLY_FULFILLED",)),  # the second parcel stays
        ("linden-home", "1004", ("UNFULFILLED",)),  # nobody paid
        ("linden-garden", "4001", ("processing", "completed")),
        ("linden-garden", "4002", ("processing", "partial-shipped", "completed")),  # one parcel after the other
        ("linden-garden", "4004", ("processing", "completed")),  # another number, later, and not completed again
        ("linden-garden", "4005", ("processing", "cancelled")),
        ("linden-garden", "4006", ("processing",)),  # nothing has left
    ],
)
def test_an_order_is_marked_as_far_as_its_parcels_have_gone(shop: str, order: str, words: tuple[str, ...]) -> None:
    assert verdict.expected_states()[shop, order] == words


def test_the_verdict_names_an_order_that_is_marked_in_another_way() -> None:
    states = verdict.expected_states()
    books = {
        shop.key: Book(states={order.number: states[shop.key, order.number] for order in shop.orders})
        for shop in story.SHOPS
    }
    at_once = {**books["linden-garden"].states, "4002": ("processing", "completed")}

    assert verdict.otherwise_marked(states, books) == []
    assert verdict.otherwise_marked(states, books | {"linden-garden": Book(states=at_once)}) == [
        "linden-garden, order #4002: expected to be processing, then partial-shipped, then completed, "
        "the store says processing, then completed."
    ]


def test_a_woocommerce_stores_book_says_what_stands_there_and_what_never_should_have(
    pretend_woo: PretendWooCommerce,
) -> None:
    world, garden = WooCommerceWorld(pretend_woo.address), next(s for s in story.SHOPS if s.key == "linden-garden")
    world.open(garden, NOON)
    for _ in range(2):
        pretend_woo.control("ship_by_hand", garden.key, order="4001", number="YT1", company="YunExpress")
    key = world.access(garden.key).credentials
    early = {"auth": (key["consumer_key"], key["consumer_secret"]), "json": {"status": "completed"}, "timeout": 10}
    assert requests.put(f"{world.page(garden.key)}wp-json/wc/v3/orders/4002", **early).ok
    world.cancel(garden.key, "4003")

    book = world.book(garden.key)

    assert [(one.order, one.number, one.company) for one in book.shown] == [("4001", "YT1", "YunExpress")] * 2
    assert {order: words for order, words in book.states.items() if len(words) > 1} == {
        "4002": ("processing", "completed"),
        "4003": ("processing", "cancelled"),
    }
    assert book.mails == (StoreMail("4002", "completed", ()),)
    assert book.wrong == (
        "linden-garden: YT1 stood there twice.",
        "linden-garden: order #4002 was completed without a number.",
    )


def test_the_verdict_names_a_mail_of_a_store_itself_that_is_missing_or_has_no_number() -> None:
    wanted = {key: Book(mails=tuple(mails)) for key, mails in verdict.stores_own_mails().items()}
    first, *rest = wanted["linden-garden"].mails
    empty = StoreMail(first.order, first.kind, ())

    assert verdict.otherwise_mailed(wanted) == []
    assert verdict.otherwise_mailed(wanted | {"linden-garden": Book(mails=(empty, *rest))}) == [
        f"linden-garden, order #4001: no mail completed with {first.numbers[0]}.",
        "linden-garden, order #4001: a mail completed with no number.",
    ]


def test_the_verdict_names_a_mail_that_is_missing_twice_there_or_nobodys() -> None:
    sent = {
        order.number: verdict.mails_of(order)[0] for shop in story.SHOPS if shop.is_written_for for order in shop.orders
    }
    sent["1001"] = Counter()
    sent["1002"] = Counter(shipped=2)
    sent["3001"] = Counter(preparing=1)  # its merchant's address is not verified
    sent["2003"] = Counter(shipped=1, preparing=1)  # both in their time
    sent["4001"] = Counter(shipped=1)  # WooCommerce has written already

    assert verdict.missing_mails(sent) == ["linden-home, order #1001: the customer got no mail of the kind shipped."]
    assert verdict.surplus_mails(sent) == [
        "Order #1002: a mail of the kind shipped too many.",
        "Order #3001: a mail of the kind preparing too many.",
        "Order #4001: a mail of the kind shipped too many.",
    ]


def test_the_sheet_of_stores_has_a_line_for_each_with_the_access_of_its_platform() -> None:
    accesses = {shop.key: Access(f"http://127.0.0.1:1/{shop.key}", CREDENTIALS[shop.platform]) for shop in story.SHOPS}

    header, home, _, _, garden = connecting.sheet(accesses, date(2026, 11, 22)).splitlines()

    assert header == (
        "owner,platform,name,url,timing,number_source,sync_from,access_token,consumer_key,consumer_secret"
    )
    assert home == (
        "mira@linden.example,shopify,Linden Home,http://127.0.0.1:1/linden-home,after_dispatch,default,2026-11-22,t,,"
    )
    assert garden == (
        "mira@linden.example,woocommerce,Linden Garden,http://127.0.0.1:1/linden-garden,after_dispatch,local,"
        "2026-11-22,,k,s"
    )


def test_the_stores_ids_are_read_from_what_the_command_says_in_the_order_of_the_story() -> None:
    said = "".join(f"line {place + 2}: store {place + 11} connected\n" for place in range(4)) + "4 connected\n"

    assert connecting.store_ids(said) == {
        "linden-home": "11",
        "linden-kids": "12",
        "northbound": "13",
        "linden-garden": "14",
    }


# RR473124829GB is the example that postal services give.
@pytest.mark.parametrize("serial, digit", [("47312482", "9")])
def test_made_up_postal_numbers_carry_the_check_digit(serial: str, digit: str) -> None:
    assert madeup.s10_check_digit(serial) == digit


@pytest.mark.django_db
def test_a_store_that_a_visitor_connects_again_is_told_of_and_a_strange_one_is_not() -> None:
    from tests.demo.watching import keys_of_stores

    garden = "http://127.0.0.1:8200/linden-garden"
    left = a_store(
        base_url=garden, platform="woocommerce", disconnected_at=NOON, disconnect_reason=DisconnectReason.MERCHANT
    )
    again = a_store(base_url=garden, platform="woocommerce")
    a_store(base_url="https://somebodys-own.example")

    assert keys_of_stores() == {left.pk: "linden-garden", again.pk: "linden-garden"}
