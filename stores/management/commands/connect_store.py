"""Connects a merchant's store from the command line (stores/connect.py); its id alone goes to stdout."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.utils import timezone

from stores.accounts.address import verified
from stores.choices import NumberSource, Timing
from stores.connect import connect
from stores.connectors import registry
from stores.connectors.codes import Code
from stores.connectors.errors import ConnectorError, StoreBusy

USAGE = 2  # exit code for what was asked in a wrong way; 1 is for what could not be done

# What the operator does about each code. {values} are those of the error.
ADVICE = {
    Code.TOKEN_REFUSED: "The store refused the token or the client id and secret. Copy them again from the store.",
    Code.SCOPE_MISSING: "The app lacks permissions in the store: {scopes}. Grant them there, then connect again.",
    Code.SHOP_FROZEN: "The shop is frozen or locked. Its owner has to talk to the platform.",
    Code.SHOP_NOT_FOUND: "There is no shop at this address. Check its name.",
    Code.WRONG_SHOP: "Another shop answered: {shop}. Use the address under which the platform knows this one.",
    Code.CREDENTIALS_INCOMPLETE: "The credentials lack {missing}.",
}
ADDRESS_ADVICE = {
    "empty": "The address is empty.",
    "unreadable": "{address} cannot be read as an address.",
    "scheme": "{address} is neither https:// nor http://.",
    "plain_http": "{address} is plain http:, where anybody on the way reads the credentials. Use https://.",
    "userinfo": "An address with a user name or password in it is not taken. Give the credentials in --credentials.",
    "private": "{address} lies in a private network. Only TRACKSYNC_ALLOW_HOSTS can open one.",
    "port": "{address}: https is spoken to on port 443 only.",
    "custom_domain": "{address} is the shop's own domain. Use the platform's name for it (name.myshopify.com).",
    "shop_name": "{address} is no name that a shop can have (name.myshopify.com).",
}


class Command(BaseCommand):
    help = "Connect and check a store. Prints its id. Exit 1: it could not be connected; 2: asked in a wrong way."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--owner", required=True, metavar="EMAIL", help="created, without password, when unknown")
        parser.add_argument("--platform", required=True, choices=sorted(registry.CONNECTORS), metavar="P")
        parser.add_argument("--name", required=True, metavar="N", help="what the merchant calls the store")
        parser.add_argument("--url", required=True, metavar="URL", help="the store's address")
        parser.add_argument(
            "--credentials",
            required=True,
            metavar="C",
            help='a JSON object, @FILE, or - for stdin. shopify: {"access_token"} or {"client_id", "client_secret"}',
        )
        parser.add_argument("--timing", choices=Timing.values, metavar="T", help=" | ".join(Timing.values))
        parser.add_argument(
            "--number-source", choices=NumberSource.values, metavar="S", help=" | ".join(NumberSource.values)
        )
        parser.add_argument(
            "--sync-from", metavar="DATE", help="leave orders placed before this alone (ISO 8601); default: now"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        email = _email(options["owner"])
        name = options["name"].strip()
        if not name:
            raise CommandError("--name is empty.", returncode=USAGE)
        sync_from = _moment(options["sync_from"])
        credentials = _credentials(options["credentials"])
        try:
            store = connect(
                owner=_owner(email),
                platform=options["platform"],
                name=name,
                base_url=options["url"],
                credentials=credentials,
                timing=options["timing"],
                number_source=options["number_source"],
                sync_from=sync_from,
                now=now,
            )
        except ConnectorError as error:
            raise CommandError(_advice(error)) from None
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        self.stdout.write(str(store.pk))


def _owner(email: str) -> User:
    """The merchant with this address, or a new one that is not saved yet and cannot log in with a password.

    Whoever signed up with an address and never proved that it is theirs does not get a store by it.
    """
    users = list(get_user_model().objects.filter(email__iexact=email).order_by("pk"))
    proven = next((user for user in users if verified(user)), None)
    ours = next((user for user in users if not user.has_usable_password()), None)
    if known := proven or ours:
        return known
    if users:
        raise CommandError(
            f"--owner: somebody signed up with {email} and has not verified that address, so it may be a stranger. "
            "Ask the merchant to open the link in the mail that TrackSync sent, then run this again."
        )
    owner = User(username=email[:150], email=email)
    owner.set_unusable_password()
    return owner


def _email(text: str) -> str:
    try:
        validate_email(text.strip())
    except ValidationError:
        raise CommandError(f"--owner: {text} is not an e-mail address.", returncode=USAGE) from None
    return text.strip()


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        return timezone.make_aware(moment, timezone.get_default_timezone()) if moment.tzinfo is None else moment
    except (ValueError, OverflowError):
        raise CommandError(
            f"--sync-from: {text} is not a date. Write it as 2026-03-31 or 2026-03-31T14:30+08:00.", returncode=USAGE
        ) from None


def _credentials(given: str) -> dict[str, str]:
    """The credentials; what was given is never repeated in a message, however wrong it is."""
    if given == "-":
        text = sys.stdin.read()
    elif given.startswith("@"):
        try:
            text = Path(given[1:]).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "not UTF-8"
            raise CommandError(f"--credentials: the file cannot be read: {why}.", returncode=USAGE) from None
    else:
        text = given
    try:
        credentials = json.loads(text)
    except ValueError:
        credentials = None
    if not isinstance(credentials, dict) or not all(isinstance(value, str) for value in credentials.values()):
        raise CommandError(
            '--credentials: not a JSON object of texts. Write it as {"access_token": "..."} or '
            '{"client_id": "...", "client_secret": "..."}, or name a file that holds it with @FILE.',
            returncode=USAGE,
        )
    return credentials


def _advice(error: ConnectorError) -> str:
    values = {key: ", ".join(value) if isinstance(value, list) else value for key, value in error.reason.values.items()}
    if error.reason.code == Code.ADDRESS_REFUSED:
        advice = ADDRESS_ADVICE.get(str(values.get("why")), "{address} cannot be used as a store's address.")
        return advice.format(**{"address": "The address"} | values)
    if isinstance(error, StoreBusy):
        return f"The store gave no usable answer ({error.reason.code}). Check the address and try again."
    return ADVICE.get(Code(error.reason.code), "The store refused the connection: {code}.").format(
        **{"scopes": "", "shop": "", "missing": "", "code": error.reason.code} | values
    )
