"""Registers the clients and users that the profile names."""

# pyright: basic, reportMissingImports=false
# mypy: disable-error-code="import-not-found"
# Django is installed in the server's own environment, not where types are checked.

import os

from django.contrib.auth import get_user_model
from oauth2_provider.models import get_application_model

CALLBACK = "https://app.example/cb"
CLIENTS: list[dict[str, str]] = [
    {
        "client_id": "service",
        "client_type": "confidential",
        "authorization_grant_type": "client-credentials",
        "client_secret": os.environ["GRANTPROOF_DOT_SERVICE_SECRET"],
    },
    {
        "client_id": "service_other",
        "client_type": "confidential",
        "authorization_grant_type": "client-credentials",
        "client_secret": os.environ["GRANTPROOF_DOT_OTHER_SECRET"],
    },
    {
        "client_id": "service_reserved",
        "client_type": "confidential",
        "authorization_grant_type": "client-credentials",
        "client_secret": os.environ["GRANTPROOF_DOT_RESERVED_SECRET"],
    },
    {
        "client_id": "code_app",
        "client_type": "confidential",
        "authorization_grant_type": "authorization-code",
        "client_secret": os.environ["GRANTPROOF_DOT_CODE_APP_SECRET"],
        "redirect_uris": "https://code.example/cb",
    },
    {
        "client_id": "web_app",
        "client_type": "confidential",
        "authorization_grant_type": "implicit",
        "client_secret": os.environ["GRANTPROOF_DOT_WEB_APP_SECRET"],
        "redirect_uris": "https://web.example/cb",
    },
    {
        "client_id": "spa",
        "client_type": "public",
        "authorization_grant_type": "implicit",
        "redirect_uris": f"{CALLBACK} {CALLBACK}2?x=1",
    },
    {
        "client_id": "spa_single",
        "client_type": "public",
        "authorization_grant_type": "implicit",
        "redirect_uris": "https://single.example/cb",
    },
    {
        "client_id": "oidc_app",
        "client_type": "public",
        "authorization_grant_type": "implicit",
        "redirect_uris": "https://oidc.example/cb",
        "algorithm": "RS256",
    },
]


def seed() -> None:
    """Fills an empty database; clients pass the same validation as in the toolkit's own pages."""
    for name in ("alice", "bob"):
        password = os.environ[f"GRANTPROOF_DOT_{name.upper()}_PASSWORD"]
        get_user_model().objects.create_user(name, password=password)
    for client in CLIENTS:
        application = get_application_model()(name=client["client_id"], **client)
        application.full_clean()
        application.save()
