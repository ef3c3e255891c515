"""Which fulfillment orders, lines and quantities: state in, plan out, no network.

The words below build an order as Shopify shows it; each table says what is made of it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from stores.connectors.base import Outcome, TrackingUpdate
from stores.connectors.codes import Code
from stores.connectors.errors import ShipmentRejected, TryAgainLater
from stores.connectors.shopify.allocation import plan
from stores.connectors.shopify.tracking import Tracking, TrackingList, merged, tracking_input
from stores.connectors.shopify.values import (
    Cancel,
    Create,
    OrderState,
    Parcel,
    Plan,
    Stop,
    Update,
    Work,
    WorkLine,
)
from stores.connectors.shopify.writes import arrived, changed_by_store

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
LINK = "https://track.example/"


def update(**changes: object) -> TrackingUpdate:
    """One unit of line A, number N1, nothing recorded yet."""
    wanted = TrackingUpdate(
        order_id="O",
        number="N1",
        company="Royal Mail",
        url=LINK + "N1",
        lines=(("A", 1),),
        fulfillments=(),
        ours=frozenset({"N1"}),
        siblings=frozenset(),
        notify=False,
    )
    return replace(wanted, **changes)  # type: ignore[arg-type]


def work(
    id: str = "W1",
    lines: dict[str, int] | None = None,
    *,
    status: str = "OPEN",
    location: str = "L1",
    **more: object,
) -> Work:
    """A fulfillment order with so many units left of each of the order's lines."""
    left = {"A": 1} if lines is None else lines
    return Work(
        id=id,
        status=status,
        can_create=status in ("OPEN", "IN_PROGRESS"),
        location=location,
        location_name=f"place {location}",
        lines=tuple(WorkLine(f"{id}/{line}", line, units) for line, units in left.items()),
        **more,  # type: ignore[arg-type]
    )


def done(id: str = "W1", lines: tuple[str, ...] = ("A",)) -> Work:
    """A fulfillment order of which everything was shipped."""
    return work(id, dict.fromkeys(lines, 0), status="CLOSED")


def parcel(id: str, *numbers: str, status: str = "SUCCESS", lines: dict[str, int] | None = None, at: int = 1) -> Parcel:
    """A fulfillment with these numbers, all by Royal Mail."""
    return Parcel(
        id=id,
        status=status,
        created_at=f"2026-11-25T10:0{at}:00Z",
        lines=tuple(({"A": 1} if lines is None else lines).items()),
        tracking=tuple(Tracking(number, "Royal Mail", LINK + number) for number in numbers),
    )


def order(*parts: Work | Parcel, cancelled: bool = False) -> OrderState:
    """An order made of these."""
    return OrderState(
        id="O",
        cancelled=cancelled,
        requires_shipping=True,
        unfulfilled=not any(isinstance(part, Parcel) for part in parts),
        work=tuple(part for part in parts if isinstance(part, Work)),
        parcels=tuple(part for part in parts if isinstance(part, Parcel)),
    )


def decided(wanted: TrackingUpdate, there: OrderState | None, locations: frozenset[str] = frozenset()) -> Plan | Stop:
    return plan(wanted, there, location_ids=locations, now=NOW)


def listed(*numbers: str, company: str = "Royal Mail") -> TrackingList:
    return TrackingList(company, tuple((number, LINK + number) for number in numbers))


def takes(*lines: tuple[str, str, int], number: str = "N1") -> Create:
    """A create of so many units of a line of a fulfillment order each."""
    grouped: dict[str, list[tuple[str, int]]] = {}
    for one, line, units in lines:
        grouped.setdefault(one, []).append((f"{one}/{line}", units))
    return Create(tuple((one, tuple(its)) for one, its in grouped.items()), listed(number))


def creates(*writes: Create, missing: int = 0, stays: tuple[str, ...] = ()) -> Plan:
    return Plan(Outcome.CREATED, writes, stays, missing)


def waits(code: Code, after: float | None = None, **values: object) -> Stop:
    return Stop(TryAgainLater, code, after, values)  # type: ignore[arg-type]


def rejected(code: Code, **values: object) -> Stop:
    return Stop(ShipmentRejected, code, None, values)  # type: ignore[arg-type]


nothing_known = {"lines": None}


@pytest.mark.parametrize(
    "wanted,there,expected",
    [
        # all of it, part of it
        (update(), order(work()), creates(takes(("W1", "A", 1)))),
        (update(lines=(("A", 2),)), order(work(lines={"A": 5, "B": 1})), creates(takes(("W1", "A", 2)))),
        (update(lines=(("A", 1), ("A", 1))), order(work(lines={"A": 5})), creates(takes(("W1", "A", 2)))),
        (update(), order(work(status="IN_PROGRESS", lines={"A": 1})), creates(takes(("W1", "A", 1)))),
        # what was closed or held beside it plays no part
        (update(), order(done("W0"), work("W2")), creates(takes(("W2", "A", 1)))),
        (update(), order(work(), work("W2", {"B": 1}, status="ON_HOLD")), creates(takes(("W1", "A", 1)))),
        # a closed one whose fulfillment was cancelled still counts units: its actions decide
        (update(), order(work("W0", status="CLOSED"), work("W2")), creates(takes(("W2", "A", 1)))),
        # the same line in two fulfillment orders of one location: one fulfillment
        (
            update(lines=(("A", 3),)),
            order(work("W1", {"A": 2}), work("W2", {"A": 2})),
            creates(takes(("W1", "A", 2), ("W2", "A", 1))),
        ),
        # two locations: one create each, the fuller one first
        (
            update(lines=(("A", 1), ("B", 2))),
            order(work("W1", {"A": 1}), work("W2", {"B": 2}, location="L2")),
            creates(takes(("W2", "B", 2)), takes(("W1", "A", 1))),
        ),
        # more than is left: what is left goes, the rest is told
        (update(lines=(("A", 3),)), order(work(lines={"A": 2})), creates(takes(("W1", "A", 2)), missing=1)),
        (update(lines=(("A", 1), ("X", 2))), order(work()), creates(takes(("W1", "A", 1)), missing=2)),
        # part of it lies at another app's location: the same
        (
            update(lines=(("A", 1), ("B", 1))),
            order(work(), work("W2", {"B": 1}, location="L9", service="Their Service")),
            creates(takes(("W1", "A", 1)), missing=1),
        ),
    ],
)
def test_what_is_created(wanted: TrackingUpdate, there: OrderState, expected: Plan) -> None:
    assert decided(wanted, there) == expected


@pytest.mark.parametrize(
    "there,expected",
    [
        # the first parcel takes all that is left and ours
        (order(work(lines={"A": 2, "B": 1})), creates(takes(("W1", "A", 2), ("W1", "B", 1)))),
        (order(work(), work("W2", {"B": 1}, ships=False)), creates(takes(("W1", "A", 1)))),
        (order(work(), work("W2", {"B": 1}, location="L9", service="S")), creates(takes(("W1", "A", 1)))),
        (
            order(work(), work("W2", {"B": 1}, location="L2")),
            creates(takes(("W1", "A", 1)), takes(("W2", "B", 1))),
        ),
    ],
)
def test_contents_that_nobody_told_are_all_that_is_left_and_ours(there: OrderState, expected: Plan) -> None:
    assert decided(update(lines=None), there) == expected


def test_what_needs_no_shipping_is_left_alone_when_nobody_told_the_contents() -> None:
    gift_card = replace(work(lines={"A": 1, "G": 1}), lines=(WorkLine("a", "A", 1), WorkLine("g", "G", 1, False)))

    found = decided(update(lines=None), order(gift_card))

    assert found == creates(Create((("W1", (("a", 1),)),), listed("N1")))


def test_a_later_parcel_joins_the_fulfillment_of_the_orders_other_shipments() -> None:
    second = update(number="N2", url=LINK + "N2", ours=frozenset({"N2"}), siblings=frozenset({"F1", "N1"}), lines=None)

    found = decided(second, order(done(), parcel("F1", "N1")))

    assert found == Plan(Outcome.REPLACED, (Update("F1", listed("N1", "N2")),), ("F1",))


def test_a_call_takes_at_most_250_lines() -> None:
    lines = {f"line {n}": 1 for n in range(260)}

    found = decided(update(lines=tuple(lines.items())), order(work(lines=lines)))

    assert isinstance(found, Plan)
    assert [sum(len(its) for _, its in write.work) for write in found.writes if isinstance(write, Create)] == [250, 10]


@pytest.mark.parametrize(
    "locations,there,expected",
    [
        (set(), order(work(location="L2")), creates(takes(("W1", "A", 1)))),
        ({"L2"}, order(work(location="L2")), creates(takes(("W1", "A", 1)))),
        ({"L2"}, order(work(location="L2", service="Ours by choice")), creates(takes(("W1", "A", 1)))),
        ({"L1"}, order(work(location="L2")), rejected(Code.OTHER_LOCATION, location="place L2", app="")),
        (
            set(),
            order(work(location="L2", service="Their Service")),
            rejected(Code.OTHER_LOCATION, location="place L2", app="Their Service"),
        ),
    ],
)
def test_only_our_locations_count(locations: set[str], there: OrderState, expected: Plan | Stop) -> None:
    assert decided(update(), there, frozenset(locations)) == expected
    assert decided(update(lines=None), there, frozenset(locations)) == expected


@pytest.mark.parametrize(
    "wanted,there,expected",
    [
        # same number, company, link and lines: no call
        (update(), order(done(), parcel("F1", "N1")), Plan(Outcome.UNCHANGED, (), ("F1",))),
        (update(lines=None), order(done(), parcel("F1", "N1")), Plan(Outcome.UNCHANGED, (), ("F1",))),
        (
            update(fulfillments=("F1", "F2"), lines=(("A", 1), ("B", 1))),
            order(parcel("F1", "N1"), parcel("F2", "N1", lines={"B": 1}, at=2)),
            Plan(Outcome.UNCHANGED, (), ("F1", "F2")),
        ),
        # ... nor where units of the same line are left over
        (update(), order(work(lines={"A": 4}), parcel("F1", "N1")), Plan(Outcome.UNCHANGED, (), ("F1",))),
        # another number of ours, known by its number or by its id
        (
            update(number="N2", url=LINK + "N2", ours=frozenset({"N1", "N2"})),
            order(done(), parcel("F1", "N1")),
            Plan(Outcome.REPLACED, (Update("F1", listed("N2")),), ("F1",)),
        ),
        (
            update(fulfillments=("F1",)),
            order(done(), parcel("F1")),
            Plan(Outcome.REPLACED, (Update("F1", listed("N1")),), ("F1",)),
        ),
        # typed another way by somebody
        (
            update(),
            order(done(), parcel("F1", "n 1")),
            Plan(Outcome.REPLACED, (Update("F1", listed("N1")),), ("F1",)),
        ),
        # another link, another company
        (
            update(url="https://new.example/N1"),
            order(done(), parcel("F1", "N1")),
            Plan(
                Outcome.REPLACED,
                (Update("F1", TrackingList("Royal Mail", (("N1", "https://new.example/N1"),))),),
                ("F1",),
            ),
        ),
        (
            update(company="YunExpress"),
            order(done(), parcel("F1", "N1")),
            Plan(Outcome.REPLACED, (Update("F1", listed("N1", company="YunExpress")),), ("F1",)),
        ),
        # ours cover a part: only the rest is created
        (
            update(lines=(("A", 1), ("B", 1)), fulfillments=("F1",)),
            order(done(), work("W2", {"B": 1}), parcel("F1", "N1")),
            creates(takes(("W2", "B", 1)), stays=("F1",)),
        ),
        (
            update(lines=(("A", 3),)),
            order(work(lines={"A": 5}), parcel("F1", "N1")),
            creates(takes(("W1", "A", 2)), stays=("F1",)),
        ),
        # ... and where there is no room for it, that is told
        (
            update(lines=(("A", 2),)),
            order(done(), parcel("F1", "N1")),
            Plan(Outcome.UNCHANGED, (), ("F1",), missing=1),
        ),
    ],
)
def test_what_is_there_is_never_made_twice(wanted: TrackingUpdate, there: OrderState, expected: Plan) -> None:
    assert decided(wanted, there) == expected


@pytest.mark.parametrize(
    "wanted,there,expected",
    [
        # the younger goes, whatever order the store lists them in
        (
            update(),
            order(parcel("F2", "N1", at=2), parcel("F1", "N1", at=1)),
            Plan(Outcome.UNCHANGED, (Cancel("F2"),), ("F1",)),
        ),
        (
            update(number="N2", url=LINK + "N2", ours=frozenset({"N1", "N2"})),
            order(parcel("F1", "N1"), parcel("F2", "N1", at=2)),
            Plan(Outcome.REPLACED, (Update("F1", listed("N2")), Cancel("F2")), ("F1",)),
        ),
        # one that somebody made with our number, but not with our link, is theirs
        (
            update(),
            order(
                parcel("F1", "N1"),
                replace(parcel("H2", at=2), tracking=(Tracking("N1", "Royal Mail", "https://rm/N1"),)),
            ),
            Plan(Outcome.UNCHANGED, (), ("F1",)),
        ),
        # other lines are no second try
        (
            update(fulfillments=("F1", "F2")),
            order(parcel("F1", "N1"), parcel("F2", "N1", lines={"B": 1}, at=2)),
            Plan(Outcome.UNCHANGED, (), ("F1", "F2")),
        ),
        # shared with another shipment: not ours alone, so it stays
        (
            update(siblings=frozenset({"F2", "N9"})),
            order(parcel("F1", "N1"), parcel("F2", "N1", "N9", at=2)),
            Plan(Outcome.UNCHANGED, (), ("F1", "F2")),
        ),
        # a cancelled one is none
        (
            update(),
            order(parcel("F1", "N1"), parcel("F2", "N1", status="CANCELLED", at=2)),
            Plan(Outcome.UNCHANGED, (), ("F1",)),
        ),
    ],
)
def test_of_two_of_ours_for_the_same_lines_the_younger_goes(
    wanted: TrackingUpdate, there: OrderState, expected: Plan
) -> None:
    assert decided(wanted, there) == expected


@pytest.mark.parametrize(
    "wanted,there,expected",
    [
        # no number on it: it takes ours
        (update(), order(done(), parcel("H1")), Plan(Outcome.ADOPTED, (Update("H1", listed("N1")),), ("H1",))),
        (
            update(lines=None),
            order(done(), parcel("H1")),
            Plan(Outcome.ADOPTED, (Update("H1", listed("N1")),), ("H1",)),
        ),
        (
            update(lines=(("A", 1), ("B", 1))),
            order(done(), parcel("H1"), parcel("H2", lines={"B": 1}, at=2)),
            Plan(Outcome.ADOPTED, (Update("H1", listed("N1")), Update("H2", listed("N1"))), ("H1", "H2")),
        ),
        # part of it was shipped by hand
        (
            update(lines=(("A", 1), ("B", 1))),
            order(done(), work("W2", {"B": 1}), parcel("H1")),
            Plan(Outcome.CREATED, (Update("H1", listed("N1")), takes(("W2", "B", 1))), ("H1",)),
        ),
        # a number of its own: not overwritten
        (update(), order(done(), parcel("H1", "THEIRS")), rejected(Code.OTHER_NUMBER_THERE, there="THEIRS")),
        (update(lines=None), order(done(), parcel("H1", "THEIRS")), rejected(Code.OTHER_NUMBER_THERE, there="THEIRS")),
        # ... nor on one of ours that somebody wrote on
        (
            update(fulfillments=("F1",)),
            order(done(), parcel("F1", "THEIRS")),
            rejected(Code.OTHER_NUMBER_THERE, there="THEIRS"),
        ),
        # beside ours it may stand
        (update(), order(done(), parcel("F1", "THEIRS", "N1")), Plan(Outcome.UNCHANGED, (), ("F1",))),
        # other goods than ours
        (update(), order(done(), parcel("H1", "THEIRS", lines={"B": 1})), rejected(Code.NOTHING_TO_FULFILL)),
        # units left: theirs stays as it is and ours is made
        (update(), order(work(), parcel("H1")), creates(takes(("W1", "A", 1)))),
        (update(), order(work(), parcel("H1", "THEIRS")), creates(takes(("W1", "A", 1)))),
    ],
)
def test_what_somebody_else_shipped(wanted: TrackingUpdate, there: OrderState, expected: Plan | Stop) -> None:
    assert decided(wanted, there) == expected


@pytest.mark.parametrize(
    "wanted,there,expected",
    [
        # another parcel's is not taken for ours
        (
            update(siblings=frozenset({"F9", "N9"})),
            order(work(), parcel("F9", "N9")),
            creates(takes(("W1", "A", 1))),
        ),
        (
            update(siblings=frozenset({"F9", "N9"})),
            order(done(), parcel("F9", "N9")),
            rejected(Code.NOTHING_TO_FULFILL),
        ),
        (
            update(siblings=frozenset({"F9"})),
            order(done(), parcel("F9")),
            rejected(Code.NOTHING_TO_FULFILL),
        ),
        # one made by hand for the whole order and taken over for another parcel holds this one's goods too
        (
            update(siblings=frozenset({"H1", "N9"})),
            order(done(lines=("A", "B")), parcel("H1", "N9", lines={"A": 1, "B": 1})),
            Plan(Outcome.REPLACED, (Update("H1", listed("N9", "N1")),), ("H1",)),
        ),
        # one number that two parcels have by permission: the contents tell whose it is
        (
            update(siblings=frozenset({"F9", "N1"}), lines=(("B", 1),)),
            order(work(lines={"B": 1}), parcel("F9", "N1")),
            creates(takes(("W1", "B", 1))),
        ),
        (
            update(siblings=frozenset({"F9", "N1"}), lines=(("B", 1),)),
            order(done(), parcel("F9", "N1"), parcel("F2", "N1", lines={"B": 1})),
            Plan(Outcome.UNCHANGED, (), ("F2",)),
        ),
        # a shared list: ours in its place, the others' numbers and links kept
        (
            update(number="N2", url=LINK + "N2", ours=frozenset({"N1", "N2"}), siblings=frozenset({"F1", "N8", "N9"})),
            order(done(), parcel("F1", "N8", "N1", "N9")),
            Plan(Outcome.REPLACED, (Update("F1", listed("N8", "N2", "N9")),), ("F1",)),
        ),
    ],
)
def test_the_orders_other_shipments(wanted: TrackingUpdate, there: OrderState, expected: Plan | Stop) -> None:
    assert decided(wanted, there) == expected


@pytest.mark.parametrize(
    "wanted,there,expected",
    [
        (update(), None, rejected(Code.ORDER_NOT_FOUND)),
        (update(), order(cancelled=True), rejected(Code.ORDER_CANCELLED_IN_STORE)),
        (update(), order(work(), cancelled=True), rejected(Code.ORDER_CANCELLED_IN_STORE)),
        # what stands there already may still be changed
        (
            update(number="N2", url=LINK + "N2", ours=frozenset({"N1", "N2"})),
            order(parcel("F1", "N1"), cancelled=True),
            Plan(Outcome.REPLACED, (Update("F1", listed("N2")),), ("F1",)),
        ),
        # somebody cancelled ours: a person while the number is the same, a new one when it is another
        (
            update(fulfillments=("F1",)),
            order(work("W2"), parcel("F1", "N1", status="CANCELLED")),
            rejected(Code.FULFILLMENT_CANCELLED),
        ),
        (
            update(fulfillments=("F1",), lines=None),
            order(work("W2"), parcel("F1", "N1", status="CANCELLED")),
            rejected(Code.FULFILLMENT_CANCELLED),
        ),
        (
            update(fulfillments=("F1",), number="N2", url=LINK + "N2", ours=frozenset({"N1", "N2"})),
            order(work("W2"), parcel("F1", "N1", status="CANCELLED")),
            creates(takes(("W2", "A", 1), number="N2")),
        ),
        # held: until when nobody knows
        (
            update(),
            order(work(status="ON_HOLD", holds=("High risk of fraud", "Awaiting payment"))),
            waits(Code.ON_HOLD, holds=["High risk of fraud", "Awaiting payment"]),
        ),
        (update(lines=None), order(work(status="ON_HOLD", holds=("Other",))), waits(Code.ON_HOLD, holds=["Other"])),
        # a parcel waits as a whole
        (
            update(lines=(("A", 1), ("B", 1))),
            order(work(), work("W2", {"B": 1}, status="ON_HOLD", holds=("Other",))),
            waits(Code.ON_HOLD, holds=["Other"]),
        ),
        # but a number that changed reaches what is there
        (
            update(lines=(("A", 1), ("B", 1)), number="N2", url=LINK + "N2", ours=frozenset({"N1", "N2"})),
            order(done(), work("W2", {"B": 1}, status="ON_HOLD"), parcel("F1", "N1")),
            Plan(Outcome.REPLACED, (Update("F1", listed("N2")),), ("F1",), missing=1),
        ),
        (
            update(),
            order(work(status="SCHEDULED", fulfil_at=NOW + timedelta(hours=2))),
            waits(Code.SCHEDULED, 7200.0, until="2026-11-25T14:00:00+00:00"),
        ),
        (update(), order(work(status="SCHEDULED")), waits(Code.SCHEDULED, None, until="")),
        # not routed yet, or not shown to us
        (update(), order(), waits(Code.ROUTING)),
        (update(lines=None), order(), waits(Code.ROUTING)),
        (update(), order(replace(work(), can_create=False)), waits(Code.ROUTING)),
        # nothing left
        (update(), order(done()), rejected(Code.NOTHING_TO_FULFILL)),
        (update(lines=None), order(done()), rejected(Code.NOTHING_TO_FULFILL)),
        (update(lines=(("X", 1),)), order(work()), rejected(Code.NOTHING_TO_FULFILL)),
    ],
)
def test_why_nothing_can_be_created(wanted: TrackingUpdate, there: OrderState | None, expected: Plan | Stop) -> None:
    assert decided(wanted, there) == expected


def test_an_order_without_shipping_has_nothing_to_fulfil() -> None:
    assert decided(update(), replace(order(), requires_shipping=False)) == rejected(Code.NOTHING_TO_FULFILL)


def test_a_stop_is_raised_as_the_error_it_names() -> None:
    held = waits(Code.ON_HOLD, 5.0, holds=["Other"]).as_error()

    assert (type(held), held.reason.code, held.reason.values) == (TryAgainLater, Code.ON_HOLD, {"holds": ["Other"]})
    assert isinstance(held, TryAgainLater)
    assert held.after == 5.0


# --- lists -----------------------------------------------------------------------------------------


def row(number: str, company: str = "Royal Mail", url: str | None = None) -> Tracking:
    return Tracking(number, company, LINK + number if url is None else url)


@pytest.mark.parametrize(
    "there,changes,expected",
    [
        ((), {}, listed("N1")),
        ((row("N1"),), {}, listed("N1")),
        ((row(""),), {}, listed("N1")),
        # in its place, or at the end
        ((row("X"), row("N0"), row("Y")), {"ours": frozenset({"N0", "N1"})}, listed("X", "N1", "Y")),
        ((row("X"), row("Y")), {}, listed("X", "Y", "N1")),
        # a shipment has one number
        ((row("N0"), row("X"), row("N1")), {"ours": frozenset({"N0", "N1"})}, listed("N1", "X")),
        # one that went over to another parcel is that one's
        (
            (row("N0"),),
            {"ours": frozenset({"N0", "N1"}), "siblings": frozenset({"N0"})},
            listed("N0", "N1"),
        ),
        # the company only where it is the same for all
        ((row("X", "DHL Express"),), {}, listed("X", "N1", company="")),
        ((row("N0", "DHL Express"),), {"ours": frozenset({"N0"})}, listed("N1")),
        # a number without a link goes last: links are matched by position
        (
            (row("X", url=""), row("Y")),
            {},
            TrackingList("Royal Mail", (("Y", LINK + "Y"), ("N1", LINK + "N1"), ("X", ""))),
        ),
    ],
)
def test_lists_are_merged(there: tuple[Tracking, ...], changes: dict[str, object], expected: TrackingList) -> None:
    assert merged(there, update(**changes)) == expected


@pytest.mark.parametrize(
    "wanted,payload",
    [
        (listed("N1"), {"numbers": ["N1"], "urls": [LINK + "N1"], "company": "Royal Mail"}),
        (listed("N1", "N2", company=""), {"numbers": ["N1", "N2"], "urls": [LINK + "N1", LINK + "N2"]}),
        (TrackingList("", (("N1", LINK), ("X", ""))), {"numbers": ["N1", "X"], "urls": [LINK]}),
    ],
)
def test_the_payload_always_holds_lists(wanted: TrackingList, payload: dict[str, object]) -> None:
    assert tracking_input(wanted) == payload


@pytest.mark.parametrize(
    "wanted,there,warnings",
    [
        (listed("N1"), [("N1", "Royal Mail", LINK + "N1")], []),
        (listed("N1"), [("N1", "RM", LINK + "N1")], [Code.COMPANY_CHANGED]),
        (listed("N1"), [("N1", None, LINK + "N1")], [Code.COMPANY_CHANGED]),
        (listed("N1"), [("N1", "Royal Mail", "https://royalmail.example/N1")], [Code.LINK_CHANGED]),
        (listed("N1"), [("N1", "Other", None)], [Code.COMPANY_CHANGED, Code.LINK_CHANGED]),
        # no company was sent, so any may stand there
        (listed("N1", company=""), [("N1", "Guessed", LINK + "N1")], []),
        # nor a link for this one
        (
            TrackingList("", (("N1", LINK + "N1"), ("X", ""))),
            [("X", None, "https://guessed"), ("N1", None, LINK + "N1")],
            [],
        ),
    ],
)
def test_what_the_store_changed_is_a_warning(
    wanted: TrackingList, there: list[tuple[str, str | None, str | None]], warnings: list[Code]
) -> None:
    rows = [{"number": number, "company": company, "url": url} for number, company, url in there]

    assert changed_by_store(wanted, rows) == warnings


@pytest.mark.parametrize(
    "wanted,status,numbers,there",
    [
        (listed("N1"), "SUCCESS", ["N1"], True),
        (listed("N1"), "SUCCESS", ["N0", "N1"], True),
        (listed("N1", "N2"), "SUCCESS", ["N2", "N1"], True),
        (listed("N1"), "SUCCESS", [], False),
        (listed("N1"), "SUCCESS", [None], False),
        (listed("N1"), "SUCCESS", ["n1"], False),
        (listed("N1", "N2"), "SUCCESS", ["N2"], False),
        # the number stands on a dead parcel
        (listed("N1"), "CANCELLED", ["N1"], False),
    ],
)
def test_a_number_arrived_when_it_is_read_back(
    wanted: TrackingList, status: str, numbers: list[str | None], there: bool
) -> None:
    rows = [{"number": number, "company": None, "url": None} for number in numbers]

    assert arrived(wanted, {"status": status, "trackingInfo": rows}) == there
