"""Every address of the project, read from the URLconf itself, so that a new one is tested without anybody's doing.

What a test needs to know of an address is told here, one line each: which of its arguments name something that
belongs to a merchant, what to fill the others with, and which pages are meant for everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.merchants import Merchant

# Arguments that name a row of a merchant's: a stranger finds nothing behind such an address.
OWNED: dict[str, Callable[[Merchant], list[Any]]] = {
    "store_id": lambda merchant: [store.pk for store in merchant.stores],
    "shipment_id": lambda merchant: [shipment.pk for shipment in merchant.shipments],
}
# Arguments that name nobody's: a value that the address takes.
PLAIN: dict[str, Any] = {
    "platform": "shopify",
    "kind": "shipped",
    # Keys of links in mails: these open nothing.
    "token": "no-such-token",
    "key": "no-such-key",
    "uidb36": "1",
    "hook_key": "0b57a6a2-2a9e-4a76-9a53-2f6a5a1f6b10",
}
# Pages that need no account. All others lead somebody who is not logged in to the login.
FOR_EVERYBODY = {
    "help",
    "invitation",
    "woocommerce_key",
    "shopify_app_hook",
    "store_hook",
    "healthz",
    "readyz",
    "tracking",
    "verify_address",
    "account_login",
    "account_logout",
    "account_signup",
    "account_inactive",
    "account_email_verification_sent",
    "account_confirm_email",
    "account_confirm_login_code",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "mfa_authenticate",
}

# Spoken to by servers and not by browsers' forms: what they bring proves itself, and nobody's cookie does.
FOR_SERVERS = {
    "woocommerce_key",
    "shopify_app_hook",
    "store_hook",
}


@dataclass(frozen=True)
class Address:
    """One address of the URLconf: the name it is reversed by, its pattern, and its arguments."""

    name: str
    route: str
    arguments: tuple[str, ...]

    def __str__(self) -> str:
        return self.name

    @property
    def owned_by(self) -> str:
        """The argument that names something of a merchant's, "" for none."""
        return next((name for name in self.arguments if name in OWNED), "")

    @property
    def is_for_staff(self) -> bool:
        """Whether it is a page of the admin."""
        return self.name.startswith("admin:")

    @property
    def unknown(self) -> list[str]:
        """Arguments that nobody has told this module of."""
        return [name for name in self.arguments if name not in OWNED and name not in PLAIN]

    def url(self, **owned: Any) -> str:
        """The address with these values for what is owned, and harmless ones for the rest."""
        filled = {name: owned[name] if name in owned else PLAIN[name] for name in self.arguments}
        return reverse(self.name, kwargs=filled)

    def urls(self, merchant: Merchant) -> list[str]:
        """The address for everything that this merchant has; one where it names nothing of theirs."""
        if not self.owned_by:
            return [self.url()]
        return [self.url(**{self.owned_by: value}) for value in OWNED[self.owned_by](merchant)]

    def url_of_nothing(self) -> str:
        """The address of something that does not exist."""
        return self.url(**{self.owned_by: 987_654_321})


def addresses() -> list[Address]:
    """All of them, the admin's apart (see `staff_addresses`)."""
    return [address for address in _walk(get_resolver()) if not address.is_for_staff]


def staff_addresses() -> list[Address]:
    """Those of the admin."""
    return [address for address in _walk(get_resolver()) if address.is_for_staff]


def _walk(resolver: URLResolver, route: str = "", space: str = "") -> Iterator[Address]:
    for pattern in resolver.url_patterns:
        here = route + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern, here, f"{pattern.namespace}:" if pattern.namespace else space)
        elif isinstance(pattern, URLPattern):
            yield Address(f"{space}{pattern.name or ''}", here, tuple(pattern.pattern.regex.groupindex))
