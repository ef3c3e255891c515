"""`connect_store --store`: a store that did not let us in any more is checked again, with new credentials or without.

What check_again() keeps and throws away is held in test_connect.py.
"""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from stores import trouble
from stores.connectors.codes import Code
from stores.connectors.errors import StoreDisconnected
from stores.fields import Secret
from stores.models import Store
from tests import factories

pytestmark = pytest.mark.django_db

TOKEN = "shpat_a-token-that-no-message-repeats"


def again(store_id: int, *options: str) -> str:
    """stdout of the command."""
    out = StringIO()
    call_command("connect_store", "--store", str(store_id), *options, stdout=out)
    return out.getvalue()


def locked_out(shop: Any) -> Store:
    """A store of this shop whose access was refused a moment ago."""
    store = factories.a_store_in(shop)
    trouble.disconnected(store.pk, StoreDisconnected(Code.TOKEN_REFUSED), timezone.now())
    return store


def kept(store: Store) -> tuple[str, dict[str, str]]:
    """(trouble, credentials) as they stand now."""
    store = Store.objects.get(pk=store.pk)
    return store.trouble, dict(store.credentials)


def test_new_credentials_that_work_are_kept_and_end_the_trouble(pretend) -> None:
    shop = pretend.shop()
    store = locked_out(shop)
    Store.objects.update(credentials=Secret({"access_token": "shpat_old"}))

    said = again(store.pk, "--credentials", json.dumps(shop.credentials))

    assert (said, kept(store)) == (f"{store.pk}\n", ("", shop.credentials))


def test_without_credentials_those_that_are_kept_are_tried(pretend_woo) -> None:
    shop = pretend_woo.shop()
    store = locked_out(shop)

    said = again(store.pk)

    assert (said, kept(store)) == (f"{store.pk}\n", ("", shop.credentials))


def test_credentials_that_do_not_work_change_nothing_and_say_why_without_repeating_them(pretend) -> None:
    shop = pretend.shop()
    store = locked_out(shop)

    with pytest.raises(CommandError) as caught:
        again(store.pk, "--credentials", json.dumps({"access_token": TOKEN}))

    assert (str(caught.value), caught.value.returncode) == (
        "The store refused the access. Copy it again from the store, whole and without spaces.",
        1,
    )
    assert kept(store) == ("token_refused", shop.credentials)


@pytest.mark.parametrize(
    "options, told",
    [
        (("--name", "Acme", "--url", "x"), "--store leaves these as they are: leave out --name, --url."),
        (("--from", "stores.csv"), "--from takes everything from the file: leave out --store."),
        (("--credentials", TOKEN), '--credentials: not a JSON object of texts. Write it as {"access_token": "..."} or'),
    ],
)
def test_what_is_asked_in_a_wrong_way_ends_with_two(options: tuple[str, ...], told: str) -> None:
    store = factories.a_store()

    with pytest.raises(CommandError) as caught:
        again(store.pk, *options)

    assert caught.value.returncode == 2
    assert str(caught.value).startswith(told)
    assert TOKEN not in str(caught.value)


def test_only_a_connected_store_is_checked_again() -> None:
    gone = factories.a_store(disconnected_at=timezone.now(), disconnect_reason="staff")

    told = []
    for store_id in (gone.pk, gone.pk + 1):
        with pytest.raises(CommandError) as caught:
            again(store_id)
        told.append((str(caught.value), caught.value.returncode))

    assert told == [
        (f"Store {gone.pk} is disconnected. Connect it anew, without --store.", 1),
        (f"There is no store {gone.pk + 1}.", 2),
    ]
