"""Every reason of the customers' mail has its sentence, and no sentence has a gap."""

from __future__ import annotations

import re

import pytest

from orders.choices import EmailState, MailCode
from orders.wording.mails import MAILS, STATES, mail_sentence

GAP = re.compile(r"[{}]|None|\(\)|: ?\.|\s[.,]|  ")


def test_every_code_and_every_state_has_its_words() -> None:
    assert set(MAILS) == {str(code) for code in MailCode}
    assert set(STATES) == {str(state) for state in EmailState}


@pytest.mark.parametrize("values", [{}, {"answer": "", "platform": ""}, {"answer": "550 no", "platform": "Shopify"}])
@pytest.mark.parametrize(
    "state, code", [*((EmailState.SKIPPED, code) for code in MailCode), *((state, "") for state in EmailState)]
)
def test_no_sentence_shows_a_gap(state: str, code: str, values: dict[str, str]) -> None:
    said = mail_sentence(state, code, values)

    assert (GAP.search(said), said[:1].isupper(), said[-1]) == (None, True, ".")


@pytest.mark.parametrize(
    "state, code, values, said",
    [
        ("sent", "", {}, "Sent."),
        ("skipped", "made_tomorrow", {}, "Not sent."),
        ("by_store", "by_store", {"platform": "Shopify"}, "Left to Shopify, which writes to the customer itself."),
        ("refused", "server_refused", {"answer": "550 no"}, "The mail server refused it: 550 no."),
        ("refused", "server_refused", {}, "The mail server refused it."),
    ],
)
def test_values_choose_the_sentence(state: str, code: str, values: dict[str, str], said: str) -> None:
    assert mail_sentence(state, code, values) == said
