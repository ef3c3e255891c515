"""Pretend stores that several test modules of the connectors share."""

from __future__ import annotations

import pytest

from tests.storefronts.client import PretendShopify, Shop


@pytest.fixture
def two_places(pretend: PretendShopify) -> Shop:
    return pretend.shop(locations=["North", "South"])
