"""Messages at the door: verified before anything else, taken once, and nothing told to whoever has no secret."""

from __future__ import annotations

import hmac
import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from orders import hints
from orders.models import OrderHint
from orders.views.hooks import MOST_BYTES
from stores import hooks
from stores.models import HookDelivery, PrivacyRequest, Store
from tests import factories
from tests.conftest import NOON

from .hooking import SECRET, address, headers_of, hinted, order_gid, rows, send, signed

pytestmark = pytest.mark.django_db

APP = "/hooks/shopify/"
REFUSED = (401, b"The signature does not fit.")
TAKEN = (200, b"")


def a_store(**fields: Any) -> Store:
    """A store that was subscribed to: its own app signs."""
    settled = {
        "base_url": "https://one.myshopify.com",
        "credentials": {"client_id": "c", "client_secret": SECRET},
        "hook_key": uuid.uuid4(),
        "hook_topics": ["orders/updated"],
        "hooks_armed_at": NOON,
    }
    return factories.a_store(**settled | fields)


# --- Topic, signature, shop, repetition -------------------------------------------------------------------

WORK = {"fulfillment_order": {"id": "gid://shopify/FulfillmentOrder/7", "status": "open"}}
REDACT = {"orders_to_redact": [1, 2], "customer": {"email": "jane@example.com"}}
ASKS = {"orders_requested": [1]}
# topic, content → the hint that is kept, the request that staff see.
TOLD: list[tuple[str, dict[str, Any], list[str], list[str]]] = [
    ("orders/updated", {"id": 1}, [order_gid(1)], []),
    ("orders/create", {"id": 2}, [order_gid(2)], []),
    ("orders/paid", {"id": 3}, [order_gid(3)], []),
    ("orders/cancelled", {"admin_graphql_api_id": order_gid(4)}, [order_gid(4)], []),
    ("fulfillment_orders/hold_released", WORK, ["gid://shopify/FulfillmentOrder/7"], []),
    ("app/uninstalled", {"id": 1}, [hints.REMOVED], []),
    ("app/scopes_update", {"id": 1}, [hints.PERMISSIONS], []),
    ("customers/data_request", ASKS, [], ["customer_asks"]),
    ("customers/redact", REDACT, [], ["forget_customer"]),
    ("shop/redact", {"shop_id": 1}, [], ["forget_shop"]),
    ("products/update", {"id": 1}, [], []),
    ("orders/updated", {"nothing": "of use"}, [], []),
]


@pytest.mark.parametrize("is_again", [False, True], ids=["first", "again"])
@pytest.mark.parametrize("is_known", [True, False], ids=["known", "unknown"])
@pytest.mark.parametrize("is_genuine", [True, False], ids=["genuine", "forged"])
@pytest.mark.parametrize("topic, content, hint, asked", TOLD)
def test_only_what_is_genuine_and_of_a_known_shop_is_taken_and_only_once(
    topic: str,
    content: dict[str, Any],
    hint: list[str],
    asked: list[str],
    is_genuine: bool,
    is_known: bool,
    is_again: bool,
) -> None:
    store = a_store()
    path = address(store) if is_known else f"/hooks/shopify/{uuid.uuid4()}/"
    secret = SECRET if is_genuine else "guessed"

    answers = {send(path, topic, content, secret=secret, delivery="d-1") for _ in range(2 if is_again else 1)}

    is_taken = is_genuine and is_known
    assert answers == {TAKEN if is_taken else REFUSED}
    assert hinted() == (hint if is_taken else [])
    assert list(PrivacyRequest.objects.values_list("kind", flat=True)) == (asked if is_taken else [])
    assert HookDelivery.objects.count() == (1 if is_taken else 0)


@pytest.mark.parametrize(
    "path",
    ["/hooks/nosuch/{key}/", "/hooks/woocommerce/{key}/", "/hooks/shopify/00000000-0000-4000-8000-000000000000/"],
)
def test_a_shop_that_is_not_here_answers_as_one_whose_signature_is_wrong(path: str) -> None:
    store = a_store()
    response = Client().post(path.format(key=store.hook_key), b"{}", content_type="application/json")
    forged = Client().post(address(store), b"{}", content_type="application/json")

    assert (response.status_code, response.content) == (forged.status_code, forged.content) == REFUSED
    assert dict(response.headers) == dict(forged.headers)


@pytest.mark.parametrize("fields", [{"hook_secret": {}}, {"credentials": {"access_token": "shpat_1"}}])
def test_where_we_hold_no_secret_nothing_is_believed(fields: dict[str, Any]) -> None:
    store = a_store(**{"credentials": {}, **fields})

    assert {send(address(store), secret=secret) for secret in (SECRET, "", "shpat_1")} == {REFUSED}
    assert rows() == (0, 0)


def test_a_message_needs_no_session_and_leaves_none() -> None:
    client = Client(enforce_csrf_checks=True)
    store = a_store()

    assert send(address(store), client=client) == TAKEN
    assert dict(client.cookies) == {}


def test_only_a_post_is_a_message() -> None:
    path = address(a_store())

    assert [Client().get(path).status_code, Client().put(path).status_code, Client().get(APP).status_code] == [405] * 3


def test_what_is_too_long_is_not_read() -> None:
    store = a_store()
    body = b"x" * (MOST_BYTES + 1)
    headers = headers_of("orders/updated", body)

    answer = Client().post(address(store), body, content_type="application/json", headers=headers)

    assert (answer.status_code, rows()) == (413, (0, 0))


def test_the_very_bytes_are_verified() -> None:
    store = a_store()
    body = '{"id": 1, "name": "Grüße \\ud83d"}'.encode()
    headers = headers_of("orders/updated", body)

    good = Client().post(address(store), body, content_type="application/json", headers=headers)
    rewritten = Client().post(
        address(store), json.dumps(json.loads(body)).encode(), content_type="application/json", headers=headers
    )

    assert (good.status_code, rewritten.status_code) == (200, 401)


def test_nothing_of_a_message_is_kept_but_its_id_its_topic_and_the_order() -> None:
    store = a_store()
    buyer = {"id": 1, "email": "jane@example.com", "shipping_address": {"name": "Jane Doe"}, "name": "#1001"}

    send(address(store), "orders/updated", buyer, delivery="d-1")

    kept = [*HookDelivery.objects.values().all(), *OrderHint.objects.values().all()]
    received = HookDelivery.objects.get().received_at
    assert kept == [
        {
            "id": kept[0]["id"],
            "store_id": store.pk,
            "delivery_id": f"d-1:{order_gid(1)}",
            "topic": "orders/updated",
            "received_at": received,
        },
        {"id": kept[1]["id"], "store_id": store.pk, "external_id": order_gid(1), "hinted_at": received},
    ]


# --- WooCommerce --------------------------------------------------------------------------------------------


def a_woo_store() -> Store:
    return a_store(platform="woocommerce", base_url="https://shop.example", hook_secret={"secret": SECRET})


def woo(store: Store, body: bytes, secret: str = SECRET, delivery: str = "d-1") -> int:
    headers = {
        "X-WC-Webhook-Topic": "order.updated",
        "X-WC-Webhook-Signature": signed(body, secret),
        "X-WC-Webhook-Delivery-ID": delivery,
    }
    return Client().post(address(store), body, content_type="application/json", headers=headers).status_code


def test_a_woocommerce_store_signs_with_a_secret_of_its_own() -> None:
    store, other = a_woo_store(), a_store(base_url="https://two.myshopify.com")
    consumer = "ck_1"

    assert [woo(store, b'{"id": 58}', secret) for secret in (SECRET, "guessed", consumer)] == [200, 401, 401]
    assert list(OrderHint.objects.values_list("store", "external_id")) == [(store.pk, "58")]
    assert other.pk != store.pk


def test_one_id_of_two_orders_of_the_same_second_is_two_messages() -> None:
    store = a_woo_store()

    assert [woo(store, b'{"id": 58}'), woo(store, b'{"id": 59}'), woo(store, b'{"id": 58}')] == [200, 200, 200]
    assert (hinted(), HookDelivery.objects.count()) == (["58", "59"], 2)


@pytest.mark.parametrize("is_known", [True, False])
def test_the_unsigned_ping_of_woocommerce_is_answered_whoever_is_there(is_known: bool) -> None:
    key = a_woo_store().hook_key if is_known else uuid.uuid4()

    answer = Client().post(
        f"/hooks/woocommerce/{key}/", b"webhook_id=1", content_type="application/x-www-form-urlencoded"
    )

    assert (answer.status_code, answer.content, rows()) == (200, b"", (0, 0))


def test_a_long_unsigned_body_is_no_ping() -> None:
    body = b"webhook_id=" + b"1" * 500

    answer = Client().post(address(a_woo_store()), body, content_type="application/x-www-form-urlencoded")

    assert answer.status_code == 401


# --- Repeated, late, out of order -------------------------------------------------------------------------


def test_a_hint_that_is_given_again_is_the_same_row_with_another_time() -> None:
    store = a_store()
    send(address(store), delivery="d-1")
    first = OrderHint.objects.get()

    send(address(store), delivery="d-2")

    again = OrderHint.objects.get()
    assert again.pk == first.pk
    assert again.hinted_at > first.hinted_at


@pytest.mark.parametrize(
    "fields, kept",
    [
        ({}, [order_gid(1)]),
        ({"is_paused": True}, [order_gid(1)]),
        ({"trouble": "throttled", "resume_at": NOON}, [order_gid(1)]),
        # Nothing can be read before a person has reconnected it, and then the pull finds everything.
        ({"trouble": "token_refused"}, []),
        ({"disconnected_at": NOON, "disconnect_reason": "staff"}, []),
        ({"disconnected_at": NOON, "disconnect_reason": "uninstalled"}, []),
    ],
)
def test_a_late_message_is_welcome_and_means_nothing_where_nothing_follows(
    fields: dict[str, Any], kept: list[str]
) -> None:
    store = a_store(**fields)

    assert send(address(store)) == TAKEN
    assert hinted() == kept


def test_of_each_store_only_the_newest_deliveries_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "KEPT", 20)
    monkeypatch.setattr(hooks, "SWEEP", 1)
    store, other = a_store(), a_store(base_url="https://two.myshopify.com")
    send(address(other), delivery="of-another-store")

    for number in range(50):
        send(address(store), content={"id": number}, delivery=f"d-{number}")

    mine = HookDelivery.objects.filter(store=store).order_by("pk").values_list("delivery_id", flat=True)
    assert list(mine) == [f"d-{number}:{order_gid(number)}" for number in range(30, 50)]
    assert HookDelivery.objects.filter(store=other).count() == 1


def test_a_delivery_without_an_id_is_taken_each_time() -> None:
    store = a_store()
    body = b'{"id": 1}'
    headers = headers_of("orders/updated", body)
    del headers["X-Shopify-Webhook-Id"]

    answers = [
        Client().post(address(store), body, content_type="application/json", headers=headers).status_code
        for _ in range(2)
    ]

    assert (answers, rows()) == ([200, 200], (0, 1))


# --- The app's own address ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"disconnected_at": NOON, "disconnect_reason": "uninstalled"},
        {"disconnected_at": NOON, "disconnect_reason": "staff"},
    ],
)
def test_a_shop_that_is_or_was_connected_is_found_by_its_domain(fields: dict[str, Any]) -> None:
    store = a_store(**fields)

    assert send(APP, "customers/redact", REDACT) == TAKEN
    assert list(PrivacyRequest.objects.values_list("store", "kind", "order_ids")) == [
        (store.pk, "forget_customer", [order_gid(1), order_gid(2)])
    ]


@pytest.mark.parametrize(
    "domain", ["two.myshopify.com", "", "one.myshopify.com.evil.example", "evil/one.myshopify.com"]
)
def test_an_unknown_domain_answers_as_a_wrong_signature(domain: str) -> None:
    a_store()

    assert send(APP, "shop/redact", {}, domain=domain) == REFUSED
    assert send(APP, "shop/redact", {}, secret="guessed") == REFUSED
    assert rows() == (0, 0)


def test_a_message_about_one_shop_does_nothing_to_another_whatever_its_headers_say() -> None:
    a_store(disconnected_at=NOON, disconnect_reason="uninstalled")

    assert send(APP, "shop/redact", {"shop_domain": "two.myshopify.com"}) == REFUSED
    assert PrivacyRequest.objects.count() == 0
    assert send(APP, "shop/redact", {"shop_domain": "One.myshopify.com"}) == TAKEN
    assert PrivacyRequest.objects.count() == 1


def test_the_listed_app_speaks_for_a_shop_whose_merchant_has_left(settings: Any) -> None:
    settings.TRACKSYNC_SHOPIFY_CLIENT_ID = "listed"
    settings.TRACKSYNC_SHOPIFY_CLIENT_SECRET = "of the listed app"
    store = a_store(credentials={}, disconnected_at=NOON, disconnect_reason="merchant")

    assert send(APP, "shop/redact", {}, secret="of the listed app") == TAKEN
    assert send(APP, "shop/redact", {}) == REFUSED
    assert PrivacyRequest.objects.get().store == store


def test_a_shop_that_was_connected_twice_is_asked_about_in_both_rows() -> None:
    old = a_store(disconnected_at=NOON, disconnect_reason="merchant", credentials={})
    new = a_store()

    assert send(APP, "customers/data_request", ASKS) == TAKEN
    assert sorted(PrivacyRequest.objects.values_list("store", flat=True)) == [old.pk, new.pk]


def test_the_app_of_somebody_who_had_the_shop_before_says_nothing_about_its_store_of_now() -> None:
    before = a_store(
        credentials={"client_id": "c", "client_secret": "of before"},
        disconnected_at=NOON,
        disconnect_reason="uninstalled",
    )
    now = a_store()

    assert send(APP, "shop/redact", {}, secret="of before") == TAKEN
    assert [request.store for request in PrivacyRequest.objects.all()] == [before]
    assert send(APP, "app/uninstalled", {}) == TAKEN
    assert [hint.store for hint in OrderHint.objects.all()] == [now]


def test_the_listed_app_says_nothing_about_a_store_that_has_an_app_of_its_own(settings: Any) -> None:
    settings.TRACKSYNC_SHOPIFY_CLIENT_ID = "listed"
    settings.TRACKSYNC_SHOPIFY_CLIENT_SECRET = "of the listed app"
    a_store()
    a_store(base_url="https://two.myshopify.com", credentials={"access_token": "shpat_1"})

    for domain in ("one.myshopify.com", "two.myshopify.com"):
        assert send(APP, "shop/redact", {}, secret="of the listed app", domain=domain) == REFUSED
    assert PrivacyRequest.objects.count() == 0


@pytest.mark.parametrize("is_listed", [True, False])
def test_a_long_message_takes_as_long_for_a_shop_that_is_not_here(
    is_listed: bool, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """Each signature over a megabyte takes milliseconds: their number would tell which shops are connected."""
    settings.TRACKSYNC_SHOPIFY_CLIENT_SECRET = "of the listed app" if is_listed else ""
    a_store()
    a_store(disconnected_at=NOON, disconnect_reason="merchant", credentials={}, base_url="https://left.myshopify.com")
    made: list[int] = []
    sign = hmac.new

    def counted(*given: Any) -> Any:
        made.append(len(given[1]))
        return sign(*given)

    monkeypatch.setattr(hmac, "new", counted)

    counts = []
    for domain in ("one.myshopify.com", "left.myshopify.com", "nobody.myshopify.com"):
        made.clear()
        assert send(APP, "orders/updated", {"id": 1, "note": "x" * 1000}, secret="guessed", domain=domain) == REFUSED
        counts.append(len([size for size in made if size > 1000]))

    assert counts == counts[:1] * 3


def test_it_costs_few_queries_whatever_comes(django_assert_max_num_queries: Any) -> None:
    store = a_store()
    with django_assert_max_num_queries(8):
        send(address(store), delivery="d-1")
    with django_assert_max_num_queries(4):
        send(address(store), delivery="d-1")
    with django_assert_max_num_queries(1):
        send(address(store), secret="guessed")
    assert OrderHint.objects.get().hinted_at > timezone.now() - timedelta(minutes=1)
