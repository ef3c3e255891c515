"""Variables of a request against the types its document declares, refused in the words of a real store."""

from __future__ import annotations

import math
import re
from typing import Any
from urllib.parse import urlsplit

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    print_ast,
    type_from_ast,
    value_from_ast,
)

DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$")


def coerce_variables(
    schema: GraphQLSchema, operation: OperationDefinitionNode, given: dict[str, Any]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The variables with defaults filled in, and the errors (empty when all fit)."""
    values: dict[str, Any] = {}
    errors: list[dict[str, Any]] = []
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        wanted = type_from_ast(schema, definition.type)
        if name not in given:
            if definition.default_value is not None:
                values[name] = value_from_ast(definition.default_value, wanted)
                continue
            if not isinstance(wanted, GraphQLNonNull):
                continue
        problems: list[dict[str, Any]] = []
        values[name] = coerce(given.get(name), wanted, [], problems)
        if problems:
            node = definition.loc.start_token if definition.loc else None
            errors.append(
                {
                    "message": f"Variable ${name} of type {print_ast(definition.type)} was provided invalid value"
                    + _for(problems),
                    "locations": [{"line": node.line, "column": node.column}] if node else [],
                    "extensions": {"code": "INVALID_VARIABLE", "value": given.get(name), "problems": problems},
                }
            )
    return values, errors


def _for(problems: list[dict[str, Any]]) -> str:
    parts = []
    for problem in problems:
        where = ".".join(str(step) for step in problem["path"])
        parts.append(f"{where} ({problem['explanation']})" if where else "")
    text = ", ".join(part for part in parts if part)
    return f" for {text}" if text else ""


def coerce(value: Any, wanted: GraphQLInputType, path: list[Any], problems: list[dict[str, Any]]) -> Any:
    """`value` as `wanted`; what does not fit is added to `problems` with its path."""
    if isinstance(wanted, GraphQLNonNull):
        if value is None:
            problems.append({"path": path, "explanation": "Expected value to not be null"})
            return None
        return coerce(value, wanted.of_type, path, problems)
    if value is None:
        return None
    if isinstance(wanted, GraphQLList):
        if not isinstance(value, list):
            return [coerce(value, wanted.of_type, path, problems)]
        return [coerce(item, wanted.of_type, [*path, index], problems) for index, item in enumerate(value)]
    if isinstance(wanted, GraphQLInputObjectType):
        return _coerce_object(value, wanted, path, problems)
    explanation = explain(value, wanted)
    if explanation:
        problems.append({"path": path, "explanation": explanation})
        return None
    return str(value) if wanted.name == "ID" else value


def _coerce_object(value: Any, wanted: GraphQLInputObjectType, path: list[Any], problems: list[dict[str, Any]]) -> Any:
    if not isinstance(value, dict):
        problems.append({"path": path, "explanation": f"Expected {value!r} to be a key-value object"})
        return None
    result: dict[str, Any] = {}
    for name in value:
        if name not in wanted.fields:
            problems.append({"path": [*path, name], "explanation": f"Field is not defined on {wanted.name}"})
    for name, field in wanted.fields.items():
        if name in value:
            result[name] = coerce(value[name], field.type, [*path, name], problems)
        elif field.default_value is not Undefined:
            result[name] = field.default_value
        elif isinstance(field.type, GraphQLNonNull):
            problems.append({"path": [*path, name], "explanation": "Expected value to not be null"})
    return result


def explain(value: Any, wanted: Any) -> str:
    """Why `value` is not a `wanted`, empty when it is."""
    name = wanted.name
    if isinstance(wanted, GraphQLEnumType):
        if value not in wanted.values:
            return f'Expected "{value}" to be one of: {", ".join(wanted.values)}'
        return ""
    if name == "Int":
        fits = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31
        return "" if fits else f"Could not coerce value {value!r} to Int"
    if name == "Float":
        fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        return "" if fits else f"Could not coerce value {value!r} to Float"
    if name == "Boolean":
        return "" if isinstance(value, bool) else f"Could not coerce value {value!r} to Boolean"
    if name == "ID":
        fits = str(value).startswith("gid://shopify/") or str(value).isdigit()
        return "" if fits else f"Invalid global id '{value}'"
    if name == "URL":
        return explain_url(value)
    if name == "DateTime":
        return "" if isinstance(value, str) and DATE.match(value) else f"Invalid datetime: {value}"
    if name in ("JSON", "Decimal", "Money", "UnsignedInt64"):
        return ""
    return "" if isinstance(value, str) else f"Could not coerce value {value!r} to String"


def explain_url(value: Any) -> str:
    """Why `value` is no URL. An empty one passes: the mutations have their own word for it."""
    if value == "":
        return ""
    parts = urlsplit(str(value))
    if not parts.scheme:
        return f"Invalid url '{value}', missing scheme"
    if not parts.netloc:
        return f"Invalid url '{value}', missing host"
    return ""
