"""Every page that a merchant can open, in a world with something of everything: whole, in order, and never dearer.

The addresses are read from the URLconf (addresses.py), so a new page is looked at without anybody's doing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.addresses import FOR_EVERYBODY, FOR_SERVERS, Address, addresses
from tests.merchants import Merchant, a_merchant_of_size, a_merchant_with_everything
from tests.stores.account_cast import PASSWORD, a_merchant, totp

pytestmark = pytest.mark.django_db

ALL = [address for address in addresses() if address.name not in FOR_SERVERS]  # nobody looks at the others
BEFORE_LOCAL = "timing=before_dispatch&number_source=local&delay_hours=24&mail_sender=nobody"
# What else a page shows when it is asked: by the address's name, queries of one merchant.
ASKED: dict[str, Callable[[Merchant], list[str]]] = {
    "choice": lambda merchant: [
        BEFORE_LOCAL,
        BEFORE_LOCAL.replace("24", "none"),
        "saved=3",
    ],
    "store_start": lambda merchant: ["day=2026-01-05", "day=never", "day=2099-01-01"],
    "store_orders": lambda merchant: [
        f"store={merchant.stores[0].pk}",
        f"store={merchant.stores[-1].pk}",
        "state=attention",
        "state=synced&dispatched=yes&number=yes",
        f"customer={merchant.shipments[0].order.customer_name}",
        f"order={merchant.shipments[0].order.number}",
        "tracking=YT0",
        "tracking=%20&placed_from=x&state=none",
        "after=damaged",
    ],
    "attention": lambda merchant: [
        f"store={merchant.stores[0].pk}",
        "problem=refused",
        "problem=other_number_there",
        "problem=nonsense",
    ],
    "give_up": lambda merchant: [
        f"shipment={merchant.shipments[0].pk}",
        "&".join(f"shipment={shipment.pk}" for shipment in merchant.shipments[:12]),
    ],
    "store_orders_csv": lambda merchant: [f"store={merchant.stores[0].pk}"],
    "connect_store": lambda merchant: [f"again={merchant.stores[-1].pk}"],
}
# These are there only for whoever has set up a second step.
OF_THE_SECOND_STEP = ("mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_download_recovery_codes")
MADE_UP = {"token", "key"}  # arguments of links in mails: what the tests fill in opens nothing
# Other statuses than 200, 405 for what acts and shows nothing, and 404 for a link that opens nothing.
EXPECTED = {
    "store_orders": {400},  # filters that make no sense are shown again
    "readyz": {503},  # no worker runs here
    # Ways of connecting that this installation does not offer, and returns that are nobody's.
    **dict.fromkeys(("one_click", "shopify_install"), {404}),
    **dict.fromkeys(("shopify_back", "woocommerce_back"), {400}),
    **dict.fromkeys(OF_THE_SECOND_STEP, {404}),
}
# What must never reach anybody's eyes: places that were not filled in.
GAPS = re.compile(r"\$\{|\{\{|\{%|\bNone\b")
UNLABELLED_KINDS = {"hidden", "submit", "button", "image", "reset"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
# A mail as it will look, shown in a frame of its own: it brings its style along, as every mail does.
MAILS = {"mail_preview"}
# A file of several stores is read store by store: it is looked at with one.
OF_ONE_STORE = {"store_orders_csv"}


class Page(HTMLParser):
    """One page, read tag by tag; `faults` is what is wrong with it.

    The words of a mail are edited in two fields, its subject and its body: only there may a variable stand.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.open: list[tuple[str, dict[str, str]]] = []
        self.headings = 0
        self.title = self.text = ""
        self.language = ""
        self.ids: Counter[str] = Counter()
        self.named: set[str] = set()  # ids that something points to
        self.labelled: set[str] = set()
        self.fields: list[tuple[str, dict[str, str], bool]] = []  # tag, attributes, whether it lies in a label
        self.has_token = False
        self.feed(html)
        self.close()
        self._sum_up()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            self.open.append((tag, has))
        self.headings += tag == "h1"
        self.language = has.get("lang", "") if tag == "html" else self.language
        if "id" in has:
            self.ids[has["id"]] += 1
        for name in ("aria-describedby", "aria-labelledby", "aria-controls"):
            self.named |= set(has.get(name, "").split())
        if tag == "label" and "for" in has:
            self.labelled.add(has["for"])
            self.named.add(has["for"])
        if tag == "form":
            self.has_token = False
        self._look_at(tag, has)

    def _look_at(self, tag: str, has: dict[str, str]) -> None:
        if "style" in has or any(name.startswith("on") for name in has):
            self.faults.append(f"inline style or script on <{tag}>")
        if tag == "style" or (tag == "script" and not has.get("src")):
            self.faults.append(f"inline <{tag}>")
        if has.get("href", "").strip().lower().startswith("javascript:"):
            self.faults.append("a link that is a script")
        if tag == "img" and "alt" not in has:
            self.faults.append(f"a picture without words: {has.get('src', '')[:40]}")
        if tag == "input" and has.get("name") == "csrfmiddlewaretoken":
            self.has_token = True
        if tag in ("input", "select", "textarea") and has.get("type", "text") not in UNLABELLED_KINDS:
            self.fields.append((tag, has, any(above == "label" for above, _ in self.open)))
        is_edited = (tag, has.get("name")) == ("input", "subject")
        shown = [value for name, value in has.items() if not (is_edited and name == "value")]
        self.faults += [f"a gap in <{tag}>: {value[:60]}" for value in shown if GAPS.search(value)]

    def handle_endtag(self, tag: str) -> None:
        while self.open:
            last, has = self.open.pop()
            if last == "form":
                posts = has.get("method", "").lower() == "post"
                if posts != self.has_token:
                    self.faults.append(
                        f"{'no token in' if posts else 'the token shows in the address of'} {has.get('action', '')}"
                    )
            if last == tag:
                return
            if last not in ("li", "p", "dt", "dd", "option", "tr", "td", "th", "tbody", "thead"):
                self.faults.append(f"<{last}> is closed by </{tag}>")

    def handle_data(self, data: str) -> None:
        above = [tag for tag, _ in self.open]
        if "title" in above and "svg" not in above:
            self.title += data
        if not {"textarea", "script"} & set(above):
            self.text += data + " "

    def _sum_up(self) -> None:
        self.faults += [f"{self.headings} main headings"] if self.headings != 1 else []
        self.faults += ["no title of its own"] if not self.title.partition("·")[0].strip() else []
        self.faults += ["no language"] if not self.language else []
        self.faults += [f"a gap: {found.group()}" for found in GAPS.finditer(self.text)]
        self.faults += [f"two of id {name}" for name, times in self.ids.items() if times > 1]
        self.faults += [f"nothing has the id {name}" for name in sorted(self.named - set(self.ids))]
        for tag, has, is_in_label in self.fields:
            if not (is_in_label or has.get("id") in self.labelled or has.get("aria-label") or "aria-labelledby" in has):
                self.faults.append(f"no label for <{tag} name={has.get('name')}>")


def logged_in(merchant: Merchant) -> Client:
    """A browser in which this merchant is logged in."""
    client = Client()
    client.force_login(merchant.user)
    return client


def faults_of(address: Address, response: Any) -> list[str]:
    """What is wrong with an answer that is a page; of a mail as it will look, only what was not filled in."""
    if not is_page(response) or response.status_code == 405:
        return []
    found = Page(response.content.decode()).faults
    return [fault for fault in found if fault.startswith("a gap")] if address.name in MAILS else found


def is_page(response: Any) -> bool:
    """Whether the answer is a whole page of ours."""
    return response.headers.get("Content-Type", "").startswith("text/html") and not response.streaming


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, Merchant]]:
    """One merchant with everything, and two who differ in the number of their rows alone; made once."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield {
            "everything": a_merchant_with_everything(),
            "one": a_merchant_of_size(1, "Okapi"),
            "three": a_merchant_of_size(3, "Tapir"),
        }
        transaction.set_rollback(True)


def queries_of(address: Address, merchant: Merchant) -> list[str]:
    """The query strings that a page is looked at with."""
    return ["", *(f"?{query}" for query in ASKED.get(address.name, lambda _: [])(merchant))]


# --- Every page is whole ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [address for address in ALL if not address.unknown], ids=str)
def test_every_page_of_a_merchant_is_whole(address: Address, made: dict[str, Merchant]) -> None:
    merchant = made["everything"]
    client, faults, statuses = logged_in(merchant), {}, set()
    for url in address.urls(merchant):
        for query in queries_of(address, merchant):
            answer = client.get(url + query, follow=True)
            statuses.add(answer.status_code)
            if found := faults_of(address, answer):
                faults[url + query] = found
            if not client.session.get("_auth_user_id"):
                client = logged_in(merchant)

    assert faults == {}
    assert statuses <= {200} | EXPECTED.get(address.name, set()) | (
        {404} if MADE_UP & set(address.arguments) else {405}
    )


def test_the_tracking_page_of_every_parcel_is_whole_and_names_no_buyer(made: dict[str, Merchant]) -> None:
    by_state = {(each.sync.state, each.sync.reason): each for each in made["everything"].shipments}
    pages = {state: Client().get(reverse("tracking", args=[shipment.token])) for state, shipment in by_state.items()}
    named = [
        word
        for state, shipment in by_state.items()
        for word in (shipment.order.customer_name, shipment.order.customer_email)
        if word in pages[state].content.decode()
    ]

    assert {state: page.status_code for state, page in pages.items()} == dict.fromkeys(by_state, 200)
    assert {state: Page(page.content.decode()).faults for state, page in pages.items()} == {
        state: [] for state in by_state
    }
    assert named == []
    assert len(by_state) >= 20


@pytest.fixture
def careful(client: Client) -> Client:
    """A merchant who has set up a second step just now."""
    user = a_merchant("mira@linden.example", is_verified=True)
    client.force_login(user)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    form = client.get(reverse("mfa_activate_totp"))
    client.post(reverse("mfa_activate_totp"), {"code": totp(form.context["form"].secret)})
    return client


def test_the_pages_of_the_second_step_are_whole(careful: Client) -> None:
    names = [address.name for address in ALL if address.name.startswith("mfa_")]
    answers = {name: careful.get(reverse(name), follow=True) for name in names}

    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(names, 200)
    assert {name: Page(answer.content.decode()).faults for name, answer in answers.items() if is_page(answer)} == {
        name: [] for name, answer in answers.items() if is_page(answer)
    }
    assert set(names) >= set(OF_THE_SECOND_STEP)


@pytest.mark.parametrize("address", [each for each in ALL if each.name in FOR_EVERYBODY], ids=str)
def test_every_page_without_an_account_is_whole(address: Address) -> None:
    answer = Client().get(address.url(), follow=True)

    assert not is_page(answer) or Page(answer.content.decode()).faults == []


@pytest.mark.parametrize("email, verified", [("", False), ("mira@linden.example", False)], ids=["none", "unverified"])
def test_the_first_pages_of_somebody_new_are_whole(email: str, verified: bool) -> None:
    somebody = Merchant(a_merchant(email, is_verified=verified), [], [], ())
    client, faults = logged_in(somebody), {}
    for address in ALL:
        if not address.arguments and address.name not in FOR_EVERYBODY:
            answer = client.get(address.url(), follow=True)
            if found := faults_of(address, answer):
                faults[address.name] = found

    assert faults == {}


@pytest.mark.parametrize(
    "html, fault",
    [
        ("<h1>A</h1><h1>B</h1>", "2 main headings"),
        ("<h1>Dear ${name}</h1>", "a gap: ${"),
        ("<h1>Since None</h1>", "a gap: None"),
        ('<h1>A</h1><a href="/None/">x</a>', "a gap in <a>: /None/"),
        ('<h1>A</h1><p style="color: red">x</p>', "inline style or script on <p>"),
        ("<h1>A</h1><script>alert(1)</script>", "inline <script>"),
        ('<h1>A</h1><form method="post" action="/x"><button>Go</button></form>', "no token in /x"),
        ('<h1>A</h1><input name="day">', "no label for <input name=day>"),
        ('<h1>A</h1><label for="day">Day</label>', "nothing has the id day"),
        ('<h1>A</h1><input name="subject" value="{{ order_number }}" aria-label="Subject">', ""),
        ("<h1>A</h1><label>Body<textarea>{{ order_number }}</textarea></label>", ""),
        ('<h1 id="a">A</h1><p id="a">B</p>', "two of id a"),
    ],
)
def test_a_fault_is_found(html: str, fault: str) -> None:
    whole = f'<html lang="en"><head><title>Page · TrackSync</title></head><body>{html}</body></html>'

    assert Page(whole).faults == ([fault] if fault else [])


# --- No page costs more for more rows -------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [address for address in ALL if not address.unknown], ids=str)
def test_a_page_asks_the_database_as_often_for_one_row_as_for_three(
    address: Address, made: dict[str, Merchant]
) -> None:
    asked = {}
    for size in ("one", "three"):
        merchant = made[size]
        queries = queries_of(address, merchant)[address.name in OF_ONE_STORE :]
        asked[size] = [_queries(logged_in(merchant), address.urls(merchant)[0] + query) for query in queries]

    assert [len(each) for each in asked["three"]] == [len(each) for each in asked["one"]], asked["three"]


def _queries(client: Client, url: str) -> list[str]:
    """What the second look at a page asks the database; the first fills what is kept from one to the next."""
    client.get(url)
    cache.clear()
    with CaptureQueriesContext(
        connection,
    ) as captured:
        answer: Any = client.get(url)
        if answer.streaming:
            b"".join(answer.streaming_content)
    return [query["sql"][:300] for query in captured.captured_queries]


def test_the_two_merchants_differ_in_their_rows_alone(made: dict[str, Merchant]) -> None:
    one, three = made["one"], made["three"]

    assert (len(one.stores), len(three.stores)) == (2, 4)
    assert len(three.shipments) > 2 * len(one.shipments)
    assert one.shipments[0].numbers.count() + 2 == three.shipments[0].numbers.count()
