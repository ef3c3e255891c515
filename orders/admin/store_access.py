"""The part of a store's page about its connection: that there is access, until when, and whether the store tells us.

What the access is stands on no page. Where the keys are missing the page still opens, and says so.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Max
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from stores import hooks
from stores.models import HookDelivery, Store
from stores.reach import can_reach_us

from .base import DASH, StaffAdmin, when


class StoreAccess(StaffAdmin):
    """Adds what is told of the connection."""

    @admin.display(description=_("access"))
    def access(self, store: Store) -> str:
        """That there are credentials, never what they are."""
        if not store.credentials:
            return gettext("None is kept.")
        checked = _moment(store.facts.get("checked_at"))
        last = when(checked) if checked else gettext("when it was connected")
        return gettext("Kept encrypted and shown to nobody; last checked {when}.").format(when=last)

    @admin.display(description=_("renewal"))
    def renewal(self, store: Store) -> str:
        """Until when the access can be renewed without its merchant."""
        if not store.credentials and not store.token:
            return DASH
        if store.renewable_until is None:
            return gettext("The access has no end of its own.")
        if store.renewable_until <= timezone.now():
            told = gettext("It could be renewed until {when}. Its merchant has to connect the store again.")
        else:
            told = gettext("By itself; the merchant is needed only if it were not used until {when}.")
        return told.format(when=when(store.renewable_until))

    @admin.display(description=_("the store's messages"))
    def store_messages(self, store: Store) -> str:
        """Whether the store tells us what changes, since when, and when it last did."""
        if store.disconnected_at is not None:
            return DASH
        if store.hook_topics:
            last = HookDelivery.objects.filter(store=store).aggregate(last=Max("received_at"))["last"]
            came = when(last) if last else gettext("none")
            told = gettext("{topics}. Last looked after: {armed}. Last message that is remembered: {last}.")
            return told.format(topics=", ".join(store.hook_topics), armed=when(store.hooks_armed_at), last=came)
        return " ".join([_why_silent(store), gettext("Orders are pulled all the same.")])


def _why_silent(store: Store) -> str:
    """Why a connected store is not subscribed to."""
    if not can_reach_us(store.base_url):
        return gettext("It tells us nothing: this installation has no public https address that the store could call.")
    try:
        can_be_armed = hooks.can_be_armed(store)
    except ImproperlyConfigured as error:
        return str(error)
    if not can_be_armed:
        return gettext("It tells us nothing: the secret of its app, which signs them, is not known here.")
    if store.hooks_armed_at is None:
        return gettext("It tells us nothing yet: a new store is subscribed to within a minute or two.")
    return gettext("It tells us nothing yet: it is tried again within the hour.")


def _moment(text: Any) -> datetime | None:
    return parse_datetime(text) if isinstance(text, str) else None
