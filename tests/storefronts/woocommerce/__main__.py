"""`python -m tests.storefronts.woocommerce --port 0 [--tls]`: prints its address on the first line when it is ready."""

from __future__ import annotations

import argparse

from tests.storefronts.serving import serve_until_told

from . import authority
from .server import make_server


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="tests.storefronts.woocommerce", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--tls", action="store_true", help="HTTPS, with a certificate of an authority of its own")
    parser.add_argument("--latency-ms", type=float, default=0, help="what every answer takes, if a shop says nothing")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input closes")
    options = parser.parse_args()
    server, address = make_server(options.port, options.latency_ms, tls=options.tls)
    serve_until_told(server, address, with_parent=options.with_parent)
    authority.forget(int(server.server_address[1]))


if __name__ == "__main__":
    main()
