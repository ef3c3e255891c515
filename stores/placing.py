"""Where a store's numbers go and whether its orders are marked as done: what is chosen, and saving it.

Only on platforms where that is a question. Where numbers really go in the end is the connector's affair: it takes what
was chosen where the store still has it, else the best.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.db import transaction

from .connectors import registry
from .models import Store

log = logging.getLogger(__name__)


class ChangedMeanwhile(Exception):
    """Somebody else has saved another choice since this one was shown; nothing was saved."""


@dataclass(frozen=True)
class Placing:
    """What is chosen. `tracking_goes_to`: one of the store's places, "" for the best that is found."""

    tracking_goes_to: str
    completes_orders: bool


def placing_of(store: Store) -> Placing:
    """What is chosen for this store."""
    return Placing(store.tracking_goes_to, store.completes_orders)


def places_of(store: Store) -> tuple[str, ...]:
    """The places that the last check found in the store, the best first; none where that is no question there."""
    return tuple(map(str, store.facts.get("places") or ()))


def is_a_question(store: Store) -> bool:
    """Whether there is anything to choose in a store of this platform."""
    return registry.capabilities(store.platform).completes or bool(places_of(store))


def goes_to(store: Store) -> str:
    """Where numbers go by what is chosen and what was found; "" before the first check."""
    found = places_of(store)
    return store.tracking_goes_to if store.tracking_goes_to in found else next(iter(found), "")


def save(store: Store, chosen: Placing, *, seen: Placing, actor: User) -> None:
    """Keep it, if what was shown to the person is still what is kept, and write down who did it.

    Raises ChangedMeanwhile, and ValueError for a place that was not found in this store.
    """
    if chosen.tracking_goes_to not in ("", seen.tracking_goes_to, *places_of(store)):
        raise ValueError("not among the places of this store")
    if chosen == seen:
        return
    with transaction.atomic():
        unchanged = Store.objects.filter(
            pk=store.pk, tracking_goes_to=seen.tracking_goes_to, completes_orders=seen.completes_orders
        )
        if not unchanged.update(tracking_goes_to=chosen.tracking_goes_to, completes_orders=chosen.completes_orders):
            raise ChangedMeanwhile
        LogEntry.objects.log_actions(
            actor.pk, Store.objects.filter(pk=store.pk), CHANGE, change_message=_told(seen, chosen), single_object=True
        )
    log.info("Store %s: %s", store.pk, _told(seen, chosen))


def _told(before: Placing, after: Placing) -> str:
    return (
        f"Numbers go to: {before.tracking_goes_to or 'the best'} → {after.tracking_goes_to or 'the best'}; "
        f"orders are completed: {'yes' if before.completes_orders else 'no'} → "
        f"{'yes' if after.completes_orders else 'no'}."
    )
