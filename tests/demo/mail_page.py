"""A page on which the demo's mails are read: a list, and each mail as HTML and as text, side by side.

Served by the demo itself, for this machine alone. The HTML is a stranger's here too: it is shown in a frame that may
run nothing, load nothing and leave nowhere but into a new tab.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from . import story
from .mails import Mail, read

HOSTS = {"127.0.0.1", "localhost"}
STYLE = (Path(__file__).parent / "mail_page.css").read_text(encoding="utf-8")
OTHERS = " and ".join(shop.name for shop in story.SHOPS if shop.mails_itself)
ELSEWHERE = f"WooCommerce itself writes to the customers of {OTHERS}; the store's own page says for which numbers."
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
# The page itself frames its own mails; a mail is framed by it and by nobody else.
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'none'"
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; form-action 'none'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)


@contextmanager
def serving(folder: Path, port: int) -> Iterator[str]:
    """The page at that port of the loopback address, for as long as it is needed: its address."""
    server = ThreadingHTTPServer(("127.0.0.1", port), type("Handler", (_Page,), {"folder": folder}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


class _Page(BaseHTTPRequestHandler):
    folder: Path

    def do_GET(self) -> None:
        """`/` the list, `/<key>` one mail, `/<key>/html` its HTML alone."""
        # A name of somebody else's that leads here must not read along.
        if (self.headers.get("Host") or "").rpartition(":")[0] not in HOSTS:
            return self._answer(400, "Bad request", PAGE_POLICY)
        mails = read(self.folder)
        if self.path == "/":
            return self._answer(200, _list(mails), PAGE_POLICY)
        key, _, part = self.path.strip("/").partition("/")
        found = next((mail for mail in mails if mail.key == key), None)
        if found is None or part not in ("", "html"):
            return self._answer(404, _page("Not found", '<p><a href="/">All mails</a></p>'), PAGE_POLICY)
        if part == "html":
            return self._answer(200, in_new_tabs(found.html), MAIL_POLICY)
        return self._answer(200, _mail(found), PAGE_POLICY)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: the terminal belongs to the story."""

    def _answer(self, status: int, text: str, policy: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", policy)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def in_new_tabs(html: str) -> str:
    """The HTML of a mail whose links open where they would from a mail program: not in its own frame."""
    return re.sub(r"(<head[^>]*>)", r'\1<base target="_blank">', html, count=1)


def _list(mails: list[Mail]) -> str:
    rows = "".join(
        f'<li><a href="/{escape(mail.key)}">{escape(mail.subject)}</a>'
        f"<span>{escape(mail.header('To'))}</span><span>{escape(mail.header('From'))}</span>"
        f"<time>{_time(mail)}</time></li>"
        for mail in reversed(mails)
    )
    count = f"{len(mails)} mail{'s' if len(mails) != 1 else ''}, the newest first"
    body = f'<ol class="mails">{rows}</ol>' if mails else '<p class="empty">Nobody has been written to yet.</p>'
    return _page(
        "Mails of the demo",
        f'<p class="quiet">{count}. This page looks again every few seconds.</p>'
        f'<p class="quiet">All that TrackSync has written. {ELSEWHERE}</p>{body}',
        4,
    )


def _mail(mail: Mail) -> str:
    names = ("From", "To", "Reply-To", "Date", "Message-ID")
    rows = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name in names if (value := mail.header(name)))
    frame = (
        f'<section><h2>As HTML</h2><iframe src="/{escape(mail.key)}/html" title="The mail as HTML" '
        'sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe></section>'
        if mail.html
        else ""
    )
    return _page(
        mail.subject,
        f'<p><a href="/">All mails</a></p><dl>{rows}</dl><div class="parts">{frame}'
        f"<section><h2>As text</h2><pre>{escape(mail.text)}</pre></section></div>",
    )


def _page(title: str, body: str, again: int = 0) -> str:
    refresh = f'<meta http-equiv="refresh" content="{again}">' if again else ""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">{refresh}'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>\n"
    )


def _time(mail: Mail) -> str:
    try:
        return parsedate_to_datetime(mail.header("Date")).astimezone().strftime("%H:%M:%S")
    except ValueError:
        return ""
