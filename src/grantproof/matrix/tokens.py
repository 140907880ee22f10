"""Access tokens as text: which of them carry their content, and how a stranger could make one up or change one."""

import base64
import binascii
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

ASYMMETRIC = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")


def read_part(text: str) -> dict[str, Any] | None:
    """The JSON object in one base64url part of a JWS; None where there is none."""
    try:
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None


def entries(value: object) -> list[Any]:
    """The entries of a JSON array; of anything else none."""
    if not isinstance(value, list):
        return []
    return list[Any](value)  # pyright: ignore[reportUnknownArgumentType] - JSON at the edge


def one_or_more(value: object) -> list[Any]:
    """The entries of a JSON array, or the one value that stands in its place."""
    return entries(value) if isinstance(value, list) else [value]  # pyright: ignore[reportUnknownArgumentType] - JSON at the edge


def is_list_of_text(value: object) -> bool:
    """Whether a JSON value is an array of strings and of nothing else."""
    return isinstance(value, list) and all(isinstance(each, str) for each in entries(value))  # pyright: ignore[reportUnknownArgumentType] - as above


def write_part(value: object) -> str:
    """JSON in base64url without padding."""
    return encode_part(json.dumps(value, separators=(",", ":")).encode())


def encode_part(octets: bytes) -> str:
    """Octets in base64url without padding."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def is_jws(token: str) -> bool:
    """Whether a token has the three parts of a JWS with claims, whatever its signature is worth."""
    parts = token.split(".")
    return len(parts) == 3 and read_part(parts[0]) is not None and read_part(parts[1]) is not None


@dataclass(frozen=True)
class Forgery:
    """One way in which a stranger makes a token out of a good one; `build` gives None where it does not apply."""

    id: str
    build: Callable[[str, dict[str, Any]], str | None]

    def __str__(self) -> str:
        return self.id


def _flip_signature(token: str, _keys: dict[str, Any]) -> str:
    head, body, signature = token.split(".")
    return f"{head}.{body}.{flip_bit(signature)}"


def flip_bit(part: str) -> str:
    """The same base64url part with one bit of its octets changed, in the middle."""
    octets = bytearray(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    octets[len(octets) // 2] ^= 4
    return encode_part(bytes(octets))


def _raised(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Header, claims that give more than was granted, and signature."""
    head, body, signature = token.split(".")
    claims = dict(read_part(body) or {})
    if isinstance(claims.get("exp"), int):
        claims["exp"] += 7 * 86_400
    claims["sub"] = f"{claims.get('sub', '')}-admin"
    return dict(read_part(head) or {}), claims, signature


def _raise_claims(token: str, _keys: dict[str, Any]) -> str:
    head, _, signature = token.split(".")
    return f"{head}.{write_part(_raised(token)[1])}.{signature}"


def _reordered(token: str, _keys: dict[str, Any]) -> str | None:
    """The same claims in another order: the signature is over octets."""
    head, body, signature = token.split(".")
    claims = read_part(body) or {}
    return f"{head}.{write_part(dict(reversed(claims.items())))}.{signature}" if len(claims) > 1 else None


def _unsigned(name: str, *, keep: bool = False) -> Callable[[str, dict[str, Any]], str]:
    def build(token: str, _keys: dict[str, Any]) -> str:
        header, claims, signature = _raised(token)
        return f"{write_part(header | {'alg': name})}.{write_part(claims)}.{signature if keep else ''}"

    return build


def _cut(token: str, _keys: dict[str, Any]) -> str:
    return token.rpartition(".")[0] + "."


def _resigned(token: str, _keys: dict[str, Any]) -> str | None:
    header, claims, _ = _raised(token)
    key = make_key(str(header.get("alg")))
    return sign(claims, key, header) if key else None


def _embedded_key(token: str, _keys: dict[str, Any]) -> str | None:
    header, claims, _ = _raised(token)
    key = make_key(str(header.get("alg")))
    if key is None:
        return None
    header.pop("kid", None)
    return sign(claims, key, header | {"jwk": public_jwk(key, str(header["alg"]))})


def _hmac_with_public_key(token: str, keys: dict[str, Any]) -> str | None:
    header, claims, _ = _raised(token)
    if header.get("alg") not in ASYMMETRIC:
        return None
    pem = public_pem(keys, header.get("kid"))
    return None if pem is None else sign_hmac(claims, pem, header | {"alg": "HS256"})


JWS_FORGERIES: tuple[Forgery, ...] = (
    Forgery("signature-bit", _flip_signature),
    Forgery("signature-cut", _cut),
    Forgery("claims-raised", _raise_claims),
    Forgery("claims-reordered", _reordered),
    Forgery("alg-none", _unsigned("none")),
    Forgery("alg-none-in-capitals", _unsigned("NONE")),
    Forgery("alg-none-with-signature", _unsigned("none", keep=True)),
    Forgery("foreign-key", _resigned),
    Forgery("key-in-header", _embedded_key),
    Forgery("hmac-with-public-key", _hmac_with_public_key),
)


def _middle(token: str, _keys: dict[str, Any]) -> str:
    at = len(token) // 2
    return token[:at] + ("a" if token[at] != "a" else "b") + token[at + 1 :]


def _swapped_case(token: str, _keys: dict[str, Any]) -> str | None:
    swapped = token.swapcase()
    return swapped if swapped != token else None


TEXT_FORGERIES: tuple[Forgery, ...] = (
    Forgery("made-up", lambda token, _: secrets.token_urlsafe(len(token))[: len(token)]),
    Forgery("middle-changed", _middle),
    Forgery("case-swapped", _swapped_case),
    Forgery("first-half", lambda token, _: token[: len(token) // 2] if len(token) > 1 else None),
    Forgery("last-character-missing", lambda token, _: token[:-1] if len(token) > 1 else None),
    Forgery("two-characters-more", lambda token, _: f"{token}Aa"),
    Forgery("first-character-only", lambda token, _: token[:1]),
)


@cache
def make_key(algorithm: str) -> Any:
    """A stranger's private key for an algorithm, made once; None for one that needs none or is not known."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415 - only forgers pay for it

    if algorithm[:2] in {"RS", "PS"}:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    curves: dict[str, ec.EllipticCurve] = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
    if algorithm in curves:
        return ec.generate_private_key(curves[algorithm])
    return ed25519.Ed25519PrivateKey.generate() if algorithm == "EdDSA" else None


def sign(claims: dict[str, Any], key: Any, header: dict[str, Any]) -> str:
    """A JWS by the algorithm that the header names."""
    import jwt  # noqa: PLC0415 - as above

    return jwt.encode(claims, key, algorithm=str(header["alg"]), headers=header)


def sign_hmac(claims: dict[str, Any], secret: bytes, header: dict[str, Any]) -> str:
    """A JWS by HMAC with SHA-256 over any octets, those of a public key too, which libraries refuse to take."""
    import hmac  # noqa: PLC0415 - as above

    signed = f"{write_part(header)}.{write_part(claims)}"
    return f"{signed}.{encode_part(hmac.digest(secret, signed.encode('ascii'), 'sha256'))}"


def public_jwk(key: Any, algorithm: str) -> dict[str, Any]:
    """The public half of a private key as a JWK."""
    import jwt  # noqa: PLC0415 - as above

    found: dict[str, Any] = jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key(), as_dict=True)
    return found


def public_pem(keys: dict[str, Any], kid: object) -> bytes | None:
    """The key of a JWK set with this identifier, or its first, as PEM; None where it is no public key."""
    import jwt  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - as above

    entries: list[dict[str, Any]] = [each for each in keys.get("keys", []) if isinstance(each, dict)]
    chosen = next((each for each in entries if kid is not None and each.get("kid") == kid), None)
    try:
        key: Any = jwt.PyJWK.from_dict(chosen or entries[0]).key
        pem: bytes = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    except (jwt.PyJWTError, AttributeError, IndexError, TypeError, ValueError):
        return None
    return pem
