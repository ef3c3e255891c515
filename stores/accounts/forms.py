"""The forms of the account pages: django-allauth's, with our labels and without grey doubles of them."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as account
from allauth.account.adapter import get_adapter
from allauth.account.fields import PasswordField
from allauth.account.models import EmailAddress
from allauth.mfa.base import forms as mfa
from allauth.mfa.totp import forms as totp
from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from .change import change_address

LABELS = {
    "email": _("E-mail address"),
    "login": _("E-mail address"),
    "password": _("Password"),
    "remember": _("Keep me logged in on this computer"),
    "oldpassword": _("Present password"),
    "code": _("Six-digit code"),
}
PASSWORD_HELP = _("At least ten characters: no common password, not only digits, nothing like your address.")
NEW_PASSWORD = {"password1": _("New password"), "password2": _("New password, once more")}


class InOurWords(forms.Form):
    """Gives the fields our labels; what stands in a label is not repeated in the field."""

    labels: dict[str, Any] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            field.label = (LABELS | self.labels).get(name, field.label)
            if name == "password1":
                field.help_text = PASSWORD_HELP


class LoginForm(InOurWords, account.LoginForm):
    """Logging in."""


class SignupForm(InOurWords, account.SignupForm):
    """A new account."""

    labels = {"password1": _("Password"), "password2": _("Password, once more")}


class ResetPasswordForm(InOurWords, account.ResetPasswordForm):
    """Asking for a link to a new password."""


class ResetPasswordKeyForm(InOurWords, account.ResetPasswordKeyForm):
    """A new password, by that link."""

    labels = NEW_PASSWORD


class ChangePasswordForm(InOurWords, account.ChangePasswordForm):
    """A new password, by the present one."""

    labels = NEW_PASSWORD


class SetPasswordForm(InOurWords, account.SetPasswordForm):
    """A first password."""

    labels = NEW_PASSWORD


class ReauthenticateForm(InOurWords, account.ReauthenticateForm):
    """The password once more, before something that matters."""


class ChangeAddressForm(InOurWords, account.UserForm):
    """Another address for the account, by its password."""

    labels = {"email": _("New e-mail address"), "password": _("Your password")}

    email = forms.EmailField(max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    password = PasswordField(autocomplete="current-password")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.user.has_usable_password():
            del self.fields["password"]

    def clean_email(self) -> str:
        """In small letters. Whether somebody else has it is not told here."""
        email = get_adapter().clean_email(self.cleaned_data["email"].lower())
        if email == self.user.email.lower():
            raise get_adapter().validation_error("duplicate_email")
        return str(email)

    def clean_password(self) -> str:
        """The account's own; tries count like those to log in."""
        password: str = self.cleaned_data["password"]
        if not get_adapter().reauthenticate(self.user, password):
            raise get_adapter().validation_error("incorrect_password")
        return password

    def save(self, request: HttpRequest) -> EmailAddress:
        """The new address, which has to be verified."""
        return change_address(request, self.user, self.cleaned_data["email"])


class AuthenticateForm(InOurWords, mfa.AuthenticateForm):
    """The second step of logging in: a code of the app, or one of the recovery codes."""

    labels = {"code": _("Code from your app, or a recovery code")}


class ReauthenticateByCodeForm(InOurWords, mfa.ReauthenticateForm):
    """A code once more, before something that matters."""

    labels = {"code": _("Code from your app, or a recovery code")}


class ActivateTOTPForm(InOurWords, totp.ActivateTOTPForm):
    """The first code of a new app."""
