"""Reads orders and translates them. How a number gets onto one is told in push.py.

https://developer.woocommerce.com/docs/apis/rest-api/orders/
https://woocommerce.github.io/woocommerce-rest-api-docs/#orders
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from ..base import StoreOrder, StoreOrderLine
from ..codes import Code
from ..errors import ShipmentRejected, StoreBusy
from .rest import Params, Rest

ORDERS = "/wc/v3/orders"
MOST = 100  # orders on a page; the store refuses more
FEWEST = 10
SEARCHED = 3  # pages of a search that are looked through for an exact number
# A change may be saved with a time that lies before that of one we have seen.
OVERLAP = timedelta(minutes=5)
_SECOND = timedelta(seconds=1)

# A dotted name reaches into an object; one into a list would drop the whole list.
_PERSON = ("first_name", "last_name", "company", "country")
FIELDS = ",".join(
    (
        *("id", "number", "status", "date_created_gmt", "date_modified_gmt", "date_paid_gmt", "needs_processing"),
        *("line_items", "refunds", "billing.email"),
        *(f"{address}.{part}" for address in ("shipping", "billing") for part in _PERSON),
    )
)

TRASH = "trash"
_ENDED = {"cancelled": "cancelled", "failed": "cancelled", TRASH: "cancelled", "refunded": "refunded"}
_NO_ORDER_YET = frozenset({"checkout-draft", "auto-draft", "draft"})  # a shopper is still at the checkout


class Orders:
    """Asks one store for its orders."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._memory = rest.memory

    def changed(self, since: datetime | None) -> Iterator[StoreOrder]:
        """All orders changed at `since` or later, oldest change first; those in the bin are among them."""
        after = since.astimezone(UTC).replace(microsecond=0) - OVERLAP - _SECOND if since else None
        # The bin is never part of "any".
        streams = [self._walk(after, {}), self._walk(after, {"status": TRASH})]
        for node in heapq.merge(*streams, key=_changed_at):
            if order := self._order(node):
                yield order

    def numbered(self, number: str) -> StoreOrder | None:
        """The one order with exactly this number, or with the same but for a leading #; None when it is not one.

        The store has no filter for numbers. A search finds them among names and addresses, those of plugins too.
        """
        wanted = number.strip()
        bare = wanted.removeprefix("#")
        if not bare:
            return None
        found = self._resembling(bare)
        for spelling in (wanted, bare if wanted != bare else f"#{bare}"):
            if exact := [node for node in found if _number(node) == spelling]:
                return self._order(exact[0]) if len(exact) == 1 else None
        return None

    def by_id(self, order_ids: Sequence[str]) -> list[StoreOrder]:
        """The orders with these ids as they are now, in whatever state; those that are gone are left out."""
        ids = [order_id for order_id in dict.fromkeys(order_ids) if order_id.isdigit()]
        found: dict[str, StoreOrder] = {}
        for status in ("any", TRASH):
            missing = [order_id for order_id in ids if order_id not in found]
            size = self._memory.per_page  # what was too much once would be too much for ever
            for start in range(0, len(missing), size):
                asked = ",".join(missing[start : start + size])
                nodes, _ = self._page({"include": asked, "per_page": size, "status": status})
                found |= {order.external_id: order for node in nodes if (order := self._order(node))}
        return [found[order_id] for order_id in ids if order_id in found]

    def may_be_read(self) -> None:
        """Raises what stands in the way of reading orders."""
        self._page({"per_page": 1})

    def _walk(self, after: datetime | None, more: Params) -> Iterator[Mapping[str, Any]]:
        """All orders changed later than `after`, oldest change first.

        Orders change while they are read, and a change moves an order to the end: then all that come after it move
        up, and page numbers would leave some out. So each step begins at the last change seen, and only orders of
        one and the same second are told apart by pages.
        """
        size, page = self._memory.per_page, 1
        seen: set[tuple[Any, datetime]] = set()
        while True:
            params = {**more, **_later_than(after), "orderby": "modified", "order": "asc", "per_page": size}
            nodes, pages = self._page(params if page == 1 else {**params, "page": page})
            if pages > 1 and not _oldest_change_first(nodes):
                # A plugin sorts in its own way: to go on from the last change would leave some out.
                yield from self._all(after, more, seen)
                return
            yield from (node for node in nodes if _state(node) not in seen)
            if page >= pages or not nodes:
                return
            last = _changed_at(nodes[-1])
            seen = {_state(node) for node in nodes} | (seen if page > 1 else set())
            if after is None or last - _SECOND > after:
                after, page = last - _SECOND, 1
            else:
                page += 1

    def _all(
        self, after: datetime | None, more: Params, seen: set[tuple[Any, datetime]]
    ) -> Iterator[Mapping[str, Any]]:
        """The same, read to the end before the first is told: by ids, which never change, but for those `seen`."""
        size, page = self._memory.per_page, 0
        found: dict[Any, Mapping[str, Any]] = {}
        while True:
            page += 1
            nodes, pages = self._page(
                {**more, **_later_than(after), "orderby": "id", "order": "asc", "per_page": size, "page": page}
            )
            found |= {node["id"]: node for node in nodes}
            if page >= pages or not nodes:
                return iter(sorted((node for node in found.values() if _state(node) not in seen), key=_changed_at))

    def _page(self, params: Params) -> tuple[list[Mapping[str, Any]], int]:
        """One page of orders, and how many pages there are. Past the last page the store says that there are none."""
        try:
            reply = self._rest.get(ORDERS, {"_fields": FIELDS, **params})
        except StoreBusy as error:
            if error.reason.code != Code.THROTTLED:
                # A page may have been more than the shop's PHP can build in its time and memory.
                self._memory.per_page = max(self._memory.per_page // 2, FEWEST)
            raise
        except ShipmentRejected as error:
            # It is no order that the store refuses but the question: not as we know this platform.
            raise StoreBusy(Code.SERVER_ERROR, error.message, status=400, request_id=error.request_id) from None
        if not isinstance(reply.data, list):
            raise StoreBusy(Code.NOT_JSON, request_id=reply.request_id)
        nodes: list[Mapping[str, Any]] = [
            node for node in reply.data if isinstance(node, dict) and node.get("id") and _has_time(node)
        ]
        told: str | int | None = reply.headers.get("X-WP-TotalPages")
        if told is None:  # something on the way lets no strange headers through
            told = int(params.get("page", 1)) + (len(reply.data) >= int(params.get("per_page", MOST)))
        return nodes, _whole_number(told)

    def _resembling(self, number: str) -> list[Mapping[str, Any]]:
        found: dict[Any, Mapping[str, Any]] = {}
        for page in range(1, SEARCHED + 1):
            nodes, pages = self._page({"search": number, "per_page": MOST, "page": page})
            found |= {node["id"]: node for node in nodes}
            if page >= pages:
                break
        if number.isdigit():
            # A search need not look at ids; where no plugin counts, the number is the id.
            nodes, _ = self._page({"include": number})
            found |= {node["id"]: node for node in nodes}
        return list(found.values())

    def _order(self, node: Mapping[str, Any]) -> StoreOrder | None:
        if node.get("status") in _NO_ORDER_YET:
            return None
        return translate(node, self._refunded(node))

    def _refunded(self, node: Mapping[str, Any]) -> Mapping[str, int]:
        """Units taken back, by the line's id. The order only tells amounts of money."""
        ids = tuple(refund["id"] for refund in node.get("refunds") or () if isinstance(refund, dict))
        if not ids:
            return {}
        key = (node["id"], *ids)
        if (known := self._memory.refunded.get(key)) is not None:
            return known
        try:
            reply = self._rest.get(f"{ORDERS}/{node['id']}/refunds", {"_fields": "id,line_items", "per_page": MOST})
        except ShipmentRejected:
            return {}  # the order was deleted after it was listed
        units = refunded_units(reply.data if isinstance(reply.data, list) else ())
        self._memory.keep_refunds(key, units)
        return units


def translate(node: Mapping[str, Any], refunded: Mapping[str, int]) -> StoreOrder:
    """An order of the answer as ours; `refunded`: units by line id."""
    changed_at = _changed_at(node)
    shipping, billing = node.get("shipping") or {}, node.get("billing") or {}
    reason = _ENDED.get(node.get("status") or "", "")
    return StoreOrder(
        external_id=str(node["id"]),
        number=_number(node),
        placed_at=_moment(node.get("date_created_gmt")) or changed_at,
        updated_at=changed_at,
        customer_name=_name(shipping) or _name(billing),
        customer_email=billing.get("email") or "",
        country=shipping.get("country") or billing.get("country") or "",
        shopper_paid_at=_moment(node.get("date_paid_gmt")),
        # No platform's time is told for it: the last change is the nearest.
        cancelled_at=changed_at if reason else None,
        cancel_reason=reason,
        lines=tuple(
            StoreOrderLine(
                external_id=str(line["id"]),
                sku=line.get("sku") or "",
                title=line.get("name") or "",
                quantity=max(ordered(line) - refunded.get(str(line["id"]), 0), 0),
                requires_shipping=needs_shipping(node),
            )
            for line in node.get("line_items") or ()
        ),
    )


def needs_shipping(node: Mapping[str, Any]) -> bool:
    """Whether anything of an order has to be shipped. A line does not tell; a store before 7.x does not tell at all."""
    return node.get("needs_processing") is not False


def ordered(line: Mapping[str, Any]) -> int:
    """Units of a line as they were ordered; plugins sell by weight, too, and a part of a unit is one to pack."""
    try:
        return max(math.ceil(float(line.get("quantity") or 0)), 0)
    except (TypeError, ValueError, OverflowError):
        return 0


def refunded_units(refunds: Iterable[Any]) -> dict[str, int]:
    """Units that refunds took back, by the id of the order's line."""
    units: dict[str, int] = {}
    for refund in refunds:
        for line in refund.get("line_items") or () if isinstance(refund, dict) else ():
            metas = [meta for meta in line.get("meta_data") or () if isinstance(meta, dict)]
            of = next((meta.get("value") for meta in metas if meta.get("key") == "_refunded_item_id"), "")
            if of:
                units[str(of)] = units.get(str(of), 0) + _taken_back(line.get("quantity"))
    return units


def _taken_back(quantity: Any) -> int:
    """Whole units; a part of one that was taken back leaves one to pack."""
    try:
        return int(abs(float(quantity or 0)))
    except (TypeError, ValueError, OverflowError):
        return 0


def _later_than(after: datetime | None) -> Params:
    """The filter by the last change, which leaves out `after` itself.

    Without an offset and with the flag it is UTC that is compared. A time with an offset alone would be compared as
    the shop's local time, of which one hour happens twice a year; with both it would be wrong by the offset.
    """
    return {"modified_after": after.strftime("%Y-%m-%dT%H:%M:%S"), "dates_are_gmt": "true"} if after else {}


def _oldest_change_first(nodes: Sequence[Mapping[str, Any]]) -> bool:
    return all(_changed_at(one) <= _changed_at(other) for one, other in pairwise(nodes))


def _state(node: Mapping[str, Any]) -> tuple[Any, datetime]:
    return node["id"], _changed_at(node)


def _number(node: Mapping[str, Any]) -> str:
    return str(node.get("number") or node["id"])


def _name(address: Mapping[str, Any]) -> str:
    person = f"{address.get('first_name') or ''} {address.get('last_name') or ''}".strip()
    return person or str(address.get("company") or "")


def _moment(text: Any) -> datetime | None:
    """A time ending in _gmt, which is UTC without saying so."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _changed_at(node: Mapping[str, Any]) -> datetime:
    at = _moment(node.get("date_modified_gmt")) or _moment(node.get("date_created_gmt"))
    assert at is not None  # noqa: S101 -- `_has_time` was asked
    return at


def _has_time(node: Mapping[str, Any]) -> bool:
    return bool(_moment(node.get("date_modified_gmt")) or _moment(node.get("date_created_gmt")))


def _whole_number(text: Any) -> int:
    return int(text) if str(text).isdigit() else 0
