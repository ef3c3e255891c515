"""Templates are a stranger's code in our process: what is in reach, what is refused and where, what it may cost.

Every attack runs in a process of its own, which may use 50 MB more than it begins with and a tenth of a second.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import translation

from orders.mail import liquid
from orders.mail.liquid import Moment, Problem, TemplateRefused, check, render
from tests.conftest import ROOT

NAMES = ("name", "items", "day")
ITEM = ("title", "quantity")
FILTERS = "capitalize, date, default, downcase, escape, strip, truncate, upcase"
TAGS = "if, unless, case, for, comment"
UNKNOWN = "There is no variable “{}”. The list beside the text names those that exist."


def problems(source: str) -> list[tuple[int, int, str]]:
    return [(each.line, each.column, each.message) for each in check(source, NAMES, ITEM)]


# --- what can be written -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source, text",
    [
        ("Hello {{ name }}!", "Hello Jane!"),
        ("{{name}}{{-name-}} .", "JaneJane."),
        ("a {%- if name -%} b {%- endif -%} c", "abc"),
        ("{% if name == 'Jane' and name != '' %}yes{% elsif name %}no{% else %}none{% endif %}", "yes"),
        ("{% unless gone %}here{% else %}there{% endunless %}", "here"),
        ("{% case name %}{% when 'Jane', 'Joan' %}J{% else %}?{% endcase %}", "J"),
        ("{% for i in items %}{{ forloop.index }}/{{ forloop.length }} {{ i.title }}; {% endfor %}", "1/2 A; 2/2 B; "),
        ("{% for i in items reversed %}{{ i.title }}{% break %}{% endfor %}", "B"),
        ("{% for i in none %}x{% else %}empty{% endfor %}", "empty"),
        ("{{ items.size }}{{ items.first.title }}{{ items[1].title }}", "2AB"),
        ("{% comment %}not {{ this {% comment %}nor this{% endcomment %} {% endcomment %}but this", "but this"),
        ("{{ name | upcase }} {{ name | downcase | capitalize }} {{ '  x ' | strip }}|", "JANE Jane x|"),
        ("{{ name | truncate: 3, '…' }} {{ nobody | default: 'there' }}", "Ja… there"),
        ("{{ day }} = {{ day | date: '%d.%m.%Y' }}", "2 March = 02.03.2026"),
        ("{{ day | date: '%-d %B, %H:%M' }}", "2 March, 13:05"),
        ("{{ name | date: '%Y' }}{{ gone | date: '%Y' }}", "Jane"),
        ("{{ '<b>' | escape }} }} %} { }", "<b> }} %} { }"),
    ],
)  # fmt: skip
def test_what_a_mail_needs_can_be_written(source: str, text: str) -> None:
    day = Moment("2 March", datetime(2026, 3, 2, 13, 5, tzinfo=UTC))

    made = render(source, {"name": "Jane", "items": [{"title": "A"}, {"title": "B"}], "day": day})

    assert made == text


def test_dates_are_in_the_words_of_the_language() -> None:
    day = Moment("x", datetime(2026, 3, 2, tzinfo=UTC))

    with translation.override("es"):
        assert render("{{ d | date: '%A, %-d de %B' }}", {"d": day}) == "lunes, 2 de marzo"


# --- what is refused, and where --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source, expected",
    [
        ("{{ name }} {{ items }}", []),
        ("{{ nme }}", [(1, 4, UNKNOWN.format("nme"))]),
        ("a\n  {{ nme | upcase }}\n{{ x }}", [(2, 6, UNKNOWN.format("nme")), (3, 4, UNKNOWN.format("x"))]),
        ("{% if nme %}{% endif %}", [(1, 7, UNKNOWN.format("nme"))]),
        ("{% for i in things %}{% endfor %}", [(1, 13, UNKNOWN.format("things"))]),
        ("{% for i in items %}{{ i.title }}{% endfor %}{{ i }}", [(1, 49, UNKNOWN.format("i"))]),
        ("{% for i in items %}{{ i.price }}{% endfor %}", [(1, 24, "“i” has no “price”.")]),
        ("{% for i in items %}{{ forloop.secret }}{% endfor %}", [(1, 24, "“forloop” has no “secret”.")]),
        ("{{ forloop.index }}", [(1, 4, UNKNOWN.format("forloop"))]),
        ("{{ name.owner.password }}", [(1, 4, "“name” has no “owner”.")]),
        ("{{ items[nme].title }}", [(1, 10, UNKNOWN.format("nme"))]),
        ("{{ [name] }}", [(1, 4, UNKNOWN.format("[ ]"))]),
        ("{{ name", [(1, 1, "These braces are not closed.")]),
        ("x\n{% if name", [(2, 1, "These braces are not closed.")]),
        ("{{ name %}", [(1, 1, "These braces are not closed.")]),
        ("{{ }}", [(1, 1, "There is nothing between these braces.")]),
        ("{{ name | join: ',' }}", [(1, 11, f"There is no filter “join”. These exist: {FILTERS}.")]),
        ("{% raw %}{{ x }}{% endraw %}", [(1, 4, f"There is no command “raw”. These exist: {TAGS}.")]),
        ("{% if name %}\nyes", [(2, 4, "This cannot be read: expected tag endif, found end of expression.")]),
        ("{% for i in (1..3) %}{% endfor %}", [(1, 1, "Ranges such as (1..9) do not exist here.")]),
        ("{{ name | default: 'a..b' }}", []),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(source: str, expected: list[tuple[int, int, str]]) -> None:
    assert problems(source) == expected


@pytest.mark.parametrize("source", ["{{", "{{ a", "{% x %}", "{% if {{ %}", "{{ name | }}", "{{ name | default: }}"])
def test_what_is_said_of_a_template_never_looks_like_one(source: str) -> None:
    assert [message for _line, _column, message in problems(source) if "{" in message or "%" in message] == []


def test_a_template_that_is_refused_is_not_rendered_in_part() -> None:
    with pytest.raises(TemplateRefused) as refused:
        render("before {% for i in items %}{{ i.x | truncate: 'y' }}{% endfor %}", {"items": [{"x": "long"}]})

    assert isinstance(refused.value.problem, Problem)


# --- attacks -----------------------------------------------------------------------------------------------------

# Reads the attacks, and runs each in a fork of itself that has limits and says one line about what came of it.
IN_CHILDREN = """
import json, os, resource, sys, time
import django
django.setup()
from orders.mail import liquid
SECRET = "hush-hush-7431"
class Store:
    secret = SECRET
    def delete(self): return SECRET
values = {
    "name": "Jane", "items": [{"title": "T" * 200, "quantity": 1}] * 50, "day": liquid.Moment("x", None),
    "store": Store(), "number": 12, "yes": True,
}
liquid.check("{{ nothing }}", ["name"]); liquid.render("{{ name | upcase }}", values)
def memory(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
def attack(name, source):
    here = int(open("/proc/self/statm").read().split()[0]) * os.sysconf("SC_PAGESIZE")
    resource.setrlimit(resource.RLIMIT_AS, (here + 200_000_000,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
    before, began = memory(), time.process_time()
    found = liquid.check(source, list(values), ["title", "quantity"])
    checked = time.process_time()
    try:
        made = liquid.render(source, values)
    except liquid.TemplateRefused as refused:
        made = "refused: " + str(refused)
    print(json.dumps([name, {
        "checking": checked - began, "rendering": time.process_time() - checked, "kb": memory() - before,
        "size": len(made), "leaks": SECRET in made + str(found) or "object at" in made, "made": made[:80],
    }]), flush=True)
for name, source in json.load(sys.stdin).items():
    child = os.fork()
    if not child:
        try:
            attack(name, source)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
"""

ATTACKS = {
    # Python objects
    "an attribute": "{{ store.secret }}",
    "a method": "{{ store.delete }}",
    "the class": "{{ name.__class__.__mro__ }}{{ store.__class__ }}{{ store.__init__.__globals__ }}",
    "by brackets": "{{ store['secret'] }}{{ store['__class__'] }}{{ ['store'].secret }}",
    "of a list": "{{ items.__class__ }}{{ items.append }}{{ items[0].pop }}{{ items.first.items }}",
    "of a time": "{{ day._at }}{{ day.__class__ }}",
    "inside the library": "{{ forloop }}{{ now }}{{ today }}{{ partial }}{{ template }}{{ self }}{{ globals }}",
    "the loop itself": "{% for i in items limit: 1 %}{{ forloop }}{{ forloop.parentloop }}{{ forloop.it }}{% endfor %}",
    # files and other tags
    "include": "{% include '/etc/passwd' %}",
    "render": "{% render '../settings' %}",
    "capture": "{% capture x %}{{ name }}{% endcapture %}{{ x }}",
    "assign": "{% assign x = name %}{{ x }}",
    "liquid": "{% liquid\nassign x = 'y'\necho x\n%}",
    "echo": "{% echo name %}",
    "tablerow": "{% tablerow i in items %}{{ i }}{% endtablerow %}",
    "raw": "{% raw %}{{ name }}{% endraw %}",
    # growth
    "a range": "{% for i in (1..99999999) %}x{% endfor %}",
    "a range, reversed": "{% for i in (1..99999999) reversed %}x{% endfor %}",
    "a range, far on": "{% for i in (1..99999999) offset: 99999990 %}x{% endfor %}",
    "a range, printed": "{{ (1..99999999) }}",
    "a range, joined": "{{ (1..99999999) | join }}",
    "a range by names": "{% for i in (number..number) %}x{% endfor %}",
    "loops in loops": "{% for a in items %}" * 9 + "{{ a.title }}" + "{% endfor %}" * 9,
    "loop after loop": "{% for a in items %}{% endfor %}" * 250,
    "printing in loops": "{% for a in items %}{{ items }}{% endfor %}" * 20,
    "the whole list again and again": "{{ items }}" * 499,
    "padding": "{{ name | ljust: 999999999 }}{{ name | times: 99999999 }}",
    "truncating up": "{{ name | truncate: 999999999999 }}{{ name | truncate: 1, name }}",
    "a date's width": "{{ day | date: '%999999999Y' }}{{ 'now' | date: '%99999999d' }}",
    "a date's text": "{{ '" + "9" * 250 + "' | date: '%Y' }}",
    "escapes of escapes": "{{ name" + " | escape" * 30 + " }}",
    "a huge number": "{{ " + "9" * 290 + " }}{% for i in items limit: " + "9" * 200 + " %}{% endfor %}",
    "a huge index": "{{ items[99999999999999999999] }}{{ items[-99999999999] }}",
    # reading
    "open braces": "{{" * 10_000,
    "open tags": "{%" * 10_000,
    "blanks in braces": "{{ name " + " " * 19_000 + "}}",
    "blanks in an open brace": "{{ " + " " * 19_000,
    "blanks with a minus": "{{-" + " " * 19_000 + "-}",
    "blanks in tags": "{% if name" + " " * 19_000 + "%}",
    "open raws": "{% raw %}" * 2_000,
    "open comments": "{% comment %}" * 1_500,
    "nested comments": "{% comment %}" * 700 + "{% endcomment %}" * 600,
    "many outputs": "{{name}}" * 2_400,
    "many conditions": "{% if name %}x{% endif %}" * 160,
    "depth": "{% if name %}" * 700 + "{% endif %}" * 700,
    "a chain of elsifs": "{% if name == 'x' %}" + "{% elsif name == 'y' %}" * 498 + "{% endif %}",
    "a chain of or": "{% if " + "name or " * 35 + "name %}{% endif %}",
    "a chain of comparisons": "{% if " + "name<" * 55 + "name %}{% endif %}",
    "paths in paths": "{{ " + "items[" * 45 + "0" + "]" * 45 + " }}",
    "brackets only": "{{ " + "[" * 280 + " }}",
    "quotes": "{{ " + "'" * 281 + " }}",
    "too long": "x" * 200_000,
    "long and full": "{{ name }} and so on, and on. " * 660,
    "end of every line": "\n" * 19_999 + "{{ x",
    "null and the like": "{{ name }}\x00\x1b\u202e{{ '\x00' }}",
}  # fmt: skip


@pytest.fixture(scope="module")
def came_of() -> dict[str, dict[str, Any]]:
    """What each attack came to; one that died of its limits is not in it."""
    done = subprocess.run(
        [sys.executable, "-c", IN_CHILDREN],
        input=json.dumps(ATTACKS),
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tracksync.settings"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return dict(json.loads(line) for line in done.stdout.splitlines())


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_gets_nothing_and_costs_next_to_nothing(name: str, came_of: dict[str, dict[str, Any]]) -> None:
    told = came_of[name]

    assert told["leaks"] is False, told
    assert told["kb"] < 50_000, told
    # Processor time, each for itself: a machine under load is no attack.
    assert (told["checking"] < 0.1, told["rendering"] < 0.1) == (True, True), told
    assert told["size"] <= liquid.OUTPUT_LIMIT, told
