"""Who can call us where we are: a public https address, and pretend shops in networks that were opened for them."""

from __future__ import annotations

import pytest

from stores.reach import is_public_url


@pytest.mark.parametrize(
    "url, is_public",
    [
        ("https://track.house.com", True),
        ("https://track.house.com:443", True),
        ("https://track.house.com:8443", False),
        ("http://track.house.com", False),
        ("https://localhost", False),
        ("https://tracksync", False),
        ("https://tracksync.local", False),
        ("https://10.0.0.7", False),
        ("https://8.8.8.8", True),
        ("https://[::1]", False),
        ("", False),
    ],
)
def test_only_a_public_https_address_can_be_called_from_outside(url: str, is_public: bool) -> None:
    assert is_public_url(url) is is_public
