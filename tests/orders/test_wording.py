"""Every code has its sentence, no sentence has a gap, and explain() names the one thing that holds a number back."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.utils import translation

from orders.acts import Act
from orders.choices import AttemptOutcome, NumberKind, RowCode, SendCode, Stopped, SyncState, WaitCode
from orders.models import Order, Shipment, ShippingMethod, TrackingNumber, TrackingSync
from orders.numbers import NumberProblem
from orders.plan import Planable
from orders.policy import Facts, Number, Preference
from orders.withdraw import NotPossible
from orders.wording import Who, attempt_line, explain, first_line, outcome_sentence, releases, sentence, who_acts
from orders.wording.explain import SITUATIONS, Situation
from orders.wording.lines import ACTS, NUMBER_PROBLEMS, OUTCOMES, STOPPED, WHY, WITHDRAW
from orders.wording.reasons import WORDS
from orders.wording.sentences import fill, show_span
from stores.choices import CountsAsPaid, DisconnectReason, NumberSource, Timing
from stores.connectors.codes import Code
from stores.models import Store

NOW = dt.datetime(2026, 3, 7, 12, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
CODES = [*WaitCode, *SendCode, *RowCode, *Code, *Stopped, *Act, *NumberProblem]
GAP = re.compile(r"[{}]|None|\(\)|: ?\.|\s[.,]|  ")


# --- every code ---------------------------------------------------------------------------------


def test_every_code_has_its_words() -> None:
    reasons = {*WaitCode, *RowCode, *Code}

    assert set(WORDS) == {str(code) for code in reasons}
    assert set(WHY) == {str(code) for code in SendCode}
    assert set(ACTS) == {str(act) for act in Act}
    assert set(NUMBER_PROBLEMS) == {str(problem) for problem in NumberProblem}
    assert set(WITHDRAW) == {code for name, code in vars(NotPossible).items() if name.isupper()}
    assert set(STOPPED) == {str(code) for code in Stopped}
    assert set(OUTCOMES) == {str(outcome) for outcome in AttemptOutcome}
    assert set(SITUATIONS) == {str(situation) for situation in Situation}


ANY = {
    "since": "2026-03-01T10:00:00+00:00",
    "number": "YT1",
    "holds": ["fraud", "stock"],
    "status": 503,
    "why": "private",
}
NO_VALUES: list[dict[str, object]] = [{}, dict.fromkeys(ANY), dict.fromkeys(ANY, "")]


@pytest.mark.parametrize("values", [*NO_VALUES, ANY], ids=["nothing", "all None", "all empty", "some"])
@pytest.mark.parametrize("code", CODES, ids=lambda code: f"{type(code).__name__}.{code.name}")
def test_no_sentence_shows_a_gap(code: str, values: dict[str, object]) -> None:
    said = [sentence(code, values), releases(code, values)]

    assert [text for text in said if GAP.search(text) or not text[:1].isupper() or text[-1] not in '."'] == []
    assert "no words for" not in said[0]


@pytest.mark.parametrize("values", [*NO_VALUES, ANY], ids=["nothing", "all None", "all empty", "some"])
@pytest.mark.parametrize("outcome", list(AttemptOutcome))
def test_no_line_of_a_timeline_shows_a_gap(outcome: str, values: dict[str, object]) -> None:
    said = [outcome_sentence(outcome, values), attempt_line(outcome, Code.ON_HOLD, values)]

    assert [text for text in said if GAP.search(text) or "no words for" in text] == []


@pytest.mark.parametrize("situation", list(Situation))
def test_no_situation_shows_a_gap(situation: str) -> None:
    words = SITUATIONS[situation]
    said = [fill(words.says, {}), fill((words.then,), {})]

    assert [text for text in said if GAP.search(text)] == []


@pytest.mark.parametrize(
    "table, key",
    [(table, key) for table in (WORDS, SITUATIONS) for key in table],
)
def test_the_last_length_of_a_sentence_needs_no_value(table: dict, key: str) -> None:
    needed = set(re.findall(r"{(\w+)}", str(table[key].says[-1]) + str(table[key].then))) - {"platform"}

    assert needed <= ({"until"} if key == Situation.NOT_YET else set())


def test_a_code_from_a_newer_version_is_still_said() -> None:
    assert (
        sentence("made_tomorrow", {}) == "For a reason that this version of TrackSync has no words for: made_tomorrow."
    )
    assert who_acts("made_tomorrow") == Who.STAFF


# --- values -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code, values, said",
    [
        (Code.ON_HOLD, {"platform": "Woo", "holds": ["Fraud", "Stock"]}, "Woo keeps this order on hold: Fraud, Stock."),
        (Code.ON_HOLD, {}, "The store keeps this order on hold."),
        (
            Code.OTHER_LOCATION,
            {"location": "Berlin", "app": ""},
            "These items belong to Berlin in the store, so we may not fulfil them.",
        ),
        (
            Code.SCHEDULED,
            {"until": "2026-03-09T08:00:00+00:00"},
            "The store holds this order until 9 Mar 2026, 08:00 (UTC), as it was scheduled there.",
        ),
        (Code.SERVER_ERROR, {"status": 503}, "The store answered with an error of its own (503)."),
        (Code.WRONG_SHOP, {"shop": "{evil}"}, "Another shop answered: {evil}. Nothing was sent to it."),
    ],
)
def test_values_choose_and_fill_the_sentence(code: str, values: dict, said: str) -> None:
    assert sentence(code, values) == said


@pytest.mark.parametrize(
    "says, values, said",
    [
        ("{store} is paused.", {"store": "mugs"}, "mugs is paused."),
        ("{platform} is away.", {}, "The store is away."),
    ],
)
def test_a_store_is_called_as_its_merchant_writes_it_at_the_beginning_too(says: str, values: dict, said: str) -> None:
    assert fill((says,), values) == said


def test_sentences_go_through_translation() -> None:
    with translation.override("de"):
        assert sentence(WaitCode.UNPAID, {}) == "The payment for this order has not been booked."


@pytest.mark.parametrize(
    "seconds, said",
    [
        (-5, "0 seconds"),
        (1, "1 second"),
        (119, "119 seconds"),
        (120, "2 minutes"),
        (7200, "2 hours"),
        (172800, "2 days"),
    ],
)
def test_spans_have_one_unit(seconds: float, said: str) -> None:
    assert show_span(seconds) == said


# --- explain ------------------------------------------------------------------------------------

OWN = TrackingNumber(id=1, kind=NumberKind.OWN, value="CJP1")
LOCAL = TrackingNumber(id=2, kind=NumberKind.LOCAL, value="YT1")
AT = "7 Mar 2026, 11:00 (UTC)"


def a_planable(
    *, store: dict | None = None, facts: dict | None = None, preference: dict | None = None, **row
) -> Planable:
    """A paid parcel by YunExpress with a local number, not dispatched, in a store set to "after, default"."""
    shop = Store(id=1, name="Blue Mug", platform="shopify", **(store or {}))
    method = ShippingMethod(name="YunExpress", default_number=NumberKind.LOCAL)
    shipment = Shipment(order=Order(store=shop, number="#1001"), shipping_method=method)
    known = {
        "placed_at": NOW - 72 * HOUR,
        "paid_at": NOW - 48 * HOUR,
        "dispatched_at": None,
        "cancelled_at": None,
        "default_number": NumberKind.LOCAL,
        "own": None,
        "local": Number(2, NumberKind.LOCAL, "YT1", NOW - 24 * HOUR),
        **(facts or {}),
    }
    chosen = {
        "timing": Timing.AFTER_DISPATCH,
        "number_source": NumberSource.DEFAULT,
        "delay_hours": 0,
        "sync_from": NOW - 1000 * HOUR,
        "own_prefix": "CJP",
        **(preference or {}),
    }
    row = {"state": SyncState.WAITING, "reason": "", "state_since": NOW - HOUR, **row}
    return Planable(TrackingSync(shipment=shipment, store=shop, **row), Facts(**known), Preference(**chosen))


SECONDS = dt.timedelta(seconds=1)
before = {"timing": Timing.BEFORE_DISPATCH}
due = {"state": SyncState.DUE, "due_at": NOW - HOUR, "due_since": NOW - HOUR, "wanted": LOCAL}
synced = {"state": SyncState.SYNCED, "wanted": LOCAL, "shown": LOCAL, "kind": "local", "synced_at": NOW - HOUR}
later = {**due, "due_at": NOW + HOUR, "due_since": NOW + HOUR}
in_flight = {"sending": LOCAL, "sending_since": NOW - 40 * SECONDS, "reason": Code.ANSWER_LOST}
refused = {"state": SyncState.ATTENTION, "reason": Code.OTHER_NUMBER_THERE, "reason_values": {"there": "X9"}}
shown = {"is_shown": True, "kind": NumberKind.LOCAL}


@pytest.mark.parametrize(
    "planable, code, headline, who",
    [
        (
            a_planable(),
            "not_dispatched",
            "The number YT1 is ready, but the parcel is still with us, and the store asked for it after dispatch.",
            Who.STAFF,
        ),
        (
            a_planable(facts={"paid_at": None}),
            "unpaid",
            "The payment for this order has not been booked.",
            Who.MERCHANT,
        ),
        (
            a_planable(facts={"paid_at": None}, store={"counts_as_paid": CountsAsPaid.WHEN_SHOPPER_PAID}),
            "shopper_unpaid",
            "The shopper has not paid for this order yet, and this store's numbers wait for that.",
            Who.NOBODY,
        ),
        (
            a_planable(
                preference={"number_source": NumberSource.LOCAL},
                facts={"local": None, "own": Number(1, NumberKind.OWN, "CJP1", NOW)},
            ),
            "local_number_missing",
            "The carrier has not given its number yet. We have CJP1, and do not send it in place of the carrier's.",
            Who.CARRIER,
        ),
        (
            a_planable(facts={"cancelled_at": NOW - HOUR}),
            "cancelled",
            f"The order was cancelled, fully refunded or thrown away on {AT}, so no number is sent.",
            Who.NOBODY,
        ),
        (
            a_planable(preference=before, **due),
            "due_now",
            "It is on its way to the store: 3 numbers of this store go before it.",
            Who.NOBODY,
        ),
        (
            a_planable(preference={**before, "delay_hours": 49}, **later),
            "delayed",
            "Not before 7 Mar 2026, 13:00 (UTC): the store asked for 49 hours after the payment.",
            Who.NOBODY,
        ),
        (
            a_planable(preference=before, **{**due, "due_at": NOW + HOUR, "reason": Code.ON_HOLD, "attempts": 3}),
            "on_hold",
            "Shopify keeps this order on hold.",
            Who.MERCHANT,
        ),
        (
            a_planable(preference=before, **{**due, **in_flight}),
            "sending",
            "YT1 was sent 40 seconds ago, and Shopify has not answered clearly. We look before we send again.",
            Who.NOBODY,
        ),
        (
            a_planable(preference=before, store={"is_paused": True}, **due),
            "store_is_paused",
            "Blue Mug is paused: its orders are still looked up, but nothing is sent to it.",
            Who.MERCHANT,
        ),
        (
            a_planable(preference=before, store={"trouble": Code.TOKEN_REFUSED, "trouble_since": NOW - HOUR}, **due),
            "token_refused",
            "The store no longer accepts our access.",
            Who.MERCHANT,
        ),
        (
            a_planable(preference=before, store={"trouble": Code.THROTTLED, "resume_at": NOW + HOUR}, **due),
            "store_is_busy",
            "Blue Mug is left alone until 7 Mar 2026, 13:00 (UTC): Shopify asked us to slow down for this store.",
            Who.NOBODY,
        ),
        (
            a_planable(
                preference=before,
                store={"disconnected_at": NOW - HOUR, "disconnect_reason": DisconnectReason.MERCHANT},
                **due,
            ),
            "store_is_disconnected",
            f"Blue Mug was disconnected on {AT}, so nothing is sent to it.",
            Who.MERCHANT,
        ),
        (
            a_planable(store={"disconnected_at": NOW - HOUR, "disconnect_reason": DisconnectReason.MERCHANT}),
            "store_is_disconnected",
            f"Blue Mug was disconnected on {AT}, so nothing is sent to it.",
            Who.MERCHANT,
        ),
        (
            a_planable(facts=shown, **synced),
            "in_store",
            f"It is there: Blue Mug showed YT1 on {AT}, when we last looked.",
            Who.NOBODY,
        ),
        (
            a_planable(facts=shown, **{**synced, **refused}),
            "other_number_there",
            "The store shows another number already, X9, that is none of ours. It was not overwritten.",
            Who.MERCHANT,
        ),
        (
            a_planable(preference=before),
            "planning",
            "Something about this parcel or the store's choice has just changed, and it is being planned anew.",
            Who.NOBODY,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
def test_explain_names_what_holds_the_number_back(planable: Planable, code: str, headline: str, who: Who) -> None:
    explanation = explain(planable, NOW, ahead=3)

    assert (explanation.code, explanation.headline, explanation.who) == (code, headline, who)
    assert GAP.search(explanation.releases) is None


def test_explain_says_since_when_and_what_releases_it() -> None:
    explanation = explain(a_planable(), NOW)

    assert explanation.since == NOW - HOUR
    assert explanation.releases == "It goes out by itself as soon as the parcel is handed to the carrier."


def test_explain_says_why_this_number_and_no_other() -> None:
    explanation = explain(a_planable(preference=before, **due), NOW)

    assert explanation.wanted == "YT1"
    assert explanation.why_this_number == (
        "The carrier's number, as the store shows the usual number and YunExpress goes by the carrier's."
    )


def test_a_next_try_is_named_after_a_failure() -> None:
    row = {**due, "due_at": NOW + HOUR, "reason": Code.ON_HOLD, "reason_values": {"holds": ["Stock"]}, "attempts": 2}
    explanation = explain(a_planable(preference=before, **row), NOW)

    assert explanation.headline == "Shopify keeps this order on hold: Stock."
    assert explanation.releases == (
        "Release the order in Shopify; the number follows by itself. Next try: 7 Mar 2026, 13:00 (UTC)."
    )


def test_due_for_over_a_day_is_put_before_a_person_and_said() -> None:
    explanation = explain(a_planable(preference=before, **{**due, "due_since": NOW - 49 * HOUR}), NOW)

    assert explanation.needs_attention
    assert explanation.notes == ("It should have been in the store for 2 days now, and is still tried.",)


def test_a_warning_on_a_number_that_is_there_is_a_note() -> None:
    explanation = explain(a_planable(facts=shown, **{**synced, "reason": Code.LINK_CHANGED}), NOW)

    assert explanation.code == "in_store"
    assert explanation.notes == ("The store shows another tracking link than we sent.",)


def test_a_waiting_parcel_also_tells_what_its_store_waits_for() -> None:
    explanation = explain(a_planable(store={"is_paused": True}), NOW)

    assert explanation.code == "not_dispatched"
    assert explanation.notes == ("Blue Mug is paused: its orders are still looked up, but nothing is sent to it.",)


def test_a_list_says_the_same_as_the_page() -> None:
    planable = a_planable(reason=WaitCode.NOT_DISPATCHED, reason_values={"number": "YT1"})

    assert first_line(planable.row, NOW) == explain(planable, NOW).headline
