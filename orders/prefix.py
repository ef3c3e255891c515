"""Searching by the beginning of a text, whatever its case, through an index that both databases use alike.

LIKE needs another kind of index on each database, and on PostgreSQL another one per language of the
server. A range of bytes needs none of that: the index and the condition below share one expression.
"""

from __future__ import annotations

from typing import Any

from django.db.models import CharField, F, Func, Q, Value
from django.db.models.functions import Lower
from django.db.models.lookups import GreaterThanOrEqual, LessThan

# Sorts after every character that a text holds.
_LAST = "\U0010ffff"


class Bytewise(Func):
    """A text that compares by its bytes and not by the rules of a language."""

    function = ""
    template = "(%(expressions)s)"
    output_field = CharField()

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """PostgreSQL compares by the language of the server unless it is told; SQLite by bytes as it is."""
        return super().as_sql(compiler, connection, template='((%(expressions)s) COLLATE "C")', **extra)


def folded(field: str) -> Bytewise:
    """The expression to index and to compare: the field in small letters. SQLite folds A-Z alone."""
    return Bytewise(Lower(F(field)))


def begins_with(field: str, text: str) -> Q:
    """Rows whose field begins with this text, whatever the case. The text is not empty."""
    first, end = (Bytewise(Lower(Value(border, output_field=CharField()))) for border in (text, text + _LAST))
    return Q(GreaterThanOrEqual(folded(field), first)) & Q(LessThan(folded(field), end))
