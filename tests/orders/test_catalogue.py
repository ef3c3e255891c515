"""The carriers and shipping methods to begin with, and what stores are told about a carrier."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.apps import apps

from orders.links import GENERAL_PAGE, company_name, tracking_link
from orders.models import Carrier
from stores.connectors.woocommerce.sinks.carriers import OTHER, slug

names_added = importlib.import_module("orders.migrations.0009_woocommerce_names")
DATA = Path(__file__).resolve().parents[2] / "orders" / "data" / "carriers.json"
ROWS = json.loads(DATA.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "template, value, link",
    [
        ("https://carrier.example/t?n={n}", "YT2600000001", "https://carrier.example/t?n=YT2600000001"),
        ("https://carrier.example/{n}/x?n={n}", "A1-2", "https://carrier.example/A1-2/x?n=A1-2"),
        ("https://carrier.example/t?n={n}", "A/1&b=2#3 4", "https://carrier.example/t?n=A%2F1%26b%3D2%233%204"),
        ("https://carrier.example/all", "A1", "https://carrier.example/all"),
        ("", "YT2600000001", "https://t.17track.net/en#nums=YT2600000001"),
    ],
)
def test_a_link_leads_to_one_number(template: str, value: str, link: str) -> None:
    assert tracking_link(Carrier(tracking_url=template), value) == link


@pytest.mark.parametrize("platform, name", [("shopify", "YunExpress"), ("woocommerce", "Yun Express (China)")])
def test_a_carrier_is_called_what_the_platform_calls_it(platform: str, name: str) -> None:
    carrier = Carrier(name="Yun Express (China)", platform_names={"shopify": "YunExpress"})

    assert company_name(carrier, platform) == name


def test_every_carrier_of_the_catalogue_has_a_link_that_takes_a_number() -> None:
    links = [tracking_link(Carrier(tracking_url=row["tracking_url"]), "N1") for row in ROWS]

    assert len(ROWS) == 74
    assert [link for link in links if "N1" not in link or urlsplit(link).scheme != "https" or "{" in link] == []
    assert len({row["code"] for row in ROWS}) == 74


def test_our_own_carrier_has_the_general_page_until_we_have_our_own() -> None:
    assert [row["tracking_url"] for row in ROWS if row["code"] == "cj-packet"] == [GENERAL_PAGE]


@pytest.mark.parametrize(
    "code, name",
    [
        ("yunexpress", "YunExpress"),
        ("usps", "USPS"),
        ("bpost", "BPost"),
        ("japan-post", "Japan Post (EN)"),
        ("inpost-pl", "Inpost"),
        ("anjun", "Anjun Logistics"),
        # not in Shopify's list: sent as free text
        ("yanwen", "Yanwen"),
        ("gofo", "GOFO Express"),
    ],
)
def test_shopify_gets_its_own_spelling(code: str, name: str) -> None:
    row = next(row for row in ROWS if row["code"] == code)

    assert company_name(Carrier(name=row["name"], platform_names=row["platform_names"]), "shopify") == name


def test_woocommerce_knows_these_carriers_by_a_word_of_its_own() -> None:
    names = {
        row["code"]: company_name(Carrier(name=row["name"], platform_names=row["platform_names"]), "woocommerce")
        for row in ROWS
    }

    assert {code: slug(name) for code, name in names.items() if slug(name) != OTHER} == {
        "deutsche-post": "deutsche-post",
        "dhl-express": "dhl",
        "dhl-paket": "dhl",
        "dpd-uk": "dpd",
        "evri": "evri-hermes",
        "fedex": "fedex",
        "gls": "gls",
        "postnl": "postnl",
        "postnl-intl": "postnl",
        "royal-mail": "royal-mail",
        "ups": "ups",
        "usps": "usps",
    }


def test_the_file_and_the_migration_name_the_same_carriers_for_woocommerce() -> None:
    assert {
        row["code"]: row["platform_names"]["woocommerce"] for row in ROWS if "woocommerce" in row["platform_names"]
    } == names_added.NAMES


@pytest.mark.django_db
def test_a_name_that_staff_have_entered_is_neither_overwritten_nor_taken_back() -> None:
    evri, ontrac = (Carrier.objects.get(code=code) for code in ("evri", "ontrac"))
    Carrier.objects.filter(code="evri").update(platform_names={"shopify": "Evri", "woocommerce": "Hermes"})
    Carrier.objects.filter(code="ontrac").update(platform_names={"shopify": "OnTrac"})

    names_added.add(apps, None)
    added = [Carrier.objects.get(pk=each.pk).platform_names for each in (evri, ontrac)]
    names_added.take_back(apps, None)
    taken_back = [Carrier.objects.get(pk=each.pk).platform_names for each in (evri, ontrac)]

    assert added == [
        {"shopify": "Evri", "woocommerce": "Hermes"},
        {"shopify": "OnTrac", "woocommerce": "OnTrac"},
    ]
    assert taken_back == [{"shopify": "Evri", "woocommerce": "Hermes"}, {"shopify": "OnTrac"}]


@pytest.mark.processes
def test_the_catalogue_is_seeded_and_taken_back(manage, tmp_path: Path) -> None:
    empty = {"DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite3'}"}
    look = (
        "from orders.models import *;"
        "print(Carrier.objects.count(), list(Carrier.objects.filter(is_own=True).values_list('code', flat=True)),"
        "sorted(ShippingMethod.objects.filter(default_number='own').values_list('name', flat=True)))"
    )

    steps = [
        manage("migrate", "-v0", env=empty),
        manage("shell", "--no-imports", "-c", look, env=empty),
        manage("migrate", "-v0", "orders", "0001", env=empty),
        manage("shell", "--no-imports", "-c", look, env=empty),
        manage("migrate", "-v0", env=empty),
        manage("shell", "--no-imports", "-c", look, env=empty),
    ]

    seeded = "74 ['cj-packet'] ['CJPacket Ordinary', 'CJPacket Sensitive']\n"
    assert [(step.returncode, step.stdout) for step in steps] == [
        (0, ""),
        (0, seeded),
        (0, ""),
        (0, "0 [] []\n"),
        (0, ""),
        (0, seeded),
    ]
