"""The story, one thing after the other: start everything, connect, pull, two files, a hold that is lifted, the verdict.

Ends by Stopped (somebody pressed Ctrl-C), PartEnded, CommandFailed or NoRoom; otherwise it returns.
"""

from __future__ import annotations

import os
import secrets
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import requests

from . import connecting, mails, story, surroundings, verdict, warehouse
from .parts import CommandFailed, Parts
from .screen import Screen
from .storefronts import PLATFORMS, Storefronts, paid_at

if TYPE_CHECKING:
    from .watching import Watching

START_SECONDS = 60.0
MAIL_SECONDS = 20.0  # customers are written to a moment after the store shows the number
ARRIVE_SECONDS = 90.0  # an order that was on hold is looked at again after ten, twenty, forty seconds
LOOK_SECONDS = 0.4
WEB, WORKER = "web server", "worker"
WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "harbour", "iris", "juniper", "kelp", "linden")
STAFF = "staff@demo.example"
OWNERS = tuple(dict.fromkeys(shop.owner for shop in story.SHOPS))
VERIFIED = {shop.owner for shop in story.SHOPS if shop.is_verified}


class Play:
    """One performance. `run()` gives whether the books say in the end what the table says."""

    def __init__(
        self, parts: Parts, screen: Screen, folder: Path, *, pause: float, ports: surroundings.Ports, mail_page: str
    ):
        """`mail_page`: where mails are read."""
        self.parts = parts
        self.screen = screen
        self.folder = folder
        self.pause = pause
        self.ports = ports
        self.web = f"http://127.0.0.1:{ports.web}"
        self.mails, self.mail_page = folder / mails.FOLDER, mail_page
        self.storefronts = Storefronts({name: f"http://127.0.0.1:{port}" for name, port in ports.stores.items()})
        self.now = datetime.now(UTC)
        self.store_ids: dict[str, str] = {}
        self.watching: Watching
        self.staffs_password, self.merchants_password = _password(), _password()

    def run(self) -> bool:
        """Play it. True where every expected number stands in its store and every customer is told, exactly once."""
        try:
            self._raise_the_curtain()
            self._connect()
            self._first_file()
            self._second_file()
            self._release()
            return self._verdict()
        except requests.RequestException:
            # Most likely the pretend stores are gone: that is the better thing to say.
            self.parts.rest(1)
            raise

    def go_on(self) -> None:
        """Tell what happens until somebody ends it."""
        self.screen.heading("It goes on until you press Ctrl-C")
        self.screen.say(
            "Log in as a merchant and change when or which number a store gets; mark #1004 as paid in the admin: "
            "what comes of it is told here."
        )
        self.screen.say(*(hint for shop in story.SHOPS if (hint := PLATFORMS[shop.platform].hint(shop))))
        for owner in sorted(set(OWNERS) - VERIFIED):
            self.screen.say(
                f"The customers of {owner} are not written to yet. Log in as that merchant, have the link sent and "
                f"open it: it is in a mail on {self.mail_page}"
            )
        self.screen.say("Or, in another terminal:")
        env = surroundings.shown(self.folder / surroundings.ENVIRONMENT)
        self.screen.line()
        self.screen.line(f"{' ' * 10}set -a; . {env}; set +a")
        self.screen.line(f"{' ' * 10}.venv/bin/python manage.py explain --order 1004")
        self.screen.line()
        while True:
            self.parts.rest(LOOK_SECONDS * 2)
            self._look()

    # --- the acts ------------------------------------------------------------------------------------

    def _raise_the_curtain(self) -> None:
        """Start everything, let the shoppers order, connect the stores: then there is something to look at."""
        python = sys.executable
        self.screen.line(self.screen.style("TrackSync demo", "bold"))
        self.screen.line(f"Starting up in {surroundings.shown(self.folder)}/ …")
        for platform, port in self.ports.stores.items():
            world = PLATFORMS[platform]
            self.parts.start(f"pretend {world.label}", [python, "-m", world.module, "--port", str(port)])
        self.parts.manage("migrate", "--verbosity", "0")
        self.parts.start(WORKER, [python, "manage.py", "worker"])
        gunicorn = [python, "-m", "gunicorn", "tracksync.wsgi", "--bind", f"127.0.0.1:{self.ports.web}"]
        self.parts.start(WEB, [*gunicorn, "--threads", "4", "--no-control-socket", "--graceful-timeout", "3"])
        self._must_be(self.storefronts.are_up, "The pretend stores do not answer.")
        self.storefronts.open(self.now)
        accesses = {shop.key: self.storefronts.access(shop) for shop in story.SHOPS}
        sheet = connecting.sheet(accesses, (self.now - timedelta(days=3)).date())
        staff = ("create_staff", "--email", STAFF, "--password-stdin", "--superuser")
        _, said = self.parts.together([(staff, self.staffs_password), (connecting.COMMAND, sheet)])
        self.store_ids = connecting.store_ids(said)
        self._must_be(self._web_is_up, f"The {WEB} does not answer.")
        self._addresses()

    def _addresses(self) -> None:
        screen = self.screen
        screen.line()
        rows = [
            ("Staff", f"{self.web}/admin/", (f"login {STAFF}", f"password {self.staffs_password}")),
            ("Merchants", f"{self.web}/", (f"login {' or '.join(OWNERS)}", f"password {self.merchants_password}")),
            ("Mails", self.mail_page, ("What TrackSync writes to customers, to read",)),
        ]
        rows += [
            (shop.name, self.storefronts.page(shop), (f"{PLATFORMS[shop.platform].label}: {shop.promise}",))
            for shop in story.SHOPS
        ]
        width = max(len(name) for name, _, _ in rows)
        for name, address, notes in rows:
            screen.line(f"  {screen.style(name.ljust(width), 'bold')}  {screen.style(address, 'blue')}")
            for note in notes:
                screen.line(f"  {' ' * width}  {note}")
        screen.line()
        screen.line("  The stores are pretend ones on this machine, all else is real. Ctrl-C ends it.")

    def _connect(self) -> None:
        self.screen.heading("Two merchants have connected four stores, on two platforms")
        self.screen.happens(
            f"$ manage.py {' '.join(connecting.COMMAND)}",
            "One line for each store. Each was asked at once who it is and what it lets us do.",
            colour="blue",
        )
        for shop in story.SHOPS:
            platform = PLATFORMS[shop.platform]
            self.screen.happens(
                f"{shop.name} ({platform.label}) is store {self.store_ids[shop.key]}, of {shop.owner}",
                f"It wants its numbers {shop.promise}.",
                *([platform.note] if platform.note else []),
                colour="blue",
            )
        self._begin_watching()
        self._command("pull_orders")

    def _begin_watching(self) -> None:
        """Look into the demo's database from here: Django is set up only now, when it is known where that is."""
        os.environ.update(self.parts.variables)
        import django

        django.setup()
        from .watching import Watching

        self._let_merchants_in()
        self.watching = Watching(self.screen, self.storefronts)

    def _let_merchants_in(self) -> None:
        """Stores that staff connect have owners without a password. One has verified the address, the other not yet."""
        from allauth.account.models import EmailAddress
        from django.contrib.auth import get_user_model
        from django.contrib.auth.hashers import make_password

        password = make_password(self.merchants_password)
        for email in OWNERS:
            owner = get_user_model().objects.get(email=email)
            owner.password = password
            owner.save(update_fields=["password"])
            EmailAddress.objects.update_or_create(
                user=owner, email=email, defaults={"verified": email in VERIFIED, "primary": True}
            )

    def _first_file(self) -> None:
        self.screen.heading("The warehouse packs and labels")
        self._points_out(1)
        self._import(
            "1-packed.csv",
            lambda now: warehouse.packed(self.store_ids, now, lambda number: paid_at(number, self.now)),
        )
        self._until(verdict.expected(1), "the first file")

    def _second_file(self) -> None:
        self._pause()
        self.screen.heading("Some time later: parcels leave, numbers change")
        self._points_out(2)
        for shop in story.SHOPS:
            for order in shop.orders:
                if order.case.is_cancelled:
                    self.storefronts.cancel(shop, order.number)
                    self.screen.happens(f"{shop.name} cancels #{order.number}", colour="blue")
        self._command("pull_orders")
        self._import("2-dispatched.csv", lambda now: warehouse.dispatched(self.store_ids, now))
        self._until(verdict.expected(2), "the second file")

    def _release(self) -> None:
        self._pause()
        self.screen.heading("What was on hold is released")
        for shop in story.SHOPS:
            for order in shop.orders:
                if order.case.on_hold:
                    self.storefronts.release(shop, order.number)
                    self.watching.released(shop.key, order.number)
                    self.screen.happens(f"{shop.name} releases #{order.number}", colour="blue")
        self._until(verdict.expected(2, held=False), "the release")

    def _verdict(self) -> bool:
        self.screen.heading("What the stores' own books say")
        wanted = verdict.expected(2, held=False)
        self.parts.wait_for(self._all_is_told, MAIL_SECONDS)
        books = self.watching.look()
        wrong = verdict.differences(wanted, verdict.found(books))
        wrong += verdict.otherwise_marked(verdict.expected_states(), books)
        wrong += [sentence for book in books.values() for sentence in book.wrong]
        wrong += self._wrong_mails()
        wrong += verdict.otherwise_mailed(books)
        count = sum(map(len, wanted.values()))
        silent = sum(1 for numbers in wanted.values() if not numbers)
        if wrong:
            self.screen.happens("The books do not say what they should", *wrong, colour="red")
            return False
        times = sorted(self.watching.milliseconds)
        self.screen.happens(
            f"{count} numbers stand in four stores, each exactly once",
            f"{silent} orders show nothing, each for a reason that was told above.",
            f"Half of them took less than {statistics.median(times):,.0f} ms, none more than {times[-1]:,.0f} ms. "
            "Since a dispatch, the start of the import command is counted too.",
            colour="green",
        )
        kinds = sum(mails.customers_mails(mails.read(self.mails)).values(), Counter())
        self.screen.happens(
            f"{kinds.total()} mails have told customers of them, each once",
            f"{kinds['preparing']} that a parcel is being prepared, {kinds['shipped']} that it has been shipped, "
            f"{kinds['number_changed']} that its number has changed. Their links lead to the tracking page.",
            f"Read them on {self.mail_page}",
            colour="green",
        )
        for shop in story.SHOPS:
            if shop.mails_itself:
                own = Counter(mail.kind for mail in books[shop.key].mails)
                self.screen.happens(
                    f"{own.total()} mails came from {shop.name} itself, each with its numbers",
                    f"{own['partial-shipped']} that an order is shipped in part, {own['completed']} that it is "
                    "completed. TrackSync has written to none of these shoppers: nobody is told twice.",
                    "WooCommerce has no mail about a number that is replaced. Who wants that told switches its mails "
                    "off there, says so here, and lets TrackSync write.",
                    colour="green",
                )
        return True

    def _all_is_told(self) -> bool:
        """Whether customers know of everything, and orders are marked as what they are."""
        books = self.watching.look()
        return not (
            verdict.missing_mails(mails.customers_mails(mails.read(self.mails)))
            or verdict.otherwise_marked(verdict.expected_states(), books)
            or verdict.otherwise_mailed(books)
        )

    def _wrong_mails(self) -> list[str]:
        """What is wrong with TrackSync's mails, [] for nothing."""
        sent = mails.read(self.mails)
        counts = mails.customers_mails(sent)
        wrong = verdict.missing_mails(counts) + verdict.surplus_mails(counts)
        # One mail of each kind, opened as its reader would.
        for mail in {mail.about[1]: mail for mail in sent if mail.about[1]}.values():
            answer = requests.get(mail.link, timeout=10) if mail.link else None
            if answer is None or not answer.ok or f"Your order #{mail.about[0]}" not in answer.text:
                wrong.append(f"“{mail.subject}”: its link does not lead to the parcel.")
        return wrong

    # --- what the acts are made of ----------------------------------------------------------------------

    def _points_out(self, file: int) -> None:
        for parcel in story.parcels():
            if parcel.case.tell and parcel.case.is_told_with == file:
                self.screen.note(f"#{parcel.order}", parcel.case.tell)

    def _import(self, name: str, rows: Callable[[datetime], Iterator[warehouse.Row]]) -> None:
        path = self.folder / name
        now = datetime.now(UTC)
        count = warehouse.write(path, rows(now))
        self.screen.happens(f"{surroundings.shown(path)}, {count} lines", colour="blue")
        self._command("import_shipments", str(path))

    def _command(self, *arguments: str) -> None:
        """Run a command, with what it says told in the story."""
        said = self.parts.manage(*arguments).strip()
        shown = [surroundings.shown(Path(a)) if os.sep in a else a for a in arguments]
        self.screen.happens(f"$ manage.py {' '.join(shown)}", *said.splitlines(), colour="blue")

    def _until(self, wanted: verdict.Numbers, what: str) -> None:
        """Tell what happens until the books say this, or for long enough. What is missing is said in the verdict."""
        until = time.monotonic() + ARRIVE_SECONDS
        settled = False
        while not settled and time.monotonic() < until:
            self.parts.rest(LOOK_SECONDS)
            settled = self._look() == wanted
        # What holds the rest back is written a moment after the last number.
        self.parts.rest(LOOK_SECONDS * 2)
        self._look()
        if not settled:
            self.screen.happens(f"Not everything has come after {what}", colour="red")

    def _pause(self) -> None:
        until = time.monotonic() + self.pause
        while time.monotonic() < until:
            self.parts.rest(min(LOOK_SECONDS, self.pause))
            self._look()

    def _look(self) -> verdict.Numbers:
        """Tell what is new. What the stores show."""
        while True:
            try:
                return verdict.found(self.watching.look())
            except requests.RequestException:
                # Either the pretend stores are gone, which is said here, or they answer again.
                self.parts.rest(1)

    def _must_be(self, there: Callable[[], bool], complaint: str) -> None:
        if not self.parts.wait_for(there, START_SECONDS):
            raise CommandFailed(complaint)

    def _web_is_up(self) -> bool:
        try:
            return requests.get(f"{self.web}/healthz", timeout=2).ok
        except requests.RequestException:
            return False


def _password() -> str:
    return "-".join([*(secrets.choice(WORDS) for _ in range(2)), str(secrets.randbelow(90) + 10)])
