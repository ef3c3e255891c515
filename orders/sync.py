"""Takes a store whose numbers are due and pushes them: look up, decide again, commit the intent, push, write down.

For the holder of a store's lease, `serve()` repeats until nothing is due or the time is over:

1. Intents without a known end, once they have settled, are looked up in the store, never repeated:
   found = done; partly found = finished under the same promise; not found = closed, and due again.
2. One short transaction locks the store's preference and the rows, decides each again, and commits
   the intent: which number, since when, of which kind.
3. No transaction is open while the connector pushes. It renews the lease before each write.
4. Every outcome is written (outcomes.py), in one transaction per batch, and the rows are planned again.

Who takes which store is in claimer.py; what a connector does in a store is in stores/connectors.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Greatest, Now

from stores import trouble
from stores.connections import close, lease_seconds, open_connector
from stores.connectors import registry
from stores.connectors.base import Capabilities, Connector, Sighting, TrackingUpdate
from stores.connectors.errors import StoreBusy, StoreDisconnected
from stores.lease import Lease, LeaseLost
from stores.models import Store, SyncPreference

from .bulk import update_rows
from .choices import AttemptOutcome, RowCode, SyncState
from .models import TrackingSync
from .outcomes import LONGEST_WAIT, Answer, Sent, Unexpected, is_no_time, write
from .plan import Planable, facts_of, next_state
from .plan import write as write_plan
from .policy import Send
from .updates import OrderPicture, numbers_by_id, pictures, update_for

__all__ = ["capabilities_of", "database_now", "due_stores", "lease_seconds", "serve", "settle_seconds"]

log = logging.getLogger(__name__)

BATCH = 50
BATCH_ONE_BY_ONE = 20  # where each order is a request of its own: a kill leaves fewer intents to look up
PUSH_SECONDS = 20.0  # no request of a batch starts later than this after its intents were committed
TURN_SECONDS = 1.5  # a store gives way after this long while another one waits


@dataclass(frozen=True)
class Job:
    """One row of a batch: the intent as committed, and what the connector is asked to show."""

    sent: Sent
    update: TrackingUpdate


def capabilities_of(platform: str) -> Capabilities:
    """What a platform can do."""
    return registry.CONNECTORS[platform].capabilities


def settle_seconds(platform: str) -> float:
    """How long a store may still be executing a request whose answer was lost."""
    return settings.TRACKSYNC_SETTLE_SECONDS or capabilities_of(platform).settle


def due_stores(limit: int) -> list[int]:
    """Ids of stores with due rows that nobody is writing to, longest unserved first."""
    due = TrackingSync.objects.filter(store=OuterRef("pk"), due_at__lte=Now())
    stores = Store.objects.pushing().filter(_resumes, Exists(due), leased_until__lte=Now())
    return list(stores.order_by("served_at", "pk").values_list("pk", flat=True)[:limit])


def serve(
    lease: Lease,
    *,
    until: float,
    stop: Callable[[], bool],
    others_wait: Callable[[], bool] = lambda: False,
) -> Counter[AttemptOutcome]:
    """Push what is due in the leased store, then give the lease back. Returns how many of each outcome.

    `until` in the time of time.monotonic(). `stop` is read before every call to the store; `others_wait` after
    each turn. Raises nothing that one row, one batch or the store can cause.
    """
    counts: Counter[AttemptOutcome] = Counter()
    try:
        store = Store.objects.select_related("preference").get(pk=lease.store_id)
        _wait_for_the_dead(lease, store)
        turn = _Turn(lease, store, until, stop)
        try:
            began = time.monotonic()
            while turn.goes_on():
                done = turn.batch()
                if done is None:
                    break
                counts += done
                if time.monotonic() - began > TURN_SECONDS and others_wait():
                    break
        finally:
            turn.end()
    except LeaseLost:
        log.warning("Store %s: the lease was lost; its open intents are looked up by the next holder", lease.store_id)
    finally:
        lease.give_back()
    return counts


def _wait_for_the_dead(lease: Lease, store: Store) -> None:
    """Whoever held the lease died with it: his last request may still be executing, later than his intents say."""
    if lease.left_by is not None:
        settled = Greatest(F("sending_since"), lease.left_by) + timedelta(seconds=settle_seconds(store.platform))
        TrackingSync.objects.filter(store=store, sending__isnull=False).update(state=SyncState.DUE, due_at=settled)


_resumes = Q(resume_at__isnull=True) | Q(resume_at__lte=Now())


class _Turn:
    """One holder of a lease at work on one store."""

    def __init__(self, lease: Lease, store: Store, until: float, stop: Callable[[], bool]) -> None:
        self.lease, self.store, self.until, self.stop = lease, store, until, stop
        self.capabilities = capabilities_of(store.platform)
        self.settle = settle_seconds(store.platform)
        self.size = BATCH if self.capabilities.batch > 1 else BATCH_ONE_BY_ONE
        self._connector: Connector | None = None
        self._ended = False

    def goes_on(self) -> bool:
        """Whether there is time, the lease still stands, and the store may be pushed to."""
        if self._ended or self.stop() or time.monotonic() >= self.until:
            return False
        mine = Store.objects.pushing().filter(_resumes, pk=self.store.pk, lease=self.lease.token)
        return mine.filter(leased_until__gt=Now()).exists()

    def batch(self) -> Counter[AttemptOutcome] | None:
        """One batch: open intents first. None when nothing is due."""
        self.lease.renew()
        unclear = self._unclear()
        if unclear:
            return self._look(unclear)
        try:
            jobs, kept_back = self._intend()
        except DatabaseError:
            raise
        except Exception:
            log.exception("Store %s: a batch could not be made ready", self.store.pk)
            return self._set_apart()
        if jobs:
            return self._push(jobs)
        return Counter() if kept_back else None

    def end(self) -> None:
        """Close the connector."""
        if self._connector is not None:
            close(self._connector)

    # --- 1. intents without a known end ---------------------------------------------------------

    def _unclear(self) -> list[Job]:
        due = self._due().filter(sending__isnull=False).select_related("shipment__order", "sending__carrier")
        rows = self._one_per_order(_alone(list(due.order_by("due_at", "pk")[: self.size])))
        found = pictures(row.shipment.order_id for row in rows)
        return [
            Job(
                _sent(row, row.sending_id, row.sending_since, self.store.preference.version, row.due_at),
                update_for(row, row.sending, self.store, found[row.shipment.order_id]),
            )
            for row in rows
            if row.sending is not None and row.sending_since is not None
        ]

    def _look(self, jobs: list[Job]) -> Counter[AttemptOutcome]:
        """Look each up. What is partly there is finished at once, under the promise it was sent with."""
        answers, seconds = self._call(jobs, looks=True)
        rest, ends = [], []
        for job, answer in zip(jobs, answers, strict=True):
            if isinstance(answer, Sighting) and not answer.complete and answer.number == job.update.number:
                rest.append((job, answer))
            else:
                ends.append((job, answer))
        counts = self._write(ends, seconds, looks=True)
        if rest and not self._ended:
            counts += self._push(self._intend_again(rest))
        return counts

    def _intend_again(self, partly: list[tuple[Job, Sighting]]) -> list[Job]:
        """A new intent for the same number of the same kind: some of it stands in the store already."""
        jobs = []
        with transaction.atomic():
            SyncPreference.objects.select_for_update().get(pk=self.store.pk)
            now = database_now()
            for job, sighting in sorted(partly, key=lambda pair: pair[0].sent.row_id):
                row = TrackingSync.objects.filter(pk=job.sent.row_id, sending_id=job.sent.number_id)
                settled = now + timedelta(seconds=self.settle)
                if row.update(sending_since=now, due_at=settled, fulfillments=list(sighting.fulfillments)):
                    sent = Sent(
                        job.sent.row_id, job.sent.shipment_id, job.sent.number_id, now, job.sent.version, settled
                    )
                    jobs.append(Job(sent, _with_ids(job.update, sighting.fulfillments)))
        return jobs

    # --- 2. decide again, commit the intent --------------------------------------------------------

    def _intend(self) -> tuple[list[Job], int]:
        """The intents of the next batch, committed, and how many rows of it the decision of now keeps back."""
        with transaction.atomic():
            # Who saves a preference later finds this push under way: it finishes under the old one.
            preference = SyncPreference.objects.select_for_update().get(pk=self.store.pk)
            self.store.preference = preference
            due = self._due().filter(sending__isnull=True).select_related("shipment")
            picked = self._one_per_order(_alone(list(due.order_by("due_at", "pk")[: self.size])))
            ids = [row.pk for row in picked]
            # Locked in the order of ids, read after the lock: the facts are those of now.
            locked = TrackingSync.objects.select_for_update().filter(pk__in=ids, sending__isnull=True).order_by("pk")
            planables = list(facts_of(locked.values_list("shipment_id", flat=True)).values())
            now = database_now()
            found = pictures(planable.row.shipment.order_id for planable in planables)
            goes, others = self._sort(planables, found, now)
            write_plan(others, now)
            return self._commit(goes, found, now), len(planables) - len(goes)

    def _sort(
        self, planables: list[Planable], found: dict[int, OrderPicture], now: datetime
    ) -> tuple[list[Planable], list[Planable]]:
        """Those that are sent now, and those that the decision of now keeps back."""
        goes, others = [], []
        for planable in planables:
            row, decision = planable.row, planable.decision
            planned = next_state(row, decision, planable.preference.version, now)
            is_due = planned.state == SyncState.DUE and planned.due_at is not None and planned.due_at <= now
            if not (is_due and isinstance(decision, Send)):
                others.append(planable)
            elif found[row.shipment.order_id].waits_for_a_sibling(row.shipment_id, one_list=self.capabilities.one_list):
                # An older list under way would drop this number: the sibling's end comes first.
                TrackingSync.objects.filter(pk=row.pk).update(due_at=now + timedelta(seconds=self.settle / 4))
            else:
                goes.append(planable)
        return goes, others

    def _commit(self, goes: list[Planable], found: dict[int, OrderPicture], now: datetime) -> list[Job]:
        decisions = {planable.row.pk: planable.decision for planable in goes}
        numbers = numbers_by_id(d.number.id for d in decisions.values() if isinstance(d, Send))
        jobs, settled = [], now + timedelta(seconds=self.settle)
        intents = []
        for planable in goes:
            row, decision = planable.row, decisions[planable.row.pk]
            if not isinstance(decision, Send):
                continue
            number = numbers[decision.number.id]
            due_before = row.due_at or now
            intents.append((row.pk, number.pk, number.pk, now, number.kind, row.attempts + 1, settled))
            sent = _sent(row, number.pk, now, planable.preference.version, due_before)
            jobs.append(Job(sent, update_for(row, number, self.store, found[row.shipment.order_id])))
        _write_intents(intents)
        return jobs

    def _set_apart(self) -> Counter[AttemptOutcome] | None:
        """Rows that nobody can make ready: each goes alone next time, so that the one at fault stops no other."""
        due = self._due().filter(sending__isnull=True).order_by("due_at", "pk")[: self.size]
        rows = _alone(list(due))
        later = database_now() + timedelta(seconds=LONGEST_WAIT if len(rows) == 1 else 0)
        TrackingSync.objects.filter(pk__in=[row.pk for row in rows], sending__isnull=True).update(
            goes_alone=True, due_at=later, reason=RowCode.UNEXPECTED, reason_values={}
        )
        return Counter() if rows else None

    # --- 3. push, 4. write down -----------------------------------------------------------------------

    def _push(self, jobs: list[Job]) -> Counter[AttemptOutcome]:
        answers, seconds = self._call(jobs, looks=False)
        return self._write(list(zip(jobs, answers, strict=True)), seconds)

    def _call(self, jobs: list[Job], *, looks: bool) -> tuple[list[Answer], float]:
        """Ask the connector. A bug of ours makes every row of the batch an open intent that goes alone next time."""
        updates = [job.update for job in jobs]
        began = time.monotonic()
        deadline = min(self.until, began + PUSH_SECONDS)
        answers: Sequence[Answer]
        try:
            connector = self._open()
            answers = connector.look(updates, deadline) if looks else connector.push(updates, deadline)
            if len(answers) != len(updates):
                raise RuntimeError(f"{len(updates)} updates, {len(answers)} answers")
        except LeaseLost:
            raise
        except (StoreBusy, StoreDisconnected) as error:
            answers = [error] * len(jobs)
        except Exception as error:
            log.exception("Store %s: a batch of %s failed in a way nobody foresaw", self.store.pk, len(jobs))
            answers = [Unexpected(type(error).__name__)] * len(jobs)
        return list(answers), time.monotonic() - began

    def _open(self) -> Connector:
        if self._connector is None:
            self._connector = open_connector(self.store, before_write=self.lease.renew, stopped=self.stop)
        return self._connector

    def _write(
        self, answers: list[tuple[Job, Answer]], seconds: float, *, looks: bool = False
    ) -> Counter[AttemptOutcome]:
        now = database_now()
        pairs = [(job.sent, answer) for job, answer in answers]
        counts = write(pairs, settle=self.settle, now=now, seconds=seconds, looks=looks)
        self._of_the_store([answer for _, answer in answers], now)
        return counts

    def _of_the_store(self, answers: Sequence[Answer], now: datetime) -> None:
        """What counts on the store as a whole, once for the batch."""
        out = next((a for a in answers if isinstance(a, StoreDisconnected)), None)
        busy = next((a for a in answers if isinstance(a, StoreBusy)), None)
        if out is not None:
            trouble.disconnected(self.store.pk, out, now)
        elif busy is not None:
            trouble.busy(self.store.pk, busy, now)
        elif self.store.trouble:
            trouble.well(self.store.pk, now)
            self.store.trouble = ""
        # Where no time was left for any of them, none is left for the next batch either.
        no_time = bool(answers) and all(is_no_time(answer) for answer in answers)
        self._ended = self._ended or no_time or out is not None or busy is not None

    def _due(self):  # type: ignore[no-untyped-def]
        return TrackingSync.objects.filter(store_id=self.store.pk, due_at__lte=Now())

    @staticmethod
    def _one_per_order(rows) -> list[TrackingSync]:  # type: ignore[no-untyped-def]
        """At most one update per order in a batch; the others are still due in the next."""
        first: dict[int, TrackingSync] = {}
        for row in rows:
            first.setdefault(row.shipment.order_id, row)
        return list(first.values())


def database_now() -> datetime:
    """The database's clock: the one clock for leases, intents and what is due."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT statement_timestamp()")
            found: datetime = cursor.fetchone()[0]
            return found.astimezone(UTC)
        cursor.execute("SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')")
        return datetime.fromisoformat(cursor.fetchone()[0] + "+00:00")


def _alone(rows: list[TrackingSync]) -> list[TrackingSync]:
    """A row whose last batch failed in a way nobody foresaw goes by itself, so that it stops no other."""
    if rows and rows[0].goes_alone:
        return rows[:1]
    return [row for row in rows if not row.goes_alone]


def _sent(
    row: TrackingSync, number_id: int | None, since: datetime | None, version: int, due_before: datetime | None
) -> Sent:
    assert number_id is not None  # noqa: S101 -- the query asked for rows with an intent
    assert since is not None  # noqa: S101 -- a constraint of the table
    return Sent(row.pk, row.shipment_id, number_id, since, version, due_before or since)


def _with_ids(update: TrackingUpdate, ids: Sequence[str]) -> TrackingUpdate:
    return TrackingUpdate(**{**update.__dict__, "fulfillments": tuple(ids)})


def _write_intents(intents: Sequence[tuple[object, ...]]) -> None:
    columns = ("wanted_id", "sending_id", "sending_since", "kind", "attempts", "due_at")
    update_rows(TrackingSync, columns, intents)
