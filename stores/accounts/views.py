"""The account page, and verifying the account's address. Logging in and passwords are django-allauth's views."""

from __future__ import annotations

from allauth.account.models import EmailConfirmationHMAC
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from . import links
from .address import own_address
from .change import row_of
from .sending import send_link


@login_required
def account(request: HttpRequest) -> HttpResponse:
    """The address and its state, the password, the second step, logging out."""
    return render(
        request, "account/account.html", {"section": "account", "has_second_step": is_mfa_enabled(request.user)}
    )


@login_required
@require_POST
def send_verification(request: HttpRequest) -> HttpResponse:
    """Send the link to the account's own address again, and go back to where the button was."""
    address = own_address(request)
    if not address.email:
        messages.warning(request, _("There is no e-mail address in your account yet. Add one first."))
        return redirect("account_email")
    if address.is_verified:
        messages.info(request, _("Your e-mail address is verified already. Nothing is left to do."))
    elif request.user.is_authenticated:  # as the decorator sees to
        send_link(request, row_of(request.user))
    return redirect(_back(request))


@never_cache
def verify_address(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind the link: opening it shows a button, the button verifies."""
    state, address = links.read(token)
    if request.method == "POST" and state is links.Link.READY and address is not None:
        if EmailConfirmationHMAC(address).confirm(request):
            return redirect(settings.LOGIN_REDIRECT_URL if request.user.is_authenticated else "account_login")
        state = links.Link.UNKNOWN
    context = {"state": state.value, "address": address}
    return render(request, "account/verify_address.html", context)


def _back(request: HttpRequest) -> str:
    """The page the button was on; the account page where that is nobody's to tell."""
    to = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(to, allowed_hosts=None) and to.startswith("/")
    return to if is_ours else reverse("account")
