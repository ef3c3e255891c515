"""Whether our answer agrees with a recorded one, once ids, names, times, cursors and costs are set aside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
)

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
GID = re.compile(r"^gid://shopify/(\w+)/([^?]+)(\?.*)?$")
NAME = re.compile(r"^#\d+$")
REQUEST = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(-\d+)?")
LONG = re.compile(r"\d{9,}")


class Ids:
    """Which of our ids stands for which recorded one, and the same for order numbers."""

    def __init__(self) -> None:
        self.ours: dict[str, str] = {}

    def copy(self) -> Ids:
        """To try something out."""
        other = Ids()
        other.ours = dict(self.ours)
        return other

    def bind(self, recorded: str, ours: str) -> bool:
        """From now on `ours` stands for `recorded`; False when something else does already."""
        return self.ours.setdefault(recorded, ours) == ours

    def translate(self, value: Any) -> Any:
        """A recorded value with our ids in it."""
        if isinstance(value, dict):
            return {key: self.translate(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.translate(item) for item in value]
        if not isinstance(value, str):
            return value
        if value in self.ours:
            return self.ours[value]
        return LONG.sub(lambda match: self._tail(match[0]), value)

    def _tail(self, digits: str) -> str:
        for recorded, ours in self.ours.items():
            if recorded.endswith(f"/{digits}"):
                return ours.rsplit("/", 1)[1]
        return digits


def difference(recorded: Any, ours: Any, ids: Ids) -> str:
    """Where the two differ first, in words; empty when they agree. Learns ids on the way, to the end."""
    found = list(_differences(recorded, ours, ids, ""))
    return found[0] if found else ""


def _differences(recorded: Any, ours: Any, ids: Ids, path: str) -> Iterator[str]:
    if isinstance(recorded, dict) and isinstance(ours, dict):
        for key in recorded:
            if key in ours:
                yield from _differences(recorded[key], ours[key], ids, f"{path}.{key}")
            else:
                yield f"{path}.{key} missing"
        for key in ours:
            if key not in recorded:
                yield f"{path}.{key} too much"
    elif isinstance(recorded, list) and isinstance(ours, list):
        if len(recorded) != len(ours):
            yield f"{path}[] {len(recorded)} recorded, {len(ours)} here"
        for one, other in zip(recorded, ours, strict=False):
            yield from _differences(one, other, ids, f"{path}[]")
    elif isinstance(recorded, str) and isinstance(ours, str):
        if not _same_text(recorded, ours, ids, path):
            yield f"{path} {recorded[:50]!r} recorded, {ours[:50]!r} here"
    elif recorded != ours or isinstance(recorded, bool) != isinstance(ours, bool):
        yield f"{path} {str(recorded)[:50]} recorded, {str(ours)[:50]} here"


def _same_text(recorded: str, ours: str, ids: Ids, path: str) -> bool:
    if recorded == ours or (TIME.match(recorded) and TIME.match(ours)):
        return True
    one, other = GID.match(recorded), GID.match(ours)
    if one and other:
        return one[1] == other[1] and ids.bind(recorded, ours)
    if NAME.match(recorded) and NAME.match(ours):
        return ids.bind(recorded, ours)
    if path.lower().endswith("cursor"):
        return bool(recorded) == bool(ours)
    if path.endswith("legacyResourceId"):
        return True
    translated = ids.translate(recorded)
    if translated == ours:
        return True
    mine = [REQUEST.sub("request", text) for text in (translated, ours)]
    if mine[0] == mine[1]:
        return True
    return sorted(LONG.findall(translated)) == sorted(LONG.findall(ours)) and LONG.sub("", translated) == LONG.sub(
        "", ours
    )


def plain(response: dict[str, Any]) -> dict[str, Any]:
    """An answer without costs, and without line and column: the recorded documents have lost their line ends."""
    result = {key: value for key, value in response.items() if key in ("data", "errors")}
    if "errors" in result:
        result["errors"] = [{k: v for k, v in one.items() if k != "locations"} for one in result["errors"]]
    return result


def belongs(query: str, data: Any) -> bool:
    """Whether this answer can be one to this document: it has the keys that were asked for, and no others."""
    tree = parse(query)
    fragments = {one.name.value: one for one in tree.definitions if isinstance(one, FragmentDefinitionNode)}
    operation = next(one for one in tree.definitions if isinstance(one, OperationDefinitionNode))
    return _belongs([operation.selection_set], data, fragments)


def _belongs(sets: list[SelectionSetNode], data: Any, fragments: dict[str, Any]) -> bool:
    if isinstance(data, list):
        return all(_belongs(sets, item, fragments) for item in data)
    if not isinstance(data, dict):
        return True
    asked: dict[str, list[SelectionSetNode]] = {}
    inline = _keys(sets, fragments, asked)
    if not set(data) <= set(asked) or (set(data) != set(asked) and not inline):
        return False
    return all(_belongs(asked[key], value, fragments) for key, value in data.items() if asked[key])


def _keys(sets: list[SelectionSetNode], fragments: dict[str, Any], asked: dict[str, list[SelectionSetNode]]) -> bool:
    """Collect the keys that selection sets yield; whether some of them hang on the type."""
    hangs = False
    for one in sets:
        for node in one.selections:
            if isinstance(node, FieldNode):
                key = node.alias.value if node.alias else node.name.value
                asked.setdefault(key, []).extend([node.selection_set] if node.selection_set else [])
            elif isinstance(node, FragmentSpreadNode):
                hangs |= _keys([fragments[node.name.value].selection_set], fragments, asked)
            elif isinstance(node, InlineFragmentNode):
                hangs = True
                _keys([node.selection_set], fragments, asked)
    return hangs
