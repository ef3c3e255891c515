"""Arrows run one way: orders -> stores -> stores.connectors; tracksync wires. Read from the imports themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

# What a pure function needs; a date is a value, the clock is not.
PLAIN_PYTHON = {"__future__", "collections", "dataclasses", "datetime", "enum", "functools", "typing"}
CLOCK_CALLS = {"now", "utcnow", "today", "monotonic", "time"}
# All that the project's own package may know of the business.
TRACKSYNC_MAY_KNOW = {
    "health": {"orders.pulse", "orders.backlog", "orders.models"},
    "checks": {"stores.connectors"},
    "urls": {"orders.urls", "orders.views", "stores.urls", "stores.views"},
}


def modules(package: str) -> Iterator[tuple[str, Path]]:
    """(dotted name, path) of every module of a package, without its migrations."""
    for path in sorted((ROOT / package.replace(".", "/")).rglob("*.py")):
        if "migrations" not in path.parts:
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path


def imports(path: Path) -> set[str]:
    """Every name a module imports anywhere in it, absolute: "package.module.name"."""
    own = list(path.relative_to(ROOT).with_suffix("").parts)
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = [*own[: len(own) - node.level], *([node.module] if node.module else [])] if node.level else None
            module = ".".join(base) if base is not None else str(node.module)
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return found


def imported(package: str, *forbidden: str) -> list[str]:
    """ "module imports name" for every import in `package` of something below one of `forbidden`."""
    return sorted(
        f"{module} imports {name}"
        for module, path in modules(package)
        for name in imports(path)
        if any(name == each or name.startswith(f"{each}.") for each in forbidden)
    )


def project_files() -> list[Path]:
    """Every file of the project, without what tools leave behind."""
    folders = (".ci", "docs", "locale", "orders", "stores", "templates", "tests", "tracksync")
    below = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    return sorted(
        path for path in [*ROOT.iterdir(), *below] if path.is_file() and path.suffix not in (".pyc", ".sqlite3")
    )


def test_the_imports_of_a_module_are_read_relative_ones_too() -> None:
    assert {"stores.models.Store", "orders.policy.decide"} <= imports(ROOT / "orders/plan.py")
    assert "stores.connectors.errors.ConnectorError" in imports(ROOT / "stores/connectors/base.py")


@pytest.mark.parametrize(
    "package, forbidden",
    [
        ("stores", ["orders"]),
        ("stores.connectors", ["django", "django_q", "orders", "tracksync", "stores.models", "stores.choices"]),
        ("tracksync", ["stores.models", "stores.choices"]),
        ("orders", ["tests"]),
        ("stores", ["tests"]),
        ("tracksync", ["tests"]),
    ],
)
def test_arrows_run_one_way(package: str, forbidden: list[str]) -> None:
    assert imported(package, *forbidden) == []


def test_a_connector_imports_nothing_of_the_project_but_connectors() -> None:
    assert [
        f"{module} imports {name}"
        for module, path in modules("stores.connectors")
        for name in sorted(imports(path))
        if name.split(".")[0] in {"stores", "orders", "tracksync"} and not name.startswith("stores.connectors")
    ] == []


def test_tracksync_knows_of_the_business_only_what_it_has_to_show() -> None:
    surplus = [
        line
        for line in imported("tracksync", "orders", "stores")
        for module, name in [line.removeprefix("tracksync.").split(" imports ")]
        if not any(name == known or name.startswith(f"{known}.") for known in TRACKSYNC_MAY_KNOW.get(module, ()))
    ]

    assert surplus == []


def test_the_decision_knows_no_database_no_clock_and_no_network() -> None:
    policy = ROOT / "orders/policy.py"
    # Choices are words, not rows.
    known = {name for name in imports(policy) if not name.startswith(("orders.choices", "stores.choices"))}

    calls = {
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for node in ast.walk(ast.parse(policy.read_text()))
        if isinstance(node, ast.Call)
    }

    assert {name.split(".")[0] for name in known} <= PLAIN_PYTHON
    assert calls & CLOCK_CALLS == set()


@pytest.mark.parametrize(
    "libraries, may",
    [
        (("requests", "urllib3", "http.client"), {"stores.connectors.http"}),
        # The mail server is spoken to through Django's backend; these know what its answers mean.
        (("smtplib",), {"orders.mail.smtp", "orders.mail.ending"}),
    ],
)
def test_only_these_modules_speak_to_the_network(libraries: tuple[str, ...], may: set[str]) -> None:
    speaking = [line for package in ("stores", "orders", "tracksync") for line in imported(package, *libraries)]

    assert {line.split()[0] for line in speaking} == may


def test_nothing_but_continuous_integration_looks_outside_the_project() -> None:
    outside = "../" + "shared"

    naming = [str(path.relative_to(ROOT)) for path in project_files() if outside in path.read_text(errors="replace")]

    assert naming == [".ci/run"]
