"""Connects stores from the command line: one (stores/connect.py), or all of a file (stores/connecting_file.py).

And lets one that is connected in again: it is checked live, with new credentials where some are given.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from stores import connecting_file
from stores.advice import advice
from stores.choices import NumberSource, Timing
from stores.connect import check_again, connect
from stores.connecting_file import moment
from stores.connectors import registry
from stores.connectors.errors import ConnectorError
from stores.guides import GUIDES
from stores.management.credentials import USAGE, read, ways
from stores.models import Store
from stores.owners import NotAnAddress, Unproven, owner_of

OF_ONE_STORE = ("owner", "platform", "name", "url", "credentials")
NOT_WITH_A_FILE = (*OF_ONE_STORE, "timing", "number_source", "sync_from", "store")
NOT_AGAIN = ("owner", "platform", "name", "url", "timing", "number_source", "sync_from")


class Command(BaseCommand):
    help = (
        "Connect and check a store. Prints its id. Or connect the stores of a file, each by itself; or check one that "
        "is connected again. "
        "Exit 1: it, or one of them, could not be connected; 2: asked in a wrong way."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        kinds = "; ".join(f"{platform}: {ways(platform)}" for platform in GUIDES)
        columns = ", ".join((*connecting_file.NEEDED, *connecting_file.credential_columns()))
        parser.add_argument("--owner", metavar="EMAIL", help="created, without password, when unknown")
        parser.add_argument("--platform", choices=sorted(registry.CONNECTORS), metavar="P")
        parser.add_argument("--name", metavar="N", help="what the merchant calls the store")
        parser.add_argument("--url", metavar="URL", help="the store's address")
        parser.add_argument("--credentials", metavar="C", help=f"a JSON object, @FILE, or - for stdin. {kinds}")
        parser.add_argument("--timing", choices=Timing.values, metavar="T", help=" | ".join(Timing.values))
        parser.add_argument(
            "--number-source", choices=NumberSource.values, metavar="S", help=" | ".join(NumberSource.values)
        )
        parser.add_argument(
            "--sync-from", metavar="DATE", help="leave orders placed before this alone (ISO 8601); default: now"
        )
        parser.add_argument(
            "--from",
            dest="file",
            metavar="FILE.csv",
            help=(
                f"a file, or - for stdin, with one store a line, in place of the other options. Columns: {columns}, "
                f"and if you like {', '.join(connecting_file.OPTIONAL)}. A store that its owner has connected already "
                "is left as it is, so the whole file can be run again. What stands in it is never printed"
            ),
        )

        parser.add_argument(
            "--store",
            type=int,
            metavar="ID",
            help=(
                "one that is connected: check it live and end its trouble if it lets us in. New --credentials are kept "
                "only if they work; without them its own are tried"
            ),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["file"] is not None:
            return self._file(options)
        if options["store"] is not None:
            return self._again(options)
        if missing := [f"--{name}" for name in OF_ONE_STORE if options[name] is None]:
            raise CommandError(f"the following arguments are required: {', '.join(missing)}", returncode=USAGE)
        return self._one(options)

    # --- one store ---------------------------------------------------------------------------------------

    def _one(self, options: dict[str, Any]) -> None:
        now = timezone.now()
        owner = _owner(options["owner"])
        name = options["name"].strip()
        if not name:
            raise CommandError("--name is empty.", returncode=USAGE)
        sync_from = _moment(options["sync_from"])
        credentials = read(options["credentials"], options["platform"])
        try:
            store = connect(
                owner=owner,
                platform=options["platform"],
                name=name,
                base_url=options["url"],
                credentials=credentials,
                timing=options["timing"],
                number_source=options["number_source"],
                sync_from=sync_from,
                now=now,
            )
        except ConnectorError as error:
            raise CommandError(advice(error)) from None
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        self.stdout.write(str(store.pk))

    # --- one that is connected ------------------------------------------------------------------------------

    def _again(self, options: dict[str, Any]) -> None:
        if surplus := _given(options, NOT_AGAIN):
            raise CommandError(f"--store leaves these as they are: leave out {surplus}.", returncode=USAGE)
        store = Store.objects.filter(pk=options["store"]).first()
        if store is None:
            raise CommandError(f"There is no store {options['store']}.", returncode=USAGE)
        if store.disconnected_at is not None:
            raise CommandError(f"Store {store.pk} is disconnected. Connect it anew, without --store.")
        given = options["credentials"]
        try:
            check_again(store, None if given is None else read(given, store.platform))
        except ConnectorError as error:
            raise CommandError(advice(error)) from None
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        self.stdout.write(str(store.pk))

    # --- the stores of a file ------------------------------------------------------------------------------

    def _file(self, options: dict[str, Any]) -> None:
        if surplus := _given(options, NOT_WITH_A_FILE):
            raise CommandError(f"--from takes everything from the file: leave out {surplus}.", returncode=USAGE)
        try:
            lines = connecting_file.read(_bytes(options["file"]))
        except connecting_file.Unusable as error:
            raise CommandError(f"--from: {error}", returncode=USAGE) from None
        counts: Counter[str] = Counter()
        problems: list[connecting_file.Problem] = []
        try:
            for done in connecting_file.run(lines, timezone.now()):
                what = "not connected" if done.problems else "connected" if done.is_new else "unchanged"
                counts[what] += 1
                problems += done.problems
                store = "" if done.store_id is None else f"store {done.store_id} "
                self.stdout.write(f"line {done.line}: {store}{what}")
                self.stdout.flush()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        finally:
            for problem in problems:
                self.stderr.write(str(problem), self.style.ERROR)
        self.stdout.write(", ".join(f"{counts[what]} {what}" for what in ("connected", "unchanged", "not connected")))
        if problems:
            raise CommandError(
                "Correct these lines and run the whole file again: what is connected is left as it is.", returncode=1
            )


def _given(options: dict[str, Any], names: Sequence[str]) -> str:
    """Those of these options that were given, as they are typed."""
    return ", ".join(f"--{name.replace('_', '-')}" for name in names if options[name] is not None)


def _owner(text: str) -> User:
    try:
        return owner_of(text)
    except NotAnAddress:
        raise CommandError(f"--owner: {text} is not an e-mail address.", returncode=USAGE) from None
    except Unproven:
        raise CommandError(
            f"--owner: somebody signed up with {text.strip()} and has not verified that address, so it may be a "
            "stranger. Ask the merchant to open the link in the mail that TrackSync sent, then run this again."
        ) from None


def _moment(text: str | None) -> datetime | None:
    try:
        return None if text is None else moment(text)
    except ValueError:
        raise CommandError(
            f"--sync-from: {text} is not a date. Write it as 2026-03-31 or 2026-03-31T14:30+08:00.", returncode=USAGE
        ) from None


def _bytes(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise CommandError(f"--from: the file cannot be read: {error.strerror}.", returncode=USAGE) from None
