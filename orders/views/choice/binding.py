"""Ties a form to the store it was opened for, and to what its reader has seen: signed, so that nobody else can say so.

Whatever another tab does meanwhile, what is saved is the choice that was looked at, for the store it was shown for.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from django.core import signing

SALT = "orders.choice"
NO_ANSWERS = ("store", "version", "is_switched_off")


class NotOurs(ValueError):
    """The seal is missing, was altered, or belongs to another store."""


@dataclass(frozen=True)
class Seen:
    """What a merchant looked at: the store, the version of its choice then, and the choice whose effect was shown."""

    store: int
    version: int
    timing: str
    number_source: str
    delay_hours: int
    mail_sender: str
    is_switched_off: bool = False  # the platform's own mail, as the merchant says

    @property
    def answers(self) -> dict[str, Any]:
        """The choice alone, by the names of its fields."""
        return {name: value for name, value in asdict(self).items() if name not in NO_ANSWERS}


def seal(seen: Seen) -> str:
    """What was seen as a signed text for a hidden field."""
    return signing.dumps(asdict(seen), salt=SALT)


def unseal(text: str, store_id: int) -> Seen:
    """What was seen, for this store. Raises NotOurs where the text is missing, altered or of another store."""
    try:
        seen = Seen(**signing.loads(text, salt=SALT))
    except (signing.BadSignature, TypeError) as error:
        raise NotOurs from error
    if seen.store != store_id:
        raise NotOurs
    return seen


def seal_versions(purpose: str, versions: dict[int, int]) -> str:
    """The version of each store's choice as it was shown, signed for one purpose."""
    return signing.dumps({str(store): version for store, version in versions.items()}, salt=f"{SALT}.{purpose}")


def unseal_versions(purpose: str, text: str) -> dict[int, int]:
    """The versions by store id. Raises NotOurs where the text is missing, altered or made for something else."""
    try:
        return {int(store): version for store, version in signing.loads(text, salt=f"{SALT}.{purpose}").items()}
    except (signing.BadSignature, AttributeError, ValueError) as error:
        raise NotOurs from error
