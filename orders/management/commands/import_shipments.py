"""Imports a warehouse's CSV file: parcels, numbers, payments, dispatches (orders/importing)."""

from __future__ import annotations

import contextlib
import gc
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from orders.importing import Report, import_file, rejected_file

EVERY_SECONDS = 2.0  # between two lines of progress
LONG = 1000  # lines from which on a file's progress is told


class Command(BaseCommand):
    help = (
        "Import parcels from a CSV file with the columns store_id, order_number, parcel, shipping_method, own_number, "
        "local_number, carrier, paid_at, dispatched_at and, if wanted, sku and quantity (several lines per parcel). "
        "An empty cell changes nothing, “-” removes. With any problem nothing is written and all are listed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE.csv", type=Path)
        parser.add_argument("--check", action="store_true", help="tell what is wrong and write nothing")
        parser.add_argument(
            "--good-rows",
            action="store_true",
            help="write the parcels that are right, and the lines of all others into FILE.rejected.csv",
        )
        parser.add_argument(
            "--allow-shared-numbers", action="store_true", help="parcels of different orders may have one number"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            data = path.read_bytes()
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
        with _no_garbage():
            report = import_file(
                data,
                now=timezone.now(),
                check_only=options["check"],
                good_parcels=options["good_rows"],
                allow_shared=options["allow_shared_numbers"],
                progress=self._progress(),
            )
        for warning in report.warnings:
            self.stderr.write(f"Warning: {warning}", self.style.WARNING)
        for problem in report.problems:
            self.stderr.write(str(problem), self.style.ERROR)

        rejected = path.with_suffix(".rejected.csv")
        if options["good_rows"] and not options["check"] and report.sheet.is_usable and report.bad_lines:
            encoding = "utf-8-sig" if report.sheet.encoding == "utf-8-sig" else "utf-8"
            with rejected.open("w", encoding=encoding, newline="") as file:
                file.write(rejected_file(report))
            self.stderr.write(f"{_many(len(report.bad_lines), 'line')} not taken: {rejected}")
        self.stdout.write(_summary(report))
        if report.problems and report.written is None:
            raise CommandError(
                f"{_many(len(report.problems), 'problem')}; nothing was written. Correct the file, or take the parcels "
                "that are right with --good-rows."
                if not options["check"]
                else f"{_many(len(report.problems), 'problem')}."
            )

    def _progress(self) -> Any:
        last = time.monotonic()

        def tell(step: str, done: int, total: int) -> None:
            nonlocal last
            if total >= LONG and time.monotonic() - last >= EVERY_SECONDS:
                last = time.monotonic()
                self.stderr.write(f"{done} of {total} {step}")

        return tell


@contextlib.contextmanager
def _no_garbage() -> Iterator[None]:
    """All rows of a file are kept to its end: to look for garbage among them takes a fifth of the whole time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _summary(report: Report) -> str:
    head = f"{_many(report.lines, 'line')}, {_many(report.parcels, 'parcel')}"
    if report.sheet.encoding not in ("", "utf-8", "utf-8-sig"):
        head += f" (read as {report.sheet.encoding})"
    done = report.written
    if done is None:
        return f"{head}: nothing written, {_many(len(report.problems), 'problem')}"
    return (
        f"{head}: {done.new} new, {done.changed} changed, {done.unchanged} as before; "
        f"numbers: {done.numbers} new, {done.replaced} replaced, {done.removed} removed; "
        f"{_many(done.paid, 'order')} paid, {_many(done.dispatched, 'parcel')} dispatched; "
        f"{_many(len(report.bad_lines), 'line')} not taken"
    )


def _many(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"
