"""The GraphQL documents, one a file, each valid by itself; this module only reads and joins them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

_MUTATION = re.compile(r"mutation\s+\w+\((?P<variables>.*?)\)\s*\{(?P<selection>.*)\}\s*\Z", re.DOTALL)


@cache
def document(name: str) -> str:
    """The text of `name`.graphql without its comments."""
    text = files(__name__).joinpath(f"{name}.graphql").read_text(encoding="utf-8")
    return "".join(line for line in text.splitlines(keepends=True) if not line.lstrip().startswith("#"))


@cache
def _parts(name: str) -> tuple[str, str]:
    found = _MUTATION.match(document(name))
    if not found:
        raise ValueError(f"{name}.graphql is not a mutation with variables")
    return found["variables"], found["selection"]


def joined(names: Sequence[str]) -> str:
    """One mutation that does all of these in turn; the n-th has `_n` where its document says `_N`.

    The results are found under `write_0`, `write_1` …: root fields of a mutation run one after another, and
    each has its own errors.
    """
    variables, selections = [], []
    for number, name in enumerate(names):
        declared, selection = _parts(name)
        variables.append(declared.replace("_N", f"_{number}"))
        selections.append(selection.replace("_N", f"_{number}").rstrip())
    return f"mutation Writes({', '.join(variables)}) {{{''.join(selections)}\n}}\n"
