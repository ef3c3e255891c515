"""What can go wrong on the way to this store; which one is due is decided as for the pretend Shopify.

A fault stands for all requests to the REST API, for reads, for writes, or for one operation of `routes`.
"""

from __future__ import annotations

from tests.storefronts.shopify import faults as shopify
from tests.storefronts.shopify.faults import Fault

__all__ = ["ALL", "AFTER", "EXECUTED", "READS", "WRITES", "Fault", "Faults"]

SHARED = (
    *("timeout", "timeout_after", "reset_before", "reset_after", "late", "slow", "429", "500", "500_after"),
    *("502_html", "502_after", "503", "html_200", "cut_json", "cut_body", "drip", "huge", "302", "act"),
)
KINDS = {
    **{kind: shopify.KINDS[kind] for kind in SHARED},
    "401": "HTTP 401: nobody may see anything, as for an unknown key",
    "402": "HTTP 402: the host has suspended the shop",
    "404": "HTTP 404 with a page: nothing rewrites /wp-json/",
    **{status: f"HTTP {status} with a page, nothing is executed" for status in ("408", "413", "504", "520")},
    "empty_200": "executed, HTTP 200 with nothing in it",
    "406": "HTTP 406 with a page of the host's filter, nothing is executed",
    "504_after": "executed, HTTP 504 with a page",
    "waf_403": "HTTP 403 with a firewall's page, nothing is executed",
    "cloudflare_503": "HTTP 503 with a challenge for browsers, nothing is executed",
    "maintenance": "HTTP 503 with a page and Retry-After: 600, nothing is executed",
    "php_warning": "executed, PHP's warnings stand before the JSON",
    "bom": "executed, a byte order mark stands before the JSON",
    "rest_no_route": "HTTP 404: the plugin that answered here is off",
    "critical_500": "HTTP 500 of a plugin that broke, nothing is executed",
    "critical_500_after": "executed, HTTP 500 of a plugin that broke",
    "login_wall": "HTTP 401: a plugin shuts the API to visitors",
}
AFTER = {kind for kind in KINDS if kind.endswith("_after")}
EXECUTED = AFTER | {"cut_json", "cut_body", "drip", "slow", "act", "php_warning", "bom", "empty_200"}
ALL = ("all", "read", "mutation")
READS = (
    *("index", "system_status", "list_statuses", "list_orders", "read_order", "list_notes", "list_refunds"),
    *("list_trackings", "read_tracking", "list_providers", "list_fulfillments", "read_fulfillment", "lookup"),
    *("list_webhooks", "read_webhook"),
)
WRITES = (
    # A write to an order is known by what it writes, too.
    *("update_order", "status", "meta", "delete_order", "batch", "note", "delete_note", "refund", "send_email"),
    *("create_tracking", "delete_tracking", "create_fulfillment", "update_fulfillment", "delete_fulfillment"),
    *("create_webhook", "update_webhook", "delete_webhook"),
)


class Faults(shopify.Faults):
    """The faults of one shop; the first that fits is served."""

    def add(self, fault: Fault) -> None:
        """Switch one on, after those that are on already."""
        if fault.kind not in KINDS or fault.on not in (*ALL, *READS, *WRITES):
            known = f"{', '.join(KINDS)}; on {', '.join((*ALL, *READS, *WRITES))}"
            raise ValueError(f"unknown fault {fault.kind!r} on {fault.on!r}; known: {known}")
        self.active.append(fault)

    @staticmethod
    def _fits(fault: Fault, names: tuple[str, ...], is_mutation: bool, is_token: bool) -> bool:
        if fault.on in ("mutation", "read"):
            return is_mutation == (fault.on == "mutation")
        return fault.on == "all" or fault.on in names
