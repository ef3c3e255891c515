"""A merchant's orders, newest first: which of them are sought, and one page of those, at any size.

Pages go from an order on (its time and id), so that the fiftieth costs what the first does and nothing is
skipped or shown twice while orders arrive. Nothing is ever counted in full. Who may see which store is in
stores/access.py; what a row says is in views/store_orders/, the file of all rows in export.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from django.db.models import Exists, Max, Min, OuterRef, Prefetch, Q, QuerySet, Subquery, prefetch_related_objects

from stores.models import Store

from .choices import SyncState
from .local_time import zone_of
from .models import Order, Shipment, TrackingNumber, TrackingSync
from .numbers import normalise
from .prefix import begins_with
from .wording.explain import LONG_DUE

PAGE = 50
# So many orders or fewer are fetched by their ids and sorted; more are met soon on the way from the newest on.
FEW = 1000
# Otherwise so many orders are looked through for what is sought, at first and at the most.
LOOKS = (2_000, 20_000)
LAST_ID = 2**63 - 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Sought:
    """What a merchant looks for; empty and None: anything. All of it has to hold, of one and the same parcel."""

    state: str = ""  # a SyncState
    dispatched: bool | None = None
    has_number: bool | None = None
    order_number: str = ""  # its beginning, with or without "#"
    tracking_number: str = ""  # any that a parcel has or had, however it is spelt
    customer: str = ""  # the beginning of the name or of the e-mail address
    placed_from: date | None = None  # days of each store's own calendar, both included
    placed_to: date | None = None


@dataclass(frozen=True)
class Place:
    """Between two orders: just after this one, or just before it."""

    placed_at: datetime
    order_id: int
    is_before: bool = False  # what is newer than the order, not what is older

    def __str__(self) -> str:
        """As it stands in an address: microseconds and id."""
        return f"{(self.placed_at - EPOCH) // timedelta(microseconds=1)}-{self.order_id}"

    def turned(self) -> Place:
        """The other way from here, this order included."""
        order_id = self.order_id + 1 if self.is_before else self.order_id - 1
        return Place(self.placed_at, min(max(order_id, 0), LAST_ID), not self.is_before)

    @classmethod
    def read(cls, text: str, *, is_before: bool = False) -> Place:
        """The place that was written so. Raises ValueError for any other text."""
        micros, _, order_id = text.partition("-")
        if not (text.isascii() and micros.isdigit() and order_id.isdigit() and len(text) <= 40):
            raise ValueError("not a place in a list")
        try:
            at = EPOCH + timedelta(microseconds=int(micros))
        except OverflowError as error:
            raise ValueError("not a time") from error
        if int(order_id) > LAST_ID:
            raise ValueError("not an id")
        return cls(at, int(order_id), is_before)


@dataclass(frozen=True)
class Found:
    """The orders that are sought, of these stores, not yet fetched."""

    orders: QuerySet[Order]
    among: QuerySet[Order]  # those that are looked through for them, of any store
    stores: tuple[Store, ...]
    looks: tuple[int, ...]  # how many of those to look through, and how many where that gave too few; (): all of them


@dataclass(frozen=True)
class Page:
    """One page, newest first, and the places to go on from; None where there is nothing more."""

    orders: tuple[Order, ...]
    newer: Place | None
    older: Place | None
    looked_to: datetime | None = None  # looked only so far for what is sought, and did not fill the page


@dataclass(frozen=True)
class Listed:
    """An order with its store, and its parcels in their order. Each of those has its row, the numbers that this wants,
    sends and shows, its method, and its current numbers with their carriers in `current_numbers`."""

    order: Order
    parcels: tuple[Shipment, ...]


def find(stores: Sequence[Store], sought: Sought, now: datetime) -> Found:
    """The orders of these stores that are sought. The stores are the merchant's own.

    One query for each of state, order number, tracking number and customer, until one of them leaves few.
    """
    among = Order.objects.filter(_placed(stores, sought.placed_from, sought.placed_to))
    orders = among.filter(_of(stores))
    if sought.order_number:
        orders = orders.filter(_numbered(sought.order_number))
    if sought.customer:
        orders = orders.filter(_customer(sought.customer))
    if sought.tracking_number:
        orders = orders.filter(pk__in=_tracked(stores, sought.tracking_number))
    if sought.state or sought.dispatched is not None or sought.has_number is not None:
        orders = orders.filter(_parcel(sought, now))
    for ids in _selective(stores, sought, now):
        few = set(ids[: FEW + 1])
        if len(few) <= FEW:
            return Found(orders.filter(pk__in=few), among, tuple(stores), looks=())
    if replace(sought, placed_from=None, placed_to=None) == Sought():
        # All are sought: a page of each store holds the page of all of them, and one store needs no border.
        return Found(orders, among, tuple(stores), looks=(0,) if len(stores) > 1 else ())
    return Found(orders, among, tuple(stores), looks=LOOKS)


def page_of(found: Found, place: Place | None = None, *, size: int = PAGE) -> Page:
    """The page that begins (or ends, where the place is before its order) at this place; the first without one.

    What is sought may be rare or far away: so many orders are looked through and no more, and the page says so.
    """
    is_before = place is not None and place.is_before
    fetched, border = _fetch(found, place, size)
    has_more = len(fetched) > size
    rows = fetched[:size]
    if is_before:
        if not has_more and border is None:
            # Nothing is newer than these: the first page shows them, filled up with older ones.
            return page_of(found, size=size)
        rows.reverse()
    newest = Place(rows[0].placed_at, rows[0].pk, is_before=True) if rows else None
    oldest = Place(rows[-1].placed_at, rows[-1].pk) if rows else None
    newer = (newest or place.turned()) if place else None
    older = oldest if has_more else None
    if place and is_before:
        older = oldest or place.turned()
    if border and not has_more:
        # On from where the looking ended.
        if is_before:
            newer = Place(border, LAST_ID, is_before=True)
        else:
            older = Place(border, 0)
    return Page(tuple(rows), newer, older, None if has_more else border)


def chunks(found: Found, size: int) -> Iterator[list[Listed]]:
    """All that was found, store by store and newest first, so many orders at a time.

    Each is a query of its own from the last order on: nothing is held open, and no list grows.
    """
    for store in found.stores:
        looks = () if found.looks == (0,) else found.looks
        of_store = replace(found, orders=found.orders.filter(store=store), stores=(store,), looks=looks)
        place: Place | None = None
        while True:
            page = page_of(of_store, place, size=size)
            if page.orders:
                yield with_parcels(page.orders, (store,))
            if page.older is None:
                break
            place = page.older


def with_parcels(orders: Sequence[Order], stores: Sequence[Store]) -> list[Listed]:
    """The orders with all that a list says of them, in four queries whatever their number. `stores`: where they are.

    Rows of the catalogue are shared and not joined: making the same carrier anew for each number takes longer than
    all the rest.
    """
    of_id = {store.pk: store for store in stores}
    numbers = TrackingNumber.objects.prefetch_related("carrier").order_by("pk")
    parcels = Shipment.objects.select_related("sync").prefetch_related("shipping_method").order_by("parcel")
    numbered = parcels.prefetch_related(Prefetch("numbers", queryset=numbers, to_attr="all_numbers"))
    prefetch_related_objects(list(orders), Prefetch("shipments", queryset=numbered, to_attr="parcels"))
    listed = []
    for order in orders:
        order.store = of_id[order.store_id]
        for shipment in order.parcels:  # type: ignore[attr-defined]
            _complete(shipment, order.store)
        listed.append(Listed(order, tuple(order.parcels)))  # type: ignore[attr-defined]
    return listed


def _complete(shipment: Shipment, store: Store) -> None:
    """Give a parcel's row its store and numbers, which are here already."""
    every: list[TrackingNumber] = shipment.all_numbers  # type: ignore[attr-defined]
    shipment.current_numbers = [number for number in every if number.replaced_at is None]  # type: ignore[attr-defined]
    row, by_id = shipment.sync, {number.pk: number for number in every}
    row.store = store
    for name in ("wanted", "sending", "shown"):
        if (number := by_id.get(getattr(row, f"{name}_id"))) is not None:
            setattr(row, name, number)


def _of(stores: Sequence[Store]) -> Q:
    return Q(store_id__in=[store.pk for store in stores])


def _numbered(beginning: str) -> Q:
    """Numbers with and without the "#" that Shopify puts before them."""
    bare = beginning.lstrip("#")
    if beginning.startswith("#") or not bare:
        return begins_with("number", beginning)
    return begins_with("number", bare) | begins_with("number", f"#{bare}")


def _customer(beginning: str) -> Q:
    return begins_with("customer_name", beginning) | begins_with("customer_email", beginning)


def _tracked(stores: Sequence[Store], number: str) -> QuerySet[TrackingNumber, int]:
    """Ids of the orders with a parcel that has or had this tracking number."""
    numbers = TrackingNumber.objects.filter(
        value=normalise(number), shipment__order__in=Order.objects.filter(_of(stores))
    )
    return numbers.order_by().values_list("shipment__order_id", flat=True)


def _in_state(state: str, now: datetime, path: str = "") -> Q:
    """Rows in this state, reached by this path. What has been due for long needs attention too, as everywhere."""
    if state == SyncState.ATTENTION:
        long_due = Q(**{f"{path}state": SyncState.DUE, f"{path}due_since__lt": now - LONG_DUE})
        return Q(**{f"{path}state": state}) | long_due
    return Q(**{f"{path}state": state})


def _parcel(sought: Sought, now: datetime) -> Exists:
    """Orders with a parcel of this kind. One without any parcel is not dispatched and has no number."""
    condition = Q()
    if sought.state:
        condition &= _in_state(sought.state, now, "shipments__sync__")
    if sought.dispatched is not None:
        condition &= Q(shipments__dispatched_at__isnull=not sought.dispatched)
    if sought.has_number is not None:
        number = Exists(TrackingNumber.objects.filter(shipment=OuterRef("shipments__pk"), replaced_at__isnull=True))
        condition &= Q(number) if sought.has_number else ~Q(number)
    return Exists(Order.objects.filter(condition, pk=OuterRef("pk")))


def _placed(stores: Sequence[Store], first: date | None, last: date | None) -> Q:
    """Placed on these days of each store's own calendar."""
    if not (first or last):
        return Q()
    zones: dict[tzinfo, list[Store]] = {}
    for store in stores:
        zones.setdefault(zone_of(store), []).append(store)
    condition, begins, ends = Q(), [], []
    for zone, there in zones.items():
        within = _of(there) if len(zones) > 1 else Q()
        if first:
            begins.append(_midnight(first, zone))
            within &= Q(placed_at__gte=begins[-1])
        if last:
            ends.append(_midnight(last + timedelta(days=1), zone))
            within &= Q(placed_at__lt=ends[-1])
        condition |= within
    # Said once for all zones too, so that an index is entered at the right place.
    if begins:
        condition &= Q(placed_at__gte=min(begins))
    if ends:
        condition &= Q(placed_at__lt=max(ends))
    return condition


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def _selective(stores: Sequence[Store], sought: Sought, now: datetime) -> Iterator[QuerySet]:
    """Ids of orders by each condition that may leave few of them, through an index of its own."""
    orders = Order.objects.filter(_of(stores)).order_by()
    if sought.tracking_number:
        yield _tracked(stores, sought.tracking_number)
    if sought.order_number:
        yield orders.filter(_numbered(sought.order_number)).values_list("pk", flat=True)
    if sought.customer:
        yield orders.filter(_customer(sought.customer)).values_list("pk", flat=True)
    if sought.state:
        rows = TrackingSync.objects.filter(_of(stores) & _in_state(sought.state, now))
        yield rows.values_list("shipment__order_id", flat=True)


def _from(orders: QuerySet[Order], place: Place | None) -> QuerySet[Order]:
    """Only what lies on this side of the place."""
    if place is None:
        return orders
    if place.is_before:
        later = Q(placed_at__gt=place.placed_at) | Q(placed_at=place.placed_at, pk__gt=place.order_id)
        return orders.filter(later, placed_at__gte=place.placed_at)
    earlier = Q(placed_at__lt=place.placed_at) | Q(placed_at=place.placed_at, pk__lt=place.order_id)
    return orders.filter(earlier, placed_at__lte=place.placed_at)


def _fetch(found: Found, place: Place | None, size: int) -> tuple[list[Order], datetime | None]:
    """One order more than a page from this place on, in the direction of the place, as far as found.looks reach.

    With them the time up to which was looked; None where that is to the end.
    """
    is_before = place is not None and place.is_before
    order = ("placed_at", "pk") if is_before else ("-placed_at", "-pk")
    sought = _from(found.orders, place).order_by(*order)
    for look in found.looks:
        border = _border(found, place, order, max(look // len(found.stores), size))
        if border is None:
            break
        near = sought.filter(placed_at__lte=border) if is_before else sought.filter(placed_at__gte=border)
        fetched = list(near[: size + 1])
        if len(fetched) > size or look == found.looks[-1]:
            return fetched, border
    return list(sought[: size + 1]), None


def _border(found: Found, place: Place | None, order: tuple[str, str], look: int) -> datetime | None:
    """The time at which the first of the stores has had so many orders from the place on; None where none has.

    Each store's orders have an index in the order of the list, all together have none. One query.
    """
    of_store = _from(found.among.filter(store_id=OuterRef("pk")), place).order_by(*order)
    reached = Subquery(of_store.values("placed_at")[look : look + 1])
    borders = Store.objects.order_by().filter(pk__in=[store.pk for store in found.stores]).annotate(border=reached)
    first = Min("border") if place is not None and place.is_before else Max("border")
    at: datetime | None = borders.aggregate(at=first)["at"]
    return at
