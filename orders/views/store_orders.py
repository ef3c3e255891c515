"""A page of the merchants' side."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


@login_required
def store_orders(request: HttpRequest) -> HttpResponse:
    """The page."""
    return render(request, "base.html")
