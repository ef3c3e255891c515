"""WooCommerce's page for giving a key: its address, and what of the shop's answer is believed. Nothing is called."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from stores.connectors.woocommerce.auth import BODY_LIMIT, KeyGrant, authorize_url, read_grant

ANSWER = {
    "key_id": 1,
    "user_id": "state",
    "consumer_key": "ck_" + "a" * 40,
    "consumer_secret": "cs_" + "b" * 40,
    "key_permissions": "read_write",
}


def test_the_page_is_asked_for_reading_and_writing_and_for_nothing_else() -> None:
    address = authorize_url(
        "https://acme.com/shop",
        app_name="TrackSync",
        user_id="state",
        return_url="https://track.house.com/back/?a=1",
        callback_url="https://track.house.com/key/state/",
    )

    parts = urlsplit(address)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://acme.com/shop/wc-auth/v1/authorize"
    assert {name: values for name, values in parse_qs(parts.query).items()} == {
        "app_name": ["TrackSync"],
        "scope": ["read_write"],
        "user_id": ["state"],
        "return_url": ["https://track.house.com/back/?a=1"],
        "callback_url": ["https://track.house.com/key/state/"],
    }


def test_the_key_is_read_and_is_in_no_repr() -> None:
    grant = read_grant(json.dumps(ANSWER).encode())

    assert grant == KeyGrant(
        "state",
        "read_write",
        {"consumer_key": ANSWER["consumer_key"], "consumer_secret": ANSWER["consumer_secret"]},  # type: ignore[dict-item]
    )
    assert repr(grant) == "KeyGrant(permissions='read_write')"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"not json",
        b"[]",
        b"null",
        b"{}",
        json.dumps({**ANSWER, "consumer_key": "ck_"}).encode(),
        json.dumps({**ANSWER, "consumer_key": "cs_1"}).encode(),
        json.dumps({**ANSWER, "consumer_key": 7}).encode(),
        json.dumps({**ANSWER, "consumer_key": "ck_" + "a" * 300}).encode(),
        json.dumps({**ANSWER, "consumer_secret": None}).encode(),
        json.dumps({name: value for name, value in ANSWER.items() if name != "user_id"}).encode(),
        json.dumps({**ANSWER, "padding": "x" * BODY_LIMIT}).encode(),
    ],
    ids=lambda body: body[:60].decode(errors="replace"),
)
def test_what_is_no_key_is_none(body: bytes) -> None:
    assert read_grant(body) is None


def test_permissions_that_are_not_told_are_none() -> None:
    told = json.dumps({name: value for name, value in ANSWER.items() if name != "key_permissions"}).encode()

    grant = read_grant(told)

    assert grant is not None
    assert grant.permissions == ""
