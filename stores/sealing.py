"""What a merchant typed, from one step of connecting to the next: encrypted, signed, and good for a quarter of an hour.

It travels in the page as a text that only this deployment can open, and only for the person, the platform and the
purpose it was made for. Nothing of it is kept here.
"""

from __future__ import annotations

import json
from typing import Any

from cryptography.fernet import InvalidToken

from .fields import fernet

SECONDS = 15 * 60


class Unreadable(ValueError):
    """The seal is missing, too old, altered, or made for somebody or something else."""


def seal(content: dict[str, Any], *, user_id: int | None, purpose: str) -> str:
    """The content as a text for a hidden field. `purpose` names the step it is made for."""
    return fernet().encrypt(json.dumps([purpose, user_id, content]).encode()).decode()


def unseal(text: str, *, user_id: int | None, purpose: str) -> dict[str, Any]:
    """The content. Raises Unreadable."""
    try:
        made_for, user, content = json.loads(fernet().decrypt(text.encode(), ttl=SECONDS))
    except (InvalidToken, ValueError) as error:
        raise Unreadable from error
    if (made_for, user) != (purpose, user_id) or not isinstance(content, dict):
        raise Unreadable
    return content
