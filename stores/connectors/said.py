"""Pure: what a store said, fit for a log and a timeline: one line, no keys, no buyers' addresses, not too long.

A store may belong to anybody, and a log line is made of whatever it sends. So its words are cut short before they are
searched: the search for addresses looks at each letter several times, and over megabytes it would hold up everything
else in the process for hours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

LOOKED_AT = 2000  # characters of what was said
_EMAIL = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+\.[^\s@<>\"']+")


def on_one_line(text: str, keys: re.Pattern[str], secrets: Iterable[str] = ()) -> str:
    """`text` without what looks like one of `keys`, without `secrets` and without e-mail addresses, at most LOOKED_AT
    characters of it."""
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    text = " ".join(text.split())
    if len(text) > LOOKED_AT:
        # Half a word may be half a key, or half an address.
        text = text[: LOOKED_AT + 1].rpartition(" ")[0]
    return _EMAIL.sub("***", keys.sub("***", text))
