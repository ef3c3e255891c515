"""The store's own fulfillments (10.1 and later, behind a switch): what is in a parcel is never compared with the order.

https://developer.woocommerce.com/docs/apis/rest-api/v3/order-fulfillments/ The shape of answers, the form of dates and
how strictly meta is read changed between releases; an error's code is a number, and HTTP's status is 400 whatever it
is.
"""

from __future__ import annotations

import re
from typing import Any

from . import dates
from .access import Request, must
from .book import covered, fulfillment_items, fulfillment_numbers
from .problems import Answer, Refused, no_order
from .shop import Order, Record, Shop

BARE = (10, 3)  # from here on answers are not wrapped
MENDED = (10, 8)  # from here on meta needs no id, and dates are ISO in UTC
GUESSES = (
    (re.compile(r"1Z[0-9A-Z]{16}"), "ups", "https://www.ups.com/track?tracknum={0}", 95),
    (re.compile(r"\d{10}"), "dhl", "https://www.dhl.com/tracking?id={0}", 60),
    (re.compile(r"\d{12}"), "fedex", "https://www.fedex.com/fedextrack/?trknbr={0}", 70),
    (re.compile(r"9\d{21}"), "usps", "https://tools.usps.com/go/TrackConfirmAction?tLabels={0}", 90),
)


def _wrong(text: str, code: int = 0) -> Refused:
    refused = Refused(400, code, text)
    if code:
        refused.body["data"] = {"status": str(code)}
    return refused


def _order(shop: Shop, number: str) -> Order:
    order = shop.orders.get(int(number))
    if order is None:
        raise no_order()
    return order


def _find(order: Order, fulfillment: str) -> Record:
    found = next((one for one in order.live_fulfillments if one["id"] == int(fulfillment)), None)
    if found is None:
        raise _wrong("Fulfillment not found.", 404)
    return found


def view(shop: Shop, one: Record, *, is_new: bool = False) -> Record:
    """A fulfillment as the API gives it; a truth is `true` in the answer to a create and "1" ever after."""
    is_mended = shop.release >= MENDED

    def date(at: Any) -> str | None:
        if at is None:
            return None
        return f"{dates.gmt(at)}Z" if is_mended else str(dates.local(at, shop.time_zone)).replace("T", " ")

    return {
        "id": one["id"],
        "entity_type": "WC_Order",
        "entity_id": str(one["order"]),
        "status": one["status"],
        "is_fulfilled": one["is_fulfilled"] if is_new else ("1" if one["is_fulfilled"] else "0"),
        "date_updated": date(one["updated"]),
        "date_deleted": date(one["deleted"]),
        "meta_data": [dict(entry) for entry in one["meta"]],
    }


def _wrapped(shop: Shop, name: str, body: Any) -> Any:
    return body if shop.release >= BARE else {name: body}


def listed(shop: Shop, request: Request, role: str, order: str) -> Any:
    """GET: the live ones."""
    one = _order(shop, order)
    must(role, "view")
    return _wrapped(shop, "fulfillments", [view(shop, each) for each in one.live_fulfillments])


def read(shop: Shop, request: Request, role: str, order: str, fulfillment: str) -> Any:
    """GET of one."""
    one = _order(shop, order)
    must(role, "view")
    return _wrapped(shop, "fulfillment", view(shop, _find(one, fulfillment)))


def created(shop: Shop, request: Request, role: str, order: str) -> Answer:
    """POST: the same items twice are two fulfillments, and items of no order at all are taken, too."""
    one = _order(shop, order)
    must(role, "create")
    meta = _meta(shop, request.given)
    made = make(shop, one, meta, _is_fulfilled(request.given, True), str(request.given.get("status") or ""))
    _tell(shop, one, made, request.given)
    return Answer(201, _wrapped(shop, "fulfillment", view(shop, made, is_new=True)))


def make(shop: Shop, order: Order, meta: list[Record], is_fulfilled: bool, status: str = "") -> Record:
    """A new fulfillment with this meta."""
    made = {
        "id": shop.new_id("fulfillment"),
        "order": order.id,
        "status": status or ("fulfilled" if is_fulfilled else "unfulfilled"),
        "is_fulfilled": is_fulfilled,
        "updated": dates.now(),
        "deleted": None,
        "meta": meta,
    }
    order.fulfillments.append(made)
    _after(shop, order, made, "created")
    return made


def updated(shop: Shop, request: Request, role: str, order: str, fulfillment: str) -> Any:
    """PUT: meta, where any is sent, takes the place of all that was there."""
    one = _order(shop, order)
    must(role, "edit")
    found = _find(one, fulfillment)
    if "meta_data" in request.given:
        found["meta"] = _meta(shop, request.given)
    if "is_fulfilled" in request.given or "status" in request.given:
        found["is_fulfilled"] = _is_fulfilled(request.given, found["is_fulfilled"])
        found["status"] = str(request.given.get("status") or found["status"])
    found["updated"] = dates.now()
    _after(shop, one, found, "updated")
    _tell(shop, one, found, request.given)
    return _wrapped(shop, "fulfillment", view(shop, found))


def deleted(shop: Shop, request: Request, role: str, order: str, fulfillment: str) -> Record:
    """DELETE: the row stays, marked."""
    one = _order(shop, order)
    must(role, "delete")
    remove(shop, one, _find(one, fulfillment))
    return {"message": "Fulfillment deleted successfully."}


def remove(shop: Shop, order: Order, fulfillment: Record) -> None:
    """Mark one as deleted."""
    fulfillment["deleted"] = fulfillment["updated"] = dates.now()
    _after(shop, order, fulfillment, "deleted")


def lookup(shop: Shop, request: Request, role: str, order: str) -> Record:
    """GET .../lookup?tracking_number=: whose number it may be."""
    _order(shop, order)
    must(role, "view")
    number = request.query.get("tracking_number", [""])[0].strip().upper()
    if not number:
        raise _wrong("Tracking number is required.")
    fitting = [
        {"shipping_provider": slug, "tracking_url": link.format(number), "ambiguity_score": score}
        for pattern, slug, link, score in GUESSES
        if pattern.fullmatch(number)
    ]
    best = fitting[0] if fitting else {"shipping_provider": "", "tracking_url": ""}
    facts = {name: best[name] for name in ("shipping_provider", "tracking_url")}
    return {"tracking_number_details": {"tracking_number": number, **facts, "possibilities": fitting}}


def _is_fulfilled(given: Record, before: bool) -> bool:
    said = given.get("is_fulfilled", given.get("status", "fulfilled" if before else "") == "fulfilled")
    return said in (True, 1, "1", "true")


def _meta(shop: Shop, given: Record) -> list[Record]:
    """The meta of a request as it is kept. Raises Refused where it holds no items."""
    sent = [entry for entry in given.get("meta_data") or () if isinstance(entry, dict) and "key" in entry]
    if shop.release < MENDED:
        sent = [entry for entry in sent if "id" in entry]
    items = next((entry.get("value") for entry in sent if entry["key"] == "_items"), None)
    if not isinstance(items, list) or not items:
        raise _wrong("The fulfillment should contain at least one item.")
    for item in items:
        if not isinstance(item, dict) or not isinstance(item.get("item_id"), int) or not item.get("qty", 0) > 0:
            raise _wrong("Invalid item.")
    return [{"id": shop.new_id("meta"), "key": entry["key"], "value": entry.get("value")} for entry in sent]


def _after(shop: Shop, order: Order, one: Record, what: str) -> None:
    """The order's own status stays as it is; a private note and a meta tell of the fulfillment."""
    done, all_units = covered(order), {line.id: line.quantity for line in order.lines}
    is_whole = all(done[line] >= units for line, units in all_units.items())
    state = "fulfilled" if is_whole else "partially_fulfilled" if any(done.values()) else "unfulfilled"
    shop.set_meta(order, "_fulfillment_status", state)
    items = sum(quantity for _, quantity in fulfillment_items(one))
    shop.add_note(order, f"Fulfillment #{one['id']} {what} for {items} item(s). Status: {one['status']}.")
    shop.changed(order)


def _tell(shop: Shop, order: Order, one: Record, given: Record) -> None:
    """The customer's mail, where the request asks for one and there is something to tell."""
    if given.get("notify_customer") in (True, 1, "1", "true") and one["is_fulfilled"]:
        shop.book.mails(order, "fulfillment", numbers=fulfillment_numbers(one))
