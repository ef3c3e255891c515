"""The mails to a parcel's customer, for the merchants' and the staff's page of the parcel."""

from __future__ import annotations

from typing import Any

from django import template

from ..mail.history import mails_of
from ..models import Shipment

register = template.Library()


@register.inclusion_tag("orders/_mails.html")
def mails_to_customer(shipment: Shipment) -> dict[str, Any]:
    """A card with what the customer was written, or why not. One query."""
    return {"lines": mails_of(shipment)}


@register.inclusion_tag("admin/orders/_mails.html")
def mails_for_staff(shipment: Shipment) -> dict[str, Any]:
    """The same as a table of the admin."""
    return {"lines": mails_of(shipment)}
