"""What a choice would do to a store's own orders, exactly and before it is saved.

Only rows that nothing was sent of follow a choice; they are counted in groups (groups.py), decide() and next_state()
are asked once per group under the present and under the new choice, and the answers are multiplied. Nothing is
written here: saving is in stores/preferences.py, carrying it to the rows in plan.py, the words in the views.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.db.models import Count, QuerySet

from stores.choices import NumberSource, Timing
from stores.models import Store

from .choices import NumberKind, SyncState
from .groups import Group, Span, grouped, with_traits
from .models import TrackingSync
from .plan import facts_of, next_state, preference_of
from .policy import Facts, Number, Preference, Wait, decide
from .traits import Choices, Trait, stand_in

EXAMPLES = 5
# A group that is at least this part of all rows is found again by looking at a few hundred of them.
COMMON = 0.01
FEW = 10_000


class Fate(enum.StrEnum):
    """What becomes of a row."""

    NOW = "now"  # its number goes out now
    LATER = "later"  # its number goes out at a known time
    WAITS = "waits"  # for an event
    PERSON = "person"  # a person has to look first


@dataclass(frozen=True)
class Outlook:
    """What becomes of one row under one choice."""

    fate: Fate
    kind: NumberKind | None = None
    reason: str = ""  # a WaitCode
    number: str = ""
    at: datetime | None = None
    values: Mapping[str, str] = field(default_factory=dict)

    def same_as(self, other: Outlook) -> bool:
        """Whether a merchant would see no difference, times apart."""
        return (self.fate, self.kind, self.reason) == (other.fate, other.kind, other.reason)


@dataclass(frozen=True)
class Example:
    """One order: now → then."""

    order: str
    parcel: int
    before: Outlook
    after: Outlook


@dataclass(frozen=True)
class Effect:
    """What a choice does to the rows of one store."""

    due_now: int
    due_anyway: int  # of these, how many go out now under the present choice too
    held_back: int  # would go out now under the present choice and do not under the new one
    later: int
    later_span: Span  # none goes before the first, and the last goes at the last
    waiting: tuple[tuple[str, int], ...]  # (WaitCode, rows), most first
    needs_person: int
    already_sent: int
    changed: int
    examples: tuple[Example, ...] = ()
    invented: bool = False  # the examples are made up: nothing waits in this store

    @property
    def keep_waiting(self) -> int:
        """How many wait for an event."""
        return sum(count for _, count in self.waiting)

    @property
    def followers(self) -> int:
        """How many rows a choice reaches at all."""
        return self.due_now + self.later + self.keep_waiting + self.needs_person


def chosen(store: Store, timing: str, number_source: str, delay_hours: int) -> Preference:
    """The store's preference as it would be with this choice. The store must come with its preference."""
    return replace(
        preference_of(store.preference),
        timing=Timing(timing),
        number_source=NumberSource(number_source),
        delay_hours=delay_hours,
    )


def effect(store: Store, new: Preference, now: datetime) -> Effect:
    """What this choice would do to the store's orders, with examples. The store must come with its preference.

    One query counts the groups, one all rows of the store; a few more fetch the examples, however many rows there are.
    """
    choices = Choices(store, preference_of(store.preference), new)
    groups = grouped(_reached(), [choices], now)
    found = _effect(choices, groups, _rows([store]).get(store.pk, 0), now)
    if not groups:
        return replace(found, examples=invented(choices, now), invented=True)
    return replace(found, examples=_examples(choices, groups, now))


def effects(chosen_for: Iterable[tuple[Store, Preference]], now: datetime) -> dict[int, Effect]:
    """What a choice would do to the orders of each store, by store id, without examples: two queries for all."""
    choices = [Choices(store, preference_of(store.preference), new) for store, new in chosen_for]
    groups = grouped(_reached(), choices, now) if choices else []
    rows = _rows([each.store for each in choices]) if choices else {}
    return {
        each.store.pk: _effect(
            each, [g for g in groups if g.store_id == each.store.pk], rows.get(each.store.pk, 0), now
        )
        for each in choices
    }


def outlook(row: TrackingSync, facts: Facts, preference: Preference, now: datetime) -> Outlook:
    """What becomes of a row that nothing was sent of. Pure; asks decide() and next_state()."""
    decision = decide(facts, preference)
    planned = next_state(row, decision, preference.version, now)
    if planned.state == SyncState.ATTENTION:
        return Outlook(Fate.PERSON)
    if isinstance(decision, Wait):
        return Outlook(Fate.WAITS, reason=decision.reason, values=decision.values)
    fate = Fate.NOW if planned.due_at is None or planned.due_at <= now else Fate.LATER
    return Outlook(fate, kind=decision.number.kind, number=decision.number.value, at=planned.due_at)


def differ(before: Outlook, after: Outlook, choices: Choices) -> bool:
    """Whether the choice makes a difference to a row with these outlooks; another delay is one."""
    if before.fate == after.fate == Fate.LATER and choices.old.delay_hours != choices.new.delay_hours:
        return True
    return not before.same_as(after)


def invented(choices: Choices, now: datetime) -> tuple[Example, ...]:
    """Three parcels that a store may have, for one that has none yet: marked as invented wherever they are shown."""
    day = timedelta(days=1)
    own = Number(1, NumberKind.OWN, f"{choices.new.own_prefix}2600000001", now - day)
    local = Number(2, NumberKind.LOCAL, "YT2600000000000001", now - day)
    paid = Facts(
        placed_at=max(choices.new.sync_from, now - day),
        paid_at=now - day,
        dispatched_at=None,
        cancelled_at=None,
        default_number=NumberKind.LOCAL,
        own=None,
        local=local,
    )
    ours = replace(paid, default_number=NumberKind.OWN, own=own, local=None)
    gone = replace(ours, dispatched_at=now - timedelta(hours=2), local=local)
    row = TrackingSync(state=SyncState.WAITING)
    return tuple(
        Example(
            f"#{number}",
            1,
            outlook(row, facts, choices.old, now),
            outlook(row, facts, choices.new, now),
        )
        for number, facts in ((1001, paid), (1002, ours), (1003, gone))
    )


def _reached() -> QuerySet[TrackingSync]:
    """The rows that follow a choice: nothing was sent of them."""
    return TrackingSync.objects.filter(shown__isnull=True, sending__isnull=True)


def _rows(stores: Iterable[Store]) -> dict[int, int]:
    """How many rows each store has, sent or not."""
    rows = TrackingSync.objects.filter(store__in=[store.pk for store in stores])
    return dict(rows.order_by().values_list("store_id").annotate(count=Count("pk")))


def _effect(choices: Choices, groups: list[Group], rows: int, now: datetime) -> Effect:
    """The answers of decide(), multiplied."""
    fates: Counter[Fate] = Counter()
    waiting: Counter[str] = Counter()
    changed = anyway = held_back = 0
    later: list[Span] = []
    for group in groups:
        before, after = _outlooks(group, choices, now)
        fates[after.fate] += group.count
        if after.fate == Fate.WAITS:
            waiting[after.reason] += group.count
        if after.fate == Fate.LATER:
            later.append(_when(group, after, choices.new, now))
        if differ(before, after, choices):
            changed += group.count
        anyway += group.count if before.fate == after.fate == Fate.NOW else 0
        held_back += group.count if before.fate == Fate.NOW != after.fate else 0
    return Effect(
        due_now=fates[Fate.NOW],
        due_anyway=anyway,
        held_back=held_back,
        later=fates[Fate.LATER],
        later_span=Span(
            min((span.first for span in later if span.first), default=None),
            max((span.last for span in later if span.last), default=None),
        ),
        waiting=tuple(waiting.most_common()),
        needs_person=fates[Fate.PERSON],
        already_sent=rows - sum(group.count for group in groups),
        changed=changed,
    )


def _outlooks(group: Group, choices: Choices, now: datetime) -> tuple[Outlook, Outlook]:
    """What becomes of the rows of a group under the present and under the new choice."""
    row, facts = stand_in(group.traits, now, choices)
    return outlook(row, facts, choices.old, now), outlook(row, facts, choices.new, now)


def _when(group: Group, after: Outlook, preference: Preference, now: datetime) -> Span:
    """Between which times the rows of a group go out that all go out later.

    Each goes at the latest of some times, so the latest of all is one of the latest, and none goes before the
    latest of the earliest.
    """
    delay = timedelta(hours=preference.delay_hours)
    spans = [group.own if after.kind == NumberKind.OWN else group.local]
    spans.append(Span(*(at + delay if at else None for at in (group.paid.first, group.paid.last))))
    if preference.timing == Timing.AFTER_DISPATCH:
        spans.append(group.dispatched)
    wanted = Trait.WANTS_OWN if after.kind == NumberKind.OWN else Trait.WANTS_LOCAL
    if Trait.TRIED | Trait.DUE | wanted in group.traits:  # a back-off stands while the same number is wanted
        spans.append(group.due)
    return Span(
        max((span.first for span in spans if span.first), default=None),
        max((span.last for span in spans if span.last and span.last > now), default=None),
    )


def _examples(choices: Choices, groups: list[Group], now: datetime) -> tuple[Example, ...]:
    """Orders that the choice makes a difference to, in turn from the largest groups, newest first."""
    changing = sorted((g for g in groups if differ(*_outlooks(g, choices, now), choices)), key=lambda g: -g.count)
    picked = _pick(choices, changing[:EXAMPLES], sum(group.count for group in groups), now)
    planables = facts_of(picked)
    return tuple(
        Example(
            planable.row.shipment.order.number,
            planable.row.shipment.parcel,
            outlook(planable.row, planable.facts, choices.old, now),
            outlook(planable.row, planable.facts, choices.new, now),
        )
        for planable in (planables[shipment_id] for shipment_id in picked if shipment_id in planables)
    )


def _pick(choices: Choices, groups: list[Group], rows: int, now: datetime) -> list[int]:
    """Shipments of these groups: the newest and the oldest of each in turn, and more of them where those are few."""
    turns = [[group.last_shipment for group in groups], [group.first_shipment for group in groups]]
    picked = list(dict.fromkeys(shipment_id for turn in turns for shipment_id in turn))[:EXAMPLES]
    wanted = min(EXAMPLES, sum(group.count for group in groups)) - len(picked)
    if wanted and (rows < FEW or groups[0].count > COMMON * rows):
        marked = with_traits(_reached(), [choices], now).filter(traits__in=[int(group.traits) for group in groups])
        picked += marked.exclude(shipment_id__in=picked).values_list("shipment_id", flat=True)[:wanted]
    return picked
