"""A store that takes its time: nobody who waits for it waits for long, and no task outlives its time."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from stores import connections, hooks
from stores.connectors.codes import Code
from stores.connectors.errors import StoreBusy
from stores.models import Store
from tests import factories
from tests.storefronts.woo import PretendWooCommerce

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "patience, requests", [(0.3, 1), (0.0, 0)], ids=["over after the first answer", "over before it"]
)
def test_a_check_ends_though_the_store_goes_on_answering(
    patience: float, requests: int, pretend_woo: PretendWooCommerce, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = pretend_woo.shop()
    shop.fault("slow", seconds=0.4)
    monkeypatch.setattr(connections, "CHECK_SECONDS", patience)

    with pytest.raises(StoreBusy) as busy:
        connections.check_connection("woocommerce", shop.base_url, shop.credentials)

    assert busy.value.reason.code == Code.NO_ANSWER
    assert shop.book()["counts"]["requests"] == requests


def test_what_can_be_done_without_is_left_out_when_the_time_is_over(
    pretend_woo: PretendWooCommerce, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = pretend_woo.shop()
    shop.fault("slow", on="list_statuses", seconds=3.0)
    monkeypatch.setattr(connections, "CHECK_SECONDS", 2.9)

    facts = connections.check_connection("woocommerce", shop.base_url, shop.credentials)

    assert (bool(facts.statuses), facts.version) == (True, "")


def test_subscribing_ends_though_the_store_goes_on_answering(
    pretend_woo: PretendWooCommerce, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    shop = pretend_woo.shop()
    store = factories.a_store_in(shop)
    shop.fault("slow", seconds=0.4)
    monkeypatch.setattr(hooks, "PATIENCE_SECONDS", 0.3)

    assert hooks.arm_one(store.pk, timezone.now()) == 0

    assert shop.book()["counts"]["requests"] == 1
    armed_at = Store.objects.get(pk=store.pk).hooks_armed_at
    assert armed_at is not None
    assert armed_at <= timezone.now() - hooks.EVERY + hooks.AGAIN
