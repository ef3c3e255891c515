"""A merchant sees their own and nobody else's, on every address; nobody acts by a link, or from another site.

The addresses are read from the URLconf (addresses.py): a new page is tested here without anybody's doing, and one
with an argument that nobody has told of fails with the line that has to be added.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from tests import factories
from tests.addresses import FOR_EVERYBODY, FOR_SERVERS, OWNED, PLAIN, Address, addresses, staff_addresses
from tests.merchants import Merchant, a_merchant_with_everything

pytestmark = pytest.mark.django_db

ALL = addresses()
THEIRS = [address for address in ALL if address.owned_by and not address.unknown]
OPEN = [address for address in ALL if not address.owned_by and not address.unknown]
# What reading a page may write: who is logged in, what was counted, and that they were here.
WRITTEN_BY_READING = {"django_session", "tracksync_cache"}
# What forms of the merchants' pages send, so that a POST is not refused for want of a field.
PLAUSIBLE = {
    "act": "save",
    "timing": "before_dispatch",
    "number_source": "local",
    "delay_hours": "0",
    "mail_sender": "nobody",
    "why": "because",
    "all": "yes",
    "name": "A name",
    "day": "2026-01-01",
    "kind": "shipped",
    "subject": "A subject",
    "body": "A body",
}
# Fields and parameters that name a row, by what they name.
NAMING = {"store": "store_id", "again": "store_id", "shipment": "shipment_id", "only": "shipment_id"}


def logged_in(user: Any, **options: Any) -> Client:
    """A browser in which this person is logged in."""
    client = Client(**options)
    client.force_login(user)
    return client


def rows() -> dict[str, list[Any]]:
    """Every row of every table, but for what reading a page may write."""
    found: dict[str, list[Any]] = {}
    for model in apps.get_models(include_auto_created=True):
        table = model._meta.db_table
        if table not in WRITTEN_BY_READING and model._meta.managed:
            names = [field.attname for field in model._meta.concrete_fields if field.attname != "last_login"]
            found[table] = list(model._default_manager.order_by("pk").values_list(*names))
    return found


def told(response: Any) -> str:
    """All that an answer says, its headers included, in lower case."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return (body.decode(errors="replace") + str(dict(response.headers))).lower()


def leaked(response: Any, merchant: Merchant) -> list[str]:
    """The merchant's words that an answer holds."""
    text = told(response)
    return [word for word in merchant.words if word in text]


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, Merchant]]:
    """Two merchants with something of everything, made once; whatever a test does to them is undone."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield {word: a_merchant_with_everything(word) for word in ("Zebra", "Okapi")}
        transaction.set_rollback(True)


@pytest.fixture
def zebra(made: dict[str, Merchant]) -> Merchant:
    """The merchant whose things are looked for."""
    return made["Zebra"]


@pytest.fixture
def stranger(made: dict[str, Merchant]) -> Merchant:
    """Another merchant, who has something of everything too."""
    return made["Okapi"]


def test_every_argument_of_every_address_is_known() -> None:
    missing = {
        f'"{argument}": {address.route} takes it and no test knows a value. Add one line for it to OWNED (it names '
        f"something of a merchant's) or to PLAIN (it names nobody's) in tests/addresses.py."
        for address in ALL
        for argument in address.unknown
    }

    assert missing == set()
    assert len(THEIRS) >= 15
    assert len(OPEN) >= 20
    assert set(OWNED) & set(PLAIN) == set()
    assert FOR_EVERYBODY - {address.name for address in ALL} == set()


# --- Another merchant -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", THEIRS, ids=str)
def test_a_stranger_finds_nothing_behind_any_address_of_somebody_elses(
    address: Address, zebra: Merchant, stranger: Merchant
) -> None:
    client, before = logged_in(stranger.user), rows()
    named = {field: str(OWNED[argument](zebra)[0]) for field, argument in NAMING.items()}
    answers: dict[str, set[int]] = {"GET": set(), "HEAD": set(), "POST": set()}
    words = []
    for url in address.urls(zebra)[:2]:
        for answer in (client.get(url), client.get(url, PLAUSIBLE | named)):
            answers["GET"].add(answer.status_code)
            words += leaked(answer, zebra)
        answers["HEAD"].add(client.head(url).status_code)
        for answer in (client.post(url), client.post(url, PLAUSIBLE), client.post(url, PLAUSIBLE | named)):
            answers["POST"].add(answer.status_code)
            words += leaked(answer, zebra)
    nothing = address.url_of_nothing()
    as_if_nothing = {
        "GET": {client.get(nothing).status_code},
        "HEAD": {client.head(nothing).status_code},
        "POST": {client.post(nothing).status_code},
    }

    # What only acts answers 405 to a GET, and what only shows to a POST, whoever asks and whatever is there.
    assert answers == as_if_nothing
    assert {404} in answers.values()
    assert set().union(*answers.values()) <= {404, 405}
    assert words == []
    assert rows() == before


@pytest.mark.parametrize("address", OPEN, ids=str)
def test_a_page_without_an_object_shows_a_stranger_nothing_and_touches_nothing(
    address: Address, zebra: Merchant, stranger: Merchant
) -> None:
    client = logged_in(stranger.user)
    theirs = [{field: str(value)} for field, argument in NAMING.items() for value in OWNED[argument](zebra)[:3]]
    before = _rows_of(zebra)
    words = leaked(client.get(address.url()), zebra)
    for named in theirs:
        client = logged_in(stranger.user)
        words += leaked(client.get(address.url(), named), zebra)
        words += leaked(client.post(address.url(), PLAUSIBLE | named, follow=True), zebra)

    assert words == []
    assert _rows_of(zebra) == before


@pytest.mark.parametrize("address", [address for address in OPEN if address.name not in FOR_EVERYBODY], ids=str)
def test_a_search_finds_a_stranger_nothing_whatever_is_typed(
    address: Address, zebra: Merchant, stranger: Merchant
) -> None:
    client, order = logged_in(stranger.user), zebra.shipments[0].order
    number = zebra.shipments[0].numbers.get().value
    words = []
    for typed in (order.number, order.customer_name, order.customer_email, number):
        fields = dict.fromkeys(("order", "tracking", "customer", "q", "search", "problem"), typed)
        text = told(client.get(address.url(), fields))
        words += [
            secret
            for secret in (order.store.name, order.number, order.customer_name, order.customer_email, number)
            if secret != typed and secret.lower() in text
        ]

    assert words == []


def _rows_of(merchant: Merchant) -> dict[str, list[Any]]:
    """Every row that belongs to this merchant."""
    owner = {
        "stores_store": "owner",
        "stores_syncpreference": "store__owner",
        "stores_preferencechange": "preference__store__owner",
        "orders_order": "store__owner",
        "orders_shipment": "order__store__owner",
        "orders_trackingnumber": "shipment__order__store__owner",
        "orders_trackingsync": "store__owner",
        "orders_syncattempt": "sync__store__owner",
        "account_emailaddress": "user",
        "auth_user": "pk",
    }
    found = {}
    for model in apps.get_models():
        if path := owner.get(model._meta.db_table):
            mine = model._default_manager.filter(**{path: merchant.user.pk}).order_by("pk")
            found[model._meta.db_table] = list(
                mine.values_list(*[each.attname for each in model._meta.concrete_fields])
            )
    return found


# --- Nobody, and merchants among staff ------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("address", [address for address in ALL if not address.unknown], ids=str)
def test_who_is_not_logged_in_is_sent_to_log_in(address: Address, method: str, zebra: Merchant) -> None:
    before = rows()
    answers = [getattr(Client(), method)(url) for url in address.urls(zebra)[:2]]

    if address.name in FOR_EVERYBODY:
        assert {answer.status_code for answer in answers} <= {200, 302, 401, 404, 405, 503}
    else:
        assert {answer.status_code for answer in answers} == {302}, (
            f"{address.route} is open to everybody. If it is meant to be, add {address.name!r} to FOR_EVERYBODY in "
            "tests/addresses.py."
        )
        assert {answer["Location"].partition("?")[0] for answer in answers} == {reverse("account_login")}
    assert [word for answer in answers for word in leaked(answer, zebra)] == []
    assert rows() == before


@pytest.mark.parametrize("address", [each for each in ALL if {"token", "key"} & set(each.arguments)], ids=str)
def test_a_made_up_link_of_a_mail_opens_nothing(address: Address, zebra: Merchant) -> None:
    before = rows()
    answers = [Client().get(address.url()), Client().post(address.url(), PLAUSIBLE)]

    assert {answer.status_code for answer in answers} <= {200, 302, 404, 405}
    assert [word for answer in answers for word in leaked(answer, zebra)] == []
    assert rows() == before


def test_no_page_of_the_staff_opens_for_a_merchant(zebra: Merchant, stranger: Merchant) -> None:
    client, before = logged_in(stranger.user), rows()
    values = {"object_id": str(zebra.stores[0].pk), "content_type_id": "1", "app_label": "orders", "name": "try_again"}
    values |= {"url": "x/"}
    opened, words = [], []
    for address in staff_addresses():
        known = {name: values.get(name, str(zebra.stores[0].pk)) for name in address.arguments}
        # The catch-all of the admin has no name; its pattern is only there to send people to log in.
        url = reverse(address.name, kwargs=known) if not address.name.endswith(":") else "/admin/no-such-page"
        for answer in (client.get(url), client.post(url, PLAUSIBLE)):
            words += leaked(answer, zebra)
            if answer.status_code == 200 and not address.name.endswith((":logout", ":jsi18n")):
                opened.append(address.name)
        client = logged_in(stranger.user)

    assert opened == []
    assert words == []
    assert rows() == before


# --- Acting ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [address for address in ALL if not address.unknown], ids=str)
def test_a_link_changes_nothing(address: Address, zebra: Merchant) -> None:
    client, before = logged_in(zebra.user), rows()
    named = {field: str(OWNED[argument](zebra)[0]) for field, argument in NAMING.items()}
    answers = set()
    for url in address.urls(zebra):
        for answer in (client.get(url), client.head(url), client.get(url, PLAUSIBLE | named)):
            told(answer)  # a file is made while it is read
            answers.add(answer.status_code)
        if not client.session.get("_auth_user_id"):
            client = logged_in(zebra.user)

    assert {status for status in answers if status >= 500 and status != 503} == set()
    assert rows() == before


@pytest.mark.parametrize(
    "address", [each for each in ALL if not each.unknown and each.name not in FOR_SERVERS], ids=str
)
def test_a_form_of_another_site_is_refused(address: Address, zebra: Merchant) -> None:
    client, before = logged_in(zebra.user, enforce_csrf_checks=True), rows()
    answers = {client.post(url, PLAUSIBLE).status_code for url in address.urls(zebra)[:2]}

    assert answers == {403}
    assert rows() == before


def test_the_rows_are_all_looked_at(zebra: Merchant) -> None:
    """The comparison of before and after would find a change in any table of ours."""
    tables = {name for name in connection.introspection.table_names() if name.startswith(("orders_", "stores_"))}

    assert tables <= set(rows())
    assert all(rows()[name] for name in ("orders_trackingsync", "stores_store", "orders_syncattempt"))
    assert factories.a_user().pk in [row[0] for row in rows()["auth_user"]]
