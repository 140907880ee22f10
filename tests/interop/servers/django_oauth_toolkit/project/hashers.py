"""How passwords and client secrets are hashed."""

# pyright: basic, reportMissingImports=false
# mypy: disable-error-code="import-not-found, misc"
# Django is installed in the server's own environment, not where types are checked.

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class FewRounds(PBKDF2PasswordHasher):
    """Django's default hasher with fewer rounds, for secrets that are random and long."""

    iterations = 10_000
