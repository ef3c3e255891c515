"""The choice of a store: shown before it is saved, for that store alone, once."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import signing
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from orders import plan, sync
from orders.choices import NumberKind, SyncState
from orders.models import Shipment, TrackingSync
from orders.views.choice.binding import SALT, Seen, seal
from stores.choices import MailSender, NumberSource, Timing
from stores.models import PreferenceChange, Store
from stores.preferences import save_preference
from tests import factories
from tests.orders import pushing
from tests.orders.choosing import (
    AFTER_DEFAULT,
    BEFORE_LOCAL,
    choice_of,
    everything_of,
    logged_in,
    look,
    messages_of,
    page,
    save,
    seal_of,
)

pytestmark = pytest.mark.django_db


def a_waiting_parcel(store: Store, **fields: Any) -> Shipment:
    """A parcel with the carrier's number, paid and still with us, planned."""
    fields.setdefault("local", f"YT{store.orders.count():016}")
    shipment = factories.a_shipment(factories.an_order(store), **fields)
    plan.plan([shipment.pk], timezone.now())
    return shipment


def a_sent_parcel(store: Store) -> Shipment:
    """A parcel whose number the store shows."""
    shipment = a_waiting_parcel(store, dispatched_at=timezone.now() - timedelta(days=1))
    number = shipment.numbers.get()
    TrackingSync.objects.filter(shipment=shipment).update(
        shown=number, wanted=number, kind=number.kind, state=SyncState.SYNCED, due_at=None, due_since=None
    )
    return shipment


def plain(page_text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page_text)).strip()


# --- what the page says -----------------------------------------------------------------------------


def test_the_page_explains_both_questions_and_always_says_how_long_goods_may_take() -> None:
    store = factories.a_store(name="Ann's")
    text = plain(look(logged_in(store.owner), store, {}).content.decode())

    for sentence in (
        "1. When should a number go to your store?",
        "2. Which number should your customers see?",
        "goods that have to be got in first take 2 to 4 days before we can send them out",
        "Goods that have to be got in first take 2 to 4 days.",
        "Take this if you keep stock of your own in our warehouse",
        "Until it is there your store shows nothing for that parcel: we wait",
        "Only paid orders are sent; paid means that you have paid us.",
        "They stay as they are, whatever you choose.",
    ):
        assert sentence in text
    assert [word for word in ("${", "{{", "{%", "None") if word in text] == []


@pytest.mark.parametrize(
    "platform, completes, says",
    [
        (
            "shopify",
            True,
            (
                "your store shows it and marks those items as fulfilled. The parcel itself may still be",
                "Then the items are marked as fulfilled, and your customer hears of it.",
                "Your store's own notice, sent when the items are marked as fulfilled.",
                "and the order leaves your open list the same day.",
                "The number stands in your store, and your customers find it there.",
            ),
        ),
        (
            "woocommerce",
            True,
            (
                "with the last number of an order, the order is marked as completed.",
                "tells your customer then that the order is completed, perhaps days before the parcel leaves, unless "
                "you switched that off there. Leave orders open instead",
                "With the last parcel the order is marked as completed, and your customer hears of it.",
                "Your store's own mail, sent when the order is marked as completed.",
                "and the order leaves your open list the same day.",
                "The number stands in your store; its page here says where, and who sees it there.",
            ),
        ),
        (
            "woocommerce",
            False,
            (
                "The parcel itself may still be on our shelf, and the order stays open until you complete it.",
                "not earlier. The order stays open until you complete it.",
                "Your store's own mail, sent when you complete the order.",
                "The number stands in your store; its page here says where, and who sees it there.",
            ),
        ),
    ],
)
def test_what_becomes_of_the_order_is_told_as_the_platform_has_it(
    platform: str, completes: bool, says: tuple[str, ...]
) -> None:
    others = (
        "items as fulfilled",
        "items are marked as fulfilled",
        "marked as completed",
        "until you complete it",
        "open list",
    )
    store = factories.a_store(platform=platform, completes_orders=completes)

    text = html.unescape(plain(look(logged_in(store.owner), store, {}).content.decode()))

    assert [sentence for sentence in says if sentence not in text] == []
    assert [word for word in others if word in text and not any(word in sentence for sentence in says)] == []


def test_a_new_store_is_told_that_nothing_is_mailed_before_the_choice_is_saved_once() -> None:
    store = factories.a_store(confirmed_at=None)
    client = logged_in(store.owner)

    before = plain(look(client, store, {}).content.decode())
    save(client, store, AFTER_DEFAULT)
    after = plain(look(client, store, {}).content.decode())

    assert "Not confirmed yet" in before
    assert "No mail leaves to your customers until you have saved them once." in before
    assert "Not confirmed yet" not in after


def test_the_shipping_methods_of_the_store_come_first_with_the_reason_for_our_own_number() -> None:
    store = factories.a_store()
    a_waiting_parcel(store, method=factories.an_own_method())
    a_waiting_parcel(store, method=factories.a_method())

    methods = look(logged_in(store.owner), store, {}).context["methods"]

    assert [(row["name"], row["is_own"]) for row in methods["own"]] == [
        ("CJPacket Ordinary", True),
        ("YunExpress", False),
    ]
    assert ("CJPacket Asia Ordinary", False) in [(row["name"], row["is_own"]) for row in methods["others"]]


@pytest.mark.parametrize(
    "parcels, says",
    [(19, None), (20, "With your shipping methods the parcel left 1 to 4 days after the number (last 30 days).")],
)
def test_the_days_after_the_number_are_told_from_twenty_parcels_on(parcels: int, says: str | None) -> None:
    store = factories.a_store()
    now = timezone.now()
    for place in range(parcels):
        days = 1 if place < 15 else 4
        factories.a_shipment(
            factories.an_order(store),
            local=f"YT{place:016}",
            known_at=now - timedelta(days=days + 1),
            dispatched_at=now - timedelta(days=1),
        )

    text = plain(look(logged_in(store.owner), store, {}).content.decode())

    assert (re.search(r"With your shipping methods .*?\.", text) or [None])[0] == says


@pytest.mark.parametrize(
    "reads_customers, offered",
    [(True, ["tracksync", "store", "nobody"]), (False, ["store", "nobody"])],
)
def test_only_a_sender_that_the_store_can_have_is_offered(reads_customers: bool, offered: list[str]) -> None:
    store = factories.a_store(facts={"reads_customers": reads_customers})
    client = logged_in(store.owner)

    senders = look(client, store, {}).context["form"].senders
    refused = client.get(page(store), BEFORE_LOCAL | {"mail_sender": "tracksync"})

    assert [sender.value for sender in senders if not sender.why_not] == offered
    assert all(sender.why_not for sender in senders if sender.value not in offered)
    assert ("effect" in refused.context) == ("tracksync" in offered)


@pytest.mark.parametrize("hours, error", [("-1", "Enter 0 or more hours."), ("", "Enter a whole number of hours")])
def test_a_delay_that_makes_no_sense_is_refused_with_what_to_do(hours: str, error: str) -> None:
    store = factories.a_store()
    answer = logged_in(store.owner).get(page(store), BEFORE_LOCAL | {"delay_hours": hours})

    assert error in plain(answer.content.decode())
    assert "seal" not in answer.context


def test_examples_of_a_store_without_orders_are_marked_as_invented() -> None:
    store = factories.a_store()
    answer = look(logged_in(store.owner), store, BEFORE_LOCAL)

    assert answer.context["effect"].invented
    assert "Invented examples: no parcel of this store is waiting" in plain(answer.content.decode())
    assert [(each["order"], each["after"]) for each in answer.context["examples"]] == [
        ("#1001", "The carrier's number YT2600000000000001 goes out now."),
        (
            "#1002",
            "The carrier has not given its number yet. We have CJP2600000001, and do not send it in place of the "
            "carrier's.",
        ),
        ("#1003", "The carrier's number YT2600000000000001 goes out now."),
    ]


# --- what is shown is what is saved -----------------------------------------------------------------------


def test_the_effect_is_shown_before_anything_is_saved_and_told_again_after() -> None:
    store = factories.a_store(name="Ann's")
    waiting = [a_waiting_parcel(store) for _ in range(3)]
    a_sent_parcel(store)
    a_waiting_parcel(store, method=factories.an_own_method(), local="", own="CJP0000000001")
    client = logged_in(store.owner)

    shown = look(client, store, BEFORE_LOCAL)
    untouched = choice_of(store)
    saved = save(client, store, BEFORE_LOCAL)
    plan.replan(timezone.now())

    assert [(line.count, line.text) for line in shown.context["lines"]] == [
        (3, "go out now"),
        (1, "keep waiting"),
        (1, "already sent stay as they are"),
    ]
    assert len(shown.context["examples"]) == 4
    assert untouched == (Timing.AFTER_DISPATCH, NumberSource.DEFAULT, 0, MailSender.TRACKSYNC, 1)
    assert messages_of(saved) == ["Saved for Ann's. 3 numbers go out now; 1 already sent stays as it is."]
    assert choice_of(store) == (Timing.BEFORE_DISPATCH, NumberSource.LOCAL, 0, MailSender.TRACKSYNC, 2)
    states = dict(TrackingSync.objects.filter(store=store).values_list("shipment", "state"))
    assert [states[shipment.pk] for shipment in waiting] == [SyncState.DUE] * 3


def test_a_paused_store_is_told_that_its_numbers_wait_for_the_store() -> None:
    store = factories.a_store(name="Ann's", is_paused=True)
    a_waiting_parcel(store)
    client = logged_in(store.owner)

    shown, saved = look(client, store, BEFORE_LOCAL), save(client, store, BEFORE_LOCAL)

    assert shown.context["lines"][0].text == "go out as soon as the store can be sent to"
    assert messages_of(saved) == [
        "Saved for Ann's. 1 number goes out as soon as the store can be sent to; 0 already sent stay as they are."
    ]


def test_looking_without_javascript_leads_to_the_page_with_the_answers() -> None:
    store = factories.a_store()
    client = logged_in(store.owner)

    answer = client.post(page(store), BEFORE_LOCAL | {"act": "look"}, follow=True)

    assert answer.redirect_chain == [
        (f"{page(store)}?timing=before_dispatch&number_source=local&delay_hours=0&mail_sender=tracksync", 302)
    ]
    assert "effect" in answer.context
    assert choice_of(store)[-1] == 1


def test_answers_changed_after_the_look_are_shown_again_and_not_saved() -> None:
    store = factories.a_store()
    client = logged_in(store.owner)

    answer = save(client, store, BEFORE_LOCAL, delay_hours="48")

    assert choice_of(store)[-1] == 1
    assert messages_of(answer) == [
        "The answers are others than those whose effect was shown, so nothing is saved yet. Look again."
    ]
    assert answer.context["form"].cleaned_data["delay_hours"] == 48


def test_the_fragment_for_the_script_is_the_same_effect_without_the_page_around_it() -> None:
    store = factories.a_store()
    a_waiting_parcel(store)
    answer = logged_in(store.owner).get(page(store), BEFORE_LOCAL | {"fragment": "effect"})

    assert answer.content.decode().strip().startswith("<h2>What this changes</h2>")
    assert answer.context["effect"].due_now == 1
    assert "<html" not in answer.content.decode()


def test_pressing_save_twice_saves_once() -> None:
    store = factories.a_store()
    client = logged_in(store.owner)
    form = BEFORE_LOCAL | {"act": "save", "seal": seal_of(look(client, store, BEFORE_LOCAL))}

    first, second = client.post(page(store), form), client.post(page(store), form)

    assert first["Location"] == second["Location"] == f"{page(store)}?saved=2"
    assert PreferenceChange.objects.filter(preference_id=store.pk).count() == 1


def test_a_choice_changed_meanwhile_by_somebody_else_is_shown_and_not_overwritten() -> None:
    store = factories.a_store()
    client = logged_in(store.owner)
    form = BEFORE_LOCAL | {"act": "save", "seal": seal_of(look(client, store, BEFORE_LOCAL))}
    save_preference(store, actor=None, now=timezone.now(), delay_hours=24)

    answer = client.post(page(store), form, follow=True)

    assert choice_of(store) == (Timing.AFTER_DISPATCH, NumberSource.DEFAULT, 24, MailSender.TRACKSYNC, 2)
    assert messages_of(answer)[0].startswith("Somebody changed this store's choice meanwhile, so nothing was saved.")
    assert answer.context["answers"]["delay_hours"] == 24


# --- the store it was opened for ----------------------------------------------------------------------------


def test_a_choice_for_one_store_leaves_the_others_byte_for_byte_as_they_were() -> None:
    merchant = factories.a_user()
    store, sibling, stranger = factories.a_store(merchant), factories.a_store(merchant), factories.a_store()
    for each in (store, sibling, stranger):
        a_waiting_parcel(each)
        a_sent_parcel(each)
    before = [everything_of(sibling), everything_of(stranger)]

    save(logged_in(merchant), store, BEFORE_LOCAL)
    plan.replan(timezone.now())

    assert choice_of(store)[-1] == 2
    assert [everything_of(sibling), everything_of(stranger)] == before


def forged(store: Store, **fields: Any) -> str:
    seen = {"store": store.pk, "version": 1} | BEFORE_LOCAL | {"delay_hours": 0} | fields
    return signing.dumps(seen, key="another key that is not ours", salt=SALT)


@pytest.mark.parametrize(
    "what, make",
    [
        ("no seal", lambda store, sibling: ""),
        ("a seal of the merchant's other store", lambda store, sibling: sealed(sibling)),
        ("an altered seal", lambda store, sibling: sealed(store)[:-2] + "xx"),
        ("a seal made with another key", lambda store, sibling: forged(store)),
        ("a seal of another form", lambda store, sibling: signing.dumps({str(store.pk): 1}, salt=SALT)),
    ],
)
def test_a_save_that_is_not_bound_to_this_store_is_refused(what: str, make: Any) -> None:
    merchant = factories.a_user()
    store, sibling = factories.a_store(merchant), factories.a_store(merchant)
    before = [everything_of(store), everything_of(sibling)]

    answer = logged_in(merchant).post(page(store), BEFORE_LOCAL | {"act": "save", "seal": make(store, sibling)})

    assert answer.status_code == 400
    assert "so no store was changed" in plain(answer.content.decode())
    assert [everything_of(store), everything_of(sibling)] == before


def sealed(store: Store) -> str:
    return seal(Seen(store.pk, 1, "before_dispatch", "local", 0, "tracksync"))


def test_a_stranger_finds_no_page_and_saves_nothing_even_with_the_right_seal() -> None:
    store = factories.a_store()
    stranger = logged_in(factories.a_user())
    form = BEFORE_LOCAL | {"act": "save", "seal": sealed(store)}

    addresses = [reverse(name, args=[store.pk]) for name in ("choice", "choice_history", "choice_copy", "choice_sent")]

    assert [stranger.get(address).status_code for address in addresses] == [404] * 4
    assert stranger.post(page(store), form).status_code == 404
    assert choice_of(store)[-1] == 1


def test_without_a_store_nothing_can_be_set_and_the_reason_is_said() -> None:
    merchant = factories.a_user()
    factories.a_store(merchant, name="Ann's")
    client = logged_in(merchant)

    shown, refused = client.get(reverse("choice_pick")), client.post(reverse("choice_pick"), BEFORE_LOCAL)

    text = plain(shown.content.decode())
    assert shown.content.decode().count("<fieldset disabled") == 2
    assert "Select a store first. A choice is applied only to the store it is made for" in text
    assert "Ann's" in shown.content.decode().replace("&#x27;", "'")
    assert refused.status_code == 400
    assert "A choice is always for one store, and none was selected." in plain(refused.content.decode())


# --- what follows -----------------------------------------------------------------------------------------------


def test_the_progress_of_a_saved_choice_is_shown_until_every_row_follows_it() -> None:
    store = factories.a_store()
    for _ in range(3):
        a_waiting_parcel(store)
    client = logged_in(store.owner)

    running = save(client, store, BEFORE_LOCAL)
    fragment = client.get(page(store), {"fragment": "progress"})
    plan.replan(timezone.now())
    done = client.get(page(store), {"saved": "2"})

    assert (running.context["progress"].done, running.context["progress"].rows) == (0, 3)
    assert '<noscript><meta http-equiv="refresh"' in running.content.decode()
    assert "0 of 3 waiting parcels follow it already" in plain(fragment.content.decode())
    assert "Every waiting parcel follows your choice" in plain(done.content.decode())
    assert "http-equiv" not in done.content.decode()


def test_the_history_tells_who_when_from_and_to() -> None:
    merchant = factories.a_user("ann@example.com")
    store = factories.a_store(merchant, confirmed_at=None)
    save(logged_in(merchant), store, BEFORE_LOCAL | {"mail_sender": "nobody"})
    save_preference(store, actor=factories.a_user(is_staff=True), now=timezone.now(), delay_hours=24)

    answer = logged_in(merchant).get(reverse("choice_history", args=[store.pk]))

    assert [(change.who, change.lines) for change in answer.context["changes"]] == [
        ("Our staff", ["No delay after the payment → Not earlier than 24 hours after the payment"]),
        (
            "ann@example.com",
            [
                "After we have handed it over → Before we hand the parcel over",
                "The usual number for each shipping method → Always the carrier's number",
                "We write to your customers → Nobody writes to your customers",
                "Confirmed for the first time: mails to customers may go from here on.",
            ],
        ),
    ]


def test_a_choice_is_copied_to_the_ticked_stores_alone_with_the_effect_of_each() -> None:
    merchant = factories.a_user()
    store = factories.a_store(merchant, timing=Timing.BEFORE_DISPATCH, number_source=NumberSource.LOCAL)
    ticked = factories.a_store(merchant, name="Ticked", confirmed_at=None, mail_sender=MailSender.NOBODY)
    unticked, stranger = factories.a_store(merchant, name="Unticked"), factories.a_store()
    for each in (ticked, ticked, unticked):
        a_waiting_parcel(each)
    a_sent_parcel(ticked)
    before = [everything_of(each) for each in (store, unticked, stranger)]
    client = logged_in(merchant)
    address = reverse("choice_copy", args=[store.pk])

    shown = client.get(address)
    answer = client.post(address, {"seal": seal_of(shown), "store": [str(ticked.pk)]}, follow=True)

    assert {
        target.store.name: (target.effect.due_now, target.effect.already_sent) for target in shown.context["targets"]
    } == {"Ticked": (2, 1), "Unticked": (1, 0)}
    assert messages_of(answer) == ["Saved for Ticked. 2 numbers go out now; 1 already sent stays as it is."]
    assert choice_of(ticked) == (Timing.BEFORE_DISPATCH, NumberSource.LOCAL, 0, MailSender.NOBODY, 2)
    assert [everything_of(each) for each in (store, unticked, stranger)] == before


@pytest.mark.parametrize("what", ["stranger", "no seal", "nothing ticked", "changed meanwhile"])
def test_a_copy_that_cannot_be_meant_changes_nothing(what: str) -> None:
    merchant = factories.a_user()
    store, other, stranger = factories.a_store(merchant), factories.a_store(merchant), factories.a_store()
    client = logged_in(merchant)
    address = reverse("choice_copy", args=[store.pk])
    seal_ = seal_of(client.get(address))
    if what == "changed meanwhile":
        save_preference(other, actor=None, now=timezone.now(), delay_hours=24)
    before = [everything_of(each) for each in (store, other, stranger)]
    form = {
        "stranger": {"seal": seal_, "store": [str(stranger.pk)]},
        "no seal": {"store": [str(other.pk)]},
        "nothing ticked": {"seal": seal_},
        "changed meanwhile": {"seal": seal_, "store": [str(other.pk)]},
    }[what]

    answer = client.post(address, form)

    assert answer.status_code == (400 if what in ("stranger", "no seal") else 302)
    assert [everything_of(each) for each in (store, other, stranger)] == before


# --- what was shown is what then happens ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "timing, number_source",
    [(timing, source) for timing in Timing.values for source in NumberSource.values],
)
@pytest.mark.django_db(transaction=True)
def test_what_the_effect_shows_is_what_then_happens_order_by_order(shop, timing, number_source) -> None:
    store = factories.a_store_in(shop, confirmed_at=None)
    now = sync.database_now()
    paid = {"paid_at": now - timedelta(hours=3), "placed_at": now - timedelta(hours=4)}
    own, theirs = factories.an_own_method(), factories.a_method()
    gone = now - timedelta(hours=1)
    parcels = [
        {"method": theirs, "local": "YT0000000001"},
        {"method": theirs, "local": "YT0000000002", "dispatched_at": gone},
        {"method": own, "own": "CJP000000003"},
        {"method": own, "own": "CJP000000004", "local": "YT0000000004"},
        {"method": own, "own": "CJP000000005", "local": "YT0000000005", "dispatched_at": gone},
        {"method": own, "own": "CJP000000006", "dispatched_at": gone},
        {"method": theirs, "local": "CJP000000007", "dispatched_at": gone},
        {"method": theirs},
    ]
    made = {}
    for place, parcel in enumerate(parcels):
        fields = paid if place != 3 else paid | {"cancelled_at": None}
        order = factories.an_order_of(store, shop.add_order([("MUG", "A mug", 1)]), **fields)
        made[order.number] = factories.a_shipment(order, known_at=now - timedelta(hours=2), **parcel)
    unpaid = factories.an_order_of(store, shop.add_order([("MUG", "A mug", 1)]), placed_at=gone, paid_at=None)
    made[unpaid.number] = factories.a_shipment(unpaid, local="YT0000000009", dispatched_at=gone)
    with transaction.atomic():
        plan.plan([shipment.pk for shipment in made.values()], now)
    answers = BEFORE_LOCAL | {"timing": timing, "number_source": number_source, "mail_sender": "nobody"}
    client = logged_in(store.owner)

    shown = look(client, store, answers)
    promised = {
        example.order: example.after.number for example in every_example(store, answers) if example.after.fate == "now"
    }
    save(client, store, answers)
    plan.replan(sync.database_now())
    pushing.push(store)

    arrived = {
        order["name"]: fulfillment["numbers"][0]
        for order in shop.book()["orders"]
        for fulfillment in order["fulfillments"]
    }
    assert arrived == promised
    assert len(arrived) == shown.context["effect"].due_now
    states = dict(TrackingSync.objects.filter(store=store).values_list("shipment__order__number", "state"))
    assert {name for name, state in states.items() if state == SyncState.SYNCED} == set(arrived)
    waiting = TrackingSync.objects.filter(store=store, state=SyncState.WAITING).values_list("reason", flat=True)
    assert {reason: list(waiting).count(reason) for reason in waiting} == dict(shown.context["effect"].waiting)


def every_example(store: Store, answers: dict[str, str]) -> list[Any]:
    """An example for each order of the store, made as the five of the page are."""
    from orders.effect import Example, chosen, outlook
    from orders.plan import facts_of, preference_of

    store = Store.objects.select_related("preference").get(pk=store.pk)
    now = timezone.now()
    new = chosen(store, answers["timing"], answers["number_source"], int(answers["delay_hours"]))
    return [
        Example(
            planable.row.shipment.order.number,
            1,
            outlook(planable.row, planable.facts, preference_of(store.preference), now),
            outlook(planable.row, planable.facts, new, now),
        )
        for planable in facts_of(
            TrackingSync.objects.filter(store=store).values_list("shipment_id", flat=True)
        ).values()
    ]


# --- as many queries for three rows as for one ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["choice_pick", "choice", "choice_history", "choice_copy", "choice_sent"])
def test_a_page_asks_as_often_for_three_rows_as_for_one(name: str) -> None:
    counts = []
    for rows in (1, 3):
        merchant = factories.a_user()
        store = factories.a_store(merchant, number_source=NumberSource.LOCAL)
        for place in range(rows):
            factories.a_store(merchant)
            a_waiting_parcel(store)
            save_preference(store, actor=merchant, now=timezone.now(), delay_hours=place)
            sent = a_sent_parcel(store)
            own = factories.a_number(sent, f"CJP{sent.pk:010}", kind=NumberKind.OWN)
            TrackingSync.objects.filter(shipment=sent).update(shown=own, wanted=own, kind=NumberKind.OWN)
        client = logged_in(merchant)
        address = reverse(name, args=[] if name == "choice_pick" else [store.pk])
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(address, AFTER_DEFAULT if name == "choice" else {})
        assert answer.status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1]
