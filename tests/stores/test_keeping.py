"""The access of a store in which nothing happens is kept alive, whatever else it waits for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stores.connectors.codes import Code
from stores.keeping import keep_alive
from stores.models import Store
from tests import factories
from tests.storefronts.client import PretendShopify, Shop
from tests.stores.consents import a_store_by_consent, asked, held

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def today() -> datetime:
    """Tokens end by the database's clock."""
    return datetime.now(UTC)


def an_idle_store(shop: Shop, today: datetime, days: float = 31, **fields: Any) -> Store:
    """Its token was renewed for the last time so many days ago."""
    renewed = today - days * DAY
    ends = {"token_expires_at": renewed + HOUR, "renewable_until": renewed + 90 * DAY}
    return a_store_by_consent(shop, **(ends | fields))


def renewals(shop: Shop) -> int:
    return asked(shop).get("refresh_token", 0)


SINCE = {"trouble_since": factories.NOON}


@pytest.mark.parametrize(
    "days, fields, is_renewed",
    [
        (0, {}, False),
        (29, {}, False),
        (31, {}, True),
        (89, {}, True),
        # Its last day is told by the store, and near
        (2, {"renewable_until": datetime.now(UTC) + 59 * DAY}, True),
        (31, {"is_paused": True}, True),
        (31, {"trouble": Code.THROTTLED, "resume_at": datetime.now(UTC) + HOUR, **SINCE}, True),
        (31, {"trouble": Code.SCOPE_MISSING, **SINCE}, True),
        (31, {"trouble": Code.SHOP_FROZEN, **SINCE}, True),
        # Its merchant knows already, and nothing mends it but a consent
        (31, {"trouble": Code.RECONNECT_NEEDED, **SINCE}, False),
        (31, {"disconnected_at": factories.NOON, "disconnect_reason": "merchant"}, False),
    ],
)
def test_which_stores_are_kept_alive(
    days: int, fields: dict[str, Any], is_renewed: bool, shop: Shop, today: datetime
) -> None:
    an_idle_store(shop, today, days, **fields)
    before: dict[str, Any] = dict(Store.objects.values().get())

    assert keep_alive(today) == int(is_renewed)

    after: dict[str, Any] = dict(Store.objects.values().get())
    assert renewals(shop) == int(is_renewed)
    assert {name for name in after if after[name] != before[name]} == (
        {"token", "token_expires_at", "renewable_until"} if is_renewed else set()
    )
    # Once a day is enough, and once a month is too.
    assert keep_alive(today) == 0


def test_stores_with_another_kind_of_access_are_left_alone(shop: Shop, today: datetime) -> None:
    factories.a_store_in(shop)
    old = {"token_expires_at": today - 40 * DAY}
    factories.a_store(base_url=shop.base_url + "/", credentials=shop.client_credentials, **old)

    assert keep_alive(today) == 0

    assert asked(shop) == {}


def test_a_store_whose_access_is_dead_waits_for_its_merchant_and_is_not_tried_again(
    shop: Shop, today: datetime
) -> None:
    store = an_idle_store(shop, today, 91, is_paused=True)
    shop.end_refresh_tokens()

    assert [keep_alive(today), keep_alive(today + DAY)] == [0, 0]

    store.refresh_from_db()
    assert (store.trouble, store.trouble_since, store.resume_at) == (Code.RECONNECT_NEEDED, today, None)
    assert renewals(shop) == 1


def test_a_store_that_does_not_answer_is_tried_the_next_day_and_holds_nobody_up(
    pretend: PretendShopify, today: datetime
) -> None:
    down, well = pretend.shop(), pretend.shop()
    first, second = an_idle_store(down, today, 40), an_idle_store(well, today, 35)
    down.fault("520_after", on="token", times=1)

    assert [keep_alive(today), keep_alive(today + HOUR), keep_alive(today + DAY)] == [1, 1, 0]

    # Nothing that it has to push waits for that.
    assert [(store.trouble, store.resume_at) for store in Store.objects.order_by("pk")] == [("", None)] * 2
    assert (renewals(down), renewals(well)) == (2, 1)
    for shop, store in ((down, first), (well, second)):
        assert shop.tokens()[0]["access"] == [held(store)["access_token"]]


def test_a_stop_is_heard_before_each_store_and_the_rest_is_renewed_the_next_time(
    pretend: PretendShopify, today: datetime
) -> None:
    shops = [pretend.shop() for _ in range(3)]
    for shop in shops:
        an_idle_store(shop, today)
    stops = iter([False, False, True])

    assert keep_alive(today, stop=lambda: next(stops)) == 2
    assert sorted(renewals(shop) for shop in shops) == [0, 1, 1]

    assert keep_alive(today) == 1
    assert [renewals(shop) for shop in shops] == [1, 1, 1]
