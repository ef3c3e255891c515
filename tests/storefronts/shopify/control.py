"""What a test or a demo may do to a shop's settings and weather: `POST /_control` with {"action", "shop", ...}.

What the merchant does to orders stands in `merchant`; what an app may do goes through the API.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import messages, oauth
from .book import pages
from .faults import Fault
from .merchant import ACTIONS, action
from .shop import Shop

if TYPE_CHECKING:
    from .server import World

PARTS = (messages,)  # its actions register themselves


def act(world: World, request: dict[str, Any]) -> Any:
    """Carry out one request; the result as JSON. Raises what the action raised."""
    name, shop_name = request.pop("action"), request.pop("shop", None)
    if name == "open":
        shop = world.open_shop(shop_name, request)
        return _facts(shop)
    if name == "shops":
        return sorted(world.shops)
    if name == "app":
        return oauth.register(world.apps, shop_name, request)
    shop = world.shops[shop_name]
    if name == "signed":
        return oauth.query_of(shop, world.apps[request["client_id"]], request["params"], request["age"])
    with shop.lock:
        return ACTIONS[name](shop, **request)


def _facts(shop: Shop) -> dict[str, Any]:
    return {
        "name": shop.name,
        "base_url": shop.base_url,
        "token": shop.token,
        "client_id": shop.client_id,
        "client_secret": shop.client_secret,
        "locations": {one["name"]: one["id"] for one in shop.locations},
    }


@action
def add_location(shop: Shop, name: str, **options: Any) -> str:
    """Another place; its id."""
    return shop.add_location(name, **options)["id"]


@action
def settings(shop: Shop, **values: Any) -> dict[str, Any]:
    """Change how the shop behaves from now on."""
    if "scopes" in values:
        shop.grant(values.pop("scopes"))
    if "latency_ms" in values:
        shop.latency = values.pop("latency_ms") / 1000
    if "bucket" in values or "restore_rate" in values:
        size = values.pop("bucket", shop.bucket.size)
        shop.bucket.resize(size, values.pop("restore_rate", shop.bucket.rate))
    for key, value in values.items():
        if key not in ("customers_hidden", "time_zone", "search_lag", "token_seconds"):
            raise KeyError(f"unknown setting {key!r}")
        setattr(shop, key, value)
    shop.version += 1
    return _facts(shop)


@action
def drain(shop: Shop, level: float = 0) -> None:
    """Leave `level` points in the bucket."""
    shop.bucket.take(shop.bucket.level() - level)


@action
def revoke_token(shop: Shop) -> None:
    """The app was uninstalled: no token is good any more, and the client is unknown."""
    shop.tokens.clear()
    shop.client_secret += "-gone"


@action
def expire_token(shop: Shop) -> None:
    """All tokens have come to their end; new ones may be asked for."""
    shop.tokens = dict.fromkeys(shop.tokens, 1.0)


@action
def renew_token(shop: Shop, token: str) -> None:
    """The merchant made a new token for the app."""
    shop.token = token
    shop.tokens[token] = None


@action
def fault(
    shop: Shop,
    kind: str,
    on: str = "all",
    times: int | None = None,
    probability: float | None = None,
    seconds: float | None = None,
    does: dict[str, Any] | None = None,
) -> None:
    """Switch a fault on; `does` is an action of the merchant for the kind "act"."""
    shop.faults.add(Fault(kind, on, times, probability, seconds, does))


@action
def clear_faults(shop: Shop) -> None:
    """Fair weather."""
    shop.faults.clear()


@action
def seed(shop: Shop, seed: int) -> None:
    """Start the storm's dice anew."""
    shop.faults.random.seed(seed)


@action
def book(shop: Shop) -> dict[str, Any]:
    """The whole book."""
    return pages(shop)
