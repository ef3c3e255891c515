"""A ready answer for a customer who asks where the parcel is: in the merchant's name, and never more than is so.

What the merchant is told is in wording/; the mails that go by themselves are another matter.
"""

from __future__ import annotations

from django.utils import formats, timezone
from django.utils.translation import gettext

from .links import tracking_link
from .models import Shipment, TrackingNumber, TrackingSync


def answer(shipment: Shipment, row: TrackingSync, parcels: int) -> str:
    """The text, in the active language and time zone. `parcels`: how many the order has.

    The row must come with its store, its shown and wanted numbers with their carriers.
    """
    order, store = shipment.order, row.store
    first_name = order.customer_name.split()[0] if order.customer_name.split() else ""
    hello = gettext("Hello {name},").format(name=first_name) if first_name else gettext("Hello,")
    return "\n\n".join([hello, *_told(shipment, row, parcels), store.name])


def _told(shipment: Shipment, row: TrackingSync, parcels: int) -> list[str]:
    order = shipment.order
    what = gettext("your order {order}").format(order=order.number)
    if parcels > 1:
        what = gettext("parcel {n} of {count} of your order {order}").format(
            n=shipment.parcel, count=parcels, order=order.number
        )
    if order.cancelled_at is not None:
        day = _day(order.cancelled_at)
        return [gettext("your order {order} was cancelled or refunded on {day}.").format(order=order.number, day=day)]
    # A number that is only stuck on its way to the store works for the customer all the same.
    number = row.shown or (row.wanted if shipment.dispatched_at is not None else None)
    if number is not None and shipment.dispatched_at is not None:
        return [
            gettext("{what} left us on {day}.").format(what=what, day=_day(shipment.dispatched_at)),
            _number(number, shipment.token),
            gettext(
                "Carriers need a little time to sort and scan, so the first news may take a day or two, and there can "
                "be quiet days while a parcel crosses a border."
            ),
        ]
    if number is not None:
        return [
            gettext("{what} is being packed.").format(what=what),
            _number(number, shipment.token),
            gettext("The first entry appears there when the carrier scans the parcel; until then it stays empty."),
        ]
    if shipment.dispatched_at is not None:
        return [
            gettext("{what} left us on {day}.").format(what=what, day=_day(shipment.dispatched_at)),
            gettext("Its tracking number is not ready yet. You will get it as soon as it is."),
        ]
    return [
        gettext("{what} is being prepared.").format(what=what),
        gettext("You will get the tracking number as soon as there is one for you to follow."),
    ]


def _number(number: TrackingNumber, token: str) -> str:
    said = gettext("Tracking number: {number} ({carrier})").format(number=number.value, carrier=number.carrier.name)
    link = gettext("Follow it here: {link}").format(link=tracking_link(number.carrier, number.value, token))
    return f"{said}\n{link}"


def _day(at: object) -> str:
    return formats.date_format(timezone.localtime(at), gettext("j F Y"))  # type: ignore[arg-type]
