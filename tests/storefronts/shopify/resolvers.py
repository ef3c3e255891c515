"""How fields are answered: the registry of resolvers, and the pages of lists that connections are.

`RESOLVERS` maps (type, field) to a function of (record, arguments, run). A field that is not in it is read
from the record. The resolvers themselves live in `reads_*` and `mutations_*`.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from .execute import Resolver, Run
from .problems import Problem
from .values import Record

RESOLVERS: dict[tuple[str, str], Resolver] = {}


def resolves(type_name: str, field: str) -> Any:
    """Register a resolver."""

    def register(function: Resolver) -> Resolver:
        RESOLVERS[type_name, field] = function
        return function

    return register


class Page(dict):  # type: ignore[type-arg]
    """A connection: the nodes, and what its cursors are made of."""


def cursor(record: Record, value: Any) -> str:
    """A cursor: the last id and the last sort value, as a real store packs them."""
    packed = json.dumps({"last_id": number(record), "last_value": value}, separators=(",", ":"))
    return base64.b64encode(packed.encode()).decode()


def number(record: Record) -> int:
    """The number in a record's id."""
    digits = record["id"].rsplit("/", 1)[1].split("?")[0]
    return int(digits) if digits.isdigit() else 0


def position(text: str) -> tuple[Any, int]:
    """What a cursor stands for: (sort value, id)."""
    try:
        found = json.loads(base64.b64decode(text))
        return found["last_value"], int(found["last_id"])
    except (ValueError, KeyError, TypeError) as error:
        raise Problem(f"Invalid cursor for current pagination sort: {text}", code="BAD_REQUEST") from error


def page(items: list[Record], arguments: dict[str, Any], key: Any = number, in_order: bool = False) -> Page:
    """`items` cut to what `first`, `after`, `last`, `before` and `reverse` ask for.

    `key` is the sort value; `in_order` says that the items are sorted by it already. Cursors keep their
    place when items are added or move, as keyset paging does.
    """
    first, last = arguments.get("first"), arguments.get("last")
    if first is None and last is None:
        raise Problem("you must provide one of first or last", code="BAD_REQUEST")
    size = first if first is not None else last
    if size < 0 or size > 250:
        raise Problem(f"first must be between 0 and 250, was {size}", code="BAD_REQUEST")
    if arguments.get("reverse"):
        items = items[::-1]
    before_first = after_last = False
    for name, is_after in (("after", True), ("before", False)):
        if arguments.get(name):
            at = position(arguments[name])
            kept = [one for one in items if _beyond(one, at, key, is_after != bool(arguments.get("reverse")))]
            before_first, after_last = (
                (len(kept) < len(items), after_last) if is_after else (before_first, len(kept) < len(items))
            )
            items = kept
    if first is not None:
        nodes, more = items[:size], len(items) > size
        has_next, has_previous = more or after_last, before_first
    else:
        nodes, more = (items[-size:] if size else []), len(items) > size
        has_next, has_previous = after_last, more or before_first
    return Page(nodes=nodes, key=key, has_next=has_next, has_previous=has_previous)


def _beyond(record: Record, at: tuple[Any, int], key: Any, after: bool) -> bool:
    here = (key(record), number(record))
    try:
        return here > at if after else here < at
    except TypeError as error:
        raise Problem("Invalid cursor for current pagination sort", code="BAD_REQUEST") from error


@resolves("Connection", "edges")
def _edges(source: Page, arguments: dict[str, Any], run: Run) -> list[Record]:
    return [{"node": one, "cursor": cursor(one, source["key"](one))} for one in source["nodes"]]


@resolves("Connection", "pageInfo")
def _page_info(source: Page, arguments: dict[str, Any], run: Run) -> Record:
    nodes = source["nodes"]
    return {
        "hasNextPage": source["has_next"],
        "hasPreviousPage": source["has_previous"],
        "startCursor": cursor(nodes[0], source["key"](nodes[0])) if nodes else None,
        "endCursor": cursor(nodes[-1], source["key"](nodes[-1])) if nodes else None,
    }


def listed(type_name: str, field: str, key: str) -> None:
    """A connection that is simply one of the record's lists."""
    RESOLVERS[type_name, field] = lambda source, arguments, run: page(source[key], arguments)
