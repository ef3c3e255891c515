"""The facts that decide about the mails of shipments, read from the rows. What follows from them is in rules.py."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace

from stores.choices import EmailKind, MailSender, Timing
from stores.connectors import registry
from stores.models import MailSettings, PreferenceChange, Store, SyncPreference

from ..choices import AttemptOutcome, EmailState, Stopped
from ..models import CustomerEmail, SyncAttempt, TrackingNumber, TrackingSync
from .rules import MailFacts, Row

# Outcomes of a push that a store may have been asked to write with.
_WROTE = (AttemptOutcome.CREATED, AttemptOutcome.REPLACED, AttemptOutcome.ARRIVED)


def rows_of(shipment_ids: Collection[int]) -> dict[int, tuple[Row, ...]]:
    """What the outbox holds of each shipment, in one query."""
    found: dict[int, list[Row]] = defaultdict(list)
    columns = ("shipment_id", "kind", "state", "number_id", "number__value", "sent_at", "created_at", "reason")
    emails = CustomerEmail.objects.filter(shipment_id__in=shipment_ids).order_by("pk")
    for shipment_id, kind, state, number_id, number, sent_at, created_at, reason in emails.values_list(*columns):
        row = Row(EmailKind(kind), EmailState(state), number_id, number or "", sent_at or created_at, reason)
        found[shipment_id].append(row)
    return {shipment_id: tuple(rows) for shipment_id, rows in found.items()}


def facts_of(
    rows: Iterable[TrackingSync], outbox: dict[int, tuple[Row, ...]], verified: Collection[int] | None = None
) -> dict[int, MailFacts]:
    """The facts of each shipment, by its id, in a few queries whatever their number. Orders have to be loaded.

    `outbox`: rows_of() these shipments. `verified`: the owners whose address is verified; None where it does not
    matter yet. Numbers that the outbox has are known to have been asked about.
    """
    rows = list(rows)
    stores = {row.store_id for row in rows}
    preferences = {p.store_id: p for p in SyncPreference.objects.filter(store_id__in=stores).select_related("store")}
    settings = {each.store_id: each for each in MailSettings.objects.filter(store_id__in=stores)}
    values = dict(TrackingNumber.objects.filter(pk__in=_shown(rows)).values_list("pk", "value"))
    fresh = [row for row in rows if not _is_in(outbox.get(row.shipment_id, ()), row.shown_id)]
    asked = _stores_asked(fresh, preferences)
    found = {}
    common = {
        store_id: _of(preference, settings.get(store_id) or MailSettings(store=preference.store))
        for store_id, preference in preferences.items()
    }
    for row in rows:
        order, of_store = row.shipment.order, common[row.store_id]
        known = outbox.get(row.shipment_id, ())
        # Such a notice goes once, when the order is completed.
        wrote_by_itself = of_store.writes_anyway and row.shown_id is not None and not row.adopted and not known
        found[row.shipment_id] = replace(
            of_store,
            number_id=row.shown_id,
            number=values.get(row.shown_id or 0, ""),
            shown_since=row.synced_at,
            dispatched_at=row.shipment.dispatched_at,
            is_cancelled=order.cancelled_at is not None,
            is_stopped=row.stopped != Stopped.NO,
            is_adopted=row.adopted,
            store_was_asked=row.pk in asked or wrote_by_itself,
            has_address=bool(order.customer_email),
            is_verified=verified is None or preferences[row.store_id].store.owner_id in verified,
            rows=known,
        )
    return found


def of_store(store: Store) -> MailFacts:
    """What decides about the mails of every shipment of this store; the rest as if nothing were shown or known."""
    return _of(store.preference, MailSettings.objects.filter(store=store).first() or MailSettings(store=store))


def _of(preference: SyncPreference, of_store: MailSettings) -> MailFacts:
    store = preference.store
    return MailFacts(
        sender=MailSender(preference.mail_sender),
        timing=Timing(preference.timing),
        is_confirmed=preference.confirmed_at is not None,
        number_id=None,
        number="",
        shown_since=None,
        dispatched_at=None,
        reads_addresses=bool(store.facts.get("reads_customers", True)),
        tells_changed_number=of_store.tells_changed_number,
        writes_anyway=registry.capabilities(store.platform).mails_always and of_store.switched_off_at is None,
        is_connected=store.disconnected_at is None,
    )


def _shown(rows: Iterable[TrackingSync]) -> list[int]:
    return [row.shown_id for row in rows if row.shown_id is not None]


def _is_in(rows: Iterable[Row], number_id: int | None) -> bool:
    """Whether the outbox says of this number already who told it."""
    return any(row.number_id == number_id for row in rows)


def _stores_asked(rows: list[TrackingSync], preferences: dict[int, SyncPreference]) -> set[int]:
    """Rows (ids) whose store was asked to write with the push that brought the number it shows.

    The push went out under the preference of its time, whose version the timeline keeps.
    """
    shown = {row.pk: row for row in rows if row.shown_id is not None and not row.adopted}
    if not shown:
        return set()
    attempts = SyncAttempt.objects.filter(sync_id__in=shown, number_id__in=_shown(shown.values()), outcome__in=_WROTE)
    versions = {
        sync_id: version
        for sync_id, number_id, version in attempts.order_by("pk").values_list(
            "sync_id", "number_id", "preference_version"
        )
        if shown[sync_id].shown_id == number_id
    }
    older = {
        (shown[pk].store_id, version)
        for pk, version in versions.items()
        if version != preferences[shown[pk].store_id].version
    }
    then = _asked_under(older)
    asked = set()
    for pk, version in versions.items():
        preference = preferences[shown[pk].store_id]
        now = preference.mail_sender == MailSender.STORE and preference.confirmed_at is not None
        if then.get((preference.store_id, version), now):
            asked.add(pk)
    return asked


def _asked_under(versions: set[tuple[int, int]]) -> dict[tuple[int, int], bool]:
    """Whether a store was asked to write under an older version of its preference."""
    if not versions:
        return {}
    stores = {store_id for store_id, _version in versions}
    changes = PreferenceChange.objects.filter(preference_id__in=stores).values_list(
        "preference_id", "version", "before", "after"
    )
    kept = {}
    for store_id, version, before, after in changes:
        kept[store_id, version] = after
        kept.setdefault((store_id, version - 1), before)
    return {
        key: choice["mail_sender"] == MailSender.STORE and bool(choice.get("confirmed"))
        for key, choice in kept.items()
        if key in versions
    }
