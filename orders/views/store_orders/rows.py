"""What the list shows of an order: plain values in words, times in the time zone of the order's store."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext

from ...links import tracking_link
from ...listing import Listed
from ...local_time import in_zone_of
from ...models import Shipment, TrackingNumber
from ...standing import standing
from ...store_links import order_page
from ...wording import fill, show_time
from ...wording.explain import SITUATIONS, Situation


@dataclass(frozen=True)
class NumberShown:
    """A number of a parcel, with the carrier it belongs to and the page that follows it."""

    value: str
    kind: str
    carrier: str
    link: str
    in_store_since: str  # "" while the store does not show it


@dataclass(frozen=True)
class ParcelShown:
    """A parcel: where its number stands and why."""

    shipment_id: int
    title: str
    state: str
    state_label: str
    line: str
    numbers: tuple[NumberShown, ...]
    dispatched: str  # "" while it is with us
    method: str


@dataclass(frozen=True)
class OrderShown:
    """An order of the list."""

    number: str
    page_in_store: str  # "" where it is not known
    store: str
    placed: str
    paid: str
    cancelled: str
    customer_name: str
    customer_email: str
    no_parcel: str  # what is so while there is none
    parcels: tuple[ParcelShown, ...]


def shown(listed: Iterable[Listed], now: datetime) -> list[OrderShown]:
    """The orders as the list shows them. No query."""
    return [_order(each, now) for each in listed]


def _order(listed: Listed, now: datetime) -> OrderShown:
    order, parcels = listed.order, listed.parcels
    with in_zone_of(order.store):
        return OrderShown(
            number=order.number,
            page_in_store=order_page(order.store, order.external_id),
            store=order.store.name,
            placed=show_time(order.placed_at),
            paid=_time(order.paid_at),
            cancelled=_time(order.cancelled_at),
            customer_name=order.customer_name,
            customer_email=order.customer_email,
            no_parcel="" if parcels else fill(SITUATIONS[Situation.NO_PARCEL].says),
            parcels=tuple(_parcel(shipment, len(parcels), now) for shipment in parcels),
        )


def _parcel(shipment: Shipment, count: int, now: datetime) -> ParcelShown:
    row = shipment.sync
    stands = standing(row, now)
    title = gettext("Parcel {n} of {count}") if count > 1 else gettext("Parcel {n}")
    return ParcelShown(
        shipment_id=shipment.pk,
        title=title.format(n=shipment.parcel, count=count),
        state=stands.state,
        state_label=stands.label,
        line=stands.line,
        numbers=tuple(_number(number, shipment) for number in numbers_of(shipment)),
        dispatched=_time(shipment.dispatched_at),
        method=shipment.shipping_method.name if shipment.shipping_method else "",
    )


def numbers_of(shipment: Shipment) -> list[TrackingNumber]:
    """What the store shows, though it may have been replaced here, then the current numbers. No query."""
    shown_number = shipment.sync.shown
    current: list[TrackingNumber] = shipment.current_numbers  # type: ignore[attr-defined]
    others = [number for number in current if shown_number is None or number.pk != shown_number.pk]
    return [shown_number, *others] if shown_number else others


def _number(number: TrackingNumber, shipment: Shipment) -> NumberShown:
    row = shipment.sync
    is_there = row.shown_id == number.pk
    return NumberShown(
        value=number.value,
        kind=str(number.get_kind_display()),
        carrier=number.carrier.name,
        link=tracking_link(number.carrier, number.value, shipment.token),
        in_store_since=_time(row.synced_at) if is_there else "",
    )


def _time(at: datetime | None) -> str:
    return show_time(at) if at else ""
