"""Encrypts stores' credentials and second steps' secrets with the newest key: older ones can leave the list then."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from stores.accounts.second_step import rotate_secrets
from stores.fields import Secret
from stores.models import Store


class Command(BaseCommand):
    help = (
        "Encrypt all stores' credentials with the first key of TRACKSYNC_CREDENTIAL_KEYS. "
        "Put the new key in front of the list, restart, run this, then take the old key off."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        done = 0
        for store_id in Store.objects.order_by("pk").values_list("pk", flat=True):
            with transaction.atomic():
                # Locked: a token that is bought meanwhile must not be overwritten by the older one.
                store = Store.objects.select_for_update().get(pk=store_id)
                try:
                    store.credentials = Secret(store.credentials.opened())
                    store.token = Secret(store.token.opened())
                except ImproperlyConfigured as error:
                    raise CommandError(f"Store {store_id}: {error} {done} stores are done.") from None
                store.save(update_fields=["credentials", "token"])
            done += 1
        try:
            steps = rotate_secrets()
        except ImproperlyConfigured as error:
            raise CommandError(f"{error} {done} stores are done.") from None
        self.stdout.write(f"{done} stores' credentials are encrypted with the newest key.")
        if steps:
            self.stdout.write(f"So are {steps} secrets of second steps when logging in.")
