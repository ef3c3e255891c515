"""The one address of an account and its change: the new one counts from that moment and has to be verified.

The old one is told, where it was verified: somebody else may have changed it.
"""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest

from .address import address_of
from .sending import send_link


def row_of(user: User) -> EmailAddress:
    """The row of the account's one address, made where there is none; those of former addresses are gone then.

    Accounts made from the command line have no row, and staff may have changed `user.email` itself.
    """
    email = user.email.strip().lower()
    with transaction.atomic():
        EmailAddress.objects.filter(user=user).exclude(email=email).delete()
        row, _made = EmailAddress.objects.get_or_create(user=user, email=email, defaults={"primary": True})
    return row


def change_address(request: HttpRequest, user: User, email: str) -> EmailAddress:
    """Make `email` the one address of this account, unverified, and send it a link."""
    old = address_of(user)
    with transaction.atomic():
        EmailAddress.objects.filter(user=user).delete()
        user.email = email.lower()
        user.save(update_fields=["email"])
        address = row_of(user)
    if old.is_verified:
        context = {"from_email": old.email, "to_email": address.email}
        get_adapter(request).send_notification_mail("account/email/email_changed", user, context, email=old.email)
    send_link(request, address)
    return address
