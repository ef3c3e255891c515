"""Shopify, through its Admin GraphQL API. The way in is connector.ShopifyConnector."""

from .connector import ShopifyConnector

__all__ = ["ShopifyConnector"]
