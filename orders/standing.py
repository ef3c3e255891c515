"""What a list says of a parcel in a word and a sentence. All that can be said of one is in wording/explain.py."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from .choices import SyncState
from .models import TrackingSync
from .wording import first_line
from .wording.explain import needs_attention
from .wording.sentences import show_span


@dataclass(frozen=True)
class Standing:
    """Where a number stands, and why."""

    state: SyncState
    label: str
    line: str


def standing(row: TrackingSync, now: datetime) -> Standing:
    """The standing of a parcel in the active language and time zone. No query where first_line() takes none."""
    line = first_line(row, now)
    if not needs_attention(row, now):
        return Standing(SyncState(row.state), str(SyncState(row.state).label), line)
    if row.state == SyncState.DUE and row.due_since is not None:
        span = show_span((now - row.due_since).total_seconds())
        late = _("It should have been in the store for {span} now, and is still tried.").format(span=span)
        line = f"{line} {late}"
    return Standing(SyncState.ATTENTION, str(SyncState.ATTENTION.label), line)
