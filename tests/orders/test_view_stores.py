"""The pages of a merchant's stores: what the list says of each, what a button does, and what leaving means."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from orders import plan
from orders.choices import SyncState
from orders.leaving import cell
from orders.models import Order, Shipment, TrackingSync
from stores.connectors.codes import Code
from stores.connectors.errors import StoreBusy, StoreDisconnected
from stores.models import EPOCH, Store
from stores.trouble import busy, disconnected
from tests import factories
from tests.factories import NOON
from tests.storefronts.client import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def merchant(client: Client) -> Client:
    """A merchant who is logged in; `merchant.user` is who."""
    client.user = factories.a_user("merchant@example.com")  # type: ignore[attr-defined]
    client.force_login(client.user)  # type: ignore[attr-defined]
    return client


def a_store_of(merchant: Client, **fields: Any) -> Store:
    return factories.a_store(merchant.user, **fields)  # type: ignore[attr-defined]


def text_of(response: Any) -> str:
    """What a person reads on the page, on one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def a_parcel(store: Store, *, placed_at: datetime = NOON - timedelta(days=2), **fields: Any) -> Shipment:
    """A planned parcel of a new order of the store. `paid_at` belongs to the order, the rest to the parcel."""
    ordered = {"placed_at": placed_at} | {name: fields.pop(name) for name in ("paid_at", "number") if name in fields}
    shipment = factories.a_shipment(factories.an_order(store, **ordered), **fields)
    plan.plan([shipment.pk], NOON)
    return shipment


def in_state(store: Store, state: str, *, due_since: datetime = NOON) -> None:
    """One parcel of the store in this state."""
    shipment = a_parcel(store, local="YT2600000000000001", dispatched_at=NOON - timedelta(hours=1))
    number = shipment.numbers.get()
    by_state: dict[SyncState, dict[str, Any]] = {
        SyncState.WAITING: {"wanted": None, "reason": "unpaid", "due_at": None, "due_since": None},
        SyncState.DUE: {"due_at": NOON, "due_since": due_since},
        SyncState.SYNCED: {"shown": number, "wanted": number, "due_at": None, "due_since": None},
        SyncState.ATTENTION: {"due_at": None, "due_since": None},
    }
    TrackingSync.objects.filter(shipment=shipment).update(state=state, **by_state[SyncState(state)])


# --- The list --------------------------------------------------------------------------------------------------


def it_is_well(store: Store) -> None:
    pass


def it_is_paused(store: Store) -> None:
    Store.objects.filter(pk=store.pk).update(is_paused=True)


def its_access_is_refused(store: Store) -> None:
    disconnected(store.pk, StoreDisconnected(Code.TOKEN_REFUSED), NOON)


def a_firewall_stands_before_it(store: Store) -> None:
    disconnected(store.pk, StoreDisconnected(Code.SHUT_OUT, status=503), NOON)


def its_access_is_refused_while_paused(store: Store) -> None:
    it_is_paused(store)
    its_access_is_refused(store)


def it_is_busy(store: Store) -> None:
    busy(store.pk, StoreBusy(Code.THROTTLED, after=3000), timezone.now())


def its_rest_is_over(store: Store) -> None:
    busy(store.pk, StoreBusy(Code.THROTTLED, after=1), NOON)


def it_was_disconnected(store: Store) -> None:
    Store.objects.filter(pk=store.pk).update(disconnected_at=NOON, disconnect_reason="merchant")


def its_choice_is_not_confirmed(store: Store) -> None:
    type(store.preference).objects.filter(pk=store.pk).update(confirmed_at=None)


def a_parcel_needs_attention(store: Store) -> None:
    in_state(store, SyncState.ATTENTION)


def its_locations_are_not_chosen(store: Store) -> None:
    locations = [{"external_id": "1", "name": "Berlin"}, {"external_id": "2", "name": "Lyon"}]
    Store.objects.filter(pk=store.pk).update(facts={"shop_name": "Acme", "locations": locations})


@pytest.mark.parametrize(
    "what, label, says, step, leads_to",
    [
        (it_is_well, "Connected", "", "See its orders", "/orders/?store={pk}"),
        (
            it_is_paused,
            "Paused",
            "Acme is paused: its orders are still looked up, but nothing is sent to it.",
            "Resume",
            "/stores/{pk}/",
        ),
        (
            its_access_is_refused,
            "Reconnect needed",
            "The store no longer accepts our access. Since 2 Mar 2026, 21:00 (JST).",
            "Reconnect",
            "/stores/{pk}/reconnect/",
        ),
        (
            a_firewall_stands_before_it,
            "We are kept out",
            "A web page answers in the shop's place: a firewall, a bot check, or a “coming soon” page (503). "
            "Since 2 Mar 2026, 21:00 (JST).",
            "See what to do",
            "/stores/{pk}/",
        ),
        (
            its_access_is_refused_while_paused,
            "Reconnect needed",
            "The store no longer accepts our access. Since 2 Mar 2026, 21:00 (JST).",
            "Reconnect",
            "/stores/{pk}/reconnect/",
        ),
        (it_is_busy, "Left alone for a while", "Acme is left alone until", "See its orders", "/orders/?store={pk}"),
        (its_rest_is_over, "Connected", "", "See its orders", "/orders/?store={pk}"),
        (
            it_was_disconnected,
            "Disconnected",
            "Acme was disconnected on 2 Mar 2026, 21:00 (JST), so nothing is sent to it.",
            "Connect it again",
            "/stores/connect/shopify/?again={pk}",
        ),
        (its_choice_is_not_confirmed, "Connected", "", "Make your choice", "/stores/{pk}/sync/"),
        (a_parcel_needs_attention, "Connected", "", "See the problems", "/attention/?store={pk}"),
        (its_locations_are_not_chosen, "Connected", "", "Choose the locations", "/stores/{pk}/locations/"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_list_says_how_a_store_is_and_what_to_do_next(
    what: Any, label: str, says: str, step: str, leads_to: str, merchant: Client
) -> None:
    store = a_store_of(merchant, name="Acme", time_zone="Asia/Tokyo")
    what(store)

    response = merchant.get("/stores/")

    (row,) = response.context["rows"] or response.context["gone"]
    assert (row.health.label, row.step.label, row.step.url) == (label, step, leads_to.format(pk=store.pk))
    assert says in text_of(response)
    assert bool(row.health.says) == bool(says)


def test_the_numbers_of_each_store_are_counted_by_state(merchant: Client) -> None:
    one, other = a_store_of(merchant, name="A"), a_store_of(merchant, name="B")
    for state, n in ((SyncState.WAITING, 3), (SyncState.SYNCED, 2), (SyncState.ATTENTION, 1)):
        for _ in range(n):
            in_state(one, state)
    in_state(other, SyncState.DUE, due_since=timezone.now())
    in_state(other, SyncState.DUE, due_since=timezone.now() - timedelta(hours=25))  # tried for over a day

    rows = merchant.get("/stores/").context["rows"]

    found = {
        row.store.name: (row.counts.waiting, row.counts.due, row.counts.synced, row.counts.attention) for row in rows
    }
    assert found == {"A": (3, 0, 2, 1), "B": (0, 2, 0, 1)}


@pytest.mark.parametrize(
    "fields, line",
    [
        ({}, "after dispatch, usual number"),
        ({"confirmed_at": None}, "after dispatch, usual number; not confirmed yet"),
        (
            {"timing": "before_dispatch", "number_source": "local", "delay_hours": 48},
            "before dispatch, always the carrier's number, not earlier than 48 h after the payment",
        ),
    ],
)
def test_the_choice_stands_in_the_list_in_words(fields: dict[str, Any], line: str, merchant: Client) -> None:
    a_store_of(merchant, **fields)

    assert [row.choice for row in merchant.get("/stores/").context["rows"]] == [line]


def test_times_are_those_of_each_store(merchant: Client) -> None:
    a_store_of(merchant, name="A", time_zone="Asia/Tokyo", pulled_at=NOON, wrote_at=NOON - timedelta(hours=1))
    a_store_of(merchant, name="B", time_zone="America/New_York", pulled_at=NOON)

    rows = merchant.get("/stores/").context["rows"]

    assert [(row.pulled, row.sent) for row in rows] == [
        ("2 Mar 2026, 21:00 (JST)", "2 Mar 2026, 20:00 (JST)"),
        ("2 Mar 2026, 07:00 (EST)", ""),
    ]


def test_the_list_takes_as_many_queries_for_three_stores_as_for_one(merchant: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            merchant.get("/stores/")
        return len(captured)

    in_state(a_store_of(merchant), SyncState.DUE)
    one = queries()
    for _ in range(2):
        in_state(a_store_of(merchant), SyncState.DUE)

    assert queries() == one


def test_a_merchant_without_a_store_is_led_to_connect_one(merchant: Client) -> None:
    page = merchant.get("/stores/")

    assert "Connect your first store" in text_of(page)
    assert f'href="{reverse("connect")}"' in page.content.decode()


# --- What a button does -------------------------------------------------------------------------------------------


def test_a_store_is_paused_and_resumed(merchant: Client) -> None:
    store = a_store_of(merchant, name="Acme")
    page = f"/stores/{store.pk}/"

    paused = merchant.post(f"{page}pause/", follow=True)
    is_paused = Store.objects.get().is_paused
    resumed = merchant.post(f"{page}resume/", follow=True)

    assert "Acme is paused. Nothing is sent to it until you press “Resume”." in text_of(paused)
    assert "its orders are still looked up, but nothing is sent to it" in text_of(paused)
    assert "Acme goes on. Whatever is due is sent now." in text_of(resumed)
    assert (is_paused, Store.objects.get().is_paused) == (True, False)


def test_a_check_that_works_ends_the_trouble(merchant: Client, shop: Shop) -> None:
    store = factories.a_store_in(shop, merchant.user, name="Acme")  # type: ignore[attr-defined]
    disconnected(store.pk, StoreDisconnected(Code.SCOPE_MISSING), NOON)

    response = merchant.post(f"/stores/{store.pk}/check/", follow=True)

    store.refresh_from_db()
    assert "Acme lets us in." in text_of(response)
    assert (store.trouble, store.facts["shop_name"], "checked_at" in store.facts) == ("", shop.name, True)


def test_a_check_that_fails_says_so_and_what_to_do(merchant: Client, shop: Shop) -> None:
    store = factories.a_store_in(shop, merchant.user)  # type: ignore[attr-defined]
    shop.settings(scopes=["read_orders", "read_locations"])

    response = merchant.post(f"/stores/{store.pk}/check/", follow=True)

    store.refresh_from_db()
    assert store.trouble == Code.SCOPE_MISSING
    text = text_of(response)
    for sentence in (
        f"{store.name} does not let us in. Below is why, and what to do.",
        "The store does not allow us what we need: write_merchant_managed_fulfillment_orders. Since",
        "Grant it in Shopify and reconnect the store; whatever waits goes out then.",
    ):
        assert text.count(sentence) == 1


def test_the_locations_are_changed(merchant: Client) -> None:
    store = a_store_of(merchant)
    its_locations_are_not_chosen(store)
    page = f"/stores/{store.pk}/locations/"

    shown = merchant.get(page)
    strange = merchant.post(page, {"locations": ["3"]})
    merchant.post(page, {"locations": ["2"]})

    assert shown.context["form"]["locations"].value() == ["1", "2"]
    assert list(strange.context["form"].errors) == ["locations"]
    assert Store.objects.get().location_ids == ["2"]


# --- The day from which orders are looked after ----------------------------------------------------------------------


def a_store_with_an_older_order(merchant: Client) -> tuple[Store, Shipment]:
    """Begins on 2 March 2026, 12:00 UTC, with a dispatched parcel that was ordered on 28 February."""
    store = a_store_of(merchant, sync_from=NOON, time_zone="Asia/Tokyo")
    shipment = a_parcel(store, placed_at=NOON - timedelta(days=2), local="YT1", dispatched_at=NOON)
    return store, shipment


def test_what_moving_the_day_does_is_shown_first_and_then_done(merchant: Client) -> None:
    store, shipment = a_store_with_an_older_order(merchant)
    a_parcel(store, placed_at=NOON - timedelta(days=1), paid_at=None)
    a_parcel(store, placed_at=NOON - timedelta(days=40), local="YT2", dispatched_at=NOON)
    page = f"/stores/{store.pk}/start/"
    before = TrackingSync.objects.get(shipment=shipment)

    shown = merchant.get(page, {"day": "2026-02-27"})
    nothing_done = (Store.objects.get().sync_from, TrackingSync.objects.get(shipment=shipment).state)
    done = merchant.post(page, {"seal": shown.context["seal"]}, follow=True)

    effect = shown.context["effect"]
    assert (effect.lets_in, effect.orders, effect.now, effect.waiting, effect.parcels) == (True, 2, 1, 1, 2)
    assert (before.reason, nothing_done) == ("older_than_sync", (NOON, SyncState.WAITING))
    # The first moment of that day in Tokyo.
    assert Store.objects.get().sync_from == datetime(2026, 2, 26, 15, tzinfo=UTC)
    assert "The day was moved; 2 parcels follow it." in text_of(done)
    assert list(
        TrackingSync.objects.order_by("pk").values_list("state", "reason").order_by("shipment__order__placed_at")
    ) == [("waiting", "older_than_sync"), ("due", ""), ("waiting", "unpaid")]


def test_moving_the_day_forward_leaves_orders_alone(merchant: Client) -> None:
    store = a_store_of(merchant, sync_from=NOON - timedelta(days=60))
    shipment = a_parcel(store, local="YT1", dispatched_at=NOON)
    page = f"/stores/{store.pk}/start/"

    shown = merchant.get(page, {"day": "2026-03-02"})
    merchant.post(page, {"seal": shown.context["seal"]})

    effect = shown.context["effect"]
    assert (effect.lets_in, effect.orders, effect.now) == (False, 1, 1)
    assert TrackingSync.objects.get(shipment=shipment).reason == "older_than_sync"


def test_a_page_left_open_moves_nothing(merchant: Client) -> None:
    store, _ = a_store_with_an_older_order(merchant)
    page = f"/stores/{store.pk}/start/"
    seal = merchant.get(page, {"day": "2026-02-27"}).context["seal"]
    Store.objects.filter(pk=store.pk).update(sync_from=NOON - timedelta(days=9))

    late = merchant.post(page, {"seal": seal}, follow=True)
    without = merchant.post(page, {}, follow=True)

    assert "The day was moved meanwhile, so nothing was done now." in text_of(late)
    assert "Nothing was moved. Choose the day here" in text_of(without)
    assert Store.objects.get().sync_from == NOON - timedelta(days=9)


@pytest.mark.parametrize(
    "day, says",
    [
        ("", "Choose a day."),
        ("yesterday", "Write the day as 2026-03-31."),
        ("2999-01-01", "Choose today or an earlier day."),
        ("0001-01-01", "Choose a day after 1999."),
    ],
)
def test_a_day_that_makes_no_sense_is_told(day: str, says: str, merchant: Client) -> None:
    store = a_store_of(merchant)

    response = merchant.get(f"/stores/{store.pk}/start/", {"day": day})

    assert dict(response.context["form"].errors) == {"day": [says]}


# --- Leaving ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "platform, says",
    [
        ("shopify", "In Shopify you can remove the app, too: under Settings, then Apps and sales channels."),
        (
            "woocommerce",
            "The key itself stays in your shop, where only you can take it back: in WooCommerce under Settings, then "
            "Advanced, then REST API, press “Revoke” beside it.",
        ),
    ],
)
def test_before_a_store_is_disconnected_it_is_said_how_its_access_is_taken_back(
    platform: str, says: str, merchant: Client
) -> None:
    store = factories.a_store(merchant.user, platform=platform)  # type: ignore[attr-defined]

    assert says in text_of(merchant.get(reverse("store_disconnect", args=[store.pk])))


def test_before_a_store_is_disconnected_it_is_said_what_happens(merchant: Client) -> None:
    store = a_store_of(merchant, name="Acme")
    a_parcel(store, local="YT1")
    a_parcel(store)  # without a number nothing waits to be sent
    in_state(store, SyncState.SYNCED)
    page = f"/stores/{store.pk}/disconnect/"

    asked = merchant.get(page)
    still = Store.objects.get().disconnected_at
    done = merchant.post(page, follow=True)

    store.refresh_from_db()
    assert "1 number waits: it stays here and is not sent." in text_of(asked)
    assert "1 number is in your store: it stays there. Nothing in your store is taken back." in text_of(asked)
    assert still is None
    assert (store.disconnect_reason, dict(store.credentials), dict(store.token)) == ("merchant", {}, {})
    assert "Acme is disconnected." in text_of(done)
    assert [row.store.name for row in merchant.get("/stores/").context["gone"]] == ["Acme"]


def read(response: Any) -> dict[str, list[dict[str, str]]]:
    """The files of a downloaded ZIP, as rows by heading."""
    with zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content))) as archive:
        assert archive.testzip() is None
        return {
            name.removesuffix(".csv"): list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"))))
            for name in archive.namelist()
        }


def test_everything_of_a_store_is_downloaded_and_nothing_of_another(merchant: Client) -> None:
    store, other = a_store_of(merchant, name="Acme & Söhne"), a_store_of(merchant)
    a_parcel(store, number="#1001", local="YT1", dispatched_at=NOON)
    a_parcel(other, number="#2001", local="YT2")
    in_state(store, SyncState.SYNCED)
    Order.objects.filter(number="#1001").update(customer_name="=HYPERLINK(1)")

    response = merchant.get(f"/stores/{store.pk}/download/")

    files = read(response)
    assert list(files) == [
        "orders",
        "order_lines",
        "shipments",
        "parcel_contents",
        "numbers",
        "attempts",
        "mails",
        "choices",
    ]
    assert (len(files["orders"]), len(files["shipments"])) == (2, 2)
    assert {name: files["orders"][0][name] for name in ("order", "customer_name", "placed_at")} == {
        "order": "#1001",
        "customer_name": "'=HYPERLINK(1)",
        "placed_at": "2026-02-28T12:00:00+00:00",
    }
    assert [row["number"] for row in files["numbers"]] == ["YT1", "YT2600000000000001"]
    assert "acme-s-hne" in response["Content-Disposition"]


def test_so_many_files_and_no_more_are_made_for_one_merchant(merchant: Client) -> None:
    store = a_store_of(merchant)

    answers = [merchant.get(f"/stores/{store.pk}/download/") for _ in range(6)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [302]
    assert "Wait ten minutes" in text_of(merchant.get(f"/stores/{store.pk}/"))


@pytest.mark.parametrize(
    "value, written",
    [
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("#1001", "#1001"),
        (-1, -1),
        (True, "yes"),
        (None, ""),
        (NOON, "2026-03-02T12:00:00+00:00"),
        ({"a": 1}, '{"a": 1}'),
    ],
)
def test_no_cell_is_a_formula(value: Any, written: Any) -> None:
    assert cell(value) == written


# --- Whose -----------------------------------------------------------------------------------------------------------

PAGES = ("", "reconnect/", "locations/", "start/", "disconnect/", "download/")
ACTS = ("pause/", "resume/", "check/", "reconnect/", "locations/", "start/", "disconnect/")


def test_a_stranger_finds_nothing_and_changes_nothing(merchant: Client) -> None:
    store = factories.a_store()

    answers = {f"GET {each}": merchant.get(f"/stores/{store.pk}/{each}").status_code for each in PAGES}
    answers |= {f"POST {each}": merchant.post(f"/stores/{store.pk}/{each}").status_code for each in ACTS}

    assert set(answers.values()) == {404}
    assert (Store.objects.get().is_paused, Store.objects.get().disconnected_at) == (False, None)


def test_nobody_who_is_not_logged_in_gets_in(client: Client) -> None:
    store = factories.a_store()

    answers = [client.get(f"/stores/{store.pk}/{each}") for each in PAGES]
    answers += [client.get(address) for address in ("/stores/", "/stores/connect/", "/stores/connect/shopify/")]

    assert {answer["Location"].partition("?")[0] for answer in answers} == {"/accounts/login/"}


def test_looking_changes_nothing(merchant: Client) -> None:
    store = a_store_of(merchant)
    in_state(store, SyncState.DUE)

    def everything() -> list[Any]:
        return [list(Store.objects.values()), list(TrackingSync.objects.values()), list(Order.objects.values())]

    before = everything()
    for each in PAGES:
        merchant.get(f"/stores/{store.pk}/{each}")
    refused = [merchant.get(f"/stores/{store.pk}/{each}").status_code for each in ("pause/", "resume/", "check/")]

    assert refused == [405, 405, 405]
    assert everything() == before


def test_no_page_shows_a_gap(merchant: Client) -> None:
    one, gone = a_store_of(merchant, wrote_at=EPOCH), a_store_of(merchant)
    it_was_disconnected(gone)
    pages = ["/stores/", "/stores/connect/shopify/"]
    pages += [f"/stores/{store.pk}/{each}" for store in (one, gone) for each in PAGES if each != "download/"]

    for page in pages:
        text = merchant.get(page, follow=True).content.decode()
        assert [gap for gap in ("${", "{{", "{%", "None") if gap in text] == []
        assert text.count("<h1") == 1
