#!/usr/bin/env python
"""Django's command line for TrackSync."""

import os
import sys


def main() -> None:
    """Run a management command with the project's settings. A setting that cannot be is one sentence, exit status 1."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracksync.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
