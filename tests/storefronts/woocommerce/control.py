"""What a test or a demo may do to a shop's settings and weather: `POST /_control` with {"action", "shop", ...}.

What the merchant does to orders stands in `merchant`; what an app may do goes through the API.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import webhooks
from .book import pages
from .faults import Fault
from .merchant import ACTIONS, action
from .shop import Record, Shop

if TYPE_CHECKING:
    from .server import World

SETTINGS = (
    *("version", "time_zone", "custom_statuses", "strips_authorization", "sees_https", "plain_permalinks"),
    *("php_warning", "has_woocommerce", "sequential_numbers", "providers", "lenient_callback", "callback_to"),
    "moved_to",
    *("username", "password", "user", "key_permissions"),
)


def act(world: World, request: Record) -> Any:
    """Carry out one request; the result as JSON. Raises what the action raised."""
    name, shop_name = request.pop("action"), request.pop("shop", None)
    if name == "open":
        return _facts(world.open_shop(shop_name, request))
    if name == "shops":
        return sorted(world.shops)
    shop = world.shops[shop_name]
    if name == "deliver_hooks":
        return webhooks.deliver(shop, **request)
    with shop.lock:
        return ACTIONS[name](shop, **request)


def _facts(shop: Shop) -> Record:
    return {"name": shop.name, "base_url": shop.base_url, **new_key(shop)}


@action
def new_key(shop: Shop, permissions: str | None = None, user: str | None = None) -> dict[str, str]:
    """The merchant makes another key."""
    made = shop.new_key(permissions, user)
    return {"consumer_key": made["consumer_key"], "consumer_secret": made["consumer_secret"]}


@action
def revoke_key(shop: Shop) -> None:
    """The merchant takes all keys away."""
    shop.keys.clear()


@action
def set_plugin(shop: Shop, plugin: str) -> None:
    """Another plugin is switched on, the last one off."""
    shop.set_plugin(plugin)


@action
def settings(shop: Shop, **values: Any) -> None:
    """Change how the shop behaves from now on, by the names under which it was opened."""
    if "latency_ms" in values:
        shop.latency = values.pop("latency_ms") / 1000
    if "thinks_http" in values:
        shop.sees_https = not values.pop("thinks_http")
    if "statuses" in values:
        shop.custom_statuses = list(values.pop("statuses") or ())
    for key, value in values.items():
        if key not in SETTINGS:
            raise KeyError(f"unknown setting {key!r}")
        setattr(shop, key, value)
        if key == "user":
            for each in shop.keys.values():
                each["user"] = value
        if key == "key_permissions":
            for each in shop.keys.values():
                each["permissions"] = value
    shop.sorted.clear()


@action
def fault(
    shop: Shop,
    kind: str,
    on: str = "all",
    times: int | None = None,
    probability: float | None = None,
    seconds: float | None = None,
    does: Record | None = None,
) -> None:
    """Switch a fault on; `does` is an action of the merchant for the kind "act"."""
    shop.faults.add(Fault(kind, on, times, probability, seconds, does))


@action
def clear_faults(shop: Shop) -> None:
    """Fair weather."""
    shop.faults.clear()


@action
def hooks(shop: Shop) -> list[Record]:
    """Its webhooks with their failures, and how many deliveries are pending."""
    return [
        {
            **{key: hook[key] for key in ("id", "name", "topic", "status", "delivery_url", "failures")},
            "pending": sum(one["hook"] == hook["id"] for one in shop.pending),
        }
        for hook in shop.hooks.values()
    ]


@action
def book(shop: Shop) -> Record:
    """The whole book."""
    return pages(shop)
