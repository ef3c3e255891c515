"""Turns a validated document into a plan once, and runs the plan over plain dicts.

graphql-core parses and validates; its executor costs some 15 microseconds a field, this one under one,
so that the pretend store does not take the processor away from what it is there to test. A field without
a resolver is read from the record under its own name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNonNull,
    GraphQLSchema,
    InlineFragmentNode,
    Undefined,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_list_type,
    value_from_ast,
)
from graphql.language import SelectionSetNode, ValueNode, VariableNode

from .costs import FREE
from .problems import Problem

Resolver = Callable[[Any, dict[str, Any], Any], Any]
Path = tuple[Any, ...] | None


class Nulled(Exception):
    """An error stood at a field that may not be null: the nearest parent that may be becomes null."""


class Field:
    """One field of a plan: where its value comes from and what becomes of it."""

    __slots__ = (
        "arguments",
        "conditions",
        "connection",
        "fixed",
        "free",
        "is_list",
        "key",
        "location",
        "name",
        "non_null",
        "resolver",
        "selection",
    )

    def __init__(self, node: FieldNode, definition: GraphQLField, resolver: Resolver | None) -> None:
        self.key = node.alias.value if node.alias else node.name.value
        self.name = node.name.value
        self.resolver = resolver
        self.non_null = isinstance(definition.type, GraphQLNonNull)
        inner = definition.type.of_type if self.non_null else definition.type
        self.is_list = is_list_type(inner)
        named = get_named_type(definition.type).name
        self.connection = named.endswith("Connection")
        self.free = named in FREE
        self.selection: Selection | None = None
        self.conditions: list[tuple[bool, ValueNode]] = []
        token = node.loc.start_token if node.loc else None
        self.location = {"line": token.line, "column": token.column} if token else {}
        given = {argument.name.value: argument.value for argument in node.arguments}
        self.arguments = [(name, argument, given.get(name)) for name, argument in definition.args.items()]
        self.fixed: dict[str, Any] | None = None
        if not any(value is not None and _has_variable(value) for value in given.values()):
            self.fixed = self._values({})

    def values(self, variables: dict[str, Any]) -> dict[str, Any]:
        """The arguments of this call."""
        return self.fixed if self.fixed is not None else self._values(variables)

    def _values(self, variables: dict[str, Any]) -> dict[str, Any]:
        values = {}
        for name, argument, node in self.arguments:
            value = Undefined if node is None else value_from_ast(node, argument.type, variables)
            if value is Undefined:
                value = argument.default_value
            if value is not Undefined:
                values[name] = value
        return values


def _has_variable(node: ValueNode) -> bool:
    if isinstance(node, VariableNode):
        return True
    children = [*getattr(node, "values", ()), *(field.value for field in getattr(node, "fields", ()))]
    return any(_has_variable(child) for child in children)


def _constant(value: str) -> Resolver:
    return lambda source, arguments, run: value


class Selection:
    """What is asked of an object, by its concrete type."""

    __slots__ = ("abstract", "by_type", "fields", "variants")

    def __init__(self, by_type: dict[str, list[Field]], abstract: bool) -> None:
        self.by_type = by_type
        self.abstract = abstract
        self.fields = [] if abstract else next(iter(by_type.values()))
        self.variants = [fields for fields in by_type.values() if fields] or [[]]

    def of(self, record: Any) -> list[Field]:
        """The fields for this record."""
        return self.by_type.get(record["__typename"], []) if self.abstract else self.fields


class Planner:
    """Compiles selection sets of one document."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: dict[str, FragmentDefinitionNode],
        resolvers: dict[tuple[str, str], Resolver],
    ) -> None:
        self.schema = schema
        self.fragments = fragments
        self.resolvers = resolvers

    def selection(self, sets: list[SelectionSetNode], named: Any) -> Selection:
        """The plan of one object: all selection sets that were written for it, merged."""
        abstract = is_abstract_type(named)
        types = self.schema.get_possible_types(named) if abstract else [named]
        return Selection({one.name: self._fields(sets, one) for one in types}, abstract)

    def _fields(self, sets: list[SelectionSetNode], concrete: Any) -> list[Field]:
        found: dict[str, tuple[list[FieldNode], list[tuple[bool, ValueNode]]]] = {}
        for one in sets:
            self._collect(one, concrete, [], found)
        fields = []
        for nodes, conditions in found.values():
            node = nodes[0]
            name = node.name.value
            if name == "__typename":
                definition = GraphQLField(GraphQLNonNull(self.schema.type_map["String"]))
                field = Field(node, definition, _constant(concrete.name))
            else:
                definition = concrete.fields[name]
                field = Field(node, definition, self._resolver(concrete.name, name))
            field.conditions = conditions
            named = get_named_type(definition.type)
            if is_composite_type(named):
                field.selection = self.selection([n.selection_set for n in nodes if n.selection_set], named)
            fields.append(field)
        return fields

    def _resolver(self, type_name: str, field: str) -> Resolver | None:
        found = self.resolvers.get((type_name, field))
        if found is None and type_name.endswith("Connection"):
            found = self.resolvers.get(("Connection", field))
        return found

    def _collect(self, one: SelectionSetNode, concrete: Any, outer: list, found: dict) -> None:
        for node in one.selections:
            conditions = outer + [
                (directive.name.value == "include", directive.arguments[0].value)
                for directive in node.directives
                if directive.name.value in ("include", "skip")
            ]
            if isinstance(node, FieldNode):
                key = node.alias.value if node.alias else node.name.value
                if key in found:
                    found[key][0].append(node)
                else:
                    found[key] = ([node], conditions)
                continue
            if isinstance(node, FragmentSpreadNode):
                fragment = self.fragments[node.name.value]
                condition, inner = fragment.type_condition.name.value, fragment.selection_set
            else:
                assert isinstance(node, InlineFragmentNode)
                condition = node.type_condition.name.value if node.type_condition else concrete.name
                inner = node.selection_set
            target = self.schema.type_map[condition]
            if target is concrete or (is_abstract_type(target) and self.schema.is_sub_type(target, concrete)):
                self._collect(inner, concrete, conditions, found)


class Run:
    """One execution: the store, the variables, the errors met and who the root field was."""

    def __init__(self, shop: Any, variables: dict[str, Any]) -> None:
        self.shop = shop
        self.variables = variables
        self.errors: list[dict[str, Any]] = []
        self.root = ""  # the root field under way, and the key it answers under
        self.key = ""
        self.arrived = 0.0
        self.request_id = ""

    def complete(self, fields: list[Field], source: Any, path: Path) -> dict[str, Any]:
        """The object that `fields` ask of `source`."""
        out: dict[str, Any] = {}
        for field in fields:
            if field.conditions and not included(field, self.variables):
                continue
            here = (path, field.key)
            if path is None:
                self.root, self.key = field.name, field.key
            try:
                if field.resolver is None:
                    value = source.get(field.name)
                else:
                    value = field.resolver(source, field.values(self.variables), self)
                selection = field.selection
                if selection is not None and value is not None:
                    if field.is_list:
                        value = [
                            None if item is None else self.complete(selection.of(item), item, (here, index))
                            for index, item in enumerate(value)
                        ]
                    else:
                        value = self.complete(selection.of(value), value, here)
            except Problem as problem:
                self.errors.append(
                    {
                        "message": problem.message,
                        "locations": [field.location],
                        "extensions": problem.extensions,
                        "path": flat(here),
                    }
                )
                if field.non_null:
                    raise Nulled from problem
                value = None
            except Nulled:
                if field.non_null:
                    raise
                value = None
            out[field.key] = value
        return out


def included(field: Field, variables: dict[str, Any]) -> bool:
    """Whether @include and @skip let this field through."""
    for wanted, node in field.conditions:
        value = variables.get(node.name.value) if isinstance(node, VariableNode) else getattr(node, "value", None)
        if bool(value) is not wanted:
            return False
    return True


def flat(path: Path) -> list[Any]:
    """A linked path as the list that stands in an error."""
    steps = []
    while path is not None:
        path, step = path
        steps.append(step)
    return steps[::-1]
