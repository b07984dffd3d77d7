"""Every setting of Segue. Runs with no variable set; a bad value stops the start and names the variable."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from config import api_scopes, env, security, theme

BASE_DIR = Path(__file__).resolve().parent.parent
# What this installation keeps beside the code: the secret key and the embedded servers.
SEGUE_HOME = env.folder("SEGUE_HOME", BASE_DIR / ".segue")

DEBUG = env.flag("SEGUE_DEBUG", False)
SECRET_KEY = env.secret("SECRET_KEY", SEGUE_HOME / "secret_key")

# ── Web ──────────────────────────────────────────────────────────────────────────────────────────
SEGUE_HOST = env.text("SEGUE_HOST", "127.0.0.1")
SEGUE_PORT = env.number("SEGUE_PORT", 8000, least=1, most=65535)
SEGUE_WEB_WORKERS = env.number("SEGUE_WEB_WORKERS", 2, least=1, most=64)
SEGUE_WEB_THREADS = env.number("SEGUE_WEB_THREADS", 32, least=1, most=512)
# Events a second that one source may send to the whole server; more is answered with 429. 0 sets no limit.
SEGUE_INTAKE_RATE = env.number("SEGUE_INTAKE_RATE", 50_000)
# Requests a second that one caller of the API may make to the whole server; 0 sets no limit.
SEGUE_API_RATE = env.number("SEGUE_API_RATE", 200)
# Browsers a second that may subscribe to pushes by one source's key, in each web process; 0 sets no limit.
SEGUE_PUSH_RATE = env.number("SEGUE_PUSH_RATE", 20)
SEGUE_INAPP_RATE = env.number("SEGUE_INAPP_RATE", 400)
SEGUE_API_SCOPES = api_scopes.SCOPES
SEGUE_TASK_WORKERS = env.number("SEGUE_TASK_WORKERS", 4, least=1, most=256)
# Nobody publishes a journey alone: one asks, another one approves.
SEGUE_TWO_TO_PUBLISH = env.flag("SEGUE_TWO_TO_PUBLISH", False)
# Who speaks on the pages for the people we write to: a name, and a file with the mark (.svg, .png or .webp).
SEGUE_ORGANISATION = env.text("SEGUE_ORGANISATION")
SEGUE_LOGO = env.image("SEGUE_LOGO")
# Hosts inside the own network that providers may call all the same, such as an SMS gateway in the rack.
SEGUE_LOCAL_HOSTS = env.words("SEGUE_LOCAL_HOSTS", [])
# Where imports and exports keep their files; web and workers must see the same folder.
SEGUE_EXCHANGE = env.folder("SEGUE_EXCHANGE", SEGUE_HOME / "exchange")
# Where each web process writes opens and clicks down before it answers; a disk that outlives the process.
SEGUE_SPOOL = env.folder("SEGUE_SPOOL", SEGUE_HOME / "spool")
# For how many days a tracked link leads on; 0: for ever.
SEGUE_LINK_DAYS = env.number("SEGUE_LINK_DAYS", 730, most=36_500)
# The largest file that may be imported.
SEGUE_IMPORT_MEGABYTES = env.number("SEGUE_IMPORT_MEGABYTES", 1_024, least=1, most=16_384)
FILE_UPLOAD_HANDLERS = [
    "contacts.exchange.uploads.SizeGuard",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
# How people outside reach this server: links, pixels and preference pages start with it. No slash at the end.
SEGUE_BASE_URL = env.url(
    "SEGUE_BASE_URL", f"http://127.0.0.1:{SEGUE_PORT}", schemes=("https", "http")
).rstrip("/")

# How pixels and tracked links start, where they have a domain of their own; it answers nothing else.
SEGUE_TRACKING_URL = env.url("SEGUE_TRACKING_URL", SEGUE_BASE_URL, schemes=("https", "http")).rstrip("/")

_base_url = urlsplit(SEGUE_BASE_URL)
ALLOWED_HOSTS = env.words(
    "SEGUE_HOSTS", [".localhost", "127.0.0.1", "[::1]", _base_url.hostname or "localhost"]
)
CSRF_TRUSTED_ORIGINS = [f"{_base_url.scheme}://{_base_url.netloc}"]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _base_url.scheme == "https"
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("SEGUE_BEHIND_PROXY", False) else None
)
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Strict; config.security.PolicyMiddleware widens it for the back office.
CONTENT_SECURITY_POLICY = {"DIRECTIVES": security.STRICT}

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_celery_beat",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "anymail",
    "config",
    "analytics",
    "journeys",
    "channels",
    "contacts",
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
    "config.security.PolicyMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "config.unstorable.UnstorableMiddleware",
]

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
            ],
        },
    },
]

STATIC_URL = "static/"
# Served straight from the apps' folders, so that no collecting stands between a change and the page;
# set the variable where a web server in front wants them collected.
STATIC_ROOT = env.text("SEGUE_STATIC_ROOT") or None
WHITENOISE_USE_FINDERS = True
# The visual editor's files, where set-up could fetch them (scripts/editor.py).
STATICFILES_DIRS = [
    (f"editor/{name}", folder)
    for name, package in (("grapesjs", "grapesjs"), ("mjml", "grapesjs-mjml"))
    if (folder := BASE_DIR / "editor" / "node_modules" / package / "dist").is_dir()
]
WHITENOISE_AUTOREFRESH = DEBUG

UNFOLD: dict[str, Any] = theme.UNFOLD

# ── Data ─────────────────────────────────────────────────────────────────────────────────────────
# Written by config.embedded when it starts servers of its own; real servers are named by variables instead.
_addresses_file = SEGUE_HOME / "servers.json"
_addresses: dict[str, Any] = (
    json.loads(_addresses_file.read_text(encoding="utf-8")) if _addresses_file.is_file() else {}
)
DATABASE_URL = env.text("DATABASE_URL", env.remembered(_addresses, "database_url"))
BROKER_URL = env.text("BROKER_URL", env.remembered(_addresses, "broker_url"))

# Connections that one web process may share between its threads; 0 keeps one per thread.
SEGUE_DB_POOL = env.number("SEGUE_DB_POOL", 0, most=1000)
# Seconds that a worker has for what it claimed before others may take it for abandoned, and that its
# session may stand still inside a transaction. Short is safe: a late worker's writes match no row.
SEGUE_LEASE = env.number("SEGUE_LEASE", 45, least=2, most=3600)
DATABASES = {
    "default": env.database(
        "DATABASE_URL",
        DATABASE_URL or "postgresql://segue@127.0.0.1:5432/segue",
        pool=SEGUE_DB_POOL,
        idle=SEGUE_LEASE,
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ── Tasks: hints without payload, so nothing is lost when the broker is ─────────────────────────────
CELERY_BROKER_URL = BROKER_URL or "redis://127.0.0.1:6379/0"
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # The defaults give a killed worker's tasks back after an hour; these after about 15 minutes at most.
    "visibility_timeout": 900,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 0.2,
    "socket_keepalive": True,
    # A hint is not worth waiting for: without this a send to a missing broker takes six seconds to fail.
    "max_retries": 0,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "segue"
CELERY_TASK_TIME_LIMIT = 600
# No limit: with one, a worker whose acknowledgements were lost with the broker believes that its hands are
# full and never asks the broker again, though it is long back.
CELERY_WORKER_PREFETCH_MULTIPLIER = 0
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 1
DJANGO_CELERY_BEAT_TZ_AWARE = True

# ── Cache: in the database, so that all processes count tries to sign in together, broker or not ──────
CACHES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "config_cache"}
}

# ── People who sign in ───────────────────────────────────────────────────────────────────────────
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/admin/"
LOGOUT_REDIRECT_URL = "account_login"
# A working day; signing out or changing the password ends a session at once.
SESSION_COOKIE_AGE = 12 * 3600
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS", [])
ACCOUNT_ADAPTER = "config.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip,5/5m/key", "reauthenticate": "10/m/user"}
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if SECURE_PROXY_SSL_HEADER else 0
MFA_ADAPTER = "config.accounts.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Segue"

# ── Language and time: stored and computed in UTC, shown on the reader's clock ─────────────────────
LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", "English"), ("fr", "Français")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = "config.formats"
LOCALE_PATHS = [BASE_DIR / "locale"]

# ── Mail of the system itself (journey mail goes through provider accounts) ──────────────────────────
# A server that takes mail; without one, mails are written to the log.
EMAIL_HOST = env.text("EMAIL_HOST")
EMAIL_PORT = env.number("EMAIL_PORT", 587 if EMAIL_HOST else 25, least=1, most=65535)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_SSL = env.flag("EMAIL_USE_SSL", False)
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", EMAIL_PORT == 587)
EMAIL_TIMEOUT = 10
EMAIL_BACKEND = env.text(
    "EMAIL_BACKEND", f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'console'}.EmailBackend"
)
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "segue@localhost")

# ── The auditor ──────────────────────────────────────────────────────────────────────────────────
# Who is written to when a promise breaks; empty: everybody with the permission, which admins have.
SEGUE_ALERTS = env.words("SEGUE_ALERTS", [])
# Minutes between two such mails at least.
SEGUE_ALERT_MINUTES = env.number("SEGUE_ALERT_MINUTES", 10, least=1, most=1440)
# What a monitor shows to read /metrics. Without it only this machine may, and nobody behind a proxy.
SEGUE_METRICS_TOKEN = env.text("SEGUE_METRICS_TOKEN")

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    # Nobody may do anything, except by what is built on contacts.api.endpoint.Endpoint.
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Segue",
    "DESCRIPTION": "Contacts, segments, consents and what happens to them. See docs/how-to/api.md.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SORT_OPERATIONS": False,
    # Choices are written where they apply; names of their own would clash between rooms.
    "POSTPROCESSING_HOOKS": [],
}

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{levelname} {name}: {message}", "style": "{"}},
    "filters": {"outages": {"()": "config.outages.WithoutTraceback"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["outages"]}},
    "root": {"handlers": ["console"], "level": env.text("SEGUE_LOG_LEVEL", "INFO").upper()},
    # Ten pulses tick each second: their comings and goings would bury everything else.
    "loggers": {
        name: {"level": "WARNING"}
        for name in (
            "celery.app.trace",
            "celery.worker.strategy",
            "celery.beat",
            "django_celery_beat.schedulers",
        )
    },
}
