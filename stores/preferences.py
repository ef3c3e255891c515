"""Saves what a merchant chose for one store, and keeps every change of it.

A saved preference only raises its version: a job carries it to the shipments that nothing has been sent of. What
it will do to them is shown before, in orders/.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from .models import PreferenceChange, Store, SyncPreference

KEPT = ("timing", "number_source", "delay_hours", "mail_sender")


@dataclass(frozen=True)
class Unchanged:
    """Stands for a part of the choice that is not touched."""


UNCHANGED = Unchanged()


def save_preference(
    store: Store,
    *,
    actor: User | None,
    now: datetime,
    timing: str | Unchanged = UNCHANGED,
    number_source: str | Unchanged = UNCHANGED,
    delay_hours: int | Unchanged = UNCHANGED,
    mail_sender: str | Unchanged = UNCHANGED,
    confirm: bool = True,
) -> SyncPreference:
    """Save the choice of this store and of no other. `confirm`: the merchant has seen it and means it.

    The version grows by one with each save, and who saved what is kept. Two saves at once go one after the other.
    Raises ValidationError for a value that is no choice, and DoesNotExist for a store without a preference.
    """
    given: dict[str, Any] = {
        "timing": timing,
        "number_source": number_source,
        "delay_hours": delay_hours,
        "mail_sender": mail_sender,
    }
    chosen = {name: value for name, value in given.items() if not isinstance(value, Unchanged)}
    with transaction.atomic():
        preference = SyncPreference.objects.select_for_update().get(store=store)
        before = _kept(preference)
        for name, value in chosen.items():
            setattr(preference, name, value)
        if confirm and preference.confirmed_at is None:
            preference.confirmed_at = now
        preference.version += 1
        preference.clean_fields(exclude=["store"])
        preference.save(update_fields=[*chosen, "confirmed_at", "version"])
        PreferenceChange.objects.create(
            preference=preference,
            version=preference.version,
            at=now,
            actor=actor,
            before=before,
            after=_kept(preference),
        )
    return preference


def copy_preference(source: Store, target: Store, *, actor: User | None, now: datetime) -> SyncPreference:
    """Save when and which, as chosen for one store, for another one too, whose own choice of who mails stays.

    Confirms it there: whoever copies has seen what it does. Raises as save_preference() does.
    """
    chosen = SyncPreference.objects.get(store=source)
    return save_preference(
        target,
        actor=actor,
        now=now,
        timing=chosen.timing,
        number_source=chosen.number_source,
        delay_hours=chosen.delay_hours,
    )


def _kept(preference: SyncPreference) -> dict[str, str | int | bool]:
    """The choice as it is written into its history."""
    return {name: getattr(preference, name) for name in KEPT} | {"confirmed": preference.confirmed_at is not None}
