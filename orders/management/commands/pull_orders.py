"""Pulls the stores' orders now (orders/pull.py), without waiting for the schedule."""

from __future__ import annotations

import logging
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from orders.pull import pull_store
from orders.wording import sentence
from stores.connectors.errors import Reason
from stores.models import Store

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Pull the orders that changed, of one store or of all that are connected."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--store", type=int, metavar="ID", help="this store only")

    def handle(self, *args: Any, **options: Any) -> None:
        failed = 0
        for store in self._stores(options["store"]):
            its = f"Store {store.pk} ({store.name})"
            try:
                result = pull_store(store, now=timezone.now())
            except ImproperlyConfigured as error:
                self.stderr.write(f"{its}: {error}")
                failed += 1
                continue
            except Exception as error:
                log.exception("Store %s: its orders could not be pulled", store.pk)
                self.stderr.write(f"{its}: failed ({type(error).__name__}); the log says where")
                failed += 1
                continue
            self.stdout.write(f"{its}: {result.new} new, {result.changed} changed, {result.unchanged} as before")
            if result.failed:
                self.stderr.write(f"{its}: {result.failed} could not be kept; the log says why")
            if result.trouble:
                self.stderr.write(f"{its}: {_told(result.trouble, store)}")
            failed += bool(result.trouble or result.failed)
        if failed:
            raise CommandError(f"{failed} of the stores could not be pulled to the end.")

    def _stores(self, store_id: int | None) -> list[Store]:
        if store_id is None:
            return list(Store.objects.pulling().order_by("pk"))
        store = Store.objects.filter(pk=store_id).first()
        if store is None:
            raise CommandError(f"There is no store {store_id}.")
        if store.disconnected_at is not None:
            raise CommandError(f"Store {store_id} is disconnected: connect it again.")
        return [store]


def _told(trouble: Reason, store: Store) -> str:
    """In words, with the name of the store's platform."""
    return sentence(trouble.code, {"platform": store.get_platform_display(), **trouble.values})
