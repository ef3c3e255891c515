"""Who was sent to a shop and comes back: taken once, by the same person, from the same browser, within ten minutes."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection

from stores.authorising import invitations, offers, pending
from stores.authorising.finishing import left_store, own_store
from stores.authorising.invitations import State
from stores.authorising.pending import NotTaken, Refused
from stores.choices import DisconnectReason
from stores.models import Invitation, PendingConnection, Store
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db

SHOP = "https://acme.myshopify.com"
HERE = "session-of-this-browser"
APP = {"client_id": "app-1", "client_secret": "a-secret", "grant": "code"}


@pytest.fixture
def merchant() -> User:
    """Who is sent to the shop."""
    return factories.a_user("merchant@example.com")


def begun(merchant: User, **fields: object) -> str:
    """The state of somebody who was sent to the shop at noon."""
    fields.setdefault("credentials", APP)
    return pending.begin(merchant, HERE, "shopify", SHOP, now=NOON, **fields)  # type: ignore[arg-type]


def test_what_was_begun_is_taken_with_all_that_was_known(merchant: User) -> None:
    store = factories.a_store(merchant)
    state = begun(merchant, store_name="Acme", store=store)

    found = pending.take(state, merchant, HERE, NOON + timedelta(minutes=9, seconds=59))

    assert (found.user, found.platform, found.base_url, found.store_name, found.store) == (
        merchant,
        "shopify",
        SHOP,
        "Acme",
        store,
    )
    assert dict(found.credentials) == APP


# --- The table of refusals ----------------------------------------------------------------------------------------

Return = Callable[[str, User], object]


def it_was_made_up(state: str, merchant: User) -> object:
    return pending.take("made-up", merchant, HERE, NOON)


def it_is_empty(state: str, merchant: User) -> object:
    return pending.take("", merchant, HERE, NOON)


def it_is_damaged(state: str, merchant: User) -> object:
    return pending.take(state[:-1], merchant, HERE, NOON)


def somebody_else_brings_it(state: str, merchant: User) -> object:
    return pending.take(state, factories.a_user(), HERE, NOON)


def another_browser_brings_it(state: str, merchant: User) -> object:
    return pending.take(state, merchant, "session-of-another-browser", NOON)


def it_comes_after_ten_minutes(state: str, merchant: User) -> object:
    return pending.take(state, merchant, HERE, NOON + timedelta(minutes=10))


def it_comes_twice(state: str, merchant: User) -> object:
    pending.take(state, merchant, HERE, NOON)
    return pending.take(state, merchant, HERE, NOON)


def it_came_back_in_a_strangers_browser_before(state: str, merchant: User) -> object:
    pending.spoil(state, NOON)
    return pending.take(state, merchant, HERE, NOON)


def it_was_thrown_away_since(state: str, merchant: User) -> object:
    pending.tidy(NOON + timedelta(days=2))
    return pending.take(state, merchant, HERE, NOON + timedelta(days=2))


@pytest.mark.parametrize(
    "what, why, is_told_which",
    [
        (it_was_made_up, Refused.UNKNOWN, False),
        (it_is_empty, Refused.UNKNOWN, False),
        (it_is_damaged, Refused.UNKNOWN, False),
        (somebody_else_brings_it, Refused.OTHER_PERSON, False),
        (another_browser_brings_it, Refused.OTHER_SESSION, True),
        (it_comes_after_ten_minutes, Refused.EXPIRED, True),
        (it_comes_twice, Refused.USED, True),
        (it_came_back_in_a_strangers_browser_before, Refused.USED, True),
        (it_was_thrown_away_since, Refused.UNKNOWN, False),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_return_is_refused_when(what: Return, why: Refused, is_told_which: bool, merchant: User) -> None:
    state = begun(merchant)

    with pytest.raises(NotTaken) as refused:
        what(state, merchant)

    assert (refused.value.why, refused.value.pending is not None) == (why, is_told_which)


def test_a_refused_return_leaves_it_to_who_began(merchant: User) -> None:
    state = begun(merchant)
    for what in (somebody_else_brings_it, another_browser_brings_it, it_is_damaged):
        with pytest.raises(NotTaken):
            what(state, merchant)

    assert pending.take(state, merchant, HERE, NOON).base_url == SHOP


@pytest.mark.django_db(transaction=True)
def test_of_many_who_come_at_once_one_takes_it(merchant: User) -> None:
    together = threading.Barrier(6)

    def take(state: str) -> str:
        try:
            together.wait(timeout=30)
            return f"taken with {dict(pending.take(state, merchant, HERE, NOON).credentials)['client_id']}"
        except NotTaken as error:
            return str(error.why)
        finally:
            connection.close()

    for _ in range(5):
        with ThreadPoolExecutor(6) as pool:
            ended = Counter(pool.map(take, [begun(merchant)] * 6))

        assert ended == {"taken with app-1": 1, "used": 5}


def test_nothing_that_goes_out_or_is_secret_can_be_read_in_the_database(merchant: User) -> None:
    state = begun(merchant)

    with connection.cursor() as cursor:
        cursor.execute("select * from stores_pendingconnection")
        row = " ".join(map(str, cursor.fetchone()))

    assert len(state) == 43
    assert [word for word in (state, HERE, APP["client_secret"]) if word in row] == []


def test_the_access_is_kept_for_no_longer_than_it_is_needed(merchant: User) -> None:
    taken, expired, fresh = begun(merchant), begun(merchant), begun(merchant)
    pending.take(taken, merchant, HERE, NOON)
    PendingConnection.objects.filter(state_hash=pending.hash_of(expired)).update(expires_at=NOON + timedelta(minutes=1))

    pending.tidy(NOON + timedelta(minutes=1))

    kept = {row.state_hash: bool(row.credentials) for row in PendingConnection.objects.all()}
    assert kept == {
        pending.hash_of(taken): False,
        pending.hash_of(expired): False,
        pending.hash_of(fresh): True,
    }


def test_old_rows_go_when_a_new_one_comes(merchant: User) -> None:
    begun(merchant)

    pending.begin(merchant, HERE, "shopify", SHOP, now=NOON + timedelta(days=2))

    assert PendingConnection.objects.count() == 1


# --- The shop's server hands over the key -------------------------------------------------------------------------

KEY = {"consumer_key": "ck_1", "consumer_secret": "cs_1"}


def test_what_the_shops_server_brings_waits_for_the_merchant(merchant: User) -> None:
    state = begun(merchant, credentials=None)

    assert pending.keep_answer(state, KEY, NOON + timedelta(seconds=30)) is True

    found = pending.take(state, merchant, HERE, NOON + timedelta(minutes=1))
    assert (dict(found.credentials), found.answered_at) == (KEY, NOON + timedelta(seconds=30))


def test_the_shops_server_is_heard_once_in_time_and_never_after_the_merchant(merchant: User) -> None:
    twice, late, taken = (begun(merchant, credentials=None) for _ in range(3))
    pending.keep_answer(twice, KEY, NOON)
    pending.take(taken, merchant, HERE, NOON)

    heard = {
        "twice": pending.keep_answer(twice, {"consumer_key": "ck_2"}, NOON),
        "late": pending.keep_answer(late, KEY, NOON + timedelta(minutes=10)),
        "after the merchant": pending.keep_answer(taken, KEY, NOON),
        "made up": pending.keep_answer("made-up", KEY, NOON),
    }

    assert heard == dict.fromkeys(heard, False)
    assert dict(pending.take(twice, merchant, HERE, NOON).credentials) == KEY


# --- Invitations ------------------------------------------------------------------------------------------------


def an_invitation(**fields: str) -> tuple[Invitation, str]:
    """One of noon, and the secret part of its link."""
    known = {"platform": "shopify", "base_url": SHOP, "store_name": "Acme"} | fields
    return invitations.invite(by=factories.a_user(is_staff=True), credentials=APP, now=NOON, **known)


def nothing_happened(invitation: Invitation) -> None:
    pass


def it_was_used(invitation: Invitation) -> None:
    invitations.use(invitation, factories.a_store(), NOON)


def it_was_withdrawn(invitation: Invitation) -> None:
    invitations.withdraw([invitation.pk], NOON)


def a_week_has_passed(invitation: Invitation) -> None:
    Invitation.objects.filter(pk=invitation.pk).update(created_at=NOON - timedelta(days=7), expires_at=NOON)


@pytest.mark.parametrize(
    "what, state, can_be_used",
    [
        (nothing_happened, State.OPEN, True),
        (it_was_used, State.USED, False),
        (it_was_withdrawn, State.WITHDRAWN, False),
        (a_week_has_passed, State.EXPIRED, False),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_an_invitation_is_good_once_and_for_a_week(
    what: Callable[[Invitation], None], state: State, can_be_used: bool
) -> None:
    made, token = an_invitation()
    what(made)

    found = invitations.find(token)

    assert found is not None
    assert invitations.state_of(found, NOON) == state
    assert invitations.use(found, factories.a_store(), NOON) is can_be_used
    assert invitations.withdraw([found.pk], NOON) == 0


def test_the_link_is_kept_nowhere_and_the_secret_goes_with_the_last_use() -> None:
    used, token = an_invitation()
    withdrawn, _ = an_invitation()

    with connection.cursor() as cursor:
        cursor.execute("select * from stores_invitation")
        rows = " ".join(str(value) for row in cursor.fetchall() for value in row)
    it_was_used(used)
    it_was_withdrawn(withdrawn)

    assert [word for word in (token, APP["client_secret"]) if word in rows] == []
    assert [bool(each.credentials) for each in Invitation.objects.all()] == [False, False]
    assert invitations.find("made-up") is None


def test_the_secret_of_an_expired_invitation_goes_when_the_next_one_comes() -> None:
    expired, _ = an_invitation()
    a_week_has_passed(expired)

    fresh, _ = an_invitation()

    assert {each.pk: bool(each.credentials) for each in Invitation.objects.all()} == {expired.pk: False, fresh.pk: True}


# --- Whose store a shop is ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields, is_own, is_left",
    [
        ({}, True, False),
        ({"disconnected_at": NOON, "disconnect_reason": DisconnectReason.UNINSTALLED}, False, True),
        ({"disconnected_at": NOON, "disconnect_reason": DisconnectReason.MERCHANT}, False, False),
        ({"disconnected_at": NOON, "disconnect_reason": DisconnectReason.STAFF}, False, False),
    ],
    ids=["connected", "app removed", "left by its merchant", "left by staff"],
)
def test_a_store_is_taken_up_again_only_where_the_shop_had_removed_the_app(
    fields: dict[str, object], is_own: bool, is_left: bool, merchant: User
) -> None:
    store: Store = factories.a_store(merchant, base_url=SHOP, **fields)

    assert own_store(merchant, "shopify", SHOP) == (store if is_own else None)
    assert left_store(merchant, "shopify", SHOP) == (store if is_left else None)
    assert own_store(factories.a_user(), "shopify", SHOP) is None
    assert left_store(factories.a_user(), "shopify", SHOP) is None


# --- What is offered ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ours, opened, shop, offered, can_answer",
    [
        ("https://track.house.com", [], "https://acme.com", True, True),
        ("http://localhost:8000", [], "https://acme.com", False, False),
        ("http://localhost:8000", ["127.0.0.0/8"], "https://acme.com", True, False),
        ("http://localhost:8000", ["127.0.0.0/8"], "http://127.0.0.1:9000/acme", True, True),
        ("http://localhost:8000", ["127.0.0.0/8"], "http://10.0.0.7/acme", True, False),
    ],
)
def test_woocommerce_is_offered_where_the_shop_can_bring_its_key(
    ours: str, opened: list[str], shop: str, offered: bool, can_answer: bool, settings: object
) -> None:
    settings.TRACKSYNC_URL, settings.TRACKSYNC_ALLOW_HOSTS = ours, opened  # type: ignore[attr-defined]

    assert (offers.is_offered("woocommerce"), offers.can_answer("woocommerce", shop)) == (offered, can_answer)


@pytest.mark.parametrize("client_id, secret, offered", [("app", "secret", True), ("app", "", False), ("", "", False)])
def test_shopify_is_offered_where_the_installation_has_an_app_in_its_list(
    client_id: str, secret: str, offered: bool, settings: object
) -> None:
    settings.TRACKSYNC_SHOPIFY_CLIENT_ID = client_id  # type: ignore[attr-defined]
    settings.TRACKSYNC_SHOPIFY_CLIENT_SECRET = secret  # type: ignore[attr-defined]

    assert offers.is_offered("shopify") is offered
    assert offers.app_for("shopify") == (offers.LISTED_APP if offered else None)


def test_a_store_of_an_app_of_its_own_is_asked_by_that_app_again(merchant: User) -> None:
    of_an_invitation = factories.a_store(merchant, credentials=APP)
    pasted = factories.a_store(merchant)

    assert offers.app_for("shopify", of_an_invitation) == APP
    assert offers.app_for("shopify", pasted) is None
