"""Every merchant's page in axe-core: no serious and no critical finding, in light and dark, wide and narrow.

The pages are read from the URLconf (tests/addresses.py) and shown in a world with something of everything.
https://github.com/dequelabs/axe-core/blob/develop/doc/API.md says what a finding is.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from tests.addresses import FOR_EVERYBODY, Address, addresses
from tests.merchants import Merchant, a_merchant_with_everything
from tests.stores.account_cast import a_merchant

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
FINDINGS = """async () => {
    const found = await axe.run(document, { resultTypes: ["violations"] });
    return found.violations
        .filter(each => ["serious", "critical"].includes(each.impact))
        .map(each => `${each.id}: ${each.nodes.map(node => node.target.join(" ")).slice(0, 3).join(", ")}`
            + ` (${each.nodes[0].any.concat(each.nodes[0].all, each.nodes[0].none)[0]?.message ?? each.help})`);
}"""
LOOKS = [(scheme, width) for scheme in ("light", "dark") for width in (1280, 390)]
# Which of the merchant's stores and parcels a page is looked at for, and with which queries, by its name; else the
# first one alone. A page of another state has other words, badges and buttons.
STORES = {"store": slice(None)}
QUERIES = {
    "choice": ["", "?timing=before_dispatch&number_source=local&delay_hours=24&mail_sender=nobody", "?delay_hours=x"],
    "store_orders": ["", "?store={store}", "?state=nonsense"],
    "store_start": ["?day=2026-01-05"],
    "attention": ["", "?problem=refused"],
    "give_up": ["?shipment={shipment}"],
}


def is_shown(client: Client, url: str) -> bool:
    """Whether there is a page of ours at this address, and not an act, a file or a redirection."""
    answer = client.get(url)
    return answer.status_code in (200, 400) and answer["Content-Type"].startswith("text/html")


def pages(merchant: Merchant, shown: list[Address]) -> Iterator[str]:
    """The addresses that are looked at."""
    # In each state a parcel's page says something else: one of each.
    by_state = {(each.sync.state, each.sync.reason): each for each in merchant.shipments}
    store, shipment = merchant.stores[0], merchant.shipments[-1]
    for address in shown:
        urls = address.urls(merchant)
        if address.name == "shipment":
            urls = [reverse("shipment", args=[each.pk]) for each in by_state.values()]
        elif address.owned_by:
            urls = urls[STORES.get(address.name, slice(1))]
        for url in urls:
            for query in QUERIES.get(address.name, [""]):
                yield url + query.format(store=store.pk, shipment=shipment.pk)


class Looks:
    """A window in which pages are looked at; what axe finds, by page."""

    def __init__(self, chromium: Any, address: str) -> None:
        # axe is put into the page from outside, which our policy of contents forbids to everybody else.
        self.context = chromium.new_context(bypass_csp=True)
        self.page, self.address = self.context.new_page(), address
        self.found: dict[str, list[str]] = {}

    def log_in(self, user: Any) -> Client:
        """The window of this person from here on, and the same as a test client."""
        client = Client()
        client.force_login(user)
        cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": self.address}
        self.context.add_cookies([cookie])
        return client

    def look_at(self, url: str) -> None:
        """Open a page and let axe see it in every look."""
        self.page.goto(self.address + url)
        self.page.evaluate(AXE)
        for scheme, width in LOOKS:
            self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            self.page.set_viewport_size({"width": width, "height": 900})
            for finding in self.page.evaluate(FINDINGS):
                self.found.setdefault(f"{url} {scheme} {width}", []).append(finding)


@pytest.fixture
def looks(chromium: Any, live_server: Any) -> Iterator[Looks]:
    opened = Looks(chromium, live_server.url)
    yield opened
    opened.context.close()


def test_every_page_of_a_merchant_can_be_read_and_used_by_everybody(looks: Looks) -> None:
    with transaction.atomic():
        merchant = a_merchant_with_everything()
    client = looks.log_in(merchant.user)
    mine = [each for each in addresses() if each.name not in FOR_EVERYBODY and not each.unknown]
    shown = [url for url in pages(merchant, mine) if is_shown(client, url)]
    for url in shown:
        looks.look_at(url)

    assert looks.found == {}
    assert len(shown) >= 40


def test_every_page_without_an_account_can_be_read_and_used_by_everybody(looks: Looks) -> None:
    with transaction.atomic():
        parcels = a_merchant_with_everything().shipments
    for address in addresses():
        if address.name in FOR_EVERYBODY and is_shown(Client(), address.url()):
            looks.look_at(address.url())
    by_state = {each.sync.state: each.token for each in parcels}
    for url in ("/no-such-page", *(reverse("tracking", args=[token]) for token in by_state.values())):
        looks.look_at(url)

    assert looks.found == {}
    assert set(by_state) == {"waiting", "due", "synced", "attention"}


def test_the_first_pages_of_somebody_new_can_be_read_and_used_by_everybody(looks: Looks) -> None:
    looks.log_in(a_merchant("mira@linden.example"))
    for name in ("overview", "stores", "store_orders", "choice_pick", "attention", "account"):
        looks.look_at(reverse(name))

    assert looks.found == {}


def test_a_finding_is_found(looks: Looks) -> None:
    looks.page.goto(looks.address + reverse("help"))
    looks.page.evaluate("document.querySelector('main').innerHTML += '<input><p class=\"x\">pale</p>'")
    looks.page.add_style_tag(content=".x { color: #ccc; background: #fff }")
    looks.page.evaluate(AXE)

    found = [finding.partition(":")[0] for finding in looks.page.evaluate(FINDINGS)]

    assert found == ["color-contrast", "label"]
