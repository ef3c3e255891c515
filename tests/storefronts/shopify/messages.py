"""What a test may do to the messages of a store: say where they go, hold, repeat and reorder them; and end the app."""

from __future__ import annotations

import random
import secrets
from typing import Any

from .merchant import action, find
from .shop import Shop
from .values import tail


@action
def deliver_to(shop: Shop, origin: str | None) -> None:
    """Messages go to this scheme and host, whatever was subscribed; None: nowhere."""
    shop.deliveries.to = origin.rstrip("/") if origin else origin


@action
def deliveries(shop: Shop) -> list[dict[str, Any]]:
    """All messages that were made, oldest first, with the status of each try."""
    return shop.deliveries.told()


@action
def deliveries_under_way(shop: Shop) -> int:
    """How many messages are being sent right now."""
    return shop.deliveries.under_way()


@action
def hold_deliveries(shop: Shop) -> None:
    """Make messages, but send none until they are asked for."""
    shop.deliveries.held = True


@action
def deliver_again(
    shop: Shop, ids: list[str] | None = None, order: str = "as_made", times: int = 1, seed: int = 1
) -> int:
    """Send these messages, or all, again: "as_made", "reversed" or "shuffled". How many are on their way."""
    shop.deliveries.held = False
    chosen = [shop.deliveries.made[one] for one in ids or list(shop.deliveries.made)] * times
    if order == "reversed":
        chosen.reverse()
    if order == "shuffled":
        random.Random(seed).shuffle(chosen)  # noqa: S311 - an order that a test can repeat
    for delivery in chosen:
        shop.deliveries.send(delivery)
    return len(chosen)


@action
def forget_subscriptions(shop: Shop, topics: list[str] | None = None) -> int:
    """Subscriptions vanish, as they do after failing for hours. How many."""
    gone = [gid for gid, one in shop.webhooks.items() if topics is None or one["topic"] in topics]
    for gid in gone:
        del shop.webhooks[gid], shop.records[gid]
    return len(gone)


@action
def subscriptions(shop: Shop) -> list[dict[str, Any]]:
    """[{"topic", "uri", "fields"}] of all that stand."""
    return [
        {"topic": one["topic"], "uri": one["uri"], "fields": one["includeFields"]} for one in shop.webhooks.values()
    ]


@action
def privacy(
    shop: Shop, topic: str, uri: str, orders: list[str] | None = None, domain: str = "", email: str = "buyer@x.example"
) -> dict[str, Any]:
    """A message of the platform's for a customer's or a shop's sake, to the app's address; made and sent."""
    listed = [int(tail(find(shop, one)["id"]) if one.startswith("#") else tail(one)) for one in orders or ()]
    content: dict[str, Any] = {"shop_id": 1, "shop_domain": domain or f"{shop.name}.myshopify.com"}
    if topic != "shop/redact":
        content["customer"] = {"id": 1, "email": email, "phone": "555-625-1199"}
    if topic == "customers/redact":
        content["orders_to_redact"] = listed
    if topic == "customers/data_request":
        content |= {"orders_requested": listed, "data_request": {"id": 1}}
    delivery = shop.deliveries.make(topic, uri, content, domain=domain)
    shop.deliveries.send(delivery)
    return next(one for one in shop.deliveries.told() if one["id"] == delivery.id)


@action
def uninstall(shop: Shop) -> None:
    """The merchant removes the app: it is told, then no token is good and no subscription stands any more."""
    shop.deliveries.announce("APP_UNINSTALLED", {"id": 1, "domain": f"{shop.name}.myshopify.com"})
    shop.tokens.clear()
    for one in shop.installed.values():
        one.remove(shop)
    shop.installed.clear()
    shop.installed_secret, shop.client_secret = shop.client_secret, f"{shop.client_secret}-gone"
    forget_subscriptions(shop)


@action
def reinstall(shop: Shop) -> str:
    """The merchant installs the app again; the new token."""
    shop.client_secret = shop.installed_secret or shop.client_secret
    shop.token = f"shpat_{secrets.token_hex(8)}"
    shop.tokens[shop.token] = None
    return shop.token


@action
def change_scopes(shop: Shop, scopes: list[str]) -> None:
    """The app may do something else from now on, and is told so."""
    shop.grant(scopes)
    shop.version += 1
    shop.deliveries.announce("APP_SCOPES_UPDATE", {"id": 1, "current": shop.granted})
