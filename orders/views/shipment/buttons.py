"""Which buttons of a parcel's page can be pressed now: the one that does what has to be done, and the others."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from stores.models import Store

from ... import withdraw
from ...choices import Stopped, SyncState
from ...health import Condition, Counts, Step, health_of, next_step
from ...models import TrackingSync
from ...remedies import Button
from ...store_links import order_page
from .words import withdrawal


@dataclass(frozen=True)
class Pressable:
    """A link, or a form that posts; `leads_out`: to the store's own admin."""

    label: str
    url: str
    posts: bool = False
    leads_out: bool = False
    is_grave: bool = False


def can_be_tried(row: TrackingSync) -> bool:
    """Whether another try changes anything: as changes.try_again() picks its rows."""
    if row.stopped != Stopped.NO:
        return row.sending_id is None
    return row.state in (SyncState.DUE, SyncState.ATTENTION)


def can_be_given_up(row: TrackingSync) -> bool:
    """Whether there is something to give up: a problem, or a number that is still tried."""
    return row.stopped == Stopped.NO and row.state in (SyncState.DUE, SyncState.ATTENTION)


def pressables(row: TrackingSync, first: Button) -> tuple[Pressable | None, list[Pressable]]:
    """The one button for `first`, where it can be pressed, and the others below it."""
    one = _of(row, first)
    if one is None and first == Button.CANCEL:
        first, one = Button.OPEN, _of(row, Button.OPEN)
    others = [
        found
        for button in (Button.TRY_AGAIN, Button.OPEN, Button.CANCEL, Button.GIVE_UP)
        if button != first and (button != Button.CANCEL or _is_stuck(row)) and (found := _of(row, button))
    ]
    return one, others


def pressable_in_list(row: TrackingSync, button: Button) -> Pressable | None:
    """The same for a line of a list, without a query: what cannot be cancelled after all is said when it is asked."""
    if button == Button.CANCEL:
        if not row.fulfillments or row.adopted:
            return _of(row, Button.OPEN)
        return _cancel(row)
    return _of(row, button)


def reconnecting(store: Store) -> Step:
    """Where this store is connected again, or its page where that is not what it needs."""
    health = health_of(store, timezone.now())
    if health.condition in (Condition.DISCONNECTED, Condition.RECONNECT):
        return next_step(store, health, Counts())
    return Step(gettext("See the connection"), reverse("store", args=[store.pk]))


def _is_stuck(row: TrackingSync) -> bool:
    return row.state == SyncState.ATTENTION


def _of(row: TrackingSync, button: Button) -> Pressable | None:
    store = row.store
    platform = store.get_platform_display()
    if button == Button.CHOICE:
        return Pressable(gettext("Change the choice"), reverse("choice", args=[store.pk]))
    if button == Button.RECONNECT:
        step = reconnecting(store)
        return Pressable(step.label, step.url)
    if button == Button.RESUME:
        return Pressable(gettext("Resume the store"), reverse("store", args=[store.pk]))
    if button == Button.START_DATE:
        return Pressable(gettext("Move the start date"), reverse("store_start", args=[store.pk]))
    if button == Button.LOOK:
        return Pressable(gettext("Look again"), reverse("shipment_look", args=[row.shipment_id]), posts=True)
    if button == Button.TRY_AGAIN and can_be_tried(row):
        return Pressable(gettext("Try again"), reverse("shipment_try_again", args=[row.shipment_id]), posts=True)
    if button == Button.GIVE_UP and can_be_given_up(row):
        return Pressable(gettext("Give up"), f"{reverse('give_up')}?shipment={row.shipment_id}")
    if button == Button.CANCEL and not withdraw.why_not(row):
        return _cancel(row)
    if button == Button.OPEN and (page := order_page(store, row.shipment.order.external_id)):
        return Pressable(gettext("Open the order in {platform}").format(platform=platform), page, leads_out=True)
    if button == Button.CONTACT and settings.TRACKSYNC_CONTACT_URL:
        return Pressable(gettext("Contact us"), settings.TRACKSYNC_CONTACT_URL)
    return None


def _cancel(row: TrackingSync) -> Pressable:
    url = reverse("shipment_cancel", args=[row.shipment_id])
    return Pressable(withdrawal(row.store, "", "").button, url, is_grave=True)
