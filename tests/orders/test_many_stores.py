"""A merchant with many stores of both platforms in every condition: no page asks the database once for each store."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests import factories

pytestmark = pytest.mark.django_db

CONDITIONS: list[dict[str, Any]] = [
    {},
    {"facts": {"reads_customers": False}},
    {"trouble": "token_refused"},
    {"trouble": "throttled", "resume_at": timezone.now() + timedelta(hours=1)},
    {"trouble": "address_moved", "trouble_values": {"to": "https://elsewhere.example.com"}},
    {"is_paused": True},
    {"disconnect_reason": "uninstalled"},
    {"facts": {"places": ["fulfillments", "plain"]}},
]


def one_of_each(owner: User) -> None:
    """A store of each platform in each condition."""
    for platform in ("shopify", "woocommerce"):
        for condition in CONDITIONS:
            gone = {"disconnected_at": timezone.now()} if "disconnect_reason" in condition else {}
            store = factories.a_store(owner, platform=platform, **condition, **gone)
            factories.a_shipment(factories.an_order(store), local="YT1")


@pytest.mark.parametrize(
    "page", ["attention", "stores", "overview", "choice_pick", "connect", "store_orders", "help", "account"]
)
def test_a_page_costs_the_same_for_few_stores_and_for_many(page: str) -> None:
    client, owner = Client(), factories.a_user()
    client.force_login(owner)

    def queries() -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(reverse(page)).status_code == 200
        return [query["sql"] for query in captured.captured_queries]

    one_of_each(owner)
    queries()
    few = queries()
    for _ in range(2):
        one_of_each(owner)
    many = queries()

    assert len(many) == len(few), "\n".join(many[len(few) :])
