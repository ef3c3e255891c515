"""What all mutations share: how they are registered, refused and written into the book."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import routing
from .execute import Run
from .problems import access_denied, invalid_id
from .resolvers import RESOLVERS
from .values import Record

Mutation = Callable[[dict[str, Any], Run], Record]

USER = " Also: The user must have fulfill_and_ship_orders permission."
WRITE_FOS = (
    "`write_assigned_fulfillment_orders` access scope, `write_merchant_managed_fulfillment_orders` access scope or"
    f" `write_third_party_fulfillment_orders` access scope.{USER}"
)
FO_SCOPES = tuple(f"write_{one}_fulfillment_orders" for one in ("assigned", "merchant_managed", "third_party"))


class Refused(Exception):
    """A userError: the mutation did nothing. `code` only where the payload's error type has one."""

    def __init__(self, field: list[str] | None, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.error: Record = {"field": field, "message": message, "code": code}


def mutation(name: str, scopes: tuple[str, ...] = (), required: str = "") -> Callable[[Mutation], Mutation]:
    """Register a mutation; an app with none of `scopes` is refused with `required` in the text."""

    def register(function: Mutation) -> Mutation:
        def resolver(source: Any, arguments: dict[str, Any], run: Run) -> Record:
            if scopes and not any(one in run.shop.scopes for one in scopes):
                raise access_denied(name, required)
            try:
                payload = {"userErrors": [], **function(arguments, run)}
            except Refused as refusal:
                payload = {"userErrors": [refusal.error]}
            run.shop.book.wrote(name, run.arrived, payload, run.request_id, run.key)
            return payload

        RESOLVERS["Mutation", name] = resolver
        return function

    return register


def known_fo(run: Run, gid: str) -> Record:
    """The fulfilment order with this id; a top-level error when there is none."""
    fo = run.shop.find(gid, "FulfillmentOrder")
    if fo is None or not routing.visible(run.shop, fo):
        raise invalid_id(gid)
    return fo
