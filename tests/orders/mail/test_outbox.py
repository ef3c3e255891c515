"""From facts to the customer's inbox: one mail, at the right moment, or the reason why there is none."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.test import Client
from django_q.models import OrmQ

from orders import changes, outcomes, pulse, sync
from orders.choices import MailCode
from orders.mail import outbox as outbox_module
from orders.models import CustomerEmail, Order, Pulse, Shipment, TrackingSync
from orders.updates import pictures, update_for
from stores.accounts import links
from stores.accounts.change import row_of
from stores.choices import MailSender, Timing
from stores.connectors.base import Outcome, Receipt
from stores.models import MailSettings
from stores.preferences import save_preference
from tests.factories import NOON
from tests.orders.background import eventually
from tests.orders.mail.writing import (
    DAY,
    MINUTE,
    a_parcel,
    a_shop,
    a_shown_parcel,
    cancel,
    dispatch,
    give,
    outbox,
    planned,
    send,
    shown,
    verify,
)
from tests.orders.workers import Worker

pytestmark = pytest.mark.django_db

BEFORE = {"timing": Timing.BEFORE_DISPATCH}


def test_under_after_the_mail_goes_when_the_store_shows_the_number_and_not_before() -> None:
    shipment = a_parcel(a_shop(), dispatched=True)

    assert (outbox(shipment), send()) == ([], {})

    shown(shipment)

    assert outbox(shipment) == [("shipped", "pending", "")]
    assert send() == {"sent": 1}
    assert [each.to for each in mail.outbox] == [["jane@example.com"]]
    assert outbox(shipment) == [("shipped", "sent", "")]


def test_under_before_the_number_brings_preparing_and_the_dispatch_shipped() -> None:
    shipment = a_shown_parcel(a_shop(**BEFORE))

    assert outbox(shipment) == [("preparing", "pending", "")]
    assert send() == {"sent": 1}

    dispatch(shipment)

    assert outbox(shipment) == [("preparing", "sent", ""), ("shipped", "pending", "")]
    assert send() == {"sent": 1}
    planned(shipment)
    assert (send(), len(mail.outbox)) == ({}, 2)


def test_a_number_that_is_shown_only_after_dispatch_brings_shipped_alone() -> None:
    shipment = a_shown_parcel(a_shop(**BEFORE), dispatched=True)

    assert outbox(shipment) == [("shipped", "pending", "")]


def test_a_parcel_that_leaves_before_preparing_is_sent_brings_shipped_alone() -> None:
    shipment = a_shown_parcel(a_shop(**BEFORE))
    dispatch(shipment)

    assert send() == {"skipped": 1, "sent": 1}
    assert outbox(shipment) == [
        ("preparing", "skipped", MailCode.DISPATCHED_MEANWHILE),
        ("shipped", "sent", ""),
    ]


def test_a_replaced_number_is_told_once_where_the_old_one_was_told() -> None:
    shipment = a_shown_parcel(a_shop())
    send()
    give(shipment, "YT2")
    assert len(outbox(shipment)) == 1  # the store does not show it yet
    shown(shipment, Outcome.REPLACED)

    assert outbox(shipment) == [("shipped", "sent", ""), ("number_changed", "pending", "")]
    assert send() == {"sent": 1}
    assert "YT2" in mail.outbox[-1].body
    planned(shipment)
    assert send() == {}


def test_a_number_that_is_replaced_before_the_mail_goes_is_the_one_it_tells() -> None:
    shipment = a_shown_parcel(a_shop())
    give(shipment, "YT2")
    shown(shipment, Outcome.REPLACED)

    assert send() == {"sent": 1}
    assert outbox(shipment) == [("shipped", "sent", "")]
    assert ("YT2" in mail.outbox[0].body, "YT1" in mail.outbox[0].body) == (True, False)


def test_a_number_that_is_replaced_twice_is_told_as_it_is_now() -> None:
    shipment = a_shown_parcel(a_shop())
    send()
    for number in ("YT2", "YT3"):
        give(shipment, number)
        shown(shipment, Outcome.REPLACED)

    assert send() == {"skipped": 1, "sent": 1}
    assert outbox(shipment) == [
        ("shipped", "sent", ""),
        ("number_changed", "skipped", MailCode.REPLACED_AGAIN),
        ("number_changed", "sent", ""),
    ]
    assert "YT3" in mail.outbox[-1].body


def test_a_store_that_does_not_tell_changed_numbers_says_so() -> None:
    store = a_shop()
    MailSettings.objects.create(store=store, tells_changed_number=False)
    shipment = a_shown_parcel(store)
    send()
    give(shipment, "YT2")
    shown(shipment, Outcome.REPLACED)

    assert outbox(shipment)[-1] == ("number_changed", "skipped", MailCode.CHANGES_NOT_TOLD)


@pytest.mark.parametrize(
    "sender, outcome, row",
    [
        (MailSender.STORE, Outcome.CREATED, ("shipped", "by_store", MailCode.BY_STORE)),
        (MailSender.STORE, Outcome.ADOPTED, ("shipped", "skipped", MailCode.ADOPTED)),
        (MailSender.STORE, Outcome.UNCHANGED, ("shipped", "skipped", MailCode.STORE_WAS_NOT_ASKED)),
        (MailSender.NOBODY, Outcome.CREATED, ("shipped", "skipped", MailCode.NOBODY)),
        (MailSender.TRACKSYNC, Outcome.ADOPTED, ("shipped", "pending", "")),
    ],
)
def test_who_writes_is_the_stores_one_sender(sender: str, outcome: Outcome, row: tuple[str, str, str]) -> None:
    shipment = a_parcel(a_shop(mail_sender=sender), dispatched=True)
    shown(shipment, outcome)

    assert outbox(shipment) == [row]


def test_a_store_that_wrote_at_the_number_is_not_followed_by_us_at_dispatch() -> None:
    store = a_shop(mail_sender=MailSender.STORE, **BEFORE)
    shipment = a_shown_parcel(store)
    save_preference(store, actor=None, now=sync.database_now(), mail_sender=MailSender.TRACKSYNC)
    dispatch(shipment)

    assert outbox(shipment) == [("shipped", "by_store", MailCode.BY_STORE)]


def test_a_push_counts_under_the_sender_it_went_out_with() -> None:
    store = a_shop(mail_sender=MailSender.STORE)
    shipment = a_parcel(store, dispatched=True)
    version = store.preference.version
    save_preference(store, actor=None, now=sync.database_now(), mail_sender=MailSender.TRACKSYNC)
    assert store.preference.version == version

    now = sync.database_now()
    row = TrackingSync.objects.get(shipment=shipment)
    TrackingSync.objects.filter(pk=row.pk).update(sending=row.wanted, sending_since=now)
    sent = outcomes.Sent(row.pk, shipment.pk, row.wanted.pk, now, version, now)
    outcomes.write([(sent, Receipt(Outcome.CREATED, ("F1",), "YT1"))], settle=60, now=now, seconds=0.1)

    assert outbox(shipment) == [("shipped", "by_store", MailCode.BY_STORE)]


def test_nothing_goes_before_the_choice_is_confirmed_and_then_it_goes() -> None:
    store = a_shop(confirmed_at=None)
    shipment = a_shown_parcel(store)

    assert send() == {"held": 1}
    assert outbox(shipment) == [("shipped", "held", MailCode.NOT_CONFIRMED)]
    assert (send(), mail.outbox) == ({}, [])

    save_preference(store, actor=None, now=sync.database_now())

    assert send() == {"sent": 1}


def test_what_was_held_follows_the_sender_that_is_confirmed() -> None:
    store = a_shop(confirmed_at=None)
    shipment = a_shown_parcel(store)
    send()
    save_preference(store, actor=None, now=sync.database_now(), mail_sender=MailSender.NOBODY)

    assert send() == {"skipped": 1}
    assert outbox(shipment) == [("shipped", "skipped", MailCode.NOBODY)]


def test_nothing_goes_before_the_merchants_address_is_verified_and_then_it_goes() -> None:
    store = a_shop(is_verified=False)
    shipment = a_shown_parcel(store)

    assert send() == {"held": 1}
    assert outbox(shipment) == [("shipped", "held", MailCode.UNVERIFIED)]

    verify(store.owner)

    assert send() == {"sent": 1}


def test_whoever_verifies_releases_the_held_mails_of_their_own_stores() -> None:
    mine, others = a_shop(is_verified=False), a_shop(is_verified=False)
    a_shown_parcel(mine), a_shown_parcel(others)
    send()

    assert outbox_module.release_held(mine.owner, sync.database_now()) == 1


@pytest.mark.django_db(transaction=True)
def test_the_link_that_verifies_the_address_wakes_a_worker_for_the_held_mails(client: Client) -> None:
    mine, others = a_shop(is_verified=False), a_shop(is_verified=False)
    held, others_held = a_shown_parcel(mine), a_shown_parcel(others)
    send()
    OrmQ.objects.all().delete()

    answer = client.post(urlsplit(links.to_verify(row_of(mine.owner))).path)

    queued = [task.func() for task in OrmQ.objects.all()]
    assert (answer.status_code, queued) == (302, ["orders.tasks.send_mail"])
    assert send() == {"sent": 1}
    assert outbox(held) == [("shipped", "sent", "")]
    assert outbox(others_held) == [("shipped", "held", MailCode.UNVERIFIED)]


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_a_worker_that_starts_sends_at_once_what_was_left_whatever_the_bell_says(
    database_url: str, tmp_path: Path
) -> None:
    store = a_shop(is_verified=False)
    shipment = a_shown_parcel(store)
    send()
    verify(store.owner)
    # It was rung for a worker that is no more.
    Pulse.objects.update_or_create(key=pulse.MAIL.key, defaults={"rung": True})
    worker = Worker(database_url, tmp_path / "worker.log")
    try:
        # The first run by the schedule comes half a minute after the start.
        eventually(lambda: outbox(shipment) == [("shipped", "sent", "")], 20)
    finally:
        worker.kill()


def test_what_was_held_for_too_long_is_listed_and_not_sent() -> None:
    store = a_shop(is_verified=False)
    shipment = a_shown_parcel(store)
    send()
    five_days = sync.database_now() - 5 * DAY - MINUTE
    Shipment.objects.filter(pk=shipment.pk).update(dispatched_at=five_days)
    verify(store.owner)

    assert send() == {"skipped": 1}
    assert outbox(shipment) == [("shipped", "skipped", MailCode.STALE)]


def test_a_parcel_that_left_more_than_five_days_ago_is_listed_and_not_sent() -> None:
    shipment = a_parcel(a_shop())
    dispatch(shipment, sync.database_now() - 6 * DAY)
    shown(shipment)

    assert outbox(shipment) == [("shipped", "skipped", MailCode.STALE)]
    assert (send(), mail.outbox) == ({}, [])


def test_an_order_without_an_address_says_so_and_is_written_to_once_it_has_one() -> None:
    shipment = a_shown_parcel(a_shop(), customer_email="")

    assert outbox(shipment) == [("shipped", "skipped", MailCode.NO_ADDRESS)]

    Order.objects.filter(pk=shipment.order_id).update(customer_email="jane@example.com")
    planned(shipment)

    assert outbox(shipment) == [("shipped", "pending", "")]
    assert send() == {"sent": 1}


def test_a_store_that_hides_its_customers_addresses_says_so() -> None:
    shipment = a_shown_parcel(a_shop(facts={"reads_customers": False}), customer_email="")

    assert outbox(shipment) == [("shipped", "skipped", MailCode.ADDRESSES_HIDDEN)]


def test_a_cancelled_order_gets_no_mail() -> None:
    shipment = a_shown_parcel(a_shop())
    cancel(shipment.order)

    assert send() == {"skipped": 1}
    assert outbox(shipment) == [("shipped", "skipped", MailCode.CANCELLED)]


def test_a_parcel_that_comes_back_is_written_about_when_it_leaves_again() -> None:
    shipment = a_shown_parcel(a_shop(**BEFORE), dispatched=True)
    changes.undo_dispatch([shipment.pk], now=sync.database_now())

    assert send() == {"skipped": 1}
    assert outbox(shipment) == [("shipped", "skipped", MailCode.NOT_DISPATCHED)]

    dispatch(shipment)

    assert (send(), outbox(shipment)) == ({"sent": 1}, [("shipped", "sent", "")])


def test_a_wrong_day_of_dispatch_that_is_put_right_is_written_about() -> None:
    shipment = a_parcel(a_shop())
    dispatch(shipment, sync.database_now() - 30 * DAY)
    shown(shipment)
    assert outbox(shipment) == [("shipped", "skipped", MailCode.STALE)]

    changes.undo_dispatch([shipment.pk], now=sync.database_now())
    dispatch(shipment)

    assert send() == {"sent": 1}


def test_what_was_shown_and_sent_before_anybody_kept_an_outbox_is_left_alone() -> None:
    shipment = a_shown_parcel(a_shop())
    CustomerEmail.objects.all().delete()
    Shipment.objects.update(dispatched_at=sync.database_now() - 20 * DAY)
    TrackingSync.objects.update(synced_at=sync.database_now() - 20 * DAY)
    planned(shipment)

    assert outbox(shipment) == []


@pytest.mark.parametrize(
    "tells, told, notifies",
    [(True, [], False), (True, ["YT1"], True), (True, ["YT1", "YT2"], False), (False, ["YT1"], False)],
    ids=["nobody was told", "the old one was told", "the new one was told", "changes are not told"],
)
def test_a_store_is_asked_once_for_a_number_that_replaces_one_it_told(
    tells: bool, told: list[str], notifies: bool
) -> None:
    store = a_shop(mail_sender=MailSender.STORE)
    MailSettings.objects.create(store=store, tells_changed_number=tells)
    shipment = a_shown_parcel(store)
    give(shipment, "YT2")
    picture = pictures([shipment.order_id])[shipment.order_id]
    picture.told[shipment.pk] = set(told)
    row = TrackingSync.objects.select_related("shipment__order", "wanted__carrier").get(shipment=shipment)

    assert update_for(row, row.wanted, store, picture).notify is notifies


@pytest.mark.parametrize(
    "sender, confirmed, notifies",
    [("store", True, True), ("store", False, False), ("tracksync", True, False), ("nobody", True, False)],
)
def test_a_store_is_asked_with_the_first_number_where_it_is_the_sender(
    sender: str, confirmed: bool, notifies: bool
) -> None:
    store = a_shop(mail_sender=sender, confirmed_at=NOON if confirmed else None)
    row = TrackingSync.objects.select_related("shipment__order", "wanted__carrier").get(
        shipment=a_parcel(store, dispatched=True)
    )
    picture = pictures([row.shipment.order_id])[row.shipment.order_id]

    assert update_for(row, row.wanted, store, picture).notify is notifies
    row.sending = row.wanted  # its answer was lost: what is pushed now is the rest of it

    assert update_for(row, row.wanted, store, picture).notify is False


def test_a_mail_rings_its_own_bell(django_capture_on_commit_callbacks) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        a_shown_parcel(a_shop())

    assert Pulse.objects.get(key="mail").rung is True


@pytest.mark.parametrize("count", [1, 3])
def test_planning_asks_nothing_of_the_outbox_where_no_number_is_shown(count: int, django_assert_num_queries) -> None:
    store = a_shop()
    rows = [a_parcel(store, number=f"YT{n}").sync for n in range(count)]
    now = sync.database_now()

    with django_assert_num_queries(0):
        outbox_module.note(rows, now)


@pytest.mark.parametrize("count", [1, 3])
def test_noting_costs_the_same_however_many(count: int, django_assert_num_queries) -> None:
    store = a_shop()
    shipments = [a_shown_parcel(store, number=f"YT{n}") for n in range(count)]
    CustomerEmail.objects.all().delete()
    rows = list(TrackingSync.objects.select_related("shipment__order").filter(shipment__in=shipments))
    now = sync.database_now()

    with django_assert_num_queries(6):
        outbox_module.note(rows, now)


def test_a_settled_parcel_costs_one_question(django_assert_num_queries) -> None:
    shipment = a_shown_parcel(a_shop())
    send()
    rows = list(TrackingSync.objects.select_related("shipment__order").filter(shipment=shipment))
    now = sync.database_now()

    with django_assert_num_queries(1):
        outbox_module.note(rows, now)
