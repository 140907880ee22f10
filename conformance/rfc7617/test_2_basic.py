"""RFC 7617 section 2: the challenge of the Basic scheme."""

import pytest

from grantproof.checks import Caller, Idp, NotOffered, TokenAnswer, clause
from grantproof.matrix.token_errors import CLIENT_PATHS, ErrorPath
from grantproof.wire.headers import Challenge

every_client_path = pytest.mark.parametrize("path", CLIENT_PATHS, ids=str)


def _basic_challenges(answer: TokenAnswer) -> list[Challenge]:
    found = [challenge for challenge in answer.headers.challenges if challenge.scheme == "basic"]
    if not found:
        raise NotOffered(f"the refusal with status {answer.status} has no challenge for Basic")
    return found


@clause("rfc7617:2/realm")
@every_client_path
def test_basic_challenge_names_its_realm(idp: Idp, method_service: Caller, path: ErrorPath) -> None:
    challenges = _basic_challenges(idp.refusal(path.spoil(idp.token_request(method_service))))
    assert all(challenge.get("realm") is not None for challenge in challenges)


@clause("rfc7617:2.1/charset")
@every_client_path
def test_charset_of_a_basic_challenge_is_utf8(idp: Idp, method_service: Caller, path: ErrorPath) -> None:
    challenges = _basic_challenges(idp.refusal(path.spoil(idp.token_request(method_service))))
    named = [challenge.get("charset") for challenge in challenges]
    assert all(charset is None or charset.lower() == "utf-8" for charset in named)
