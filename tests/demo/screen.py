"""Eighty columns of plain text: a time, a headline, wrapped sentences, small tables.

Colours only on a terminal, and not where NO_COLOR is set (https://no-color.org) or TERM is "dumb".
"""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterable
from datetime import datetime
from typing import TextIO

WIDTH = 80
INDENT = " " * 10
STYLES = {"bold": "1", "dim": "2", "green": "32", "yellow": "33", "red": "31", "blue": "36"}


def wants_colour(stream: TextIO, environment: dict[str, str] | os._Environ[str]) -> bool:
    """Whether this stream is a terminal whose owner has nothing against colours."""
    return stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


class Screen:
    """Where the story is told. Lines are flushed one by one, so that a pipe sees them as they happen."""

    def __init__(self, stream: TextIO | None = None, *, colour: bool | None = None) -> None:
        self.stream = stream or sys.stdout
        self.colour = wants_colour(self.stream, os.environ) if colour is None else colour

    def style(self, text: str, *names: str) -> str:
        """The text in these styles where colours are wanted."""
        if not self.colour or not names:
            return text
        return f"\x1b[{';'.join(STYLES[name] for name in names)}m{text}\x1b[0m"

    def line(self, text: str = "") -> None:
        """One line as it is."""
        print(text.rstrip(), file=self.stream, flush=True)

    def heading(self, text: str) -> None:
        """A part of the story begins."""
        rule = "─" * max(3, WIDTH - len(text) - 4)
        self.line()
        self.line(f"── {self.style(text, 'bold')} {self.style(rule, 'dim')}")

    def happens(self, headline: str, *sentences: str, colour: str = "", at: datetime | None = None) -> None:
        """Something happened just now: a headline beside the time, sentences below it."""
        time = (at or datetime.now()).strftime("%H:%M:%S")
        first, *rest = textwrap.wrap(headline, WIDTH - len(INDENT)) or [""]
        self.line(f"{self.style(time, 'dim')}  {self.style(first, 'bold', *([colour] if colour else []))}")
        for more in rest:
            self.line(INDENT + self.style(more, "bold"))
        self.say(*sentences)

    def say(self, *sentences: str) -> None:
        """Sentences, wrapped, under what was said before."""
        for sentence in sentences:
            for wrapped in textwrap.wrap(sentence, WIDTH - len(INDENT)):
                self.line(INDENT + wrapped)

    def note(self, label: str, sentence: str) -> None:
        """A sentence with a short label before it."""
        first, *rest = textwrap.wrap(sentence, WIDTH - len(INDENT) - 7)
        self.line(f"{INDENT}{self.style(label.ljust(7), 'bold')}{first}")
        for wrapped in rest:
            self.line(f"{INDENT}{' ' * 7}{wrapped}")

    def table(
        self, rows: Iterable[tuple[str, ...]], least: tuple[int, ...], *, right: frozenset[int] = frozenset()
    ) -> None:
        """Rows in columns as wide as they have to be, and at least so wide; `right`: the columns that hold figures."""
        rows = list(rows)
        widths = [max(width, *map(len, column)) for width, column in zip(least, zip(*rows, strict=True), strict=True)]
        for row in rows:
            cells = (
                cell.rjust(width) if place in right else cell.ljust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            self.line(INDENT + "  ".join(cells))
