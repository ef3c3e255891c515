"""The stores' messages: who is subscribed to, with which secret, what is armed again, and what ends with the store."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orders import tasks
from stores import hooks
from stores.fields import Secret
from stores.models import Store
from tests import factories
from tests.conftest import NOON
from tests.storefronts.client import PretendShopify, Shop

pytestmark = pytest.mark.django_db

TOPICS = [
    "orders/create",
    "orders/updated",
    "orders/paid",
    "orders/cancelled",
    "fulfillment_orders/hold_released",
    "fulfillment_orders/scheduled_fulfillment_order_ready",
    "fulfillment_orders/order_routing_complete",
    "app/uninstalled",
    "app/scopes_update",
]


def a_store_of(shop: Shop, **fields: Any) -> Store:
    """A store with an app of its merchant's own, whose secret signs."""
    shop.deliver_to("http://127.0.0.1:1")
    return factories.a_store(base_url=shop.base_url, credentials=dict(shop.client_credentials), **fields)


def fresh(store: Store) -> Store:
    return Store.objects.get(pk=store.pk)


# --- Secrets and addresses ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "credentials, kept, secrets",
    [
        ({"client_id": "c", "client_secret": "now"}, {}, ("now",)),
        ({"client_id": "c", "client_secret": "now"}, {"secret": "now"}, ("now",)),
        # Changed a moment ago: the store may still sign with the one before.
        ({"client_id": "c", "client_secret": "now"}, {"secret": "old"}, ("now", "old")),
        ({"client_id": "c", "client_secret": "now"}, {"secret": "now", "before": "old"}, ("now", "old")),
        ({"app": "listed", "grant": "code"}, {}, ("of the listed app",)),
        # A token tells no secret: nothing could be believed.
        ({"access_token": "shpat_1"}, {}, ()),
        ({}, {}, ()),
    ],
)
def test_where_the_app_signs_its_secrets_are_believed(
    credentials: dict[str, str], kept: dict[str, str], secrets: tuple[str, ...], settings: Any
) -> None:
    settings.TRACKSYNC_SHOPIFY_CLIENT_ID = "listed"
    settings.TRACKSYNC_SHOPIFY_CLIENT_SECRET = "of the listed app"
    store = factories.a_store(credentials=credentials, hook_secret=kept)

    assert hooks.secrets_of(fresh(store)) == secrets


@pytest.mark.parametrize(
    "url, base_url, reaches",
    [
        ("https://tracking.example.com", "https://one.myshopify.com", True),
        ("https://93.184.216.34", "https://one.myshopify.com", True),
        ("http://tracking.example.com", "https://one.myshopify.com", False),
        ("https://localhost", "https://one.myshopify.com", False),
        ("https://tracksync", "https://one.myshopify.com", False),
        ("https://tracking.internal", "https://one.myshopify.com", False),
        ("https://10.0.0.7", "https://one.myshopify.com", False),
        # The demo and tests: a store in a network that was opened on purpose finds us where we are.
        ("http://localhost:8000", "http://127.0.0.1:9/one", True),
        ("http://localhost:8000", "http://localhost:9/one", True),
        ("http://localhost:8000", "http://10.0.0.7/one", False),
    ],
)
def test_a_store_is_armed_where_it_can_reach_us(url: str, base_url: str, reaches: bool, settings: Any) -> None:
    settings.TRACKSYNC_URL = url
    store = factories.a_store(base_url=base_url, credentials={"client_id": "c", "client_secret": "s"})

    assert hooks.needs_arming(fresh(store), NOON) is reaches


@pytest.mark.parametrize(
    "fields, needs",
    [
        ({}, True),
        ({"hooks_armed_at": NOON - timedelta(hours=25)}, True),
        ({"hooks_armed_at": NOON - timedelta(hours=23)}, False),
        ({"is_paused": True}, True),
        ({"trouble": "throttled", "resume_at": NOON}, True),
        ({"trouble": "token_refused"}, False),
        ({"disconnected_at": NOON, "disconnect_reason": "merchant"}, False),
        ({"credentials": {"access_token": "shpat_1"}}, False),
    ],
)
def test_a_connected_store_is_looked_after_once_a_day(fields: dict[str, Any], needs: bool) -> None:
    settled = {"credentials": {"client_id": "c", "client_secret": "s"}, "base_url": "http://127.0.0.1:9/one"}

    assert hooks.needs_arming(fresh(factories.a_store(**settled | fields)), NOON) is needs


# --- Subscribing ----------------------------------------------------------------------------------------


def test_a_store_is_subscribed_to_once_and_asked_for_nothing_but_ids_of_its_orders(shop: Shop) -> None:
    store = a_store_of(shop)

    assert (hooks.arm(store, NOON), hooks.arm(fresh(store), NOON + timedelta(days=1))) == (0, 0)

    store = fresh(store)
    address = f"http://localhost:8000/hooks/shopify/{store.hook_key}/"
    assert (store.hook_topics, store.hooks_armed_at) == (TOPICS, NOON + timedelta(days=1))
    assert hooks.address_of(store) == address
    ids = ["id", "admin_graphql_api_id", "updated_at"]
    assert shop.subscriptions() == [
        {
            "topic": topic.upper().replace("/", "_"),
            "uri": address,
            "fields": ids if topic.startswith("orders/") else [],
        }
        for topic in TOPICS
    ]
    assert shop.book()["counts"]["mutations"] == {"webhookSubscriptionCreate": len(TOPICS)}


def test_what_a_store_does_not_let_us_hear_of_is_left_out_and_told(
    pretend: PretendShopify, caplog: pytest.LogCaptureFixture
) -> None:
    shop = pretend.shop(scopes=["read_orders", "read_locations"])
    store = a_store_of(shop)

    with caplog.at_level(logging.WARNING, logger="stores"):
        hooks.arm(store, NOON)

    left = [topic for topic in TOPICS if not topic.startswith("fulfillment_orders/")]
    assert fresh(store).hook_topics == left
    told = "; ".join(f"{topic} (no scope)" for topic in TOPICS if topic not in left)
    assert [record.getMessage() for record in caplog.records] == [f"Shopify does not tell us of {told}"]


def test_what_vanished_is_armed_again_by_the_daily_task_and_counted(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    store = a_store_of(shop)
    assert tasks.arm_hooks() == 0
    all_of_them = shop.subscriptions()
    shop.do("forget_subscriptions", topics=["ORDERS_UPDATED", "APP_UNINSTALLED"])

    assert tasks.arm_hooks() == 0  # not a day yet
    Store.objects.update(hooks_armed_at=timezone.now() - timedelta(hours=25))
    with caplog.at_level(logging.WARNING, logger="stores"):
        lost = tasks.arm_hooks()

    assert lost == 2
    assert sorted(shop.subscriptions(), key=str) == sorted(all_of_them, key=str)
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        f"Store {store.pk}: 2 of its subscriptions were gone or silent, and are armed again",
        "2 subscriptions in 1 stores had been lost; the pull of orders has found the rest",
    ]


@pytest.mark.parametrize("fault", ["503", "timeout_after", "internal_200"])
def test_a_store_that_cannot_be_armed_is_no_trouble_and_tried_again_an_hour_later(
    pretend: PretendShopify, fault: str, settings: Any
) -> None:
    settings.TRACKSYNC_CALL_LIMIT_SECONDS = 0.5
    shop = pretend.shop()
    store = a_store_of(shop)
    shop.fault(fault, on="all" if fault == "503" else "mutation", times=1)

    now = timezone.now()
    assert hooks.arm_due(now, stop=lambda: False) == hooks.Armed(stores=1, failed=1)

    store = fresh(store)
    assert (store.trouble, store.hook_topics) == ("", [])
    assert not hooks.needs_arming(store, now + timedelta(minutes=59))
    later = now + timedelta(hours=1)
    assert hooks.arm_due(later, stop=lambda: False) == hooks.Armed(stores=1)
    # What a lost answer had made is found and not made twice.
    assert sorted(one["topic"] for one in shop.subscriptions()) == sorted(
        topic.upper().replace("/", "_") for topic in TOPICS
    )


def test_a_changed_secret_is_remembered_beside_the_one_before_until_the_next_day(shop: Shop) -> None:
    store = a_store_of(shop)
    hooks.arm(store, NOON)
    old = shop.client_secret
    Store.objects.update(credentials=Secret({"client_id": shop.client_id, "client_secret": "a-new-one"}))
    # The pretend store gives a token for the old secret only; what is kept of it does for the subscriptions.
    Store.objects.update(token=Secret({"access_token": shop.token}), token_expires_at=NOON + timedelta(days=9999))

    hooks.arm(fresh(store), NOON + timedelta(days=1))
    after_a_day = hooks.secrets_of(fresh(store))
    hooks.arm(fresh(store), NOON + timedelta(days=2))

    assert after_a_day == ("a-new-one", old)
    assert hooks.secrets_of(fresh(store)) == ("a-new-one",)


def test_two_who_arm_at_once_do_it_once(shop: Shop) -> None:
    store = a_store_of(shop)
    seen_before = fresh(store)

    hooks.arm(store, NOON)
    asked = shop.book()["counts"]["requests"]

    assert hooks.arm(seen_before, NOON + timedelta(seconds=1)) == 0
    assert shop.book()["counts"]["requests"] == asked


# --- The end --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason, keeps_access", [("merchant", False), ("staff", True)])
def test_a_disconnected_store_sends_us_nothing_any_more(shop: Shop, reason: str, keeps_access: bool) -> None:
    store = a_store_of(shop)
    hooks.arm(store, NOON)

    assert hooks.disconnect(fresh(store), reason, NOON) is True
    assert bool(fresh(store).credentials)  # needed once more
    hooks.let_go(store.pk)

    store = fresh(store)
    assert shop.subscriptions() == []
    assert (store.disconnect_reason, store.hook_topics, store.hooks_armed_at) == (reason, [], None)
    assert (bool(store.credentials), bool(store.token), bool(store.hook_secret)) == (keeps_access,) * 3


def test_a_store_that_is_not_there_to_be_let_go_of_is_let_go_of_all_the_same(shop: Shop) -> None:
    store = a_store_of(shop)
    hooks.arm(store, NOON)
    hooks.disconnect(fresh(store), "merchant", NOON)
    shop.fault("503")

    # The task was lost: the round that arms the others finds it.
    assert hooks.arm_due(NOON, stop=lambda: False) == hooks.Armed()

    store = fresh(store)
    assert (dict(store.credentials), dict(store.token), store.hook_topics) == ({}, {}, [])
    assert hooks.secrets_of(store) == ()  # whatever still comes is refused


def test_a_store_that_never_told_us_anything_keeps_no_access_for_a_moment(shop: Shop) -> None:
    store = a_store_of(shop)

    assert hooks.disconnect(store, "merchant", NOON) is False

    assert dict(fresh(store).credentials) == {}
