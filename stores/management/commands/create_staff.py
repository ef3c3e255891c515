"""Makes a member of the staff who can log in to the admin; the password comes from stdin or is asked for."""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.urls import reverse

from stores.accounts.team import GROUP, make_staff

USAGE = 2  # exit code for what was asked in a wrong way; 1 is for what could not be done


class Command(BaseCommand):
    help = "Make a verified member of the staff. Exit 1: it could not be done; 2: asked in a wrong way."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", required=True, metavar="E", help="the address to log in with")
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the password from stdin instead of asking for it"
        )
        parser.add_argument("--superuser", action="store_true", help="may do everything, other staff included")

    def handle(self, *args: Any, **options: Any) -> None:
        email = options["email"].strip().lower()
        try:
            validate_email(email)
        except ValidationError:
            raise CommandError(f"--email: {email} is not an e-mail address.", returncode=USAGE) from None
        password = _password(User(username=email, email=email), from_stdin=options["password_stdin"])
        try:
            user = make_staff(email, password, is_superuser=options["superuser"])
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        may = "may do everything" if user.is_superuser else f"is in the group {GROUP}"
        self.stdout.write(f"{user.email} {may}, and the address counts as verified.")
        self.stdout.write(f"Next: log in at {settings.TRACKSYNC_URL}{reverse('admin:index')}")
        if settings.TRACKSYNC_STAFF_MFA:
            self.stdout.write("The first login asks for an authenticator app: have a phone at hand.")


def _password(user: User, *, from_stdin: bool) -> str:
    """The password, good enough for this house. Its text is never repeated."""
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Once more: ") != password:
            raise CommandError("The two passwords differ.", returncode=USAGE)
    else:
        raise CommandError("There is no terminal to ask on: give --password-stdin.", returncode=USAGE)
    if not password:
        raise CommandError("The password is empty.", returncode=USAGE)
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages), returncode=USAGE) from None
    return password
