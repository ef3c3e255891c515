"""Connecting a store in the browser's forms, against a real pretend Shopify: what is asked, told, and kept."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from stores import sealing
from stores.connectors.codes import Code
from stores.connectors.errors import StoreDisconnected
from stores.guides import GUIDES
from stores.models import Store
from stores.trouble import disconnected
from tests import factories
from tests.storefronts.client import PretendShopify, Shop

pytestmark = pytest.mark.django_db

CONNECT = "/stores/connect/shopify/"
SECRET = "a-secret-that-no-page-may-show"


@pytest.fixture
def merchant(client: Client) -> Client:
    """A merchant who is logged in; `merchant.user` is who."""
    client.user = factories.a_user("merchant@example.com")  # type: ignore[attr-defined]
    client.force_login(client.user)  # type: ignore[attr-defined]
    return client


def typed(shop: Shop, **fields: str) -> dict[str, str]:
    """The first form, filled in for this shop."""
    return {"name": "Acme", "base_url": shop.base_url, "access_token": shop.token} | fields


def text_of(response: Any) -> str:
    """What a person reads on the page, on one line."""
    body = re.sub(r"<(script|style).*?</\1>", " ", response.content.decode(), flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def errors_of(response: Any) -> dict[str, list[str]]:
    """What is told at each field of the form."""
    return dict(response.context["form"].errors)


def sealed_in(response: Any) -> str:
    """The sealed text that the page carries to the next step."""
    return str(response.context["sealed"])


def checks_of(lines: Any) -> dict[str, str]:
    """The sign of each line of the list of what was found."""
    return {line.about: str(line.mark) for line in lines}


# --- It works ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["access_token", "client_credentials"])
def test_a_store_is_connected_with_the_choice_still_to_be_confirmed(
    way: str, merchant: Client, pretend: PretendShopify
) -> None:
    shop = pretend.shop(time_zone="Asia/Tokyo")
    given = typed(shop) if way == "access_token" else typed(shop, access_token="", **shop.client_credentials)

    response = merchant.post(CONNECT, given)

    store = Store.objects.select_related("preference").get()
    assert response["Location"] == reverse("store", args=[store.pk])
    assert (store.owner, store.name, store.base_url, store.time_zone, store.location_ids) == (
        merchant.user,  # type: ignore[attr-defined]
        "Acme",
        shop.base_url,
        "Asia/Tokyo",
        [],
    )
    assert (store.preference.timing, store.preference.number_source, store.preference.confirmed_at) == (
        "after_dispatch",
        "default",
        None,
    )
    page = text_of(merchant.get(response["Location"]))
    assert "Acme is connected." in page
    assert "after dispatch, usual number; not confirmed yet" in page
    assert "no mail leaves to a customer before you have saved it once" in page


def test_each_result_of_the_check_is_named(merchant: Client, pretend: PretendShopify) -> None:
    shop = pretend.shop(customers_hidden=True)
    shop.add_order()  # of a shop without any order nobody can tell
    merchant.post(CONNECT, typed(shop))

    page = merchant.get(reverse("store", args=[Store.objects.get().pk]))

    assert checks_of(page.context["lines"]) == {
        "Shop": "good",
        "read_orders": "good",
        "write_merchant_managed_fulfillment_orders": "good",
        "read_locations": "good",
        "write_third_party_fulfillment_orders": "good",
        "write_assigned_fulfillment_orders": "good",
        "read_all_orders": "note",
        "Locations": "good",
        "Customers' e-mail addresses": "note",
        "Time zone": "good",
    }
    assert "Shopify hides them from us, so we cannot write to your customers" in text_of(page)


def test_with_several_locations_we_ask_which_and_nothing_is_saved_before(
    merchant: Client, pretend: PretendShopify
) -> None:
    shop = pretend.shop(locations=["Berlin", "Lyon", {"name": "Other 3PL", "service": "Other", "ours": False}])

    first = merchant.post(CONNECT, typed(shop))
    saved_after_the_first_step = Store.objects.count()
    asked = [label for _, label in first.context["form"].fields["locations"].choices]
    none = merchant.post(CONNECT, {"step": "locations", "sealed": sealed_in(first)})
    done = merchant.post(
        CONNECT, {"step": "locations", "sealed": sealed_in(none), "locations": [shop.locations["Lyon"]]}
    )

    store = Store.objects.get()
    assert (first.status_code, saved_after_the_first_step, asked) == (200, 0, ["Berlin", "Lyon"])
    assert errors_of(none) == {
        "locations": ["Choose at least one location: numbers are sent for items that lie there."]
    }
    assert done["Location"] == reverse("store", args=[store.pk])
    assert store.location_ids == [shop.locations["Lyon"]]
    assert "We ship from Lyon." in text_of(merchant.get(done["Location"]))


def test_pressed_twice_one_store_is_made_and_shown(merchant: Client, pretend: PretendShopify) -> None:
    shop = pretend.shop()

    answers = [merchant.post(CONNECT, typed(shop)) for _ in range(2)]

    page = reverse("store", args=[Store.objects.get().pk])
    assert [answer["Location"] for answer in answers] == [page, page]


def test_the_second_step_pressed_twice_makes_one_store_too(merchant: Client, pretend: PretendShopify) -> None:
    shop = pretend.shop(locations=["Berlin", "Lyon"])
    first = merchant.post(CONNECT, typed(shop))
    chosen = {"step": "locations", "sealed": sealed_in(first), "locations": [shop.locations["Lyon"]]}

    answers = [merchant.post(CONNECT, chosen) for _ in range(2)]

    page = reverse("store", args=[Store.objects.get().pk])
    assert [answer["Location"] for answer in answers] == [page, page]


# --- Nothing half-saved ----------------------------------------------------------------------------------------


def the_token_is_wrong(shop: Shop) -> dict[str, str]:
    return {"access_token": SECRET}


def the_client_secret_is_wrong(shop: Shop) -> dict[str, str]:
    return {"access_token": "", "client_id": shop.client_id, "client_secret": SECRET}


def the_shop_does_not_exist(shop: Shop) -> dict[str, str]:
    return {"base_url": shop.base_url + "-of-nobody"}


def the_name_is_no_shops_name(shop: Shop) -> dict[str, str]:
    return {"base_url": "acme!.myshopify.com"}


def the_address_is_the_shops_own_domain(shop: Shop) -> dict[str, str]:
    return {"base_url": "www.acme-mugs.com"}


def the_address_is_private(shop: Shop) -> dict[str, str]:
    return {"base_url": "https://192.168.1.10"}


def the_address_is_loopback(shop: Shop) -> dict[str, str]:
    return {"base_url": "https://[::1]/"}


def the_address_is_plain_http(shop: Shop) -> dict[str, str]:
    return {"base_url": "http://acme.myshopify.com"}


def the_address_holds_a_password(shop: Shop) -> dict[str, str]:
    return {"base_url": f"https://user:{SECRET}@acme.myshopify.com"}


def there_is_no_access(shop: Shop) -> dict[str, str]:
    return {"access_token": ""}


def half_of_the_access_is_missing(shop: Shop) -> dict[str, str]:
    return {"access_token": "", "client_id": shop.client_id}


def both_ways_are_filled_in(shop: Shop) -> dict[str, str]:
    return dict(shop.client_credentials)


def the_name_is_empty(shop: Shop) -> dict[str, str]:
    return {"name": "  "}


def the_shop_is_frozen(shop: Shop) -> dict[str, str]:
    shop.fault("402")
    return {}


def the_store_is_down(shop: Shop) -> dict[str, str]:
    shop.fault("503")
    return {}


MYSHOPIFY = (
    "Type the shop's Shopify name, as in your-shop.myshopify.com. In Shopify it is under Settings, then Domains."
)
REFUSED = (
    "Shopify refused this access. Copy it again, whole and without spaces, and look whether the app is installed in "
    "this very shop."
)


@pytest.mark.parametrize(
    "what, field, says",
    [
        (the_token_is_wrong, "access_token", REFUSED),
        (the_client_secret_is_wrong, "client_secret", REFUSED),
        (the_shop_does_not_exist, "base_url", "Shopify has no shop at this address. Look at its spelling."),
        (
            the_name_is_no_shops_name,
            "base_url",
            f"“acme!.myshopify.com” does not do as the shop's address: no shop can have this name. {MYSHOPIFY}",
        ),
        (
            the_address_is_the_shops_own_domain,
            "base_url",
            "“www.acme-mugs.com” does not do as the shop's address: it is the shop's own domain, under which it does "
            f"not talk to apps. {MYSHOPIFY}",
        ),
        (
            the_address_is_private,
            "base_url",
            "“192.168.1.10” does not do as the shop's address: it lies in a private network, which we cannot reach and "
            f"do not call. {MYSHOPIFY}",
        ),
        (
            the_address_is_loopback,
            "base_url",
            "“[::1]” does not do as the shop's address: it lies in a private network, which we cannot reach and do not "
            f"call. {MYSHOPIFY}",
        ),
        (
            the_address_is_plain_http,
            "base_url",
            "“acme.myshopify.com” does not do as the shop's address: it is plain http:, where anybody on the way could "
            "read your access data. Type it with https:// or leave that out.",
        ),
        (
            the_address_holds_a_password,
            "base_url",
            "This does not do as the shop's address: it holds a user name or a password, which belong into the fields "
            "below.",
        ),
        (there_is_no_access, "client_id", "Fill this in; without it we cannot get in."),
        (half_of_the_access_is_missing, "client_secret", "Both belong together. Fill this in, too."),
        (
            both_ways_are_filled_in,
            "access_token",
            "Fill in one of the two ways, and leave the other one empty.",
        ),
        (the_name_is_empty, "name", "This field is required."),
        (
            the_shop_is_frozen,
            "__all__",
            "Shopify says that the shop is locked or not paid for. Open it there, then try again.",
        ),
        (
            the_store_is_down,
            "__all__",
            "The store answered with an error of its own (503). Nothing was saved; try again in a minute.",
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_cannot_be_connected_is_told_at_its_field_and_nothing_is_kept(
    what: Any, field: str, says: str, merchant: Client, pretend: PretendShopify
) -> None:
    shop = pretend.shop()

    response = merchant.post(CONNECT, typed(shop) | what(shop))

    assert errors_of(response) == {field: [says]}
    assert not Store.objects.exists()
    # What was typed as the address is shown again as it was; a secret never is.
    shown = response.content.decode().replace(response.context["form"]["base_url"].as_widget(), "")
    assert SECRET not in shown
    assert shop.token not in shown


def test_a_missing_scope_is_named_and_the_access_need_not_be_typed_again(
    merchant: Client, pretend: PretendShopify
) -> None:
    shop = pretend.shop(scopes=["read_orders", "read_locations"])

    refused = merchant.post(CONNECT, typed(shop))
    saved = Store.objects.count()
    shop.settings(scopes=["read_orders", "read_locations", "write_merchant_managed_fulfillment_orders"])
    again = merchant.post(CONNECT, typed(shop, access_token="") | {"sealed": sealed_in(refused)})

    assert checks_of(refused.context["refused"].lines) == {
        "read_orders": "good",
        "write_merchant_managed_fulfillment_orders": "bad",
        "read_locations": "good",
    }
    assert "We need it to mark items as fulfilled and write the tracking number beside them." in text_of(refused)
    assert saved == 0
    assert shop.token not in refused.content.decode()
    assert again["Location"] == reverse("store", args=[Store.objects.get().pk])
    assert dict(Store.objects.get().credentials) == shop.credentials


def test_a_shop_of_my_own_that_is_connected_is_shown_to_me(merchant: Client, pretend: PretendShopify) -> None:
    shop = pretend.shop()
    three_days_ago = timezone.now() - timedelta(days=3)
    store = factories.a_store_in(shop, merchant.user, created_at=three_days_ago)  # type: ignore[attr-defined]
    before = Store.objects.values().get()

    response = merchant.post(CONNECT, typed(shop, access_token=SECRET), follow=True)

    assert response.redirect_chain == [(reverse("store", args=[store.pk]), 302)]
    assert f"You have connected this shop already: it is {store.name}." in text_of(response)
    assert Store.objects.values().get() == before


def test_a_shop_that_is_somebody_elses_is_refused_and_whose_it_is_is_not_told(
    merchant: Client, pretend: PretendShopify
) -> None:
    shop = pretend.shop()
    factories.a_store_in(shop, factories.a_user(), created_at=timezone.now() - timedelta(days=3))

    response = merchant.post(CONNECT, typed(shop, access_token=SECRET))

    assert errors_of(response) == {"base_url": ["This shop is connected already."]}
    assert Store.objects.count() == 1


# --- The seal between two steps ---------------------------------------------------------------------------------


def sealed_by(user_id: int, shop: Shop, purpose: str = "access shopify new") -> str:
    content = {"name": "Acme", "base_url": shop.base_url, "credentials": shop.credentials}
    return sealing.seal(content, user_id=user_id, purpose=purpose)


def test_a_seal_serves_only_who_and_what_it_was_made_for(merchant: Client, pretend: PretendShopify) -> None:
    shop, other = pretend.shop(), pretend.shop()
    me, stranger = merchant.user.pk, factories.a_user().pk  # type: ignore[attr-defined]
    without = typed(shop, access_token="")

    told = {
        "a stranger's": merchant.post(CONNECT, without | {"sealed": sealed_by(stranger, shop)}),
        "of another step": merchant.post(CONNECT, without | {"sealed": sealed_by(me, shop, "locations shopify new")}),
        "altered": merchant.post(CONNECT, without | {"sealed": sealed_by(me, shop)[:-2]}),
        "of another shop": merchant.post(CONNECT, without | {"sealed": sealed_by(me, other)}),
    }

    missing = {"client_id": ["Fill this in; without it we cannot get in."]}
    assert {what: errors_of(response) for what, response in told.items()} == {
        "a stranger's": missing,
        "of another step": missing,
        "altered": missing,
        "of another shop": {"base_url": ["For another shop, type its access data, too."]},
    }
    assert not Store.objects.exists()


def test_an_old_seal_leads_back_to_the_beginning(
    merchant: Client, pretend: PretendShopify, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = merchant.post(CONNECT, typed(pretend.shop(locations=["Berlin", "Lyon"])))
    monkeypatch.setattr(sealing, "SECONDS", -1)

    late = merchant.post(CONNECT, {"step": "locations", "sealed": sealed_in(first), "locations": ["x"]}, follow=True)

    assert late.redirect_chain == [(CONNECT, 302)]
    assert "That took longer than a quarter of an hour, so nothing was kept." in text_of(late)
    assert not Store.objects.exists()


def test_no_page_of_the_forms_is_kept_by_a_browser(merchant: Client, pretend: PretendShopify) -> None:
    for page in (merchant.get(CONNECT), merchant.post(CONNECT, typed(pretend.shop(locations=["Berlin", "Lyon"])))):
        assert "no-store" in page["Cache-Control"]


def test_an_unknown_platform_is_not_there(merchant: Client) -> None:
    assert merchant.get("/stores/connect/fax/").status_code == 404


def test_every_platform_is_offered_and_how_to_tell_which_one_is_ones_own(merchant: Client) -> None:
    page = merchant.get(reverse("connect"))

    assert {guide.label: str(guide.known_by) in text_of(page) for guide in GUIDES.values()} == {
        "Shopify": True,
        "WooCommerce": True,
    }
    assert [merchant.get(reverse("connect_store", args=[platform])).status_code for platform in GUIDES] == [200, 200]


# --- Reconnecting ------------------------------------------------------------------------------------------------


def a_store_that_lost_its_access(merchant: Client, shop: Shop, **fields: Any) -> Store:
    store = factories.a_store_in(shop, merchant.user, **fields)  # type: ignore[attr-defined]
    Store.objects.filter(pk=store.pk).update(credentials={"access_token": "old"})
    disconnected(store.pk, StoreDisconnected(Code.TOKEN_REFUSED), factories.NOON)
    return store


def test_a_store_is_reconnected_with_new_access_to_the_same_shop(merchant: Client, shop: Shop) -> None:
    store = a_store_that_lost_its_access(merchant, shop)
    page = reverse("store_reconnect", args=[store.pk])

    shown = merchant.get(page)
    response = merchant.post(page, {"base_url": shop.base_url, "access_token": shop.token})

    store.refresh_from_db()
    assert shown.context["form"]["base_url"].value() == shop.base_url
    assert response["Location"] == reverse("store", args=[store.pk])
    assert (store.trouble, dict(store.credentials), "checked_at" in store.facts) == ("", shop.credentials, True)


def test_another_shop_and_access_that_does_not_work_replace_nothing(
    merchant: Client, shop: Shop, pretend: PretendShopify
) -> None:
    store, other = a_store_that_lost_its_access(merchant, shop, name="Acme"), pretend.shop()
    page = reverse("store_reconnect", args=[store.pk])

    elsewhere = merchant.post(page, {"base_url": other.base_url, "access_token": other.token})
    wrong = merchant.post(page, {"base_url": shop.base_url, "access_token": SECRET})

    store.refresh_from_db()
    assert errors_of(elsewhere) == {
        "base_url": [
            f"This is another shop than {shop.base_url}, and Acme's orders are not there. Connect the other shop as "
            "a store of its own."
        ]
    }
    assert errors_of(wrong) == {"access_token": [REFUSED]}
    assert (store.trouble, dict(store.credentials)) == (Code.TOKEN_REFUSED, {"access_token": "old"})


def test_a_disconnected_shop_is_connected_again_as_a_new_store(merchant: Client, shop: Shop) -> None:
    old = factories.a_store_in(
        shop,
        merchant.user,  # type: ignore[attr-defined]
        name="Acme",
        disconnected_at=factories.NOON,
        disconnect_reason="merchant",
    )

    form = merchant.get(f"{CONNECT}?again={old.pk}").context["form"]
    strangers = merchant.get(f"{CONNECT}?again={factories.a_store().pk}")
    merchant.post(CONNECT, typed(shop))

    assert (form["name"].value(), form["base_url"].value()) == ("Acme", shop.base_url)
    assert strangers.status_code == 404
    assert Store.objects.connected().filter(base_url=shop.base_url).exclude(pk=old.pk).count() == 1
