"""The pages for people: what stands in the store, newest first, looking again by itself. No script from elsewhere."""

from __future__ import annotations

import html
from .shop import Shop


def index(shops: list[Shop]) -> str:
    return (
        "<ul>"
        + "".join(f'<li><a href="/{html.escape(s.name)}/">{html.escape(s.name)}</a></li>' for s in shops)
        + "</ul>"
    )


def store(shop: Shop) -> str:
    return html.escape(shop.name)
