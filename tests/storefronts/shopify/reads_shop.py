"""The shop itself: places, app and scopes, versions, webhook subscriptions, and records by id."""

from __future__ import annotations

from typing import Any

from . import routing
from .execute import Run
from .problems import Problem, access_denied
from .reads_orders import may_read_orders, order_is_visible
from .resolvers import RESOLVERS, Page, number, page, resolves
from .search import compile_query
from .values import Record

VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10")

for empty in ("metafields", "inventoryLevels"):
    RESOLVERS["Location", empty] = lambda source, arguments, run: page([], arguments)


@resolves("QueryRoot", "node")
def _node(source: Any, arguments: dict[str, Any], run: Run) -> Record | None:
    record = run.shop.records.get(arguments["id"])
    if record is None:
        return None
    if record["__typename"] == "FulfillmentOrder" and not routing.visible(run.shop, record):
        return None
    if record["__typename"] == "Order":
        may_read_orders(run, "node")
        return record if order_is_visible(run, record) else None
    return record


@resolves("QueryRoot", "nodes")
def _nodes(source: Any, arguments: dict[str, Any], run: Run) -> list[Record | None]:
    if len(arguments["ids"]) > 250:
        raise Problem(
            "The input array size is greater than the maximum allowed of 250.", code="MAX_INPUT_SIZE_EXCEEDED"
        )
    return [_node(source, {"id": gid}, run) for gid in arguments["ids"]]


@resolves("QueryRoot", "locations")
def _locations(source: Any, arguments: dict[str, Any], run: Run) -> Page:
    if "read_locations" not in run.shop.scopes:
        raise access_denied("locations", "`read_locations` access scope, `read_inventory` access scope.")
    found = [
        one
        for one in run.shop.locations
        if (one["isActive"] or arguments.get("includeInactive"))
        and (not one["isFulfillmentService"] or arguments.get("includeLegacy"))
    ]
    by_name = arguments.get("sortKey") == "NAME"
    key = (lambda one: one["name"]) if by_name else number
    return page(sorted(found, key=lambda one: (key(one), number(one))), arguments, key)


@resolves("QueryRoot", "location")
def _location(source: Any, arguments: dict[str, Any], run: Run) -> Record | None:
    gid = arguments.get("id")
    return run.shop.find(gid, "Location") if gid else run.shop.locations[0]


def _located(source: Record, arguments: dict[str, Any], run: Run) -> Record | None:
    if "read_locations" not in run.shop.scopes:
        raise access_denied("location", "`read_locations` access scope, `read_inventory` access scope.")
    return source["location"]


RESOLVERS["FulfillmentOrderAssignedLocation", "location"] = _located


@resolves("QueryRoot", "shop")
def _shop(source: Any, arguments: dict[str, Any], run: Run) -> Record:
    shop = run.shop
    domain = f"{shop.name}.myshopify.com"
    return {
        "__typename": "Shop",
        "id": "gid://shopify/Shop/1",
        "name": shop.name,
        "email": f"owner@{shop.name}.example",
        "contactEmail": f"owner@{shop.name}.example",
        "myshopifyDomain": domain,
        "url": shop.base_url,
        "primaryDomain": {"host": domain, "url": shop.base_url},
        "createdAt": shop.created_at,
        "currencyCode": shop.currency,
        "ianaTimezone": shop.time_zone,
        "timezoneAbbreviation": "",
        "timezoneOffset": "+0000",
        "timezoneOffsetMinutes": 0,
        "fulfillmentServices": shop.services,
        "plan": {
            "displayName": "Basic",
            "publicDisplayName": "Basic",
            "partnerDevelopment": False,
            "shopifyPlus": False,
        },
    }


@resolves("QueryRoot", "currentAppInstallation")
def _installation(source: Any, arguments: dict[str, Any], run: Run) -> Record:
    return {
        "__typename": "AppInstallation",
        "id": "gid://shopify/AppInstallation/1",
        "app": run.shop.app,
        "accessScopes": [{"handle": one, "description": one.replace("_", " ")} for one in run.shop.granted],
        "launchUrl": run.shop.base_url,
        "uninstallUrl": None,
    }


RESOLVERS["QueryRoot", "appInstallation"] = _installation
RESOLVERS["QueryRoot", "publicApiVersions"] = lambda source, arguments, run: [
    *({"handle": one, "displayName": one, "supported": True} for one in VERSIONS),
    {"handle": "unstable", "displayName": "unstable", "supported": False},
]
RESOLVERS["QueryRoot", "job"] = lambda source, arguments, run: {"id": arguments["id"], "done": True}


@resolves("QueryRoot", "webhookSubscription")
def _webhook(source: Any, arguments: dict[str, Any], run: Run) -> Record | None:
    return run.shop.webhooks.get(arguments["id"])


def found_webhooks(run: Run, arguments: dict[str, Any]) -> list[Record]:
    """The app's subscriptions that a list asks for."""
    test, topics, uri = compile_query(arguments.get("query")), arguments.get("topics"), arguments.get("uri")
    return [
        one
        for one in run.shop.webhooks.values()
        if test(one) and (not topics or one["topic"] in topics) and (not uri or one["uri"] == uri)
    ]


@resolves("QueryRoot", "webhookSubscriptions")
def _webhooks(source: Any, arguments: dict[str, Any], run: Run) -> Page:
    return page(found_webhooks(run, arguments), arguments)


@resolves("QueryRoot", "webhookSubscriptionsCount")
def _webhooks_count(source: Any, arguments: dict[str, Any], run: Run) -> Record:
    return {"count": len(found_webhooks(run, arguments)), "precision": "EXACT"}
