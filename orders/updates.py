"""From rows to what a connector takes: the whole picture of each shipment and of its siblings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from stores.choices import EmailKind, MailSender
from stores.connectors.base import TrackingUpdate
from stores.models import MailSettings, Store

from .links import company_name, tracking_link
from .mail.rules import TOLD, asks_store
from .models import CustomerEmail, ShipmentLine, TrackingNumber, TrackingSync


@dataclass
class OrderPicture:
    """What is recorded of all shipments of one order, by shipment id."""

    fulfillments: dict[int, list[str]] = field(default_factory=dict)
    numbers: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    sending: set[int] = field(default_factory=set)
    lines: dict[int, list[tuple[str, int]]] = field(default_factory=lambda: defaultdict(list))
    told: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))  # numbers that the customer was told

    def siblings_of(self, shipment_id: int) -> frozenset[str]:
        """Ids and numbers of the other shipments: never taken for this one's, never dropped from a shared list."""
        ids = {i for s, found in self.fulfillments.items() if s != shipment_id for i in found}
        numbers = {n for s, found in self.numbers.items() if s != shipment_id for n in found}
        return frozenset(ids | numbers)

    def waits_for_a_sibling(self, shipment_id: int, *, one_list: bool = False) -> bool:
        """Whether a sibling's open intent may still write a list that this shipment shares.

        Parcels whose contents nobody told, or that share a fulfillment, write the same list; where the platform has
        but `one_list` for each order, all do. An older list that arrives late would drop the newer number.
        """
        if one_list:
            return bool(self.sending - {shipment_id})
        for sibling in self.sending - {shipment_id}:
            shared = set(self.fulfillments.get(sibling, ())) & set(self.fulfillments.get(shipment_id, ()))
            if shared or not (self.lines.get(sibling) and self.lines.get(shipment_id)):
                return True
        return False


def pictures(order_ids: Iterable[int]) -> dict[int, OrderPicture]:
    """The picture of each order, in four queries."""
    found: dict[int, OrderPicture] = defaultdict(OrderPicture)
    ids = list(order_ids)
    rows = TrackingSync.objects.filter(shipment__order_id__in=ids)
    for order_id, shipment_id, fulfillments, sending in rows.values_list(
        "shipment__order_id", "shipment_id", "fulfillments", "sending_id"
    ):
        found[order_id].fulfillments[shipment_id] = fulfillments
        if sending is not None:
            found[order_id].sending.add(shipment_id)
    numbers = TrackingNumber.objects.filter(shipment__order_id__in=ids)
    for order_id, shipment_id, value in numbers.values_list("shipment__order_id", "shipment_id", "value"):
        found[order_id].numbers[shipment_id].add(value)
    lines = ShipmentLine.objects.filter(shipment__order_id__in=ids).order_by("pk")
    for order_id, shipment_id, line, quantity in lines.values_list(
        "shipment__order_id", "shipment_id", "line__external_id", "quantity"
    ):
        found[order_id].lines[shipment_id].append((line, quantity))
    told = CustomerEmail.objects.filter(shipment__order_id__in=ids, state__in=TOLD).exclude(kind=EmailKind.WAITING)
    for order_id, shipment_id, value in told.values_list("shipment__order_id", "shipment_id", "number__value"):
        found[order_id].told[shipment_id].add(value)
    return found


def update_for(row: TrackingSync, number: TrackingNumber, store: Store, picture: OrderPicture) -> TrackingUpdate:
    """What the store should show of this row: `number`, with its carrier's name and link."""
    shipment_id = row.shipment_id
    lines = picture.lines.get(shipment_id)
    return TrackingUpdate(
        order_id=row.shipment.order.external_id,
        number=number.value,
        company=company_name(number.carrier, store.platform),
        url=tracking_link(number.carrier, number.value, row.shipment.token),
        lines=tuple(lines) if lines else None,
        fulfillments=tuple(row.fulfillments),
        ours=frozenset(picture.numbers[shipment_id]),
        siblings=picture.siblings_of(shipment_id),
        notify=_notifies(row, number, store, picture.told.get(shipment_id, set())),
    )


def _notifies(row: TrackingSync, number: TrackingNumber, store: Store, told: set[str]) -> bool:
    """Whether the store shall write to the customer with this push: once with the first number, and once with each
    that replaces one the customer was told, where the merchant wants that told.

    An open intent asked already: what is pushed after it was looked up is the rest of the same parcel. For a
    fulfillment that somebody else made no connector asks.
    """
    preference = store.preference
    if preference.mail_sender != MailSender.STORE or preference.confirmed_at is None or row.sending_id is not None:
        return False
    if not told:
        return row.shown_id is None
    sender = MailSender(preference.mail_sender)
    return asks_store(sender, told, number.value, tells_changed_number=_tells_changed_number(store))


def _tells_changed_number(store: Store) -> bool:
    found = MailSettings.objects.filter(store=store).values_list("tells_changed_number", flat=True).first()
    return found is not False


def numbers_by_id(ids: Iterable[int | None]) -> Mapping[int, TrackingNumber]:
    """Numbers with their carriers, by id."""
    return TrackingNumber.objects.select_related("carrier").in_bulk([i for i in ids if i is not None])
