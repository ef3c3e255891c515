"""`make bench`: the figures of speed, each with its aim or its floor from the same run.

    python -m tests.bench [latency] [cost] [throughput] [idle] [--quick]

Without names all of them: about ten minutes, most of it waiting on purpose.
"""

from __future__ import annotations

import argparse
import sys

from . import cost, idle, latency, throughput
from .world import world

NAMES = ("latency", "cost", "throughput", "idle")


def main() -> int:
    """Measure and print. Exit status 0: figures are told, not judged."""
    parser = argparse.ArgumentParser(prog="make bench", description="The figures of speed of this machine.")
    parser.add_argument("figures", nargs="*", metavar="figure", help=", ".join(NAMES), default=[])
    parser.add_argument("--quick", action="store_true", help="a tenth of everything: to see that it runs")
    options = parser.parse_args()
    if unknown := set(options.figures) - set(NAMES):
        parser.error(f"no figure of this name: {', '.join(sorted(unknown))}")
    share = 10 if options.quick else 1
    with world() as here:
        for name in options.figures or NAMES:
            print(f"{name}:", flush=True)
            if name == "latency":
                print("  " + latency.report(latency.measure(here, dispatches=200 // share, seconds=100 / share)))
            elif name == "cost":
                for figure in cost.measure(here, numbers=1500 // share, replaced=150 // share):
                    print(f"  {figure}")
            elif name == "throughput":
                print(f"  {throughput.measure(here, each=50 if share == 1 else 10)}")
            else:
                print("  " + idle.report(idle.measure(here, tries=5 if share == 1 else 1)))
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
