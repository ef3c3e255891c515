"""Times as a merchant reads them: in the store's own time zone, which is named beside them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from django.utils import formats, timezone
from django.utils.translation import gettext

from stores.models import Store


def zone_of(store: Store) -> tzinfo:
    """The store's time zone; the project's own where the store has told none that exists."""
    try:
        return ZoneInfo(store.time_zone)
    except (KeyError, ValueError):  # ZoneInfoNotFoundError is a KeyError
        return timezone.get_default_timezone()


def in_zone_of(store: Store) -> AbstractContextManager[None]:
    """Within it every time is shown in the store's time zone: `with in_zone_of(store): render(...)`."""
    return timezone.override(zone_of(store))


def show_moment(at: datetime) -> str:
    """A moment to the second in the active time zone: 29 Nov 2026, 18:00:07 (UTC)."""
    local = timezone.localtime(at)
    return f"{formats.date_format(local, gettext('j M Y, H:i:s'))} ({local.tzname()})"


def show_clock(at: datetime) -> str:
    """The time of day in the active time zone: 18:00 (UTC)."""
    local = timezone.localtime(at)
    return f"{formats.date_format(local, gettext('H:i'))} ({local.tzname()})"
