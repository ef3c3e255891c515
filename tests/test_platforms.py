"""The README's table of platforms, held against the registry; and what a new platform has to bring besides."""

from __future__ import annotations

from dataclasses import fields

import pytest
from django.template.loader import get_template

from stores.connectors.base import Capabilities
from stores.connectors.registry import CONNECTORS
from stores.guides import GUIDES, Guide
from tests.conftest import ROOT

# A column each, in the order of the capabilities.
COLUMNS = {
    "batch": "orders per call",
    "settle": "may still act after a lost answer",
    "call_limit": "limit of one request",
    "replaces": "replaces a number in place",
    "cancels": "takes back what we made",
    "mails_always": "its own mail can be kept quiet from here",
    "completes": "orders are marked as completed",
    "hooks": "tells us of changes at once",
}
HOW_AND_NOT_WHAT = {"app_signs_hooks", "one_list"}  # of interest to our own code alone


def cell(name: str, value: float) -> str:
    """A capability as a merchant's question is answered."""
    if isinstance(value, bool):
        return "yes" if value != (name == "mails_always") else "no"
    return f"{value:.0f}" if name == "batch" else f"{value:.0f} s"


def table() -> list[str]:
    """The lines of the README's table."""
    rows = [["key", "platform", *COLUMNS.values()], ["---"] * (len(COLUMNS) + 2)]
    for key, connector in CONNECTORS.items():
        can = connector.capabilities
        rows.append([key, connector.label, *(cell(name, getattr(can, name)) for name in COLUMNS)])
    return ["|" + "|".join(row) + "|" if row[0] == "---" else "| " + " | ".join(row) + " |" for row in rows]


def test_the_readme_says_of_every_platform_what_it_can_do() -> None:
    section = (ROOT / "README.md").read_text().partition("\n## Platforms\n")[2].partition("\n## ")[0]

    assert [line for line in section.splitlines() if line.startswith("|")] == table()


def test_the_table_has_a_column_for_every_capability() -> None:
    assert set(COLUMNS) == {field.name for field in fields(Capabilities)} - HOW_AND_NOT_WHAT


def test_every_platform_has_its_guide_and_its_row() -> None:
    assert list(GUIDES) == list(CONNECTORS)


@pytest.mark.parametrize("guide", GUIDES.values(), ids=GUIDES)
def test_a_guide_is_complete(guide: Guide) -> None:
    form = guide.form()

    assert guide.label == CONNECTORS[guide.platform].label
    assert get_template(guide.steps)
    assert [name for group in form.credential_groups for name in group if name not in form.fields] == []
    assert guide.needed
    assert guide.known_by
    assert "{order}" in guide.order_page
