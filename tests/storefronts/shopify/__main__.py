"""`python -m tests.storefronts.shopify --port 0`: prints its address on the first line when it is ready."""

from __future__ import annotations

import argparse
import os

from tests.storefronts.serving import serve_until_told

from .record import Recorder
from .server import make_server


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="tests.storefronts.shopify", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--record", metavar="FILE", default=os.environ.get("TRACKSYNC_RECORD_REQUESTS"))
    parser.add_argument("--latency-ms", type=float, default=0, help="what every answer takes, if a shop says nothing")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input closes")
    options = parser.parse_args()
    server = make_server(options.port, Recorder(options.record) if options.record else None, options.latency_ms)
    serve_until_told(server, f"http://127.0.0.1:{server.server_address[1]}", with_parent=options.with_parent)


if __name__ == "__main__":
    main()
