"""Signatures of JWTs, by the keys that the target publishes. pyjwt is loaded when the first one is read."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jwt import PyJWK, PyJWKSet

    from grantproof.wire.answer import Answer

_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_SIGNATURE_ALONE: Any = {f"verify_{claim}": False for claim in ("aud", "exp", "iat", "nbf", "sub", "jti")}


def read_keys(answer: "Answer") -> "PyJWKSet":
    """The keys of a JWK set.

    Raises:
        AssertionError: the document is no JWK set.
    """
    import jwt  # noqa: PLC0415 - only JWT checks need it

    try:
        return jwt.PyJWKSet.from_dict(answer.members)
    except (jwt.PyJWKSetError, jwt.PyJWKError, ValueError, TypeError, KeyError) as problem:
        raise AssertionError(f"jwks_uri gives no usable JWK set: {type(problem).__name__}") from None


def unverified_claims(token: str) -> dict[str, Any]:
    """The claims of a JWT as they stand there; empty where the token is none."""
    import jwt  # noqa: PLC0415 - only tokens that may be JWTs need it

    try:
        return jwt.decode(token, options={"verify_signature": False})
    except (jwt.InvalidTokenError, ValueError, TypeError, RecursionError):
        return {}


def read_header(token: str) -> dict[str, Any]:
    """The header of a signed JWT.

    Raises:
        AssertionError: the token is none.
    """
    import jwt  # noqa: PLC0415 - only JWT checks need it

    try:
        return jwt.get_unverified_header(token)
    except (jwt.InvalidTokenError, ValueError, TypeError, RecursionError) as problem:
        raise AssertionError(f"the token is no signed JWT: {type(problem).__name__}") from None


def verify(token: str, header: dict[str, Any], published: "list[PyJWK]") -> dict[str, Any]:
    """The claims of a JWT whose signature a published key verifies; nothing else of it is looked at.

    Raises:
        AssertionError: no key verifies it.
    """
    import jwt  # noqa: PLC0415 - only JWT checks need it

    keys = [key for key in published if header.get("kid") in (None, key.key_id)]
    for key in keys:
        try:
            return jwt.decode(token, key.key, algorithms=_ALGORITHMS, options=_SIGNATURE_ALONE)
        except (jwt.PyJWTError, TypeError, ValueError, RecursionError):
            continue
    raise AssertionError(
        f"none of {len(keys)} matching keys of the JWK set verifies the token (alg {header.get('alg')!r})"
    )
