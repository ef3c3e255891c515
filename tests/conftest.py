"""Fixtures that everybody may use; those of one subject live beside its tests.

The environment is set in environment.py, rows are made by the plain functions of factories.py.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, settings

from tests.storefronts.client import PretendShopify, Shop
from tests.storefronts.woo import PretendWooCommerce

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from pytest_django import DjangoDbBlocker

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# A Monday at noon, far from every change of clocks.
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

# A slow machine is no bug, and a run that failed fails again with the same examples.
settings.register_profile(
    "tracksync", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("tracksync")


def pytest_configure() -> None:
    """Passwords of tests need not withstand anybody: the real hash takes a third of a second each."""
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def is_postgresql() -> bool:
    """Which of the two databases this run is on."""
    return not os.environ["DATABASE_URL"].startswith("sqlite")


def chromium_path() -> str | None:
    """The installed Chromium, if there is one."""
    named = os.environ.get("CHROMIUM", "")
    return named or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what this run cannot hold; say so instead of passing.

    Tests marked `postgres` are left out on SQLite (`make test` runs them afterwards); nothing on
    PostgreSQL is ever left out. Browser tests are left out only where there is no Chromium.
    """
    without_postgres = pytest.mark.skip(reason="PostgreSQL only: python -m tests.postgres run -- pytest")
    without_chromium = pytest.mark.skip(reason="no Chromium on this machine")
    for item in items:
        if item.get_closest_marker("postgres") and not is_postgresql():
            item.add_marker(without_postgres)
        if item.get_closest_marker("browser") and chromium_path() is None:
            item.add_marker(without_chromium)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> None:
    """One test database per pytest process; SQLite's is a file, so that real child processes can share it."""
    from django.db import connections

    test = connections["default"].settings_dict["TEST"]
    if connections["default"].vendor == "sqlite":
        test["NAME"] = str(tmp_path_factory.mktemp("database") / f"{worker_id}.sqlite3")
    else:
        test["NAME"] = f"test_{worker_id}_{os.getpid()}"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Every test finds the database as `migrate` makes it, whatever committed before."""
    from tests.emptying import restore_after_committing_tests

    with django_db_blocker.unblock():
        restore_after_committing_tests()


@pytest.fixture(autouse=True)
def one_language() -> Iterator[None]:
    """No test leaves its language to the next: a request's stays active in its thread."""
    from django.conf import settings
    from django.utils import translation

    translation.activate(settings.LANGUAGE_CODE)
    yield
    translation.activate(settings.LANGUAGE_CODE)


@pytest.fixture
def now() -> datetime:
    """A fixed moment: time comes in, nobody asks a clock."""
    return NOON


@pytest.fixture
def database_url(transactional_db: None) -> str:
    """The DATABASE_URL of the test database, for child processes. Rows are really committed."""
    from django.db import connection

    # Read back with + as a space, so + and % and the like are written in their long form.
    name = quote(str(connection.settings_dict["NAME"]))
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{name}"


@pytest.fixture
def manage(database_url: str) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a management command as a real process on the test database.

    manage("explain", "--number", "CJP1", timeout=60, env={...}) -> CompletedProcess with text output.
    """

    def run(
        *arguments: str, timeout: float = 120, env: dict[str, str] | None = None, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            env=os.environ | {"DATABASE_URL": database_url} | (env or {}),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def pretend() -> Iterator[PretendShopify]:
    """Pretend Shopify stores in a process of their own; make one shop per test and look into its book."""
    with PretendShopify() as storefronts:
        yield storefronts


@pytest.fixture
def shop(pretend: PretendShopify) -> Shop:
    """A new, empty shop in the pretend platform. `factories.a_store_in(shop)` connects it."""
    return pretend.shop()


@pytest.fixture(scope="session")
def pretend_woo() -> Iterator[PretendWooCommerce]:
    """Pretend WooCommerce stores in a process of their own; make one shop per test and look into its book."""
    with PretendWooCommerce() as storefronts:
        yield storefronts


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A running Chromium (playwright's Browser). Open a new context per test."""
    path = chromium_path()
    if path is None:
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        )
        yield browser
        browser.close()
