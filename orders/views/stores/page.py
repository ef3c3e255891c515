"""The page of one store: how it is, what was chosen, where it begins, its connection, and what can be done with it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from stores.access import store_of
from stores.choices import MailSender
from stores.connectors import registry
from stores.guides import GUIDES
from stores.models import Store

from ... import plan
from ...health import Condition, counts_of, needs_locations
from ...local_time import in_zone_of
from ...mail import undecided
from ...wording import show_time
from ...wording.connection import MENDED_IN_THE_SHOP
from . import checklist, places
from .listing import row_of


@login_required
@require_safe
def store(request: HttpRequest, store_id: int) -> HttpResponse:
    """One store of the merchant's own."""
    found, now = store_of(request, store_id), timezone.now()
    row = row_of(found, counts_of([found.pk], now)[found.pk], now)
    guide = GUIDES.get(found.platform)
    facts = checklist.kept_facts(found.facts)
    with in_zone_of(found):
        context: dict[str, Any] = {
            "row": row,
            "store": found,
            "health": row.health,
            "counts": row.counts,
            "is_gone": row.health.condition == Condition.DISCONNECTED,
            "needs_reconnecting": row.health.condition == Condition.RECONNECT,
            "is_mended_there": found.trouble in MENDED_IN_THE_SHOP,
            "needs_locations": needs_locations(found),
            "several_locations": sum(each.merchants_own for each in facts.locations) > 1,
            "lines": checklist.lines_of(facts, guide, found.location_ids) if guide and facts.shop_name else [],
            "placing": places.told(found, guide) if guide else None,
            "checked": _checked(found),
            "since": show_time(found.sync_from),
            "connected": show_time(found.created_at),
            "held_mail": _held_mail(found),
            "undecided": undecided.why(found),
            "left": plan.behind(found),
            "can": checklist.abilities(found.platform, found.get_platform_display()),
            "section": "stores",
        }
        return render(request, "stores/store.html", context)


def _checked(found: Store) -> str:
    """When the connection was last looked at and found to work, as a text; "" where that was not written down."""
    at = parse_datetime(str(found.facts.get("checked_at", "")))
    return show_time(at) if at else ""


def _held_mail(found: Store) -> str:
    """What a choice that was never confirmed means for mail to customers; "" where it was."""
    if found.preference.confirmed_at is not None:
        return ""
    if registry.capabilities(found.platform).mails_always:
        text = gettext(
            "Numbers go out by this choice already. We write to no customer before you have saved it once; "
            "{platform}'s own mail cannot be held."
        )
    elif found.preference.mail_sender == MailSender.NOBODY:
        text = gettext("Numbers go out by this choice already.")
    else:
        text = gettext(
            "Numbers go out by this choice already, but no mail leaves to a customer before you have saved it once."
        )
    return text.format(platform=found.get_platform_display())
