"""Connecting and reconnecting a store with what its merchant's consent gave."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from stores import connections, trouble
from stores.connect import check_again, connect
from stores.connectors.codes import Code
from stores.connectors.errors import ConnectorError, StoreBusy, StoreDisconnected
from stores.models import Store
from tests import factories
from tests.storefronts.client import App, PretendShopify, Shop
from tests.stores.consents import BACK, a_grant, a_store_by_consent, an_app_in, asked, held

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def app(shop: Shop) -> App:
    """An app that was made for the shop."""
    return an_app_in(shop)


def connecting(shop: Shop, app: App, now: datetime, **changes: Any) -> Store:
    given = {
        "owner": factories.a_user(),
        "platform": "shopify",
        "name": "Acme",
        "base_url": shop.base_url,
        "credentials": app.credentials,
        "now": now,
    }
    if "grant" not in changes:
        changes["grant"] = a_grant(shop, app)
    return connect(**(given | changes))


def test_what_a_consent_gave_is_kept_with_the_store(shop: Shop, app: App, now: datetime) -> None:
    store = connecting(shop, app, now)

    (in_shop,) = shop.tokens()
    assert dict(store.token) == {"access_token": in_shop["access"][0], "refresh_token": in_shop["refresh"][0]}
    assert dict(store.credentials) == app.credentials
    assert held(store) == dict(store.token)
    assert Store.objects.filter(
        token_expires_at__range=(Now() + timedelta(minutes=59), Now() + timedelta(hours=1)),
        renewable_until__range=(Now() + 89 * DAY, Now() + 90 * DAY),
    ).exists()
    # Nothing was asked for but the exchange of the code.
    assert asked(shop) == {"code": 1}


def test_a_store_of_the_listed_app_keeps_no_secret_of_it(pretend: PretendShopify, now: datetime, settings: Any) -> None:
    shop, app = pretend.shop(), pretend.app(redirect_uris=[BACK])
    settings.TRACKSYNC_SHOPIFY_CLIENT_ID = app.client_id
    settings.TRACKSYNC_SHOPIFY_CLIENT_SECRET = app.client_secret

    store = connecting(shop, app, now, credentials={"app": "listed", "grant": "code"})
    Store.objects.update(token_expires_at=now)

    assert connections.tokens_of(store).current() == held(store)["access_token"]
    assert dict(Store.objects.get().credentials) == {"app": "listed", "grant": "code"}
    assert asked(shop) == {"code": 1, "refresh_token": 1}


@pytest.mark.parametrize(
    "credentials, app",
    [
        ({"client_id": "a", "client_secret": "b", "grant": "code"}, ("a", "b")),
        ({"client_id": "a", "client_secret": "b"}, ("a", "b")),
        ({"app": "listed", "grant": "code"}, ("listed id", "listed secret")),
        # An id that somebody slipped in beside does not count.
        ({"app": "listed", "grant": "code", "client_id": "a"}, ("listed id", "listed secret")),
    ],
)
def test_the_app_of_a_connection(credentials: dict[str, str], app: tuple[str, str], settings: Any) -> None:
    settings.TRACKSYNC_SHOPIFY_CLIENT_ID, settings.TRACKSYNC_SHOPIFY_CLIENT_SECRET = "listed id", "listed secret"

    assert connections.app_of(credentials) == app


@pytest.mark.parametrize(
    "credentials, missing",
    [
        ({}, ["client_id", "client_secret"]),
        ({"client_id": "a", "grant": "code"}, ["client_secret"]),
        (
            {"app": "listed", "grant": "code"},
            ["TRACKSYNC_SHOPIFY_CLIENT_ID", "TRACKSYNC_SHOPIFY_CLIENT_SECRET"],
        ),
    ],
)
def test_an_app_that_is_not_there_is_named(credentials: dict[str, str], missing: list[str]) -> None:
    with pytest.raises(StoreDisconnected) as refused:
        connections.app_of(credentials)

    assert refused.value.reason.code == Code.CREDENTIALS_INCOMPLETE
    assert dict(refused.value.reason.values) == {"missing": missing}


def test_a_consent_that_lacks_what_we_need_names_it_and_nothing_is_kept(shop: Shop, now: datetime) -> None:
    app = an_app_in(shop, optional=["read_locations", "write_merchant_managed_fulfillment_orders"])
    grant = a_grant(shop, app, decline=["read_locations", "write_merchant_managed_fulfillment_orders"])

    with pytest.raises(StoreDisconnected) as refused:
        connecting(shop, app, now, grant=grant)

    assert refused.value.reason.code == Code.SCOPE_MISSING
    assert refused.value.reason.values["scopes"] == ["write_merchant_managed_fulfillment_orders", "read_locations"]
    assert Store.objects.count() == 0


def test_the_app_of_a_consent_connects_nothing_without_it(shop: Shop, app: App, now: datetime) -> None:
    with pytest.raises(StoreDisconnected) as refused:
        connecting(shop, app, now, grant=None)

    assert refused.value.reason.code == Code.RECONNECT_NEEDED
    assert Store.objects.count() == 0


# --- Reconnecting --------------------------------------------------------------------------------------------


def test_a_store_whose_access_died_is_reconnected_by_another_consent(shop: Shop, app: App, now: datetime) -> None:
    store = a_store_by_consent(shop, app)
    shop.end_refresh_tokens()
    trouble.disconnected(store.pk, StoreDisconnected(Code.RECONNECT_NEEDED), now)
    before = held(store)

    check_again(store, grant=a_grant(shop, app))

    assert (store.trouble, dict(store.token)) == ("", held(store))
    assert set(held(store).values()).isdisjoint(before.values())
    assert connections.tokens_of(store).current() == held(store)["access_token"]


def test_a_store_with_a_token_of_its_own_moves_to_a_consent(shop: Shop, app: App) -> None:
    store = factories.a_store_in(shop)

    check_again(store, app.credentials, a_grant(shop, app))

    assert dict(Store.objects.get().credentials) == app.credentials
    assert sorted(held(store)) == ["access_token", "refresh_token"]


def test_a_store_by_consent_moves_to_an_app_of_the_merchants_own(shop: Shop, app: App) -> None:
    store = a_store_by_consent(shop, app)

    check_again(store, shop.client_credentials)

    assert (held(store), store.token_expires_at, store.renewable_until) == ({}, None, None)


def test_checking_again_uses_the_token_that_is_kept_and_renews_it_where_it_must(shop: Shop, app: App) -> None:
    store = a_store_by_consent(shop, app)
    check_again(store)
    assert asked(shop) == {"code": 1}

    shop.expire_token()
    check_again(store)

    assert asked(shop) == {"code": 1, "refresh_token": 1}
    assert dict(store.token) == held(store)
    assert shop.tokens()[0]["access"] == [held(store)["access_token"]]


def test_the_new_secret_of_the_same_app_keeps_the_tokens(shop: Shop, app: App) -> None:
    store = a_store_by_consent(shop, app)
    before = held(store)

    check_again(store, app.credentials)

    assert held(store) == before


def test_another_app_needs_another_consent(shop: Shop, app: App) -> None:
    store = a_store_by_consent(shop, app)
    before = held(store)

    with pytest.raises(StoreDisconnected) as refused:
        check_again(store, an_app_in(shop).credentials)

    assert refused.value.reason.code == Code.RECONNECT_NEEDED
    assert (held(store), dict(Store.objects.get().credentials)) == (before, app.credentials)


def the_store_is_down(shop: Shop) -> None:
    shop.fault("503")


def a_scope_is_missing(shop: Shop) -> None:
    shop.settings(scopes=["read_orders", "read_locations"])


@pytest.mark.parametrize(
    "what, error", [(the_store_is_down, StoreBusy), (a_scope_is_missing, StoreDisconnected)], ids=lambda v: v.__name__
)
def test_the_new_tokens_of_the_same_app_are_kept_though_the_check_failed(
    what: Any, error: type[ConnectorError], shop: Shop, app: App, now: datetime
) -> None:
    # The shop has ended the old ones: thrown away, the new ones would leave nothing that works.
    store = a_store_by_consent(shop, app)
    trouble.disconnected(store.pk, StoreDisconnected(Code.SCOPE_MISSING), now)
    grant = a_grant(shop, app)
    what(shop)
    renamed = app.credentials | {"client_secret": "the new one"}

    with pytest.raises(error):
        check_again(store, renamed, grant)

    assert dict(Store.objects.get().credentials) == renamed
    assert held(store) == {"access_token": grant.access_token, "refresh_token": grant.refresh_token}
    store.refresh_from_db()
    assert (store.trouble, store.needs_reconnecting) == (Code.SCOPE_MISSING, True)


def test_a_store_whose_app_was_removed_keeps_nothing_of_a_consent_that_does_not_work(shop: Shop, app: App) -> None:
    store = a_store_by_consent(
        shop, app, disconnected_at=factories.NOON, disconnect_reason="uninstalled", token={}, renewable_until=None
    )
    shop.uninstall()
    grant = a_grant(shop, app)
    shop.fault("503")

    with pytest.raises(StoreBusy):
        check_again(store, app.credentials, grant)

    assert held(store) == {}


def test_what_another_app_was_given_is_not_kept_when_the_check_failed(shop: Shop, app: App) -> None:
    store = a_store_by_consent(shop, app)
    before = held(store)
    other = an_app_in(shop)
    grant = a_grant(shop, other)
    shop.fault("503")

    with pytest.raises(StoreBusy):
        check_again(store, other.credentials, grant)

    assert (held(store), dict(Store.objects.get().credentials)) == (before, app.credentials)
