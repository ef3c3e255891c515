"""What a store and a customer are told about a carrier: its name on that platform and its link for one number."""

from __future__ import annotations

from urllib.parse import quote

from .models import Carrier

# For carriers whose own page is not known: finds the carrier by the number. https://www.17track.net/en
GENERAL_PAGE = "https://t.17track.net/en#nums={n}"


def tracking_link(carrier: Carrier, value: str) -> str:
    """The page that follows this number, percent-encoded; the general page where the carrier has none of its own."""
    return (carrier.tracking_url or GENERAL_PAGE).replace("{n}", quote(value, safe=""))


def company_name(carrier: Carrier, platform: str) -> str:
    """The carrier's exact name on the platform; its own name, as free text, where the platform does not list it."""
    return carrier.platform_names.get(platform) or carrier.name
