"""A document for an exchange that was recorded without one: the shape of its answer tells what was asked."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLNonNull, get_named_type, is_abstract_type, is_composite_type, is_input_object_type

from ..shopify.api import SCHEMA
from .order import Exchange

UNKNOWN = "gid://shopify/{}/999999999"


class CannotDerive(Exception):
    """The answer does not tell enough."""


def derive(exchange: Exchange) -> tuple[str, dict[str, Any]]:
    """(document, variables) that ask for exactly what was answered."""
    data = exchange.response.get("data")
    if not data:
        return from_error(exchange.response["errors"][0]), {}
    variables = dict(exchange.variables or {})
    mutation, query = SCHEMA.mutation_type, SCHEMA.query_type
    assert mutation is not None
    assert query is not None
    names = set(data)
    root = mutation if names <= set(mutation.fields) else query
    if not names <= set(root.fields):
        raise CannotDerive("aliases whose arguments were not recorded")
    declared: dict[str, str] = {}
    fields = []
    for name, value in data.items():
        arguments = []
        for key, argument in root.fields[name].args.items():
            variable = key
            if key not in (exchange.variables or {}):
                found = from_answer(name, key, value)
                if found is None and isinstance(argument.type, GraphQLNonNull):
                    raise CannotDerive(f"argument {key} of {name}")
                if found is None:
                    continue
                variable = f"{name}_{key}"
                variables[variable] = found
            declared[variable] = str(argument.type)
            arguments.append(f"{key}: ${variable}")
        given = f"({', '.join(arguments)})" if arguments else ""
        fields.append(f"{name}{given}{selection(get_named_type(root.fields[name].type), value)}")
    operation = "mutation" if root is mutation else "query"
    heads = ", ".join(f"${key}: {kind}" for key, kind in declared.items())
    used = {key: value for key, value in variables.items() if key in declared}
    return f"{operation} Derived{f'({heads})' if heads else ''} {{ {' '.join(fields)} }}", used


def from_error(error: dict[str, Any]) -> str:
    """The shortest document with the mistake that a validation error names."""
    operation, name = error["path"][0], error["path"][1]
    kind = operation.split()[0]
    root = SCHEMA.mutation_type if kind == "mutation" else SCHEMA.query_type
    assert root is not None
    extensions = error["extensions"]
    missing = extensions["arguments"].split(", ") if extensions["code"] == "missingRequiredArguments" else []
    given = []
    for key, argument in root.fields[name].args.items():
        if key == extensions.get("argumentName"):
            given.append(f"{key}: null")
        elif isinstance(argument.type, GraphQLNonNull) and key not in missing:
            given.append(f"{key}: {'{}' if is_input_object_type(argument.type.of_type) else '1'}")
    return f"{operation} {{ {name}({', '.join(given)}) {{ __typename }} }}"


def selection(named: Any, value: Any) -> str:
    """The selection set that yields `value` of this type."""
    if not is_composite_type(named):
        return ""
    while isinstance(value, list):
        merged: dict[str, Any] = {}
        for item in value:
            if isinstance(item, dict):
                merged.update({key: inner for key, inner in item.items() if inner or key not in merged})
        value = merged or None
    if not value:
        return " { __typename }"
    if is_abstract_type(named):
        concrete = SCHEMA.type_map[value["__typename"]]
        inner = {key: item for key, item in value.items() if key != "__typename"}
        return f" {{ __typename ... on {concrete.name}{selection(concrete, inner)} }}"
    parts = []
    for key, inner in value.items():
        if key not in named.fields:  # type: ignore[attr-defined]
            raise CannotDerive(f"{named.name}.{key} is not a field")
        definition = named.fields[key]  # type: ignore[attr-defined]
        kind = get_named_type(definition.type)
        first = "(first: 20)" if kind.name.endswith("Connection") else ""
        parts.append(f"{key}{first}{selection(kind, inner)}")
    return f" {{ {' '.join(parts)} }}"


def from_answer(name: str, argument: str, value: Any) -> Any:
    """An argument that the answer lets us see, None when it does not."""
    value = value or {}
    if name == "orderCreate" and argument == "order":
        return _order_input(value["order"])
    if name == "fulfillmentServiceCreate" and argument == "name":
        return value["fulfillmentService"]["serviceName"]
    if name == "fulfillmentServiceCreate" and argument in ("trackingSupport", "inventoryManagement"):
        return True
    if name == "fulfillmentOrderMove" and argument == "id":
        return (value.get("originalFulfillmentOrder") or {}).get("id")
    if name == "fulfillmentOrderMove" and argument == "newLocationId":
        return value["movedFulfillmentOrder"]["assignedLocation"]["location"]["id"]
    if name == "webhookSubscriptionDelete" and argument == "id":
        return value.get("deletedWebhookSubscriptionId")
    if argument in ("id", "fulfillmentId"):
        if value.get("id"):
            return value["id"]
        kind = "Fulfillment" if "fulfillment" in value else None
        return UNKNOWN.format(kind) if kind and not value.get("fulfillment") else None
    if argument == "trackingInfoInput":
        return {"number": "1"}
    return None


def _order_input(order: dict[str, Any]) -> dict[str, Any]:
    lines = []
    for fo in order["fulfillmentOrders"]["nodes"]:
        for line in fo["lineItems"]["nodes"]:
            item = line["lineItem"]
            lines.append(
                {
                    "title": item["title"],
                    "quantity": item.get("quantity", line["totalQuantity"]),
                    "sku": item.get("sku"),
                }
            )
    return {"lineItems": lines}
