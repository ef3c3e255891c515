"""What every page of the merchants' side needs to know."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def page(request: HttpRequest) -> dict[str, object]:
    """The contact link, for the foot of every page."""
    return {"contact_url": settings.TRACKSYNC_CONTACT_URL}
