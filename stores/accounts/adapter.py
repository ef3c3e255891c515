"""What django-allauth does differently here: links to the public address, no hint of who has an account.

The words are in templates/account and templates/mfa, the forms in forms.py, the second step in second_step.py.
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as allauth_context
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import links

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    """Accounts by e-mail address."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": gettext_lazy("This e-mail address and password do not belong together."),
        "duplicate_email": gettext_lazy("This is your address already."),
        "incorrect_password": gettext_lazy("This is not your password."),
        "enter_current_password": gettext_lazy("This is not your present password."),
        "too_many_login_attempts": gettext_lazy("Too many tries. Wait five minutes, or set a new password by mail."),
        "rate_limited": gettext_lazy("Too many tries. Wait a minute, then try again."),
        "incorrect_code": gettext_lazy("This code is not right. Codes change every 30 seconds: type the newest one."),
    }

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        """The link in the mail: our own, good for a day and once."""
        return links.to_verify(emailconfirmation.email_address)

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The link to a new password, by the public address."""
        return links.public(urlsplit(super().get_reset_password_from_key_url(key)).path)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """Back to the account, which says that it was done."""
        return reverse("account")

    def send_confirmation_mail(self, request: HttpRequest, emailconfirmation: Any, signup: bool) -> None:
        """The link; or, where the address is somebody's verified one already, a word to its owner.

        The page is the same in both cases: it must not tell a stranger who has an account here.
        """
        address = emailconfirmation.email_address
        if address.can_set_verified():
            super().send_confirmation_mail(request, emailconfirmation, signup)
        else:
            self.send_account_already_exists_mail(address.email)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send it; where the mail server does not answer, say so on the page instead of failing it."""
        known = {
            "site_url": settings.TRACKSYNC_URL,
            "login_url": links.public(reverse("account_login")),
            "signup_url": links.public(reverse("account_signup")),
            "password_reset_url": links.public(reverse("account_reset_password")),
            "contact_url": settings.TRACKSYNC_CONTACT_URL,
        }
        # A link that carries a key is the more precise one.
        carried = {name: value for name, value in context.items() if name != "signup_url" and value is not None}
        if "key" not in context:
            carried.pop("password_reset_url", None)
        try:
            super().send_mail(template_prefix, email, known | carried)
        except OSError as error:  # smtplib's errors are of this kind
            logger.error("A mail of the kind %s could not be sent: %s", template_prefix, type(error).__name__)
            request = allauth_context.request
            if request is not None:
                request.mail_failed = True
                messages.error(request, _("We could not send the mail just now. Please try again in a few minutes."))

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        """As django-allauth does, but never "sent" after a mail that was not."""
        if message_template == "account/messages/email_confirmation_sent.txt" and getattr(
            request, "mail_failed", False
        ):
            return
        super().add_message(request, level, message_template, message_context, extra_tags, message)
