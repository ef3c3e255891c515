"""The help page: open to everybody, true to the catalogue, with the ten commonest answers."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from orders.models import ShippingMethod
from tests import factories
from tests.orders.admin_cast import logged_in

pytestmark = pytest.mark.django_db


def html(client: Client | None = None) -> str:
    answer = (client or Client()).get(reverse("help"))
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_everybody_may_read_it() -> None:
    anonymous, merchant = html(), html(logged_in(factories.a_user()))

    for page in (anonymous, merchant):
        assert re.findall(r"<h1>(.*?)</h1>", page) == ["How tracking sync works"]
        assert [gap for gap in ("${", "{{", "{%", "None", "style=") if gap in page] == []


def test_its_table_is_the_catalogues() -> None:
    ShippingMethod.objects.create(code="own-line", name="Our Fast Line", default_number="own")
    ShippingMethod.objects.create(code="gone", name="Our Old Line", default_number="own", is_active=False)

    table = re.search(r"<tbody>(.*?)</tbody>", html(), re.DOTALL).group(1)

    assert re.findall(r'<th scope="row">(.*?)</th>', table) == [
        "CJPacket Ordinary",
        "CJPacket Sensitive",
        "Our Fast Line",
        "Every other method",
    ]


def test_it_has_the_ten_commonest_answers_and_every_jump_lands() -> None:
    page = html()

    why = page[page.index('<section id="why"') :]
    assert len(re.findall("<summary>", why)) == 10
    jumps = re.findall(r'href="#(\w+)"', page[page.index("<main") :])
    assert len(jumps) == 8
    assert [name for name in jumps if f'id="{name}"' not in page] == []


@pytest.mark.parametrize("url", ["", "mailto:help@house.example"])
def test_the_contact_link_is_there_when_it_is_set(url: str, settings: Any) -> None:
    settings.TRACKSYNC_CONTACT_URL = url

    main = html().partition("<main")[2].partition("</main>")[0]

    assert re.findall(r'<a class="button quiet" href="([^"]+)">Contact us', main) == ([url] if url else [])


def test_the_choice_leads_to_it() -> None:
    store = factories.a_store()

    page = logged_in(store.owner).get(reverse("choice", args=[store.pk])).content.decode()

    assert f'href="{reverse("help")}"' in page.partition("<main")[2].partition("</main>")[0]
