"""The demo's mails: read from the files into which they were sent, and shown on a page of their own."""

from __future__ import annotations

from collections import Counter
from email.message import EmailMessage
from pathlib import Path

import pytest
import requests

from tests.demo import mails
from tests.demo.mail_page import serving

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
