"""The link that verifies an address: for a day, once, for that address only, by a button and not by being opened."""

from __future__ import annotations

import time

import pytest
from allauth.account.models import EmailAddress
from django.core import mail, signing
from django.urls import reverse

from stores.accounts.address import address_of, verified
from stores.accounts.links import SALT
from tests.stores.account_cast import (
    PASSWORD,
    a_merchant,
    at_home,
    link_in,
    said_by,
    sign_up,
    subjects,
    text_of,
)

pytestmark = pytest.mark.django_db
HOUR = 3600


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch):
    """Let the clock that signatures and limits read run ahead."""
    real = time.time

    def ahead(seconds: float) -> None:
        monkeypatch.setattr("time.time", lambda: real() + seconds)

    return ahead


def signed_up(client) -> str:
    """Sign up; the path of the link in the mail."""
    sign_up(client, "jane@shop.example")
    return link_in(mail.outbox[-1])


def jane() -> EmailAddress:
    return EmailAddress.objects.get(email="jane@shop.example")


def test_opening_the_link_changes_nothing_and_pressing_the_button_verifies(client) -> None:
    link = signed_up(client)

    opened = client.get(link)
    after_opening = jane().verified
    pressed = client.post(link, follow=True)

    assert "Does jane@shop.example belong to your TrackSync account?" in text_of(opened)
    assert not after_opening
    assert jane().verified
    assert verified(jane().user)
    assert said_by(pressed) == ["Thank you: jane@shop.example is verified."]
    assert pressed.redirect_chain == [(reverse("overview"), 302)]  # where it is said what comes next


def test_it_works_without_being_logged_in_and_logs_nobody_in(client, django_user_model) -> None:
    link = signed_up(client)
    client.logout()

    pressed = client.post(link, follow=True)

    assert jane().verified
    assert pressed.redirect_chain == [(reverse("account_login"), 302)]
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("again", ["get", "post"])
def test_a_used_link_says_so_kindly(client, again: str) -> None:
    link = signed_up(client)
    client.post(link)

    page = getattr(client, again)(link)

    assert page.status_code == 200
    assert "Already verified This link has done its work" in text_of(page)


@pytest.mark.parametrize(
    "hours, is_good", [(0, True), (23.9, True), (24.1, False), (1000, False)], ids=["now", "a day", "over a day", "old"]
)
def test_a_link_is_good_for_a_day(client, pass_time, hours: float, is_good: bool) -> None:
    link = signed_up(client)
    pass_time(hours * HOUR)

    page = client.post(link)

    assert jane().verified is is_good
    assert (page.status_code == 302) if is_good else ("This link is too old" in text_of(page))


def it_is_made_up() -> str:
    return "abc"


def it_is_cut_off() -> str:
    return signing.dumps([jane().pk, "jane@shop.example"], salt=SALT)[:-3]


def it_is_of_another_purpose() -> str:
    return signing.dumps([jane().pk, "jane@shop.example"], salt="something else")


def it_is_of_another_address() -> str:
    return signing.dumps([jane().pk, "john@shop.example"], salt=SALT)


def it_is_of_nobody() -> str:
    return signing.dumps([jane().pk + 1000, "jane@shop.example"], salt=SALT)


@pytest.mark.parametrize(
    "token", [it_is_made_up, it_is_cut_off, it_is_of_another_purpose, it_is_of_another_address, it_is_of_nobody]
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_any_other_link_cannot_be_used(client, token, method: str) -> None:
    signed_up(client)

    page = getattr(client, method)(reverse("verify_address", args=[token()]))

    assert (page.status_code, jane().verified) == (200, False)
    assert "This link cannot be used" in text_of(page)


def test_django_allauths_own_link_leads_nowhere(client) -> None:
    from allauth.account.models import EmailConfirmationHMAC

    signed_up(client)

    page = client.get(reverse("account_confirm_email", args=[EmailConfirmationHMAC(jane()).key]))

    assert "This link cannot be used" in text_of(page)


# --- another address ---------------------------------------------------------------------------------------------


def change_to(client, email: str, password: str = PASSWORD):
    fields = {"email": email, "password": password, "action_add": ""}
    return client.post(reverse("account_email"), fields, follow=True)


def test_a_changed_address_has_to_be_verified_and_the_old_one_counts_no_more() -> None:
    user = a_merchant("old@shop.example", is_verified=True)
    client = at_home(user)

    page = change_to(client, "New@Shop.example")

    user.refresh_from_db()
    assert (address_of(user).email, verified(user)) == ("new@shop.example", False)
    assert list(EmailAddress.objects.values_list("email", "verified", "primary")) == [("new@shop.example", False, True)]
    assert subjects() == [
        ("The address of your TrackSync account was changed", ["old@shop.example"]),
        ("Please verify your e-mail address", ["new@shop.example"]),
    ]
    assert said_by(page) == ["We sent a link to new@shop.example. It is good for a day."]
    assert "n***@s***.example" in text_of(page)

    client.post(link_in(mail.outbox[-1]))

    assert verified(user)


def test_the_old_address_and_its_link_no_longer_verify_anything(client) -> None:
    old_link = signed_up(client)
    user = jane().user

    change_to(client, "new@shop.example")
    page = client.post(old_link)

    user.refresh_from_db()
    assert (user.email, verified(user)) == ("new@shop.example", False)
    assert "no longer that of the account" in text_of(page)


def test_changing_back_has_to_be_verified_again() -> None:
    user = a_merchant("old@shop.example", is_verified=True)
    client = at_home(user)

    change_to(client, "new@shop.example")
    change_to(client, "old@shop.example")

    user.refresh_from_db()
    assert (user.email, verified(user)) == ("old@shop.example", False)


def test_an_address_changed_by_staff_makes_links_to_the_old_one_useless(client) -> None:
    link = signed_up(client)
    user = jane().user
    user.email = "new@shop.example"
    user.save()

    page = client.post(link)

    user.refresh_from_db()
    assert (user.email, jane().verified) == ("new@shop.example", False)
    assert "no longer that of the account" in text_of(page)


def test_an_address_that_comes_back_after_a_change_by_staff_has_to_be_verified_again() -> None:
    user = a_merchant("old@shop.example", is_verified=True)
    user.email = "new@shop.example"
    user.save()

    change_to(at_home(user), "old@shop.example")

    user.refresh_from_db()
    assert (user.email, verified(user)) == ("old@shop.example", False)


def test_an_address_that_was_never_verified_is_not_told_of_the_change() -> None:
    client = at_home(a_merchant("mistyped@shop.example"))

    change_to(client, "right@shop.example")

    assert subjects() == [("Please verify your e-mail address", ["right@shop.example"])]


@pytest.mark.parametrize(
    "email, password, complaint",
    [
        ("new@shop.example", "not it", "This is not your password."),
        ("old@shop.example", PASSWORD, "This is your address already."),
        ("OLD@shop.example", PASSWORD, "This is your address already."),
        ("new@", PASSWORD, "Enter a valid email address."),
        ("", PASSWORD, "This field is required."),
    ],
)
def test_a_change_that_cannot_be_says_why_and_changes_nothing(email: str, password: str, complaint: str) -> None:
    user = a_merchant("old@shop.example", is_verified=True)

    page = change_to(at_home(user), email, password)

    user.refresh_from_db()
    assert complaint in text_of(page)
    assert (user.email, verified(user), mail.outbox) == ("old@shop.example", True, [])


def test_an_account_without_an_address_links_one() -> None:
    user = a_merchant("")
    client = at_home(user)

    page = change_to(client, "first@shop.example")

    assert said_by(page) == ["We sent a link to first@shop.example. It is good for a day."]
    client.post(link_in(mail.outbox[-1]))
    user.refresh_from_db()
    assert verified(user)


# --- sending it again -----------------------------------------------------------------------------------------------

TOO_SOON = "A link was sent to this address a moment ago, or too many were sent today."


def ask_again(client, back_to: str = ""):
    return client.post(reverse("send_verification"), {"next": back_to} if back_to else {}, follow=True)


def test_a_link_is_sent_again_once_a_minute(pass_time) -> None:
    client = at_home(a_merchant("jane@shop.example"))

    first, second = ask_again(client), ask_again(client)
    sent_at_once = len(mail.outbox)
    pass_time(61)
    third = ask_again(client)

    assert said_by(first) == said_by(third) == ["We sent a link to jane@shop.example. It is good for a day."]
    assert [said.startswith(TOO_SOON) for said in said_by(second)] == [True]
    assert (sent_at_once, len(mail.outbox)) == (1, 2)


def test_a_link_is_sent_ten_times_a_day_at_the_most(pass_time) -> None:
    client = at_home(a_merchant("jane@shop.example"))

    for minute in range(12):
        pass_time(minute * 61)
        ask_again(client)

    assert len(mail.outbox) == 10


def test_another_address_has_a_limit_of_its_own() -> None:
    ask_again(at_home(a_merchant("jane@shop.example")))
    ask_again(at_home(a_merchant("john@shop.example")))

    assert subjects() == [
        ("Please verify your e-mail address", ["jane@shop.example"]),
        ("Please verify your e-mail address", ["john@shop.example"]),
    ]


@pytest.mark.parametrize(
    "email, is_verified, said, lands_on",
    [
        ("jane@shop.example", True, "Your e-mail address is verified already. Nothing is left to do.", "account"),
        ("", False, "There is no e-mail address in your account yet. Add one first.", "account_email"),
    ],
)
def test_where_there_is_nothing_to_send_it_says_so(email, is_verified, said, lands_on) -> None:
    page = ask_again(at_home(a_merchant(email, is_verified=is_verified)))

    assert (said_by(page), mail.outbox) == ([said], [])
    assert page.redirect_chain == [(reverse(lands_on), 302)]


@pytest.mark.parametrize(
    "asked, given",
    [
        ("/help/tracking-sync/", "/help/tracking-sync/"),
        ("https://evil.example/", "/account/"),
        ("//evil.example", "/account/"),
    ],
)
def test_one_comes_back_to_the_page_one_was_on_and_nowhere_else(asked: str, given: str) -> None:
    page = at_home(a_merchant()).post(reverse("send_verification"), {"next": asked})

    assert page["Location"] == given


def test_sending_again_is_for_who_is_logged_in_and_by_a_button_only(client) -> None:
    assert client.post(reverse("send_verification"))["Location"].startswith(reverse("account_login"))
    assert at_home(a_merchant()).get(reverse("send_verification")).status_code == 405


def test_an_account_from_the_command_line_gets_a_link_too() -> None:
    from tests import factories

    user = factories.a_user("Mira@Linden.example")
    client = at_home(user)

    ask_again(client)
    client.post(link_in(mail.outbox[-1]))

    assert verified(user)


def test_a_mail_server_that_does_not_answer_is_told_and_nothing_breaks(settings) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_HOST = "django.core.mail.backends.smtp.EmailBackend", "127.0.0.1"
    settings.EMAIL_PORT = 9  # nobody listens there

    page = ask_again(at_home(a_merchant()))

    assert said_by(page) == ["We could not send the mail just now. Please try again in a few minutes."]
