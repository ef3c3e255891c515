"""In which order the exchanges of one workflow happened: the recordings tell the day, not the minute."""

from __future__ import annotations

import json
import pathlib
from dataclasses import dataclass, field
from typing import Any

FIRST, ITSELF, LATER, LAST = 0, 1, 2, 3


@dataclass
class Exchange:
    """One recorded request with its answer."""

    source: str
    case: str
    captured_at: str
    query: str | None
    variables: dict[str, Any] | None
    response: dict[str, Any]
    verdict: str = "not run"
    cost: tuple[int | None, int | None] = (None, None)
    steps: list[str] = field(default_factory=list)


def load(path: str) -> dict[str, list[Exchange]]:
    """The workflows of a file: by source, each in the order in which it happened."""
    groups: dict[str, list[Exchange]] = {}
    for text in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        if not text.strip():
            continue
        row = json.loads(text)
        exchange = Exchange(
            row["source"],
            row["case"],
            row["capturedAt"] or "",
            # The recordings lost their line ends, so the editor's mark "#graphql" would hide what follows.
            row["query"].replace("#graphql ", "") if row["query"] else None,
            row["variables"],
            row["response"],
        )
        exchange.steps = [step for step in exchange.case.split("/") if step and step != "response"]
        groups.setdefault(exchange.source, []).append(exchange)
    return {source: in_order(group) for source, group in groups.items()}


def in_order(group: list[Exchange]) -> list[Exchange]:
    """As they stand in the file; but what sets a case up before the case, what follows after it, clean-up last."""
    seen: dict[tuple[str, ...], int] = {}
    for index, exchange in enumerate(group):
        for depth in range(len(exchange.steps) + 1):
            seen.setdefault(tuple(exchange.steps[:depth]), index)
    themselves = {tuple(exchange.steps) for exchange in group}

    def rank(parent: tuple[str, ...], step: str) -> int:
        if step == "cleanup":
            return LAST
        return FIRST if step == "setup" and parent in themselves else LATER

    def key(exchange: Exchange) -> tuple[Any, ...]:
        levels = []
        for depth, step in enumerate(exchange.steps):
            parent = tuple(exchange.steps[:depth])
            levels.append((rank(parent, step), seen[(*parent, step)]))
        return (exchange.captured_at, *levels, (ITSELF, 0))

    return sorted(group, key=key)
