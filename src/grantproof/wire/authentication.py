"""How a client proves its identity at the token endpoint.

Sources: RFC 6749 section 2.3.1, RFC 7617 section 2, RFC 7523 section 2.2.
"""

import base64
import secrets
import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from grantproof.wire.form import encode_component

if TYPE_CHECKING:
    from collections.abc import Mapping

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PASSWORD_METHODS = ("client_secret_basic", "client_secret_post")
ASSERTION_METHODS = ("private_key_jwt", "client_secret_jwt")
METHODS = (*PASSWORD_METHODS, *ASSERTION_METHODS, "none")


def basic_credentials(client_id: str, secret: str, *, form_encoded: bool = True) -> str:
    """The value of an Authorization header for HTTP Basic.

    Args:
        client_id: as registered.
        secret: as registered.
        form_encoded: encode both by Appendix B before joining them, as OAuth demands; False sends them raw.
    """
    if form_encoded:
        client_id, secret = encode_component(client_id), encode_component(secret)
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode("ascii")


@dataclass(frozen=True)
class SigningKey:
    """What signs client assertions. Its repr never shows the key."""

    algorithm: str
    material: str
    kid: str | None = None

    def __repr__(self) -> str:
        return f"SigningKey({self.algorithm}, kid={self.kid})"

    @property
    def prepared(self) -> Any:
        """The key as pyjwt uses it, read once: checking an RSA key takes 70 ms."""
        return _prepared(self.algorithm, self.material)

    def sign(self, claims: "Mapping[str, Any]", headers: "Mapping[str, Any] | None" = None) -> str:
        """A compact JWS over these claims."""
        import jwt  # noqa: PLC0415 - cryptography costs 60 ms that runs without assertions do not pay

        extra = dict(headers or {}) | ({"kid": self.kid} if self.kid else {})
        return jwt.encode(dict(claims), self.prepared, algorithm=self.algorithm, headers=extra)


@cache
def _prepared(algorithm: str, material: str) -> Any:
    import jwt  # noqa: PLC0415 - as above

    return jwt.get_algorithm_by_name(algorithm).prepare_key(material)


def assertion_claims(client_id: str, audience: str, *, lifetime_s: float = 60) -> dict[str, Any]:
    """The claims of a fresh client assertion that lives for a minute and is never sent twice."""
    now = int(time.time())
    return {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "iat": now,
        "exp": int(now + lifetime_s),
        "jti": secrets.token_urlsafe(16),
    }
