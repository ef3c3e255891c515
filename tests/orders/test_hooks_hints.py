"""What was hinted at is read again, once: held orders go, echoes push nothing, and no message is simply believed."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from orders import hints, tasks
from orders.hints import Read, read_store
from orders.models import Order, OrderHint, TrackingSync
from stores import hooks
from stores.connectors.base import Hook, HookKind
from stores.models import Store
from tests import factories
from tests.storefronts.client import PretendShopify, Shop

from .hooking import bring, hinted, rows
from .pushing import a_parcel, an_order_in, live, make_due, push, push_until_synced, stands, timeline

pytestmark = pytest.mark.django_db


def never() -> bool:
    return False


def subscribed(shop: Shop, **fields: Any) -> Store:
    """A store with an app of its own, subscribed to; its messages are made, and brought by the test."""
    shop.deliver_to("http://127.0.0.1:1")
    shop.do("hold_deliveries")
    store = factories.a_store(base_url=shop.base_url, credentials=dict(shop.client_credentials), **fields)
    hooks.arm(store, timezone.now())
    return Store.objects.get(pk=store.pk)


def bring_all(shop: Shop, *, since: int = 0) -> int:
    """Bring all messages that the store has made since the so-manieth; how many there are now."""
    made = shop.deliveries()
    assert {bring(one) for one in made[since:]} <= {200}
    return len(made)


def read(store: Store) -> int:
    return read_store(Store.objects.get(pk=store.pk), timezone.now(), stop=never)


def hint(store: Store, *ids: str, now: datetime | None = None) -> None:
    hints.keep(store, Hook(HookKind.ORDER, "orders/updated", "", ids), now or timezone.now())


# --- Orders -------------------------------------------------------------------------------------------------


def test_an_order_nobody_knew_is_saved_and_a_changed_one_is_changed(shop: Shop) -> None:
    store = subscribed(shop)
    shop.add_order([("MUG", "A mug", 2)], paid=False)
    bring_all(shop)
    assert read(store) == 1
    (order,) = Order.objects.all()
    before = (order.number, order.shopper_paid_at, order.cancelled_at)

    shop.mark_paid(order.number)
    shop.cancel_order(order.number)
    bring_all(shop)
    assert read(store) == 1

    order.refresh_from_db()
    assert before == ("#1001", None, None)
    assert (order.shopper_paid_at is None, order.cancelled_at is None) == (False, False)
    assert hinted() == []


@pytest.mark.parametrize("how", ["as_made", "reversed", "shuffled"])
def test_messages_in_any_order_and_any_number_end_at_what_the_store_has(shop: Shop, how: str) -> None:
    store = subscribed(shop)
    for number in range(3):
        shop.add_order([("MUG", "A mug", 2)])
        shop.touch(f"#{1001 + number}")
    shop.cancel_order("#1002")
    made = shop.deliveries()
    if how == "reversed":
        made.reverse()
    if how == "shuffled":
        made = made[::2] + made[1::2]

    for one in made * 3:
        assert bring(one) == 200
        read(store)

    found = {order.number: order.cancelled_at is not None for order in Order.objects.all()}
    assert found == {"#1001": False, "#1002": True, "#1003": False}
    assert rows() == (len(made), 0)


def test_many_hints_of_a_store_are_read_in_one_call(pretend: PretendShopify) -> None:
    shop = pretend.shop(bucket=20_000, restore_rate=10_000)
    store = factories.a_store_in(shop)
    ids = [one["id"] for one in shop.add_orders(hints.AT_ONCE + 10)]
    hint(store, *ids)
    asked = shop.book()["counts"]["reads"]

    assert read(store) == len(ids)

    assert (Order.objects.count(), hinted()) == (len(ids), [])
    assert shop.book()["counts"]["reads"] - asked <= 4


def test_an_order_that_the_store_does_not_show_any_more_is_forgotten(shop: Shop) -> None:
    store = factories.a_store_in(shop)
    there = shop.add_order()
    hint(store, "gid://shopify/Order/1", there["id"])

    assert read(store) == 2

    assert (list(Order.objects.values_list("external_id", flat=True)), hinted()) == ([there["id"]], [])


def test_a_hint_that_was_given_again_while_it_was_read_is_read_again(shop: Shop) -> None:
    store = factories.a_store_in(shop)
    gid = shop.add_order()["id"]
    hint(store, gid)
    (seen,) = hints._next(store)
    hint(store, gid)

    assert hints._forget([seen]) == 0
    assert hinted() == [gid]
    assert read(store) == 1
    assert hinted() == []


@pytest.mark.parametrize(
    "fault, trouble", [("503", "server_error"), ("throttled", "throttled"), ("401", "token_refused")]
)
def test_a_store_that_does_not_answer_keeps_its_hints(shop: Shop, fault: str, trouble: str) -> None:
    store = factories.a_store_in(shop)
    gid = shop.add_order()["id"]
    hint(store, gid)
    shop.fault(fault)

    assert read(store) == 0

    assert (Store.objects.get(pk=store.pk).trouble, hinted()) == (trouble, [gid])
    shop.clear_faults()
    assert read(store) == 0  # it has to wait, for a while or for a person
    Store.objects.update(trouble="", resume_at=None)
    assert read(store) == 1


def test_an_id_that_is_none_is_forgotten_and_holds_up_no_other(shop: Shop) -> None:
    store = factories.a_store_in(shop)
    gid = shop.add_order()["id"]
    hint(store, "58", gid)

    assert read(store) == 2
    assert (list(Order.objects.values_list("external_id", flat=True)), hinted()) == ([gid], [])


# --- Held back ----------------------------------------------------------------------------------------------


def test_what_was_held_back_goes_as_soon_as_the_store_says_so(shop: Shop) -> None:
    store = subscribed(shop)
    held, other = (an_order_in(shop, store, ("MUG", "A mug", 1)) for _ in range(2))
    shop.hold(held.number)
    shop.hold(other.number)
    parcels = [a_parcel(order, f"YT{order.pk}") for order in (held, other)]
    push(store)
    assert [stands(parcel)[:2] for parcel in parcels] == [("due", "on_hold")] * 2
    since = len(shop.deliveries())

    shop.release(held.number)
    released = [one for one in shop.deliveries()[since:] if one["topic"] == "fulfillment_orders/hold_released"]
    assert [list(json.loads(one["body"])["fulfillment_order"]) for one in released] == [["id", "status"]]
    # Only that one comes: which order it is, is asked of the store.
    assert [bring(one) for one in released] == [200]
    assert read(store) == 1
    push(store)

    assert [stands(parcel)[:2] for parcel in parcels] == [("synced", ""), ("due", "on_hold")]
    assert live(shop) == [([f"YT{held.pk}"], 1)]


# --- Our own writes come back -------------------------------------------------------------------------------


def test_an_echo_of_our_own_write_pushes_nothing(shop: Shop) -> None:
    store = subscribed(shop)
    order = an_order_in(shop, store, ("MUG", "A mug", 2))
    parcel = a_parcel(order, "YT1", lines={"MUG": 2})
    since = bring_all(shop)
    read(store)
    push_until_synced(store)
    writes = shop.book()["counts"]["mutations"]

    for _ in range(5):  # an echo of an echo would come here
        since, told = bring_all(shop, since=since), since
        read(store)
        make_due(store)
        push(store)

    assert told == since  # the last rounds brought nothing new
    assert [one["topic"] for one in shop.deliveries()[-1:]] == ["orders/updated"]
    assert shop.book()["counts"]["mutations"] == writes
    assert (stands(parcel)[0], timeline(parcel), live(shop)) == ("synced", ["created"], [(["YT1"], 2)])


def test_an_echo_of_one_parcel_does_not_hurry_another_that_is_not_ready(shop: Shop) -> None:
    store = subscribed(shop)
    order = an_order_in(shop, store, ("MUG", "A mug", 2))
    a_parcel(order, "YT1", lines={"MUG": 1})
    waiting = a_parcel(order, "YT2", parcel=2, lines={"MUG": 1}, dispatched=False)
    push(store)

    bring_all(shop)
    read(store)
    push(store)

    assert stands(waiting) == ("waiting", "not_dispatched", "", "")
    assert live(shop) == [(["YT1"], 1)]


# --- About the store as a whole -------------------------------------------------------------------------------


def test_a_removed_app_is_asked_after_and_then_nothing_is_pushed(shop: Shop) -> None:
    store = subscribed(shop)
    order = an_order_in(shop, store, ("MUG", "A mug", 1))
    shop.uninstall()
    (told,) = shop.deliveries("app/uninstalled")
    a_parcel(order, "YT1")

    assert bring(told) == 200
    hint(store, order.external_id)
    assert read(store) == 1

    store = Store.objects.get(pk=store.pk)
    assert (store.disconnect_reason, dict(store.token), store.hook_topics) == ("uninstalled", {}, [])
    assert (store.trouble, hinted()) == ("", [])
    # What the platform has to tell of the shop from now on is signed with the app's secret still.
    assert hooks.secrets_of(store)
    assert (Order.objects.count(), TrackingSync.objects.count()) == (1, 1)
    assert store not in Store.objects.pushing()
    assert live(shop) == []


def test_an_old_message_of_a_removed_app_does_nothing_once_the_app_is_back(shop: Shop) -> None:
    store = subscribed(shop)
    shop.uninstall()
    (told,) = shop.deliveries("app/uninstalled")
    shop.do("reinstall")

    assert bring(told) == 200
    assert read(store) == 1

    store = Store.objects.get(pk=store.pk)
    assert (store.disconnected_at, store.trouble, hinted()) == (None, "", [])


def test_a_store_that_does_not_answer_is_asked_again_whether_the_app_was_removed(shop: Shop) -> None:
    store = subscribed(shop)
    shop.uninstall()
    (told,) = shop.deliveries("app/uninstalled")
    bring(told)
    shop.fault("503", on="all")
    shop.fault("503", on="token")

    assert read(store) == 0
    assert hinted() == [hints.REMOVED]

    shop.clear_faults()
    assert read(store) == 1
    assert Store.objects.get(pk=store.pk).disconnect_reason == "uninstalled"


@pytest.mark.parametrize("fault, trouble", [("402", "shop_frozen"), ("404", "shop_not_found")])
def test_a_shop_that_is_shut_for_another_reason_has_not_removed_the_app(fault: str, trouble: str, shop: Shop) -> None:
    """Its message may be days old; what lets us in must not be thrown away because of it."""
    store = subscribed(shop)
    shop.uninstall()
    (told,) = shop.deliveries("app/uninstalled")
    shop.do("reinstall")
    bring(told)
    shop.fault(fault)
    before = dict(store.credentials)

    assert read(store) == 1

    store = Store.objects.get(pk=store.pk)
    assert (store.disconnected_at, store.trouble, hinted()) == (None, trouble, [])
    assert dict(store.credentials) == before


def test_a_removed_app_is_asked_after_where_the_store_waits_for_a_person_already(shop: Shop) -> None:
    """The push was quicker than the message: 401 came first."""
    store = subscribed(shop)
    shop.uninstall()
    Store.objects.update(trouble="token_refused", trouble_since=timezone.now())
    (told,) = shop.deliveries("app/uninstalled")
    bring(told)

    assert hints._waiting(timezone.now()) == [store.pk]
    assert read(store) == 1
    store = Store.objects.get(pk=store.pk)
    assert (store.disconnect_reason, store.trouble) == ("uninstalled", "")


def test_changed_permissions_are_looked_at_and_subscribed_to(pretend: PretendShopify) -> None:
    few = ["read_orders", "read_locations", "write_merchant_managed_fulfillment_orders"]
    shop = pretend.shop(scopes=few)
    store = subscribed(shop)
    since = len(shop.deliveries())

    shop.do("change_scopes", scopes=["read_orders"])
    bring_all(shop, since=since)
    assert read(store) == 1
    without = Store.objects.get(pk=store.pk)
    shop.do("change_scopes", scopes=few)
    (told,) = shop.deliveries("app/scopes_update")[1:]
    bring(told)
    assert read(store) == 1

    store = Store.objects.get(pk=store.pk)
    assert (without.trouble, without.resume_at) == ("scope_missing", None)
    assert (store.trouble, hinted()) == ("", [])
    assert {"read_orders", "read_locations", few[2]} <= set(store.facts["scopes"])
    assert datetime.fromisoformat(store.facts["checked_at"]) > timezone.now() - timedelta(minutes=1)


def test_the_page_of_a_store_that_has_lost_the_app_says_so_and_that_nothing_is_lost(shop: Shop) -> None:
    store = subscribed(shop)
    shop.uninstall()
    bring(shop.deliveries("app/uninstalled")[0])
    read(store)
    client = Client()
    client.force_login(store.owner)

    page = client.get(reverse("store", args=[store.pk])).content.decode()

    assert "The app was removed in Shopify on" in page
    assert "What is here of them was kept." in page
    assert "begins afresh" not in page


# --- The task -----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
class TestTheTask:
    """Several stores at a time, in threads: rows are really committed."""

    def test_a_message_rings_and_the_task_reads_all_stores(self, pretend: PretendShopify) -> None:
        shops = [pretend.shop() for _ in range(3)]
        stores = [subscribed(shop) for shop in shops]
        for shop in shops:
            shop.add_order()
            bring_all(shop)
        assert OrmQ.objects.count() == 1  # one ring for all

        assert tasks.read_hints() == 3

        assert sorted(Order.objects.values_list("store", flat=True)) == [store.pk for store in stores]
        assert hinted() == []
        assert tasks.read_hints() == 0

    def test_a_broken_store_holds_up_no_other(self, pretend: PretendShopify) -> None:
        good, bad = pretend.shop(), pretend.shop()
        store, other = factories.a_store_in(good), factories.a_store_in(bad)
        bad.fault("503")
        hint(other, bad.add_order()["id"], now=timezone.now() - timedelta(hours=1))
        hint(store, good.add_order()["id"])

        read = hints.read_hinted(timezone.now(), stop=never)

        assert read == Read(stores=2, hints=1)
        assert list(OrderHint.objects.values_list("store", flat=True)) == [other.pk]

    def test_what_the_stop_left_is_told(self, pretend: PretendShopify) -> None:
        shop = pretend.shop()
        store = factories.a_store_in(shop)
        hint(store, shop.add_order()["id"])
        answers = iter([False, False])

        stopped = hints.read_hinted(timezone.now(), stop=lambda: next(answers, True))

        assert (stopped.hints, stopped.is_cut_short) == (0, True)
        assert hints.read_hinted(timezone.now(), stop=never) == Read(stores=1, hints=1)

    def test_messages_are_really_delivered(self, shop: Shop, live_server: Any) -> None:
        shop.deliver_to(live_server.url)
        store = factories.a_store(base_url=shop.base_url, credentials=dict(shop.client_credentials))
        hooks.arm(store, timezone.now())

        made = shop.add_order()
        shop.touch(made["name"])
        first = shop.delivered()
        shop.do("deliver_again", order="shuffled", times=3)
        again = {status for one in shop.delivered() for status in one["statuses"]}

        assert [one["topic"] for one in first] == ["orders/create", "orders/paid", "orders/updated"]
        assert [one["statuses"] for one in first] == [[200]] * 3
        assert again == {200}
        assert rows() == (3, 1)
        assert tasks.read_hints() == 1
        assert Order.objects.get().external_id == made["id"]
