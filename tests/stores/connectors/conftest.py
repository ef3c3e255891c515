"""Pretend stores that several test modules of the connectors share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stores.connectors.http import Session
from tests.storefronts.client import PretendShopify, Shop


@pytest.fixture(autouse=True)
def connections_end_with_their_test(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """These tests open connectors and throw them away; thousands of open connections are more than a machine allows."""
    opened: list[Session] = []
    begin = Session.__init__

    def remembered(self: Session, **options: object) -> None:
        begin(self, **options)  # type: ignore[arg-type]
        opened.append(self)

    monkeypatch.setattr(Session, "__init__", remembered)
    yield
    for session in opened:
        session.close()


@pytest.fixture
def two_places(pretend: PretendShopify) -> Shop:
    return pretend.shop(locations=["North", "South"])
