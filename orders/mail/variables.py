"""What a mail template may name: the facts of one shipment, as text, numbers and lists.

Nothing else is within a template's reach. What a store or a customer wrote is made one line of plain text first, so
that a name can neither end a header nor begin a paragraph. The language templates are written in is in liquid.py.
"""

from __future__ import annotations

import re
import statistics
import unicodedata
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db.models import Min
from django.utils import formats, timezone, translation
from django.utils.translation import gettext_lazy as _

from ..links import company_name, page_link
from ..local_time import zone_of
from ..models import OrderLine, Shipment, ShipmentLine, TrackingNumber
from .defaults import words
from .letterhead import Letterhead
from .liquid import Moment

# Name -> what it stands for, in the order of the list beside the editor.
VARIABLES = {
    "customer_first_name": _("The customer's first name; may be empty"),
    "customer_name": _("The customer's whole name; may be empty"),
    "order_number": _("The order's number in your store"),
    "store_name": _("Your store's name"),
    "store_url": _("Your store's address"),
    "support_email": _("Where customers write to"),
    "items": _("What is in the parcel: each has title, quantity and sku"),
    "parcel_index": _("Which parcel of the order this is: 1, 2 …"),
    "parcel_count": _("How many parcels the order has"),
    "more_to_come": _("True while other parts of the order are still to follow"),
    "tracking_number": _("The number your store shows; empty while it shows none"),
    "tracking_company": _("The carrier of that number"),
    "tracking_url": _("Our tracking page for this parcel; alone on a line it becomes a button"),
    "tracking_starts_in": _("How long after the number parcels of this shipping method usually leave, such as 2 days"),
    "dispatched_at": _("The day the parcel was handed to the carrier; empty before"),
    "language": _("The language of this mail: en, zh or es"),
}
ITEM_FIELDS = ("title", "quantity", "sku")

ITEMS_LIMIT = 50  # a longer list is cut: nobody reads it, and loops have a limit
TEXT_LIMIT = 200
METHOD_PARCELS = 1000  # newest parcels of a shipping method that are looked at
RECENT = timedelta(days=60)
ENOUGH = 20  # parcels below which nothing is said: a handful says little
KEPT_SECONDS = 3600

# Names written in these go without spaces, so there is no first word to take.
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


class Item(dict[str, object]):
    """One line of a parcel: title, quantity, sku. By itself it reads "2 × Mug"."""

    def __str__(self) -> str:
        return f"{self['quantity']} × {self['title']}"


def values_of(
    shipment: Shipment, number: TrackingNumber | None, letterhead: Letterhead, now: datetime
) -> dict[str, object]:
    """The value of every variable. `number`: the one the mail may tell, None for none.

    The shipment's order and store should be loaded; asks four or five queries more. Times are in the store's zone.
    """
    order, store = shipment.order, shipment.order.store
    name = one_line(order.customer_name)
    siblings = parcels_of(shipment)
    return {
        "customer_first_name": name if _CJK.search(name) else name.partition(" ")[0],
        "customer_name": name,
        "order_number": one_line(order.number),
        "store_name": one_line(letterhead.store_name),
        "store_url": one_line(store.base_url),
        "support_email": one_line(letterhead.support_email),
        "items": _items(shipment, len(siblings)),
        "parcel_index": position(shipment, siblings),
        "parcel_count": len(siblings),
        "more_to_come": _more_to_come(shipment, siblings),
        "tracking_number": number.value if number else "",
        "tracking_company": one_line(company_name(number.carrier, store.platform)) if number else "",
        "tracking_url": page_link(shipment.token),
        "tracking_starts_in": _starts_in(shipment.shipping_method_id, letterhead.language, now),
        "dispatched_at": day_of(shipment, letterhead.language),
        "language": letterhead.language,
    }


def parcels_of(shipment: Shipment) -> list[tuple[int, datetime | None]]:
    """(parcel, when it was handed over) of every parcel of the shipment's order."""
    return list(Shipment.objects.filter(order_id=shipment.order_id).values_list("parcel", "dispatched_at"))


def position(shipment: Shipment, parcels: list[tuple[int, datetime | None]]) -> int:
    """Which of the order's parcels this is, counted from one without gaps."""
    return sorted(parcel for parcel, _at in parcels).index(shipment.parcel) + 1


def one_line(text: str, limit: int = TEXT_LIMIT) -> str:
    """Text that somebody else wrote, without line ends, control characters and turns of direction."""
    kept = "".join(" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c)[0] != "C")
    line = " ".join(kept.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _items(shipment: Shipment, parcels: int) -> list[Item]:
    """What is in the parcel; the order's own lines where nobody told and there is but one parcel, else nothing."""
    rows = [
        (each.line, each.quantity)
        for each in ShipmentLine.objects.filter(shipment=shipment).select_related("line").order_by("pk")[:ITEMS_LIMIT]
    ]
    if not rows and parcels == 1:
        lines = OrderLine.objects.filter(order_id=shipment.order_id, requires_shipping=True, quantity__gte=1)
        rows = [(line, line.quantity) for line in lines[:ITEMS_LIMIT]]
    return [
        Item(title=one_line(line.title or line.sku), quantity=quantity, sku=one_line(line.sku))
        for line, quantity in rows
    ]


def _more_to_come(shipment: Shipment, siblings: list[tuple[int, datetime | None]]) -> bool:
    """Whether another parcel has not left, or units of the order lie in no parcel as far as contents are known."""
    if any(at is None for parcel, at in siblings if parcel != shipment.parcel):
        return True
    packed = ShipmentLine.objects.filter(shipment__order_id=shipment.order_id)
    contents = list(packed.values_list("shipment_id", "quantity"))
    if len({parcel for parcel, _quantity in contents}) < len(siblings):
        return False  # a parcel of which nobody told what is in it may hold the rest
    ordered = OrderLine.objects.filter(order_id=shipment.order_id, requires_shipping=True)
    return sum(ordered.values_list("quantity", flat=True)) > sum(quantity for _parcel, quantity in contents)


def day_of(shipment: Shipment, language: str) -> str:
    """The day the parcel was handed over, in the store's time zone and the customer's words; "" before."""
    if shipment.dispatched_at is None:
        return ""
    speech = words(language)
    local = timezone.localtime(shipment.dispatched_at, zone_of(shipment.order.store))
    with translation.override(speech.django):
        return Moment(formats.date_format(local, speech.date), local)


def _starts_in(method_id: int | None, language: str, now: datetime) -> str:
    """ "2 days": what is usual for the shipping method here; "" where too few parcels tell."""
    days = _usual_days(method_id, now) if method_id else 0
    if not days:
        return ""
    one, several = words(language).days
    return one if days == 1 else several.format(n=days)


def _usual_days(method_id: int, now: datetime) -> int:
    """The median of the days from the number to the hand-over, rounded up; 0 with too few parcels. Kept an hour."""
    key = f"usual-days:{method_id}"
    found: int | None = cache.get(key)
    if found is None:
        found = _median_days(method_id, now)
        cache.set(key, found, KEPT_SECONDS)
    return found


def _median_days(method_id: int, now: datetime) -> int:
    newest = (
        Shipment.objects.filter(shipping_method_id=method_id, dispatched_at__range=(now - RECENT, now))
        .order_by("-pk")
        .values("pk")[:METHOD_PARCELS]
    )
    waits = [
        max(left - known, timedelta())
        for left, known in Shipment.objects.filter(pk__in=newest)
        .order_by()
        .annotate(known_at=Min("numbers__known_at"))
        .values_list("dispatched_at", "known_at")
        if left and known
    ]
    if len(waits) < ENOUGH:
        return 0
    return max(1, -(-statistics.median(waits) // timedelta(days=1)))
