"""The clients that the profile names, as Hydra's admin API registers them."""

import os
from pathlib import Path
from typing import Any


def registrations() -> list[dict[str, Any]]:
    """One JSON document for each client."""
    return [
        _service("service", client_secret=_secret("SERVICE"), token_endpoint_auth_method="client_secret_basic"),
        _service("service_post", client_secret=_secret("POST"), token_endpoint_auth_method="client_secret_post"),
        _service(
            "service_reserved", client_secret=_secret("RESERVED"), token_endpoint_auth_method="client_secret_basic"
        ),
        _service("service_key", jwks={"keys": [_public_key()]}, token_endpoint_auth_method="private_key_jwt"),
        {
            "client_id": "code_app",
            "client_secret": _secret("CODE_APP"),
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
            "redirect_uris": ["https://code.example/cb"],
            "scope": "read write",
            "token_endpoint_auth_method": "client_secret_basic",
        },
        _implicit("spa", ["https://app.example/cb", "https://app.example/cb2?x=1"]),
        _implicit("spa_single", ["https://single.example/cb"]),
        _implicit("oidc_app", ["https://oidc.example/cb"], response_types=["id_token token", "id_token"]),
        _implicit(
            "web_app",
            ["https://web.example/cb"],
            client_secret=_secret("WEB_APP"),
            token_endpoint_auth_method="client_secret_basic",
        ),
    ]


def _service(name: str, **metadata: Any) -> dict[str, Any]:
    return {"client_id": name, "grant_types": ["client_credentials"], "scope": "read write", **metadata}


def _implicit(name: str, redirect_uris: list[str], **metadata: Any) -> dict[str, Any]:
    return {
        "client_id": name,
        "grant_types": ["implicit"],
        "response_types": ["token"],
        "redirect_uris": redirect_uris,
        "scope": "openid read write",
        "token_endpoint_auth_method": "none",
        **metadata,
    }


def _secret(name: str) -> str:
    return os.environ[f"GRANTPROOF_HYDRA_{name}_SECRET"]


def _public_key() -> dict[str, Any]:
    """The public key of service_key as a JWK."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415 - once, at start
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415
    from jwt.algorithms import RSAAlgorithm  # noqa: PLC0415

    key = load_pem_private_key(Path(os.environ["GRANTPROOF_HYDRA_CLIENT_KEY"]).read_bytes(), None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("the key is no RSA key")
    public: dict[str, Any] = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**public, "kid": "assertion", "use": "sig", "alg": "RS256"}
