"""Store Orders as a merchant meets it: what it shows, what it refuses, and the file of all that is filtered."""

from __future__ import annotations

import csv
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from orders import plan
from orders.export import guarded, pieces
from orders.listing import Sought, find
from orders.models import Order, TrackingSync
from orders.views.store_orders.download import FILES
from stores.models import PreferenceChange, Store, SyncPreference
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db
ORDERS = "/orders/"
FILE = "/orders/store-orders.csv"
LINK = "https://www.yuntrack.com/parcelTracking?id="


@pytest.fixture
def anna() -> Client:
    """A merchant's browser; her stores are made by a_store_of()."""
    client = Client()
    client.force_login(factories.a_user("anna@example.com"))
    return client


def a_store_of(client: Client, **fields: Any) -> Store:
    return factories.a_store(_user(client), **fields)


def _user(client: Client) -> Any:
    return get_user_model().objects.get(pk=client.session["_auth_user_id"])


def a_parcel(
    store: Store, number: str = "#1001", *, show: bool = False, order: Order | None = None, **fields: Any
) -> Any:
    """A planned parcel of a new order with this number; `show`: the store shows its number since NOON."""
    shipment = factories.a_shipment(order or factories.an_order(store, number=number), **fields)
    plan.plan([shipment.pk], NOON)
    if show:
        there = shipment.numbers.get(replaced_at=None)
        TrackingSync.objects.filter(shipment=shipment).update(
            state="synced", due_at=None, due_since=None, shown=there, wanted=there, synced_at=NOON, checked_at=NOON
        )
    return shipment


def text_of(page: Any) -> str:
    """What a page says, without its markup."""
    body = re.sub(r"<(style|script|head).*?</\1>", " ", page.content.decode(), flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def listed(page: Any) -> list[str]:
    """The numbers of the orders that a page shows."""
    return [order.number for order in page.context.get("orders") or []]


def read(response: Any) -> list[dict[str, str]]:
    """The lines of a file, each by the names of the columns."""
    text = b"".join(response.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(text[1:].splitlines(keepends=True)))


def test_an_order_is_shown_with_its_parcel_its_number_and_where_that_stands(anna: Client) -> None:
    store = a_store_of(anna, name="Tea and Co", time_zone="Europe/Berlin")
    shipment = a_parcel(store, local="YT1001", dispatched_at=NOON - timedelta(hours=1), show=True)

    said = text_of(anna.get(ORDERS))

    assert (
        "#1001 Tea and Co Placed 28 Feb 2026, 13:00 (CET) Paid 1 Mar 2026, 13:00 (CET) Jane Doe jane@example.com "
        "Parcel 1 In the store It is there: Tea and Co showed YT1001 on 2 Mar 2026, 13:00 (CET), when we last looked. "
        "YT1001 · The carrier&#x27;s number · YunExpress · in store since 2 Mar 2026, 13:00 (CET) "
        "YunExpress · handed to the carrier 2 Mar 2026, 12:00 (CET)"
    ) in said
    assert f'href="/shipments/{shipment.pk}/"' in anna.get(ORDERS).content.decode()
    assert f'href="{LINK}YT1001"' in anna.get(ORDERS).content.decode()


def test_each_parcel_of_an_order_has_its_own_line(anna: Client) -> None:
    store = a_store_of(anna)
    order = factories.an_order(store, number="#1001")
    a_parcel(store, order=order, local="YT1", show=True)
    a_parcel(store, order=order, parcel=2, local="YT2")
    factories.an_order(store, number="#1002", paid_at=None, customer_name="", customer_email="", cancelled_at=NOON)

    shown = {each.number: each for each in anna.get(ORDERS).context["orders"]}

    assert [(parcel.title, parcel.state) for parcel in shown["#1001"].parcels] == [
        ("Parcel 1 of 2", "synced"),
        ("Parcel 2 of 2", "waiting"),
    ]
    assert shown["#1002"].parcels == ()
    assert shown["#1002"].no_parcel == "The order is here, but it has no parcel yet, so there is no number to send."
    said = text_of(anna.get(ORDERS))
    assert "Not paid yet" in said
    assert "Not told by the store" in said
    assert "Cancelled" in said


def test_what_has_been_due_for_a_day_needs_attention_and_says_since_when(anna: Client) -> None:
    shipment = a_parcel(a_store_of(anna), local="YT1", dispatched_at=NOON)
    since = timezone.now() - timedelta(days=2, minutes=5)
    TrackingSync.objects.filter(shipment=shipment).update(due_since=since)

    ((parcel,),) = [order.parcels for order in anna.get(f"{ORDERS}?state=attention").context["orders"]]

    assert (parcel.state, parcel.line) == (
        "attention",
        "It is next on its way to the store. It should have been in the store for 2 days now, and is still tried.",
    )


def test_a_number_that_the_store_still_shows_stands_before_the_one_that_replaced_it(anna: Client) -> None:
    store = a_store_of(anna)
    shipment = a_parcel(store, local="YT1", show=True)
    shipment.numbers.update(replaced_at=NOON)
    factories.a_number(shipment, "YT2")

    (order,) = anna.get(ORDERS).context["orders"]

    numbers = [(number.value, bool(number.in_store_since)) for number in order.parcels[0].numbers]
    assert numbers == [("YT1", True), ("YT2", False)]


@pytest.mark.parametrize(
    "query, found, told",
    [
        ("", ["#1003", "#1002", "#1001"], []),
        ("state=synced", ["#1001"], [("State of the number", "In the store")]),
        ("dispatched=no", ["#1003", "#1002"], [("Handed to the carrier", "Not yet")]),
        ("number=yes", ["#1002", "#1001"], [("Has a number", "Yes")]),
        ("order=%23100", ["#1003", "#1002", "#1001"], [("Order number begins with", "#100")]),
        ("tracking=yt-1", [], [("Tracking number", "yt-1")]),
        ("tracking=+yt1+", ["#1001"], [("Tracking number", "yt1")]),
        ("customer=JANE", ["#1003", "#1002", "#1001"], [("Customer begins with", "JANE")]),
        ("placed_from=2026-03-01", [], [("Placed from", "1 Mar 2026")]),
        (
            "placed_from=2026-02-01&placed_to=2026-02-28&state=waiting",
            ["#1003", "#1002"],
            [("State of the number", "Waiting"), ("Placed from", "1 Feb 2026"), ("Placed until", "28 Feb 2026")],
        ),
    ],
)
def test_what_is_filtered_is_shown_and_can_be_removed(
    anna: Client, query: str, found: list[str], told: list[tuple[str, str]]
) -> None:
    store = a_store_of(anna)
    a_parcel(store, "#1001", local="YT1", dispatched_at=NOON, show=True)
    a_parcel(store, "#1002", local="YT2")
    a_parcel(store, "#1003")

    page = anna.get(f"{ORDERS}?{query}")

    assert page.status_code == 200
    assert listed(page) == found
    assert [(each.label, each.value) for each in page.context["chosen"]] == told
    for each in page.context["chosen"]:
        assert len(anna.get(f"{ORDERS}?{each.without}").context["chosen"]) == len(told) - 1


@pytest.mark.parametrize(
    "query, message",
    [
        ("store=abc", "Choose one of the list."),
        ("state=lost", "Choose one of the list."),
        ("dispatched=perhaps", "Choose one of the list."),
        ("order=" + "1" * 61, "An order number has at most 60 characters."),
        ("tracking=%E2%80%8B", "That is no tracking number: it has no letters or digits."),
        ("placed_from=yesterday", "Enter a day as year-month-day, for example 2026-03-31."),
        ("placed_to=9999-12-31", "Choose a day between 2000 and 2100."),
        ("placed_from=2026-03-02&placed_to=2026-03-01", "This day is before the first one. Exchange the two."),
        ("customer=%00", "Null characters are not allowed."),
        ("after=1-2-3", "This link to a page of the list is damaged. Start again from the newest orders."),
        ("before=x", "This link to a page of the list is damaged. Start again from the newest orders."),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused_with_a_sentence_and_shows_nothing(
    anna: Client, query: str, message: str
) -> None:
    a_parcel(a_store_of(anna))

    page = anna.get(f"{ORDERS}?{query}")

    assert page.status_code == 400
    assert message in text_of(page)
    assert listed(page) == []


def test_a_wrong_field_is_tied_to_its_message(anna: Client) -> None:
    a_store_of(anna)

    page = anna.get(f"{ORDERS}?placed_from=yesterday").content.decode()

    field = re.search(r'<input[^>]*name="placed_from"[^>]*>', page)
    assert field is not None
    assert 'aria-invalid="true"' in field[0]
    assert 'aria-describedby="id_placed_from_error"' in field[0]
    assert 'id="id_placed_from_error"' in page


@pytest.mark.parametrize(
    "query",
    [
        "",
        "state=waiting",
        "dispatched=no",
        "number=yes",
        "order=1001",
        "tracking=YT1",
        "customer=jane",
        "placed_to=2026-12-31",
    ],
)
def test_a_stranger_sees_nothing_of_others_whatever_the_filter(anna: Client, query: str) -> None:
    foreign = factories.a_store()
    a_parcel(foreign, "#1001", local="YT1")
    own = a_store_of(anna)

    empty = anna.get(f"{ORDERS}?{query}")
    no_lines = read(anna.get(f"{FILE}?{query}"))
    a_parcel(own, "#10012", local="YT1")
    full = anna.get(f"{ORDERS}?{query}")

    assert (listed(empty), no_lines) == ([], [])
    assert listed(full) == ["#10012"]


def test_a_strangers_store_does_not_exist(anna: Client) -> None:
    foreign = factories.a_store()
    a_store_of(anna)

    statuses = [
        anna.get(f"{ORDERS}?store={foreign.pk}").status_code,
        anna.get(f"{FILE}?store={foreign.pk}").status_code,
        anna.post(ORDERS, {"store": foreign.pk, "timing": "before_dispatch"}).status_code,
        anna.get(f"{ORDERS}?store={'9' * 30}").status_code,
        anna.post(ORDERS, {"store": "9" * 30}).status_code,
    ]

    assert statuses == [404] * 5


@pytest.mark.parametrize("path", [ORDERS, FILE])
def test_who_is_not_logged_in_is_sent_to_log_in(path: str) -> None:
    response = Client().get(path)

    assert (response.status_code, response["Location"]) == (302, f"/accounts/login/?next={path}")


# --- the choice ------------------------------------------------------------------------------------------


def test_without_a_store_both_controls_are_disabled_and_say_why(anna: Client) -> None:
    a_store_of(anna)

    page = anna.get(ORDERS).content.decode()

    choice = re.search(r'<form method="post" action="/orders/">.*?</form>', page, flags=re.S)
    assert choice is not None
    radios = re.findall(r'<input type="radio"[^>]*>', choice[0])
    assert [re.search(r'value="(\w+)"', radio)[1] for radio in radios] == [  # type: ignore[index]
        "before_dispatch",
        "after_dispatch",
        "default",
        "local",
    ]
    assert all(" disabled" in radio for radio in radios)
    assert len(re.findall(r'<fieldset disabled aria-describedby="why-disabled">', choice[0])) == 2
    assert '<button class="button" disabled aria-describedby="why-disabled">' in choice[0]
    assert "Choose a store first: the choice is made for one store" in text_of(anna.get(ORDERS))


@pytest.mark.parametrize("store", [None, "", "  ", "all", "-1"])
def test_the_server_refuses_to_save_without_a_store(anna: Client, store: str | None) -> None:
    a_store_of(anna)
    a_store_of(anna)
    before = list(SyncPreference.objects.values())
    posted = {"timing": "before_dispatch", "number_source": "local"} | ({} if store is None else {"store": store})

    page = anna.post(ORDERS, posted)

    assert page.status_code == 400
    assert "Nothing was saved. Choose a store first: the choice is made for one store." in text_of(page)
    assert list(SyncPreference.objects.values()) == before
    assert PreferenceChange.objects.count() == 0


def test_with_a_store_its_choice_is_shown_and_leads_to_its_own_page(anna: Client) -> None:
    store = a_store_of(anna, name="Tea", timing="before_dispatch", number_source="local")
    a_store_of(anna, name="Coffee")
    before = list(SyncPreference.objects.values())

    page = anna.get(f"{ORDERS}?store={store.pk}")
    posted = anna.post(ORDERS, {"store": store.pk, "timing": "after_dispatch"})

    form = re.search(rf'<form method="get" action="/stores/{store.pk}/sync/">.*?</form>', page.content.decode(), re.S)
    assert form is not None
    assert re.findall(r'value="(\w+)" checked>', form[0]) == ["before_dispatch", "local"]
    assert "disabled" not in form[0]
    assert "The choice holds for Tea alone. Your other stores keep theirs." in text_of(page)
    assert (posted.status_code, posted["Location"]) == (302, f"/stores/{store.pk}/sync/?timing=after_dispatch")
    assert list(SyncPreference.objects.values()) == before


def test_a_store_that_nobody_confirmed_says_so(anna: Client) -> None:
    store = a_store_of(anna, confirmed_at=None)

    said = text_of(anna.get(f"{ORDERS}?store={store.pk}"))

    assert "Nobody has confirmed this yet: it is how every store starts." in said


# --- nothing there ---------------------------------------------------------------------------------------


def test_a_merchant_without_a_store_is_led_to_connect_one(anna: Client) -> None:
    page = anna.get(ORDERS)

    assert "No store is connected yet" in text_of(page)
    assert f'class="button" href="{reverse("stores")}"' in page.content.decode()


def test_what_is_empty_says_why_and_what_to_do(anna: Client) -> None:
    store = a_store_of(anna)
    no_orders = text_of(anna.get(ORDERS))
    a_parcel(store)

    assert "No orders yet" in no_orders
    assert "No order fits these filters" in text_of(anna.get(f"{ORDERS}?order=9"))
    assert "There is nothing further on" in text_of(anna.get(f"{ORDERS}?after=1-1"))


# --- pages and queries -----------------------------------------------------------------------------------


def test_the_filters_survive_paging(anna: Client) -> None:
    store = a_store_of(anna)
    Order.objects.bulk_create(
        Order(
            store=store,
            external_id=f"o{n}",
            number=f"#{1000 + n}",
            placed_at=NOON - timedelta(minutes=n),
            store_updated_at=NOON,
        )
        for n in range(120)
    )

    first = anna.get(f"{ORDERS}?order=%2310&store={store.pk}&state=&junk=1")
    second = anna.get(f"{ORDERS}?{first.context['older']}")
    back = anna.get(f"{ORDERS}?{second.context['newer']}")

    assert first.context["older"].startswith(f"store={store.pk}&order=%2310&after=")
    assert listed(first) == [f"#{1000 + n}" for n in range(50)]
    assert listed(second) == [f"#{1000 + n}" for n in range(50, 100)]
    assert (second.context["older"], first.context["newer"]) == ("", "")
    assert listed(back) == listed(first)


@pytest.mark.parametrize("query", ["", "state=waiting", "customer=jane", "number=yes", "dispatched=no&order=1"])
def test_a_page_takes_as_many_queries_for_one_row_as_for_three(anna: Client, query: str) -> None:
    first, second = a_store_of(anna), a_store_of(anna)

    def queries() -> int:
        with CaptureQueriesContext(connection) as taken:
            anna.get(f"{ORDERS}?{query}")
        return len(taken)

    a_parcel(first, "#11", local="YT1")
    one = queries()
    for store, number in ((second, "#12"), (first, "#13")):
        order = factories.an_order(store, number=number)
        a_parcel(store, order=order, local=f"YT{number}", own=f"CJP{number}")
        a_parcel(store, order=order, parcel=2, show=True, local=f"YT{number}9", method=factories.an_own_method())

    assert len(listed(anna.get(f"{ORDERS}?{query}"))) == 3
    assert queries() == one


def test_no_page_shows_a_placeholder_or_none(anna: Client) -> None:
    store = a_store_of(anna, facts={})
    a_parcel(store, "#1001", local="YT1", show=True)
    a_parcel(store, "#1002")
    factories.an_order(store, number="#1003", customer_name="", customer_email="", paid_at=None)

    for query in ("", f"store={store.pk}", "state=due", "state=lost", "after=x"):
        said = text_of(anna.get(f"{ORDERS}?{query}"))

        assert [mark for mark in ("${", "{{", "{%", "None") if mark in said] == []


# --- the file --------------------------------------------------------------------------------------------


def test_the_file_has_a_line_for_each_parcel(anna: Client) -> None:
    store = a_store_of(anna, name="Tea", time_zone="Europe/Berlin")
    order = factories.an_order(store, number="#1001", customer_name="=1+1", country="DE")
    a_parcel(store, order=order, local="YT1", own="CJP1")
    a_parcel(store, order=order, parcel=2, local="YT2", dispatched_at=NOON, show=True)
    factories.an_order(store, number="#1000", placed_at=NOON - timedelta(days=3), paid_at=None, customer_email="")

    response = anna.get(FILE)

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert re.fullmatch(r'attachment; filename="store-orders-\d{4}-\d\d-\d\d.csv"', response["Content-Disposition"])
    assert read(response) == [
        {
            "Store": "Tea",
            "Order": "#1001",
            "Placed": "2026-02-28 13:00:00+01:00",
            "Paid": "2026-03-01 13:00:00+01:00",
            "Cancelled": "",
            "Customer": "'=1+1",
            "E-mail": "jane@example.com",
            "Country": "DE",
            "Parcel": "1",
            "Shipping method": "YunExpress",
            "Dispatched": "",
            "State": "Waiting",
            "What is so": "The number YT1 is ready, but the parcel is still with us, "
            "and the store asked for it after dispatch.",
            "Number in the store": "",
            "In the store since": "",
            "Our number": "CJP1",
            "The carrier's number": "YT1",
            "Carrier": "",
            "Tracking link": "",
        },
        {
            "Store": "Tea",
            "Order": "#1001",
            "Placed": "2026-02-28 13:00:00+01:00",
            "Paid": "2026-03-01 13:00:00+01:00",
            "Cancelled": "",
            "Customer": "'=1+1",
            "E-mail": "jane@example.com",
            "Country": "DE",
            "Parcel": "2",
            "Shipping method": "YunExpress",
            "Dispatched": "2026-03-02 13:00:00+01:00",
            "State": "In the store",
            "What is so": "It is there: Tea showed YT2 on 2 Mar 2026, 13:00 (CET), when we last looked.",
            "Number in the store": "YT2",
            "In the store since": "2026-03-02 13:00:00+01:00",
            "Our number": "",
            "The carrier's number": "YT2",
            "Carrier": "YunExpress",
            "Tracking link": f"{LINK}YT2",
        },
        {
            "Store": "Tea",
            "Order": "#1000",
            "Placed": "2026-02-27 13:00:00+01:00",
            "Paid": "",
            "Cancelled": "",
            "Customer": "Jane Doe",
            "E-mail": "",
            "Country": "DE",
            "Parcel": "",
            "Shipping method": "",
            "Dispatched": "",
            "State": "",
            "What is so": "The order is here, but it has no parcel yet, so there is no number to send.",
            "Number in the store": "",
            "In the store since": "",
            "Our number": "",
            "The carrier's number": "",
            "Carrier": "",
            "Tracking link": "",
        },
    ]


def test_the_file_holds_all_that_is_filtered_and_not_only_the_page(anna: Client) -> None:
    store, other = a_store_of(anna, name="A"), a_store_of(anna, name="B")
    for each, count in ((store, 120), (other, 3)):
        Order.objects.bulk_create(
            Order(
                store=each,
                external_id=f"o{n}",
                number=f"{each.name}{n}",
                placed_at=NOON - timedelta(minutes=n),
                store_updated_at=NOON,
            )
            for n in range(count)
        )

    everything = [line["Order"] for line in read(anna.get(FILE))]
    filtered = [line["Order"] for line in read(anna.get(f"{FILE}?order=a11"))]

    assert everything == [*(f"A{n}" for n in range(120)), *(f"B{n}" for n in range(3))]
    assert filtered == ["A11", *(f"A{n}" for n in range(110, 120))]


def test_the_file_takes_five_queries_for_each_piece(anna: Client) -> None:
    store = a_store_of(anna)
    for n in range(6):
        a_parcel(store, f"#{n}", local=f"YT{n}", show=n % 2 == 0)
    taken = []
    for size in (2, 3, 10):
        with CaptureQueriesContext(connection) as queries:
            made = list(pieces(find([store], Sought(), NOON), NOON, size=size))
        taken.append((len(made) - 1, len(queries)))

    assert taken == [(3, 15), (2, 10), (1, 5)]


@pytest.mark.parametrize(
    "cell, safe",
    [
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("a=1", "a=1"),
        ("YT1", "YT1"),
        ("", ""),
    ],
)
def test_no_cell_is_calculated_by_a_spreadsheet(cell: str, safe: str) -> None:
    assert guarded([cell]) == [safe]


def test_a_file_by_filters_that_make_no_sense_leads_back_to_the_page_that_says_why(anna: Client) -> None:
    a_store_of(anna)

    response = anna.get(f"{FILE}?state=lost")

    assert (response.status_code, response["Location"]) == (302, "/orders/?state=lost")


def test_too_many_files_are_refused_with_what_to_do_and_others_are_not_hindered(anna: Client) -> None:
    cache.clear()
    a_store_of(anna)
    statuses = [anna.get(FILE).status_code for _ in range(FILES + 1)]
    other = Client()
    other.force_login(factories.a_user())

    assert statuses == [200] * FILES + [429]
    assert "Wait a few minutes, then download again." in text_of(anna.get(FILE))
    assert other.get(FILE).status_code == 200
