"""The pretend Shopify's own rules for refresh tokens, where no test can wait for the days to pass."""

from __future__ import annotations

import pytest

from tests.storefronts.shopify.apps import DAY, Refresh

NOW = 1_000_000_000.0


@pytest.mark.parametrize(
    "first_used, ends, is_good",
    [
        (None, 1, True),
        (None, 0, False),
        (0, 60, True),
        (-29, 60, True),
        # Thirty days after it was used for the first time, though nobody used what it gave
        (-30, 60, False),
        # Never longer than it lives
        (-1, 0, False),
    ],
)
def test_a_refresh_token_is_good_again_for_thirty_days_and_never_beyond_its_end(
    first_used: int | None, ends: int, is_good: bool
) -> None:
    token = Refresh("r", NOW + ends * DAY, first_used=None if first_used is None else NOW + first_used * DAY)

    assert token.is_good(NOW) == is_good
