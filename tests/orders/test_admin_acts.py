"""What staff can do: each act asks first, happens by POST only, and only by those who may."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from orders.models import Order, Shipment, SyncAttempt, TrackingSync
from stores.models import Store
from tests import factories
from tests.orders.admin_cast import (
    VIEWS,
    a_planned_shipment,
    a_shown_shipment,
    logged_in,
    messages_of,
    staff_who_may,
    the_boss,
)

pytestmark = pytest.mark.django_db


def act_page(row: Any, name: str) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_act", args=[row.pk, name])


def choose(client: Client, listed: str, name: str, rows: list[Any], **fields: Any) -> Any:
    """Choose rows in a list and start an action; with `confirmed="yes"` the question is answered too."""
    data = {"action": name, "_selected_action": [row.pk for row in rows], **fields}
    return client.post(reverse(f"admin:{listed}_changelist"), data, follow=True)


def row_of(shipment: Shipment) -> TrackingSync:
    return TrackingSync.objects.get(shipment=shipment)


# --- who may ----------------------------------------------------------------------------------------------

A_TIME = {"at": "2026-03-01T10:00"}
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


# --- numbers ---------------------------------------------------------------------------------------------------


def enter(shipment: Shipment, **fields: Any) -> Any:
    data = {"kind": "local", "number": "YT2600000000000002", "carrier": factories.a_carrier().pk, **fields}
    return logged_in(the_boss()).post(act_page(shipment, "set_number"), data, follow=True)


SHORTENED = "A spreadsheet has shortened this number to a power of ten; copy it again from where it came."


def numbers_of(shipment: Shipment) -> list[tuple[str, str, bool]]:
    return [(n.kind, n.value, n.replaced_at is None) for n in shipment.numbers.order_by("pk")]


def test_a_first_number_is_entered() -> None:
    shipment = a_planned_shipment(local="")

    answer = enter(shipment, number=" yt26 0000 0000 0000 02 ")

    assert messages_of(answer) == ["YT2600000000000002 is its number now."]
    assert numbers_of(shipment) == [("local", "YT2600000000000002", True)]


def test_our_own_number_needs_no_carrier() -> None:
    shipment = a_planned_shipment(local="")

    enter(shipment, kind="own", number="cjp12345", carrier="")

    assert [(n.value, n.carrier.is_own) for n in shipment.numbers.all()] == [("CJP12345", True)]


def test_a_replaced_number_stays_as_history_with_the_reason() -> None:
    shipment = a_planned_shipment()

    enter(shipment, why="relabelled")

    assert numbers_of(shipment) == [("local", "YT2600000000000001", False), ("local", "YT2600000000000002", True)]
    assert shipment.numbers.get(value="YT2600000000000001").replaced_why == "relabelled"


def test_the_same_number_again_changes_nothing() -> None:
    shipment = a_planned_shipment()

    answer = enter(shipment, number="YT2600000000000001")

    assert messages_of(answer) == ["YT2600000000000001 is its number already; nothing was changed."]


@pytest.mark.parametrize(
    "fields, errors",
    [
        ({"number": ""}, {"number": ["This field is required."]}),
        (
            {"number": "9.40011E+21", "why": "x"},
            {"number": [SHORTENED]},
        ),
        ({"why": ""}, {"why": ["Say why the number before it is replaced."]}),
        ({"carrier": "", "why": "x"}, {"carrier": ["Choose the carrier that gave this number."]}),
        (
            {"number": "CJP12345", "why": "x"},
            {"number": ['This begins with CJP like our own numbers. Choose "our number" above if it is one.']},
        ),
        (
            {"kind": "own", "number": "CJP12345"},
            {"carrier": ["Our own number travels under our own name: leave the carrier empty."]},
        ),
    ],
)
def test_a_number_that_cannot_be_right_is_asked_for_again(fields: dict[str, str], errors: dict[str, list[str]]) -> None:
    shipment = a_planned_shipment()

    answer = enter(shipment, **fields)

    assert answer.context["form"].errors == errors
    assert numbers_of(shipment) == [("local", "YT2600000000000001", True)]


def test_a_number_that_another_parcel_has_is_taken_only_when_it_is_meant() -> None:
    a_planned_shipment(factories.an_order(number="#7"), local="YT2600000000000002")
    shipment = a_planned_shipment(local="")

    refused = enter(shipment).context["form"].errors
    enter(shipment, shared="on")

    assert refused == {"number": ["Order #7 parcel 1 has this number too. Correct it, or tick the box below."]}
    assert numbers_of(shipment) == [("local", "YT2600000000000002", True)]


def test_a_number_is_removed_and_kept_as_history() -> None:
    shipment = a_planned_shipment()

    logged_in(the_boss()).post(act_page(shipment, "remove_number"), {"kind": "local", "why": "wrong parcel"})

    assert numbers_of(shipment) == [("local", "YT2600000000000001", False)]
    assert row_of(shipment).reason == "local_number_missing"


# --- stores ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "before, name, after",
    [
        ({}, "pause", {"is_paused": True, "disconnect_reason": ""}),
        ({"is_paused": True}, "resume", {"is_paused": False, "disconnect_reason": ""}),
        ({}, "disconnect", {"is_paused": False, "disconnect_reason": "staff"}),
    ],
)
def test_a_store_is_paused_resumed_and_disconnected(before: dict, name: str, after: dict) -> None:
    store, other = factories.a_store(**before), factories.a_store(**before)

    logged_in(the_boss()).post(act_page(store, name))

    assert Store.objects.filter(pk=store.pk).values(*after).get() == after
    assert Store.objects.filter(pk=other.pk).values(*before).get() == before or not before


@pytest.mark.django_db(transaction=True)
def test_a_resumed_store_rings_the_bell() -> None:
    store = factories.a_store(is_paused=True)

    logged_in(the_boss()).post(act_page(store, "resume"))

    assert [task.func() for task in OrmQ.objects.all()] == ["orders.tasks.sync_due"]


def test_a_connection_that_fails_is_told_and_written_down() -> None:
    store = factories.a_store(name="Blue Mug", credentials={"client_id": "x"})

    answer = logged_in(the_boss()).post(act_page(store, "check"), follow=True)

    assert messages_of(answer) == ["Blue Mug: The store's access data is incomplete: client_secret."]
    assert Store.objects.get(pk=store.pk).trouble == "credentials_incomplete"


def test_moving_the_start_date_tells_its_effect_before_it_is_done() -> None:
    store = factories.a_store(sync_from=factories.NOON)
    old = a_planned_shipment(factories.an_order(store, placed_at=factories.NOON - timedelta(days=5)))
    a_planned_shipment(factories.an_order(store, placed_at=factories.NOON - timedelta(days=50)), local="YT22222")
    client, page = logged_in(the_boss()), act_page(store, "move_start")
    fields = {"at": "2026-02-20T00:00"}

    told = client.post(page, fields)
    before = (row_of(old).reason, Store.objects.get(pk=store.pk).sync_from)
    done = client.post(page, {**fields, "effect": told.context["form"].data["effect"]}, follow=True)

    assert "would be looked after from now on: 1. Unsent parcels that would be left alone: 0." in told.content.decode()
    assert before == ("older_than_sync", factories.NOON)
    assert messages_of(done) == ["The start date was moved; 1 parcel was planned again."]
    assert row_of(old).reason == "not_dispatched"


# --- forms -------------------------------------------------------------------------------------------------------


def preference_form(store: Store, **changed: str) -> dict[str, str]:
    preference = store.preference
    return {
        "name": store.name,
        "time_zone": store.time_zone,
        "counts_as_paid": store.counts_as_paid,
        "preference-TOTAL_FORMS": "1",
        "preference-INITIAL_FORMS": "1",
        "preference-0-store": str(store.pk),
        "preference-0-timing": preference.timing,
        "preference-0-number_source": preference.number_source,
        "preference-0-delay_hours": str(preference.delay_hours),
        "preference-0-mail_sender": preference.mail_sender,
        **changed,
    }


def save_store(store: Store, who: Any = None, **changed: str) -> Any:
    page = reverse("admin:stores_store_change", args=[store.pk])
    return logged_in(who or the_boss()).post(page, preference_form(store, **changed), follow=True)


@pytest.mark.django_db(transaction=True)
def test_a_choice_is_saved_with_its_version_history_and_actor_for_one_store_only() -> None:
    boss, store, other = the_boss(), factories.a_store(name="Blue Mug"), factories.a_store()

    save_store(store, boss, **{"preference-0-timing": "before_dispatch"})

    store.preference.refresh_from_db()
    other.preference.refresh_from_db()
    (change,) = store.preference.changes.all()
    assert (store.preference.timing, store.preference.version) == ("before_dispatch", 2)
    assert (change.actor, change.before["timing"], change.after["timing"]) == (
        boss,
        "after_dispatch",
        "before_dispatch",
    )
    assert (other.preference.timing, other.preference.version) == ("after_dispatch", 1)
    assert OrmQ.objects.count() == 1


def test_a_store_saved_without_a_new_choice_keeps_its_version() -> None:
    store = factories.a_store()

    save_store(store, name="Green Mug")

    store.refresh_from_db()
    assert (store.name, store.preference.version) == ("Green Mug", 1)


def test_a_choice_that_is_none_is_refused() -> None:
    store = factories.a_store()

    answer = save_store(store, **{"preference-0-delay_hours": "9999"})

    assert answer.context["errors"] == [["Ensure this value is less than or equal to 1440."]]
    assert store.preference.changes.count() == 0


def test_another_rule_of_payment_plans_the_store_s_parcels() -> None:
    store = factories.a_store()
    order = factories.an_order(store, paid_at=None, shopper_paid_at=timezone.now() - timedelta(days=1))
    shipment = a_planned_shipment(order)
    before = row_of(shipment).reason

    save_store(store, counts_as_paid="when_shopper_paid")

    assert (before, row_of(shipment).reason) == ("unpaid", "not_dispatched")


def contents(order: Order, **fields: Any) -> dict[str, Any]:
    return {
        "order": order.pk,
        "parcel": 1,
        "shipping_method": factories.a_method().pk,
        "lines-TOTAL_FORMS": "1",
        "lines-INITIAL_FORMS": "0",
        "lines-0-line": order.lines.get().pk,
        "lines-0-quantity": "1",
        **fields,
    }


def test_a_parcel_is_added_with_its_contents_and_planned() -> None:
    order = factories.an_order()
    page = reverse("admin:orders_shipment_add") + f"?order={order.pk}"

    logged_in(the_boss()).post(page, contents(order))

    shipment = Shipment.objects.get()
    assert [(line.line.sku, line.quantity) for line in shipment.lines.all()] == [("SKU-1", 1)]
    assert (row_of(shipment).state, row_of(shipment).reason) == ("waiting", "local_number_missing")


def test_a_parcel_holds_no_more_than_was_ordered() -> None:
    order = factories.an_order(lines=(("SKU-1", 2),))
    page = reverse("admin:orders_shipment_add") + f"?order={order.pk}"

    answer = logged_in(the_boss()).post(page, contents(order, **{"lines-0-quantity": "3"}))

    assert answer.context["errors"] == [["Only 2 of this were ordered."]]
    assert Shipment.objects.count() == 0


def test_a_parcel_holds_only_lines_of_its_own_order() -> None:
    order, other = factories.an_order(), factories.an_order()
    page = reverse("admin:orders_shipment_add") + f"?order={order.pk}"

    answer = logged_in(the_boss()).post(page, contents(order, **{"lines-0-line": other.lines.get().pk}))

    assert len(answer.context["errors"]) == 1
    assert Shipment.objects.count() == 0


def test_the_next_parcel_of_an_order_gets_the_next_number() -> None:
    shipment = a_planned_shipment()
    page = reverse("admin:orders_shipment_add") + f"?order={shipment.order_id}"

    form = logged_in(the_boss()).get(page).context["adminform"].form

    assert (form.initial["order"], form.initial["parcel"]) == (str(shipment.order_id), 2)


def test_another_shipping_method_plans_the_parcel() -> None:
    shipment = a_planned_shipment(dispatched_at=timezone.now() - timedelta(hours=1))
    before = row_of(shipment).state
    forms = {f"{prefix}-{count}_FORMS": "0" for prefix in ("lines", "numbers") for count in ("TOTAL", "INITIAL")}
    data = {"shipping_method": factories.an_own_method().pk, **forms}

    logged_in(the_boss()).post(reverse("admin:orders_shipment_change", args=[shipment.pk]), data)

    assert (before, row_of(shipment).reason) == ("due", "own_number_missing")


def test_another_default_number_reaches_what_has_not_been_sent() -> None:
    method = factories.a_method("Plain Line")
    unsent = a_planned_shipment(method=method, own="CJP12345", dispatched_at=timezone.now() - timedelta(hours=1))
    shown = a_shown_shipment(value="YT2600000000000003")
    Shipment.objects.filter(pk=shown.pk).update(shipping_method=method)
    page = reverse("admin:orders_shippingmethod_change", args=[method.pk])
    data = {"name": method.name, "code": method.code, "default_number": "own", "is_active": "on"}

    answer = logged_in(the_boss()).post(page, data, follow=True)

    assert messages_of(answer)[0] == "1 parcel that nothing has been sent of follows the new default."
    assert [row_of(unsent).wanted.value, row_of(shown).wanted.value] == ["CJP12345", "YT2600000000000003"]
