"""Credentials at rest: JSON, encrypted with rotating Fernet keys that are not SECRET_KEY.

`TRACKSYNC_CREDENTIAL_KEYS` lists keys newest first: the first encrypts, any decrypts. What was read from
the database is decrypted at its first use only: lists and plans of stores do without the keys.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models


class Secret(Mapping[str, Any]):
    """A mapping that never prints what it holds, sealed until somebody asks for it."""

    def __init__(self, content: Mapping[str, Any] | None = None, *, sealed: str = "") -> None:
        """Of `content`, or of the encrypted text that the database holds."""
        self.sealed = sealed
        self._content: dict[str, Any] | None = None if sealed else dict(content or {})

    def opened(self) -> dict[str, Any]:
        """The content. Raises ImproperlyConfigured when no key that is left fits."""
        if self._content is None:
            self._content = _decrypt(self.sealed)
        return self._content

    def __getitem__(self, key: str) -> Any:
        return self.opened()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.opened())

    def __len__(self) -> int:
        return len(self.opened())

    def __bool__(self) -> bool:
        return bool(self.sealed or self._content)

    def __repr__(self) -> str:
        return "<Secret>"

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
        """The encrypted text that is stored: the same as was read, where nobody gave a new object."""
        if not value:
            return ""
        if isinstance(value, Secret) and value.sealed:
            return value.sealed
        return fernet().encrypt(json.dumps(dict(value)).encode()).decode()

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Secret:
        """The object, still sealed."""
        return Secret(sealed=value or "")

    def to_python(self, value: Any) -> Any:
        """The object, in a form that does not print its content."""
        return Secret(value) if isinstance(value, dict) else value


def _decrypt(value: str) -> dict[str, Any]:
    try:
        return dict(json.loads(fernet().decrypt(value.encode())))
    except InvalidToken:
        raise ImproperlyConfigured(
            "A store's credentials were encrypted with a key that TRACKSYNC_CREDENTIAL_KEYS no longer lists. "
            "Put the old key back at the end of the list."
        ) from None
