"""Credentials at rest: encrypted, silent, sealed until they are used, and rotated by a command."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from stores.authorising import invitations, pending
from stores.fields import EncryptedJSONField, Secret
from stores.models import Invitation, PendingConnection, Store
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


# --- manage.py rotate_keys ----------------------------------------------------------------------------------

KEPT = {  # everything that is encrypted, and what a house holds in it below
    (Store, "credentials"): {"access_token": "shpat_secret"},
    (Store, "token"): {"access_token": "shpat_bought", "refresh_token": "shprt_bought"},
    (Store, "hook_secret"): {"secret": "signs"},
    (Invitation, "credentials"): {"client_id": "app", "client_secret": "of the app"},
    (PendingConnection, "credentials"): {"consumer_key": "ck_1", "consumer_secret": "cs_1"},
}


def a_house_with_every_secret() -> None:
    """A store, an invitation and a merchant on the way; and of each one that keeps nothing."""
    now = timezone.now()
    store = factories.a_store(
        credentials=KEPT[Store, "credentials"],
        token=Secret(KEPT[Store, "token"]),
        hook_secret=Secret(KEPT[Store, "hook_secret"]),
    )
    factories.a_store(credentials={})
    who, shop = store.owner, "https://acme.myshopify.com"
    app = KEPT[Invitation, "credentials"]
    for _each in range(2):
        invitations.invite(by=who, platform="shopify", base_url=shop, store_name="A", credentials=app, now=now)
    first = Invitation.objects.earliest("pk")
    invitations.withdraw([first.pk], now)
    given = KEPT[PendingConnection, "credentials"]
    pending.begin(who, "session", "woocommerce", "https://acme.example", now=now, credentials=given)
    pending.begin(who, "session", "woocommerce", "https://bolt.example", now=now)


def held() -> dict[tuple[type, str], list[dict[str, str]]]:
    """What can be read of every encrypted field, without the empty ones."""
    return {
        (model, field.attname): [
            dict(secret)
            for secret in model._default_manager.order_by("pk").values_list(field.attname, flat=True)
            if secret
        ]
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, EncryptedJSONField)
    }


def test_rotated_secrets_of_every_kind_need_only_the_newest_key(settings, capsys):
    a_house_with_every_secret()
    new = Fernet.generate_key().decode()
    settings.TRACKSYNC_CREDENTIAL_KEYS = [new, *settings.TRACKSYNC_CREDENTIAL_KEYS]

    call_command("rotate_keys")

    assert capsys.readouterr().out.splitlines() == [
        "1 stores' credentials are encrypted with the newest key.",
        "So are those of 1 invitations.",
        "So are those of 1 pending connections.",
    ]
    settings.TRACKSYNC_CREDENTIAL_KEYS = [new]
    assert held() == {name: [content] for name, content in KEPT.items()}


def test_rotating_names_the_row_whose_key_is_missing_and_goes_on_when_the_key_is_back(settings, capsys):
    a_house_with_every_secret()
    old, new = settings.TRACKSYNC_CREDENTIAL_KEYS, Fernet.generate_key().decode()
    settings.TRACKSYNC_CREDENTIAL_KEYS = [new]
    store = Store.objects.earliest("pk")

    with pytest.raises(CommandError) as stopped:
        call_command("rotate_keys")
    settings.TRACKSYNC_CREDENTIAL_KEYS = [new, *old]
    call_command("rotate_keys")

    assert str(stopped.value) == (
        f"Store {store.pk}: A store's credentials were encrypted with a key that TRACKSYNC_CREDENTIAL_KEYS no longer "
        "lists. Put the old key back at the end of the list. 0 rows are done; run this again then."
    )
    assert held() == {name: [content] for name, content in KEPT.items()}
