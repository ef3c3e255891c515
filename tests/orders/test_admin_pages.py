"""Every page of the staff's admin opens, keeps secrets, and costs the same for one row as for three."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_q.models import Failure, OrmQ, Schedule, Success

from orders import changes, pulse
from orders.models import Carrier, CustomerEmail, Order, Shipment, ShippingMethod, SyncAttempt, TrackingSync
from stores.choices import PrivacyKind
from stores.models import Invitation, PrivacyRequest, Store
from stores.preferences import save_preference
from tests import factories
from tests.orders.admin_cast import (
    a_planned_shipment,
    a_shown_shipment,
    logged_in,
    messages_of,
    staff_who_may,
    the_boss,
)

pytestmark = pytest.mark.django_db

MODELS = [Carrier, CustomerEmail, Invitation, Order, PrivacyRequest, Shipment, ShippingMethod, Store, TrackingSync]
LISTS = [f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist" for model in MODELS]
HEALTH = ["well", "paused", "reconnect", "busy", "disconnected"]
INLINE_CODE = re.compile(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=", re.IGNORECASE)
GAP = re.compile(r"[{}]|\$\{|\bNone\b")


def text_of(response) -> str:
    return re.sub(r"<[^>]+>", " ", response.content.decode())


def the_house() -> Shipment:
    """A parcel with a history: numbers replaced, a choice saved, attempts made."""
    boss = factories.a_user("anna@house.example", is_staff=True)
    shipment = a_planned_shipment(lines={"SKU-1": 1}, dispatched_at=timezone.now())
    now = timezone.now()
    changes.set_number(
        shipment.pk, "local", "YT2600000000000002", factories.a_carrier(), now=now, actor=boss, why="relabelled"
    )
    changes.give_up([shipment.pk], now=now, actor=boss, why="lost")
    changes.try_again([shipment.pk], now=now, actor=boss)
    SyncAttempt.objects.create(
        sync=shipment.sync,
        at=now,
        number=shipment.numbers.last(),
        outcome="rejected",
        reason="refused",
        reason_values={"field": "trackingInfo"},
        message="Tracking number is odd",
        request_id="req-7",
    )
    save_preference(shipment.order.store, actor=boss, now=now, delay_hours=3)
    return shipment


@pytest.mark.parametrize("name", LISTS)
def test_every_list_opens_without_inline_code(name: str) -> None:
    the_house()

    response = logged_in(the_boss()).get(reverse(name))

    assert response.status_code == 200
    assert INLINE_CODE.findall(response.content.decode()) == []
    assert "carrier" in name or GAP.findall(text_of(response)) == []  # a carrier's link has an {n} in it


@pytest.mark.parametrize("model", [Carrier, Order, Shipment, ShippingMethod, Store])
def test_every_page_opens_without_inline_code(model: Any) -> None:
    shipment = the_house()
    rows = {Order: shipment.order, Shipment: shipment, Store: shipment.order.store}
    row = rows.get(model) or model.objects.first()

    response = logged_in(the_boss()).get(
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[row.pk])
    )

    assert response.status_code == 200
    assert INLINE_CODE.findall(response.content.decode()) == []
    assert model is Carrier or GAP.findall(text_of(response)) == []  # a carrier's link has an {n} in it


@pytest.mark.parametrize("model", [Carrier, ShippingMethod, Shipment])
def test_every_form_for_something_new_opens(model: Any) -> None:
    response = logged_in(the_boss()).get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add"))

    assert response.status_code == 200
    assert INLINE_CODE.findall(response.content.decode()) == []


def test_a_row_of_the_queue_leads_to_its_parcel() -> None:
    shipment = the_house()
    page = reverse("admin:orders_shipment_change", args=[shipment.pk])
    client = logged_in(the_boss())

    assert page in client.get(reverse("admin:orders_trackingsync_changelist")).content.decode()
    response = client.get(reverse("admin:orders_trackingsync_change", args=[shipment.sync.pk]))
    assert response["Location"] == page


@pytest.mark.parametrize("name", [*LISTS, "admin:index"])
def test_nobody_but_staff_gets_in(name: str, client) -> None:
    merchant = logged_in(factories.a_user())

    for browser in (client, merchant):
        response = browser.get(reverse(name))
        assert (response.status_code, response["Location"].split("?")[0]) == (302, reverse("admin:login"))


@pytest.mark.parametrize("name", LISTS)
def test_staff_without_permission_see_nothing(name: str) -> None:
    assert logged_in(staff_who_may()).get(reverse(name)).status_code == 403


# --- what is not there -------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [Schedule, Success, Failure, OrmQ])
def test_the_background_s_tables_are_not_in_the_admin(model: Any) -> None:
    """Whoever may change a schedule or a task runs any code on the server."""
    assert not admin.site.is_registered(model)
    assert logged_in(the_boss()).get(f"/admin/django_q/{model._meta.model_name}/").status_code == 404


def test_no_page_shows_credentials() -> None:
    shipment = the_house()
    Store.objects.update(credentials={"access_token": "shpat_top_secret"}, token={"access_token": "shpat_bought"})
    client = logged_in(the_boss())
    pages = [
        reverse("admin:stores_store_changelist"),
        reverse("admin:stores_store_change", args=[shipment.order.store_id]),
        reverse("admin:stores_store_history", args=[shipment.order.store_id]),
        reverse("admin:orders_shipment_change", args=[shipment.pk]),
    ]

    found = [page for page in pages if re.search("shpat_", client.get(page).content.decode())]

    assert "Kept encrypted and shown to nobody" in client.get(pages[1]).content.decode()
    assert found == []


def test_a_buyer_s_address_stands_on_the_order_s_page_only() -> None:
    shipment = the_house()
    client = logged_in(the_boss())
    pages = {
        "order": reverse("admin:orders_order_change", args=[shipment.order_id]),
        "orders": reverse("admin:orders_order_changelist"),
        "shipment": reverse("admin:orders_shipment_change", args=[shipment.pk]),
        "shipments": reverse("admin:orders_shipment_changelist"),
        "queue": reverse("admin:orders_trackingsync_changelist"),
        "store": reverse("admin:stores_store_change", args=[shipment.order.store_id]),
    }

    shown = [name for name, page in pages.items() if "jane@example.com" in client.get(page).content.decode()]

    assert shown == ["order"]


def test_stores_are_not_added_by_a_form() -> None:
    response = logged_in(the_boss()).get(reverse("admin:stores_store_add"), follow=True)

    assert messages_of(response) == [
        "Stores are connected by the command connect_store, which checks their access; not by a form here."
    ]


@pytest.mark.parametrize("model", [Order, Shipment, Store, TrackingSync])
def test_records_are_never_deleted(model: Any) -> None:
    shipment = the_house()
    row = {Order: shipment.order, Shipment: shipment, Store: shipment.order.store, TrackingSync: shipment.sync}[model]
    name = f"{model._meta.app_label}_{model._meta.model_name}"
    client = logged_in(the_boss())

    assert client.post(reverse(f"admin:{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    assert "delete_selected" not in client.get(reverse(f"admin:{name}_changelist")).content.decode()


# --- cost ---------------------------------------------------------------------------------------------


def queries(action: Callable[[], object]) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        action()
    return len(captured)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_costs_the_same_for_one_row_as_for_three(name: str) -> None:
    client = logged_in(the_boss())
    a_shown_shipment()
    client.get(reverse(name))

    one = queries(lambda: client.get(reverse(name)))
    a_shown_shipment(value="YT2600000000000003")
    a_planned_shipment(local="YT2600000000000004", dispatched_at=timezone.now())
    three = queries(lambda: client.get(reverse(name)))

    assert three == one


def test_the_page_of_an_order_costs_the_same_for_one_parcel_as_for_three() -> None:
    client = logged_in(the_boss())
    order = a_planned_shipment().order
    page = reverse("admin:orders_order_change", args=[order.pk])
    client.get(page)

    one = queries(lambda: client.get(page))
    a_planned_shipment(order, parcel=2, local="YT2600000000000002")
    a_planned_shipment(order, parcel=3, local="YT2600000000000003")
    three = queries(lambda: client.get(page))

    assert three == one


# --- searching and filtering -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "term", ["#1777", "1777", "YT2600000000000009", " yt26 0000 0000 0000 09 ", "YT2600000000000008"]
)
@pytest.mark.parametrize("name", ["orders_order", "orders_shipment", "orders_trackingsync"])
def test_a_search_finds_an_order_s_number_and_any_number_a_parcel_ever_had(name: str, term: str) -> None:
    shipment = a_planned_shipment(factories.an_order(number="#1777"), local="YT2600000000000009")
    factories.a_number(shipment, "YT2600000000000008", replaced_at=timezone.now())
    a_planned_shipment(factories.an_order(number="#1778"), local="YT2600000000000001")

    response = logged_in(the_boss()).get(reverse(f"admin:{name}_changelist"), {"q": term})

    assert [str(getattr(row, "shipment", row)).split()[0] for row in response.context["cl"].result_list] == ["#1777"]


@pytest.mark.parametrize(
    "query, found",
    [
        ({"attention": "yes"}, ["#attention", "#long"]),
        ({"state__exact": "waiting"}, ["#waiting"]),
        ({"state__exact": "due"}, ["#due", "#long"]),
        ({"reason": "refused"}, ["#attention"]),
        ({"store": "mine"}, ["#waiting"]),
        ({"store": "nonsense"}, ["#attention", "#due", "#long", "#waiting"]),
    ],
)
def test_the_queue_is_filtered(query: dict[str, str], found: list[str]) -> None:
    store, mine = factories.a_store(), factories.a_store()
    handed_over = timezone.now() - timedelta(hours=1)
    a_planned_shipment(factories.an_order(mine, number="#waiting"), local="YT11111")
    a_planned_shipment(factories.an_order(store, number="#due"), local="YT22222", dispatched_at=handed_over)
    long = a_planned_shipment(factories.an_order(store, number="#long"), local="YT33333", dispatched_at=handed_over)
    TrackingSync.objects.filter(shipment=long).update(due_since=timezone.now() - timedelta(days=2))
    refused = a_planned_shipment(factories.an_order(store, number="#attention"), local="YT44444")
    TrackingSync.objects.filter(shipment=refused).update(state="attention", reason="refused")
    query = {key: str(mine.pk) if value == "mine" else value for key, value in query.items()}

    response = logged_in(the_boss()).get(reverse("admin:orders_trackingsync_changelist"), query)

    assert sorted(row.shipment.order.number for row in response.context["cl"].result_list) == found


@pytest.mark.parametrize(
    "fields, health, word",
    [
        ({}, "well", "Well"),
        ({"is_paused": True}, "paused", "Paused"),
        ({"trouble": "token_refused"}, "reconnect", "Reconnect needed"),
        ({"trouble": "throttled", "resume_at": timezone.now() + timedelta(days=999)}, "busy", "Resting"),
        ({"disconnected_at": timezone.now(), "disconnect_reason": "staff"}, "disconnected", "Disconnected"),
    ],
)
def test_a_store_s_health_is_one_word_and_a_filter(fields: dict, health: str, word: str) -> None:
    store = factories.a_store(**fields)
    client = logged_in(the_boss())

    listed = reverse("admin:stores_store_changelist")
    pages = {value: client.get(listed, {"health": value}) for value in HEALTH}
    found = {value: [row.pk for row in page.context["cl"].result_list] for value, page in pages.items()}

    assert found == {value: [store.pk] if value == health else [] for value in found}
    assert f">{word}</span>" in client.get(listed).content.decode()


# --- the first page ----------------------------------------------------------------------------------------


def test_the_first_page_tells_how_the_numbers_stand() -> None:
    a_planned_shipment(local="YT11111")
    a_planned_shipment(local="YT22222", dispatched_at=timezone.now() - timedelta(hours=3))
    a_shown_shipment(value="YT33333")
    factories.a_store(trouble="token_refused")
    client = logged_in(the_boss())

    text = " ".join(text_of(client.get(reverse("admin:index"))).split())

    assert "1 Waiting 1 To be sent 1 In the store 0 Needs attention" in text
    assert "Stores to reconnect 1" in text
    assert "no sign of life" in text


@pytest.mark.parametrize(
    "permissions, told",
    [((), False), (("stores.view_privacyrequest",), True), (("stores.change_privacyrequest",), True)],
)
def test_the_first_page_tells_of_customers_who_wait_for_an_answer(permissions: tuple[str, ...], told: bool) -> None:
    store = factories.a_store()
    for kind in PrivacyKind.values:
        PrivacyRequest.objects.create(store=store, kind=kind, order_ids=["1"], received_at=timezone.now())
    closed = PrivacyRequest.objects.filter(kind=PrivacyKind.FORGET_SHOP)
    closed.update(done_at=timezone.now())
    client = logged_in(staff_who_may("orders.view_trackingsync", *permissions))

    text = " ".join(text_of(client.get(reverse("admin:index"))).split())

    assert ("Privacy requests to answer 1 " in text, "Privacy requests" in text) == (told, told)


def test_the_first_page_sees_a_worker_that_lives() -> None:
    pulse.beat("a-machine")

    text = text_of(logged_in(the_boss()).get(reverse("admin:index")))

    assert "alive" in text
    assert "no sign of life" not in text


def test_the_first_page_tells_no_figures_to_staff_who_may_not_see_the_queue() -> None:
    text = text_of(logged_in(staff_who_may("orders.view_carrier")).get(reverse("admin:index")))

    assert "Oldest due" not in text
