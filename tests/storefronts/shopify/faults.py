"""What can go wrong on the way, switched on per shop: how often, for which requests, how many times.

`server` plays them; this module only decides which one is due.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

KINDS = {
    "timeout": "never answers, nothing is executed",
    "timeout_after": "executed, never answers",
    "reset_before": "connection reset, nothing is executed",
    "reset_after": "executed, connection reset",
    "late": "connection dropped, executed `seconds` later",
    "slow": "answers after `seconds`",
    "429": "HTTP 429 with Retry-After `seconds`",
    "500": "HTTP 500, nothing is executed",
    "500_after": "executed, HTTP 500",
    "502_html": "HTTP 502 with a page, nothing is executed",
    "502_after": "executed, HTTP 502 with a page",
    "520": "HTTP 520 with a page, nothing is executed",
    "520_after": "executed, HTTP 520 with a page",
    "503": "HTTP 503, nothing is executed",
    "throttled": "the THROTTLED answer, nothing is executed",
    "html_200": "HTTP 200 with a page, nothing is executed",
    "internal_200": "INTERNAL_SERVER_ERROR with HTTP 200, nothing is executed",
    "internal_200_after": "executed, INTERNAL_SERVER_ERROR with HTTP 200",
    "cut_json": "executed, the answer ends in the middle as if it were whole",
    "cut_body": "executed, the connection closes in the middle of the answer",
    "drip": "executed, the answer comes byte by byte for `seconds`",
    "huge": "HTTP 200 with sixty-four megabytes of nothing, nothing is executed",
    "302": "HTTP 302 to another host, nothing is executed",
    "act": "answers as ever, but the merchant does something right before",
    "401": "HTTP 401: the token is not known",
    "402": "HTTP 402: the shop is frozen",
    "403": "HTTP 403: this kind of token is no longer accepted",
    "404": "HTTP 404: there is no such shop",
    "423": "HTTP 423: the shop is locked",
}
ALIASES = {"403_frozen": "402"}
EXECUTED = {
    *(
        "timeout_after",
        "reset_after",
        "500_after",
        "502_after",
        "520_after",
        "internal_200_after",
        "cut_json",
        "cut_body",
    ),
    *("drip", "slow", "act"),
}
ON = ("all", "mutation", "read", "create", "update", "token")


@dataclass
class Fault:
    """One switched-on fault. Without `times` and `probability` it stands until it is cleared."""

    kind: str
    on: str = "all"
    times: int | None = None
    probability: float | None = None
    seconds: float | None = None
    action: dict[str, Any] | None = None  # for "act": what the merchant does


class Faults:
    """The faults of one shop; the first that fits is served."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - a reproducible storm, not a secret
        self.active: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Switch one on, after those that are on already."""
        fault.kind = ALIASES.get(fault.kind, fault.kind)
        if fault.kind not in KINDS or fault.on not in ON:
            raise ValueError(f"unknown fault {fault.kind!r} on {fault.on!r}; known: {', '.join(KINDS)}; {ON}")
        self.active.append(fault)

    def clear(self) -> None:
        """Fair weather again."""
        self.active.clear()

    def due(self, names: tuple[str, ...], is_mutation: bool, is_token: bool = False) -> Fault | None:
        """The fault for this request, counted as served."""
        for fault in list(self.active):
            if not self._fits(fault, names, is_mutation, is_token):
                continue
            if fault.probability is not None and self.random.random() >= fault.probability:
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self.active.remove(fault)
            return fault
        return None

    @staticmethod
    def _fits(fault: Fault, names: tuple[str, ...], is_mutation: bool, is_token: bool) -> bool:
        if is_token or fault.on == "token":
            return is_token and fault.on == "token"
        if fault.on == "mutation":
            return is_mutation
        if fault.on == "read":
            return not is_mutation
        if fault.on == "create":
            return any(name.startswith("fulfillmentCreate") for name in names)
        if fault.on == "update":
            return any(name.startswith("fulfillmentTrackingInfoUpdate") for name in names)
        return True
