"""The whole of it, as a merchant meets it: from signing up to numbers in the store, with a real worker beside.

A real browser, a running server, the process of `manage.py worker`, and pretend stores whose own book is believed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orders import plan
from orders.models import TrackingSync
from stores.models import PreferenceChange, Store, SyncPreference
from tests.orders.background import eventually
from tests.orders.workers import Worker
from tests.storefronts.client import PretendShopify, Shop
from tests.stores.account_cast import PASSWORD, a_merchant

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.django_db(transaction=True)]

EMAIL = "jane@domain.com"
MASKED = "j***@d***.com"
COLUMNS = "store_id,order_number,parcel,shipping_method,own_number,local_number,carrier,paid_at,dispatched_at"
OWN, LOCAL = "CJPacket Ordinary", "YunExpress"


@dataclass(frozen=True)
class Parcel:
    """A line of the warehouse's file, and what the store shows of its order before and after the choice."""

    order: str
    method: str
    own: str = ""
    local: str = ""
    is_paid: bool = True
    is_dispatched: bool = False
    under_the_defaults: str = ""  # after dispatch, the usual number
    under_the_choice: str = ""  # before dispatch, always the carrier's number


ACME = [
    Parcel("#1001", LOCAL, "", "YT2600000000000001", True, True, "YT2600000000000001", "YT2600000000000001"),
    # Sent already, so it stays although the choice would have taken the other one.
    Parcel("#1002", OWN, "CJP0000000002", "YT2600000000000002", True, True, "CJP0000000002", "CJP0000000002"),
    Parcel("#1003", LOCAL, "", "YT2600000000000003", True, False, "", "YT2600000000000003"),
    Parcel("#1004", OWN, "CJP0000000004", "YT2600000000000004", True, False, "", "YT2600000000000004"),
    # The carrier has not given its number yet, and no other is put in its place.
    Parcel("#1005", OWN, "CJP0000000005", "", True, False, "", ""),
    Parcel("#1006", LOCAL, "", "YT2600000000000006", False, True, "", ""),
]
BOLT = [
    Parcel("#1001", LOCAL, "", "YT2600000000000011", True, True, "YT2600000000000011", "YT2600000000000011"),
    Parcel("#1002", LOCAL, "", "YT2600000000000012", True, False, "", ""),
]


class Visit:
    """One person's browser window, and all that it complained of."""

    def __init__(self, page: Any, address: str) -> None:
        self.page, self.address = page, address
        self.complaints: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def go(self, name: str, *args: Any) -> None:
        self.page.goto(self.address + reverse(name, args=args))

    def press(self, name: str) -> None:
        self.page.get_by_role("main").get_by_role("button", name=name, exact=True).click()

    def sees(self, text: str) -> None:
        """Wait until the page says so."""
        self.page.get_by_text(text).first.wait_for()

    def banner(self) -> str:
        """What is asked above the page, "" for nothing."""
        return " ".join(" ".join(self.page.get_by_role("region", name="Your e-mail address").all_inner_texts()).split())

    def sign_up(self) -> None:
        self.go("account_signup")
        self.page.get_by_label("E-mail address").fill(EMAIL)
        self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        self.page.get_by_label("Password, once more").fill(PASSWORD)
        self.press("Sign up")
        self.sees(f"We sent a link to {EMAIL}.")

    def verify(self) -> None:
        """Open the link of the mail and press its button."""
        (link,) = re.findall(r"http://\S+/account/verify/\S+", mail.outbox[-1].body)
        self.page.goto(link)
        self.press("Yes, verify it")
        self.sees(f"Thank you: {EMAIL} is verified.")

    def connect(self, name: str, shop: Shop) -> Store:
        """The guided form, from the list of stores to the page of the new one."""
        self.go("stores")
        self.page.get_by_role("main").get_by_role("link", name="Connect a store").first.click()
        self.page.get_by_role("link", name="Shopify", exact=True).click()
        self.page.get_by_label("Name of the store").fill(name)
        self.page.get_by_label("Shopify address").fill(shop.base_url)
        self.page.get_by_label("Access token").fill(shop.token)
        self.press("Check and connect")
        self.sees(f"{name} is connected.")
        return Store.objects.get(name=name)

    def preview(self) -> dict[str, str]:
        """What the choice would do: {order: what becomes of it}."""
        rows = self.page.locator("#effect tbody tr")
        return {
            rows.nth(place).locator("th").inner_text().strip(): rows.nth(place).locator("td").last.inner_text().strip()
            for place in range(rows.count())
        }

    def counts(self) -> list[int]:
        """So many parcels in each line of what the choice would do."""
        return [int(text) for text in self.page.locator("#effect .counts b").all_inner_texts()]

    def chosen(self) -> list[str]:
        """The answers that are ticked on the page."""
        return [radio.get_attribute("value") for radio in self.page.locator("input[type=radio]:checked").all()]


@pytest.fixture
def visit(chromium: Any, live_server: Any, settings: Any) -> Iterator[Visit]:
    settings.TRACKSYNC_URL = live_server.url
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield Visit(context.new_page(), live_server.url)
    context.close()


@pytest.fixture
def worker(database_url: str, tmp_path: Path) -> Iterator[Worker]:
    running = Worker(database_url, tmp_path / "worker.log")
    yield running
    running.kill()


def a_file(parcels: dict[Store, list[Parcel]], path: Path) -> Path:
    """What the warehouse knows, as it sends it."""
    an_hour_ago = (timezone.now() - timedelta(hours=1)).isoformat()
    lines = [
        [
            str(store.pk),
            parcel.order,
            "1",
            parcel.method,
            parcel.own,
            parcel.local,
            "yunexpress" if parcel.local else "",
            an_hour_ago if parcel.is_paid else "",
            an_hour_ago if parcel.is_dispatched else "",
        ]
        for store, its in parcels.items()
        for parcel in its
    ]
    path.write_text("\n".join([COLUMNS, *map(",".join, lines)]) + "\n")
    return path


def shown(shop: Shop) -> dict[str, str]:
    """What the store's own book says that each order shows, "" for nothing."""
    return {
        order["name"]: " ".join(number for made in order["fulfillments"] for number in made["numbers"])
        for order in shop.book()["orders"]
    }


def choice_of(store: Store) -> list[Any]:
    """The choice of a store with its history, byte for byte."""
    return [
        list(SyncPreference.objects.filter(pk=store.pk).values()),
        list(PreferenceChange.objects.filter(preference_id=store.pk).values()),
    ]


def test_from_signing_up_to_numbers_in_one_store_with_the_other_untouched(
    visit: Visit, worker: Worker, pretend: PretendShopify, manage: Callable[..., Any], tmp_path: Path
) -> None:
    acme_shop, bolt_shop = pretend.shop(), pretend.shop()
    page = visit.page

    # An account, and two stores.
    visit.sign_up()
    while_unverified = visit.banner()
    acme = visit.connect("Acme Mugs", acme_shop)
    bolt = visit.connect("Bolt Lamps", bolt_shop)

    # Orders are placed and pulled; the warehouse sends its file. Numbers go out under the answers of every new store.
    # The platform tells times in whole seconds: not in the very second in which the store was connected.
    placed_at = timezone.now() + timedelta(seconds=1)
    acme_shop.add_orders(len(ACME), placed_at=placed_at)
    bolt_shop.add_orders(len(BOLT), placed_at=placed_at)
    pulled = manage("pull_orders")
    imported = manage("import_shipments", str(a_file({acme: ACME, bolt: BOLT}, tmp_path / "parcels.csv")))
    assert (pulled.returncode, imported.returncode) == (0, 0), pulled.stderr + imported.stderr
    eventually(lambda: len(acme_shop.book()["numbers"]) == 2 and len(bolt_shop.book()["numbers"]) == 1, 40)
    assert shown(acme_shop) == {parcel.order: parcel.under_the_defaults for parcel in ACME}
    assert shown(bolt_shop) == {parcel.order: parcel.under_the_defaults for parcel in BOLT}

    # With no store selected nothing can be chosen, and it says why.
    visit.go("store_orders")
    visit.sees("Choose a store first: the choice is made for one store, and holds for that store alone.")
    assert page.locator("input[type=radio]:enabled").count() == 0
    assert page.get_by_role("button", name="See what this changes, then save").is_disabled()

    # The choice for one store, with what it would change.
    page.get_by_label("Store", exact=True).select_option(label="Acme Mugs")
    page.get_by_role("search").get_by_role("button", name="Show").click()
    visit.sees("When and which numbers go to Acme Mugs")
    page.get_by_label("Before we hand the parcel over").check()
    page.get_by_label("Always the carrier's number").check()
    visit.press("See what this changes, then save")
    visit.sees("2 already sent stay as they are")
    preview, counts, bolt_before = visit.preview(), visit.counts(), choice_of(bolt)
    visit.press("Save for Acme Mugs")
    visit.sees("Saved for Acme Mugs. 2 numbers go out now; 2 already sent stay as they are.")
    visit.sees("Every waiting parcel follows your choice")
    eventually(lambda: len(acme_shop.book()["numbers"]) >= 4 and _is_quiet(acme), 40)

    # The preview is what happened, order by order, by the store's own book.
    book = shown(acme_shop)
    promised = {order: _number_in(sentence) for order, sentence in preview.items()}
    assert promised == {order: book[order] for order in promised}
    assert set(promised) == {"#1003", "#1004", "#1005"}
    # What the preview does not name stays as it was.
    assert {order: number for order, number in book.items() if order not in promised} == {
        parcel.order: parcel.under_the_defaults for parcel in ACME if parcel.order not in promised
    }
    assert book == {parcel.order: parcel.under_the_choice for parcel in ACME}
    assert counts == [2, 1, 1, 2]  # go now, wait for the carrier's number, wait for the payment, stay as they are

    # The other store: its page, its choice, its orders.
    page.goto(f"{visit.address}{reverse('store_orders')}?store={bolt.pk}")
    visit.sees("When and which numbers go to Bolt Lamps")
    assert visit.chosen() == ["after_dispatch", "default"]
    visit.sees("Nobody has confirmed this yet: it is how every store starts.")
    assert choice_of(bolt) == bolt_before
    assert shown(bolt_shop) == {parcel.order: parcel.under_the_choice for parcel in BOLT}

    # What was sent is seen in Store Orders, and the address is verified in the end.
    page.goto(f"{visit.address}{reverse('store_orders')}?store={acme.pk}&state=synced")
    assert page.locator("table.orders tbody > tr > th .title").all_inner_texts() == ["#1004", "#1003", "#1002", "#1001"]
    visit.verify()
    assert f"verify your e-mail address {MASKED}" in while_unverified
    assert visit.banner() == ""
    assert visit.complaints == []


def test_a_save_without_a_store_is_refused_by_the_server_too(visit: Visit, shop: Shop) -> None:
    visit.sign_up()
    store = visit.connect("Acme Mugs", shop)
    before = choice_of(store)
    for name, told in (
        ("store_orders", "Nothing was saved. Choose a store first"),
        ("choice_pick", "none was selected"),
    ):
        visit.go("store_orders")
        # Somebody opens what is shut and sends it all the same.
        with visit.page.expect_navigation() as sent:
            visit.page.evaluate(
                """where => {
                    const form = document.createElement("form");
                    form.method = "post";
                    form.action = where;
                    for (const [name, value] of Object.entries({
                        csrfmiddlewaretoken: document.querySelector("[name=csrfmiddlewaretoken]").value,
                        timing: "before_dispatch", number_source: "local", act: "save",
                    })) {
                        const field = document.createElement("input");
                        field.name = name;
                        field.value = value;
                        form.append(field);
                    }
                    document.body.append(form);
                    form.submit();
                }""",
                reverse(name),
            )
        assert sent.value.status == 400
        visit.sees(told)

    assert choice_of(store) == before


@pytest.mark.parametrize(
    "email, is_verified, asks",
    [
        ("", False, "please link your e-mail address"),
        (EMAIL, False, f"please verify your e-mail address {MASKED}"),
        (EMAIL, True, ""),
    ],
    ids=["none", "unverified", "verified"],
)
def test_every_page_asks_for_the_address_until_it_is_verified(
    visit: Visit, email: str, is_verified: bool, asks: str
) -> None:
    client = Client()
    client.force_login(a_merchant(email, is_verified=is_verified))
    visit.page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": visit.address}]
    )
    banners = []
    for name in ("overview", "stores", "store_orders", "attention", "account", "help"):
        visit.go(name)
        banners.append(visit.banner())

    assert [asks in banner if asks else banner == "" for banner in banners] == [True] * 6
    assert visit.complaints == []


def _is_quiet(store: Store) -> bool:
    """Nothing of this store is due, under way, or still to follow its choice."""
    rows = TrackingSync.objects.filter(store=store)
    open_rows = rows.filter(due_at__isnull=False) | rows.filter(sending__isnull=False)
    return not open_rows.exists() and not plan.behind(Store.objects.select_related("preference").get(pk=store.pk))


def _number_in(sentence: str) -> str:
    """The number that a sentence of the preview says goes out now, "" where it waits."""
    found = re.search(r"number (\S+) goes out now\.", sentence)
    return found.group(1) if found else ""
