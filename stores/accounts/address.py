"""The account's address: which it is, whether it is verified, and how it is shown to whoever looks over a shoulder.

An account has one address, `user.email`. It is verified where django-allauth keeps a verified row of this user
with just that address, so that a change of the address, wherever it is made, un-verifies by itself. How an address
is verified is in links.py, how it is changed in change.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest

STARS = "***"  # always three: not even the length is told


@dataclass(frozen=True)
class Address:
    """The address of an account; `email` is empty where there is none."""

    email: str
    is_verified: bool

    @property
    def masked(self) -> str:
        """The address as a banner shows it."""
        return masked(self.email)


NO_ADDRESS = Address("", is_verified=False)


def address_of(user: User | AnonymousUser) -> Address:
    """The address mails to this account go to. One query; none where there is no address or no account."""
    email = getattr(user, "email", "").strip()
    if not email:
        return NO_ADDRESS
    is_verified = EmailAddress.objects.filter(user_id=user.pk, email=email.lower(), verified=True).exists()
    return Address(email, is_verified=is_verified)


def verified(user: User | AnonymousUser) -> bool:
    """Whether the account's present address belongs to its owner for certain: mails to customers need it."""
    return address_of(user).is_verified


def own_address(request: HttpRequest) -> Address:
    """The address of who is logged in; asked for once in a request, however many want to know."""
    known: Address | None = getattr(request, "own_address", None)
    if known is None:
        known = address_of(request.user)
        request.own_address = known  # type: ignore[attr-defined]
    return known


def masked(address: str) -> str:
    """`jane@mail.example.com` as `j***@m***.com`: first letters and the last part of the domain, nothing else."""
    local, at, domain = address.strip().rpartition("@")
    if not at:
        return f"{domain[:1]}{STARS}" if domain else ""
    if domain.startswith("["):  # an IP address in brackets is shown not at all
        return f"{local[:1]}{STARS}@{STARS}"
    name, dot, last = domain.rpartition(".")
    hidden = f"{name[:1]}{STARS}.{last}" if dot and name else f"{domain[:1]}{STARS}"
    return f"{local[:1]}{STARS}@{hidden}"
