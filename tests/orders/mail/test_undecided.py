"""Platforms that write by themselves, and stores that let us read no addresses: asked, refused, and never silent."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from orders import problems
from orders.mail import undecided
from orders.mail.switched_off import word_of
from orders.pull import pull_store
from stores.connectors import registry
from stores.connectors.base import Capabilities
from stores.connectors.shopify import ShopifyConnector
from stores.models import MailSettings, Store
from tests import factories
from tests.orders.choosing import AFTER_DEFAULT, logged_in, look, messages_of, page, save
from tests.storefronts.client import PretendShopify

pytestmark = pytest.mark.django_db

STORE_WRITES = AFTER_DEFAULT | {"mail_sender": "store"}
TICKED = AFTER_DEFAULT | {"is_switched_off": "on"}
NO_TICK = (
    "Loud still writes to your customers by itself, so nothing is saved. Switch its mail off there and tick this, or "
    "choose that Loud writes."
)


class Loud(ShopifyConnector):
    """A platform whose own mail cannot be switched off from outside."""

    label: ClassVar[str] = "Loud"
    capabilities: ClassVar[Capabilities] = Capabilities(**{**vars(ShopifyConnector.capabilities), "mails_always": True})


@pytest.fixture
def loud(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.CONNECTORS, "loud", Loud)


def a_loud_store(**fields: Any) -> Store:
    return factories.a_store(platform="loud", **{"mail_sender": "store"} | fields)


def said(response: Any) -> str:
    return " ".join(strip_tags(response.content.decode()).split()).replace("&gt;", ">").replace("&#x27;", "'")


def off(store: Store) -> tuple[bool, str]:
    """Whether it is said to be switched off, and by whom."""
    found = MailSettings.objects.filter(store=store).select_related("switched_off_by").first()
    if found is None or found.switched_off_at is None or found.switched_off_by is None:
        return False, ""
    return True, found.switched_off_by.email


# --- the tick ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sender", ["tracksync", "nobody"])
def test_another_sender_than_the_platform_needs_the_word_that_it_keeps_quiet(loud: None, sender: str) -> None:
    store = a_loud_store()
    client = logged_in(store.owner)
    answers = AFTER_DEFAULT | {"mail_sender": sender}

    refused = look(client, store, answers)
    save(client, store, answers | {"is_switched_off": "on"})
    store.preference.refresh_from_db()

    assert "I have switched it off in Loud > Settings > Emails" in said(refused)
    assert NO_TICK in said(refused)
    assert "seal" not in refused.context
    assert (store.preference.mail_sender, off(store)) == (sender, (True, store.owner.email))


def test_a_tick_that_is_taken_away_on_the_way_saves_nothing(loud: None) -> None:
    store = a_loud_store()
    client = logged_in(store.owner)

    answer = save(client, store, TICKED, is_switched_off="")
    store.preference.refresh_from_db()

    assert (store.preference.mail_sender, store.preference.version, off(store)) == ("store", 1, (False, ""))
    assert messages_of(answer) == [
        "The answers are others than those whose effect was shown, so nothing is saved yet. Look again."
    ]
    assert NO_TICK in said(answer)


def test_who_said_it_first_and_when_stays_until_it_is_unsaid(loud: None) -> None:
    store = a_loud_store()
    client = logged_in(store.owner)

    save(client, store, TICKED)
    first = word_of(store)
    save(client, store, TICKED | {"timing": "before_dispatch"})
    second = word_of(store)
    shown = said(look(client, store, {}))
    save(client, store, STORE_WRITES)
    unsaid = word_of(store)
    save(client, store, STORE_WRITES | {"delay_hours": "5", "is_switched_off": "on"})

    assert first is not None
    assert second == first
    assert re.search(rf"{re.escape(store.owner.email)} said so on \d+ \w+ \d{{4}}, \d\d:\d\d\.", shown)
    assert (unsaid, word_of(store)) == (None, None)


def test_where_the_platform_keeps_quiet_nobody_is_asked_and_nothing_is_kept() -> None:
    store = factories.a_store(confirmed_at=None)
    client = logged_in(store.owner)

    save(client, store, TICKED)

    assert "is_switched_off" not in client.get(page(store)).content.decode()
    assert off(store) == (False, "")


def test_woocommerce_is_such_a_platform_and_is_called_by_its_name() -> None:
    store = factories.a_store(platform="woocommerce", mail_sender="store", base_url="https://shop.example")

    refused = look(logged_in(store.owner), store, AFTER_DEFAULT)

    assert "I have switched it off in WooCommerce > Settings > Emails" in said(refused)
    assert NO_TICK.replace("Loud", "WooCommerce") in said(refused)


# --- never silence -------------------------------------------------------------------------------------------

HIDDEN = {"reads_customers": False}
CANNOT_READ = (
    "You chose that we write to your customers, but Shopify does not let us read their e-mail addresses any more. "
    "Customers of new orders are not written to. Let us read them again and check the connection, or choose who writes."
)
NOBODY_SAID = (
    "You chose that we write to your customers, but nobody has told us that Loud's own mail is switched off. Until "
    "then we write to nobody, so that no customer gets two mails. Choose who writes."
)


@pytest.mark.parametrize(
    "fields, expected",
    [
        ({}, ""),
        ({"facts": {"reads_customers": True}}, ""),
        ({"facts": HIDDEN}, CANNOT_READ),
        ({"facts": HIDDEN, "mail_sender": "store"}, ""),
        ({"facts": HIDDEN, "mail_sender": "nobody"}, ""),
        ({"facts": HIDDEN, "confirmed_at": None}, ""),  # no mail goes before the choice is confirmed, as it says
        ({"platform": "loud"}, NOBODY_SAID),
        ({"platform": "loud", "mail_sender": "store"}, ""),
    ],
)
def test_a_store_that_we_cannot_write_for_asks_for_a_decision_in_three_places(
    loud: None, fields: dict[str, Any], expected: str
) -> None:
    store = factories.a_store(**fields)
    client, lines = logged_in(store.owner), int(bool(expected))

    attention, own_page = (client.get(reverse("attention")), client.get(reverse("store", args=[store.pk])))

    assert undecided.why(store) == expected
    assert problems.count(store.owner, timezone.now()) == lines
    assert said(attention).count("needs a decision") == lines
    assert said(own_page).count("Needs a decision:") == lines
    assert [expected in said(each) for each in (attention, own_page)] == [True, True]
    assert ("Nothing needs you" in said(attention)) is not bool(expected)


def test_a_word_or_another_choice_ends_it(loud: None) -> None:
    store = a_loud_store(mail_sender="tracksync")
    hidden = factories.a_store(store.owner, facts=HIDDEN)
    client = logged_in(store.owner)
    before = problems.count(store.owner, timezone.now())

    save(client, store, TICKED)
    save(client, hidden, STORE_WRITES)

    assert (before, problems.count(store.owner, timezone.now())) == (2, 0)


def test_a_strangers_store_and_one_that_is_gone_are_no_problem_of_mine() -> None:
    factories.a_store(facts=HIDDEN)
    me = factories.a_user()
    factories.a_store(me, facts=HIDDEN, disconnected_at=timezone.now(), disconnect_reason="merchant")

    assert problems.count(me, timezone.now()) == 0
    assert "needs a decision" not in said(logged_in(me).get(reverse("attention")))


def test_the_next_pull_notices_that_addresses_are_hidden_and_that_they_are_back(pretend: PretendShopify) -> None:
    shop = pretend.shop()
    store = factories.a_store_in(shop)
    found = []
    for hidden in (False, True, True, False):
        shop.settings(customers_hidden=hidden)
        shop.add_order()
        pull_store(Store.objects.get(pk=store.pk), now=timezone.now())
        found.append(undecided.why(Store.objects.select_related("preference").get(pk=store.pk)))

    assert found == ["", CANNOT_READ, CANNOT_READ, ""]
