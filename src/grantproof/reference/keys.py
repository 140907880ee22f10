"""The keys the embedded server signs with."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class SigningKeys:
    """One private key an algorithm, with its public JWK."""

    private: dict[str, PrivateKey] = field(repr=False)
    public: dict[str, dict[str, Any]]

    def sign(self, claims: dict[str, Any], header: dict[str, Any], alg: str) -> str:
        """A compact JWS over the claims; `header` wins over the defaults."""
        return jwt.encode(claims, self.private[alg], algorithm=alg, headers=header)

    def kid(self, alg: str) -> str:
        """The key identifier of the key for an algorithm."""
        return str(self.public[alg]["kid"])


@cache
def signing_keys() -> SigningKeys:
    """The process's throw-away keys; made once, since an RSA key takes a tenth of a second."""
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    ec_key = ec.generate_private_key(ec.SECP256R1())
    public = {
        "RS256": _describe(RSAAlgorithm.to_jwk(rsa_key.public_key()), "RS256", ("e", "kty", "n")),
        "ES256": _describe(ECAlgorithm.to_jwk(ec_key.public_key()), "ES256", ("crv", "kty", "x", "y")),
    }
    return SigningKeys({"RS256": rsa_key, "ES256": ec_key}, public)


def _describe(text: str, alg: str, thumbprint_members: tuple[str, ...]) -> dict[str, Any]:
    """A public JWK with use, alg and its RFC 7638 thumbprint as key identifier."""
    found: dict[str, Any] = json.loads(text)
    core = {name: found[name] for name in thumbprint_members}
    digest = hashlib.sha256(json.dumps(core, separators=(",", ":"), sort_keys=True).encode()).digest()
    kid = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return {**core, "use": "sig", "alg": alg, "kid": kid}
