"""A saved choice: of one store, once per version, with its history."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from stores.choices import MailSender, NumberSource, Timing
from stores.models import PreferenceChange, Store, SyncPreference
from stores.preferences import save_preference
from tests import factories


def everything_of(store: Store) -> tuple[Any, ...]:
    return (
        Store.objects.filter(pk=store.pk).values().get(),
        SyncPreference.objects.filter(pk=store.pk).values().get(),
        list(PreferenceChange.objects.filter(preference_id=store.pk).values()),
    )


@pytest.mark.django_db
def test_a_saved_choice_is_kept_with_who_when_from_and_to(now: datetime) -> None:
    merchant = factories.a_user()
    store = factories.a_store(merchant, confirmed_at=None)

    save_preference(store, actor=merchant, now=now, timing=Timing.BEFORE_DISPATCH, delay_hours=48)
    saved = save_preference(store, actor=None, now=now, number_source=NumberSource.LOCAL)

    assert (saved.timing, saved.number_source, saved.delay_hours, saved.mail_sender) == (
        Timing.BEFORE_DISPATCH,
        NumberSource.LOCAL,
        48,
        MailSender.TRACKSYNC,
    )
    assert (saved.confirmed_at, saved.version) == (now, 3)
    first = {
        "timing": "after_dispatch",
        "number_source": "default",
        "delay_hours": 0,
        "mail_sender": "tracksync",
        "confirmed": False,
    }
    second = first | {"timing": "before_dispatch", "delay_hours": 48, "confirmed": True}
    third = second | {"number_source": "local"}
    assert list(PreferenceChange.objects.values_list("version", "actor", "at", "before", "after")) == [
        (3, None, now, second, third),
        (2, merchant.pk, now, first, second),
    ]


@pytest.mark.django_db
def test_a_choice_for_one_store_leaves_every_other_as_it_was(now: datetime) -> None:
    merchant = factories.a_user()
    store, sibling, stranger = factories.a_store(merchant), factories.a_store(merchant), factories.a_store()
    before = [everything_of(sibling), everything_of(stranger)]

    save_preference(store, actor=merchant, now=now, timing=Timing.BEFORE_DISPATCH, number_source=NumberSource.LOCAL)

    assert [everything_of(sibling), everything_of(stranger)] == before


@pytest.mark.django_db
def test_a_choice_may_be_saved_without_confirming_it(now: datetime) -> None:
    store = factories.a_store(confirmed_at=None)

    assert save_preference(store, actor=None, now=now, delay_hours=1, confirm=False).confirmed_at is None


@pytest.mark.django_db
def test_the_first_confirmation_is_the_one_that_counts(now: datetime) -> None:
    store = factories.a_store(confirmed_at=factories.NOON)

    later = now.replace(year=2027)

    assert save_preference(store, actor=None, now=later, delay_hours=1).confirmed_at == factories.NOON


@pytest.mark.django_db
@pytest.mark.parametrize(
    "choice",
    [{"timing": "whenever"}, {"number_source": ""}, {"delay_hours": 1441}, {"delay_hours": -1}, {"mail_sender": "me"}],
)
def test_what_is_no_choice_is_refused_and_nothing_is_saved(choice: dict, now: datetime) -> None:
    store = factories.a_store()
    before = everything_of(store)

    with pytest.raises(ValidationError):
        save_preference(store, actor=None, now=now, **choice)

    assert everything_of(store) == before


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_saves_at_the_same_time_go_one_after_the_other(now: datetime) -> None:
    store = factories.a_store()

    def save(hours: int) -> None:
        try:
            save_preference(store, actor=None, now=now, delay_hours=hours)
        finally:
            connection.close()

    threads = [threading.Thread(target=save, args=(hours,)) for hours in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert SyncPreference.objects.get(pk=store.pk).version == 9
    changes = list(PreferenceChange.objects.order_by("version").values_list("version", "before", "after"))
    assert [version for version, _, _ in changes] == list(range(2, 10))
    # Each save began where the one before it ended.
    assert [before["delay_hours"] for _, before, _ in changes[1:]] == [
        after["delay_hours"] for _, _, after in changes[:-1]
    ]
