"""Sending the link that verifies an address, and saying what came of it."""

from __future__ import annotations

from allauth.account.internal.flows.email_verification import send_verification_email_to_address
from allauth.account.models import EmailAddress
from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _


def send_link(request: HttpRequest, address: EmailAddress) -> bool:
    """Send the link, at most once a minute and ten times a day to one address (ACCOUNT_RATE_LIMITS).

    Tells the person which it was: the "sent" message is allauth's own template. Returns whether it was sent.
    """
    sent = bool(send_verification_email_to_address(request, address))
    if not sent:
        messages.warning(
            request,
            _(
                "A link was sent to this address a moment ago, or too many were sent today. Look into your inbox and "
                "the spam folder; you can ask for another one in a few minutes."
            ),
        )
    return sent
