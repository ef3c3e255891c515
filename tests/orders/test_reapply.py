"""The choice applied to sent numbers: listed before, done once, gone on with after a kill, and nowhere else."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from orders import plan, reapply, sync
from orders.choices import EmailState, NumberKind, Stopped, SyncState
from orders.models import CustomerEmail, Order, Pulse, Shipment, SyncAttempt, TrackingNumber, TrackingSync
from orders.reapply import Totals, Verdict
from stores.choices import EmailKind, MailSender, NumberSource
from stores.models import MailSettings, Store, SyncPreference
from stores.preferences import save_preference
from tests import factories
from tests.orders import pushing
from tests.orders.choosing import everything_of, logged_in, messages_of, seal_of

pytestmark = pytest.mark.django_db
GOES_ON = {"stop": lambda: False}


def fresh(store: Store) -> Store:
    return Store.objects.select_related("preference").get(pk=store.pk)


def a_shown_parcel(store: Store, *, has_local: bool = True, local: str = "", **row: Any) -> Shipment:
    """A parcel on a line of our own, whose own number the store shows; the carrier's is there too unless told."""
    order = factories.an_order(store)
    shipment = factories.a_shipment(
        order,
        method=factories.an_own_method(),
        own=f"CJP{order.pk:010}",
        local=(local or f"YT{order.pk:014}") if has_local else "",
        dispatched_at=factories.NOON - timedelta(hours=1),
    )
    own = shipment.numbers.get(kind=NumberKind.OWN)
    values = {"state": SyncState.SYNCED, "shown": own, "wanted": own, "kind": own.kind, "planned_version": 1} | row
    TrackingSync.objects.filter(shipment=shipment).update(**values)
    return shipment


def a_store_that_now_wants_local(**fields: Any) -> Store:
    store = factories.a_store(**fields)
    save_preference(store, actor=None, now=factories.NOON, number_source=NumberSource.LOCAL)
    return fresh(store)


def begin(store: Store) -> None:
    store = fresh(store)
    assert reapply.start(store, store.owner, store.preference.version, timezone.now()) is not None


def kinds(store: Store) -> list[str]:
    return list(TrackingSync.objects.filter(store=store).order_by("pk").values_list("kind", flat=True))


def test_a_saved_choice_alone_changes_no_number_that_was_sent(now) -> None:
    store = factories.a_store()
    a_shown_parcel(store)
    save_preference(store, actor=None, now=now, number_source=NumberSource.LOCAL)

    before = list(TrackingSync.objects.values())
    plan.replan(now)

    assert list(TrackingSync.objects.values()) == before


def leave(shipment: Shipment, **row: Any) -> None:
    TrackingSync.objects.filter(shipment=shipment).update(**row)


@pytest.mark.parametrize(
    "verdict, make",
    [
        (Verdict.CHANGES, lambda store: a_shown_parcel(store)),
        (Verdict.NUMBER_MISSING, lambda store: a_shown_parcel(store, has_local=False)),
        (Verdict.NOT_USABLE, lambda store: a_shown_parcel(store, local="CJP9999999999")),
        (Verdict.ATTENTION, lambda store: a_shown_parcel(store, state=SyncState.ATTENTION, reason="rejected")),
        (Verdict.STOPPED, lambda store: a_shown_parcel(store, stopped=Stopped.GIVEN_UP)),
        (Verdict.CANCELLED, lambda store: cancelled(a_shown_parcel(store))),
        (Verdict.UNDER_WAY, lambda store: under_way(a_shown_parcel(store))),
    ],
)
def test_what_becomes_of_each_sent_number_is_listed_counted_and_then_done(verdict: Verdict, make: Any) -> None:
    store = a_store_that_now_wants_local()
    shipment = make(store)
    before = TrackingSync.objects.filter(shipment=shipment).values().get()

    listed, totals = reapply.listing(store, timezone.now()), reapply.totals(store, timezone.now())
    begin(store)
    changed = reapply.go_on(store.pk, **GOES_ON)

    changes = verdict == Verdict.CHANGES
    assert [line.verdict for line in listed] == [verdict]
    assert totals == Totals(int(changes), 0, () if changes else ((verdict, 1),))
    assert changed == int(changes)
    after = TrackingSync.objects.filter(shipment=shipment).values().get()
    assert (after == before) == (not changes)
    if changes:
        local = shipment.numbers.get(kind=NumberKind.LOCAL)
        assert (after["kind"], after["state"], after["wanted_id"]) == ("", SyncState.DUE, local.pk)
        assert (listed[0].old, listed[0].new) == (f"CJP{shipment.order_id:010}", local.value)


def cancelled(shipment: Shipment) -> Shipment:
    Order.objects.filter(pk=shipment.order_id).update(cancelled_at=factories.NOON)
    return shipment


def under_way(shipment: Shipment) -> Shipment:
    row = TrackingSync.objects.filter(shipment=shipment)
    own = shipment.numbers.get(kind=NumberKind.OWN)
    row.update(state=SyncState.DUE, sending=own, sending_since=factories.NOON, due_at=factories.NOON)
    return shipment


def told_of_the_old_number(shipment: Shipment, state: str = EmailState.SENT, kind: str = EmailKind.SHIPPED) -> None:
    own = shipment.numbers.get(kind=NumberKind.OWN)
    CustomerEmail.objects.create(shipment=shipment, kind=kind, state=state, number=own)


@pytest.mark.parametrize(
    "sender, state, told",
    [
        (MailSender.TRACKSYNC, EmailState.SENT, 1),
        (MailSender.TRACKSYNC, EmailState.BY_STORE, 1),
        (MailSender.TRACKSYNC, EmailState.SKIPPED, 0),  # nobody was told the old number
        (MailSender.STORE, EmailState.BY_STORE, 1),
        (MailSender.STORE, EmailState.SKIPPED, 0),
        (MailSender.STORE, EmailState.HELD, 0),
        (MailSender.NOBODY, EmailState.SENT, 0),
    ],
)
def test_who_will_be_told_is_said_before(sender: str, state: str, told: int) -> None:
    store = a_store_that_now_wants_local(mail_sender=sender)
    told_of_the_old_number(a_shown_parcel(store), state)

    assert said_before(store) == (told, [bool(told)])


@pytest.mark.parametrize(
    "sender, make",
    [
        (MailSender.TRACKSYNC, lambda parcel: MailSettings.objects.create(
            store=parcel.order.store, tells_changed_number=False)),
        (MailSender.STORE, lambda parcel: MailSettings.objects.create(
            store=parcel.order.store, tells_changed_number=False)),
        (MailSender.STORE, lambda parcel: SyncPreference.objects.update(confirmed_at=None)),
        (MailSender.TRACKSYNC, lambda parcel: SyncPreference.objects.update(confirmed_at=None)),
        (MailSender.TRACKSYNC, lambda parcel: Order.objects.update(customer_email="")),
        # No platform writes of a fulfillment that somebody else made.
        (MailSender.STORE, lambda parcel: TrackingSync.objects.update(adopted=True)),
    ],
)  # fmt: skip
def test_what_keeps_a_customer_from_being_told_is_known_before(sender: str, make: Any) -> None:
    store = a_store_that_now_wants_local(mail_sender=sender)
    parcel = a_shown_parcel(store)
    told_of_the_old_number(parcel)
    before = said_before(store)

    make(parcel)

    assert (before, said_before(fresh(store))) == ((1, [True]), (0, [False]))


def said_before(store: Store) -> tuple[int, list[bool]]:
    """Customers that are told, by the count above the list and by its lines."""
    now = timezone.now()
    return reapply.totals(store, now).notifies, [line.notifies for line in reapply.listing(store, now)]


def many_shown_parcels(store: Store, count: int) -> None:
    """As a_shown_parcel makes them, in a few statements."""
    orders = Order.objects.bulk_create(
        Order(
            store=store,
            external_id=f"x{place}",
            number=f"#{place}",
            placed_at=factories.NOON - timedelta(days=2),
            paid_at=factories.NOON - timedelta(days=1),
            store_updated_at=factories.NOON,
        )
        for place in range(count)
    )
    method = factories.an_own_method()
    shipments = Shipment.objects.bulk_create(Shipment(order=order, shipping_method=method) for order in orders)
    carriers = {NumberKind.OWN: factories.our_carrier(), NumberKind.LOCAL: factories.a_carrier()}
    numbers = TrackingNumber.objects.bulk_create(
        TrackingNumber(
            shipment=shipment,
            kind=kind,
            value=f"{kind.upper()}{place:010}",
            carrier=carriers[kind],
            known_at=factories.NOON,
        )
        for place, shipment in enumerate(shipments)
        for kind in (NumberKind.OWN, NumberKind.LOCAL)
    )
    TrackingSync.objects.bulk_create(
        TrackingSync(
            shipment=number.shipment,
            store=store,
            state=SyncState.SYNCED,
            shown=number,
            wanted=number,
            kind=number.kind,
            planned_version=1,
        )
        for number in numbers[::2]
    )


class Killed(BaseException):
    """The process is gone in the middle of its work."""


def test_a_thousand_parcels_killed_in_the_middle_go_on_and_none_is_changed_twice() -> None:
    store = a_store_that_now_wants_local()
    sibling = a_store_that_now_wants_local()
    many_shown_parcels(store, 1000)
    a_shown_parcel(sibling)
    untouched = everything_of(sibling)
    begin(store)

    planned = 0

    def killed_in_the_third_chunk(execute: Any, sql: str, *rest: Any) -> Any:
        nonlocal planned
        if sql.startswith('UPDATE "orders_trackingsync" AS t'):
            planned += 1
            if planned == 3:
                raise Killed
        return execute(sql, *rest)

    with connection.execute_wrapper(killed_in_the_third_chunk), pytest.raises(Killed):
        reapply.go_on(store.pk, **GOES_ON, chunk=150)
    halfway = kinds(store).count("")
    rest = reapply.go_on(store.pk, **GOES_ON, chunk=150)
    again = reapply.go_on(store.pk, **GOES_ON, chunk=150)

    assert (halfway, rest, again) == (300, 700, 0)
    assert TrackingSync.objects.filter(store=store, state=SyncState.DUE, wanted__kind="local").count() == 1000
    assert SyncAttempt.objects.filter(sync__store=store, actor=store.owner).count() == 1000
    assert everything_of(sibling) == untouched
    run = reapply.run_of(store)
    assert run is not None
    assert (run.is_running, run.total) == (False, 1000)


def test_a_stretch_that_ends_queues_the_rest(django_capture_on_commit_callbacks) -> None:
    store = a_store_that_now_wants_local()
    a_shown_parcel(store)
    with django_capture_on_commit_callbacks(execute=True):
        begin(store)
    queued = OrmQ.objects.count()

    changed = reapply.go_on(store.pk, stop=lambda: True)

    assert (queued, changed, OrmQ.objects.count()) == (1, 0, 2)


def test_a_lost_task_is_queued_again_when_it_has_shown_nothing_for_a_while() -> None:
    store = a_store_that_now_wants_local()
    a_shown_parcel(store)
    begin(store)
    OrmQ.objects.all().delete()

    soon = reapply.revive(timezone.now())
    Pulse.objects.filter(key__startswith=reapply.KEY).update(at=timezone.now() - timedelta(minutes=3))
    late = reapply.revive(timezone.now())

    assert (soon, late, OrmQ.objects.count()) == (0, 1, 1)


def test_a_choice_saved_meanwhile_ends_the_run(now) -> None:
    store = a_store_that_now_wants_local()
    a_shown_parcel(store)
    begin(store)
    save_preference(store, actor=None, now=now, number_source=NumberSource.DEFAULT)

    changed = reapply.go_on(store.pk, **GOES_ON)

    assert (changed, kinds(store), reapply.run_of(store).is_running) == (0, ["own"], False)


def test_what_was_to_change_and_does_not_after_all_keeps_its_kind(now) -> None:
    store = a_store_that_now_wants_local()
    shipment = a_shown_parcel(store)
    begin(store)
    reapply.go_on(store.pk, **GOES_ON)
    save_preference(store, actor=None, now=now, number_source=NumberSource.DEFAULT)
    plan.replan_everything(now)
    row = TrackingSync.objects.get(shipment=shipment)

    save_preference(store, actor=None, now=now, number_source=NumberSource.LOCAL)
    plan.replan_everything(now)

    assert (row.state, row.kind, kinds(store)) == (SyncState.SYNCED, "own", ["own"])
    assert TrackingSync.objects.get(shipment=shipment).state == SyncState.SYNCED


@pytest.mark.django_db(transaction=True)
def test_the_store_shows_the_other_number_in_the_same_fulfillment(shop) -> None:
    store = factories.a_store_in(shop)
    order = pushing.an_order_in(shop, store)
    shipment = factories.a_shipment(order, method=factories.an_own_method())
    pushing.give(shipment, "CJP0000000001", kind=NumberKind.OWN)
    pushing.give(shipment, "YT00000000000001")
    Shipment.objects.filter(pk=shipment.pk).update(dispatched_at=sync.database_now())
    pushing.replan(order, sync.database_now())
    pushing.push(store)
    before = pushing.live(shop)
    save_preference(store, actor=None, now=sync.database_now(), number_source=NumberSource.LOCAL)

    begin(store)
    reapply.go_on(store.pk, **GOES_ON)
    pushing.push(store)

    assert before == [(["CJP0000000001"], 2)]
    assert pushing.live(shop) == [(["YT00000000000001"], 2)]
    assert (kinds(store), pushing.row(shipment).state) == (["local"], SyncState.SYNCED)


# --- the page ---------------------------------------------------------------------------------------


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()


def test_the_page_lists_what_it_would_do_and_starts_it_when_asked() -> None:
    store = a_store_that_now_wants_local(name="Ann's")
    shipment = a_shown_parcel(store)
    a_shown_parcel(store, has_local=False)
    client = logged_in(store.owner)
    address = reverse("choice_sent", args=[store.pk])

    shown = client.get(address)
    untouched = kinds(store)
    answer = client.post(address, {"seal": seal_of(shown)}, follow=True)
    twice = client.post(address, {"seal": seal_of(shown)}, follow=True)

    text = plain(shown.content.decode())
    assert "1 number is replaced in your store, with one update" in text
    assert "0 customers are told of the new number" in text
    assert "1 stays: the other number is not there yet" in text
    assert [(line["old"], line["new"]) for line in shown.context["lines"]] == [
        (f"CJP{shipment.order_id:010}", f"YT{shipment.order_id:014}"),
        (f"CJP{shipment.order_id + 1:010}", ""),
    ]
    assert untouched == ["own", "own"]
    assert messages_of(answer) == ["1 number is being changed."]
    assert "0 of 1 are planned" in plain(answer.content.decode())
    assert messages_of(twice)[0].startswith("Nothing was started:")


def test_the_list_is_paged() -> None:
    store = a_store_that_now_wants_local()
    many_shown_parcels(store, 120)
    client = logged_in(store.owner)
    address = reverse("choice_sent", args=[store.pk])

    sizes, after = [], 0
    while after is not None:
        answer = client.get(address, {"after": after})
        sizes.append(len(answer.context["lines"]))
        after = answer.context["next_after"]

    assert sizes == [50, 50, 20]


@pytest.mark.parametrize("seal", ["", "nonsense", "other store"])
def test_a_start_that_is_not_bound_to_this_store_is_refused(seal: str) -> None:
    store = a_store_that_now_wants_local()
    a_shown_parcel(store)
    other = factories.a_store(store.owner)
    client = logged_in(store.owner)
    if seal == "other store":
        seal = seal_of(client.get(reverse("choice_sent", args=[other.pk])))

    answer = client.post(reverse("choice_sent", args=[store.pk]), {"seal": seal})

    assert answer.status_code == 400
    assert reapply.run_of(store) is None
