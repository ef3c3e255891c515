"""HTTP for the pretend stores: a thread for each connection, whole answers, and the ways a connection goes wrong.

Which fault is due, and what a platform says with a status, is each store's own business.
"""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import ssl
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

GIVES_UP = 180  # seconds: a client that waits longer than this is not waiting any more
HUGE = 64 * 1024 * 1024
HTML = "<!doctype html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
HTML_TYPE = "text/html; charset=utf-8"
JSON_TYPE = "application/json; charset=utf-8"


class Dropped(Exception):
    """The connection was given up on purpose; no answer is written."""


class Connection(BaseHTTPRequestHandler):
    """One connection, kept alive. A store's handler adds what it answers."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 300

    def log_message(self, *_: Any) -> None:
        """Quiet: the book knows what happened."""

    def body(self) -> bytes:
        """All that the client sent after the headers."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def send(self, status: int, body: Any, kind: str = JSON_TYPE, headers: dict[str, str] | None = None) -> None:
        """One whole answer in one write; a text or bytes as they are, anything else as JSON."""
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        data = text.encode() if isinstance(text, str) else text
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            if self.command != "HEAD":
                self.wfile.write(data)
            self.wfile.flush()

    def spoil(
        self,
        kind: str,
        text: str,
        seconds: float | None,
        headers: dict[str, str] | None = None,
        status: int = 200,
    ) -> bool:
        """Play one of the faults that no platform has a say in; False where `kind` is none of them.

        `text` is the answer as JSON, with `status` and `headers`; `seconds` is how long a trickle takes.
        """
        if kind in ("timeout", "timeout_after"):
            self.hang()
        elif kind in ("reset_before", "reset_after", "late"):
            self.reset()
        elif kind in ("cut_body", "drip"):
            self.trickle(text.encode(), kind == "cut_body", seconds or 1.0, status)
        elif kind == "cut_json":
            self.send(status, text[: max(1, len(text) // 2)], headers=headers)
        elif kind == "huge":
            self.send(200, " " * HUGE, headers=headers)
        elif kind == "html_200":
            self.send(200, HTML.format("One moment, please"), HTML_TYPE, headers)
        elif kind.startswith("502"):
            self.send(502, HTML.format("502 Bad Gateway"), HTML_TYPE, headers)
        else:
            return False
        return True

    def hang(self) -> None:
        """Say nothing until the client has gone away."""
        self.connection.settimeout(0.5)
        until = time.monotonic() + GIVES_UP
        while time.monotonic() < until:
            try:
                if not self.connection.recv(1024):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        self.drop()

    def trickle(self, data: bytes, half: bool, seconds: float, status: int = 200) -> None:
        """Announce a whole answer; close half way, or take `seconds` over it."""
        self.send_response(status)
        self.send_header("Content-Type", JSON_TYPE)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with contextlib.suppress(OSError):
            if half:
                self.wfile.write(data[: len(data) // 2])
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
                self.drop()
            until = time.monotonic() + seconds
            for index in range(len(data) - 1):
                self.wfile.write(data[index : index + 1])
                self.wfile.flush()
                if (left := until - time.monotonic()) <= 0:
                    self.wfile.write(data[index + 1 :])
                    break
                time.sleep(min(0.05, left))
            else:
                time.sleep(max(0.0, until - time.monotonic()))
                self.wfile.write(data[-1:])
            self.wfile.flush()
        raise Dropped

    def reset(self) -> None:
        """The connection breaks as a network breaks it: with a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.drop()

    def drop(self) -> None:
        """Close without an answer."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.close()
        raise Dropped

    def handle(self) -> None:
        """A client that goes away is nothing to report."""
        with contextlib.suppress(ConnectionError, ValueError, OSError):
            super().handle()

    def finish(self) -> None:
        """Close what may be closed already."""
        with contextlib.suppress(OSError, ValueError):
            super().finish()


class Server(ThreadingHTTPServer):
    """A thread for each connection. With `tls` set it speaks HTTPS."""

    daemon_threads = True
    request_queue_size = 256
    tls: ssl.SSLContext | None = None

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands in the connection's own thread, so that a silent client holds nobody up."""
        if self.tls is None:
            return super().finish_request(request, client_address)
        request.settimeout(30)
        with self.tls.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A broken connection is an everyday thing here; anything else is shown."""
        if not isinstance(sys.exc_info()[1], ConnectionError | OSError | ValueError):
            super().handle_error(request, client_address)


def serve_until_told(server: Server, address: str, *, with_parent: bool) -> None:
    """Print the address, then serve until SIGTERM or SIGINT; `with_parent`: also until standard input ends."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if with_parent:
        threading.Thread(target=_watch, args=(stop,), daemon=True).start()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True).start()
    print(address, flush=True)
    stop.wait()
    server.shutdown()


def _watch(stop: threading.Event) -> None:
    """Whoever started us has gone when standard input ends."""
    sys.stdin.read()
    stop.set()
