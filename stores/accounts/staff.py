"""The gate before the staff's pages: a verified address, and a second step where the house asks for one.

Logging in to them is logging in here: the admin's own form knows neither limits nor a second step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account.decorators import secure_admin_login
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from .address import own_address

OPEN_TO_ALL = ("logout", "jsi18n")


class StaffGate:
    """Middleware before every page of the admin, those that apps add to it included."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """None lets the request through to the page, which asks for permissions of its own."""
        match = request.resolver_match
        if match is None or "admin" not in match.app_names or match.url_name in OPEN_TO_ALL:
            return None
        if request.user.is_authenticated and request.user.is_staff:
            if not own_address(request).is_verified:
                return render(request, "account/staff_unverified.html", status=403)
            if settings.TRACKSYNC_STAFF_MFA and not is_mfa_enabled(request.user):
                messages.warning(request, _("Staff log in with a second step. Set it up here to go on."))
                return redirect("mfa_activate_totp")
        if match.url_name == "login":
            return secure_admin_login(view)(request, *args, **kwargs)
        return None
