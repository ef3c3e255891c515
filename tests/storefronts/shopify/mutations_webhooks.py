"""Webhook subscriptions: listed and kept, with the refusals of a real store. `deliveries` sends what they ask for."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from .execute import Run
from .mutations_base import Refused, mutation
from .values import Record, tail

ADDRESS = ["webhookSubscription", "callbackUrl"]
INTERNAL = re.compile(r"(^|\.)(shopify\.com|myshopify\.com|shopifycloud\.com|localhost|internal|local)$|^127\.|^10\.")
BAD_FILTER = "The specified filter is invalid, please ensure you specify the field(s) you wish to filter on."


def complaints(uri: str | None) -> list[str]:
    """What a store says of an address, empty for a good one."""
    if not uri:
        return ["Address can't be blank"]
    scheme = uri.split("://")[0] if "://" in uri else ""
    if scheme == "pubsub":
        if re.match(r"pubsub://[^:/]+:[^:/]+$", uri):
            return []
        return [
            "Address protocol pubsub:// is not supported",
            "Address is not a valid GCP pub/sub format. Format should be pubsub://project:topic",
        ]
    if uri.startswith("arn:aws:events:"):
        return []
    if scheme != "https":
        return [f"Address protocol {scheme}:// is not supported"] if scheme else ["Address is invalid"]
    host = urlsplit(uri).hostname
    if not host:
        return ["Address is invalid"]
    return ["Address cannot be a Shopify or an internal domain"] if INTERNAL.search(host) else []


def endpoint(uri: str) -> Record:
    """Where a subscription delivers, in the older field's shape."""
    if uri.startswith("pubsub://"):
        project, topic = uri[9:].split(":")
        return {"__typename": "WebhookPubSubEndpoint", "pubSubProject": project, "pubSubTopic": topic}
    if uri.startswith("arn:"):
        return {"__typename": "WebhookEventBridgeEndpoint", "arn": uri}
    return {"__typename": "WebhookHttpEndpoint", "callbackUrl": uri}


def _apply(run: Run, record: Record, given: Record, new: bool) -> Record:
    uri = given.get("uri", given.get("callbackUrl"))
    if new or uri is not None:
        # Where a test receives the messages it says so, and any address will do.
        said = complaints(uri) if run.shop.deliveries.to is None else []
        errors = [{"field": ADDRESS, "message": one} for one in said]
        if errors:
            return {"webhookSubscription": None, "userErrors": errors}
        record["uri"] = record["callbackUrl"] = uri
        record["endpoint"] = endpoint(str(uri))
    chosen = given.get("filter")
    if chosen and not re.match(r"[\w.]+:", chosen):
        raise Refused(["webhookSubscription"], BAD_FILTER)
    for key in ("filter", "format", "includeFields", "metafieldNamespaces", "name"):
        if key in given:
            record[key] = given[key]
    record["updatedAt"] = run.shop.stamp()
    return {"webhookSubscription": record}


@mutation("webhookSubscriptionCreate")
def _create(arguments: dict[str, Any], run: Run) -> Record:
    given, topic, stamp = arguments["webhookSubscription"], arguments["topic"], run.shop.stamp()
    uri = given.get("uri", given.get("callbackUrl"))
    if any(one["topic"] == topic and one["uri"] == uri for one in run.shop.webhooks.values()):
        raise Refused(ADDRESS, "Address for this topic has already been taken")
    record = {
        "__typename": "WebhookSubscription",
        "topic": topic,
        "format": "JSON",
        "filter": None,
        "name": None,
        "includeFields": [],
        "metafieldNamespaces": [],
        "createdAt": stamp,
        "apiVersion": {"handle": "2026-10", "displayName": "2026-10", "supported": True},
    }
    payload = _apply(run, record, given, True)
    if payload["webhookSubscription"] is not None:
        record["id"] = run.shop.new_id("WebhookSubscription")
        record["legacyResourceId"] = tail(record["id"])
        run.shop.webhooks[record["id"]] = run.shop.records[record["id"]] = record
    return payload


def _known(run: Run, gid: str) -> Record:
    record = run.shop.webhooks.get(gid)
    if record is None:
        raise Refused(["id"], "Webhook subscription does not exist")
    return record


@mutation("webhookSubscriptionUpdate")
def _update(arguments: dict[str, Any], run: Run) -> Record:
    return _apply(run, _known(run, arguments["id"]), arguments["webhookSubscription"], False)


@mutation("webhookSubscriptionDelete")
def _delete(arguments: dict[str, Any], run: Run) -> Record:
    record = _known(run, arguments["id"])
    del run.shop.webhooks[record["id"]], run.shop.records[record["id"]]
    return {"deletedWebhookSubscriptionId": record["id"]}
