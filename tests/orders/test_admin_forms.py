"""What staff save in forms: a store's choice and state, a parcel's contents, the catalogue."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from orders.models import Order, Shipment
from stores.models import Store
from tests import factories
from tests.orders.admin_cast import (
    a_planned_shipment,
    a_shown_shipment,
    act_page,
    logged_in,
    messages_of,
    row_of,
    staff_who_may,
    the_boss,
)

pytestmark = pytest.mark.django_db


# --- stores ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "before, name, after",
    [
        ({}, "pause", {"is_paused": True, "disconnect_reason": ""}),
        ({"is_paused": True}, "resume", {"is_paused": False, "disconnect_reason": ""}),
        ({}, "disconnect", {"is_paused": False, "disconnect_reason": "staff"}),
    ],
)
def test_a_store_is_paused_resumed_and_disconnected(before: dict, name: str, after: dict) -> None:
    store, other = factories.a_store(**before), factories.a_store(**before)

    logged_in(the_boss()).post(act_page(store, name))

    assert Store.objects.filter(pk=store.pk).values(*after).get() == after
    assert Store.objects.filter(pk=other.pk).values(*before).get() == before or not before


@pytest.mark.django_db(transaction=True)
def test_a_resumed_store_rings_the_bell() -> None:
    store = factories.a_store(is_paused=True)

    logged_in(the_boss()).post(act_page(store, "resume"))

    assert [task.func() for task in OrmQ.objects.all()] == ["orders.tasks.sync_due"]


def test_a_connection_that_fails_is_told_and_written_down() -> None:
    store = factories.a_store(name="Blue Mug", credentials={"client_id": "x"})

    answer = logged_in(the_boss()).post(act_page(store, "check"), follow=True)

    assert messages_of(answer) == ["Blue Mug: The store's access data is incomplete: client_secret."]
    assert Store.objects.get(pk=store.pk).trouble == "credentials_incomplete"


def test_moving_the_start_date_tells_its_effect_before_it_is_done() -> None:
    store = factories.a_store(sync_from=factories.NOON)
    old = a_planned_shipment(factories.an_order(store, placed_at=factories.NOON - timedelta(days=5)))
    a_planned_shipment(factories.an_order(store, placed_at=factories.NOON - timedelta(days=50)), local="YT22222")
    client, page = logged_in(the_boss()), act_page(store, "move_start")
    fields = {"at": "2026-02-20T00:00"}

    told = client.post(page, fields)
    before = (row_of(old).reason, Store.objects.get(pk=store.pk).sync_from)
    done = client.post(page, {**fields, "effect": told.context["form"].data["effect"]}, follow=True)

    assert "would be looked after from now on: 1. Unsent parcels that would be left alone: 0." in told.content.decode()
    assert before == ("older_than_sync", factories.NOON)
    assert messages_of(done) == ["The start date was moved; 1 parcel was planned again."]
    assert row_of(old).reason == "not_dispatched"


# --- forms -------------------------------------------------------------------------------------------------------


def preference_form(store: Store, **changed: str) -> dict[str, str]:
    preference = store.preference
    return {
        "name": store.name,
        "time_zone": store.time_zone,
        "counts_as_paid": store.counts_as_paid,
        "preference-TOTAL_FORMS": "1",
        "preference-INITIAL_FORMS": "1",
        "preference-0-store": str(store.pk),
        "preference-0-seen_version": str(preference.version),
        "preference-0-timing": preference.timing,
        "preference-0-number_source": preference.number_source,
        "preference-0-delay_hours": str(preference.delay_hours),
        "preference-0-mail_sender": preference.mail_sender,
        **changed,
    }


def seen(store: Store) -> str:
    """What the hidden field of the store's page holds."""
    page = logged_in(the_boss()).get(reverse("admin:stores_store_change", args=[store.pk]))
    return str(page.context["adminform"].form["seen_placing"].value())


def save_store(store: Store, who: Any = None, **changed: str) -> Any:
    page = reverse("admin:stores_store_change", args=[store.pk])
    return logged_in(who or the_boss()).post(page, preference_form(store, **changed), follow=True)


@pytest.mark.django_db(transaction=True)
def test_a_choice_is_saved_with_its_version_history_and_actor_for_one_store_only() -> None:
    boss, store, other = the_boss(), factories.a_store(name="Blue Mug"), factories.a_store()

    save_store(store, boss, **{"preference-0-timing": "before_dispatch"})

    store.preference.refresh_from_db()
    other.preference.refresh_from_db()
    (change,) = store.preference.changes.all()
    assert (store.preference.timing, store.preference.version) == ("before_dispatch", 2)
    assert (change.actor, change.before["timing"], change.after["timing"]) == (
        boss,
        "after_dispatch",
        "before_dispatch",
    )
    assert (other.preference.timing, other.preference.version) == ("after_dispatch", 1)
    assert OrmQ.objects.count() == 1


WOO = {"platform": "woocommerce", "facts": {"places": ["shipment_tracking", "plain"], "version": "10.9.1"}}


@pytest.mark.parametrize("chosen, kept", [("plain", "plain"), ("", ""), ("fulfillments", "shipment_tracking")])
def test_where_numbers_go_is_one_of_the_places_that_were_found(chosen: str, kept: str) -> None:
    store = factories.a_store(base_url="https://mugs.example", tracking_goes_to="shipment_tracking", **WOO)

    save_store(store, tracking_goes_to=chosen, seen_placing=seen(store))

    store.refresh_from_db()
    assert (store.tracking_goes_to, store.completes_orders) == (kept, kept == "shipment_tracking")


def test_a_place_that_is_gone_stays_chosen_when_something_else_is_saved() -> None:
    store = factories.a_store(base_url="https://mugs.example", tracking_goes_to="fulfillments", **WOO)

    save_store(
        store, name="Green Mug", tracking_goes_to="fulfillments", completes_orders="on", seen_placing=seen(store)
    )

    store.refresh_from_db()
    assert (store.name, store.tracking_goes_to, store.completes_orders) == ("Green Mug", "fulfillments", True)


@pytest.mark.parametrize(
    "meanwhile, told",
    [({"tracking_goes_to": "plain"}, True), ({"completes_orders": False}, True), ({"name": "Green Mug"}, False)],
)
def test_a_page_left_open_does_not_undo_where_numbers_go_meanwhile(meanwhile: dict, told: bool) -> None:
    store = factories.a_store(base_url="https://mugs.example", tracking_goes_to="shipment_tracking", **WOO)
    left_open = {"tracking_goes_to": "shipment_tracking", "completes_orders": "on", "seen_placing": seen(store)}
    Store.objects.update(**meanwhile)

    page = reverse("admin:stores_store_change", args=[store.pk])
    answer = logged_in(the_boss()).post(page, preference_form(store, time_zone="Asia/Tokyo", **left_open))

    now = Store.objects.get()
    assert (answer.status_code, now.time_zone) == ((200, store.time_zone) if told else (302, "Asia/Tokyo"))
    if told:
        assert {name: getattr(now, name) for name in meanwhile} == meanwhile
        assert answer.context["errors"] == [
            ["Where numbers go was saved by somebody else meanwhile. Open this page again and look at it first."]
        ]


def test_who_may_only_look_at_a_store_gets_no_hidden_field() -> None:
    store = factories.a_store(base_url="https://mugs.example", **WOO)

    page = logged_in(staff_who_may("stores.view_store")).get(reverse("admin:stores_store_change", args=[store.pk]))

    assert (page.status_code, "seen_placing" in page.content.decode()) == (200, False)


@pytest.mark.parametrize("fields, there, missing", [(WOO, "places", "locations"), ({}, "locations", "places")])
def test_a_stores_page_asks_what_is_a_question_on_its_platform(fields: dict, there: str, missing: str) -> None:
    store = factories.a_store(**fields)

    page = logged_in(the_boss()).get(reverse("admin:stores_store_change", args=[store.pk])).content.decode()

    assert f"field-{there}" in page
    assert f"field-{missing}" not in page
    assert ("field-tracking_goes_to" in page) == (there == "places")
    assert ("the Shipment Tracking plugin, an order note (WooCommerce 10.9.1)" in page) == (there == "places")


def test_a_store_saved_without_a_new_choice_keeps_its_version() -> None:
    store = factories.a_store()

    save_store(store, name="Green Mug")

    store.refresh_from_db()
    assert (store.name, store.preference.version) == ("Green Mug", 1)


def test_a_choice_that_is_none_is_refused() -> None:
    store = factories.a_store()

    answer = save_store(store, **{"preference-0-delay_hours": "9999"})

    assert answer.context["errors"] == [["Ensure this value is less than or equal to 1440."]]
    assert store.preference.changes.count() == 0


def test_a_page_left_open_does_not_undo_what_was_saved_meanwhile() -> None:
    store = factories.a_store()
    left_open = preference_form(store, **{"preference-0-delay_hours": "5"})
    save_store(store, **{"preference-0-timing": "before_dispatch"})

    page = reverse("admin:stores_store_change", args=[store.pk])
    answer = logged_in(the_boss()).post(page, left_open)

    store.preference.refresh_from_db()
    assert answer.context["errors"] == [
        ["The choice was saved by somebody else meanwhile. Open this page again and look at it first."]
    ]
    assert (store.preference.timing, store.preference.delay_hours) == ("before_dispatch", 0)


def test_another_rule_of_payment_plans_the_store_s_parcels() -> None:
    store = factories.a_store()
    order = factories.an_order(store, paid_at=None, shopper_paid_at=timezone.now() - timedelta(days=1))
    shipment = a_planned_shipment(order)
    before = row_of(shipment).reason

    save_store(store, counts_as_paid="when_shopper_paid")

    assert (before, row_of(shipment).reason) == ("unpaid", "not_dispatched")


def contents(order: Order, **fields: Any) -> dict[str, Any]:
    return {
        "order": order.pk,
        "parcel": 1,
        "shipping_method": factories.a_method().pk,
        "lines-TOTAL_FORMS": "1",
        "lines-INITIAL_FORMS": "0",
        "lines-0-line": order.lines.get().pk,
        "lines-0-quantity": "1",
        **fields,
    }


def test_a_parcel_is_added_with_its_contents_and_planned() -> None:
    order = factories.an_order()
    page = reverse("admin:orders_shipment_add") + f"?order={order.pk}"

    logged_in(the_boss()).post(page, contents(order))

    shipment = Shipment.objects.get()
    assert [(line.line.sku, line.quantity) for line in shipment.lines.all()] == [("SKU-1", 1)]
    assert (row_of(shipment).state, row_of(shipment).reason) == ("waiting", "local_number_missing")


def test_a_parcel_holds_no_more_than_was_ordered() -> None:
    order = factories.an_order(lines=(("SKU-1", 2),))
    page = reverse("admin:orders_shipment_add") + f"?order={order.pk}"

    answer = logged_in(the_boss()).post(page, contents(order, **{"lines-0-quantity": "3"}))

    assert answer.context["errors"] == [["Only 2 of this were ordered."]]
    assert Shipment.objects.count() == 0


def test_a_parcel_holds_only_lines_of_its_own_order() -> None:
    order, other = factories.an_order(), factories.an_order()
    page = reverse("admin:orders_shipment_add") + f"?order={order.pk}"

    answer = logged_in(the_boss()).post(page, contents(order, **{"lines-0-line": other.lines.get().pk}))

    assert len(answer.context["errors"]) == 1
    assert Shipment.objects.count() == 0


def test_the_next_parcel_of_an_order_gets_the_next_number() -> None:
    shipment = a_planned_shipment()
    page = reverse("admin:orders_shipment_add") + f"?order={shipment.order_id}"

    form = logged_in(the_boss()).get(page).context["adminform"].form

    assert (form.initial["order"], form.initial["parcel"]) == (str(shipment.order_id), 2)


def test_another_shipping_method_plans_the_parcel() -> None:
    shipment = a_planned_shipment(dispatched_at=timezone.now() - timedelta(hours=1))
    before = row_of(shipment).state
    forms = {f"{prefix}-{count}_FORMS": "0" for prefix in ("lines", "numbers") for count in ("TOTAL", "INITIAL")}
    data = {"shipping_method": factories.an_own_method().pk, **forms}

    logged_in(the_boss()).post(reverse("admin:orders_shipment_change", args=[shipment.pk]), data)

    assert (before, row_of(shipment).reason) == ("due", "own_number_missing")


def test_another_default_number_reaches_what_has_not_been_sent() -> None:
    method = factories.a_method("Plain Line")
    unsent = a_planned_shipment(method=method, own="CJP12345", dispatched_at=timezone.now() - timedelta(hours=1))
    shown = a_shown_shipment(value="YT2600000000000003")
    Shipment.objects.filter(pk=shown.pk).update(shipping_method=method)
    page = reverse("admin:orders_shippingmethod_change", args=[method.pk])
    data = {"name": method.name, "code": method.code, "default_number": "own", "is_active": "on"}

    answer = logged_in(the_boss()).post(page, data, follow=True)

    assert messages_of(answer)[0] == "1 parcel that nothing has been sent of follows the new default."
    assert [row_of(unsent).wanted.value, row_of(shown).wanted.value] == ["CJP12345", "YT2600000000000003"]


@pytest.mark.parametrize(
    "url, errors",
    [
        ("javascript:alert(1)", {"tracking_url": ["Enter a web address that begins with https://."]}),
        ("www.carrier.example/{n}", {"tracking_url": ["Enter a web address that begins with https://."]}),
        ("https://www.carrier.example/{n}", {}),
        ("", {}),
    ],
)
def test_a_carrier_s_link_is_a_web_address(url: str, errors: dict[str, list[str]]) -> None:
    carrier = factories.a_carrier()
    data = {"name": "Yun", "country": "CN", "tracking_url": url, "platform_names": "{}", "is_active": "on"}

    answer = logged_in(the_boss()).post(reverse("admin:orders_carrier_change", args=[carrier.pk]), data)

    form = answer.context and answer.context["adminform"].form
    assert (form.errors if form else {}) == errors
