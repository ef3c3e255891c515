"""WooCommerce: what a merchant types as an address, and which hosts belong together."""

from __future__ import annotations

import pytest

from stores.connectors import registry
from stores.connectors.addresses import Why
from stores.connectors.codes import Code
from stores.connectors.errors import StoreDisconnected
from stores.connectors.woocommerce.address import are_related

from .woo_store import LOOPBACK


@pytest.mark.parametrize(
    "typed,kept",
    [
        ("acme.com", "https://acme.com"),
        (" https://Acme.COM/ ", "https://acme.com"),
        ("https://www.acme.com///", "https://www.acme.com"),
        ("https://acme.com:443", "https://acme.com"),
        ("https://acme.com.", "https://acme.com"),
        # The administration, the API and other doors of WordPress
        ("https://acme.com/wp-admin/", "https://acme.com"),
        ("https://acme.com/wp-admin/admin.php?page=wc-settings&tab=advanced&section=keys", "https://acme.com"),
        ("acme.com/wp-json/wc/v3/orders?consumer_key=ck_1", "https://acme.com"),
        ("https://acme.com/wp-login.php?redirect_to=x", "https://acme.com"),
        ("https://acme.com/wc-auth/v1/authorize", "https://acme.com"),
        ("https://acme.com/xmlrpc.php", "https://acme.com"),
        ("https://acme.com/index.php?rest_route=/", "https://acme.com"),
        ("https://acme.com/?rest_route=/wc/v3", "https://acme.com"),
        # Pages of the shop
        ("https://acme.com/shop/", "https://acme.com"),
        ("acme.com/product/blue-mug/", "https://acme.com"),
        ("https://acme.com/my-account/orders/#top", "https://acme.com"),
        ("https://acme.com/checkout", "https://acme.com"),
        ("https://acme.com/product-category/mugs/page/2/", "https://acme.com"),
        # WordPress in a folder
        ("https://acme.com/blog", "https://acme.com/blog"),
        ("https://acme.com/Blog/", "https://acme.com/Blog"),
        ("https://acme.com/shop/wp-admin/index.php", "https://acme.com/shop"),
        ("https://acme.com/shop/wp-json/", "https://acme.com/shop"),
        ("https://acme.com/de/shop/", "https://acme.com/de"),
        ("https://acme.com//de//site//wp-admin", "https://acme.com/de/site"),
        # Other scripts
        ("müller-tassen.de", "https://xn--mller-tassen-dlb.de"),
        ("https://店.example.com", "https://xn--hxt.example.com"),
    ],
)
def test_an_address_is_kept_as_where_wordpress_stands(typed: str, kept: str) -> None:
    assert registry.normalise_base_url("woocommerce", typed) == kept


@pytest.mark.parametrize(
    "typed,reason",
    [
        ("", Why.EMPTY),
        ("   ", Why.EMPTY),
        ("https://", Why.UNREADABLE),
        ("acme", Why.UNREADABLE),
        ("acme shop.com", Why.UNREADABLE),
        ("-acme.com", Why.UNREADABLE),
        ("https://acme..com", Why.UNREADABLE),
        ("https://acme.com:x", Why.UNREADABLE),
        ("https://acme.com/../other", Why.UNREADABLE),
        ("ftp://acme.com", Why.SCHEME),
        ("http://acme.com", Why.PLAIN_HTTP),
        ("https://acme.com:8443", Why.PORT),
        ("https://user:secret@acme.com", Why.USERINFO),
        ("https://acme.com\\@evil.example", Why.USERINFO),
        ("http://localhost:8000", Why.PRIVATE),
        ("https://127.0.0.1/", Why.PRIVATE),
        ("https://192.168.1.4/shop", Why.PRIVATE),
        ("https://[::1]/", Why.PRIVATE),
    ],
)
def test_what_is_wrong_with_an_address_is_said(typed: str, reason: Why) -> None:
    with pytest.raises(StoreDisconnected) as refused:
        registry.normalise_base_url("woocommerce", typed)

    assert (refused.value.reason.code, refused.value.reason.values["why"]) == (Code.ADDRESS_REFUSED, reason)
    assert "secret" not in str(refused.value.reason.values)


@pytest.mark.parametrize(
    "typed,kept",
    [
        ("http://127.0.0.1:8199/acme/", "http://127.0.0.1:8199/acme"),
        ("http://127.0.0.1:8199/acme/wp-admin/", "http://127.0.0.1:8199/acme"),
        ("https://127.0.0.1:8443", "https://127.0.0.1:8443"),
        ("http://localhost:8000/acme", "http://localhost:8000/acme"),
        ("http://storefronts:8000/acme/shop/", "http://storefronts:8000/acme"),
        ("acme.com", "https://acme.com"),
    ],
)
def test_an_opened_network_may_hold_a_store_under_any_address(typed: str, kept: str) -> None:
    assert registry.normalise_base_url("woocommerce", typed, LOOPBACK) == kept


@pytest.mark.parametrize("typed", ["http://10.0.0.1", "http://acme.com", "https://acme.com:8443", "http://[::1]:8000"])
def test_an_opened_network_opens_nothing_else(typed: str) -> None:
    with pytest.raises(StoreDisconnected):
        registry.normalise_base_url("woocommerce", typed, LOOPBACK)


@pytest.mark.parametrize(
    "one,other,related",
    [
        ("acme.com", "acme.com", True),
        ("acme.com", "WWW.acme.com", True),
        ("www.acme.com", "acme.com", True),
        ("acme.com", "shop.acme.com", True),
        ("shop.acme.com", "www.acme.com", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("acme.com", "evil.com", False),
        ("acme.com", "notacme.com", False),
        ("acme.com", "acme.com.evil.example", False),
        ("com", "acme.com", False),
        ("one.shops.example", "two.shops.example", False),
        ("", "acme.com", False),
    ],
)
def test_a_redirect_is_followed_to_hosts_of_the_same_name_only(one: str, other: str, related: bool) -> None:
    assert are_related(one, other) is related
