"""What a guide consists of: its form, the permissions it asks for, and what this platform is told differently.

The pages ask a guide and never a platform's name: what only some platforms have is empty in the guides of the others.
"""

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
class Place:
    """One of the places for tracking numbers that a store of this platform can have."""

    key: str  # as in StoreFacts.places
    label: Text
    means: Text  # what the merchant and the customer see of it


@dataclass(frozen=True)
class Guide:
    """How a store of one platform is connected."""

    platform: str  # a key of the registry of connectors
    label: str
    steps: str  # the template that says what to click there
    form: type[ConnectForm]
    known_by: Text  # how a merchant tells that theirs is a store of this platform
    permissions: tuple[Permission, ...]
    grant_help: Text = ""  # where a permission is added afterwards
    address_help: Mapping[str, Text] = field(default_factory=dict)  # addresses.Why → what to type instead
    first_time: Mapping[str, Text] = field(default_factory=dict)  # Code → in place of what is said of any platform
    has_locations: bool = True  # its orders ship from places of which the merchant chooses ours
    places: tuple[Place, ...] = ()  # where a number can go, on a platform where that depends on the store
    partial_statuses: tuple[str, ...] = ()  # what an order is marked as when a part has left, where the store knows it
    leaving: Text = ""  # what the merchant clicks to take back the access in the store itself
    order_page: str = ""  # below the store's address: the page of {order} in the store's admin

    @property
    def needed(self) -> tuple[Permission, ...]:
        """What nothing works without."""
        return tuple(permission for permission in self.permissions if permission.is_needed)

    @property
    def to_paste(self) -> str:
        """The names of the permissions to ask for, as one line to copy."""
        return ",".join(permission.name for permission in self.permissions if not permission.on_request)

    def place(self, key: str) -> Place | None:
        """The place with this key; None for one that this version has no words for."""
        return next((place for place in self.places if place.key == key), None)
