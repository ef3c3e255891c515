"""What staff can do: each act asks first, happens by POST only, and only by those who may."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orders.models import Order, Shipment, SyncAttempt, TrackingSync
from stores.models import Store
from tests import factories
from tests.orders.admin_cast import (
    A_TIME,
    VIEWS,
    a_planned_shipment,
    a_shown_shipment,
    act_page,
    choose,
    logged_in,
    messages_of,
    row_of,
    staff_who_may,
    the_boss,
)

pytestmark = pytest.mark.django_db


# --- who may ----------------------------------------------------------------------------------------------

# act, on what, the permission it needs, the form's fields
ACTS = [
    ("mark_paid", "order", "orders.mark_paid", A_TIME),
    ("mark_dispatched", "waiting", "orders.mark_dispatched", A_TIME),
    ("undo_dispatch", "due", "orders.mark_dispatched", {}),
    ("set_number", "waiting", "orders.add_trackingnumber", {"kind": "own", "number": "CJP12345"}),
    ("remove_number", "waiting", "orders.add_trackingnumber", {"kind": "local", "why": "wrong parcel"}),
    ("try_again", "due", "orders.push_again", {}),
    ("give_up", "due", "orders.push_again", {"why": "lost"}),
    ("cancel_fulfillment", "shown", "orders.cancel_fulfillment", {}),
    ("pause", "store", "stores.change_store", {}),
    ("resume", "paused", "stores.change_store", {}),
    ("check", "store", "stores.reconnect_store", {}),
    ("move_start", "store", "stores.change_store", A_TIME),
    ("disconnect", "store", "stores.change_store", {}),
]
IDS = [name for name, *_ in ACTS]


def a_row(kind: str) -> Any:
    """A row that the act applies to."""
    if kind == "order":
        return factories.an_order(paid_at=None)
    if kind == "store":
        return factories.a_store(base_url="http://127.0.0.1:9")
    if kind == "paused":
        return factories.a_store(is_paused=True)
    if kind == "shown":
        return a_shown_shipment(factories.a_store(base_url="http://127.0.0.1:9"))
    handed_over = timezone.now() - timedelta(hours=1) if kind == "due" else None
    return a_planned_shipment(dispatched_at=handed_over)


def everything() -> list[Any]:
    """All that an act could change."""
    models = (Order, Shipment, TrackingSync, SyncAttempt, Store)
    return [list(model.objects.order_by("pk").values()) for model in models]


@pytest.mark.parametrize("name, kind, permission, fields", ACTS, ids=IDS)
def test_who_may_only_look_cannot_act(name: str, kind: str, permission: str, fields: dict[str, str]) -> None:
    row = a_row(kind)
    client = logged_in(staff_who_may(*VIEWS))
    before = everything()

    page = client.get(reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk]))
    asked, done = client.get(act_page(row, name)), client.post(act_page(row, name), fields)
    listed = f"{row._meta.app_label}_{row._meta.model_name}"
    choose(client, listed, name, [row], confirmed="yes", **fields)

    assert page.status_code == 200
    assert act_page(row, name) not in page.content.decode()
    assert (asked.status_code, done.status_code) == (403, 403)
    assert everything() == before


@pytest.mark.parametrize("name, kind, permission, fields", ACTS, ids=IDS)
def test_who_may_is_offered_the_act_and_asked_first(
    name: str, kind: str, permission: str, fields: dict[str, str]
) -> None:
    row = a_row(kind)
    client = logged_in(staff_who_may(*VIEWS, permission))
    before = everything()

    page = client.get(reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk]))
    question = client.get(act_page(row, name))

    assert act_page(row, name) in page.content.decode()
    assert (question.status_code, question.templates[0].name) == (200, "admin/confirm_act.html")
    assert everything() == before


@pytest.mark.parametrize("name, kind, permission, fields", ACTS, ids=IDS)
def test_nobody_acts_without_logging_in(
    name: str, kind: str, permission: str, fields: dict[str, str], client: Client
) -> None:
    row = a_row(kind)
    before = everything()

    answers = [
        client.post(act_page(row, name), fields),
        logged_in(factories.a_user()).post(act_page(row, name), fields),
    ]

    assert [answer["Location"].split("?")[0] for answer in answers] == [reverse("admin:login")] * 2
    assert everything() == before


def test_a_post_from_elsewhere_is_refused() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(the_boss())

    assert client.post(act_page(a_row("store"), "pause")).status_code == 403


@pytest.mark.parametrize("name", ["no_such_act", "delete_selected"])
def test_an_act_that_is_none_is_not_found(name: str) -> None:
    assert logged_in(the_boss()).post(act_page(a_row("due"), name)).status_code == 404


# --- from a list -------------------------------------------------------------------------------------------


def test_a_list_asks_names_what_it_leaves_out_and_then_does_it() -> None:
    client = logged_in(the_boss())
    unpaid, paid = factories.an_order(number="#1", paid_at=None), factories.an_order(number="#2")
    shipment = a_planned_shipment(unpaid)

    question = choose(client, "orders_order", "mark_paid", [unpaid, paid])
    still_unpaid = Order.objects.get(pk=unpaid.pk).paid_at
    done = choose(client, "orders_order", "mark_paid", [unpaid, paid], confirmed="yes", **A_TIME)

    assert question.context["examples"] == ["#1"]
    assert question.context["left_out"] == "1 is left out: paid already; a payment never moves."
    assert still_unpaid is None
    assert messages_of(done) == ["1 order marked as paid. 1 is left out: paid already; a payment never moves."]
    assert Order.objects.get(pk=unpaid.pk).paid_at.isoformat() == "2026-03-01T10:00:00+00:00"
    assert row_of(shipment).reason == "not_dispatched"
    assert SyncAttempt.objects.get(sync__shipment=shipment).reason == "marked_paid"


def test_what_applies_to_none_of_the_chosen_is_not_even_asked() -> None:
    client = logged_in(the_boss())

    answer = choose(client, "orders_order", "mark_paid", [factories.an_order(), factories.an_order()])

    assert messages_of(answer) == [
        "Mark as paid: nothing was done. 2 are left out: paid already; a payment never moves."
    ]


@pytest.mark.parametrize(
    "at, said",
    [
        ("", "This field is required."),
        ("yesterday", "Enter a valid date/time."),
        ("2999-01-01T00:00", "This time lies ahead. Enter when it happened."),
    ],
)
def test_a_time_that_cannot_be_is_asked_for_again(at: str, said: str) -> None:
    order = factories.an_order(paid_at=None)

    answer = choose(logged_in(the_boss()), "orders_order", "mark_paid", [order], confirmed="yes", at=at)

    assert answer.context["form"].errors == {"at": [said]}
    assert Order.objects.get(pk=order.pk).paid_at is None


def test_all_rows_that_match_can_be_chosen_at_once() -> None:
    orders = [factories.an_order(paid_at=None) for _ in range(3)]

    done = choose(
        logged_in(the_boss()), "orders_order", "mark_paid", orders[:1], select_across="1", confirmed="yes", **A_TIME
    )

    assert messages_of(done) == ["3 orders marked as paid."]


def test_the_queue_acts_on_the_parcels_of_its_rows() -> None:
    shipment = a_planned_shipment()

    done = choose(
        logged_in(the_boss()),
        "orders_trackingsync",
        "mark_dispatched",
        [row_of(shipment)],
        confirmed="yes",
        **A_TIME,
    )

    assert messages_of(done) == ["1 parcel marked as dispatched."]
    assert row_of(shipment).state == "due"


def test_more_stores_than_can_be_checked_at_once_are_refused() -> None:
    stores = [factories.a_store() for _ in range(6)]

    answer = choose(logged_in(the_boss()), "stores_store", "check", stores, confirmed="yes")

    assert messages_of(answer) == ["Check the connection now: choose 5 at the most."]


# --- parcels -------------------------------------------------------------------------------------------------


def test_a_dispatch_is_marked_planned_and_kept_in_the_timeline_and_the_log() -> None:
    boss = the_boss()
    shipment = a_planned_shipment()

    answer = logged_in(boss).post(act_page(shipment, "mark_dispatched"), A_TIME, follow=True)

    assert messages_of(answer) == ["1 parcel marked as dispatched."]
    assert row_of(shipment).state == "due"
    line = SyncAttempt.objects.get(sync__shipment=shipment)
    assert (line.outcome, line.reason, line.actor) == ("by_hand", "marked_dispatched", boss)
    assert LogEntry.objects.get(object_id=str(shipment.pk)).get_change_message() == "1 parcel marked as dispatched."


def test_a_dispatch_taken_back_after_the_number_was_sent_needs_a_person() -> None:
    shipment = a_shown_shipment()

    answer = logged_in(the_boss()).post(act_page(shipment, "undo_dispatch"), follow=True)

    assert (row_of(shipment).state, row_of(shipment).reason) == ("attention", "dispatch_reversed")
    assert answer.context["explanation"].headline == (
        "The store shows YT2600000000000001, but the parcel has come back to us and its dispatch was undone."
    )


def test_given_up_and_tried_again() -> None:
    shipment = a_planned_shipment(dispatched_at=timezone.now() - timedelta(hours=1))
    client = logged_in(the_boss())

    client.post(act_page(shipment, "give_up"), {"why": "the buyer moved"})
    given_up = (row_of(shipment).state, row_of(shipment).reason)
    client.post(act_page(shipment, "try_again"))

    assert given_up == ("waiting", "given_up")
    assert row_of(shipment).state == "due"
    assert [line.message for line in SyncAttempt.objects.filter(reason="gave_up")] == ["the buyer moved"]


def test_giving_up_wants_a_reason() -> None:
    shipment = a_planned_shipment(dispatched_at=timezone.now())

    answer = logged_in(the_boss()).post(act_page(shipment, "give_up"), {"why": " "})

    assert answer.context["form"].errors == {"why": ["This field is required."]}
    assert row_of(shipment).stopped == ""


@pytest.mark.parametrize(
    "row, offered",
    [
        ({}, True),
        ({"adopted": True}, False),
        ({"fulfillments": []}, False),
    ],
)
def test_cancelling_in_the_store_is_offered_only_for_what_we_made(row: dict[str, Any], offered: bool) -> None:
    shipment = a_shown_shipment()
    TrackingSync.objects.filter(shipment=shipment).update(**row)
    client = logged_in(the_boss())

    page = client.get(reverse("admin:orders_shipment_change", args=[shipment.pk]))

    assert (act_page(shipment, "cancel_fulfillment") in page.content.decode()) is offered


def test_a_store_that_does_not_answer_cancels_nothing_and_says_so() -> None:
    shipment = a_shown_shipment(factories.a_store(base_url="http://127.0.0.1:9"))

    answer = logged_in(the_boss()).post(act_page(shipment, "cancel_fulfillment"), follow=True)

    assert [message.level_tag for message in answer.context["messages"]] == ["error"]
    assert (row_of(shipment).state, row_of(shipment).fulfillments) == ("synced", ["gid://shopify/Fulfillment/1"])
