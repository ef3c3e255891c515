"""How the store says no: an answer's shape, and the refusals that several routes share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Answer:
    """One answer: `body` is JSON, or a text that is sent as it is."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = "application/json; charset=UTF-8"


class Refused(Exception):
    """The store refuses a request: `code` and `message` as the API gives them, `status` is HTTP's."""

    def __init__(self, status: int, code: str | int, message: str, **data: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"code": code, "message": message, "data": {"status": status, **data}}

    def answer(self) -> Answer:
        """As it goes out."""
        return Answer(self.status, self.body)


def no_route() -> Refused:
    """Nothing answers here: a wrong address, or a plugin that is off."""
    return Refused(404, "rest_no_route", "No route was found matching the URL and request method.")


def invalid(**params: str) -> Refused:
    """Parameters that the route's schema does not allow, each with the reason."""
    details = {name: {"code": "rest_invalid_param", "message": text, "data": None} for name, text in params.items()}
    names = ", ".join(params)
    return Refused(400, "rest_invalid_param", f"Invalid parameter(s): {names}", params=params, details=details)


def missing(*names: str) -> Refused:
    """Parameters that the route needs."""
    text = f"Missing parameter(s): {', '.join(names)}"
    return Refused(400, "rest_missing_callback_param", text, params=list(names))


def no_order() -> Refused:
    """What belongs to an order that is not there."""
    return Refused(404, "woocommerce_rest_order_invalid_id", "Invalid order ID.")


def no_such_order(status: int = 404) -> Refused:
    """The order itself is not there; a write says so with 400."""
    return Refused(status, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
