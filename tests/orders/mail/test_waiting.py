"""The merchant's own act: a word to those who wait, previewed and counted, at most once in seven days."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.urls import reverse

from orders import sync
from orders.choices import MailCode
from orders.mail.waiting import PAUSE, Preview, ask, candidates, waiting_customers
from orders.models import CustomerEmail, Order, Shipment
from stores.choices import MailSender
from stores.models import Store
from tests import factories
from tests.orders.mail.writing import a_parcel, a_shop, a_shown_parcel, at_once, cancel, dispatch, outbox, send, shown

pytestmark = pytest.mark.django_db


def ids(*shipments: Shipment) -> list[int]:
    return [shipment.pk for shipment in shipments]


def asked(store: Store, *shipments: Shipment) -> Preview:
    return ask(store, ids(*shipments), actor=store.owner, now=sync.database_now())


def seen(store: Store, *shipments: Shipment) -> Preview:
    return waiting_customers(store, ids(*shipments), sync.database_now())


def test_whoever_waits_gets_one_word_without_a_number() -> None:
    store = a_shop()
    shipment = a_parcel(store, number="YT1234567890")

    assert asked(store, shipment) == Preview((shipment.pk,))
    assert send() == {"sent": 1}
    assert "YT1234567890" not in mail.outbox[0].body + mail.outbox[0].subject
    email = shipment.emails.get()
    assert (email.kind, email.state, email.number, email.actor) == ("waiting", "sent", None, store.owner)


def test_it_is_the_merchants_act_whoever_writes_the_rest() -> None:
    store = a_shop(mail_sender=MailSender.STORE)
    asked(store, a_parcel(store))

    assert send() == {"sent": 1}


def it_is_shown(shipment: Shipment) -> None:
    dispatch(shipment)
    shown(shipment)
    shipment.emails.all().delete()


def it_has_left(shipment: Shipment) -> None:
    dispatch(shipment)


def it_is_cancelled(shipment: Shipment) -> None:
    cancel(shipment.order)


def it_has_no_address(shipment: Shipment) -> None:
    shipment.order.customer_email = ""
    shipment.order.save()


def it_was_written_about(shipment: Shipment) -> None:
    asked(shipment.order.store, shipment)
    send()


@pytest.mark.parametrize(
    "happens, reason",
    [
        (it_is_shown, MailCode.NUMBER_IS_OUT),
        (it_has_left, MailCode.NUMBER_IS_OUT),
        (it_is_cancelled, MailCode.CANCELLED),
        (it_has_no_address, MailCode.NO_ADDRESS),
        (it_was_written_about, MailCode.WRITTEN_LATELY),
    ],
)
def test_who_is_left_out_is_counted_with_the_reason(happens: Any, reason: MailCode) -> None:
    store = a_shop()
    shipment, other = a_parcel(store), a_parcel(store)
    happens(shipment)

    assert seen(store, shipment, other) == Preview((other.pk,), ((reason, 1),))


def test_an_order_of_several_parcels_is_written_about_once() -> None:
    store = a_shop()
    shipment = a_parcel(store)
    second = factories.a_shipment(shipment.order, parcel=2)

    assert asked(store, shipment, second) == Preview((shipment.pk,), ((MailCode.SAME_ORDER, 1),))
    assert asked(store, second) == Preview((), ((MailCode.WRITTEN_LATELY, 1),))


def test_after_seven_days_there_may_be_another() -> None:
    store = a_shop()
    shipment = a_parcel(store)
    it_was_written_about(shipment)
    CustomerEmail.objects.update(created_at=sync.database_now() - PAUSE, sent_at=sync.database_now() - PAUSE)

    assert asked(store, shipment) == Preview((shipment.pk,))


def test_a_mail_that_came_to_nothing_does_not_count() -> None:
    store = a_shop()
    shipment = a_parcel(store)
    asked(store, shipment)
    CustomerEmail.objects.update(state="refused", due_at=None)

    assert seen(store, shipment) == Preview((shipment.pk,))


def test_a_parcel_whose_number_comes_out_meanwhile_is_not_written_about_any_more() -> None:
    store = a_shop()
    shipment = a_parcel(store)
    asked(store, shipment)
    dispatch(shipment)
    shown(shipment)

    assert send() == {"skipped": 1, "sent": 1}
    assert outbox(shipment) == [("waiting", "skipped", MailCode.NUMBER_IS_OUT), ("shipped", "sent", "")]


def test_another_stores_parcels_are_not_written_about() -> None:
    store, other = a_shop(), a_shop()
    theirs = a_parcel(other)

    assert asked(store, theirs) == Preview(())
    assert CustomerEmail.objects.count() == 0


def test_many_do_not_hold_up_the_mails_of_others() -> None:
    store = a_shop()
    shipments = [a_parcel(store, number=f"YT{n}") for n in range(30)]
    asked(store, *shipments)
    urgent = a_shown_parcel(a_shop())

    times = dict(CustomerEmail.objects.values_list("shipment_id", "due_at"))
    assert sum(at < times[urgent.pk] for at in times.values()) < 30


def test_what_waits_is_listed_oldest_first() -> None:
    store = a_shop()
    first, second = a_parcel(store), a_parcel(store)
    for happens in (it_is_shown, it_has_left, it_is_cancelled):
        happens(a_parcel(store))
    old = sync.database_now() - timedelta(days=9)
    Order.objects.filter(pk=second.order_id).update(placed_at=old)

    assert [row.shipment_id for row in candidates(store)] == ids(second, first)


# --- the page -----------------------------------------------------------------------------------------


@pytest.fixture
def store(client) -> Store:
    made = a_shop(name="Blue Mug")
    client.force_login(made.owner)
    return made


def page(store: Store) -> str:
    return reverse("mail_waiting", args=[store.pk])


def test_the_page_shows_the_count_and_the_mail_before_anything_is_sent(client, store: Store) -> None:
    shipment, cancelled = a_parcel(store), a_parcel(store)
    cancel(cancelled.order)

    assert shipment.order.number in client.get(page(store)).content.decode()

    looked = client.post(page(store), {"shipment": ids(shipment, cancelled)})

    assert (looked.context["count"], looked.context["left_out"]) == (
        1,
        [(1, "Not sent: the order was cancelled or fully refunded.")],
    )
    assert "Blue Mug" in looked.context["example"].text
    assert CustomerEmail.objects.count() == 0

    sent = client.post(page(store), {"seal": looked.context["seal"]}, follow=True)

    assert [str(each) for each in sent.context["messages"]] == ["1 customer is written to now."]
    assert outbox(shipment) == [("waiting", "pending", "")]

    again = client.post(page(store), {"seal": looked.context["seal"]}, follow=True)

    assert "Nobody was left" in str(next(iter(again.context["messages"])))
    assert CustomerEmail.objects.count() == 1


def test_all_that_wait_are_chosen_by_one_button_and_who_gets_nothing_cannot_be_ticked(client, store: Store) -> None:
    first, second, nameless = (a_parcel(store, number=f"YT{n}") for n in range(3))
    written = a_parcel(store, number="YT3")
    Order.objects.filter(pk=nameless.order_id).update(customer_email="")
    asked(store, written)

    shown_page = client.get(page(store))
    looked = client.post(page(store), {"all": "yes"})

    ticks = re.findall(r'name="shipment" value="(\d+)"', shown_page.content.decode())
    assert {int(each) for each in ticks} == {first.pk, second.pk}
    assert {each.shipment_id: each.left_out for each in shown_page.context["waits"]} == {
        first.pk: "",
        second.pk: "",
        nameless.pk: "Not sent: the order has no e-mail address of the customer.",
        written.pk: "Written to about this order within the last seven days.",
    }
    assert (looked.context["count"], looked.context["left_out"]) == (
        2,
        [
            (1, "Not sent: the order has no e-mail address of the customer."),
            (1, "Written to about this order within the last seven days."),
        ],
    )


def test_a_seal_of_another_store_sends_nothing(client, store: Store) -> None:
    other = a_shop(owner=store.owner)
    looked = client.post(page(other), {"shipment": ids(a_parcel(other))})
    client.post(page(store), {"seal": looked.context["seal"]})
    client.post(page(store), {"seal": "made up"})

    assert CustomerEmail.objects.count() == 0


def test_a_strangers_store_and_a_strangers_parcel_do_not_exist(client, store: Store) -> None:
    stranger = a_shop()
    theirs = a_parcel(stranger)

    assert client.get(page(stranger)).status_code == 404
    assert client.post(page(stranger), {"shipment": ids(theirs)}).status_code == 404
    assert client.post(page(store), {"shipment": ids(theirs)}).status_code == 404
    assert client.post(page(store), {"shipment": ["x"]}).status_code == 404


def test_nothing_can_be_sent_before_the_address_is_verified(client) -> None:
    made = a_shop(is_verified=False)
    client.force_login(made.owner)
    shipment = a_parcel(made)

    assert "Until then nothing can be sent" in client.get(page(made)).content.decode()
    assert client.post(page(made), {"shipment": ids(shipment)}).status_code == 400


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_costs_the_same_however_many_wait(client, store, count, django_assert_max_num_queries) -> None:
    for n in range(count):
        a_parcel(store, number=f"YT{n}")

    with django_assert_max_num_queries(9):
        client.get(page(store))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_who_ask_at_once_write_once() -> None:
    store = a_shop()
    shipments = [a_parcel(store, number=f"YT{n}") for n in range(5)]

    assert sorted(at_once(3, lambda: len(asked(store, *shipments).goes))) == [0, 0, 5]
    assert CustomerEmail.objects.count() == 5
