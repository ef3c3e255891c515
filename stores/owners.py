"""Whose store it becomes when an operator connects one: the merchant with an address, known or new."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from .accounts.address import verified


class NotAnAddress(ValueError):
    """It is no e-mail address."""


class Unproven(ValueError):
    """Somebody signed up with the address and never proved that it is theirs: it may be a stranger."""


def owner_of(text: str) -> User:
    """The merchant with this address, or a new one that is not saved yet and cannot log in with a password.

    Whoever proved the address comes first, then one that an operator made. Raises NotAnAddress and Unproven.
    """
    email = text.strip()
    try:
        validate_email(email)
    except ValidationError:
        raise NotAnAddress from None
    users = list(get_user_model().objects.filter(email__iexact=email).order_by("pk"))
    proven = next((user for user in users if verified(user)), None)
    ours = next((user for user in users if not user.has_usable_password()), None)
    if known := proven or ours:
        return known
    if users:
        raise Unproven
    owner = User(username=email[:150], email=email)
    owner.set_unusable_password()
    return owner
