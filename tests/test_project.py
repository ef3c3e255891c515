"""The project as a whole: what a newcomer relies on."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from django.core.exceptions import MultipleObjectsReturned, ObjectDoesNotExist
from django.core.management import call_command

from tests.conftest import ROOT
from tests.environment import ENVIRONMENT
from tests.test_architecture import modules

# Every model has these two of its own.
MADE_BY_DJANGO = (ObjectDoesNotExist, MultipleObjectsReturned)
PACKAGES = ("stores", "orders", "tracksync")


@pytest.mark.django_db
def test_the_migrations_say_what_the_models_say() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def own_members(holder: Any, module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Public functions, classes and methods written in this module; of a class, those that no base class explains.

    A property is a value: its name and type may say enough.
    """
    bases = holder.__mro__[1:] if inspect.isclass(holder) else ()
    for name, member in vars(holder).items():
        plain = inspect.unwrap(getattr(member, "__func__", member))
        if name.startswith("_") or any(hasattr(base, name) for base in bases):
            continue
        if inspect.isclass(plain) and issubclass(plain, MADE_BY_DJANGO):
            continue
        if inspect.isclass(plain) or inspect.isfunction(plain):
            if plain.__module__ == module.__name__ and plain.__qualname__.startswith(
                getattr(holder, "__qualname__", "")
            ):
                yield name, plain


def undocumented(holder: Any, module: ModuleType, path: str) -> Iterator[str]:
    """Dotted names without a docstring.

    None is needed by Django's `Meta`, by a command, whose `help` says it, or by a column with a description.
    """
    for name, member in own_members(holder, module):
        said = name in ("Meta", "Media") or getattr(member, "help", "") or hasattr(member, "short_description")
        if not said and (not (member.__doc__ or "").strip() or _made_by_dataclass(member)):
            yield f"{path}.{name}"
        if inspect.isclass(member):
            yield from undocumented(member, module, f"{path}.{name}")


def _made_by_dataclass(member: Any) -> bool:
    """A dataclass without a docstring gets its signature for one."""
    return inspect.isclass(member) and (member.__doc__ or "").startswith(f"{member.__name__}(")


@pytest.mark.parametrize("package", PACKAGES)
def test_everything_public_says_what_it_is_for(package: str) -> None:
    missing = []
    for name, path in modules(package):
        module = importlib.import_module(name)
        if path.stat().st_size and not (module.__doc__ or "").strip():
            missing.append(name)
        missing += undocumented(module, module, name)

    assert missing == []


def management_commands() -> set[str]:
    """The project's own commands."""
    return {
        path.stem
        for package in PACKAGES
        for path in (ROOT / package / "management" / "commands").glob("*.py")
        if not path.stem.startswith("_")
    }


def test_the_readme_names_every_command() -> None:
    readme = (ROOT / "README.md").read_text()
    targets = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert management_commands()
    assert {name for name in management_commands() if name not in readme} == set()
    assert {name for name in ("demo", "test", "bench", "chaos") if f"make {name}" not in readme} == set()
    assert {"demo", "test", "bench", "chaos", "lint", "types", "run"} <= set(targets)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned_and_says_why(name: str) -> None:
    unpinned, unexplained, explained = [], [], False
    for line in (ROOT / name).read_text().splitlines():
        if line.startswith("#"):
            explained = True
        elif not line.strip():
            explained = False
        elif not line.startswith("-r "):
            unpinned += [] if re.fullmatch(r"[A-Za-z0-9_.\-\[\]]+==[0-9][0-9a-z.]*", line) else [line]
            unexplained += [] if explained else [line]

    assert (unpinned, unexplained) == ([], [])


def test_every_variable_is_explained_and_set_for_the_tests() -> None:
    settings = (ROOT / "tracksync" / "settings.py").read_text()
    read = set(re.findall(r'environment\.[a-z_]+\(\s*"([A-Z_]+)"', settings))
    explained = re.findall(r"^([A-Z_]+)=$", (ROOT / ".env.example").read_text(), re.MULTILINE)

    assert len(read) >= 15
    assert sorted(explained) == sorted(read)
    assert read - set(ENVIRONMENT) == {"DATABASE_URL"}
