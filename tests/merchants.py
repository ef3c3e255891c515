"""A merchant with something of everything: stores in every condition, parcels in every state, and words to grep for.

All that a merchant's pages could show carries the merchant's own word, so that a test finds it wherever it leaks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.utils import timezone

from orders import changes, plan
from orders.choices import NumberKind
from orders.models import Order, Shipment, SyncAttempt, TrackingNumber, TrackingSync
from stores.choices import NumberSource, Timing
from stores.connectors.codes import Code
from stores.models import Store
from stores.preferences import save_preference
from tests import factories

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FACTS = {
    "time_zone": "Europe/Berlin",
    "scopes": ["read_orders"],
    "locations": [
        {"external_id": "gid://shopify/Location/1", "name": "Berlin", "merchants_own": True},
        {"external_id": "gid://shopify/Location/2", "name": "Lyon", "merchants_own": True},
    ],
}
# What a check finds in a store on a merchant's own server.
FACTS_OF_A_SERVER = {
    "time_zone": "Europe/Berlin",
    "places": ["shipment_tracking", "fulfillments", "plain"],
    "statuses": ["pending", "processing", "on-hold", "completed", "partial-shipped"],
    "version": "10.9.1",
    "warnings": [Code.HEADER_STRIPPED],
}
# Why a person has to act: reason, its values, whether the store shows a number of ours.
PROBLEMS: tuple[tuple[str, dict[str, Any], bool], ...] = (
    (Code.OTHER_NUMBER_THERE, {"there": "RR123456785DE"}, False),
    (Code.OTHER_LOCATION, {"location": "Oslo", "app": ""}, False),
    (Code.NOTHING_TO_FULFILL, {}, False),
    (Code.ORDER_NOT_FOUND, {}, False),
    (Code.REFUSED, {"field": "company"}, False),
    (Code.FULFILLMENT_CANCELLED, {}, True),
    ("cancelled_after_sent", {"since": "2026-03-01T10:00:00+00:00"}, True),
    ("dispatch_reversed", {}, True),
    ("units_missing", {"units": 1}, True),
    ("number_gone", {}, True),
    ("unexpected", {}, False),
)


@dataclass(frozen=True)
class Merchant:
    """A person with stores and parcels. `words`: what nobody else may ever read."""

    user: User
    stores: list[Store]
    shipments: list[Shipment]
    words: tuple[str, ...]


class _Making:
    """Makes the rows of one merchant; numbers and names carry the word."""

    def __init__(self, word: str, now: datetime) -> None:
        self.word, self.now, self.made = word, now, 0
        self.user = factories.a_user(f"{word.lower()}@merchant.example")
        EmailAddress.objects.create(user=self.user, email=self.user.email, primary=True, verified=True)

    def store(self, name: str, **fields: Any) -> Store:
        """A store called by its condition."""
        settled: dict[str, Any] = {
            "time_zone": "Europe/Berlin",
            "sync_from": self.now - 60 * DAY,
            "pulled_at": self.now - HOUR,
            "base_url": f"https://{self.word.lower()}-{name.lower()}.myshopify.com",
            "facts": FACTS | {"shop_name": f"{self.word} {name}", "checked_at": self.now.isoformat()},
        }
        return factories.a_store(self.user, name=f"{self.word} {name}", **settled | fields)

    def order(self, store: Store, **fields: Any) -> Order:
        """A paid order of the day before yesterday."""
        self.made += 1
        settled: dict[str, Any] = {
            "number": f"#{self.word}{self.made:04}",
            "customer_name": f"{self.word}son Jane",
            "customer_email": f"buyer{self.made}@{self.word.lower()}.example",
            "placed_at": self.now - 2 * DAY,
            "paid_at": self.now - DAY,
        }
        return factories.an_order(store, **settled | fields)

    def number(self) -> str:
        """Another tracking number."""
        self.made += 1
        return f"YT{self.word.upper()}{self.made:06}"

    def parcel(self, order: Order, *, numbered: bool = True, **fields: Any) -> Shipment:
        """A planned parcel, with a number of the carrier's unless told otherwise."""
        if numbered:
            fields.setdefault("local", self.number())
        fields.setdefault("known_at", self.now - 6 * HOUR)
        shipment = factories.a_shipment(order, **fields)
        plan.plan([shipment.pk], self.now)
        return shipment

    def row(self, shipment: Shipment, **fields: Any) -> TrackingSync:
        """Its row, put into another state."""
        TrackingSync.objects.filter(shipment=shipment).update(**fields)
        return TrackingSync.objects.get(shipment=shipment)

    def shown(self, order: Order, **fields: Any) -> Shipment:
        """A parcel whose number the store shows, with one attempt in its timeline."""
        shipment = self.parcel(order, dispatched_at=self.now - 3 * HOUR)
        number = shipment.numbers.get()
        row = self.row(
            shipment,
            **{
                "shown": number,
                "wanted": number,
                "kind": number.kind,
                "state": "synced",
                "reason": "",
                "due_at": None,
                "due_since": None,
                "synced_at": self.now - 2 * HOUR,
                "checked_at": self.now - 2 * HOUR,
                "fulfillments": ["gid://shopify/Fulfillment/1"],
            }
            | fields,
        )
        self.attempt(row, "created", number)
        return shipment

    def attempt(self, row: TrackingSync, outcome: str, number: TrackingNumber | None = None, **fields: Any) -> None:
        """One line of a timeline."""
        SyncAttempt.objects.create(
            sync=row, at=self.now - 2 * HOUR, number=number, outcome=outcome, preference_version=1, **fields
        )

    def problem(self, store: Store, reason: str, values: dict[str, Any], is_shown: bool) -> Shipment:
        """A parcel that a person has to look at."""
        order = self.order(store)
        stuck = {"state": "attention", "reason": reason, "reason_values": values, "due_at": None, "due_since": None}
        if is_shown:
            shipment = self.shown(order)
        else:
            shipment = self.parcel(order, dispatched_at=self.now - 3 * HOUR)
            self.attempt(
                self.row(shipment), "rejected", reason=reason, reason_values=values, message=f"No, {self.word}"
            )
        self.row(shipment, **stuck, state_since=self.now - DAY)
        return shipment

    def parcels(self, store: Store) -> None:
        """Parcels in every state that one can be in."""
        now = self.now
        own = factories.an_own_method()
        # Waiting, each for something else.
        self.parcel(self.order(store, paid_at=None))
        self.parcel(self.order(store), numbered=False)
        self.parcel(self.order(store), numbered=False, method=own, dispatched_at=now - HOUR)
        self.parcel(self.order(store))
        self.parcel(self.order(store, placed_at=now - 90 * DAY))
        self.parcel(self.order(store, cancelled_at=now - HOUR, cancel_reason="customer"), dispatched_at=now - HOUR)
        nothing_booked = self.parcel(self.order(store), dispatched_at=now - HOUR)
        Shipment.objects.filter(pk=nothing_booked.pk).update(shipping_method=None)
        plan.plan([nothing_booked.pk], now)
        # Two parcels of one order, one of them by our own number.
        two = self.order(store, lines=(("SKU-1", 2), ("SKU-2", 1)))
        self.parcel(two, method=own, own=f"CJP{self.word.upper()}1", lines={"SKU-1": 2}, dispatched_at=now - HOUR)
        self.parcel(two, parcel=2, lines={"SKU-2": 1}, dispatched_at=now - HOUR)
        # Due: now, for over a day, and on hold.
        self.row(self.parcel(self.order(store), dispatched_at=now - 30 * HOUR), due_since=now - 30 * HOUR, attempts=12)
        held = self.parcel(self.order(store), dispatched_at=now - 30 * HOUR)
        row = self.row(held, reason=Code.ON_HOLD, reason_values={"holds": ["Fraud review"]}, due_since=now - 30 * HOUR)
        self.attempt(row, "try_again_later", reason=Code.ON_HOLD, message=f"Held, {self.word}")
        # An answer was lost: its end is not known.
        lost = self.parcel(self.order(store), dispatched_at=now - HOUR)
        self.row(lost, sending=lost.numbers.get(), sending_since=now - timedelta(seconds=20))
        self.attempt(self.row(lost), "unknown", lost.numbers.get(), reason=Code.ANSWER_LOST)
        # In the store: plainly, with a warning, with a number that was replaced since.
        self.shown(self.order(store))
        self.shown(self.order(store), reason=Code.COMPANY_CHANGED, reason_values={"company": "Other"})
        replaced = self.shown(self.order(store))
        changes.set_number(
            replaced.pk,
            NumberKind.LOCAL,
            self.number(),
            factories.a_carrier("dhl", name="DHL eCommerce"),
            now=now,
            actor=self.user,
            why=f"Damaged, {self.word}",
        )
        for problem in PROBLEMS:
            self.problem(store, *problem)
        given_up = self.problem(store, Code.REFUSED, {"field": "url"}, False)
        changes.give_up([given_up.pk], now=now, actor=self.user, why=f"Sold out, {self.word}")
        # An order that no parcel was made of.
        self.order(store)


def a_merchant_with_everything(word: str = "Zebra", now: datetime | None = None) -> Merchant:
    """Stores in every condition, the first with parcels in every state. `word` is in every name, number and address."""
    making = _Making(word, now or timezone.now())
    now = making.now
    well = making.store("Well", location_ids=["gid://shopify/Location/1"])
    for timing, source in ((Timing.BEFORE_DISPATCH, NumberSource.LOCAL), (Timing.AFTER_DISPATCH, NumberSource.DEFAULT)):
        save_preference(well, actor=making.user, now=now, timing=timing, number_source=source)
    making.parcels(well)
    others = [
        making.store("Unconfirmed", confirmed_at=None, timing=Timing.BEFORE_DISPATCH),
        making.store("Paused", is_paused=True),
        making.store("Reconnect", trouble=Code.TOKEN_REFUSED, trouble_since=now - 2 * DAY),
        making.store(
            "Scopes",
            trouble=Code.SCOPE_MISSING,
            trouble_values={"scopes": ["write_merchant_managed_fulfillment_orders"]},
            trouble_since=now - HOUR,
        ),
        making.store("Busy", trouble=Code.THROTTLED, trouble_since=now, resume_at=now + HOUR),
        making.store(
            "Server",
            platform="woocommerce",
            base_url=f"https://{word.lower()}-server.example",
            facts=FACTS_OF_A_SERVER | {"shop_name": f"{word} Server"},
            tracking_goes_to="fulfillments",
        ),
        making.store("Unchecked", facts={}, pulled_at=None, time_zone="Asia/Tokyo"),
        making.store("Gone", disconnected_at=now - DAY, disconnect_reason="merchant"),
    ]
    for store in others:
        making.parcel(making.order(store), dispatched_at=now - HOUR)
    shipments = Shipment.objects.filter(order__store__owner=making.user).order_by("pk")
    return Merchant(making.user, [well, *others], list(shipments), _words(word))


def a_merchant_of_size(rows: int, word: str, now: datetime | None = None) -> Merchant:
    """One store with so many parcels in each state, beside so many others: no page may cost more per row."""
    making = _Making(word, now or timezone.now())
    first = making.store("First")
    # The first parcel has had so many numbers, and as many lines in its timeline.
    changed = making.shown(making.order(first))
    for _ in range(rows):
        changes.set_number(changed.pk, NumberKind.LOCAL, making.number(), factories.a_carrier(), now=making.now)
        making.store(f"Side{making.made}")
        making.parcels(first)
        save_preference(first, actor=making.user, now=making.now, delay_hours=0)
    for store in Store.objects.filter(owner=making.user).exclude(pk=first.pk):
        making.parcel(making.order(store), dispatched_at=making.now - HOUR)
    shipments = Shipment.objects.filter(order__store__owner=making.user).order_by("pk")
    stores = [first, *Store.objects.filter(owner=making.user).exclude(pk=first.pk).order_by("pk")]
    return Merchant(making.user, stores, list(shipments), _words(word))


def _words(word: str) -> tuple[str, ...]:
    return (word.lower(),)
