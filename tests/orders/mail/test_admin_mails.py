"""The staff's list of mails: to read, and to send one after all, with a permission and a confirmation."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.urls import reverse

from orders import sync
from orders.choices import MailCode
from orders.models import CustomerEmail
from stores.choices import MailSender
from stores.models import Store
from tests.orders.admin_cast import logged_in, messages_of, staff_who_may, the_boss
from tests.orders.mail.writing import DAY, a_parcel, a_shop, a_shown_parcel, dispatch, outbox, send, shown

pytestmark = pytest.mark.django_db

LIST = "admin:orders_customeremail_changelist"
VIEWS = ("orders.view_customeremail", "orders.view_shipment")


def a_stale_mail() -> CustomerEmail:
    shipment = a_parcel(a_shop())
    dispatch(shipment, sync.database_now() - 6 * DAY)
    shown(shipment)
    return shipment.emails.get()


def act_page(email: CustomerEmail) -> str:
    return reverse("admin:orders_customeremail_act", args=[email.pk, "send_again"])


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_shows_what_became_of_each_mail_and_no_address(count: int, django_assert_max_num_queries) -> None:
    emails = [a_stale_mail() for _ in range(count)]
    client = logged_in(the_boss())

    with django_assert_max_num_queries(12):
        page = client.get(reverse(LIST)).content.decode()

    assert all(email.shipment.order.number in page for email in emails)
    assert ("more than five days old" in page, "jane@example.com" in page) == (True, False)
    assert client.get(reverse(LIST), {"state": "sent"}).context["cl"].result_count == 0
    opened = client.get(reverse("admin:orders_customeremail_change", args=[emails[0].pk]))
    assert opened.status_code == 200
    assert f"<h2>{emails[0].get_kind_display()}: {emails[0].shipment}</h2>" in opened.content.decode()


def test_what_is_left_to_the_platform_is_told_once() -> None:
    email = a_stale_mail()
    Store.objects.update(platform="woocommerce")
    CustomerEmail.objects.update(state="by_store", reason=MailCode.BY_STORE)

    page = logged_in(the_boss()).get(reverse(LIST)).content.decode()

    (cell,) = re.findall(r'<td class="field-says">(.*?)</td>', page)
    assert cell == "Left to WooCommerce, which writes to the customer itself."
    assert email.shipment.order.number in page


def test_a_person_sends_what_was_too_old() -> None:
    email = a_stale_mail()
    client = logged_in(staff_who_may(*VIEWS, "orders.send_again"))

    asked = client.get(act_page(email))
    assert (asked.status_code, CustomerEmail.objects.get().state) == (200, "skipped")

    done = client.post(act_page(email), {"confirmed": "1"}, follow=True)

    assert messages_of(done) == ["1 mail is sent now."]
    assert send() == {"sent": 1}
    after = CustomerEmail.objects.get()
    assert (len(mail.outbox), after.message_id, after.is_forced) == (1, email.message_id, False)


def test_without_the_permission_nothing_is_sent() -> None:
    email = a_stale_mail()
    client = logged_in(staff_who_may(*VIEWS))

    assert client.post(act_page(email), {"confirmed": "1"}).status_code == 403
    assert CustomerEmail.objects.get().state == "skipped"


def test_a_person_does_not_overrule_what_is_not_so_any_more() -> None:
    email = a_stale_mail()
    order = email.shipment.order
    order.cancelled_at = sync.database_now()
    order.save()
    logged_in(the_boss()).post(act_page(email), {"confirmed": "1"})

    assert send() == {"skipped": 1}
    assert outbox(email.shipment) == [("shipped", "skipped", MailCode.CANCELLED)]


@pytest.mark.parametrize("sender", [MailSender.NOBODY, MailSender.STORE])
def test_a_mail_that_is_not_ours_to_send_is_not_offered(sender: str) -> None:
    a_shown_parcel(a_shop(mail_sender=sender))
    email = CustomerEmail.objects.get()

    refused = logged_in(the_boss()).post(act_page(email), {"confirmed": "1"}, follow=True)

    assert "not ours to send" in messages_of(refused)[0]
    assert CustomerEmail.objects.get().state == email.state


def test_a_sent_mail_is_not_sent_again() -> None:
    a_shown_parcel(a_shop())
    send()
    logged_in(the_boss()).post(act_page(CustomerEmail.objects.get()), {"confirmed": "1"})

    assert (send(), len(mail.outbox)) == ({}, 1)


def test_the_parcels_pages_tell_of_its_mails(client) -> None:
    email = a_stale_mail()
    client.force_login(email.shipment.order.store.owner)
    merchants = client.get(reverse("shipment", args=[email.shipment_id])).content.decode()
    staffs = logged_in(the_boss()).get(reverse("admin:orders_shipment_change", args=[email.shipment_id]))

    told = "what it tells is more than five days old"
    assert (told in merchants, told in staffs.content.decode()) == (True, True)
