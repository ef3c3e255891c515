"""A store that is left, or has lost the app, at the moment in which access is asked for."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from stores import hooks, tokens
from stores.authorising import finishing
from stores.choices import DisconnectReason
from stores.connect import AlreadyConnected, check_again
from stores.connectors.codes import Code
from stores.connectors.errors import StoreDisconnected
from stores.connectors.grant import Grant
from stores.models import EPOCH, Store
from stores.uninstalling import uninstalled
from tests import factories
from tests.factories import NOON
from tests.storefronts.woo import PretendWooCommerce

pytestmark = pytest.mark.django_db


def test_a_token_that_comes_after_the_app_was_removed_is_not_kept() -> None:
    asking = uuid.uuid4()
    until = {"token_lease": asking, "token_leased_until": NOON + timedelta(days=3650)}
    store = factories.a_store(credentials={"client_id": "c", "client_secret": "s", "grant": "code"}, **until)

    assert uninstalled(store.pk, NOON)
    kept = tokens.keep(Store.objects.filter(pk=store.pk, token_lease=asking), Grant("late", 3600))

    store = Store.objects.get(pk=store.pk)
    assert (kept, dict(store.token), store.token_lease, store.token_leased_until) == (False, {}, None, EPOCH)


def test_an_app_that_is_back_before_we_believed_that_it_was_removed_keeps_its_new_access() -> None:
    store = factories.a_store(
        credentials={"client_id": "c", "client_secret": "s", "grant": "code"}, token={"access_token": "old"}
    )
    refused = Store.objects.get(pk=store.pk)
    tokens.keep(Store.objects.filter(pk=store.pk), Grant("new", 3600))

    assert uninstalled(store.pk, NOON, refused=refused) is False

    found = Store.objects.get(pk=store.pk)
    assert (found.disconnected_at, dict(found.token)) == (None, {"access_token": "new"})
    assert uninstalled(store.pk, NOON, refused=found) is True


def test_new_access_that_comes_after_the_merchant_left_is_not_kept(pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop()
    store = factories.a_store_in(shop, hook_topics=[])
    while_it_answers = Store.objects.get(pk=store.pk)
    hooks.disconnect(store, DisconnectReason.MERCHANT, NOON)

    with pytest.raises(StoreDisconnected) as refused:
        check_again(while_it_answers, dict(shop.credentials))

    found = Store.objects.get(pk=store.pk)
    assert refused.value.reason.code == Code.RECONNECT_NEEDED
    assert (found.disconnected_at, dict(found.credentials), dict(found.token)) == (NOON, {}, {})


def test_a_store_that_was_left_gets_no_access_to_a_shop_that_somebody_connected_while_it_answered(
    pretend_woo: PretendWooCommerce,
) -> None:
    shop = pretend_woo.shop()
    left = factories.a_store_in(shop, disconnected_at=NOON, disconnect_reason=DisconnectReason.UNINSTALLED)
    others = factories.a_store_in(shop)

    with pytest.raises(AlreadyConnected):
        finishing._take_up(left, dict(shop.credentials), None)

    found = Store.objects.get(pk=left.pk)
    assert (found.disconnected_at, dict(found.credentials), dict(found.token)) == (NOON, {}, {})
    assert dict(Store.objects.get(pk=others.pk).credentials) == dict(shop.credentials)
