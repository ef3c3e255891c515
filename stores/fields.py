"""Credentials at rest: JSON, encrypted with rotating Fernet keys that are not SECRET_KEY.

`TRACKSYNC_CREDENTIAL_KEYS` lists keys newest first: the first encrypts, any decrypts.
"""

from __future__ import annotations

import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models


class Secret(dict[str, Any]):
    """A dictionary that never prints what it holds."""

    def __repr__(self) -> str:
        return f"<Secret with {len(self)} entries>"

    __str__ = __repr__


def fernet() -> MultiFernet:
    """The keys of this deployment. Raises ImproperlyConfigured when there is none."""
    if not settings.TRACKSYNC_CREDENTIAL_KEYS:
        raise ImproperlyConfigured(
            "TRACKSYNC_CREDENTIAL_KEYS is empty: stores' credentials cannot be kept. Make a key with "
            "python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
        )
    return MultiFernet([Fernet(key) for key in settings.TRACKSYNC_CREDENTIAL_KEYS])


class EncryptedJSONField(models.TextField):
    """A JSON object that is stored encrypted; "" in the database stands for an empty one."""

    # What the column is to type checkers: the object, not its encrypted text.
    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def get_prep_value(self, value: Any) -> str:
        """The encrypted text that is stored."""
        return fernet().encrypt(json.dumps(value).encode()).decode() if value else ""

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Secret:
        """The object, decrypted. Raises ImproperlyConfigured when no key that is left fits."""
        return Secret(self._decrypt(value)) if value else Secret()

    def to_python(self, value: Any) -> Any:
        """The object, in a form that does not print its content."""
        return Secret(value) if isinstance(value, dict) else value

    @staticmethod
    def _decrypt(value: str) -> dict[str, Any]:
        try:
            return dict(json.loads(fernet().decrypt(value.encode())))
        except InvalidToken:
            raise ImproperlyConfigured(
                "A store's credentials were encrypted with a key that TRACKSYNC_CREDENTIAL_KEYS no longer lists. "
                "Put the old key back at the end of the list."
            ) from None
