"""Credentials as an operator gives them to a command: JSON, @FILE, or - for standard input; and what they look like."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from django.core.management.base import CommandError

from stores.guides import GUIDES

USAGE = 2  # exit code for what was asked in a wrong way; 1 is for what could not be done


def ways(platform: str) -> str:
    """What the credentials of a platform look like: {"a"} or {"b", "c"}."""
    groups = GUIDES[platform].form.credential_groups
    return " or ".join("{" + ", ".join(f'"{name}"' for name in group) + "}" for group in sorted(groups, key=len))


def read(given: str, platform: str) -> dict[str, str]:
    """The credentials. Raises CommandError; what was given is never repeated in a message, however wrong it is."""
    if given == "-":
        text = sys.stdin.read()
    elif given.startswith("@"):
        try:
            text = Path(given[1:]).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "not UTF-8"
            raise CommandError(f"--credentials: the file cannot be read: {why}.", returncode=USAGE) from None
    else:
        text = given
    try:
        credentials = json.loads(text)
    except ValueError:
        credentials = None
    if not isinstance(credentials, dict) or not all(isinstance(value, str) for value in credentials.values()):
        shown = ways(platform).replace('"}', '": "..."}').replace('",', '": "...",')
        raise CommandError(
            f"--credentials: not a JSON object of texts. Write it as {shown}, or name a file that holds it with @FILE.",
            returncode=USAGE,
        )
    return credentials
