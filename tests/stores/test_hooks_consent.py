"""A store that its merchant let an app into: its messages are signed by the app, and outlive a removal of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orders import tasks
from orders.hints import read_store
from stores import hooks
from stores.connect import check_again
from stores.models import Store
from tests.orders.hooking import bring
from tests.storefronts.client import PretendShopify, Shop
from tests.stores.consents import BACK, a_grant, a_store_by_consent, an_app_in

pytestmark = pytest.mark.django_db


def armed(shop: Shop, **fields: Any) -> Store:
    shop.deliver_to("http://127.0.0.1:1")
    shop.do("hold_deliveries")
    store = a_store_by_consent(shop, **fields)
    hooks.arm(store, timezone.now())
    return Store.objects.get(pk=store.pk)


def read(store: Store) -> int:
    return read_store(Store.objects.get(pk=store.pk), timezone.now(), stop=lambda: False)


def test_the_messages_of_a_store_by_consent_are_genuine(shop: Shop) -> None:
    store = armed(shop)
    shop.add_order()

    assert {bring(one) for one in shop.deliveries()} == {200}
    assert read(store) == 1


def test_the_secret_of_the_listed_app_is_that_of_the_installation(
    pretend: PretendShopify, shop: Shop, settings: Any
) -> None:
    app = pretend.app(redirect_uris=[BACK])
    settings.TRACKSYNC_SHOPIFY_CLIENT_ID = app.client_id
    settings.TRACKSYNC_SHOPIFY_CLIENT_SECRET = app.client_secret
    store = armed(shop, app=app)
    Store.objects.update(credentials={"app": "listed", "grant": "code"}, hook_secret={})
    shop.add_order()

    assert hooks.secrets_of(Store.objects.get(pk=store.pk)) == (app.client_secret,)
    assert {bring(one) for one in shop.deliveries()} == {200}


def test_an_app_that_is_let_in_again_is_subscribed_to_again_and_old_messages_of_its_end_are_nothing(
    shop: Shop,
) -> None:
    app = an_app_in(shop)
    shop.deliver_to("http://127.0.0.1:1")
    shop.do("hold_deliveries")
    store = a_store_by_consent(shop, app)
    hooks.arm(store, timezone.now())
    topics = sorted(one["topic"] for one in shop.subscriptions())
    shop.uninstall()
    (ended,) = shop.deliveries("app/uninstalled")
    bring(ended)
    assert read(store) == 1
    gone = Store.objects.get(pk=store.pk)
    left = (gone.disconnect_reason, dict(gone.token), gone.hook_key)

    check_again(gone, app.credentials, grant=a_grant(shop, app))
    Store.objects.update(disconnected_at=None, disconnect_reason="", hooks_armed_at=None)
    assert tasks.arm_hooks() == 0
    bring({**ended, "headers": {**ended["headers"], "X-Shopify-Webhook-Id": "replayed under another id"}})
    read(store)

    back = Store.objects.get(pk=store.pk)
    assert left == ("uninstalled", {}, back.hook_key)
    assert (back.disconnected_at, back.trouble) == (None, "")
    assert sorted(one["topic"] for one in shop.subscriptions()) == topics
    assert hooks.needs_arming(back, timezone.now()) is False


def test_access_that_nobody_renewed_is_kept_alive_by_a_task(shop: Shop) -> None:
    store = armed(shop)
    Store.objects.filter(pk=store.pk).update(
        token_expires_at=timezone.now() - timedelta(days=31), renewable_until=timezone.now() + timedelta(days=50)
    )

    assert tasks.keep_alive() == 1
    assert tasks.keep_alive() == 0
