"""A real `manage.py worker` seen from outside: its processes by what they do, and what it told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

from .background import eventually

# Short enough for a test; a machine under load still answers within them.
LIMITS = ("--ring", "0.5", "--stale", "6", "--grace", "5")


def _parents() -> dict[int, tuple[int, int]]:
    """Of every live process: its parent and its process group."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            state, parent, group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if state not in "ZX":
            found[int(entry.name)] = (int(parent), int(group))
    return found


class Worker:
    """The process of `manage.py worker`, started at once. `kill()` at the end of the test, whatever happened."""

    def __init__(self, database_url: str, log: Path, *limits: str) -> None:
        self._log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), "worker", *(limits or LIMITS)],
                env=os.environ | {"DATABASE_URL": database_url, "TRACKSYNC_CALL_LIMIT_SECONDS": "3"},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.groups: set[int] = set()

    def told(self) -> str:
        """All that it printed."""
        return self._log.read_text()

    def children(self, of: int) -> list[int]:
        """The processes that a process has started, oldest first."""
        return sorted(pid for pid, (parent, _) in _parents().items() if parent == of)

    @property
    def main(self) -> int:
        """The cluster's main process, which is also the name of its process group; 0 while there is none."""
        children = self.children(self.process.pid)
        self.groups.update(children)
        return children[0] if children else 0

    @property
    def sentinel(self) -> int:
        """The process that starts the others and guards them; 0 while there is none."""
        children = self.children(self.main) if self.main else []
        return children[0] if children else 0

    def is_up(self) -> bool:
        """Whether two workers, a monitor and a pusher run."""
        return bool(self.sentinel) and len(self.children(self.sentinel)) == 4

    def wait_until_up(self) -> list[int]:
        """Wait for a complete group; the processes that work on tasks."""
        eventually(self.is_up)
        # Started before the monitor and the pusher.
        return self.children(self.sentinel)[:2]

    def left(self) -> list[int]:
        """The processes of all its groups, and itself, that are still there."""
        return [pid for pid, (_, group) in _parents().items() if group in self.groups or pid == self.process.pid]

    def stop(self, how: signal.Signals) -> int:
        """Send it a signal and wait for its end; the exit status."""
        self.process.send_signal(how)
        return self.process.wait(60)

    def kill(self) -> None:
        """Nothing is left of it."""
        _ = self.main
        for group in self.groups:
            try:
                os.killpg(group, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.kill()
        self.process.wait()
