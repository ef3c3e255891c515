"""Notes on orders: private ones, and ones for the customer, which are mailed. The same note twice is two notes."""

from __future__ import annotations

from . import views
from .access import Request, must
from .problems import Answer, Refused, missing, no_order
from .shop import Record, Shop


def view(shop: Shop, note: Record) -> Record:
    """A note as the API gives it."""
    return {
        "id": note["id"],
        "author": "WooCommerce" if note["by"] in ("system", "api") else note["by"],
        **views.moments(note["at"], "date_created", shop),
        "note": note["text"],
        "customer_note": note["customer_note"],
    }


def listed(shop: Shop, request: Request, role: str, order: str) -> list[Record]:
    """GET /orders/<id>/notes?type=any|customer|internal, newest first."""
    one = shop.orders.get(int(order))
    if one is None:
        raise no_order()
    must(role, "list")
    kind = request.query.get("type", ["any"])[0]
    return [
        view(shop, note)
        for note in reversed(one.notes)
        if kind == "any" or note["customer_note"] == (kind == "customer")
    ]


def created(shop: Shop, request: Request, role: str, order: str) -> Answer:
    """POST /orders/<id>/notes."""
    if not request.given.get("note"):
        raise missing("note")
    must(role, "create")
    one = shop.orders.get(int(order))
    if one is None:
        raise no_order()
    for_customer = request.given.get("customer_note") in (True, "true", "1", 1)
    note = shop.add_note(one, str(request.given["note"]), customer=for_customer, by="api")
    shop.changed(one)
    return Answer(201, view(shop, note))


def deleted(shop: Shop, request: Request, role: str, order: str, note: str) -> Record:
    """DELETE /orders/<id>/notes/<id>?force=true."""
    one = shop.orders.get(int(order))
    if one is None:
        raise no_order()
    must(role, "delete")
    found = next((each for each in one.notes if each["id"] == int(note)), None)
    if found is None:
        raise Refused(404, "woocommerce_rest_invalid_id", "Invalid resource ID.")
    one.notes.remove(found)
    return view(shop, found)
