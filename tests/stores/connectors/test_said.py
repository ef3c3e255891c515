"""What stores say: kept short and without secrets, and read in a moment however it was made.

Anybody can connect a store that answers what they like. What takes long to read holds up everything in the process.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from stores.connectors.base import TrackingUpdate
from stores.connectors.http import Answer
from stores.connectors.said import LOOKED_AT
from stores.connectors.shopify.graphql import cleaned as cleaned_of_shopify
from stores.connectors.woocommerce.answers import SAID_LIMIT, PageInstead, cleaned, parsed, read
from stores.connectors.woocommerce.check import _API_LINK
from stores.connectors.woocommerce.sinks.base import whole
from stores.connectors.woocommerce.sinks.plain import told_by

SECONDS = 2.0  # each took from twenty seconds to hours before it was cut short
MUCH = 1024 * 1024


def one_long_word() -> object:
    return cleaned("a" * MUCH), cleaned_of_shopify("a" * MUCH)


def a_page_of_one_word() -> object:
    with pytest.raises(PageInstead):
        read(Answer(200, {}, b"a" * MUCH, None, "", 0.0), "/wc/v3/orders", writes=False)
    return None


def data_begins_everywhere() -> object:
    return parsed(b"<" + b">{" * MUCH)


def long_data_begins_everywhere() -> object:
    return parsed(b"<" + b">[1,1,1,1,1,1,1,1\n" * (MUCH // 16))


def a_link_that_never_ends() -> object:
    return _API_LINK.search("<" * 256 * 1024)


def a_note_of_nothing_but_marks() -> object:
    update = TrackingUpdate("12", "N1", "A", "https://a.example/N1", None, (), frozenset({"N1"}), frozenset(), False)
    return told_by([{"id": 1, "note": "<" * 256 * 1024}], update)


@pytest.mark.parametrize(
    "reading",
    [
        a_note_of_nothing_but_marks,
        one_long_word,
        a_page_of_one_word,
        data_begins_everywhere,
        long_data_begins_everywhere,
        a_link_that_never_ends,
    ],
)
def test_nothing_that_a_store_sends_takes_long_to_read(reading: Callable[[], object]) -> None:
    began = time.process_time()

    reading()

    assert time.process_time() - began < SECONDS


@pytest.mark.parametrize(
    "clean, limit", [(cleaned, SAID_LIMIT), (cleaned_of_shopify, LOOKED_AT)], ids=["WooCommerce", "Shopify"]
)
@pytest.mark.parametrize(
    "said, kept",
    [
        ("buyer@example.com is unknown", "*** is unknown"),
        ("a\n  b\tc", "a b c"),
        # What is cut off is cut between words: half an address is one still.
        ("x " * (LOOKED_AT // 2 - 4) + "buyer@example.com", ("x " * (LOOKED_AT // 2 - 4)).strip()),
        ("\n" * 10_000 + "what is so", "what is so"),
    ],
    ids=["an address", "lines", "an address at the end", "a page's gaps"],
)
def test_what_is_said_is_one_line_without_buyers(clean: Callable[[str], str], limit: int, said: str, kept: str) -> None:
    assert clean(said) == kept[:limit]


@pytest.mark.parametrize("value, number", [("3", 3), (2.9, 2), (None, 0), ("x", 0), (float("inf"), 0), ("nan", 0)])
def test_what_is_no_number_is_none(value: object, number: int) -> None:
    assert whole(value) == number
