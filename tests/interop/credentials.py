"""Random credentials for one start of a server."""

import base64
import os
import secrets
from pathlib import Path

RESERVED = " +%:&=/?#"
"""Characters that change in the form encoding that OAuth demands inside HTTP Basic."""


def random_secret() -> str:
    """A secret of hexadecimal digits, which no encoding changes; 160 bits."""
    return secrets.token_hex(20)


def reserved_secret() -> str:
    """A random secret that cannot be sent by HTTP Basic unless both sides encode it."""
    return f"a{RESERVED}{secrets.token_hex(20)}"


def write_private_key(path: Path) -> Path:
    """Writes a fresh RSA key as PEM that only its owner can read."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - only servers with keys pay for it
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    return path


def public_key_text(path: Path) -> str:
    """The public half of a private key: SubjectPublicKeyInfo (RFC 5280 section 4.1) in one line of Base64."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - only servers with keys pay for it

    key = serialization.load_pem_private_key(path.read_bytes(), None)
    info = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(info).decode("ascii")
