"""Connecting a WooCommerce store in the browser's form, against a pretend one: what is asked, told, and kept."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst

from stores.connectors.codes import Code
from stores.connectors.errors import StoreDisconnected
from stores.fields import Secret
from stores.models import Store
from stores.trouble import disconnected
from tests import factories
from tests.storefronts.woo import PretendWooCommerce, WooShop
from tests.stores.test_view_connect import checks_of, errors_of, sealed_in, text_of

pytestmark = pytest.mark.django_db

CONNECT = "/stores/connect/woocommerce/"
SECRET = "cs_a-secret-that-no-page-may-show"


@pytest.fixture
def merchant(client: Client) -> Client:
    """A merchant who is logged in; `merchant.user` is who."""
    client.user = factories.a_user("merchant@example.com")  # type: ignore[attr-defined]
    client.force_login(client.user)  # type: ignore[attr-defined]
    return client


def typed(shop: WooShop, **fields: str) -> dict[str, str]:
    """The form, filled in for this shop."""
    return {"name": "Mugs", "base_url": shop.base_url, **shop.credentials} | fields


def a_store_in(shop: WooShop, owner: Any, **fields: Any) -> Store:
    """A store that is connected with this shop."""
    given = {"base_url": shop.base_url, "credentials": shop.credentials, "platform": "woocommerce"}
    return factories.a_store(owner, **given | fields)


# --- It works ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["", "/wp-admin/admin.php?page=wc-settings", "/shop/a-mug/", "/wp-json/wc/v3"])
def test_a_store_is_connected_from_whatever_page_of_it_was_copied(
    page: str, merchant: Client, pretend_woo: PretendWooCommerce
) -> None:
    shop = pretend_woo.shop(time_zone="Asia/Tokyo")

    response = merchant.post(CONNECT, typed(shop, base_url=shop.base_url + page))

    store = Store.objects.select_related("preference").get()
    assert response["Location"] == reverse("store", args=[store.pk])
    assert (store.name, store.platform, store.base_url, store.time_zone, dict(store.credentials)) == (
        "Mugs",
        "woocommerce",
        shop.base_url,
        "Asia/Tokyo",
        shop.credentials,
    )
    assert (store.preference.timing, store.preference.confirmed_at, store.preference.mail_sender) == (
        "after_dispatch",
        None,
        "store",
    )


PLUGIN = "the Shipment Tracking plugin"
OWN = "WooCommerce's own fulfilments"
NOTE = "an order note"


@pytest.mark.parametrize(
    "plugin, places",
    [
        ("plain", NOTE),
        ("ast", f"{PLUGIN}, {NOTE}"),
        ("shipment_tracking", f"{PLUGIN}, {NOTE}"),
        ("fulfillments", f"{OWN}, {NOTE}"),
        ("ast+fulfillments", f"{PLUGIN}, {OWN}, {NOTE}"),
    ],
)
def test_each_result_of_the_check_is_named(
    plugin: str, places: str, merchant: Client, pretend_woo: PretendWooCommerce
) -> None:
    merchant.post(CONNECT, typed(pretend_woo.shop(plugin=plugin, version="10.9.1")))

    page = merchant.get(reverse("store", args=[Store.objects.get().pk]))

    lines = {line.about: (str(line.mark), line.found) for line in page.context["lines"]}
    shop_name = Store.objects.get().facts["shop_name"]
    assert lines == {
        "Shop": ("good", f"It answers as “{shop_name}”."),
        "Read/Write": (
            "good",
            "Granted, to see your orders, write the tracking number on them, and mark them as completed where you want "
            "that.",
        ),
        "Where numbers can go": ("good", capfirst(places)),
        "Customers' e-mail addresses": (
            "good",
            "We can read them. WooCommerce writes to your customers itself; only you can switch that off there.",
        ),
        "Time zone": ("good", "Europe/Berlin"),
        "Version": ("good", "WooCommerce 10.9.1"),
    }
    assert "location" not in text_of(page).lower()


@pytest.mark.parametrize(
    "habit, says",
    [
        (
            "strips_authorization",
            "The shop's host drops the part of our requests that holds the key, so the key travels in the address, "
            "which the host may write into its log. Numbers are not affected. Better ask your host to pass the "
            "Authorization header on to WordPress.",
        ),
        (
            "php_warning",
            "Error messages of the shop's PHP stand before what it answers; we read past them. Numbers are not "
            "affected. Better ask your host to switch PHP's display_errors off.",
        ),
    ],
)
def test_what_works_and_could_be_better_is_worth_knowing(
    habit: str, says: str, merchant: Client, pretend_woo: PretendWooCommerce
) -> None:
    merchant.post(CONNECT, typed(pretend_woo.shop(**{habit: True})))

    page = merchant.get(reverse("store", args=[Store.objects.get().pk]))

    assert [line.found for line in page.context["lines"] if line.mark == "note"] == [says]


# --- Nothing half-saved ----------------------------------------------------------------------------------------


def the_secret_is_wrong(shop: WooShop) -> dict[str, str]:
    return {"consumer_secret": SECRET}


def the_key_was_taken_back(shop: WooShop) -> dict[str, str]:
    shop.revoke_key()
    return {}


def the_user_is_a_customer(shop: WooShop) -> dict[str, str]:
    return shop.new_key(user="customer") and shop.credentials


def the_halves_are_the_wrong_way_round(shop: WooShop) -> dict[str, str]:
    return {"consumer_key": shop.consumer_secret, "consumer_secret": shop.consumer_key}


def half_of_the_key_is_missing(shop: WooShop) -> dict[str, str]:
    return {"consumer_secret": ""}


def there_is_no_key(shop: WooShop) -> dict[str, str]:
    return {"consumer_key": "", "consumer_secret": ""}


def the_address_is_plain_http(shop: WooShop) -> dict[str, str]:
    return {"base_url": "http://www.mugs.example"}


def the_address_is_private(shop: WooShop) -> dict[str, str]:
    return {"base_url": "https://192.168.1.10"}


def the_address_is_a_sentence(shop: WooShop) -> dict[str, str]:
    return {"base_url": "my mug shop"}


def the_permalinks_are_plain(shop: WooShop) -> dict[str, str]:
    shop.settings(plain_permalinks=True)
    return {}


def woocommerce_is_switched_off(shop: WooShop) -> dict[str, str]:
    shop.settings(has_woocommerce=False)
    return {}


def a_plugin_shuts_the_api(shop: WooShop) -> dict[str, str]:
    shop.fault("login_wall")
    return {}


def a_firewall_answers(shop: WooShop) -> dict[str, str]:
    shop.fault("waf_403")
    return {}


def the_host_has_suspended_the_shop(shop: WooShop) -> dict[str, str]:
    shop.fault("402")
    return {}


def the_shop_is_being_updated(shop: WooShop) -> dict[str, str]:
    shop.fault("maintenance")
    return {}


@pytest.mark.parametrize(
    "what, field, says",
    [
        (
            the_secret_is_wrong,
            "consumer_secret",
            "WooCommerce does not know this key. Copy both halves again, whole and without spaces, and look whether "
            "the key is in the list of this very shop. If it is, ask your host whether the Authorization header "
            "reaches WordPress.",
        ),
        (
            the_key_was_taken_back,
            "consumer_secret",
            "WooCommerce does not know this key. Copy both halves again, whole and without spaces, and look whether "
            "the key is in the list of this very shop. If it is, ask your host whether the Authorization header "
            "reaches WordPress.",
        ),
        (
            the_user_is_a_customer,
            "__all__",
            "The key that lets us in belongs to a user of the shop who may not change its orders. Give the key to an "
            "administrator or a shop manager in WooCommerce, where the key was made. Then check the connection here.",
        ),
        (
            the_halves_are_the_wrong_way_round,
            "consumer_key",
            "This is the secret. Paste each half into its own field.",
        ),
        (half_of_the_key_is_missing, "consumer_secret", "Both belong together. Fill this in, too."),
        (there_is_no_key, "consumer_key", "Fill this in; without it we cannot get in."),
        (
            the_address_is_plain_http,
            "base_url",
            "“www.mugs.example” does not do as the shop's address: it is plain http:, where anybody on the way could "
            "read your access data. The shop has to answer under https://; WooCommerce takes no key without it. Your "
            "host can switch that on.",
        ),
        (
            the_address_is_private,
            "base_url",
            "“192.168.1.10” does not do as the shop's address: it lies in a private network, which we cannot reach and "
            "do not call. The shop has to be on the internet, under a name of its own.",
        ),
        (
            the_address_is_a_sentence,
            "base_url",
            "“my mug shop” does not do as the shop's address: it cannot be read as an address. Type the address of the "
            "shop's front page, as in https://www.your-shop.com.",
        ),
        (
            the_permalinks_are_plain,
            "__all__",
            "The shop's WordPress does not answer under the addresses that programs use. In WordPress open Settings, "
            "then Permalinks, choose “Post name” and save. Then check the connection here.",
        ),
        (
            woocommerce_is_switched_off,
            "__all__",
            "A website answers at the store's address, but WooCommerce is not active on it. Activate WooCommerce among "
            "the plugins there; if the shop lies in a folder, its address needs the folder, too. Then check the "
            "connection here.",
        ),
        (
            a_plugin_shuts_the_api,
            "__all__",
            "A plugin or a setting of the shop keeps every program out (rest_not_logged_in). Look among the shop's "
            "plugins for one that switches the REST API off or asks for a login there, and let it allow the addresses "
            "that begin with /wp-json/wc/. Then check the connection here.",
        ),
        (
            a_firewall_answers,
            "__all__",
            "A web page answers in the shop's place: a firewall, a bot check, or a “coming soon” page (403). Ask your "
            "host, or whoever looks after the shop's firewall, to let us through: we call ourselves TrackSync and ask "
            "for addresses that begin with /wp-json/. A “coming soon” page has to let those through, too. Then check "
            "the connection here.",
        ),
        (
            the_host_has_suspended_the_shop,
            "__all__",
            "WooCommerce says that the shop is locked or not paid for. Open it there, then try again.",
        ),
        (
            the_shop_is_being_updated,
            "__all__",
            "The store answered with an error of its own (503). Nothing was saved; try again in a minute.",
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_cannot_be_connected_is_told_at_its_field_and_nothing_is_kept(
    what: Any, field: str, says: str, merchant: Client, pretend_woo: PretendWooCommerce
) -> None:
    shop = pretend_woo.shop()
    given = typed(shop) | what(shop)

    response = merchant.post(CONNECT, given)

    assert errors_of(response) == {field: [says]}
    assert not Store.objects.exists()
    shown = response.content.decode()
    assert [secret for secret in (SECRET, shop.consumer_secret) if secret in shown] == []


def test_a_key_that_may_only_read_is_named_and_need_not_be_typed_again_once_it_may_write(
    merchant: Client, pretend_woo: PretendWooCommerce
) -> None:
    shop = pretend_woo.shop(key_permissions="read")

    refused = merchant.post(CONNECT, typed(shop))
    saved = Store.objects.count()
    shop.settings(key_permissions="read_write")
    # Sent again as the page shows it.
    shown = {field.name: field.value() or "" for field in refused.context["form"]}
    again = merchant.post(CONNECT, shown | {"sealed": sealed_in(refused)})

    assert checks_of(refused.context["refused"].lines) == {"Read/Write": "bad"}
    page = text_of(refused)
    assert "The key may not do all that we need. Change it there, then check again." in page
    assert "open the key, set Permissions to Read/Write" in page
    assert (saved, shown["consumer_key"], shown["consumer_secret"]) == (0, "", "")
    assert again["Location"] == reverse("store", args=[Store.objects.get().pk])


def test_where_the_shop_leads_elsewhere_one_press_goes_on_there(
    merchant: Client, pretend_woo: PretendWooCommerce
) -> None:
    shop, old = pretend_woo.shop(), pretend_woo.shop()
    old.settings(moved_to=shop.base_url)

    refused = merchant.post(CONNECT, typed(shop, base_url=old.base_url))
    saved = Store.objects.count()
    # Sent again as the page shows it.
    shown = {field.name: field.value() or "" for field in refused.context["form"]}
    again = merchant.post(CONNECT, shown | {"sealed": sealed_in(refused)})

    told = f"The shop's address leads to {shop.base_url}. If that is your shop, go on with that address."
    assert errors_of(refused) == {"base_url": [told]}
    assert (saved, shown["base_url"], shown["consumer_key"]) == (0, shop.base_url, "")
    assert again["Location"] == reverse("store", args=[Store.objects.get().pk])
    assert (Store.objects.get().base_url, dict(Store.objects.get().credentials)) == (shop.base_url, shop.credentials)


# --- Reconnecting ------------------------------------------------------------------------------------------------


def test_a_shop_that_has_moved_is_reconnected_at_the_address_it_leads_to(
    merchant: Client, pretend_woo: PretendWooCommerce
) -> None:
    shop = pretend_woo.shop()
    store = a_store_in(shop, merchant.user, base_url="https://old.example")  # type: ignore[attr-defined]
    disconnected(store.pk, StoreDisconnected(Code.ADDRESS_MOVED, to=shop.base_url), timezone.now())
    address = reverse("store_reconnect", args=[store.pk])

    form = merchant.get(address)
    elsewhere = merchant.post(address, typed(pretend_woo.shop()))
    there = merchant.post(address, typed(shop))

    assert form.context["form"]["base_url"].value() == shop.base_url
    assert list(errors_of(elsewhere)) == ["base_url"]
    assert there["Location"] == reverse("store", args=[store.pk])
    store.refresh_from_db()
    assert (store.base_url, store.trouble, dict(store.credentials)) == (shop.base_url, "", shop.credentials)


def test_a_shop_that_has_moved_is_reconnected_with_the_access_that_we_have_once_its_merchant_says_so(
    merchant: Client, pretend_woo: PretendWooCommerce
) -> None:
    shop, empty = pretend_woo.shop(), {"consumer_key": "", "consumer_secret": ""}
    old = {"base_url": "https://old.example", "credentials": {**shop.credentials, "key_permissions": "read_write"}}
    store = a_store_in(shop, merchant.user, **old)  # type: ignore[attr-defined]
    address = reverse("store_reconnect", args=[store.pk])

    before = merchant.post(address, typed(shop, base_url="https://old.example", **empty))
    disconnected(store.pk, StoreDisconnected(Code.ADDRESS_MOVED, to=shop.base_url), timezone.now())
    shown = text_of(merchant.get(address))
    at_the_old_one = merchant.post(address, typed(shop, base_url="https://old.example", **empty))
    shop.revoke_key()
    refused = merchant.post(address, typed(shop, **empty))
    shop.new_key()
    Store.objects.filter(pk=store.pk).update(credentials=Secret(shop.credentials))
    done = merchant.post(address, typed(shop, **empty))

    assert errors_of(before) == {"consumer_key": ["Fill this in; without it we cannot get in."]}
    assert f"The address https://old.example leads to {shop.base_url} now. If that is your shop, press" in shown
    assert errors_of(at_the_old_one) == {"base_url": ["For another shop, type its access data, too."]}
    assert list(errors_of(refused)) == ["consumer_secret"]
    assert done["Location"] == reverse("store", args=[store.pk])
    store.refresh_from_db()
    assert (store.base_url, store.trouble, dict(store.credentials)) == (shop.base_url, "", shop.credentials)


def test_a_shop_that_has_not_moved_keeps_its_address(merchant: Client, pretend_woo: PretendWooCommerce) -> None:
    shop, other = pretend_woo.shop(), pretend_woo.shop()
    store = a_store_in(shop, merchant.user)  # type: ignore[attr-defined]

    refused = merchant.post(reverse("store_reconnect", args=[store.pk]), typed(other))

    assert list(errors_of(refused)) == ["base_url"]
    store.refresh_from_db()
    assert store.base_url == shop.base_url


def test_what_was_refused_stands_above_the_form_where_it_is_seen_and_leads_to_its_field(
    merchant: Client, pretend_woo: PretendWooCommerce
) -> None:
    first = merchant.get(CONNECT).content.decode()

    refused = merchant.post(CONNECT, typed(pretend_woo.shop(), consumer_secret="cs_" + "0" * 40)).content.decode()

    said = '<li><a href="#id_consumer_secret">Consumer secret</a>: WooCommerce does not know this key.'
    assert said not in first
    assert refused.index(said) < refused.index('name="base_url"') < refused.index("Which way is yours?")
    assert first.index("Which way is yours?") < first.index('name="base_url"')


def test_the_new_address_of_a_shop_may_be_connected_already(merchant: Client, pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop()
    a_store_in(shop, factories.a_user())
    store = a_store_in(shop, merchant.user, base_url="https://old.example")  # type: ignore[attr-defined]
    disconnected(store.pk, StoreDisconnected(Code.ADDRESS_MOVED, to=shop.base_url), timezone.now())

    refused = merchant.post(reverse("store_reconnect", args=[store.pk]), typed(shop))

    assert errors_of(refused) == {"base_url": ["This shop is connected already."]}
    store.refresh_from_db()
    assert store.base_url == "https://old.example"
