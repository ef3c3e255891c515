"""What every page of the merchants' side needs to know."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from .address import own_address


def page(request: HttpRequest) -> dict[str, object]:
    """The contact link, for the foot of every page; the account's address, looked up where a page shows it."""
    return {
        "contact_url": settings.TRACKSYNC_CONTACT_URL,
        "own_address": SimpleLazyObject(lambda: own_address(request)),
    }
