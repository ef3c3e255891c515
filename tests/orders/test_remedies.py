"""What a merchant is told to do about each reason, and whether new access would help at all."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone

from orders.health import Counts, health_of, next_step
from orders.remedies import Button, remedy
from orders.wording.connection import MENDED_IN_THE_SHOP
from orders.wording.connection import WORDS as OF_THE_STORE
from orders.wording.reasons import WORDS, Who
from stores.connectors.codes import Code
from stores.models import Store, SyncPreference

GAP = re.compile(r"[{}]|None|\(\)|  ")
WOO = {"platform": "WooCommerce"}


@pytest.mark.parametrize("code", list(WORDS))
def test_no_remedy_shows_a_gap(code: str) -> None:
    found = remedy(code, WOO)

    assert GAP.search(found.who + found.then) is None
    assert found.then.endswith((".", '"'))


@pytest.mark.parametrize(
    "code, who, then, button",
    [
        (
            Code.ORDER_NOT_OPEN,
            "You",
            "Set the order to “Processing” in WooCommerce and press “Try again” if it should get its number, or give "
            "up.",
            Button.OPEN,
        ),
        (
            Code.SHUT_OUT,
            "You",
            "Ask your host, or whoever looks after the shop's firewall, to let us through: we call ourselves TrackSync "
            "and ask for addresses that begin with /wp-json/. A “coming soon” page has to let those through, too. Then "
            "check the connection here.",
            Button.RECONNECT,
        ),
        (
            Code.CARRIER_NOT_MAPPED,
            "You",
            "Look in the shop's tracking plugin whether the carrier is switched on there, and tell us its name there.",
            Button.OPEN,
        ),
        (
            Code.STATUS_NOT_CHANGED,
            "You",
            "Change the order's status in WooCommerce by hand, if it should follow.",
            Button.OPEN,
        ),
        (
            Code.ADDRESS_MOVED,
            "You",
            "Reconnect the store, and say that the new address is yours; whatever waits goes out then, nothing is "
            "lost.",
            Button.RECONNECT,
        ),
        (
            Code.RECONNECT_NEEDED,
            "You",
            "Reconnect the store and agree in WooCommerce once more; whatever waits goes out then, nothing is lost.",
            Button.RECONNECT,
        ),
    ],
)
def test_what_a_merchant_is_told_to_do(code: str, who: str, then: str, button: Button) -> None:
    found = remedy(code, WOO)

    assert (found.who, found.then, found.button) == (who, then, button)


@pytest.mark.parametrize(
    "code",
    [code for code, words in OF_THE_STORE.items() if words.who in (Who.MERCHANT, Who.STAFF)],
)
def test_where_new_access_would_not_help_the_merchant_is_not_sent_to_type_it(code: str) -> None:
    store = Store(pk=1, name="Mugs", platform="woocommerce", trouble=code, trouble_since=timezone.now())
    store.preference = SyncPreference(store=store)

    step = next_step(store, health_of(store, timezone.now()), Counts())

    mended_there = code in MENDED_IN_THE_SHOP or code == Code.SHOP_NOT_FOUND
    assert (step.label, step.url) == (
        ("See what to do", "/stores/1/") if mended_there else ("Reconnect", "/stores/1/reconnect/")
    )
