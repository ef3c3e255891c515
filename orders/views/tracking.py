"""The tracking page of one shipment, for its customer: no log-in, an address nobody can guess, nothing of the buyer.

It shows the number that the store shows, so a link in an old mail shows the new number once the store does. In the
language of the store's mails.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.http import require_safe

from ..links import tracking_link
from ..mail.defaults import Words, words
from ..mail.letterhead import letterhead
from ..mail.variables import day_of, parcels_of, position
from ..models import Shipment

PER_MINUTE = 60  # pages for one visitor: a family behind one address is not turned away, a robot is
TOKEN_LENGTH = 22


@require_safe
def tracking(request: HttpRequest, token: str) -> HttpResponse:
    """What the customer may know of this shipment. 404 for an unknown token, 429 for who asks too often."""
    if _asks_too_often(request):
        response = render(request, "429.html", status=429)
        response["Retry-After"] = "60"
        return _for_one_reader(response)
    shipment = (
        Shipment.objects.select_related("order__store__owner", "sync__shown__carrier").filter(token=token).first()
        if len(token) == TOKEN_LENGTH
        else None
    )
    if shipment is None:
        speech = words(str(translation.get_language() or "").partition("-")[0])
        return _for_one_reader(render(request, "orders/tracking_missing.html", {"words": speech}, status=404))
    head = letterhead(shipment.order.store)
    speech = words(head.language)
    with translation.override(speech.django):
        response = render(
            request,
            "orders/tracking.html",
            {"words": speech, "store_name": head.store_name, "support_email": head.support_email}
            | _parcel(shipment, head.language, speech),
        )
    response["Content-Language"] = speech.django
    return _for_one_reader(response)


def _parcel(shipment: Shipment, language: str, speech: Words) -> dict[str, Any]:
    parcels = parcels_of(shipment)
    number = shipment.sync.shown
    shown: dict[str, Any] = {
        "title": speech.page_title.format(order=shipment.order.number),
        "parcel": speech.parcel_of.format(n=position(shipment, parcels), count=len(parcels)),
        "number": number.value if number else "",
        "carrier": number.carrier.name if number else "",
        "carrier_url": tracking_link(number.carrier, number.value) if number else "",
        "open_carrier": speech.open_carrier.format(carrier=number.carrier.name) if number else "",
    }
    if shipment.order.cancelled_at is not None:
        return shown | {"state": speech.cancelled, "next": speech.next_cancelled, "mark": "bad"}
    if number is None:
        return shown | {"state": speech.preparing, "next": speech.next_preparing, "mark": "busy"}
    if shipment.dispatched_at is None:
        return shown | {"state": speech.known, "next": speech.next_known, "mark": "busy"}
    day = day_of(shipment, language)
    return shown | {"state": speech.handed_over.format(day=day), "next": speech.next_handed_over, "mark": "good"}


def _asks_too_often(request: HttpRequest) -> bool:
    """Counted in the shared cache, by the minute and by the visitor's address (behind proxies as settings say)."""
    key = f"tracking-page:{_visitor(request)}:{int(timezone.now().timestamp()) // 60}"
    cache.add(key, 0, timeout=120)
    try:
        return cache.incr(key) > PER_MINUTE
    except ValueError:  # thrown out of a full cache this very moment
        return False


def _visitor(request: HttpRequest) -> str:
    """The visitor's address; of an IPv6 address the network, since one visitor has the whole of it."""
    try:
        address = ipaddress.ip_address(get_adapter().get_client_ip(request))
    except (ValueError, PermissionDenied):  # the web server tells none that makes sense
        return "unknown"
    return str(address if address.version == 4 else ipaddress.ip_network((address, 64), strict=False))


def _for_one_reader(response: HttpResponse) -> HttpResponse:
    """No search engine, no shared cache, and no carrier shall learn the page's address."""
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Cache-Control"] = "private, no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response
