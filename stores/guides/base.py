"""What a guide consists of: its form, the permissions it asks for, and the words for an address that is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.functional import Promise

from ..forms import ConnectForm

Text = str | Promise


@dataclass(frozen=True)
class Permission:
    """One permission of the platform, by the name it has there, and what we need it for."""

    name: str
    why: Text
    is_needed: bool = True  # without it nothing works; the others only widen what does
    on_request: bool = False  # the platform grants it only where it was asked for first


@dataclass(frozen=True)
class Guide:
    """How a store of one platform is connected."""

    platform: str  # a key of the registry of connectors
    label: str
    steps: str  # the template that says what to click there
    form: type[ConnectForm]
    permissions: tuple[Permission, ...]
    grant_help: Text = ""  # where a permission is added afterwards
    address_help: Mapping[str, Text] = field(default_factory=dict)  # addresses.Why → what to type instead

    @property
    def needed(self) -> tuple[Permission, ...]:
        """What nothing works without."""
        return tuple(permission for permission in self.permissions if permission.is_needed)

    @property
    def to_paste(self) -> str:
        """The names of the permissions to ask for, as one line to copy."""
        return ",".join(permission.name for permission in self.permissions if not permission.on_request)
