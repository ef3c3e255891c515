"""The editor of a store's mails: for its merchant alone, refused with line and column, looked at before it is used."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from orders.mail.defaults import default_text
from orders.models import Shipment
from orders.views.mail_preview import TESTS_AN_HOUR
from stores.models import EmailTemplate, EmailTemplateVersion, MailSettings, Store
from tests import factories
from tests.stores.account_cast import GAP, a_merchant, at_home

pytestmark = pytest.mark.django_db

BODY = "Hello {{ customer_first_name }},\n\n{{ tracking_url }}\n"


@pytest.fixture
def store() -> Store:
    return factories.a_store(a_merchant(is_verified=True), name="Linden")


@pytest.fixture
def client(store: Store) -> Client:
    return at_home(store.owner)


def a_parcel(store: Store, number: str = "#1001", name: str = "Jane Doe") -> Shipment:
    order = factories.an_order(store, number=number, customer_name=name)
    return factories.a_shipment(order, lines={"SKU-1": 2}, local=f"YT{number[1:]}")


def editor(store: Store, kind: str = "shipped") -> str:
    return reverse("mail_template", args=[store.pk, kind])


def preview(store: Store, kind: str = "shipped") -> str:
    return reverse("mail_preview", args=[store.pk, kind])


def post(client: Client, store: Store, act: str, **fields: Any) -> Any:
    """Press a button of the editor."""
    form = {"act": act, "subject": "Order {{ order_number }}", "body": BODY, "seen": "0", "order": ""} | fields
    return client.post(editor(store), form, follow=True)


def told(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def in_use(store: Store) -> list[tuple[str, str, str, str]]:
    return list(
        EmailTemplate.objects.filter(store=store).order_by("kind").values_list("kind", "language", "subject", "body")
    )


def kept(store: Store) -> list[tuple[int, str, str]]:
    """(version, who, subject) of all versions, oldest first."""
    rows = EmailTemplateVersion.objects.filter(store=store).order_by("version")
    return list(rows.values_list("version", "actor__email", "subject"))


def without_fields(page: str) -> str:
    """A page without what stands in the editor's own fields."""
    return re.sub(r'<textarea.*?</textarea>|<input type="text".*?>', "", page, flags=re.DOTALL)


# --- whose it is ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["mail_templates", "mail_template", "mail_preview"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_finds_nothing(store: Store, page: str, method: str) -> None:
    args = [store.pk] if page == "mail_templates" else [store.pk, "shipped"]

    answers = [
        getattr(browser, method)(reverse(page, args=args)).status_code
        for browser in (at_home(factories.a_user()), at_home(factories.a_user(is_staff=True)), Client())
    ]

    assert answers == [404, 404, 302]


@pytest.mark.parametrize("page", ["mail_template", "mail_preview"])
def test_a_kind_that_is_none_is_not_there(client: Client, store: Store, page: str) -> None:
    assert client.get(reverse(page, args=[store.pk, "farewell"])).status_code == 404


def test_an_order_of_another_store_is_not_shown_in_the_preview(client: Client, store: Store) -> None:
    a_parcel(factories.a_store(store.owner), "#7777", "Somebody Else")
    a_parcel(factories.a_store(), "#8888", "A Stranger")

    said = [
        re.findall(r'<div class="envelope">(.*?)</div>', client.get(preview(store), {"order": number}).content.decode())
        for number in ("#7777", "#8888", "")
    ]

    assert said == [
        ["This store has no order “#7777” with a parcel."],
        ["This store has no order “#8888” with a parcel."],
        ["This store has no parcels yet. As soon as there is one, the preview is made with it."],
    ]


# --- saving ---------------------------------------------------------------------------------------------


def test_the_editor_begins_with_our_own_text(client: Client, store: Store) -> None:
    form = client.get(editor(store)).context["form"]

    text = default_text("shipped", "en")
    assert (form["subject"].value(), form["body"].value(), form["seen"].value()) == (text.subject, text.body, 0)


def test_a_text_is_saved_for_this_store_and_kind_alone(client: Client, store: Store) -> None:
    other = factories.a_store(store.owner)

    page = post(client, store, "save", body=BODY.replace("\n", "\r\n"))

    assert told(page) == ["Saved for Linden. The next mail uses it."]
    assert in_use(store) == [("shipped", "en", "Order {{ order_number }}", BODY)]
    assert in_use(other) == []
    assert kept(store) == [(1, store.owner.email, "Order {{ order_number }}")]


@pytest.mark.parametrize(
    "field, source, error",
    [
        (
            "body",
            "Hello,\n\nhere: {{ tracking_nmbr }}",
            "Line 3, column 10: There is no variable “tracking_nmbr”. The list beside the text names those that exist.",
        ),
        ("body", "Hello {{ customer_name", "Line 1, column 7: These braces are not closed."),
        ("body", "{% for item in items %}{{ item.price }}{% endfor %}", "Line 1, column 27: “item” has no “price”."),
        (
            "body",
            "{% include 'secrets' %}",
            "Line 1, column 4: There is no command “include”. These exist: if, unless, case, for, comment.",
        ),
        ("body", "{{ store_name.owner }}", "Line 1, column 4: “store_name” has no “owner”."),
        (
            "subject",
            "{{ password }}",
            "Line 1, column 4: There is no variable “password”. The list beside the text names those that exist.",
        ),
        ("subject", "One\nBcc: all@example.com", "Line 1, column 4: A subject has one line."),
    ],
)
def test_what_cannot_be_a_mail_is_refused_at_its_field_with_line_and_column(
    client: Client, store: Store, field: str, source: str, error: str
) -> None:
    page = post(client, store, "save", **{field: source})

    assert page.context["form"].errors == {field: [error]}
    assert page.context["form"][field].value() == source
    assert (in_use(store), kept(store)) == ([], [])
    assert f'aria-describedby="id_{field}_error"' in page.content.decode()


def test_who_saves_last_does_not_undo_what_was_saved_meanwhile(client: Client, store: Store) -> None:
    post(client, store, "save", subject="First")

    page = post(client, store, "save", subject="Second, made from the same page")

    assert told(page) == [
        "Somebody else saved this text meanwhile, so nothing was saved. Yours is still in the fields below: copy it, "
        "load this page again, and compare."
    ]
    assert page.context["form"]["subject"].value() == "Second, made from the same page"
    assert [subject for _kind, _language, subject, _body in in_use(store)] == ["First"]


def test_what_was_saved_can_be_taken_back_and_brought_back(client: Client, store: Store) -> None:
    post(client, store, "save", subject="First")
    post(client, store, "save", subject="Second", seen="1")
    reset = post(client, store, "reset", seen="2")
    after_reset = in_use(store)
    restored = post(client, store, "restore", seen="3", version="1")

    assert (told(reset), after_reset) == (
        ["Our own text is used again. Yours is kept below, under earlier texts."],
        [],
    )
    assert told(restored) == ["The text of version 1 is used again."]
    assert [subject for _kind, _language, subject, _body in in_use(store)] == ["First"]
    assert [(version, subject) for version, _who, subject in kept(store)] == [
        (1, "First"),
        (2, "Second"),
        (3, ""),
        (4, "First"),
    ]
    assert [(each.version, each.is_reset, each.is_current) for each in restored.context["history"]] == [
        (4, False, True),
        (3, True, False),
        (2, False, False),
        (1, False, False),
    ]


def test_an_older_text_can_be_looked_at_without_being_used(client: Client, store: Store) -> None:
    post(client, store, "save", subject="First")
    post(client, store, "save", subject="Second", seen="1")

    form = client.get(editor(store), {"version": "1"}).context["form"]

    assert (form["subject"].value(), form["seen"].value()) == ("First", 2)
    assert [subject for _kind, _language, subject, _body in in_use(store)] == ["Second"]


@pytest.mark.parametrize("version", ["9", "-1", "x", ""])
def test_a_version_that_never_was_brings_nothing_back(client: Client, store: Store, version: str) -> None:
    post(client, store, "save", subject="First")

    assert post(client, store, "restore", seen="1", version=version).status_code == 404
    assert len(kept(store)) == 1


# --- looking at it --------------------------------------------------------------------------------------


def test_the_preview_shows_what_is_typed_with_a_real_order_and_saves_nothing(client: Client, store: Store) -> None:
    a_parcel(store, "#1001", "Jane Doe")
    a_parcel(store, "#1002", "Ann <b>Lee</b>")

    page = client.post(preview(store), {"subject": "For {{ customer_name }}", "body": BODY, "order": "1002", "seen": 0})

    html = page.content.decode()
    assert re.findall(r'<div class="envelope"><b>(.*?)</b>', html) == ["For Ann &lt;b&gt;Lee&lt;/b&gt;"]
    assert "<p>Hello Ann,</p>" in html
    assert in_use(store) == []


def test_the_preview_says_what_is_wrong_where_there_is_no_mail(client: Client, store: Store) -> None:
    a_parcel(store)

    page = client.post(preview(store), {"subject": "S", "body": "{{ nothing }}", "seen": 0})

    assert "Line 1, column 4: There is no variable “nothing”." in page.content.decode()


def test_the_preview_may_be_framed_by_us_alone_and_run_nothing(client: Client, store: Store) -> None:
    a_parcel(store)

    page, other = client.get(preview(store)), client.get(editor(store))

    policy = dict(part.strip().partition(" ")[::2] for part in page["Content-Security-Policy"].split(";"))
    assert policy.pop("style-src").startswith("'sha256-")
    assert policy == {
        "default-src": "'none'",
        "frame-ancestors": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "sandbox": "",
    }
    assert (page["X-Frame-Options"], other["X-Frame-Options"]) == ("SAMEORIGIN", "DENY")
    assert "frame-ancestors 'none'" in other["Content-Security-Policy"]
    assert (" style=" in page.content.decode(), "<script" in page.content.decode()) == (False, False)


def test_a_test_goes_to_ones_own_verified_address_with_the_text_as_it_stands(client: Client, store: Store) -> None:
    a_parcel(store, name="Jane Doe")

    page = post(client, store, "test", body="Dear {{ customer_name }}")

    assert told(page) == [f"A test with order #1001 was sent to {store.owner.email}."]
    (sent,) = mail.outbox
    assert (sent.to, sent.subject, sent.body) == ([store.owner.email], "[Test] Order #1001", "Dear Jane Doe\n")
    assert in_use(store) == []
    assert page.context["form"]["body"].value() == "Dear {{ customer_name }}"


def test_no_test_leaves_while_the_own_address_is_not_verified(store: Store) -> None:
    store.owner = a_merchant("new@linden.example")
    store.save()
    a_parcel(store)

    page = post(at_home(store.owner), store, "test")

    assert told(page) == [
        "No test was sent: your own e-mail address is not verified yet. Verify it on the account page."
    ]
    assert mail.outbox == []


def test_there_is_an_end_to_tests(client: Client, store: Store) -> None:
    a_parcel(store)

    for _each in range(TESTS_AN_HOUR + 1):
        page = post(client, store, "test")

    assert told(page) == ["That were many tests. Send the next one in an hour."]
    assert len(mail.outbox) == TESTS_AN_HOUR


def test_a_mail_server_that_does_not_answer_is_told(client: Client, store: Store, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 9, 2
    a_parcel(store)

    assert told(post(client, store, "test")) == ["The mail server did not take the test. Try it again in some minutes."]


# --- all mails of a store ----------------------------------------------------------------------------------


def test_the_page_of_mails_says_whose_text_each_is(client: Client, store: Store) -> None:
    post(client, store, "save")

    rows = client.get(reverse("mail_templates", args=[store.pk])).context["rows"]

    assert [(row["kind"], row["current"].is_ours) for row in rows] == [
        ("preparing", True),
        ("shipped", False),
        ("number_changed", True),
        ("waiting", True),
    ]


def test_in_whose_name_and_language_is_saved_for_this_store(client: Client, store: Store) -> None:
    address = reverse("mail_templates", args=[store.pk])
    answers = {"from_name": "Linden\r\nBcc: x", "support_email": "help@linden.example", "language": "es"}

    page = client.post(address, answers, follow=True)

    assert told(page) == ["Saved for Linden."]
    saved = MailSettings.objects.get(store=store)
    assert (saved.from_name, saved.support_email, saved.language, saved.tells_changed_number) == (
        "Linden Bcc: x",
        "help@linden.example",
        "es",
        False,
    )
    assert client.get(editor(store)).context["form"]["body"].value() == default_text("shipped", "es").body


@pytest.mark.parametrize(
    "wrong", [{"language": "xx"}, {"support_email": "nobody"}, {"support_email": "a@b.example\nBcc: c@d.example"}]
)
def test_what_makes_no_sense_is_not_saved(client: Client, store: Store, wrong: dict[str, str]) -> None:
    answers = {"from_name": "", "support_email": "", "language": "en"} | wrong

    page = client.post(reverse("mail_templates", args=[store.pk]), answers)

    assert list(page.context["form"].errors) == list(wrong)
    assert MailSettings.objects.count() == 0


def test_commands_stand_in_the_editors_own_fields_and_nowhere_else(client: Client, store: Store) -> None:
    a_parcel(store)
    post(client, store, "save")
    pages = [
        client.get(reverse("mail_templates", args=[store.pk])),
        client.get(editor(store)),
        client.get(editor(store), {"version": "1"}),
        client.get(preview(store)),
        post(client, store, "save", body="{{ nothing }}", seen="1"),
        post(client, store, "save", subject="{{ nothing", seen="1"),
    ]

    assert [GAP.findall(without_fields(page.content.decode())) for page in pages] == [[]] * len(pages)
    assert GAP.findall(pages[1].content.decode()) != []


@pytest.mark.parametrize("count", [1, 3])
def test_the_editor_asks_the_same_however_long_the_history(
    client: Client, store: Store, count: int, django_assert_max_num_queries: Any
) -> None:
    for version in range(count):
        post(client, store, "save", seen=str(version))
        a_parcel(store, f"#{2000 + version}")

    with django_assert_max_num_queries(14):
        client.get(editor(store))
    with django_assert_max_num_queries(22):
        client.get(preview(store))
