"""Reading orders: one, or a list with its filters and pages. An unknown filter is ignored without a word."""

from __future__ import annotations

import math
import urllib.parse
from collections.abc import Callable
from typing import Any

from . import dates, views
from .access import Request, must
from .problems import Answer, invalid, no_such_order
from .shop import Order, Record, Shop

MOST = 100
DATES = {
    "after": ("placed", True),
    "before": ("placed", False),
    "modified_after": ("modified", True),
    "modified_before": ("modified", False),
}
ORDERINGS: dict[str, Callable[[Order], Any]] = {
    "date": lambda order: (order.placed, order.id),
    "modified": lambda order: (order.modified, order.id),
    "id": lambda order: order.id,
    "include": lambda order: order.id,
    "title": lambda order: (order.placed, order.id),
    "slug": lambda order: order.id,
}


def one(shop: Shop, request: Request, role: str, order: str) -> Record:
    """GET /orders/<id>. An order that is not there is no secret: that is said before anybody is asked who he is."""
    found = shop.orders.get(int(order))
    if found is None:
        raise no_such_order()
    must(role, "view")
    return views.order(shop, found)


def listed(shop: Shop, request: Request, role: str) -> Answer:
    """GET /orders."""
    filters = _filters(shop, request)
    must(role, "list")
    key = repr(sorted(filters.items()))
    found = shop.sorted.get(key)
    if found is None:
        found = shop.sorted[key] = _found(shop, filters)
    page, per_page = filters["page"], filters["per_page"]
    start = filters["offset"] if filters["offset"] is not None else (page - 1) * per_page
    shown = found[start : start + per_page]
    # Past the end the store forgets how many there are.
    total = len(found) if shown else 0
    pages = math.ceil(total / per_page)
    headers = {"X-WP-Total": str(total), "X-WP-TotalPages": str(pages)}
    links = [(page - 1, "prev")] if page > 1 and shown else []
    links += [(page + 1, "next")] if page < pages else []
    if links:
        headers["Link"] = ", ".join(f'<{_url(shop, request, number)}>; rel="{rel}"' for number, rel in links)
    return Answer(200, [views.order(shop, order) for order in shown], headers)


def _url(shop: Shop, request: Request, page: int) -> str:
    kept = [(name, value) for name, values in request.query.items() if name != "page" for value in values]
    return f"{shop.base_url}/wp-json/wc/v3/orders?{urllib.parse.urlencode([*kept, ('page', page)])}"


def _filters(shop: Shop, request: Request) -> Record:
    """The query, checked by the route's schema. Raises Refused."""
    query = {name: values[-1] for name, values in request.query.items()}
    wrong: dict[str, str] = {}
    numbers: Record = {}
    for name, default, most in (("page", 1, None), ("per_page", 10, MOST), ("offset", None, None)):
        text = query.get(name)
        if text is None:
            numbers[name] = default
        elif not text.isdigit():
            wrong[name] = f"{name} is not of type integer."
        else:
            numbers[name] = int(text)
            if name != "offset" and not 1 <= numbers[name] <= (most or numbers[name] or 1):
                wrong[name] = f"{name} must be between 1 (inclusive) and {most or 'any number'} (inclusive)"
    allowed = ["any", "trash", *shop.statuses]
    statuses = _listed(request.query, "status") or ["any"]
    for index, status in enumerate(statuses):
        if status not in allowed:
            wrong.setdefault("status", f"status[{index}] is not one of {', '.join(allowed)}.")
    orderby, order = query.get("orderby", "date"), query.get("order", "desc")
    if orderby not in ORDERINGS:
        wrong["orderby"] = f"orderby is not one of {', '.join(ORDERINGS)}."
    if order not in ("asc", "desc"):
        wrong["order"] = "order is not one of asc and desc."
    for name in DATES:
        if name in query and not dates.is_written_well(query[name]):
            wrong[name] = "Invalid date."
    ids = {name: _listed(request.query, name) for name in ("include", "exclude")}
    for name, values in ids.items():
        if not all(value.isdigit() for value in values):
            wrong[name] = f"{name}[0] is not of type integer."
    if wrong:
        raise invalid(**wrong)
    return {
        **numbers,
        **{name: [int(value) for value in values] for name, values in ids.items()},
        **{name: query[name] for name in DATES if name in query},
        "status": statuses,
        "orderby": orderby,
        "order": order,
        "search": query.get("search", "").strip().lower(),
        "gmt": query.get("dates_are_gmt", "").lower() in ("1", "true"),
    }


def _listed(query: dict[str, list[str]], name: str) -> list[str]:
    """A list, written with commas or as name[]=, name[0]= ..."""
    found = [value for given, values in query.items() if given.partition("[")[0] == name for value in values]
    return [part.strip() for value in found for part in value.split(",") if part.strip()]


def _found(shop: Shop, filters: Record) -> list[Order]:
    wanted = set(filters["status"])
    if "any" in wanted:
        wanted |= set(shop.statuses)
    include, exclude = filters["include"], set(filters["exclude"])
    limits = [
        (column, is_after, dates.compared(filters[name], shop.time_zone))
        for name, (column, is_after) in DATES.items()
        if name in filters
    ]
    found = [
        order
        for order in shop.orders.values()
        if order.status in wanted
        and (not include or order.id in include)
        and order.id not in exclude
        and _holds(filters["search"], order)
        and all(_in_time(shop, order, column, is_after, text, filters["gmt"]) for column, is_after, text in limits)
    ]
    found.sort(key=ORDERINGS[filters["orderby"]], reverse=filters["order"] == "desc")
    if filters["orderby"] == "include" and include:
        found.sort(key=lambda order: include.index(order.id))
    return found


def _in_time(shop: Shop, order: Order, column: str, is_after: bool, text: str, is_gmt: bool) -> bool:
    at = getattr(order, column)
    kept = dates.gmt(at) if is_gmt else dates.local(at, shop.time_zone)
    return str(kept) > text if is_after else str(kept) < text


def _holds(search: str, order: Order) -> bool:
    if not search:
        return True
    words = (order.number, order.email, order.customer, *(line.title for line in order.lines))
    return search == str(order.id) or any(search in word.lower() for word in words)
