"""Django's settings: what `startproject` writes, what the toolkit's tutorial adds, nothing else without a reason."""

import os
from pathlib import Path
from typing import Any

STATE = Path(os.environ["GRANTPROOF_STATE_DIR"])

SECRET_KEY = os.environ["GRANTPROOF_DOT_SECRET_KEY"]
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.serve.application"
USE_TZ = True
STATIC_URL = "static/"
LOGIN_URL = "/accounts/login/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "oauth2_provider",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# The options by which Django's documentation lets SQLite serve several threads: without them, requests that write at
# the same time end in "database is locked", which would be a finding about SQLite.
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": STATE / "db.sqlite3",
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }
}

# Passwords and client secrets are random here, so a million rounds of hashing protect nothing. They cost 0.3 s of CPU
# for each token and each login, of which a run needs thousands.
PASSWORD_HASHERS = ["project.hashers.FewRounds"]

OAUTH2_PROVIDER: dict[str, Any] = {
    # OpenID Connect is off by default; the documentation asks for these two, and for openid among the scopes.
    "OIDC_ENABLED": True,
    "OIDC_RSA_PRIVATE_KEY": Path(os.environ["GRANTPROOF_DOT_KEY"]).read_text("ascii"),
    "SCOPES": {"read": "Reading scope", "write": "Writing scope", "openid": "OpenID Connect scope"},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
