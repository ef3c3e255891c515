"""What the system checks say: one line per setting that makes no sense, and what has to be done about it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from tests.conftest import ROOT
from tests.environment import ENVIRONMENT
from tracksync import environment

KEY = ENVIRONMENT["TRACKSYNC_CREDENTIAL_KEYS"]
INSECURE_KEY = "insecure-key-for-trying-things-out-on-one-machine"

# What a careful operator has: no check has anything to say.
PRODUCTION: dict[str, Any] = {
    "DEBUG": False,
    "TRACKSYNC_URL": "https://tracking.example.com",
    "ALLOWED_HOSTS": ["tracking.example.com"],
    "TRACKSYNC_ALLOW_HOSTS": [],
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
}


def found(settings: Any, *, deploy: bool, **changed: Any) -> list[checks.CheckMessage]:
    """Our own messages under production settings with some of them changed."""
    for name, value in (PRODUCTION | changed).items():
        if name == "Q_CLUSTER":
            value = settings.Q_CLUSTER | value
        setattr(settings, name, value)
    return ours(checks.run_checks(include_deployment_checks=deploy))


def ours(messages: list[checks.CheckMessage]) -> list[checks.CheckMessage]:
    """Those of TrackSync in the order of their ids: Django runs checks in no order."""
    return sorted((each for each in messages if str(each.id).startswith("tracksync.")), key=lambda each: str(each.id))


@pytest.mark.parametrize(
    "changed, expected",
    [
        ({}, []),
        ({"SECRET_KEY": INSECURE_KEY}, ["tracksync.E001"]),
        ({"SECRET_KEY": INSECURE_KEY, "DEBUG": True}, []),
        ({"TRACKSYNC_CREDENTIAL_KEYS": []}, ["tracksync.E002"]),
        ({"TRACKSYNC_CREDENTIAL_KEYS": [], "DEBUG": True}, []),
        ({"TRACKSYNC_CREDENTIAL_KEYS": [KEY, "too-short"]}, ["tracksync.E003"]),
        ({"TRACKSYNC_CREDENTIAL_KEYS": ["no", "nor this"], "DEBUG": True}, ["tracksync.E003", "tracksync.E003"]),
        # (120 + 3) * (1 + ceil((2 + 1) / 2)) + 30 = 399: below it a task is fetched a second time while it runs
        ({"Q_CLUSTER": {"retry": 399}}, ["tracksync.E004"]),
        ({"Q_CLUSTER": {"retry": 400}}, []),
        ({"Q_CLUSTER": {"queue_limit": 8}}, ["tracksync.E004"]),
        ({"Q_CLUSTER": {"bulk": 10}}, ["tracksync.E004"]),
        ({"Q_CLUSTER": {"queue_limit": 8, "workers": 4}}, []),
        ({"Q_CLUSTER": {"timeout": 60}}, ["tracksync.E005"]),
        ({"SYNC_BUDGET_SECONDS": 100.0}, ["tracksync.E005"]),
        ({"TRACKSYNC_CALL_LIMIT_SECONDS": 65.0}, ["tracksync.E005"]),
        ({"TRACKSYNC_CALL_LIMIT_SECONDS": 64.0}, []),
        ({"TRACKSYNC_THREADS": 0}, ["tracksync.E006"]),
        ({"TRACKSYNC_WORKERS": -1}, ["tracksync.E006"]),
        ({"TRACKSYNC_PULL_SECONDS": 0}, ["tracksync.E006"]),
        ({"TRACKSYNC_SETTLE_SECONDS": -1.0}, ["tracksync.E006"]),
        ({"TRACKSYNC_CALL_LIMIT_SECONDS": float("nan")}, ["tracksync.E006"]),
        ({"TRACKSYNC_ALLOW_HOSTS": ["127.0.0.0/8", "10.0.0.0/99"]}, ["tracksync.E007"]),
        ({"TRACKSYNC_ALLOW_HOSTS": ["localhost", "10.0.0.1/8"]}, ["tracksync.E007", "tracksync.E007"]),
        ({"TRACKSYNC_CA_BUNDLE": "/no/such/file.pem"}, ["tracksync.E008"]),
        ({"TRACKSYNC_CA_BUNDLE": __file__}, ["tracksync.E008"]),
        ({"TRACKSYNC_URL": "tracking.example.com"}, ["tracksync.E009"]),
        ({"TRACKSYNC_URL": "ftp://tracking.example.com"}, ["tracksync.E009"]),
        ({"TRACKSYNC_URL": "https://"}, ["tracksync.E009"]),
        ({"TRACKSYNC_SHOPIFY_CLIENT_ID": "abc"}, ["tracksync.E010"]),
        ({"TRACKSYNC_SHOPIFY_CLIENT_SECRET": "abc"}, ["tracksync.E010"]),
        ({"TRACKSYNC_SHOPIFY_CLIENT_ID": "abc", "TRACKSYNC_SHOPIFY_CLIENT_SECRET": "def"}, []),
        ({"TRACKSYNC_OWN_NUMBER_PREFIX": ""}, ["tracksync.E011"]),
        ({"TRACKSYNC_OWN_NUMBER_PREFIX": "CJ P"}, ["tracksync.E011"]),
        ({"TRACKSYNC_OWN_NUMBER_PREFIX": "cjp"}, ["tracksync.E011"]),
    ],
)
def test_at_every_start(settings: Any, changed: dict[str, Any], expected: list[str]) -> None:
    assert [message.id for message in found(settings, deploy=False, **changed)] == expected


@pytest.mark.parametrize(
    "changed, expected",
    [
        ({}, []),
        ({"TRACKSYNC_SETTLE_SECONDS": 2.0}, ["tracksync.W001"]),
        ({"TRACKSYNC_CALL_LIMIT_SECONDS": 2.0}, ["tracksync.W002"]),
        ({"TRACKSYNC_ALLOW_HOSTS": ["127.0.0.0/8"]}, ["tracksync.W004"]),
        ({"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}, ["tracksync.W005"]),
        ({"ALLOWED_HOSTS": ["localhost"]}, ["tracksync.W006"]),
        ({"ALLOWED_HOSTS": [".example.com"]}, []),
    ],
)
def test_before_production(settings: Any, changed: dict[str, Any], expected: list[str]) -> None:
    assert [message.id for message in found(settings, deploy=True, **changed)] == expected
    assert found(settings, deploy=False, **changed) == []


def test_every_message_says_what_to_do_and_none_shows_a_secret(settings: Any) -> None:
    secret = "s3cret-in-a-wrong-place"

    messages = found(
        settings,
        deploy=True,
        TRACKSYNC_CREDENTIAL_KEYS=[secret],
        TRACKSYNC_SHOPIFY_CLIENT_SECRET=secret,
        TRACKSYNC_URL="",
        TRACKSYNC_THREADS=0,
    )

    assert [message.id for message in messages] == [
        "tracksync.E003",
        "tracksync.E006",
        "tracksync.E009",
        "tracksync.E010",
    ]
    assert all(message.hint for message in messages)
    assert secret not in "".join(map(str, messages))


@pytest.mark.postgres
@pytest.mark.django_db
@pytest.mark.parametrize(
    "threads, expected",
    [
        (16, []),
        # The servers of the tests allow 200 connections and keep 3 for superusers: 2 x (91 + 1) + 3 + 10 = 197
        (91, []),
        (92, ["tracksync.E012"]),
    ],
)
def test_postgresql_is_asked_for_a_connection_per_thread(settings: Any, threads: int, expected: list[str]) -> None:
    settings.TRACKSYNC_THREADS = threads

    messages = checks.run_checks(tags=[checks.Tags.database], databases=["default"])

    assert [message.id for message in messages] == expected


@pytest.mark.postgres
@pytest.mark.parametrize("seconds, expected", [(60, []), (0, ["tracksync.W003"]), (None, [])])
def test_on_postgresql_connections_are_kept(
    settings: Any, monkeypatch: pytest.MonkeyPatch, seconds: int | None, expected: list[str]
) -> None:
    assert settings.DATABASES["default"]["CONN_MAX_AGE"] == 60

    monkeypatch.setitem(settings.DATABASES["default"], "CONN_MAX_AGE", seconds)

    assert [message.id for message in found(settings, deploy=False)] == expected


@pytest.mark.parametrize(
    "read, value, expected",
    [
        (lambda: environment.flag("X", default=False), "TRUE", True),
        (lambda: environment.flag("X", default=False), "1", True),
        (lambda: environment.flag("X", default=True), "off", False),
        (lambda: environment.flag("X", default=True), "", True),
        (lambda: environment.flag("X", default=False), "ture", "X has to be true or false, not 'ture'"),
        (lambda: environment.whole("X", 16), "", 16),
        (lambda: environment.whole("X", 16), " 32 ", 32),
        (lambda: environment.whole("X", 16), "a few", "X has to be a whole number, not 'a few'"),
        (lambda: environment.seconds("X", 0), "2.5", 2.5),
        (lambda: environment.seconds("X", 0), "2,5", "X has to be a number of seconds, not '2,5'"),
        (lambda: environment.words("X", ["a"]), "", ["a"]),
        (lambda: environment.words("X"), " a, b ,,", ["a", "b"]),
        (lambda: environment.text("X", "a"), "  ", "a"),
        (lambda: environment.choice("X", ["INFO", "ERROR"], "INFO"), "error", "ERROR"),
        (lambda: environment.choice("X", ["INFO"], "INFO"), "loud", "X has to be one of INFO, not 'LOUD'"),
        (lambda: environment.time_zone("X", "UTC"), "Asia/Shanghai", "Asia/Shanghai"),
        (lambda: environment.time_zone("X", "UTC"), "Peking", "X has to be a time zone, not 'Peking'"),
        (lambda: environment.database("X"), "", None),
        (lambda: environment.database("X"), "db.sqlite3", "X has to be the address of a PostgreSQL or SQLite database"),
        (lambda: environment.database("X"), "mysql://u:pw@h/d", "X has to be the address of a PostgreSQL or SQLite"),
        (lambda: environment.database("X"), "postgres://u:pw@h:x/d", "X has to be the address of a database"),
        (lambda: environment.database("X")["NAME"], "sqlite:////srv/a%20folder/db", "/srv/a folder/db"),
        (lambda: environment.database("X")["PASSWORD"], "postgres://u:pw@h:1/d", "pw"),
        (lambda: environment.mail("X", "consolemail://")["EMAIL_BACKEND"].split(".")[-2], "", "console"),
        (lambda: environment.mail("X", "")["EMAIL_USE_TLS"], "smtp+tls://u:pw@h:587", True),
        (lambda: environment.mail("X", "")["EMAIL_FILE_PATH"], "filemail:///srv/a%20folder", "/srv/a folder"),
        (lambda: environment.mail("X", "")["EMAIL_FILE_PATH"], "filemail:////srv/mails", "/srv/mails"),
        (lambda: environment.mail("X", ""), "mail.example.com", "X has to be the address of a mail server"),
    ],
)
def test_the_environment_is_read_or_refused_by_name(monkeypatch: Any, read: Any, value: str, expected: Any) -> None:
    monkeypatch.setenv("X", value)

    try:
        answer = read()
    except ImproperlyConfigured as error:
        sentence, _, example = str(error).removeprefix("The environment variable ").partition(". For example: ")
        assert sentence.startswith(expected)
        assert example.startswith("X=")
        assert "pw" not in sentence
    else:
        assert answer == expected


@pytest.mark.processes
@pytest.mark.parametrize("command", ["check", "migrate", "no_such_command"])
def test_a_command_ends_with_one_sentence_when_a_variable_cannot_be_read(command: str) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "manage.py", command],
        env=os.environ | {"TRACKSYNC_THREADS": "a few"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (
        1,
        "",
        "The environment variable TRACKSYNC_THREADS has to be a whole number, not 'a few'. "
        "For example: TRACKSYNC_THREADS=16\n",
    )
