"""The mails of the demo, read from the files into which they were sent.

TrackSync hands them to Django's own file backend, as it would to a mail server: what lies in the folder was really
sent. They are read by what a receiver sees of them; which mails there have to be is in story.py.
"""

from __future__ import annotations

import email
import email.policy
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

FOLDER = "mails"
BETWEEN = b"\n" + b"-" * 79 + b"\n"  # as the file backend has it

# How a receiver knows what a mail is about, in the words of the texts that every store begins with. The number is the
# store's own: Shopify writes a # before it, WooCommerce does not.
SUBJECTS = {
    "preparing": re.compile(r"Your order #?(\d+) is being prepared"),
    "shipped": re.compile(r"Your order #?(\d+) has been shipped( \(parcel \d+ of \d+\))?"),
    "number_changed": re.compile(r"A new tracking number for your order #?(\d+)"),
}


@dataclass(frozen=True)
class Mail:
    """One mail. `key` stays the same for as long as the file lies there."""

    key: str
    message: EmailMessage

    def header(self, name: str) -> str:
        """A header's value, decoded; "" where it has none."""
        return str(self.message[name] or "")

    @property
    def subject(self) -> str:
        """Its subject, decoded."""
        return self.header("Subject")

    @property
    def text(self) -> str:
        """The part for those who read plain text."""
        return self._part("plain")

    @property
    def html(self) -> str:
        """The part for those who read HTML; "" for none."""
        return self._part("html")

    @property
    def about(self) -> tuple[str, str]:
        """(order, kind) of a mail to a customer, ("", "") of any other."""
        for kind, subject in SUBJECTS.items():
            if found := subject.fullmatch(self.subject):
                return found[1], kind
        return "", ""

    @property
    def link(self) -> str:
        """The address that stands alone on a line: what its button leads to."""
        found = re.search(r"^(https?://\S+/t/\S+)$", self.text, re.MULTILINE)
        return found[1] if found else ""

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        return str(part.get_content()) if part is not None else ""


def read(folder: Path) -> list[Mail]:
    """All mails that were written to the end, the first one first."""
    mails = [mail for file in folder.glob("*.log") for mail in _in(file)]
    return sorted(mails, key=lambda mail: (_seconds(mail), mail.key))


def customers_mails(mails: list[Mail]) -> dict[str, Counter[str]]:
    """Order → how many mails of each kind its customer got."""
    found: dict[str, Counter[str]] = {}
    for mail in mails:
        order, kind = mail.about
        if order:
            found.setdefault(order, Counter())[kind] += 1
    return found


def _in(file: Path) -> Iterator[Mail]:
    # What follows the last line of dashes is still being written.
    for place, raw in enumerate(file.read_bytes().split(BETWEEN)[:-1]):
        message = email.message_from_bytes(raw, policy=email.policy.default)
        if isinstance(message, EmailMessage):
            yield Mail(f"{file.stem}-{place}", message)


def _seconds(mail: Mail) -> float:
    date = mail.message["Date"]
    return float(date.datetime.timestamp()) if date is not None and date.datetime is not None else 0.0
