"""What the tests of the choice do again and again: open the page, look, save, and see what is where."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from orders.models import TrackingSync
from stores.models import PreferenceChange, Store, SyncPreference

BEFORE_LOCAL = {
    "timing": "before_dispatch",
    "number_source": "local",
    "delay_hours": "0",
    "mail_sender": "tracksync",
}
AFTER_DEFAULT = BEFORE_LOCAL | {"timing": "after_dispatch", "number_source": "default"}


def logged_in(user: User) -> Client:
    """A browser in which this merchant is logged in."""
    client = Client()
    client.force_login(user)
    return client


def page(store: Store) -> str:
    """The address of the store's choice."""
    return reverse("choice", args=[store.pk])


def look(client: Client, store: Store, answers: dict[str, str]) -> Any:
    """The page with these answers and what they would change."""
    return client.get(page(store), answers)


def seal_of(response: Any) -> str:
    """The seal of what the page shows."""
    return str(response.context["seal"])


def save(client: Client, store: Store, answers: dict[str, str], **other: str) -> Any:
    """Look at these answers and save them; `other` replaces fields of the form on the way."""
    form = answers | {"act": "save", "seal": seal_of(look(client, store, answers))} | other
    return client.post(page(store), form, follow=True)


def messages_of(response: Any) -> list[str]:
    """What the page tells the person at its top."""
    return [str(message) for message in response.context["messages"]]


def everything_of(store: Store) -> list[Any]:
    """Every row of a store that a choice could touch, as it stands in the database."""
    return [
        list(Store.objects.filter(pk=store.pk).values()),
        list(SyncPreference.objects.filter(pk=store.pk).values()),
        list(PreferenceChange.objects.filter(preference_id=store.pk).order_by("pk").values()),
        list(TrackingSync.objects.filter(store=store).order_by("pk").values()),
    ]


def choice_of(store: Store) -> tuple[str, str, int, str, int]:
    """(timing, number source, delay, who mails, version) as saved."""
    saved = SyncPreference.objects.get(pk=store.pk)
    return saved.timing, saved.number_source, saved.delay_hours, saved.mail_sender, saved.version
