"""Shopify keeps the contract of every connector, over HTTP, against a pretend store that executes its GraphQL."""

from __future__ import annotations

import pytest

from stores.connectors.base import (
    Outcome,
    Receipt,
    Sighting,
)
from stores.connectors.codes import Code
from stores.connectors.errors import (
    OutcomeUnknown,
    ShipmentRejected,
    StoreBusy,
    StoreDisconnected,
)
from stores.connectors.http import Session
from stores.connectors.shopify.tokens import Grant, request_token
from tests.storefronts.client import Shop

from .contract import SHORT, ConnectorContract, an_update, ends, pushed, soon
from .shopify_store import LOOPBACK, GivenToken, ShopifyUnderTest, connect, place, shown


class TestShopifyKeepsTheContract(ConnectorContract):
    @pytest.fixture
    def store(self, shop: Shop) -> ShopifyUnderTest:
        return ShopifyUnderTest(shop)


def test_a_refused_token_is_renewed_once_and_the_call_is_repeated_once(shop: Shop) -> None:
    order = place(shop)
    tokens = GivenToken("old-token", shop.token)

    assert pushed(connect(shop, tokens=tokens), an_update(order, "N1")) == [Outcome.CREATED]
    assert tokens.refusals == ["old-token"]


def test_two_refused_tokens_are_a_matter_for_a_person(shop: Shop) -> None:
    tokens = GivenToken("old-token", "older-token", shop.token)

    with pytest.raises(StoreDisconnected) as refused:
        connect(shop, tokens=tokens).check()

    assert refused.value.reason.code == Code.TOKEN_REFUSED
    assert tokens.refusals == ["old-token"]


@pytest.mark.parametrize(
    "kind,code",
    [
        ("401", Code.TOKEN_REFUSED),
        ("403", Code.TOKEN_KIND_REFUSED),
        ("423", Code.SHOP_FROZEN),
        ("404", Code.SHOP_NOT_FOUND),
    ],
)
def test_access_that_was_withdrawn_between_the_look_and_the_write(shop: Shop, kind: str, code: Code) -> None:
    order = place(shop)
    shop.fault(kind, on="mutation")

    assert pushed(connect(shop), an_update(order, "N1")) == [(StoreDisconnected, code)]
    assert shown(shop, order) == []


@pytest.mark.parametrize("kind", ["internal_200", "internal_200_after"])
def test_an_internal_error_tells_nothing_about_a_write(shop: Shop, kind: str) -> None:
    order = place(shop, (3,))
    shop.fault(kind, on="mutation", times=1)

    (result,) = connect(shop).push([an_update(order, "N1")], soon())

    assert ends([result]) == [(OutcomeUnknown, Code.STORE_FAILED)]
    (seen,) = connect(shop).look([an_update(order, "N1")], soon())
    assert isinstance(seen, Sighting if kind.endswith("after") else type(None))


def test_an_internal_error_to_a_read_makes_the_store_wait(shop: Shop) -> None:
    order = place(shop)
    shop.fault("internal_200", on="read")

    assert pushed(connect(shop), an_update(order, "N1")) == [(StoreBusy, Code.SERVER_ERROR)]


def ask_for_token(shop: Shop, **changes: str) -> Grant:
    with Session(call_limit=SHORT, allow_hosts=LOOPBACK) as session:
        given = {"client_id": shop.client_id, "client_secret": shop.client_secret} | changes
        return request_token(session, shop.base_url, **given)


def test_an_app_is_given_a_token(shop: Shop) -> None:
    grant = ask_for_token(shop)

    assert grant.expires_in == 86399
    assert "read_orders" in grant.scopes
    assert grant.access_token not in repr(grant)
    assert connect(shop, tokens=GivenToken(grant.access_token)).check().shop_name


@pytest.mark.parametrize("changes", [{"client_id": "nobody"}, {"client_secret": "wrong"}])
def test_a_wrong_app_is_refused(shop: Shop, changes: dict[str, str]) -> None:
    with pytest.raises(StoreDisconnected) as refused:
        ask_for_token(shop, **changes)

    assert refused.value.reason.code == Code.TOKEN_REFUSED
    assert shop.client_secret not in f"{refused.value!r}{refused.value.message}"


@pytest.mark.parametrize("kind", ["500", "timeout", "html_200", "429"])
def test_a_token_endpoint_out_of_order_makes_the_store_wait(shop: Shop, kind: str) -> None:
    shop.fault(kind, on="token")

    with pytest.raises(StoreBusy):
        ask_for_token(shop)


def test_a_fulfillment_is_cancelled_and_cancelling_again_is_success(shop: Shop) -> None:
    order = place(shop)
    (receipt,) = connect(shop).push([an_update(order, "N1")], soon())
    assert isinstance(receipt, Receipt)

    connect(shop).cancel(order.id, receipt.fulfillments[0])
    connect(shop).cancel(order.id, receipt.fulfillments[0])

    assert shown(shop, order) == []


def test_what_is_not_there_cannot_be_cancelled(shop: Shop) -> None:
    order = place(shop)

    with pytest.raises(ShipmentRejected) as refused:
        connect(shop).cancel(order.id, "gid://shopify/Fulfillment/1")

    assert refused.value.reason.code == Code.FULFILLMENT_NOT_OURS


def test_a_lost_answer_to_a_cancel_is_unknown(shop: Shop) -> None:
    order = place(shop)
    (receipt,) = connect(shop).push([an_update(order, "N1")], soon())
    assert isinstance(receipt, Receipt)
    shop.fault("reset_after", on="mutation", times=1)

    with pytest.raises(OutcomeUnknown):
        connect(shop).cancel(order.id, receipt.fulfillments[0])
