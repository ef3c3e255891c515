"""The demo's processes: started, watched, and ended with all that they have started themselves.

Each runs in a session of its own, so that Ctrl-C reaches the demo alone, which then ends them in good order. A
signal only raises a flag; it is read between two steps, so that nothing is cut in half.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from .surroundings import ROOT, shown

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LOOK_SECONDS = 0.1
GRACE_SECONDS = 12.0  # the worker finishes what it is sending within eight
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


class Stopped(Exception):
    """Somebody wants the demo to end."""


class PartEnded(Exception):
    """A part that should run has ended; the message says which, and what it said last."""


class CommandFailed(Exception):
    """A command of the story did not do what it was asked; the message says which, and what it said."""


@dataclass
class Part:
    """One process that has to run for as long as the demo does."""

    name: str
    process: subprocess.Popen[Any]
    log: Path


class Parts:
    """All processes of the demo. Use as a context manager: in the end nothing is left."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self.folder = folder
        self.variables = os.environ | variables
        self._parts: list[Part] = []
        self._commands: list[subprocess.Popen[Any]] = []
        self._signals = 0

    def __enter__(self) -> Parts:
        self._before = {number: signal.signal(number, self._count) for number in SIGNALS}
        return self

    def __exit__(self, *raised: object) -> None:
        try:
            self._end()
        finally:
            for number, handler in self._before.items():
                signal.signal(number, handler)

    def start(self, name: str, command: Sequence[str]) -> Part:
        """Start a part; what it says goes to a file of its name in the folder."""
        log = self.folder / f"{name.lower().replace(' ', '-')}.log"
        with log.open("wb") as output:
            part = Part(name, self._open(command, stdout=output, stderr=subprocess.STDOUT), log)
        self._parts.append(part)
        return part

    def manage(self, *arguments: str, given: str = "") -> str:
        """Run one management command to its end: what it printed. Raises CommandFailed."""
        return self.together([(arguments, given)])[0]

    def together(self, commands: Sequence[tuple[Sequence[str], str]]) -> list[str]:
        """Run management commands side by side, each (arguments, what it reads): what each printed, in that order."""
        with contextlib.ExitStack() as files:
            running = []
            for arguments, given in commands:
                told, out, err = (files.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8")) for _ in "ioe")
                told.write(given)
                told.seek(0)
                command = [sys.executable, "manage.py", *arguments]
                process = self._open(command, stdin=told, stdout=out, stderr=err)
                self._commands.append(process)
                running.append((arguments, process, out, err))
            while any(process.poll() is None for _, process, _, _ in running):
                self.rest(LOOK_SECONDS)
            self._commands.clear()
            return [self._said(arguments, process.returncode, out, err) for arguments, process, out, err in running]

    def rest(self, seconds: float) -> None:
        """Let time pass. Raises Stopped or PartEnded as soon as there is reason to."""
        until = time.monotonic() + seconds
        while True:
            self.look()
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, LOOK_SECONDS))

    def wait_for(self, there: Callable[[], bool], seconds: float) -> bool:
        """Let time pass until it is so; False where it is not within the time."""
        until = time.monotonic() + seconds
        while not there():
            if time.monotonic() > until:
                return False
            self.rest(LOOK_SECONDS)
        return True

    def look(self) -> None:
        """Whether all is well. Raises Stopped or PartEnded."""
        if self._signals:
            raise Stopped
        for part in self._parts:
            if part.process.poll() is not None:
                raise PartEnded(f"{part.name} has ended by itself, {_how(part.process.returncode)}.{_last(part.log)}")

    def _open(self, command: Sequence[str], **pipes: Any) -> subprocess.Popen[Any]:
        pipes.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen(
            command, cwd=ROOT, env=self.variables, start_new_session=True, preexec_fn=_die_with_the_demo, **pipes
        )

    def _said(self, arguments: Sequence[str], status: int, out: Any, err: Any) -> str:
        for file in (out, err):
            file.seek(0)
        printed, complaint = out.read(), err.read()
        with (self.folder / "commands.log").open("a", encoding="utf-8") as log:
            log.write(f"$ manage.py {' '.join(arguments)}\n{printed}{complaint}\n")
        if status:
            said = (complaint or printed).strip()
            raise CommandFailed(f"manage.py {' '.join(arguments)} ended {_how(status)}:\n{said}")
        return str(printed)

    def _count(self, signum: int, frame: FrameType | None) -> None:
        self._signals += 1

    def _end(self) -> None:
        """Ask all of them to end, the last started first; after the grace, or a second Ctrl-C, they have no choice."""
        asked = self._signals
        parts = [part.process for part in reversed(self._parts)]
        everything = [*self._commands, *parts]
        for process in everything:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        until = time.monotonic() + GRACE_SECONDS
        while any(p.poll() is None for p in everything) and time.monotonic() < until and self._signals < asked + 2:
            time.sleep(LOOK_SECONDS / 2)
        for process in everything:
            # Also where it ended well: what it has started belongs to its session.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


_libc = ctypes.CDLL(None)


def _die_with_the_demo() -> None:
    """Runs in the child: it is told to end even where the demo itself was killed without a word (Linux)."""
    with contextlib.suppress(AttributeError):
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _how(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"


def _last(log: Path) -> str:
    """The last lines of what it said."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:]
    except OSError:
        lines = []
    return f"\nThe last lines of {shown(log)}:\n" + "\n".join(f"  {line}" for line in lines) if lines else ""


def processes_with(mark: str, value: str) -> Iterator[int]:
    """The processes of this machine that have NAME=value in their environment (Linux): what a demo has left behind."""
    wanted = f"{mark}={value}".encode()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                yield int(entry.name)
