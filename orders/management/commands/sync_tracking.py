"""`manage.py sync_tracking`: plan and push what is due, now and in this process (claimer.py does the work)."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error
from django.db.models import F, Min, Q, QuerySet, prefetch_related_objects
from django.db.models.functions import Now
from django.utils import timezone

from orders import plan, wording
from orders.choices import AttemptOutcome, SyncState
from orders.claimer import Claimer
from orders.models import TrackingSync
from orders.policy import Send
from orders.wording.explain import store_obstacle
from stores.models import Store

CHUNK = 500
LOOK_SECONDS = 0.25
AS_LONG_AS_IT_TAKES = 7 * 24 * 3600.0


class Command(BaseCommand):
    """Sends what is due; says what came of it and what is left."""

    help = (
        "Send the tracking numbers that are due to their stores, now and in this process, beside workers that may be "
        "running or instead of them. Stores that another process is writing to, and numbers whose arrival has still "
        "to be looked up, are waited for; what is due later is only counted. Prints how many attempts ended how. "
        "Exit status: 0 it ran, whatever came of the numbers; 1 it could not run; 2 it was called in a wrong way."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The store, the patience, and whether to only tell."""
        parser.add_argument("--store", type=int, metavar="ID", help="only this store")
        parser.add_argument(
            "--wait",
            type=_seconds,
            default=120.0,
            metavar="S",
            help="seconds to wait for stores that are busy and for answers that were lost (120)",
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would be sent and why; change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError where the database does not answer or there is no such store."""
        try:
            store = self._store(options["store"])
            if options["dry_run"]:
                self._tell(store)
            else:
                self._sync(store, options["wait"])
        except Error as error:
            raise CommandError(
                f"The database does not answer, or is not up to date ({type(error).__name__})."
            ) from error

    def _store(self, store_id: int | None) -> Store | None:
        if store_id is None:
            return None
        store = Store.objects.filter(pk=store_id).first()
        if store is None:
            raise CommandError(f"There is no store with the id {store_id}.")
        return store

    # --- pushing -----------------------------------------------------------------------------------------

    def _sync(self, store: Store | None, wait: float) -> None:
        outcomes: Counter[AttemptOutcome] = Counter()
        patience: float | None = None
        plan.replan(timezone.now())
        try:
            while True:
                claimer = Claimer(seconds=AS_LONG_AS_IT_TAKES, only=store.pk if store else None)
                try:
                    claimer.run()
                finally:
                    outcomes += claimer.outcomes
                if not (_busy(store).exists() or _unclear(store).exists()):
                    break
                patience = time.monotonic() + wait if patience is None else patience
                if time.monotonic() >= patience:
                    break
                time.sleep(min(LOOK_SECONDS, max(0.0, patience - time.monotonic())))
        except KeyboardInterrupt:
            self._report(outcomes, store)
            sys.exit(130)
        self._report(outcomes, store)

    def _report(self, outcomes: Counter[AttemptOutcome], store: Store | None) -> None:
        for outcome in AttemptOutcome:
            if outcomes[outcome]:
                self.stdout.write(f"{outcomes[outcome]:>7}  {outcome.label}")
        if not outcomes:
            self.stdout.write("Nothing was sent.")

        now = timezone.now()
        later = _rows(store).filter(due_at__gt=now, sending__isnull=True).aggregate(first=Min("due_at"))["first"]
        if later:
            count = _rows(store).filter(due_at__gt=now, sending__isnull=True).count()
            self.stdout.write(f"{count:>7}  due later, the first on {wording.show_time(later)}")
        if unclear := _unclear(store).count():
            self.stdout.write(f"{unclear:>7}  without a clear answer: looked up before anything is sent again")
        if attention := _rows(store).filter(state=SyncState.ATTENTION).count():
            self.stdout.write(f"{attention:>7}  {SyncState.ATTENTION.label.lower()}")
        if due := _due(store).count():
            self.stdout.write(f"{due:>7}  still due")
        for busy in _busy(store):
            self.stdout.write(f"Store {busy.pk}: another process is writing to {busy.name}.")
        for held in _held_back(store):
            sentence, _ = store_obstacle(held, now) or ("", "")
            if sentence:
                self.stdout.write(f"Store {held.pk}: {sentence}")

    # --- telling only ------------------------------------------------------------------------------------

    def _tell(self, store: Store | None) -> None:
        now = timezone.now()
        sends = waits = 0
        for planable in _due_or_unplanned(store, now):
            decision = planable.decision
            if isinstance(decision, Send):
                if decision.not_before > now or decision.number.id == planable.row.shown_id:
                    continue
                sends += 1
            elif planable.row.state != SyncState.DUE:
                continue
            else:
                waits += 1
            self.stdout.write(_line(planable, now))
        self.stdout.write(f"{sends} to be sent, {waits} no longer. Nothing was changed.")


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds <= AS_LONG_AS_IT_TAKES:
        raise argparse.ArgumentTypeError("seconds, 0 or more")
    return seconds


def _rows(store: Store | None) -> QuerySet[TrackingSync]:
    return TrackingSync.objects.filter(store=store) if store else TrackingSync.objects.all()


def _due(store: Store | None) -> QuerySet[TrackingSync]:
    return _rows(store).filter(due_at__lte=Now())


def _stores(store: Store | None) -> QuerySet[Store]:
    return Store.objects.filter(pk=store.pk) if store else Store.objects.all()


def _pushable(store: Store | None) -> QuerySet[Store]:
    resumes = Q(resume_at__isnull=True) | Q(resume_at__lte=Now())
    return _stores(store).filter(pk__in=Store.objects.pushing().filter(resumes).values("pk"))


def _busy(store: Store | None) -> QuerySet[Store]:
    """Stores with something due that another process holds the lease of."""
    return _pushable(store).filter(leased_until__gt=Now(), pk__in=_due(store).values("store")).order_by("pk")


def _unclear(store: Store | None) -> QuerySet[TrackingSync]:
    """Intents whose end is not known yet, in stores that can be asked."""
    return _rows(store).filter(sending__isnull=False, store__in=_pushable(store))


def _held_back(store: Store | None) -> QuerySet[Store]:
    """Stores with something due that may not be pushed to."""
    stores = _stores(store).filter(pk__in=_due(store).values("store"))
    return stores.exclude(pk__in=_pushable(store).values("pk")).order_by("pk")


def _due_or_unplanned(store: Store | None, now: datetime) -> Iterator[plan.Planable]:
    """What is due, and what a saved preference has not reached yet, as it is decided now."""
    behind = Q(planned_version__lt=F("store__preference__version"), shown__isnull=True, sending__isnull=True)
    rows = _rows(store).filter(Q(due_at__lte=now) | behind).order_by("store_id", "due_at", "pk")
    ids = rows.values_list("shipment_id", flat=True).iterator()
    while chunk := list(islice(ids, CHUNK)):
        planables = plan.facts_of(chunk)
        found = [planables[shipment_id] for shipment_id in chunk]
        prefetch_related_objects([planable.row for planable in found], "store", "wanted", "sending", "shown")
        yield from found


def _line(planable: plan.Planable, now: datetime) -> str:
    row, decision = planable.row, planable.decision
    if isinstance(decision, Send):
        explanation = wording.explain(planable, now)
        why = f"{decision.number.value}. {explanation.why_this_number} {explanation.headline}"
    else:
        why = wording.sentence(decision.reason, decision.values)
    return f"{row.store.name} (store {row.store_id}), {row.shipment}: {why}"
