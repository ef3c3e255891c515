"""Credentials at rest: encrypted, silent, sealed until they are used, and rotated by a command."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from stores.fields import Secret
from stores.models import Store
from tests import factories

pytestmark = pytest.mark.django_db


def stored(store: Store) -> str:
    """The column as it lies in the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT credentials FROM stores_store WHERE id = %s", [store.pk])
        return str(cursor.fetchone()[0])


def test_credentials_are_encrypted_in_the_database_and_come_back():
    store = factories.a_store(credentials={"access_token": "shpat_secret"})

    assert "shpat_secret" not in stored(store)
    assert dict(Store.objects.get(pk=store.pk).credentials) == {"access_token": "shpat_secret"}


def test_a_secret_never_prints_what_it_holds():
    secret = Secret({"access_token": "shpat_secret"})

    assert (repr(secret), str(secret), f"{secret}") == ("<Secret>",) * 3


def test_stores_are_listed_and_saved_without_their_keys_and_used_only_with_them(settings):
    store = factories.a_store(credentials={"access_token": "shpat_secret"})
    before = stored(store)
    settings.TRACKSYNC_CREDENTIAL_KEYS = [Fernet.generate_key().decode()]

    found = Store.objects.get(pk=store.pk)
    found.save()

    assert (found.name, bool(found.credentials), stored(store)) == (store.name, True, before)
    with pytest.raises(ImproperlyConfigured, match="Put the old key back"):
        found.credentials["access_token"]


def test_rotated_credentials_need_only_the_newest_key(settings, capsys):
    from django.core.management import call_command

    store = factories.a_store(credentials={"access_token": "shpat_secret"})
    new = Fernet.generate_key().decode()
    settings.TRACKSYNC_CREDENTIAL_KEYS = [new, *settings.TRACKSYNC_CREDENTIAL_KEYS]

    call_command("rotate_keys")

    assert capsys.readouterr().out == "1 stores' credentials are encrypted with the newest key.\n"
    settings.TRACKSYNC_CREDENTIAL_KEYS = [new]
    assert dict(Store.objects.get(pk=store.pk).credentials) == {"access_token": "shpat_secret"}
