"""What staff start that reaches into a store: the check of its connection, and cancelling what we made there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from orders.models import SyncAttempt, TrackingSync
from stores.models import Store
from tests import factories
from tests.orders.admin_cast import act_page, logged_in, messages_of, the_boss
from tests.orders.pushing import a_parcel, an_order_in, live, make_due, push
from tests.storefronts.client import Shop

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def store(shop: Shop) -> Store:
    long_ago = timezone.now() - timedelta(days=30)
    return factories.a_store_in(shop, name="Blue Mug", sync_from=long_ago)


@pytest.fixture
def boss() -> Client:
    return logged_in(the_boss())


def act(client: Client, row: Any, name: str) -> Any:
    return client.post(act_page(row, name), follow=True)


def test_a_store_that_lets_us_in_again_is_well_and_its_numbers_go_on(store: Store, boss: Client) -> None:
    Store.objects.filter(pk=store.pk).update(trouble="token_refused", trouble_since=timezone.now())

    answer = act(boss, store, "check")

    store.refresh_from_db()
    assert messages_of(answer)[0].startswith("Blue Mug: it lets us in as “")
    assert (store.trouble, store.needs_reconnecting) == ("", False)
    assert "last checked" in answer.content.decode()


def test_a_store_that_refuses_us_needs_reconnecting(shop: Shop, store: Store, boss: Client) -> None:
    shop.revoke_token()

    answer = act(boss, store, "check")

    store.refresh_from_db()
    assert messages_of(answer) == ["Blue Mug: The store no longer accepts our access."]
    assert (store.trouble, store.needs_reconnecting) == ("token_refused", True)


def test_a_fulfillment_is_cancelled_in_the_store_and_sent_again_only_when_a_person_says_so(
    shop: Shop, store: Store, boss: Client
) -> None:
    shipment = a_parcel(an_order_in(shop, store), "YT2600000000000001")
    push(store)
    sent = live(shop)

    answer = act(boss, shipment, "cancel_fulfillment")
    cancelled = live(shop)
    push(store)
    stays = live(shop)
    act(boss, shipment, "try_again")
    make_due(store)
    push(store)

    assert messages_of(answer) == ["The fulfillment is cancelled in the store, and the parcel is out of the sync."]
    assert answer.context["explanation"].headline.startswith("The number was taken back out of Shopify from here")
    assert (sent, cancelled, stays, live(shop)) == (
        [(["YT2600000000000001"], 2)],
        [],
        [],
        [(["YT2600000000000001"], 2)],
    )
    assert SyncAttempt.objects.get(outcome="cancelled").actor == the_boss()


def test_a_fulfillment_that_two_parcels_share_is_not_cancelled(shop: Shop, store: Store, boss: Client) -> None:
    order = an_order_in(shop, store)
    first = a_parcel(order, "YT2600000000000001")
    second = a_parcel(order, "YT2600000000000002", parcel=2)
    for _ in range(2):
        push(store)
        make_due(store)
    rows = TrackingSync.objects.filter(shipment__in=[first, second])
    shared = {tuple(row.fulfillments) for row in rows}

    answer = act(boss, first, "cancel_fulfillment")

    assert len(shared) == 1
    assert messages_of(answer) == ["Another parcel of the order lies in the same fulfillment, so it is not cancelled."]
    assert live(shop) == [(["YT2600000000000001", "YT2600000000000002"], 2)]
