"""What a store gives for an app's credentials or for a merchant's consent: a token, and what renews it.

Asking for one is the platform's affair (shopify/tokens.py, shopify/oauth.py); keeping it is that of the caller.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Grant:
    """A token, how many seconds it lives, and what it may do; where it can be renewed, with what and how long."""

    access_token: str = field(repr=False)
    expires_in: float
    scopes: tuple[str, ...] = ()
    refresh_token: str = field(default="", repr=False)
    refresh_expires_in: float = 0  # seconds; 0 where there is no refresh token, or the store did not tell
