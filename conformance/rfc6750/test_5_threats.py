"""RFC 6750 sections 5.2 and 5.3: what a bearer token is good for, for how long, and where it must not be."""

from typing import Any
from urllib.parse import urlsplit

from grantproof.checks import Caller, Flow, Idp, NotOffered, clause, needs

HOUR_S = 3600


@clause("rfc6750:5.2/scope-restricted")
def test_token_has_a_scope(idp: Idp, one_method_service: Caller) -> None:
    answer = idp.token(one_method_service)
    _judge_scope(answer.get("scope"), idp.facts_of(answer.access_token))


@clause("rfc6750:5.2/scope-restricted")
def test_token_of_the_implicit_grant_has_a_scope(idp: Idp, token_flow: Flow) -> None:
    answer = idp.authorize(token_flow)
    _judge_scope(answer.parameters.get("scope"), idp.facts_of(answer.access_token))


@clause("rfc6750:5.2/limited-lifetime")
def test_token_has_an_end(idp: Idp, one_method_service: Caller) -> None:
    answer = idp.token(one_method_service)
    _judge_end(answer.get("expires_in"), idp.facts_of(answer.access_token))


@clause("rfc6750:5.2/limited-lifetime")
def test_token_of_the_implicit_grant_has_an_end(idp: Idp, token_flow: Flow) -> None:
    answer = idp.authorize(token_flow)
    _judge_end(answer.parameters.get("expires_in"), idp.facts_of(answer.access_token))


@clause("rfc6750:5.2/limited-lifetime", "rfc6749:7/token-validated", "rfc6819:5.1.5.2/tokens-expire")
@needs("resource", "slow")
def test_expired_token_opens_nothing(idp: Idp) -> None:
    caller, token = idp.expired()
    if idp.resource(idp.issue(caller)).status != 200:
        raise NotOffered("a fresh token of this client does not open the resource")
    assert idp.eventually(lambda: idp.resource(token).status != 200), "the resource is open to an expired token"


@clause("rfc6750:5.3/short-lived", "rfc6819:5.1.5.3/short-lifetime")
def test_token_lives_for_an_hour_at_most(idp: Idp, one_method_service: Caller) -> None:
    answer = idp.token(one_method_service)
    _judge_hour(_lifetime(answer.get("expires_in"), idp.facts_of(answer.access_token)))


@clause("rfc6750:5.3/short-lived", "rfc6819:5.1.5.3/short-lifetime")
def test_token_of_the_implicit_grant_lives_for_an_hour_at_most(idp: Idp, token_flow: Flow) -> None:
    answer = idp.authorize(token_flow)
    _judge_hour(_lifetime(answer.parameters.get("expires_in"), idp.facts_of(answer.access_token)))


@clause("rfc6750:5.3/audience-restricted")
def test_token_names_its_audience(idp: Idp, one_method_service: Caller) -> None:
    _judge_audience(idp.facts_of(idp.issue(one_method_service)))


@clause("rfc6750:5.3/audience-restricted")
def test_token_of_the_implicit_grant_names_its_audience(idp: Idp, token_flow: Flow) -> None:
    _judge_audience(idp.facts_of(idp.issue(token_flow)))


@clause("rfc6750:5.2/no-token-in-clear-cookie")
def test_no_cookie_in_the_clear_holds_the_token(idp: Idp, token_flow: Flow) -> None:
    answer = idp.authorize(token_flow)
    cookies = [line for step in answer.steps for line in step.headers.all("set-cookie")]
    holding = [line for line in cookies if answer.access_token in line]
    attributes = [{part.strip().lower() for part in line.split(";")[1:]} for line in holding]
    assert all("secure" in each for each in attributes), "a cookie without Secure holds the token"


@clause("rfc6750:5.3/not-in-page-urls")
def test_no_address_has_the_token_in_it(idp: Idp, token_flow: Flow) -> None:
    answer = idp.authorize(token_flow)
    token = answer.access_token
    passed = [step.url for step in answer.steps]
    assert all(token not in url for url in passed), "an address on the way has the token in it"
    assert token not in urlsplit(answer.location or "").query, "the final query has the token in it"


def _lifetime(expires_in: object, facts: dict[str, Any]) -> float | None:
    """How long a token lives in seconds, by the answer or by what its server says about it."""
    if isinstance(expires_in, str) and expires_in.isdecimal():
        return float(expires_in)
    if isinstance(expires_in, int | float) and not isinstance(expires_in, bool):
        return float(expires_in)
    begin, end = facts.get("iat", facts.get("nbf")), facts.get("exp")
    if isinstance(end, int | float) and isinstance(begin, int | float):
        return float(end - begin)
    return None


def _judge_end(expires_in: object, facts: dict[str, Any]) -> None:
    lifetime_s = _lifetime(expires_in, facts)
    if lifetime_s is None and not _tells(facts):
        raise NotOffered("nothing tells when the token ends, which need not be told")
    assert lifetime_s is not None, "no end is shown"


def _judge_hour(lifetime_s: float | None) -> None:
    if lifetime_s is None:
        raise NotOffered("nobody says how long the token lives")
    assert lifetime_s <= HOUR_S, f"the token lives for {lifetime_s:g} s"


def _judge_scope(reported: object, facts: dict[str, Any]) -> None:
    shown = reported or facts.get("scope") or facts.get("scp")
    if not shown and not _tells(facts):
        raise NotOffered("the token shows nothing, and neither does introspection")
    assert shown, "neither the answer nor introspection nor the token shows a scope"


def _judge_audience(facts: dict[str, Any]) -> None:
    if not _tells(facts):
        raise NotOffered("the token shows nothing, and neither does introspection")
    assert facts.get("aud"), "the token names no audience"


def _tells(facts: dict[str, Any]) -> bool:
    """Whether a token or its server says anything about it beyond that it is good."""
    return bool(set(facts) - {"active", "token_type"})
