"""The clocks of a shop: it keeps local times and UTC beside one another, and filters by either.

https://developer.wordpress.org/reference/classes/wp_date_query/: a time with an offset is first turned into the shop's
local time, one without is taken as it is. `dates_are_gmt` then only chooses which of the two columns is compared.
"""

from __future__ import annotations

import datetime
import re
import zoneinfo

WRITTEN = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d(:\d\d)?)?")


def zone_of(name: str) -> datetime.tzinfo:
    """A shop's time zone: a name, or a fixed offset such as "+05:30", as shops without a city have it."""
    if name[0] in "+-":
        hours, _, minutes = name[1:].partition(":")
        offset = datetime.timedelta(hours=int(hours), minutes=int(minutes or 0))
        return datetime.timezone(-offset if name[0] == "-" else offset)
    return zoneinfo.ZoneInfo(name)


def now() -> datetime.datetime:
    """The shop's clock in UTC; a shop knows no fractions of a second."""
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0)


def moment(text: str | None) -> datetime.datetime | None:
    """A time as a test wrote it, in UTC and whole seconds; without an offset it is UTC."""
    if not text:
        return None
    value = datetime.datetime.fromisoformat(text)
    value = value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
    return value.astimezone(datetime.UTC).replace(microsecond=0)


def gmt(at: datetime.datetime | None) -> str | None:
    """UTC as the API writes it: without a `Z`."""
    return at.strftime("%Y-%m-%dT%H:%M:%S") if at else None


def local(at: datetime.datetime | None, zone: str) -> str | None:
    """The shop's local time as the API writes it: without an offset."""
    return at.astimezone(zone_of(zone)).strftime("%Y-%m-%dT%H:%M:%S") if at else None


def is_written_well(text: str) -> bool:
    """Whether the API takes this for a time. A `+` that was not escaped has become a blank: it is refused."""
    return WRITTEN.fullmatch(text) is not None


def compared(text: str, zone: str) -> str:
    """What a filter is compared with: the shop's local time where an offset was given, else the time as written."""
    value = datetime.datetime.fromisoformat(text.upper().replace(" ", "T"))
    if value.tzinfo:
        value = value.astimezone(zone_of(zone))
    return value.strftime("%Y-%m-%dT%H:%M:%S")


def offset_hours(zone: str, at: datetime.datetime) -> float:
    """How far the shop's clock is ahead of UTC."""
    offset = at.astimezone(zone_of(zone)).utcoffset()
    return offset.total_seconds() / 3600 if offset else 0.0
