"""Where numbers go in a store with several places, and its orders' mark: what is told, chosen, kept, written down."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orders.mail.switched_off import keep_word
from stores.models import Store
from stores.placing import ChangedMeanwhile, Placing, goes_to, placing_of, save
from tests import factories
from tests.stores.test_view_connect import errors_of, text_of

pytestmark = pytest.mark.django_db

ALL = ("shipment_tracking", "fulfillments", "plain")
FACTS = {"shop_name": "Mugs", "time_zone": "UTC", "statuses": ["processing", "completed"]}


@pytest.fixture
def merchant(client: Client) -> Client:
    """A merchant who is logged in; `merchant.user` is who."""
    client.user = factories.a_user("merchant@example.com")  # type: ignore[attr-defined]
    client.force_login(client.user)  # type: ignore[attr-defined]
    return client


def a_shop(owner: Any, *places: str, statuses: tuple[str, ...] = (), **fields: Any) -> Store:
    """A WooCommerce store in which the last check found these places."""
    facts = FACTS | {"places": list(places), "statuses": [*FACTS["statuses"], *statuses]}
    return factories.a_store(
        owner, platform="woocommerce", base_url="https://mugs.example", name="Mugs", facts=facts, **fields
    )


def page_of(store: Store) -> str:
    """The address of the form."""
    return reverse("store_places", args=[store.pk])


# --- What the store's page says -----------------------------------------------------------------------------------

OPEN = "It stays open; you complete it yourself."
MARKED = (
    "It is marked as completed. WooCommerce then writes to your customer by itself, unless you switched that off there."
)
LATER = "It stays as it is until the rest has its number, too."


@pytest.mark.parametrize(
    "places, fields, told",
    [
        (ALL, {}, ("the Shipment Tracking plugin", "the best that was found", "", MARKED, LATER)),
        (("plain",), {}, ("an order note", "the best that was found", "", MARKED, LATER)),
        (ALL, {"tracking_goes_to": "plain"}, ("an order note", "as you chose it", "", MARKED, LATER)),
        (
            ("plain",),
            {"tracking_goes_to": "fulfillments"},
            (
                "an order note",
                "the best that was found",
                "You chose WooCommerce's own fulfilments, which the shop no longer has.",
                MARKED,
                LATER,
            ),
        ),
        ((), {}, ("It is found at the next check of the connection.", "the best that was found", "", MARKED, LATER)),
        (
            ALL,
            {"completes_orders": False},
            ("the Shipment Tracking plugin", "the best that was found", "", OPEN, ""),
        ),
        (
            ALL,
            {"statuses": ("partial-shipped",)},
            (
                "the Shipment Tracking plugin",
                "the best that was found",
                "",
                MARKED,
                "It is marked as “Partial shipped” until the rest has its number, too.",
            ),
        ),
        (
            ALL,
            {"statuses": ("partial-shipped",), "completes_orders": False},
            ("the Shipment Tracking plugin", "the best that was found", "", OPEN, ""),
        ),
    ],
)
def test_the_stores_page_says_where_numbers_go_and_what_becomes_of_its_orders(
    places: tuple[str, ...], fields: dict[str, Any], told: tuple[str, ...], merchant: Client
) -> None:
    store = a_shop(merchant.user, *places, **fields)  # type: ignore[attr-defined]

    response = merchant.get(reverse("store", args=[store.pk]))

    said = response.context["placing"]
    assert (said.place, said.by_whom, said.missing, said.all_left, said.part_left) == told
    text = text_of(response)
    assert [sentence for sentence in told if sentence not in text and not (sentence == told[1] and not places)] == []


def test_a_merchant_who_switched_the_platforms_mail_off_is_not_told_that_it_goes(merchant: Client) -> None:
    user = merchant.user  # type: ignore[attr-defined]
    store = a_shop(user, *ALL)
    keep_word(store, is_off=True, actor=user, now=timezone.now())

    text = text_of(merchant.get(reverse("store", args=[store.pk])))

    assert "It is marked as completed. WooCommerce's own mail about it is switched off, as you said." in text
    assert MARKED not in text


def test_a_store_without_such_a_question_says_nothing_of_it(merchant: Client) -> None:
    store = factories.a_store(merchant.user)  # type: ignore[attr-defined]

    response = merchant.get(reverse("store", args=[store.pk]))

    assert response.context["placing"] is None
    assert "Numbers and orders in your shop" not in text_of(response)
    assert "There is nothing to choose here: in Shopify every number stands" in text_of(merchant.get(page_of(store)))
    assert merchant.post(page_of(store), {"seen": "/yes"}).status_code == 200
    store.refresh_from_db()
    assert store.completes_orders is True


# --- Choosing otherwise ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "places, offered",
    [
        (
            ALL,
            {
                "": "The best that is found: at present the Shipment Tracking plugin",
                "shipment_tracking": "The Shipment Tracking plugin",
                "fulfillments": "WooCommerce's own fulfilments",
                "plain": "An order note",
            },
        ),
        (
            ("fulfillments", "plain"),
            {
                "": "The best that is found: at present WooCommerce's own fulfilments",
                "fulfillments": "WooCommerce's own fulfilments",
                "plain": "An order note",
            },
        ),
        (("plain",), None),
        ((), None),
    ],
)
def test_only_places_that_were_found_are_offered(
    places: tuple[str, ...], offered: dict[str, str] | None, merchant: Client
) -> None:
    form = merchant.get(page_of(a_shop(merchant.user, *places))).context["form"]  # type: ignore[attr-defined]

    shown = dict(form.fields["tracking_goes_to"].choices) if "tracking_goes_to" in form.fields else None
    assert shown == offered


def test_what_is_chosen_is_kept_for_this_store_and_written_down(merchant: Client) -> None:
    store = a_shop(merchant.user, *ALL)  # type: ignore[attr-defined]
    other = factories.a_store(merchant.user, platform="woocommerce", base_url="https://other.example")  # type: ignore[attr-defined]

    response = merchant.post(page_of(store), {"tracking_goes_to": "plain", "seen": "/yes"})

    assert response["Location"] == reverse("store", args=[store.pk])
    assert list(Store.objects.order_by("pk").values_list("pk", "tracking_goes_to", "completes_orders")) == [
        (store.pk, "plain", False),
        (other.pk, "", True),
    ]
    assert list(LogEntry.objects.values_list("user__email", "object_id", "change_message")) == [
        (
            "merchant@example.com",
            str(store.pk),
            "Numbers go to: the best → plain; orders are completed: yes → no.",
        )
    ]
    assert "Saved for Mugs." in text_of(merchant.get(response["Location"]))


def test_a_place_that_was_not_found_is_refused(merchant: Client) -> None:
    store = a_shop(merchant.user, "fulfillments", "plain")  # type: ignore[attr-defined]

    response = merchant.post(page_of(store), {"tracking_goes_to": "shipment_tracking", "seen": "/yes"})

    assert errors_of(response) == {"tracking_goes_to": ["This place was not found in your shop. Choose one of these."]}
    store.refresh_from_db()
    assert placing_of(store) == Placing("", True)


def test_a_page_left_open_undoes_nothing(merchant: Client) -> None:
    store = a_shop(merchant.user, *ALL, tracking_goes_to="fulfillments", completes_orders=False)  # type: ignore[attr-defined]

    response = merchant.post(page_of(store), {"tracking_goes_to": "plain", "seen": "/yes"}, follow=True)

    assert "Somebody saved another choice meanwhile, so nothing was saved now." in text_of(response)
    store.refresh_from_db()
    assert placing_of(store) == Placing("fulfillments", False)
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("seen", ["", "nonsense", "/maybe"])
def test_what_the_person_saw_has_to_be_told(seen: str, merchant: Client) -> None:
    store = a_shop(merchant.user, *ALL)  # type: ignore[attr-defined]

    response = merchant.post(page_of(store), {"tracking_goes_to": "plain", "seen": seen})

    assert response.status_code == 200
    store.refresh_from_db()
    assert placing_of(store) == Placing("", True)


def test_where_one_place_was_found_the_mark_alone_is_chosen(merchant: Client) -> None:
    store = a_shop(merchant.user, "plain", tracking_goes_to="fulfillments")  # type: ignore[attr-defined]

    merchant.post(page_of(store), {"tracking_goes_to": "shipment_tracking", "seen": "fulfillments/yes"})

    store.refresh_from_db()
    assert (placing_of(store), goes_to(store)) == (Placing("fulfillments", False), "plain")


def test_of_two_who_save_at_once_one_is_told(merchant: Client) -> None:
    store, user = a_shop(merchant.user, *ALL), merchant.user  # type: ignore[attr-defined]
    seen = placing_of(store)

    save(store, Placing("plain", True), seen=seen, actor=user)
    with pytest.raises(ChangedMeanwhile):
        save(store, Placing("fulfillments", True), seen=seen, actor=user)
    save(store, Placing("", True), seen=Placing("", True), actor=user)  # nothing to change is nothing to keep
    with pytest.raises(ValueError, match="not among the places"):
        save(store, Placing("elsewhere", True), seen=placing_of(Store.objects.get()), actor=user)

    store.refresh_from_db()
    assert (placing_of(store), LogEntry.objects.count()) == (Placing("plain", True), 1)
