"""How client secrets are hashed."""

# pyright: basic, reportMissingImports=false
# mypy: disable-error-code="import-not-found, misc"
# Django is installed in the server's own environment, not where types are checked.

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class ClientSecretHasher(PBKDF2PasswordHasher):
    """Django's default with fewer rounds, for secrets that are random and long."""

    algorithm = "pbkdf2_client_secret"
    iterations = 10_000
