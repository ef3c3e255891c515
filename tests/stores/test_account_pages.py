"""What every page shows of the account: the banner in its three states, no gap, no hint of who has an account."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.views.defaults import server_error

from stores.accounts.address import verified
from tests import factories
from tests.addresses import FOR_SERVERS
from tests.stores.account_cast import (
    GAP,
    PASSWORD,
    a_merchant,
    at_home,
    link_in,
    said_by,
    sign_up,
    subjects,
    text_of,
    totp,
)

pytestmark = pytest.mark.django_db


def all_pages(patterns: Any = None, before: tuple[Any, ...] = ()) -> Iterator[tuple[str, frozenset[str]]]:
    """Every address a merchant can type, by name, with the names of what it takes; the staff's are not theirs."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(entry, URLResolver):
            if entry.app_name != "admin":
                yield from all_pages(entry.url_patterns, (*before, entry))
        elif isinstance(entry, URLPattern) and entry.name not in ("healthz", "readyz"):
            yield str(entry.name), frozenset(entry.pattern.regex.groupindex)


# A customer's page and a customer's mail in a frame: neither knows of an account.
FOR_CUSTOMERS = {"tracking", "mail_preview"}
PAGES = sorted({(name, takes) for name, takes in all_pages() if name not in FOR_CUSTOMERS | FOR_SERVERS})
# The one place where a merchant's own template is shown as it is written.
EDITOR = re.compile(r'<textarea.*?</textarea>|<input[^>]* name="subject"[^>]*>', re.DOTALL)


def address_of_page(name: str, takes: frozenset[str], store: Any, shipment: Any) -> str:
    """A page of this merchant's own. A KeyError asks for one more line here."""
    values = {
        "store_id": store.pk,
        "shipment_id": shipment.pk,
        "order_id": shipment.order_id,
        "platform": "shopify",
        "kind": "shipped",
        "token": "abc",
        "key": "abc",
        "uidb36": "1",
    }
    return reverse(name, kwargs={each: values[each] for each in takes})


def test_the_list_of_pages_holds_the_merchants_and_not_the_staffs() -> None:
    names = {name for name, _takes in PAGES}

    assert {"overview", "stores", "store", "choice", "store_orders", "shipment", "attention", "help"} <= names
    assert {"account", "account_email", "account_login", "mfa_index"} <= names
    assert not {name for name in names if "changelist" in name}


def banner_of(page: Any) -> str | None:
    """The text of the banner of a page."""
    found = re.search(r'<section class="banner".*?</section>', page.content.decode(), re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", found.group()).split()) if found else None


UNVERIFIED = (
    "For the safety of your account, please verify your e-mail address m***@l***.example : open the link in our "
    "mail. Nothing there? Send the link again Change the address"
)
NONE_ON_FILE = (
    "For the safety of your account, please link your e-mail address: it is your way back in if you forget your "
    "password. Link your e-mail"
)


@pytest.mark.parametrize("name, takes", PAGES, ids=[name for name, _takes in PAGES])
@pytest.mark.parametrize(
    "email, is_verified, banner",
    [
        ("mira@linden.example", False, UNVERIFIED),
        ("", False, NONE_ON_FILE),
        ("mira@linden.example", True, None),
    ],
    ids=["unverified", "none on file", "verified"],
)
def test_every_page_shows_the_state_of_the_address_and_no_gap(
    name: str, takes: frozenset[str], email: str, is_verified: bool, banner: str | None
) -> None:
    merchant = a_merchant(email, is_verified=is_verified)
    shipment = factories.a_shipment(factories.an_order(factories.a_store(merchant)))

    page = at_home(merchant).get(address_of_page(name, takes, shipment.order.store, shipment), follow=True)

    is_for_eyes = page.get("Content-Type", "").startswith("text/html") and page.status_code != 405
    if is_for_eyes:
        assert banner_of(page) == banner
        assert GAP.findall(re.sub(r"<[^>]+>", " ", EDITOR.sub("", page.content.decode()))) == []
    else:
        assert page.status_code in (200, 405)


def test_who_is_not_logged_in_sees_no_banner_and_no_gap(client) -> None:
    pages = [
        client.get(reverse(name), follow=True)
        for name in ("account_login", "account_signup", "account_reset_password", "account_inactive", "overview")
    ]

    assert [(page.status_code, banner_of(page), GAP.findall(text_of(page))) for page in pages] == [(200, None, [])] * 5


@pytest.mark.parametrize(
    "email, most", [("mira@linden.example", 1), ("", 0), (None, 0)], ids=["address", "no address", "not logged in"]
)
def test_the_banner_costs_one_query_at_the_most(email: str | None, most: int) -> None:
    client = Client() if email is None else at_home(a_merchant(email))

    with CaptureQueriesContext(connection) as queries:
        client.get("/help/tracking-sync/", follow=True)
        client.get("/no-such-page/")

    asked = [query["sql"] for query in queries if "account_emailaddress" in query["sql"]]
    assert len(asked) == 2 * most


# --- nobody learns who has an account ----------------------------------------------------------------------


def seen(page: Any, email: str) -> tuple[int, list[Any], str]:
    """A page without what differs anyway: the address typed and the form's token."""
    html = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page.content.decode())
    return page.status_code, page.redirect_chain, html.replace(email, "THE ADDRESS")


CASES = ("m1@shop.example", "m2@shop.example", "m3@shop.example")


@pytest.fixture
def known_and_unknown() -> tuple[str, ...]:
    """Addresses of nobody, of an unverified account, of a verified one."""
    a_merchant(CASES[1])
    a_merchant(CASES[2], is_verified=True)
    return CASES


def test_signing_up_looks_the_same_whoever_has_the_address(known_and_unknown) -> None:
    pages = [seen(sign_up(Client(), email), email) for email in known_and_unknown]

    assert pages[0][0] == 200
    assert pages[0] == pages[1] == pages[2]
    assert subjects() == [
        ("Please verify your e-mail address", [CASES[0]]),
        ("Please verify your e-mail address", [CASES[1]]),
        ("You have a TrackSync account already", [CASES[2]]),
    ]


def test_who_signs_up_with_somebody_elses_address_gets_neither_the_account_nor_the_address() -> None:
    owner = a_merchant("mira@linden.example", is_verified=True)
    stranger = Client()

    sign_up(stranger, "mira@linden.example")

    me = stranger.get(reverse("account")).context["user"]
    assert me.pk != owner.pk
    assert (verified(owner), verified(me)) == (True, False)
    assert "/account/verify/" not in mail.outbox[-1].body


def test_asking_for_a_new_password_looks_the_same_whoever_has_the_address(known_and_unknown) -> None:
    pages = [
        seen(Client().post(reverse("account_reset_password"), {"email": email}, follow=True), email)
        for email in known_and_unknown
    ]

    assert pages[0] == pages[1] == pages[2]
    assert subjects() == [
        ("No TrackSync account with this address", [CASES[0]]),
        ("Your link to a new password", [CASES[1]]),
        ("Your link to a new password", [CASES[2]]),
    ]


def test_changing_to_an_address_looks_the_same_whoever_has_it(known_and_unknown) -> None:
    pages = []
    for email in known_and_unknown:
        client = at_home(a_merchant(f"me-{email}", username=email + "-me"))
        fields = {"email": email, "password": PASSWORD, "action_add": ""}
        pages.append(seen(client.post(reverse("account_email"), fields, follow=True), email))

    assert pages[0] == pages[1] == pages[2]
    assert [addressees for _subject, addressees in subjects()] == [[email] for email in CASES]


def test_logging_in_fails_the_same_whoever_has_the_address(known_and_unknown) -> None:
    pages = [
        seen(Client().post(reverse("account_login"), {"login": email, "password": "not it"}, follow=True), email)
        for email in known_and_unknown
    ]

    assert "This e-mail address and password do not belong together." in pages[0][2]
    assert pages[0] == pages[1] == pages[2]


# --- limits ----------------------------------------------------------------------------------------------


def test_after_five_wrong_passwords_the_right_one_has_to_wait_as_well(client) -> None:
    a_merchant("mira@linden.example", is_verified=True)
    log_in = reverse("account_login")

    for _ in range(5):
        client.post(log_in, {"login": "mira@linden.example", "password": "not it"})
    page = client.post(log_in, {"login": "mira@linden.example", "password": PASSWORD})

    assert "Too many tries. Wait five minutes, or set a new password by mail." in text_of(page)


def test_over_a_limit_there_is_a_page_that_says_what_to_do(client) -> None:
    pages = [client.post(reverse("account_reset_password"), {"email": "a@shop.example"}) for _ in range(4)]

    assert [page.status_code for page in pages] == [302, 302, 302, 429]
    assert "Too many tries That was too often in too short a time. Wait a minute" in text_of(pages[-1])
    assert len(mail.outbox) == 3


def test_limits_are_counted_where_all_processes_see_them() -> None:
    at_home(a_merchant("jane@shop.example")).post(reverse("send_verification"))

    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key FROM tracksync_cache WHERE cache_key LIKE %s", ["%confirm_email%"])
        counted = cursor.fetchall()
    # One row for the minute and one for the day.
    assert len(counted) == 2


# --- the account's own pages ------------------------------------------------------------------------------


def test_the_account_page_leads_to_everything_about_the_account() -> None:
    page = at_home(a_merchant()).get(reverse("account"))

    links = set(re.findall(r"<main.*</main>", page.content.decode(), re.DOTALL)[0].split('"'))
    assert {
        reverse(name) for name in ("account_email", "account_change_password", "mfa_index", "account_logout")
    } <= links
    assert "mira@linden.example not verified yet" in text_of(page)


@pytest.mark.parametrize(
    "password, complaint",
    [
        ("short", "This password is too short. It must contain at least 10 characters."),
        ("password12", "This password is too common."),
        ("48151623421", "This password is entirely numeric."),
        ("mira@linden.example", "The password is too similar to the email address."),
    ],
)
def test_a_weak_password_is_refused_with_the_reason(client, password: str, complaint: str) -> None:
    fields = {"email": "mira@linden.example", "password1": password, "password2": password}

    page = client.post(reverse("account_signup"), fields)

    assert complaint in text_of(page)
    assert mail.outbox == []


def test_errors_and_help_are_tied_to_their_fields(client) -> None:
    page = client.post(reverse("account_signup"), {"email": "x", "password1": "short", "password2": ""})

    html = page.content.decode()
    described = set(" ".join(re.findall(r'aria-describedby="([^"]+)"', html)).split())
    identified = set(re.findall(r'\bid="([^"]+)"', html))
    labelled = set(re.findall(r'<label for="([^"]+)"', html))
    assert {"id_email_error", "id_password1_error", "id_password1_helptext", "id_password2_error"} == described
    assert described <= identified
    assert labelled == {"id_email", "id_password1", "id_password2"}


def the_mails_of_a_long_life(client: Client) -> None:
    """Everything that sends a mail to a merchant, once."""
    client.post(reverse("account_reset_password"), {"email": "nobody@shop.example"})
    sign_up(client, "o'hara@shop.example")
    client.post(link_in(mail.outbox[-1]))
    cache.clear()  # one mail a minute to one address otherwise
    sign_up(Client(), "o'hara@shop.example")
    new = "gleaming-otter-89"
    client.post(reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": new, "password2": new})
    Client().post(reverse("account_reset_password"), {"email": "o'hara@shop.example"})
    way = link_in(mail.outbox[-1], "/accounts/password/reset/key/")
    other = Client()
    form = other.get(way, follow=True)
    other.post(form.redirect_chain[-1][0], {"password1": PASSWORD, "password2": PASSWORD})
    client.post(reverse("account_login"), {"login": "o'hara@shop.example", "password": PASSWORD})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    form = client.get(reverse("mfa_activate_totp"))
    client.post(reverse("mfa_activate_totp"), {"code": totp(form.context["form"].secret)})
    client.post(reverse("mfa_generate_recovery_codes"))
    client.post(reverse("mfa_deactivate_totp"))
    client.post(reverse("account_email"), {"email": "new@shop.example", "password": PASSWORD, "action_add": ""})


@pytest.mark.django_db(transaction=True)
def test_no_mail_has_a_gap_or_a_sign_meant_for_a_browser(client, settings) -> None:
    settings.TRACKSYNC_CONTACT_URL = "mailto:help@house.example"
    the_mails_of_a_long_life(client)

    assert [subject for subject, _addressees in subjects()] == [
        "No TrackSync account with this address",
        "Please verify your e-mail address",
        "You have a TrackSync account already",
        "Your TrackSync password was changed",
        "Your link to a new password",
        "Your TrackSync password was changed",
        "The second step is on",
        "New recovery codes",
        "The second step is off",
        "The address of your TrackSync account was changed",
        "Please verify your e-mail address",
    ]
    wrong = re.compile(GAP.pattern + r"|&[#a-z0-9]+;|<[a-z/]|example\.com|testserver|\[")
    assert {message.subject: found for message in mail.outbox if (found := wrong.findall(message.body))} == {}
    assert {message.from_email for message in mail.outbox} == {"TrackSync <noreply@tracksync.test>"}
    assert all(message.body.rstrip().endswith("TrackSync\nhttp://localhost:8000") for message in mail.outbox)
    assert not any(message.alternatives for message in mail.outbox)


@pytest.mark.parametrize(
    "path, status, says",
    [
        ("/no-such-page/", 404, "There is nothing here"),
        ("/admin/", 403, "This is not for your account"),
    ],
)
def test_errors_have_pages_that_say_what_to_do(path: str, status: int, says: str) -> None:
    page = at_home(a_merchant()).get(path, follow=True)

    assert page.status_code == status
    assert says in text_of(page)
    assert "Go to your overview" in text_of(page)


def test_a_form_that_was_open_for_too_long_is_explained() -> None:
    page = Client(enforce_csrf_checks=True).post(reverse("account_login"), {})

    assert page.status_code == 403
    assert "Please send it again" in text_of(page)


def test_the_page_for_our_own_mistakes_needs_nothing_that_may_be_broken() -> None:
    with CaptureQueriesContext(connection) as queries:
        page = server_error(RequestFactory().get("/"))

    assert (page.status_code, len(queries)) == (500, 0)
    assert "Something went wrong on our side" in text_of(page)
    assert GAP.findall(text_of(page)) == []


def test_a_change_is_said_on_the_account_page() -> None:
    client = at_home(a_merchant())
    new = "gleaming-otter-89"

    page = client.post(
        reverse("account_change_password"),
        {"oldpassword": PASSWORD, "password1": new, "password2": new},
        follow=True,
    )

    assert (page.redirect_chain[-1][0], said_by(page)) == (reverse("account"), ["Your new password is set."])
