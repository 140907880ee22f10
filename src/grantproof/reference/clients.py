"""Who the embedded server knows: its clients, its users and their credentials."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

if TYPE_CHECKING:
    from pathlib import Path

SECRET_METHODS = ("client_secret_basic", "client_secret_post")
FIRST_CALLBACK = "https://app.example/cb"
SECOND_CALLBACK = "https://app.example/cb2?x=1&y=a%20b"
RESOURCES = ("https://api.example", "https://files.example")
"""What tokens may be for, beside the server's own resource (RFC 8707)."""
CLIENTS_WITH_SECRETS = (
    "service",
    "service_reserved",
    "service_hmac",
    "service_other",
    "resource_server",
    "restricted",
    "disposable",
    "short_lived",
    "confidential_app",
)


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client; `name` is its name in the profile, `id` its client identifier."""

    name: str
    id: str
    secret: str = field(default="", repr=False)
    title: str = ""
    auth_methods: tuple[str, ...] = SECRET_METHODS
    grants: tuple[str, ...] = ("client_credentials",)
    response_types: tuple[str, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ("read", "write")
    default_scope: tuple[str, ...] = ("read",)
    token_format: str = "opaque"  # noqa: S105 - a format, not a secret
    signing_alg: str = "ES256"
    lifetime_s: int = 600
    introspects: str = "own"
    disposable: bool = False
    resource: str = ""
    assertion_alg: str = ""
    assertion_key: str = field(default="", repr=False)

    @property
    def public(self) -> bool:
        """Whether the client has no credentials."""
        return self.auth_methods == ("none",)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Every secret of one run; kept in its private directory so that server and profile agree."""

    secrets: dict[str, str] = field(repr=False)
    passwords: dict[str, str] = field(repr=False)
    private_key: str = field(repr=False)
    public_key: str

    @classmethod
    def create(cls) -> Credentials:
        """New random credentials."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        made = {name: secrets.token_urlsafe(32) for name in CLIENTS_WITH_SECRETS}
        made["service_reserved"] = f'p%2B+q:r&s=t/u~v"w x{secrets.token_urlsafe(24)}'
        passwords = {name: secrets.token_urlsafe(16) for name in ("alice", "bob", "carol")}
        return cls(made, passwords, private.decode(), public.decode())

    @classmethod
    def load(cls, directory: Path) -> Credentials:
        """The credentials kept in a directory; made on first use."""
        path = directory / "credentials.json"
        if path.exists():
            kept = cast("dict[str, object]", json.loads(path.read_text("utf-8")))
            return cls(
                cast("dict[str, str]", kept["secrets"]),
                cast("dict[str, str]", kept["passwords"]),
                str(kept["private_key"]),
                str(kept["public_key"]),
            )
        made = cls.create()
        write_private(
            path,
            json.dumps(
                {
                    "secrets": made.secrets,
                    "passwords": made.passwords,
                    "private_key": made.private_key,
                    "public_key": made.public_key,
                }
            ),
        )
        return made


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner can read, replacing it as a whole."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    draft.replace(path)


def register_clients(credentials: Credentials) -> dict[str, Client]:
    """The clients of the embedded server, by their client identifier."""
    clients = (*_services(credentials), *_applications(credentials))
    return {client.id: client for client in clients}


def _services(credentials: Credentials) -> tuple[Client, ...]:
    secret = credentials.secrets
    return (
        Client("service", "service", secret["service"], "Service", token_format="jwt"),  # noqa: S106 - a format
        Client("service_reserved", "svc:res %1", secret["service_reserved"], "Service with reserved characters"),
        Client(
            "service_jwt",
            "service-jwt",
            title="Service with a private key",
            auth_methods=("private_key_jwt",),
            token_format="jwt",  # noqa: S106 - a format
            signing_alg="RS256",
            resource=RESOURCES[0],
            assertion_alg="RS256",
            assertion_key=credentials.public_key,
        ),
        Client(
            "service_hmac",
            "service-hmac",
            secret["service_hmac"],
            "Service with a shared key",
            auth_methods=("client_secret_jwt",),
            assertion_alg="HS256",
            assertion_key=secret["service_hmac"],
        ),
        Client(
            "service_other",
            "service-other",
            secret["service_other"],
            "Other service",
            scopes=("read",),
            token_format="jwt",  # noqa: S106 - a format
            resource=RESOURCES[1],
        ),
        Client(
            "resource_server",
            "resource-server",
            secret["resource_server"],
            "Resource server",
            grants=(),
            scopes=(),
            default_scope=(),
            introspects="all",
        ),
        Client("disposable", "disposable", secret["disposable"], "Disposable service", disposable=True),
        Client("short_lived", "short-lived", secret["short_lived"], "Service with short-lived tokens", lifetime_s=2),
    )


def _applications(credentials: Credentials) -> tuple[Client, ...]:
    secret = credentials.secrets
    public = ("none",)
    return (
        Client(
            "restricted",
            "restricted",
            secret["restricted"],
            "Application without our grants",
            grants=("authorization_code",),
            redirect_uris=("https://restricted.example/cb",),
        ),
        Client(
            "spa",
            "spa",
            title="Single-page application",
            auth_methods=public,
            grants=("implicit",),
            response_types=("token",),
            redirect_uris=(FIRST_CALLBACK, SECOND_CALLBACK),
        ),
        Client(
            "spa_single",
            "spa-single",
            title="Application with one redirect URI",
            auth_methods=public,
            grants=("implicit",),
            response_types=("token",),
            redirect_uris=("https://single.example/cb",),
            token_format="jwt",  # noqa: S106 - a format
        ),
        Client(
            "oidc_app",
            "oidc-app",
            title="OpenID Connect application",
            auth_methods=public,
            grants=("implicit",),
            response_types=("token", "id_token", "id_token token"),
            redirect_uris=("https://oidc.example/cb",),
            scopes=("openid", "read", "write"),
            token_format="jwt",  # noqa: S106 - a format
            signing_alg="RS256",
        ),
        Client(
            "native_app",
            "native-app",
            title="Native application",
            auth_methods=public,
            grants=("implicit",),
            response_types=("token",),
            redirect_uris=("http://127.0.0.1/cb",),
        ),
        Client(
            "confidential_app",
            "confidential-app",
            secret["confidential_app"],
            "Confidential application",
            grants=("implicit",),
            response_types=("token",),
            redirect_uris=("https://confidential.example/cb",),
        ),
    )
