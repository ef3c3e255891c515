"""Links in mails: to the public address of this deployment, and the one that verifies an address.

The link names a row of an account's address and the address itself, signed; it is good for a day, for that address
only, and once: a verified address has nothing left to verify, and a changed one is another row. Opening it changes
nothing (mail scanners open links), pressing the button does (views.py).
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import signing
from django.urls import reverse

SALT = "stores.accounts.links"
GOOD_FOR_SECONDS = 24 * 60 * 60


class Link(Enum):
    """What a link that verifies an address is good for."""

    READY = "ready"
    USED = "used"  # the address is verified already
    EXPIRED = "expired"
    UNKNOWN = "unknown"  # cut off, made up, or of an address that the account no longer has


def public(path: str) -> str:
    """The whole address of a page, whatever host name the request came by."""
    return f"{settings.TRACKSYNC_URL}{path}"


def to_verify(address: EmailAddress) -> str:
    """The link that verifies this address."""
    token = signing.dumps([address.pk, address.email], salt=SALT)
    return public(reverse("verify_address", args=[token]))


def read(token: str) -> tuple[Link, EmailAddress | None]:
    """What the token of a link is good for, and the address, where it may be told."""
    try:
        pk, email = signing.loads(token, salt=SALT, max_age=GOOD_FOR_SECONDS)
    except signing.SignatureExpired:
        return Link.EXPIRED, None
    except (signing.BadSignature, ValueError):
        return Link.UNKNOWN, None
    address = _still_there(pk, email)
    if address is None:
        return Link.UNKNOWN, None
    return (Link.USED if address.verified else Link.READY), address


def _still_there(pk: Any, email: str) -> EmailAddress | None:
    """The row, where it is still the address of its account."""
    address = EmailAddress.objects.filter(pk=pk, email=email).select_related("user").first()
    return address if address and address.user.email.strip().lower() == address.email else None
