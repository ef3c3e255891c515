"""Where the demo lives: its folder, its environment, its ports. Nothing of a developer's .env shines through.

Everything is below var/demo and made anew at each start. The environment is also written to demo.env there, for
somebody who wants to try a command beside the running demo.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import os
import secrets
import shlex
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from .mails import FOLDER as MAILS

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "var" / "demo"
LOCK = "demo.lock"
ENVIRONMENT = "demo.env"
MARK = "TRACKSYNC_DEMO"  # in the environment of everything that the demo starts
HIGHEST_PORT = 65535
SETTINGS = "DJANGO_SETTINGS_MODULE"
# What a demo leaves behind. Nothing else in the folder is touched.
OURS = ("demo.sqlite3*", "*.csv", "*.log", f"{MAILS}/*.log", ENVIRONMENT)


class NoRoom(Exception):
    """The demo cannot start here; the message says why."""


@contextlib.contextmanager
def folder(path: Path) -> Iterator[Path]:
    """The folder, emptied of what an earlier demo left, and held against a second one at the same time.

    Raises NoRoom where another demo runs in it.
    """
    path.mkdir(parents=True, exist_ok=True)
    with (path / LOCK).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise NoRoom(f"A demo is running in {shown(path)} already. Stop it with Ctrl-C first.") from None
        for pattern in OURS:
            for old in path.glob(pattern):
                old.unlink()
        yield path


def environment(path: Path, *, web_port: int) -> dict[str, str]:
    """Every variable that TrackSync reads, for a house on this machine with a SQLite file in `path`."""
    return {
        "DEBUG": "false",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "DATABASE_URL": f"sqlite:///{path / 'demo.sqlite3'}",
        "EMAIL_URL": f"filemail://{quote(str(path / MAILS))}",
        "DEFAULT_FROM_EMAIL": "TrackSync demo <noreply@localhost>",
        "TIME_ZONE": "UTC",
        "LOG_LEVEL": "INFO",
        "TRACKSYNC_URL": f"http://127.0.0.1:{web_port}",
        "TRACKSYNC_CONTACT_URL": "",
        "TRACKSYNC_CREDENTIAL_KEYS": base64.urlsafe_b64encode(os.urandom(32)).decode(),
        "TRACKSYNC_ALLOW_HOSTS": "127.0.0.0/8",
        "TRACKSYNC_CA_BUNDLE": "",
        "TRACKSYNC_OWN_NUMBER_PREFIX": "CJP",
        "TRACKSYNC_THREADS": "4",
        "TRACKSYNC_WORKERS": "1",
        "TRACKSYNC_PULL_SECONDS": "30",
        "TRACKSYNC_SETTLE_SECONDS": "0",
        "TRACKSYNC_CALL_LIMIT_SECONDS": "0",
        "TRACKSYNC_STAFF_MFA": "false",
        "TRACKSYNC_PROXIES": "0",
        "TRACKSYNC_SHOPIFY_CLIENT_ID": "",
        "TRACKSYNC_SHOPIFY_CLIENT_SECRET": "",
        SETTINGS: "tracksync.settings",
        MARK: secrets.token_hex(8),
    }


def write(path: Path, variables: dict[str, str]) -> Path:
    """Write the environment down, for a shell to read. Only its owner may read the keys."""
    file = path / ENVIRONMENT
    file.touch(mode=0o600)
    file.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items()))
    return file


@dataclass(frozen=True)
class Ports:
    """Where the demo's pages answer, all on the loopback address."""

    web: int
    stores: Mapping[str, int]  # platform → its pretend stores
    mails: int


def free_ports(wanted: int, platforms: Sequence[str]) -> Ports:
    """A port for everything, a hundred apart where they are free; `wanted`: the web server's, 0 for any."""
    found: list[int] = []
    for place in range(len(platforms) + 2):
        found.append(free_port(found[0] + 100 * place if found else wanted, but=frozenset(found)))
    web, *stores, mails = found
    return Ports(web, dict(zip(platforms, stores, strict=True)), mails)


def free_port(wanted: int, but: frozenset[int] = frozenset()) -> int:
    """This port of the loopback address where nobody has it, else one that the system picks."""
    for port in (wanted if wanted <= HIGHEST_PORT else 0, 0):
        with socket.socket() as taken:
            # As the servers themselves do: a connection that is only just closed does not keep a port.
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                taken.bind(("127.0.0.1", port))
                found: int = taken.getsockname()[1]
                if found not in but:
                    return found
    raise NoRoom("There is no free port on 127.0.0.1.")


def shown(path: Path) -> str:
    """A path as it is read best: from the project's folder where it lies in it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
