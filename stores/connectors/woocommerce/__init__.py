"""WooCommerce, through the REST API of each shop's own WordPress. The way in is connector.WooCommerceConnector."""

from .connector import WooCommerceConnector

__all__ = ["WooCommerceConnector"]
