"""The client's text as tables: which number goes to a store, and not before when.

The tables hold the named cases, each with its whole answer. Below them every combination there is, compared with
`the_text_says`: the text once more, in other words and without a look at decide().
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from orders.choices import NumberKind, SendCode, Stopped, WaitCode
from orders.policy import Decision, Facts, Number, Preference, Send, Wait, decide
from stores.choices import NumberSource, Timing

BEFORE, AFTER = Timing.BEFORE_DISPATCH, Timing.AFTER_DISPATCH
DEFAULT, LOCAL = NumberSource.DEFAULT, NumberSource.LOCAL

# --- the words of the tables ------------------------------------------------------------------------------

SYNC_FROM = datetime(2026, 3, 1, tzinfo=UTC)
LAST_WEEK = datetime(2026, 2, 25, 9, tzinfo=UTC)
PLACED = datetime(2026, 3, 2, 9, tzinfo=UTC)
PAID = datetime(2026, 3, 2, 12, tzinfo=UTC)
OWN_KNOWN = datetime(2026, 3, 2, 13, tzinfo=UTC)
LOCAL_KNOWN = datetime(2026, 3, 2, 14, tzinfo=UTC)
DISPATCHED = datetime(2026, 3, 4, 15, tzinfo=UTC)
LATE = datetime(2026, 3, 5, 16, tzinfo=UTC)
CANCELLED = datetime(2026, 3, 3, 10, tzinfo=UTC)

CJP = Number(1, NumberKind.OWN, "CJP123456789", OWN_KNOWN)
YT = Number(2, NumberKind.LOCAL, "YT2606200000000001", LOCAL_KNOWN)
LATE_CJP = replace(CJP, known_at=LATE)
LATE_YT = replace(YT, known_at=LATE)
CJP_AS_LOCAL = Number(3, NumberKind.LOCAL, "CJP987654321", LOCAL_KNOWN)

# The kind that the catalogue gives each shipping method. Two lines of CJPacket have the fulfilment company's number.
METHODS: dict[str, NumberKind | None] = {
    "CJPacket Ordinary": NumberKind.OWN,
    "CJPacket Sensitive": NumberKind.OWN,
    "CJPacket Asia Ordinary": NumberKind.LOCAL,
    "CJPacket Ordinary Oversize Line": NumberKind.LOCAL,
    "CJPacket Liquid US": NumberKind.LOCAL,
    "YunExpress": NumberKind.LOCAL,
    "not known": None,
}

Happening = Callable[[Facts], Facts]


def its_method_is(name: str) -> Happening:
    return lambda facts: replace(facts, default_number=METHODS[name])


def it_is_paid(facts: Facts) -> Facts:
    return replace(facts, paid_at=PAID)


def it_is_dispatched(facts: Facts) -> Facts:
    return replace(facts, dispatched_at=DISPATCHED)


def it_is_cancelled(facts: Facts) -> Facts:
    return replace(facts, cancelled_at=CANCELLED)


def both_numbers_are_known(facts: Facts) -> Facts:
    return replace(facts, own=CJP, local=YT)


def only_ours_is_known(facts: Facts) -> Facts:
    return replace(facts, own=CJP)


def only_local_is_known(facts: Facts) -> Facts:
    return replace(facts, local=YT)


def both_numbers_come_late(facts: Facts) -> Facts:
    return replace(facts, own=LATE_CJP, local=LATE_YT)


def local_number_looks_like_ours(facts: Facts) -> Facts:
    return replace(facts, own=CJP, local=CJP_AS_LOCAL)


def it_is_too_old(facts: Facts) -> Facts:
    return replace(facts, placed_at=LAST_WEEK)


def our_number_is_being_sent(facts: Facts) -> Facts:
    return replace(facts, kind=NumberKind.OWN)


def our_number_is_shown(facts: Facts) -> Facts:
    return replace(facts, kind=NumberKind.OWN, is_shown=True)


def local_number_is_being_sent(facts: Facts) -> Facts:
    return replace(facts, kind=NumberKind.LOCAL)


def local_number_is_shown(facts: Facts) -> Facts:
    return replace(facts, kind=NumberKind.LOCAL, is_shown=True)


def a_person_gave_it_up(facts: Facts) -> Facts:
    return replace(facts, stopped=Stopped.GIVEN_UP)


def a_person_withdrew_it(facts: Facts) -> Facts:
    return replace(facts, stopped=Stopped.WITHDRAWN)


def after(*happenings: Happening) -> Facts:
    """What is known of a parcel after all this: to begin with, nothing but that its order was placed."""
    facts = Facts(
        placed_at=PLACED,
        paid_at=None,
        dispatched_at=None,
        cancelled_at=None,
        default_number=None,
        own=None,
        local=None,
    )
    for happening in happenings:
        facts = happening(facts)
    return facts


nothing: tuple[Happening, ...] = ()


def chosen(timing: Timing, source: NumberSource, *, delay_hours: int = 0) -> Preference:
    return Preference(timing, source, delay_hours, sync_from=SYNC_FROM, own_prefix="CJP")


# --- which number ---------------------------------------------------------------------------------------------

WHICH = [
    # source, shipping method,                   the number that goes, and why
    (DEFAULT, "CJPacket Ordinary", CJP, SendCode.OWN_FOR_THIS_METHOD),
    (DEFAULT, "CJPacket Sensitive", CJP, SendCode.OWN_FOR_THIS_METHOD),
    (DEFAULT, "CJPacket Asia Ordinary", YT, SendCode.LOCAL_FOR_THIS_METHOD),
    (DEFAULT, "CJPacket Ordinary Oversize Line", YT, SendCode.LOCAL_FOR_THIS_METHOD),
    (DEFAULT, "CJPacket Liquid US", YT, SendCode.LOCAL_FOR_THIS_METHOD),
    (DEFAULT, "YunExpress", YT, SendCode.LOCAL_FOR_THIS_METHOD),
    (LOCAL, "CJPacket Ordinary", YT, SendCode.LOCAL_CHOSEN),
    (LOCAL, "CJPacket Sensitive", YT, SendCode.LOCAL_CHOSEN),
    (LOCAL, "CJPacket Asia Ordinary", YT, SendCode.LOCAL_CHOSEN),
    (LOCAL, "CJPacket Ordinary Oversize Line", YT, SendCode.LOCAL_CHOSEN),
    (LOCAL, "CJPacket Liquid US", YT, SendCode.LOCAL_CHOSEN),
    (LOCAL, "YunExpress", YT, SendCode.LOCAL_CHOSEN),
    (LOCAL, "not known", YT, SendCode.LOCAL_CHOSEN),
]


@pytest.mark.parametrize("source, method, number, why", WHICH)
def test_which_number_goes(source: NumberSource, method: str, number: Number, why: SendCode) -> None:
    facts = after(its_method_is(method), it_is_paid, both_numbers_are_known, it_is_dispatched)

    assert decide(facts, chosen(BEFORE, source)) == Send(number, number.known_at, why)
    assert decide(facts, chosen(AFTER, source)) == Send(number, DISPATCHED, why)


@pytest.mark.parametrize("timing", [BEFORE, AFTER])
def test_by_default_an_unknown_shipping_method_is_waited_for(timing: Timing) -> None:
    facts = after(it_is_paid, both_numbers_are_known, it_is_dispatched)

    assert decide(facts, chosen(timing, DEFAULT)) == Wait(WaitCode.METHOD_MISSING)


NO_OWN_BUT_YT = Wait(WaitCode.OWN_NUMBER_MISSING, {"other": YT.value})
NO_LOCAL_BUT_CJP = Wait(WaitCode.LOCAL_NUMBER_MISSING, {"other": CJP.value})

MISSING = [
    # source, shipping method, what there is, what is waited for
    (DEFAULT, "CJPacket Ordinary", nothing, Wait(WaitCode.OWN_NUMBER_MISSING)),
    (DEFAULT, "CJPacket Ordinary", (only_local_is_known,), NO_OWN_BUT_YT),
    (DEFAULT, "CJPacket Sensitive", (only_local_is_known,), NO_OWN_BUT_YT),
    (DEFAULT, "YunExpress", nothing, Wait(WaitCode.LOCAL_NUMBER_MISSING)),
    (DEFAULT, "YunExpress", (only_ours_is_known,), NO_LOCAL_BUT_CJP),
    (DEFAULT, "CJPacket Liquid US", (only_ours_is_known,), NO_LOCAL_BUT_CJP),
    (LOCAL, "CJPacket Ordinary", nothing, Wait(WaitCode.LOCAL_NUMBER_MISSING)),
    (LOCAL, "CJPacket Ordinary", (only_ours_is_known,), NO_LOCAL_BUT_CJP),
    (LOCAL, "not known", (only_ours_is_known,), NO_LOCAL_BUT_CJP),
]


@pytest.mark.parametrize("timing", [BEFORE, AFTER])
@pytest.mark.parametrize("source, method, known, expected", MISSING)
def test_a_missing_number_is_waited_for_and_never_replaced_by_another_kind(
    timing: Timing, source: NumberSource, method: str, known: tuple[Happening, ...], expected: Wait
) -> None:
    facts = after(its_method_is(method), it_is_paid, it_is_dispatched, *known)

    assert decide(facts, chosen(timing, source)) == expected


LOOKS_LIKE_OURS = Wait(WaitCode.LOOKS_LIKE_OWN, {"number": "CJP987654321", "prefix": "CJP"})


@pytest.mark.parametrize(
    "source, method, expected",
    [
        (DEFAULT, "YunExpress", LOOKS_LIKE_OURS),
        (DEFAULT, "CJPacket Asia Ordinary", LOOKS_LIKE_OURS),
        (LOCAL, "CJPacket Ordinary", LOOKS_LIKE_OURS),
        (LOCAL, "not known", LOOKS_LIKE_OURS),
        # where our own number goes anyway, a strange local one is nobody's trouble
        (DEFAULT, "CJPacket Ordinary", Send(CJP, OWN_KNOWN, SendCode.OWN_FOR_THIS_METHOD)),
    ],
)
def test_a_local_number_that_looks_like_our_own_is_not_sent(
    source: NumberSource, method: str, expected: Decision
) -> None:
    facts = after(its_method_is(method), it_is_paid, local_number_looks_like_ours)

    assert decide(facts, chosen(BEFORE, source)) == expected


# --- when ---------------------------------------------------------------------------------------------------

OUR_LINE = SendCode.OWN_FOR_THIS_METHOD
NOT_DISPATCHED = Wait(WaitCode.NOT_DISPATCHED, {"number": CJP.value})
SINCE_CANCELLED = Wait(WaitCode.CANCELLED, {"since": CANCELLED.isoformat()})

WHEN = [
    # timing, what has happened to a parcel of CJPacket Ordinary,                what the store gets
    (BEFORE, nothing, Wait(WaitCode.UNPAID)),
    (BEFORE, (both_numbers_are_known,), Wait(WaitCode.UNPAID)),
    (BEFORE, (both_numbers_are_known, it_is_dispatched), Wait(WaitCode.UNPAID)),
    (BEFORE, (it_is_paid,), Wait(WaitCode.OWN_NUMBER_MISSING)),
    (BEFORE, (it_is_paid, both_numbers_are_known), Send(CJP, OWN_KNOWN, OUR_LINE)),
    (BEFORE, (it_is_paid, both_numbers_are_known, it_is_dispatched), Send(CJP, OWN_KNOWN, OUR_LINE)),
    (BEFORE, (it_is_paid, it_is_dispatched, both_numbers_come_late), Send(LATE_CJP, LATE, OUR_LINE)),
    (BEFORE, (it_is_paid, both_numbers_are_known, it_is_cancelled), SINCE_CANCELLED),
    (AFTER, nothing, Wait(WaitCode.UNPAID)),
    (AFTER, (both_numbers_are_known,), Wait(WaitCode.UNPAID)),
    (AFTER, (both_numbers_are_known, it_is_dispatched), Wait(WaitCode.UNPAID)),
    (AFTER, (it_is_paid,), Wait(WaitCode.OWN_NUMBER_MISSING)),
    (AFTER, (it_is_paid, it_is_dispatched), Wait(WaitCode.OWN_NUMBER_MISSING)),
    (AFTER, (it_is_paid, both_numbers_are_known), NOT_DISPATCHED),
    (AFTER, (it_is_paid, both_numbers_are_known, it_is_dispatched), Send(CJP, DISPATCHED, OUR_LINE)),
    (AFTER, (it_is_paid, it_is_dispatched, both_numbers_come_late), Send(LATE_CJP, LATE, OUR_LINE)),
    (AFTER, (it_is_paid, both_numbers_are_known, it_is_dispatched, it_is_cancelled), SINCE_CANCELLED),
    (AFTER, (it_is_cancelled,), SINCE_CANCELLED),
]


@pytest.mark.parametrize("timing, happened, expected", WHEN)
def test_when_the_number_goes(timing: Timing, happened: tuple[Happening, ...], expected: Decision) -> None:
    facts = after(its_method_is("CJPacket Ordinary"), *happened)

    assert decide(facts, chosen(timing, DEFAULT)) == expected


OLDER = Wait(WaitCode.OLDER_THAN_SYNC, {"sync_from": SYNC_FROM.isoformat()})


@pytest.mark.parametrize("timing", [BEFORE, AFTER])
@pytest.mark.parametrize("source", [DEFAULT, LOCAL])
@pytest.mark.parametrize(
    "also, expected",
    [
        (it_is_too_old, OLDER),
        (a_person_gave_it_up, Wait(WaitCode.GIVEN_UP)),
        (a_person_withdrew_it, Wait(WaitCode.WITHDRAWN)),
        (it_is_cancelled, SINCE_CANCELLED),
    ],
)
def test_what_keeps_a_finished_parcel_back(
    timing: Timing, source: NumberSource, also: Happening, expected: Wait
) -> None:
    ready = (its_method_is("CJPacket Ordinary"), it_is_paid, both_numbers_are_known, it_is_dispatched)

    assert decide(after(*ready, also), chosen(timing, source)) == expected


def test_an_order_placed_at_the_very_moment_the_sync_begins_is_looked_after() -> None:
    ready = after(its_method_is("CJPacket Ordinary"), it_is_paid, both_numbers_are_known)
    facts = replace(ready, placed_at=SYNC_FROM)

    assert decide(facts, chosen(BEFORE, DEFAULT)) == Send(CJP, OWN_KNOWN, OUR_LINE)


# --- the delay after the payment -----------------------------------------------------------------------------

WEDNESDAY = datetime(2026, 3, 4, 18, tzinfo=UTC)
FRIDAY = datetime(2026, 3, 6, 18, tzinfo=UTC)
SATURDAY = datetime(2026, 3, 7, 11, tzinfo=UTC)
SUNDAY = datetime(2026, 3, 8, 18, tzinfo=UTC)
NEXT_WEDNESDAY = datetime(2026, 3, 11, 11, tzinfo=UTC)

DELAYS = [
    # timing, hours, paid,  number known, dispatched,      goes at
    (AFTER, 48, FRIDAY, FRIDAY, SATURDAY, SUNDAY),  # the delay is not over at dispatch
    (AFTER, 48, FRIDAY, FRIDAY, NEXT_WEDNESDAY, NEXT_WEDNESDAY),  # it is: at dispatch
    (AFTER, 0, FRIDAY, FRIDAY, SATURDAY, SATURDAY),
    (AFTER, 48, FRIDAY, NEXT_WEDNESDAY, SATURDAY, NEXT_WEDNESDAY),  # the number comes last
    (BEFORE, 48, FRIDAY, FRIDAY, None, SUNDAY),
    (BEFORE, 48, FRIDAY, WEDNESDAY, SATURDAY, SUNDAY),
    (BEFORE, 0, FRIDAY, WEDNESDAY, None, FRIDAY),  # the payment comes last
    (BEFORE, 48, FRIDAY, NEXT_WEDNESDAY, None, NEXT_WEDNESDAY),
]


@pytest.mark.parametrize("timing, hours, paid, known, dispatched, goes", DELAYS)
def test_not_earlier_than_so_many_hours_after_the_payment(
    timing: Timing, hours: int, paid: datetime, known: datetime, dispatched: datetime | None, goes: datetime
) -> None:
    number = replace(CJP, known_at=known)
    facts = replace(after(its_method_is("CJPacket Ordinary")), paid_at=paid, own=number, dispatched_at=dispatched)

    assert decide(facts, chosen(timing, DEFAULT, delay_hours=hours)) == Send(number, goes, OUR_LINE)


# --- what was promised, and what is shown ---------------------------------------------------------------------

PROMISED = SendCode.KIND_PROMISED
PAID_AND_KNOWN = (it_is_paid, both_numbers_are_known)

ON_ITS_WAY = [
    # timing, source, shipping method, on its way, what else has happened, what the store gets
    (BEFORE, LOCAL, "CJPacket Ordinary", our_number_is_being_sent, PAID_AND_KNOWN, Send(CJP, OWN_KNOWN, PROMISED)),
    (BEFORE, DEFAULT, "CJPacket Ordinary", local_number_is_being_sent, PAID_AND_KNOWN, Send(YT, LOCAL_KNOWN, PROMISED)),
    (BEFORE, DEFAULT, "not known", local_number_is_being_sent, PAID_AND_KNOWN, Send(YT, LOCAL_KNOWN, PROMISED)),
    (BEFORE, LOCAL, "YunExpress", our_number_is_being_sent, (it_is_paid, only_local_is_known), NO_OWN_BUT_YT),
    (AFTER, LOCAL, "CJPacket Ordinary", our_number_is_being_sent, PAID_AND_KNOWN, NOT_DISPATCHED),
    (BEFORE, LOCAL, "CJPacket Ordinary", our_number_is_being_sent, (both_numbers_are_known,), Wait(WaitCode.UNPAID)),
]  # fmt: skip


@pytest.mark.parametrize("timing, source, method, promise, happened, expected", ON_ITS_WAY)
def test_the_kind_that_is_on_its_way_stays_and_all_else_still_counts(
    timing: Timing,
    source: NumberSource,
    method: str,
    promise: Happening,
    happened: tuple[Happening, ...],
    expected: Decision,
) -> None:
    assert decide(after(its_method_is(method), *happened, promise), chosen(timing, source)) == expected


BOTH = (both_numbers_are_known,)

SHOWN = [
    # timing, source, shipping method, shown, what else has happened, what the store gets
    (AFTER, LOCAL, "CJPacket Ordinary", our_number_is_shown, BOTH, Send(CJP, OWN_KNOWN, PROMISED)),
    (AFTER, LOCAL, "CJPacket Ordinary", our_number_is_shown, (*BOTH, it_is_too_old), Send(CJP, OWN_KNOWN, PROMISED)),
    (AFTER, DEFAULT, "CJPacket Ordinary", local_number_is_shown, PAID_AND_KNOWN, Send(YT, LOCAL_KNOWN, PROMISED)),
    (AFTER, DEFAULT, "not known", our_number_is_shown, (both_numbers_come_late,), Send(LATE_CJP, LATE, PROMISED)),
    (AFTER, LOCAL, "YunExpress", our_number_is_shown, (only_local_is_known,), NO_OWN_BUT_YT),
    (AFTER, DEFAULT, "YunExpress", local_number_is_shown, (local_number_looks_like_ours,), LOOKS_LIKE_OURS),
    (BEFORE, DEFAULT, "CJPacket Ordinary", our_number_is_shown, (*PAID_AND_KNOWN, it_is_cancelled), SINCE_CANCELLED),
    (BEFORE, DEFAULT, "CJPacket Ordinary", our_number_is_shown, (*BOTH, a_person_gave_it_up), Wait(WaitCode.GIVEN_UP)),
]  # fmt: skip


@pytest.mark.parametrize("timing, source, method, shown, happened, expected", SHOWN)
def test_once_shown_only_a_cancelled_order_or_a_person_holds_a_replacement_back(
    timing: Timing,
    source: NumberSource,
    method: str,
    shown: Happening,
    happened: tuple[Happening, ...],
    expected: Decision,
) -> None:
    assert decide(after(its_method_is(method), *happened, shown), chosen(timing, source)) == expected


def test_what_is_shown_waits_for_no_delay() -> None:
    facts = after(its_method_is("CJPacket Ordinary"), it_is_paid, both_numbers_are_known, our_number_is_shown)

    assert decide(facts, chosen(AFTER, DEFAULT, delay_hours=1000)) == Send(CJP, OWN_KNOWN, PROMISED)


# --- every combination there is ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """One combination, in the words of the text."""

    timing: Timing
    source: NumberSource
    delay_hours: int
    method: str
    paid: bool
    dispatched: bool
    cancelled: bool
    own: Number | None
    local: Number | None
    old: bool
    promised: str  # "", "own sending", "own shown", "local sending", "local shown"
    stopped: Stopped

    def facts(self) -> Facts:
        kind, _, progress = self.promised.partition(" ")
        return Facts(
            placed_at=LAST_WEEK if self.old else PLACED,
            paid_at=PAID if self.paid else None,
            dispatched_at=DISPATCHED if self.dispatched else None,
            cancelled_at=CANCELLED if self.cancelled else None,
            default_number=METHODS[self.method],
            own=self.own,
            local=self.local,
            kind=NumberKind(kind) if kind else None,
            is_shown=progress == "shown",
            stopped=self.stopped,
        )


def every_case(timing: Timing, source: NumberSource, method: str) -> Iterator[Case]:
    yes_and_no = (True, False)
    for rest in itertools.product(
        (0, 48, 24 * 30),
        yes_and_no,
        yes_and_no,
        yes_and_no,
        (None, CJP, LATE_CJP),
        (None, YT, LATE_YT, CJP_AS_LOCAL),
        yes_and_no,
        ("", "own sending", "own shown", "local sending", "local shown"),
        Stopped,
    ):
        delay_hours, *others = rest
        yield Case(timing, source, delay_hours, method, *others)  # type: ignore[arg-type]


def the_text_says(case: Case) -> tuple[str, object, object]:
    """("send", number, not before) or ("wait", code, values)."""
    shown = case.promised.endswith("shown")
    ours_by_default = case.method in ("CJPacket Ordinary", "CJPacket Sensitive")
    wants = (
        case.promised.partition(" ")[0]
        or ("local" if case.source == LOCAL else "")
        or ("?" if case.method == "not known" else "own" if ours_by_default else "local")
    )
    number, other = {"own": (case.own, case.local), "local": (case.local, case.own), "?": (None, None)}[wants]

    obstacles = {
        ("cancelled", ("since", CANCELLED.isoformat())): case.cancelled,
        ("given_up",): case.stopped == "given_up",
        ("withdrawn",): case.stopped == "withdrawn",
        ("older_than_sync", ("sync_from", SYNC_FROM.isoformat())): case.old and not shown,
        ("unpaid",): not case.paid and not shown,
        ("method_missing",): wants == "?",
        (f"{wants}_number_missing", *([("other", other.value)] if other else [])): number is None,
        ("looks_like_own", ("number", "CJP987654321"), ("prefix", "CJP")): number == CJP_AS_LOCAL,
        ("not_dispatched", ("number", number.value if number else "")): case.timing == AFTER
        and not case.dispatched
        and not shown,
    }
    for (code, *values), stands in obstacles.items():
        if stands:
            return "wait", code, dict(values)

    assert number is not None
    moments = [number.known_at]
    if not shown:
        moments.append(PAID + timedelta(hours=case.delay_hours))
        if case.timing == AFTER:
            moments.append(DISPATCHED)
    return "send", number, max(moments)


def in_plain_words(decision: Decision) -> tuple[str, object, object]:
    if isinstance(decision, Send):
        return "send", decision.number, decision.not_before
    return "wait", str(decision.reason), decision.values


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("source", [DEFAULT, LOCAL])
@pytest.mark.parametrize("timing", [BEFORE, AFTER])
def test_every_combination_is_what_the_text_says(timing: Timing, source: NumberSource, method: str) -> None:
    cases = list(every_case(timing, source, method))
    different = [
        (case, in_plain_words(decision), the_text_says(case))
        for case in cases
        if in_plain_words(decision := decide(case.facts(), chosen(timing, source, delay_hours=case.delay_hours)))
        != the_text_says(case)
    ]

    assert different[:3] == []
    assert len(cases) == 3 * 2**3 * 3 * 4 * 2 * 5 * 3
