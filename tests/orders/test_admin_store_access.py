"""What a store's page tells staff of its connection: whether there is access and until when, and what it tells us.

Where the platforms differ a table says so. That no secret stands on any page is held in test_admin_pages.py, too.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.urls import reverse
from django.utils import timezone

from stores.fields import Secret
from stores.models import HookDelivery, Store
from tests import factories
from tests.orders.admin_cast import logged_in, staff_who_may

pytestmark = pytest.mark.django_db

ARMED = datetime(2026, 3, 2, 12, tzinfo=UTC)
TOPICS = ["order.updated", "order.new"]
PASTED: dict[str, Any] = {"credentials": {"access_token": "shpat_secret"}}
OWN_APP: dict[str, Any] = {"credentials": {"client_id": "id-1", "client_secret": "shpss_secret"}}
WOO: dict[str, Any] = {
    "platform": "woocommerce",
    "base_url": "https://mugs.example",
    "credentials": {"consumer_key": "ck_secret", "consumer_secret": "cs_secret"},
}
GONE = {"disconnected_at": ARMED, "disconnect_reason": "staff", "credentials": {}}
PULLED = " Orders are pulled all the same."


def told(store: Store, *names: str) -> dict[str, str]:
    """What stands beside these labels on the store's page, for staff who may only look."""
    page = logged_in(staff_who_may("stores.view_store")).get(reverse("admin:stores_store_change", args=[store.pk]))
    html = unescape(page.content.decode())
    assert (page.status_code, re.findall(r"\w+_secret|hook-signs", html)) == (200, [])
    rows = re.findall(r'<label>([^<]*):</label>.*?<div class="readonly">(.*?)</div>', html, re.DOTALL)
    found = {label: re.sub(r"<[^>]+>", "", value).strip() for label, value in rows}
    return {name: found[name] for name in names}


@pytest.fixture(autouse=True)
def _public(settings: Any) -> None:
    settings.TRACKSYNC_URL = "https://tracksync.house.com"


@pytest.mark.parametrize(
    "fields, says",
    [
        (PASTED, "The access has no end of its own."),
        (OWN_APP, "The access has no end of its own."),
        (WOO, "The access has no end of its own."),
        (GONE, "–"),
    ],
)
def test_what_has_no_end_says_so(fields: dict[str, Any], says: str) -> None:
    assert told(factories.a_store(**fields), "Renewal") == {"Renewal": says}


def test_what_renews_itself_says_until_when_and_what_is_over_says_who_acts() -> None:
    later, past = (timezone.now() + timedelta(days=days) for days in (80, -1))
    kept = {**OWN_APP, "token": Secret({"refresh_token": "r_secret"})}
    stores = [factories.a_store(**kept, renewable_until=at) for at in (later, past)]

    assert [told(store, "Renewal")["Renewal"] for store in stores] == [
        f"By itself; the merchant is needed only if it were not used until {later:%-d %b %Y, %H:%M}.",
        f"It could be renewed until {past:%-d %b %Y, %H:%M}. Its merchant has to connect the store again.",
    ]


@pytest.mark.parametrize(
    "fields, says",
    [
        (
            {**WOO, "hook_topics": TOPICS, "hooks_armed_at": ARMED},
            "order.updated, order.new. Last looked after: 2 Mar 2026, 12:00. Last message that is remembered: none.",
        ),
        (WOO, "It tells us nothing yet: a new store is subscribed to within a minute or two." + PULLED),
        ({**OWN_APP, "hooks_armed_at": ARMED}, "It tells us nothing yet: it is tried again within the hour." + PULLED),
        (PASTED, "It tells us nothing: the secret of its app, which signs them, is not known here." + PULLED),
        (GONE, "–"),
    ],
)
def test_whether_a_store_tells_us_what_changes(fields: dict[str, Any], says: str) -> None:
    store = factories.a_store(**fields, hook_secret=Secret({"secret": "hook-signs"}))

    assert told(store, "The store's messages") == {"The store's messages": says}


def test_the_last_message_of_this_very_store_is_told() -> None:
    store, other = (factories.a_store(**PASTED, hook_topics=TOPICS, hooks_armed_at=ARMED) for _ in range(2))
    for n, each in enumerate((store, store, other), start=1):
        at = ARMED + timedelta(hours=n)
        HookDelivery.objects.create(store=each, delivery_id=f"d-{n}", topic=TOPICS[0], received_at=at)

    assert told(store, "The store's messages")["The store's messages"].endswith("remembered: 2 Mar 2026, 14:00.")


def test_an_installation_that_no_store_can_call_says_so(settings: Any) -> None:
    settings.TRACKSYNC_URL = "http://localhost:8000"

    says = told(factories.a_store(**WOO), "The store's messages")["The store's messages"]

    assert says == (
        "It tells us nothing: this installation has no public https address that the store could call." + PULLED
    )


def test_the_page_opens_without_the_keys_and_names_what_is_missing(settings: Any) -> None:
    store = factories.a_store(**OWN_APP)
    settings.TRACKSYNC_CREDENTIAL_KEYS = [Fernet.generate_key().decode()]

    says = told(store, "Access", "The store's messages")

    assert says["Access"].startswith("Kept encrypted and shown to nobody")
    assert "TRACKSYNC_CREDENTIAL_KEYS no longer lists" in says["The store's messages"]


def test_the_id_that_files_and_commands_ask_for_stands_on_the_page_and_in_the_list() -> None:
    store = factories.a_store(**WOO)
    client = logged_in(staff_who_may("stores.view_store"))

    row = client.get(reverse("admin:stores_store_changelist")).content.decode()

    assert told(store, "Store id") == {"Store id": str(store.pk)}
    assert f'<td class="field-id">{store.pk}</td><td class="field-platform">WooCommerce</td>' in row
