"""Search as the API does it: terms that match, never a look-up.

`name:#1001` finds every order whose name has the word 1001 in it, "#1001" and "EU-1001" alike; a caller
that wants one order has to compare. https://shopify.dev/docs/api/usage/search-syntax
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .values import Record, iso, moment

Test = Callable[[Record], bool]

TOKEN = re.compile(r"""\s*(\(|\)|(?:-|NOT\s+)?(?:[\w.]+:)?(?:>=|<=|>|<)?(?:"[^"]*"|'[^']*'|[^\s()"']+))""")
TIMES = {"updated_at": "updatedAt", "created_at": "createdAt", "processed_at": "processedAt"}


def words(text: str) -> list[str]:
    """The words of a text as the index holds them."""
    return re.findall(r"[a-z0-9]+", text.lower())


def compile_query(query: str | None) -> Test:
    """A test for records; an empty query lets everything through."""
    tokens = TOKEN.findall(query or "")
    if not tokens:
        return lambda record: True
    test, rest = _any(tokens)
    return test if not rest else lambda record: False


def _any(tokens: list[str]) -> tuple[Test, list[str]]:
    test, tokens = _all(tokens)
    tests = [test]
    while tokens and tokens[0] == "OR":
        test, tokens = _all(tokens[1:])
        tests.append(test)
    return (tests[0] if len(tests) == 1 else lambda record: any(one(record) for one in tests)), tokens


def _all(tokens: list[str]) -> tuple[Test, list[str]]:
    tests: list[Test] = []
    while tokens and tokens[0] not in ("OR", ")"):
        token, tokens = tokens[0], tokens[1:]
        if token == "AND":
            continue
        if token == "(":
            test, tokens = _any(tokens)
            tokens = tokens[1:]
        else:
            test = _term(token)
        tests.append(test)
    return (tests[0] if len(tests) == 1 else lambda record: all(one(record) for one in tests)), tokens


def _term(token: str) -> Test:
    if token.startswith(("-", "NOT ")):
        inner = _term(token[1:] if token[0] == "-" else token[4:].strip())
        return lambda record: not inner(record)
    match = re.match(r"([\w.]+):(>=|<=|>|<)?(.*)$", token, re.DOTALL)
    if not match:
        wanted = words(token)
        return lambda record: all(word in words(f"{record.get('name')} {record.get('email')}") for word in wanted)
    field, operator, value = match[1], match[2] or "", match[3].strip("\"'")
    if field in TIMES:
        return _time(TIMES[field], operator, value)
    return _plain(field, value)


def _time(key: str, operator: str, value: str) -> Test:
    try:
        edge = iso(moment(value))
    except ValueError:
        return lambda record: False
    tests: dict[str, Callable[[str], bool]] = {
        ">=": lambda at: at >= edge,
        ">": lambda at: at > edge,
        "<=": lambda at: at <= edge,
        "<": lambda at: at < edge,
        "": lambda at: at[:10] == edge[:10],
    }
    test = tests[operator]
    return lambda record: test(record[key])


def _plain(field: str, value: str) -> Test:
    lower = value.lower()
    if field == "name":
        wanted = words(value)
        if value.endswith("*"):
            return lambda record: any(word.startswith(wanted[-1]) for word in words(record["name"]))
        return lambda record: bool(wanted) and set(wanted) <= set(words(record["name"]))
    if field == "id":
        return lambda record: record["legacyResourceId"] == value
    if field == "status":
        return {
            "any": lambda record: True,
            "open": lambda record: not record.get("closed") and not record.get("cancelledAt"),
            "closed": lambda record: bool(record.get("closed")),
            "cancelled": lambda record: bool(record.get("cancelledAt")),
        }.get(lower, lambda record: str(record.get("status", "")).lower() == lower)
    key = {
        "financial_status": "displayFinancialStatus",
        "fulfillment_status": "displayFulfillmentStatus",
        "source_identifier": "sourceIdentifier",
        "po_number": "poNumber",
        "email": "email",
        "tag": "tags",
        "request_status": "requestStatus",
    }.get(field)
    if key is None:
        return lambda record: True  # an unknown field is ignored, with a warning that nobody reads
    if key == "tags":
        return lambda record: lower in [one.lower() for one in record["tags"]]
    if key == "displayFulfillmentStatus":
        lower = {"unshipped": "unfulfilled", "shipped": "fulfilled", "partial": "partially_fulfilled"}.get(lower, lower)
    return lambda record: str(record.get(key) or "").lower() == lower
