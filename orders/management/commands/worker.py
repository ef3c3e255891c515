"""`manage.py worker`: the cluster and its watchdog (watchdog.py, cluster.py)."""

from __future__ import annotations

import argparse
import logging
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from orders import cluster, schedules
from orders.watchdog import Limits, Watchdog

log = logging.getLogger(__name__)

DEFAULT = Limits()


class Command(BaseCommand):
    """Runs the background until it is told to stop."""

    help = (
        "Run the background: pulls orders from the stores and sends tracking numbers to them. Leave it running, one "
        "on each machine that is to do this work; on several machines nothing else has to be set up, as long as all "
        "use the same PostgreSQL database. It starts its own worker processes, and starts them again when they die "
        "or get stuck. Stop it with Ctrl-C or SIGTERM: what is being sent is finished first, within a few seconds. "
        "How many processes and threads it uses is set by TRACKSYNC_WORKERS and TRACKSYNC_THREADS."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Only for tests, and for the watchdog itself."""
        parser.add_argument("--ring", type=float, default=DEFAULT.ring, help=argparse.SUPPRESS)
        parser.add_argument("--stale", type=float, default=DEFAULT.stale, help=argparse.SUPPRESS)
        parser.add_argument("--grace", type=float, default=DEFAULT.grace, help=argparse.SUPPRESS)
        parser.add_argument("--cluster", type=int, default=0, help=argparse.SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        """Check the database, make the schedules, watch. Raises CommandError where it cannot start."""
        if options["cluster"]:
            cluster.run(options["cluster"])
            return
        try:
            self._prepare()
        except DatabaseError as error:
            # It may be starting beside us; the watchdog goes on asking.
            log.warning("The database does not answer yet (%s)", type(error).__name__)
        connection.close()
        Watchdog(Limits(ring=options["ring"], stale=options["stale"], grace=options["grace"])).run()

    def _prepare(self) -> None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            raise CommandError("The database is not up to date. Run `manage.py migrate` first.")
        schedules.ensure(timezone.now())
