"""The cost bucket of a store: waits, learnt costs, requests that fit. A made-up clock, no network."""

from __future__ import annotations

import pytest

from stores.connectors.shopify.limiter import CANCEL, CREATE, UPDATE, Cost, Limiter


def told(available: float, *, requested: float = 10, maximum: float = 2000, restore: float = 100) -> Cost:
    return Cost(requested=requested, actual=requested, maximum=maximum, available=available, restore=restore)


def knows(available: float, **more: float) -> Limiter:
    """A limiter that was told at 0 what the bucket holds."""
    limiter = Limiter()
    limiter.answered(told(available, **more), now=0.0)
    return limiter


@pytest.mark.parametrize(
    "available,cost,now,wait",
    [
        (2000, 900, 0.0, 0.0),
        (900, 900, 0.0, 0.0),
        (899, 900, 0.0, 0.01),
        (0, 900, 0.0, 9.0),
        # it fills while we work
        (0, 900, 5.0, 4.0),
        (0, 900, 9.0, 0.0),
        # a clock that stands still or goes back gives nothing
        (100, 900, -5.0, 8.0),
        # dearer than the bucket is large: all of it, no more
        (1000, 5000, 0.0, 10.0),
    ],
)
def test_a_request_waits_until_the_bucket_surely_holds_it(
    available: float, cost: float, now: float, wait: float
) -> None:
    assert knows(available).wait(cost, now) == pytest.approx(wait)


def test_a_bucket_never_holds_more_than_its_size() -> None:
    limiter = knows(500, maximum=600, restore=100)

    limiter.lost(600, now=1000.0)

    assert (limiter.available, limiter.wait(600, 1000.0)) == (0.0, 6.0)


@pytest.mark.parametrize(
    "cost,looks",
    [(11, False), (100, False), (101, True)],
)
def test_a_bucket_nobody_looked_into_is_looked_into_before_something_dear(cost: float, looks: bool) -> None:
    known = knows(0)
    kept = knows(2000)
    kept.doubt()

    assert (Limiter().needs_a_look(cost), kept.needs_a_look(cost), known.needs_a_look(cost)) == (looks, looks, False)
    assert kept.wait(cost, 0.0) == 0.0


@pytest.mark.parametrize(
    "units,requested,expected",
    [
        # what the store asks is believed as soon as it is more
        ({CREATE: 10}, 180, {CREATE: 18.0, UPDATE: 51.0, CANCEL: 11.0}),
        ({UPDATE: 3}, 240, {CREATE: 11.0, UPDATE: 80.0, CANCEL: 11.0}),
        # never less: it may change back without notice
        ({UPDATE: 3}, 33, {CREATE: 11.0, UPDATE: 51.0, CANCEL: 11.0}),
        # of several kinds nobody can tell which one
        ({CREATE: 1, UPDATE: 1}, 124, {CREATE: 22.0, UPDATE: 102.0, CANCEL: 11.0}),
        # nothing asked, nothing learnt
        ({CREATE: 2}, 0, {CREATE: 11.0, UPDATE: 51.0, CANCEL: 11.0}),
    ],
)
def test_the_highest_cost_of_a_write_is_kept(
    units: dict[str, int], requested: float, expected: dict[str, float]
) -> None:
    limiter = Limiter()

    limiter.learn(units, requested)

    assert limiter.costs == expected


def test_a_read_costs_what_it_did_last_time() -> None:
    limiter = Limiter()
    limiter.starts_at("page", 45.0)
    limiter.starts_at("page", 1.0)
    assert limiter.fits("page") == 20

    limiter.learn({"page": 20}, 480)
    assert (limiter.cost("page"), limiter.fits("page")) == (24.0, 37)

    limiter.learn({"page": 10}, 600)
    assert (limiter.cost("page"), limiter.fits("page")) == (60.0, 15)


@pytest.mark.parametrize(
    "told,cost,ceiling,fits",
    [
        # it is dearer than we thought: fewer fit
        (1275.0, 85.0, 900.0, 10),
        # it costs what we thought, or the store does not say: half as much from now on
        (765.0, 51.0, 382.5, 7),
        (0.0, 51.0, 382.5, 7),
    ],
)
def test_a_request_refused_for_its_cost_makes_the_next_ones_smaller(
    told: float, cost: float, ceiling: float, fits: int
) -> None:
    limiter = Limiter()

    limiter.refused_as_too_dear({UPDATE: 15}, told)

    assert (limiter.cost(UPDATE), limiter.ceiling, limiter.fits(UPDATE)) == (cost, ceiling, fits)


def test_what_is_refused_again_and_again_shrinks_to_one() -> None:
    limiter = Limiter()
    for _ in range(20):
        limiter.refused_as_too_dear({CREATE: limiter.fits(CREATE)}, 0.0)

    assert limiter.fits(CREATE) == 1


def test_something_dearer_than_any_request_still_goes_alone() -> None:
    limiter = Limiter()
    limiter.starts_at("huge", 5000.0)

    assert limiter.fits("huge") == 1


@pytest.mark.parametrize(
    "extensions,cost",
    [
        (
            {
                "cost": {
                    "requestedQueryCost": 752,
                    "actualQueryCost": None,
                    "throttleStatus": {"maximumAvailable": 1000.0, "currentlyAvailable": 666, "restoreRate": 50.0},
                }
            },
            Cost(requested=752.0, actual=None, maximum=1000.0, available=666.0, restore=50.0),
        ),
        ({"cost": {"requestedQueryCost": 1}}, None),
        ({"cost": None}, None),
        ({}, None),
        (None, None),
        ("cost", None),
    ],
)
def test_the_cost_is_read_where_an_answer_tells_it(extensions: object, cost: Cost | None) -> None:
    assert Cost.read(extensions) == cost


def test_a_backlog_uses_the_whole_budget_and_is_never_throttled() -> None:
    """A made-up store with its own arithmetic: 500 batches of 25 creates, each with its read."""
    limiter = Limiter()
    size, restore, level, clock = 2000.0, 100.0, 2000.0, 0.0
    spent = throttled = 0.0

    def call(requested: float, actual: float) -> None:
        nonlocal level, clock, spent, throttled
        pause = limiter.wait(requested, clock)
        clock += pause + 0.05  # the way there and back
        level = min(size, level + (pause + 0.05) * restore)
        if level < requested:
            throttled += 1
        level -= actual
        spent += actual
        limiter.answered(told(level, requested=requested, maximum=size, restore=restore), clock)

    for _ in range(500):
        call(25 * 24, 100)
        call(25 * 11, 25 * 11)

    assert throttled == 0
    assert spent >= 0.95 * (size + restore * clock)
