"""What a customer's mail says, in every language, and what it never says."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils.html import escape

from orders.mail import rendering
from orders.mail.defaults import LANGUAGES, default_text, words
from orders.mail.rendering import CannotRender, Problem, check, preview, render
from orders.mail.variables import VARIABLES, values_of
from orders.models import CustomerEmail, Shipment, TrackingNumber, TrackingSync
from stores.choices import EmailKind
from stores.models import EmailTemplate
from tests import factories
from tests.factories import NOON

KINDS = [kind.value for kind in EmailKind]
# What a customer must not read while the parcel lies on a shelf.
NOT_YET = {
    "en": r"\b(shipped|ships|shipping|sent|send|on its way|left|leaves|dispatch\w*|handed|delivered|moving)\b",
    "zh": r"发货|发出|寄出|已寄|送出|在途|路上|运输|交给|已出库|派送",
    "es": r"\b(envi\w+|en camino|sali\w+|despach\w+|entreg\w+|reparto|mand\w+)\b",
}
# The sentence every text carries: the logistics company needs time, please wait.
PATIENCE = {
    "en": ("logistics company needs", "be patient"),
    "zh": ("物流公司", "耐心等待"),
    "es": ("empresa de transporte necesita", "paciencia"),
}
LINE_ENDS = re.compile(r"[\r\n\u2028\u2029]")


def a_parcel(**fields: Any) -> Shipment:
    """A parcel of two mugs whose number the store shows."""
    order = factories.an_order(
        factories.a_store(name="Linden & Co", base_url="https://linden.example"),
        **{"number": "#1001", "customer_name": "Jane Doe", "customer_email": "jane@doe.example"} | fields,
    )
    shipment = factories.a_shipment(order, lines={"SKU-1": 2}, local="YT1")
    return show(shipment, shipment.numbers.get())


def show(shipment: Shipment, number: TrackingNumber | None) -> Shipment:
    """From now on the store shows this number; the shipment as it is then."""
    TrackingSync.objects.filter(shipment=shipment).update(shown=number, wanted=number)
    return Shipment.objects.select_related("order__store", "sync__shown__carrier").get(pk=shipment.pk)


def a_mail(shipment: Shipment, kind: str = "shipped") -> CustomerEmail:
    return CustomerEmail.objects.create(shipment=shipment, kind=kind, number=shipment.sync.shown)


def words_of(shipment: Shipment, subject: str, body: str, kind: str = "shipped", language: str = "en") -> None:
    """The merchant's own text for a kind of mail of this shipment's store."""
    EmailTemplate.objects.create(store=shipment.order.store, kind=kind, subject=subject, body=body, language=language)


# --- our own texts -----------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_text_of_ours_can_be_saved_as_it_is(kind: str, language: str) -> None:
    text = default_text(kind, language)

    assert (check(text.subject, one_line=True), check(text.body)) == ([], [])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["preparing", "waiting"])
def test_what_is_being_prepared_is_never_said_to_have_left(kind: str, language: str) -> None:
    text = default_text(kind, language)

    assert re.findall(NOT_YET[language], f"{text.subject} {text.body}", re.IGNORECASE) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_that_are_looked_for_are_there_once_the_parcel_has_left(language: str) -> None:
    text = default_text("shipped", language)

    assert re.findall(NOT_YET[language], f"{text.subject} {text.body}", re.IGNORECASE) != []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_text_of_ours_asks_for_patience_and_says_why(kind: str, language: str) -> None:
    body = default_text(kind, language).body

    assert [sentence for sentence in PATIENCE[language] if sentence not in body] == []


@pytest.mark.django_db
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_no_mail_of_ours_shows_a_gap(kind: str, language: str) -> None:
    shipment = a_parcel(customer_name="")
    text = default_text(kind, language)

    mail = preview(shipment.order.store, kind, text.subject, text.body, shipment, language)

    gaps = re.compile(r"\$\{|\{\{|\{%|%\}|\}\}|None|\(\)|（）| ,| \.|\n\n\n")
    assert [
        gaps.findall(part)
        for part in (mail.subject, mail.text, re.sub(r"<style>.*?</style>", "", mail.html, flags=re.S))
    ] == [[]] * 3  # noqa: E501


# --- one mail -----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_mail_is_made_of_the_words_and_the_facts_of_the_parcel(settings: Any) -> None:
    settings.DEFAULT_FROM_EMAIL = "TrackSync <mail@tracksync.example>"
    shipment = a_parcel()
    words_of(
        shipment, "Order {{ order_number }}", "Hello {{ customer_first_name }},\n\n{{ items }}\n{{ tracking_url }}"
    )

    mail = render(a_mail(shipment), NOON)

    page = f"http://localhost:8000/t/{shipment.token}"
    owner = shipment.order.store.owner.email
    assert (mail.subject, mail.text) == ("Order #1001", f"Hello Jane,\n\n2 × Thing SKU-1\n{page}\n")
    assert (mail.from_email, mail.to) == ("Linden & Co <mail@tracksync.example>", ("jane@doe.example",))
    assert mail.headers == {
        "Reply-To": f"Linden & Co <{owner}>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    assert re.findall(r"<p>.*?</p>|<a href.*?</a>", mail.html, re.DOTALL) == [
        "<p>Hello Jane,</p>",
        "<p>2 × Thing SKU-1</p>",
        f'<a href="{page}"><font color="#ffffff">Follow my parcel</font></a>',
    ]


@pytest.mark.django_db
def test_a_mail_tells_the_number_that_the_store_shows_when_it_is_sent() -> None:
    shipment = a_parcel()
    words_of(shipment, "S", "{{ tracking_number }} {{ tracking_company }}")
    mail = a_mail(shipment)
    newer = factories.a_number(shipment, "CJP2", kind="own")

    before = render(mail, NOON).text
    show(shipment, newer)
    after = render(CustomerEmail.objects.get(pk=mail.pk), NOON).text

    assert (before, after) == ("YT1 YunExpress\n", "CJP2 CJ Packet\n")


@pytest.mark.django_db
def test_a_mail_to_who_waits_tells_no_number_even_where_there_is_one() -> None:
    shipment = a_parcel()
    words_of(shipment, "S", "[{{ tracking_number }}{{ tracking_company }}]", kind="waiting")

    assert render(a_mail(shipment, "waiting"), NOON).text == "[]\n"


@pytest.mark.django_db
def test_a_text_speaks_the_language_it_was_written_in() -> None:
    shipment = a_parcel()
    Shipment.objects.filter(pk=shipment.pk).update(dispatched_at=NOON)
    body = "{{ language }} {{ dispatched_at }} {{ dispatched_at | date: '%-d %B' }}\n{{ tracking_url }}"
    words_of(shipment, "S", body, language="es")

    mail = render(CustomerEmail.objects.get(pk=a_mail(shipment).pk), NOON)

    assert mail.text.splitlines()[0] == "es 2 de marzo de 2026 2 marzo"
    assert ">Seguir mi paquete</font>" in mail.html


@pytest.mark.django_db
def test_every_variable_has_a_value_and_no_other_has() -> None:
    shipment = a_parcel()

    values = values_of(shipment, shipment.sync.shown, rendering.letterhead(shipment.order.store), NOON)

    assert values == {
        "customer_first_name": "Jane",
        "customer_name": "Jane Doe",
        "order_number": "#1001",
        "store_name": "Linden & Co",
        "store_url": "https://linden.example",
        "support_email": shipment.order.store.owner.email,
        "items": [{"title": "Thing SKU-1", "quantity": 2, "sku": "SKU-1"}],
        "parcel_index": 1,
        "parcel_count": 1,
        "more_to_come": False,
        "tracking_number": "YT1",
        "tracking_company": "YunExpress",
        "tracking_url": f"http://localhost:8000/t/{shipment.token}",
        "tracking_starts_in": "",
        "dispatched_at": "",
        "language": "en",
    }
    assert list(values) == list(VARIABLES)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name, first",
    [
        ("Jane Doe", "Jane"),
        ("Jane", "Jane"),
        ("", ""),
        ("  Ann  Lee ", "Ann"),
        ("王小明", "王小明"),
        ("王 小明", "王 小明"),
    ],
)
def test_the_first_name_is_the_first_word_where_names_have_words(name: str, first: str) -> None:
    shipment = a_parcel(customer_name=name)

    head = rendering.letterhead(shipment.order.store)
    assert values_of(shipment, None, head, NOON)["customer_first_name"] == first


@pytest.mark.django_db
def test_more_is_to_come_while_another_parcel_or_some_units_are_still_here() -> None:
    order = factories.an_order(lines=(("A", 2), ("B", 1)))
    first = factories.a_shipment(order, lines={"A": 2}, dispatched_at=NOON)
    head = rendering.letterhead(order.store)

    def told() -> tuple[object, object, object]:
        values = values_of(Shipment.objects.get(pk=first.pk), None, head, NOON)
        return values["parcel_index"], values["parcel_count"], values["more_to_come"]

    units_left = told()
    second = factories.a_shipment(order, parcel=3, lines={"B": 1})
    parcel_left = told()
    Shipment.objects.filter(pk=second.pk).update(dispatched_at=NOON)

    assert [units_left, parcel_left, told()] == [(1, 1, True), (1, 2, True), (1, 2, False)]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "parcels, hours, told",
    [(19, 30, ""), (20, 30, "2 days"), (20, 24, "1 day"), (20, 0, "1 day"), (21, 49, "3 days")],
)
def test_when_tracking_starts_is_what_is_usual_for_the_method_here(parcels: int, hours: int, told: str) -> None:
    shipment = a_parcel()
    order = factories.an_order()
    for parcel in range(1, parcels + 1):
        left = NOON - timedelta(days=5)
        factories.a_shipment(
            order, parcel=parcel, local=f"N{parcel}", known_at=left - timedelta(hours=hours), dispatched_at=left
        )
    factories.a_shipment(order, parcel=99, method=factories.an_own_method(), own="CJP9", dispatched_at=NOON)

    head = rendering.letterhead(shipment.order.store)
    assert values_of(shipment, None, head, NOON)["tracking_starts_in"] == told


# --- what strangers write ------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_customers_name_is_one_line_of_text_wherever_it_stands() -> None:
    name = 'Eve\r\nBcc: all@example.com\u2028\n\n- <b onclick="x">\u202ebold</b> http://evil.example'
    shipment = a_parcel(customer_name=name)
    words_of(shipment, "For {{ customer_name }}", "{{ customer_name }}")

    mail = render(a_mail(shipment), NOON)

    line = 'Eve Bcc: all@example.com - <b onclick="x">bold</b> http://evil.example'
    assert (mail.subject, mail.text) == (f"For {line}", f"{line}\n")
    assert re.findall(r'<td class="text".*?>\n(.*?)\n</td>', mail.html, re.DOTALL) == [f"<p>{escape(line)}</p>"]
    assert LINE_ENDS.findall(mail.subject + mail.from_email + "".join(mail.headers.values())) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address",
    ["", "nobody", "a@b.example,c@d.example", "a@b.example\nBcc: c@d.example", "Eve <a@b.example>", "a@b.example\r"],
)
def test_what_is_not_one_address_is_not_written_to(address: str) -> None:
    shipment = a_parcel(customer_email=address)

    with pytest.raises(CannotRender) as refused:
        render(a_mail(shipment), NOON)

    assert refused.value.reason == "address"
    assert address == "" or address not in str(refused.value)


@pytest.mark.django_db
@pytest.mark.parametrize("subject", ["Hello\nBcc: all@example.com", "A\r\nB", "A\u2028B", "A\x85B"])
def test_a_subject_with_a_line_end_is_refused_when_saved_and_when_sent(subject: str) -> None:
    shipment = a_parcel()
    words_of(shipment, subject, "text")

    with pytest.raises(CannotRender) as refused:
        render(a_mail(shipment), NOON)

    position = LINE_ENDS.search(subject.replace("\x85", "\n")).start() + 1
    assert refused.value.reason == "header"
    assert check(subject, one_line=True) == [Problem(1, position, "A subject has one line.")]


@pytest.mark.django_db
def test_a_store_whose_name_would_end_a_header_sends_nothing() -> None:
    shipment = a_parcel()
    shipment.order.store.name = "Linden\r\nBcc: all@example.com"

    with pytest.raises(CannotRender) as refused:
        render(a_mail(shipment), NOON)

    assert refused.value.reason == "header"


@pytest.mark.django_db
def test_a_text_that_goes_beyond_the_limits_is_told_and_not_sent_in_part() -> None:
    shipment = a_parcel()
    words_of(shipment, "S", "{% for item in items %}" * 9 + "{{ item.title }}" + "{% endfor %}" * 9)
    order = shipment.order
    for number in range(40):
        line = order.lines.create(external_id=f"x{number}", sku=f"X{number}", title="Thing", quantity=1)
        shipment.lines.create(line=line, quantity=1)

    with pytest.raises(CannotRender) as refused:
        render(a_mail(shipment), NOON)

    assert refused.value.reason == "template"


@pytest.mark.django_db
def test_only_addresses_the_merchant_wrote_become_links() -> None:
    shipment = a_parcel(customer_name="https://evil.example/")
    body = (
        "{{ customer_name }} https://linden.example/faq. https://linden.example/o/{{ order_number }} "
        "{{ store_url }} javascript:alert(1) https://{{ customer_name }}"
    )
    words_of(shipment, "S", body)

    html = render(a_mail(shipment), NOON).html

    assert re.findall(r'href="(.*?)"', html) == [
        "https://linden.example/faq",
        "https://linden.example/o/#1001",
        "https://linden.example",
    ]


@pytest.mark.django_db
def test_what_the_merchant_writes_is_text_too() -> None:
    shipment = a_parcel()
    words_of(shipment, "A & B", "<script>alert(1)</script>\n\n- one & two\n- three\nthe end")

    mail = render(a_mail(shipment), NOON)

    assert "<title>A &amp; B</title>" in mail.html
    assert re.findall(r'<td class="text".*?>\n(.*?)\n</td>', mail.html, re.DOTALL) == [
        "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n<ul><li>one &amp; two</li><li>three</li></ul>\n<p>the end</p>"
    ]


@pytest.mark.django_db
def test_a_preview_is_made_to_nobody_with_the_number_the_parcel_would_have() -> None:
    order = factories.an_order(customer_email="")
    made = factories.a_shipment(order, own="CJP1", local="YT1")
    shipment = Shipment.objects.get(pk=made.pk)

    mail = preview(order.store, "shipped", "S", "{{ tracking_number }}", shipment)

    assert (mail.text, mail.to) == ("CJP1\n", ())


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 3])
def test_a_mail_costs_the_same_however_much_is_in_the_parcel(count: int, django_assert_max_num_queries: Any) -> None:
    order = factories.an_order(lines=tuple((f"S{n}", 1) for n in range(count)))
    shipment = factories.a_shipment(order, lines={f"S{n}": 1 for n in range(count)}, local="YT1")
    shipment = show(shipment, shipment.numbers.get())
    row = a_mail(shipment)
    loaded = CustomerEmail.objects.select_related(
        "shipment__order__store__owner", "shipment__sync__shown__carrier"
    ).get(pk=row.pk)

    with django_assert_max_num_queries(14):
        render(loaded, NOON)


def test_a_language_we_do_not_speak_is_english() -> None:
    assert (words("xx").name, default_text("shipped", "xx")) == ("English", default_text("shipped", "en"))
