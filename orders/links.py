"""What a store and a customer are told about a carrier: its name on that platform and its link for one number.

Our own numbers lead to our own tracking page, which goes on working when the number is replaced.
"""

from __future__ import annotations

from urllib.parse import quote

from django.conf import settings
from django.urls import reverse

from stores.reach import is_public_url

from .models import Carrier

# For carriers whose own page is not known: finds the carrier by the number. https://www.17track.net/en
GENERAL_PAGE = "https://t.17track.net/en#nums={n}"


def tracking_link(carrier: Carrier, value: str, token: str = "") -> str:
    """The page that follows this number, percent-encoded; the general page where the carrier has none of its own.

    With the `token` of the number's shipment our own numbers lead to our page, where customers can open that.
    """
    if carrier.is_own and token and has_pages():
        return page_link(token)
    return (carrier.tracking_url or GENERAL_PAGE).replace("{n}", quote(value, safe=""))


def page_link(token: str) -> str:
    """Our own tracking page of the shipment with this token."""
    return str(settings.TRACKSYNC_URL) + reverse("tracking", args=[token])


def has_pages() -> bool:
    """Whether customers can open our pages."""
    return is_public_url(settings.TRACKSYNC_URL)


def company_name(carrier: Carrier, platform: str) -> str:
    """The carrier's exact name on the platform; its own name, as free text, where the platform does not list it."""
    return carrier.platform_names.get(platform) or carrier.name
