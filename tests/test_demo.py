"""The first things a newcomer meets: the demo, started from outside as a person would, and the README."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.demo import mails, surroundings, verdict
from tests.demo.parts import processes_with
from tests.demo.screen import WIDTH, Screen, wants_colour
from tests.demo.storefronts import PLATFORMS

# The environment of the tests must not help: the demo brings its own.
BARE = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


def demo(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start the demo in a folder of its own, as a terminal does: in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.demo", "--folder", str(folder), "--port", "0", *arguments],
        cwd=ROOT,
        env=BARE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def variables_read() -> set[str]:
    """The environment variables that the settings read."""
    settings = (ROOT / "tracksync" / "settings.py").read_text()
    return set(re.findall(r'environment\.[a-z_]+\(\s*"([A-Z_]+)"', settings))


def left_behind(folder: Path) -> list[int]:
    """The processes of this very demo that still live."""
    environment = dict(line.split("=", 1) for line in (folder / surroundings.ENVIRONMENT).read_text().splitlines())
    return list(processes_with(surroundings.MARK, environment[surroundings.MARK]))


def command_of(pid: int) -> bytes:
    """The command line of a process, b"" when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def wait_for(text: str, process: subprocess.Popen[str], seconds: float) -> str:
    """What the demo has said up to the line with this text."""
    said, until = "", time.monotonic() + seconds
    assert process.stdout is not None
    while time.monotonic() < until:
        line = process.stdout.readline()
        said += line
        if text in line:
            return said
        assert line, f"the demo has ended without {text!r}:\n{said}"
    raise AssertionError(f"no {text!r} within {seconds} s:\n{said}")


@pytest.mark.processes
def test_the_demo_brings_every_number_into_its_store_once_and_leaves_no_process(tmp_path: Path) -> None:
    process = demo(tmp_path, "--once", "--pause", "0")

    said, _ = process.communicate(timeout=240)

    count = sum(map(len, verdict.expected(2, held=False).values()))
    assert process.returncode == 0, said
    assert f"{count} numbers stand in four stores, each exactly once" in said
    sent = mails.customers_mails(mails.read(tmp_path / mails.FOLDER))
    assert (verdict.missing_mails(sent), verdict.surplus_mails(sent)) == ([], [])
    kinds = sum(sent.values(), Counter[str]())
    assert f"{kinds.total()} mails have told customers of them, each once" in said
    own = sum(map(len, verdict.stores_own_mails().values()))
    assert f"{own} mails came from Linden Garden itself, each with its numbers" in said
    assert "Linden Garden #4002: marked as shipped in part" in said
    assert (kinds["preparing"] > 0, kinds["shipped"] > 0) == (True, True)
    assert [line for line in said.splitlines() if len(line) > WIDTH and str(tmp_path) not in line] == []
    assert "\x1b" not in said
    assert re.search(r"[$%]?\{[\w%{]", said) is None
    assert left_behind(tmp_path) == []
    assert sorted(file.name for file in tmp_path.glob("*.csv")) == ["1-packed.csv", "2-dispatched.csv"]


@pytest.mark.processes
@pytest.mark.parametrize("number, at", [(signal.SIGTERM, "Starting up"), (signal.SIGINT, "/admin/")])
def test_a_signal_ends_the_demo_and_all_that_it_started(number: signal.Signals, at: str, tmp_path: Path) -> None:
    process = demo(tmp_path)
    wait_for(at, process, 60)
    deadline = time.monotonic() + 20
    while len(left_behind(tmp_path)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(left_behind(tmp_path)) >= 2

    os.killpg(process.pid, number)

    rest, _ = process.communicate(timeout=90)
    assert (process.returncode, rest.splitlines()[-1]) == (0, "Everything has been stopped.")
    assert left_behind(tmp_path) == []


@pytest.mark.processes
@pytest.mark.parametrize("label, module", [(world.label, world.module) for world in PLATFORMS.values()])
def test_a_part_that_dies_is_named_and_takes_the_demo_with_it(label: str, module: str, tmp_path: Path) -> None:
    process = demo(tmp_path)
    wait_for("Starting up", process, 60)
    stores, deadline = 0, time.monotonic() + 20
    while not stores and time.monotonic() < deadline:
        stores = next((pid for pid in left_behind(tmp_path) if module.encode() in command_of(pid)), 0)

    os.kill(stores, signal.SIGKILL)

    rest, _ = process.communicate(timeout=90)
    assert process.returncode == 1
    assert f"pretend {label} has ended by itself, killed by SIGKILL." in rest
    assert left_behind(tmp_path) == []


@pytest.mark.processes
def test_the_demo_ends_quietly_when_nobody_reads_along_any_more(tmp_path: Path) -> None:
    process = demo(tmp_path)
    wait_for("Starting up", process, 60)
    assert process.stdout is not None

    process.stdout.close()

    assert process.wait(timeout=90) == 0
    assert left_behind(tmp_path) == []


@pytest.mark.processes
def test_two_demos_do_not_share_a_folder(tmp_path: Path) -> None:
    with surroundings.folder(tmp_path):
        process = demo(tmp_path)
        said, _ = process.communicate(timeout=90)

    assert process.returncode == 1
    assert said.strip() == f"A demo is running in {tmp_path} already. Stop it with Ctrl-C first."


def test_the_demo_sets_every_variable_so_that_no_env_file_shines_through(tmp_path: Path) -> None:
    variables = surroundings.environment(tmp_path, web_port=8000)

    assert set(variables) - {surroundings.MARK, surroundings.SETTINGS} == variables_read()


def test_a_port_that_is_taken_is_left_to_whoever_has_it() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert surroundings.free_port(port) != port


def test_every_page_of_the_demo_has_a_port_of_its_own() -> None:
    ports = surroundings.free_ports(0, ("one", "other"))

    assert list(ports.stores) == ["one", "other"]
    assert len({ports.web, ports.mails, *ports.stores.values()}) == 4


def test_the_folder_loses_what_an_earlier_demo_left_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "mails").mkdir()
    for name in ("demo.sqlite3", "demo.sqlite3-wal", "1-packed.csv", "worker.log", "demo.env", "notes.txt"):
        (tmp_path / name).touch()
    for name in ("mails/20261125-184500-1.log", "mails/note.txt"):
        (tmp_path / name).touch()

    with surroundings.folder(tmp_path):
        left = sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file())
        assert left == ["demo.lock", "mails/note.txt", "notes.txt"]


# --- the screen ---------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    "stream, environment, expected",
    [
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ],
)
def test_colours_are_for_terminals_whose_owner_wants_them(
    stream: io.StringIO, environment: dict[str, str], expected: bool
) -> None:
    assert wants_colour(stream, environment) is expected


def test_long_sentences_are_wrapped_below_the_time() -> None:
    stream = io.StringIO()

    Screen(stream).happens("Linden Home #1001", "word " * 30)

    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert [line[:10].strip() for line in lines[1:]] == ["", "", ""]


# --- the pages ------------------------------------------------------------------------------------------------

PAGES = ("README.md", "CHANGELOG.md", "docs/operations.md", "docs/how-a-number-travels.md")


def test_the_readme_explains_every_variable_and_no_other() -> None:
    rows = re.findall(r"^\| (`[A-Z_`, ]+`) \|", (ROOT / "README.md").read_text(), re.MULTILINE)

    named = [name for row in rows for name in re.findall(r"[A-Z_]+", row)]

    assert sorted(named) == sorted(variables_read())


def test_the_sample_file_in_the_readme_has_the_columns_that_are_read() -> None:
    from orders.importing.reading import OPTIONAL, REQUIRED, read

    sample = re.search(r"^```\n(store_id,.+?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert sample is not None

    sheet = read(sample[1].encode())

    assert (sheet.header, sheet.problems, len(sheet.records)) == ((*REQUIRED, *OPTIONAL), (), 3)


@pytest.mark.parametrize("page", PAGES)
def test_the_files_that_a_page_names_are_there(page: str) -> None:
    text = (ROOT / page).read_text()
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    paths = re.findall(r"(?<![\w/])((?:stores|orders|tracksync|tests|docs)/[\w./-]*)", text)

    assert [link for link in links if not (ROOT / page).parent.joinpath(link).exists()] == []
    assert [path for path in paths if not (ROOT / path.rstrip(".")).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_that_a_page_names_are_there(page: str) -> None:
    from django.core.management import get_commands

    text = (ROOT / page).read_text()

    assert {name for name in re.findall(r"manage\.py ([a-z_]+)", text)} - set(get_commands()) == set()
    targets = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE)) - set(targets) == set()
