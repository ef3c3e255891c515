"""The customer's page of a parcel: found by its link alone, true to what the store shows, silent about the buyer."""

from __future__ import annotations

import re
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import reverse

from orders.links import tracking_link
from orders.models import Shipment, TrackingNumber, TrackingSync
from orders.updates import pictures, update_for
from orders.views.tracking import PER_MINUTE
from stores.models import MailSettings
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def a_parcel(**fields: Any) -> Shipment:
    """A parcel with both numbers, none of which the store shows yet."""
    order = factories.an_order(
        factories.a_store(name="Linden"),
        number="#1001",
        customer_name="Jane Doe",
        customer_email="jane@doe.example",
        country="CH",
    )
    return factories.a_shipment(order, own="CJP1", local="YT1", lines={"SKU-1": 2}, **fields)


def show(shipment: Shipment, value: str) -> None:
    """From now on the store shows this number of the shipment."""
    number = TrackingNumber.objects.get(shipment=shipment, value=value)
    TrackingSync.objects.filter(shipment=shipment).update(shown=number, wanted=number)


def page(shipment: Shipment, **headers: str) -> Any:
    return Client().get(reverse("tracking", args=[shipment.token]), headers=headers)


def read(shipment: Shipment) -> list[str]:
    """The lines of the page as a person reads them, without the store's address for questions."""
    main = re.search(r"<main.*?</main>", page(shipment).content.decode(), re.DOTALL).group()
    lines = [line.strip() for line in re.sub(r"<[^>]*>", "\n", main).split("\n") if line.strip()]
    return lines[: lines.index("What happens next")]


def link(shipment: Shipment) -> list[str]:
    return re.findall(r'<a class="button" href="(.*?)"', page(shipment).content.decode())


@pytest.mark.parametrize(
    "shown, dispatched_at, cancelled_at, expected",
    [
        ("", None, None, ["Your order #1001", "Parcel 1 of 1", "Your parcel is being prepared"]),
        # on its way, but the store shows nothing yet: the page is not ahead of the store
        ("", NOON, None, ["Your order #1001", "Parcel 1 of 1", "Your parcel is being prepared"]),
        (
            "YT1",
            None,
            None,
            ["Your order #1001", "Parcel 1 of 1", "Your parcel is being prepared", "Carrier", "YunExpress"]
            + ["Tracking number", "YT1", "Follow it at YunExpress"],
        ),
        (
            "CJP1",
            NOON,
            None,
            ["Your order #1001", "Parcel 1 of 1", "Handed to the carrier on 2 March 2026", "Carrier", "CJ Packet"]
            + ["Tracking number", "CJP1", "Follow it at CJ Packet"],
        ),
        ("", None, NOON, ["Your order #1001", "Parcel 1 of 1", "This order was cancelled or refunded"]),
    ],
)
def test_the_page_says_what_the_store_shows(
    shown: str, dispatched_at: Any, cancelled_at: Any, expected: list[str]
) -> None:
    shipment = a_parcel(dispatched_at=dispatched_at)
    shipment.order.cancelled_at = cancelled_at
    shipment.order.save()
    if shown:
        show(shipment, shown)

    assert read(shipment) == expected


def test_an_old_link_shows_the_new_number_once_the_store_does() -> None:
    shipment = a_parcel()
    show(shipment, "YT1")
    before = (read(shipment)[-2], link(shipment))
    TrackingNumber.objects.filter(value="YT1").update(replaced_at=NOON)
    factories.a_number(shipment, "YT2")
    not_there_yet = read(shipment)[-2]

    show(shipment, "YT2")

    template = factories.a_carrier().tracking_url
    assert before == ("YT1", [template.replace("{n}", "YT1").replace("&", "&amp;")])
    assert not_there_yet == "YT1"
    assert (read(shipment)[-2], link(shipment)) == ("YT2", [template.replace("{n}", "YT2").replace("&", "&amp;")])


def test_the_page_leads_to_the_carrier_and_never_to_itself(settings: Any) -> None:
    settings.TRACKSYNC_URL = "https://track.house.com"
    shipment = a_parcel()
    show(shipment, "CJP1")

    carrier = factories.our_carrier()
    assert link(shipment) == [tracking_link(carrier, "CJP1").replace("&", "&amp;")]


def test_parcels_are_counted_without_gaps() -> None:
    first = a_parcel()
    third = factories.a_shipment(first.order, parcel=3)

    assert [read(each)[1] for each in (first, third)] == ["Parcel 1 of 2", "Parcel 2 of 2"]


def test_nothing_of_the_buyer_is_on_the_page() -> None:
    shipment = a_parcel(dispatched_at=NOON)
    show(shipment, "YT1")

    html = page(shipment).content.decode()

    buyers = ["Jane", "Doe", "jane@doe.example", "Thing", "SKU-1", "CH<", "Switzerland"]
    assert [each for each in buyers if each in html] == []


def test_no_search_engine_keeps_it_and_no_carrier_learns_its_address() -> None:
    response = page(a_parcel())

    names = ("X-Robots-Tag", "Referrer-Policy", "Cache-Control")
    assert {name: response[name] for name in names} == {
        "X-Robots-Tag": "noindex, nofollow",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "private, no-store",
    }


@pytest.mark.parametrize(
    "language, title", [("en", "Your order #1001"), ("zh", "您的订单 #1001"), ("es", "Tu pedido #1001")]
)
def test_it_speaks_the_language_of_the_stores_mails_whatever_the_browser_asks_for(language: str, title: str) -> None:
    shipment = a_parcel()
    MailSettings.objects.create(store=shipment.order.store, language=language)

    response = page(shipment, accept_language="de")

    assert re.findall(r"<h1>(.*?)</h1>", response.content.decode()) == [title]


@pytest.mark.parametrize("token", ["x", "A" * 22, "A" * 400, "-", "_" * 22])
def test_an_address_that_nobody_was_given_shows_nothing(token: str) -> None:
    a_parcel()

    response = Client().get(reverse("tracking", args=[token]))

    assert (response.status_code, response["X-Robots-Tag"]) == (404, "noindex, nofollow")
    assert "There is no parcel at this address" in response.content.decode()


def test_addresses_cannot_be_guessed() -> None:
    order = factories.an_order()
    tokens = [factories.a_shipment(order, parcel=parcel).token for parcel in range(1, 21)]

    assert {len(token) for token in tokens} == {22}
    assert len(set(tokens)) == 20


def test_who_asks_without_end_is_sent_away_and_others_are_not() -> None:
    shipment = a_parcel()
    address = reverse("tracking", args=[shipment.token])

    answers: list[int] = []
    while 429 not in answers and len(answers) <= 2 * PER_MINUTE:  # a new minute of the clock begins a new count
        answers.append(Client().get(address, REMOTE_ADDR="203.0.113.7").status_code)

    assert (set(answers[:-1]), answers[-1], len(answers) > PER_MINUTE) == ({200}, 429, True)
    assert Client().get(address, REMOTE_ADDR="203.0.113.8").status_code == 200


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_costs_the_same_however_many_parcels(count: int, django_assert_max_num_queries: Any) -> None:
    shipment = a_parcel()
    for parcel in range(2, count + 1):
        factories.a_shipment(shipment.order, parcel=parcel)

    with django_assert_max_num_queries(14):
        page(shipment)


# --- our page as the link of our own numbers ------------------------------------------------------------------


@pytest.mark.parametrize(
    "address, value, is_ours",
    [
        ("https://track.house.com", "CJP1", True),
        ("https://track.house.com", "YT1", False),
        ("http://track.house.com", "CJP1", False),
        ("http://localhost:8000", "CJP1", False),
        ("https://localhost", "CJP1", False),
    ],
)
def test_our_own_numbers_lead_to_our_page_where_customers_can_open_it(
    settings: Any, address: str, value: str, is_ours: bool
) -> None:
    settings.TRACKSYNC_URL = address
    shipment = a_parcel()
    number = TrackingNumber.objects.select_related("carrier").get(value=value)
    row = TrackingSync.objects.select_related("shipment__order").get(shipment=shipment)

    sent = update_for(row, number, shipment.order.store, pictures([shipment.order_id])[shipment.order_id])

    ours = f"{address}/t/{shipment.token}"
    assert sent.url == (ours if is_ours else tracking_link(number.carrier, value))


@pytest.mark.postgres
def test_shipments_from_before_get_addresses_too() -> None:
    """The migration's own step, on a table as it was in between; the transaction of the test takes it back."""
    order = factories.an_order()
    old = [factories.a_shipment(order, parcel=parcel).pk for parcel in (1, 2, 3)]
    kept = Shipment.objects.get(pk=old[2]).token
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE orders_shipment ALTER COLUMN token DROP NOT NULL")
    Shipment.objects.filter(pk__in=old[:2]).update(token=None)

    step = import_module("orders.migrations.0004_tracking_page_token")
    step.give_tokens(apps, SimpleNamespace(connection=connection))

    tokens = dict(Shipment.objects.values_list("pk", "token"))
    assert (tokens[old[2]], len(set(tokens.values())), {len(token) for token in tokens.values()}) == (kept, 3, {22})
