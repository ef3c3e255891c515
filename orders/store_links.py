"""Where a merchant finds an order in the store's own admin. A platform that is not listed has no link."""

from __future__ import annotations

from urllib.parse import quote

from stores.models import Store


def order_page(store: Store, external_id: str) -> str:
    """The address of the order's page in the store's admin; "" where the platform's is not known.

    Shopify leads from the shop's own host to admin.shopify.com; its ids end in the number of the page.
    https://shopify.dev/docs/api/usage/gids
    """
    number = quote(external_id.rpartition("/")[2], safe="")
    pages = {
        "shopify": f"/admin/orders/{number}",
        "woocommerce": f"/wp-admin/post.php?post={number}&action=edit",
    }
    page = pages.get(store.platform)
    return f"{store.base_url.rstrip('/')}{page}" if page and number else ""
