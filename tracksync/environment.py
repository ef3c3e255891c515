"""Reads the environment: each function names the variable, what it should be and an example when it cannot.

An empty value counts as not given, so that `NAME=` in a file means the default. No message repeats a
value that may hold a password. What can be read but makes no sense together is checks.py's affair.
"""

from __future__ import annotations

import warnings
import zoneinfo
from collections.abc import Callable
from typing import Any, TypeVar

import environ
from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")

env = environ.Env()
DATABASES = {"django.db.backends.sqlite3", "django.db.backends.postgresql"}
TRUE = {"true", "yes", "on", "1"}
FALSE = {"false", "no", "off", "0"}


def text(name: str, default: str = "") -> str:
    """The value as it is, without spaces around it."""
    return env.str(name, default="").strip() or default


def words(name: str, default: list[str] | None = None) -> list[str]:
    """A list separated by commas; spaces around the parts do not count."""
    return [part for part in (part.strip() for part in text(name).split(",")) if part] or list(default or [])


def flag(name: str, *, default: bool) -> bool:
    """true or false. Anything else is refused: a misspelt DEBUG must not be guessed."""
    value = text(name).lower()
    if value and value not in TRUE | FALSE:
        raise _unreadable(name, "true or false", "true", value)
    return value in TRUE if value else default


def choice(name: str, allowed: list[str], default: str) -> str:
    """One of a few words, in capitals."""
    value = text(name, default).upper()
    if value not in allowed:
        raise _unreadable(name, f"one of {', '.join(allowed)}", default, value)
    return value


def whole(name: str, default: int) -> int:
    """A whole number."""
    return _read(name, int, default, "a whole number", str(default))


def seconds(name: str, default: float) -> float:
    """A number of seconds, with or without decimals."""
    return _read(name, float, default, "a number of seconds", "2.5")


def time_zone(name: str, default: str) -> str:
    """An IANA time zone that this machine knows."""
    value = text(name, default)
    if value not in zoneinfo.available_timezones():
        raise _unreadable(name, "a time zone", "Asia/Shanghai", value)
    return value


def database(name: str) -> dict[str, Any] | None:
    """Django's description of a database, None when none is given. SQLite and PostgreSQL only."""
    if not text(name):
        return None
    example = "postgres://user:password@host:5432/tracksync"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # django-environ's own warning repeats the password
            found: dict[str, Any] = env.db_url_config(text(name))
    except ValueError:
        raise _unreadable(name, "the address of a database", example) from None
    if found.get("ENGINE") not in DATABASES or not found.get("NAME"):
        raise _unreadable(name, "the address of a PostgreSQL or SQLite database", example)
    return found


def mail(name: str, default: str) -> dict[str, Any]:
    """Django's EMAIL_* settings from one address. `filemail:///var/mails` means that very folder, from the root."""
    address = text(name, default)
    try:
        found: dict[str, Any] = env.email_url_config(address)
    except (ValueError, ImproperlyConfigured):
        raise _unreadable(name, "the address of a mail server", "smtp+tls://user:password@host:587") from None
    if address.startswith("filemail:///"):
        # django-environ drops the first slash, and the folder would lie wherever a process was started.
        found["EMAIL_FILE_PATH"] = "/" + found["EMAIL_FILE_PATH"].lstrip("/")
    return {key: value for key, value in found.items() if key.startswith("EMAIL_") and value is not None}


def _read(name: str, cast: Callable[[str], T], default: T, what: str, example: str) -> T:
    value = text(name)
    try:
        return cast(value) if value else default
    except ValueError:
        raise _unreadable(name, what, example, value) from None


def _unreadable(name: str, what: str, example: str, value: str | None = None) -> ImproperlyConfigured:
    """`value` only where it cannot hold a secret."""
    said = "" if value is None else f", not {value!r}"
    return ImproperlyConfigured(
        f"The environment variable {name} has to be {what}{said}. For example: {name}={example}"
    )
