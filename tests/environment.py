"""The environment of the tests, set before Django reads it (a pytest plugin: addopts in pyproject.toml).

Everything is set and nothing inherited, so that a developer's .env cannot change a result; the one
exception is DATABASE_URL, which tells the two runs of `make test` apart. Child processes inherit it.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

ENVIRONMENT = {
    "DEBUG": "false",
    "SECRET_KEY": "a-key-for-tests-that-is-long-enough-for-django-to-accept-it-4f1c7a",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
    "EMAIL_URL": "memorymail://",
    "TIME_ZONE": "UTC",
    "LOG_LEVEL": "INFO",
    "DEFAULT_FROM_EMAIL": "TrackSync <noreply@tracksync.test>",
    "TRACKSYNC_CREDENTIAL_KEYS": "MGUkVeGdV6tZ4HrOJ8t9mlUPl2_0dbJ4X5tkSlHDgk4=",
    "TRACKSYNC_URL": "http://localhost:8000",
    "TRACKSYNC_ALLOW_HOSTS": "127.0.0.0/8",
    "TRACKSYNC_CA_BUNDLE": "",
    "TRACKSYNC_OWN_NUMBER_PREFIX": "CJP",
    "TRACKSYNC_THREADS": "16",
    "TRACKSYNC_WORKERS": "2",
    "TRACKSYNC_SETTLE_SECONDS": "0",
    "TRACKSYNC_CALL_LIMIT_SECONDS": "0",
    "TRACKSYNC_PULL_SECONDS": "600",
    "TRACKSYNC_CONTACT_URL": "",
    "TRACKSYNC_STAFF_MFA": "false",
    "TRACKSYNC_PROXIES": "0",
    "TRACKSYNC_SHOPIFY_CLIENT_ID": "",
    "TRACKSYNC_SHOPIFY_CLIENT_SECRET": "",
    # Playwright runs an event loop in the thread of the test; Django would refuse every query there.
    "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
}

os.environ.update(ENVIRONMENT)
# Never the developer's own database: not even its name is known here.
os.environ.setdefault("DATABASE_URL", f"sqlite:///{Path(tempfile.gettempdir()) / 'tracksync-no-such-database.sqlite3'}")
