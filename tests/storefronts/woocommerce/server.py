"""HTTP(S): the REST API and the pages of every shop, the book and the controls. Faults are played here."""

from __future__ import annotations

import json
import threading
import time
import traceback
import urllib.parse
from typing import Any

from tests.storefronts.serving import HTML, HTML_TYPE, Connection, Dropped, Server

from . import authority, authorize, control, page, routes, weather
from .access import Request
from .book import pages
from .faults import EXECUTED, Fault
from .problems import Answer
from .shop import Record, Shop


class World:
    """All shops of this process."""

    def __init__(self, latency_ms: float) -> None:
        self.address = ""
        self.latency_ms = latency_ms
        self.lock = threading.Lock()
        self.shops: dict[str, Shop] = {}

    def open_shop(self, name: str, options: Record) -> Shop:
        """A new shop under this name; an old one of that name is gone."""
        with self.lock:
            shop = Shop(name, f"{self.address}/{name}", {"latency_ms": self.latency_ms, **options})
            self.shops[name] = shop
            return shop


class Handler(Connection):
    """Answers for all shops of this process."""

    world: World

    def do_GET(self) -> None:
        """Everything: what it is stands in the path."""
        try:
            self.serve(self.body())
        except Dropped:
            return

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_GET

    def serve(self, body: bytes) -> None:
        """The controls, the book, or something of one shop."""
        path, _, text = self.path.partition("?")
        query = urllib.parse.parse_qs(text, keep_blank_values=True)
        if path == "/_control":
            return self.control(body)
        if path == "/_health":
            return self.send(200, {"ok": True})
        if path == "/":
            return self.send(200, page.index(list(self.world.shops.values())), HTML_TYPE)
        name, slash, rest = path[1:].partition("/")
        shop = self.world.shops.get(query.get("shop", [""])[0] if path == "/_book" else name)
        if shop is None:
            return self.send(404, HTML.format("Not Found"), HTML_TYPE)
        if path == "/_book":
            with shop.lock:
                return self.send(200, pages(shop))
        return self.shop(shop, slash + rest, query, body)

    def control(self, body: bytes) -> None:
        """A test or a merchant changes something."""
        try:
            self.send(200, {"result": control.act(self.world, json.loads(body))})
        except Exception as error:  # noqa: BLE001 - whatever a test did wrong, it shall read it
            self.send(400, {"error": f"{type(error).__name__}: {error}"})

    def shop(self, shop: Shop, path: str, query: dict[str, list[str]], body: bytes) -> None:
        """The REST API by its address or by a parameter, the pages of consent, or the shop's home."""
        if shop.moved_to:
            rest = self.path[1:].partition("/")[2]
            return self.send(301, "", HTML_TYPE, {"Location": f"{shop.moved_to}/{rest}"})
        route = query.get("rest_route", [""])[0]
        if route and path in ("", "/", "/index.php"):
            return self.rest(shop, route, query, body)
        if path == "/wp-json" or path.startswith("/wp-json/"):
            if shop.plain_permalinks:
                return self.send(301, "", HTML_TYPE, {"Location": f"{shop.base_url}/"})
            return self.rest(shop, path.removeprefix("/wp-json"), query, body)
        asked = authorize.asked(shop, path, query)
        if asked is not None:
            request = self.request_of(asked, query, body)
            routes.read_body(request)
            return self.reply(authorize.answer(shop, request))
        if path not in ("", "/"):
            return self.send(404, HTML.format("Page not found"), HTML_TYPE)
        with shop.lock:
            text = page.store(shop)
        return self.send(200, text, HTML_TYPE, {"Link": f'<{shop.api_root}>; rel="https://api.w.org/"'})

    def request_of(self, route: str, query: dict[str, list[str]], body: bytes) -> Request:
        """The request as the rest of the store reads it."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(self.command, self.path, route, query, headers, body, self.world.address + self.path)

    # -- the REST API

    def rest(self, shop: Shop, route: str, query: dict[str, list[str]], body: bytes) -> None:
        """One request to the REST API."""
        request = self.request_of(route if route != "/" else "", query, body)
        routes.read_body(request)
        with shop.lock:
            shop.book.arrives()
        try:
            if shop.latency:
                time.sleep(shop.latency)
            names = routes.operations(shop, request)
            with shop.lock:
                fault = shop.faults.due(names, request.is_write)
                if fault:
                    shop.book.faults[fault.kind] += 1
                    shop.book.throttled += fault.kind == "429"
            if fault:
                return self.play(shop, fault, request)
            return self.reply(self.answer(shop, request))
        except (KeyError, ValueError, TypeError, AttributeError, AssertionError):
            traceback.print_exc()  # a mistake of the pretend store's own: shown, and no answer that looks like one
            return self.send(500, {"errors": "the pretend store broke; its standard error says why"})
        finally:
            with shop.lock:
                shop.book.leaves()

    def answer(self, shop: Shop, request: Request) -> Answer:
        """What the shop answers when nothing stands between."""
        made = routes.answer(shop, request)
        return weather.with_warnings(made) if shop.php_warning else made

    def play(self, shop: Shop, fault: Fault, request: Request) -> None:
        """Serve a fault in place of, or on top of, the answer."""
        kind, seconds = fault.kind, fault.seconds
        if kind == "late":
            timer = threading.Timer(seconds or 1.0, routes.answer, (shop, request))
            timer.daemon = True
            timer.start()
        if kind == "slow":
            time.sleep(seconds or 1.0)
        if kind == "act" and fault.action:
            control.act(self.world, {**fault.action, "shop": shop.name})
        answer = self.answer(shop, request) if kind in EXECUTED else Answer(200, {})
        if kind in ("slow", "act"):
            return self.reply(answer)
        if change := weather.AROUND.get(kind):
            return self.reply(change(answer))
        if self.spoil(kind, weather.text(answer), seconds, answer.headers, answer.status):
            return None
        elsewhere = self.world.address.replace("127.0.0.1", "localhost") + self.path
        return self.reply(weather.instead(kind, seconds, elsewhere))

    def reply(self, answer: Answer) -> None:
        """Send it."""
        self.send(answer.status, weather.text(answer), answer.kind, answer.headers)


def make_server(port: int, latency_ms: float = 0, *, tls: bool = False) -> tuple[Server, str]:
    """A server on 127.0.0.1, not yet serving, and its address."""
    world = World(latency_ms)
    handler: Any = type("ShopHandler", (Handler,), {"world": world})
    server = Server(("127.0.0.1", port), handler)
    bound = int(server.server_address[1])
    if tls:
        server.tls = authority.context(bound)
    world.address = f"http{'s' if tls else ''}://127.0.0.1:{bound}"
    return server, world.address
