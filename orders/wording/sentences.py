"""From a code and its values to a sentence in the active language.

The words are in reasons.py and lines.py. Which sentence applies to a shipment as a whole is found in
explain.py.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import formats, timezone
from django.utils.dateparse import parse_datetime
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from .lines import ACTS, NUMBER_PROBLEMS, OUTCOMES, STOPPED, WHY, WITHDRAW
from .reasons import WORDS, Text, Who

_OTHERS: dict[str, tuple[Text, ...]] = {**WHY, **ACTS, **NUMBER_PROBLEMS, **WITHDRAW, **STOPPED}
_UNKNOWN: tuple[Text, ...] = (_("For a reason that this version of TrackSync has no words for: {code}."),)
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
# Said where a value that nearly every sentence uses is not at hand.
_STAND_INS: dict[str, Text] = {"platform": _("the store")}


def sentence(code: str, values: Mapping[str, Any] | None = None) -> str:
    """The sentence of a code, in the active language: WaitCode, SendCode, RowCode, Code, Act, NumberProblem, Stopped.

    `values` as kept with the code; None, empty and missing ones choose a shorter sentence. ISO times
    are shown in the active time zone. An attempt's outcome has outcome_sentence(): two of the outcomes
    share their spelling with a reason.
    """
    if code in WORDS:
        return fill(WORDS[code].says, values)
    return fill(_OTHERS.get(code, _UNKNOWN), {"code": code, **(values or {})})


def outcome_sentence(outcome: str, values: Mapping[str, Any] | None = None) -> str:
    """The sentence of an AttemptOutcome; `number` among the values makes it more telling."""
    return fill(OUTCOMES.get(outcome, _UNKNOWN), {"code": outcome, **(values or {})})


def attempt_line(outcome: str, reason: str, values: Mapping[str, Any] | None = None) -> str:
    """One line of the timeline: what the attempt came to and, where there is one, the reason."""
    said = outcome_sentence(outcome, values)
    return f"{said} {sentence(reason, values)}" if reason else said


def who_acts(code: str) -> Who:
    """Who has to act on a reason; our staff where the code is not known."""
    return WORDS[code].who if code in WORDS else Who.STAFF


def releases(code: str, values: Mapping[str, Any] | None = None) -> str:
    """What would release a shipment that waits for this reason."""
    return fill((WORDS[code].then,), values) if code in WORDS else gettext('Press "try again now".')


def fill(says: tuple[Text, ...], values: Mapping[str, Any] | None = None) -> str:
    """The first of the sentences whose values are all there, filled in; never a gap, never a brace left over."""
    known = {key: str(text) for key, text in _STAND_INS.items()}
    known |= {key: text for key, value in (values or {}).items() if (text := show(value))}
    for text in map(str, says):
        names = [name for _before, name, _spec, _conv in string.Formatter().parse(text) if name]
        if all(name in known for name in names):
            filled = text.format_map(known)
            # A store is called as its merchant writes it, at the beginning of a sentence, too.
            return filled if text.startswith("{store}") else capfirst(filled)
    return capfirst(re.sub(r"\s*\(?\{\w*\}\)?", "", str(says[-1])))


def show(value: Any) -> str:
    """A value as it stands in a sentence; "" for none."""
    if value is None or value is False or value == "":
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(filter(None, map(show, value)))
    if isinstance(value, datetime):
        return show_time(value)
    if isinstance(value, str) and _ISO.match(value) and (parsed := _parsed(value)):
        return show_time(parsed)
    return str(value)


def show_time(at: datetime) -> str:
    """A moment in the active time zone: 29 Nov 2026, 18:00 (UTC)."""
    local = timezone.localtime(at) if timezone.is_aware(at) else at
    return f"{formats.date_format(local, gettext('j M Y, H:i'))} ({local.tzname() or gettext('local time')})"


def show_span(seconds: float) -> str:
    """A length of time in one unit: 40 seconds, 3 minutes, 5 hours, 2 days."""
    whole = max(int(seconds), 0)
    if whole < 120:
        return ngettext("{n} second", "{n} seconds", whole).format(n=whole)
    if whole < 2 * 3600:
        return ngettext("{n} minute", "{n} minutes", whole // 60).format(n=whole // 60)
    if whole < 48 * 3600:
        return ngettext("{n} hour", "{n} hours", whole // 3600).format(n=whole // 3600)
    return ngettext("{n} day", "{n} days", whole // 86400).format(n=whole // 86400)


def _parsed(value: str) -> datetime | None:
    try:
        return parse_datetime(value)
    except ValueError:
        return None
