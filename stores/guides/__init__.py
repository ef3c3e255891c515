"""How a merchant connects a store, one module per platform: what to click there, what we ask for and why.

A new platform is one module here with its GUIDE, one line below, and the template its guide names. The pages
that show guides are in orders/views/stores/.
"""

from __future__ import annotations

from .base import Guide, Permission, Place
from .shopify import GUIDE as SHOPIFY
from .woocommerce import GUIDE as WOOCOMMERCE

GUIDES: dict[str, Guide] = {guide.platform: guide for guide in (SHOPIFY, WOOCOMMERCE)}

__all__ = ["GUIDES", "Guide", "Permission", "Place"]
