"""Long random texts that go out and come back; only their hash is kept here."""

from __future__ import annotations

import hashlib
import secrets


def new_text() -> str:
    """A text that nobody guesses, fit for an address."""
    return secrets.token_urlsafe(32)


def hash_of(text: str) -> str:
    """What is kept of it. The texts are random and long, so a plain hash cannot be turned back."""
    return hashlib.sha256(text.encode()).hexdigest()
