"""What the decision promises whatever is known of a parcel, tried on parcels that nobody thought of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from orders.choices import NumberKind, Stopped, WaitCode
from orders.policy import Facts, Number, Preference, Send, Wait, decide
from stores.choices import NumberSource, Timing

# Much of what is tried waits for something and is passed over where a test is about what goes.
whatever = settings(suppress_health_check=[HealthCheck.filter_too_much])

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)

times = st.integers(0, 21).map(lambda days: MONDAY + timedelta(days=days))
values = st.sampled_from(["CJP123456789", "YT2606200000000001", "LP00123456789012", "C", "1CJP"])


@st.composite
def parcels(draw: st.DrawFn, *, is_shown: bool | None = None) -> Facts:
    """Anything that can be known of a parcel, most of it most of the time. What is shown was promised."""

    def mostly(strategy: st.SearchStrategy[Any]) -> Any:
        return draw(strategy) if draw(st.integers(0, 11)) else None

    kind = draw(st.sampled_from([None, *NumberKind]))
    shown = draw(st.booleans()) if is_shown is None else is_shown
    return Facts(
        placed_at=draw(times),
        paid_at=mostly(times),
        dispatched_at=mostly(times),
        cancelled_at=draw(st.sampled_from([None] * 11 + [MONDAY])),
        default_number=mostly(st.sampled_from(NumberKind)),
        own=mostly(st.builds(Number, st.just(1), st.just(NumberKind.OWN), values, times)),
        local=mostly(st.builds(Number, st.just(2), st.just(NumberKind.LOCAL), values, times)),
        kind=kind,
        is_shown=kind is not None and shown,
        stopped=draw(st.sampled_from([Stopped.NO] * 20 + list(Stopped))),
    )


preferences = st.builds(
    Preference,
    timing=st.sampled_from(Timing),
    number_source=st.sampled_from(NumberSource),
    delay_hours=st.integers(0, 24 * 60),
    sync_from=st.integers(-21, 7).map(lambda days: MONDAY + timedelta(days=days)),
    own_prefix=st.just("CJP"),
    version=st.integers(1, 9),
)


@whatever
@given(parcels(), preferences)
def test_the_kind_is_the_one_promised_or_else_the_one_chosen(facts: Facts, preference: Preference) -> None:
    decision = decide(facts, preference)

    assume(isinstance(decision, Send))
    if facts.kind is not None:
        assert decision.number.kind == facts.kind
    elif preference.number_source == NumberSource.LOCAL:
        assert decision.number.kind == NumberKind.LOCAL
    else:
        assert decision.number.kind == facts.default_number


@given(parcels(), preferences)
def test_what_goes_is_a_current_number_of_the_parcel(facts: Facts, preference: Preference) -> None:
    decision = decide(facts, preference)

    assert isinstance(decision, Wait) or decision.number in (facts.own, facts.local)


@whatever
@given(parcels(), preferences)
def test_a_local_number_that_goes_never_looks_like_our_own(facts: Facts, preference: Preference) -> None:
    decision = decide(facts, preference)

    assume(isinstance(decision, Send) and decision.number.kind == NumberKind.LOCAL)
    assert not decision.number.value.startswith("CJP")


@whatever
@given(parcels(is_shown=False), preferences)
def test_no_first_number_before_the_payment_and_its_delay(facts: Facts, preference: Preference) -> None:
    decision = decide(facts, preference)

    assume(isinstance(decision, Send))
    assert facts.paid_at is not None
    assert decision.not_before >= facts.paid_at + timedelta(hours=preference.delay_hours)


@whatever
@given(parcels(is_shown=False), preferences)
def test_no_first_number_before_the_dispatch_where_that_is_chosen(facts: Facts, preference: Preference) -> None:
    decision = decide(facts, replace(preference, timing=Timing.AFTER_DISPATCH))

    assume(isinstance(decision, Send))
    assert facts.dispatched_at is not None
    assert decision.not_before >= facts.dispatched_at


@given(parcels(), preferences)
def test_where_before_is_chosen_the_dispatch_changes_nothing(facts: Facts, preference: Preference) -> None:
    before = replace(preference, timing=Timing.BEFORE_DISPATCH)

    assert decide(facts, before) == decide(replace(facts, dispatched_at=None), before)


@given(parcels(is_shown=False), preferences)
def test_no_order_older_than_the_sync_gets_its_first_number(facts: Facts, preference: Preference) -> None:
    decision = decide(facts, preference)

    assert isinstance(decision, Wait) or facts.placed_at >= preference.sync_from


@given(parcels(), preferences)
def test_a_cancelled_order_gets_nothing(facts: Facts, preference: Preference) -> None:
    decision = decide(replace(facts, cancelled_at=MONDAY), preference)

    assert decision == Wait(WaitCode.CANCELLED, {"since": MONDAY.isoformat()})


@given(parcels(), preferences)
def test_a_person_stops_everything(facts: Facts, preference: Preference) -> None:
    assert isinstance(decide(replace(facts, stopped=Stopped.GIVEN_UP), preference), Wait)


@given(parcels(), preferences, st.sampled_from(NumberKind), times)
def test_what_replaces_a_shown_number_goes_at_once(
    facts: Facts, preference: Preference, kind: NumberKind, known_at: datetime
) -> None:
    number = Number(7, kind, "CJP777" if kind == NumberKind.OWN else "YT777", known_at)
    shown = replace(facts, kind=kind, is_shown=True, cancelled_at=None, stopped=Stopped.NO, own=number, local=number)
    decision = decide(shown, preference)

    assert isinstance(decision, Send)
    assert (decision.number, decision.not_before) == (number, known_at)


@given(parcels(), preferences)
def test_once_shown_no_preference_changes_anything(facts: Facts, preference: Preference) -> None:
    shown = replace(facts, kind=facts.kind or NumberKind.LOCAL, is_shown=True)
    other = Preference(Timing.BEFORE_DISPATCH, NumberSource.DEFAULT, 0, MONDAY + timedelta(days=99), "CJP", 12)

    assert decide(shown, preference) == decide(shown, other)


@given(parcels(), preferences)
def test_deciding_twice_is_deciding_once(facts: Facts, preference: Preference) -> None:
    assert decide(facts, preference) == decide(facts, preference)


@given(parcels(), preferences, preferences)
def test_the_versions_of_a_choice_decide_nothing(facts: Facts, preference: Preference, other: Preference) -> None:
    assert decide(facts, preference) == decide(facts, replace(preference, version=other.version))


@whatever
@given(parcels(is_shown=False), preferences, times)
def test_a_later_fact_never_lets_a_number_go_earlier(facts: Facts, preference: Preference, later: datetime) -> None:
    first = decide(facts, preference)
    assume(isinstance(first, Send))
    moved = replace(
        facts,
        paid_at=max(facts.paid_at, later),
        dispatched_at=facts.dispatched_at and max(facts.dispatched_at, later),
    )

    second = decide(moved, preference)

    assert isinstance(second, Send)
    assert second.number == first.number
    assert second.not_before >= first.not_before
