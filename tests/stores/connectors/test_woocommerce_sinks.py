"""What is sent to each place and what is made of its answers: plain functions, no network."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from stores.connectors.base import TrackingUpdate
from stores.connectors.codes import Code
from stores.connectors.errors import StoreBusy
from stores.connectors.woocommerce.places import Place
from stores.connectors.woocommerce.sinks import carriers, fulfillments, plain, record, shipment_tracking
from stores.connectors.woocommerce.values import Parcel, folded

DAY = date(2026, 11, 25)
LINK = "https://track.example/N1"


def parcel(*numbers: str, **more: Any) -> Parcel:
    """One unit of line 58 by Yanwen."""
    facts = {"lines": (("58", 1),), "company": "Yanwen", "url": LINK, "id": "plain:note-7"} | more
    return Parcel(numbers=numbers or ("N1",), **facts)


# --- a plugin's list -----------------------------------------------------------------------------------------


def test_a_carrier_that_the_plugin_knows_needs_no_link() -> None:
    assert shipment_tracking.payload(parcel(company="royal mail"), "Royal Mail", DAY) == {
        "tracking_provider": "Royal Mail",
        "tracking_number": "N1",
        "date_shipped": "2026-11-25",
    }


def test_a_carrier_that_the_plugin_does_not_know_comes_with_its_link() -> None:
    assert shipment_tracking.payload(parcel(), "", DAY) == {
        "custom_tracking_provider": "Yanwen",
        "custom_tracking_link": LINK,
        "tracking_number": "N1",
        "date_shipped": "2026-11-25",
    }


ITEM = {"tracking_id": "ab12", "tracking_number": "N1", "custom_tracking_link": "https://a.example/?x=1&amp;y=2"}


@pytest.mark.parametrize(
    "value, ids",
    [
        ([ITEM], ["ab12"]),
        ({"0": ITEM}, ["ab12"]),  # PHP makes an object of a list with holes
        ([ITEM, {"tracking_number": "N2"}, "odd"], ["ab12"]),
        (None, []),
        ("", []),
        ("a:0:{}", []),
    ],
)
def test_a_list_is_read_in_every_form(value: Any, ids: list[str]) -> None:
    assert [item["tracking_id"] for item in shipment_tracking.listed(value)] == ids


def test_an_item_that_is_not_recorded_is_known_by_its_own_id() -> None:
    assert shipment_tracking.as_found(ITEM) == Parcel(
        id="shipment_tracking:ab12",
        numbers=("N1",),
        url="https://a.example/?x=1&y=2",
        item="ab12",
        place=Place.SHIPMENT_TRACKING,
        is_recorded=False,
    )


@pytest.mark.parametrize(
    "data, names",
    [
        ({"Global": {"Royal Mail": "https://…"}, "China": {"4PX": ""}}, {"royalmail": "Royal Mail", "4px": "4PX"}),
        ([], {}),
        (None, {}),
        ({"Global": []}, {}),
    ],
)
def test_carriers_are_found_by_their_names_alone(data: Any, names: dict[str, str]) -> None:
    assert carriers._names(data) == names


@pytest.mark.parametrize(
    "name, slug",
    [("DHL", "dhl"), ("dhl express", "dhl"), ("Evri", "evri-hermes"), ("DHL eCommerce Asia", "other"), ("", "other")],
)
def test_a_slug_is_of_the_whole_name(name: str, slug: str) -> None:
    assert carriers.slug(name) == slug


# --- the store's own fulfillments ------------------------------------------------------------------------------


def test_a_fulfillment_is_sent_whole_and_every_meta_has_an_id() -> None:
    sent = fulfillments.payload(
        parcel("N1", "N2"), notify=True, others=[{"id": 4, "key": "_colour", "value": "red"}, {"key": "_items"}]
    )

    assert sent == {
        "status": "fulfilled",
        "is_fulfilled": True,
        "notify_customer": True,
        "meta_data": [
            {"id": 0, "key": "_items", "value": [{"item_id": 58, "qty": 1}]},
            {"id": 0, "key": "_tracking_number", "value": "N1, N2"},
            {"id": 0, "key": "_shipment_provider", "value": "other"},
            {"id": 0, "key": "_provider_name", "value": "Yanwen"},
            {"id": 0, "key": "_tracking_url", "value": LINK},
            {"id": 0, "key": "_colour", "value": "red"},
        ],
    }


@pytest.mark.parametrize("wrapped", [True, False])
def test_fulfillments_are_read_in_the_shapes_of_all_versions(wrapped: bool) -> None:
    rows = [{"id": 9, "date_deleted": None}, {"id": "3"}, {"id": 5, "date_deleted": "2026-11-23 06:49:52"}, "odd"]

    found = fulfillments.listed({"fulfillments": rows} if wrapped else rows)

    assert [one["id"] for one in found] == ["3", 9]


@pytest.mark.parametrize("data", [{"code": 0, "message": "no"}, {}, "page", None])
def test_what_is_no_list_of_fulfillments_is_no_answer(data: Any) -> None:
    with pytest.raises(StoreBusy) as busy:
        fulfillments.listed(data)

    assert busy.value.reason.code == Code.NOT_JSON


@pytest.mark.parametrize(
    "provider, name, ours, company",
    [
        ("royal-mail", "", "Royal Mail", "Royal Mail"),
        ("royal-mail", "", "Yanwen", "royal-mail"),
        ("other", "Yanwen", "Yanwen", "Yanwen"),
        ("other", "", "Yanwen", ""),
        ("", "", "Royal Mail", ""),
    ],
)
def test_a_carrier_is_read_in_our_words_where_it_is_the_same(provider: str, name: str, ours: str, company: str) -> None:
    metas = {"_shipment_provider": provider, "_provider_name": name, "_tracking_number": "N1; N2"}
    one = {"id": 7, "meta_data": [{"key": key, "value": value} for key, value in metas.items()]}

    found = fulfillments.as_found(one, ours)

    assert (found.id, found.numbers, found.company) == ("fulfillments:7", ("N1", "N2"), company)


# --- notes -------------------------------------------------------------------------------------------------------


def told(number: str, *ours: str) -> TrackingUpdate:
    return TrackingUpdate(
        order_id="12",
        number=number,
        company="Yanwen",
        url=f"https://track.example/{number}",
        lines=None,
        fulfillments=(),
        ours=frozenset({number, *ours}),
        siblings=frozenset({"S1"}),
        notify=True,
    )


def note(id: int, number: str, *instead_of: str) -> dict[str, Any]:
    text = plain.note_text(parcel(number, url=f"https://track.example/{number}"), instead_of)
    return {"id": id, "note": text}


@pytest.mark.parametrize(
    "notes, update, found",
    [
        ([], told("N1"), ""),
        ([note(5, "N1")], told("N1"), "5"),
        ([{"id": 5, "note": "<p>Tracking: n&#45;1.</p>"}], told("N1"), "5"),
        ([{"id": 5, "note": "Shipped, N1, with Yanwen."}], told("N1"), "5"),
        ([{"id": 5, "note": "See https://track.example/N1"}], told("N1"), ""),  # no number in words
        ([{"id": 5, "note": "N12 and 1N1"}], told("N1"), ""),
        ([note(5, "S1")], told("N1"), ""),  # another parcel's
        ([note(6, "N1"), note(5, "S1")], told("N1"), "6"),
        ([note(5, "N1"), note(6, "N2", "N1")], told("N2", "N1"), "6"),
        ([note(5, "N1"), note(6, "N2", "N1")], told("N1", "N2"), ""),  # it was replaced since
        ([note(5, "N1")], told("N2", "N1"), ""),
        ([note(5, "N1"), {"id": 8, "note": f"{plain.WITHDRAWN} N1"}], told("N1"), ""),
        ([note(5, "N1"), {"id": 8, "note": f"{plain.WITHDRAWN} N1"}, note(9, "N1")], told("N1"), "9"),
    ],
)
def test_the_newest_note_of_a_parcel_says_which_number_was_told(
    notes: list[dict[str, Any]], update: TrackingUpdate, found: str
) -> None:
    assert plain.told_by(notes, update) == found
    assert plain.told_by(list(reversed(notes)), update) == found


def test_what_an_order_lists_has_one_order() -> None:
    two = [parcel("N2", url="https://two.example", company="DHL"), parcel("N1")]

    assert plain.meta_of(two, ["N1", "THEIRS", "N2"]) == [
        {"key": "_tracking_number", "value": "N1, THEIRS, N2"},
        {"key": "_tracking_provider", "value": "Yanwen, DHL"},
        {"key": "_tracking_url", "value": f"{LINK}, https://two.example"},
    ]


# --- the record --------------------------------------------------------------------------------------------------


def order_with(*values: Any) -> dict[str, Any]:
    metas = [{"key": f"{record.PREFIX}{place}", "value": value} for place, value in enumerate(values)]
    return {"id": 12, "meta_data": [*metas, {"key": "_other", "value": "x"}, "odd"]}


def test_a_parcel_is_read_back_as_it_was_recorded() -> None:
    kept = parcel(company="燕文", item="N1", gave="completed")
    text = record.written("12", kept)

    (entry,) = record.read(order_with(text))

    assert record.as_parcel(entry, "N1") == kept
    assert "\\" not in text
    assert record.key(kept.id) == "_tracksync_parcel_note-7"


@pytest.mark.parametrize(
    "value",
    [
        "",
        None,
        "{",
        "[]",
        3,
        record.written("13", parcel()),  # another order's
        record.written("12", parcel(id="")),
        json.dumps(json.loads(record.written("12", parcel())) | {"place": "moon"}),
        json.dumps(json.loads(record.written("12", parcel())) | {"lines": [["58"]]}),
    ],
)
def test_what_is_no_record_of_this_order_is_left_alone(value: Any) -> None:
    assert record.read(order_with(value)) == ()


def test_a_record_that_the_store_gives_as_an_object_is_one() -> None:
    text = record.written("12", parcel())

    assert record.read(order_with(json.loads(text))) == record.read(order_with(text)) != ()


@pytest.mark.parametrize("typed, same", [("ab 12", True), ("AB-12", True), ("AB13", False)])
def test_a_number_that_was_typed_in_another_way_is_the_recorded_one(typed: str, same: bool) -> None:
    (entry,) = record.read(order_with(record.written("12", parcel("AB12"))))

    assert (record.as_parcel(entry, "x", typed).numbers == ("AB12",)) == same
    assert (folded(typed) == "AB12") == same
