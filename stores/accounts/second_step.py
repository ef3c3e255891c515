"""The secrets of the second step when logging in, encrypted like the stores' credentials and rotated with them."""

from __future__ import annotations

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import InvalidToken
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.utils.translation import gettext_lazy

from stores.fields import fernet

SECRETS = ("secret", "seed")  # of an app, of recovery codes


class MFAAdapter(DefaultMFAAdapter):
    """Encrypts the secrets; the words of what may go wrong."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy("This code is not right. Codes change every 30 seconds: type the newest one."),
        "unverified_email": gettext_lazy("Verify your e-mail address first, then set up the second step."),
    }

    def encrypt(self, text: str) -> str:
        """As it is stored."""
        return fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """As it was. Raises ImproperlyConfigured when no key that is left fits."""
        try:
            return fernet().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            raise ImproperlyConfigured(
                "The secret of somebody's second step was encrypted with a key that TRACKSYNC_CREDENTIAL_KEYS no "
                "longer lists. Put the old key back at the end of the list."
            ) from None


def rotate_secrets() -> int:
    """Encrypt all secrets with the newest key; how many there were.

    Raises ImproperlyConfigured when no key that is left fits one.
    """
    adapter, done = MFAAdapter(), 0
    for pk in Authenticator.objects.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            # Locked: a recovery code that is used meanwhile must stay used.
            row = Authenticator.objects.select_for_update().filter(pk=pk).first()
            if row is None:
                continue
            for name in SECRETS:
                if name in row.data:
                    row.data[name] = adapter.encrypt(adapter.decrypt(row.data[name]))
                    done += 1
            row.save(update_fields=["data"])
    return done
