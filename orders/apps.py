"""The orders app: what has to reach the stores."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import email_confirmed
from django.apps import AppConfig
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models.signals import post_migrate
from django.utils import timezone


class OrdersConfig(AppConfig):
    """Orders, shipments, numbers; policy, plan and sync."""

    name = "orders"

    def ready(self) -> None:
        """Make the schedules whenever the database has been migrated; let held mails go when an address is verified."""
        post_migrate.connect(_make_schedules, sender=self, dispatch_uid="orders.schedules")
        email_confirmed.connect(_release_mails, dispatch_uid="orders.mail.release")


def _make_schedules(*, using: str, **_: Any) -> None:
    from . import schedules

    # The table is not there while django-q2's migrations are taken back.
    if using == DEFAULT_DB_ALIAS and "django_q_schedule" in connections[using].introspection.table_names():
        schedules.ensure(timezone.now())


def _release_mails(*, email_address: Any, **_: Any) -> None:
    from .mail import outbox

    outbox.release_held(email_address.user, timezone.now())
