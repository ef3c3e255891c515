"""Needs attention: what is listed, in which words, and what its buttons do, for the merchant's own stores only."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from orders import problems
from orders.models import Shipment, SyncAttempt, TrackingSync
from stores.models import Store
from tests import factories
from tests.orders.admin_cast import a_planned_shipment, a_shown_shipment, logged_in, messages_of, row_of

pytestmark = pytest.mark.django_db


def a_stuck(store: Store, reason: str = "refused", *, number: str = "", **values: Any) -> Shipment:
    """A parcel that a person should look at."""
    order = factories.an_order(store, **({"number": number} if number else {}))
    shipment = a_planned_shipment(order, dispatched_at=factories.NOON)
    TrackingSync.objects.filter(shipment=shipment).update(
        state="attention",
        reason=reason,
        reason_values=values,
        due_at=None,
        due_since=None,
        state_since=factories.NOON,
    )
    return shipment


def a_late(store: Store, reason: str = "", **order: Any) -> Shipment:
    """A parcel that has been due for over a day."""
    shipment = a_planned_shipment(factories.an_order(store, **order), dispatched_at=factories.NOON)
    TrackingSync.objects.filter(shipment=shipment).update(due_since=timezone.now() - timedelta(hours=25), reason=reason)
    return shipment


def page(its: Store, /, **query: Any) -> Any:
    return logged_in(its.owner).get(reverse("attention"), query)


def lines(answer: Any) -> list[int]:
    return [line.shipment_id for line in answer.context["lines"]]


def kinds(answer: Any) -> list[tuple[str, int]]:
    return [(kind.key, kind.rows) for kind in answer.context["kinds"]]


# --- what is listed --------------------------------------------------------------------------------------


def test_stuck_and_late_parcels_of_all_own_stores_are_listed_newest_first() -> None:
    blue = factories.a_store(name="Blue")
    red = factories.a_store(blue.owner, name="Red")
    a_planned_shipment(factories.an_order(blue), dispatched_at=timezone.now())  # due, and on its way
    a_shown_shipment(blue)
    a_stuck(factories.a_store())  # a stranger's
    stuck, late, held = a_stuck(blue), a_late(red), a_late(red, "on_hold")

    answer = page(blue)

    assert lines(answer) == [held.pk, late.pk, stuck.pk]
    assert sorted(kinds(answer)) == [("long_due", 1), ("on_hold", 1), ("refused", 1)]


@pytest.mark.parametrize(
    "store, listed",
    [
        ({}, ["stuck", "late"]),
        ({"is_paused": True}, ["stuck"]),
        ({"trouble": "token_refused"}, ["stuck"]),
        ({"trouble": "throttled", "resume_at": factories.NOON}, ["stuck", "late"]),
        ({"disconnected_at": factories.NOON, "disconnect_reason": "merchant"}, []),
    ],
    ids=["connected", "paused", "to be reconnected", "busy for a while", "disconnected"],
)
def test_late_numbers_count_only_where_something_could_be_sent(store: dict[str, Any], listed: list[str]) -> None:
    its = factories.a_store()
    made = {"stuck": a_stuck(its).pk, "late": a_late(its).pk}
    Store.objects.filter(pk=its.pk).update(**store)

    answer = page(its)

    assert lines(answer) == sorted((made[name] for name in listed), reverse=True)
    shut = len(answer.context["shut"])
    assert (shut, problems.count(its.owner, timezone.now())) == (int("token" in str(store)), len(listed) + shut)


def test_a_line_says_what_is_so_what_to_do_and_since_when_in_the_stores_time() -> None:
    store = factories.a_store(name="Blue Mug", time_zone="Asia/Tokyo")
    a_stuck(store, "other_number_there", number="#1001", there="RR1")

    (line,) = page(store).context["lines"]

    assert (line.order, line.store, line.what, line.then, line.since) == (
        "#1001",
        "Blue Mug",
        "The store shows another number already, RR1, that is none of ours. It was not overwritten.",
        "Remove that number in Shopify and press “Try again” if ours should stand there; give up to leave it.",
        "2 Mar 2026, 21:00 (JST)",
    )
    assert (line.tries, line.button.label) == (False, "Open the order in Shopify")


def test_a_store_that_lets_us_in_no_more_is_one_problem_and_says_how_much_waits() -> None:
    store = factories.a_store(name="Blue Mug", trouble="token_refused", trouble_since=factories.NOON)
    for _ in range(3):
        a_late(store)

    answer = page(store)

    (shut,) = answer.context["shut"]
    assert (shut.name, shut.what, shut.waiting, shut.since) == (
        "Blue Mug",
        "The store no longer accepts our access.",
        3,
        "2 Mar 2026, 12:00 (UTC)",
    )
    assert "3 numbers wait and go out once it is reconnected." in answer.content.decode()
    assert lines(answer) == []


@pytest.mark.parametrize("only", ["problem", "store"])
def test_the_list_can_be_of_one_kind_or_one_store_only(only: str) -> None:
    blue = factories.a_store()
    red = factories.a_store(blue.owner)
    refused, held = a_stuck(blue), a_stuck(red, "other_number_there")

    query = {"problem": {"problem": "other_number_there"}, "store": {"store": red.pk}}[only]

    assert (lines(page(blue)), lines(page(blue, **query))) == ([held.pk, refused.pk], [held.pk])


def test_pages_follow_one_another_and_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.views.attention.page.PAGE", 2)
    store = factories.a_store()
    made = [(a_late if n % 2 else a_stuck)(store).pk for n in range(5)]

    seen, before = [], None
    for _ in range(3):
        answer = page(store, **({"before": before} if before else {}))
        seen.append(lines(answer))
        before = answer.context["next_before"]

    assert (seen, before) == ([made[:2:-1], made[2:0:-1], made[:1]], None)


@pytest.mark.parametrize("query", [{"before": "x"}, {"before": "9" * 30}, {"problem": "<b>"}, {"store": "x"}])
def test_odd_addresses_show_the_first_page(query: dict[str, str]) -> None:
    store = factories.a_store()
    stuck = a_stuck(store)

    assert lines(page(store, **query)) == [stuck.pk]


def test_the_number_of_open_problems_stands_in_the_navigation_of_every_page() -> None:
    store = factories.a_store()
    client = logged_in(store.owner)
    without = client.get(reverse("help")).content.decode()
    a_stuck(store)
    a_late(store)

    with_some = client.get(reverse("help")).content.decode()

    assert re.findall(r'<span class="count">(\d+)</span>', without + with_some) == ["2"]


def test_empty_lists_lead_on() -> None:
    no_store = logged_in(factories.a_user()).get(reverse("attention")).content.decode()
    all_well = page(factories.a_store()).content.decode()

    assert "Connect your first store" in no_store
    assert "Nothing needs you" in all_well


# --- what its buttons do ---------------------------------------------------------------------------------


def press(store: Store, name: str, data: dict[str, Any]) -> Any:
    return logged_in(store.owner).post(reverse(name), data, follow=True)


@pytest.mark.parametrize(
    "data, tried",
    [
        ({"only": ["a"]}, ["a"]),
        ({"shipment": ["a", "b"]}, ["a", "b"]),
        ({"problem": "refused", "all": "yes"}, ["a", "b"]),
        ({"problem": "refused", "shipment": ["b"]}, ["b"]),
        ({"problem": "other_number_there", "all": "yes"}, ["c"]),
        ({}, []),
    ],
    ids=["one", "ticked", "a whole kind", "ticked of a kind", "another kind", "nothing"],
)
def test_a_new_try_is_for_what_was_chosen_and_nothing_else(data: dict[str, Any], tried: list[str]) -> None:
    store = factories.a_store()
    made = {"a": a_stuck(store), "b": a_stuck(store), "c": a_stuck(store, "other_number_there")}
    stranger = a_stuck(factories.a_store())
    ids = {name: shipment.pk for name, shipment in made.items()}
    posted = {key: [ids[name] for name in value] if isinstance(value, list) else value for key, value in data.items()}

    answer = press(store, "attention_try_again", posted)

    assert [name for name in made if row_of(made[name]).state == "due"] == tried
    assert row_of(stranger).state == "attention"
    assert messages_of(answer)[0].startswith(
        f"{len(tried)} parcel" if tried else "Nothing was chosen. Tick at least one parcel."
    )
    by = SyncAttempt.objects.filter(reason="tried_again").values_list("actor", flat=True)
    assert list(by) == [store.owner_id] * len(tried)


def test_giving_up_asks_why_first_and_keeps_it() -> None:
    store = factories.a_store()
    one, two = a_stuck(store, number="#1001"), a_stuck(store, number="#1002")
    ids = [one.pk, two.pk]

    asked = press(store, "give_up", {"shipment": ids})
    empty = press(store, "give_up", {"shipment": ids, "why": " "})
    states = [row_of(one).stopped, row_of(two).stopped]
    done = press(store, "give_up", {"shipment": ids, "why": "Sent again by us"})

    assert [shipment.order.number for shipment in asked.context["examples"]] == ["#1002", "#1001"]
    assert (asked.status_code, empty.status_code, states) == (200, 400, ["", ""])
    assert "Say in a few words why; the parcel&#x27;s history keeps it." in empty.content.decode()
    assert messages_of(done) == ["2 numbers were given up. “Try again” on a parcel's page takes its number up again."]
    assert [(row_of(s).state, row_of(s).reason) for s in (one, two)] == [("waiting", "given_up")] * 2
    kept = SyncAttempt.objects.filter(reason="gave_up").values_list("message", "actor")
    assert list(kept) == [("Sent again by us", store.owner_id)] * 2


# --- who may, and the house's rules ----------------------------------------------------------------------


@pytest.mark.parametrize("name, extra", [("attention_try_again", {}), ("give_up", {}), ("give_up", {"why": "x"})])
@pytest.mark.parametrize("mixed", [False, True], ids=["a stranger's alone", "beside one of their own"])
def test_a_strangers_parcel_does_not_exist(name: str, extra: dict[str, str], mixed: bool) -> None:
    store = factories.a_store()
    theirs, own = a_stuck(factories.a_store()), a_stuck(store)
    ids = [theirs.pk, own.pk] if mixed else [theirs.pk]

    answer = press(store, name, {"shipment": ids, **extra})

    assert answer.status_code == 404
    assert {row_of(shipment).state for shipment in (theirs, own)} == {"attention"}


def test_a_strangers_store_does_not_exist() -> None:
    store, strangers = factories.a_store(), factories.a_store()
    a_stuck(strangers)

    asked = page(store, store=strangers.pk)
    tried = press(store, "attention_try_again", {"store": strangers.pk, "problem": "refused", "all": "yes"})

    assert (asked.status_code, tried.status_code) == (404, 404)
    assert TrackingSync.objects.get().state == "attention"


@pytest.mark.parametrize("ids", [["x"], ["0"], ["9" * 25]])
def test_ids_that_are_none_are_nobodys(ids: list[str]) -> None:
    assert press(factories.a_store(), "attention_try_again", {"shipment": ids}).status_code == 404


def test_nothing_is_tried_by_a_link_and_strangers_log_in() -> None:
    store = factories.a_store()

    assert logged_in(store.owner).get(reverse("attention_try_again")).status_code == 405
    for name in ("attention", "give_up"):
        answer: Any = Client().get(reverse(name))
        assert answer.url.partition("?")[0] == reverse("account_login")


def test_no_page_shows_a_gap() -> None:
    store = factories.a_store(trouble="token_refused")
    one = a_stuck(store)
    for reason in ("cancelled_after_sent", "dispatch_reversed", "number_gone", "order_not_found", "units_missing"):
        a_stuck(store, reason)
    pages = [page(store), logged_in(store.owner).get(reverse("give_up"), {"shipment": one.pk})]

    found = [gap for each in pages for gap in ("${", "{{", "{%", "None", "style=") if gap in each.content.decode()]

    assert found == []


def test_the_list_costs_the_same_for_one_row_and_three_of_each() -> None:
    store = factories.a_store()
    client = logged_in(store.owner)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(reverse("attention"))
        return len(captured)

    def more() -> None:
        a_stuck(store, "cancelled_after_sent")
        a_late(store)
        factories.a_store(store.owner, trouble="token_refused")

    more()
    client.get(reverse("attention"))
    one = queries()
    more()
    more()

    assert queries() == one


@pytest.mark.parametrize(
    "days, again, is_told",
    [(1, False, True), (29, False, True), (31, False, False), (1, True, False)],
)
def test_a_store_that_has_lost_the_app_is_told_of_until_it_is_connected_again(
    days: int, again: bool, is_told: bool
) -> None:
    store = factories.a_store(
        name="Mugs", disconnected_at=timezone.now() - timedelta(days=days), disconnect_reason="uninstalled"
    )
    factories.a_store(factories.a_user(), disconnected_at=timezone.now(), disconnect_reason="uninstalled")
    if again:
        factories.a_store(store.owner, name="Mugs again", base_url=store.base_url)

    answer = page(store)

    assert [shut.name for shut in answer.context["shut"]] == (["Mugs"] if is_told else [])
    assert ("The app was removed in Shopify on" in answer.content.decode()) is is_told
    assert problems.count(store.owner, timezone.now()) == (1 if is_told else 0)
