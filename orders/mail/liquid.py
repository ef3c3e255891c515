"""The language of the merchants' mail templates: Liquid, cut down to what a mail needs.

A merchant's template is a stranger's code that runs in our process, so everything is closed but what is named here:
six tags, eight filters, and limits on whatever could grow. No Python object is within reach: values are text, numbers,
lists and mappings. `check()` is asked at every save, `render()` at every mail.

The tokenizer is our own. python-liquid's is one regular expression that searches to the end of the source for every
brace that is not closed: 20 kB of "{{" would keep a process busy for minutes. This one reads the source once.

Which values there are is in variables.py; what becomes of the text in rendering.py.
https://shopify.dev/docs/api/liquid/basics
https://jg-rp.github.io/liquid/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.utils import formats
from django.utils.translation import gettext
from liquid import BoundTemplate, Environment, RenderContext
from liquid.builtin.content import Literal
from liquid.builtin.filters.misc import default
from liquid.builtin.filters.string import capitalize, downcase, strip, truncate, upcase
from liquid.builtin.illegal import Illegal
from liquid.builtin.output import Output
from liquid.builtin.tags.case_tag import CaseTag
from liquid.builtin.tags.comment_tag import CommentTag
from liquid.builtin.tags.for_tag import BreakTag, ContinueTag, ForTag
from liquid.builtin.tags.if_tag import IfTag
from liquid.builtin.tags.unless_tag import UnlessTag
from liquid.exceptions import FilterArgumentError, LiquidError, LoopIterationLimitError
from liquid.static_analysis import Variable
from liquid.token import TOKEN_CONTENT, TOKEN_EXPRESSION, TOKEN_OUTPUT, TOKEN_TAG, Token

SOURCE_LIMIT = 20_000  # characters
OUTPUT_LIMIT = 50_000  # bytes
NAMESPACE_LIMIT = 10_000  # bytes
NESTED_LIMIT = 200  # iterations of loops within loops
LOOP_LIMIT = 1_000  # iterations of all loops together
TAGS_LIMIT = 500  # outputs and tags in one template
EXPRESSION_LIMIT = 300  # characters between two braces
DEPTH_LIMIT = 10  # blocks within blocks
FORMAT_LIMIT = 60  # characters of a date's format

TAGS = {
    "if": "elsif else endif",
    "unless": "elsif else endunless",
    "case": "when else endcase",
    "for": "else break continue endfor",
    "comment": "endcomment",
}
TAG_NAMES = frozenset(TAGS) | {name for names in TAGS.values() for name in names.split()}
IN_A_LOOP = frozenset(["first", "last", "index", "index0", "rindex", "rindex0", "length", "name", "parentloop"])

_BRACES = re.compile(r"\{\{|\{%")
_ENDS = re.compile(r"\{\{|\{%|\}\}|%\}")
_COMMENT = re.compile(r"\{%-?\s*(end)?comment\b")
_TAG = re.compile(r"(\w+|#)(.*)", re.DOTALL)
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
# Directive of a date's format -> Django's format letter; the words are those of the active language.
DIRECTIVES = {
    "%Y": "Y", "%y": "y", "%m": "m", "%-m": "n", "%B": "F", "%b": "M", "%d": "d", "%-d": "j", "%e": "j",
    "%A": "l", "%a": "D", "%H": "H", "%-H": "G", "%I": "h", "%-I": "g", "%M": "i", "%p": "A",
}  # fmt: skip
_DIRECTIVE = re.compile(r"%-?[A-Za-z]|%%")
# What a merchant's template can make the library stumble over, apart from its own errors.
STUMBLES = (RecursionError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError)


@dataclass(frozen=True)
class Problem:
    """Why a template is refused. `line` and `column` count from 1."""

    line: int
    column: int
    message: str


class TemplateRefused(Exception):
    """The template cannot be read or does not stay within the limits; `problem` says where."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class Moment(str):
    """A time, shown as text; the filter `date` shows it otherwise. Nothing of it but the text is within reach."""

    __slots__ = ("_at",)
    _at: datetime

    def __new__(cls, text: str, at: datetime) -> Moment:
        """`at` is in the time zone it shall be shown in."""
        made = super().__new__(cls, text)
        made._at = at
        return made


def check(source: str, variables: Collection[str], item_fields: Collection[str] = ()) -> list[Problem]:
    """All that is wrong with a template, in its order; none when it may be saved.

    `variables`: the names that exist. `item_fields`: what the things have that a loop goes through.
    """
    try:
        template = _parsed(source)
        found = template.analyze(include_partials=False)
    except TemplateRefused as refused:
        return [refused.problem]
    except (LiquidError, *STUMBLES) as error:
        return [_problem(source, error)]
    free = {id(variable) for uses in found.globals.values() for variable in uses}
    problems: list[tuple[int, str]] = []
    for uses in found.variables.values():
        for variable in uses:
            message = _wrong(variable, set(variables), set(item_fields), is_free=id(variable) in free)
            if message:
                problems.append((variable.span.index, message))
    for name, spans in found.filters.items():
        if name not in FILTERS:
            known = ", ".join(sorted(FILTERS))
            message = gettext("There is no filter “{name}”. These exist: {known}.").format(name=name, known=known)
            problems += [(span.index, message) for span in spans]
    return [_at(source, index, message) for index, message in sorted(set(problems))]


def render(source: str, values: Mapping[str, object]) -> str:
    """The text of a template with these values, not escaped for anything. Raises TemplateRefused."""
    try:
        return _parsed(source).render(dict(values))
    except (LiquidError, *STUMBLES) as error:
        raise TemplateRefused(_problem(source, error)) from error


def _wrong(variable: Variable, names: set[str], item_fields: set[str], *, is_free: bool) -> str:
    """What is wrong with one use of a variable, "" for nothing. `is_free`: no loop has made it."""
    root, *rest = variable.segments
    field = rest[0] if rest and isinstance(rest[0], str) else ""
    if is_free and str(root) not in names:
        return gettext("There is no variable “{name}”. The list beside the text names those that exist.").format(
            name=root if isinstance(root, str) else "[ ]"
        )
    if root == "forloop" and not is_free:
        allowed = set(IN_A_LOOP)
    elif is_free:
        allowed = {"size", "first", "last"}
    else:
        allowed = set(item_fields)
    if field and field not in allowed:
        return gettext("“{name}” has no “{field}”.").format(name=root, field=field)
    return ""


# --- the environment ---------------------------------------------------------------------------------


class _Context(RenderContext):
    """Counts the iterations of all loops of a rendering together; the library only those within one another."""

    iterations = 0

    def raise_for_loop_limit(self, length: int = 1) -> None:
        super().raise_for_loop_limit(length)
        self.iterations += length
        if self.iterations > LOOP_LIMIT:
            raise LoopIterationLimitError(gettext("the loops go round too often"), token=None)


class _Template(BoundTemplate):
    context_class = _Context


class _Environment(Environment):
    """Only what is named here exists: the library registers nothing of its own."""

    block_nesting_limit = DEPTH_LIMIT
    context_depth_limit = DEPTH_LIMIT * 2
    loop_iteration_limit = NESTED_LIMIT
    local_namespace_limit = NAMESPACE_LIMIT
    output_stream_limit = OUTPUT_LIMIT
    template_class = _Template

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        """Called by the library when an environment is made."""
        for tag in (Literal, Output, Illegal, IfTag, UnlessTag, CaseTag, ForTag, BreakTag, ContinueTag, CommentTag):
            self.add_tag(tag)
        for name, function in FILTERS.items():
            self.add_filter(name, function)

    def tokenizer(self) -> Callable[[str], Iterator[Token]]:
        """The linear one below."""
        return _tokens


def _escape(value: object) -> object:
    """Does nothing: whatever a mail holds is escaped where its HTML is made, and would be twice."""
    return value


def _date(value: object, form: object = "") -> str:
    """A time in the form of strftime, in the words of the active language; anything else as it is.

    Not the library's: that one hands the form to the system's strftime and reads any text as a date.
    """
    if not isinstance(value, Moment):
        return value if isinstance(value, str) else ""
    if not isinstance(form, str) or len(form) > FORMAT_LIMIT:
        raise FilterArgumentError(gettext("the date's form has to be a short text"), token=None)

    def shown(found: re.Match[str]) -> str:
        if found.group() == "%%":
            return "%"
        letter = DIRECTIVES.get(found.group())
        if letter is None:
            message = gettext("a date's form knows no {directive}").format(directive=found.group())
            raise FilterArgumentError(message, token=None)
        return str(formats.date_format(value._at, letter))

    return _DIRECTIVE.sub(shown, form)


FILTERS: dict[str, Callable[..., Any]] = {
    "upcase": upcase,
    "downcase": downcase,
    "capitalize": capitalize,
    "escape": _escape,
    "default": default,
    "date": _date,
    "truncate": truncate,
    "strip": strip,
}
_ENVIRONMENT = _Environment()


@lru_cache(maxsize=64)
def _parsed(source: str) -> BoundTemplate:
    """The template, ready to render; a store's mails use the same one again and again."""
    if len(source) > SOURCE_LIMIT:
        message = gettext("This text is too long: it may have {limit} characters.").format(limit=f"{SOURCE_LIMIT:,}")
        raise TemplateRefused(_at(source, SOURCE_LIMIT, message))
    return _ENVIRONMENT.from_string(source)


# --- reading the source once --------------------------------------------------------------------------


def _tokens(source: str) -> Iterator[Token]:
    """What the library's tokenizer would give, for the tags that exist. Raises TemplateRefused."""
    position, count, trims = 0, 0, False
    while position < len(source):
        opening = _BRACES.search(source, position)
        start = opening.start() if opening else len(source)
        content = source[position:start]
        if trims:
            content = content.lstrip()
        if source.startswith("-", start + 2):
            content = content.rstrip()
        if content:
            yield Token(TOKEN_CONTENT, content, position, source)
        if not opening:
            return
        count += 1
        if count > TAGS_LIMIT:
            raise TemplateRefused(_at(source, start, gettext("There are too many commands in this text.")))
        inner, inner_at, position, trims = _between(source, start)
        if opening.group() == "{{":
            yield Token(TOKEN_OUTPUT, source[start:position], start, source)
            yield Token(TOKEN_EXPRESSION, inner, inner_at, source)
            continue
        tag = _TAG.fullmatch(inner)
        name = tag.group(1) if tag else ""
        if tag is None or name not in TAG_NAMES:
            raise TemplateRefused(_at(source, inner_at, _no_such_tag(name or inner)))
        yield Token(TOKEN_TAG, name, inner_at, source)
        expression = tag.group(2)
        if expression.strip():
            at = inner_at + len(name) + len(expression) - len(expression.lstrip())
            yield Token(TOKEN_EXPRESSION, expression.strip(), at, source)
        if name == "comment":
            position = _end_of_comment(source, position)


def _between(source: str, start: int) -> tuple[str, int, int, bool]:
    """Of the braces that open at `start`: what is in them, where that begins, where they end, "-" before the end."""
    closing = "}}" if source.startswith("{{", start) else "%}"
    end = _ENDS.search(source, start + 2)
    if end is None or end.group() != closing:
        raise TemplateRefused(_at(source, start, gettext("These braces are not closed.")))
    first = start + 2 + source.startswith("-", start + 2)
    trims = source.startswith("-", end.start() - 1) and end.start() - 1 >= first
    last = end.start() - trims
    if last - first > EXPRESSION_LIMIT:
        message = gettext("There is too much between these braces: {limit} characters at most.")
        raise TemplateRefused(_at(source, start, message.format(limit=EXPRESSION_LIMIT)))
    inner = source[first:last]
    if not inner.strip():
        raise TemplateRefused(_at(source, start, gettext("There is nothing between these braces.")))
    if ".." in _QUOTED.sub("", inner):
        # A reversed loop over a range makes a list of it before any limit is asked: gigabytes for a line of text.
        raise TemplateRefused(_at(source, start, gettext("Ranges such as (1..9) do not exist here.")))
    return inner.strip(), first + len(inner) - len(inner.lstrip()), end.end(), trims


def _end_of_comment(source: str, position: int) -> int:
    """Where the tag that ends the comment begins; comments may lie in one another."""
    depth = 1
    for found in _COMMENT.finditer(source, position):
        depth += -1 if found.group(1) else 1
        if depth == 0:
            return found.start()
    return len(source)


def _no_such_tag(name: str) -> str:
    return gettext("There is no command “{name}”. These exist: {known}.").format(name=name[:30], known=", ".join(TAGS))


def _problem(source: str, error: Exception) -> Problem:
    """What the library or Python says, with its place in the source as far as that is known."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, TemplateRefused):
            return cause.problem
        cause = cause.__cause__
    token = error.token if isinstance(error, LiquidError) else None
    index = 0
    if token is not None:
        index = token.start_index if token.start_index >= 0 else len(source)  # before the beginning = at the end
    said = str(error.message or "") if isinstance(error, LiquidError) else ""
    if not said or "unexpected liquid parsing error" in said:
        said = gettext("it is too involved")
    # What is quoted of the source must not look like a command on the page that shows it.
    said = re.sub(r"[{}]", "", said)
    return _at(source, index, gettext("This cannot be read: {said}.").format(said=said))


def _at(source: str, index: int, message: str) -> Problem:
    index = min(index, len(source))
    line_start = source.rfind("\n", 0, index) + 1
    return Problem(source.count("\n", 0, index) + 1, index - line_start + 1, message)
