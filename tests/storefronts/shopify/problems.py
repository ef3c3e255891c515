"""Top-level errors of the API: their texts, codes and shapes as stores were seen to send them."""

from __future__ import annotations

from typing import Any

SCOPES_PAGE = "https://shopify.dev/api/usage/access-scopes"
LIMITS_PAGE = "https://shopify.dev/api/usage/rate-limits"


class Problem(Exception):
    """One top-level error of a field: it goes into `errors`, the field itself becomes null."""

    def __init__(self, message: str, **extensions: Any) -> None:
        super().__init__(message)
        self.message = message
        self.extensions = extensions


class Broken(Exception):
    """The store broke while it executed: the whole answer is INTERNAL_SERVER_ERROR, with HTTP 200."""


def access_denied(field: str, required: str) -> Problem:
    """The app lacks the scope for one field; the rest of the answer still comes."""
    return Problem(
        f"Access denied for {field} field. Required access: {required}",
        code="ACCESS_DENIED",
        documentation=SCOPES_PAGE,
        requiredAccess=required,
    )


def invalid_id(gid: str) -> Problem:
    """A fulfilment order mutation was given an id that this store does not know."""
    return Problem(f"Invalid id: {gid}", code="RESOURCE_NOT_FOUND")


def throttled() -> dict[str, Any]:
    """The bucket does not hold what the request may cost: nothing was executed."""
    return {"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": LIMITS_PAGE}}


def too_expensive(cost: int, limit: int) -> dict[str, Any]:
    """One request may not cost more than `limit`, however full the bucket is: nothing was executed."""
    return {
        "message": f"Query cost is {cost}, which exceeds the single query max cost limit ({limit}).",
        "extensions": {"code": "MAX_COST_EXCEEDED", "cost": cost, "maxCost": limit, "documentation": LIMITS_PAGE},
    }


def internal(request_id: str) -> dict[str, Any]:
    """Something broke inside the store; it comes with HTTP 200 and tells nothing about what was done."""
    text = (
        "Internal error. Looks like something went wrong on our end.\n"
        f"Request ID: {request_id} (include this in support requests)."
    )
    return {"message": text, "extensions": {"requestId": request_id, "code": "INTERNAL_SERVER_ERROR"}}
