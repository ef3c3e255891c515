"""WooCommerce: the store's messages, whether one is genuine, what it says, and how it is subscribed to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from stores.connectors.base import Hook, HookKind
from stores.connectors.errors import OutcomeUnknown, StoreDisconnected
from stores.connectors.woocommerce import WooCommerceConnector
from stores.connectors.woocommerce.hooks import TOPICS, delete, signature
from tests.storefronts.woo import PretendWooCommerce, WooShop

from .woo_store import connect, rest

URL = "https://tracksync.example/hooks/woocommerce/4f1c7a/"
SECRET = "5d41402abc4b2a76b9719d911017c592"
BODY = b'{"id": 12, "status": "processing"}'
SIGNED = signature(BODY, SECRET)


@pytest.fixture
def woo(pretend_woo: PretendWooCommerce) -> WooShop:
    """A plain shop."""
    return pretend_woo.shop()


@pytest.fixture
def received() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """Our own address, and the messages that came in: headers and body."""
    got: list[tuple[dict[str, str], bytes]] = []

    class Here(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((dict(self.headers.items()), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Here)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", got
    server.shutdown()
    server.server_close()


def hooks(shop: WooShop) -> list[tuple[str, str, str]]:
    return [(hook["topic"], hook["status"], hook["delivery_url"]) for hook in shop.hooks()]


ALL_LIVE = [(topic, "active", URL) for topic in TOPICS]


# --- What a message says --------------------------------------------------------------------------------


def test_a_signature_is_base64_of_the_bytes_under_the_secret() -> None:
    # openssl dgst -sha256 -hmac $SECRET -binary | base64
    assert SIGNED == "DAGhJLfx9n2GRpZ2uZg2zU6CnVsHzZXxAsh7pnSvJrc="


@pytest.mark.parametrize(
    "headers,body,secrets,genuine",
    [
        ({"X-WC-Webhook-Signature": SIGNED}, BODY, (SECRET,), True),
        ({"x-wc-webhook-signature": SIGNED}, BODY, (SECRET,), True),
        ({"X-Wc-Webhook-Signature": SIGNED}, BODY, ("older", SECRET), True),
        ({"X-WC-Webhook-Signature": SIGNED}, BODY, (SECRET, "older"), True),
        ({"X-WC-Webhook-Signature": SIGNED}, BODY + b" ", (SECRET,), False),
        ({"X-WC-Webhook-Signature": SIGNED}, BODY, ("another",), False),
        ({"X-WC-Webhook-Signature": SIGNED}, BODY, (), False),
        ({"X-WC-Webhook-Signature": SIGNED[:-1]}, BODY, (SECRET,), False),
        ({"X-WC-Webhook-Signature": ""}, BODY, (SECRET,), False),
        ({"X-WC-Webhook-Signature": signature(BODY, "")}, BODY, ("",), False),
        ({"X-WC-Webhook-Signature": "ä"}, BODY, (SECRET,), False),
        ({}, b"webhook_id=1", (SECRET,), False),
    ],
)
def test_a_message_is_genuine_when_it_was_signed_with_a_secret_of_the_store(
    headers: dict[str, str], body: bytes, secrets: tuple[str, ...], genuine: bool
) -> None:
    assert WooCommerceConnector.is_signed(headers, body, secrets) is genuine


def message(topic: str, **more: str) -> dict[str, str]:
    return {"X-WC-Webhook-Topic": topic, "X-WC-Webhook-Delivery-ID": "d1", **more}


UNREADABLE = Hook(HookKind.OTHER, "order.updated", "d1")


@pytest.mark.parametrize(
    "headers,body,says",
    [
        (message("order.updated"), BODY, Hook(HookKind.ORDER, "order.updated", "d1", ("12",))),
        (message("order.created"), b'{"id": "12"}', Hook(HookKind.ORDER, "order.created", "d1", ("12",))),
        (message("order.deleted"), b'{"id": 12}', Hook(HookKind.ORDER, "order.deleted", "d1", ("12",))),
        ({"x-wc-webhook-topic": "order.restored"}, BODY, Hook(HookKind.ORDER, "order.restored", "", ("12",))),
        # The ping after a subscription, and what is none
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"webhook_id=7", Hook(HookKind.PING, "")),
        ({}, b"", Hook(HookKind.OTHER, "")),
        ({}, BODY, Hook(HookKind.OTHER, "")),
        # What cannot be read
        (message("order.updated"), b'{"code": "woocommerce_rest_cannot_view"}', UNREADABLE),
        (message("order.updated"), b"[12]", UNREADABLE),
        (message("order.updated"), b"{", UNREADABLE),
        (message("order.updated"), b'{"id": "../1"}', UNREADABLE),
        (message("order.updated"), b"\xff", UNREADABLE),
        (message("product.updated"), BODY, Hook(HookKind.OTHER, "product.updated", "d1")),
    ],
)
def test_a_message_says_which_order_to_read_again(headers: dict[str, str], body: bytes, says: Hook) -> None:
    assert WooCommerceConnector.read_hook(headers, body) == says


def test_what_a_store_sends_is_understood(
    woo: WooShop, received: tuple[str, list[tuple[dict[str, str], bytes]]]
) -> None:
    address, got = received
    connect(woo).arm(URL, SECRET)
    woo.deliver_hooks(to=address)
    pings = list(got)
    got.clear()
    order = woo.add_order()
    woo.deliver_hooks(to=address)
    woo.set_status(order["id"], "completed")
    woo.deliver_hooks(to=address)

    read = WooCommerceConnector.read_hook
    assert [(read(*each).kind, WooCommerceConnector.is_signed(*each, (SECRET,))) for each in pings] == [
        (HookKind.PING, False)
    ] * 4
    assert [(read(*each).topic, read(*each).order_ids) for each in got] == [
        ("order.created", (str(order["id"]),)),
        ("order.updated", (str(order["id"]),)),
    ]
    assert [WooCommerceConnector.is_signed(*each, (SECRET,)) for each in got] == [True, True]
    assert [WooCommerceConnector.is_signed(*each, ("another",)) for each in got] == [False, False]
    assert len({read(*each).delivery_id for each in got} - {""}) == 2


# --- Subscribing ----------------------------------------------------------------------------------------


def test_a_store_is_subscribed_to_once(woo: WooShop) -> None:
    first = connect(woo).arm(URL, SECRET)
    written = woo.book()["counts"]["mutations"]
    second = connect(woo).arm(URL, SECRET)

    assert (first, second) == (TOPICS, TOPICS)
    assert hooks(woo) == ALL_LIVE
    assert written == {"create_webhook": 4}
    assert woo.book()["counts"]["mutations"] == written


def test_the_secret_is_nowhere_to_be_read(woo: WooShop) -> None:
    connect(woo).arm(URL, SECRET)

    assert SECRET not in json.dumps(woo.hooks())


def it_was_switched_off(shop: WooShop) -> None:
    shop.rest("PUT", f"wc/v3/webhooks/{shop.hooks()[1]['id']}", json={"status": "disabled"})


def it_was_paused(shop: WooShop) -> None:
    shop.rest("PUT", f"wc/v3/webhooks/{shop.hooks()[0]['id']}", json={"status": "paused"})


def it_was_deleted(shop: WooShop) -> None:
    shop.rest("DELETE", f"wc/v3/webhooks/{shop.hooks()[2]['id']}", params={"force": "true"})


def it_is_there_twice(shop: WooShop) -> None:
    values = {"name": "TrackSync", "topic": "order.updated", "delivery_url": URL, "secret": "x"}
    shop.rest("POST", "wc/v3/webhooks", json=values)


def everything_was_deleted(shop: WooShop) -> None:
    for hook in shop.hooks():
        shop.rest("DELETE", f"wc/v3/webhooks/{hook['id']}", params={"force": "true"})


def another_topic_leads_here(shop: WooShop) -> None:
    shop.rest("POST", "wc/v3/webhooks", json={"topic": "order.created", "delivery_url": URL, "secret": "x"})
    last = shop.hooks()[-1]["id"]
    shop.rest("PUT", f"wc/v3/webhooks/{last}", json={"topic": "order.restored"})


@pytest.mark.parametrize(
    "what",
    [
        it_was_switched_off,
        it_was_paused,
        it_was_deleted,
        it_is_there_twice,
        everything_was_deleted,
        another_topic_leads_here,
    ],
)
def test_whatever_became_of_the_subscriptions_they_are_put_right(
    what: Any, woo: WooShop, received: tuple[str, list[tuple[dict[str, str], bytes]]]
) -> None:
    address, got = received
    connect(woo).arm(URL, SECRET)
    what(woo)
    before = hooks(woo)

    connect(woo).arm(URL, SECRET)

    assert before != ALL_LIVE
    assert sorted(hooks(woo)) == sorted(ALL_LIVE)
    woo.deliver_hooks(to=address)
    got.clear()
    woo.touch(woo.add_order()["id"])
    woo.deliver_hooks(to=address)
    assert [WooCommerceConnector.is_signed(*each, (SECRET,)) for each in got] == [True, True]


def test_a_new_secret_reaches_the_subscriptions_that_are_there(
    woo: WooShop, received: tuple[str, list[tuple[dict[str, str], bytes]]]
) -> None:
    address, got = received
    connect(woo).arm(URL, "the old secret")
    woo.deliver_hooks(to=address)
    got.clear()

    connect(woo).arm(URL, SECRET)
    woo.add_order()
    woo.deliver_hooks(to=address)

    assert hooks(woo) == ALL_LIVE
    assert [WooCommerceConnector.is_signed(*each, (SECRET,)) for each in got] == [True]


def test_a_subscription_whose_answer_was_lost_is_not_left_twice(woo: WooShop) -> None:
    woo.fault("504_after", on="create_webhook", times=1)
    with pytest.raises(OutcomeUnknown):
        connect(woo).arm(URL, SECRET)

    connect(woo).arm(URL, SECRET)

    assert hooks(woo) == ALL_LIVE


def test_somebody_elses_subscriptions_are_left_alone(woo: WooShop) -> None:
    other = {"topic": "order.updated", "delivery_url": f"{URL}other/", "secret": "x"}
    woo.rest("POST", "wc/v3/webhooks", json=other)
    connect(woo).arm(URL, SECRET)

    connect(woo).disarm(URL)
    connect(woo).disarm(URL)

    assert hooks(woo) == [("order.updated", "active", f"{URL}other/")]


def test_a_subscription_that_somebody_deletes_meanwhile_is_no_trouble(woo: WooShop) -> None:
    connect(woo).arm(URL, SECRET)
    seen = woo.hooks()
    woo.rest("DELETE", f"wc/v3/webhooks/{seen[0]['id']}", params={"force": "true"})

    delete(rest(woo), seen)

    assert hooks(woo) == []


def test_more_subscriptions_than_a_page_holds_are_looked_through(woo: WooShop) -> None:
    for number in range(101):
        values = {"topic": "order.updated", "delivery_url": f"{URL}{number}/", "secret": "x"}
        assert woo.rest("POST", "wc/v3/webhooks", json=values).status_code == 201
    connect(woo).arm(URL, SECRET)
    connect(woo).arm(URL, SECRET)

    assert [hook for hook in hooks(woo) if hook[2] == URL] == ALL_LIVE


def test_a_key_that_may_only_read_cannot_subscribe(woo: WooShop) -> None:
    woo.new_key(permissions="read")

    with pytest.raises(StoreDisconnected) as refused:
        connect(woo).arm(URL, SECRET)

    assert refused.value.reason.values == {"scopes": ["Read/Write"]}
