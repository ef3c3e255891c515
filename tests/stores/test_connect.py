"""Connecting a store: from Python, and with the command that operators use."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from stores import trouble
from stores.choices import MailSender, NumberSource, Timing
from stores.connect import AlreadyConnected, check_again, connect
from stores.connectors.codes import Code
from stores.connectors.errors import StoreBusy, StoreDisconnected
from stores.models import Store, SyncPreference
from tests import factories

pytestmark = pytest.mark.django_db

TOKEN = "shpat_a-token-that-no-message-repeats"


def nothing_is_kept() -> bool:
    return (Store.objects.count(), SyncPreference.objects.count()) == (0, 0)


def command(shop, **options: str) -> tuple[str, str]:
    """(stdout, stderr) of connect_store for this shop."""
    given = {
        "owner": "merchant@example.com",
        "platform": "shopify",
        "name": "Acme",
        "url": shop.base_url if shop else "https://acme.myshopify.com",
        "credentials": json.dumps(shop.credentials if shop else {"access_token": TOKEN}),
    } | options
    out, err = StringIO(), StringIO()
    call_command(
        "connect_store",
        *(part for name, value in given.items() for part in (f"--{name.replace('_', '-')}", value)),
        stdout=out,
        stderr=err,
    )
    return out.getvalue(), err.getvalue()


# --- What is kept ------------------------------------------------------------------------------------


def test_a_connected_store_knows_what_the_check_found(pretend, now: datetime) -> None:
    shop = pretend.shop(time_zone="Asia/Shanghai", locations=["Yiwu", "Shenzhen"])

    store = connect(
        owner=factories.a_user(),
        platform="shopify",
        name=" Acme ",
        base_url=shop.base_url + "/",
        credentials=shop.credentials,
        now=now,
    )

    store = Store.objects.select_related("preference").get(pk=store.pk)
    assert (store.name, store.base_url, store.time_zone, store.sync_from) == (
        "Acme",
        shop.base_url,
        "Asia/Shanghai",
        now,
    )
    assert dict(store.credentials) == shop.credentials
    assert sorted(location["name"] for location in store.facts["locations"]) == ["Shenzhen", "Yiwu"]
    choice = store.preference
    assert (choice.timing, choice.number_source, choice.confirmed_at, choice.version) == (
        Timing.AFTER_DISPATCH,
        NumberSource.DEFAULT,
        None,
        1,
    )


@pytest.mark.parametrize(
    "given, timing, source, is_confirmed",
    [
        ({}, "after_dispatch", "default", False),
        ({"timing": "before_dispatch"}, "before_dispatch", "default", True),
        ({"number_source": "local"}, "after_dispatch", "local", True),
        ({"timing": "after_dispatch", "number_source": "default"}, "after_dispatch", "default", True),
    ],
)
def test_a_choice_that_is_given_is_confirmed(
    given: dict, timing: str, source: str, is_confirmed: bool, pretend, now: datetime
) -> None:
    shop = pretend.shop()

    store = connect(
        owner=factories.a_user(),
        platform="shopify",
        name="Acme",
        base_url=shop.base_url,
        credentials=shop.credentials,
        now=now,
        **given,
    )

    choice = SyncPreference.objects.get(store=store)
    assert (choice.timing, choice.number_source, choice.confirmed_at == now) == (timing, source, is_confirmed)


@pytest.mark.parametrize("hidden, sender", [(False, MailSender.TRACKSYNC), (True, MailSender.STORE)])
def test_who_mails_to_begin_with_depends_on_what_can_be_read(hidden: bool, sender: str, pretend, now: datetime) -> None:
    shop = pretend.shop(customers_hidden=hidden)
    # Whether addresses are hidden shows in an order only.
    shop.add_order()

    store = connect(
        owner=factories.a_user(),
        platform="shopify",
        name="Acme",
        base_url=shop.base_url,
        credentials=shop.credentials,
        now=now,
    )

    assert SyncPreference.objects.get(store=store).mail_sender == sender


# --- Nothing half-saved --------------------------------------------------------------------------------


def the_token_is_wrong(shop) -> dict:
    return {"credentials": {"access_token": TOKEN}}


def a_scope_is_missing(shop) -> dict:
    shop.settings(scopes=["read_orders", "read_locations"])
    return {}


def the_store_is_down(shop) -> dict:
    shop.fault("503")
    return {}


def the_address_is_private(shop) -> dict:
    return {"base_url": "https://192.168.1.10"}


def the_credentials_are_empty(shop) -> dict:
    return {"credentials": {}}


def the_timing_is_no_choice(shop) -> dict:
    return {"timing": "whenever"}


def the_name_is_empty(shop) -> dict:
    return {"name": "  "}


def the_platform_is_unknown(shop) -> dict:
    return {"platform": "fax"}


@pytest.mark.parametrize(
    "what, error",
    [
        (the_token_is_wrong, StoreDisconnected),
        (a_scope_is_missing, StoreDisconnected),
        (the_store_is_down, StoreBusy),
        (the_address_is_private, StoreDisconnected),
        (the_credentials_are_empty, StoreDisconnected),
        (the_timing_is_no_choice, ValidationError),
        (the_name_is_empty, ValidationError),
        (the_platform_is_unknown, ValidationError),
    ],
    ids=lambda value: value.__name__,
)
def test_of_a_store_that_cannot_be_connected_nothing_is_kept(what, error, pretend, now: datetime) -> None:
    shop = pretend.shop()
    given = {
        "owner": factories.a_user(),
        "platform": "shopify",
        "name": "Acme",
        "base_url": shop.base_url,
        "credentials": shop.credentials,
        "now": now,
    } | what(shop)

    with pytest.raises(error):
        connect(**given)

    assert nothing_is_kept()


def test_a_shop_is_connected_once_and_again_after_it_was_disconnected(pretend, now: datetime) -> None:
    shop = pretend.shop()
    given = {"platform": "shopify", "name": "Acme", "base_url": shop.base_url, "now": now}
    first = connect(owner=factories.a_user(), credentials=shop.credentials, **given)

    # Said without asking the shop: who knows an address learns nothing of its credentials.
    with pytest.raises(AlreadyConnected):
        connect(owner=factories.a_user(), credentials={"access_token": TOKEN}, **given)
    Store.objects.filter(pk=first.pk).update(disconnected_at=now, disconnect_reason="merchant")
    second = connect(owner=factories.a_user(), credentials=shop.credentials, **given)

    assert list(Store.objects.connected()) == [second]


# --- Reconnecting --------------------------------------------------------------------------------------


def test_a_store_is_reconnected_with_new_credentials(pretend, now: datetime) -> None:
    shop = pretend.shop(time_zone="Asia/Tokyo")
    store = factories.a_store(base_url=shop.base_url, credentials={"access_token": TOKEN})
    trouble.disconnected(store.pk, StoreDisconnected(Code.TOKEN_REFUSED), now)

    check_again(store, shop.credentials)

    store.refresh_from_db()
    assert (store.trouble, store.time_zone, dict(store.credentials)) == ("", "Asia/Tokyo", shop.credentials)


def test_credentials_that_do_not_work_replace_nothing(pretend, now: datetime) -> None:
    shop = pretend.shop()
    store = factories.a_store(base_url=shop.base_url, credentials=shop.credentials)
    trouble.disconnected(store.pk, StoreDisconnected(Code.SCOPE_MISSING), now)

    with pytest.raises(StoreDisconnected):
        check_again(store, {"access_token": TOKEN})

    store.refresh_from_db()
    assert (store.trouble, dict(store.credentials)) == (Code.SCOPE_MISSING, shop.credentials)


# --- The command -----------------------------------------------------------------------------------------


def test_the_command_prints_the_id_alone(pretend) -> None:
    shop = pretend.shop()

    out, err = command(shop, timing="before_dispatch", sync_from="2026-03-01T08:00+08:00")

    store = Store.objects.select_related("owner", "preference").get()
    assert (out, err) == (f"{store.pk}\n", "")
    assert store.sync_from == datetime(2026, 3, 1, tzinfo=UTC)
    assert (store.preference.timing, store.preference.confirmed_at is not None) == (Timing.BEFORE_DISPATCH, True)
    assert (store.owner.email, store.owner.has_usable_password()) == ("merchant@example.com", False)


def test_the_owner_who_has_proved_the_address_is_taken_before_all_others(pretend) -> None:
    factories.a_user("merchant@example.com")
    proven = factories.a_user("Merchant@example.com", username="proven")
    EmailAddress.objects.create(user=proven, email="merchant@example.com", verified=True, primary=True)

    command(pretend.shop())

    assert Store.objects.get().owner == proven


def test_a_second_store_goes_to_the_owner_the_first_one_made(pretend) -> None:
    command(pretend.shop())
    command(pretend.shop())

    assert Store.objects.values("owner").distinct().count() == 1


def test_whoever_signed_up_with_an_address_and_never_proved_it_gets_no_store(pretend) -> None:
    factories.a_user("merchant@example.com")

    with pytest.raises(CommandError, match="has not verified that address, so it may be a stranger"):
        command(pretend.shop())

    assert Store.objects.count() == 0


def test_credentials_come_from_a_file_or_from_stdin(pretend, tmp_path, monkeypatch) -> None:
    shop, other = pretend.shop(), pretend.shop()
    path = tmp_path / "credentials.json"
    path.write_text("\ufeff" + json.dumps(shop.credentials), encoding="utf-8")
    monkeypatch.setattr("sys.stdin", StringIO(json.dumps(other.client_credentials)))

    command(shop, credentials=f"@{path}")
    command(other, credentials="-")

    assert [dict(store.credentials) for store in Store.objects.order_by("pk")] == [
        shop.credentials,
        other.client_credentials,
    ]


@pytest.mark.parametrize(
    "options, says",
    [
        ({"url": "https://192.168.1.10"}, "private network"),
        ({"url": "http://acme.myshopify.com"}, "plain http:"),
        ({"url": "https://user:pw@acme.myshopify.com"}, "user name or password"),
        ({"url": "https://www.acme-mugs.com"}, "the shop's own domain"),
        ({"credentials": '{"client_id": "abc"}'}, "The credentials lack client_secret."),
    ],
)
def test_the_command_says_what_to_do(options: dict, says: str) -> None:
    with pytest.raises(CommandError, match=says) as caught:
        command(None, **options)

    assert caught.value.returncode == 1
    assert nothing_is_kept()
    assert not get_user_model().objects.exists()


def test_the_command_names_the_missing_scope(pretend) -> None:
    shop = pretend.shop(scopes=["read_orders", "read_locations"])

    with pytest.raises(CommandError, match="write_merchant_managed_fulfillment_orders"):
        command(shop)

    assert nothing_is_kept()


def test_the_command_names_a_refused_token_without_repeating_it(pretend) -> None:
    shop = pretend.shop()

    with pytest.raises(CommandError) as caught:
        command(shop, credentials=json.dumps({"access_token": TOKEN}))

    assert str(caught.value) == "The store refused the access. Copy it again from the store, whole and without spaces."


def test_the_command_connects_a_woocommerce_store_and_says_what_its_credentials_look_like(pretend_woo) -> None:
    shop = pretend_woo.shop()
    given = {"platform": "woocommerce", "url": f"{shop.base_url}/wp-admin/"}

    with pytest.raises(CommandError) as caught:
        command(None, credentials="[]", **given)
    out, _ = command(None, credentials=json.dumps(shop.credentials), **given)

    assert str(caught.value) == (
        '--credentials: not a JSON object of texts. Write it as {"consumer_key": "...", "consumer_secret": "..."}, or '
        "name a file that holds it with @FILE."
    )
    store = Store.objects.get()
    assert (out, store.base_url, store.facts["places"]) == (f"{store.pk}\n", shop.base_url, ["plain"])


@pytest.mark.parametrize(
    "options",
    [
        {"credentials": f'{{"access_token": "{TOKEN}"'},
        {"credentials": f'["{TOKEN}"]'},
        {"credentials": TOKEN},
        {"credentials": '{"access_token": 5}'},
        {"credentials": "@/no/such/file"},
        {"owner": "nobody"},
        {"name": " "},
        {"sync_from": "yesterday"},
    ],
)
def test_what_is_asked_in_a_wrong_way_is_not_repeated_and_ends_with_two(options: dict) -> None:
    with pytest.raises(CommandError) as caught:
        command(None, **options)

    assert caught.value.returncode == 2
    assert TOKEN not in str(caught.value)
    assert nothing_is_kept()


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_the_command_as_a_process(manage, pretend) -> None:
    shop = pretend.shop()
    common = ("--owner", "m@example.com", "--platform", "shopify", "--name", "Acme", "--url", shop.base_url)

    wrong = manage("connect_store", *common, "--credentials", f'{{"access_token": "{TOKEN}"}}')
    usage = manage("connect_store", *common, "--credentials", TOKEN)
    missing = manage("connect_store", *common)
    good = manage("connect_store", *common, "--credentials", "-", stdin=json.dumps(shop.credentials))

    store = Store.objects.get()
    assert (good.returncode, good.stdout) == (0, f"{store.pk}\n")
    assert [(done.returncode, done.stdout) for done in (wrong, usage, missing)] == [(1, ""), (2, ""), (2, "")]
    assert TOKEN not in wrong.stderr + usage.stderr
    assert store.sync_from > datetime.now(UTC) - timedelta(minutes=5)
