"""One GraphQL request against one shop: cost, execution, the answer. No HTTP, no faults."""

from __future__ import annotations

from typing import Any

from . import (
    mutations_fos,
    mutations_fulfillments,
    mutations_orders,
    mutations_requests,
    mutations_webhooks,
    reads_fulfillments,
    reads_orders,
    reads_shop,
)
from .costs import ONE_REQUEST
from .documents import Document, Documents
from .execute import Nulled, Run
from .pricing import actual, requested
from .problems import Broken, internal, throttled, too_expensive
from .resolvers import RESOLVERS
from .schema import build
from .shop import Shop
from .variables import coerce_variables

# They register themselves.
PARTS = (mutations_fos, mutations_fulfillments, mutations_orders, mutations_requests, mutations_webhooks)
READS = (reads_fulfillments, reads_orders, reads_shop)
SCHEMA = build()
DOCUMENTS = Documents(SCHEMA, RESOLVERS)


def known(text: str, operation_name: str | None) -> Document:
    """The document of a request, parsed and planned once."""
    return DOCUMENTS.get(text, operation_name)


def answer(shop: Shop, document: Document, given: dict[str, Any], arrived: float, request_id: str) -> dict[str, Any]:
    """Execute a request and charge for it; the JSON body of the answer. Holds the shop's lock."""
    if document.errors:
        return {"errors": document.errors}
    assert document.operation is not None
    variables, errors = coerce_variables(SCHEMA, document.operation, given)
    if errors:
        return {"errors": errors}
    price = requested(document.fields, variables, document.is_mutation)
    with shop.lock:
        if price > ONE_REQUEST:
            shop.book.too_expensive += 1
            return {"errors": [too_expensive(price, ONE_REQUEST)]}
        level = shop.bucket.level()
        if price > level:
            shop.book.throttled += 1
            return throttled_answer(shop, price)
        shop.bucket.take(price)
        run = Run(shop, variables)
        run.arrived, run.request_id = arrived, request_id
        if not document.is_mutation:
            shop.book.reads += 1
        try:
            data = run.complete(document.fields, None, None)
        except Nulled:
            data = None
        except Broken:
            shop.bucket.take(-price)
            return {"errors": [internal(request_id)], "data": None}
        spent = actual(document.fields, data or {}, variables, document.is_mutation)
        shop.bucket.take(spent - price)
        shop.book.charged(level, spent)
        result: dict[str, Any] = {"errors": run.errors} if run.errors else {}
        result["data"] = data
        result["extensions"] = _cost(shop, price, spent)
    return result


def throttled_answer(shop: Shop, price: int) -> dict[str, Any]:
    """The answer to a request that the bucket does not hold: nothing was executed."""
    return {"errors": [throttled()], "extensions": _cost(shop, price, None)}


def _cost(shop: Shop, price: int, spent: int | None) -> dict[str, Any]:
    status = shop.bucket.status()
    return {"cost": {"requestedQueryCost": price, "actualQueryCost": spent, "throttleStatus": status}}
