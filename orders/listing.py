"""A merchant's orders, newest first: which of them are sought, and one page of those, at any size.

Pages go from an order on (its time and id), so that the fiftieth costs what the first does and nothing is
skipped or shown twice while orders arrive. Nothing is ever counted in full. Who may see which store is in
stores/access.py; what a row says is in views/store_orders/, the file of all rows in export.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
# What a row needs for its sentence, so that no row asks by itself.
JOINED = ("sync__wanted__carrier", "sync__sending__carrier", "sync__shown__carrier", "shipping_method")
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
        if int(order_id) >= 2**63:
            raise ValueError("not an id")
        return cls(at, int(order_id), is_before)


@dataclass(frozen=True)
class Found:
    """The orders that are sought, of these stores, not yet fetched."""

    orders: QuerySet[Order]
    stores: tuple[Store, ...]
    are_few: bool  # bounded by ids: sorting them is nothing


@dataclass(frozen=True)
class Page:
    """One page, newest first, and the places to go on from; None where there is nothing more."""

    orders: tuple[Order, ...]
    newer: Place | None
    older: Place | None


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
    orders = Order.objects.filter(_of(stores))
    if sought.placed_from or sought.placed_to:
        orders = orders.filter(_placed(stores, sought.placed_from, sought.placed_to))
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
            return Found(orders.filter(pk__in=few), tuple(stores), are_few=True)
    return Found(orders, tuple(stores), are_few=False)


def page_of(found: Found, place: Place | None = None, *, size: int = PAGE) -> Page:
    """The page that begins (or ends, where the place is before its order) at this place; the first without one."""
    is_before = place is not None and place.is_before
    orders = _from(found.orders, place).order_by(*(("placed_at", "pk") if is_before else ("-placed_at", "-pk")))
    if len(found.stores) > 1 and not found.are_few:
        orders = _bounded(orders, found.stores, size, is_before=is_before)
    fetched = list(orders[: size + 1])
    has_more = len(fetched) > size
    rows = fetched[:size]
    if is_before:
        if not has_more:
            # Nothing is newer than these: the first page shows them, filled up with older ones.
            return page_of(found, size=size)
        rows.reverse()
    if not rows:
        return Page((), None, None)
    first, last = rows[0], rows[-1]
    return Page(
        orders=tuple(rows),
        newer=Place(first.placed_at, first.pk, is_before=True) if place else None,
        older=Place(last.placed_at, last.pk) if has_more or is_before else None,
    )


def chunks(found: Found, size: int) -> Iterator[list[Listed]]:
    """All that was found, store by store and newest first, so many orders at a time.

    Each is a query of its own from the last order on: nothing is held open, and no list grows.
    """
    for store in found.stores:
        of_store = Found(found.orders.filter(store=store), (store,), found.are_few)
        place: Place | None = None
        while True:
            page = page_of(of_store, place, size=size)
            if page.orders:
                yield with_parcels(page.orders, (store,))
            if page.older is None:
                break
            place = page.older


def with_parcels(orders: Sequence[Order], stores: Sequence[Store]) -> list[Listed]:
    """The orders with all that a list says of them, in two queries whatever their number. `stores`: where they are."""
    of_id = {store.pk: store for store in stores}
    numbers = TrackingNumber.objects.filter(replaced_at__isnull=True).select_related("carrier")
    parcels = Shipment.objects.select_related(*JOINED).order_by("parcel")
    numbered = parcels.prefetch_related(Prefetch("numbers", queryset=numbers, to_attr="current_numbers"))
    prefetch_related_objects(list(orders), Prefetch("shipments", queryset=numbered, to_attr="parcels"))
    listed = []
    for order in orders:
        order.store = of_id[order.store_id]
        for shipment in order.parcels:  # type: ignore[attr-defined]
            if hasattr(shipment, "sync"):
                shipment.sync.store = order.store
        listed.append(Listed(order, tuple(order.parcels)))  # type: ignore[attr-defined]
    return listed


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
    zones: dict[tzinfo, list[Store]] = {}
    for store in stores:
        zones.setdefault(zone_of(store), []).append(store)
    condition, begins, ends = Q(), [], []
    for zone, there in zones.items():
        within = _of(there)
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


def _bounded(orders: QuerySet[Order], stores: Sequence[Store], size: int, *, is_before: bool) -> QuerySet[Order]:
    """Only as far as a full page of any one store goes: so far goes the page of all of them, at the most.

    Each store's orders have an index in the order of the list, all together have none. One query.
    """
    of_store = orders.filter(store_id=OuterRef("pk")).values("placed_at")[size : size + 1]
    ids = [store.pk for store in stores]
    borders = Store.objects.order_by().filter(pk__in=ids).annotate(border=Subquery(of_store))
    border = borders.aggregate(found=Min("border") if is_before else Max("border"))["found"]
    if border is None:
        return orders
    return orders.filter(placed_at__lte=border) if is_before else orders.filter(placed_at__gte=border)
