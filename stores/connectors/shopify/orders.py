"""Reads orders and translates them. How a number gets onto one is told in push.py.

https://shopify.dev/docs/api/admin-graphql/latest/queries/orders
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ..base import StoreOrder, StoreOrderLine
from ..codes import Code
from ..errors import ConnectorError, StoreBusy, StoreDisconnected
from .graphql import GraphQL, Reply, TooDear, cleaned

PAGE = 100
LINES = 8
COST = 20.0  # of one order on a page, until the store told
COST_BY_ID = 15.0  # of one order asked for by its id

_KIND = "orders with their lines"
_BY_ID = "orders by their ids"
_CUSTOMER_FIELDS = frozenset({"email", "shippingAddress"})
_PAID = frozenset({"PAID", "PARTIALLY_REFUNDED", "REFUNDED"})


class Orders:
    """Asks one store for its orders. Once it refused the customers' fields they are not asked for again."""

    def __init__(self, api: GraphQL) -> None:
        self._api = api
        self.customers = True
        api.limiter.starts_at(_KIND, COST)
        api.limiter.starts_at(_BY_ID, COST_BY_ID)

    def changed(self, since: datetime | None) -> Iterator[StoreOrder]:
        """All orders changed at `since` or later, oldest change first."""
        query = f"updated_at:>='{since.astimezone(UTC).isoformat(timespec='seconds')}'" if since else None
        after = None
        while True:
            page = self.page(query, after, PAGE)
            for node in page["nodes"]:
                yield self._order(node)
            if not page["pageInfo"]["hasNextPage"]:
                return
            after = page["pageInfo"]["endCursor"]

    def numbered(self, number: str) -> StoreOrder | None:
        """The one order with exactly this number, or with the same but for a leading #; None when it is not one."""
        other = number[1:] if number.startswith("#") else f"#{number}"
        for name in (number, other):
            if not name:
                continue
            # A search, not a look-up: "#1001" finds "#1001-A" too.
            escaped = name.replace("\\", "\\\\").replace('"', '\\"')
            found = [node for node in self.page(f'name:"{escaped}"', None, 10)["nodes"] if node["name"] == name]
            if found:
                return self._order(found[0]) if len(found) == 1 else None
        return None

    def by_ids(self, ids: Sequence[str]) -> list[StoreOrder]:
        """The orders with these ids, or that these fulfillment orders belong to; what is not shown is left out."""
        found: dict[str, StoreOrder] = {}
        # One id that is none of Shopify's would have the whole request refused.
        wanted = [gid for gid in dict.fromkeys(ids) if gid.startswith("gid://shopify/")]
        while wanted:
            nodes, wanted = self._nodes(wanted)
            for node in nodes:
                if "name" in node:
                    found[node["id"]] = self._order(node)
                elif (order := (node.get("order") or {}).get("id")) and order not in found and order not in wanted:
                    wanted.append(order)
        return list(found.values())

    def _nodes(self, ids: list[str]) -> tuple[list[Mapping[str, Any]], list[str]]:
        """What stands behind the first of these ids, as many as one request carries, and the ids that are left."""
        while True:
            size = min(len(ids), PAGE, self._api.limiter.fits(_BY_ID))
            variables = {"ids": ids[:size], "lines": LINES, "customers": self.customers}
            reply = self._read("orders_by_id", variables, _BY_ID, size)
            if reply is None:
                continue
            nodes = reply.data.get("nodes")
            if nodes is None or reply.problems:
                raise _error(reply)
            return [node for node in nodes if node], ids[size:]

    def page(self, query: str | None, after: str | None, first: int) -> Mapping[str, Any]:
        """One page of orders, without the customers' fields where the store refuses them."""
        while True:
            size = min(first, self._api.limiter.fits(_KIND))
            variables = {
                "query": query,
                "after": after,
                "first": size,
                "lines": LINES,
                "customers": self.customers,
            }
            reply = self._read("orders", variables, _KIND, size)
            if reply is None:
                continue
            page: Mapping[str, Any] | None = reply.data.get("orders")
            if page is None or reply.problems:
                raise _error(reply)
            return page

    def _read(self, name: str, variables: Mapping[str, Any], kind: str, size: int) -> Reply | None:
        """The answer; None where less has to be asked for: fewer orders, or nothing of the customers."""
        try:
            reply = self._api.read(name, variables, {kind: size})
        except TooDear:
            if size == 1:
                raise StoreBusy(Code.THROTTLED, "even one order costs more than a request may") from None
            return None
        except StoreDisconnected as error:
            if error.reason.code != Code.SCOPE_MISSING or not self.customers:
                raise
            self.customers = False
            return None
        if self.customers and _customers_refused(reply):
            self.customers = False
            return None
        return reply

    def _order(self, node: Mapping[str, Any]) -> StoreOrder:
        return translate(node, [*node["lineItems"]["nodes"], *self._more_lines(node)])

    def _more_lines(self, node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        page = node["lineItems"]["pageInfo"]
        while page["hasNextPage"]:
            reply = self._api.read("order_lines", {"id": node["id"], "after": page["endCursor"]})
            order = reply.data.get("order")
            if order is None:
                raise _error(reply)
            yield from order["lineItems"]["nodes"]
            page = order["lineItems"]["pageInfo"]


def translate(node: Mapping[str, Any], lines: list[Mapping[str, Any]]) -> StoreOrder:
    """An order of the answer as ours."""
    address = node.get("shippingAddress") or {}
    cancelled_at, cancel_reason = _cancelled(node)
    return StoreOrder(
        external_id=node["id"],
        number=node["name"],
        placed_at=_moment(node["processedAt"] or node["createdAt"]),
        updated_at=_moment(node["updatedAt"]),
        customer_name=address.get("name") or "",
        customer_email=node.get("email") or "",
        country=address.get("countryCodeV2") or "",
        shopper_paid_at=_paid_at(node),
        cancelled_at=cancelled_at,
        cancel_reason=cancel_reason,
        lines=tuple(
            StoreOrderLine(
                external_id=line["id"],
                sku=line["sku"] or "",
                title=line["title"],
                quantity=line["currentQuantity"],
                requires_shipping=line["requiresShipping"],
            )
            for line in lines
        ),
        hides_customer="email" not in node,  # it was not asked for any more
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _paid_at(node: Mapping[str, Any]) -> datetime | None:
    """There is no such field: the last successful payment of an order that is paid in full.

    An order that cost nothing has no payment; it counts as paid when it was placed.
    """
    if not node["fullyPaid"] and node["displayFinancialStatus"] not in _PAID:
        return None
    return _last(node, ("SALE", "CAPTURE")) or _moment(node["processedAt"] or node["createdAt"])


def _last(node: Mapping[str, Any], kinds: tuple[str, ...]) -> datetime | None:
    times = [
        _moment(transaction["processedAt"])
        for transaction in node["transactions"]
        if transaction["kind"] in kinds and transaction["status"] == "SUCCESS" and transaction["processedAt"]
    ]
    return max(times, default=None)


def _cancelled(node: Mapping[str, Any]) -> tuple[datetime | None, str]:
    if node["cancelledAt"]:
        return _moment(node["cancelledAt"]), "cancelled"
    if node["displayFinancialStatus"] == "REFUNDED":
        return _last(node, ("REFUND",)) or _moment(node["updatedAt"]), "refunded"
    return None, ""


def _customers_refused(reply: Reply) -> bool:
    denied = [problem for problem in reply.problems if problem.code == "ACCESS_DENIED"]
    if reply.data.get("orders") is None and reply.data.get("nodes") is None:
        return bool(denied)
    return any(_CUSTOMER_FIELDS & {part for part in problem.path if isinstance(part, str)} for problem in denied)


def _error(reply: Reply) -> ConnectorError:
    problem = next(iter(reply.problems), None)
    if problem and problem.code == "ACCESS_DENIED":
        return StoreDisconnected(
            Code.SCOPE_MISSING, cleaned(problem.message), scopes=list(problem.scopes), request_id=reply.request_id
        )
    return StoreBusy(
        Code.SERVER_ERROR, cleaned(problem.message) if problem else "", status=200, request_id=reply.request_id
    )
