"""Encrypts all that is kept secret with the newest key: older ones can leave the list then.

That is every encrypted field of every model, found by its kind and not by a list of names, so that none is forgotten:
what the oldest key alone can open is lost for good once that key has left the list.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import Model, Q

from stores.accounts.second_step import rotate_secrets
from stores.fields import EncryptedJSONField, Secret
from stores.models import Store


class Command(BaseCommand):
    help = (
        "Encrypt all stores' credentials, and all else that is kept secret, with the first key of "
        "TRACKSYNC_CREDENTIAL_KEYS. Put the new key in front of the list, restart, run this, then take the old key off."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        counts: dict[type[Model], int] = {}
        done = 0
        try:
            for model, names in _encrypted():
                for pk in _keeping(model, names):
                    counts[model] = counts.get(model, 0) + _rotate(model, pk, names)
                    done += 1
            steps = rotate_secrets()
        except ImproperlyConfigured as error:
            raise CommandError(f"{error} {done} rows are done; run this again then.") from None
        self.stdout.write(f"{counts.pop(Store, 0)} stores' credentials are encrypted with the newest key.")
        for model, n in counts.items():
            self.stdout.write(f"So are those of {n} {model._meta.verbose_name_plural}.")
        if steps:
            self.stdout.write(f"So are {steps} secrets of second steps when logging in.")


def _encrypted() -> Iterator[tuple[type[Model], list[str]]]:
    """Every model that has encrypted fields, with their names."""
    for model in apps.get_models():
        names = [field.attname for field in model._meta.concrete_fields if isinstance(field, EncryptedJSONField)]
        if names:
            yield model, names


def _keeping(model: type[Model], names: list[str]) -> list[Any]:
    """The keys of the rows in which something is kept, oldest first."""
    empty = Q(**dict.fromkeys(names, ""))
    return list(model._default_manager.exclude(empty).order_by("pk").values_list("pk", flat=True))


def _rotate(model: type[Model], pk: Any, names: list[str]) -> int:
    """Encrypt one row anew; 0 where it is gone. Raises ImproperlyConfigured, which names the row."""
    with transaction.atomic():
        # Locked: a token that is bought meanwhile must not be overwritten by the older one.
        row = model._default_manager.select_for_update().filter(pk=pk).first()
        if row is None:
            return 0
        try:
            for name in names:
                setattr(row, name, Secret(getattr(row, name).opened()) if getattr(row, name) else Secret())
        except ImproperlyConfigured as error:
            raise ImproperlyConfigured(f"{str(model._meta.verbose_name).capitalize()} {pk}: {error}") from None
        row.save(update_fields=names)
    return 1
