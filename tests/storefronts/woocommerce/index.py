"""What a shop tells of itself: the API's index, the system status, the statuses that orders may have."""

from __future__ import annotations

import functools
from typing import Any

from . import dates
from .access import Request, must
from .problems import Answer
from .shop import Record, Shop

WORDPRESS = ("oembed/1.0", "wp/v2", "wp-site-health/v1", "wp-block-editor/v1")
WOOCOMMERCE = ("wc/store", "wc/store/v1", "wc/private", "wc/v1", "wc/v2", "wc/v3", "wc-telemetry", "wc-admin")
ROUTES = 2400  # as many descriptions of routes make the index as big as it is


def namespaces(shop: Shop) -> list[str]:
    """Which plugins answer. Fulfillments answer below `wc/v3` and are not to be seen here."""
    own = WOOCOMMERCE if shop.has_woocommerce else ()
    trackings = ("wc-shipment-tracking/v3",) if shop.has_trackings and shop.has_woocommerce else ()
    ast = ("wc-ast/v3",) if shop.is_ast and shop.has_woocommerce else ()
    return [WORDPRESS[0], *own, *ast, *trackings, *WORDPRESS[1:]]


@functools.cache
def _routes() -> Record:
    text = "Limit response to resources that were changed after a given ISO8601 compliant date."
    arguments = {f"argument_{number}": {"description": text, "type": "string"} for number in range(3)}
    return {
        f"/wc/v3/things-{number}/(?P<id>[\\d]+)": {
            "namespace": "wc/v3",
            "methods": ["GET"],
            "endpoints": [{"methods": ["GET"], "args": arguments}],
        }
        for number in range(ROUTES)
    }


def root(shop: Shop, request: Request, role: str) -> Record:
    """GET /wp-json/: for everybody. More than a megabyte, unless the fields are named."""
    zone = shop.time_zone
    offset = dates.offset_hours(zone, dates.now())
    facts: Record = {
        "name": shop.name,
        "description": "",
        "url": shop.base_url,
        "home": shop.base_url,
        "gmt_offset": int(offset) if offset.is_integer() else offset,
        "timezone_string": "" if zone[0] in "+-" else zone,
        "page_for_posts": 0,
        "page_on_front": 0,
        "show_on_front": "posts",
        "namespaces": namespaces(shop),
        "authentication": {},
    }
    if "_fields" not in request.query:
        facts["routes"] = _routes()
    return facts


def namespace(shop: Shop, request: Request, role: str) -> Record:
    """GET /wp-json/wc/v3: for everybody."""
    return {"namespace": "wc/v3", "routes": {}}


def options(methods: list[str]) -> Answer:
    """OPTIONS of any route, with the methods it takes: 200 either way, an empty list where nothing answers."""
    return Answer(200, {"methods": methods} if methods else [], {"Allow": ", ".join(methods)} if methods else {})


def system_status(shop: Shop, request: Request, role: str) -> Record:
    """GET /system_status."""
    must(role, "list")
    return {
        "environment": {
            "home_url": shop.base_url,
            "site_url": shop.base_url,
            "version": shop.version,
            "wp_version": shop.wordpress,
            "wp_multisite": False,
            "php_version": "8.3.14",
            "default_timezone": "UTC",
        },
        "settings": {"currency": shop.currency, "HPOS_enabled": shop.release >= (10,)},
        "active_plugins": [{"name": name, "version": version} for name, version in _plugins(shop)],
    }


def _plugins(shop: Shop) -> list[tuple[str, str]]:
    tracking = [("Advanced Shipment Tracking for WooCommerce", "3.9")] if shop.is_ast else []
    official = [("WooCommerce Shipment Tracking", "2.5.1")] if shop.plugin == "shipment_tracking" else []
    return [("WooCommerce", shop.version), *tracking, *official]


def statuses(shop: Shop, request: Request, role: str) -> list[dict[str, Any]]:
    """GET /orders/statuses, from 9.9 on."""
    must(role, "list")
    return [{"slug": slug, "name": name} for slug, name in shop.statuses.items()]
