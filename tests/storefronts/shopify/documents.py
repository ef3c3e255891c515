"""Documents: parsed, validated and planned once per text, refused in the words of a real store."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLNonNull,
    GraphQLSchema,
    NullValueNode,
    OperationDefinitionNode,
    OperationType,
    TypeInfo,
    TypeInfoVisitor,
    Undefined,
    Visitor,
    parse,
    validate,
    visit,
)

from .execute import Field, Planner, Resolver

LIMIT = 2000  # texts kept: a client that writes its values into the text must not fill the memory


@dataclass
class Document:
    """One text with one operation picked: a plan, or the errors that every request with it gets."""

    errors: list[dict[str, Any]] = field(default_factory=list)
    operation: OperationDefinitionNode | None = None
    fields: list[Field] = field(default_factory=list)
    is_mutation: bool = False
    names: tuple[str, ...] = ()  # the root fields, in order


class Documents:
    """The cache. Two threads may plan the same text at once: the result is the same."""

    def __init__(self, schema: GraphQLSchema, resolvers: dict[tuple[str, str], Resolver]) -> None:
        self.schema = schema
        self.resolvers = resolvers
        self._known: dict[tuple[str, str | None], Document] = {}

    def get(self, text: str, operation_name: str | None) -> Document:
        """The document for this text, from the cache or made now."""
        key = (text, operation_name)
        document = self._known.get(key)
        if document is None:
            if len(self._known) >= LIMIT:
                self._known.clear()
            document = self._known[key] = self._make(text, operation_name)
        return document

    def _make(self, text: str, operation_name: str | None) -> Document:
        try:
            tree = parse(text)
        except GraphQLError as error:
            return Document([_plain(error, "parse error")])
        errors = _own_checks(self.schema, tree) or [_translated(error) for error in validate(self.schema, tree)]
        if errors:
            return Document(errors)
        operations = [d for d in tree.definitions if isinstance(d, OperationDefinitionNode)]
        if operation_name:
            operations = [d for d in operations if d.name and d.name.value == operation_name]
        if len(operations) != 1:
            return Document([{"message": "An operation name is required", "extensions": {"code": "badRequest"}}])
        operation = operations[0]
        fragments = {d.name.value: d for d in tree.definitions if isinstance(d, FragmentDefinitionNode)}
        is_mutation = operation.operation is OperationType.MUTATION
        root = self.schema.mutation_type if is_mutation else self.schema.query_type
        planner = Planner(self.schema, fragments, self.resolvers)
        fields = planner.selection([operation.selection_set], root).fields
        return Document([], operation, fields, is_mutation, tuple(one.name for one in fields))


def _own_checks(schema: GraphQLSchema, tree: Any) -> list[dict[str, Any]]:
    """The faults for which a real store's own texts are known."""
    errors: list[dict[str, Any]] = []
    info = TypeInfo(schema)
    path: list[str] = []

    def report(node: FieldNode, message: str, where: list[str], **extensions: Any) -> None:
        token = node.loc.start_token if node.loc else None
        errors.append(
            {
                "message": message,
                "locations": [{"line": token.line, "column": token.column}] if token else [],
                "path": where,
                "extensions": extensions,
            }
        )

    class Checks(Visitor):
        def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
            path.append(f"{node.operation.value} {node.name.value}" if node.name else node.operation.value)

        def leave_operation_definition(self, *_: Any) -> None:
            path.pop()

        def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: Any) -> None:
            path.append(f"fragment {node.name.value}")

        def leave_fragment_definition(self, *_: Any) -> None:
            path.pop()

        def enter_field(self, node: FieldNode, *_: Any) -> None:
            path.append(node.alias.value if node.alias else node.name.value)
            parent, definition, name = info.get_parent_type(), info.get_field_def(), node.name.value
            if parent is None:
                return
            if definition is None:
                message = f"Field '{name}' doesn't exist on type '{parent.name}'"
                report(node, message, list(path), code="undefinedField", typeName=parent.name, fieldName=name)
                return
            given = {argument.name.value: argument.value for argument in node.arguments}
            for argument in given:
                if argument not in definition.args:
                    report(
                        node,
                        f"Field '{name}' doesn't accept argument '{argument}'",
                        [*path, argument],
                        code="argumentNotAccepted",
                        name=name,
                        typeName="Field",
                        argumentName=argument,
                    )
            missing = [
                key
                for key, argument in definition.args.items()
                if isinstance(argument.type, GraphQLNonNull)
                and argument.default_value is Undefined
                and key not in given
            ]
            if missing:
                names = ", ".join(missing)
                report(
                    node,
                    f"Field '{name}' is missing required arguments: {names}",
                    list(path),
                    code="missingRequiredArguments",
                    className="Field",
                    name=name,
                    arguments=names,
                )
            for key, value in given.items():
                wanted = definition.args.get(key)
                if wanted and isinstance(wanted.type, GraphQLNonNull) and isinstance(value, NullValueNode):
                    report(
                        node,
                        f"Argument '{key}' on Field '{name}' has an invalid value (null)."
                        f" Expected type '{wanted.type}'.",
                        [*path, key],
                        code="argumentLiteralsIncompatible",
                        typeName="Field",
                        argumentName=key,
                    )

        def leave_field(self, *_: Any) -> None:
            path.pop()

    visit(tree, TypeInfoVisitor(info, Checks()))
    return errors


def _translated(error: GraphQLError) -> dict[str, Any]:
    code = "selectionMismatch" if re.search("must have a selection|must not have a selection", error.message) else ""
    return _plain(error, code or "invalidDocument")


def _plain(error: GraphQLError, code: str) -> dict[str, Any]:
    return {
        "message": error.message,
        "locations": [{"line": one.line, "column": one.column} for one in error.locations or ()],
        "extensions": {"code": code},
    }
