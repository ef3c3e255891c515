"""Which function answers a route of the REST API, and what the operation is called in faults and in the book.

As in WordPress a wrong key is refused before the route is looked for, and what the route's schema forbids before
anybody is asked what he may do.
"""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import fulfillments, index, notes, orders_read, orders_write, refunds, trackings, views, webhooks
from .access import Request, who
from .problems import Answer, Refused, no_route
from .shop import Shop

WC = r"/wc/v3"
ORDER = rf"{WC}/orders/(?P<order>\d+)"
TRACKED = r"/(?P<space>wc-shipment-tracking/v3|wc-ast/v3|wc/v[123])/orders/(?P<order>\d+)/shipment-trackings"
FULFILLED = rf"{ORDER}/fulfillments"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
HOOK = rf"{WC}/webhooks/(?P<hook>\d+)"


@dataclass(frozen=True)
class Route:
    """One route: which methods, where, what it is called, who answers, and whether he locks the shop himself."""

    methods: tuple[str, ...]
    pattern: re.Pattern[str]
    name: str
    answers: Callable[..., Any]
    locks: bool = False


def _route(methods: str, pattern: str, name: str, answers: Callable[..., Any], *, locks: bool = False) -> Route:
    return Route(tuple(methods.split()), re.compile(f"{pattern}/?"), name, answers, locks)


ROUTES = (
    _route("GET", "", "index", index.root),
    _route("GET", WC, "index", index.namespace),
    _route("GET", rf"{WC}/system_status", "system_status", index.system_status),
    _route("GET", rf"{WC}/orders/statuses", "list_statuses", index.statuses),
    _route("GET", rf"{WC}/orders", "list_orders", orders_read.listed),
    _route("GET", ORDER, "read_order", orders_read.one),
    _route("PUT POST PATCH", ORDER, "update_order", orders_write.updated),
    _route("DELETE", ORDER, "delete_order", orders_write.deleted),
    _route("PUT POST PATCH", rf"{WC}/orders/batch", "batch", orders_write.batch),
    _route("POST", rf"{ORDER}/actions/send_email", "send_email", orders_write.send_email),
    _route("GET", rf"{ORDER}/notes", "list_notes", notes.listed),
    _route("POST", rf"{ORDER}/notes", "note", notes.created),
    _route("DELETE", rf"{ORDER}/notes/(?P<note>\d+)", "delete_note", notes.deleted),
    _route("GET", rf"{ORDER}/refunds", "list_refunds", refunds.listed),
    _route("POST", rf"{ORDER}/refunds", "refund", refunds.created),
    _route("GET", TRACKED, "list_trackings", trackings.listed),
    _route("POST", TRACKED, "create_tracking", trackings.created, locks=True),
    _route("GET", rf"{TRACKED}/providers", "list_providers", trackings.providers),
    _route("GET", r"/wc-shipment-tracking/v3/shipment-trackings/providers", "list_providers", trackings.providers),
    _route("GET", rf"{TRACKED}/(?P<tracking>[0-9a-f]{{32}})", "read_tracking", trackings.read),
    _route("DELETE", rf"{TRACKED}/(?P<tracking>[0-9a-f]{{32}})", "delete_tracking", trackings.deleted),
    _route("GET", FULFILLED, "list_fulfillments", fulfillments.listed),
    _route("POST", FULFILLED, "create_fulfillment", fulfillments.created),
    _route("GET", rf"{FULFILLED}/lookup", "lookup", fulfillments.lookup),
    _route("GET", rf"{FULFILLED}/(?P<fulfillment>\d+)", "read_fulfillment", fulfillments.read),
    _route("PUT POST PATCH", rf"{FULFILLED}/(?P<fulfillment>\d+)", "update_fulfillment", fulfillments.updated),
    _route("DELETE", rf"{FULFILLED}/(?P<fulfillment>\d+)", "delete_fulfillment", fulfillments.deleted),
    _route("GET", rf"{WC}/webhooks", "list_webhooks", webhooks.listed),
    _route("POST", rf"{WC}/webhooks", "create_webhook", webhooks.created),
    _route("GET", HOOK, "read_webhook", webhooks.read),
    _route("PUT POST PATCH", HOOK, "update_webhook", webhooks.updated),
    _route("DELETE", HOOK, "delete_webhook", webhooks.deleted),
)


def find(shop: Shop, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route and what stands in its address; None where the shop as it is has none."""
    method = "GET" if method == "HEAD" else method
    for route in ROUTES:
        found = route.pattern.fullmatch(path)
        if found is None or method not in route.methods:
            continue
        given = found.groupdict()
        return (route, given) if _is_there(shop, route, given.pop("space", None)) else None
    return None


def _is_there(shop: Shop, route: Route, space: str | None) -> bool:
    if route.answers is index.root:
        return True
    if not shop.has_woocommerce:
        return False
    if route.answers is index.statuses:
        return shop.release >= (9, 9)
    if route.answers is orders_write.send_email:
        return shop.release >= (9, 9)
    if route.answers is trackings.providers:
        # Each of the two plugins has an address of its own for its carriers.
        return shop.has_trackings and shop.is_ast == (space is not None)
    if space is not None:
        return shop.is_ast or (shop.has_trackings and space == "wc-shipment-tracking/v3")
    return shop.has_fulfillments if "fulfillments" in route.pattern.pattern else True


def operations(shop: Shop, request: Request) -> tuple[str, ...]:
    """All names of what is asked, () for what is nothing. A write to an order is also known by what it writes."""
    found = find(shop, request.method, request.route)
    if found is None:
        return ()
    name = found[0].name
    if name != "update_order":
        return (name,)
    parts = {"status": "status", "meta_data": "meta"}
    return (name, *(part for key, part in parts.items() if key in request.given))


def read_body(request: Request) -> bool:
    """Fill `given` from a JSON or a form body; False where it is JSON and cannot be read."""
    kind = request.headers.get("content-type", "")
    if not request.body:
        return True
    if "json" in kind:
        try:
            given = json.loads(request.body)
        except ValueError:
            return False
        request.given = given if isinstance(given, dict) else {}
    elif "form" in kind:
        request.given = dict(urllib.parse.parse_qsl(request.body.decode("utf-8", "replace")))
    return True


def answer(shop: Shop, request: Request) -> Answer:
    """Who asks, may he, and what he gets. What was written or refused goes into the book."""
    names = operations(shop, request)
    order = re.search(r"/orders/(\d+)", request.route)
    code: object = ""
    try:
        made = _answer(shop, request)
    except Refused as refused:
        made, code = refused.answer(), refused.body["code"]
    with shop.lock:
        if request.is_write:
            # Where it is known what was written to an order, that is what counts.
            shop.book.wrote(names[1:] or names, int(order[1]) if order else None, made.status, code)
        elif names:
            shop.book.reads += 1
    made.headers = {"Link": f'<{shop.api_root}>; rel="https://api.w.org/"', **made.headers}
    return made


def _answer(shop: Shop, request: Request) -> Answer:
    with shop.lock:
        if "consumer_secret" in request.query:
            shop.book.in_query += 1
        role = who(shop, request)
        if request.method == "OPTIONS":
            return index.options([one for one in METHODS if find(shop, one, request.route)])
        found = find(shop, request.method, request.route)
    if found is None:
        raise no_route()
    if not read_body(request):
        raise Refused(400, "rest_invalid_json", "Invalid JSON body passed.", json_error_code=4)
    route, given = found
    if route.locks:
        body = route.answers(shop, request, role, **given)
    else:
        with shop.lock:
            body = route.answers(shop, request, role, **given)
    made = body if isinstance(body, Answer) else Answer(200, body)
    made.body = views.cut(made.body, request.query.get("_fields", [""])[0])
    return made
