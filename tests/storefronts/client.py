"""Starts a pretend Shopify in a process of its own and speaks to it for tests, benchmarks and the demo.

    with PretendShopify() as world:
        shop = world.shop("acme")
        order = shop.add_order([("MUG-1", "A mug", 2)])
        ...
        assert shop.book()["numbers"] == {...}

Every test takes a shop name of its own, so one process serves all of them.
"""

from __future__ import annotations

import datetime
import html
import re
import time
import urllib.parse
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import requests

from .process import CONTROL_LIMIT, Process

_FIELD = r'<input type="(?:hidden|checkbox)" name="(\w+)" value="([^"]*)"'

Line = tuple[Any, ...] | Mapping[str, Any]
Result = dict[str, Any]


def line(sku: str, title: str = "", quantity: int = 1, **fields: Any) -> dict[str, Any]:
    """A line of an order; fields: price, requires_shipping, location (a name or id)."""
    return {"sku": sku, "title": title or sku, "quantity": quantity, **fields}


def _line(given: Line) -> dict[str, Any]:
    if isinstance(given, Mapping):
        return dict(given)
    return line(*given[:3], **dict(zip(("price", "requires_shipping", "location"), given[3:], strict=False)))


def _text(at: datetime.datetime | str | None) -> str | None:
    return at.isoformat() if isinstance(at, datetime.datetime) else at


class PretendShopify(Process):
    """The process with all the pretend Shopify stores."""

    module = "tests.storefronts.shopify"

    def __init__(
        self, *, port: int = 0, latency_ms: float = 0, record: str | None = None, address: str | None = None
    ) -> None:
        """Nothing is started yet. With `address` a running server is used instead of a new one."""
        recorded = ["--record", record] if record else []
        super().__init__(["--port", str(port), "--latency-ms", str(latency_ms), *recorded], address)

    def shop(
        self,
        name: str | None = None,
        *,
        restore_rate: float = 100,
        bucket: float = 2000,
        scopes: Sequence[str] | None = None,
        locations: Sequence[str | Mapping[str, Any]] | None = None,
        token: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        customers_hidden: bool = False,
        time_zone: str = "Europe/London",
        latency_ms: float | None = None,
        seed: int = 1,
        search_lag: float = 0,
        token_seconds: int = 86399,
        first_number: int = 1001,
    ) -> Shop:
        """A new, empty shop; one of the same name is thrown away.

        A location is a name, or {"name", "service": name of a fulfilment service, "ours": whether it is the
        app's own, "active"}. Without `name` one is made up. `restore_rate` is points a second.
        """
        values = {key: value for key, value in locals().items() if key not in ("self", "name") and value is not None}
        facts = self.control("open", name or f"shop-{uuid.uuid4().hex[:8]}", **values)
        return Shop(self, facts)

    def app(
        self,
        title: str = "TrackSync",
        *,
        redirect_uris: Sequence[str],
        client_id: str | None = None,
        client_secret: str | None = None,
        optional: Sequence[str] = (),
        code_seconds: float = 60,
        token_seconds: float = 3600,
        refresh_seconds: float = 90 * 24 * 3600,
        shop: str | None = None,
    ) -> App:
        """An app in the public list, which every shop may install; with `shop` (a name) one for that shop alone.

        It may send merchants back to `redirect_uris` only; they may decline the scopes that are `optional`.
        """
        values = {key: value for key, value in locals().items() if key not in ("self", "shop") and value is not None}
        return App(**self.control("app", shop, **values))


@dataclass(frozen=True)
class App:
    """An app that asks merchants for their consent, as its makers know it."""

    title: str
    client_id: str
    client_secret: str

    @property
    def credentials(self) -> dict[str, str]:
        """What is kept of a store that was connected through this app."""
        return {"client_id": self.client_id, "client_secret": self.client_secret, "grant": "code"}


class Shop:
    """One pretend store. Orders are named by id or by exact number; amounts are in the shop's currency."""

    def __init__(self, world: PretendShopify, facts: Mapping[str, Any]) -> None:
        self._world = world
        self.name: str = facts["name"]
        self.base_url: str = facts["base_url"]
        self.token: str = facts["token"]
        self.client_id: str = facts["client_id"]
        self.client_secret: str = facts["client_secret"]
        self.locations: dict[str, str] = facts["locations"]

    # -- how to get in

    @property
    def credentials(self) -> dict[str, str]:
        """What `connect_store` wants of a store with a token of its own."""
        return {"access_token": self.token}

    @property
    def client_credentials(self) -> dict[str, str]:
        """What `connect_store` wants where the app asks for tokens itself."""
        return {"client_id": self.client_id, "client_secret": self.client_secret}

    def app(self, title: str = "TrackSync", *, redirect_uris: Sequence[str], **options: Any) -> App:
        """An app that was made for this shop alone; `options` as of `PretendShopify.app`."""
        return self._world.app(title, redirect_uris=redirect_uris, shop=self.name, **options)

    def consent(self, address: str, *, decline: Sequence[str] = (), cancel: bool = False) -> str:
        """What the merchant does on the page at `address` (of `admin/oauth/authorize`): where the shop sends them.

        Raises ValueError with the page's words where the shop shows something else than a question.
        """
        page = self._world._session.get(address, timeout=20, allow_redirects=False)
        if page.status_code == 302:
            return page.headers["Location"]
        fields = [(name, html.unescape(value)) for name, value in re.findall(_FIELD, page.text)]
        if not fields:
            words = re.sub(r"<title.*?</title>|<style.*?</style>|<[^>]+>", " ", page.text, flags=re.DOTALL)
            raise ValueError(" ".join(html.unescape(words).split()))
        fields = [one for one in fields if one[0] != "allow" or one[1] not in decline]
        fields.append(("press", "cancel" if cancel else "install"))
        answer = self._world._session.post(address.partition("?")[0], data=fields, timeout=20, allow_redirects=False)
        return answer.headers["Location"]

    def signed(self, app: App, params: Mapping[str, str], *, age: float = 0) -> dict[str, str]:
        """`params` with shop, host, timestamp (`age` seconds ago) and the platform's signature."""
        return self.do("signed", client_id=app.client_id, params=dict(params), age=age)

    def tokens(self) -> list[Result]:
        """What each app that was let in holds now: [{"client_id", "scopes", "access": [], "refresh": []}]."""
        return self.do("tokens")

    def uninstall(self) -> None:
        """The merchant removes the app: no token and no client is good any more. Consent lets it in again."""
        self.do("uninstall")

    def end_refresh_tokens(self) -> None:
        """Nobody has renewed anything for ninety days: no refresh token is good any more."""
        self.do("end_refresh_tokens")

    def graphql(
        self, query: str, variables: Mapping[str, Any] | None = None, *, timeout: float = 20, token: str | None = None
    ) -> requests.Response:
        """One request to the Admin API, as any client would send it; never among the recorded ones."""
        with requests.Session() as session:
            session.trust_env = False
            return session.post(
                f"{self.base_url}/admin/api/2026-10/graphql.json",
                json={"query": query, "variables": dict(variables or {})},
                headers={"X-Shopify-Access-Token": token or self.token, "X-Test-Client": "1"},
                timeout=timeout,
            )

    # -- orders

    def add_order(
        self,
        lines: Iterable[Line] = (("SKU-1", "A thing", 1),),
        *,
        number: str | None = None,
        paid: bool = True,
        placed_at: datetime.datetime | str | None = None,
        paid_at: datetime.datetime | str | None = None,
        customer: str = "Ada Buyer",
        email: str | None = "buyer@example.com",
        country: str = "US",
        routing_seconds: float = 0,
    ) -> Result:
        """An order; a line is (sku, title, quantity, price?, requires_shipping?, location?) or `line(...)`.

        Gives {"id", "name", "status", "financial", "lines": [ids], "fulfillment_orders": [{"id", "status",
        "location", "lines": [{"id", "line", "total", "remaining"}]}], "fulfillments"}. Fulfilment orders
        are hidden for `routing_seconds`.
        """
        return self.do(
            "add_order",
            lines=[_line(one) for one in lines],
            number=number,
            paid=paid,
            placed_at=_text(placed_at),
            paid_at=_text(paid_at),
            customer=customer,
            email=email,
            country=country,
            routing_seconds=routing_seconds,
        )

    def add_orders(
        self,
        count: int,
        lines: Iterable[Line] = (("SKU-1", "A thing", 1),),
        *,
        placed_at: datetime.datetime | str | None = None,
        seconds_apart: float = 0,
        paid: bool = True,
        email: str | None = "buyer@example.com",
    ) -> list[Result]:
        """`count` orders alike, numbered on: [{"id", "name", "lines"}]. Some 10,000 a second."""
        return self.do(
            "add_orders",
            count=count,
            lines=[_line(one) for one in lines],
            placed_at=_text(placed_at),
            seconds_apart=seconds_apart,
            paid=paid,
            email=email,
        )

    def order(self, order: str) -> Result:
        """What an order looks like now, in the shape of `add_order`."""
        return self.do("order", order=order)

    def mark_paid(self, order: str, paid_at: datetime.datetime | str | None = None) -> Result:
        """The shopper pays."""
        return self.do("mark_paid", order=order, paid_at=_text(paid_at))

    def refund(self, order: str, lines: Mapping[str, int] | None = None, amount: float | None = None) -> Result:
        """Refund units ({line id: units}), an amount, or everything."""
        return self.do("refund", order=order, lines=lines, amount=amount)

    def cancel_order(self, order: str, *, reason: str = "CUSTOMER", refund: bool = True) -> Result:
        """The merchant cancels the order."""
        return self.do("cancel_order", order=order, reason=reason, refund=refund)

    def edit(self, order: str, *, add: Iterable[Line] = (), remove: Mapping[str, int] | None = None) -> Result:
        """The merchant edits the order: new lines come in a new fulfilment order."""
        return self.do("edit", order=order, add=[_line(one) for one in add], remove=remove)

    def delete_order(self, order: str) -> None:
        """The order is gone."""
        self.do("delete_order", order=order)

    def touch(self, order: str) -> Result:
        """Somebody changes a note: only `updatedAt` moves."""
        return self.do("touch", order=order)

    # -- fulfilment orders

    def hold(
        self,
        order: str,
        reason: str = "OTHER",
        *,
        words: str | None = None,
        notes: str | None = None,
        location: str | None = None,
    ) -> Result:
        """Put what is open on hold; `words` replaces the store's own name of the reason."""
        return self.do("hold", order=order, reason=reason, words=words, notes=notes, location=location)

    def release(self, order: str) -> Result:
        """Lift holds and schedules."""
        return self.do("release", order=order)

    def schedule(self, order: str, at: datetime.datetime | str) -> Result:
        """Nothing may be fulfilled before `at`."""
        return self.do("schedule", order=order, at=_text(at))

    def route(self, order: str, seconds: float = 0) -> Result:
        """Routing takes `seconds` from now (0: done): until then there are no fulfilment orders."""
        return self.do("route", order=order, seconds=seconds)

    def move(self, order: str, to: str, units: Mapping[str, int] | None = None, at: str | None = None) -> Result:
        """Assign what is open, or {line id: units} of it, to another location."""
        return self.do("move", order=order, to=to, units=units, at=at)

    def report_progress(self, order: str) -> Result:
        """The merchant says that it is being packed."""
        return self.do("report_progress", order=order)

    # -- fulfillments

    def fulfil_by_hand(
        self,
        order: str,
        number: str | None = None,
        *,
        numbers: Sequence[str] | None = None,
        company: str | None = None,
        url: str | None = None,
        units: Mapping[str, int] | None = None,
        location: str | None = None,
    ) -> Result:
        """Somebody else fulfils everything open or {line id: units}; adds "made": [fulfillment ids]."""
        return self.do(
            "fulfil_by_hand",
            order=order,
            number=number,
            numbers=numbers,
            company=company,
            url=url,
            units=units,
            location=location,
        )

    def set_tracking(self, fulfillment: str, numbers: Sequence[str], company: str | None = None) -> None:
        """Somebody writes other numbers on a fulfillment."""
        self.do("set_tracking", fulfillment=fulfillment, numbers=list(numbers), company=company)

    def cancel_fulfillment(self, fulfillment: str) -> Result:
        """Somebody cancels a fulfillment in the store."""
        return self.do("cancel_fulfillment", fulfillment=fulfillment)

    # -- the shop and its weather

    def add_location(self, name: str, *, service: str | None = None, ours: bool = False, active: bool = True) -> str:
        """Another place; its id. With `service` it is a fulfilment service's, another app's unless `ours`."""
        gid = self.do("add_location", name=name, service=service, ours=ours, active=active)
        self.locations[name] = gid
        return gid

    def settings(self, **values: Any) -> None:
        """Change scopes, bucket, restore_rate, customers_hidden, time_zone, search_lag or token_seconds."""
        self.do("settings", **values)

    def latency(self, ms: float) -> None:
        """What every answer takes from now on, in milliseconds."""
        self.settings(latency_ms=ms)

    def drain(self, level: float = 0) -> None:
        """Leave `level` points in the bucket."""
        self.do("drain", level=level)

    def fault(
        self,
        kind: str,
        *,
        on: str = "all",
        times: int | None = None,
        probability: float | None = None,
        seconds: float | None = None,
    ) -> None:
        """Switch a fault on; `shopify/faults.py` has the kinds and what they may be `on`."""
        self.do("fault", kind=kind, on=on, times=times, probability=probability, seconds=seconds)

    def before(self, on: str, action: str, *, times: int = 1, **values: Any) -> None:
        """Right before the next request that is `on` (create, update, read ...), the merchant does `action`.

        For races: `shop.before("create", "fulfil_by_hand", order="#1001")`.
        """
        self.do("fault", kind="act", on=on, times=times, does={"action": action, **values})

    def clear_faults(self) -> None:
        """Fair weather."""
        self.do("clear_faults")

    def revoke_token(self) -> None:
        """The app was uninstalled: no token and no client is good any more."""
        self.do("revoke_token")

    def expire_token(self) -> None:
        """All tokens have come to their end; the client may ask for new ones."""
        self.do("expire_token")

    def renew_token(self, token: str) -> None:
        """The merchant made a new token."""
        self.do("renew_token", token=token)
        self.token = token

    # -- the messages it sends

    def deliver_to(self, origin: str | None) -> None:
        """Send messages to this scheme and host, whatever address was subscribed; any address may be, then."""
        self.do("deliver_to", origin=origin)

    def deliveries(self, topic: str = "") -> list[Result]:
        """All messages, or those of a topic, oldest first: {"id", "topic", "uri", "body", "headers", "statuses"}."""
        return [one for one in self.do("deliveries") if topic in ("", one["topic"])]

    def delivered(self, seconds: float = 20) -> list[Result]:
        """The same, once none is under way any more."""
        ends = time.monotonic() + seconds
        while self.do("deliveries_under_way"):
            assert time.monotonic() < ends, "messages are still under way"
            time.sleep(0.02)
        return self.deliveries()

    def subscriptions(self) -> list[Result]:
        """[{"topic", "uri", "fields"}]"""
        return self.do("subscriptions")

    def book(self) -> Result:
        """What the store wrote down: see `shopify/book.py`."""
        session = self._world._session
        query = urllib.parse.urlencode({"shop": self.name})
        return session.get(f"{self._world.address}/_book?{query}", timeout=CONTROL_LIMIT).json()

    def do(self, action: str, **values: Any) -> Any:
        """Any control action by name."""
        return self._world.control(action, self.name, **values)
