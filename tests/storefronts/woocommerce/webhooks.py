"""Webhooks: made by the API, delivered when `control` lets the queue run, silent after failing too often.

https://developer.woocommerce.com/docs/apis/rest-api/v3/webhooks/ Several changes before the queue runs are one
delivery, of the order as it is then. A delivery that failed is not repeated.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import json
import secrets
import urllib.parse
import uuid
from typing import Any

from . import calls, dates, views
from .access import Request, must
from .problems import Answer, Refused, missing
from .shop import Record, Shop

TOPICS = tuple(f"order.{event}" for event in ("created", "updated", "deleted", "restored"))
STATUSES = ("active", "paused", "disabled")
MOST_FAILURES = 5  # one more is forgiven: the hook goes silent with the seventh
FINE = (301, 302)  # besides 2xx


def view(shop: Shop, hook: Record) -> Record:
    """A webhook as the API gives it: without its secret."""
    resource, event = hook["topic"].split(".")
    return {
        "id": hook["id"],
        "name": hook["name"],
        "status": hook["status"],
        "topic": hook["topic"],
        "resource": resource,
        "event": event,
        "hooks": [f"woocommerce_{event}_{resource}"],
        "delivery_url": hook["delivery_url"],
        **views.moments(hook["made"], "date_created", shop),
        **views.moments(hook["changed"], "date_modified", shop),
    }


def listed(shop: Shop, request: Request, role: str) -> list[Record]:
    """GET /webhooks."""
    must(role, "list")
    return [view(shop, hook) for hook in reversed(shop.hooks.values())]


def read(shop: Shop, request: Request, role: str, hook: str) -> Record:
    """GET /webhooks/<id>."""
    must(role, "view")
    return view(shop, _find(shop, hook))


def created(shop: Shop, request: Request, role: str) -> Answer:
    """POST /webhooks: active at once, and a ping is on its way, whether or not it can arrive."""
    given: dict[str, Any] = request.given
    lacking = [name for name in ("topic", "delivery_url") if not given.get(name)]
    if lacking:
        raise missing(*lacking)
    must(role, "create")
    _check(given)
    now = dates.now()
    hook: Record = {
        "id": shop.new_id("hook"),
        "name": given.get("name") or f"Webhook created on {now:%b %d, %Y @ %I:%M %p}",
        "status": given.get("status", "active"),
        "topic": given["topic"],
        "delivery_url": given["delivery_url"],
        "secret": given.get("secret") or secrets.token_urlsafe(37),
        "failures": 0,
        "made": now,
        "changed": now,
    }
    shop.hooks[hook["id"]] = hook
    shop.pending.append({"hook": hook["id"], "order": None})
    return Answer(201, view(shop, hook))


def updated(shop: Shop, request: Request, role: str, hook: str) -> Record:
    """PUT /webhooks/<id>: a silent one may be woken; its failures are forgotten."""
    must(role, "edit")
    found = _find(shop, hook)
    _check(request.given)
    found.update({key: request.given[key] for key in ("name", "status", "topic", "secret") if key in request.given})
    if "delivery_url" in request.given:
        found["delivery_url"] = request.given["delivery_url"]
    if request.given.get("status") == "active":
        found["failures"] = 0
    found["changed"] = dates.now()
    return view(shop, found)


def deleted(shop: Shop, request: Request, role: str, hook: str) -> Record:
    """DELETE /webhooks/<id>?force=true."""
    must(role, "delete")
    if request.query.get("force", [""])[0] not in ("true", "1"):
        raise Refused(501, "woocommerce_rest_trash_not_supported", "Webhooks do not support trashing.")
    return view(shop, shop.hooks.pop(_find(shop, hook)["id"]))


def deliver(shop: Shop, to: str | None = None) -> list[Record]:
    """Run all pending deliveries; the caller does not hold the lock.

    With `to` their origin is replaced. Gives [{"hook", "topic", "order", "status"}]: topic "ping" is the unsigned one,
    status None is no answer.
    """
    with shop.lock:
        waiting, shop.pending = shop.pending, []
    done = []
    for one in waiting:
        with shop.lock:
            hook = shop.hooks.get(one["hook"])
            if hook is None or hook["status"] != "active":
                continue
            topic, body, headers = _message(shop, hook, one["order"])
            url = calls.moved(hook["delivery_url"], to)
        status = calls.post(url, body, headers)
        with shop.lock:
            if topic != "ping":
                _count(hook, status)
        done.append({"hook": hook["id"], "topic": topic, "order": one["order"], "status": status})
    return done


def _message(shop: Shop, hook: Record, order_id: int | None) -> tuple[str, bytes, dict[str, str]]:
    agent = {"User-Agent": f"WooCommerce/{shop.version} Hookshot (WordPress/{shop.wordpress})"}
    if order_id is None:
        body = urllib.parse.urlencode({"webhook_id": hook["id"]}).encode()
        return "ping", body, {**agent, "Content-Type": "application/x-www-form-urlencoded"}
    order = shop.orders.get(order_id)
    is_gone = order is None or hook["topic"] == "order.deleted"
    body = json.dumps({"id": order_id} if is_gone or order is None else views.order(shop, order)).encode()
    resource, event = hook["topic"].split(".")
    signed = hmac.new(html.unescape(hook["secret"]).encode(), body, hashlib.sha256).digest()
    return (
        hook["topic"],
        body,
        {
            **agent,
            "Content-Type": "application/json",
            "X-WC-Webhook-Source": f"{shop.base_url}/",
            "X-WC-Webhook-Topic": hook["topic"],
            "X-WC-Webhook-Resource": resource,
            "X-WC-Webhook-Event": event,
            "X-WC-Webhook-Signature": base64.b64encode(signed).decode(),
            "X-WC-Webhook-ID": str(hook["id"]),
            "X-WC-Webhook-Delivery-ID": uuid.uuid4().hex,
        },
    )


def _count(hook: Record, status: int | None) -> None:
    if status is not None and (200 <= status < 300 or status in FINE):
        hook["failures"] = 0
    elif hook["failures"] > MOST_FAILURES:
        hook["status"] = "disabled"
    else:
        hook["failures"] += 1


def _check(given: dict[str, Any]) -> None:
    if "topic" in given and given["topic"] not in TOPICS:
        raise Refused(400, "woocommerce_rest_webhook_invalid_topic", "Webhook topic is required and must be valid.")
    if "delivery_url" in given and not str(given["delivery_url"]).startswith(("http://", "https://")):
        text = "Webhook delivery URL must be a valid URL starting with http:// or https://."
        raise Refused(400, "woocommerce_rest_webhook_invalid_delivery_url", text)
    if given.get("status", "active") not in STATUSES:
        raise Refused(400, "woocommerce_rest_webhook_invalid_status", "Webhook status must be valid.")


def _find(shop: Shop, hook: str) -> Record:
    found = shop.hooks.get(int(hook))
    if found is None:
        raise Refused(404, "woocommerce_rest_shop_webhook_invalid_id", "Invalid ID.")
    return found
