"""Numbers of a store whose merchant consented: its token ends each hour and nobody notices, or dies and one does."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models.functions import Now

from orders.pull import pull_store
from stores.connectors.codes import Code
from stores.keeping import keep_alive
from stores.models import Store
from tests import factories
from tests.orders.pushing import a_parcel, an_order_in, live, make_due, push
from tests.storefronts.client import Shop
from tests.stores.consents import a_store_by_consent, asked, held

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def store(shop: Shop) -> Store:
    """A store by consent with one number that is due."""
    store = a_store_by_consent(shop)
    a_parcel(an_order_in(shop, store), "YT1")
    assert asked(shop) == {"code": 1}
    return store


def it_ended(shop: Shop, store: Store) -> None:
    shop.expire_token()
    Store.objects.update(token_expires_at=Now())


def it_ended_unseen(shop: Shop, store: Store) -> None:
    shop.expire_token()


@pytest.mark.parametrize("what", [it_ended, it_ended_unseen], ids=lambda value: value.__name__)
def test_a_number_arrives_though_the_token_ended(what: Any, shop: Shop, store: Store) -> None:
    what(shop, store)

    push(store)

    assert live(shop) == [(["YT1"], 2)]
    assert asked(shop) == {"code": 1, "refresh_token": 1}
    assert shop.tokens()[0]["access"] == [held(store)["access_token"]]


def test_a_token_endpoint_out_of_order_makes_the_number_wait_and_nothing_else(shop: Shop, store: Store) -> None:
    it_ended(shop, store)
    shop.fault("520_after", on="token", times=1)

    push(store)
    assert (live(shop), Store.objects.get().trouble) == ([], Code.SERVER_ERROR)
    make_due(store)
    push(store)

    assert live(shop) == [(["YT1"], 2)]
    assert Store.objects.get().trouble == ""


def test_a_dead_refresh_token_is_tried_once_and_the_number_waits_for_the_merchant(shop: Shop, store: Store) -> None:
    it_ended(shop, store)
    shop.end_refresh_tokens()

    push(store)
    make_due(store)
    push(store)
    keep_alive(factories.NOON)

    found = Store.objects.get()
    assert (found.trouble, found.needs_reconnecting) == (Code.RECONNECT_NEEDED, True)
    assert not Store.objects.pulling().exists()
    assert asked(shop) == {"code": 1, "refresh_token": 1, "refresh_token refused": 1}
    assert live(shop) == []


def test_a_pull_renews_a_token_as_well(shop: Shop, store: Store) -> None:
    it_ended(shop, store)

    pull_store(store, now=factories.NOON)

    assert asked(shop) == {"code": 1, "refresh_token": 1}
    assert Store.objects.get().trouble == ""


def test_a_kind_of_token_that_is_no_longer_taken_needs_the_merchant(shop: Shop) -> None:
    store = factories.a_store_in(shop)
    a_parcel(an_order_in(shop, store), "YT1")
    shop.fault("403")

    push(store)

    found = Store.objects.get()
    assert (found.trouble, found.trouble_values, found.resume_at) == (Code.TOKEN_KIND_REFUSED, {"status": 403}, None)
