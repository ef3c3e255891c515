"""What the pretend WooCommerce sends by itself: webhooks, and keys after a merchant's consent."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from tests.storefronts.woo import PretendWooCommerce, WooShop
from tests.storefronts.woo_asking import (
    MUG,
    ORDERS,
    SEES_NOTHING,
    put,
    said,
)


@pytest.fixture
def shop(pretend_woo: PretendWooCommerce) -> WooShop:
    """A plain shop of the test's own."""
    return pretend_woo.shop()


@dataclass
class Receiver:
    """Somebody's server that a store's own requests arrive at; it answers what it is told to."""

    address: str
    status: int = 200
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A server on loopback that keeps what it gets."""
    kept = Receiver("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            kept.got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(kept.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    kept.address = f"http://127.0.0.1:{server.server_address[1]}"
    yield kept
    server.shutdown()
    server.server_close()


# -- webhooks


def hooked(shop: WooShop, topic: str = "order.updated", **fields: Any) -> int:
    """A webhook of this topic, its ping sent to nowhere; its id."""
    body = {"topic": topic, "delivery_url": "https://tracksync.example/hooks/1?of=woo", "secret": "s3cret", **fields}
    made = shop.rest("POST", "wc/v3/webhooks", json=body)
    assert (made.status_code, made.json()["status"]) == (201, "active")
    return made.json()["id"]


def test_a_new_webhook_is_pinged_without_a_signature(shop, receiver) -> None:
    hook = hooked(shop)

    done = shop.deliver_hooks(receiver.address)

    assert done == [{"hook": hook, "topic": "ping", "order": None, "status": 200}]
    ((path, headers, body),) = receiver.got
    assert (path, headers["content-type"], body) == (
        "/hooks/1?of=woo",
        "application/x-www-form-urlencoded",
        f"webhook_id={hook}".encode(),
    )
    assert [name for name in headers if name.startswith("x-wc")] == []


def test_a_ping_that_cannot_arrive_does_no_harm(shop) -> None:
    hook = hooked(shop)

    assert shop.deliver_hooks() == [{"hook": hook, "topic": "ping", "order": None, "status": None}]
    assert [(one["status"], one["failures"]) for one in shop.hooks()] == [("active", 0)]


def test_several_changes_are_one_signed_delivery_of_the_order_as_it_is_then(shop, receiver) -> None:
    hook = hooked(shop, secret="a&amp;b")
    shop.deliver_hooks()
    order = shop.add_order([MUG])
    put(shop, order, customer_note="Leave it at the door")
    put(shop, order, status="completed")

    (done,) = shop.deliver_hooks(receiver.address)
    nothing_more = shop.deliver_hooks(receiver.address)

    assert (done["topic"], done["order"], done["status"], nothing_more) == ("order.updated", order["id"], 200, [])
    ((_, headers, body),) = receiver.got
    assert json.loads(body) == shop.rest("GET", f"{ORDERS}/{order['id']}").json()
    # entities in a secret are resolved before it is used
    made = base64.b64encode(hmac.new(b"a&b", body, hashlib.sha256).digest()).decode()
    told = {name.removeprefix("x-wc-webhook-"): value for name, value in headers.items() if name.startswith("x-wc")}
    assert told == {
        "source": f"{shop.base_url}/",
        "topic": "order.updated",
        "resource": "order",
        "event": "updated",
        "signature": made,
        "id": str(hook),
        "delivery-id": told["delivery-id"],
    }
    assert headers["user-agent"] == "WooCommerce/10.9.1 Hookshot (WordPress/7.0.4)"


@pytest.mark.parametrize(
    "topic, change",
    [
        ("order.created", lambda shop, order: shop.add_order([MUG])),
        ("order.updated", lambda shop, order: shop.touch(order["id"])),
        ("order.deleted", lambda shop, order: shop.trash(order["id"])),
        ("order.deleted", lambda shop, order: shop.delete_order(order["id"])),
        ("order.restored", lambda shop, order: (shop.trash(order["id"]), put(shop, order, status="processing"))),
    ],
)
def test_a_webhook_tells_of_its_topic_alone(shop, topic, change) -> None:
    order = shop.add_order([MUG])
    for one in ("order.created", "order.updated", "order.deleted", "order.restored"):
        hooked(shop, one)
    shop.deliver_hooks()

    change(shop, order)

    told = [one["topic"] for one in shop.deliver_hooks()]
    assert [one for one in told if one == topic or topic != "order.restored"] == [topic]


@pytest.mark.parametrize(
    "statuses, left",
    [
        ([500] * 6, ("active", 6)),
        ([500] * 7, ("disabled", 6)),
        # any success forgives everything; a redirect is one, and is not followed
        ([500] * 6 + [200] + [500] * 6, ("active", 6)),
        ([500] * 6 + [302] + [500] * 6, ("active", 6)),
        ([401] * 7, ("disabled", 6)),
    ],
)
def test_a_webhook_falls_silent_with_the_seventh_failure_in_a_row(shop, receiver, statuses, left) -> None:
    hook = hooked(shop)
    shop.deliver_hooks()
    order = shop.add_order([MUG])
    shop.deliver_hooks(receiver.address)

    for status in statuses:
        receiver.status = status
        shop.touch(order["id"])
        assert [one["status"] for one in shop.deliver_hooks(receiver.address)] == [status]

    assert [(one["status"], one["failures"]) for one in shop.hooks()] == [left]
    assert shop.rest("GET", f"wc/v3/webhooks/{hook}").json()["status"] == left[0]
    shop.touch(order["id"])
    assert len(shop.deliver_hooks(receiver.address)) == (left[0] == "active")


def test_a_silent_webhook_is_woken_by_the_api(shop, receiver) -> None:
    hook = hooked(shop)
    shop.deliver_hooks()
    order = shop.add_order([MUG])
    shop.rest("PUT", f"wc/v3/webhooks/{hook}", json={"status": "disabled"})
    shop.touch(order["id"])
    assert shop.deliver_hooks(receiver.address) == []

    shop.rest("PUT", f"wc/v3/webhooks/{hook}", json={"status": "active"})
    shop.touch(order["id"])

    assert [one["status"] for one in shop.deliver_hooks(receiver.address)] == [200]


@pytest.mark.parametrize(
    "method, path, body, answer",
    [
        ("POST", "", {"delivery_url": "https://x.example"}, (400, "rest_missing_callback_param")),
        (
            "POST",
            "",
            {"topic": "order.shipped", "delivery_url": "https://x.example"},
            (400, "woocommerce_rest_webhook_invalid_topic"),
        ),
        (
            "POST",
            "",
            {"topic": "order.updated", "delivery_url": "x.example"},
            (400, "woocommerce_rest_webhook_invalid_delivery_url"),
        ),
        ("GET", "/99", None, (404, "woocommerce_rest_shop_webhook_invalid_id")),
        ("DELETE", "/1", None, (501, "woocommerce_rest_trash_not_supported")),
        ("DELETE", "/1?force=true", None, (200, None)),
    ],
)
def test_webhooks_are_made_and_deleted_by_the_rules(shop, method, path, body, answer) -> None:
    assert hooked(shop) == 1

    assert said(shop.rest(method, f"wc/v3/webhooks{path}", json=body)) == answer
    assert [one["id"] for one in shop.rest("GET", "wc/v3/webhooks").json()] == ([] if answer[0] == 200 else [1])


# -- one click


CONSENT = {
    "app_name": "TrackSync",
    "scope": "read_write",
    "user_id": "state-1",
    "return_url": "http://127.0.0.1:1/back?store=7",
    "callback_url": "https://tracksync.example/keys/state-1",
}


def browse(shop: WooShop, session: requests.Session, **changes: str) -> requests.Response:
    """Open the page of consent as a browser would, and log in where that is asked for."""
    page = session.get(f"{shop.base_url}/wc-auth/v1/authorize", params={**CONSENT, **changes}, timeout=5)
    if "/wc-auth/v1/login/" not in page.url:
        return page
    target = re.search(r'name="redirect_to" value="([^"]+)"', page.text)
    given = {"log": "manager", "pwd": "let-me-in", "redirect_to": target[1].replace("&amp;", "&")}
    return session.post(f"{shop.base_url}/wp-login.php", data=given, timeout=5)


def link(page: requests.Response, kind: str) -> str:
    """Where "Approve" or "Deny" leads."""
    return re.search(rf'class="wc-auth-{kind}" href="([^"]+)"', page.text)[1].replace("&amp;", "&")


@pytest.fixture
def browser() -> Iterator[requests.Session]:
    """What a browser keeps: cookies."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


def test_approving_sends_keys_to_the_callback_and_the_browser_back(pretend_woo, receiver, browser) -> None:
    shop = pretend_woo.shop()
    shop.settings(callback_to=receiver.address)
    page = browse(shop, browser)
    assert [one for one in ("coupons", "customers", "orders", "products", "webhooks") if one not in page.text] == []

    back = browser.get(link(page, "approve"), allow_redirects=False, timeout=5)

    assert (back.status_code, back.headers["Location"]) == (
        302,
        "http://127.0.0.1:1/back?store=7&success=1&user_id=state-1",
    )
    ((path, headers, body),) = receiver.got
    keys = json.loads(body)
    assert (path, keys["user_id"], keys["key_permissions"]) == ("/keys/state-1", "state-1", "read_write")
    assert sorted(keys) == ["consumer_key", "consumer_secret", "key_id", "key_permissions", "user_id"]
    assert headers["content-type"].startswith("application/json")
    assert said(shop.rest("GET", ORDERS, auth=(keys["consumer_key"], keys["consumer_secret"]))) == (200, None)


def test_denying_sends_the_browser_back_and_makes_no_key(pretend_woo, receiver, browser) -> None:
    shop = pretend_woo.shop()
    shop.settings(callback_to=receiver.address)

    where = link(browse(shop, browser), "deny")

    assert where == "http://127.0.0.1:1/back?store=7&success=0&user_id=state-1"
    assert receiver.got == []


@pytest.mark.parametrize("status", [201, 204, 302, 500])
def test_a_callback_that_does_not_answer_200_gets_no_key(pretend_woo, receiver, browser, status) -> None:
    shop = pretend_woo.shop()
    shop.settings(callback_to=receiver.address)
    receiver.status = status

    back = browser.get(link(browse(shop, browser), "approve"), allow_redirects=False, timeout=5)

    assert back.status_code == 401
    assert "An error occurred in the request" in back.text
    keys = json.loads(receiver.got[0][2])
    assert said(shop.rest("GET", ORDERS, auth=(keys["consumer_key"], keys["consumer_secret"]))) == SEES_NOTHING


@pytest.mark.parametrize(
    "options, changes, words",
    [
        ({}, {"callback_url": "http://tracksync.example/keys"}, "needs to be over SSL"),
        ({}, {"scope": "everything"}, "Invalid scope everything"),
        ({}, {"user_id": ""}, "Missing parameter user_id"),
        ({"has_woocommerce": False}, {}, "Page not found"),
        ({"plain_permalinks": True}, {}, "Page not found"),
    ],
)
def test_consent_is_not_asked_for_where_the_request_is_wrong(pretend_woo, browser, options, changes, words) -> None:
    page = browse(pretend_woo.shop(**options), browser, **changes)

    assert page.status_code in (401, 404)
    assert words in page.text


def test_a_lenient_shop_takes_a_callback_without_tls(pretend_woo, receiver, browser) -> None:
    shop = pretend_woo.shop(lenient_callback=True)

    page = browse(shop, browser, callback_url=f"{receiver.address}/keys")
    browser.get(link(page, "approve"), allow_redirects=False, timeout=5)

    assert [path for path, _, _ in receiver.got] == ["/keys"]


def test_who_is_no_manager_may_not_give_keys_away(pretend_woo, receiver, browser) -> None:
    shop = pretend_woo.shop(user="customer")
    shop.settings(callback_to=receiver.address)

    back = browser.get(link(browse(shop, browser), "approve"), allow_redirects=False, timeout=5)

    assert (back.status_code, "do not have permission" in back.text, receiver.got) == (401, True, [])


def test_a_wrong_password_opens_nothing(pretend_woo, browser) -> None:
    shop = pretend_woo.shop()

    given = {"log": "manager", "pwd": "guess", "redirect_to": f"{shop.base_url}/"}
    page = browser.post(f"{shop.base_url}/wp-login.php", data=given, timeout=5)

    assert "The username or password you entered is incorrect" in page.text
    assert browser.get(f"{shop.base_url}/wc-auth/v1/authorize", params=CONSENT, timeout=5).url.startswith(
        f"{shop.base_url}/wc-auth/v1/login/"
    )


@pytest.mark.parametrize("options", [{}, {"plain_permalinks": True}])
def test_consent_is_also_asked_for_by_parameters(pretend_woo, receiver, browser, options) -> None:
    shop = pretend_woo.shop(**options)
    shop.settings(callback_to=receiver.address)
    asked = {"wc-auth-version": "1", "wc-auth-route": "authorize", **CONSENT}
    login = browser.get(f"{shop.base_url}/", params=asked, timeout=5)
    target = re.search(r'name="redirect_to" value="([^"]+)"', login.text)[1].replace("&amp;", "&")

    given = {"log": "manager", "pwd": "let-me-in", "redirect_to": target}
    page = browser.post(f"{shop.base_url}/wp-login.php", data=given, timeout=5)
    back = browser.get(link(page, "approve"), allow_redirects=False, timeout=5)

    assert (back.status_code, len(receiver.got)) == (302, 1)
