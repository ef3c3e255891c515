"""What planning promises for any row the database can hold: never taken back, nothing changed twice, no rule broken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from orders.choices import NumberKind, RowCode, Stopped, SyncState
from orders.models import TrackingSync
from orders.plan import COLUMNS, Planned, next_state
from orders.policy import Facts, Number, Preference, Send, Wait, decide
from stores.choices import NumberSource, Timing

# Much of what is tried waits for something and is passed over where a test is about what goes.
whatever = settings(suppress_health_check=[HealthCheck.filter_too_much])

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
NOW = MONDAY + timedelta(days=10)
# Ids of the numbers that a parcel has, and of those it had.
OWN, LOCAL, OLD_OWN, OLD_LOCAL = 1, 2, 3, 4
KIND_OF = {OWN: "own", LOCAL: "local", OLD_OWN: "own", OLD_LOCAL: "local"}

times = st.integers(0, 20).map(lambda days: MONDAY + timedelta(days=days))
any_number = st.sampled_from([None, *KIND_OF])


def broken_rules(row: TrackingSync) -> list[str]:
    """The rules of the table that the row breaks; the database holds the same ones."""
    rules = {
        "synced means the store shows what is wanted": row.state != SyncState.SYNCED
        or (row.shown_id is not None and row.sending_id is None and row.shown_id == row.wanted_id),
        "due rows and only they have a time": (row.state == SyncState.DUE) == (row.due_at is not None),
        "an intent says since when": (row.sending_id is None) == (row.sending_since is None),
    }
    return [rule for rule, holds in rules.items() if not holds]


@st.composite
def rows(draw: st.DrawFn, *, states: Sequence[SyncState], has_intent: bool | None) -> TrackingSync:
    """Any row the table may hold, and some that only a mistake would put there."""
    state = draw(st.sampled_from(states))
    shown, wanted = draw(any_number), draw(any_number)
    under_way = state != SyncState.SYNCED and (draw(st.booleans()) if has_intent is None else has_intent)
    sending = draw(st.sampled_from(sorted(KIND_OF))) if under_way else None
    if state == SyncState.SYNCED:
        shown = wanted = shown or OWN
    number = sending or shown
    row = TrackingSync(
        pk=1,
        shipment_id=1,
        store_id=1,
        wanted_id=wanted,
        sending_id=sending,
        sending_since=draw(times) if sending else None,
        shown_id=shown,
        kind=KIND_OF[number] if number else draw(st.sampled_from(["", "own", "local"])),
        state=state,
        reason=draw(st.sampled_from(["", "unpaid", "rejected", *RowCode])),
        reason_values=draw(st.sampled_from([{}, {"number": "CJP1"}])),
        due_at=draw(times) if state == SyncState.DUE else None,
        due_since=draw(times) if state == SyncState.DUE else None,
        attempts=draw(st.integers(0, 3)),
        stopped=draw(st.sampled_from([Stopped.NO] * 20 + list(Stopped))),
        planned_version=draw(st.integers(0, 5)),
        state_since=draw(times),
    )
    assert broken_rules(row) == []
    return row


@st.composite
def facts_for(draw: st.DrawFn, row: TrackingSync, *, is_cancelled: bool | None) -> Facts:
    """Anything that can be known of the parcel of this row, most of it most of the time."""

    def mostly(strategy: st.SearchStrategy[Any]) -> Any:
        return draw(strategy) if draw(st.integers(0, 11)) else None

    cancelled = draw(st.integers(0, 5)) == 0 if is_cancelled is None else is_cancelled
    is_promised = row.kind and (row.sending_id or row.shown_id)
    local_values = st.sampled_from(["YT123"] * 5 + ["CJP9"])
    return Facts(
        placed_at=draw(times),
        paid_at=mostly(times),
        dispatched_at=mostly(times),
        cancelled_at=draw(times) if cancelled else None,
        default_number=mostly(st.sampled_from(NumberKind)),
        own=mostly(st.builds(Number, st.just(OWN), st.just(NumberKind.OWN), st.just("CJP123"), times)),
        local=mostly(st.builds(Number, st.just(LOCAL), st.just(NumberKind.LOCAL), local_values, times)),
        kind=NumberKind(row.kind) if is_promised else None,
        is_shown=row.shown_id is not None,
        stopped=Stopped(row.stopped),
    )


preferences = st.builds(
    Preference,
    timing=st.sampled_from(Timing),
    number_source=st.sampled_from(NumberSource),
    delay_hours=st.integers(0, 24 * 20),
    sync_from=st.integers(-20, 5).map(lambda days: MONDAY + timedelta(days=days)),
    own_prefix=st.just("CJP"),
    version=st.integers(1, 9),
)


@dataclass(frozen=True)
class Situation:
    row: TrackingSync
    facts: Facts
    preference: Preference

    @property
    def decision(self) -> Send | Wait:
        return decide(self.facts, self.preference)

    def planned(self, now: datetime = NOW) -> Planned:
        return next_state(self.row, self.decision, self.preference.version, now)


@st.composite
def situations(
    draw: st.DrawFn,
    *,
    states: Sequence[SyncState] = tuple(SyncState),
    has_intent: bool | None = None,
    is_cancelled: bool | None = None,
) -> Situation:
    row = draw(rows(states=states, has_intent=has_intent))
    return Situation(row, draw(facts_for(row, is_cancelled=is_cancelled)), draw(preferences))


def written(row: TrackingSync, planned: Planned) -> TrackingSync:
    """The row as it is after the plan was written down."""
    values = {field.attname: getattr(row, field.attname) for field in TrackingSync._meta.concrete_fields}
    return TrackingSync(**values | {column: getattr(planned, column) for column in COLUMNS})


@given(situations(), st.integers(0, 100))
def test_planning_twice_changes_nothing(it: Situation, hours_later: int) -> None:
    planned = it.planned()
    again = replace(it, row=written(it.row, planned))

    assert again.planned(NOW + timedelta(hours=hours_later)) == planned


@given(situations())
def test_a_plan_never_breaks_a_rule_of_the_table(it: Situation) -> None:
    assert broken_rules(written(it.row, it.planned())) == []


@given(situations())
def test_what_is_wanted_is_what_was_decided_and_on_a_wait_what_is_shown(it: Situation) -> None:
    decision = it.decision

    expected = decision.number.id if isinstance(decision, Send) else it.row.shown_id
    assert it.planned().wanted_id == expected


@whatever
@given(situations(has_intent=False))
def test_a_wait_never_takes_back_what_is_shown(it: Situation) -> None:
    planned = it.planned()

    assume(isinstance(it.decision, Wait) and it.row.shown_id is not None)
    assert planned.wanted_id == it.row.shown_id
    assert planned.state in (SyncState.WAITING, SyncState.ATTENTION)
    assert planned.due_at is None


@given(situations(has_intent=True, states=(SyncState.DUE, SyncState.WAITING, SyncState.ATTENTION)))
def test_while_an_intent_is_under_way_only_what_is_wanted_after_it_changes(it: Situation) -> None:
    row, planned = it.row, it.planned()

    unchanged = [column for column in COLUMNS if column not in ("wanted_id", "planned_version")]
    assert {c: getattr(planned, c) for c in unchanged} == {c: getattr(row, c) for c in unchanged}


@whatever
@given(situations(has_intent=False, states=(SyncState.ATTENTION,)))
def test_attention_ends_only_when_another_number_is_wanted_or_its_cause_is_a_cancellation_or_a_person(
    it: Situation,
) -> None:
    row, planned = it.row, it.planned()

    assume(row.reason != RowCode.CANCELLED_AFTER_SENT)
    is_over = planned.state != SyncState.ATTENTION
    assert not is_over or planned.wanted_id != row.wanted_id or it.facts.cancelled_at is not None or row.stopped


@whatever
@given(situations(has_intent=False, is_cancelled=True))
def test_a_cancelled_order_whose_number_is_out_needs_a_person(it: Situation) -> None:
    row, planned = it.row, it.planned()

    assume(row.shown_id is not None and not row.stopped)
    assert (planned.state, planned.reason) == (SyncState.ATTENTION, RowCode.CANCELLED_AFTER_SENT)
    assert planned.reason_values == {"since": it.facts.cancelled_at.isoformat()}


@given(situations(has_intent=False, is_cancelled=False))
def test_nothing_is_due_before_the_decision_allows_it(it: Situation) -> None:
    first, decision = it.planned(), it.decision
    it.row.wanted_id = it.row.shown_id if it.row.state == SyncState.SYNCED else first.wanted_id

    for planned in (first, it.planned()):
        if planned.state == SyncState.DUE:
            assert isinstance(decision, Send)
            assert planned.due_at >= decision.not_before


@whatever
@given(situations(has_intent=False, is_cancelled=False, states=(SyncState.DUE,)))
def test_a_back_off_is_kept_while_the_same_number_is_wanted(it: Situation) -> None:
    row, planned, decision = it.row, it.planned(), it.decision

    assume(row.attempts > 0 and row.shown_id != planned.wanted_id and isinstance(decision, Send))
    row.wanted_id = planned.wanted_id
    planned = it.planned()
    assert (planned.due_at, planned.attempts) == (max(row.due_at, decision.not_before), row.attempts)


@whatever
@given(situations(has_intent=False, is_cancelled=False, states=(SyncState.DUE,)))
def test_another_number_begins_afresh(it: Situation) -> None:
    row, planned, decision = it.row, it.planned(), it.decision

    assume(isinstance(decision, Send) and planned.wanted_id not in (row.wanted_id, row.shown_id))
    assert (planned.state, planned.reason, planned.due_at, planned.attempts) == ("due", "", decision.not_before, 0)
    assert planned.due_since == max(decision.not_before, NOW)


@whatever
@given(situations(has_intent=False, is_cancelled=False))
def test_a_row_that_shows_what_is_wanted_is_in_the_store_or_needs_a_person(it: Situation) -> None:
    row, planned = it.row, it.planned()

    assume(isinstance(it.decision, Send) and row.shown_id == planned.wanted_id)
    assert planned.state in (SyncState.SYNCED, SyncState.ATTENTION)


@given(situations())
def test_the_state_counts_from_the_moment_it_or_its_reason_changed(it: Situation) -> None:
    row, planned = it.row, it.planned()

    is_the_same = (planned.state, planned.reason) == (row.state, row.reason)
    assert planned.state_since == (row.state_since if is_the_same else NOW)


# --- the order in which things happen --------------------------------------------------------------------------

Happening = Callable[[Facts], Facts]


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Happening], list[Happening]]:
    """The same things happening in two orders."""
    own = Number(OWN, NumberKind.OWN, "CJP123", draw(times))
    local = Number(LOCAL, NumberKind.LOCAL, "YT123", draw(times))
    paid, dispatched, cancelled = draw(times), draw(times), draw(times)
    kind = draw(st.sampled_from(NumberKind))
    all_there_is: list[Happening] = [
        lambda facts: replace(facts, paid_at=paid),
        lambda facts: replace(facts, dispatched_at=dispatched),
        lambda facts: replace(facts, own=own),
        lambda facts: replace(facts, local=local),
        lambda facts: replace(facts, default_number=kind),
        lambda facts: replace(facts, cancelled_at=cancelled),
    ]
    happen = draw(st.lists(st.sampled_from(all_there_is), unique=True))
    return happen, draw(st.permutations(happen))


def end_of(story: list[Happening], preference: Preference) -> Planned:
    """The row after all that happened, planned after each."""
    row = TrackingSync(pk=1, shipment_id=1, store_id=1, planned_version=0, state_since=MONDAY)
    facts = Facts(
        placed_at=MONDAY,
        paid_at=None,
        dispatched_at=None,
        cancelled_at=None,
        default_number=None,
        own=None,
        local=None,
    )
    planned = Situation(row, facts, preference).planned()
    for happening in story:
        row, facts = written(row, planned), happening(facts)
        planned = Situation(row, facts, preference).planned()
    return planned


@given(stories(), preferences)
def test_the_order_in_which_things_happen_does_not_matter(
    story: tuple[list[Happening], list[Happening]], preference: Preference
) -> None:
    one, other = story

    assert end_of(one, preference) == end_of(other, preference)
