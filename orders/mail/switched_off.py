"""Where a platform writes by itself and only the merchant can switch that off: who has said that it is off, and when.

The platform cannot be asked. What follows from the word is in rules.py and undecided.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from stores.connectors import registry
from stores.models import MailSettings, Store


@dataclass(frozen=True)
class Word:
    """Somebody's word that the platform's own mail is switched off. `by`: an address, or the name of an account."""

    at: datetime
    by: str


def writes_by_itself(store: Store) -> bool:
    """Whether the store's platform mails customers whatever we ask of it."""
    return registry.capabilities(store.platform).mails_always


def word_of(store: Store) -> Word | None:
    """Who said that it is switched off; None where nobody did."""
    said = MailSettings.objects.filter(store=store, switched_off_at__isnull=False).select_related("switched_off_by")
    found = said.first()
    if found is None or found.switched_off_at is None or found.switched_off_by is None:
        return None
    return Word(found.switched_off_at, found.switched_off_by.email or found.switched_off_by.get_username())


def keep_word(store: Store, *, is_off: bool, actor: User, now: datetime) -> None:
    """Keep that it is switched off, with the name and time of who said so first; or forget it."""
    if is_off and word_of(store) is None:
        MailSettings.objects.update_or_create(store=store, defaults={"switched_off_at": now, "switched_off_by": actor})
    elif not is_off:
        MailSettings.objects.filter(store=store).update(switched_off_at=None, switched_off_by=None)
