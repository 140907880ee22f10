"""What can be wrong with a client assertion, one fault each.

A mutation builds the assertion from a `Signer`, which knows the client, its key and an audience that works.
"""

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from grantproof.matrix.tokens import encode_part, flip_bit, make_key, public_jwk, sign, sign_hmac, write_part
from grantproof.wire.authentication import SigningKey, assertion_claims

Group = Literal["iss", "sub", "aud", "exp", "nbf", "signature", "malformed", "joined"]
HOUR_S = 3600
_ELSEWHERE = "https://elsewhere.example"


@dataclass(frozen=True)
class Signer:
    """Who signs, with what, and for whom; `other_id` names another client of the same server."""

    client_id: str
    audience: str
    key: SigningKey = field(repr=False)
    other_id: str = ""
    other_key: SigningKey | None = field(default=None, repr=False)

    @property
    def claims(self) -> dict[str, Any]:
        """Fresh claims with nothing wrong in them."""
        return assertion_claims(self.client_id, self.audience)

    @property
    def header(self) -> dict[str, Any]:
        """The header that goes with the client's key."""
        return {"alg": self.key.algorithm, "typ": "JWT"} | ({"kid": self.key.kid} if self.key.kid else {})

    @property
    def symmetric(self) -> bool:
        """Whether the key is a shared secret."""
        return self.key.algorithm.startswith("HS")

    def signed(self, **changes: Any) -> str:
        """An assertion with some claims changed, or dropped where None."""
        claims = {name: value for name, value in (self.claims | changes).items() if value is not None}
        return sign_text(self.key, json.dumps(claims, separators=(",", ":")).encode())


def sign_text(key: SigningKey, payload: bytes) -> str:
    """A JWS over any octets, be they claims or not."""
    import jwt  # noqa: PLC0415 - only runs with assertions pay for cryptography

    headers = {"kid": key.kid} if key.kid else None
    return jwt.api_jws.encode(payload, key.prepared, algorithm=key.algorithm, headers=headers)


@dataclass(frozen=True)
class Mutation:
    """One thing wrong with an assertion; `build` gives None where it does not apply to the signer."""

    id: str
    group: Group
    build: Callable[[Signer], str | None]

    def __str__(self) -> str:
        return self.id


def _replaced(**changes: Any) -> Callable[[Signer], str]:
    return lambda signer: signer.signed(**changes)


def _at(name: str, offset_s: float) -> Callable[[Signer], str]:
    return lambda signer: signer.signed(**{name: int(time.time() + offset_s)})


def _named(name: str) -> Callable[[Signer], str | None]:
    """Another client's identifier in one claim only."""
    return lambda signer: signer.signed(**{name: signer.other_id}) if signer.other_id else None


def _expired(signer: Signer) -> str:
    now = int(time.time())
    return signer.signed(iat=now - 2 * HOUR_S, exp=now - HOUR_S)


def _unsigned(name: str, *, keep: bool = False) -> Callable[[Signer], str]:
    def build(signer: Signer) -> str:
        signature = signer.signed().rpartition(".")[2] if keep else ""
        return f"{write_part(signer.header | {'alg': name})}.{write_part(signer.claims)}.{signature}"

    return build


def _flipped(signer: Signer) -> str:
    head, body, signature = signer.signed().split(".")
    return f"{head}.{body}.{flip_bit(signature)}"


def _swapped_claims(signer: Signer) -> str:
    head, _, signature = signer.signed().split(".")
    return f"{head}.{write_part(signer.claims)}.{signature}"


def _cut(signer: Signer) -> str:
    return signer.signed().rpartition(".")[0] + "."


def _foreign(signer: Signer) -> str:
    if signer.symmetric:
        return sign_hmac(signer.claims, secrets.token_bytes(48), signer.header)
    return sign(signer.claims, make_key(signer.key.algorithm), signer.header)


def _of_other_client(signer: Signer) -> str | None:
    """Signed with another client's own key, which the server knows."""
    if signer.other_key is None:
        return None
    return sign_text(signer.other_key, json.dumps(signer.claims).encode())


def _key_in_header(signer: Signer) -> str:
    algorithm = "RS256" if signer.symmetric else signer.key.algorithm
    key = make_key(algorithm)
    return sign(signer.claims, key, {"alg": algorithm, "typ": "JWT", "jwk": public_jwk(key, algorithm)})


def _hmac_with_public_key(signer: Signer) -> str | None:
    if signer.symmetric:
        return None
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - as in sign_text

    private: Any = serialization.load_pem_private_key(signer.key.material.encode(), None)
    pem = private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return sign_hmac(signer.claims, pem, signer.header | {"alg": "HS256"})


def _empty_hmac(signer: Signer) -> str:
    return sign_hmac(signer.claims, b"", signer.header | {"alg": "HS256"})


def _payload(octets: bytes) -> Callable[[Signer], str]:
    return lambda signer: sign_text(signer.key, octets)


def _list_of_claims(signer: Signer) -> str:
    return sign_text(signer.key, json.dumps([signer.claims]).encode())


def _bare_claims(signer: Signer) -> str:
    return write_part(signer.claims)


def _json_text(signer: Signer) -> str:
    return json.dumps(signer.claims)


def _broken_base64(signer: Signer) -> str:
    head, body, signature = signer.signed().split(".")
    return f"{head}.{body[:-2]}!*.{signature}"


def _four_parts(signer: Signer) -> str:
    return f"{signer.signed()}.{encode_part(b'more')}"


def _header_no_object(signer: Signer) -> str:
    _, body, signature = signer.signed().split(".")
    return f"{encode_part(b'[]')}.{body}.{signature}"


def _joined(separator: str, *, good_first: bool) -> Callable[[Signer], str]:
    def build(signer: Signer) -> str:
        good, bad = signer.signed(), signer.signed(exp=int(time.time()) - HOUR_S)
        return separator.join((good, bad) if good_first else (bad, good))

    return build


MUTATIONS: tuple[Mutation, ...] = (
    Mutation("iss-missing", "iss", _replaced(iss=None)),
    Mutation("iss-empty", "iss", _replaced(iss="")),
    Mutation("iss-foreign", "iss", _replaced(iss=_ELSEWHERE)),
    Mutation("iss-other-client", "iss", _named("iss")),
    Mutation("iss-list", "iss", lambda signer: signer.signed(iss=[signer.client_id])),
    Mutation("sub-missing", "sub", _replaced(sub=None)),
    Mutation("sub-empty", "sub", _replaced(sub="")),
    Mutation("sub-unknown", "sub", _replaced(sub="no-such-client")),
    Mutation("sub-other-client", "sub", _named("sub")),
    Mutation("sub-list", "sub", lambda signer: signer.signed(sub=[signer.client_id])),
    Mutation("aud-missing", "aud", _replaced(aud=None)),
    Mutation("aud-empty", "aud", _replaced(aud="")),
    Mutation("aud-empty-list", "aud", _replaced(aud=[])),
    Mutation("aud-foreign", "aud", _replaced(aud=f"{_ELSEWHERE}/token")),
    Mutation("aud-foreign-list", "aud", _replaced(aud=[_ELSEWHERE, f"{_ELSEWHERE}/token"])),
    Mutation("aud-look-alike", "aud", lambda signer: signer.signed(aud=f"{signer.audience}.elsewhere.example")),
    Mutation("aud-own-as-path", "aud", lambda signer: signer.signed(aud=f"{_ELSEWHERE}/{signer.audience}")),
    Mutation("aud-client-itself", "aud", lambda signer: signer.signed(aud=signer.client_id)),
    Mutation("exp-missing", "exp", _replaced(exp=None)),
    Mutation("exp-an-hour-ago", "exp", _expired),
    Mutation("exp-zero", "exp", _replaced(exp=0)),
    Mutation("exp-negative", "exp", _replaced(exp=-1)),
    Mutation("exp-text", "exp", _replaced(exp="tomorrow")),
    Mutation("nbf-in-an-hour", "nbf", _at("nbf", HOUR_S)),
    Mutation("nbf-after-exp", "nbf", _at("nbf", 10 * HOUR_S)),
    Mutation("alg-none", "signature", _unsigned("none")),
    Mutation("alg-none-in-capitals", "signature", _unsigned("NONE")),
    Mutation("alg-none-with-signature", "signature", _unsigned("none", keep=True)),
    Mutation("signature-cut", "signature", _cut),
    Mutation("signature-bit", "signature", _flipped),
    Mutation("claims-swapped", "signature", _swapped_claims),
    Mutation("foreign-key", "signature", _foreign),
    Mutation("key-of-another-client", "signature", _of_other_client),
    Mutation("key-in-header", "signature", _key_in_header),
    Mutation("hmac-with-public-key", "signature", _hmac_with_public_key),
    Mutation("hmac-with-empty-key", "signature", _empty_hmac),
    Mutation("empty-claims", "malformed", _payload(b"{}")),
    Mutation("claims-list", "malformed", _list_of_claims),
    Mutation("claims-number", "malformed", _payload(b"1")),
    Mutation("claims-null", "malformed", _payload(b"null")),
    Mutation("claims-no-json", "malformed", _payload(b"no json")),
    Mutation("bare-claims", "malformed", _bare_claims),
    Mutation("json-text", "malformed", _json_text),
    Mutation("broken-base64", "malformed", _broken_base64),
    Mutation("four-parts", "malformed", _four_parts),
    Mutation("header-no-object", "malformed", _header_no_object),
    Mutation("garbage", "malformed", lambda _: "no.jwt.here"),
    Mutation("joined-by-space", "joined", _joined(" ", good_first=True)),
    Mutation("joined-by-comma", "joined", _joined(",", good_first=True)),
    Mutation("joined-by-space-good-last", "joined", _joined(" ", good_first=False)),
    Mutation("joined-by-nothing", "joined", _joined("", good_first=True)),
)


def mutations(group: Group) -> tuple[Mutation, ...]:
    """The mutations of one group."""
    return tuple(each for each in MUTATIONS if each.group == group)
