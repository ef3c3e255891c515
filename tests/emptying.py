"""After a test that really commits, the database is again what `migrate` made: the catalogue, permissions, no more.

Django's own way is to truncate every table and make the permissions anew: up to a second on PostgreSQL for each such
test, and without the catalogue, so that what a test finds hung on what ran before it. This deletes what is there and
writes the few rows of the beginning back: some 30 ms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TransactionTestCase

# A thread or process that a test has left behind with open locks shall fail the test and not stop the run.
LOCK_SECONDS = 60


@dataclass(frozen=True)
class Beginning:
    """The rows of every table as the migrations left them."""

    rows: dict[str, list[tuple[Any, ...]]]

    @classmethod
    def of(cls, connection: BaseDatabaseWrapper) -> Beginning:
        """Read all tables. They hold next to nothing."""
        tables = [name for name in connection.introspection.table_names() if name != "django_migrations"]
        with connection.cursor() as cursor:
            return cls({name: _all_rows(cursor, connection.ops.quote_name(name)) for name in tables})

    def restore(self, connection: BaseDatabaseWrapper) -> None:
        """Delete everything and write the beginning again, in one transaction. Needs a superuser on PostgreSQL."""
        quote = connection.ops.quote_name
        with (
            connection.constraint_checks_disabled(),
            transaction.atomic(using=connection.alias),
            connection.cursor() as cursor,
        ):
            if connection.vendor == "postgresql":
                # No foreign key is looked after: all ends of all of them are put back here.
                cursor.execute("SET LOCAL session_replication_role = replica")
                cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
            for table in self.rows:
                cursor.execute(f"DELETE FROM {quote(table)}")  # noqa: S608  (names of our own tables)
            for table, rows in self.rows.items():
                if rows:
                    values = ", ".join(["%s"] * len(rows[0]))
                    cursor.executemany(f"INSERT INTO {quote(table)} VALUES ({values})", rows)  # noqa: S608


def _all_rows(cursor: Any, table: str) -> list[tuple[Any, ...]]:
    cursor.execute(f"SELECT * FROM {table}")  # noqa: S608  (a name of our own tables)
    return list(cursor.fetchall())


def restore_after_committing_tests() -> None:
    """Take Django's place at the end of every test that commits. Call with the migrated database."""
    beginnings = {alias: Beginning.of(connections[alias]) for alias in connections}

    def restore(test: Any) -> None:
        for alias in test._databases_names(include_mirrors=False):
            beginnings[alias].restore(connections[alias])

    # Where Django empties the tables; it has no public name for it.
    setattr(TransactionTestCase, "_fixture_teardown", restore)  # noqa: B010  (the type checker does not know it)
