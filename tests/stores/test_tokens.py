"""The token of a store whose merchant consented: renewed in time, saved before it is used, mended when an answer
was lost.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from pytest_django import DjangoAssertNumQueries

from stores import connections, trouble
from stores.connectors.codes import Code
from stores.connectors.errors import ConnectorError, StoreBusy, StoreDisconnected
from stores.connectors.grant import Grant
from stores.models import EPOCH, Store
from stores.tokens import SavedToken, forget, keep
from tests import factories
from tests.storefronts.client import App, Shop
from tests.stores.consents import a_grant, a_store_by_consent, an_app_in, asked, held

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def app(shop: Shop) -> App:
    """An app that was made for the shop."""
    return an_app_in(shop)


@pytest.fixture
def store(shop: Shop, app: App) -> Store:
    """The shop, connected by its merchant's consent."""
    return a_store_by_consent(shop, app)


def ends_in(store: Store, seconds: float) -> None:
    """The token that is kept ends so soon."""
    Store.objects.filter(pk=store.pk).update(token_expires_at=Now() + timedelta(seconds=seconds))


def name_of(store: Store) -> str:
    """One call to the store's API, as all the others are made."""
    store.refresh_from_db()
    connector = connections.open_connector(store)
    try:
        return connector.check().shop_name
    finally:
        connections.close(connector)


def left(store: Store, field: str) -> timedelta:
    """The time from now to one of the store's ends, by the database's clock."""
    found = Store.objects.filter(pk=store.pk).annotate(now=Now()).values_list(field, "now").get()
    span: timedelta = found[0] - found[1]
    return span


# --- When it is renewed ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "seconds_left, refreshes", [(3600, 0), (301, 0), (299, 1), (1, 1), (-1, 1), (-86400, 1)], ids=str
)
def test_a_token_is_renewed_when_less_than_five_minutes_are_left(
    seconds_left: int, refreshes: int, shop: Shop, store: Store
) -> None:
    ends_in(store, seconds_left)

    # Twice: what was renewed is not renewed again.
    assert [name_of(store), name_of(store)] == [shop.name] * 2

    assert asked(shop).get("refresh_token", 0) == refreshes


def test_both_tokens_and_both_ends_are_kept(shop: Shop, store: Store) -> None:
    before = held(store)
    ends_in(store, 0)
    Store.objects.filter(pk=store.pk).update(renewable_until=Now() + DAY)

    name_of(store)

    (in_shop,) = shop.tokens()
    after = held(store)
    # The one before is good until the new one is used.
    assert in_shop["refresh"] == [before["refresh_token"], after["refresh_token"]]
    assert in_shop["access"] == [after["access_token"]]
    assert timedelta(seconds=3590) < left(store, "token_expires_at") <= timedelta(seconds=3600)
    assert 89 * DAY < left(store, "renewable_until") <= 90 * DAY
    assert Store.objects.filter(token_lease=None, token_leased_until=EPOCH).count() == 1


def test_what_was_renewed_is_saved_in_one_statement(
    store: Store, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    grant = Grant("access", 60, (), "refresh", 120)

    with django_assert_num_queries(1):
        assert keep(Store.objects.filter(pk=store.pk), grant)

    assert held(store) == {"access_token": "access", "refresh_token": "refresh"}
    assert timedelta(seconds=50) < left(store, "token_expires_at") <= timedelta(seconds=60)
    assert timedelta(seconds=110) < left(store, "renewable_until") <= timedelta(seconds=120)


def test_a_token_that_the_store_refuses_is_renewed_once_and_the_call_repeated(shop: Shop, store: Store) -> None:
    shop.expire_token()

    assert name_of(store) == shop.name

    assert asked(shop) == {"code": 1, "refresh_token": 1}


def test_a_store_that_refuses_the_new_token_too_is_not_asked_a_third_time(shop: Shop, store: Store) -> None:
    shop.fault("401")

    with pytest.raises(StoreDisconnected) as refused:
        name_of(store)

    assert refused.value.reason.code == Code.TOKEN_REFUSED
    assert asked(shop) == {"code": 1, "refresh_token": 1}
    assert shop.book()["counts"]["faults"] == {"401": 2}


@pytest.mark.parametrize(
    "grant, held_after, lives, renewable",
    [
        # The store does not say how long: never "for ever".
        (Grant("a2", 3600, (), "r2"), {"access_token": "a2", "refresh_token": "r2"}, 60 * MINUTE, 90 * DAY),
        (Grant("a2", 60, (), "r2", 86400), {"access_token": "a2", "refresh_token": "r2"}, MINUTE, DAY),
        # It gives no new one: the one that is held stays, with its end.
        (Grant("a2", 60, ()), {"access_token": "a2", "refresh_token": "r1"}, MINUTE, 50 * DAY),
    ],
)
def test_what_the_store_leaves_out_is_not_for_ever(
    grant: Grant, held_after: dict[str, str], lives: timedelta, renewable: timedelta, store: Store
) -> None:
    keep(Store.objects.filter(pk=store.pk), Grant("a1", 1, (), "r1", (50 * DAY).total_seconds()))

    SavedToken(store.pk, lambda held, until: grant).current()

    assert held(store) == held_after
    assert lives - MINUTE / 2 < left(store, "token_expires_at") <= lives
    assert renewable - MINUTE < left(store, "renewable_until") <= renewable


def test_a_token_bought_with_an_app_of_the_merchants_own_needs_no_refresh_token(shop: Shop) -> None:
    store = factories.a_store(base_url=shop.base_url, credentials=shop.client_credentials)

    assert [name_of(store), name_of(store)] == [shop.name] * 2

    assert asked(shop) == {"client_credentials": 1}
    store.refresh_from_db()
    assert (sorted(store.token), store.renewable_until) == (["access_token"], None)


# --- An answer that was lost -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", ["timeout_after", "reset_after", "cut_json", "cut_body", "520_after", "520", "502_html", "500_after"]
)
def test_a_renewal_whose_answer_was_lost_is_mended_by_the_next_one(
    kind: str, shop: Shop, store: Store, settings: Any
) -> None:
    settings.TRACKSYNC_CALL_LIMIT_SECONDS = 0.5
    before = held(store)
    ends_in(store, 0)
    shop.fault(kind, on="token", times=1)

    with pytest.raises(StoreBusy):
        name_of(store)
    assert held(store) == before
    assert Store.objects.get().token_lease is None

    settings.TRACKSYNC_CALL_LIMIT_SECONDS = 20
    assert name_of(store) == shop.name

    # Two renewals later the shop and we still hold the same.
    ends_in(store, 0)
    name_of(store)
    (in_shop,) = shop.tokens()
    assert (in_shop["access"], in_shop["refresh"][-1]) == ([held(store)["access_token"]], held(store)["refresh_token"])


def test_a_store_that_is_down_for_a_day_needs_no_person(shop: Shop, store: Store, settings: Any) -> None:
    settings.TRACKSYNC_CALL_LIMIT_SECONDS = 0.5
    ends_in(store, 0)
    for kind in ("520_after", "520", "reset_after", "cut_json", "503", "timeout_after"):
        shop.fault(kind, on="token", times=1)
        with pytest.raises(StoreBusy):
            name_of(store)

    assert name_of(store) == shop.name


# --- A token that nothing renews ---------------------------------------------------------------------------


def nobody_used_it_for_ninety_days(shop: Shop, store: Store) -> None:
    shop.end_refresh_tokens()
    ends_in(store, 0)


def the_app_was_removed(shop: Shop, store: Store) -> None:
    shop.uninstall()


def the_merchant_consented_elsewhere(shop: Shop, store: Store) -> None:
    # In another installation of the same app, which now holds the only line of tokens.
    app = App("", store.credentials["client_id"], store.credentials["client_secret"])
    a_grant(shop, app)


def the_tokens_were_thrown_away(shop: Shop, store: Store) -> None:
    forget(Store.objects.filter(pk=store.pk))


@pytest.mark.parametrize(
    "what",
    [
        nobody_used_it_for_ninety_days,
        the_app_was_removed,
        the_merchant_consented_elsewhere,
        the_tokens_were_thrown_away,
    ],
    ids=lambda value: value.__name__,
)
def test_a_store_whose_access_cannot_be_renewed_needs_its_merchant(
    what: Callable[[Shop, Store], None], shop: Shop, store: Store
) -> None:
    what(shop, store)

    with pytest.raises(StoreDisconnected) as refused:
        name_of(store)

    assert refused.value.reason.code == Code.RECONNECT_NEEDED
    trouble.disconnected(store.pk, refused.value, factories.NOON)
    # Nobody tries any more.
    assert not Store.objects.pulling().exists()
    assert not Store.objects.pushing().exists()


def test_an_app_whose_secret_was_changed_is_another_matter(shop: Shop, store: Store) -> None:
    ends_in(store, 0)
    Store.objects.update(credentials=dict(store.credentials) | {"client_secret": "an-old-one"})

    with pytest.raises(StoreDisconnected) as refused:
        name_of(store)

    assert refused.value.reason.code == Code.TOKEN_REFUSED


# --- Who may renew it ----------------------------------------------------------------------------------------


def test_while_somebody_asks_the_right_to_is_taken(store: Store) -> None:
    ends_in(store, 0)
    free = Store.objects.filter(pk=store.pk, token_lease=None, token_leased_until__lte=Now())
    found = []

    def ask(refresh_token: str, until: float) -> Grant:
        found.append((refresh_token, free.exists()))
        return Grant("new", 3600, (), "next", 3600)

    before = held(store)["refresh_token"]
    assert [SavedToken(store.pk, ask).current() for _ in range(2)] == ["new"] * 2

    assert (found, free.exists()) == ([(before, False)], True)


def test_who_gets_the_right_to_ask_looks_first_whether_somebody_was_done_a_moment_ago(shop: Shop, store: Store) -> None:
    # It found the token ended; before it got the right to ask, another process had renewed it.
    source: Any = connections.tokens_of(store)

    assert source._renew(refused="") == held(store)["access_token"]
    assert source._renew(refused="an older one") == held(store)["access_token"]

    assert asked(shop) == {"code": 1}
    assert Store.objects.get().token_lease is None


def test_what_came_too_late_is_not_saved_over_a_new_consent(store: Store) -> None:
    ends_in(store, 0)

    def ask(refresh_token: str, until: float) -> Grant:
        keep(Store.objects.filter(pk=store.pk), Grant("consented", 3600, (), "to", 3600))
        return Grant("late", 3600, (), "later", 3600)

    with pytest.raises(StoreBusy):
        SavedToken(store.pk, ask).current()

    assert held(store) == {"access_token": "consented", "refresh_token": "to"}
    assert SavedToken(store.pk, ask).current() == "consented"


def test_a_refusal_that_came_too_late_is_nobodys_trouble(store: Store) -> None:
    ends_in(store, 0)

    def ask(refresh_token: str, until: float) -> Grant:
        keep(Store.objects.filter(pk=store.pk), Grant("consented", 3600, (), "to", 3600))
        raise StoreDisconnected(Code.RECONNECT_NEEDED)

    with pytest.raises(StoreBusy):
        SavedToken(store.pk, ask).current()

    assert SavedToken(store.pk, ask).current() == "consented"


def test_a_renewal_that_begins_too_late_is_not_sent(shop: Shop, store: Store) -> None:
    # The process stood still after it took the right to ask: by now somebody else may be asking.
    ends_in(store, 0)
    source: Any = connections.tokens_of(store)
    ask = source._ask_store

    with pytest.raises(ConnectorError) as late:
        SavedToken(store.pk, lambda held, until: ask(held, until - 60)).current()

    assert late.value.reason.code == Code.NO_TIME
    assert asked(shop) == {"code": 1}


# --- No secret anywhere --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["", "401", "520_after", "cut_json", "dead"])
def test_no_token_gets_into_a_message_or_the_log(
    kind: str, shop: Shop, app: App, store: Store, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    settings.TRACKSYNC_CALL_LIMIT_SECONDS = 2
    caplog.set_level(logging.DEBUG)
    secrets = {*held(store).values(), app.client_secret}
    ends_in(store, 0)
    if kind == "dead":
        shop.end_refresh_tokens()
    elif kind:
        shop.fault(kind, on="all" if kind == "401" else "token")
    said = ""

    try:
        name_of(store)
    except ConnectorError as error:
        trouble_of = trouble.disconnected if isinstance(error, StoreDisconnected) else trouble.busy
        trouble_of(store.pk, error, factories.NOON)  # type: ignore[arg-type]
        said = f"{error!r} {error.message} {error.reason}"

    store.refresh_from_db()
    secrets |= set(held(store).values())
    told = f"{said} {caplog.text} {store!r} {store.token!r} {store.credentials!r} {connections.tokens_of(store)!r}"
    assert bool(said) == bool(kind)
    assert [secret for secret in secrets if secret in told] == []
