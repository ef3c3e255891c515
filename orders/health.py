"""How stores are: each one's condition in words, its numbers by state, and what its merchant does next.

For the lists and pages of merchants. The sentences of troubles are made in wording/; what one shipment waits for is
told by wording.explain, how far everything lies behind by backlog.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from stores.choices import NumberSource, Timing
from stores.connectors.codes import Code
from stores.models import Store, SyncPreference

from .choices import SyncState
from .models import TrackingSync
from .wording.connection import MENDED_IN_THE_SHOP
from .wording.explain import LONG_DUE, store_obstacle


class Condition(models.TextChoices):
    """How a store is, in the order in which one hides the other."""

    DISCONNECTED = "disconnected", _("Disconnected")
    RECONNECT = "reconnect", _("Reconnect needed")
    PAUSED = "paused", _("Paused")
    BUSY = "busy", _("Left alone for a while")
    CONNECTED = "connected", _("Connected")


@dataclass(frozen=True)
class Counts:
    """A store's parcels by what becomes of their numbers. What has been due for over a day needs attention too."""

    waiting: int = 0
    due: int = 0
    synced: int = 0
    attention: int = 0


@dataclass(frozen=True)
class Step:
    """What a merchant does next, as a link."""

    label: str
    url: str
    is_pressing: bool = False  # nothing goes on, or no mail goes, before it is done


@dataclass(frozen=True)
class Health:
    """How one store is. `says` and `then` are sentences, "" where there is nothing to say."""

    condition: Condition
    says: str = ""
    then: str = ""
    since: datetime | None = None
    until: datetime | None = None
    is_mended_there: bool = False  # new access data would not help: the shop itself has to be put in order

    @property
    def label(self) -> str:
        """The condition in a word or two."""
        return gettext("We are kept out") if self.is_mended_there else str(self.condition.label)

    @property
    def badge(self) -> str:
        """The class of its badge."""
        return {Condition.PAUSED: "busy", Condition.DISCONNECTED: ""}.get(self.condition, str(self.condition))


def health_of(store: Store, now: datetime) -> Health:
    """How this store is. Times in the sentences are in the active time zone."""
    says, then = store_obstacle(store, now) or ("", "")
    if store.disconnected_at is not None:
        return Health(Condition.DISCONNECTED, says, then, since=store.disconnected_at)
    if store.needs_reconnecting:
        is_mended_there = store.trouble in MENDED_IN_THE_SHOP
        return Health(Condition.RECONNECT, says, then, since=store.trouble_since, is_mended_there=is_mended_there)
    if store.is_paused:
        return Health(Condition.PAUSED, says, then)
    if store.trouble and store.resume_at is not None and store.resume_at > now:
        return Health(Condition.BUSY, says, then, since=store.trouble_since, until=store.resume_at)
    return Health(Condition.CONNECTED)


def counts_of(store_ids: Iterable[int], now: datetime) -> dict[int, Counts]:
    """The counts of each store, by its id; two queries for all, the first from the index by store and state alone."""
    ids = list(store_ids)
    found: dict[int, dict[str, int]] = {store_id: {} for store_id in ids}
    rows = TrackingSync.objects.filter(store__in=ids).order_by()
    for store_id, state, n in rows.values_list("store_id", "state").annotate(n=Count("pk")):
        found[store_id][state] = n
    # Few but where a store stands still; found by the index of what is due.
    late = rows.filter(due_at__isnull=False, due_since__lt=now - LONG_DUE)
    overdue = dict(late.values_list("store_id").annotate(n=Count("pk")))
    return {
        store_id: Counts(
            waiting=by_state.get(SyncState.WAITING, 0),
            due=by_state.get(SyncState.DUE, 0),
            synced=by_state.get(SyncState.SYNCED, 0),
            attention=by_state.get(SyncState.ATTENTION, 0) + overdue.get(store_id, 0),
        )
        for store_id, by_state in found.items()
    }


def choice_in_words(preference: SyncPreference) -> str:
    """The choice in one line: when, which, the delay, and whether it was ever confirmed."""
    when = {Timing.BEFORE_DISPATCH: gettext("before dispatch"), Timing.AFTER_DISPATCH: gettext("after dispatch")}
    which = {NumberSource.DEFAULT: gettext("usual number"), NumberSource.LOCAL: gettext("always the carrier's number")}
    parts = [when[Timing(preference.timing)], which[NumberSource(preference.number_source)]]
    if preference.delay_hours:
        parts.append(gettext("not earlier than {n} h after the payment").format(n=preference.delay_hours))
    line = ", ".join(parts)
    return line if preference.confirmed_at else gettext("{choice}; not confirmed yet").format(choice=line)


def next_step(store: Store, health: Health, counts: Counts) -> Step:
    """The one thing to do next for this store. It must come with its preference."""
    page = reverse("store", args=[store.pk])
    if health.condition == Condition.DISCONNECTED:
        again = f"{reverse('connect_store', args=[store.platform])}?again={store.pk}"
        return Step(gettext("Connect it again"), again)
    if health.condition == Condition.RECONNECT:
        # The shop itself has to be put in order: new access data would not help.
        if store.trouble in MENDED_IN_THE_SHOP | {Code.SHOP_NOT_FOUND}:
            return Step(gettext("See what to do"), page, is_pressing=True)
        return Step(gettext("Reconnect"), reverse("store_reconnect", args=[store.pk]), is_pressing=True)
    if needs_locations(store):
        return Step(gettext("Choose the locations"), reverse("store_locations", args=[store.pk]), is_pressing=True)
    if store.preference.confirmed_at is None:
        return Step(gettext("Make your choice"), reverse("choice", args=[store.pk]), is_pressing=True)
    if health.condition == Condition.PAUSED:
        return Step(gettext("Resume"), page)
    if counts.attention:
        return Step(gettext("See the problems"), f"{reverse('attention')}?store={store.pk}", is_pressing=True)
    return Step(gettext("See its orders"), f"{reverse('store_orders')}?store={store.pk}")


def needs_locations(store: Store) -> bool:
    """Several locations of the merchant's own, and nobody has told which of them we ship from."""
    own = [each for each in store.facts.get("locations", ()) if each.get("merchants_own", True)]
    return len(own) > 1 and not store.location_ids
