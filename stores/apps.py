"""The stores app: who the merchants are and what they chose."""

from __future__ import annotations

from django.apps import AppConfig


class StoresConfig(AppConfig):
    """Stores, their connection and their preference."""

    name = "stores"
