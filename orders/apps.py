"""The orders app: what has to reach the stores."""

from __future__ import annotations

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """Orders, shipments, numbers; policy, plan and sync."""

    name = "orders"
