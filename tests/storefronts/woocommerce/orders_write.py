"""Writing orders: PUT and POST are the same, the store guards nothing; batches; the trash."""

from __future__ import annotations

from typing import Any

from . import statuses, views
from .access import Request, must
from .problems import Answer, Refused, invalid, missing, no_such_order
from .shop import Order, Record, Shop

MOST = 100  # orders in one batch, whatever is done to them


def updated(shop: Shop, request: Request, role: str, order: str) -> Record:
    """PUT or POST /orders/<id>."""
    _allowed(shop, request.given)
    one = shop.orders.get(int(order))
    if one is not None:
        must(role, "edit")
    return _update(shop, one, request.given)


def _allowed(shop: Shop, given: Record) -> None:
    """The schema's objections. Raises Refused."""
    wrong: dict[str, str] = {}
    if "status" in given and given["status"] not in shop.statuses:
        wrong["status"] = f"status is not one of {', '.join(shop.statuses)}."
    meta = given.get("meta_data", [])
    if not isinstance(meta, list) or not all(isinstance(entry, dict) for entry in meta):
        wrong["meta_data"] = "meta_data is not of type array."
    if wrong:
        raise invalid(**wrong)


def _update(shop: Shop, order: Order | None, given: Record) -> Record:
    if order is None:
        raise no_such_order(400)
    for entry in given.get("meta_data", []):
        _write_meta(shop, order, entry)
    if "customer_note" in given:
        order.customer_note = str(given["customer_note"])
    was_thrown_away = order.status == "trash"
    if "status" in given:
        statuses.move(shop, order, given["status"], by="api")
    shop.changed(order)
    if was_thrown_away and order.status != "trash":
        shop.changed(order, "restored")
    return views.order(shop, order)


def _write_meta(shop: Shop, order: Order, entry: Record) -> None:
    """With an id that entry is changed; without one whatever stands under the key is overwritten."""
    key, value = entry.get("key"), entry.get("value")
    same = next((one for one in order.meta if one["id"] == entry.get("id")), None)
    if same is not None and value is None:
        order.meta.remove(same)
    elif same is not None:
        same.update(key=key or same["key"], value=value)
    elif key:
        shop.set_meta(order, str(key), value)


def deleted(shop: Shop, request: Request, role: str, order: str) -> Record:
    """DELETE /orders/<id>: into the trash, for good with force=true."""
    one = shop.orders.get(int(order))
    if one is None:
        raise no_such_order()
    must(role, "delete")
    if request.query.get("force", [""])[0] in ("true", "1"):
        answer = views.order(shop, one)
        shop.delete(one)
        return answer
    if one.status == "trash":
        raise Refused(410, "woocommerce_rest_already_trashed", "The order has already been deleted.")
    statuses.move(shop, one, "trash", by="api")
    shop.changed(one, "deleted")
    return views.order(shop, one)


def batch(shop: Shop, request: Request, role: str) -> Answer:
    """POST /orders/batch: 200 even where items failed, each of them says so."""
    given: dict[str, list[Any]] = request.given  # type: ignore[assignment]
    kinds = ("create", "update", "delete")
    must(role, "batch")
    if sum(len(given.get(kind) or ()) for kind in kinds) > MOST:
        text = f"Unable to accept more than {MOST} items for this request."
        raise Refused(413, "woocommerce_rest_request_entity_too_large", text)
    answer: dict[str, list[Record]] = {}
    for item in given.get("update") or ():
        answer.setdefault("update", []).append(_item(shop, item))
    for number in given.get("delete") or ():
        order = shop.orders.get(int(number))
        if order is None:
            answer.setdefault("delete", []).append(_failed(int(number), no_such_order()))
        else:
            statuses.move(shop, order, "trash", by="api")
            shop.changed(order, "deleted")
            answer.setdefault("delete", []).append(views.order(shop, order))
    return Answer(200, answer)


def _item(shop: Shop, item: Record) -> Record:
    number = int(item.get("id") or 0)
    try:
        _allowed(shop, item)
        return _update(shop, shop.orders.get(number), item)
    except Refused as refused:
        return _failed(number, refused)


def _failed(number: int, refused: Refused) -> Record:
    return {"id": number, "error": refused.body}


def send_email(shop: Shop, request: Request, role: str, order: str) -> Record:
    """POST /orders/<id>/actions/send_email: a mail again, whatever was sent before."""
    one = shop.orders.get(int(order))
    if "template_id" not in request.given:
        raise missing("template_id")
    if one is None:
        raise no_such_order()
    must(role, "edit")
    kind = str(request.given["template_id"]).removeprefix("customer_").removesuffix("_order")
    shop.book.mails(one, kind, numbers=[str(entry["tracking_number"]) for entry in one.trackings])
    return {"message": "Email sent."}
