"""Settings, all from the environment. environment.py says which variable cannot be read; checks.py what makes no sense.

Without any environment DEBUG is off and the checks ask for keys: only DEBUG=true brings keys of its own,
which are public and good for one machine. Every variable is explained in .env.example.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import environ

from . import environment

BASE_DIR = Path(__file__).resolve().parent.parent

environ.Env.read_env(BASE_DIR / ".env")

# --- Secrets and addresses -------------------------------------------------------------------
DEBUG = environment.flag("DEBUG", default=False)
INSECURE_KEY = "insecure-key-for-trying-things-out-on-one-machine"
INSECURE_CREDENTIAL_KEY = "aW5zZWN1cmUta2V5LWZvci10cnlpbmctdGhpbmdzISE="
SECRET_KEY = environment.text("SECRET_KEY", default=INSECURE_KEY)
ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
TRACKSYNC_URL = environment.text("TRACKSYNC_URL", default="http://localhost:8000").rstrip("/")
CSRF_TRUSTED_ORIGINS = [TRACKSYNC_URL] if TRACKSYNC_URL.startswith("https://") else []

# Fernet keys for the stores' credentials, newest first: apart from SECRET_KEY, so that either can be rotated alone.
TRACKSYNC_CREDENTIAL_KEYS = environment.words(
    "TRACKSYNC_CREDENTIAL_KEYS", default=[INSECURE_CREDENTIAL_KEY] if DEBUG else []
)

# --- What TrackSync does ---------------------------------------------------------------------
TRACKSYNC_OWN_NUMBER_PREFIX = environment.text("TRACKSYNC_OWN_NUMBER_PREFIX", default="CJP")
TRACKSYNC_THREADS = environment.whole("TRACKSYNC_THREADS", default=16)
TRACKSYNC_WORKERS = environment.whole("TRACKSYNC_WORKERS", default=2)
# Loopback and private networks that a store may lie in: for the demo and tests, empty in production.
TRACKSYNC_ALLOW_HOSTS = environment.words("TRACKSYNC_ALLOW_HOSTS")
TRACKSYNC_CA_BUNDLE = environment.text("TRACKSYNC_CA_BUNDLE")
# Shorter than the platform's own figures only against a pretend store; 0 = the platform's own.
TRACKSYNC_SETTLE_SECONDS = environment.seconds("TRACKSYNC_SETTLE_SECONDS", default=0.0)
TRACKSYNC_CALL_LIMIT_SECONDS = environment.seconds("TRACKSYNC_CALL_LIMIT_SECONDS", default=0.0)
# Seconds between two pulls of one store's orders.
TRACKSYNC_PULL_SECONDS = environment.whole("TRACKSYNC_PULL_SECONDS", default=600)
# The app that merchants install from Shopify's own list; both empty where there is none.
TRACKSYNC_SHOPIFY_CLIENT_ID = environment.text("TRACKSYNC_SHOPIFY_CLIENT_ID")
TRACKSYNC_SHOPIFY_CLIENT_SECRET = environment.text("TRACKSYNC_SHOPIFY_CLIENT_SECRET")

# --- Django ----------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_q",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "tracksync.apps.TrackSyncConfig",
    "stores.apps.StoresConfig",
    "orders.apps.OrdersConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "stores.accounts.staff.StaffGate",
]

ROOT_URLCONF = "tracksync.urls"
WSGI_APPLICATION = "tracksync.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "stores.accounts.context.page",
                "orders.context.open_problems",
            ],
        },
    },
]

# --- Database: SQLite embedded, PostgreSQL by DATABASE_URL --------------------------------------
DATABASES: dict[str, dict[str, Any]] = {
    "default": environment.database("DATABASE_URL")
    or {"ENGINE": "django.db.backends.sqlite3", "NAME": str(BASE_DIR / "db.sqlite3")}
}
_database = DATABASES["default"]
if _database["ENGINE"] == "django.db.backends.sqlite3":
    # A writer waits for its turn instead of failing, and readers never wait.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    # django-q2 closes old connections at every broker call: with an age of 0 each would be a new connection.
    _database.setdefault("CONN_MAX_AGE", 60)
    _database.setdefault("CONN_HEALTH_CHECKS", True)
    # A database that swallows packets must not hold the watchdog and the health pages for minutes.
    _database.setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Accounts (django-allauth) ----------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in (
        ("UserAttributeSimilarityValidator", {}),
        ("MinimumLengthValidator", {"min_length": 10}),
        ("CommonPasswordValidator", {}),
        ("NumericPasswordValidator", {}),
    )
]
ACCOUNT_ADAPTER = "stores.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_FORMS = {
    "add_email": "stores.accounts.forms.ChangeAddressForm",
    "change_password": "stores.accounts.forms.ChangePasswordForm",
    "login": "stores.accounts.forms.LoginForm",
    "reauthenticate": "stores.accounts.forms.ReauthenticateForm",
    "reset_password": "stores.accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "stores.accounts.forms.ResetPasswordKeyForm",
    "set_password": "stores.accounts.forms.SetPasswordForm",
    "signup": "stores.accounts.forms.SignupForm",
}
# Merchants work unverified; the banner asks, and only mail to customers is held.
ACCOUNT_EMAIL_VERIFICATION = "optional"
# Signing up with somebody's address looks like any sign-up; its owner is told by mail. Nobody can verify it twice.
ACCOUNT_PREVENT_ENUMERATION = "strict"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
# Counted in the shared cache, so for all processes together. "key" is the address that is written to or logged in to.
ACCOUNT_RATE_LIMITS = {
    "confirm_email": "1/m/key,10/d/key",
    "reset_password": "20/m/ip,3/m/key,10/d/key",
    "login_failed": "20/m/ip,5/5m/key",
    "signup": "20/m/ip",
    "manage_email": "10/m/user",
}
MFA_ADAPTER = "stores.accounts.second_step.MFAAdapter"
MFA_TOTP_ISSUER = "TrackSync"
MFA_FORMS = {
    "activate_totp": "stores.accounts.forms.ActivateTOTPForm",
    "authenticate": "stores.accounts.forms.AuthenticateForm",
    "reauthenticate": "stores.accounts.forms.ReauthenticateByCodeForm",
}
# Staff set up a second step (an authenticator app) before the admin opens.
TRACKSYNC_STAFF_MFA = environment.flag("TRACKSYNC_STAFF_MFA", default=False)
# How many proxies stand before the web server, so that limits count visitors and not the proxy.
ALLAUTH_TRUSTED_PROXY_COUNT = environment.whole(
    "TRACKSYNC_PROXIES", default=1 if TRACKSYNC_URL.startswith("https://") else 0
)
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "account_login"
# Limits have to be counted by all processes together; the table is made by a migration. What the background's
# cluster writes twice a second about itself is nobody's business and stays in its own memory.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "tracksync_cache",
        "OPTIONS": {"MAX_ENTRIES": 50_000},
    },
    "process": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}
# Where merchants write to: a mailto: or https: address, shown at the foot of every page.
TRACKSYNC_CONTACT_URL = environment.text("TRACKSYNC_CONTACT_URL")

# --- Background: django-q2 only rings the bell; our rows own the retries ---------------------------
SYNC_BUDGET_SECONDS = 50.0  # one sync_due task; budget + longest call + 5 s stays under the timeout
Q_CLUSTER: dict[str, Any] = {
    "name": "tracksync",
    "orm": "default",
    "workers": TRACKSYNC_WORKERS,
    "queue_limit": 2,
    "bulk": 1,
    "timeout": 120,
    # The lock of a task starts when it is prefetched: retry covers everything that may run before it.
    "retry": 600,
    "max_attempts": 3,
    "ack_failures": True,
    "save_limit": -1,
    "catch_up": False,
    "poll": 0.2,
    "recycle": 200,
    "max_rss": 300_000,
    "scheduler": True,
    "log_level": "WARNING",
    "label": "Background",
    "cache": "process",
}

# --- Language, time, mail -----------------------------------------------------------------------
LANGUAGE_CODE = "en"
TIME_ZONE = environment.time_zone("TIME_ZONE", default="UTC")
USE_I18N = True
USE_TZ = True
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["tracksync.formats"]
EMAIL_TIMEOUT = 20  # Django's own default waits for ever
vars().update(environment.mail("EMAIL_URL", default="consolemail://"))
DEFAULT_FROM_EMAIL = environment.text("DEFAULT_FROM_EMAIL", default="TrackSync <noreply@localhost>")

# --- Files, cookies, headers ------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "templates" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
LOGIN_URL = "account_login"

SECURE = TRACKSYNC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SECURE_SSL_REDIRECT = SECURE
# Probes ask from inside, without TLS.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'self'"],
        "object-src": ["'none'"],
    }
}

LOG_LEVEL = environment.choice("LOG_LEVEL", ["DEBUG", "INFO", "WARNING", "ERROR"], default="INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {
        name: {"handlers": ["console"], "level": LOG_LEVEL, "propagate": True}
        for name in ("tracksync", "stores", "orders")
    },
}
