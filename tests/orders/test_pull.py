"""Orders come in as their stores have them: once, never older than what is known, and without stopping at a bad one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from orders import changes, plan
from orders.choices import SyncState, WaitCode
from orders.models import Order, Shipment, TrackingSync
from orders.pull import CHUNK, PullResult, fetch_order, pull_since, pull_store, save_orders
from stores.choices import CountsAsPaid, Timing
from stores.connectors.base import StoreOrder, StoreOrderLine
from stores.connectors.codes import Code
from stores.connectors.errors import Reason
from stores.models import Store
from tests import factories
from tests.factories import NOON
from tests.storefronts.woo import PretendWooCommerce

pytestmark = pytest.mark.django_db

MUG = StoreOrderLine("line-1", "MUG", "A mug", 2, True)
CUP = StoreOrderLine("line-2", "CUP", "A cup", 1, True)


def told(number: int = 1, **fields: object) -> StoreOrder:
    """An order as a store tells it."""
    order = StoreOrder(
        external_id=f"gid://{number}",
        number=f"#{1000 + number}",
        placed_at=NOON - timedelta(days=2),
        updated_at=NOON - timedelta(days=1),
        customer_name="Jane Doe",
        customer_email="jane@example.com",
        country="DE",
        shopper_paid_at=None,
        cancelled_at=None,
        cancel_reason="",
        lines=(MUG,),
    )
    return replace(order, **fields)


def a_store_of(shop, **fields: object) -> Store:
    return factories.a_store(
        base_url=shop.base_url,
        credentials=shop.credentials,
        sync_from=datetime.now(UTC) - timedelta(days=1),
        **fields,
    )


def lines_of(order: Order) -> list[tuple[str, int]]:
    return list(order.lines.order_by("pk").values_list("sku", "quantity"))


# --- Keeping what a store tells ------------------------------------------------------------------------


def test_an_order_is_kept_as_it_was_told(now: datetime) -> None:
    store = factories.a_store()

    assert save_orders(store, [told(lines=(MUG, CUP), shopper_paid_at=NOON)], now) == PullResult(new=1)

    order = Order.objects.get()
    assert (order.store, order.external_id, order.number, order.country, order.shopper_paid_at, order.paid_at) == (
        store,
        "gid://1",
        "#1001",
        "DE",
        NOON,
        None,
    )
    assert lines_of(order) == [("MUG", 2), ("CUP", 1)]
    assert save_orders(store, [told(lines=(MUG, CUP), shopper_paid_at=NOON)], now) == PullResult(unchanged=1)


@pytest.mark.parametrize(
    "seconds, number, result",
    [
        (-1, "#1001", PullResult(unchanged=1)),
        (0, "#1001-B", PullResult(changed=1)),
        (1, "#1001-B", PullResult(changed=1)),
    ],
)
def test_an_older_state_never_overwrites_a_newer_one(
    seconds: int, number: str, result: PullResult, now: datetime
) -> None:
    store = factories.a_store()
    save_orders(store, [told()], now)

    other = told(number=1, updated_at=told().updated_at + timedelta(seconds=seconds))
    assert save_orders(store, [replace(other, number="#1001-B", lines=(CUP,))], now) == result

    assert Order.objects.get().number == number


def test_the_newest_state_wins_within_one_answer(now: datetime) -> None:
    newer = told(cancelled_at=NOON, cancel_reason="cancelled", updated_at=NOON)

    save_orders(factories.a_store(), [newer, told()], now)

    assert Order.objects.get().cancelled_at == NOON


def test_a_line_that_was_removed_is_kept_with_nothing_ordered(now: datetime) -> None:
    store = factories.a_store()
    save_orders(store, [told(lines=(MUG, CUP))], now)
    order = Order.objects.get()
    mug = order.lines.get(sku="MUG")
    parcel = changes.create_shipment(order, parcel=1, shipping_method=None, lines={mug: 2}, now=now)

    changed = told(lines=(replace(CUP, quantity=3), replace(MUG, external_id="line-3", sku="JAR")), updated_at=NOON)
    assert save_orders(store, [changed], now) == PullResult(changed=1)

    assert lines_of(order) == [("MUG", 0), ("CUP", 3), ("JAR", 2)]
    assert [(line.line, line.quantity) for line in parcel.lines.all()] == [(mug, 2)]


def test_the_merchant_s_payment_is_not_the_store_s_to_tell(now: datetime) -> None:
    store = factories.a_store()
    save_orders(store, [told()], now)
    changes.mark_paid([Order.objects.get().pk], NOON, now=now)

    save_orders(store, [told(updated_at=NOON, shopper_paid_at=NOON + timedelta(days=1))], now)

    assert Order.objects.get().paid_at == NOON


@pytest.mark.parametrize(
    "told_later, state",
    [
        ({"cancelled_at": NOON, "cancel_reason": "cancelled"}, (SyncState.WAITING, WaitCode.CANCELLED)),
        ({"shopper_paid_at": NOON}, (SyncState.DUE, "")),
        ({}, (SyncState.WAITING, WaitCode.UNPAID)),
    ],
)
def test_a_changed_order_plans_its_shipments_again(told_later: dict, state: tuple[str, str], now: datetime) -> None:
    store = factories.a_store(timing=Timing.BEFORE_DISPATCH, counts_as_paid=CountsAsPaid.WHEN_SHOPPER_PAID)
    save_orders(store, [told()], now)
    shipment = factories.a_shipment(Order.objects.get(), local="YT2600000001")
    plan.plan([shipment.pk], now)

    save_orders(store, [told(updated_at=NOON, **told_later)], now)

    row = TrackingSync.objects.get()
    assert (row.state, row.reason) == state


def test_what_does_not_fit_is_cut_and_what_cannot_be_kept_stops_nothing(now: datetime) -> None:
    store = factories.a_store()
    long = told(1, customer_name="x" * 500, country="Germany", lines=(replace(MUG, title="y\x00" * 400),))
    broken = told(2, placed_at=None)

    assert save_orders(store, [long, broken, told(3)], now) == PullResult(new=2, failed=1)

    kept = Order.objects.order_by("external_id").first()
    assert kept is not None
    assert (len(kept.customer_name), kept.country, kept.lines.get().title) == (200, "", "y" * 300)
    assert list(Order.objects.order_by("external_id").values_list("external_id", flat=True)) == ["gid://1", "gid://3"]


def test_two_stores_may_use_the_same_ids(now: datetime) -> None:
    one, other = factories.a_store(), factories.a_store()

    save_orders(one, [told()], now)
    save_orders(other, [told(number=1, customer_name="Somebody else")], now)

    assert sorted(Order.objects.values_list("store_id", "customer_name")) == [
        (one.pk, "Jane Doe"),
        (other.pk, "Somebody else"),
    ]


@pytest.mark.parametrize("count", [3, 60])
def test_a_chunk_costs_the_same_queries_whatever_its_size(
    count: int, now: datetime, django_assert_max_num_queries
) -> None:
    store = factories.a_store()
    first = [told(n) for n in range(count)]
    save_orders(store, first, now)
    for order in Order.objects.all():
        factories.a_shipment(order)
    later = [replace(order, updated_at=NOON, cancelled_at=NOON, lines=(MUG, CUP)) for order in first]

    with django_assert_max_num_queries(25):
        assert save_orders(store, later, now) == PullResult(changed=count)


# --- Pulling from a store --------------------------------------------------------------------------------


def test_a_pull_brings_every_order_once_and_then_only_what_changed(pretend) -> None:
    now = datetime.now(UTC) + timedelta(minutes=1)
    shop = pretend.shop(restore_rate=10_000, bucket=100_000)
    shop.add_orders(CHUNK + 5)
    store = a_store_of(shop)

    first = pull_store(store, now=now)
    store.refresh_from_db()
    shop.cancel_order("#1001")
    shop.add_order([("MUG", "A mug", 2)])
    second = pull_store(store, now=now)

    assert (first.new, first.changed, first.failed, first.trouble) == (CHUNK + 5, 0, 0, None)
    # The last five minutes are asked for again: a store's search lags behind its writes.
    assert (second.new, second.changed, second.failed, second.trouble) == (1, 1, 0, None)
    assert Order.objects.filter(store=store).count() == CHUNK + 6
    assert Order.objects.get(number="#1001").cancelled_at is not None
    store.refresh_from_db()
    assert store.pulled_at == now
    assert store.pulled_until == max(Order.objects.values_list("store_updated_at", flat=True))


def test_a_shop_whose_clock_was_ahead_hides_no_order_once_it_is_right(pretend_woo: PretendWooCommerce) -> None:
    now = datetime.now(UTC)
    shop = pretend_woo.shop()
    store = factories.a_store(platform="woocommerce", base_url=shop.base_url, credentials=shop.credentials)
    shop.add_order(placed_at=now + timedelta(days=400))

    first = pull_store(store, now=now)
    store.refresh_from_db()
    shop.add_order(placed_at=now)
    second = pull_store(store, now=now + timedelta(minutes=1))

    assert (first.new, second.new, store.pulled_until) == (1, 1, now)


def test_the_first_pull_goes_back_sixty_days_before_the_date_from_which_on_numbers_go(now: datetime) -> None:
    assert pull_since(Store(sync_from=now)) == now - timedelta(days=60)
    assert pull_since(Store(sync_from=now, pulled_until=now)) == now - timedelta(minutes=5)


def test_a_busy_store_is_left_alone_and_what_came_before_is_kept(pretend, now: datetime) -> None:
    shop = pretend.shop()
    shop.add_order()
    store = a_store_of(shop)
    shop.fault("503")

    assert pull_store(store, now=now) == PullResult(trouble=Reason(Code.SERVER_ERROR, {"status": 503}))

    store.refresh_from_db()
    assert (store.trouble, store.resume_at is not None, store.pulled_at) == (Code.SERVER_ERROR, True, None)
    shop.clear_faults()
    later = now + timedelta(minutes=20)
    assert pull_store(store, now=later) == PullResult(new=1)
    store.refresh_from_db()
    assert (store.trouble, store.resume_at, store.pulled_at) == ("", None, later)


def test_a_store_that_lets_nobody_in_waits_for_a_person(pretend, now: datetime) -> None:
    shop = pretend.shop()
    store = a_store_of(shop)
    shop.revoke_token()

    result = pull_store(store, now=now)

    assert result == PullResult(trouble=Reason(Code.TOKEN_REFUSED, {}))
    store.refresh_from_db()
    assert store.needs_reconnecting


def test_a_stopped_pull_goes_on_where_it_ended(pretend, now: datetime) -> None:
    shop = pretend.shop(restore_rate=10_000, bucket=100_000)
    shop.add_orders(CHUNK * 2 + 5, seconds_apart=1, placed_at=datetime.now(UTC) - timedelta(hours=6))
    store = a_store_of(shop)
    calls = iter([False] * 6)

    stopped = pull_store(store, now=now, stopped=lambda: next(calls, True))
    store.refresh_from_db()
    between = Order.objects.count()
    rest = pull_store(store, now=now)

    assert 0 < between < CHUNK * 2 + 5
    assert (stopped.new, store.pulled_at) == (between, None)
    assert rest.new == CHUNK * 2 + 5 - between


def test_one_order_is_fetched_by_its_exact_number(pretend, now: datetime) -> None:
    shop = pretend.shop()
    shop.add_order([("MUG", "A mug", 2)], number="#77")
    shop.add_order(number="#777")
    store = a_store_of(shop)

    order = fetch_order(store, "#77", now)

    assert order is not None
    assert (order.number, lines_of(order)) == ("#77", [("MUG", 2)])
    assert fetch_order(store, "#7", now) is None
    assert Order.objects.count() == 1


# --- The command -----------------------------------------------------------------------------------------


def pull_orders(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command("pull_orders", *arguments, stdout=out, stderr=err)
    except CommandError as error:
        err.write(str(error))
    return out.getvalue(), err.getvalue()


def test_the_command_pulls_all_stores_and_names_those_in_trouble(pretend) -> None:
    good, bad = pretend.shop(), pretend.shop()
    good.add_order()
    bad.revoke_token()
    one, other = a_store_of(bad), a_store_of(good)

    out, err = pull_orders()

    assert out == (
        f"Store {one.pk} ({one.name}): 0 new, 0 changed, 0 as before\n"
        f"Store {other.pk} ({other.name}): 1 new, 0 changed, 0 as before\n"
    )
    assert err.startswith(f"Store {one.pk} ({one.name}): ")
    assert err.endswith("1 of the stores could not be pulled to the end.")
    assert Shipment.objects.count() == 0


def test_the_command_says_in_a_sentence_that_a_key_is_missing(pretend, settings, caplog) -> None:
    store = a_store_of(pretend.shop())
    settings.TRACKSYNC_CREDENTIAL_KEYS = [Fernet.generate_key().decode()]

    assert pull_orders() == (
        "",
        f"Store {store.pk} ({store.name}): A store's credentials were encrypted with a key that "
        "TRACKSYNC_CREDENTIAL_KEYS no longer lists. Put the old key back at the end of the list.\n"
        "1 of the stores could not be pulled to the end.",
    )
    assert [record.exc_info for record in caplog.records if record.exc_info] == []


def test_the_command_pulls_one_store(pretend) -> None:
    shop, other = pretend.shop(), pretend.shop()
    store, _ = a_store_of(shop), a_store_of(other)

    assert pull_orders("--store", str(store.pk)) == (
        f"Store {store.pk} ({store.name}): 0 new, 0 changed, 0 as before\n",
        "",
    )
    assert pull_orders("--store", "987654") == ("", "There is no store 987654.")
