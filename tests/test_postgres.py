"""The PostgreSQL of the tests comes without a service and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from tests import postgres
from tests.conftest import ROOT


def folder_of(url: str) -> Path:
    """The data folder in a DATABASE_URL; the socket lies in it."""
    return Path("/" + url.partition("@//")[2].rpartition("/")[0])


def ask(url: str, question: str) -> str:
    """The one answer to a query."""
    with psycopg.connect(host=str(folder_of(url)), user="postgres", dbname=postgres.DATABASE) as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize("durable, fsync", [(False, "off"), (True, "on")])
def test_a_server_listens_on_its_own_folder_only_and_goes_without_a_trace(durable: bool, fsync: str) -> None:
    with postgres.server(durable=durable, max_connections=50) as url:
        folder = folder_of(url)

        assert [ask(url, f"SHOW {name}") for name in ("fsync", "listen_addresses", "max_connections")] == [
            fsync,
            "",
            "50",
        ]
        assert ask(url, "SHOW unix_socket_directories") == str(folder)
        assert folder.stat().st_mode & 0o077 == 0

    assert not folder.parent.exists()


def test_the_exit_status_of_the_command_is_passed_on_and_its_database_is_there() -> None:
    command = "import os, sys; sys.exit(7 if os.environ['DATABASE_URL'].startswith('postgres://') else 1)"

    done = subprocess.run(
        [sys.executable, "-m", "tests.postgres", "run", "--", sys.executable, "-c", command], cwd=ROOT
    )

    assert done.returncode == 7


@pytest.mark.processes
def test_a_server_ends_with_the_process_that_started_it_even_when_that_is_killed() -> None:
    command = [sys.executable, "-m", "tests.postgres", "run", "--", "sh", "-c", "echo $DATABASE_URL; exec cat"]
    runner = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert runner.stdin is not None
    assert runner.stdout is not None
    folder = folder_of(runner.stdout.readline().strip())
    server = int((folder / "postmaster.pid").read_text().split()[0])
    assert Path(f"/proc/{server}").exists()

    runner.send_signal(signal.SIGKILL)
    runner.wait()

    deadline = time.monotonic() + 20
    while Path(f"/proc/{server}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    runner.stdin.close()
    shutil.rmtree(folder.parent)
    assert not Path(f"/proc/{server}").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to run the server as somebody else")
def test_root_runs_it_as_somebody_who_may_not_enter_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    binaries = postgres.find_binaries()
    package = binaries.parent.parent
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for each in (package, package.with_name(f"{package.name}.libs")):
        if each.exists():
            (closed / each.name).symlink_to(each)
    monkeypatch.setenv("PGBIN", str(closed / binaries.relative_to(package.parent)))

    with postgres.server() as url:
        assert ask(url, "SELECT 1") == "1"
        assert folder_of(url).owner() == "nobody"
