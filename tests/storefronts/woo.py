"""Starts a pretend WooCommerce in a process of its own and speaks to it for tests, benchmarks and the demo.

    with PretendWooCommerce() as world:
        shop = world.shop("acme", plugin="ast")
        order = shop.add_order([("MUG-1", "A mug", 2)])
        ...
        assert shop.book()["numbers"] == {...}

Every test takes a shop name of its own, so one process serves all of them. With `tls` it speaks HTTPS, and `ca_bundle`
is the certificate of its own authority.
"""

from __future__ import annotations

import datetime
import urllib.parse
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import requests

from .process import CONTROL_LIMIT, Process
from .woocommerce import authority

Line = tuple[Any, ...] | Mapping[str, Any]
Result = dict[str, Any]
Moment = datetime.datetime | str | None


def _line(given: Line) -> dict[str, Any]:
    """A line as the controls want it; `virtual` is another word for what needs no processing."""
    if isinstance(given, Mapping):
        fields = dict(given)
        if "virtual" in fields:
            fields["needs_processing"] = not fields.pop("virtual")
    else:
        fields = dict(zip(("sku", "title", "quantity", "price", "needs_processing"), given, strict=False))
    return {**fields, "title": fields.get("title") or fields["sku"], "quantity": fields.get("quantity", 1)}


def _text(at: Moment) -> str | None:
    return at.isoformat() if isinstance(at, datetime.datetime) else at


class PretendWooCommerce(Process):
    """The process with all the pretend WooCommerce stores."""

    module = "tests.storefronts.woocommerce"

    def __init__(self, *, port: int = 0, latency_ms: float = 0, tls: bool = False, address: str | None = None) -> None:
        """Nothing is started yet. With `address` a running server is used instead of a new one."""
        super().__init__(["--port", str(port), "--latency-ms", str(latency_ms), *(["--tls"] if tls else [])], address)

    def start(self) -> Self:
        """Start and wait for the address; its own authority is trusted from then on."""
        super().start()
        self._session.verify = self.ca_bundle or True
        return self

    @property
    def ca_bundle(self) -> str | None:
        """The file with its authority's certificate (PEM), None for plain HTTP."""
        parts = urllib.parse.urlsplit(self.address)
        return authority.bundle(parts.port) if parts.scheme == "https" and parts.port else None

    def shop(
        self,
        name: str | None = None,
        *,
        plugin: str = "plain",
        version: str = "10.9.1",
        time_zone: str = "Europe/Berlin",
        latency_ms: float | None = None,
        statuses: Sequence[str] | None = None,
        key_permissions: str = "read_write",
        user: str = "shop_manager",
        strips_authorization: bool = False,
        thinks_http: bool = False,
        plain_permalinks: bool = False,
        php_warning: bool = False,
        has_woocommerce: bool = True,
        sequential_numbers: bool = False,
        providers: Sequence[str] | None = None,
        first_number: int | None = None,
        seed: int = 1,
        lenient_callback: bool = False,
        username: str = "manager",
        password: str = "let-me-in",
    ) -> WooShop:
        """A new, empty shop; one of the same name is thrown away.

        `plugin`: plain, ast, shipment_tracking, fulfillments or ast+fulfillments. `statuses` are those a plugin adds,
        `providers` the names of carriers that the store's own list knows. `user` is whose key it is: shop_manager,
        administrator or customer. Ids begin at `first_number` and are the numbers, too; with `sequential_numbers` the
        ids begin at 5001 and the numbers alone at `first_number`. Without `name` one is made up.
        """
        values = {key: value for key, value in locals().items() if key not in ("self", "name") and value is not None}
        facts = self.control("open", name or f"shop-{uuid.uuid4().hex[:8]}", **values)
        return WooShop(self, facts)


class WooShop:
    """One pretend store. Orders are named by id (a number) or by exact number (a text); amounts are US dollars."""

    def __init__(self, world: PretendWooCommerce, facts: Mapping[str, Any]) -> None:
        self._world = world
        self.name: str = facts["name"]
        self.base_url: str = facts["base_url"]
        self.consumer_key: str = facts["consumer_key"]
        self.consumer_secret: str = facts["consumer_secret"]

    # -- how to get in

    @property
    def credentials(self) -> dict[str, str]:
        """What `connect_store` wants."""
        return {"consumer_key": self.consumer_key, "consumer_secret": self.consumer_secret}

    def rest(self, method: str, path: str, *, timeout: float = 20, **options: Any) -> requests.Response:
        """One request below /wp-json/ as any client would send it, with the key in the header.

        "wc/v3/orders"; options are those of requests: params, json, headers, auth=None for nobody.
        """
        options.setdefault("auth", (self.consumer_key, self.consumer_secret))
        with requests.Session() as session:
            session.trust_env = False
            session.verify = self._world.ca_bundle or True
            url = f"{self.base_url}/wp-json/{path}"
            return session.request(method, url, timeout=timeout, allow_redirects=False, **options)

    def revoke_key(self) -> None:
        """The merchant takes all keys away."""
        self.do("revoke_key")

    def new_key(self, permissions: str | None = None, user: str | None = None) -> dict[str, str]:
        """The merchant makes another key; it is in `credentials` from now on. Older ones stay good."""
        made: dict[str, str] = self.do("new_key", permissions=permissions, user=user)
        self.consumer_key, self.consumer_secret = made["consumer_key"], made["consumer_secret"]
        return made

    # -- orders

    def add_order(
        self,
        lines: Iterable[Line] = (("SKU-1", "A thing", 1),),
        *,
        number: str | None = None,
        status: str = "processing",
        placed_at: Moment = None,
        paid_at: Moment = None,
        customer: str = "Ada Buyer",
        email: str = "buyer@example.com",
        country: str = "US",
    ) -> Result:
        """An order; a line is (sku, title, quantity, price?, needs_processing?) or a mapping (with `virtual`, too).

        Gives {"id": int, "number": str, "status", "lines": [ids], "trackings": [numbers], "fulfillments": [ids]}.
        """
        return self.do(
            "add_order",
            lines=[_line(one) for one in lines],
            number=number,
            status=status,
            placed_at=_text(placed_at),
            paid_at=_text(paid_at),
            customer=customer,
            email=email,
            country=country,
        )

    def add_orders(
        self,
        count: int,
        lines: Iterable[Line] = (("SKU-1", "A thing", 1),),
        *,
        status: str = "processing",
        placed_at: Moment = None,
        seconds_apart: float = 0,
        email: str = "buyer@example.com",
    ) -> list[Result]:
        """`count` orders alike, each in the shape of `add_order`."""
        return self.do(
            "add_orders",
            count=count,
            lines=[_line(one) for one in lines],
            status=status,
            placed_at=_text(placed_at),
            seconds_apart=seconds_apart,
            email=email,
        )

    def order(self, order: int | str) -> Result:
        """What an order looks like now, in the shape of `add_order`."""
        return self.do("order", order=order)

    def set_status(self, order: int | str, status: str) -> Result:
        """The merchant gives the order a status."""
        return self.do("set_status", order=order, status=status)

    def refund(self, order: int | str, lines: Mapping[int, int] | None = None) -> Result:
        """Units ({line id: units}) go back, or all that is left; then the order is refunded."""
        return self.do("refund", order=order, lines=lines)

    def trash(self, order: int | str) -> Result:
        """The merchant throws the order away; it may come back."""
        return self.do("trash", order=order)

    def delete_order(self, order: int | str) -> None:
        """The order is gone for good."""
        self.do("delete_order", order=order)

    def touch(self, order: int | str) -> Result:
        """Somebody changes what is none of our business: only the date of change moves."""
        return self.do("touch", order=order)

    def ship_by_hand(
        self,
        order: int | str,
        number: str = "",
        *,
        company: str = "",
        link: str = "",
        lines: Mapping[int, int] | None = None,
    ) -> Result:
        """Somebody else ships, in the way of the shop's plugin.

        With a tracking plugin the number is added and the status stays; with fulfillments a parcel of `lines` (all that
        is left without) is recorded, with or without number; in a plain shop the number goes into a customer's note and
        the order is completed. Without a number, and without fulfillments, only the status becomes completed.
        """
        return self.do("ship_by_hand", order=order, number=number, company=company, link=link, lines=lines)

    def remove_tracking(self, order: int | str, number: str) -> Result:
        """Somebody takes a number away from the order, wherever it stands."""
        return self.do("remove_tracking", order=order, number=number)

    def write_meta(self, order: int | str, key: str, value: Any) -> Result:
        """Another plugin writes a meta on the order."""
        return self.do("write_meta", order=order, key=key, value=value)

    def write_note(self, order: int | str, text: str, *, customer: bool = False) -> Result:
        """Somebody writes a note on the order."""
        return self.do("write_note", order=order, text=text, customer=customer)

    # -- the shop and its weather

    def set_plugin(self, plugin: str) -> None:
        """The plugin is switched off, or another one on: routes vanish and appear."""
        self.do("set_plugin", plugin=plugin)

    def settings(self, **values: Any) -> None:
        """Change what `PretendWooCommerce.shop` took, and more.

        `callback_to`: an origin that keys are sent to instead of the one that was asked for. `moved_to`: another
        address that every request is redirected to (301).
        """
        self.do("settings", **values)

    def latency(self, ms: float) -> None:
        """What every answer takes from now on, in milliseconds."""
        self.settings(latency_ms=ms)

    def fault(
        self,
        kind: str,
        *,
        on: str = "all",
        times: int | None = None,
        probability: float | None = None,
        seconds: float | None = None,
    ) -> None:
        """Switch a fault on; `woocommerce/faults.py` has the kinds and what they may be `on`."""
        self.do("fault", kind=kind, on=on, times=times, probability=probability, seconds=seconds)

    def before(self, on: str, action: str, *, times: int = 1, **values: Any) -> None:
        """Right before the next request that is `on` (create_tracking, status, read ...), somebody does `action`.

        For races: `shop.before("status", "set_status", order=1001, status="cancelled")`.
        """
        self.do("fault", kind="act", on=on, times=times, does={"action": action, **values})

    def clear_faults(self) -> None:
        """Fair weather."""
        self.do("clear_faults")

    # -- what happened

    def book(self) -> Result:
        """What the store wrote down: see `woocommerce/book.py`."""
        query = urllib.parse.urlencode({"shop": self.name})
        return self._world._session.get(f"{self._world.address}/_book?{query}", timeout=CONTROL_LIMIT).json()

    def mails(self, order: int | str) -> list[Result]:
        """What the shopper was mailed about an order."""
        return self.do("mails", order=order)

    def hooks(self) -> list[Result]:
        """Its webhooks: [{"id", "name", "topic", "status", "delivery_url", "failures", "pending"}]."""
        return self.do("hooks")

    def deliver_hooks(self, to: str | None = None) -> list[Result]:
        """Run the pending deliveries now, to where they belong or, with `to`, to another origin.

        Gives [{"hook", "topic", "order", "status"}]; topic "ping" is the one after creation, status None is no answer.
        """
        return self.do("deliver_hooks", to=to)

    def do(self, action: str, **values: Any) -> Any:
        """Any control action by name."""
        return self._world.control(action, self.name, **values)
