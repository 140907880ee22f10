"""Fresh credentials for Keycloak in a container: `python -m tests.interop.servers.keycloak.container FOLDER`.

Writes `keycloak.env`, which a shell reads, and the client's key beside it; what is there already stays as it is.
"""

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.interop.credentials import public_key_text, random_secret, reserved_secret, write_private_key

ISSUER = "http://127.0.0.1:8080/realms/grantproof"
"""Loopback, since the suite runs in the network namespace of the server."""
_PLAIN = ("SERVICE_SECRET", "OTHER_SECRET", "HMAC_SECRET", "CODE_APP_SECRET", "WEB_APP_SECRET")
_PASSWORDS = ("ALICE_PASSWORD", "BOB_PASSWORD")


def fresh(folder: Path) -> Mapping[str, str]:
    """Variables for the realm and the profile, with random values; the key's file is written to the folder."""
    key = write_private_key(folder / "client-key.pem")
    values = {name: random_secret() for name in (*_PLAIN, *_PASSWORDS)}
    values |= {
        "ISSUER": ISSUER,
        "RESERVED_SECRET": reserved_secret(),
        "CLIENT_KEY": str(key),
        "CLIENT_PUBLIC_KEY": public_key_text(key),
    }
    return {f"GRANTPROOF_KEYCLOAK_{name}": value for name, value in values.items()}


def write(folder: Path) -> Path:
    """Writes the variables as a shell's exports that only the owner can read; gives the file."""
    path = folder / "keycloak.env"
    if not path.exists():
        (folder / "client-key.pem").unlink(missing_ok=True)  # of a start that was broken off
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in fresh(folder).items()]
        draft = folder / "keycloak.env.new"
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.writelines(lines)
        draft.replace(path)
    return path


if __name__ == "__main__":
    write(Path(sys.argv[1]))
