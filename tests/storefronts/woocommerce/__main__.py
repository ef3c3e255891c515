"""`python -m tests.storefronts.woocommerce --port 0 [--tls]`: prints its address on the first line when it is ready."""

from __future__ import annotations

import argparse
import signal
import sys
import threading

from . import authority
from .server import make_server


def _watch(stop: threading.Event) -> None:
    """Whoever started us has gone when standard input ends."""
    sys.stdin.read()
    stop.set()


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="tests.storefronts.woocommerce", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--tls", action="store_true", help="HTTPS, with a certificate of an authority of its own")
    parser.add_argument("--latency-ms", type=float, default=0, help="what every answer takes, if a shop says nothing")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input closes")
    options = parser.parse_args()
    server, address = make_server(options.port, options.latency_ms, tls=options.tls)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if options.with_parent:
        threading.Thread(target=_watch, args=(stop,), daemon=True).start()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True).start()
    print(address, flush=True)
    stop.wait()
    server.shutdown()
    authority.forget(int(server.server_address[1]))


if __name__ == "__main__":
    main()
