"""The platforms TrackSync can speak to: one dict, key to class."""

from __future__ import annotations


def platform_choices() -> list[tuple[str, str]]:
    """(key, label) of every platform, for Store.platform."""
    return [("shopify", "Shopify")]
