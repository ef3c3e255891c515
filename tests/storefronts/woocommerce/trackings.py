"""Shipment trackings as two plugins keep them, both in one meta of the order, read whole and written back whole.

The official plugin (https://woocommerce.com/document/shipment-tracking/) keeps a carrier's free name and link; Advanced
Shipment Tracking keeps the link and shows no name that its table does not hold. Neither refuses a carrier that it does
not know, a number that is there already, or two requests that overwrite one another.
"""

from __future__ import annotations

import re
import time
import uuid
from typing import Any

from . import dates, statuses
from .access import Request, must
from .problems import Answer, Refused, missing, no_order
from .shop import TRACKINGS, Order, Record, Shop

# What a shop that said nothing else knows.
PROVIDERS = ("UPS", "USPS", "FedEx", "DHL Express", "Royal Mail", "YunExpress", "4PX", "Cainiao")
COUNTRY = "Global"
TAKES = 0.01  # seconds between reading the list and writing it back
SHIPPED_AS = {"1": "completed", "2": "partial-shipped", "3": "updated-tracking"}
DAY = re.compile(r"\d{4}-\d\d-\d\d")


def slug(name: object) -> str:
    """A carrier's name as the plugins keep it."""
    return "-".join(re.findall(r"[a-z0-9]+", str(name).lower()))


def known(shop: Shop) -> dict[str, str]:
    """The carriers in the store's table: name and link, with the plugin's own placeholder."""
    mark = "%number%" if shop.is_ast else "%1$s"
    names = PROVIDERS if shop.providers is None else shop.providers
    return {name: f"https://{slug(name)}.example/track/{mark}" for name in names}


def shown(shop: Shop, item: Record) -> tuple[str, str]:
    """(name, link) of a tracking as the plugin shows them to the customer."""
    number = str(item.get("tracking_number", ""))
    names = {slug(name): name for name in known(shop)}
    if custom := item.get("custom_tracking_provider"):
        link = str(item.get("custom_tracking_link") or "")
        link = link.replace("%number%", number) if shop.is_ast else link.replace("%1$s", number)
        return names.get(slug(custom), "") if shop.is_ast else str(custom), link
    name = names.get(slug(item.get("tracking_provider", "")), "")
    link = known(shop)[name].replace("%number%", number).replace("%1$s", number) if name else ""
    return name, link


def view(shop: Shop, item: Record) -> Record:
    """A tracking as the API gives it."""
    name, link = shown(shop, item)
    at = str(item.get("date_shipped", ""))
    return {
        "tracking_id": str(item.get("tracking_id", "")),
        "tracking_provider": name,
        "tracking_link": link,
        "tracking_number": str(item.get("tracking_number", "")),
        "date_shipped": time.strftime("%Y-%m-%d", time.gmtime(int(at))) if at.isdigit() else at,
    }


def page(shop: Shop, item: Record) -> Record:
    """A tracking in the store's book."""
    seen = view(shop, item)
    return {
        "id": seen["tracking_id"],
        "number": seen["tracking_number"],
        "provider": str(item.get("tracking_provider") or slug(item.get("custom_tracking_provider", ""))),
        "provider_name": seen["tracking_provider"],
        "link": seen["tracking_link"],
        "date_shipped": seen["date_shipped"],
    }


def order_of(shop: Shop, given: str) -> Order:
    """The order a request means. AST takes the id for a *number* first, where numbers are counted apart."""
    if shop.is_ast and shop.sequential_numbers:
        for order in shop.orders.values():
            if order.number == given:
                return order
    order_by_id = shop.orders.get(int(given))
    if order_by_id is None:
        raise no_order()
    return order_by_id


def item(shop: Shop, given: Record) -> Record:
    """A new entry of the list."""
    day = str(given.get("date_shipped") or "")
    at = dates.moment(day) if DAY.match(day) else dates.now()
    custom = str(given.get("custom_tracking_provider") or "")
    entry: Record = {
        "tracking_provider": "" if custom else slug(given.get("tracking_provider", "")),
        "custom_tracking_provider": custom,
        "custom_tracking_link": str(given.get("custom_tracking_link") or "") if custom else "",
        "tracking_number": str(given["tracking_number"]),
        "date_shipped": str(int(at.timestamp())) if at else "",
        "tracking_id": uuid.uuid4().hex,
    }
    if shop.is_ast:
        entry |= {"tracking_product_code": "", "source": "REST_API"}
        entry |= {"status_shipped": str(given.get("status_shipped", "")), "user_id": 1}
    return entry


def created(shop: Shop, request: Request, role: str, order: str) -> Answer:
    """POST: the list is read, the entry added, the list written back. The caller does not hold the lock."""
    given: dict[str, Any] = request.given
    if "tracking_number" not in given:
        raise missing("tracking_number")
    with shop.lock:
        must(role, "create")
        one = order_of(shop, order)
        kept = [] if shop.is_ast and str(given.get("replace_tracking")) == "1" else list(one.trackings)
        entry = item(shop, given)
    time.sleep(TAKES)
    with shop.lock:
        shop.set_meta(one, TRACKINGS, [*kept, entry])
        wanted = SHIPPED_AS.get(str(given.get("status_shipped", ""))) if shop.is_ast else None
        if wanted in shop.statuses:
            statuses.move(shop, one, wanted, by="api")
        shop.changed(one)
        return Answer(201, view(shop, entry))


def listed(shop: Shop, request: Request, role: str, order: str) -> list[Record]:
    """GET: all of an order."""
    one = order_of(shop, order)
    must(role, "view")
    return [view(shop, entry) for entry in one.trackings]


def read(shop: Shop, request: Request, role: str, order: str, tracking: str) -> Record:
    """GET of one."""
    must(role, "view")
    return view(shop, _find(order_of(shop, order), tracking))


def deleted(shop: Shop, request: Request, role: str, order: str, tracking: str) -> Record:
    """DELETE: there is no other way to change one."""
    must(role, "delete")
    one = order_of(shop, order)
    entry = _find(one, tracking)
    shop.set_meta(one, TRACKINGS, [each for each in one.trackings if each is not entry])
    shop.changed(one)
    return view(shop, entry)


def providers(shop: Shop, request: Request, role: str, order: str = "") -> dict[str, dict[str, str]] | list[str]:
    """The carriers that the store knows: {country: {name: link}}. The official plugin tells everybody."""
    if shop.is_ast:
        must(role, "view")
    table = known(shop)
    return {COUNTRY: table} if table else []


def _find(order: Order, tracking: str) -> Record:
    found = next((entry for entry in order.trackings if entry.get("tracking_id") == tracking), None)
    if found is None:
        text = "Invalid shipment tracking ID."
        raise Refused(404, "woocommerce_rest_order_shipment_tracking_invalid_id", text)
    return found
