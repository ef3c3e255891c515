"""A small chart of waits, day by day, as whole numbers for an SVG: where each bar stands, and what the axis says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils import formats

from .figures import Day
from .wording.sentences import show_span

WIDTH, HEIGHT = 640, 170
TOP, BOTTOM = 30, 28  # room for the words above and below
LOWEST = 3  # a bar that is there is seen


@dataclass(frozen=True)
class Bar:
    """One day's bar, in the units of the drawing."""

    x: int
    y: int
    width: int
    height: int
    says: str


@dataclass(frozen=True)
class Row:
    """One day in words, for the table below the chart."""

    day: str
    parcels: int
    wait: str


@dataclass(frozen=True)
class Chart:
    """The drawing: gaps are days without a parcel."""

    bars: tuple[Bar, ...]
    rows: tuple[Row, ...]
    top: str  # what the highest line means
    first: str
    last: str
    width: int = WIDTH
    height: int = HEIGHT
    line: int = TOP
    ground: int = HEIGHT - BOTTOM
    above: int = TOP - 8
    below: int = HEIGHT - 6


def draw(days: Sequence[Day]) -> Chart | None:
    """The chart of these days; None where no day has a parcel."""
    there = [day for day in days if day.wait is not None]
    if not there:
        return None
    highest = max(max(day.wait for day in there if day.wait is not None), timedelta(seconds=1))
    step = WIDTH / len(days)
    bars = []
    for place, day in enumerate(days):
        if day.wait is None:
            continue
        height = max(round((HEIGHT - TOP - BOTTOM) * (day.wait / highest)), LOWEST)
        bars.append(
            Bar(
                x=round(place * step + step * 0.15),
                y=HEIGHT - BOTTOM - height,
                width=round(step * 0.7),
                height=height,
                says=f"{_day(day)}: {_span(day.wait)}",
            )
        )
    rows = tuple(Row(_day(day), day.parcels, _span(day.wait)) for day in reversed(there) if day.wait is not None)
    return Chart(tuple(bars), rows, _span(highest), _day(days[0]), _day(days[-1]))


def _day(day: Day) -> str:
    return formats.date_format(day.day, "j M")


def _span(wait: timedelta) -> str:
    return show_span(wait.total_seconds())
