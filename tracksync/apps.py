"""The project's own app: registers the system checks."""

from __future__ import annotations

from django.apps import AppConfig


class TrackSyncConfig(AppConfig):
    """Loads the checks; has no models."""

    name = "tracksync"

    def ready(self) -> None:
        """Register the system checks."""
        from . import checks  # noqa: F401  (registers on import)
