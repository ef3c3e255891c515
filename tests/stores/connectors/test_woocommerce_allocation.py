"""What is written so that an order shows a number: state in, steps out, no network.

The words below build an order as a place shows it; each table says which steps follow, in short: what is added,
changed or taken away, what is recorded in the end, and which status the order gets.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from stores.connectors.base import TrackingUpdate
from stores.connectors.codes import Code
from stores.connectors.errors import ShipmentRejected
from stores.connectors.woocommerce.allocation import ours, plan
from stores.connectors.woocommerce.places import Place
from stores.connectors.woocommerce.values import Add, Change, Line, OrderState, Parcel, Plan, Remove, Settle, Stop

LINK = "https://track.example/"
LISTS, OWN, PLAIN = Place.SHIPMENT_TRACKING, Place.FULFILLMENTS, Place.PLAIN


def update(number: str = "N1", lines: dict[str, int] | None = None, **changes: object) -> TrackingUpdate:
    """A parcel with one unit of line 1 and this number; nothing is recorded yet."""
    wanted = TrackingUpdate(
        order_id="12",
        number=number,
        company="Royal Mail",
        url=LINK + number,
        lines=tuple((lines or {"1": 1}).items()),
        fulfillments=(),
        ours=frozenset({number}),
        siblings=frozenset(),
        notify=False,
    )
    return replace(wanted, **changes)  # type: ignore[arg-type]


def untold(number: str = "N1", **changes: object) -> TrackingUpdate:
    """A parcel whose contents nobody told."""
    return replace(update(number, **changes), lines=None)  # type: ignore[arg-type]


def order(
    *parcels: Parcel, lines: dict[str, int] | None = None, status: str = "processing", place: Place = LISTS
) -> OrderState:
    """An order of one unit of line 1. A shop that knows `partial-shipped`; a plain order lists what stands there."""
    return OrderState(
        id="12",
        status=status,
        lines=tuple(Line(line, units) for line, units in ({"1": 1} if lines is None else lines).items()),
        parcels=parcels,
        place=place,
        statuses=frozenset({"processing", "completed", "partial-shipped"}),
        listed=tuple(parcel.item for parcel in parcels if parcel.item and place == PLAIN),
    )


def parcel(
    number: str = "N1", lines: dict[str, int] | None = None, *, id: str = "p1", place: Place = LISTS, **more: object
) -> Parcel:
    """One that stands there and is recorded, with a unit of line 1."""
    made = Parcel(
        id=id,
        numbers=(number,) if number else (),
        lines=tuple(({"1": 1} if lines is None else lines).items()),
        company="Royal Mail",
        url=LINK + number if number else "",
        item=number if place == PLAIN else f"item of {id}",
        place=place,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def unrecorded(number: str, id: str = "x1", url: str = "", **more: object) -> Parcel:
    """A number that stands there and that our record does not know."""
    return parcel(number, {}, id=id, url=url, company="", is_recorded=False, **more)


def gone(*arguments: object, **more: object) -> Parcel:
    """Recorded, and not there any more."""
    return parcel(*arguments, item="", **more)  # type: ignore[arg-type]


def decided(wanted: TrackingUpdate, there: OrderState, *, completes: bool = True) -> str:
    """The plan in short."""
    made = plan(wanted, there, completes=completes)
    if isinstance(made, Stop):
        return " ".join([made.code, *(str(value) for value in made.values.values())])
    words = [_said(step) for step in made.steps]
    words += [f"missing {made.missing}"] if made.missing else []
    words += list(made.warnings)
    return f"{made.outcome}: {', '.join(words) or 'nothing'}"


def _said(step: object) -> str:
    match step:
        case Add(parcel, instead_of):
            return f"add {_brief(parcel)}" + (f" instead of {' '.join(instead_of)}" if instead_of else "")
        case Change(parcel):
            return f"change {parcel.id} to {_brief(parcel)}"
        case Remove(item, number):
            return f"remove {number} ({item})"
        case Settle(parcels, listed, status):
            record = " + ".join(f"{one.id or 'new'}={_brief(one)}" for one in parcels)
            lists = f" list {' '.join(listed)}" if listed else ""
            return f"settle {record or 'status'}{lists}" + (f" as {status}" if status else "")
    raise TypeError(step)


def _brief(parcel: Parcel) -> str:
    lines = " ".join(f"{units}x{line}" for line, units in parcel.lines)
    return f"{'&'.join(parcel.numbers)}[{lines}]"


TWO = {"1": 1, "2": 1}


@pytest.mark.parametrize(
    "there, wanted, steps",
    [
        # --- one parcel
        (order(), update(), "created: add N1[1x1], settle new=N1[1x1] as completed"),
        (order(parcel(), status="completed"), update(), "unchanged: nothing"),
        # Recorded before all of the order was; and the same, opened again by the merchant.
        (order(parcel()), update(), "created: settle p1=N1[1x1] as completed"),
        (order(parcel(gave="completed")), update(), "unchanged: nothing"),
        (order(unrecorded("N1")), update(), "created: settle x1=N1[1x1] as completed"),
        (order(unrecorded("n 1")), update(), "created: settle x1=N1[1x1] as completed"),
        (order(unrecorded("N1", url=LINK + "other-words")), update(), "created: settle x1=N1[1x1] as completed"),
        # --- only a part of the order, then the rest
        (order(lines=TWO), update(), "created: add N1[1x1], settle new=N1[1x1] as partial-shipped"),
        (
            order(parcel("N2", {"2": 1}, id="p2"), lines=TWO, status="partial-shipped"),
            update(siblings=frozenset({"p2", "N2"})),
            "created: add N1[1x1], settle p2=N2[1x2] + new=N1[1x1] as completed",
        ),
        (order(lines={"1": 3}), update(), "created: add N1[1x1], settle new=N1[1x1] as partial-shipped"),
        (
            order(parcel(lines={"1": 2}), lines={"1": 3}, status="partial-shipped"),
            update(lines={"1": 3}, fulfillments=("p1",)),
            "replaced: settle p1=N1[3x1] as completed",
        ),
        # --- too much, or nothing left
        (
            order(lines={"1": 2}),
            update(lines={"1": 5}),
            "created: add N1[2x1], settle new=N1[2x1] as completed, missing 3",
        ),
        (order(lines={"1": 0}), update(), "nothing_to_fulfill"),
        (
            order(parcel("N2", id="p2"), status="completed"),
            update(siblings=frozenset({"p2", "N2"})),
            "nothing_to_fulfill",
        ),
        # --- contents nobody told
        (order(lines=TWO), untold(), "created: add N1[1x1 1x2], settle new=N1[1x1 1x2] as completed"),
        (
            order(parcel("N2", TWO, id="p2"), lines=TWO, status="completed"),
            untold(siblings=frozenset({"p2", "N2"})),
            "created: add N1[], settle p2=N2[1x1 1x2] + new=N1[]",
        ),
        (
            order(parcel("N2", TWO, id="p2"), parcel("N1", {}), lines=TWO, status="completed"),
            untold(siblings=frozenset({"p2", "N2"})),
            "unchanged: nothing",
        ),
        (
            order(parcel("N2", TWO, id="p2"), lines=TWO, status="completed"),
            update(siblings=frozenset({"p2", "N2"})),
            "created: add N1[], settle p2=N2[1x1 1x2] + new=N1[]",
        ),
        # --- a number in place of another: added first, taken away after
        (
            order(parcel("OLD"), status="completed"),
            update(ours=frozenset({"OLD", "N1"}), fulfillments=("p1",)),
            "replaced: add N1[1x1] instead of OLD, settle p1=N1[1x1]",
        ),
        (
            order(parcel("OLD"), unrecorded("N1"), status="completed"),
            update(ours=frozenset({"OLD", "N1"}), fulfillments=("p1",)),
            "replaced: remove OLD (item of p1), settle p1=N1[1x1]",
        ),
        (
            order(gone("OLD"), unrecorded("N1"), status="completed"),
            update(ours=frozenset({"OLD", "N1"}), fulfillments=("p1",)),
            "replaced: settle p1=N1[1x1]",
        ),
        (
            order(parcel("OLD"), status="completed"),
            update(ours=frozenset({"OLD", "N1"}), fulfillments=("p1",), siblings=frozenset({"OLD", "p2"})),
            "replaced: add N1[1x1] instead of OLD, settle p1=N1[1x1]",
        ),
        (
            order(parcel("OLD"), unrecorded("N1"), status="completed"),
            update(ours=frozenset({"OLD", "N1"}), fulfillments=("p1",), siblings=frozenset({"OLD", "p2"})),
            "replaced: settle p1=N1[1x1]",
        ),
        # --- the carrier was wrong
        (
            order(parcel(company="DHL", url="https://dhl.example/N1")),
            update(fulfillments=("p1",)),
            "replaced: add N1[1x1], settle p1=N1[1x1] as completed",
        ),
        (
            order(parcel(company="DHL", url="https://dhl.example/N1"), unrecorded("N1")),
            update(fulfillments=("p1",)),
            "replaced: remove N1 (item of p1), settle p1=N1[1x1] as completed",
        ),
        # --- the same number for two parcels, by permission: one item, two entries
        (
            order(parcel(lines={"1": 1}), lines=TWO),
            update(lines={"2": 1}, siblings=frozenset({"p1", "N1"})),
            "created: settle p1=N1[1x1] + p1+2=N1[1x2] as completed",
        ),
        # --- there twice
        (
            order(parcel(), unrecorded("N1"), status="completed"),
            update(fulfillments=("p1",)),
            "replaced: remove N1 (item of x1), settle p1=N1[1x1], duplicate_cancelled",
        ),
        (
            order(parcel(), unrecorded("N1", url="https://elsewhere.example/N1"), status="completed"),
            update(fulfillments=("p1",)),
            "unchanged: nothing",
        ),
        # --- somebody else was there
        (order(unrecorded("THEIRS")), update(), "other_number_there THEIRS"),
        (order(unrecorded("THEIRS"), unrecorded("N1", id="x2")), update(), "created: settle x2=N1[1x1] as completed"),
        (order(parcel(), unrecorded("THEIRS"), status="completed"), update(), "unchanged: nothing"),
        (order(gone(), unrecorded("THEIRS")), update(fulfillments=("p1",)), "other_number_there THEIRS"),
        (order(parcel("THEIRS")), update(fulfillments=("p1",)), "other_number_there THEIRS"),
        (order(status="completed"), update(), "adopted: add N1[1x1], settle new=N1[1x1]"),
        (order(status="delivered"), update(), "adopted: add N1[1x1], settle new=N1[1x1]"),
        # --- somebody took ours away: the same is not put there again, another is
        (order(gone(), status="completed"), update(fulfillments=("p1",)), "fulfillment_cancelled"),
        (order(gone(), status="completed"), update(), "created: add N1[1x1], settle p1=N1[1x1]"),
        (
            order(gone("OLD"), status="completed"),
            update(ours=frozenset({"OLD", "N1"}), fulfillments=("p1",)),
            "replaced: add N1[1x1], settle p1=N1[1x1]",
        ),
        # --- what was put elsewhere, before the plugin came
        (order(gone(place=PLAIN), status="completed"), update(fulfillments=("p1",)), "unchanged: nothing"),
        (
            order(gone("OLD", place=PLAIN), status="completed"),
            update(ours=frozenset({"OLD", "N1"}), fulfillments=("p1",)),
            "replaced: add N1[1x1] instead of OLD, settle p1=N1[1x1]",
        ),
    ],
)
def test_a_list_shows_one_item_for_each_number(there: OrderState, wanted: TrackingUpdate, steps: str) -> None:
    assert decided(wanted, there) == steps


def on_plain(*parcels: Parcel, **more: object) -> OrderState:
    return order(*(replace(one, place=PLAIN) for one in parcels), place=PLAIN, **more)  # type: ignore[arg-type]


def listed(number: str, **more: object) -> Parcel:
    return parcel(number, place=PLAIN, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "there, wanted, steps",
    [
        (on_plain(), update(), "created: add N1[1x1], settle new=N1[1x1] list N1 as completed"),
        (on_plain(listed("N1"), status="completed"), update(), "unchanged: nothing"),
        # A note tells it, the order's meta does not yet.
        (
            replace(on_plain(unrecorded("N1", item="N1")), listed=()),
            update(),
            "created: settle x1=N1[1x1] list N1 as completed",
        ),
        (
            on_plain(listed("OLD"), status="completed"),
            update(ours=frozenset({"OLD", "N1"}), fulfillments=("p1",)),
            "replaced: add N1[1x1] instead of OLD, settle p1=N1[1x1] list N1",
        ),
        (
            replace(on_plain(listed("OLD"), unrecorded("N1", item="N1"), status="completed"), listed=("OLD",)),
            update(ours=frozenset({"OLD", "N1"}), fulfillments=("p1",)),
            "replaced: settle p1=N1[1x1] list N1",
        ),
        (
            on_plain(listed("N2", id="p2"), lines=TWO, status="processing"),
            update(lines={"2": 1}, siblings=frozenset({"p2", "N2"})),
            "created: add N1[1x2], settle p2=N2[1x1] + new=N1[1x2] list N2 N1 as completed",
        ),
        (on_plain(unrecorded("THEIRS", item="THEIRS")), update(), "other_number_there THEIRS"),
        (on_plain(status="completed"), update(), "adopted: add N1[1x1], settle new=N1[1x1] list N1"),
    ],
)
def test_a_plain_order_lists_its_numbers(there: OrderState, wanted: TrackingUpdate, steps: str) -> None:
    assert decided(wanted, there) == steps


def on_own(*parcels: Parcel, **more: object) -> OrderState:
    return order(*(replace(one, place=OWN) for one in parcels), place=OWN, **more)  # type: ignore[arg-type]


def joined(parcel: Parcel, *numbers: str) -> Parcel:
    return replace(parcel, numbers=numbers)


@pytest.mark.parametrize(
    "there, wanted, steps",
    [
        # --- one parcel
        (on_own(), update(), "created: add N1[1x1], settle status as completed"),
        (on_own(parcel(), status="completed"), update(), "unchanged: nothing"),
        (on_own(parcel()), update(), "created: settle status as completed"),
        # --- a part, then the rest
        (on_own(lines=TWO), update(), "created: add N1[1x1], settle status as partial-shipped"),
        (
            on_own(parcel("N2", {"2": 1}, id="p2"), lines=TWO, status="partial-shipped"),
            update(siblings=frozenset({"p2", "N2"})),
            "created: add N1[1x1], settle status as completed",
        ),
        (
            on_own(parcel(lines={"1": 2}), lines={"1": 3}, status="partial-shipped"),
            update(lines={"1": 3}, fulfillments=("p1",)),
            "created: add N1[1x1], settle status as completed",
        ),
        # --- too much, or nothing left
        (
            on_own(lines={"1": 2}),
            update(lines={"1": 5}),
            "created: add N1[2x1], settle status as completed, missing 3",
        ),
        (on_own(lines={"1": 0}), update(), "nothing_to_fulfill"),
        # --- contents nobody told: the first takes all, later ones join it
        (on_own(lines=TWO), untold(), "created: add N1[1x1 1x2], settle status as completed"),
        (
            on_own(parcel("N2", TWO, id="p2"), lines=TWO, status="completed"),
            untold(siblings=frozenset({"p2", "N2"})),
            "replaced: change p2 to N2&N1[1x1 1x2]",
        ),
        (
            on_own(joined(parcel("N2", TWO, id="p2"), "N2", "OLD"), lines=TWO, status="completed"),
            untold(ours=frozenset({"OLD", "N1"}), siblings=frozenset({"p2", "N2"}), fulfillments=("p2",)),
            "replaced: change p2 to N2&N1[1x1 1x2]",
        ),
        (
            on_own(joined(parcel("N2", TWO, id="p2"), "N2", "N1"), lines=TWO, status="completed"),
            untold(siblings=frozenset({"p2", "N2"}), fulfillments=("p2",)),
            "unchanged: nothing",
        ),
        # --- a number in place of another: in the same fulfillment
        (
            on_own(parcel("OLD"), status="completed"),
            update(ours=frozenset({"OLD", "N1"}), fulfillments=("p1",)),
            "replaced: change p1 to N1[1x1]",
        ),
        (
            on_own(parcel(company="DHL", url="https://dhl.example/N1"), status="completed"),
            update(fulfillments=("p1",)),
            "replaced: change p1 to N1[1x1]",
        ),
        # --- there twice
        (
            on_own(parcel(), parcel(id="p9"), status="completed"),
            update(fulfillments=("p1",)),
            "replaced: remove N1 (item of p9), duplicate_cancelled",
        ),
        (
            on_own(parcel("N1", {"1": 1}), parcel("N1", {"1": 1}, id="p9"), lines={"1": 3}),
            update(),
            "replaced: remove N1 (item of p9), settle status as partial-shipped, duplicate_cancelled",
        ),
        # --- somebody else was there
        (on_own(parcel("THEIRS", id="x1")), update(), "other_number_there THEIRS"),
        (
            on_own(parcel("THEIRS", {"2": 1}, id="x1"), lines=TWO),
            update(),
            "created: add N1[1x1], settle status as completed",
        ),
        (on_own(parcel("THEIRS")), update(fulfillments=("p1",)), "other_number_there THEIRS"),
        (on_own(parcel("", id="x1")), update(), "adopted: change x1 to N1[1x1], settle status as completed"),
        (on_own(parcel("", id="x1"), status="completed"), untold(), "adopted: change x1 to N1[1x1]"),
        (on_own(status="completed"), update(), "adopted: add N1[1x1]"),
        # --- somebody took ours away: the same is not put there again, another is
        (on_own(status="completed"), update(fulfillments=("fulfillments:7",)), "fulfillment_cancelled"),
        (
            on_own(status="completed"),
            update(fulfillments=("fulfillments:7",), ours=frozenset({"OLD", "N1"})),
            "adopted: add N1[1x1]",
        ),
        # --- what was put elsewhere, before they were switched on
        (
            replace(on_own(status="completed"), parcels=(gone(place=PLAIN),)),
            update(fulfillments=("p1",)),
            "unchanged: nothing",
        ),
    ],
)
def test_a_fulfillment_is_one_parcel_or_several_that_share_it(
    there: OrderState, wanted: TrackingUpdate, steps: str
) -> None:
    assert decided(wanted, there) == steps


@pytest.mark.parametrize("place", Place)
@pytest.mark.parametrize(
    "status, end",
    [
        ("processing", "created"),
        ("on-hold", "created"),
        ("partial-shipped", "created"),
        ("completed", "adopted"),
        ("pending", "order_not_open pending"),
        ("failed", "order_not_open failed"),
        ("trash", "order_not_open trash"),
        ("checkout-draft", "order_not_open checkout-draft"),
        ("quality-control", "order_not_open quality-control"),
        ("cancelled", "order_cancelled_in_store"),
        ("refunded", "order_cancelled_in_store"),
    ],
)
def test_only_open_orders_are_written_to(place: Place, status: str, end: str) -> None:
    assert decided(update(), order(status=status, place=place)).partition(":")[0] == end


@pytest.mark.parametrize("place", Place)
@pytest.mark.parametrize("status", ["cancelled", "refunded", "trash", "pending"])
def test_a_number_that_stands_on_a_closed_order_is_a_fact_and_nothing_else_is_written(
    place: Place, status: str
) -> None:
    there = order(parcel(place=place), status=status, place=place)

    assert decided(update(fulfillments=("p1",)), there) == "unchanged: nothing"
    another = update("N2", ours=frozenset({"N1", "N2"}), fulfillments=("p1",))
    assert not isinstance(plan(another, there, completes=True), Plan)


@pytest.mark.parametrize("place", Place)
def test_a_merchant_who_completes_orders_himself_keeps_the_status(place: Place) -> None:
    made = plan(update(), order(place=place), completes=False)

    assert isinstance(made, Plan)
    assert [step.status for step in made.steps if isinstance(step, Settle)] in ([], [""])


@pytest.mark.parametrize("place", Place)
def test_a_shop_without_a_status_for_parts_keeps_its_order_as_it_is(place: Place) -> None:
    there = replace(order(lines=TWO, place=place), statuses=frozenset({"processing", "completed"}))
    made = plan(update(), there, completes=True)

    assert isinstance(made, Plan)
    assert [step.status for step in made.steps if isinstance(step, Settle)] in ([], [""])


@pytest.mark.parametrize("place", Place)
def test_goods_that_are_never_shipped_need_no_parcel(place: Place) -> None:
    download = Line("2", 1, ships=False)
    there = replace(order(place=place), lines=(Line("1", 1), download))
    made = plan(update(), there, completes=True)

    assert isinstance(made, Plan)
    assert [step.status for step in made.steps if isinstance(step, Settle)] == ["completed"]
    assert decided(untold(), there) == decided(update(), there)


@pytest.mark.parametrize("place", Place)
def test_what_belongs_to_another_shipment_is_not_ours(place: Place) -> None:
    there = order(parcel("N2", id="p2", place=place), place=place)

    assert ours(update(siblings=frozenset({"p2", "N2"})), there) == ()
    assert ours(update(siblings=frozenset({"p2", "N2"}), fulfillments=("p2",)), there) != ()


@pytest.mark.parametrize("place", Place)
def test_a_stop_names_who_acts(place: Place) -> None:
    there = order(lines={"1": 0}, place=place)

    assert plan(update(), there, completes=True) == Stop(ShipmentRejected, Code.NOTHING_TO_FULFILL)
