"""RFC 6819 sections 4.3.5, 4.4.1.11 and 5.2.3 to 5.2.4: what the server makes for a client, and shows of one."""

import html
import math
import re
import secrets

from grantproof.checks import Flow, Idp, NotOffered, clause
from grantproof.registration import end, registered

DRAWS = 20
ENTROPY_BITS = 128


def _most_bits(secret: str) -> float:
    """The most that a secret of this length and these characters can hold, in bits: a bound, and no estimate."""
    classes = ("[0-9]", "[a-z]", "[A-Z]", "[^0-9a-zA-Z]")
    sizes = (10, 26, 26, 33)
    alphabet = sum(size for pattern, size in zip(classes, sizes, strict=True) if re.search(pattern, secret))
    return len(secret) * math.log2(max(alphabet, 2))


@clause("rfc6819:4.3.5/client-secret-entropy")
def test_secrets_that_the_server_makes_are_long_and_never_the_same(idp: Idp) -> None:
    with registered(idp) as one, registered(idp) as other:
        if one.secret is None or other.secret is None:
            raise NotOffered("the server makes no secret for a client")
        assert one.secret != other.secret, "two clients got the same secret"
        shortest = min(_most_bits(one.secret), _most_bits(other.secret))
        assert shortest >= ENTROPY_BITS, f"the secret holds at most {shortest:.0f} bits"


@clause("rfc6819:5.2.3.1/no-secret-for-public-client")
def test_public_client_gets_no_secret(idp: Idp) -> None:
    wanted = {
        "grant_types": ["implicit"],
        "response_types": ["token"],
        "token_endpoint_auth_method": "none",
        "redirect_uris": [f"https://{secrets.token_hex(8)}.example/cb"],
    }
    with registered(idp, **wanted) as made:
        if made.answer.get("token_endpoint_auth_method") not in {None, "none"}:
            raise NotOffered("the server made it a confidential client")
        assert not made.secret, "a public client got a secret"


@clause("rfc6819:5.2.3.6/client-secret-revocable")
def test_secret_of_a_client_that_is_ended_opens_nothing(idp: Idp) -> None:
    with registered(idp) as made:
        if made.caller is None or not idp.token(made.caller).issued:
            raise NotOffered("the new client gets no token")
        end(idp, made)
        assert idp.eventually(lambda: made.caller is not None and not idp.token(made.caller).issued)


@clause("rfc6819:5.2.4.3/client-named-to-user")
def test_consent_page_names_the_client(idp: Idp, named_flow: Flow) -> None:
    page = idp.page(named_flow, "consent")
    idp.consent_request(page)  # it is the page on which consent is given, or this check is not offered
    assert named_flow.client.client_name in html.unescape(page.text), "the page does not name the client"


@clause("rfc6819:4.4.1.11/tokens-per-user-limited")
def test_tokens_of_one_session_may_be_limited(idp: Idp, some_flow: Flow) -> None:
    answers = [idp.authorize(some_flow) for _ in range(DRAWS)]
    refused = not all(answer.issued for answer in answers)
    first = answers[0].parameters.get("access_token") or ""
    assert refused or (idp.offer.offers("introspection")[0] and not idp.is_active(first, some_flow))
