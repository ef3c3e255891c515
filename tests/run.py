"""`make test`: everything on SQLite, everything on PostgreSQL, the browser on PostgreSQL; then the counts.

    python -m tests.run [ARGUMENTS FOR PYTEST ...]

The last lines count the tests per database and for the browser. Exit status 0 when nothing failed.
PostgreSQL is never skipped: a machine where it does not start fails.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from tests import postgres
from tests.conftest import ROOT, chromium_path

# "no tests collected": a run of a part of the tests may have none of one kind.
NOTHING_COLLECTED = 5
IN_PARALLEL = ["-n", "2", "--dist", "worksteal"]


@dataclass(frozen=True)
class Count:
    """How one run of pytest ended."""

    name: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    note: str = ""

    def __str__(self) -> str:
        parts = [f"{self.passed} passed"]
        parts += [f"{self.failed} failed"] if self.failed else []
        parts += [f"{self.skipped} skipped"] if self.skipped else []
        return f"{self.name}: {', '.join(parts)}{f' ({self.note})' if self.note else ''}"


def count(name: str, report: Path, status: int) -> Count:
    """Read pytest's JUnit report. A run that ended badly without naming a test counts as one failure."""
    passed = failed = skipped = 0
    if report.exists():
        for case in ElementTree.parse(report).getroot().iter("testcase"):  # noqa: S314  (our own file)
            ends = {child.tag for child in case}
            if ends & {"failure", "error"}:
                failed += 1
            elif "skipped" in ends:
                skipped += 1
            else:
                passed += 1
    if status not in (0, NOTHING_COLLECTED) and not failed:
        return Count(name, passed, 1, skipped, f"pytest ended with status {status}")
    return Count(name, passed, failed, skipped)


def run(name: str, arguments: list[str], *, database_url: str, folder: Path) -> Count:
    """One run of pytest in a process of its own, with its output on the screen."""
    print(f"\n=== {name}", flush=True)
    report = folder / f"{name}.xml"
    command = [sys.executable, "-m", "pytest", f"--junitxml={report}", "-o", "junit_logging=no", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"DATABASE_URL": database_url}, check=False)  # noqa: S603
    return count(name, report, done.returncode)


def run_all(arguments: list[str]) -> list[Count]:
    """The three runs."""
    with tempfile.TemporaryDirectory(prefix="tracksync-tests-") as name:
        folder = Path(name)
        counts = [
            run(
                "sqlite",
                [*IN_PARALLEL, "-m", "not postgres and not browser", *arguments],
                database_url=f"sqlite:///{folder / 'unused.sqlite3'}",
                folder=folder,
            )
        ]
        try:
            with postgres.server() as url:
                everything = [*IN_PARALLEL, "-m", "not browser", *arguments]
                counts.append(run("postgresql", everything, database_url=url, folder=folder))
                if chromium_path():
                    counts.append(run("browser", ["-m", "browser", *arguments], database_url=url, folder=folder))
                else:
                    counts.append(Count("browser", note="no Chromium on this machine"))
        except postgres.NoPostgres as error:
            counts.append(Count("postgresql", failed=1, note=str(error)))
    return counts


def main(arguments: list[str]) -> int:
    """Run, print the counts as the last lines: 0 when nothing failed and something passed."""
    counts = run_all(arguments)
    passed, failed = sum(each.passed for each in counts), sum(each.failed for each in counts)
    print()
    for each in counts:
        print(each)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
