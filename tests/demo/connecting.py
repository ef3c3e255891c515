"""The sheet from which `connect_store` connects the story's stores, one line each, and what it answers.

A sheet and not one command for each store: all of them are connected in the time that one start takes. It is handed
over on standard input, so that no file holds what lets TrackSync in.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from datetime import date

from . import story
from .storefronts import Access

COMMAND = ("connect_store", "--from", "-")
COLUMNS = ("owner", "platform", "name", "url", "timing", "number_source", "sync_from")
CONNECTED = re.compile(r"^line \d+: store (\d+) connected$", re.MULTILINE)


def sheet(accesses: Mapping[str, Access], sync_from: date) -> str:
    """The sheet. `accesses`: a store's key → how TrackSync is let in; orders before `sync_from` are left alone."""
    secrets = dict.fromkeys(name for access in accesses.values() for name in access.credentials)
    text = io.StringIO()
    writer = csv.DictWriter(text, (*COLUMNS, *secrets), restval="")
    writer.writeheader()
    for shop in story.SHOPS:
        access = accesses[shop.key]
        row = {name: getattr(shop, name) for name in ("owner", "platform", "name", "timing", "number_source")}
        writer.writerow(row | {"url": access.url, "sync_from": sync_from.isoformat()} | dict(access.credentials))
    return text.getvalue()


def store_ids(said: str) -> dict[str, str]:
    """A store's key → its id in TrackSync, from what the command printed."""
    return dict(zip((shop.key for shop in story.SHOPS), CONNECTED.findall(said), strict=True))
