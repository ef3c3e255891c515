"""`python -m tests.storefronts.shopify --port 0`: prints its address on the first line when it is ready."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading

from .record import Recorder
from .server import make_server


def _watch(stop: threading.Event) -> None:
    """Whoever started us has gone when standard input ends."""
    sys.stdin.read()
    stop.set()


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="tests.storefronts.shopify", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--record", metavar="FILE", default=os.environ.get("TRACKSYNC_RECORD_REQUESTS"))
    parser.add_argument("--latency-ms", type=float, default=0, help="what every answer takes, if a shop says nothing")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input closes")
    options = parser.parse_args()
    server = make_server(options.port, Recorder(options.record) if options.record else None, options.latency_ms)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if options.with_parent:
        threading.Thread(target=_watch, args=(stop,), daemon=True).start()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    stop.wait()
    server.shutdown()


if __name__ == "__main__":
    main()
