"""RFC 6749 section 10.10: tokens that cannot be guessed."""

from math import log2

from grantproof.checks import Caller, Idp, NotOffered, clause

SAMPLE = 60
FEWEST = 20


def _handles(idp: Idp, caller: Caller) -> list[str]:
    """Some different handles of a client; never signed tokens, which cannot be guessed whatever they say."""
    found: list[str] = []
    for number in range(SAMPLE):
        token = idp.token(caller).access_token
        if token.count(".") == 2:
            raise NotOffered("the token is signed: what it says may be known, the signature cannot be guessed")
        found.append(token)
        if number == FEWEST and len(set(found)) == 1:
            raise NotOffered("the same token comes back for repeated requests")
    return sorted(set(found))


def _room(tokens: list[str]) -> float:
    """How many bits of chance the places that differ between tokens have room for, at the most."""
    places = [{token[at : at + 1] for token in tokens} for at in range(max(map(len, tokens)))]
    varying = [place for place in places if len(place) > 1]
    alphabet = set[str]().union(*varying) - {""}
    return len(varying) * log2(max(len(alphabet), 1))


@clause("rfc6749:10.10/guess-probability-128", "rfc6819:5.1.4.2.2/token-entropy")
def test_handle_has_room_for_128_bits(idp: Idp, method_service: Caller) -> None:
    bits = _room(_handles(idp, method_service))
    assert bits >= 128, f"the places that differ have room for {bits:.0f} bits"


@clause("rfc6749:10.10/guess-probability-160")
def test_handle_has_room_for_160_bits(idp: Idp, method_service: Caller) -> None:
    bits = _room(_handles(idp, method_service))
    assert bits >= 160, f"the places that differ have room for {bits:.0f} bits"
