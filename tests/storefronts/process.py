"""A pretend store as a process of its own: started, spoken to through its controls, ended."""

from __future__ import annotations

import pathlib
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import requests

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONTROL_LIMIT = 120  # seconds: adding fifty thousand orders takes a while


class Process:
    """The process. A context manager; `stop()` ends it, as does the end of the process that started it.

    With `address` a running server is used instead of a new one.
    """

    module: ClassVar[str]  # run with -m

    def __init__(self, arguments: Sequence[str], address: str | None = None) -> None:
        """Nothing is started yet."""
        self.address = address or ""
        self._arguments = list(arguments)
        self._process: subprocess.Popen[str] | None = None
        self._session = requests.Session()
        self._session.trust_env = False

    def start(self) -> Self:
        """Start and wait for the address."""
        if not self.address:
            self._process = subprocess.Popen(  # noqa: S603 - our own module, no shell
                [sys.executable, "-m", self.module, "--with-parent", *self._arguments],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            assert self._process.stdout is not None
            self.address = self._process.stdout.readline().strip()
            if not self.address:
                raise RuntimeError(f"{self.module} did not start")
        return self

    def stop(self) -> None:
        """End the process."""
        self._session.close()
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=10)
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process, self.address = None, ""

    @property
    def pid(self) -> int | None:
        """The process, None when it was started by somebody else."""
        return self._process.pid if self._process else None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def control(self, action: str, shop: str | None = None, **values: Any) -> Any:
        """One request to the controls; raises ValueError with what the server says against it."""
        body = {"action": action, "shop": shop, **values}
        answer = self._session.post(f"{self.address}/_control", json=body, timeout=CONTROL_LIMIT)
        if answer.status_code != 200:
            raise ValueError(answer.json()["error"])
        return answer.json()["result"]
