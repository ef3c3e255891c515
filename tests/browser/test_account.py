"""A merchant signs up and verifies the address, in a real browser: the banner is there, then it is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from django.urls import reverse

from tests.stores.account_cast import PASSWORD, a_merchant

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


class Visit:
    """One person's browser window, and all that it complained of."""

    def __init__(self, page: Any, address: str) -> None:
        self.page, self.address = page, address
        self.complaints: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def go(self, name: str, *args: Any) -> None:
        self.page.goto(self.address + reverse(name, args=args))

    def banner(self) -> Any:
        return self.page.get_by_role("region", name="Your e-mail address")

    def press(self, name: str) -> None:
        self.page.get_by_role("main").get_by_role("button", name=name, exact=True).click()

    def is_too_wide(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


@pytest.fixture(params=[1280, 390], ids=["desk", "phone"])
def visit(request: pytest.FixtureRequest, chromium: Any, live_server: Any, settings: Any) -> Iterator[Visit]:
    settings.TRACKSYNC_URL = live_server.url
    context = chromium.new_context(viewport={"width": request.param, "height": 900})
    yield Visit(context.new_page(), live_server.url)
    context.close()


def link_in_the_mail() -> str:
    (found,) = re.findall(r"http://\S+/account/verify/\S+", mail.outbox[-1].body)
    return str(found)


def test_from_signing_up_to_a_verified_address(visit: Visit) -> None:
    page = visit.page

    visit.go("account_signup")
    page.get_by_label("E-mail address").fill("jane@domain.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password, once more").fill(PASSWORD)
    visit.press("Sign up")
    page.get_by_text("We sent a link to jane@domain.com. It is good for a day.").wait_for()
    asked = visit.banner().inner_text()
    visit.go("account")
    on_another_page = visit.banner().count()
    page.goto(link_in_the_mail())
    before_the_button = visit.banner().count()
    visit.press("Yes, verify it")
    page.get_by_text("Thank you: jane@domain.com is verified.").wait_for()

    assert "verify your e-mail address j***@d***.com" in asked
    assert (on_another_page, before_the_button, visit.banner().count()) == (1, 1, 0)
    page.goto(link_in_the_mail())
    page.get_by_role("heading", name="Already verified").wait_for()
    assert visit.complaints == []


def test_by_the_keyboard_one_logs_in_changes_the_address_and_asks_for_another_link(visit: Visit) -> None:
    a_merchant("old@domain.com", is_verified=True)
    page = visit.page

    visit.go("account_login")
    page.get_by_label("E-mail address").press_sequentially("old@domain.com")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Account").press("Enter")
    page.get_by_role("link", name="Change the address").press("Enter")
    page.get_by_label("New e-mail address").fill("new@domain.com")
    page.get_by_label("Your password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_text("We sent a link to new@domain.com.").wait_for()
    visit.banner().get_by_role("button", name="Send the link again").press("Enter")
    page.get_by_text("A link was sent to this address a moment ago").wait_for()

    assert [message.to for message in mail.outbox] == [["old@domain.com"], ["new@domain.com"]]
    assert visit.complaints == []


def test_no_account_page_is_wider_than_its_window_or_asks_for_foreign_code(visit: Visit) -> None:
    a_merchant("a.rather.long.address.of.somebody@a-rather-long-domain.example.com")
    pages = ["account", "account_email", "account_change_password", "account_logout", "mfa_index"]
    wide = []

    visit.go("account_login")
    visit.page.get_by_label("E-mail address").fill("a.rather.long.address.of.somebody@a-rather-long-domain.example.com")
    visit.page.get_by_label("Password", exact=True).fill(PASSWORD)
    visit.press("Log in")
    for name in pages:
        visit.go(name)
        wide += [name] if visit.is_too_wide() else []
    visit.page.context.clear_cookies()
    for name in ("account_login", "account_signup", "account_reset_password"):
        visit.go(name)
        wide += [name] if visit.is_too_wide() else []

    assert wide == []
    assert visit.complaints == []
