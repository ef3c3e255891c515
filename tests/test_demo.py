"""The first things a newcomer meets: the demo, started from outside as a person would, and the README."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import date
from email.message import EmailMessage
from pathlib import Path

import pytest
import requests

from stores.choices import DisconnectReason
from tests.conftest import ROOT
from tests.demo import connecting, madeup, mails, story, surroundings, verdict
from tests.demo.mail_page import serving
from tests.demo.parts import processes_with
from tests.demo.screen import WIDTH, Screen, wants_colour
from tests.demo.storefronts import PLATFORMS, Access, Book, Shown, StoreMail
from tests.factories import NOON, a_store

# The environment of the tests must not help: the demo brings its own.
BARE = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


CREDENTIALS = {"shopify": {"access_token": "t"}, "woocommerce": {"consumer_key": "k", "consumer_secret": "s"}}


def demo(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start the demo in a folder of its own, as a terminal does: in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.demo", "--folder", str(folder), "--port", "0", *arguments],
        cwd=ROOT,
        env=BARE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def variables_read() -> set[str]:
    """The environment variables that the settings read."""
    settings = (ROOT / "tracksync" / "settings.py").read_text()
    return set(re.findall(r'environment\.[a-z_]+\(\s*"([A-Z_]+)"', settings))


def left_behind(folder: Path) -> list[int]:
    """The processes of this very demo that still live."""
    environment = dict(line.split("=", 1) for line in (folder / surroundings.ENVIRONMENT).read_text().splitlines())
    return list(processes_with(surroundings.MARK, environment[surroundings.MARK]))


def command_of(pid: int) -> bytes:
    """The command line of a process, b"" when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def wait_for(text: str, process: subprocess.Popen[str], seconds: float) -> str:
    """What the demo has said up to the line with this text."""
    said, until = "", time.monotonic() + seconds
    assert process.stdout is not None
    while time.monotonic() < until:
        line = process.stdout.readline()
        said += line
        if text in line:
            return said
        assert line, f"the demo has ended without {text!r}:\n{said}"
    raise AssertionError(f"no {text!r} within {seconds} s:\n{said}")


@pytest.mark.processes
def test_the_demo_brings_every_number_into_its_store_once_and_leaves_no_process(tmp_path: Path) -> None:
    process = demo(tmp_path, "--once", "--pause", "0")

    said, _ = process.communicate(timeout=240)

    count = sum(map(len, verdict.expected(2, held=False).values()))
    assert process.returncode == 0, said
    assert f"{count} numbers stand in four stores, each exactly once" in said
    sent = mails.customers_mails(mails.read(tmp_path / mails.FOLDER))
    assert (verdict.missing_mails(sent), verdict.surplus_mails(sent)) == ([], [])
    kinds = sum(sent.values(), Counter[str]())
    assert f"{kinds.total()} mails have told customers of them, each once" in said
    own = sum(map(len, verdict.stores_own_mails().values()))
    assert f"{own} mails came from Linden Garden itself, each with its numbers" in said
    assert "Linden Garden #4002: marked as shipped in part" in said
    assert (kinds["preparing"] > 0, kinds["shipped"] > 0) == (True, True)
    assert [line for line in said.splitlines() if len(line) > WIDTH and str(tmp_path) not in line] == []
    assert "\x1b" not in said
    assert re.search(r"[$%]?\{[\w%{]", said) is None
    assert left_behind(tmp_path) == []
    assert sorted(file.name for file in tmp_path.glob("*.csv")) == ["1-packed.csv", "2-dispatched.csv"]


@pytest.mark.processes
@pytest.mark.parametrize("number, at", [(signal.SIGTERM, "Starting up"), (signal.SIGINT, "/admin/")])
def test_a_signal_ends_the_demo_and_all_that_it_started(number: signal.Signals, at: str, tmp_path: Path) -> None:
    process = demo(tmp_path)
    wait_for(at, process, 60)
    deadline = time.monotonic() + 20
    while len(left_behind(tmp_path)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(left_behind(tmp_path)) >= 2

    os.killpg(process.pid, number)

    rest, _ = process.communicate(timeout=90)
    assert (process.returncode, rest.splitlines()[-1]) == (0, "Everything has been stopped.")
    assert left_behind(tmp_path) == []


@pytest.mark.processes
@pytest.mark.parametrize("label, module", [(world.label, world.module) for world in PLATFORMS.values()])
def test_a_part_that_dies_is_named_and_takes_the_demo_with_it(label: str, module: str, tmp_path: Path) -> None:
    process = demo(tmp_path)
    wait_for("Starting up", process, 60)
    stores, deadline = 0, time.monotonic() + 20
    while not stores and time.monotonic() < deadline:
        stores = next((pid for pid in left_behind(tmp_path) if module.encode() in command_of(pid)), 0)

    os.kill(stores, signal.SIGKILL)

    rest, _ = process.communicate(timeout=90)
    assert process.returncode == 1
    assert f"pretend {label} has ended by itself, killed by SIGKILL." in rest
    assert left_behind(tmp_path) == []


@pytest.mark.processes
def test_two_demos_do_not_share_a_folder(tmp_path: Path) -> None:
    with surroundings.folder(tmp_path):
        process = demo(tmp_path)
        said, _ = process.communicate(timeout=90)

    assert process.returncode == 1
    assert said.strip() == f"A demo is running in {tmp_path} already. Stop it with Ctrl-C first."


def test_the_demo_sets_every_variable_so_that_no_env_file_shines_through(tmp_path: Path) -> None:
    variables = surroundings.environment(tmp_path, web_port=8000)

    assert set(variables) - {surroundings.MARK, surroundings.SETTINGS} == variables_read()


def test_a_port_that_is_taken_is_left_to_whoever_has_it() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert surroundings.free_port(port) != port


def test_the_folder_loses_what_an_earlier_demo_left_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "mails").mkdir()
    for name in ("demo.sqlite3", "demo.sqlite3-wal", "1-packed.csv", "worker.log", "demo.env", "notes.txt"):
        (tmp_path / name).touch()
    for name in ("mails/20261125-184500-1.log", "mails/note.txt"):
        (tmp_path / name).touch()

    with surroundings.folder(tmp_path):
        left = sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file())
        assert left == ["demo.lock", "mails/note.txt", "notes.txt"]


# --- the table and the verdict -----------------------------------------------------------------------------


def test_the_story_has_every_choice_once_in_four_stores_of_two_merchants_on_two_platforms() -> None:
    assert len({shop.owner for shop in story.SHOPS}) == 2
    assert [(shop.platform, len(shop.orders), shop.timing, shop.number_source) for shop in story.SHOPS] == [
        ("shopify", 24, "after_dispatch", "default"),
        ("shopify", 18, "before_dispatch", "local"),
        ("shopify", 18, "before_dispatch", "default"),
        ("woocommerce", 6, "after_dispatch", "local"),
    ]


def test_what_is_special_about_an_order_fits_its_line() -> None:
    assert [parcel.case.tell for parcel in story.parcels() if len(parcel.case.tell) > 63] == []


def test_no_two_parcels_of_the_story_have_the_same_number() -> None:
    numbers = [parcel.value(kind) for parcel in story.parcels() for kind in ("own", "local", "new")]

    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize(
    "there, complaint",
    [
        ([("CJP1", "CJ Packet")], []),
        ([], ["home, order #1: expected CJP1 (CJ Packet), the store shows nothing."]),
        (
            [("CJP1", "CJ Packet")] * 2,
            ["home, order #1: expected CJP1 (CJ Packet), the store shows CJP1 (CJ Packet), CJP1 (CJ Packet)."],
        ),
        ([("YT1", "YunExpress")], ["home, order #1: expected CJP1 (CJ Packet), the store shows YT1 (YunExpress)."]),
        ([("CJP1", "Yanwen")], ["home, order #1: expected CJP1 (CJ Packet), the store shows CJP1 (Yanwen)."]),
    ],
)
def test_the_verdict_names_what_is_missing_too_much_or_wrong(
    there: list[tuple[str, str]], complaint: list[str]
) -> None:
    wanted = {("home", "1"): [("CJP1", "CJ Packet")]}

    assert verdict.differences(wanted, {("home", "1"): there}) == complaint


def test_a_number_on_an_order_that_has_to_show_none_is_a_difference() -> None:
    silent = next(key for key, numbers in verdict.expected(2).items() if not numbers)

    there = verdict.found({silent[0]: Book(shown=(Shown(*silent, "YT1", "YunExpress", 0.0),))})

    assert there[silent] == [("YT1", "YunExpress")]
    assert [line for line in verdict.differences(verdict.expected(2), there) if f"#{silent[1]}:" in line] == [
        f"{silent[0]}, order #{silent[1]}: expected nothing, the store shows YT1 (YunExpress)."
    ]


@pytest.mark.parametrize(
    "shop, order, words",
    [
        ("linden-home", "1002", ("FULFILLED",)),
        ("linden-home", "1003", ("PARTIALLY_FULFILLED",)),  # the second parcel stays
        ("linden-home", "1004", ("UNFULFILLED",)),  # nobody paid
        ("linden-garden", "4001", ("processing", "completed")),
        ("linden-garden", "4002", ("processing", "partial-shipped", "completed")),  # one parcel after the other
        ("linden-garden", "4004", ("processing", "completed")),  # another number, later, and not completed again
        ("linden-garden", "4005", ("processing", "cancelled")),
        ("linden-garden", "4006", ("processing",)),  # nothing has left
    ],
)
def test_an_order_is_marked_as_far_as_its_parcels_have_gone(shop: str, order: str, words: tuple[str, ...]) -> None:
    assert verdict.expected_states()[shop, order] == words


def test_the_verdict_names_an_order_that_is_marked_in_another_way() -> None:
    states = verdict.expected_states()
    books = {
        shop.key: Book(states={order.number: states[shop.key, order.number] for order in shop.orders})
        for shop in story.SHOPS
    }
    at_once = {**books["linden-garden"].states, "4002": ("processing", "completed")}

    assert verdict.otherwise_marked(states, books) == []
    assert verdict.otherwise_marked(states, books | {"linden-garden": Book(states=at_once)}) == [
        "linden-garden, order #4002: expected to be processing, then partial-shipped, then completed, "
        "the store says processing, then completed."
    ]


def test_the_verdict_names_a_mail_of_a_store_itself_that_is_missing_or_has_no_number() -> None:
    wanted = {key: Book(mails=tuple(mails)) for key, mails in verdict.stores_own_mails().items()}
    first, *rest = wanted["linden-garden"].mails
    empty = StoreMail(first.order, first.kind, ())

    assert verdict.otherwise_mailed(wanted) == []
    assert verdict.otherwise_mailed(wanted | {"linden-garden": Book(mails=(empty, *rest))}) == [
        f"linden-garden, order #4001: no mail completed with {first.numbers[0]}.",
        "linden-garden, order #4001: a mail completed with no number.",
    ]


def test_the_verdict_names_a_mail_that_is_missing_twice_there_or_nobodys() -> None:
    sent = {
        order.number: verdict.mails_of(order)[0] for shop in story.SHOPS if shop.is_written_for for order in shop.orders
    }
    sent["1001"] = Counter()
    sent["1002"] = Counter(shipped=2)
    sent["3001"] = Counter(preparing=1)  # its merchant's address is not verified
    sent["2003"] = Counter(shipped=1, preparing=1)  # both in their time
    sent["4001"] = Counter(shipped=1)  # WooCommerce has written already

    assert verdict.missing_mails(sent) == ["linden-home, order #1001: the customer got no mail of the kind shipped."]
    assert verdict.surplus_mails(sent) == [
        "Order #1002: a mail of the kind shipped too many.",
        "Order #3001: a mail of the kind preparing too many.",
        "Order #4001: a mail of the kind shipped too many.",
    ]


def test_the_sheet_of_stores_has_a_line_for_each_with_the_access_of_its_platform() -> None:
    accesses = {shop.key: Access(f"http://127.0.0.1:1/{shop.key}", CREDENTIALS[shop.platform]) for shop in story.SHOPS}

    header, home, _, _, garden = connecting.sheet(accesses, date(2026, 11, 22)).splitlines()

    assert header == (
        "owner,platform,name,url,timing,number_source,sync_from,access_token,consumer_key,consumer_secret"
    )
    assert home == (
        "mira@linden.example,shopify,Linden Home,http://127.0.0.1:1/linden-home,after_dispatch,default,2026-11-22,t,,"
    )
    assert garden == (
        "mira@linden.example,woocommerce,Linden Garden,http://127.0.0.1:1/linden-garden,after_dispatch,local,"
        "2026-11-22,,k,s"
    )


def test_the_stores_ids_are_read_from_what_the_command_says_in_the_order_of_the_story() -> None:
    said = "".join(f"line {place + 2}: store {place + 11} connected\n" for place in range(4)) + "4 connected\n"

    assert connecting.store_ids(said) == {
        "linden-home": "11",
        "linden-kids": "12",
        "northbound": "13",
        "linden-garden": "14",
    }


# RR473124829GB is the example that postal services give.
@pytest.mark.parametrize("serial, digit", [("47312482", "9")])
def test_made_up_postal_numbers_carry_the_check_digit(serial: str, digit: str) -> None:
    assert madeup.s10_check_digit(serial) == digit


# --- what is told --------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_store_that_a_visitor_connects_again_is_told_of_and_a_strange_one_is_not() -> None:
    from tests.demo.watching import keys_of_stores

    garden = "http://127.0.0.1:8200/linden-garden"
    left = a_store(
        base_url=garden, platform="woocommerce", disconnected_at=NOON, disconnect_reason=DisconnectReason.MERCHANT
    )
    again = a_store(base_url=garden, platform="woocommerce")
    a_store(base_url="https://somebodys-own.example")

    assert keys_of_stores() == {left.pk: "linden-garden", again.pk: "linden-garden"}


# --- the mails --------------------------------------------------------------------------------------------------

MAIL = """\
Content-Type: multipart/alternative; boundary="=="
MIME-Version: 1.0
Subject: =?utf-8?q?Your_order_=231003_has_been_shipped_=28parcel_1_of_2=29?=
From: Linden Home <noreply@localhost>
To: chloe@martin.example
Date: Wed, 25 Nov 2026 18:45:18 -0000

--==
Content-Type: text/plain; charset="utf-8"

Follow it here:

http://127.0.0.1:8000/t/abc

<script>alert(1)</script>
--==
Content-Type: text/html; charset="utf-8"

<!doctype html><html><head><title>x</title></head><body><a href="http://127.0.0.1:8000/t/abc">Follow</a></body></html>
--==--
"""
HALF = "Subject: Your order #1004 is being pre"


def mail_folder(path: Path, *texts: str) -> Path:
    """A folder into which these were sent over one connection, the last of them only in part."""
    line = "\n" + "-" * 79 + "\n"
    (path / "20261125-184518-1.log").write_text(line.join([*texts, HALF]))
    return path


def test_a_mail_is_read_from_its_file_once_it_is_whole(tmp_path: Path) -> None:
    (mail,) = mails.read(mail_folder(tmp_path, MAIL))

    assert (mail.about, mail.link) == (("1003", "shipped"), "http://127.0.0.1:8000/t/abc")
    assert mails.customers_mails([mail, mail]) == {"1003": Counter(shipped=2)}
    assert mails.read(tmp_path / "nothing") == []


@pytest.mark.parametrize(
    "subject, about",
    [
        ("Your order #1003 has been shipped", ("1003", "shipped")),
        ("Your order 4002 has been shipped (parcel 1 of 2)", ("4002", "shipped")),  # as WooCommerce counts
        ("A new tracking number for your order 4004", ("4004", "number_changed")),
        ("Your order 4001 is being prepared", ("4001", "preparing")),
        ("Please confirm your e-mail address", ("", "")),
    ],
)
def test_a_mail_is_known_by_its_subject(subject: str, about: tuple[str, str]) -> None:
    message = EmailMessage()
    message["Subject"] = subject

    assert mails.Mail("1", message).about == about


def test_the_page_shows_a_mail_as_text_and_as_html_that_runs_nothing(tmp_path: Path) -> None:
    with serving(mail_folder(tmp_path, MAIL), 0) as address:
        pages = [requests.get(address + path, timeout=5) for path in ("", "20261125-184518-1-0", "gone")]
        html = requests.get(f"{address}20261125-184518-1-0/html", timeout=5)
        stranger = requests.get(address, headers={"Host": "elsewhere.example"}, timeout=5)

    assert [page.status_code for page in [*pages, html, stranger]] == [200, 200, 404, 200, 400]
    assert 'href="/20261125-184518-1-0">Your order #1003 has been shipped (parcel 1 of 2)</a>' in pages[0].text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in pages[1].text
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in pages[1].text
    assert "default-src 'none'" in html.headers["Content-Security-Policy"]
    assert html.headers["Content-Security-Policy"].endswith("sandbox allow-popups allow-popups-to-escape-sandbox")
    assert '<head><base target="_blank">' in html.text


# --- the screen ---------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    "stream, environment, expected",
    [
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ],
)
def test_colours_are_for_terminals_whose_owner_wants_them(
    stream: io.StringIO, environment: dict[str, str], expected: bool
) -> None:
    assert wants_colour(stream, environment) is expected


def test_long_sentences_are_wrapped_below_the_time() -> None:
    stream = io.StringIO()

    Screen(stream).happens("Linden Home #1001", "word " * 30)

    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert [line[:10].strip() for line in lines[1:]] == ["", "", ""]


# --- the pages ------------------------------------------------------------------------------------------------

PAGES = ("README.md", "CHANGELOG.md", "docs/operations.md", "docs/how-a-number-travels.md")


def test_the_readme_explains_every_variable_and_no_other() -> None:
    rows = re.findall(r"^\| (`[A-Z_`, ]+`) \|", (ROOT / "README.md").read_text(), re.MULTILINE)

    named = [name for row in rows for name in re.findall(r"[A-Z_]+", row)]

    assert sorted(named) == sorted(variables_read())


def test_the_sample_file_in_the_readme_has_the_columns_that_are_read() -> None:
    from orders.importing.reading import OPTIONAL, REQUIRED, read

    sample = re.search(r"^```\n(store_id,.+?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert sample is not None

    sheet = read(sample[1].encode())

    assert (sheet.header, sheet.problems, len(sheet.records)) == ((*REQUIRED, *OPTIONAL), (), 3)


@pytest.mark.parametrize("page", PAGES)
def test_the_files_that_a_page_names_are_there(page: str) -> None:
    text = (ROOT / page).read_text()
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    paths = re.findall(r"(?<![\w/])((?:stores|orders|tracksync|tests|docs)/[\w./-]*)", text)

    assert [link for link in links if not (ROOT / page).parent.joinpath(link).exists()] == []
    assert [path for path in paths if not (ROOT / path.rstrip(".")).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_that_a_page_names_are_there(page: str) -> None:
    from django.core.management import get_commands

    text = (ROOT / page).read_text()

    assert {name for name in re.findall(r"manage\.py ([a-z_]+)", text)} - set(get_commands()) == set()
    targets = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE)) - set(targets) == set()
