"""WooCommerce's messages from end to end: subscribed, really delivered, fallen silent without a word, woken again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orders import tasks
from orders.hints import read_store
from orders.models import Order
from stores import hooks
from stores.models import Store
from tests import factories
from tests.storefronts.woo import PretendWooCommerce, WooShop

from .hooking import hinted, rows

pytestmark = pytest.mark.django_db(transaction=True)

TOPICS = ["order.created", "order.deleted", "order.restored", "order.updated"]


def a_store_of(shop: WooShop) -> Store:
    """Connected, and subscribed to."""
    store = factories.a_store(platform="woocommerce", base_url=shop.base_url, credentials=dict(shop.credentials))
    assert hooks.arm(store, timezone.now()) == 0
    return Store.objects.get(pk=store.pk)


def a_shop(pretend: PretendWooCommerce) -> WooShop:
    """One that sends to any address, as in a test."""
    return pretend.shop(lenient_callback=True)


def read(store: Store) -> int:
    return read_store(Store.objects.get(pk=store.pk), timezone.now(), stop=lambda: False)


def statuses(delivered: list[dict[str, Any]]) -> list[tuple[str, int | None]]:
    return sorted((one["topic"], one["status"]) for one in delivered)


def test_messages_of_a_store_arrive_and_are_read_again(pretend_woo: PretendWooCommerce, live_server: Any) -> None:
    shop = a_shop(pretend_woo)
    store = a_store_of(shop)
    pings = shop.deliver_hooks(to=live_server.url)

    made = shop.add_order()
    shop.touch(made["id"])
    delivered = shop.deliver_hooks(to=live_server.url)
    kept = rows()

    assert sorted(hook["topic"] for hook in shop.hooks()) == TOPICS
    assert statuses(pings) == [("ping", 200)] * 4
    assert {status for _, status in statuses(delivered)} == {200}
    assert kept == (len(delivered), 1)
    assert (hinted(), read(store), hinted()) == ([str(made["id"])], 1, [])
    assert Order.objects.get().external_id == str(made["id"])


def test_a_store_that_has_fallen_silent_is_woken_by_the_daily_task_and_counted(
    pretend_woo: PretendWooCommerce, live_server: Any
) -> None:
    shop = a_shop(pretend_woo)
    store = a_store_of(shop)
    shop.deliver_hooks(to=live_server.url)
    made = shop.add_order()
    shop.deliver_hooks(to=live_server.url)
    # We are away for a while: the store tries, and then no more. It tells nobody.
    for _ in range(7):
        shop.touch(made["id"])
        shop.deliver_hooks(to="http://127.0.0.1:1")
    silent = {hook["topic"]: hook["status"] for hook in shop.hooks()}
    shop.touch(made["id"])
    unheard = shop.deliver_hooks(to=live_server.url)

    Store.objects.filter(pk=store.pk).update(hooks_armed_at=timezone.now() - timedelta(days=1))
    lost = tasks.arm_hooks()
    shop.touch(made["id"])
    heard = shop.deliver_hooks(to=live_server.url)

    assert silent["order.updated"] == "disabled"
    assert (statuses(unheard), lost) == ([], 1)
    assert {hook["status"] for hook in shop.hooks()} == {"active"}
    assert statuses(heard) == [("order.updated", 200)]


def test_a_disconnected_store_is_unsubscribed_and_our_secret_is_gone(pretend_woo: PretendWooCommerce) -> None:
    shop = a_shop(pretend_woo)
    store = a_store_of(shop)

    assert hooks.disconnect(store, "merchant", timezone.now()) is True
    tasks.let_go(store.pk)

    store = Store.objects.get(pk=store.pk)
    assert (shop.hooks(), hooks.secrets_of(store), dict(store.credentials)) == ([], (), {})


def test_every_store_has_a_secret_of_its_own_that_no_html_changes(pretend_woo: PretendWooCommerce) -> None:
    secrets = [hooks.secrets_of(a_store_of(a_shop(pretend_woo))) for _ in range(2)]

    assert len({secret for (secret,) in secrets}) == 2
    assert all(len(secret) == 64 and set(secret) <= set("0123456789abcdef") for (secret,) in secrets)
