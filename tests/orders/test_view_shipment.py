"""One parcel's page: it says what explain() says, what to do about it, and does it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orders import changes, plan
from orders.models import Order, Shipment, SyncAttempt, TrackingSync
from orders.views.shipment.words import Withdrawal, withdrawal
from orders.wording import explain, in_front
from stores.choices import NumberSource
from stores.models import Store, SyncPreference
from tests import factories
from tests.orders.admin_cast import a_planned_shipment, a_shown_shipment, logged_in, messages_of, row_of
from tests.orders.pushing import a_parcel, an_order_in, live, push, stands
from tests.storefronts.client import Shop

pytestmark = pytest.mark.django_db

YT1, YT2 = "YT2600000000000001", "YT2600000000000002"


def page(shipment: Shipment, client: Client | None = None) -> Any:
    client = client or logged_in(shipment.order.store.owner)
    return client.get(reverse("shipment", args=[shipment.pk]))


def text_of(answer: Any, start: str = "<main", end: str = "</main>") -> str:
    """What a person reads on the page."""
    html = answer.content.decode()
    inside = html[html.index(start) : html.index(end)]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", inside)).split())


def act(shipment: Shipment, name: str, **data: Any) -> Any:
    client = logged_in(shipment.order.store.owner)
    return client.post(reverse(name, args=[shipment.pk]), data, follow=True)


# --- what the page says: the words of the table ----------------------------------------------------------


def nothing(shipment: Shipment) -> None:
    pass


def it_is_dispatched(shipment: Shipment) -> None:
    now = timezone.now()
    changes.mark_dispatched([shipment.pk], now, now=now)


def its_order_is_not_paid(shipment: Shipment) -> None:
    Order.objects.update(paid_at=None)


def its_order_is_cancelled(shipment: Shipment) -> None:
    Order.objects.update(cancelled_at=factories.NOON)


def its_order_is_older_than_the_store(shipment: Shipment) -> None:
    Store.objects.update(sync_from=timezone.now())


def its_method_is_not_known(shipment: Shipment) -> None:
    Shipment.objects.update(shipping_method=None)


def it_goes_by_our_own_number(shipment: Shipment) -> None:
    Shipment.objects.update(shipping_method=factories.an_own_method())


def the_store_wants_the_carriers_number(shipment: Shipment) -> None:
    SyncPreference.objects.update(number_source=NumberSource.LOCAL)


def its_number_is_taken_away(shipment: Shipment) -> None:
    changes.remove_number(shipment.pk, "local", now=timezone.now())


def it_is_given_up(shipment: Shipment) -> None:
    changes.give_up([shipment.pk], now=timezone.now(), why="lost")


def the_store_is_paused(shipment: Shipment) -> None:
    it_is_dispatched(shipment)
    Store.objects.update(is_paused=True)


def the_store_does_not_let_us_in(shipment: Shipment) -> None:
    it_is_dispatched(shipment)
    Store.objects.update(trouble="token_refused", trouble_since=factories.NOON)


def the_store_is_busy(shipment: Shipment) -> None:
    it_is_dispatched(shipment)
    later = timezone.now() + timedelta(hours=1)
    Store.objects.update(trouble="throttled", trouble_since=factories.NOON, resume_at=later)


def the_store_has_a_delay(shipment: Shipment) -> None:
    it_is_dispatched(shipment)
    Order.objects.update(paid_at=timezone.now())
    SyncPreference.objects.update(delay_hours=48)


def it_needs(reason: str, **values: Any) -> Callable[[Shipment], None]:
    def happens(shipment: Shipment) -> None:
        it_is_dispatched(shipment)
        TrackingSync.objects.update(state="attention", reason=reason, reason_values=values, due_at=None, due_since=None)

    happens.__name__ = f"it needs a person: {reason}"
    return happens


READY = f"The number {YT1} is ready, but the parcel is still with us, and the store asked for it after dispatch."


@pytest.mark.parametrize(
    "happens, says, who, button",
    [
        (nothing, READY, "We do", "Change the choice"),
        (it_is_dispatched, "It is next on its way to the store.", "Nobody", None),
        (its_order_is_not_paid, "The payment for this order has not been booked.", "You", None),
        (
            its_order_is_cancelled,
            "The order was cancelled, fully refunded or thrown away on 2 Mar 2026, 12:00 (UTC), so no number is sent.",
            "Nobody",
            None,
        ),
        (its_order_is_older_than_the_store, None, "You", "Move the start date"),
        (its_method_is_not_known, None, "We do", None),
        (it_goes_by_our_own_number, None, "We do", "Change the choice"),
        (the_store_wants_the_carriers_number, READY, "We do", "Change the choice"),
        (its_number_is_taken_away, "The carrier has not given its number yet.", "The carrier", None),
        (it_is_given_up, "Sending this number was given up.", "You", "Try again"),
        (
            the_store_is_paused,
            "Blue Mug is paused: its orders are still looked up, but nothing is sent to it.",
            "You",
            "Resume the store",
        ),
        (the_store_does_not_let_us_in, "The store no longer accepts our access.", "You", "Reconnect"),
        (the_store_is_busy, None, "Nobody", None),
        (the_store_has_a_delay, None, "Nobody", "Change the choice"),
        (
            it_needs("other_number_there", there="RR1"),
            "The store shows another number already, RR1, that is none of ours. It was not overwritten.",
            "You",
            "Open the order in Shopify",
        ),
        (it_needs("other_location", location="Berlin"), None, "You", "Open the order in Shopify"),
        (
            it_needs("on_hold", holds=["Fraud"]),
            "Shopify keeps this order on hold: Fraud.",
            "You",
            "Open the order in Shopify",
        ),
        (it_needs("fulfillment_cancelled"), None, "You", "Try again"),
        (it_needs("refused", field="company"), None, "We do", "Try again"),
        (it_needs("unexpected"), None, "We do", "Try again"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_the_page_says_what_explain_says_and_offers_the_button_that_helps(
    happens: Callable[[Shipment], None], says: str | None, who: str, button: str | None
) -> None:
    store = factories.a_store(name="Blue Mug")
    shipment = a_planned_shipment(factories.an_order(store, number="#1001"), local=YT1)
    happens(shipment)
    if not TrackingSync.objects.filter(state="attention").exists():
        plan.plan([shipment.pk], timezone.now())

    answer = page(shipment)

    planable = plan.facts_of([shipment.pk])[shipment.pk]
    explanation = explain(planable, timezone.now(), ahead=in_front(planable.row))
    shown = re.search(r'<p class="headline">(.*?)</p>', answer.content.decode())
    assert unescape(shown.group(1)) == explanation.headline
    assert says in (None, explanation.headline)
    assert answer.context["remedy"].who == who
    assert (answer.context["button"].label if answer.context["button"] else None) == button


def test_a_number_in_the_store_is_said_to_be_there_with_the_time_of_the_look() -> None:
    store = factories.a_store(name="Blue Mug", time_zone="America/New_York")
    shipment = a_shown_shipment(store)
    TrackingSync.objects.update(checked_at=factories.NOON)

    read = text_of(page(shipment))

    assert f"It is there: Blue Mug showed {YT1} on 2 Mar 2026, 07:00 (EST), when we last looked." in read
    assert "Checked 2 Mar 2026, 07:00 (EST)" in read


def test_the_rule_behind_the_number_is_told_also_while_the_parcel_waits() -> None:
    order = factories.an_order(factories.a_store())
    own = a_planned_shipment(order, method=factories.an_own_method(), own="CJP1", local=YT1)
    other = a_planned_shipment(order, parcel=2, local=YT2)

    assert page(own).context["why_this_number"] == [
        "Our own number, as the store shows the usual number and CJPacket Ordinary goes by ours."
    ]
    assert page(other).context["why_this_number"] == [
        "The carrier's number, as the store shows the usual number and YunExpress goes by the carrier's."
    ]


def test_a_kind_that_was_sent_before_is_told_beside_the_choice_of_today() -> None:
    shipment = a_shown_shipment()
    Shipment.objects.update(shipping_method=factories.an_own_method())

    assert page(shipment).context["why_this_number"] == [
        "The carrier's number, as this store was sent that kind for this parcel before, and a later choice does not "
        "change it.",
        "By today's choice: Our own number, as the store shows the usual number and CJPacket Ordinary goes by ours.",
    ]


def test_every_number_it_ever_had_is_listed_with_its_carrier_and_link() -> None:
    shipment = a_planned_shipment(local=YT1)
    changes.set_number(shipment.pk, "local", YT2, factories.a_carrier("dhl"), now=factories.NOON, why="new label")

    numbers = page(shipment).context["numbers"]

    assert [(n.value, n.kind, n.carrier, n.link, n.replaced, n.why) for n in numbers] == [
        (YT2, "The carrier's number", "Dhl", f"https://dhl.example/track?n={YT2}", "", ""),
        (
            YT1,
            "The carrier's number",
            "YunExpress",
            numbers[1].link,
            "2 Mar 2026, 12:00 (UTC)",
            "new label",
        ),
    ]


def test_the_timeline_is_told_to_the_second_in_the_stores_zone_and_names_no_staff() -> None:
    anna = factories.a_user("anna@house.example", first_name="Anna", is_staff=True)
    store = factories.a_store(time_zone="Asia/Tokyo")
    shipment = a_shown_shipment(store)
    for outcome, reason, actor, message in (
        ("try_again_later", "on_hold", None, "held for review"),
        ("by_hand", "tried_again", anna, ""),
        ("by_hand", "gave_up", store.owner, "lost"),
        ("created", "", None, ""),
    ):
        SyncAttempt.objects.create(
            sync=shipment.sync,
            at=factories.NOON + timedelta(seconds=7),
            number=shipment.numbers.get(),
            outcome=outcome,
            reason=reason,
            message=message,
            actor=actor,
            preference_version=1,
        )

    answer = page(shipment)

    lines = answer.context["timeline"]
    assert {line.at for line in lines} == {"2 Mar 2026, 21:00:07 (JST)"}
    assert [(line.who, line.said, line.words, line.tone) for line in lines] == [
        ("TrackSync", f"The store shows {YT1} now.", "", "good"),
        ("You", "Gave up sending the number.", "lost", ""),
        ("Our staff", "Asked for another try.", "", ""),
        ("TrackSync", "It has to wait. Shopify keeps this order on hold.", "held for review", "busy"),
    ]
    assert "anna" not in answer.content.decode().lower()


@pytest.mark.parametrize(
    "dispatched, shown, cancelled, said, gives_number",
    [
        (False, False, False, "your order #1001 is being prepared.", False),
        (True, False, False, "your order #1001 left us on 2 March 2026.", True),
        (False, True, False, "your order #1001 is being packed.", True),
        (True, True, False, "your order #1001 left us on 2 March 2026.", True),
        (True, True, True, "your order #1001 was cancelled or refunded on 2 March 2026.", False),
    ],
)
def test_the_answer_for_a_customer_never_says_more_than_is_so(
    dispatched: bool, shown: bool, cancelled: bool, said: str, gives_number: bool
) -> None:
    order = factories.an_order(factories.a_store(name="Blue Mug"), number="#1001", customer_name="Jane Doe")
    shipment = a_planned_shipment(order, local=YT1, dispatched_at=factories.NOON if dispatched else None)
    if shown:
        number = shipment.numbers.get()
        TrackingSync.objects.update(shown=number, wanted=number, state="synced", due_at=None, due_since=None)
    if cancelled:
        Order.objects.update(cancelled_at=factories.NOON)

    answer = page(shipment).context["answer"]

    paragraphs = answer.split("\n\n")
    assert (paragraphs[0], paragraphs[1], paragraphs[-1]) == ("Hello Jane,", said, "Blue Mug")
    assert (YT1 in answer) is gives_number


# --- what its buttons do ---------------------------------------------------------------------------------


def test_a_parcel_that_left_without_the_number_its_store_wants_gives_the_customer_none() -> None:
    store = factories.a_store(number_source=NumberSource.LOCAL)
    shipment = a_planned_shipment(factories.an_order(store), own="CJP1", local="", dispatched_at=factories.NOON)

    answer = page(shipment).context["answer"]

    assert "Its tracking number is not ready yet. You will get it as soon as it is." in answer
    assert "CJP1" not in answer


def test_look_again_says_what_the_store_shows_now(shop: Shop) -> None:
    store = factories.a_store_in(shop, name="Blue Mug")
    shipment = a_parcel(an_order_in(shop, store), YT1)
    push(store)

    there = act(shipment, "shipment_look")
    (fulfillment,) = shop.book()["orders"][0]["fulfillments"]
    shop.cancel_fulfillment(fulfillment["id"])
    gone = act(shipment, "shipment_look")

    assert re.fullmatch(r"We looked at \d\d:\d\d \(UTC\): Blue Mug shows YT2600000000000001\.", messages_of(there)[0])
    assert messages_of(gone)[0].endswith(
        "Somebody took back what we had written in Shopify, so the number is no longer there."
    )
    assert gone.context["explanation"].headline == (
        "Somebody took back what we had written in Shopify, so the number is no longer there."
    )
    assert gone.context["button"].label == "Try again"


def test_try_again_puts_back_what_was_cancelled_there(shop: Shop) -> None:
    store = factories.a_store_in(shop)
    shipment = a_parcel(an_order_in(shop, store), YT1)
    push(store)
    (fulfillment,) = shop.book()["orders"][0]["fulfillments"]
    shop.cancel_fulfillment(fulfillment["id"])
    act(shipment, "shipment_look")

    answer = act(shipment, "shipment_try_again")
    push(store)

    assert messages_of(answer) == ["It is tried again now. Reload this page in a moment to see what came of it."]
    assert (stands(shipment), live(shop)[-1]) == (("synced", "", "", YT1), ([YT1], 2))


def test_another_try_of_what_is_in_the_store_changes_nothing() -> None:
    shipment = a_shown_shipment()

    answer = act(shipment, "shipment_try_again")

    assert messages_of(answer) == ["There was nothing to try again: it is in the store already, or waits."]
    assert row_of(shipment).state == "synced"


def test_a_merchant_cancels_the_fulfillment_in_their_own_store_after_a_question(shop: Shop) -> None:
    store = factories.a_store_in(shop, name="Blue Mug")
    shipment = a_parcel(an_order_in(shop, store), YT1)
    push(store)
    client = logged_in(store.owner)

    question = client.get(reverse("shipment_cancel", args=[shipment.pk]))
    asked = live(shop)
    answer = act(shipment, "shipment_cancel")

    assert "the items of this parcel of order #1001 become unfulfilled again" in text_of(question)
    assert (asked, live(shop)) == ([([YT1], 2)], [])
    assert messages_of(answer) == [
        "The fulfillment is cancelled in the store. Nothing is sent for this parcel until you try again."
    ]
    assert stands(shipment)[:2] == ("waiting", "withdrawn")


@pytest.mark.parametrize(
    "platform, words",
    [
        (
            "shopify",
            Withdrawal(
                "Cancel the fulfillment in the store",
                "In Blue Mug, the items of this parcel of order #1001 become unfulfilled again, and YT1 is gone from "
                "there. The store may tell the customer.",
                "Yes, cancel the fulfillment",
                "The fulfillment is cancelled in the store. Nothing is sent for this parcel until you try again.",
            ),
        ),
        (
            "woocommerce",
            Withdrawal(
                "Take the number back out of the store",
                "In Blue Mug, YT1 is gone from order #1001 afterwards. The order keeps its status: if it was marked as "
                "completed, set it back there yourself.",
                "Yes, take it out",
                "The number is gone from the store. Nothing is sent for this parcel until you try again.",
            ),
        ),
    ],
)
def test_taking_a_number_back_is_called_what_it_does_on_that_platform(platform: str, words: Withdrawal) -> None:
    assert withdrawal(Store(name="Blue Mug", platform=platform), "#1001", "YT1") == words


def test_what_cannot_be_cancelled_says_why_and_has_no_button() -> None:
    shipment = a_shown_shipment(adopted=True)

    answer = logged_in(shipment.order.store.owner).get(reverse("shipment_cancel", args=[shipment.pk]))

    assert "The fulfillment was made in the store and not by us; it can be cancelled only there." in text_of(answer)
    assert "Yes, cancel" not in text_of(answer)


# --- who may, and the house's rules ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, method",
    [
        ("shipment", "get"),
        ("shipment_cancel", "get"),
        ("shipment_look", "post"),
        ("shipment_try_again", "post"),
        ("shipment_cancel", "post"),
    ],
)
def test_a_strangers_parcel_does_not_exist(name: str, method: str) -> None:
    shipment = a_shown_shipment()
    before = TrackingSync.objects.values().get()
    url = reverse(name, args=[shipment.pk])

    stranger = getattr(logged_in(factories.a_user()), method)(url)
    anonymous = getattr(Client(), method)(url)

    assert stranger.status_code == 404
    assert (anonymous.status_code, anonymous.url.partition("?")[0]) == (302, reverse("account_login"))
    assert (TrackingSync.objects.values().get(), SyncAttempt.objects.count()) == (before, 0)


@pytest.mark.parametrize("name", ["shipment_look", "shipment_try_again"])
def test_nothing_is_done_by_a_link(name: str) -> None:
    shipment = a_shown_shipment()

    assert logged_in(shipment.order.store.owner).get(reverse(name, args=[shipment.pk])).status_code == 405


@pytest.mark.parametrize("make", [a_planned_shipment, a_shown_shipment, lambda: a_planned_shipment(local="")])
def test_no_page_shows_a_gap(make: Callable[[], Shipment]) -> None:
    shipment = make()

    html = page(shipment).content.decode()

    assert [gap for gap in ("${", "{{", "{%", "None", "style=") if gap in html] == []


def test_the_page_costs_the_same_for_one_parcel_and_three(django_assert_num_queries: Any) -> None:
    store = factories.a_store()
    order = factories.an_order(store)
    client = logged_in(store.owner)
    shipments = [a_planned_shipment(order, parcel=n, local=f"YT260000000000000{n}") for n in (1, 2, 3)]
    alone = a_planned_shipment(factories.an_order(store), local="YT2600000000000009")
    page(alone, client)

    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as one:
        page(alone, client)
    for n in range(5):
        changes.set_number(shipments[0].pk, "local", f"YT26000000000001{n}0", factories.a_carrier(), now=timezone.now())
        SyncAttempt.objects.create(
            sync=row_of(shipments[0]), at=timezone.now(), outcome="created", preference_version=1
        )
    with django_assert_num_queries(len(one)):
        page(shipments[0], client)
