"""`python -m tests.demo`: see the package's docstring.

Exit status 0 after Ctrl-C, a good end, or when nobody reads along any more; else 1.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from . import mails, surroundings
from .mail_page import serving
from .parts import CommandFailed, PartEnded, Parts, Stopped
from .play import Play
from .screen import Screen
from .storefronts import PLATFORMS


def main(arguments: list[str]) -> int:
    """Play the demo."""
    parser = argparse.ArgumentParser(prog="python -m tests.demo", description="See numbers arrive in pretend stores.")
    parser.add_argument("--once", action="store_true", help="end after the story; 0 only if every number is in place")
    parser.add_argument("--pause", type=float, default=6.0, metavar="S", help="seconds between two parts of the story")
    parser.add_argument("--folder", type=Path, default=surroundings.FOLDER, help="where it lives (var/demo)")
    parser.add_argument("--port", type=int, default=8000, help="of the web server, if it is free (8000); 0: any")
    options = parser.parse_args(arguments)

    screen = Screen()
    try:
        with surroundings.folder(options.folder.resolve()) as folder:
            ports = surroundings.free_ports(options.port, tuple(PLATFORMS))
            variables = surroundings.environment(folder, web_port=ports.web)
            surroundings.write(folder, variables)
            try:
                with serving(folder / mails.FOLDER, ports.mails) as mail_page, Parts(folder, variables) as parts:
                    play = Play(parts, screen, folder, pause=options.pause, ports=ports, mail_page=mail_page)
                    try:
                        is_good = play.run()
                        if options.once:
                            return 0 if is_good else 1
                        play.go_on()
                    except Stopped:
                        screen.line("\nStopping …")
                        raise
            finally:
                screen.line()
                screen.line("Everything has been stopped.")
    except Stopped:
        return 0
    except BrokenPipeError:
        # `make demo | head`. What Python still has for the closed pipe goes where it complains no more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (PartEnded, CommandFailed, surroundings.NoRoom) as error:
        print(f"\n{error}", file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
