"""What every page of the merchants' side shows of their orders: how many problems are open, in the navigation."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from . import problems


def open_problems(request: HttpRequest) -> dict[str, object]:
    """`open_problems`: counted in one query, and only where a page shows it."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {"open_problems": SimpleLazyObject(lambda: problems.count(user, timezone.now()))}
