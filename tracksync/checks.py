"""System checks: settings that can be read but make no sense, each with an id and what to do about it.

What cannot be read at all is refused by environment.py. Everything here runs at the start of every
command; what matters in production only, with `check --deploy`; what the database has to be asked,
with `check --database default` and before every migration. No message repeats a secret.
"""

from __future__ import annotations

import ipaddress
import math
import ssl
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004  (Django's own names)
from django.db import connections
from django.http.request import validate_host

from stores.connectors import registry
from stores.connectors.base import Capabilities

# django-q2 waits 3 s after a task's time-out before it kills the process.
KILL_GRACE_SECONDS = 3
# The lock of a task and its start are told by two clocks, and a busy machine starts late.
RETRY_MARGIN_SECONDS = 30
# What writing down the last outcomes may take after the last call.
WRAP_UP_SECONDS = 5
# A background process group holds these beside its threads: its main thread's are counted per process.
GROUP_CONNECTIONS = 3
# Room for web processes, a person's psql and a migration.
OTHER_CONNECTIONS = 10

MAKE_FERNET_KEY = "python3 -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'"
MAKE_SECRET_KEY = "python3 -c 'import secrets; print(secrets.token_urlsafe(50))'"  # noqa: S105  (a command)

Check = Callable[[], Iterator[CheckMessage]]


def _registered(*tags: str, deploy: bool = False) -> Callable[[Check], Check]:
    """Register a generator of messages as one of Django's checks."""

    def wrap(check: Check) -> Check:
        def run(app_configs: Any, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
            # Django's own rule: nobody asks a database unless it was named.
            return [] if Tags.database in tags and not databases else list(check())

        run.__name__ = check.__name__
        register(run, *tags, deploy=deploy)
        return check

    return wrap


@_registered(Tags.security)
def keys() -> Iterator[CheckMessage]:
    """E001-E003: keys of this deployment's own, that can be used."""
    if not settings.DEBUG and settings.SECRET_KEY == settings.INSECURE_KEY:
        yield Error(
            "SECRET_KEY is not set: anybody who knows TrackSync could forge a session.",
            hint=f"Set SECRET_KEY to the output of {MAKE_SECRET_KEY} (or DEBUG=true to try things out on one machine).",
            id="tracksync.E001",
        )
    own_keys = [key for key in settings.TRACKSYNC_CREDENTIAL_KEYS if key != settings.INSECURE_CREDENTIAL_KEY]
    if not settings.DEBUG and not own_keys:
        yield Error(
            "TRACKSYNC_CREDENTIAL_KEYS is not set: the stores' credentials could not be kept.",
            hint=f"Set it to the output of {MAKE_FERNET_KEY} and keep a copy in a safe place.",
            id="tracksync.E002",
        )
    for position, key in enumerate(settings.TRACKSYNC_CREDENTIAL_KEYS, 1):
        if not _is_fernet_key(key):
            yield Error(
                f"Key number {position} in TRACKSYNC_CREDENTIAL_KEYS is not a Fernet key.",
                hint=f"A key is 32 bytes in URL-safe base64, 44 characters: {MAKE_FERNET_KEY}. Commas separate keys.",
                id="tracksync.E003",
            )


@_registered()
def background() -> Iterator[CheckMessage]:
    """E004-E005: no task runs twice at a time, and none is cut off in the middle of a call."""
    cluster = settings.Q_CLUSTER
    rounds = 1 + math.ceil((cluster["queue_limit"] + cluster["bulk"]) / max(1, cluster["workers"]))
    longest = (cluster["timeout"] + KILL_GRACE_SECONDS) * rounds + RETRY_MARGIN_SECONDS
    if cluster["retry"] <= longest:
        yield Error(
            f"Q_CLUSTER: a task is locked for {cluster['retry']} s from the moment it is fetched, but may run "
            f"until {longest} s after it: it would be run twice at a time.",
            hint=f"Set retry above {longest}, or lower timeout, queue_limit or bulk.",
            id="tracksync.E004",
        )
    call = _call_limit()
    task = settings.SYNC_BUDGET_SECONDS + call + WRAP_UP_SECONDS
    if task >= cluster["timeout"]:
        yield Error(
            f"A sync task may take {task:g} s (budget {settings.SYNC_BUDGET_SECONDS:g} s, one call {call:g} s, "
            f"{WRAP_UP_SECONDS} s to write it down), but is killed after {cluster['timeout']} s.",
            hint="Lower SYNC_BUDGET_SECONDS or TRACKSYNC_CALL_LIMIT_SECONDS, or raise Q_CLUSTER's timeout.",
            id="tracksync.E005",
        )


@_registered()
def figures() -> Iterator[CheckMessage]:
    """E006: figures that nothing could run with."""
    for name, least in (
        ("TRACKSYNC_THREADS", 1),
        ("TRACKSYNC_WORKERS", 1),
        ("TRACKSYNC_PULL_SECONDS", 1),
        ("TRACKSYNC_SETTLE_SECONDS", 0),
        ("TRACKSYNC_CALL_LIMIT_SECONDS", 0),
    ):
        value = getattr(settings, name)
        # Written this way round so that "not a number" fails as well.
        if not least <= value < math.inf:
            yield Error(
                f"{name} is {value}, but has to be at least {least}.",
                hint=f"Leave {name} empty for the usual value.",
                id="tracksync.E006",
            )


@_registered()
def addresses() -> Iterator[CheckMessage]:
    """E007-E010: networks, certificates, the public address, the listed app."""
    for network in settings.TRACKSYNC_ALLOW_HOSTS:
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            yield Error(
                f"TRACKSYNC_ALLOW_HOSTS: {error}.",
                hint="Write networks separated by commas, for example 127.0.0.0/8,10.1.0.0/16. Empty in production.",
                id="tracksync.E007",
            )
    if settings.TRACKSYNC_CA_BUNDLE and (why := _unusable_bundle(settings.TRACKSYNC_CA_BUNDLE)):
        yield Error(
            f"TRACKSYNC_CA_BUNDLE: {settings.TRACKSYNC_CA_BUNDLE} {why}.",
            hint="Give the path of a PEM file with the certificate authority, or leave it empty.",
            id="tracksync.E008",
        )
    address = urlsplit(settings.TRACKSYNC_URL)
    if address.scheme not in ("http", "https") or not address.hostname:
        yield Error(
            f"TRACKSYNC_URL is {settings.TRACKSYNC_URL!r}: links in mails would lead nowhere.",
            hint="Write the whole public address, for example https://tracking.example.com.",
            id="tracksync.E009",
        )
    if bool(settings.TRACKSYNC_SHOPIFY_CLIENT_ID) != bool(settings.TRACKSYNC_SHOPIFY_CLIENT_SECRET):
        yield Error(
            "TRACKSYNC_SHOPIFY_CLIENT_ID and TRACKSYNC_SHOPIFY_CLIENT_SECRET belong together, and one is missing.",
            hint="Set both from the app's page in Shopify's Dev Dashboard, or leave both empty.",
            id="tracksync.E010",
        )


@_registered()
def own_numbers() -> Iterator[CheckMessage]:
    """E011: a prefix that tells our own numbers from a carrier's."""
    prefix = settings.TRACKSYNC_OWN_NUMBER_PREFIX
    if not prefix or prefix != prefix.upper() or any(letter.isspace() for letter in prefix):
        yield Error(
            f"TRACKSYNC_OWN_NUMBER_PREFIX is {prefix!r}: numbers are kept in capitals without spaces, "
            "so it would tell none of yours.",
            hint="Write what your own numbers start with, in capitals and without spaces: CJP.",
            id="tracksync.E011",
        )


@_registered(Tags.database)
def room_at_the_database() -> Iterator[CheckMessage]:
    """E012: PostgreSQL has a connection for every thread; it is asked. One machine is counted."""
    connection = connections["default"]
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(setting::int) FILTER (WHERE name = 'max_connections')"
            " - sum(setting::int) FILTER (WHERE name <> 'max_connections') FROM pg_settings"
            " WHERE name IN ('max_connections', 'superuser_reserved_connections', 'reserved_connections')"
        )
        allowed = cursor.fetchone()[0]
    background_needs = settings.TRACKSYNC_WORKERS * (settings.TRACKSYNC_THREADS + 1) + GROUP_CONNECTIONS
    if background_needs + OTHER_CONNECTIONS > allowed:
        yield Error(
            f"PostgreSQL allows {allowed} connections, but the background of one machine may need {background_needs} "
            f"({settings.TRACKSYNC_WORKERS} workers x ({settings.TRACKSYNC_THREADS} threads + 1) + "
            f"{GROUP_CONNECTIONS}) and the web about {OTHER_CONNECTIONS}.",
            hint="Lower TRACKSYNC_THREADS or TRACKSYNC_WORKERS, or raise max_connections; "
            "every further machine needs as many again.",
            id="tracksync.E012",
        )


@_registered()
def persistent_connections() -> Iterator[CheckMessage]:
    """W003: on PostgreSQL a connection outlives a query."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("postgresql") and database.get("CONN_MAX_AGE") == 0:
        yield Warning(
            "CONN_MAX_AGE is 0: the background opens a new connection to PostgreSQL for every look at its queue.",
            hint="Take ?conn_max_age=0 out of DATABASE_URL; the usual value is 60 seconds.",
            id="tracksync.W003",
        )


@_registered(Tags.security, deploy=True)
def production() -> Iterator[CheckMessage]:
    """W001, W002, W004-W006: fine for the demo and tests, not where real stores are."""
    settle = max((each.settle for each in _capabilities()), default=0.0)
    if 0 < settings.TRACKSYNC_SETTLE_SECONDS < settle:
        yield Warning(
            f"TRACKSYNC_SETTLE_SECONDS is {settings.TRACKSYNC_SETTLE_SECONDS:g}, but a store may be executing a "
            f"request for {settle:g} s after its answer was lost: a parcel could be fulfilled twice.",
            hint="Leave it empty: the platforms' own figures are the safe ones.",
            id="tracksync.W001",
        )
    longest = max((each.call_limit for each in _capabilities()), default=0.0)
    if 0 < settings.TRACKSYNC_CALL_LIMIT_SECONDS < longest:
        yield Warning(
            f"TRACKSYNC_CALL_LIMIT_SECONDS is {settings.TRACKSYNC_CALL_LIMIT_SECONDS:g}, but a slow store may need "
            f"{longest:g} s: its answers would be lost and looked up again.",
            hint="Leave it empty: the platforms' own figures are the usual ones.",
            id="tracksync.W002",
        )
    if settings.TRACKSYNC_ALLOW_HOSTS:
        yield Warning(
            "TRACKSYNC_ALLOW_HOSTS opens networks of yours to the addresses that merchants type.",
            hint="Leave it empty, unless a store of your own lies in one of these networks.",
            id="tracksync.W004",
        )
    if settings.EMAIL_BACKEND.rpartition(".")[0].endswith(("console", "locmem", "dummy", "filebased")):
        yield Warning(
            "EMAIL_URL names no mail server: no mail leaves this machine.",
            hint="Set EMAIL_URL, for example smtp+tls://user:password@host:587.",
            id="tracksync.W005",
        )
    host = urlsplit(settings.TRACKSYNC_URL).hostname
    if host and not validate_host(host, settings.ALLOWED_HOSTS):
        yield Warning(
            f"ALLOWED_HOSTS lacks {host}, the host of TRACKSYNC_URL: every link in a mail would be refused.",
            hint=f"Set ALLOWED_HOSTS={host} (and what else this server is called, separated by commas).",
            id="tracksync.W006",
        )


def _capabilities() -> list[Capabilities]:
    return [connector.capabilities for connector in registry.CONNECTORS.values()]


def _call_limit() -> float:
    """Seconds that one request may take at the most."""
    own = max((each.call_limit for each in _capabilities()), default=0.0)
    return float(settings.TRACKSYNC_CALL_LIMIT_SECONDS or own)


def _is_fernet_key(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True


def _unusable_bundle(path: str) -> str:
    """Why this file holds no certificate authority; "" when it does."""
    try:
        ssl.create_default_context(cafile=path)
    except FileNotFoundError:
        return "does not exist"
    except OSError:  # ssl.SSLError is one
        return "holds no readable certificate"
    return ""
