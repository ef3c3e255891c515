"""In whose name a store's mails go out: the name, where answers go, the language.

What the merchant set is in stores.models.MailSettings; this fills in what was left empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parseaddr

from django.conf import settings

from stores.models import MailSettings, Store

from .defaults import FALLBACK, LANGUAGES


@dataclass(frozen=True)
class Letterhead:
    """`support_email` is empty only where neither the store nor its owner has an address."""

    store_name: str
    from_name: str
    support_email: str
    language: str

    @property
    def from_address(self) -> str:
        """The address all mails leave from: the one our mail server may send for."""
        return parseaddr(settings.DEFAULT_FROM_EMAIL)[1]


def letterhead(store: Store) -> Letterhead:
    """The store's letterhead, in one query: two where its owner is not loaded."""
    found = settings_of(store)
    return Letterhead(
        store_name=store.name,
        from_name=found.from_name or store.name,
        support_email=found.support_email or store.owner.email,
        language=found.language if found.language in LANGUAGES else FALLBACK,
    )


def settings_of(store: Store) -> MailSettings:
    """What the merchant set; where that was nothing, a row with the beginnings that is not saved."""
    return MailSettings.objects.filter(store=store).first() or MailSettings(store=store)
