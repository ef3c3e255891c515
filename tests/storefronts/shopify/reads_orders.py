"""Orders: found, listed, and what their fields answer that is not simply a key of the record."""

from __future__ import annotations

import datetime
import time
from typing import Any

from .execute import Resolver, Run
from .problems import Problem, access_denied
from .resolvers import RESOLVERS, Page, listed, number, page, resolves
from .search import compile_query
from .values import Record, iso, money

OLD = datetime.timedelta(days=60)
PROTECTED = (
    "This app is not approved to access the {0} object."
    " See https://shopify.dev/docs/apps/launch/protected-customer-data for more details."
)
ORDER_SCOPES = "`read_orders` access scope, `read_marketplace_orders` access scope or `read_quick_sale` access scope."

listed("Order", "lineItems", "_lines")
listed("Order", "events", "_events")
listed("Refund", "refundLineItems", "_lines")
listed("Refund", "transactions", "_transactions")


def oldest_shown(run: Run) -> str:
    """Orders created before this time need a scope of their own."""
    return "" if "read_all_orders" in run.shop.scopes else iso(run.shop.now() - OLD)


def order_is_visible(run: Run, order: Record) -> bool:
    """Whether the app may see an order of this age."""
    return order["createdAt"] >= oldest_shown(run)


def may_read_orders(run: Run, field: str) -> None:
    """Refuse the field to an app without read_orders."""
    if "read_orders" not in run.shop.scopes:
        raise access_denied(field, ORDER_SCOPES)


@resolves("QueryRoot", "order")
def _root_order(source: Any, arguments: dict[str, Any], run: Run) -> Record | None:
    may_read_orders(run, "order")
    order = run.shop.find(arguments["id"], "Order")
    return order if order and order_is_visible(run, order) else None


@resolves("QueryRoot", "orderByIdentifier")
def _by_identifier(source: Any, arguments: dict[str, Any], run: Run) -> Record | None:
    may_read_orders(run, "orderByIdentifier")
    gid = arguments["identifier"].get("id")
    order = run.shop.find(gid, "Order") if gid else None
    return order if order and order_is_visible(run, order) else None


SORTS = {
    "UPDATED_AT": lambda order: order["updatedAt"],
    "CREATED_AT": lambda order: order["createdAt"],
    "PROCESSED_AT": lambda order: order["processedAt"],
    "ORDER_NUMBER": lambda order: order["number"],
    "ID": number,
}


def found_orders(run: Run, query: str | None, sort: str) -> list[Record]:
    """All orders that a search finds, sorted. The sorted list is kept until something is written."""
    shop = run.shop
    key = SORTS.get(sort, number)
    known = shop.sorted.get(sort)
    if known is None or known[0] != shop.version:
        ordered = sorted(shop.orders.values(), key=lambda order: (key(order), number(order)))
        known = shop.sorted[sort] = (shop.version, ordered, {})
    if query in known[2] and not shop.search_lag:
        return known[2][query]
    test, now, oldest = compile_query(query), time.time(), oldest_shown(run)
    result = [
        order for order in known[1] if order["_indexed_at"] <= now and order["createdAt"] >= oldest and test(order)
    ]
    if len(known[2]) < 50:
        known[2][query] = result
    return result


@resolves("QueryRoot", "orders")
def _orders(source: Any, arguments: dict[str, Any], run: Run) -> Page:
    may_read_orders(run, "orders")
    sort = arguments["sortKey"]
    return page(found_orders(run, arguments.get("query"), sort), arguments, SORTS.get(sort, number))


@resolves("QueryRoot", "ordersCount")
def _orders_count(source: Any, arguments: dict[str, Any], run: Run) -> Record:
    may_read_orders(run, "ordersCount")
    found, limit = len(found_orders(run, arguments.get("query"), "ID")), arguments.get("limit") or 10**9
    return {"count": min(found, limit), "precision": "EXACT" if found <= limit else "AT_LEAST"}


def protected(field: str, kind: str, key: str) -> None:
    """A field of an order that names the buyer: refused to an app without approval."""

    def resolver(source: Record, arguments: dict[str, Any], run: Run) -> Any:
        if run.shop.customers_hidden:
            raise Problem(PROTECTED.format(kind), code="ACCESS_DENIED")
        return source[key]

    RESOLVERS["Order", field] = resolver


protected("email", "Order", "email")
protected("phone", "Order", "phone")
protected("shippingAddress", "MailingAddress", "_address")


@resolves("Order", "customer")
def _customer(source: Record, arguments: dict[str, Any], run: Run) -> Record | None:
    if run.shop.customers_hidden:
        raise Problem(PROTECTED.format("Customer"), code="ACCESS_DENIED")
    if "read_customers" not in run.shop.scopes:
        raise access_denied("customer", "`read_customers` access scope.")
    return source["_customer"]


@resolves("Order", "canNotifyCustomer")
def _can_notify(source: Record, arguments: dict[str, Any], run: Run) -> bool:
    return bool(source["email"])


def cut(type_name: str, field: str, key: str) -> None:
    """A plain list with `first`."""

    def resolver(source: Record, arguments: dict[str, Any], run: Run) -> list[Record]:
        first = arguments.get("first")
        return source[key] if first is None else source[key][:first]

    RESOLVERS[type_name, field] = resolver


cut("Order", "fulfillments", "_fulfillments")
cut("Order", "transactions", "_transactions")
cut("Order", "refunds", "_refunds")
cut("Fulfillment", "trackingInfo", "_tracking")


@resolves("Order", "fulfillmentsCount")
def _fulfillments_count(source: Record, arguments: dict[str, Any], run: Run) -> Record:
    return {"count": len(source["_fulfillments"]), "precision": "EXACT"}


def _amount(key: str) -> Resolver:
    return lambda source, arguments, run: money(source[f"_{key}"], source["currencyCode"])


for name in [
    "subtotalPriceSet",
    "totalPriceSet",
    "currentSubtotalPriceSet",
    "currentTotalPriceSet",
    "totalReceivedSet",
    "totalRefundedSet",
    "netPaymentSet",
    "totalOutstandingSet",
]:
    RESOLVERS["Order", name] = _amount(name)
