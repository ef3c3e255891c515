"""The state that a workflow starts from: places, and orders that were made before the recording began."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..client import PretendShopify, Shop
from .compare import GID, Ids
from .order import Exchange

SCOPES = [
    "write_orders",
    "write_customers",
    "write_fulfillments",
    "read_locations",
    "read_all_orders",
    "write_merchant_managed_fulfillment_orders",
    "write_third_party_fulfillment_orders",
    "write_assigned_fulfillment_orders",
]

SUBSCRIBE = """mutation($uri: String!) {
  webhookSubscriptionCreate(topic: SHOP_UPDATE, webhookSubscription: {uri: $uri}) { webhookSubscription { id } }
}"""
MOVE = """mutation($fo: ID!, $to: ID!) {
  fulfillmentOrderMove(id: $fo, newLocationId: $to) { userErrors { message } }
}"""
SPLIT = """mutation($fo: ID!, $line: ID!) {
  fulfillmentOrderSplit(fulfillmentOrderSplits: [
    {fulfillmentOrderId: $fo, fulfillmentOrderLineItems: [{id: $line, quantity: 1}]}
  ]) { userErrors { message } }
}"""


def records(value: Any) -> Iterator[dict[str, Any]]:
    """Every object inside an answer, outermost first."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from records(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from records(inner)


def ids_in(value: Any) -> Iterator[str]:
    """Every global id inside a value."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from ids_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from ids_in(inner)
    elif isinstance(value, str) and GID.match(value):
        yield value


def kind(gid: str) -> str:
    """The type in a global id."""
    match = GID.match(gid)
    return match[1] if match else ""


class Seed:
    """A shop with what a workflow found when it began; orders at places that it makes itself come later."""

    def __init__(self, world: PretendShopify, group: list[Exchange], is_mutation: Callable[[Exchange], bool]) -> None:
        self.ids = Ids()
        places = _places(group)
        self.shop = world.shop(
            scopes=SCOPES,
            bucket=10**7,
            restore_rate=10**6,
            locations=[{key: place[key] for key in ("name", "online", "address")} for place in places] or None,
        )
        for place in places:
            self.ids.bind(place["id"], self.shop.locations[place["name"]])
        self._all = _earlier_orders(group, is_mutation)
        self._waiting = list(self._all)
        self._made = _made_places(group)
        self.more()
        for gid in _earlier_webhooks(group):
            self._webhook(gid)

    def known(self) -> set[str]:
        """Ids of everything that was there before."""
        return {gid for order in self._all for gid in [order["id"], *ids_in(order["fos"]), *order["fos"]] if gid}

    def more(self) -> None:
        """Make the orders whose places there are by now."""
        for known in list(self._waiting):
            places = [
                ((fo.get("assignedLocation") or {}).get("location") or {}).get("id") for fo in known["fos"].values()
            ]
            if all(place not in self._made or place in self.ids.ours for place in places):
                self._waiting.remove(known)
                _make(self.shop, known, self.ids)

    def _webhook(self, gid: str) -> None:
        answer = self.shop.graphql(SUBSCRIBE, {"uri": f"https://example.com/{gid.rsplit('/', 1)[1]}"}).json()
        self.ids.bind(gid, answer["data"]["webhookSubscriptionCreate"]["webhookSubscription"]["id"])


def _earlier_webhooks(group: list[Exchange]) -> list[str]:
    """Subscriptions that the workflow deletes but did not make."""
    made, deleted = set(), []
    for exchange in group:
        for record in records(exchange.response):
            gid = record.get("deletedWebhookSubscriptionId")
            if gid and gid not in made:
                deleted.append(gid)
            if isinstance(record.get("id"), str) and kind(record["id"]) == "WebhookSubscription":
                made.add(record["id"])
    return deleted


def _made_places(group: list[Exchange]) -> set[str]:
    """Places that come with a fulfilment service which the workflow registers."""
    made: set[str] = set()
    for exchange in group:
        answer = (exchange.response.get("data") or {}).get("fulfillmentServiceCreate") or {}
        created = answer.get("fulfillmentService")
        if created and created.get("location"):
            made.add(created["location"]["id"])
    return made


def _places(group: list[Exchange]) -> list[dict[str, Any]]:
    """All other locations that an answer shows, those of the first new order first."""
    found: dict[str, dict[str, Any]] = {}
    made = _made_places(group)
    firsts = [one for one in group if "orderCreate" in (one.response.get("data") or {})]
    for exchange in [*firsts, *group]:
        for record in records(exchange.response):
            gid = record.get("id")
            if isinstance(gid, str) and kind(gid) == "Location" and "name" in record and gid not in made:
                known = found.setdefault(gid, {"id": gid, "name": record["name"], "online": True, "address": None})
                known["online"] = record.get("fulfillsOnlineOrders", known["online"])
                known["address"] = record.get("address", known["address"])
    return list(found.values())


def _earlier_orders(group: list[Exchange], is_mutation: Callable[[Exchange], bool]) -> list[dict[str, Any]]:
    """Orders that the workflow speaks of but did not make: {"id", "order", "fos": {id: record}}, oldest first."""
    born: set[str] = set()
    asked: set[str] = set()
    for exchange in group:
        if is_mutation(exchange):
            asked |= set(ids_in(exchange.variables)) - born
            born |= set(ids_in(exchange.response)) - asked
    for exchange in group:
        asked |= set(ids_in(exchange.variables)) - born
    homes = {
        fo["id"]: order["id"]
        for one in group
        for record in records(one.response)
        for fo, order in _fos_of(record)
        if order.get("id")
    }
    orders: dict[str, dict[str, Any]] = {}
    # What was read right before a write was asked for shows the earliest state.
    for exchange in sorted(group, key=lambda one: "upstreamCalls" not in one.steps):
        for record in records(exchange.response):
            for fo, order in _fos_of(record):
                if fo["id"] in born or homes.get(fo["id"]) in born:
                    continue
                known = _known(orders, fo, order)
                known["order"] = {**order, **known["order"]}
                known["fos"].setdefault(fo["id"], fo)
    for gid in sorted(asked - born):
        if kind(gid) == "Order" and gid not in orders and _is_accepted(group, gid):
            orders[gid] = {"id": gid, "order": {}, "fos": {}}
    return sorted(orders.values(), key=lambda one: min([*one["fos"], one["id"] or "~"]))


def _known(orders: dict[str, dict[str, Any]], fo: dict[str, Any], order: dict[str, Any]) -> dict[str, Any]:
    gid = order.get("id")
    lines = _line_ids(fo)
    for known in orders.values():
        if fo["id"] in known["fos"] or any(lines & _line_ids(other) for other in known["fos"].values()):
            known["id"] = known["id"] or gid
            return known
    return orders.setdefault(gid or f"of {fo['id']}", {"id": gid, "order": {}, "fos": {}})


def _line_ids(fo: dict[str, Any]) -> set[str]:
    return {line["lineItem"]["id"] for line in fo["lineItems"]["nodes"] if "lineItem" in line}


def _is_accepted(group: list[Exchange], gid: str) -> bool:
    """Whether the store knew this order: it never answered that there is none."""
    texts = [str(one.response).lower() for one in group if gid in set(ids_in(one.variables))]
    return not any("not found" in text or "does not exist" in text or "'order': none" in text for text in texts)


def _fos_of(record: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    if not isinstance(record.get("id"), str):
        return
    if kind(record["id"]) == "Order" and isinstance(record.get("fulfillmentOrders"), dict):
        for fo in record["fulfillmentOrders"].get("nodes") or ():
            if "lineItems" in fo and "id" in fo:
                yield fo, record
    if kind(record["id"]) == "FulfillmentOrder" and "lineItems" in record and "status" in record:
        yield record, record.get("order") or {}


def _make(shop: Shop, known: dict[str, Any], ids: Ids) -> None:
    """The order, with a fulfilment order for the first recorded one and by edits for the others."""
    order, fos = known["order"], list(known["fos"].values())
    shown = {item["id"]: item for item in (order.get("lineItems") or {}).get("nodes") or ()}
    parts = [_lines(fo, shown) for fo in fos] or [{}]
    made = shop.do(
        "add_order",
        lines=list(parts[0].values()) or [{"title": "A thing", "quantity": 1}],
        number=order.get("name"),
        email=order.get("email"),
        currency=_currency(order),
        note=order.get("note"),
        tags=order.get("tags") or [],
    )
    if known["id"]:
        ids.bind(known["id"], made["id"])
    learnt: dict[str, dict[str, Any]] = dict(parts[0])
    later = {gid: line for part in parts[1:] for gid, line in part.items() if gid not in learnt}
    removed = {}
    for recorded, ours in zip(parts[0], made["lines"], strict=False):
        quantity = parts[0][recorded]["quantity"]
        current = shown.get(recorded, {}).get("currentQuantity")
        if current is None and len(fos) == 1:
            current = sum(line["totalQuantity"] for line in fos[0]["lineItems"]["nodes"] if _is_of(line, recorded))
        if current and current < quantity:
            removed[ours] = quantity - current
    if later or removed:
        made = shop.do("edit", order=made["id"], add=list(later.values()), remove=removed)
        learnt.update(later)
    for recorded, ours in zip(learnt, made["lines"], strict=False):
        ids.bind(recorded, ours)
    repeated = len(fos) > len(made["fulfillment_orders"])
    for index, recorded in enumerate(fos):
        _bring(shop, made["id"], index, recorded, ids, repeated and index + 1 < len(fos))
    for recorded, ours in zip(fos, shop.order(made["id"])["fulfillment_orders"], strict=False):
        ids.bind(recorded["id"], ours["id"])
        for one, other in zip(recorded["lineItems"]["nodes"], ours["lines"], strict=False):
            ids.bind(one["id"], other["id"])


def _is_of(line: dict[str, Any], gid: str) -> bool:
    return (line.get("lineItem") or {}).get("id") == gid


def _currency(order: dict[str, Any]) -> str | None:
    for record in records(order):
        if "currencyCode" in record:
            return str(record["currencyCode"])
    return None


def _lines(fo: dict[str, Any], shown: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The order lines of a recorded fulfilment order, as `add_order` takes them, by recorded id."""
    lines: dict[str, dict[str, Any]] = {}
    for line in fo["lineItems"]["nodes"]:
        item = line.get("lineItem") or {"id": line["id"]}
        item = {**item, **shown.get(item["id"], {})}
        price = ((item.get("originalUnitPriceSet") or {}).get("shopMoney") or {}).get("amount")
        lines[item["id"]] = {
            "title": item.get("title", "A thing"),
            "sku": item.get("sku"),
            "quantity": item.get("quantity") or max(1, line["totalQuantity"]),
            "price": float(price or 10),
            "variant": (item.get("variant") or {}).get("id"),
        }
    return lines


def _bring(shop: Shop, order: str, index: int, fo: dict[str, Any], ids: Ids, followed: bool) -> None:
    """A fulfilment order into the state that it was first seen in.

    `followed`: another one holds the same units, so they went there: by a cancelled fulfillment where units
    are still counted here, by a split where none are.
    """
    here = ids.ours.get(((fo.get("assignedLocation") or {}).get("location") or {}).get("id"))
    if here:
        shop.graphql(MOVE, {"fo": shop.order(order)["fulfillment_orders"][index]["id"], "to": here})
    if fo["status"] != "CLOSED":
        return
    lines = fo["lineItems"]["nodes"]
    total = sum(line["totalQuantity"] for line in lines)
    left = sum(line["remainingQuantity"] for line in lines)
    if followed and total:
        for gid in shop.fulfil_by_hand(order)["made"]:
            shop.cancel_fulfillment(gid)
    elif followed:
        ours = shop.order(order)["fulfillment_orders"][index]
        shop.graphql(SPLIT, {"fo": ours["id"], "line": ours["lines"][0]["id"]})
    elif not total:
        shop.cancel_order(order)
    elif left < total:
        shop.fulfil_by_hand(order)
    else:
        shop.cancel_order(order, refund=False)
