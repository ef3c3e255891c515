"""A real mail server that refuses, wants to be asked again, or hangs up: what becomes of a mail; never two of it."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from orders import sync
from orders.choices import MailCode
from orders.mail import ending, sending
from orders.mail.ending import Ending
from orders.models import CustomerEmail
from stores.models import EmailTemplate
from tests.orders.mail.writing import a_shop, a_shown_parcel, at_once, give, make_due, outbox, planned, send, shown
from tests.storefronts.smtp import PretendSMTP

GREYLISTED = "451 4.7.1 <jane@example.com>: Greylisted, come back in five minutes"
NO_SUCH_USER = "550 5.1.1 <jane@example.com>: no such user here"


@pytest.fixture
def server(settings) -> Iterator[PretendSMTP]:
    """A mail server, and this deployment set to it."""
    with PretendSMTP() as running:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = running.host, running.port
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.EMAIL_TIMEOUT = 10
        yield running


def the_mail() -> CustomerEmail:
    return CustomerEmail.objects.get()


@pytest.mark.django_db
def test_a_mail_arrives_once_with_our_address_and_the_merchants_for_answers(server: PretendSMTP) -> None:
    store = a_shop(name="Blue Mug")
    a_shown_parcel(store)

    assert (send(), send()) == ({"sent": 1}, {})
    (arrived,) = server.mails
    assert (arrived.sender, arrived.to) == ("noreply@tracksync.test", ("jane@example.com",))
    assert arrived.message_id == the_mail().message_id
    assert store.owner.email in str(arrived.message["Reply-To"])
    assert "Blue Mug" in str(arrived.message["From"])
    assert sorted(part.get_content_type() for part in arrived.message.iter_parts()) == ["text/html", "text/plain"]


@pytest.mark.django_db
def test_one_connection_serves_a_batch(server: PretendSMTP) -> None:
    store = a_shop()
    for n in range(3):
        a_shown_parcel(store, number=f"YT{n}")

    assert (send(), server.connections) == ({"sent": 3}, 1)


@pytest.mark.django_db
def test_who_greylists_is_asked_again_and_gets_it_once(server: PretendSMTP) -> None:
    shipment = a_shown_parcel(a_shop())
    server.says(GREYLISTED, times=2)

    assert send() == {"pending": 1}
    mail = the_mail()
    assert (mail.reason, mail.answer) == (MailCode.SERVER_BUSY, "451 4.7.1 <…>: Greylisted, come back in five minutes")
    assert timedelta(seconds=40) < mail.due_at - sync.database_now() < timedelta(seconds=76)
    assert send() == {}  # not before its time

    make_due()
    assert send() == {"pending": 1}
    assert timedelta(seconds=85) < the_mail().due_at - sync.database_now() < timedelta(seconds=151)

    make_due()
    assert send() == {"sent": 1}
    assert outbox(shipment) == [("shipped", "sent", "")]
    assert [each.message_id for each in server.mails] == [mail.message_id]


@pytest.mark.django_db
@pytest.mark.parametrize("tell", [PretendSMTP.says, PretendSMTP.says_to_the_mail])
def test_a_refusal_for_ever_is_shown_in_the_servers_words_and_not_repeated(server: PretendSMTP, tell: Any) -> None:
    a_shown_parcel(a_shop())
    tell(server, NO_SUCH_USER)

    assert send() == {"refused": 1}
    mail = the_mail()
    assert (mail.state, mail.reason, mail.answer, mail.due_at) == (
        "refused",
        MailCode.SERVER_REFUSED,
        "550 5.1.1 <…>: no such user here",
        None,
    )
    assert (send(), server.mails) == ({}, [])


@pytest.mark.django_db
def test_a_mail_that_is_refused_for_now_as_a_whole_is_tried_again(server: PretendSMTP) -> None:
    a_shown_parcel(a_shop())
    server.says_to_the_mail("452 4.3.1 Out of disk")

    assert send() == {"pending": 1}
    make_due()
    assert (send(), len(server.mails)) == ({"sent": 1}, 1)


@pytest.mark.django_db
@pytest.mark.parametrize("accepting", [True, False])
def test_a_mail_whose_answer_was_lost_is_not_sent_again_by_itself(server: PretendSMTP, accepting: bool) -> None:
    shipment = a_shown_parcel(a_shop())
    server.hangs_up_after_data(accepting=accepting)

    assert send() == {"unclear": 1}
    assert outbox(shipment) == [("shipped", "unclear", MailCode.MAY_HAVE_BEEN_SENT)]
    planned(shipment)
    assert (send(), len(server.mails)) == ({}, int(accepting))


@pytest.mark.django_db
def test_a_server_that_hangs_up_before_it_has_the_mail_has_not_sent_it(server: PretendSMTP) -> None:
    a_shown_parcel(a_shop())
    server.hangs_up_at_recipient()

    assert send() == {"pending": 1}
    assert the_mail().reason == MailCode.SERVER_AWAY
    make_due()
    assert (send(), len(server.mails)) == ({"sent": 1}, 1)


@pytest.mark.django_db
def test_a_hang_up_costs_the_others_of_the_batch_nothing(server: PretendSMTP) -> None:
    store = a_shop()
    for n in range(3):
        a_shown_parcel(store, number=f"YT{n}")
    server.hangs_up_after_data(accepting=True)

    assert send() == {"unclear": 1, "sent": 2}
    assert len(server.mails) == 3


@pytest.mark.django_db
def test_without_a_mail_server_one_mail_is_tried_and_none_is_lost(settings, server: PretendSMTP) -> None:
    store = a_shop()
    for n in range(3):
        a_shown_parcel(store, number=f"YT{n}")
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1

    assert send() == {"pending": 1}
    assert CustomerEmail.objects.filter(attempts=0).count() == 2

    settings.EMAIL_PORT = port
    make_due()
    assert (send(), len(server.mails)) == ({"sent": 3}, 3)


@pytest.mark.django_db
def test_a_mail_whose_sender_died_may_have_been_sent(server: PretendSMTP) -> None:
    shipment = a_shown_parcel(a_shop())
    email = sending.take()
    assert sending._begin(email)

    assert send() == {}  # its sender may still be at it

    CustomerEmail.objects.update(due_at=Now())
    assert send() == {"unclear": 1}
    assert (send(), server.mails) == ({}, [])
    assert outbox(shipment) == [("shipped", "unclear", MailCode.MAY_HAVE_BEEN_SENT)]


@pytest.mark.django_db
def test_a_sender_that_died_before_the_server_had_it_leaves_no_doubt(server: PretendSMTP) -> None:
    a_shown_parcel(a_shop())
    sending.take()
    assert send() == {}
    make_due()

    assert (send(), len(server.mails)) == ({"sent": 1}, 1)


@pytest.mark.django_db
def test_a_sender_that_was_given_up_still_writes_down_that_it_sent() -> None:
    shipment = a_shown_parcel(a_shop())
    email = sending.take()
    sending._begin(email)
    CustomerEmail.objects.update(due_at=Now())
    sending.give_up_the_lost()
    sending._write(email, ending.SENT)

    assert outbox(shipment) == [("shipped", "sent", "")]


@pytest.mark.django_db
def test_the_number_in_the_mail_is_the_one_that_is_shown_when_it_goes(server: PretendSMTP) -> None:
    shipment = a_shown_parcel(a_shop())
    server.says(GREYLISTED)
    send()
    give(shipment, "YT2")
    shown(shipment)
    make_due()
    send()

    (arrived,) = server.mails
    text = arrived.message.get_body(("plain",)).get_content()
    assert ("YT2" in text, "YT1" in text) == (True, False)
    assert the_mail().number.value == "YT2"


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["Jane\nBcc: all@example.com", "Jane\r\nBcc: all@example.com", "Jane\u2028Bcc: x@y.z"])
def test_a_customers_name_cannot_add_a_header(server: PretendSMTP, name: str) -> None:
    store = a_shop()
    EmailTemplate.objects.create(store=store, kind="shipped", subject="For {{ customer_name }}", body="Hello")
    a_shown_parcel(store, customer_name=name)
    send()

    for arrived in server.mails:
        assert (arrived.to, arrived.message["Bcc"]) == (("jane@example.com",), None)


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["a@example.com, b@example.com", "a@example.com\nBcc: b@example.com", "nobody"])
def test_an_address_that_is_none_or_several_is_refused(server: PretendSMTP, address: str) -> None:
    shipment = a_shown_parcel(a_shop(), customer_email=address)

    assert send() == {"skipped": 1}
    assert (outbox(shipment), server.mails) == ([("shipped", "skipped", MailCode.BAD_ADDRESS)], [])


@pytest.mark.django_db
def test_a_subject_of_two_lines_is_refused(server: PretendSMTP) -> None:
    store = a_shop()
    EmailTemplate.objects.create(store=store, kind="shipped", subject="Hello\nBcc: b@example.com", body="Hello")
    shipment = a_shown_parcel(store)

    assert send() == {"skipped": 1}
    assert (outbox(shipment), server.mails) == ([("shipped", "skipped", MailCode.HEADER)], [])


@pytest.mark.django_db
def test_no_address_gets_into_the_log(server: PretendSMTP, caplog) -> None:
    a_shown_parcel(a_shop())
    server.says(NO_SUCH_USER)
    send()

    assert "jane" not in caplog.text
    assert "jane" not in the_mail().answer


@pytest.mark.parametrize(
    "error, ended",
    [
        (smtplib.SMTPRecipientsRefused({"a@b.c": (450, b"later")}), ("pending", "server_busy", "450 later", False)),
        (smtplib.SMTPRecipientsRefused({"a@b.c": (421, b"bye")}), ("pending", "server_busy", "421 bye", True)),
        (smtplib.SMTPRecipientsRefused({"a@b.c": (553, b"no")}), ("refused", "server_refused", "553 no", False)),
        (smtplib.SMTPDataError(554, b"spam"), ("refused", "server_refused", "554 spam", False)),
        (smtplib.SMTPSenderRefused(550, b"who?", "x@y.z"), ("pending", "server_busy", "550 who?", True)),
        (smtplib.SMTPServerDisconnected("gone"), ("pending", "server_away", "SMTPServerDisconnected", False)),
        (TimeoutError(), ("pending", "server_away", "TimeoutError", False)),
        (UnicodeError("jane@example.com"), ("pending", "unexpected", "UnicodeError", False)),
    ],
)
def test_what_a_server_says_decides_who_acts_next(error: Exception, ended: tuple[str, str, str, bool]) -> None:
    assert ending.of(error, is_watched=True) == Ending(*ended)


def test_what_a_backend_does_not_tell_may_have_been_sent() -> None:
    assert ending.of(OSError(), is_watched=False) == Ending("unclear", "may_have_been_sent", "OSError")


@pytest.mark.parametrize(
    "attempts, low, high",
    [(1, 45, 75), (2, 90, 150), (3, 180, 300), (7, 2700, 4500), (1000, 2700, 4500)],
)
def test_the_waits_double_up_to_an_hour(attempts: int, low: float, high: float) -> None:
    waits = {ending.back_off(attempts).total_seconds() for _ in range(50)}

    assert low <= min(waits) < max(waits) <= high


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_senders_at_once_send_each_mail_once(server: PretendSMTP) -> None:
    store = a_shop()
    for n in range(12):
        a_shown_parcel(store, number=f"YT{n}")
    server.seconds_per_mail = 0.02

    counts = at_once(3, lambda: sending.send_due()[0])

    assert sum(sum(each.values()) for each in counts) == 12
    assert len({each.message_id for each in server.mails}) == len(server.mails) == 12
    assert set(CustomerEmail.objects.values_list("state", "attempts")) == {("sent", 1)}
