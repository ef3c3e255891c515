"""How tracking sync works, in our own words; open to everybody."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ..choices import NumberKind
from ..models import ShippingMethod


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """The page, with the shipping methods as they are in the catalogue now: those that go by our number first."""
    methods = list(ShippingMethod.objects.filter(is_active=True).order_by("name"))
    context = {
        "section": "help",
        "own_methods": [method.name for method in methods if method.default_number == NumberKind.OWN],
        "other_methods": [method.name for method in methods if method.default_number != NumberKind.OWN],
        "own_prefix": settings.TRACKSYNC_OWN_NUMBER_PREFIX,
    }
    return render(request, "orders/help.html", context)
