"""What every connector promises, held against a pretend store that speaks the platform over HTTP.

A platform's tests subclass `ConnectorContract` and give it a fixture `store`: a `StoreUnderTest` that
knows how to make orders and weather there. The store's own book is asserted on, never our calls.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import pytest

from stores.connectors.base import Connector, Outcome, Receipt, Sighting, TrackingUpdate
from stores.connectors.codes import Code
from stores.connectors.errors import (
    ConnectorError,
    OutcomeUnknown,
    ShipmentRejected,
    StoreBusy,
    StoreDisconnected,
    TryAgainLater,
)

SHORT = 0.7  # seconds for one request, where a test waits for its end


class Placed(Protocol):
    """An order of the pretend store: its id, its number, the ids of its lines."""

    id: str
    number: str
    lines: tuple[str, ...]


class StoreUnderTest(Protocol):
    """A pretend store and the way to it."""

    secrets: tuple[str, ...]  # nothing of these may be said anywhere
    writes_at_once: int  # how many updates one request carries, at least
    writes_a_number: int  # requests that write for a new number that holds all of its order: tracking, then status
    first_write_is_all: bool  # whether a number that holds a part of its order is whole after the first of them
    shares_fulfillments: bool  # whether parcels whose contents nobody told stand in one fulfillment, side by side
    when_moved: type[ConnectorError]  # what a redirect means: a pause where addresses never change, else a person
    when_gone: tuple[type[ConnectorError], Code]  # what a page "not found" in place of the API means at first

    def connector(self, *, call_limit: float = 20.0, secret: str = "", before_write: object = None) -> Connector:
        """A connector of its own session; `secret` replaces the right credentials."""
        ...

    def order(self, units: Sequence[int] = (1,)) -> Placed:
        """A paid order with a line of so many units each."""
        ...

    def fault(self, kind: str, *, on: str = "all", times: int | None = None, seconds: float | None = None) -> None:
        """Weather by a name that all pretend stores know; `on`: all, read, mutation."""
        ...

    def clear(self) -> None:
        """Fair weather again."""
        ...

    def shown(self, order: Placed) -> list[tuple[str, ...]]:
        """The numbers of each live fulfillment of the order, oldest first."""
        ...

    def units_shipped(self, order: Placed) -> list[int]:
        """How many units of each line are shipped."""
        ...

    def writes(self) -> int:
        """How many writes the store has executed so far."""
        ...

    def ship_by_hand(self, order: Placed, number: str) -> None:
        """Somebody else ships all of it, with a number ("" for none)."""
        ...


def an_update(order: Placed, number: str, **changes: object) -> TrackingUpdate:
    """One unit of each line of the order, with this number; nothing is recorded yet."""
    wanted = TrackingUpdate(
        order_id=order.id,
        number=number,
        company="Royal Mail",
        url=f"https://track.example/{number}",
        lines=tuple((line, 1) for line in order.lines),
        fulfillments=(),
        ours=frozenset({number}),
        siblings=frozenset(),
        notify=False,
    )
    return replace(wanted, **changes)  # type: ignore[arg-type]


def soon(seconds: float = 30.0) -> float:
    return time.monotonic() + seconds


def ends(results: Sequence[object]) -> list[object]:
    """What became of each: an outcome, or an error's class and code."""
    return [
        result.outcome
        if isinstance(result, Receipt)
        else (type(result), result.reason.code)
        if isinstance(result, ConnectorError)
        else result
        for result in results
    ]


def pushed(connector: Connector, *updates: TrackingUpdate) -> list[object]:
    return ends(connector.push(updates, soon()))


NOTHING_WAS_WRITTEN = (TryAgainLater, ShipmentRejected, StoreBusy, StoreDisconnected)


class ConnectorContract:
    """Subclass it as `Test…` and give it a fixture `store`."""

    # --- the plain case ---

    def test_a_pushed_number_stands_in_the_store(self, store: StoreUnderTest) -> None:
        order = store.order()

        (receipt,) = store.connector().push([an_update(order, "N1")], soon())

        assert isinstance(receipt, Receipt)
        assert (receipt.outcome, receipt.number, receipt.warnings, receipt.missing) == (Outcome.CREATED, "N1", (), 0)
        assert store.shown(order) == [("N1",)]

    def test_pushed_twice_is_there_once_and_written_once(self, store: StoreUnderTest) -> None:
        order = store.order()
        update = an_update(order, "N1")

        assert pushed(store.connector(), update) == [Outcome.CREATED]
        written = store.writes()
        assert pushed(store.connector(), update) == [Outcome.UNCHANGED]

        assert store.shown(order) == [("N1",)]
        assert store.writes() == written

    def test_a_replaced_number_stands_in_the_place_of_the_old_one(self, store: StoreUnderTest) -> None:
        order = store.order()
        (first,) = store.connector().push([an_update(order, "N1")], soon())
        assert isinstance(first, Receipt)

        again = an_update(order, "N2", ours=frozenset({"N1", "N2"}), fulfillments=first.fulfillments)
        (second,) = store.connector().push([again], soon())

        assert isinstance(second, Receipt)
        assert (second.outcome, second.fulfillments) == (Outcome.REPLACED, first.fulfillments)
        assert store.shown(order) == [("N2",)]

    def test_only_the_lines_of_the_shipment_are_shipped(self, store: StoreUnderTest) -> None:
        order = store.order(units=(3, 2))

        pushed(store.connector(), an_update(order, "N1", lines=((order.lines[0], 2),)))

        assert store.units_shipped(order) == [2, 0]

    def test_units_without_room_are_told(self, store: StoreUnderTest) -> None:
        order = store.order(units=(2,))

        (receipt,) = store.connector().push([an_update(order, "N1", lines=((order.lines[0], 5),))], soon())

        assert isinstance(receipt, Receipt)
        assert (receipt.missing, store.units_shipped(order)) == (3, [2])

    def test_parcels_of_one_order_keep_each_others_numbers(self, store: StoreUnderTest) -> None:
        order = store.order(units=(2,))
        first = an_update(order, "N1", lines=None)
        (receipt,) = store.connector().push([first], soon())
        assert isinstance(receipt, Receipt)

        second = an_update(order, "N2", lines=None, siblings=frozenset({*receipt.fulfillments, "N1"}))
        pushed(store.connector(), second)
        third = an_update(
            order,
            "N3",
            lines=None,
            ours=frozenset({"N1", "N3"}),
            fulfillments=receipt.fulfillments,
            siblings=frozenset({*receipt.fulfillments, "N2"}),
        )
        pushed(store.connector(), third)

        if store.shares_fulfillments:
            assert store.shown(order) == [("N3", "N2")]
        else:
            assert sorted(store.shown(order)) == [("N2",), ("N3",)]
        assert store.units_shipped(order) == [2]

    def test_two_parcels_of_known_contents_are_two_fulfillments(self, store: StoreUnderTest) -> None:
        order = store.order(units=(2,))
        one = ((order.lines[0], 1),)
        (receipt,) = store.connector().push([an_update(order, "N1", lines=one)], soon())
        assert isinstance(receipt, Receipt)

        pushed(
            store.connector(),
            an_update(order, "N2", lines=one, siblings=frozenset({*receipt.fulfillments, "N1"})),
        )

        assert sorted(store.shown(order)) == [("N1",), ("N2",)]
        assert store.units_shipped(order) == [2]

    def test_somebody_elses_number_is_not_overwritten(self, store: StoreUnderTest) -> None:
        order = store.order()
        store.ship_by_hand(order, "THEIRS")
        written = store.writes()

        (refused,) = store.connector().push([an_update(order, "N1")], soon())

        assert isinstance(refused, ShipmentRejected)
        assert (refused.reason.code, refused.reason.values) == (Code.OTHER_NUMBER_THERE, {"there": "THEIRS"})
        assert (store.shown(order), store.writes()) == ([("THEIRS",)], written)

    def test_what_somebody_shipped_without_a_number_takes_ours(self, store: StoreUnderTest) -> None:
        order = store.order()
        store.ship_by_hand(order, "")

        assert pushed(store.connector(), an_update(order, "N1")) == [Outcome.ADOPTED]
        assert store.shown(order) == [("N1",)]

    # --- many at once ---

    def test_results_have_the_order_of_the_updates_and_one_bad_row_stops_no_other(self, store: StoreUnderTest) -> None:
        good, theirs, last = store.order(), store.order(), store.order()
        store.ship_by_hand(theirs, "THEIRS")
        gone = replace(an_update(good, "N0"), order_id=good.id + "9999")

        results = pushed(store.connector(), an_update(good, "N1"), gone, an_update(theirs, "N2"), an_update(last, "N3"))

        assert results == [
            Outcome.CREATED,
            (ShipmentRejected, Code.ORDER_NOT_FOUND),
            (ShipmentRejected, Code.OTHER_NUMBER_THERE),
            Outcome.CREATED,
        ]
        assert [store.shown(order) for order in (good, theirs, last)] == [[("N1",)], [("THEIRS",)], [("N3",)]]

    def test_nothing_to_push_is_nothing_to_ask(self, store: StoreUnderTest) -> None:
        store.fault("500")

        assert store.connector().push([], soon()) == []
        assert store.connector().look([], soon()) == []

    # --- looking ---

    def test_a_look_writes_nothing_and_sees_what_is_there(self, store: StoreUnderTest) -> None:
        shown, changed, absent, theirs = (store.order() for _ in range(4))
        (first, second) = store.connector().push([an_update(shown, "N1"), an_update(changed, "N2")], soon())
        assert isinstance(first, Receipt)
        assert isinstance(second, Receipt)
        store.ship_by_hand(theirs, "THEIRS")
        written = store.writes()

        seen = store.connector().look(
            [
                an_update(shown, "N1"),
                an_update(changed, "N3", ours=frozenset({"N2", "N3"}), fulfillments=second.fulfillments),
                an_update(absent, "N4"),
                an_update(theirs, "N5"),
            ],
            soon(),
        )

        assert seen == [
            Sighting(fulfillments=first.fulfillments, number="N1", complete=True),
            Sighting(fulfillments=second.fulfillments, number="N2", complete=False),
            None,
            None,
        ]
        assert store.writes() == written

    def test_what_belongs_to_another_shipment_is_not_seen_as_ours(self, store: StoreUnderTest) -> None:
        order = store.order(units=(2,))
        one = ((order.lines[0], 1),)
        (receipt,) = store.connector().push([an_update(order, "N1", lines=one)], soon())
        assert isinstance(receipt, Receipt)

        (seen,) = store.connector().look(
            [an_update(order, "N2", lines=one, siblings=frozenset({*receipt.fulfillments, "N1"}))], soon()
        )

        assert seen is None

    # --- the store as a whole ---

    def test_refused_credentials_concern_the_whole_store(self, store: StoreUnderTest) -> None:
        orders = [store.order(), store.order()]
        connector = store.connector(secret="not-the-right-secret")

        results = connector.push([an_update(order, f"N{n}") for n, order in enumerate(orders)], soon())

        assert ends(results) == [(StoreDisconnected, Code.TOKEN_REFUSED)] * 2
        for ask in (connector.check, lambda: list(connector.orders(None)), lambda: connector.order("1001")):
            with pytest.raises(StoreDisconnected) as refused:
                ask()
            assert refused.value.reason.code == Code.TOKEN_REFUSED
        assert store.writes() == 0

    @pytest.mark.parametrize("on", ["read", "mutation"])
    def test_a_rate_limit_is_the_whole_stores_and_nothing_was_written(self, store: StoreUnderTest, on: str) -> None:
        order = store.order()
        store.fault("429", on=on, seconds=7)

        (busy,) = store.connector().push([an_update(order, "N1")], soon())

        assert isinstance(busy, StoreBusy)
        assert (busy.reason.code, busy.after) == (Code.THROTTLED, 7.0)
        assert store.writes() == 0

    @pytest.mark.parametrize(
        "kind", ["500", "502_html", "503", "html_200", "reset_before", "cut_json", "cut_body", "huge"]
    )
    def test_a_read_without_a_good_answer_makes_the_store_wait(self, store: StoreUnderTest, kind: str) -> None:
        order = store.order()
        store.fault(kind, on="read")
        connector = store.connector()

        results = connector.push([an_update(order, "N1")], soon()) + connector.look([an_update(order, "N1")], soon())

        assert [type(result) for result in results] == [StoreBusy, StoreBusy]
        for ask in (connector.check, lambda: list(connector.orders(None)), lambda: connector.order("1001")):
            with pytest.raises(StoreBusy):
                ask()
        assert store.writes() == 0

    def test_a_redirect_is_not_followed(self, store: StoreUnderTest) -> None:
        order = store.order()
        store.fault("302", on="read")
        connector = store.connector()

        results = connector.push([an_update(order, "N1")], soon()) + connector.look([an_update(order, "N1")], soon())

        assert [type(result) for result in results] == [store.when_moved] * 2
        for ask in (connector.check, lambda: list(connector.orders(None)), lambda: connector.order("1001")):
            with pytest.raises(store.when_moved):
                ask()
        assert store.writes() == 0

    @pytest.mark.parametrize("kind", ["402", "404"])
    def test_a_shop_that_is_frozen_or_gone_gets_nothing(self, store: StoreUnderTest, kind: str) -> None:
        order = store.order()
        store.fault(kind)

        meaning = store.when_gone if kind == "404" else (StoreDisconnected, Code.SHOP_FROZEN)
        assert pushed(store.connector(), an_update(order, "N1")) == [meaning]
        assert store.writes() == 0

    # --- lost answers ---

    @pytest.mark.parametrize(
        "kind",
        ["timeout", "reset_before", "500", "502_html", "503", "html_200", "huge"],
    )
    def test_a_lost_answer_to_a_write_that_did_not_arrive(self, store: StoreUnderTest, kind: str) -> None:
        order = store.order()
        update = an_update(order, "N1")
        store.fault(kind, on="mutation", times=1)
        began = time.monotonic()

        (unknown,) = store.connector(call_limit=SHORT).push([update], soon())

        assert time.monotonic() - began < SHORT + 2
        assert isinstance(unknown, OutcomeUnknown)
        assert store.shown(order) == []
        # The look that follows says so, and then it goes.
        assert store.connector().look([update], soon()) == [None]
        assert pushed(store.connector(), update) == [Outcome.CREATED]
        assert store.shown(order) == [("N1",)]

    @pytest.mark.parametrize(
        "kind", ["timeout_after", "reset_after", "500_after", "502_after", "cut_json", "cut_body", "drip"]
    )
    def test_a_lost_answer_to_a_write_that_arrived(self, store: StoreUnderTest, kind: str) -> None:
        order = store.order(units=(3,))  # units are left over: only the number tells that it was done
        update = an_update(order, "N1")
        store.fault(kind, on="mutation", times=1, seconds=5)
        began = time.monotonic()

        (unknown,) = store.connector(call_limit=SHORT).push([update], soon())

        assert time.monotonic() - began < SHORT + 2
        assert isinstance(unknown, OutcomeUnknown)
        (seen,) = store.connector().look([update], soon())
        assert isinstance(seen, Sighting)
        assert (seen.number, seen.complete) == ("N1", store.first_write_is_all)
        if not store.first_write_is_all:
            # Finished, not repeated.
            assert pushed(store.connector(), update) == [Outcome.CREATED]
            assert store.connector().look([update], soon()) == [replace(seen, complete=True)]
        assert pushed(store.connector(), update) == [Outcome.UNCHANGED]
        assert store.shown(order) == [("N1",)]
        assert store.units_shipped(order) == [1]

    def test_a_write_that_the_store_executes_later_is_found_by_the_look(self, store: StoreUnderTest) -> None:
        order = store.order(units=(3,))
        update = an_update(order, "N1")
        store.fault("late", on="mutation", times=1, seconds=0.5)

        (unknown,) = store.connector().push([update], soon())

        assert isinstance(unknown, OutcomeUnknown)
        assert store.shown(order) == []
        until = time.monotonic() + 5
        while time.monotonic() < until and not store.shown(order):
            time.sleep(0.05)
        (seen,) = store.connector().look([update], soon())
        assert isinstance(seen, Sighting)
        assert seen.complete == store.first_write_is_all
        if not store.first_write_is_all:
            assert pushed(store.connector(), update) == [Outcome.CREATED]
        assert pushed(store.connector(), update) == [Outcome.UNCHANGED]
        assert store.shown(order) == [("N1",)]
        assert store.units_shipped(order) == [1]

    def test_a_lost_answer_is_unknown_for_what_was_in_that_request_alone(self, store: StoreUnderTest) -> None:
        orders = [store.order() for _ in range(store.writes_at_once + 1)]
        store.fault("reset_after", on="mutation", times=1)

        results = pushed(store.connector(), *(an_update(order, f"N{n}") for n, order in enumerate(orders)))

        unknown = [n for n, end in enumerate(results) if end == (OutcomeUnknown, Code.ANSWER_LOST)]
        assert unknown
        assert set(results) <= {Outcome.CREATED, (OutcomeUnknown, Code.ANSWER_LOST)}
        assert [store.shown(order) for order in orders] == [[(f"N{n}",)] for n in range(len(orders))]

    # --- time and leases ---

    def test_nothing_is_sent_after_the_deadline(self, store: StoreUnderTest) -> None:
        orders = [store.order(), store.order()]
        connector = store.connector()

        results = connector.push([an_update(order, "N1") for order in orders], time.monotonic())
        looked = connector.look([an_update(order, "N1") for order in orders], time.monotonic())

        assert ends([*results, *looked]) == [(TryAgainLater, Code.NO_TIME)] * 4
        assert [result.after for result in results if isinstance(result, TryAgainLater)] == [0.0, 0.0]
        assert store.writes() == 0

    def test_before_write_is_called_before_each_write_and_before_nothing_else(self, store: StoreUnderTest) -> None:
        order = store.order()
        at: list[int] = []
        connector = store.connector(before_write=lambda: at.append(store.writes()))

        connector.check()
        list(connector.orders(None))
        connector.look([an_update(order, "N1")], soon())
        assert at == []
        connector.push([an_update(order, "N1")], soon())

        assert at == list(range(store.writes_a_number))

    def test_a_lost_lease_stops_the_push(self, store: StoreUnderTest) -> None:
        class LeaseLost(Exception):
            pass

        def lost() -> None:
            raise LeaseLost

        order = store.order()

        with pytest.raises(LeaseLost):
            store.connector(before_write=lost).push([an_update(order, "N1")], soon())

        assert store.writes() == 0

    # --- secrets ---

    @pytest.mark.parametrize(
        "kind",
        ["", "429", "401", "402", "500", "502_html", "html_200", "reset_after", "timeout", "cut_json"],
    )
    def test_no_secret_and_no_buyer_is_in_any_message_or_log(
        self, store: StoreUnderTest, kind: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        order = store.order()
        said: list[str] = []
        for on in ("mutation", "all"):
            if kind:
                store.fault(kind, on=on)
            connector = store.connector(call_limit=SHORT)
            for result in connector.push([an_update(order, "N1")], soon()):
                said += [repr(result), str(result)]
                if isinstance(result, ConnectorError):
                    said += [result.message, repr(result.reason), repr(result.__cause__)]
            try:
                connector.check()
                connector.order("1001")
            except ConnectorError as error:
                said += [repr(error), str(error), error.message, repr(error.reason)]
            store.clear()
        said += [record.getMessage() for record in caplog.records]
        said += [repr(connector), repr(connector.__dict__)]

        assert said
        assert [secret for secret in store.secrets if any(secret in text for text in said)] == []
