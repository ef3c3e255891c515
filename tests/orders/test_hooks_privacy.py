"""Customers' data on request: erased for good and never brought back, told to staff who answer, and nobody else's."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from orders import privacy
from orders.models import CustomerEmail, Order
from orders.pull import PullResult, save_orders
from stores import uninstalling
from stores.choices import PrivacyKind
from stores.models import PrivacyRequest, Store
from tests import factories
from tests.conftest import NOON

from .admin_cast import act_page, logged_in, messages_of, staff_who_may
from .hooking import SECRET, order_gid, send
from .test_pull import told

pytestmark = pytest.mark.django_db

GONE = {"disconnected_at": NOON, "disconnect_reason": "uninstalled"}
JANE = ("Jane Doe", "jane@example.com", "DE")
NOBODY = ("", "", "")


def never() -> bool:
    return False


def customers(store: Store | None = None) -> dict[str, tuple[str, str, str]]:
    """Who is known of each order."""
    orders = Order.objects.filter(**({"store": store} if store else {}))
    return {o.external_id: (o.customer_name, o.customer_email, o.country) for o in orders}


def a_shop(**fields: Any) -> Store:
    """A store with orders 1 to 3 of one customer."""
    store = factories.a_store(**fields)
    for number in (1, 2, 3):
        factories.an_order(store, external_id=order_gid(number), number=f"#{store.pk}-{number}")
    return store


# --- Erasing ------------------------------------------------------------------------------------------------


def test_a_customer_is_erased_from_the_orders_that_are_named_and_from_no_other() -> None:
    store, other = a_shop(), a_shop()
    shipment = factories.a_shipment(Order.objects.get(store=store, external_id=order_gid(1)), local="YT1")
    CustomerEmail.objects.create(shipment=shipment, kind="shipped", state="failed", answer="550 jane@example.com?")
    privacy.ask(store, PrivacyKind.FORGET_CUSTOMER, (order_gid(1), order_gid(2), order_gid(99)), NOON)

    assert privacy.erase_due(NOON, stop=never) == 2

    assert customers(store) == {order_gid(1): NOBODY, order_gid(2): NOBODY, order_gid(3): JANE}
    assert set(customers(other).values()) == {JANE}
    assert CustomerEmail.objects.get().answer == ""
    assert PrivacyRequest.objects.get().done_at == NOON
    # The order, its parcel and its number stay: they are the record of what was told to the store.
    assert list(shipment.numbers.values_list("value", flat=True)) == ["YT1"]


def test_asked_again_it_is_erased_again_and_no_row_comes_to_it() -> None:
    store = a_shop()
    for _ in range(3):
        privacy.ask(store, PrivacyKind.FORGET_CUSTOMER, (order_gid(2), order_gid(1)), NOON)
        privacy.erase_due(NOON, stop=never)
        privacy.ask(store, PrivacyKind.FORGET_CUSTOMER, (order_gid(1), order_gid(2)), NOON)
    privacy.erase_due(NOON, stop=never)

    assert customers(store) == {order_gid(1): NOBODY, order_gid(2): NOBODY, order_gid(3): JANE}
    assert list(PrivacyRequest.objects.values_list("done_at", flat=True)) == [NOON]


def test_no_later_pull_brings_an_erased_customer_back() -> None:
    store = factories.a_store()
    save_orders(store, [told(1), told(2)], NOON)
    privacy.ask(store, PrivacyKind.FORGET_CUSTOMER, ("gid://1",), NOON)
    privacy.erase_due(NOON, stop=never)

    changed = [replace(told(n), updated_at=NOON, number=f"#{n}-B", customer_name="Jane Doe-Smith") for n in (1, 2)]
    assert save_orders(store, changed, NOON) == PullResult(changed=2)

    assert customers() == {"gid://1": NOBODY, "gid://2": ("Jane Doe-Smith", "jane@example.com", "DE")}
    assert Order.objects.get(external_id="gid://1").number == "#1-B"
    assert save_orders(store, changed, NOON) == PullResult(unchanged=2)


def test_an_order_that_is_pulled_for_the_first_time_after_it_was_asked_for_comes_without_its_customer() -> None:
    store, other = factories.a_store(), factories.a_store()
    privacy.ask(store, PrivacyKind.FORGET_CUSTOMER, ("gid://1",), NOON)
    privacy.erase_due(NOON, stop=never)

    for each in (store, other):
        save_orders(each, [told(1), told(2)], NOON)
        save_orders(each, [replace(told(1), updated_at=NOON)], NOON)

    assert customers(store) == {"gid://1": NOBODY, "gid://2": JANE}
    assert customers(other) == {"gid://1": JANE, "gid://2": JANE}


@pytest.mark.parametrize(
    "fields, erased, reason",
    [
        (GONE, 3, "uninstalled"),
        ({"disconnected_at": NOON, "disconnect_reason": "merchant"}, 3, "merchant"),
        # The message of the app's end was lost, and the store has let nobody in since.
        ({"trouble": "token_refused"}, 3, "uninstalled"),
        # Served again: a person decides.
        ({}, 0, ""),
        ({"trouble": "throttled", "resume_at": NOON}, 0, ""),
    ],
)
def test_a_shop_is_erased_only_when_it_is_gone(fields: dict[str, Any], erased: int, reason: str) -> None:
    store, other = a_shop(**fields), a_shop()
    privacy.ask(store, PrivacyKind.FORGET_SHOP, (), NOON)

    assert privacy.erase_due(NOON, stop=never) == erased

    assert set(customers(store).values()) == {NOBODY if erased else JANE}
    assert set(customers(other).values()) == {JANE}
    assert Store.objects.get(pk=store.pk).disconnect_reason == reason
    assert PrivacyRequest.objects.get().done_at == (NOON if erased else None)


def test_a_large_shop_is_erased_in_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privacy, "CHUNK", 2)
    store = a_shop(**GONE)
    privacy.ask(store, PrivacyKind.FORGET_SHOP, (), NOON)
    answers = iter([False, False])

    assert privacy.erase_due(NOON, stop=lambda: next(answers, True)) == 2
    assert PrivacyRequest.objects.get().done_at is None
    assert privacy.erase_due(NOON, stop=never) == 1

    assert (set(customers().values()), PrivacyRequest.objects.get().done_at) == ({NOBODY}, NOON)


def test_nothing_of_a_customer_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    store = factories.a_store(
        base_url="https://one.myshopify.com", credentials={"client_id": "c", "client_secret": SECRET}, **GONE
    )
    factories.an_order(store, external_id=order_gid(1))
    customer = {"email": "jane@example.com", "phone": "555-625-1199"}

    with caplog.at_level(logging.DEBUG):
        send("/hooks/shopify/", "customers/redact", {"customer": customer, "orders_to_redact": [1]})
        privacy.erase_due(timezone.now(), stop=never)

    assert [r.getMessage() for r in caplog.records if r.name.startswith(("orders", "stores"))] == [
        f"Store {store.pk}: forget_customer, 1 orders",
        f"Store {store.pk}: the customers of 1 orders were erased",
    ]
    assert not [word for word in ("jane", "Doe", "555-625") if word in caplog.text]


def test_a_removed_app_loses_the_tokens_and_nothing_else() -> None:
    store = a_shop(
        credentials={"client_id": "c", "client_secret": "s", "access_token": "shpat_1"},
        token={"access_token": "shpat_2", "refresh_token": "shprt_1"},
        token_expires_at=NOON,
        renewable_until=NOON,
        hook_secret={"secret": "s"},
    )

    assert [uninstalling.uninstalled(store.pk, NOON), uninstalling.uninstalled(store.pk, NOON + timedelta(1))] == [
        True,
        False,
    ]

    found = Store.objects.get(pk=store.pk)
    assert (found.disconnected_at, found.disconnect_reason) == (NOON, "uninstalled")
    assert dict(found.credentials) == {"client_id": "c", "client_secret": "s"}
    assert (dict(found.token), found.token_expires_at, found.renewable_until) == ({}, None, None)
    assert dict(found.hook_secret) == {"secret": "s"}
    assert customers(store) == {order_gid(n): JANE for n in (1, 2, 3)}


# --- What staff answer ----------------------------------------------------------------------------------------


def asked_about() -> PrivacyRequest:
    store = a_shop(name="Mugs & More")
    order = Order.objects.get(store=store, external_id=order_gid(1))
    factories.a_shipment(order, local="YT1", dispatched_at=NOON)
    return privacy.ask(store, PrivacyKind.CUSTOMER_ASKS, (order_gid(1), order_gid(99)), NOON)


def kept_page(request: PrivacyRequest) -> str:
    return reverse("admin:stores_privacyrequest_kept", args=[request.pk])


def test_staff_download_what_is_kept_of_the_orders_that_were_named() -> None:
    asked = asked_about()
    client = logged_in(staff_who_may("stores.view_privacyrequest", "orders.view_order"))

    response = client.get(kept_page(asked))

    content = json.loads(response.content)
    assert (response.status_code, "no-store" in response["Cache-Control"]) == (200, True)
    assert (content["store"], len(content["orders"])) == ("Mugs & More", 1)
    order = content["orders"][0]
    assert (order["customer_name"], order["customer_email"], order["country"]) == JANE
    assert order["shipments"] == [{"parcel": 1, "dispatched_at": NOON.isoformat(), "numbers": ["YT1"]}]
    assert b"shpat" not in response.content


@pytest.mark.parametrize(
    "permissions, status",
    [
        (("stores.view_privacyrequest",), 403),
        (("orders.view_order",), 403),
        ((), 403),
        (("stores.view_privacyrequest", "orders.view_order"), 200),
    ],
)
def test_only_who_may_see_buyers_downloads(permissions: tuple[str, ...], status: int) -> None:
    asked = asked_about()

    assert logged_in(staff_who_may(*permissions)).get(kept_page(asked)).status_code == status
    assert logged_in(factories.a_user()).get(kept_page(asked)).status_code == 302


def test_a_request_is_closed_by_staff_and_an_erasing_closes_by_itself() -> None:
    asked = asked_about()
    erasing = privacy.ask(asked.store, PrivacyKind.FORGET_CUSTOMER, (order_gid(1),), NOON)
    may_close = ("stores.view_privacyrequest", "stores.change_privacyrequest", "orders.view_order")
    client = logged_in(staff_who_may(*may_close))

    listed = client.get(reverse("admin:stores_privacyrequest_changelist"), {"open": "yes"})
    page = client.get(reverse("admin:stores_privacyrequest_change", args=[asked.pk]))
    done = client.post(act_page(asked, "close"), {}, follow=True)
    refused = client.post(act_page(erasing, "close"), {}, follow=True)

    assert (listed.status_code, listed.context["cl"].result_count) == (200, 2)
    assert kept_page(asked) in page.content.decode()
    assert messages_of(done) == ["1 request is closed."]
    assert messages_of(refused) == [
        "Close the request: nothing was done. 1 is left out: closed already, or erased by itself."
    ]
    asked.refresh_from_db()
    erasing.refresh_from_db()
    assert (asked.done_at is None, erasing.done_at is None) == (False, True)
    assert customers(asked.store)[order_gid(1)] == JANE
