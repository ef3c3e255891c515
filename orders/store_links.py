"""Where a merchant finds an order in the store's own admin. Which page that is, is in the guides of the platforms."""

from __future__ import annotations

from urllib.parse import quote

from stores.guides import GUIDES
from stores.models import Store


def order_page(store: Store, external_id: str) -> str:
    """The address of the order's page in the store's admin; "" where the platform's is not known.

    An id that is a path, as "gid://shopify/Order/1", ends in the number of the page.
    """
    number = quote(external_id.rpartition("/")[2], safe="")
    guide = GUIDES.get(store.platform)
    if guide is None or not guide.order_page or not number:
        return ""
    return store.base_url.rstrip("/") + guide.order_page.format(order=number)
