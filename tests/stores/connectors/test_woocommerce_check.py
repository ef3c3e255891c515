"""WooCommerce: what a check of the connection finds, and what it tells a merchant to put right."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from stores.connectors.base import StoreFacts, StoreSettings
from stores.connectors.codes import Code
from stores.connectors.errors import StoreBusy, StoreDisconnected
from stores.connectors.woocommerce import places
from stores.connectors.woocommerce.check import time_zone
from stores.connectors.woocommerce.memory import Memory
from stores.connectors.woocommerce.places import Place, Places, choose
from tests.storefronts.woo import PretendWooCommerce, WooShop

from .woo_store import connect, rest

CORE = ("pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed", "checkout-draft")


def test_a_check_tells_who_the_store_is(pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop(
        "mugs-&amp;-more", plugin="ast", version="10.2.2", time_zone="Asia/Tokyo", statuses=["packed"]
    )

    assert connect(shop).check() == StoreFacts(
        shop_name="mugs-&-more",
        time_zone="Asia/Tokyo",
        tracking_goes_to="shipment_tracking",
        places=("shipment_tracking", "plain"),
        statuses=(*CORE, "packed"),
        version="10.2.2",
    )
    counts = shop.book()["counts"]
    assert (counts["requests"], counts["mutations"], counts["in_query"]) == (6, {}, 0)


@pytest.mark.parametrize(
    "plugin,version,found,is_ast",
    [
        ("plain", "10.9.1", ("plain",), False),
        ("plain", "8.4.0", ("plain",), False),
        ("shipment_tracking", "10.9.1", ("shipment_tracking", "plain"), False),
        ("ast", "10.9.1", ("shipment_tracking", "plain"), True),
        ("fulfillments", "10.9.1", ("fulfillments", "plain"), False),
        ("fulfillments", "10.2.2", ("fulfillments", "plain"), False),
        ("ast+fulfillments", "10.9.1", ("shipment_tracking", "fulfillments", "plain"), True),
    ],
)
def test_the_places_for_numbers_are_found_the_best_first(
    plugin: str, version: str, found: tuple[str, ...], is_ast: bool, pretend_woo: PretendWooCommerce
) -> None:
    shop = pretend_woo.shop(plugin=plugin, version=version)

    facts = connect(shop).check()

    assert (facts.places, facts.tracking_goes_to) == (found, found[0])
    assert places.find(rest(shop), Memory()) == Places(tuple(Place(each) for each in found), is_ast)


def test_an_order_that_is_there_changes_nothing_about_what_is_found(pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop(plugin="fulfillments", first_number=1)
    shop.add_order()  # its id is the one that is asked about

    assert connect(shop).check().places == ("fulfillments", "plain")


@pytest.mark.parametrize(
    "wish,chosen",
    [
        ("", Place.SHIPMENT_TRACKING),
        ("plain", Place.PLAIN),
        ("shipment_tracking", Place.SHIPMENT_TRACKING),
        ("fulfillments", Place.SHIPMENT_TRACKING),  # it is gone
        ("anything", Place.SHIPMENT_TRACKING),
    ],
)
def test_the_merchants_wish_counts_where_it_can_be_met(wish: str, chosen: Place) -> None:
    assert choose(Places((Place.SHIPMENT_TRACKING, Place.PLAIN)), wish) == chosen


def test_a_check_tells_the_place_that_the_merchant_chose(pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop(plugin="ast")

    facts = connect(shop, settings=StoreSettings(tracking_goes_to="plain")).check()

    assert (facts.tracking_goes_to, facts.places) == ("plain", ("shipment_tracking", "plain"))


def test_places_are_remembered_until_a_plugin_turns_out_to_be_gone(pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop(plugin="ast")
    memory = Memory()

    first = places.find(rest(shop, memory), memory)
    asked = shop.book()["counts"]["requests"]
    shop.set_plugin("plain")
    again = places.find(rest(shop, memory), memory)
    unasked = shop.book()["counts"]["requests"]
    memory.forget_places()
    anew = places.find(rest(shop, memory), memory)

    assert (first, again, anew) == (
        Places((Place.SHIPMENT_TRACKING, Place.PLAIN), is_ast=True),
        first,
        Places((Place.PLAIN,)),
    )
    assert (asked, unasked) == (2, 2)


def test_what_was_found_is_asked_again_after_an_hour(pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop()
    memory = Memory()
    places.find(rest(shop, memory), memory)
    shop.set_plugin("ast")

    memory.places_until -= places.GOOD_FOR

    assert places.find(rest(shop, memory), memory).found == (Place.SHIPMENT_TRACKING, Place.PLAIN)


# --- Warnings -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options,warnings",
    [
        ({}, ()),
        ({"strips_authorization": True}, (Code.HEADER_STRIPPED,)),
        ({"php_warning": True}, (Code.ANSWERS_SOILED,)),
        ({"strips_authorization": True, "php_warning": True}, (Code.HEADER_STRIPPED, Code.ANSWERS_SOILED)),
    ],
)
def test_a_check_warns_of_what_stops_nothing(
    options: dict[str, Any], warnings: tuple[str, ...], pretend_woo: PretendWooCommerce
) -> None:
    facts = connect(pretend_woo.shop(plugin="ast+fulfillments", **options)).check()

    assert facts.warnings == warnings
    assert facts.places == ("shipment_tracking", "fulfillments", "plain")


def test_an_old_store_tells_no_statuses(pretend_woo: PretendWooCommerce) -> None:
    facts = connect(pretend_woo.shop(version="8.4.0")).check()

    assert (facts.statuses, facts.version) == ((), "8.4.0")


@pytest.mark.parametrize("on", ["system_status", "list_statuses"])
def test_nothing_depends_on_what_is_only_nice_to_know(on: str, pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop()
    shop.fault("critical_500", on=on)

    facts = connect(shop).check()

    assert (facts.version, facts.statuses) == (("", CORE) if on == "system_status" else ("10.9.1", ()))


def test_a_store_that_shows_its_index_to_nobody_is_read_all_the_same(pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop(plugin="ast+fulfillments")
    shop.fault("login_wall", on="index")

    facts = connect(shop).check()

    assert (facts.shop_name, facts.time_zone) == ("127.0.0.1", "")
    assert facts.places == ("shipment_tracking", "fulfillments", "plain")


@pytest.mark.parametrize("fault", ["waf_403", "404", "login_wall"])
def test_a_firewall_before_the_index_alone_keeps_no_number_away(fault: str, pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop(plugin="ast")
    shop.fault(fault, on="index")

    assert places.find(rest(shop), Memory()) == Places((Place.SHIPMENT_TRACKING, Place.PLAIN), is_ast=True)


@pytest.mark.parametrize(
    "name,offset,zone",
    [
        ("Europe/Berlin", "1", "Europe/Berlin"),
        ("", "0", "UTC"),
        ("", 2, "Etc/GMT-2"),
        ("", "-5", "Etc/GMT+5"),
        ("", "5.5", "Asia/Kolkata"),
        ("", "-3.5", "America/St_Johns"),
        ("", "1.25", ""),
        ("", "99", ""),
        ("", "east", ""),
        (None, None, ""),
    ],
)
def test_a_shop_without_a_zone_has_one_of_its_difference_to_utc(name: Any, offset: Any, zone: str) -> None:
    assert time_zone(name, offset) == zone


# --- What a merchant has to put right --------------------------------------------------------------------


def nothing(shop: WooShop) -> None: ...


def the_key_is_revoked(shop: WooShop) -> None:
    shop.revoke_key()


def the_secret_is_another(shop: WooShop) -> None:
    shop.consumer_secret = "cs_" + "0" * 40


def the_key_may_only_read(shop: WooShop) -> None:
    shop.new_key(permissions="read")


def the_key_may_only_write(shop: WooShop) -> None:
    shop.new_key(permissions="write")


def the_key_is_a_customers(shop: WooShop) -> None:
    shop.new_key(user="customer")


def woocommerce_is_off(shop: WooShop) -> None:
    shop.settings(has_woocommerce=False)


def permalinks_are_plain(shop: WooShop) -> None:
    shop.settings(plain_permalinks=True)


def nothing_rewrites(shop: WooShop) -> None:
    shop.fault("404")


def a_plugin_closes_the_api(shop: WooShop) -> None:
    shop.fault("login_wall")


def a_firewall_stands_before_it(shop: WooShop) -> None:
    shop.fault("waf_403")


def a_bot_check_stands_before_it(shop: WooShop) -> None:
    shop.fault("cloudflare_503")


def it_is_not_open_yet(shop: WooShop) -> None:
    shop.fault("html_200")


def there_is_no_such_page(shop: WooShop) -> None:
    shop.base_url = f"{shop.base_url}-gone"


def the_shop_believes_in_http(shop: WooShop) -> None:
    shop.settings(thinks_http=True)


@pytest.mark.parametrize(
    "what,code,values",
    [
        (the_key_is_revoked, Code.TOKEN_REFUSED, {"status": 401}),
        (the_secret_is_another, Code.TOKEN_REFUSED, {"status": 401}),
        (the_key_may_only_read, Code.SCOPE_MISSING, {"scopes": ["Read/Write"]}),
        (the_key_may_only_write, Code.SCOPE_MISSING, {"scopes": ["Read/Write"]}),
        (the_key_is_a_customers, Code.USER_LACKS_RIGHTS, {}),
        (woocommerce_is_off, Code.PLATFORM_MISSING, {}),
        (permalinks_are_plain, Code.PERMALINKS, {}),
        (a_plugin_closes_the_api, Code.API_CLOSED, {"said": "rest_not_logged_in"}),
        (a_firewall_stands_before_it, Code.SHUT_OUT, {"status": 403}),
        (a_bot_check_stands_before_it, Code.SHUT_OUT, {"status": 503}),
        (it_is_not_open_yet, Code.SHUT_OUT, {"status": 200}),
        (there_is_no_such_page, Code.SHOP_NOT_FOUND, {"status": 404}),
    ],
)
def test_a_merchant_who_connects_is_told_at_once_what_to_put_right(
    what: Callable[[WooShop], None], code: str, values: dict[str, Any], pretend_woo: PretendWooCommerce
) -> None:
    shop = pretend_woo.shop()
    shop.add_order()
    what(shop)

    with pytest.raises(StoreDisconnected) as refused:
        connect(shop).check()

    assert (refused.value.reason.code, dict(refused.value.reason.values)) == (code, values)


def test_a_page_without_its_api_is_recognised_as_wordpress(pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop()
    nothing_rewrites(shop)  # the page itself answers, and names its API

    with pytest.raises(StoreDisconnected) as refused:
        connect(shop).check()

    assert refused.value.reason.code == Code.PERMALINKS


def test_a_key_that_was_given_for_reading_only_is_refused_before_it_is_tried(pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop()

    with pytest.raises(StoreDisconnected) as refused:
        connect(shop, credentials={**shop.credentials, "key_permissions": "read"}).check()

    assert refused.value.reason.values == {"scopes": ["Read/Write"]}
    assert shop.book()["counts"]["requests"] == 1


def test_a_store_that_is_down_is_no_case_for_its_merchant(pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop()
    shop.fault("maintenance")

    with pytest.raises(StoreBusy) as busy:
        connect(shop).check()

    assert (busy.value.reason.code, busy.value.after) == (Code.SERVER_ERROR, 600.0)


@pytest.mark.parametrize("sees_https,code", [(True, Code.TOKEN_REFUSED), (False, Code.HTTPS_NOT_SEEN)])
def test_a_shop_that_does_not_see_https_is_told_from_a_key_that_is_gone(sees_https: bool, code: str) -> None:
    with PretendWooCommerce(tls=True) as secure:
        shop = secure.shop(thinks_http=not sees_https)
        if sees_https:
            shop.revoke_key()

        with pytest.raises(StoreDisconnected) as refused:
            connect(shop, ca_bundle=secure.ca_bundle or "").check()

        assert refused.value.reason.code == code


def test_a_key_is_not_sent_where_the_api_is_not_sure_to_be(pretend_woo: PretendWooCommerce) -> None:
    shop = pretend_woo.shop()
    shop.fault("302", on="index")

    with pytest.raises(StoreDisconnected) as refused:
        connect(shop).check()

    assert refused.value.reason.code == Code.ADDRESS_MOVED
    assert shop.book()["counts"]["requests"] == 1


# --- An address that is a little wrong --------------------------------------------------------------------


class _Sending(BaseHTTPRequestHandler):
    """Sends each request below `moves` elsewhere; writes down whether a key came."""

    moves: dict[str, str]
    link: dict[str, str]
    keys: list[str]

    def do_GET(self) -> None:
        self.keys += [value for value in (self.headers.get("Authorization"),) if value]
        self.keys += [self.path] if "consumer_key" in self.path else []
        path = self.path.partition("?")[0]
        to = next((there for start, there in self.moves.items() if path.startswith(start)), None)
        self.send_response(301 if to else 404 if path != "/blog/" else 200)
        if to:
            self.send_header("Location", to + path.partition("/wp-json")[1] + path.partition("/wp-json")[2])
        for name, value in self.link.items() if path == "/blog/" else ():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def host() -> Iterator[tuple[str, type[_Sending]]]:
    """The address of somebody's web server, and what it does."""

    class Here(_Sending):
        moves: dict[str, str] = {}
        link: dict[str, str] = {}
        keys: list[str] = []

    server = ThreadingHTTPServer(("127.0.0.1", 0), Here)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", Here
    server.shutdown()
    server.server_close()


def test_the_address_at_the_end_of_redirects_is_told_and_never_given_the_key(
    host: tuple[str, type[_Sending]], pretend_woo: PretendWooCommerce
) -> None:
    address, here = host
    shop = pretend_woo.shop()
    here.moves = {"/typed": f"{address}/www", "/www": shop.base_url}

    with pytest.raises(StoreDisconnected) as moved:
        connect(shop, base_url=f"{address}/typed").check()

    assert (moved.value.reason.code, dict(moved.value.reason.values)) == (Code.ADDRESS_MOVED, {"to": shop.base_url})
    assert (here.keys, shop.book()["counts"]["requests"], shop.book()["counts"]["in_query"]) == ([], 1, 0)


def test_a_circle_of_redirects_ends(host: tuple[str, type[_Sending]], pretend_woo: PretendWooCommerce) -> None:
    address, here = host
    here.moves = {"/one": f"{address}/two", "/two": f"{address}/one"}

    with pytest.raises(StoreDisconnected) as moved:
        connect(pretend_woo.shop(), base_url=f"{address}/one").check()

    assert moved.value.reason.code == Code.ADDRESS_MOVED


def test_another_host_is_named_and_not_called(
    host: tuple[str, type[_Sending]], pretend_woo: PretendWooCommerce
) -> None:
    address, here = host
    shop = pretend_woo.shop()
    elsewhere = shop.base_url.replace("127.0.0.1", "localhost")
    here.moves = {"/typed": elsewhere}

    with pytest.raises(StoreDisconnected) as moved:
        connect(shop, base_url=f"{address}/typed").check()

    assert dict(moved.value.reason.values) == {"to": elsewhere}
    assert (here.keys, shop.book()["counts"]["requests"]) == ([], 0)


def test_a_page_that_names_its_api_elsewhere_tells_the_address(
    host: tuple[str, type[_Sending]], pretend_woo: PretendWooCommerce
) -> None:
    address, here = host
    here.link = {"Link": f'<{address}/wp-json/>; rel="https://api.w.org/"'}

    with pytest.raises(StoreDisconnected) as moved:
        connect(pretend_woo.shop(), base_url=f"{address}/blog").check()

    assert (moved.value.reason.code, dict(moved.value.reason.values)) == (Code.ADDRESS_MOVED, {"to": address})
    assert here.keys == []
