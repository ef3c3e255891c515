"""The figures of the admin's first page, for its template."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils import timezone

register = template.Library()


@register.simple_tag(takes_context=True)
def figures(context: dict[str, Any]) -> Any:
    """The figures, for those who may see the queue; None for others."""
    from orders.admin.site import figures as counted  # the admin registers itself when all apps are loaded

    user = context["request"].user
    return counted(timezone.now()) if user.has_perm("orders.view_trackingsync") else None
