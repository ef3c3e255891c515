"""The people and rows of the admin's tests: plain functions, as in tests/factories.py."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orders import plan
from orders.models import Order, Shipment, TrackingSync
from stores.models import Store
from tests import factories


def the_boss() -> User:
    """May do everything; the same person each time."""
    known = User.objects.filter(username="boss@house.example").first()
    return known or factories.a_user("boss@house.example", is_staff=True, is_superuser=True)


def staff_who_may(*permissions: str) -> User:
    """Staff with exactly these permissions, as "app.codename"."""
    user = factories.a_user(is_staff=True)
    for name in permissions:
        app, codename = name.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user


VIEWS = ("orders.view_order", "orders.view_shipment", "orders.view_trackingsync", "stores.view_store")


def logged_in(user: User) -> Client:
    """A browser in which this person is logged in; staff have a verified address, without which no page opens."""
    if user.is_staff:
        EmailAddress.objects.get_or_create(user=user, email=user.email, verified=True, primary=True)
    client = Client()
    client.force_login(user)
    return client


def a_planned_shipment(order: Order | None = None, **fields: Any) -> Shipment:
    """A parcel whose number is planned; with a local number unless told."""
    fields.setdefault("local", "YT2600000000000001")
    shipment = factories.a_shipment(order, **fields)
    with transaction.atomic():
        plan.plan([shipment.pk], timezone.now())
    return Shipment.objects.get(pk=shipment.pk)


def a_shown_shipment(store: Store | None = None, *, value: str = "YT2600000000000001", **row: Any) -> Shipment:
    """A parcel whose number the store shows, in a fulfillment that we made."""
    order = factories.an_order(store or factories.a_store())
    shipment = factories.a_shipment(order, local=value, dispatched_at=timezone.now() - timedelta(hours=2))
    number = shipment.numbers.get()
    TrackingSync.objects.filter(shipment=shipment).update(
        shown=number,
        wanted=number,
        kind=number.kind,
        state="synced",
        synced_at=timezone.now(),
        checked_at=timezone.now(),
        fulfillments=["gid://shopify/Fulfillment/1"],
        **row,
    )
    return Shipment.objects.get(pk=shipment.pk)


def messages_of(response: Any) -> list[str]:
    """What the page tells the person at its top."""
    return [str(message) for message in response.context["messages"]]


def act_page(row: Any, name: str) -> str:
    """The address of an act on one row."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_act", args=[row.pk, name])


def choose(client: Client, listed: str, name: str, rows: list[Any], **fields: Any) -> Any:
    """Choose rows in a list and start an action; with `confirmed="yes"` the question is answered too."""
    data = {"action": name, "_selected_action": [row.pk for row in rows], **fields}
    return client.post(reverse(f"admin:{listed}_changelist"), data, follow=True)


def row_of(shipment: Shipment) -> TrackingSync:
    """Its row as it stands in the database."""
    return TrackingSync.objects.get(shipment=shipment)


# What a form about a past moment is filled with.
A_TIME = {"at": "2026-03-01T10:00"}
