"""How records look from outside, and which of their fields an answer is cut down to."""

from __future__ import annotations

import datetime
from typing import Any

from . import dates, refunds
from .shop import Order, Record, Shop


def utc(at: datetime.datetime | None) -> str | None:
    """A time in the book: UTC with its offset."""
    return at.isoformat() if at else None


def meta_of(meta: list[Record], key: str) -> Any:
    """The value under a key of a list of meta, None where there is none."""
    return next((one["value"] for one in meta if one["key"] == key), None)


def moments(at: datetime.datetime | None, name: str, shop: Shop) -> dict[str, str | None]:
    """One time under its two names: the shop's local time and UTC."""
    return {name: dates.local(at, shop.time_zone), f"{name}_gmt": dates.gmt(at)}


def order(shop: Shop, one: Order) -> Record:
    """An order as the API gives it."""
    first, _, last = one.customer.partition(" ")
    address = {
        "first_name": first,
        "last_name": last,
        "company": "",
        "address_1": "1 Pretend Street",
        "address_2": "",
        "city": "Springfield",
        "state": "",
        "postcode": "12345",
        "country": one.country,
    }
    money = f"{refunds.total(one):.2f}"
    return {
        "id": one.id,
        "parent_id": 0,
        "status": one.status,
        "currency": shop.currency,
        "version": shop.version,
        "prices_include_tax": False,
        **moments(one.placed, "date_created", shop),
        **moments(one.modified, "date_modified", shop),
        "discount_total": "0.00",
        "discount_tax": "0.00",
        "shipping_total": "0.00",
        "shipping_tax": "0.00",
        "cart_tax": "0.00",
        "total": money,
        "total_tax": "0.00",
        "customer_id": 0,
        "order_key": f"wc_order_{shop.name}{one.id}",
        "billing": {**address, "email": one.email, "phone": "+1 555 0100"},
        "shipping": {**address, "phone": ""},
        "payment_method": "bacs",
        "payment_method_title": "Direct bank transfer",
        "transaction_id": "",
        "customer_ip_address": "",
        "customer_user_agent": "",
        "created_via": "checkout",
        "customer_note": one.customer_note,
        **moments(one.completed, "date_completed", shop),
        **moments(one.paid, "date_paid", shop),
        "cart_hash": "",
        "number": one.number,
        "meta_data": [dict(entry) for entry in one.meta],
        "line_items": [
            {
                "id": line.id,
                "name": line.title,
                "product_id": line.product,
                "variation_id": 0,
                "quantity": line.quantity,
                "tax_class": "",
                "subtotal": f"{line.price * line.quantity:.2f}",
                "subtotal_tax": "0.00",
                "total": f"{line.price * line.quantity:.2f}",
                "total_tax": "0.00",
                "taxes": [],
                "meta_data": [],
                "sku": line.sku,
                "price": line.price,
                "image": {"id": "", "src": ""},
                "parent_name": None,
            }
            for line in one.lines
        ],
        "tax_lines": [],
        "shipping_lines": [],
        "fee_lines": [],
        "coupon_lines": [],
        "refunds": [
            {"id": refund["id"], "reason": refund["reason"], "total": f"-{refund['amount']:.2f}"}
            for refund in reversed(one.refunds)
        ],
        "payment_url": f"{shop.base_url}/checkout/order-pay/{one.id}/",
        "is_editable": one.status in ("pending", "on-hold", "auto-draft"),
        "needs_payment": one.status in ("pending", "failed"),
        # True for paid orders too; false: nothing of it has to be shipped.
        "needs_processing": any(line.needs_processing for line in one.lines),
        "currency_symbol": "$",
        "_links": {
            "self": [{"href": f"{shop.base_url}/wp-json/wc/v3/orders/{one.id}"}],
            "collection": [{"href": f"{shop.base_url}/wp-json/wc/v3/orders"}],
        },
    }


def cut(body: Any, fields: str) -> Any:
    """What `_fields` leaves of an answer. A dotted path reaches into objects; one into a list drops the whole list."""
    if not fields:
        return body
    wanted = [name.strip() for name in fields.split(",") if name.strip()]
    if isinstance(body, list):
        return [_cut(one, wanted) if isinstance(one, dict) else one for one in body]
    return _cut(body, wanted) if isinstance(body, dict) else body


def _cut(record: Record, wanted: list[str]) -> Record:
    kept: Record = {}
    for name, value in record.items():
        below = [path.partition(".")[2] for path in wanted if path.startswith(f"{name}.")]
        if name in wanted:
            kept[name] = value
        elif below and isinstance(value, dict):
            kept[name] = _cut(value, below)
    return kept
