"""Many stores from one file: each line by itself, every problem with its place, and no cell ever repeated."""

from __future__ import annotations

import csv
import io
import logging
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from orders.wording import connection
from orders.wording.reasons import Who
from stores.advice import ADVICE
from stores.choices import NumberSource, Timing
from stores.connecting_file import Unusable, credential_columns, read
from stores.connectors import registry
from stores.connectors.codes import Code
from stores.connectors.shopify import ShopifyConnector
from stores.guides import GUIDES
from stores.models import Store
from tests import factories
from tests.storefronts.woo import PretendWooCommerce

pytestmark = pytest.mark.django_db

COLUMNS = ("owner", "platform", "name", "url", "access_token", "client_id", "client_secret", "timing", "sync_from")
SECRET = "a-secret-that-nothing-may-repeat"


def a_line(shop: Any = None, **cells: str) -> dict[str, str]:
    """A line that is right for this shop, but for the cells that are given."""
    right = {"owner": "merchant@example.com", "platform": "shopify", "name": "Acme"}
    access = {"url": shop.base_url, "access_token": shop.token} if shop else {"url": "acme", "access_token": SECRET}
    return right | access | cells


def written(lines: list[dict[str, str]], path: Path, columns: tuple[str, ...] = COLUMNS) -> str:
    """The file with these lines; its name."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(lines)
    path.write_text(text.getvalue(), encoding="utf-8-sig")
    return str(path)


def run(name: str) -> tuple[int, list[str], list[str], str]:
    """(exit code, lines of stdout, lines of stderr, the last word) of connect_store --from this file."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("connect_store", "--from", name, stdout=out, stderr=err)
    except CommandError as error:
        return error.returncode, out.getvalue().splitlines(), err.getvalue().splitlines(), str(error)
    return 0, out.getvalue().splitlines(), err.getvalue().splitlines(), ""


AGAIN = "Correct these lines and run the whole file again: what is connected is left as it is."


def test_each_line_becomes_a_store_of_its_own(pretend: Any, tmp_path: Path) -> None:
    first, second = pretend.shop(), pretend.shop()
    lines = [
        a_line(first, name="Linden Home", timing="before_dispatch", sync_from="2026-03-01T08:00+08:00"),
        a_line(second, name="Mugs", owner="other@example.com", access_token="", **second.client_credentials),
    ]

    code, out, err, _ = run(written(lines, tmp_path / "stores.csv"))

    one, two = Store.objects.select_related("owner", "preference").order_by("pk")
    assert (code, out, err) == (
        0,
        [
            f"line 2: store {one.pk} connected",
            f"line 3: store {two.pk} connected",
            "2 connected, 0 unchanged, 0 not connected",
        ],
        [],
    )
    assert [(store.name, store.owner.email, dict(store.credentials)) for store in (one, two)] == [
        ("Linden Home", "merchant@example.com", first.credentials),
        ("Mugs", "other@example.com", second.client_credentials),
    ]
    assert [
        (store.preference.timing, store.preference.number_source, store.preference.confirmed_at is not None)
        for store in (one, two)
    ] == [
        (Timing.BEFORE_DISPATCH, NumberSource.DEFAULT, True),
        (Timing.AFTER_DISPATCH, NumberSource.DEFAULT, False),
    ]
    assert f"{one.sync_from:%Y-%m-%d %H:%M}" == "2026-03-01 00:00"


def test_stores_of_several_platforms_stand_in_one_file(
    pretend: Any, pretend_woo: PretendWooCommerce, tmp_path: Path
) -> None:
    mugs, garden, closed = pretend.shop(), pretend_woo.shop(plugin="ast"), pretend_woo.shop(key_permissions="read")
    woo = {"platform": "woocommerce", "access_token": ""}
    lines = [
        a_line(mugs),
        a_line(url=garden.base_url, **woo, **garden.credentials),
        a_line(url=closed.base_url, **woo, **closed.credentials),
        a_line(url=closed.base_url, consumer_key=SECRET, **woo),
        a_line(url=garden.base_url, platform="woocommerce", access_token=SECRET),
    ]

    code, out, err, _ = run(written(lines, tmp_path / "stores.csv", (*COLUMNS, "consumer_key", "consumer_secret")))

    assert (code, out[-1]) == (1, "2 connected, 0 unchanged, 3 not connected")
    assert list(Store.objects.order_by("pk").values_list("platform", "base_url")) == [
        ("shopify", mugs.base_url),
        ("woocommerce", garden.base_url),
    ]
    assert dict(Store.objects.get(platform="woocommerce").credentials) == garden.credentials
    assert err == [
        "line 4, column consumer_key: The access lacks permissions in the store: Read/Write. Grant them there, then "
        "connect again.",
        "line 5, column consumer_secret: The cell is empty.",
        "line 6, column access_token: This is not among what the platform takes.",
        "line 6, column consumer_key: The access is missing: consumer_key and consumer_secret.",
    ]


def test_a_line_that_is_wrong_stops_no_other_and_the_corrected_file_is_run_again(pretend: Any, tmp_path: Path) -> None:
    good, bad = pretend.shop(), pretend.shop()
    name = written([a_line(bad, access_token=SECRET), a_line(good)], tmp_path / "stores.csv")

    first = run(name)
    store = Store.objects.get()
    written([a_line(bad), a_line(good)], tmp_path / "stores.csv")
    second = run(name)

    assert first == (
        1,
        ["line 2: not connected", f"line 3: store {store.pk} connected", "1 connected, 0 unchanged, 1 not connected"],
        [
            "line 2, column access_token: The store refused the access. Copy it again from the store, whole and "
            "without spaces."
        ],
        AGAIN,
    )
    new = Store.objects.exclude(pk=store.pk).get()
    assert second == (
        0,
        [
            f"line 2: store {new.pk} connected",
            f"line 3: store {store.pk} unchanged",
            "1 connected, 1 unchanged, 0 not connected",
        ],
        [],
        "",
    )


def test_a_store_that_is_connected_is_left_as_it_is(pretend: Any, tmp_path: Path) -> None:
    shop = pretend.shop()
    run(written([a_line(shop)], tmp_path / "stores.csv"))
    before = Store.objects.values().get()

    code, out, _, _ = run(
        written([a_line(shop, name="Another", access_token=SECRET, timing="before_dispatch")], tmp_path / "stores.csv")
    )

    assert (code, out[-1]) == (0, "0 connected, 1 unchanged, 0 not connected")
    assert Store.objects.values().get() == before


@pytest.mark.parametrize(
    "cells, problems",
    [
        ({"owner": ""}, ["line 2, column owner: The cell is empty."]),
        ({"owner": SECRET}, ["line 2, column owner: This is no e-mail address."]),
        ({"platform": SECRET}, ["line 2, column platform: There is no such platform. Those are: {platforms}."]),
        ({"name": "  "}, ["line 2, column name: The cell is empty."]),
        ({"name": "N" * 201}, ["line 2, column name: Ensure this value has at most 200 characters (it has 201)."]),
        ({"url": ""}, ["line 2, column url: The cell is empty."]),
        (
            {"url": f"https://www.{SECRET}.com"},
            [
                "line 2, column url: The address is the shop's own domain. Use the platform's name for it "
                "(name.myshopify.com)."
            ],
        ),
        (
            {"url": "https://192.168.1.10"},
            ["line 2, column url: The address lies in a private network. Only TRACKSYNC_ALLOW_HOSTS can open one."],
        ),
        ({"timing": SECRET}, ["line 2, column timing: Write before_dispatch or after_dispatch, or leave it empty."]),
        (
            {"sync_from": SECRET},
            ["line 2, column sync_from: This is no date. Write it as 2026-03-31 or 2026-03-31T14:30+08:00."],
        ),
        (
            {"access_token": ""},
            ["line 2, column client_id: The access is missing: client_id and client_secret or access_token."],
        ),
        ({"access_token": "", "client_secret": SECRET}, ["line 2, column client_id: The cell is empty."]),
        (
            {"client_id": SECRET, "client_secret": SECRET},
            ["line 2, column access_token: Fill in one way, and leave the other empty: client_id and client_secret."],
        ),
        (
            {"owner": "", "url": "", "timing": "soon"},
            [
                "line 2, column owner: The cell is empty.",
                "line 2, column url: The cell is empty.",
                "line 2, column timing: Write before_dispatch or after_dispatch, or leave it empty.",
            ],
        ),
    ],
)
def test_every_problem_is_told_with_its_line_and_column(
    cells: dict[str, str], problems: list[str], tmp_path: Path
) -> None:
    code, out, err, last = run(written([a_line(**cells)], tmp_path / "stores.csv"))

    platforms = ", ".join(registry.CONNECTORS)
    assert (code, out, last) == (
        1,
        ["line 2: not connected", "0 connected, 0 unchanged, 1 not connected"],
        AGAIN,
    )
    assert err == [problem.format(platforms=platforms) for problem in problems]
    assert SECRET not in "".join(err)
    assert not Store.objects.exists()


def somebody_else_has_connected_it(shop: Any) -> str:
    factories.a_store_in(shop, factories.a_user("other@example.com"))
    return "line 2, column url: This shop is connected already, for another owner."


def somebody_signed_up_and_never_verified(shop: Any) -> str:
    factories.a_user("merchant@example.com")
    return "line 2, column owner: Somebody signed up with this address and has not verified it; ask them to."


def a_scope_is_missing(shop: Any) -> str:
    shop.settings(scopes=["read_orders", "read_locations"])
    return (
        "line 2, column access_token: The access lacks permissions in the store: "
        "write_merchant_managed_fulfillment_orders. Grant them there, then connect again."
    )


def the_store_is_down(shop: Any) -> str:
    shop.fault("503")
    return "line 2: The store gave no usable answer (server_error). Check the address and try again."


@pytest.mark.parametrize(
    "what",
    [
        somebody_else_has_connected_it,
        somebody_signed_up_and_never_verified,
        a_scope_is_missing,
        the_store_is_down,
    ],
)
def test_what_the_store_or_the_accounts_say_against_it_is_told_too(what: Any, pretend: Any, tmp_path: Path) -> None:
    shop = pretend.shop()
    says = what(shop)

    code, _, err, _ = run(written([a_line(shop)], tmp_path / "stores.csv"))

    assert (code, err) == (1, [says])


@pytest.mark.parametrize(
    "data, says",
    [
        (b"", "The first line has to name the columns, and lacks owner, platform, name, url."),
        (b"owner,platform,name\n", "The first line has to name the columns, and lacks url."),
        (b"owner,platform,name,url,url\n", "The first line has a column twice: url."),
        (
            b'owner,platform,name,url\n"a,b,c,d\n',
            "Line 2 cannot be read. Look for a quotation mark that is not closed.",
        ),
        ("owner,platform,name,url,ü\n".encode("latin-1"), "The file is not UTF-8. Save it as “CSV UTF-8”."),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_as_a_whole(data: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "stores.csv"
    path.write_bytes(data)

    assert run(str(path)) == (2, [], [], f"--from: {says}")


def test_a_name_of_a_column_that_is_not_known_is_not_repeated() -> None:
    with pytest.raises(Unusable) as caught:
        read(f"owner,platform,name,url,{SECRET}\n".encode())

    assert str(caught.value) == (
        "The first line has a name that is not known, in column 5. Known are: owner, platform, name, url, "
        f"{', '.join(credential_columns())}, timing, number_source, sync_from."
    )


@pytest.mark.parametrize(
    "text",
    [
        "owner,platform,name,url\nm@example.com,shopify,Acme,acme\n",
        "\ufeffowner;platform;name;url\r\nm@example.com;shopify;Acme;acme\r\n",
        "Owner\tPlatform\tName\tURL\t\t\n\nm@example.com\tshopify\t Acme \tacme\t\t\n",
        'url,name,platform,owner\n"acme","Acme",shopify,m@example.com',
    ],
    ids=["commas", "a spreadsheet's semicolons", "tabs, empty columns and lines", "another order, quoted"],
)
def test_a_file_is_read_however_a_spreadsheet_writes_it(text: str) -> None:
    assert [line.cells for line in read(text.encode())] == [
        {"owner": "m@example.com", "platform": "shopify", "name": "Acme", "url": "acme"}
    ]


def test_lines_are_counted_as_an_editor_counts_them() -> None:
    text = 'owner,platform,name,url\n"a\nb",p,n,u\n\no,p,n,u,more\n'

    assert [(line.number, line.surplus) for line in read(text.encode())] == [(2, False), (5, True)]


@pytest.mark.parametrize(
    "options, says",
    [
        (
            ("--from", "stores.csv", "--owner", "m@example.com", "--sync-from", "2026-01-01"),
            "--from takes everything from the file: leave out --owner, --sync-from.",
        ),
        (("--from", "/nowhere/stores.csv"), "--from: the file cannot be read: No such file or directory."),
        (
            ("--owner", "m@example.com", "--url", "x"),
            ("the following arguments are required: --platform, --name, --credentials"),
        ),
    ],
)
def test_what_is_asked_in_a_wrong_way_ends_with_2(options: tuple[str, ...], says: str) -> None:
    with pytest.raises(CommandError) as caught:
        call_command("connect_store", *options)

    assert (caught.value.returncode, str(caught.value)) == (2, says)


class Broken(ShopifyConnector):
    """A connector with a mistake of its own."""

    def check(self) -> Any:
        """Never gets to an answer."""
        raise KeyError(SECRET)


def test_a_mistake_of_our_own_stops_no_other_line_and_tells_nothing_of_the_line(
    pretend: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(registry.CONNECTORS, "shopify", Broken)

    code, out, err, _ = run(written([a_line(), a_line(url="other")], tmp_path / "stores.csv"))

    assert (code, out[-1]) == (1, "0 connected, 0 unchanged, 2 not connected")
    assert err == [f"line {line}: TrackSync itself made a mistake (KeyError)." for line in (2, 3)]
    assert [record.getMessage() for record in caplog.records] == [
        f"Line {line} could not be connected: KeyError" for line in (2, 3)
    ]


def test_no_secret_is_printed_logged_or_written_to_another_file(
    pretend: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    good, bad, odd = pretend.shop(), pretend.shop(), pretend.shop()
    lines = [a_line(good), a_line(bad, access_token=SECRET), a_line(odd, url=odd.token, client_id=SECRET)]

    said = run(written(lines, tmp_path / "stores.csv"))

    told = str(said) + caplog.text
    assert [secret for secret in (good.token, odd.token, SECRET) if secret in told] == []
    assert [path.name for path in tmp_path.iterdir()] == ["stores.csv"]
    assert said[0] == 1


def test_an_operator_is_advised_about_everything_that_a_person_has_to_mend() -> None:
    a_person = {code for code, words in connection.WORDS.items() if words.who in (Who.MERCHANT, Who.STAFF)}

    assert set(ADVICE) | {Code.ADDRESS_REFUSED} == a_person


def test_every_platform_has_its_guide() -> None:
    assert set(GUIDES) == set(registry.CONNECTORS)
