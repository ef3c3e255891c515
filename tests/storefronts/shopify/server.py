"""HTTP: the API and the token endpoint of every shop, the book, the controls and the pages. Faults are played here."""

from __future__ import annotations

import json
import threading
import time
import traceback
import urllib.parse
import uuid
from collections.abc import Callable
from typing import Any

from tests.storefronts.serving import HTML, HTML_TYPE, Connection, Dropped, Server

from . import api, control, oauth, page, tokens
from .apps import App
from .book import pages
from .faults import EXECUTED, Fault
from .problems import internal
from .reads_shop import VERSIONS
from .record import Recorder
from .shop import Shop

STATUS_TEXTS = {
    302: "",
    429: "Exceeded the API rate limit. Please wait and try again.",
    500: "Internal Server Error",
    503: "Service Unavailable",
    401: "[API] Invalid API key or access token (unrecognized login or wrong password)",
    402: "This shop's plan does not have access to this feature. The requested shop is currently frozen.",
    403: "[API] Non-expiring access tokens are no longer accepted for the Admin API."
    " Start using expiring offline tokens.",
    404: "Not Found",
    423: "This shop is currently locked.",
}


class World:
    """All shops of this process."""

    def __init__(self, recorder: Recorder | None, latency_ms: float) -> None:
        self.address = ""
        self.recorder = recorder
        self.latency_ms = latency_ms
        self.lock = threading.Lock()
        self.shops: dict[str, Shop] = {}
        self.apps: dict[str, App] = {}  # by client id, of all shops

    def open_shop(self, name: str, options: dict[str, Any]) -> Shop:
        """A new shop under this name; an old one of that name is gone."""
        with self.lock:
            options = {"latency_ms": self.latency_ms, **options}
            shop = self.shops[name] = Shop(name, f"{self.address}/{name}", options)
            return shop


class Handler(Connection):
    """Answers for all shops of this process."""

    world: World

    def do_GET(self) -> None:
        """Pages for people, the book for tests."""
        path, _, query = self.path.partition("?")
        wanted = urllib.parse.parse_qs(query)
        if path == "/_book":
            shop = self.world.shops.get(wanted.get("shop", [""])[0])
            if shop is None:
                return self.send(404, {"errors": "no such shop"})
            with shop.lock:
                body = json.dumps(pages(shop))
            return self.send(200, body)
        if path == "/_health":
            return self.send(200, {"ok": True})
        parts = [part for part in path.split("/") if part]
        if not parts:
            return self.send(200, page.index(list(self.world.shops.values())), HTML_TYPE)
        shop = self.world.shops.get(parts[0])
        if shop is not None and parts[1:] == ["admin", "oauth", "authorize"]:
            with shop.lock:
                return self.show(*oauth.ask(shop, self.world.apps, {key: values[0] for key, values in wanted.items()}))
        if shop is None or len(parts) > 1:
            return self.send(404, HTML.format("Not Found"), HTML_TYPE)
        with shop.lock:
            body = page.store(shop)
        return self.send(200, body, HTML_TYPE)

    def do_POST(self) -> None:
        """The API, the token endpoint and the controls."""
        body = self.body()
        path = self.path.partition("?")[0]
        if path == "/_control":
            return self.control(body)
        parts = path.split("/")
        shop = self.world.shops.get(parts[1]) if len(parts) > 1 else None
        rest = "/".join(parts[2:])
        if shop is None:
            return self.send(404, {"errors": "Not Found"})
        if rest == "admin/oauth/access_token":
            return self.token(shop, body)
        if rest == "admin/oauth/authorize":
            with shop.lock:
                return self.show(*oauth.decide(shop, self.world.apps, urllib.parse.parse_qs(body.decode())))
        if rest.startswith("admin/api/") and rest.endswith("/graphql.json"):
            return self.graphql(shop, parts[4], body)
        return self.send(404, {"errors": "Not Found"})

    def show(self, address: str, body: str) -> None:
        """Send the merchant on, or show a page."""
        if address:
            return self.send(302, "", HTML_TYPE, {"Location": address})
        return self.send(200, body, HTML_TYPE)

    # -- the other kinds of POST

    def control(self, body: bytes) -> None:
        """A test or a merchant changes something."""
        try:
            self.send(200, {"result": control.act(self.world, json.loads(body))})
        except Exception as error:  # noqa: BLE001 - whatever a test did wrong, it shall read it
            self.send(400, {"error": f"{type(error).__name__}: {error}"})

    def token(self, shop: Shop, body: bytes) -> None:
        """Grants of access tokens."""

        def grant() -> tuple[int, Any]:
            return tokens.grant(shop, self.world.apps, self.headers.get("Content-Type", ""), body)

        with shop.lock:
            fault = shop.faults.due((), False, is_token=True)
            if fault:
                shop.book.faults[fault.kind] += 1
        if fault:
            try:
                return self.play(shop, fault, grant, str(uuid.uuid4()))
            except Dropped:
                return None
        return self.send(*grant())

    def graphql(self, shop: Shop, version: str, body: bytes) -> None:
        """One request to the Admin API."""
        request_id = str(uuid.uuid4())
        headers = {
            "X-Request-Id": request_id,
            "X-Shopify-API-Version": version if version in VERSIONS else VERSIONS[0],
        }
        with shop.lock:
            arrived = shop.book.arrives()
        try:
            try:
                request = json.loads(body)
                text, given = request["query"], request.get("variables") or {}
            except (ValueError, KeyError, TypeError):
                return self.send(400, {"errors": {"query": "Required parameter missing or invalid"}}, headers=headers)
            document = api.known(text, request.get("operationName"))
            if self.world.recorder and "X-Test-Client" not in self.headers:
                self.world.recorder.keep(text, given)
            if shop.latency:
                time.sleep(shop.latency)
            with shop.lock:
                fault = shop.faults.due(document.names, document.is_mutation)
                if fault:
                    shop.book.faults[fault.kind] += 1
                good = shop.token_is_good(self.headers.get("X-Shopify-Access-Token"))
                unending = self.headers.get("X-Shopify-Access-Token") in shop.unending

            def execute() -> tuple[int, Any]:
                return 200, api.answer(shop, document, given, arrived, request_id)

            if fault:
                return self.play(shop, fault, execute, request_id, headers)
            if not good:
                return self.send(401, {"errors": STATUS_TEXTS[401]}, headers=headers)
            if unending:
                return self.send(403, {"errors": STATUS_TEXTS[403]}, headers=headers)
            return self.send(*execute(), headers=headers)
        except Dropped:
            return None
        except (KeyError, ValueError, TypeError, AttributeError, AssertionError):
            traceback.print_exc()  # a mistake of the pretend store's own: shown, and no answer that looks like one
            return self.send(500, {"errors": "the pretend store broke; its standard error says why"}, headers=headers)
        finally:
            with shop.lock:
                shop.book.leaves()

    # -- faults

    def play(
        self,
        shop: Shop,
        fault: Fault,
        execute: Callable[[], tuple[int, Any]],
        request_id: str,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Serve a fault in place of, or on top of, the (status, answer) that `execute` gives."""
        kind, seconds = fault.kind, fault.seconds
        if kind == "late":
            timer = threading.Timer(seconds or 1.0, execute)
            timer.daemon = True
            timer.start()
        if kind == "slow":
            time.sleep(seconds or 1.0)
        if kind == "act" and fault.action:
            control.act(self.world, {**fault.action, "shop": shop.name})
        status, answer = execute() if kind in EXECUTED else (200, {})
        if kind in ("slow", "act"):
            return self.send(status, answer, headers=headers)
        if self.spoil(kind, json.dumps(answer), seconds, headers, status):
            return None
        if kind.startswith("520"):
            return self.send(520, HTML.format("520: Web server is returning an unknown error"), HTML_TYPE, headers)
        if kind.startswith("internal_200"):
            return self.send(200, {"errors": [internal(request_id)], "data": None}, headers=headers)
        if kind == "throttled":
            with shop.lock:
                shop.book.throttled += 1
                return self.send(200, api.throttled_answer(shop, 1000), headers=headers)
        status = int(kind[:3])
        more = {"Retry-After": f"{seconds or 2.0:.1f}"} if status == 429 else {}
        if status == 302:
            more = {"Location": self.world.address.replace("127.0.0.1", "localhost") + self.path}
        return self.send(status, {"errors": STATUS_TEXTS[status]}, headers={**(headers or {}), **more})


def make_server(port: int, recorder: Recorder | None = None, latency_ms: float = 0) -> Server:
    """A server on 127.0.0.1, not yet serving; `server_address` tells the port."""
    world = World(recorder, latency_ms)
    handler = type("ShopHandler", (Handler,), {"world": world})
    server = Server(("127.0.0.1", port), handler)
    world.address = f"http://127.0.0.1:{server.server_address[1]}"
    return server
