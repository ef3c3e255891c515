"""A merchant at the choice in a real browser: sees what changes, saves, sees the counts; also without the script."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orders import plan
from orders.models import TrackingSync
from stores.models import Store
from tests import factories
from tests.orders.choosing import choice_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


class Visit:
    """A logged-in merchant's browser window, and all that it complained of."""

    def __init__(self, context: Any, address: str, user: User) -> None:
        client = Client()
        client.force_login(user)
        session = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": session, "url": address}])
        self.page, self.address = context.new_page(), address
        self.complaints: list[str] = []
        self.page.on("console", lambda each: self.complaints.append(each.text) if each.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def go(self, name: str, *args: Any) -> None:
        self.page.goto(self.address + reverse(name, args=args))

    def counts(self) -> list[str]:
        """The lines of the effect: "3 go out now" and so on."""
        return [" ".join(text.split()) for text in self.page.locator("#effect .counts li").all_inner_texts()]


@pytest.fixture
def store() -> Store:
    """A store with three parcels that wait for their dispatch, and one that waits for the carrier's number."""
    store = factories.a_store(name="Ann's", sync_from=timezone.now() - timedelta(days=60))
    paid = {"placed_at": timezone.now() - timedelta(days=2), "paid_at": timezone.now() - timedelta(days=1)}
    shipments = [factories.a_shipment(factories.an_order(store, **paid), local=f"YT{place:016}") for place in range(3)]
    ours = factories.a_shipment(
        factories.an_order(store, **paid), method=factories.an_own_method(), own="CJP0000000001"
    )
    with transaction.atomic():
        plan.plan([shipment.pk for shipment in [*shipments, ours]], timezone.now())
    return store


@pytest.fixture(params=[(1280, True), (390, True), (1280, False)], ids=["desk", "phone", "without script"])
def visit(request: pytest.FixtureRequest, chromium: Any, live_server: Any, store: Store) -> Iterator[Visit]:
    width, has_script = request.param
    context = chromium.new_context(viewport={"width": width, "height": 900}, java_script_enabled=has_script)
    yield Visit(context, live_server.url, store.owner)
    context.close()


def test_a_merchant_sees_what_a_choice_changes_saves_it_and_sees_the_counts(visit: Visit, store: Store) -> None:
    page = visit.page
    visit.go("choice", store.pk)
    page.get_by_label("Before we hand the parcel over").check()
    page.get_by_label("Always the carrier's number").check()
    look = page.get_by_role("button", name="Show what changes")
    if look.is_visible():
        look.click()
    page.get_by_text("already sent stay as they are").wait_for()
    counts, untouched = visit.counts(), choice_of(store)
    page.locator("#effect").get_by_text("The carrier's number YT0000000000000002 goes out now.").wait_for()
    page.get_by_role("button", name="Save for Ann's").click()
    page.get_by_text("Saved for Ann's. 3 numbers go out now; 0 already sent stay as they are.").wait_for()
    running = page.get_by_text("0 of 4 waiting parcels follow it already.").is_visible()
    plan.replan(timezone.now())
    page.get_by_text("Every waiting parcel follows your choice").wait_for(timeout=15_000)

    assert counts[0] == "3 go out now"
    assert counts[1].startswith("1 keep waiting The carrier has not given its number yet.")
    assert untouched[-1] == 1
    assert running
    assert choice_of(store)[:2] == ("before_dispatch", "local")
    assert TrackingSync.objects.filter(store=store, state="due").count() == 3
    assert visit.complaints == []


def test_with_the_script_what_is_shown_follows_every_answer_and_nothing_else_can_be_saved(
    chromium: Any, live_server: Any, store: Store
) -> None:
    context = chromium.new_context()
    visit = Visit(context, live_server.url, store.owner)
    page = visit.page
    visit.go("choice", store.pk)

    page.get_by_label("Before we hand the parcel over").check()
    page.get_by_text("go out now").first.wait_for()
    first = visit.counts()[0]
    page.get_by_label("Not earlier than so many hours").fill("72")
    page.get_by_text("go out later by themselves").wait_for()
    second = visit.counts()[:2]
    page.get_by_label("Not earlier than so many hours").fill("-5")
    page.get_by_text("One of the answers above cannot be used").wait_for()
    can_save = page.get_by_role("button", name="Save for Ann's").count()
    context.close()

    assert first == "4 go out now"
    assert [line.split(",")[0] for line in second] == ["0 go out now", "4 go out later by themselves"]
    assert can_save == 0
    assert visit.complaints == []


def test_no_page_of_the_choice_is_wider_than_its_window(visit: Visit, store: Store) -> None:
    factories.a_store(store.owner, name="A second store with a name that is rather long for a phone")
    wide = []
    for name, *args in (
        ("choice_pick",),
        ("choice", store.pk),
        ("choice_history", store.pk),
        ("choice_copy", store.pk),
        ("choice_sent", store.pk),
    ):
        visit.go(name, *args)
        if visit.page.locator("html").evaluate("html => html.scrollWidth > window.innerWidth"):
            wide.append(name)

    assert wide == []
    assert visit.complaints == []
