"""Prices a plan: what running it may cost at the most, and what it did cost, seen from its result.

The numbers stand in `costs.py`.
"""

from __future__ import annotations

from typing import Any

from .costs import MUTATION_PRICE, MUTATION_PRICES, weight
from .execute import Field, included


def page_size(values: dict[str, Any]) -> int:
    """How many nodes a connection was asked for."""
    return min(250, abs(values.get("first") or values.get("last") or 1))


def requested(fields: list[Field], variables: dict[str, Any], mutation: bool = False) -> int:
    """The highest cost that running `fields` may have."""
    total = 0
    for field in fields:
        if field.conditions and not included(field, variables):
            continue
        if mutation:
            total += MUTATION_PRICES.get(field.name, MUTATION_PRICE)
            if field.selection:
                for inner in field.selection.fields:
                    total += _inside(inner, variables) if inner.selection else 0
        elif field.selection and not field.free:
            total += _requested(field, variables)
    return total


def _inside(field: Field, variables: dict[str, Any]) -> int:
    return max(
        (requested(fields, variables) for fields in field.selection.variants),  # type: ignore[union-attr]
        default=0,
    )


def _requested(field: Field, variables: dict[str, Any]) -> int:
    if field.connection:
        nodes = 0
        for part in field.selection.fields:  # type: ignore[union-attr]
            if part.name == "nodes":
                nodes += _inside(part, variables)
            elif part.name == "edges":
                inner = [one for one in part.selection.fields if one.name == "node"]  # type: ignore[union-attr]
                nodes += sum(_inside(one, variables) for one in inner)
        return 2 + weight(page_size(field.values(variables))) * (1 + nodes)
    inside = _inside(field, variables)
    if field.name == "nodes":
        return len(field.values(variables).get("ids", ())) * (1 + inside)
    return 1 + inside


def actual(fields: list[Field], result: dict[str, Any], variables: dict[str, Any], mutation: bool = False) -> int:
    """What running `fields` did cost, seen from its result."""
    total = 0
    for field in fields:
        if field.key not in result:
            continue
        value = result[field.key]
        if mutation:
            total += MUTATION_PRICES.get(field.name, MUTATION_PRICE)
            for inner in field.selection.fields if field.selection and value else ():
                if inner.selection and inner.key in value:
                    total += _spent_inside(inner, value[inner.key], variables)
        elif field.selection and not field.free:
            total += _actual(field, value, variables)
    return total


def _spent_inside(field: Field, value: Any, variables: dict[str, Any]) -> int:
    if value is None:
        return 0
    if field.is_list:
        return max((_spent_inside_one(field, item, variables) for item in value if item is not None), default=0)
    return _spent_inside_one(field, value, variables)


def _spent_inside_one(field: Field, value: dict[str, Any], variables: dict[str, Any]) -> int:
    variants = field.selection.variants  # type: ignore[union-attr]
    fields = variants[0] if len(variants) == 1 else max(variants, key=lambda one: sum(f.key in value for f in one))
    return actual(fields, value, variables)


def _actual(field: Field, value: Any, variables: dict[str, Any]) -> int:
    if not field.connection:
        if field.is_list and not value:
            return 0
        if field.name == "nodes":
            return sum(1 + (_spent_inside_one(field, item, variables) if item else 0) for item in value)
        return 1 + _spent_inside(field, value, variables)
    nodes: list[int] = []
    for part in field.selection.fields:  # type: ignore[union-attr]
        if part.name == "nodes":
            nodes = [_spent_inside_one(part, item, variables) for item in value[part.key]]
        elif part.name == "edges":
            inner = [one for one in part.selection.fields if one.name == "node"]  # type: ignore[union-attr]
            nodes = [sum(_spent_inside(one, edge[one.key], variables) for one in inner) for edge in value[part.key]]
    if not nodes:
        return 2 + weight(page_size(field.values(variables)))
    return 2 + weight(len(nodes)) * (1 + max(nodes))
