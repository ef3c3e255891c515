"""Whatever happens in whatever order: at most one mail of each kind, none before its time, and nobody is forgotten.

Every step is one that a writer of facts, a store, a merchant, a mail server or a crash can take. After each step the
promises are looked at; in the end the store is reached, the mail server answers, and what was not sent says why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models.functions import Now
from django.test import override_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from orders import changes, outcomes, sync
from orders.choices import EmailState
from orders.mail import sending, smtp
from orders.mail.rules import HOLDS
from orders.models import CustomerEmail, Order, Shipment, TrackingSync
from orders.updates import pictures, update_for
from stores.choices import MailSender, Timing
from stores.connectors.base import Outcome
from stores.connectors.codes import Code
from stores.connectors.errors import TryAgainLater
from stores.models import Store, SyncPreference
from stores.preferences import save_preference
from tests import factories
from tests.orders.mail.writing import a_shop, cancel, dispatch, give, make_due, outbox, send, shown, verify
from tests.storefronts.smtp import PretendSMTP

pytestmark = pytest.mark.django_db

STEPS = (
    "number",
    "payment",
    "dispatch",
    "dispatch undone",
    "push ok",
    "push failed",
    "adopted",
    "replaced",
    "before",
    "after",
    "tracksync writes",
    "store writes",
    "nobody writes",
    "confirmed",
    "verified",
    "cancel",
    "send",
    "greylisted",
    "crash",
    "crash before it is sent",
    "crash before it begins",
    "answer lost",
    "retry",
    "plan",
)
# What it takes until a mail arrives: in any order, with anything in between.
ESSENTIAL = ("number", "payment", "dispatch", "push ok", "confirmed", "verified", "push ok")
SENDINGS = ("send", "greylisted", "answer lost", "crash", "crash before it is sent", "crash before it begins")


@pytest.fixture(scope="module")
def mail_server() -> Iterator[PretendSMTP]:
    """A mail server, and this deployment set to it."""
    with (
        PretendSMTP() as running,
        override_settings(
            EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
            EMAIL_HOST=running.host,
            EMAIL_PORT=running.port,
        ),
    ):
        yield running


class World:
    """One parcel of one store, and everything that can happen to it."""

    def __init__(self, server: PretendSMTP, timing: str, sender: str) -> None:
        server.forget()
        self.server = server
        self.store = a_shop(is_verified=False, confirmed_at=None, timing=timing, mail_sender=sender)
        order = factories.an_order(self.store, paid_at=None, placed_at=sync.database_now() - timedelta(days=1))
        self.shipment = factories.a_shipment(order, lines={"SKU-1": 2})
        self.numbers = self.seen = self.asked = 0

    def step(self, name: str) -> None:
        now = sync.database_now()
        order_id, shipment = self.shipment.order_id, self.shipment
        if name in ("number", "replaced"):
            if name == "number" and self.numbers:
                return
            self.numbers += 1
            give(shipment, f"YT{self.numbers}")
        elif name == "payment":
            changes.mark_paid([order_id], now, now=now)
        elif name == "dispatch":
            dispatch(shipment)
        elif name == "dispatch undone":
            changes.undo_dispatch([shipment.pk], now=now)
        elif name == "push ok":
            first = TrackingSync.objects.get(shipment=shipment).shown_id is None
            self.asked += asks_the_store(shipment)
            shown(shipment, Outcome.CREATED if first else Outcome.REPLACED)
        elif name == "adopted":
            if TrackingSync.objects.get(shipment=shipment).shown_id is None:
                shown(shipment, Outcome.ADOPTED)
        elif name == "push failed":
            failed(shipment)
        elif name in ("before", "after"):
            timing = Timing.BEFORE_DISPATCH if name == "before" else Timing.AFTER_DISPATCH
            self.save(timing=timing)
        elif name.endswith(" writes"):
            self.save(mail_sender=name.removesuffix(" writes"))
        elif name == "confirmed":
            self.save(confirm=True)
        elif name == "verified":
            verify(self.store.owner)
        elif name == "cancel":
            cancel(Order.objects.get(pk=order_id))
        elif name == "crash":
            email = sending.take()
            if email is not None and sending._decide(email) is None and sending._begin(email):
                smtp.backend().send_messages([sending._message(email)])
            CustomerEmail.objects.filter(state=EmailState.SENDING).update(due_at=Now())
        elif name == "crash before it is sent":
            email = sending.take()
            if email is not None and sending._decide(email) is None:
                sending._begin(email)
            CustomerEmail.objects.filter(state=EmailState.SENDING).update(due_at=Now())
        elif name == "crash before it begins":
            sending.take()
        else:
            if name == "greylisted":
                self.server.says("451 4.7.1 Greylisted")
            if name == "answer lost":
                self.server.hangs_up_after_data(accepting=True)
            if name == "plan":
                with transaction.atomic():
                    changes.plan.plan([shipment.pk], now)
            if name == "retry":
                make_due()
            send()
            self.server.behave()
        self.look()

    def save(self, *, confirm: bool = False, **choice: Any) -> None:
        is_confirmed = SyncPreference.objects.get(store=self.store).confirmed_at is not None
        save_preference(self.store, actor=None, now=sync.database_now(), confirm=confirm or is_confirmed, **choice)
        with transaction.atomic():
            changes.plan.plan([self.shipment.pk], sync.database_now())

    def look(self) -> None:
        """The promises that hold at every moment."""
        arrived = Counter(each.message_id for each in self.server.mails)
        assert set(arrived.values()) <= {1}, "a mail arrived twice"

        rows = list(CustomerEmail.objects.filter(shipment=self.shipment))
        told = [row for row in rows if row.state in ("sent", "unclear", "by_store", "sending")]
        kinds = Counter(row.kind if row.kind != "number_changed" else f"changed {row.number_id}" for row in told)
        assert set(kinds.values()) <= {1}, "two of a kind"

        for each in self.server.mails[self.seen :]:
            self.look_at(next(row for row in rows if row.message_id == each.message_id))
        self.seen = len(self.server.mails)
        assert sum(row.state == "by_store" for row in rows) == self.asked, "what a store was asked is not written down"
        ours = [row for row in told if row.state != "by_store"]
        assert len(self.server.mails) <= len(ours)
        for row in rows:
            assert row.state in ("pending", "sent", "sending") or row.reason, "no reason"
            assert (row.state in ("held", "skipped")) <= (row.reason != "")

    def look_at(self, row: CustomerEmail) -> None:
        """A mail that has just arrived came at its time."""
        shipment = Shipment.objects.select_related("sync__shown", "order").get(pk=self.shipment.pk)
        preference = SyncPreference.objects.get(store=self.store)
        assert (preference.mail_sender, preference.confirmed_at is None) == (MailSender.TRACKSYNC, False)
        assert EmailAddress.objects.filter(user=self.store.owner, verified=True).exists(), "not verified"
        assert (shipment.order.cancelled_at, shipment.sync.shown is None) == (None, False)
        if row.kind != "number_changed":
            assert (row.kind == "shipped") == (shipment.dispatched_at is not None), "not its time"

    def at_the_end(self) -> None:
        """Everything answers at last: nobody is forgotten without a reason."""
        for _ in range(4):
            self.asked += asks_the_store(self.shipment)
            shown(self.shipment, Outcome.REPLACED)
            make_due()
            send()
            self.look()
        row = TrackingSync.objects.get(shipment=self.shipment)
        shipment = Shipment.objects.get(pk=self.shipment.pk)
        if row.shown_id is None or shipment.dispatched_at is None:
            return
        rows = outbox(self.shipment)
        shipped = [(state, reason) for kind, state, reason in rows if kind == "shipped"]
        assert len(shipped) == 1, rows
        ((state, reason),) = shipped
        assert state in ("sent", "by_store", "unclear") or reason, rows
        if state == "held":
            assert reason in HOLDS, rows


def asks_the_store(shipment: Shipment) -> bool:
    """Whether the push that is due asks the store to write to the customer."""
    row = TrackingSync.objects.select_related("shipment__order", "wanted__carrier").get(shipment=shipment)
    if row.due_at is None or row.wanted is None or row.due_at > sync.database_now():
        return False
    order_id = row.shipment.order_id
    store = Store.objects.select_related("preference").get(pk=row.store_id)
    return update_for(row, row.wanted, store, pictures([order_id])[order_id]).notify


def failed(shipment: Shipment) -> None:
    """The push that is due has to wait: nothing was written."""
    row = TrackingSync.objects.get(shipment=shipment)
    if row.wanted is None or row.due_at is None:
        return
    now = sync.database_now()
    version = SyncPreference.objects.get(store_id=row.store_id).version
    TrackingSync.objects.filter(pk=row.pk).update(sending=row.wanted, sending_since=now, kind=row.wanted.kind)
    sent = outcomes.Sent(row.pk, shipment.pk, row.wanted.pk, now, version, now)
    answer = TryAgainLater(Code.ON_HOLD, after=0)
    outcomes.write([(sent, answer)], settle=60, now=now, seconds=0.1)


@given(
    timing=st.sampled_from(Timing.values),
    sender=st.sampled_from(MailSender.values),
    steps=st.tuples(
        st.lists(st.sampled_from(STEPS), max_size=6), st.lists(st.sampled_from(SENDINGS), min_size=3, max_size=3)
    ).flatmap(lambda more: st.permutations([*ESSENTIAL, *more[0], *more[1]])),
)
@settings(max_examples=150)
def test_any_order_of_events_keeps_the_promises(
    mail_server: PretendSMTP, timing: str, sender: str, steps: list[str]
) -> None:
    with transaction.atomic():
        world = World(mail_server, timing, sender)
        for name in steps:
            world.step(name)
        world.at_the_end()
        transaction.set_rollback(True)


@pytest.mark.parametrize("timing", Timing.values)
@pytest.mark.parametrize(
    "ending, arrived, state",
    [
        ("send", 1, "sent"),
        ("greylisted", 1, "sent"),
        ("answer lost", 1, "unclear"),
        ("crash", 1, "unclear"),
        ("crash before it is sent", 0, "unclear"),
        ("crash before it begins", 1, "sent"),
    ],
)
def test_however_the_sending_ends_nothing_arrives_twice(
    mail_server: PretendSMTP, timing: str, ending: str, arrived: int, state: str
) -> None:
    world = World(mail_server, timing, MailSender.TRACKSYNC)
    for name in ("number", "payment", "dispatch", "confirmed", "verified", "push ok", ending):
        world.step(name)
    world.at_the_end()

    assert (len(mail_server.mails), CustomerEmail.objects.get(kind="shipped").state) == (arrived, state)
