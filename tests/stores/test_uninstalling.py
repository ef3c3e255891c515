"""The app was removed in the store: what was being asked for at that moment is not kept either."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from stores import tokens
from stores.connectors.grant import Grant
from stores.models import EPOCH, Store
from stores.uninstalling import uninstalled
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def test_a_token_that_comes_after_the_app_was_removed_is_not_kept() -> None:
    asking = uuid.uuid4()
    until = {"token_lease": asking, "token_leased_until": NOON + timedelta(days=3650)}
    store = factories.a_store(credentials={"client_id": "c", "client_secret": "s", "grant": "code"}, **until)

    assert uninstalled(store.pk, NOON)
    kept = tokens.keep(Store.objects.filter(pk=store.pk, token_lease=asking), Grant("late", 3600))

    store = Store.objects.get(pk=store.pk)
    assert (kept, dict(store.token), store.token_lease, store.token_leased_until) == (False, {}, None, EPOCH)
